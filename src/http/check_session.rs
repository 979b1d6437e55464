//! Session management ([Session Management 1.0]): the page that relying parties frame, and the
//! cookie that it reads.
//!
//! [Session Management 1.0]: https://openid.net/specs/openid-connect-session-1_0.html

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template as _;

use super::assets;
use super::authorization::add_cookie;
use super::page;
use super::pages::check_session::CheckSessionPage;
use super::pages::error::ErrorKind;
use super::site::Site;

/// Sends the page that relying parties frame, the only one that anybody may.
pub async fn get(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    if !site.provider.policy().logout.session_management {
        return page::error(&site, &request, ErrorKind::NotFound);
    }
    let page = CheckSessionPage {
        base: site.base(),
        script: &assets::path("check_session.js"),
        cookie: &site.cookies.state,
    };
    match page.render() {
        Ok(html) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'",
            ))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(html),
        Err(error) => {
            tracing::error!(cause = %error, "a page could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

impl Site {
    /// Lets the script of the framed page read the state of a browser that has this session.
    pub(super) fn add_browser_state(&self, response: &mut HttpResponse, state: &str) {
        let lifetime = self.provider.policy().lifetimes.session;
        add_cookie(response, &self.state_cookie(state, Some(lifetime)));
    }

    /// The same for a browser whose cookie is another's or none, as after the setting was switched
    /// on.
    pub(super) fn mend_browser_state(&self, request: &HttpRequest, response: &mut HttpResponse) {
        let browser = self.browser(request);
        let Some(session) = &browser.session else {
            return;
        };
        if let Some(state) = self.provider.browser_state(session) {
            let kept = request.cookie(&self.cookies.state);
            if kept.is_none_or(|kept| kept.value() != state) {
                self.add_browser_state(response, &state);
            }
        }
    }

    /// Takes the state away: whoever watches the session finds that it has changed.
    pub(super) fn remove_browser_state(&self, response: &mut HttpResponse) {
        if self.provider.policy().logout.session_management {
            add_cookie(response, &self.state_cookie("", Some(Duration::ZERO)));
        }
    }

    /// A cookie that the page's script reads, and that a browser sends from frames of other sites;
    /// it can be had for that over https alone. It is worth nothing to who has it.
    fn state_cookie(&self, value: &str, lifetime: Option<Duration>) -> Cookie<'static> {
        let mut cookie = self.cookie(&self.cookies.state, value, lifetime);
        cookie.set_http_only(false);
        if self.cookies.is_secure {
            cookie.set_same_site(SameSite::None);
        }
        cookie
    }
}
