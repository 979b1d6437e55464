//! The introspection endpoint.

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::error::ErrorCode;

use super::error::{OAuthError, client_refused};
use super::site::Site;
use super::token::authenticated_form;

/// Tells an API about a token.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (body, credentials) = match authenticated_form(&request, payload).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let Ok(Some(token)) = body.get("token") else {
        return OAuthError::new(ErrorCode::InvalidRequest).respond();
    };
    match site.provider.introspect(&credentials, token).await {
        Ok(introspection) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(introspection),
        Err(error) => client_refused(&error, credentials.by_basic),
    }
}
