//! The browser behind a request: its cookies and its address.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use ipnet::IpNet;

use crate::oidc::secret::{Secret, SecretKind};
use crate::provider::browser::Browser;

use super::site::Site;

impl Site {
    /// The browser that sent `request`.
    #[must_use]
    pub fn browser(&self, request: &HttpRequest) -> Browser {
        let secret = |name: &str, kind| {
            let cookie = request.cookie(name)?;
            Secret::parse(kind, cookie.value())
        };
        Browser {
            session: secret(&self.cookies.session, SecretKind::Session),
            binding: secret(&self.cookies.binding, SecretKind::Browser),
            known: secret(&self.cookies.known, SecretKind::KnownBrowser),
            address: self.address(request),
        }
    }

    /// The address that a request came from. What `X-Forwarded-For` says of it counts only as far
    /// as trusted proxies wrote it.
    fn address(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip();
        let headers = request.headers().get_all("x-forwarded-for");
        let hops = headers.filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).collect();
        Some(nearest_stranger(peer, &hops, &self.trusted_proxies))
    }

    /// The cookie that carries a session.
    #[must_use]
    pub fn session_cookie(&self, secret: &Secret) -> Cookie<'static> {
        let lifetime = self.provider.policy().lifetimes.session;
        self.cookie(&self.cookies.session, secret.expose(), Some(lifetime))
    }

    /// The cookie that binds a browser to its forms and transactions, for as long as it is open.
    #[must_use]
    pub fn binding_cookie(&self, secret: &Secret) -> Cookie<'static> {
        self.cookie(&self.cookies.binding, secret.expose(), None)
    }

    /// The cookie that makes a browser known.
    #[must_use]
    pub fn known_cookie(&self, secret: &Secret) -> Cookie<'static> {
        let lifetime = self.provider.policy().lifetimes.known_browser;
        self.cookie(&self.cookies.known, secret.expose(), Some(lifetime))
    }

    /// The cookie that takes the session away.
    #[must_use]
    pub fn no_session_cookie(&self) -> Cookie<'static> {
        self.cookie(&self.cookies.session, "", Some(Duration::ZERO))
    }

    /// A cookie that no script reads and no other site's form sends.
    #[must_use]
    pub fn cookie(&self, name: &str, value: &str, lifetime: Option<Duration>) -> Cookie<'static> {
        let mut cookie = Cookie::build(name.to_owned(), value.to_owned())
            .path("/")
            .http_only(true)
            .secure(self.cookies.is_secure)
            .same_site(SameSite::Lax)
            .finish();
        if let Some(lifetime) = lifetime {
            let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(CookieDuration::seconds(seconds));
        }
        cookie
    }

    /// Whether a form post comes from a page of this site, by what browsers say of it. It is a
    /// second lock beside the form's own tag, and lets pass who says nothing.
    #[must_use]
    pub fn is_same_origin(&self, request: &HttpRequest) -> bool {
        let text = |name: header::HeaderName| {
            let value = request.headers().get(name)?;
            Some(value.to_str().unwrap_or("unreadable"))
        };
        if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site"))
            && !matches!(site, "same-origin" | "none")
        {
            return false;
        }
        match text(header::ORIGIN) {
            // A page with `Referrer-Policy: no-referrer`, as ours are, posts with this.
            None | Some("null") => true,
            Some(origin) => origin == self.provider.issuer().origin(),
        }
    }

    /// Whether another site's page sent this request, so that the browser kept the cookies back
    /// (SameSite=Lax) though it may have a session.
    #[must_use]
    pub fn is_cross_site_post(&self, request: &HttpRequest) -> bool {
        let site = request.headers().get("sec-fetch-site");
        let is_cross_site = site.is_some_and(|site| site == "cross-site");
        is_cross_site && request.cookie(&self.cookies.session).is_none()
    }
}

/// The address nearest to the server that is none of `proxies`: each of those is believed about
/// the one that it forwards for, which stands last in what it wrote.
fn nearest_stranger(peer: IpAddr, hops: &[&str], proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: IpAddr| {
        let address = address.to_canonical();
        proxies.iter().any(|network| network.contains(&address))
    };
    let mut nearest = peer;
    for hop in hops.iter().rev() {
        match hop.trim().parse() {
            Ok(before) if is_proxy(nearest) => nearest = before,
            _ => break,
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let proxies: [IpNet; 2] = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, hops, expected) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            (
                "10.0.0.1",
                &["203.0.113.9", " 198.51.100.7"],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["198.51.100.7", "10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["garbage", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7", "garbage"], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            let address = nearest_stranger(peer.parse().unwrap(), hops, &proxies);
            assert_eq!(address.to_string(), expected, "{peer} {hops:?}");
        }
    }
}
