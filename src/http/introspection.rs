//! The introspection endpoint.

use actix_web::http::header::{self, Header as _};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::error::ErrorCode;
use crate::oidc::protected_response::IntrospectionForm;
use crate::provider::client::protected_response::Answer;

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
    let form = wanted_form(&request);
    let answer = site.provider.introspect(&credentials, token, form).await;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    match answer {
        Ok(Answer::Json(introspection)) => response.json(introspection),
        Ok(Answer::Jwt(jwt)) => response.content_type(JWT).body(jwt),
        Err(error) => client_refused(&error, credentials.by_basic),
    }
}

/// [RFC 9701 section 4]: a JWT for who names its media type, and likes it no less than JSON.
///
/// [RFC 9701 section 4]: https://www.rfc-editor.org/rfc/rfc9701#section-4
fn wanted_form(request: &HttpRequest) -> IntrospectionForm {
    let accept = header::Accept::parse(request).unwrap_or_else(|_| header::Accept::json());
    let quality = |media_type: &str| {
        let named = accept.iter().find(|it| it.item.essence_str() == media_type);
        named.map_or(header::Quality::ZERO, |it| it.quality)
    };
    let jwt = quality(JWT);
    if jwt > header::Quality::ZERO && jwt >= quality("application/json") {
        IntrospectionForm::Jwt
    } else {
        IntrospectionForm::Json
    }
}

const JWT: &str = "application/token-introspection+jwt";
