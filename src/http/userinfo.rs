//! The userinfo endpoint.

use actix_web::http::{Method, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::metadata::path;
use crate::oidc::parameters::Parameters;
use crate::oidc::protected_resource::metadata_uri;
use crate::provider::client::protected_response::Answer;
use crate::provider::client::userinfo::{BearerError, Scheme};

use super::bearer::{from_header, refuse};
use super::cors::allow_registered;
use super::dpop;
use super::form;
use super::site::Site;

/// Answers with the claims of the user for whom the access token speaks.
pub async fn answer(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let mut response = match userinfo(&site, &request, payload).await {
        Ok(response) => response,
        Err(error) => pointing(&site, refuse(&error)),
    };
    dpop::hand_out_nonce(&site, &request, &mut response);
    allow_registered(&site, &request, &mut response).await;
    response
}

/// The same challenge, and where the metadata of the endpoint is ([RFC 9728 section 5.1]).
///
/// [RFC 9728 section 5.1]: https://www.rfc-editor.org/rfc/rfc9728#section-5.1
fn pointing(site: &Site, mut response: HttpResponse) -> HttpResponse {
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    let challenge = challenge.and_then(|challenge| challenge.to_str().ok());
    let Some(challenge) = challenge else {
        return response;
    };
    let between = if challenge.contains(' ') { ", " } else { " " };
    let uri = metadata_uri(site.provider.issuer());
    let pointing = format!("{challenge}{between}resource_metadata=\"{uri}\"");
    if let Ok(pointing) = pointing.try_into() {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, pointing);
    }
    response
}

async fn userinfo(
    site: &Site,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, BearerError> {
    // RFC 6750 section 2.3: a token in the query ends up in logs.
    let query = form::query(request).map_err(|_| BearerError::MalformedRequest)?;
    if query.has("access_token") {
        return Err(BearerError::MalformedRequest);
    }
    let in_header = from_header(request)?;
    let has_form =
        request.method() == Method::POST && request.headers().contains_key(header::CONTENT_TYPE);
    let body = if has_form {
        form::body(request, payload).await.unwrap_or_default()
    } else {
        Parameters::default()
    };
    let in_body = body
        .get("access_token")
        .map_err(|_| BearerError::MalformedRequest)?;
    let (scheme, token) = match (in_header, in_body) {
        (Some(_), Some(_)) => return Err(BearerError::MalformedRequest),
        (Some(sent), None) => sent,
        (None, Some(token)) => (Scheme::Bearer, token),
        (None, None) => return Err(BearerError::TokenMissing),
    };
    let certificate = site.client_certificate(request);
    let sender = dpop::sender(site, request, path::USERINFO, Some(token), certificate)?;
    let userinfo = site.provider.userinfo(token, scheme, &sender).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(match userinfo.answer {
        Answer::Json(claims) => response.json(claims),
        Answer::Jwt(jwt) => response.content_type("application/jwt").body(jwt),
    })
}
