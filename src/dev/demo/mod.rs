//! The demo: an app that signs people in with Keyfob and calls an API, so that both tokens can be
//! looked at and tried.
//!
//! **Invariant:** both talk to the provider over HTTP, as anybody's would; neither calls it.

pub mod api;
pub mod attempts;
pub mod error;
pub mod http;
pub mod relying_party;
pub mod sessions;
pub mod view;

use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::http::authorization::add_cookie;
use crate::http::error::form_page;
use crate::http::form;
use crate::http::login::own_form_without_transaction;
use crate::http::page::{self, Frame};
use crate::http::pages::error::ErrorKind;
use crate::http::site::{CookieNames, Site};
use crate::oidc::issuer::Issuer;
use crate::provider::random::Random;

use super::Development;
use super::pages::demo::{ApiResult, Attempt, DemoErrorPage, DemoPage};

use api::ResourceServer;
use attempts::AttemptError;
use error::RelyingPartyError;
use http::Http;
use relying_party::{RelyingParty, Tokens};
use sessions::{DemoSession, Sessions};

/// The demo relying party, its API, and what they know of the browsers that try them.
#[derive(Debug)]
pub struct Demo {
    /// The relying party.
    pub relying_party: RelyingParty,
    /// The API.
    pub api: ResourceServer,
    sessions: Sessions,
    http: Http,
    random: Random,
    cookie_name: String,
}

impl Demo {
    /// The demo of a development server.
    #[must_use]
    pub fn new(issuer: &Issuer, random: &Random) -> Self {
        let http = Http::default();
        Self {
            relying_party: RelyingParty::new(issuer.clone(), http.clone(), random.clone()),
            api: ResourceServer::new(issuer.clone(), http.clone()),
            sessions: Sessions::default(),
            http,
            random: random.clone(),
            cookie_name: CookieNames::name(issuer, "demo"),
        }
    }

    /// Lets `change` see the session of the browser that sent `request`, if it has one.
    fn session<T>(
        &self,
        request: &HttpRequest,
        change: impl FnOnce(&mut DemoSession) -> T,
    ) -> Option<T> {
        let cookie = request.cookie(&self.cookie_name)?;
        self.sessions.with(cookie.value(), change)
    }

    /// Puts `session` in the place of the one that the browser had, under a new cookie.
    fn renew(&self, site: &Site, request: &HttpRequest, session: DemoSession) -> Cookie<'static> {
        if let Some(cookie) = request.cookie(&self.cookie_name) {
            self.sessions.remove(cookie.value());
        }
        let value = URL_SAFE_NO_PAD.encode(self.random.bytes::<32>());
        self.sessions.insert(&value, session);
        site.cookie(&self.cookie_name, &value, None)
    }

    /// Whether the browser comes back with `state` from signing out; says so once.
    pub fn has_signed_out(&self, request: &HttpRequest, state: &str) -> bool {
        let farewell = self.session(request, |session| {
            session.farewell.take_if(|own| own == state)
        });
        farewell.flatten().is_some()
    }

    fn tokens(&self, request: &HttpRequest) -> Option<Tokens> {
        self.session(request, |session| session.tokens.clone())?
    }
}

/// Sends a browser that came by another name of this machine to the issuer's: its cookies belong
/// to one of them alone.
#[must_use]
pub fn to_own_name(site: &Site, request: &HttpRequest) -> Option<HttpResponse> {
    let issuer = site.provider.issuer();
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    let came_by: Issuer = format!("http://{host}").parse().ok()?;
    let own = Url::parse(issuer.as_str()).ok()?;
    let other = Url::parse(came_by.as_str()).ok()?;
    // Behind a proxy the names differ, too, and this would lead in circles.
    let is_this_machine = issuer.is_loopback() && came_by.is_loopback();
    let is_this_port = own.port_or_known_default() == other.port_or_known_default();
    if !is_this_machine || !is_this_port || own.host() == other.host() {
        return None;
    }
    let rest = request
        .uri()
        .path_and_query()
        .map_or("/", |rest| rest.as_str());
    Some(page::redirect(&format!("{}{rest}", issuer.origin())))
}

/// Begins a sign-in.
pub async fn log_in(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
) -> HttpResponse {
    if let Some(redirect) = to_own_name(&site, &request) {
        return redirect;
    }
    let demo = &development.demo;
    let (url, departure) = match demo.relying_party.depart().await {
        Ok(departing) => departing,
        Err(error) => return failed(&site, &request, &error),
    };
    let mut response = page::redirect(url.as_str());
    let mut departing = Some(departure);
    let known = demo.session(&request, |session| {
        departing.take().map(|departure| session.depart(departure))
    });
    if known.is_none() {
        let mut session = DemoSession::default();
        session.departures.extend(departing);
        add_cookie(&mut response, &demo.renew(&site, &request, session));
    }
    response
}

/// Finishes a sign-in: the redirect URI.
pub async fn callback(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
) -> HttpResponse {
    let parameters = match form::query(&request) {
        Ok(parameters) => parameters,
        Err(error) => return page::error(&site, &request, form_page(&error)),
    };
    let demo = &development.demo;
    let state = parameters.get("state").ok().flatten().unwrap_or_default();
    let departure = demo.session(&request, |session| session.take_departure(state));
    let Some(departure) = departure.flatten() else {
        return failed(&site, &request, &RelyingPartyError::UnknownState);
    };
    let now = site.provider.clock().now();
    match demo.relying_party.arrive(departure, &parameters, now).await {
        Ok(tokens) => {
            let departures =
                demo.session(&request, |session| std::mem::take(&mut session.departures));
            let session = DemoSession {
                departures: departures.unwrap_or_default(),
                tokens: Some(tokens),
                ..DemoSession::default()
            };
            let mut response = page::redirect(&format!("{}/demo", site.base()));
            add_cookie(&mut response, &demo.renew(&site, &request, session));
            response
        }
        Err(error) => failed(&site, &request, &error),
    }
}

/// Shows both tokens and what the API answered.
pub async fn show(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
) -> HttpResponse {
    if let Some(redirect) = to_own_name(&site, &request) {
        return redirect;
    }
    let demo = &development.demo;
    let known = demo.session(&request, |session| {
        let tokens = session.tokens.clone()?;
        Some((tokens, session.notice.take(), session.result.clone()))
    });
    let Some((tokens, notice, result)) = known.flatten() else {
        return page::redirect(&format!("{}/", site.base()));
    };
    let now = site.provider.clock().now();
    let binding = site.provider.binding(&site.browser(&request));
    let frame = Frame::new(&site, &request);
    let mut response = frame.send(
        StatusCode::OK,
        &DemoPage {
            layout: frame.layout(&site),
            csrf: &site.provider.form_tag(&binding.secret),
            badge: view::badge(&tokens, now),
            key_card: view::key_card(&tokens, &site.provider, &demo.api.address(), now),
            can_refresh: tokens.refresh_token.is_some(),
            notice: notice.as_deref(),
            result,
        },
    );
    if binding.is_new {
        add_cookie(&mut response, &site.binding_cookie(&binding.secret));
    }
    response
}

/// Calls the demo API with one sort of token.
pub async fn call(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let form = match own_form_without_transaction(&site, &request, payload).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let attempt = form.get("token").ok().flatten().and_then(Attempt::parse);
    let Some(attempt) = attempt else {
        return page::error(&site, &request, ErrorKind::MalformedRequest);
    };
    let demo = &development.demo;
    // The browser keeps the fragment that the form's address has, which is where the answer
    // stands. Words stand at the top, where an empty one leads.
    let mut fragment = "";
    if let Some(tokens) = demo.tokens(&request) {
        let outcome = attempt_with(&site, demo, &request, attempt, &tokens).await;
        demo.session(&request, |session| match outcome {
            Ok(result) => session.result = Some(result),
            Err(words) => {
                fragment = "#";
                session.result = None;
                session.notice = Some(words);
            }
        });
    }
    page::redirect(&format!("{}/demo{fragment}", site.base()))
}

/// Makes the attempt; if it cannot be made, says why in words.
async fn attempt_with(
    site: &Site,
    demo: &Demo,
    request: &HttpRequest,
    attempt: Attempt,
    tokens: &Tokens,
) -> Result<ApiResult, String> {
    let now = site.provider.clock().now();
    let in_words = |error: AttemptError| error.to_string();
    let token = match attempt {
        Attempt::AccessToken => tokens.access_token.clone(),
        Attempt::IdToken => tokens.id_token.clone(),
        Attempt::Expired => attempts::expired(&tokens.access_token, now).map_err(in_words)?,
        Attempt::Tampered => attempts::tampered(&tokens.access_token).map_err(in_words)?,
        Attempt::WrongScope => {
            let narrowed = demo.relying_party.narrow(tokens).await;
            let (access_token, refresh_token) = narrowed.map_err(|error| error.in_words())?;
            demo.session(request, |session| {
                if let (Some(held), Some(fresh)) = (&mut session.tokens, refresh_token) {
                    held.refresh_token = Some(fresh);
                }
            });
            access_token
        }
    };
    let result = attempts::call(&demo.http, &demo.api.address(), attempt, &token).await;
    result.map_err(in_words)
}

/// Trades the refresh token for fresh tokens.
pub async fn refresh(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    if let Err(response) = own_form_without_transaction(&site, &request, payload).await {
        return response;
    }
    let demo = &development.demo;
    if let Some(tokens) = demo.tokens(&request) {
        let now = site.provider.clock().now();
        let refreshed = demo.relying_party.refresh(&tokens, now).await;
        demo.session(&request, |session| {
            session.result = None;
            session.notice = Some(match refreshed {
                Ok(tokens) => {
                    session.tokens = Some(tokens);
                    "Refreshed: here is a new key card, and you were not asked anything. The \
                     refresh token was used up, too, and the app has the next one."
                        .to_owned()
                }
                Err(error) => format!("Nothing was refreshed. {}", error.in_words()),
            });
        });
    }
    page::redirect(&format!("{}/demo", site.base()))
}

/// Signs out here and at the issuer.
pub async fn log_out(
    site: Data<Site>,
    development: Data<Development>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    if let Err(response) = own_form_without_transaction(&site, &request, payload).await {
        return response;
    }
    let demo = &development.demo;
    let Some(tokens) = demo.tokens(&request) else {
        return page::redirect(&format!("{}/", site.base()));
    };
    match demo.relying_party.log_out(&tokens).await {
        Ok((url, state)) => {
            let session = DemoSession {
                farewell: Some(state),
                ..DemoSession::default()
            };
            let mut response = page::redirect(url.as_str());
            add_cookie(&mut response, &demo.renew(&site, &request, session));
            response
        }
        Err(error) => failed(&site, &request, &error),
    }
}

fn failed(site: &Site, request: &HttpRequest, error: &RelyingPartyError) -> HttpResponse {
    tracing::info!(reason = %error, "the demo could not sign in");
    let frame = Frame::new(site, request);
    frame.send(
        StatusCode::BAD_REQUEST,
        &DemoErrorPage {
            layout: frame.layout(site),
            error: error.code(),
            description: Some(&error.in_words()),
        },
    )
}
