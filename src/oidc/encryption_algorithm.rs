//! Algorithms that encrypt what a client alone may read ([RFC 7518 sections 4.1 and 5.1],
//! [RFC 8037 section 3.2]).
//!
//! [RFC 7518 sections 4.1 and 5.1]: https://www.rfc-editor.org/rfc/rfc7518#section-4.1
//! [RFC 8037 section 3.2]: https://www.rfc-editor.org/rfc/rfc8037#section-3.2

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the key of a message is brought to its reader: the `alg` of a JWE
/// ([RFC 7518 section 4.1]).
///
/// None is symmetric, since Keyfob does not keep the secrets of clients; and RSA1_5 is not among
/// them, since whoever decrypts it becomes an oracle.
///
/// [RFC 7518 section 4.1]: https://www.rfc-editor.org/rfc/rfc7518#section-4.1
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum KeyManagementAlgorithm {
    /// RSAES OAEP with SHA-256.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    /// RSAES OAEP with SHA-1.
    #[serde(rename = "RSA-OAEP")]
    RsaOaep,
    /// ECDH-ES, which agrees on the key of the message itself.
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    /// ECDH-ES, which agrees on a key of 128 bits that wraps that of the message.
    #[serde(rename = "ECDH-ES+A128KW")]
    EcdhEsA128Kw,
    /// ECDH-ES, which agrees on a key of 256 bits that wraps that of the message.
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
}

/// How a message is encrypted: the `enc` of a JWE ([RFC 7518 section 5.1]).
///
/// [RFC 7518 section 5.1]: https://www.rfc-editor.org/rfc/rfc7518#section-5.1
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum ContentEncryptionAlgorithm {
    /// AES-128 in CBC mode with HMAC SHA-256.
    #[default]
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES-128 in GCM.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES-256 in GCM.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

impl KeyManagementAlgorithm {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::RsaOaep256,
        Self::RsaOaep,
        Self::EcdhEs,
        Self::EcdhEsA128Kw,
        Self::EcdhEsA256Kw,
    ];

    /// The value of `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::RsaOaep => "RSA-OAEP",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }

    /// Whether it is for RSA keys; the others are for keys on curves.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaOaep256 | Self::RsaOaep)
    }
}

impl ContentEncryptionAlgorithm {
    /// All of them.
    pub const ALL: &[Self] = &[Self::A128CbcHs256, Self::A128Gcm, Self::A256Gcm];

    /// The value of `enc`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The length of the key of a message in bytes.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
        }
    }
}

impl fmt::Display for KeyManagementAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn an_encryption_algorithm_is_known_by_its_exact_name() {
        for algorithm in KeyManagementAlgorithm::ALL {
            let name = json!(algorithm.as_str());
            assert_eq!(json!(algorithm), name);
            assert_eq!(
                from_value::<KeyManagementAlgorithm>(name).unwrap(),
                *algorithm
            );
        }
        for algorithm in ContentEncryptionAlgorithm::ALL {
            let name = json!(algorithm.as_str());
            assert_eq!(json!(algorithm), name);
            assert_eq!(
                from_value::<ContentEncryptionAlgorithm>(name).unwrap(),
                *algorithm
            );
        }
        for unknown in [
            "RSA1_5",
            "dir",
            "A128KW",
            "PBES2-HS256+A128KW",
            "rsa-oaep",
            "none",
        ] {
            let name: Value = unknown.into();
            assert!(
                from_value::<KeyManagementAlgorithm>(name).is_err(),
                "{unknown}"
            );
        }
    }
}
