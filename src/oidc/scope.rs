//! Scopes ([RFC 6749 section 3.3], [OIDC Core section 5.4]).
//!
//! [RFC 6749 section 3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
//! [OIDC Core section 5.4]: https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A list of scope tokens: no duplicates, in the order in which they were first named.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scopes(Vec<String>);

/// A scope parameter that is not of RFC 6749's form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a scope is a list of words of printable ASCII characters, with single spaces between")]
pub struct ScopeError;

impl Scopes {
    /// Whether `scope` is among them.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|own| own == scope)
    }

    /// Whether all of `others` are among them.
    #[must_use]
    pub fn contains_all(&self, others: &Self) -> bool {
        others.iter().all(|scope| self.contains(scope))
    }

    /// Those of them that `keep` says to keep.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(
            self.iter()
                .filter(|scope| keep(scope))
                .map(str::to_owned)
                .collect(),
        )
    }

    /// These and those of `others` that are not yet among them.
    #[must_use]
    pub fn union(&self, others: &Self) -> Self {
        let mut all = self.clone();
        for scope in others.iter() {
            if !all.contains(scope) {
                all.0.push(scope.to_owned());
            }
        }
        all
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<String> for Scopes {
    fn from_iter<I: IntoIterator<Item = String>>(scopes: I) -> Self {
        let mut all = Self::default();
        for scope in scopes {
            if !all.contains(&scope) {
                all.0.push(scope);
            }
        }
        all
    }
}

impl FromStr for Scopes {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let mut scopes = Self::default();
        for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
            let is_token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            if !scope.bytes().all(is_token) {
                return Err(ScopeError);
            }
            if !scopes.contains(scope) {
                scopes.0.push(scope.to_owned());
            }
        }
        Ok(scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The standard scopes.
#[must_use]
pub fn standard() -> Scopes {
    Scopes(STANDARD.iter().map(|&scope| scope.to_owned()).collect())
}

/// The scope that makes a request an OpenID Connect one.
pub const OPENID: &str = "openid";
/// The scope that asks for a refresh token ([OIDC Core section 11]).
///
/// [OIDC Core section 11]: https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
pub const OFFLINE_ACCESS: &str = "offline_access";

/// The scopes that every Keyfob knows; others are known when a client is registered for them.
pub const STANDARD: &[&str] = &[
    OPENID,
    "profile",
    "email",
    "address",
    "phone",
    "groups",
    OFFLINE_ACCESS,
];
