//! The device authorization endpoint.

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::api;
use crate::oidc::error::ErrorCode;
use crate::oidc::token_request::{self, TokenRequestError};
use crate::provider::client::device_authorization::DeviceAuthorizationError;

use super::cors::allow_registered;
use super::error::{OAuthError, client_refused, request_refused};
use super::site::Site;
use super::token::authenticated_form;

/// Gives a device its codes.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let mut response = answer(&site, &request, payload).await;
    allow_registered(&site, &request, &mut response).await;
    response
}

async fn answer(site: &Site, request: &HttpRequest, payload: Payload) -> HttpResponse {
    let (body, credentials) = match authenticated_form(request, payload).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let scopes = match token_request::scopes(&body) {
        Ok(scopes) => scopes,
        Err(TokenRequestError::MalformedScope) => {
            return OAuthError::new(ErrorCode::InvalidScope).respond();
        }
        Err(_) => return OAuthError::new(ErrorCode::InvalidRequest).respond(),
    };
    let answer = site
        .provider
        .authorize_device(&credentials, scopes.as_ref(), api::named(&body));
    match answer.await {
        Ok(codes) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(codes),
        Err(DeviceAuthorizationError::Client(error)) => {
            client_refused(&error, credentials.by_basic)
        }
        Err(error) => {
            let failure = match &error {
                DeviceAuthorizationError::Internal(failure) => Some(failure),
                _ => None,
            };
            request_refused(&error, error.code(), failure)
        }
    }
}
