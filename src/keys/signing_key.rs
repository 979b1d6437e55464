//! A key that signs tokens.

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::{DecodingKey, EncodingKey};
use rsa::pkcs8::PrivateKeyInfo;
use zeroize::Zeroizing;

use super::KeyError;
use super::crypto_provider::{self, KeptKey};
use super::jwk::{KeyUse, PublicJwk};
use super::key_pair::{self, KeyPair};
use super::verified::Verified;
use crate::oidc::signing_algorithm::SigningAlgorithm;

/// A private key for one algorithm, parsed and ready to sign.
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    pkcs8: Zeroizing<Vec<u8>>,
    public_jwk: PublicJwk,
    encoding_key: EncodingKey,
    decoding_key: DecodingKey,
    verified: Verified,
    /// Keeps the parsed key within reach of `jsonwebtoken`.
    _kept: Arc<KeptKey>,
}

impl SigningKey {
    /// Makes a new key: RSA of 2048 bits, P-256, P-384 or Ed25519.
    ///
    /// An RSA key takes from a tenth of a second to several: call this where blocking is allowed,
    /// never in answer to a request.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        Self::from_pkcs8(algorithm, &key_pair::generate(algorithm)?)
    }

    /// Reads a private key in PKCS#8 DER, as [`Self::to_pkcs8`] gives it.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, der: &[u8]) -> Result<Self, KeyError> {
        let pair = KeyPair::from_pkcs8(algorithm, der)?;
        let parameters = pair.public_parameters()?;
        let public_jwk = PublicJwk {
            kid: parameters.thumbprint(),
            parameters,
            key_use: KeyUse::Signature,
            alg: algorithm,
        };
        let encoding_key = match algorithm {
            // jsonwebtoken wants the PKCS#1 key that PKCS#8 wraps.
            SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
                let wrapped = PrivateKeyInfo::try_from(der);
                let wrapped = wrapped.map_err(|_| KeyError::Rejected(algorithm))?;
                EncodingKey::from_rsa_der(wrapped.private_key)
            }
            SigningAlgorithm::ES256 | SigningAlgorithm::ES384 => EncodingKey::from_ec_der(der),
            SigningAlgorithm::EdDsa => EncodingKey::from_ed_der(der),
        };
        let decoding_key = match algorithm {
            SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
                DecodingKey::from_rsa_der(pair.public_key())
            }
            SigningAlgorithm::ES256 | SigningAlgorithm::ES384 => {
                DecodingKey::from_ec_der(pair.public_key())
            }
            SigningAlgorithm::EdDsa => DecodingKey::from_ed_der(pair.public_key()),
        };
        Ok(Self {
            algorithm,
            pkcs8: Zeroizing::new(der.to_vec()),
            public_jwk,
            _kept: crypto_provider::keep(pair, &encoding_key),
            encoding_key,
            decoding_key,
            verified: Verified::default(),
        })
    }

    /// The private key in PKCS#8 DER: to be sealed before it is stored.
    #[must_use]
    pub fn to_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The key's id, its thumbprint ([RFC 7638]): the same key has the same id everywhere.
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.public_jwk.kid
    }

    /// The one algorithm that the key signs with.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public half, for the JWKS endpoint.
    #[must_use]
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public_jwk
    }

    pub(super) fn encoding_key(&self) -> &EncodingKey {
        &self.encoding_key
    }

    pub(super) fn decoding_key(&self) -> &DecodingKey {
        &self.decoding_key
    }

    /// The tokens that it is known to have signed.
    pub(super) fn verified(&self) -> &Verified {
        &self.verified
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.algorithm, self.kid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_read_back_as_itself() {
        for &algorithm in SigningAlgorithm::ALL {
            let generated = SigningKey::generate(algorithm).unwrap();
            let read = SigningKey::from_pkcs8(algorithm, generated.to_pkcs8()).unwrap();
            assert_eq!(read.kid(), generated.kid());
            assert_eq!(read.public_jwk(), generated.public_jwk());
            assert_eq!(read.algorithm(), algorithm);
            assert_eq!(read.kid().len(), 43);
        }
    }

    #[test]
    fn a_key_is_refused_for_an_algorithm_that_is_not_of_its_kind() {
        let is_rsa = |it| matches!(it, SigningAlgorithm::RS256 | SigningAlgorithm::PS256);
        for key in crate::keys::dev_keys::dev_keys().unwrap() {
            for &algorithm in SigningAlgorithm::ALL {
                let read = SigningKey::from_pkcs8(algorithm, key.to_pkcs8());
                let is_its = algorithm == key.algorithm();
                let is_of_its_kind = is_its || is_rsa(algorithm) && is_rsa(key.algorithm());
                assert_eq!(read.is_ok(), is_of_its_kind, "{key:?}");
            }
        }
        for &algorithm in SigningAlgorithm::ALL {
            for bytes in [b"".as_slice(), b"-----BEGIN PRIVATE KEY-----", &[0x30; 64]] {
                let read = SigningKey::from_pkcs8(algorithm, bytes).err();
                assert_eq!(read, Some(KeyError::Rejected(algorithm)));
            }
        }
    }

    #[test]
    fn the_public_jwk_has_the_members_of_its_kind_and_no_private_one() {
        for key in crate::keys::dev_keys::dev_keys().unwrap() {
            let jwk = serde_json::to_value(key.public_jwk()).unwrap();
            let mut members: Vec<_> = jwk
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            members.sort_unstable();
            let expected = match key.algorithm() {
                SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
                    vec!["alg", "e", "kid", "kty", "n", "use"]
                }
                SigningAlgorithm::ES256 | SigningAlgorithm::ES384 => {
                    vec!["alg", "crv", "kid", "kty", "use", "x", "y"]
                }
                SigningAlgorithm::EdDsa => vec!["alg", "crv", "kid", "kty", "use", "x"],
            };
            assert_eq!(members, expected);
            assert_eq!(jwk["use"], "sig");
            assert_eq!(jwk["kid"], key.kid());
            assert_eq!(jwk["alg"], key.algorithm().as_str());
            if jwk["kty"] == "RSA" {
                // Base64urlUInt has no leading zero octet: 256 octets are 342 characters.
                assert_eq!(jwk["n"].as_str().unwrap().len(), 342);
                assert_eq!(jwk["e"], "AQAB");
            }
        }
    }

    #[test]
    fn debug_output_shows_no_private_key() {
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey(EdDSA {})", key.kid())
        );
    }
}
