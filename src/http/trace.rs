//! A line in the log for each request, and the id by which a person's error page finds it.
//!
//! The line has the pattern of the route and never the address itself: codes, states and hints
//! stand in queries.

use std::fmt;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use tracing::Instrument as _;

use crate::provider::clock::Stopwatch;

use super::site::Site;

/// What names a request in the log and on error pages.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a request, logs how it was answered, and adds the headers that every answer has.
pub async fn trace(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let stopwatch = Stopwatch::start();
    let site = request.app_data::<Data<Site>>();
    let is_https = site.is_some_and(|site| site.cookies.is_secure);
    let id = site.map_or_else(String::new, |site| site.provider.request_id());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", id = %id);
    let is_readable = is_readable_path(request.path());
    let mut response = async {
        let response = if is_readable {
            next.call(request).await?.map_into_left_body()
        } else {
            let response = HttpResponse::BadRequest().finish();
            request.into_response(response).map_into_right_body()
        };
        let status = response.status().as_u16();
        let route = response.request().match_pattern();
        let method = response.request().method();
        tracing::info!(
            method = method.as_str(),
            route = route.as_deref().unwrap_or("-"),
            status,
            microseconds = u64::try_from(stopwatch.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        Ok::<_, Error>(response)
    }
    .instrument(span)
    .await?;
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if is_https {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    Ok(response)
}

/// Whether a path is UTF-8 without control characters, also once decoded.
fn is_readable_path(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    decoded.is_ok_and(|path| !path.chars().any(char::is_control))
}
