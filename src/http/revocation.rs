//! The revocation endpoint.

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::error::ErrorCode;

use super::cors::allow_registered;
use super::error::{OAuthError, client_refused};
use super::site::Site;
use super::token::authenticated_form;

/// Revokes a token.
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
    let Ok(Some(token)) = body.get("token") else {
        return OAuthError::new(ErrorCode::InvalidRequest).respond();
    };
    match site.provider.revoke(&credentials, token).await {
        Ok(()) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish(),
        Err(error) => client_refused(&error, credentials.by_basic),
    }
}
