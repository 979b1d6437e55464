//! Grant types ([RFC 6749 section 1.3]).
//!
//! [RFC 6749 section 1.3]: https://www.rfc-editor.org/rfc/rfc6749#section-1.3

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::signing_algorithm::UnknownName;

/// A grant type ([RFC 6749 section 1.3]).
///
/// [RFC 6749 section 1.3]: https://www.rfc-editor.org/rfc/rfc6749#section-1.3
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// [RFC 6749 section 4.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1)
    AuthorizationCode,
    /// [RFC 6749 section 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)
    RefreshToken,
    /// [RFC 6749 section 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)
    ClientCredentials,
    /// [RFC 8628 section 3.4](https://www.rfc-editor.org/rfc/rfc8628#section-3.4)
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// [RFC 8693 section 2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1)
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// [RFC 6749 section 4.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.2): tokens from the
    /// authorization endpoint. The token endpoint does not know it.
    Implicit,
    /// [RFC 7523 section 2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1)
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

impl GrantType {
    /// Every grant type that Keyfob has.
    pub const ALL: &[Self] = &[
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::Implicit,
        Self::JwtBearer,
    ];

    /// The value of `grant_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::Implicit => "implicit",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }
}

impl FromStr for GrantType {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL
            .iter()
            .find(|grant_type| grant_type.as_str() == text);
        found.copied().ok_or(UnknownName)
    }
}

/// The grants that a client may use.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct GrantTypes(pub Vec<GrantType>);

impl GrantTypes {
    /// Whether `grant_type` is among them.
    #[must_use]
    pub fn contains(&self, grant_type: GrantType) -> bool {
        self.0.contains(&grant_type)
    }
}

impl Default for GrantTypes {
    fn default() -> Self {
        Self(vec![GrantType::AuthorizationCode, GrantType::RefreshToken])
    }
}

/// Reads a list of grant types and leaves out those that Keyfob does not have, as
/// [RFC 7591 section 2] lets a server do.
///
/// [RFC 7591 section 2]: https://www.rfc-editor.org/rfc/rfc7591#section-2
pub(super) fn known_grant_types<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<GrantTypes, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let known = names.iter().filter_map(|name| name.parse().ok());
    Ok(GrantTypes(known.collect()))
}
