//! The pushed authorization request endpoint.

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::metadata::path;
use crate::provider::client::pushed_authorization_request::PushedAuthorizationRequestError;

use super::cors::allow_registered;
use super::dpop;
use super::error::{client_refused, request_refused};
use super::site::Site;
use super::token::{authenticated_form, sender_refused};

/// Takes an authorization request that a client pushes.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let mut response = answer(&site, &request, payload).await;
    dpop::hand_out_nonce(&site, &request, &mut response);
    allow_registered(&site, &request, &mut response).await;
    response
}

async fn answer(site: &Site, request: &HttpRequest, payload: Payload) -> HttpResponse {
    let (body, credentials) = match authenticated_form(request, payload).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let (path, certificate) = (
        path::PUSHED_AUTHORIZATION_REQUEST,
        credentials.certificate.clone(),
    );
    let sender = match dpop::sender(site, request, path, None, certificate) {
        Ok(sender) => sender,
        Err(error) => return sender_refused(error),
    };
    let address = site.browser(request).address;
    let pushed = site
        .provider
        .push_authorization_request(&credentials, body, &sender, address);
    match pushed.await {
        Ok(pushed) => HttpResponse::Created()
            .insert_header((header::CACHE_CONTROL, "no-cache, no-store"))
            .json(pushed),
        Err(PushedAuthorizationRequestError::Client(error)) => {
            client_refused(&error, credentials.by_basic)
        }
        Err(error) => {
            let failure = match &error {
                PushedAuthorizationRequestError::Internal(failure) => Some(failure),
                _ => None,
            };
            request_refused(&error, error.code(), failure)
        }
    }
}
