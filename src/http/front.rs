//! The front page: who is signed in. And the operator's logo.

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::consent::account;
use super::error::failure_page;
use super::page::{self, Frame};
use super::pages::UserSummary;
use super::pages::error::ErrorKind;
use super::pages::front::FrontPage;
use super::site::Site;

/// Shows the front page.
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let signed_in = match site.provider.signed_in(&site.browser(&request)).await {
        Ok(signed_in) => signed_in,
        Err(error) => return page::error(&site, &request, failure_page(&error)),
    };
    let frame = Frame::new(&site, &request);
    frame.send(
        StatusCode::OK,
        &FrontPage {
            layout: frame.layout(&site),
            user: signed_in.as_ref().map(|signed_in| UserSummary {
                name: signed_in.user.display_name(),
                account: account(&signed_in.user),
            }),
        },
    )
}

/// Sends the operator's logo.
pub async fn logo(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let Some(logo) = &site.logo else {
        return page::error(&site, &request, ErrorKind::NotFound);
    };
    HttpResponse::Ok()
        .content_type(logo.media_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        // An SVG can carry scripts; as a document of its own it must not run them.
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        ))
        .body(logo.bytes.clone())
}
