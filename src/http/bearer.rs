//! Bearer tokens in requests, and the challenges that refuse them ([RFC 6750]).
//!
//! [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::oidc::error::ErrorCode;
use crate::oidc::jws_algorithm::JwsAlgorithm;
use crate::provider::client::userinfo::{BearerError, Scheme};

use super::error::log_failure;

/// The token in the `Authorization` header of a request ([RFC 6750 section 2.1]); `None` if it has
/// no such header. A token that is bound to a key comes under the scheme `DPoP`
/// ([RFC 9449 section 7.1]).
///
/// [RFC 9449 section 7.1]: https://www.rfc-editor.org/rfc/rfc9449#section-7.1
/// [RFC 6750 section 2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
pub fn from_header(request: &HttpRequest) -> Result<Option<(Scheme, &str)>, BearerError> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let Some(header) = headers.next() else {
        return Ok(None);
    };
    if headers.next().is_some() {
        return Err(BearerError::MalformedRequest);
    }
    let text = header.to_str().map_err(|_| BearerError::MalformedRequest)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => {
            Ok(Some((Scheme::Bearer, token.trim_matches(' '))))
        }
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("DPoP") => {
            Ok(Some((Scheme::Dpop, token.trim_matches(' '))))
        }
        _ => Err(BearerError::TokenMissing),
    }
}

/// The challenge of a resource that takes proofs ([RFC 9449 section 7.1]).
///
/// [RFC 9449 section 7.1]: https://www.rfc-editor.org/rfc/rfc9449#section-7.1
fn dpop_scheme() -> String {
    let algorithms = JwsAlgorithm::asymmetric_names().join(" ");
    format!("DPoP algs=\"{algorithms}\",")
}

/// Logs why a bearer is refused, and answers it ([RFC 6750 section 3.1]).
///
/// [RFC 6750 section 3.1]: https://www.rfc-editor.org/rfc/rfc6750#section-3.1
#[must_use]
pub fn refuse(error: &BearerError) -> HttpResponse {
    match error {
        BearerError::Internal(error) => log_failure(error),
        refusal => tracing::info!(reason = %refusal, "bearer refused"),
    }
    let code = error.code();
    let status = match code {
        None
        | Some(ErrorCode::InvalidToken | ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce) => {
            StatusCode::UNAUTHORIZED
        }
        Some(ErrorCode::InsufficientScope) => StatusCode::FORBIDDEN,
        Some(ErrorCode::TemporarilyUnavailable) => StatusCode::SERVICE_UNAVAILABLE,
        Some(ErrorCode::ServerError) => StatusCode::INTERNAL_SERVER_ERROR,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if status.is_server_error() {
        response.insert_header((header::RETRY_AFTER, "1"));
    } else {
        let challenge = code.map_or_else(
            || "Bearer".to_owned(),
            |code| {
                let scheme = match error {
                    BearerError::Proof(_) | BearerError::NotBound => dpop_scheme(),
                    _ => "Bearer".to_owned(),
                };
                format!(
                    "{scheme} error=\"{}\", error_description=\"{error}\"",
                    code.as_str()
                )
            },
        );
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    match code {
        None => response.finish(),
        Some(code) => response.json(json!({
            "error": code.as_str(),
            "error_description": match error {
                BearerError::Internal(_) => "the server cannot answer now".to_owned(),
                refusal => refusal.to_string(),
            },
        })),
    }
}
