//! What every handler needs: the provider, and how it presents itself.

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;

use crate::oidc::issuer::Issuer;
use crate::provider::Provider;

use super::pages::Brand;

/// A provider on the web.
#[derive(Debug)]
pub struct Site {
    /// Who decides.
    pub provider: Arc<Provider>,
    /// How the pages look.
    pub brand: Brand,
    /// The picture that [`Brand::logo`] names.
    pub logo: Option<Logo>,
    /// The proxies whose forwarded headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they pass on the certificates of clients.
    pub client_certificate_header: Option<String>,
    /// The names of the cookies.
    pub cookies: CookieNames,
    /// Whether this is a development server.
    pub is_development: bool,
    /// User names and passwords to show on the login page of a development server.
    pub development_users: Vec<(String, String)>,
}

/// A picture that an operator set.
#[derive(Clone)]
pub struct Logo {
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// The names of the cookies.
///
/// Over https they have the prefix `__Host-`, which no other host can set
/// ([RFC 6265bis section 4.1.3.2]). Over http they have the port in them: cookies do not tell
/// ports apart, and several servers may run on one machine.
///
/// [RFC 6265bis section 4.1.3.2]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2
#[derive(Clone, Debug)]
pub struct CookieNames {
    /// The session.
    pub session: String,
    /// What transactions and forms are bound to.
    pub binding: String,
    /// What makes a browser known to accounts.
    pub known: String,
    /// The state of the browser, for who watches the session.
    pub state: String,
    /// Whether they are sent over https alone.
    pub is_secure: bool,
}

impl CookieNames {
    /// The names for the site at `issuer`.
    #[must_use]
    pub fn new(issuer: &Issuer) -> Self {
        Self {
            session: Self::name(issuer, "session"),
            binding: Self::name(issuer, "browser"),
            known: Self::name(issuer, "known"),
            state: Self::name(issuer, "state"),
            is_secure: issuer.is_https(),
        }
    }

    /// The name of the cookie that keeps `what` for the site at `issuer`.
    #[must_use]
    pub fn name(issuer: &Issuer, what: &str) -> String {
        if issuer.is_https() {
            return format!("__Host-keyfob_{what}");
        }
        let port: String = issuer
            .origin()
            .rsplit(':')
            .next()
            .map_or_else(String::new, |port| {
                port.chars().filter(char::is_ascii_digit).collect()
            });
        format!("keyfob_{what}_{port}")
    }
}

impl Site {
    /// The path below which everything is mounted: empty or without a final slash.
    #[must_use]
    pub fn base(&self) -> &str {
        self.provider.issuer().path()
    }
}
