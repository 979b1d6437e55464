//! The end session endpoint.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::metadata::path;
use crate::oidc::parameters::Parameters;
use crate::provider::browser::logout::{LogoutOutcome, SignedOut};

use super::authorization::add_cookie;
use super::consent::account;
use super::error::{form_page, logout_page};
use super::form;
use super::login::own_form_without_transaction;
use super::page::{self, Frame};
use super::pages::logout::{LoggedOutPage, LogoutPage};
use super::pages::{ClientSummary, HiddenField, UserSummary};
use super::site::Site;

/// Answers a logout request by GET.
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    match form::query(&request) {
        Ok(parameters) => end_session(&site, &request, &parameters).await,
        Err(error) => page::error(&site, &request, form_page(&error)),
    }
}

/// Answers a logout request by POST.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let parameters = match form::body(&request, payload).await {
        Ok(parameters) => parameters,
        Err(error) => return page::error(&site, &request, form_page(&error)),
    };
    // The browser kept the session cookie back; it does not when it comes again by GET.
    if site.is_cross_site_post(&request) {
        let url = site.provider.issuer().join(path::END_SESSION);
        return page::redirect(&format!("{url}?{}", parameters.encode()));
    }
    end_session(&site, &request, &parameters).await
}

/// Signs out after the person confirmed it.
pub async fn confirm(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let form = match own_form_without_transaction(&site, &request, payload).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let browser = site.browser(&request);
    match site.provider.confirm_logout(&browser, &form).await {
        Ok(done) => signed_out(&site, &request, &done),
        Err(error) => page::error(&site, &request, logout_page(&error)),
    }
}

async fn end_session(site: &Site, request: &HttpRequest, parameters: &Parameters) -> HttpResponse {
    let browser = site.browser(request);
    let (signed_in, client, fields) = match site.provider.end_session(&browser, parameters).await {
        Ok(LogoutOutcome::SignedOut(done)) => return signed_out(site, request, &done),
        Ok(LogoutOutcome::Confirm {
            signed_in,
            client,
            fields,
        }) => (signed_in, client, fields),
        Err(error) => return page::error(site, request, logout_page(&error)),
    };
    let binding = site.provider.binding(&browser);
    let frame = Frame::new(site, request);
    let fields = fields
        .iter()
        .map(|(name, value)| HiddenField { name, value });
    let mut response = frame.send(
        StatusCode::OK,
        &LogoutPage {
            layout: frame.layout(site),
            csrf: &site.provider.form_tag(&binding.secret),
            fields: fields.collect(),
            client: client.as_ref().map(|client| ClientSummary {
                name: client.name(),
                host: "",
            }),
            user: Some(UserSummary {
                name: signed_in.user.display_name(),
                account: account(&signed_in.user),
            }),
        },
    );
    if binding.is_new {
        add_cookie(&mut response, &site.binding_cookie(&binding.secret));
    }
    response
}

/// Sends the browser back at once, or shows that it is signed out: while clients are told through
/// it, and to who came from nowhere.
fn signed_out(site: &Site, request: &HttpRequest, done: &SignedOut) -> HttpResponse {
    let return_to = done.return_to.as_deref();
    let mut response = match return_to {
        Some(url) if done.front_channel.is_empty() => page::redirect(url),
        _ => {
            let frame = Frame::new(site, request);
            let told = done.front_channel.iter();
            let mut origins: Vec<_> = told.clone().map(|client| client.origin.as_str()).collect();
            origins.sort_unstable();
            origins.dedup();
            let page = LoggedOutPage {
                layout: frame.layout(site),
                frames: told.map(|client| client.url.as_str()).collect(),
                return_to,
            };
            frame.send_framing(StatusCode::OK, &page, &origins)
        }
    };
    add_cookie(&mut response, &site.no_session_cookie());
    site.remove_browser_state(&mut response);
    response
}
