//! The pages on which a person answers a device.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::device_authorization::UserCode;
use crate::oidc::metadata::path;
use crate::provider::browser::device::{DeviceOutcome, UserCodeError};

use super::authorization::{add_cookie, go_on_after, page_url, respond, transaction};
use super::consent::{account, api_lines, scope_lines};
use super::error::{failure_page, form_page};
use super::form;
use super::login::{own_form, own_form_without_transaction};
use super::page::{self, Frame};
use super::pages::device::{ConfirmDevicePage, DeviceDonePage, UserCodeAlert, UserCodePage};
use super::pages::error::ErrorKind;
use super::pages::qr_code::QrCode;
use super::pages::{ClientSummary, UserSummary};
use super::site::Site;

/// Shows the page that asks for the code. A code in the address is filled in and no more: the
/// person sends it ([RFC 8628 section 3.3.1]).
///
/// [RFC 8628 section 3.3.1]: https://www.rfc-editor.org/rfc/rfc8628#section-3.3.1
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let query = match form::query(&request) {
        Ok(query) => query,
        Err(error) => return page::error(&site, &request, form_page(&error)),
    };
    match query.get("user_code") {
        Ok(typed) => ask_for_code(&site, &request, typed.unwrap_or_default(), None),
        Err(_) => page::error(&site, &request, ErrorKind::MalformedRequest),
    }
}

/// Takes the code, and goes on as an authorization request does.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let form = match own_form_without_transaction(&site, &request, payload).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let Ok(typed) = form.get("user_code") else {
        return page::error(&site, &request, ErrorKind::MalformedRequest);
    };
    let typed = typed.unwrap_or_default();
    let browser = site.browser(&request);
    let alert = match site.provider.enter_user_code(&browser, typed).await {
        Ok(handle) => return page::redirect(&page_url(&site, "continue", &handle)),
        Err(UserCodeError::Internal(error)) => {
            return page::error(&site, &request, failure_page(&error));
        }
        Err(UserCodeError::Unknown) => UserCodeAlert::Unknown,
        Err(UserCodeError::TooManyFailures { retry_after }) => {
            UserCodeAlert::TooManyTries { retry_after }
        }
    };
    tracing::info!(reason = alert.title(), "user code refused");
    ask_for_code(&site, &request, typed, Some(alert))
}

fn ask_for_code(
    site: &Site,
    request: &HttpRequest,
    typed: &str,
    alert: Option<UserCodeAlert>,
) -> HttpResponse {
    let binding = site.provider.binding(&site.browser(request));
    let user_code = UserCode::parse(typed);
    let shown = user_code.as_ref().map(ToString::to_string);
    let address = match &user_code {
        Some(user_code) => site.provider.verification_uri_complete(user_code),
        None => site.provider.issuer().join(path::DEVICE),
    };
    let status = match alert {
        None => StatusCode::OK,
        Some(UserCodeAlert::Unknown) => StatusCode::BAD_REQUEST,
        Some(UserCodeAlert::TooManyTries { .. }) => StatusCode::TOO_MANY_REQUESTS,
    };
    let frame = Frame::new(site, request);
    let mut response = frame.send(
        status,
        &UserCodePage {
            layout: frame.layout(site),
            csrf: &site.provider.form_tag(&binding.secret),
            user_code: shown.as_deref().unwrap_or(typed),
            alert,
            // Where the code is wrong, a phone is no better place for it.
            qr_code: alert.is_none().then(|| QrCode::of(&address)).flatten(),
        },
    );
    if let Some(UserCodeAlert::TooManyTries { retry_after }) = alert {
        let seconds = header::HeaderValue::from(retry_after.as_secs());
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    if binding.is_new {
        add_cookie(&mut response, &site.binding_cookie(&binding.secret));
    }
    response
}

/// Shows the page that asks for confirmation.
pub async fn confirmation(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let Some(handle) = transaction(&request) else {
        return page::error(&site, &request, ErrorKind::TransactionUnknown);
    };
    let browser = site.browser(&request);
    let prompt = match site.provider.device_prompt(&browser, &handle).await {
        Ok(prompt) => prompt,
        Err(error) => return go_on_after(&site, &request, &handle, Err(error)),
    };
    let binding = site.provider.binding(&browser);
    let frame = Frame::new(&site, &request);
    frame.send(
        StatusCode::OK,
        &ConfirmDevicePage {
            layout: frame.layout(&site),
            transaction: handle.expose(),
            csrf: &site.provider.form_tag(&binding.secret),
            client: ClientSummary {
                name: prompt.client.name(),
                host: "",
            },
            user: UserSummary {
                name: prompt.user.display_name(),
                account: account(&prompt.user),
            },
            user_code: &prompt.user_code.to_string(),
            scopes: scope_lines(&site, &prompt.scopes, &prompt.resources),
            apis: api_lines(&site, &prompt.resources),
        },
    )
}

/// Takes the person's answer.
pub async fn confirm(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (form, handle) = match own_form(&site, &request, payload).await {
        Ok(own) => own,
        Err(response) => return response,
    };
    let browser = site.browser(&request);
    match form.get("decision") {
        Ok(Some("allow")) => {
            let done = site.provider.allow_device(&browser, &handle).await;
            go_on_after(&site, &request, &handle, done)
        }
        Ok(Some("deny")) => {
            let outcome = site.provider.deny_device(&browser, handle).await;
            respond(&site, &request, outcome)
        }
        _ => page::error(&site, &request, ErrorKind::MalformedRequest),
    }
}

/// Sends the browser to the page that tells what becomes of the device.
pub(super) fn finished(site: &Site, request: &HttpRequest, outcome: DeviceOutcome) -> HttpResponse {
    let name = match outcome {
        DeviceOutcome::Connected => "connected",
        DeviceOutcome::Refused => "refused",
        DeviceOutcome::NotAllowed => return page::error(site, request, ErrorKind::AccessDenied),
    };
    page::redirect(&format!("{}{}/{name}", site.base(), path::DEVICE))
}

/// Says that the device is connected.
pub async fn connected(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    done(&site, &request, true)
}

/// Says that the device was refused.
pub async fn refused(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    done(&site, &request, false)
}

fn done(site: &Site, request: &HttpRequest, is_connected: bool) -> HttpResponse {
    let frame = Frame::new(site, request);
    let layout = frame.layout(site);
    frame.send(
        StatusCode::OK,
        &DeviceDonePage {
            layout,
            is_connected,
        },
    )
}
