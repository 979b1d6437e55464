//! The issuer identifier, from which every URL that Keyfob publishes is made.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use url::{Host, Url};

/// An issuer identifier: an absolute http(s) URL without query, fragment, user information or
/// trailing slash ([OIDC Core section 16.15], [RFC 8414 section 2]).
///
/// It is kept and compared as the text that was configured: relying parties compare it byte by
/// byte.
///
/// [OIDC Core section 16.15]: https://openid.net/specs/openid-connect-core-1_0.html#issuerIdentifiers
/// [RFC 8414 section 2]: https://www.rfc-editor.org/rfc/rfc8414#section-2
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Issuer {
    text: String,
    url: Url,
}

/// Why a text is not an issuer identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IssuerError {
    /// Not an absolute URL, or not one of http or https with a host.
    #[error("it must be an absolute URL such as https://login.example.com")]
    NotAUrl,
    /// Ends with a slash.
    #[error("it must not end with a slash: relying parties compare it byte by byte")]
    TrailingSlash,
    /// Carries a query, a fragment or user information.
    #[error("it must not have a query, a fragment, a user name or a password")]
    ExtraParts,
    /// Written otherwise than a URL parser writes it.
    #[error("it must be written in its normal form: lower-case host, no default port, no `..`")]
    NotNormal,
}

impl Issuer {
    /// The identifier as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether browsers reach it over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it names the machine itself: `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The path below which everything is mounted: empty, or `/` and more without a final slash.
    #[must_use]
    pub fn path(&self) -> &str {
        match self.url.path() {
            "/" => "",
            path => path,
        }
    }

    /// Scheme, host and port, as browsers write the `Origin` header.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The host, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The URL of `path`, which starts with a slash, below the issuer.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(text).map_err(|_| IssuerError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(IssuerError::NotAUrl);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(IssuerError::ExtraParts);
        }
        if text.ends_with('/') {
            return Err(IssuerError::TrailingSlash);
        }
        let normal = url.as_str().strip_suffix('/').unwrap_or(url.as_str());
        if normal != text {
            return Err(IssuerError::NotNormal);
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Issuer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_accepted_only_in_its_normal_form() {
        for (text, expected) in [
            ("https://login.example.com", Ok(())),
            ("https://example.com/tenant", Ok(())),
            ("http://localhost:8484", Ok(())),
            ("http://[::1]:8484", Ok(())),
            ("https://example.com/", Err(IssuerError::TrailingSlash)),
            ("https://example.com/a/", Err(IssuerError::TrailingSlash)),
            ("https://example.com:443", Err(IssuerError::NotNormal)),
            ("https://EXAMPLE.com", Err(IssuerError::NotNormal)),
            ("https://example.com?x=1", Err(IssuerError::ExtraParts)),
            ("https://u@example.com", Err(IssuerError::ExtraParts)),
            ("ftp://example.com", Err(IssuerError::NotAUrl)),
            ("example.com", Err(IssuerError::NotAUrl)),
        ] {
            assert_eq!(Issuer::from_str(text).map(drop), expected, "{text}");
        }
    }
}
