//! Redirect URIs: what may be registered, and when a requested one is a registered one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

/// A redirect URI as a client registered it ([RFC 6749 section 3.1.2], [RFC 8252 section 7]).
///
/// The text is kept and compared as bytes ([RFC 9700 section 4.1.3]). The one freedom is the port
/// of a loopback address, and of the name `localhost`, which Model Context Protocol clients and
/// kubelogin use ([RFC 8252 section 7.3]).
///
/// [RFC 6749 section 3.1.2]: https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2
/// [RFC 8252 section 7]: https://www.rfc-editor.org/rfc/rfc8252#section-7
/// [RFC 8252 section 7.3]: https://www.rfc-editor.org/rfc/rfc8252#section-7.3
/// [RFC 9700 section 4.1.3]: https://www.rfc-editor.org/rfc/rfc9700#section-4.1.3
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RedirectUri {
    text: String,
    loopback: Option<Loopback>,
}

/// A loopback redirect URI taken apart around its port.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Loopback {
    /// Scheme and host: `http://127.0.0.1`.
    before: String,
    /// Path and query, as written.
    after: String,
}

/// Why a text may not be registered as a redirect URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not an absolute URI.
    #[error("it must be an absolute URI")]
    NotAbsolute,
    /// Has a fragment ([RFC 6749 section 3.1.2]).
    ///
    /// [RFC 6749 section 3.1.2]: https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2
    #[error("it must not have a fragment")]
    Fragment,
    /// Has a user name or a password, which make a host look like another.
    #[error("it must not have a user name or a password")]
    UserInformation,
    /// Of a scheme that runs code or reads files in a browser.
    #[error("its scheme must be https, http, or an application's own")]
    Scheme,
    /// Has characters outside printable ASCII, or some that URL parsers disagree about.
    #[error("it must consist of the characters of RFC 3986")]
    Characters,
    /// Has dot segments, which user agents resolve and comparisons do not.
    #[error("its path must not have `.` or `..` segments")]
    DotSegments,
    /// Longer than 2048 characters.
    #[error("it must not be longer than 2048 characters")]
    TooLong,
}

impl RedirectUri {
    /// The URI as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `requested` is this redirect URI: the same bytes, or for a loopback host the same
    /// bytes but for the port.
    #[must_use]
    pub fn matches(&self, requested: &str) -> bool {
        if self.text == requested {
            return true;
        }
        let Some(loopback) = &self.loopback else {
            return false;
        };
        requested
            .strip_prefix(loopback.before.as_str())
            .and_then(|rest| rest.strip_suffix(loopback.after.as_str()))
            .is_some_and(is_port)
    }

    /// The origin that browsers send for pages of this URI's site: http and https only.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        let url = Url::parse(&self.text).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
    }

    /// The host, in lower case: of http and https only, since no other scheme says what its hosts
    /// are.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = Url::parse(&self.text).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https");
        url.host_str().filter(|_| is_web).map(str::to_owned)
    }

    /// Whether a page of `origin` is a page of this URI's site, any port for a loopback host.
    #[must_use]
    pub fn is_of_origin(&self, origin: &str) -> bool {
        if let Some(loopback) = &self.loopback {
            return origin
                .strip_prefix(loopback.before.as_str())
                .is_some_and(is_port);
        }
        self.origin().is_some_and(|own| own == origin)
    }

    /// Whether it goes to a web server over TLS, so that nobody else can claim it
    /// ([RFC 8252 section 8.6]).
    ///
    /// [RFC 8252 section 8.6]: https://www.rfc-editor.org/rfc/rfc8252#section-8.6
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https://")
    }

    /// Whether it goes to the person's own machine by http ([RFC 8252 section 7.3]).
    ///
    /// [RFC 8252 section 7.3]: https://www.rfc-editor.org/rfc/rfc8252#section-7.3
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.loopback.is_some()
    }

    /// Whether its scheme is an application's own, made of a domain name in reverse order so that
    /// no two take the same ([RFC 8252 section 7.1]).
    ///
    /// [RFC 8252 section 7.1]: https://www.rfc-editor.org/rfc/rfc8252#section-7.1
    #[must_use]
    pub fn is_private_use(&self) -> bool {
        let scheme = self.text.split(':').next().unwrap_or_default();
        scheme.contains('.')
    }
}

/// Whether this is what may stand between a host and a path: nothing, or a colon and a port.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|digits| {
            (1..=5).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && digits.parse::<u16>().is_ok_and(|port| port > 0)
        })
}

impl FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(text: &str) -> Result<Self, RedirectUriError> {
        if text.len() > LONGEST {
            return Err(RedirectUriError::TooLong);
        }
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && !br#"\"<>^`{|}"#.contains(&byte);
        if !text.bytes().all(is_allowed) {
            return Err(RedirectUriError::Characters);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute)?;
        if url.fragment().is_some() {
            return Err(RedirectUriError::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::UserInformation);
        }
        if FORBIDDEN_SCHEMES.contains(&url.scheme()) {
            return Err(RedirectUriError::Scheme);
        }
        let is_web = matches!(url.scheme(), "http" | "https");
        let scheme_as_written = text.split(':').next().unwrap_or_default();
        if is_web && !text[scheme_as_written.len()..].starts_with("://") {
            return Err(RedirectUriError::NotAbsolute);
        }
        let path = text.split('?').next().unwrap_or_default();
        let is_dots = |segment: &str| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            plain == "." || plain == ".."
        };
        if path.split('/').any(is_dots) {
            return Err(RedirectUriError::DotSegments);
        }
        Ok(Self {
            text: text.to_owned(),
            loopback: loopback(text, &url),
        })
    }
}

fn loopback(text: &str, url: &Url) -> Option<Loopback> {
    if url.scheme() != "http" {
        return None;
    }
    // The numbers only as the RFC writes them: not 127.1, not 0x7f000001.
    let host = match url.host()? {
        Host::Ipv4(address) if address.is_loopback() => address.to_string(),
        Host::Ipv6(address) if address.is_loopback() => "[::1]".to_owned(),
        Host::Domain("localhost") => "localhost".to_owned(),
        _ => return None,
    };
    let before = format!("http://{host}");
    let rest = text.strip_prefix(before.as_str())?;
    let end_of_port = rest.find(['/', '?']).unwrap_or(rest.len());
    let (port, after) = rest.split_at(end_of_port);
    is_port(port).then(|| Loopback {
        before,
        after: after.to_owned(),
    })
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for RedirectUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error| de::Error::custom(format!("redirect URI {text:?}: {error}")))
    }
}

/// Schemes that a browser runs or reads from instead of going somewhere.
const FORBIDDEN_SCHEMES: &[&str] = &[
    "javascript",
    "data",
    "vbscript",
    "file",
    "blob",
    "filesystem",
    "about",
    "view-source",
    "ws",
    "wss",
    "ftp",
];

const LONGEST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        text.parse().unwrap()
    }

    #[test]
    fn a_redirect_uri_matches_only_its_own_bytes() {
        let registered = uri("https://rp.test/cb");
        assert!(registered.matches("https://rp.test/cb"));
        for other in [
            "https://rp.test/cb/",
            "https://rp.test/CB",
            "https://rp.test/cb?x=1",
            "https://rp.test/cb#f",
            "https://rp.test/cb/../x",
            "https://rp.test:443/cb",
            "http://rp.test/cb",
            "//rp.test/cb",
            "https://rp.test./cb",
            "https://RP.test/cb",
            "https://rp.test.evil.com/cb",
            "https://rp.test@evil.com/cb",
            "https://rp.test\\@evil.com/cb",
            "https://rp.test/cb\0",
            " https://rp.test/cb",
            "https://rp.test:8443/cb",
            "",
        ] {
            assert!(!registered.matches(other), "{other:?}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_address_is_free() {
        for (registered, requested, expected) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:51234/cb", true),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1:4000/cb", true),
            ("http://127.0.0.1:3000/cb", "http://127.0.0.1/cb", true),
            ("http://[::1]/cb", "http://[::1]:80/cb", true),
            ("http://localhost/cb", "http://localhost:9/cb", true),
            ("http://localhost", "http://localhost:9", true),
            ("http://localhost/cb?a=b", "http://localhost:9/cb?a=b", true),
            ("http://127.0.0.1/cb", "http://localhost:51234/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.com/cb", false),
            (
                "http://127.0.0.1/cb",
                "http://127.0.0.1:1@evil.com/cb",
                false,
            ),
            ("http://127.0.0.1/cb", "http://127.0.0.1:51234/other", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:+80/cb", false),
            ("http://127.0.0.1/cb", "https://127.0.0.1/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.2/cb", false),
            ("https://localhost/cb", "https://localhost:1/cb", false),
            ("https://rp.test/cb", "https://rp.test:8443/cb", false),
            ("http://rp.test/cb", "http://rp.test:8443/cb", false),
            (
                "http://localhost.evil.com/cb",
                "http://localhost.evil.com:1/cb",
                false,
            ),
        ] {
            assert_eq!(
                uri(registered).matches(requested),
                expected,
                "{registered} {requested}"
            );
        }
    }

    #[test]
    fn what_a_browser_would_run_or_misread_cannot_be_registered() {
        for (text, expected) in [
            ("javascript:alert(1)", RedirectUriError::Scheme),
            ("JavaScript:alert(1)", RedirectUriError::Scheme),
            ("data:text/html,x", RedirectUriError::Scheme),
            ("vbscript:x", RedirectUriError::Scheme),
            ("https://rp.test/cb#f", RedirectUriError::Fragment),
            ("https://rp.test/cb#", RedirectUriError::Fragment),
            ("https://u@rp.test/cb", RedirectUriError::UserInformation),
            ("/cb", RedirectUriError::NotAbsolute),
            ("https:rp.test/cb", RedirectUriError::NotAbsolute),
            ("https://rp.test/a/../cb", RedirectUriError::DotSegments),
            ("https://rp.test/a/%2e%2E/cb", RedirectUriError::DotSegments),
            ("https://rp.test/c b", RedirectUriError::Characters),
            ("https://rp.test\\cb", RedirectUriError::Characters),
            ("https://rp.test/\u{e9}", RedirectUriError::Characters),
        ] {
            assert_eq!(text.parse::<RedirectUri>(), Err(expected), "{text}");
        }
        for text in [
            "app.immich:///oauth-callback",
            "kitchenowl:/signin/redirect",
        ] {
            assert!(text.parse::<RedirectUri>().is_ok(), "{text}");
        }
    }
}
