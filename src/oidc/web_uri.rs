//! Links that a page may show.

use serde::{Deserialize, Serialize};
use url::Url;

/// A URL that a page may link to: https, or http on any host; never a scheme that runs code.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct WebUri(String);

impl WebUri {
    /// The URL as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "https")
    }

    /// The host, in lower case.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        url.host_str().map(str::to_owned)
    }

    /// The origin to name in a Content-Security-Policy so that a page may show it as an image:
    /// none but over TLS, and none of a host with characters that a policy would read otherwise.
    #[must_use]
    pub fn image_origin(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        let is_plain = url.host_str()?.bytes().all(is_plain);
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        (url.scheme() == "https" && is_plain && is_anonymous)
            .then(|| url.origin().ascii_serialization())
    }
}

impl<'de> Deserialize<'de> for WebUri {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_web = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_web {
            let message = format!("{text:?} is not an http or https URL");
            return Err(serde::de::Error::custom(message));
        }
        Ok(Self(text))
    }
}
