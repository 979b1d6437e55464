//! The login page.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::parameters::Parameters;
use crate::oidc::secret::{Secret, SecretKind};
use crate::provider::browser::login::LoginError;

use super::authorization::{add_cookie, page_url, transaction};
use super::error::{failure_page, form_page, transaction_page};
use super::form;
use super::page::{self, Frame};
use super::pages::ClientSummary;
use super::pages::about_client::AboutClient;
use super::pages::error::ErrorKind;
use super::pages::login::{LoginAlert, LoginPage};
use super::site::Site;

/// Shows the login page of a transaction.
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let Some(handle) = transaction(&request) else {
        return page::error(&site, &request, ErrorKind::TransactionUnknown);
    };
    show(&site, &request, &handle, None, None).await
}

/// Signs in.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (form, handle) = match own_form(&site, &request, payload).await {
        Ok(own) => own,
        Err(response) => return response,
    };
    let typed = |name| form.get(name).ok().flatten().unwrap_or_default();
    let (username, password) = (typed("username"), typed("password"));
    let browser = site.browser(&request);
    let result = site
        .provider
        .log_in(&browser, &handle, username, password)
        .await;
    let alert = match result {
        Ok(cookies) => {
            let mut response = page::redirect(&page_url(&site, "continue", &handle));
            add_cookie(&mut response, &site.session_cookie(&cookies.session));
            add_cookie(&mut response, &site.known_cookie(&cookies.known));
            if let Some(state) = site.provider.browser_state(&cookies.session) {
                site.add_browser_state(&mut response, &state);
            }
            return response;
        }
        Err(LoginError::Transaction(error)) => {
            return page::error(&site, &request, transaction_page(&error));
        }
        Err(LoginError::Internal(error)) => {
            return page::error(&site, &request, failure_page(&error));
        }
        Err(LoginError::WrongCredentials) => LoginAlert::WrongCredentials,
        Err(LoginError::TooManyFailures { retry_after }) => {
            LoginAlert::TooManyTries { retry_after }
        }
        Err(LoginError::Busy) => LoginAlert::Busy,
    };
    tracing::info!(reason = alert.title(), "sign-in refused");
    show(&site, &request, &handle, Some(alert), Some(username)).await
}

async fn show(
    site: &Site,
    request: &HttpRequest,
    handle: &Secret,
    alert: Option<LoginAlert>,
    typed: Option<&str>,
) -> HttpResponse {
    let browser = site.browser(request);
    let prompt = match site.provider.login_prompt(&browser, handle).await {
        Ok(prompt) => prompt,
        Err(error) => return page::error(site, request, transaction_page(&error)),
    };
    let binding = site.provider.binding(&browser);
    let frame = Frame::new(site, request);
    let signed_in = prompt.signed_in.as_ref();
    let username = typed
        .or(prompt.login_hint.as_deref())
        .or(signed_in.map(|signed_in| signed_in.user.username.as_str()))
        .unwrap_or_default();
    let status = match alert {
        None => StatusCode::OK,
        Some(LoginAlert::TooManyTries { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(LoginAlert::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        Some(LoginAlert::WrongCredentials | LoginAlert::Expired) => StatusCode::FORBIDDEN,
    };
    let mut response = frame.send(
        status,
        &LoginPage {
            layout: frame.layout(site),
            transaction: handle.expose(),
            csrf: &site.provider.form_tag(&binding.secret),
            client: Some(ClientSummary {
                name: prompt.client.name(),
                host: &page::host(&prompt.redirect_uri),
            }),
            about: Some(AboutClient::of(&prompt.client)),
            username,
            again: signed_in.is_some(),
            alert,
            dev_users: &site.development_users,
        },
    );
    if let Some(LoginAlert::TooManyTries { retry_after }) = alert {
        let seconds = header::HeaderValue::from(retry_after.as_secs());
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// Reads a form of a transaction's page that was shown in the browser that sends it back.
pub(super) async fn own_form(
    site: &Site,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(Parameters, Secret), HttpResponse> {
    let form = own_form_without_transaction(site, request, payload).await?;
    let handle = form.get("tx").ok().flatten();
    let handle = handle.and_then(|handle| Secret::parse(SecretKind::Transaction, handle));
    match handle {
        Some(handle) => Ok((form, handle)),
        None => Err(page::error(site, request, ErrorKind::TransactionUnknown)),
    }
}

/// Reads a form that was shown in the browser that sends it back.
pub(crate) async fn own_form_without_transaction(
    site: &Site,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Parameters, HttpResponse> {
    let form = form::body(request, payload).await;
    let form = form.map_err(|error| page::error(site, request, form_page(&error)))?;
    let tag = form.get("csrf").ok().flatten().unwrap_or_default();
    let browser = site.browser(request);
    if !site.is_same_origin(request) || !site.provider.is_own_form(&browser, tag) {
        tracing::info!("a form was refused that was not shown in this browser");
        return Err(page::error(site, request, ErrorKind::FormExpired));
    }
    Ok(form)
}
