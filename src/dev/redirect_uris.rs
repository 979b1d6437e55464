//! The button on the page that refuses an unregistered redirect URI: it registers it.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::http::error::failure_page;
use crate::http::login::own_form_without_transaction;
use crate::http::page;
use crate::http::pages::error::ErrorKind;
use crate::http::site::Site;
use crate::oidc::metadata::path;
use crate::oidc::parameters::Parameters;
use crate::provider::operator::OperatorError;

use super::Development;

/// Registers a redirect URI for a client and goes on with the authorization request that wanted it.
pub async fn register(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let form = match own_form_without_transaction(&site, &request, payload).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let field = |name| form.get(name).ok().flatten().unwrap_or_default();
    let Ok(uri) = field("redirect_uri").parse() else {
        return page::error(&site, &request, ErrorKind::MalformedRequest);
    };
    match development
        .operator
        .add_redirect_uri(field("client_id"), uri)
        .await
    {
        Ok(client) => {
            tracing::info!(client.id = %client.id, "a redirect URI was registered");
            match Parameters::parse(field("authorization_request")) {
                Ok(parameters) => {
                    let endpoint = site.provider.issuer().join(path::AUTHORIZATION);
                    page::redirect(&format!("{endpoint}?{}", parameters.encode()))
                }
                Err(_) => page::redirect(&format!("{}/", site.base())),
            }
        }
        Err(OperatorError::Internal(error)) => page::error(&site, &request, failure_page(&error)),
        Err(_) => page::error(&site, &request, ErrorKind::MalformedRequest),
    }
}
