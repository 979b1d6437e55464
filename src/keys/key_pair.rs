//! Private keys, parsed once: what aws-lc-rs makes of PKCS#8, one type for all algorithms.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::OsRng;
use zeroize::Zeroizing;

use super::KeyError;
use super::jwk::PublicParameters;
use crate::oidc::signing_algorithm::SigningAlgorithm;

/// A private key that is ready to sign, under one algorithm.
pub(super) struct KeyPair {
    algorithm: SigningAlgorithm,
    kind: Kind,
}

enum Kind {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    /// Parses and checks a PKCS#8 private key.
    pub(super) fn from_pkcs8(algorithm: SigningAlgorithm, der: &[u8]) -> Result<Self, KeyError> {
        let kind = match algorithm {
            SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
                RsaKeyPair::from_pkcs8(der).map(Kind::Rsa)
            }
            SigningAlgorithm::ES256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Kind::Ecdsa)
            }
            SigningAlgorithm::ES384 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der).map(Kind::Ecdsa)
            }
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Kind::Ed25519),
        };
        let kind = kind.map_err(|_| KeyError::Rejected(algorithm))?;
        Ok(Self { algorithm, kind })
    }

    /// The algorithm that the key is for.
    pub(super) fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public key as verifiers read it: PKCS#1 DER of an RSA key, the uncompressed point of
    /// an elliptic curve key, the 32 bytes of an Ed25519 key.
    pub(super) fn public_key(&self) -> &[u8] {
        match &self.kind {
            Kind::Rsa(pair) => pair.public_key().as_ref(),
            Kind::Ecdsa(pair) => pair.public_key().as_ref(),
            Kind::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    /// The public key as a JWK has it.
    pub(super) fn public_parameters(&self) -> Result<PublicParameters, KeyError> {
        let rejected = || KeyError::Rejected(self.algorithm);
        match &self.kind {
            Kind::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                Ok(PublicParameters::Rsa {
                    n: URL_SAFE_NO_PAD.encode(public.n),
                    e: URL_SAFE_NO_PAD.encode(public.e),
                })
            }
            Kind::Ecdsa(_) => {
                let crv = match self.algorithm {
                    SigningAlgorithm::ES384 => "P-384",
                    _ => "P-256",
                };
                // SEC 1 section 2.3.3: 4, x, y.
                let coordinates = self.public_key().strip_prefix(&[4]).ok_or_else(rejected)?;
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                Ok(PublicParameters::EllipticCurve {
                    crv,
                    x: URL_SAFE_NO_PAD.encode(x),
                    y: URL_SAFE_NO_PAD.encode(y),
                })
            }
            Kind::Ed25519(_) => Ok(PublicParameters::OctetKeyPair {
                crv: "Ed25519",
                x: URL_SAFE_NO_PAD.encode(self.public_key()),
            }),
        }
    }

    /// The signature of `message` as [RFC 7518 section 3] and [RFC 8037 section 3.1] have it.
    ///
    /// [RFC 7518 section 3]: https://www.rfc-editor.org/rfc/rfc7518#section-3
    /// [RFC 8037 section 3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        // aws-lc-rs takes a source of randomness for likeness with ring, and uses its own.
        let random = SystemRandom::new();
        match &self.kind {
            Kind::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match self.algorithm {
                    SigningAlgorithm::PS256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)?;
                Ok(signature)
            }
            Kind::Ecdsa(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Kind::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }
}

/// A new private key in PKCS#8.
pub(super) fn generate(algorithm: SigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = || KeyError::Generation(algorithm);
    let random = SystemRandom::new();
    let document = match algorithm {
        SigningAlgorithm::RS256 | SigningAlgorithm::PS256 => {
            let key = RsaPrivateKey::new(&mut OsRng, RSA_BITS).map_err(|_| failed())?;
            let document = key.to_pkcs8_der().map_err(|_| failed())?;
            return Ok(Zeroizing::new(document.as_bytes().to_vec()));
        }
        SigningAlgorithm::ES256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        }
        SigningAlgorithm::ES384 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random)
        }
        // Version 1 is what OpenSSL reads and writes.
        SigningAlgorithm::EdDsa => Ed25519KeyPair::generate_pkcs8v1(&random),
    };
    let document = document.map_err(|_| failed())?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// The shortest that RS256 and PS256 allow ([RFC 7518 sections 3.3 and 3.5]), and the quickest.
///
/// [RFC 7518 sections 3.3 and 3.5]: https://www.rfc-editor.org/rfc/rfc7518#section-3.3
const RSA_BITS: usize = 2048;
