//! The authorization endpoint.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::authorization_response::AuthorizationResponse;
use crate::oidc::metadata::path;
use crate::oidc::parameters::Parameters;
use crate::oidc::secret::{Secret, SecretKind};
use crate::provider::browser::authorization::{AuthorizationError, AuthorizationOutcome, Page};
use crate::provider::browser::transaction::TransactionError;
use crate::provider::browser::unchecked_client::UncheckedReturn;
use crate::provider::browser::unregistered_redirect_uri::UnregisteredRedirectUri;

use super::device;
use super::error::{authorization_page, form_page, transaction_page};
use super::form;
use super::page::{self, Frame};
use super::pages::error::ErrorKind;
use super::pages::error_return::ErrorReturnPage;
use super::pages::form_post::FormPostPage;
use super::pages::redirect_uris::{RedirectUriRegistration, RedirectUris};
use super::pages::{ClientSummary, HiddenField};
use super::site::Site;

/// Answers an authorization request by GET.
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    match form::query(&request) {
        Ok(parameters) => authorize(&site, &request, parameters).await,
        Err(error) => page::error(&site, &request, form_page(&error)),
    }
}

/// Answers an authorization request by POST ([OIDC Core section 3.1.2.1]).
///
/// [OIDC Core section 3.1.2.1]: https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let parameters = match (form::query(&request), form::body(&request, payload).await) {
        (Ok(query), Ok(body)) => query.and(body),
        (Err(error), _) | (_, Err(error)) => {
            return page::error(&site, &request, form_page(&error));
        }
    };
    // The browser kept the session cookie back; it does not when it comes again by GET.
    let encoded = parameters.encode();
    if site.is_cross_site_post(&request) && encoded.len() <= LONGEST_QUERY {
        let url = site.provider.issuer().join(path::AUTHORIZATION);
        return page::redirect(&format!("{url}?{encoded}"));
    }
    authorize(&site, &request, parameters).await
}

/// Goes on with an authorization request after a page.
pub async fn go_on(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let Some(handle) = transaction(&request) else {
        return page::error(&site, &request, ErrorKind::TransactionUnknown);
    };
    let browser = site.browser(&request);
    let outcome = site.provider.continue_authorization(&browser, handle).await;
    respond(&site, &request, outcome)
}

async fn authorize(site: &Site, request: &HttpRequest, parameters: Parameters) -> HttpResponse {
    let browser = site.browser(request);
    let kept = site.is_development.then(|| parameters.encode());
    let outcome = site.provider.authorize(&browser, parameters).await;
    if let Err(AuthorizationError::RedirectUriNotRegistered(unregistered)) = &outcome {
        return redirect_uri_not_registered(site, request, unregistered, kept.as_deref());
    }
    respond(site, request, outcome)
}

/// The handle of the transaction in the query of a page.
pub(super) fn transaction(request: &HttpRequest) -> Option<Secret> {
    let query = form::query(request).ok()?;
    let handle = query.get("tx").ok()??;
    Secret::parse(SecretKind::Transaction, handle)
}

/// The address of a page of a transaction.
pub(super) fn page_url(site: &Site, name: &str, handle: &Secret) -> String {
    format!("{}/{name}?tx={}", site.base(), handle.expose())
}

/// Goes on with a transaction after what a page did, or says why that cannot be.
pub(super) fn go_on_after(
    site: &Site,
    request: &HttpRequest,
    handle: &Secret,
    done: Result<(), TransactionError>,
) -> HttpResponse {
    match done {
        // Nobody is there to ask any more: the authorization endpoint asks them to sign in.
        Ok(()) | Err(TransactionError::SignedOut) => {
            page::redirect(&page_url(site, "continue", handle))
        }
        Err(error) => page::error(site, request, transaction_page(&error)),
    }
}

/// Sends what came of an authorization request.
pub(super) fn respond(
    site: &Site,
    request: &HttpRequest,
    outcome: Result<AuthorizationOutcome, AuthorizationError>,
) -> HttpResponse {
    match outcome {
        Ok(AuthorizationOutcome::Respond(answer)) => {
            let mut response = match answer {
                AuthorizationResponse::Redirect(url) => page::redirect(&url),
                AuthorizationResponse::FormPost { action, fields } => {
                    form_post(site, request, &action, &fields)
                }
            };
            site.mend_browser_state(request, &mut response);
            response
        }
        Ok(AuthorizationOutcome::AskBeforeRefusing(unchecked)) => {
            ask_before_refusing(site, request, &unchecked)
        }
        Ok(AuthorizationOutcome::Interact {
            page,
            transaction,
            binding,
        }) => {
            let name = match page {
                Page::Login => "login",
                Page::SelectAccount => "select-account",
                Page::Consent => "consent",
                Page::Device => "device/confirm",
            };
            let mut response = page::redirect(&page_url(site, name, &transaction));
            if binding.is_new {
                add_cookie(&mut response, &site.binding_cookie(&binding.secret));
            }
            response
        }
        Ok(AuthorizationOutcome::Device(outcome)) => device::finished(site, request, outcome),
        Err(AuthorizationError::RedirectUriNotRegistered(unregistered)) => {
            redirect_uri_not_registered(site, request, &unregistered, None)
        }
        Err(error) => page::error(site, request, authorization_page(&error)),
    }
}

/// Adds a cookie to a response.
pub(crate) fn add_cookie(response: &mut HttpResponse, cookie: &actix_web::cookie::Cookie<'_>) {
    if let Err(error) = response.add_cookie(cookie) {
        tracing::error!(cause = %error, "a cookie could not be written");
    }
}

fn form_post(
    site: &Site,
    request: &HttpRequest,
    action: &str,
    fields: &[(&'static str, String)],
) -> HttpResponse {
    let frame = Frame::new(site, request);
    let fields = fields
        .iter()
        .map(|(name, value)| HiddenField { name, value });
    frame.send(
        actix_web::http::StatusCode::OK,
        &FormPostPage {
            layout: frame.layout(site),
            action,
            fields: fields.collect(),
        },
    )
}

/// Names where a refusal would lead, and waits for a click.
fn ask_before_refusing(
    site: &Site,
    request: &HttpRequest,
    unchecked: &UncheckedReturn,
) -> HttpResponse {
    let (url, fields) = match &unchecked.response {
        AuthorizationResponse::Redirect(url) => (url, &[][..]),
        AuthorizationResponse::FormPost { action, fields } => (action, &fields[..]),
    };
    let fields = fields
        .iter()
        .map(|(name, value)| HiddenField { name, value });
    let frame = Frame::new(site, request);
    frame.send(
        actix_web::http::StatusCode::BAD_REQUEST,
        &ErrorReturnPage {
            layout: frame.layout(site),
            client: ClientSummary {
                name: &unchecked.client_name,
                host: &page::host(&unchecked.redirect_uri),
            },
            redirect_uri: &unchecked.redirect_uri,
            url,
            fields: fields.collect(),
        },
    )
}

/// Shows what differs between a redirect URI and the registered ones; a development server, which
/// keeps the parameters of the request for that, offers to register it and to go on.
fn redirect_uri_not_registered(
    site: &Site,
    request: &HttpRequest,
    unregistered: &UnregisteredRedirectUri,
    kept: Option<&str>,
) -> HttpResponse {
    tracing::info!(
        client.id = %unregistered.client_id,
        "authorization request refused: the redirect_uri is not registered"
    );
    let binding = site.provider.binding(&site.browser(request));
    let csrf = site.provider.form_tag(&binding.secret);
    let registration = kept.map(|authorization_request| RedirectUriRegistration {
        client_id: &unregistered.client_id,
        redirect_uri: &unregistered.requested,
        authorization_request,
        csrf: &csrf,
    });
    let registered: Vec<&str> = unregistered.registered.iter().map(String::as_str).collect();
    let compared = RedirectUris::compare(&unregistered.requested, &registered, registration);
    let kind = ErrorKind::RedirectUriNotRegistered;
    let mut response = page::error_with(site, request, kind, Some(compared));
    if kept.is_some() && binding.is_new {
        add_cookie(&mut response, &site.binding_cookie(&binding.secret));
    }
    response
}

const LONGEST_QUERY: usize = 8 * 1024;
