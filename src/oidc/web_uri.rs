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
