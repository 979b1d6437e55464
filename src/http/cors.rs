//! Which pages of other sites may read an answer (the Fetch standard's CORS protocol).

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::error::log_failure;
use super::site::Site;

/// Lets every page read an answer that is public.
pub fn allow_everybody(response: &mut HttpResponse) {
    let headers = response.headers_mut();
    let everybody = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, everybody);
}

/// Lets a page read an answer if some client is registered with its origin. Never with cookies.
pub async fn allow_registered(site: &Site, request: &HttpRequest, response: &mut HttpResponse) {
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return;
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Ok(text) = origin.to_str() else { return };
    let is_allowed = site.provider.allows_origin(text).await;
    match is_allowed {
        Ok(true) => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let exposed = HeaderValue::from_static("WWW-Authenticate, DPoP-Nonce");
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        Ok(false) => {}
        Err(error) => log_failure(&error),
    }
}

/// Answers the question that a browser asks before it lets a page send a request.
pub async fn preflight(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
        .insert_header((
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, DPoP",
        ))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .finish();
    allow_registered(&site, &request, &mut response).await;
    response
}

/// The same for what is public.
pub async fn public_preflight() -> HttpResponse {
    let mut response = HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET"))
        // MCP clients send the version of their protocol to whomever they ask.
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "*"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .finish();
    allow_everybody(&mut response);
    response
}
