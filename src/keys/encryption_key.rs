//! The public keys of others that Keyfob encrypts with ([RFC 7517], [RFC 7518 section 6],
//! [RFC 8037 section 2]).
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7518 section 6]: https://www.rfc-editor.org/rfc/rfc7518#section-6
//! [RFC 8037 section 2]: https://www.rfc-editor.org/rfc/rfc8037#section-2

use std::fmt;

use aws_lc_rs::agreement::{ParsedPublicKey, UnparsedPublicKey, X25519};
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::public_keys::{curve_point, rsa_components};
use crate::oidc::encryption_algorithm::KeyManagementAlgorithm;

/// A public key to encrypt with.
pub struct EncryptionKey {
    kid: Option<String>,
    /// The one algorithm that it is for, where it says so.
    algorithm: Option<KeyManagementAlgorithm>,
    /// Whether it says that it is for encryption, and no other key of its owner's is meant.
    says_so: bool,
    pub(super) material: Material,
}

/// What an [`EncryptionKey`] is made of.
pub(super) enum Material {
    Rsa(OaepPublicEncryptingKey),
    /// On an elliptic curve, or X25519.
    Agreement(ParsedPublicKey),
}

impl EncryptionKey {
    /// Reads a JWK; `None` if it is none that Keyfob can encrypt with.
    pub(super) fn from_jwk(jwk: &Map<String, Value>) -> Option<Self> {
        if !is_for_encryption(jwk) {
            return None;
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let material = match text("kty")? {
            "RSA" => {
                let key: PublicEncryptingKey =
                    rsa_components(text("n")?, text("e")?)?.try_into().ok()?;
                Material::Rsa(OaepPublicEncryptingKey::new(key).ok()?)
            }
            "EC" => {
                let (curve, point) = curve_point(text("crv")?, text("x")?, text("y")?)?;
                // This also finds out whether the point is on the curve.
                let key = UnparsedPublicKey::new(curve.agreement(), point);
                Material::Agreement(key.try_into().ok()?)
            }
            "OKP" if text("crv")? == "X25519" => {
                let key = URL_SAFE_NO_PAD.decode(text("x")?).ok()?;
                let key = (key.len() == 32).then_some(key)?;
                Material::Agreement(UnparsedPublicKey::new(&X25519, key).try_into().ok()?)
            }
            _ => return None,
        };
        let algorithm = match jwk.get("alg") {
            None => None,
            Some(alg) => Some(serde_json::from_value(alg.clone()).ok()?),
        };
        let key = Self {
            kid: text("kid").map(str::to_owned),
            algorithm,
            says_so: jwk.contains_key("use") || algorithm.is_some(),
            material,
        };
        algorithm.is_none_or(|own| key.fits(own)).then_some(key)
    }

    /// Its identifier, if its owner gave it one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether it may be used with `algorithm`.
    pub(super) fn fits(&self, algorithm: KeyManagementAlgorithm) -> bool {
        let is_rsa = matches!(self.material, Material::Rsa(_));
        is_rsa == algorithm.is_rsa() && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// The first of `keys` for `algorithm`; one that says it is for encryption before others.
    pub(super) fn choose(keys: &[Self], algorithm: KeyManagementAlgorithm) -> Option<&Self> {
        let fitting = keys.iter().filter(|key| key.fits(algorithm));
        fitting.min_by_key(|key| !key.says_so)
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({:?})", self.kid)
    }
}

/// Whether `use` and `key_ops`, where they are there, say that others encrypt with it
/// ([RFC 7517 section 4.2], [RFC 7517 section 4.3]).
///
/// [RFC 7517 section 4.2]: https://www.rfc-editor.org/rfc/rfc7517#section-4.2
/// [RFC 7517 section 4.3]: https://www.rfc-editor.org/rfc/rfc7517#section-4.3
fn is_for_encryption(jwk: &Map<String, Value>) -> bool {
    let is_its_use = jwk.get("use").is_none_or(|key_use| key_use == "enc");
    let is_its_operation = |operation: &Value| {
        let operation = operation.as_str().unwrap_or_default();
        OPERATIONS.contains(&operation)
    };
    let encrypts = jwk.get("key_ops").is_none_or(|operations| {
        let operations = operations.as_array();
        operations.is_some_and(|it| it.iter().any(is_its_operation))
    });
    is_its_use && encrypts
}

/// The operations of a public key that is for encryption, or of the pair that it belongs to.
const OPERATIONS: &[&str] = &["encrypt", "wrapKey", "deriveKey", "deriveBits"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// [RFC 7517 appendix A.1](https://www.rfc-editor.org/rfc/rfc7517#appendix-A.1).
    const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    const EC_X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    const EC_Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";
    /// [RFC 8037 appendix A.6](https://www.rfc-editor.org/rfc/rfc8037#appendix-A.6).
    const X: &str = "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08";

    fn key(jwk: &Value) -> Option<EncryptionKey> {
        EncryptionKey::from_jwk(jwk.as_object().unwrap())
    }

    fn algorithms(jwk: &Value) -> Vec<&'static str> {
        let key = key(jwk).unwrap();
        let all = KeyManagementAlgorithm::ALL.iter();
        let fitting = all.filter(|algorithm| key.fits(**algorithm));
        fitting.map(|algorithm| algorithm.as_str()).collect()
    }

    #[test]
    fn a_key_encrypts_under_the_algorithms_of_its_kind_and_under_its_own_alone() {
        let rsa = json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"});
        let ec = json!({"kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_Y, "use": "enc"});
        let okp = json!({"kty": "OKP", "crv": "X25519", "x": X, "key_ops": ["deriveBits"]});
        assert_eq!(algorithms(&rsa), ["RSA-OAEP-256", "RSA-OAEP"]);
        for agreed in [&ec, &okp] {
            let expected = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"];
            assert_eq!(algorithms(agreed), expected);
        }
        let mut one = ec;
        one["alg"] = json!("ECDH-ES+A128KW");
        assert_eq!(algorithms(&one), ["ECDH-ES+A128KW"]);
    }

    #[test]
    fn a_key_for_something_else_or_off_its_curve_is_none() {
        for jwk in [
            json!({}),
            json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "use": "sig"}),
            json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "RS256"}),
            json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "RSA1_5"}),
            json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "ECDH-ES"}),
            json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "key_ops": ["verify"]}),
            json!({"kty": "RSA", "n": &RSA_N[..171], "e": "AQAB"}),
            json!({"kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_X}),
            json!({"kty": "EC", "crv": "P-384", "x": EC_X, "y": EC_Y}),
            json!({"kty": "EC", "crv": "secp256k1", "x": EC_X, "y": EC_Y}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": X}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
            json!({"kty": "oct", "k": X}),
        ] {
            assert!(key(&jwk).is_none(), "{jwk}");
        }
    }

    #[test]
    fn a_key_that_says_it_is_for_encryption_is_chosen_before_others() {
        let with = |kid: &str, more: Value| {
            let mut jwk = json!({"kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_Y, "kid": kid});
            jwk.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            key(&jwk).unwrap()
        };
        let keys = [
            with("any", json!({})),
            with("wrapping", json!({"alg": "ECDH-ES+A256KW"})),
            with("enc", json!({"use": "enc"})),
            with("other", json!({"use": "enc"})),
        ];
        for (algorithm, expected) in [
            (KeyManagementAlgorithm::EcdhEs, Some("enc")),
            (KeyManagementAlgorithm::EcdhEsA256Kw, Some("wrapping")),
            (KeyManagementAlgorithm::RsaOaep256, None),
        ] {
            let chosen = EncryptionKey::choose(&keys, algorithm);
            assert_eq!(chosen.and_then(EncryptionKey::kid), expected);
        }
        let any = EncryptionKey::choose(&keys[..1], KeyManagementAlgorithm::EcdhEs);
        assert_eq!(any.and_then(EncryptionKey::kid), Some("any"));
    }
}
