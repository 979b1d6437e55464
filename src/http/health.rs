//! Whether the server lives, and whether it can work.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use super::site::Site;

/// Says that the process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body("ok\n")
}

/// Says whether the database answers too.
pub async fn ready(site: Data<Site>) -> HttpResponse {
    let (mut response, text) = if site.provider.is_ready().await {
        (HttpResponse::Ok(), "ready\n")
    } else {
        (HttpResponse::ServiceUnavailable(), "not ready\n")
    };
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text)
}
