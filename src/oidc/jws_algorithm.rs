//! The algorithms under which others sign what Keyfob verifies ([RFC 7518 section 3.1],
//! [RFC 8037 section 3.1]).
//!
//! They are more than those that Keyfob signs with, [`SigningAlgorithm`]. `none` is not among them.
//!
//! [RFC 7518 section 3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
//! [RFC 8037 section 3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1
//! [`SigningAlgorithm`]: super::signing_algorithm::SigningAlgorithm

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::signing_algorithm::UnknownName;

/// An algorithm that Keyfob verifies.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum JwsAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// ECDSA with P-521 and SHA-512.
    ES512,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

impl JwsAlgorithm {
    /// Those that verify with a public key.
    pub const ASYMMETRIC: &[Self] = &[
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDsa,
    ];

    /// The values of `alg` of those that verify with a public key.
    #[must_use]
    pub fn asymmetric_names() -> Vec<&'static str> {
        Self::ASYMMETRIC.iter().map(|it| it.as_str()).collect()
    }

    /// Those that verify with a secret that both sides have.
    pub const SYMMETRIC: &[Self] = &[Self::HS256, Self::HS384, Self::HS512];

    /// Those that FAPI 2.0 allows
    /// ([FAPI 2.0 Security Profile section 5.4.1](https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.4.1)).
    pub const FAPI: &[Self] = &[Self::PS256, Self::ES256, Self::EdDsa];

    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// Whether it verifies with a secret that both sides have.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }

    /// The fewest bytes of a secret that may be used with it ([RFC 7518 section 3.2]); none for an
    /// algorithm with public keys.
    ///
    /// [RFC 7518 section 3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    #[must_use]
    pub const fn shortest_secret(self) -> usize {
        match self {
            Self::HS256 => 32,
            Self::HS384 => 48,
            Self::HS512 => 64,
            _ => 0,
        }
    }
}

impl FromStr for JwsAlgorithm {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let mut all = Self::ASYMMETRIC.iter().chain(Self::SYMMETRIC);
        let found = all.find(|algorithm| algorithm.as_str() == text);
        found.copied().ok_or(UnknownName)
    }
}

impl fmt::Display for JwsAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_known_by_its_exact_name_and_none_is_none() {
        for algorithm in JwsAlgorithm::ASYMMETRIC
            .iter()
            .chain(JwsAlgorithm::SYMMETRIC)
        {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
            let json = serde_json::to_string(algorithm).unwrap();
            assert_eq!(json, format!("\"{algorithm}\""));
        }
        for text in [
            "none", "None", "NONE", "", "rs256", "RS256 ", "ES256K", "Ed25519",
        ] {
            assert_eq!(text.parse::<JwsAlgorithm>(), Err(UnknownName), "{text}");
        }
    }
}
