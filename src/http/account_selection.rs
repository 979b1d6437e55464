//! The page that asks which account to use.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::authorization::{go_on_after, page_url, transaction};
use super::consent::account;
use super::login::own_form;
use super::page::{self, Frame};
use super::pages::error::ErrorKind;
use super::pages::select_account::SelectAccountPage;
use super::pages::{ClientSummary, UserSummary};
use super::site::Site;

/// Shows the page of a transaction.
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let Some(handle) = transaction(&request) else {
        return page::error(&site, &request, ErrorKind::TransactionUnknown);
    };
    let browser = site.browser(&request);
    let prompt = match site.provider.account_prompt(&browser, &handle).await {
        Ok(prompt) => prompt,
        Err(error) => return go_on_after(&site, &request, &handle, Err(error)),
    };
    let binding = site.provider.binding(&browser);
    let frame = Frame::new(&site, &request);
    frame.send(
        StatusCode::OK,
        &SelectAccountPage {
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
        },
    )
}

/// Takes the person's choice.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (form, handle) = match own_form(&site, &request, payload).await {
        Ok(own) => own,
        Err(response) => return response,
    };
    let browser = site.browser(&request);
    match form.get("account") {
        Ok(Some("continue")) => {
            let done = site.provider.choose_account(&browser, &handle).await;
            go_on_after(&site, &request, &handle, done)
        }
        Ok(Some("other")) => page::redirect(&page_url(&site, "login", &handle)),
        _ => page::error(&site, &request, ErrorKind::MalformedRequest),
    }
}
