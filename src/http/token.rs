//! The token endpoint.

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::client_authentication::{ClientCredentials, CredentialsError};
use crate::oidc::dpop::DpopError;
use crate::oidc::error::ErrorCode;
use crate::oidc::metadata::path;
use crate::oidc::parameters::Parameters;
use crate::oidc::token_exchange::TokenExchangeRequestError;
use crate::oidc::token_request::{TokenRequest, TokenRequestError};
use crate::provider::client::token::TokenError;

use super::cors::allow_registered;
use super::dpop;
use super::error::{OAuthError, client_refused, log_failure};
use super::form;
use super::site::Site;

/// Answers a token request.
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
    let by_basic = credentials.by_basic;
    let token_request = match TokenRequest::parse(&body) {
        Ok(token_request) => token_request,
        Err(error) => {
            tracing::info!(reason = %error, "token request refused");
            return OAuthError::new(match error {
                TokenRequestError::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
                TokenRequestError::MalformedScope => ErrorCode::InvalidScope,
                TokenRequestError::Details(_) => ErrorCode::InvalidAuthorizationDetails,
                TokenRequestError::TokenExchange(TokenExchangeRequestError::InvalidTarget) => {
                    ErrorCode::InvalidTarget
                }
                TokenRequestError::Repeated(_)
                | TokenRequestError::GrantTypeMissing
                | TokenRequestError::Missing(_)
                | TokenRequestError::TokenExchange(_) => ErrorCode::InvalidRequest,
            })
            .respond();
        }
    };
    let certificate = credentials.certificate.clone();
    let sender = match dpop::sender(site, request, path::TOKEN, None, certificate) {
        Ok(sender) => sender,
        Err(error) => return sender_refused(error),
    };
    // Apart: whoever asks for a token waits in few places, and the room for all grants is large.
    let tokens = Box::pin(site.provider.token(credentials, token_request, &sender));
    match tokens.await {
        Ok(tokens) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::PRAGMA, "no-cache"))
            .json(tokens),
        Err(TokenError::Client(error)) => client_refused(&error, by_basic),
        Err(error) => {
            match &error {
                TokenError::Internal(error) => log_failure(error),
                refusal => tracing::info!(reason = %refusal, "token request refused"),
            }
            OAuthError::new(error.code()).respond()
        }
    }
}

/// Logs why a DPoP proof is refused, and answers it.
pub(super) fn sender_refused(error: DpopError) -> HttpResponse {
    tracing::info!(reason = %error, "proof refused");
    OAuthError::new(error.code()).respond()
}

/// Reads the body of a request with the credentials of the client that sends it. Nothing may
/// stand in the query: addresses end up in logs ([RFC 6749 section 2.3.1]).
///
/// [RFC 6749 section 2.3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
pub(super) async fn authenticated_form(
    request: &HttpRequest,
    payload: Payload,
) -> Result<(Parameters, ClientCredentials), HttpResponse> {
    if !request.query_string().is_empty() {
        tracing::info!("a request was refused that has parameters in its query");
        return Err(OAuthError::new(ErrorCode::InvalidRequest).respond());
    }
    let body = form::body(request, payload).await;
    let body = body.map_err(|error| OAuthError::unreadable(&error).respond())?;
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let authorization = headers.next().map(header::HeaderValue::as_bytes);
    if headers.next().is_some() {
        return Err(OAuthError::new(ErrorCode::InvalidRequest).respond());
    }
    let credentials = ClientCredentials::parse(authorization, &body);
    let credentials = credentials.map_err(|error| {
        tracing::info!(reason = %error, "client refused");
        let code = match error {
            CredentialsError::MalformedBasic
            | CredentialsError::UnknownAssertionType
            | CredentialsError::Missing => ErrorCode::InvalidClient,
            CredentialsError::Repeated(_)
            | CredentialsError::SeveralMethods
            | CredentialsError::HalfAnAssertion
            | CredentialsError::ClientIdDiffers => ErrorCode::InvalidRequest,
        };
        OAuthError::new(code)
            .by_basic(authorization.is_some())
            .respond()
    })?;
    let site = request.app_data::<Data<Site>>();
    let certificate = site.and_then(|site| site.client_certificate(request));
    let credentials = ClientCredentials {
        certificate,
        ..credentials
    };
    Ok((body, credentials))
}
