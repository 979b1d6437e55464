//! Algorithms that sign tokens ([RFC 7518 section 3.1], [RFC 8037 section 3.1]).
//!
//! [RFC 7518 section 3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
//! [RFC 8037 section 3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An algorithm that signs tokens ([RFC 7518 section 3.1], [RFC 8037 section 3.1]).
///
/// [RFC 7518 section 3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
/// [RFC 8037 section 3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what OIDC Core makes everybody support.
    #[default]
    RS256,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSASSA-PSS with SHA-256: what FAPI allows of RSA.
    PS256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
}

impl SigningAlgorithm {
    /// Every algorithm that Keyfob can sign with.
    pub const ALL: &[Self] = &[
        Self::RS256,
        Self::ES256,
        Self::EdDsa,
        Self::PS256,
        Self::ES384,
    ];

    /// Those that a provider has keys for, unless its operator decides otherwise.
    pub const USUAL: &[Self] = &[Self::RS256, Self::ES256, Self::EdDsa];

    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::PS256 => "PS256",
            Self::ES384 => "ES384",
        }
    }
}

impl FromStr for SigningAlgorithm {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL
            .iter()
            .find(|algorithm| algorithm.as_str() == text);
        found.copied().ok_or(UnknownName)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is not one of those that Keyfob knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of the known names")]
pub struct UnknownName;
