//! Bearer tokens in requests, and the challenges that refuse them ([RFC 6750]).
//!
//! [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::oidc::error::ErrorCode;
use crate::provider::client::userinfo::BearerError;

use super::error::log_failure;

/// The token in the `Authorization` header of a request ([RFC 6750 section 2.1]); `None` if it has
/// no such header.
///
/// [RFC 6750 section 2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
pub fn from_header(request: &HttpRequest) -> Result<Option<&str>, BearerError> {
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
            Ok(Some(token.trim_matches(' ')))
        }
        _ => Err(BearerError::TokenMissing),
    }
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
        None | Some(ErrorCode::InvalidToken) => StatusCode::UNAUTHORIZED,
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
                format!(
                    "Bearer error=\"{}\", error_description=\"{error}\"",
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
