//! The demo API: a resource server that checks access tokens by itself ([RFC 9068 section 4]),
//! with the keys that the issuer publishes.
//!
//! [RFC 9068 section 4]: https://www.rfc-editor.org/rfc/rfc9068#section-4

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use crate::dev::Development;
use crate::http::bearer;
use crate::http::site::Site;
use crate::keys::KeyError;
use crate::keys::jwt::{self, Expected, JwtError, TokenType};
use crate::keys::published_keys::PublishedKeys;
use crate::oidc::issuer::Issuer;
use crate::oidc::metadata::path;
use crate::oidc::timestamp::Timestamp;
use crate::provider::client::userinfo::Scheme;

use super::error::with_causes;
use super::http::Http;

/// The API: whom it trusts, and what it knows of their keys.
#[derive(Debug)]
pub struct ResourceServer {
    issuer: Issuer,
    http: Http,
    cache: Mutex<Option<FetchedKeys>>,
}

#[derive(Clone, Debug)]
struct FetchedKeys {
    keys: Arc<PublishedKeys>,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
}

/// The claims that the API reads of an access token.
#[derive(Debug, Deserialize, Eq, PartialEq)]
pub struct AccessTokenClaims {
    /// On whose behalf the client asks.
    pub sub: String,
    /// The client that asks.
    pub client_id: String,
    /// What it may do, separated by spaces.
    #[serde(default)]
    pub scope: String,
}

/// Why the API does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiRefusal {
    /// There is no token.
    #[error("the request has no access token")]
    TokenMissing,
    /// The request cannot be read.
    #[error("the request has more than one access token")]
    MalformedRequest,
    /// The token is not valid here.
    #[error("{0}")]
    InvalidToken(JwtError),
    /// The token is valid and does not open this.
    #[error("the token lacks the scope demo:read")]
    ScopeMissing,
    /// The issuer's keys could not be fetched.
    #[error("the keys of the issuer cannot be fetched: {0}")]
    Keys(String),
}

impl ResourceServer {
    /// The API that trusts `issuer`.
    #[must_use]
    pub fn new(issuer: Issuer, http: Http) -> Self {
        Self {
            issuer,
            http,
            cache: Mutex::default(),
        }
    }

    /// Where it is, which is what access tokens for it have as their audience.
    #[must_use]
    pub fn address(&self) -> String {
        self.issuer.join("/demo/api")
    }

    /// Whether `token` opens it.
    pub async fn admit(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessTokenClaims, ApiRefusal> {
        let address = self.address();
        let expected = Expected {
            token_type: TokenType::AccessToken,
            issuer: self.issuer.as_str(),
            audience: Some(&address),
            now,
            check_expiry: true,
        };
        let fetched = self.keys(now, None).await?;
        let mut claims = jwt::verify_as_published(&fetched.keys, token, &expected);
        if claims == Err(JwtError::UnknownKey) {
            // The issuer may have a new key. A token can be made up, so not for each of them.
            let fetched = self.keys(now, Some(fetched.fetched_at)).await?;
            claims = jwt::verify_as_published(&fetched.keys, token, &expected);
        }
        let claims: AccessTokenClaims = claims.map_err(ApiRefusal::InvalidToken)?;
        if claims.scope.split(' ').any(|scope| scope == SCOPE) {
            Ok(claims)
        } else {
            Err(ApiRefusal::ScopeMissing)
        }
    }

    /// The issuer's keys: those that were fetched as long as `Cache-Control` allows, unless they
    /// are from `missed_at` and that is some time ago.
    async fn keys(
        &self,
        now: Timestamp,
        missed_at: Option<Timestamp>,
    ) -> Result<FetchedKeys, ApiRefusal> {
        let held = self
            .cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(held) = held {
            let is_missed =
                missed_at == Some(held.fetched_at) && held.fetched_at.after(BETWEEN_FETCHES) <= now;
            if now < held.fresh_until && !is_missed {
                return Ok(held);
            }
        }
        let failed = |error: reqwest::Error| ApiRefusal::Keys(with_causes(&error));
        let request = self
            .http
            .client()
            .map_err(failed)?
            .get(self.issuer.join(path::JWKS));
        let response = request
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        let response = response.map_err(failed)?;
        let lifetime = lifetime(response.headers().get("cache-control"));
        let body = response.bytes().await.map_err(failed)?;
        let keys = PublishedKeys::parse(&body)
            .map_err(|error: KeyError| ApiRefusal::Keys(error.to_string()))?;
        let fetched = FetchedKeys {
            keys: Arc::new(keys),
            fetched_at: now,
            fresh_until: now.after(lifetime),
        };
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = Some(fetched.clone());
        Ok(fetched)
    }
}

/// For how long an answer may be used again ([RFC 9111 section 5.2.2.1]).
///
/// [RFC 9111 section 5.2.2.1]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1
fn lifetime(cache_control: Option<&reqwest::header::HeaderValue>) -> Duration {
    let text = cache_control.and_then(|value| value.to_str().ok());
    let mut directives = text.unwrap_or_default().split(',').map(str::trim);
    let seconds = directives.find_map(|directive| directive.strip_prefix("max-age="));
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or_default())
}

/// Answers whoever holds a fitting access token.
pub async fn get(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
) -> HttpResponse {
    let now = site.provider.clock().now();
    let admitted = match bearer::from_header(&request) {
        Ok(Some((Scheme::Bearer, token))) => development.demo.api.admit(token, now).await,
        Ok(Some((Scheme::Dpop, _)) | None) => Err(ApiRefusal::TokenMissing),
        Err(_) => Err(ApiRefusal::MalformedRequest),
    };
    match admitted {
        Ok(claims) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(json!({
                "message": "The door is open.",
                "on_behalf_of": claims.sub,
                "asked_by": claims.client_id,
                "notes": ["Water the plants", "Return the badge on Friday"],
            })),
        Err(refusal) => refuse(&refusal),
    }
}

/// Refuses a request ([RFC 6750 section 3]).
///
/// [RFC 6750 section 3]: https://www.rfc-editor.org/rfc/rfc6750#section-3
fn refuse(refusal: &ApiRefusal) -> HttpResponse {
    let (status, error) = match refusal {
        ApiRefusal::TokenMissing => (StatusCode::UNAUTHORIZED, None),
        ApiRefusal::MalformedRequest => (StatusCode::BAD_REQUEST, Some("invalid_request")),
        ApiRefusal::InvalidToken(_) => (StatusCode::UNAUTHORIZED, Some("invalid_token")),
        ApiRefusal::ScopeMissing => (StatusCode::FORBIDDEN, Some("insufficient_scope")),
        ApiRefusal::Keys(_) => (StatusCode::SERVICE_UNAVAILABLE, None),
    };
    tracing::info!(reason = %refusal, "the demo API refused");
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    let challenge = match (refusal, error) {
        (ApiRefusal::TokenMissing, _) => Some("Bearer realm=\"demo\"".to_owned()),
        (ApiRefusal::ScopeMissing, Some(error)) => Some(format!(
            "Bearer realm=\"demo\", error=\"{error}\", error_description=\"{refusal}\", \
             scope=\"{SCOPE}\""
        )),
        (_, Some(error)) => Some(format!(
            "Bearer realm=\"demo\", error=\"{error}\", error_description=\"{refusal}\""
        )),
        (_, None) => None,
    };
    if let Some(challenge) = challenge {
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    response.json(json!({
        "error": error.unwrap_or(if status == StatusCode::UNAUTHORIZED {
            "token_missing"
        } else {
            "temporarily_unavailable"
        }),
        "error_description": refusal.to_string(),
    }))
}

/// What a token must open.
const SCOPE: &str = "demo:read";

/// The least time between fetching the keys for one token's sake and for another's.
const BETWEEN_FETCHES: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_for_as_long_as_the_answer_says() {
        for (text, seconds) in [
            ("public, max-age=300", 300),
            ("max-age=5", 5),
            ("no-store", 0),
            ("max-age=soon", 0),
        ] {
            let value = text.parse().unwrap();
            assert_eq!(
                lifetime(Some(&value)),
                Duration::from_secs(seconds),
                "{text}"
            );
        }
        assert_eq!(lifetime(None), Duration::ZERO);
    }
}
