//! The public keys that a client registers in its metadata ([RFC 7591 section 2]).
//!
//! [RFC 7591 section 2]: https://www.rfc-editor.org/rfc/rfc7591#section-2

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JWK Set as it was registered: an object with a list of objects. Which of its keys can be used
/// is found out where they are used.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Jwks(Map<String, Value>);

impl Jwks {
    /// The document.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::deserialize(deserializer)?;
        let keys = members.get("keys").and_then(Value::as_array);
        if !keys.is_some_and(|keys| keys.iter().all(Value::is_object)) {
            let message = "it is not a JWK Set: an object with a list of keys";
            return Err(serde::de::Error::custom(message));
        }
        Ok(Self(members))
    }
}
