//! The consent page.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::oidc::authorization_details::AuthorizationDetails;
use crate::oidc::scope::Scopes;
use crate::oidc::web_uri::WebUri;

use super::authorization::{go_on_after, respond, transaction};
use super::login::own_form;
use super::page::{self, Frame};
use super::pages::about_client::AboutClient;
use super::pages::consent::{ApiLine, ConsentPage, DetailLine, ScopeLine};
use super::pages::error::ErrorKind;
use super::pages::{ClientSummary, UserSummary};
use super::site::Site;

/// Shows the consent page of a transaction.
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let Some(handle) = transaction(&request) else {
        return page::error(&site, &request, ErrorKind::TransactionUnknown);
    };
    let browser = site.browser(&request);
    let prompt = match site.provider.consent_prompt(&browser, &handle).await {
        Ok(prompt) => prompt,
        Err(error) => return go_on_after(&site, &request, &handle, Err(error)),
    };
    let binding = site.provider.binding(&browser);
    let logo = prompt.client.metadata.logo_uri.as_ref();
    let frame = Frame::new(&site, &request).showing(logo.and_then(WebUri::image_origin));
    let mut scopes = scope_lines(&site, &prompt.scopes, &prompt.resources);
    scopes.extend(prompt.claims.iter().map(ScopeLine::of_claim));
    frame.send(
        StatusCode::OK,
        &ConsentPage {
            layout: frame.layout(&site),
            transaction: handle.expose(),
            csrf: &site.provider.form_tag(&binding.secret),
            client: ClientSummary {
                name: prompt.client.name(),
                host: &page::host(&prompt.redirect_uri),
            },
            about: AboutClient::of(&prompt.client),
            user: UserSummary {
                name: prompt.user.display_name(),
                account: account(&prompt.user),
            },
            scopes,
            apis: api_lines(&site, &prompt.resources),
            details: detail_lines(&site, &prompt.details),
        },
    )
}

/// Takes the person's answer.
pub async fn post(site: Data<Site>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (form, handle) = match own_form(&site, &request, payload).await {
        Ok(own) => own,
        Err(response) => return response,
    };
    let browser = site.browser(&request);
    match form.get("decision") {
        Ok(Some("allow")) => {
            let done = site.provider.allow(&browser, &handle).await;
            go_on_after(&site, &request, &handle, done)
        }
        Ok(Some("deny")) => {
            let outcome = site.provider.deny(&browser, handle).await;
            respond(&site, &request, outcome)
        }
        _ => page::error(&site, &request, ErrorKind::MalformedRequest),
    }
}

/// Scopes in plain words: the operator's, or Keyfob's own.
pub(super) fn scope_lines(site: &Site, scopes: &Scopes, resources: &[String]) -> Vec<ScopeLine> {
    let policy = site.provider.policy();
    let lines = scopes.iter().map(|scope| {
        let mut apis = resources
            .iter()
            .filter_map(|it| policy.apis.registered.get(it));
        let of_api = apis.find_map(|api| api.scopes.get(scope));
        let described = of_api.or_else(|| policy.scopes.get(scope));
        described.map_or_else(
            || ScopeLine::of(scope),
            |description| ScopeLine {
                name: scope.to_owned(),
                description: description.clone(),
            },
        )
    });
    lines.collect()
}

/// Each API by its name, if it has one, and its address.
pub(super) fn api_lines(site: &Site, resources: &[String]) -> Vec<ApiLine> {
    let registered = &site.provider.policy().apis.registered;
    let line = |resource: &String| ApiLine {
        name: registered.get(resource).and_then(|api| api.name.clone()),
        resource: resource.clone(),
    };
    resources.iter().map(line).collect()
}

/// What is asked for in detail, each with what the operator says of its type.
fn detail_lines(site: &Site, details: &AuthorizationDetails) -> Vec<DetailLine> {
    let types = &site.provider.policy().authorization_details;
    let lines = details.iter().map(|detail| {
        let kind = types.get(&detail.kind);
        DetailLine::of(detail, kind.map_or("", |kind| &kind.description))
    });
    lines.collect()
}

/// What tells an account from others of the same name.
pub(super) fn account(user: &crate::oidc::user::User) -> &str {
    let email = user.claims.email.as_deref();
    email.unwrap_or_else(|| user.username.as_str())
}
