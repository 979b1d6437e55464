//! Where a client's request objects may be fetched ([OIDC Core section 6.2]).
//!
//! [OIDC Core section 6.2]: https://openid.net/specs/openid-connect-core-1_0.html#RequestUriParameter

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::error::ErrorCode;

/// A registered request URI: an absolute http or https URL of at most 512 ASCII characters.
/// Whether it may be fetched is found out when it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestUri(String);

/// Why a `request_uri` cannot be used, whether it names a document or what was pushed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestUriRefusal {
    /// Request objects are not fetched here.
    #[error("request objects by reference are not supported")]
    NotSupported,
    /// It is not one of the client's.
    #[error("the request_uri is not registered for the client")]
    NotRegistered,
    /// Nothing could be fetched.
    #[error("the request_uri could not be fetched")]
    NotFetched,
    /// Something was granted through it before.
    #[error("the request_uri has been used")]
    Used,
    /// It came too late.
    #[error("the request_uri has expired")]
    Expired,
    /// There is a `request`, too.
    #[error("the request has both request and request_uri")]
    BesideRequest,
}

impl RequestUriRefusal {
    /// The code that the client is told ([RFC 9101 section 7]).
    ///
    /// [RFC 9101 section 7]: https://www.rfc-editor.org/rfc/rfc9101#section-7
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::NotSupported => ErrorCode::RequestUriNotSupported,
            Self::NotRegistered | Self::NotFetched | Self::Used | Self::Expired => {
                ErrorCode::InvalidRequestUri
            }
            Self::BesideRequest => ErrorCode::InvalidRequest,
        }
    }
}

/// A text that is not a request URI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a request URI is an absolute https URL of at most 512 ASCII characters")]
pub struct RequestUriError;

impl RequestUri {
    /// Whether `requested` is this one. One that was registered without a fragment may be
    /// requested with any: the fragment is the hash of what is there ([OIDC Core section 6.2]).
    ///
    /// [OIDC Core section 6.2]: https://openid.net/specs/openid-connect-core-1_0.html#RequestUriParameter
    #[must_use]
    pub fn matches(&self, requested: &str) -> bool {
        let without_fragment = requested.split('#').next();
        requested == self.0 || without_fragment == Some(&self.0)
    }
}

impl FromStr for RequestUri {
    type Err = RequestUriError;

    fn from_str(text: &str) -> Result<Self, RequestUriError> {
        let url = Url::parse(text).map_err(|_| RequestUriError)?;
        let is_web = ["https", "http"].contains(&url.scheme()) && url.has_host();
        let is_plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        (is_web && is_plain)
            .then(|| Self(text.to_owned()))
            .ok_or(RequestUriError)
    }
}

impl TryFrom<String> for RequestUri {
    type Error = RequestUriError;

    fn try_from(text: String) -> Result<Self, RequestUriError> {
        text.parse()
    }
}

impl From<RequestUri> for String {
    fn from(uri: RequestUri) -> Self {
        uri.0
    }
}

impl fmt::Display for RequestUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// OIDC Core section 6.2.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fragment_of_a_request_uri_is_free() {
        let bare: RequestUri = "https://rp.test/r?a=1".parse().unwrap();
        let hashed: RequestUri = "https://rp.test/r#abc".parse().unwrap();
        for (registered, requested, expected) in [
            (&bare, "https://rp.test/r?a=1", true),
            (&bare, "https://rp.test/r?a=1#hash", true),
            (&bare, "https://rp.test/r?a=2", false),
            (&bare, "https://rp.test/r", false),
            (&bare, "https://RP.test/r?a=1", false),
            (&hashed, "https://rp.test/r#abc", true),
            (&hashed, "https://rp.test/r", false),
            (&hashed, "https://rp.test/r#abd", false),
        ] {
            assert_eq!(registered.matches(requested), expected, "{requested}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_no_request_uri() {
        for text in [
            "",
            "/r",
            "urn:ietf:params:oauth:request_uri:x",
            "file:///etc/passwd",
            "https:///r x",
            "https://rp.test/\u{e9}",
        ] {
            assert!(text.parse::<RequestUri>().is_err(), "{text}");
        }
        let long = format!("https://rp.test/{}", "x".repeat(512));
        assert!(long.parse::<RequestUri>().is_err());
    }
}
