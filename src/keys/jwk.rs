//! Public keys as the JWKS endpoint shows them ([RFC 7517], [RFC 7518 section 6], [RFC 8037]).
//!
//! **Invariant:** no type here has a private member.
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7518 section 6]: https://www.rfc-editor.org/rfc/rfc7518#section-6
//! [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::oidc::signing_algorithm::SigningAlgorithm;

/// The document at the `jwks_uri` ([RFC 7517 section 5]).
///
/// [RFC 7517 section 5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Jwks {
    /// The keys, each with a `kid` of its own.
    pub keys: Vec<PublicJwk>,
}

/// A public key that verifies signatures ([RFC 7517 section 4]).
///
/// [RFC 7517 section 4]: https://www.rfc-editor.org/rfc/rfc7517#section-4
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PublicJwk {
    /// The key itself.
    #[serde(flatten)]
    pub parameters: PublicParameters,
    /// What it is for: signatures.
    #[serde(rename = "use")]
    pub key_use: KeyUse,
    /// The one algorithm that it is used with.
    pub alg: SigningAlgorithm,
    /// The key's [`PublicParameters::thumbprint`].
    pub kid: String,
}

/// What a key is for ([RFC 7517 section 4.2]).
///
/// [RFC 7517 section 4.2]: https://www.rfc-editor.org/rfc/rfc7517#section-4.2
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum KeyUse {
    /// Signatures.
    #[serde(rename = "sig")]
    Signature,
}

/// The members of a JWK that are the key, each in base64url.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kty")]
pub enum PublicParameters {
    /// An RSA key ([RFC 7518 section 6.3](https://www.rfc-editor.org/rfc/rfc7518#section-6.3)).
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// A key on an elliptic curve
    /// ([RFC 7518 section 6.2](https://www.rfc-editor.org/rfc/rfc7518#section-6.2)).
    #[serde(rename = "EC")]
    EllipticCurve {
        /// The curve.
        crv: &'static str,
        /// The x coordinate.
        x: String,
        /// The y coordinate.
        y: String,
    },
    /// An Edwards curve key ([RFC 8037 section 2](https://www.rfc-editor.org/rfc/rfc8037#section-2)).
    #[serde(rename = "OKP")]
    OctetKeyPair {
        /// The curve, `Ed25519`.
        crv: &'static str,
        /// The public key.
        x: String,
    },
}

impl PublicParameters {
    /// The key's SHA-256 thumbprint, base64url ([RFC 7638 section 3]).
    ///
    /// [RFC 7638 section 3]: https://www.rfc-editor.org/rfc/rfc7638#section-3
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // The required members alone, in lexicographic order, without whitespace. No value has a
        // character that JSON would escape.
        let canonical = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::EllipticCurve { crv, x, y } => {
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::OctetKeyPair { crv, x } => {
                format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#)
            }
        };
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_of_an_rsa_key_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicParameters::Rsa {
            n: n.to_owned(),
            e: "AQAB".to_owned(),
        };
        assert_eq!(
            key.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn the_thumbprint_of_an_ed25519_key_is_that_of_rfc_8037_appendix_a_3() {
        let key = PublicParameters::OctetKeyPair {
            crv: "Ed25519",
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
        };
        assert_eq!(
            key.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
