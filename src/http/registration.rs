//! The client registration endpoint, and the address at which each client manages its registration
//! ([RFC 7591 section 3], [RFC 7592 section 2]).
//!
//! [RFC 7591 section 3]: https://www.rfc-editor.org/rfc/rfc7591#section-3
//! [RFC 7592 section 2]: https://www.rfc-editor.org/rfc/rfc7592#section-2

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use crate::oidc::error::ErrorCode;
use crate::provider::client::registration::{Registration, RegistrationError};
use crate::provider::client::userinfo::Scheme;

use super::bearer;
use super::cors::allow_everybody;
use super::error::{OAuthError, log_failure};
use super::form::{self, FormError};
use super::site::Site;

/// Registers a client.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let response = register(&site, &request, payload).await;
    for_pages(&site, response.unwrap_or_else(Refused::respond))
}

/// Shows a client its registration.
pub async fn get(site: Data<Site>, request: HttpRequest, client: Path<String>) -> HttpResponse {
    let response = find(&site, &request, &client)
        .await
        .map(|registration| told(&site, StatusCode::OK, &registration));
    for_pages(&site, response.unwrap_or_else(Refused::respond))
}

/// Replaces a registration.
pub async fn put(
    site: Data<Site>,
    request: HttpRequest,
    client: Path<String>,
    payload: Payload,
) -> HttpResponse {
    let response = update(&site, &request, &client, payload).await;
    for_pages(&site, response.unwrap_or_else(Refused::respond))
}

/// Deletes a client.
pub async fn delete(site: Data<Site>, request: HttpRequest, client: Path<String>) -> HttpResponse {
    let deleted = match find(&site, &request, &client).await {
        Ok(registration) => {
            let deleted = site.provider.delete_registration(registration).await;
            deleted.map_err(Refused::from)
        }
        Err(error) => Err(error),
    };
    let response = deleted.map(|()| {
        HttpResponse::NoContent()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish()
    });
    for_pages(&site, response.unwrap_or_else(Refused::respond))
}

/// Answers the question that a browser asks before it lets a page send a request.
pub async fn preflight(site: Data<Site>) -> HttpResponse {
    let response = HttpResponse::NoContent()
        .insert_header((
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, DELETE",
        ))
        .insert_header((
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type",
        ))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .finish();
    for_pages(&site, response)
}

/// Why there is no registration.
enum Refused {
    Unreadable(FormError),
    By(RegistrationError),
}

impl From<RegistrationError> for Refused {
    fn from(error: RegistrationError) -> Self {
        Self::By(error)
    }
}

async fn register(
    site: &Site,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Refused> {
    let address = site.browser(request).address;
    let token = bearer(request);
    let registrant = site.provider.admit_registrant(token, address).await?;
    let described = body(request, payload).await?;
    let registration = site.provider.register(registrant, &described).await?;
    Ok(told(site, StatusCode::CREATED, &registration))
}

async fn update(
    site: &Site,
    request: &HttpRequest,
    client: &str,
    payload: Payload,
) -> Result<HttpResponse, Refused> {
    let registration = find(site, request, client).await?;
    let described = body(request, payload).await?;
    let updated = site.provider.update_registration(registration, &described);
    Ok(told(site, StatusCode::OK, &updated.await?))
}

async fn find(site: &Site, request: &HttpRequest, client: &str) -> Result<Registration, Refused> {
    let registration = site.provider.registration(client, bearer(request));
    Ok(registration.await?)
}

/// The token in the header; none if it is sent in a way that no token is.
fn bearer(request: &HttpRequest) -> Option<&str> {
    match bearer::from_header(request) {
        Ok(Some((Scheme::Bearer, token))) => Some(token),
        _ => None,
    }
}

async fn body(request: &HttpRequest, payload: Payload) -> Result<Map<String, Value>, Refused> {
    let object = form::json_object(request, payload).await;
    object.map_err(Refused::Unreadable)
}

fn told(site: &Site, status: StatusCode, registration: &Registration) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(site.provider.registration_response(registration))
}

/// Lets any page read the answer where anybody may register. No cookie is ever looked at here.
fn for_pages(site: &Site, mut response: HttpResponse) -> HttpResponse {
    if site.provider.registers_everybody() {
        allow_everybody(&mut response);
    }
    response
}

impl Refused {
    fn respond(self) -> HttpResponse {
        let error = match self {
            Self::Unreadable(error) => return unreadable(&error),
            Self::By(error) => error,
        };
        let code = error.code();
        if let RegistrationError::Internal(error) = &error {
            log_failure(error);
            return OAuthError::new(code).respond();
        }
        tracing::info!(reason = %error, "registration refused");
        let (status, challenge) = match &error {
            RegistrationError::Closed
            | RegistrationError::InitialAccessTokenMissing
            | RegistrationError::RegistrationAccessTokenMissing => {
                (StatusCode::UNAUTHORIZED, Some("Bearer"))
            }
            RegistrationError::InvalidInitialAccessToken
            | RegistrationError::InvalidRegistrationAccessToken => (
                StatusCode::UNAUTHORIZED,
                Some("Bearer error=\"invalid_token\""),
            ),
            RegistrationError::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, None),
            RegistrationError::ChangedMeanwhile => (StatusCode::CONFLICT, None),
            RegistrationError::Metadata(_) | RegistrationError::Internal(_) => {
                (StatusCode::BAD_REQUEST, None)
            }
        };
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(challenge) = challenge {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let RegistrationError::TooMany { retry_after } = error {
            response.insert_header((header::RETRY_AFTER, retry_after.as_secs()));
        }
        response.json(described(code, &error.to_string()))
    }
}

fn unreadable(error: &FormError) -> HttpResponse {
    tracing::info!(reason = %error, "registration refused");
    HttpResponse::build(error.status())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(described(
            ErrorCode::InvalidClientMetadata,
            &error.to_string(),
        ))
}

/// The body of a refusal ([RFC 7591 section 3.2.2]). The description names what is wrong, which may
/// be in the client's own words: in the characters that a description has, and not at length.
///
/// [RFC 7591 section 3.2.2]: https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2
fn described(code: ErrorCode, what: &str) -> Value {
    let plain = what.chars().map(|c| match c {
        '"' | '`' => '\'',
        '\\' => '/',
        ' '..='~' => c,
        _ => '?',
    });
    let plain: String = plain.take(LONGEST_DESCRIPTION).collect();
    json!({ "error": code.as_str(), "error_description": plain })
}

const LONGEST_DESCRIPTION: usize = 400;
