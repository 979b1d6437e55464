//! Client assertions: JWTs by which a client says who it is ([RFC 7523 section 3],
//! [OIDC Core section 9]).
//!
//! [RFC 7523 section 3]: https://www.rfc-editor.org/rfc/rfc7523#section-3
//! [OIDC Core section 9]: https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::client_authentication_method::ClientAuthenticationMethod;
use super::client_metadata::ClientMetadata;
use super::jws_algorithm::JwsAlgorithm;
use super::jwt_claims::{JwtClaims, JwtTimeError};
use super::secret::Digest;
use super::timestamp::Timestamp;

/// The value of `client_assertion_type` ([RFC 7523 section 2.2]).
///
/// [RFC 7523 section 2.2]: https://www.rfc-editor.org/rfc/rfc7523#section-2.2
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The values that `typ` may have, if it is there. An access token, an ID token of this server's
/// clients or a request object is none.
pub const TYPES: &[&str] = &["JWT", "client-authentication+jwt"];

/// Whom an assertion may be for.
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// One of these, alone or among others ([RFC 7523 section 3], item 3).
    ///
    /// [RFC 7523 section 3]: https://www.rfc-editor.org/rfc/rfc7523#section-3
    OneOf(&'a [String]),
    /// The issuer identifier as the one string
    /// ([FAPI 2.0 Security Profile section 5.3.2.1](https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2.1)).
    IssuerAlone(&'a str),
}

/// An assertion that is good, once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SingleUse {
    /// What it is known again by.
    pub digest: Digest,
    /// The instant at which it ends by itself.
    pub expires_at: Timestamp,
}

/// What is wrong with an assertion whose signature is the client's, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClientAssertionError {
    /// `iss` is not the client.
    #[error("the assertion is not issued by the client")]
    WrongIssuer,
    /// `sub` is not the client.
    #[error("the assertion is not about the client")]
    WrongSubject,
    /// `aud` does not name this server.
    #[error("the assertion is for another audience")]
    WrongAudience,
    /// `exp`, `nbf` or `iat` is wrong.
    #[error("the assertion is not good now: {0}")]
    Time(#[from] JwtTimeError),
    /// `jti` is missing.
    #[error("the assertion has no jti")]
    NoJwtId,
}

/// Checks the claims of an assertion by `client_id`, whose signature has been verified.
pub fn check(
    claims: &JwtClaims,
    client_id: &str,
    audience: Audience<'_>,
    now: Timestamp,
) -> Result<SingleUse, ClientAssertionError> {
    if claims.text("iss") != Some(client_id) {
        return Err(ClientAssertionError::WrongIssuer);
    }
    if claims.text("sub") != Some(client_id) {
        return Err(ClientAssertionError::WrongSubject);
    }
    let is_for_us = match audience {
        Audience::OneOf(own) => {
            let named = claims.audience();
            named.iter().any(|name| own.iter().any(|own| own == name))
        }
        Audience::IssuerAlone(issuer) => claims.text("aud") == Some(issuer),
    };
    if !is_for_us {
        return Err(ClientAssertionError::WrongAudience);
    }
    let expires_at = claims.expire_within(now, LEEWAY, LONGEST)?;
    let jti = claims.text("jti").filter(|jti| !jti.is_empty());
    let jti = jti.ok_or(ClientAssertionError::NoJwtId)?;
    // A client_id has no control character, so the two halves cannot run into each other.
    let digest = Digest::of(&format!("client assertion\n{client_id}\n{jti}"));
    Ok(SingleUse { digest, expires_at })
}

/// The algorithms that a client may sign its assertions with: the one that it registered, or
/// all of its method's.
#[must_use]
pub fn algorithms(metadata: &ClientMetadata) -> Vec<JwsAlgorithm> {
    let of_method = match metadata.token_endpoint_auth_method {
        ClientAuthenticationMethod::PrivateKeyJwt => metadata.profile.algorithms(),
        ClientAuthenticationMethod::ClientSecretJwt => JwsAlgorithm::SYMMETRIC,
        ClientAuthenticationMethod::ClientSecretBasic
        | ClientAuthenticationMethod::ClientSecretPost
        | ClientAuthenticationMethod::TlsClientAuth
        | ClientAuthenticationMethod::SelfSignedTlsClientAuth
        | ClientAuthenticationMethod::None => &[],
    };
    match metadata.token_endpoint_auth_signing_alg {
        Some(registered) if of_method.contains(&registered) => vec![registered],
        Some(_) => Vec::new(),
        None => of_method.to_vec(),
    }
}

/// Whom an assertion speaks of, before anything of it has been verified: who is to be asked for
/// the keys.
#[must_use]
pub fn claimed_subject(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    let payload = assertion.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let subject: Subject = serde_json::from_slice(&payload).ok()?;
    Some(subject.sub)
}

/// What is forgiven to a clock that goes fast
/// ([FAPI 2.0 Security Profile section 5.3.2.1](https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2.1)).
const LEEWAY: Duration = Duration::from_secs(10);

/// For how long an assertion may be good, and must be remembered.
const LONGEST: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const ISSUER: &str = "https://op.test";

    fn with(changes: &Value) -> JwtClaims {
        let mut claims = json!({
            "iss": "app", "sub": "app", "aud": ISSUER, "exp": 1_000_060, "jti": "1",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        JwtClaims::new(claims.as_object().unwrap().clone())
    }

    #[test]
    fn an_assertion_is_of_the_client_about_the_client_and_for_this_server() {
        use ClientAssertionError::{NoJwtId, WrongAudience, WrongIssuer, WrongSubject};
        let token_endpoint = format!("{ISSUER}/oauth2/token");
        let own = [ISSUER.to_owned(), token_endpoint.clone()];
        for (changes, expected) in [
            (json!({}), Ok(())),
            (json!({"aud": token_endpoint}), Ok(())),
            (json!({"aud": ["https://other.test", ISSUER]}), Ok(())),
            (json!({"iss": "other"}), Err(WrongIssuer)),
            (json!({"iss": null}), Err(WrongIssuer)),
            (json!({"sub": "other"}), Err(WrongSubject)),
            (json!({"sub": ["app"]}), Err(WrongSubject)),
            (json!({"aud": "https://op.test/"}), Err(WrongAudience)),
            (json!({"aud": "https://op.tes"}), Err(WrongAudience)),
            (json!({"aud": {}}), Err(WrongAudience)),
            (json!({"aud": [1]}), Err(WrongAudience)),
            (json!({"aud": []}), Err(WrongAudience)),
            (json!({"jti": ""}), Err(NoJwtId)),
            (json!({"jti": 1}), Err(NoJwtId)),
            (json!({"jti": null}), Err(NoJwtId)),
            (json!({"exp": 999_999}), Err(JwtTimeError::Expired.into())),
            (json!({"exp": 1_003_700}), Err(JwtTimeError::TooLong.into())),
        ] {
            let checked = check(&with(&changes), "app", Audience::OneOf(&own), NOW);
            assert_eq!(checked.map(drop), expected, "{changes}");
        }
    }

    #[test]
    fn fapi_wants_the_issuer_alone() {
        for (changes, is_right) in [
            (json!({}), true),
            (json!({"aud": [ISSUER]}), false),
            (json!({"aud": format!("{ISSUER}/oauth2/token")}), false),
        ] {
            let checked = check(&with(&changes), "app", Audience::IssuerAlone(ISSUER), NOW);
            assert_eq!(checked.is_ok(), is_right, "{changes}");
        }
    }

    #[test]
    fn an_assertion_is_known_again_by_client_and_jti() {
        let own = [ISSUER.to_owned()];
        let digest = |client_id: &str, jti: &str| {
            let claims = with(&json!({"iss": client_id, "sub": client_id, "jti": jti}));
            let used = check(&claims, client_id, Audience::OneOf(&own), NOW);
            used.unwrap().digest
        };
        assert_eq!(digest("app", "1"), digest("app", "1"));
        assert_ne!(digest("app", "1"), digest("app", "2"));
        assert_ne!(digest("app", "1"), digest("ap", "p1"));
    }

    #[test]
    fn the_registered_algorithm_is_the_only_one() {
        use ClientAuthenticationMethod::{ClientSecretBasic, ClientSecretJwt, PrivateKeyJwt};
        let metadata = |method, alg| ClientMetadata {
            token_endpoint_auth_method: method,
            token_endpoint_auth_signing_alg: alg,
            ..ClientMetadata::default()
        };
        for (method, alg, expected) in [
            (
                PrivateKeyJwt,
                Some(JwsAlgorithm::PS256),
                vec![JwsAlgorithm::PS256],
            ),
            (PrivateKeyJwt, Some(JwsAlgorithm::HS256), vec![]),
            (PrivateKeyJwt, None, JwsAlgorithm::ASYMMETRIC.to_vec()),
            (ClientSecretJwt, Some(JwsAlgorithm::RS256), vec![]),
            (ClientSecretJwt, None, JwsAlgorithm::SYMMETRIC.to_vec()),
            (ClientSecretBasic, None, vec![]),
        ] {
            assert_eq!(
                algorithms(&metadata(method, alg)),
                expected,
                "{method:?} {alg:?}"
            );
        }
    }
}
