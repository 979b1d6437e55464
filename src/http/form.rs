//! Reading the parameters of a request, strictly and no more than so much.

use actix_web::http::header;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use serde_json::{Map, Value};

use crate::oidc::parameters::{Parameters, ParametersError};

/// Why a request's parameters cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// The body is not `application/x-www-form-urlencoded`.
    #[error("the body is not a form")]
    NotAForm,
    /// The body is not `application/json`, or no object.
    #[error("the body is not a JSON object (application/json)")]
    NotJson,
    /// The body is longer than any form.
    #[error("the body is too long")]
    TooLong,
    /// The body did not arrive.
    #[error("the body did not arrive")]
    Broken,
    /// The parameters are not well-formed.
    #[error(transparent)]
    Malformed(#[from] ParametersError),
}

/// The parameters in the query of a request.
pub fn query(request: &HttpRequest) -> Result<Parameters, FormError> {
    Ok(Parameters::parse(request.query_string())?)
}

/// The parameters in the body of a request.
pub async fn body(request: &HttpRequest, payload: Payload) -> Result<Parameters, FormError> {
    if media_type(request) != "application/x-www-form-urlencoded" {
        return Err(FormError::NotAForm);
    }
    let bytes = payload.to_bytes_limited(LONGEST).await;
    let bytes = bytes.map_err(|_| FormError::TooLong)?;
    let bytes = bytes.map_err(|_| FormError::Broken)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| ParametersError::Encoding)?;
    Ok(Parameters::parse(text)?)
}

/// The JSON object in the body of a request.
pub async fn json_object(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Map<String, Value>, FormError> {
    if media_type(request) != "application/json" {
        return Err(FormError::NotJson);
    }
    let bytes = payload.to_bytes_limited(LONGEST).await;
    let bytes = bytes.map_err(|_| FormError::TooLong)?;
    let bytes = bytes.map_err(|_| FormError::Broken)?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(FormError::NotJson),
    }
}

/// The media type of a body, in lower case and without parameters.
fn media_type(request: &HttpRequest) -> String {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next());
    media_type.unwrap_or_default().trim().to_ascii_lowercase()
}

impl FormError {
    /// The status that goes with it.
    #[must_use]
    pub fn status(&self) -> actix_web::http::StatusCode {
        match self {
            Self::TooLong => actix_web::http::StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAForm | Self::NotJson | Self::Broken | Self::Malformed(_) => {
                actix_web::http::StatusCode::BAD_REQUEST
            }
        }
    }
}

/// Answers a method that an endpoint does not have.
#[must_use]
pub fn method_not_allowed(allowed: &'static str) -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((header::ALLOW, allowed))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(serde_json::json!({
            "error": "invalid_request",
            "error_description": "this endpoint does not answer this method",
        }))
}

const LONGEST: usize = 64 * 1024;
