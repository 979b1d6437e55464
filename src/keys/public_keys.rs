//! The public keys of others: of clients, and of issuers whose assertions count
//! ([RFC 7517], [RFC 7518 section 6], [RFC 8037 section 2]).
//!
//! Those that Keyfob encrypts with are in `encryption_key`.
//!
//! **Invariant:** a key verifies under the algorithms of its own kind alone, and never under an
//! HMAC: a public key is no secret.
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7518 section 6]: https://www.rfc-editor.org/rfc/rfc7518#section-6
//! [RFC 8037 section 2]: https://www.rfc-editor.org/rfc/rfc8037#section-2

use std::fmt;

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::encryption_key::EncryptionKey;
use super::jwk::PublicParameters;
use crate::oidc::encryption_algorithm::KeyManagementAlgorithm;
use crate::oidc::jwks::Jwks;
use crate::oidc::jws_algorithm::JwsAlgorithm;

/// Public keys, of which some verify signatures and some encrypt.
#[derive(Debug, Default)]
pub struct PublicKeySet {
    keys: Vec<PublicKey>,
    encryption_keys: Vec<EncryptionKey>,
}

/// A public key that verifies signatures.
pub struct PublicKey {
    kid: Option<String>,
    /// The one algorithm that it is for, where it says so.
    algorithm: Option<JwsAlgorithm>,
    material: Material,
    thumbprint: String,
    /// The certificate's DER in `x5c`, the key's own first.
    certificate: Option<Vec<u8>>,
}

enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    EllipticCurve(Curve, ParsedPublicKey),
    Ed25519(ParsedPublicKey),
}

/// A curve of keys that sign or agree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

/// Why a JWK Set is refused as a whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PublicKeySetError {
    /// It is not an object with a list of objects.
    #[error("it is not a JWK Set")]
    NotASet,
    /// It has more keys than anybody needs.
    #[error("it has more than {MOST_KEYS} keys")]
    TooMany,
    /// It shows a secret: a private or a symmetric key.
    #[error("it has a private or a symmetric key in it, which is no secret any more")]
    SecretKey,
}

impl PublicKeySet {
    /// Reads a document that was fetched.
    pub fn parse(json: &[u8]) -> Result<Self, PublicKeySetError> {
        let jwks = serde_json::from_slice::<Jwks>(json);
        Self::from_jwks(&jwks.map_err(|_| PublicKeySetError::NotASet)?)
    }

    /// Reads the keys of a JWK Set. Those of another kind or use, such that are too short, and
    /// such that are malformed are passed over ([RFC 7517 section 5]).
    ///
    /// [RFC 7517 section 5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
    pub fn from_jwks(jwks: &Jwks) -> Result<Self, PublicKeySetError> {
        let keys = jwks.members().get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(PublicKeySetError::NotASet)?;
        if keys.len() > MOST_KEYS {
            return Err(PublicKeySetError::TooMany);
        }
        let keys = keys.iter().filter_map(Value::as_object);
        if keys.clone().any(shows_secret) {
            return Err(PublicKeySetError::SecretKey);
        }
        Ok(Self {
            keys: keys.clone().filter_map(PublicKey::from_jwk).collect(),
            encryption_keys: keys.filter_map(EncryptionKey::from_jwk).collect(),
        })
    }

    /// Whether no key of it verifies signatures.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key to encrypt with under `algorithm`.
    #[must_use]
    pub fn encryption_key(&self, algorithm: KeyManagementAlgorithm) -> Option<&EncryptionKey> {
        EncryptionKey::choose(&self.encryption_keys, algorithm)
    }

    /// Whether one of its keys can verify under `algorithm`.
    #[must_use]
    pub fn has_key_for(&self, algorithm: JwsAlgorithm) -> bool {
        self.keys.iter().any(|key| key.fits(algorithm))
    }

    /// Whether `certificate` in DER is registered with one of the keys, in its `x5c`
    /// ([RFC 8705 section 2.2]).
    ///
    /// [RFC 8705 section 2.2]: https://www.rfc-editor.org/rfc/rfc8705#section-2.2
    #[must_use]
    pub fn has_certificate(&self, certificate: &[u8]) -> bool {
        let mut certificates = self.keys.iter().map(|key| key.certificate.as_deref());
        certificates.any(|own| own == Some(certificate))
    }

    /// The keys that may have signed under `algorithm`: those that `kid` names or, without one,
    /// all that fit, up to a few.
    pub(super) fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: JwsAlgorithm,
    ) -> impl Iterator<Item = &'a PublicKey> {
        let is_named = move |key: &&PublicKey| kid.is_none() || key.kid.as_deref() == kid;
        let named = self.keys.iter().filter(is_named);
        named
            .filter(move |key| key.fits(algorithm))
            .take(MOST_TRIED)
    }
}

impl PublicKey {
    /// Reads a JWK; `None` if it is no public key that verifies signatures here.
    #[must_use]
    pub fn from_jwk(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if shows_secret(jwk) || !is_for_verification(jwk) {
            return None;
        }
        let (material, parameters) = match text("kty")? {
            "RSA" => rsa(text("n")?, text("e")?)?,
            "EC" => elliptic_curve(text("crv")?, text("x")?, text("y")?)?,
            "OKP" => ed25519(text("crv")?, text("x")?)?,
            _ => return None,
        };
        let algorithm = match jwk.get("alg") {
            None => None,
            Some(alg) => Some(alg.as_str()?.parse().ok()?),
        };
        let key = Self {
            kid: text("kid").map(str::to_owned),
            algorithm,
            material,
            thumbprint: parameters.thumbprint(),
            certificate: certificate(jwk),
        };
        let is_consistent = algorithm.is_none_or(|algorithm| key.fits(algorithm));
        is_consistent.then_some(key)
    }

    /// Its SHA-256 thumbprint ([RFC 7638]).
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Whether it may verify under `algorithm`.
    fn fits(&self, algorithm: JwsAlgorithm) -> bool {
        let is_of_kind = match &self.material {
            Material::Rsa(_) => rsa_parameters(algorithm).is_some(),
            Material::EllipticCurve(curve, _) => curve.algorithm() == algorithm,
            Material::Ed25519(_) => algorithm == JwsAlgorithm::EdDsa,
        };
        is_of_kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Whether it made `signature` over `message` under `algorithm`.
    pub(super) fn verifies(
        &self,
        algorithm: JwsAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        match &self.material {
            Material::Rsa(components) => rsa_parameters(algorithm)
                .is_some_and(|it| components.verify(it, message, signature).is_ok()),
            Material::EllipticCurve(_, key) | Material::Ed25519(key) => {
                key.verify_sig(message, signature).is_ok()
            }
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.thumbprint)
    }
}

impl Curve {
    pub(super) const ALL: &[Self] = &[Self::P256, Self::P384, Self::P521];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The length of a coordinate.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    const fn algorithm(self) -> JwsAlgorithm {
        match self {
            Self::P256 => JwsAlgorithm::ES256,
            Self::P384 => JwsAlgorithm::ES384,
            Self::P521 => JwsAlgorithm::ES512,
        }
    }

    pub(super) fn agreement(self) -> &'static agreement::Algorithm {
        match self {
            Self::P256 => &ECDH_P256,
            Self::P384 => &ECDH_P384,
            Self::P521 => &ECDH_P521,
        }
    }

    fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED,
            Self::P384 => &ECDSA_P384_SHA384_FIXED,
            Self::P521 => &ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// Whether a JWK has a member that only the key's owner may know.
fn shows_secret(jwk: &Map<String, Value>) -> bool {
    let has = |name: &&str| jwk.contains_key(*name);
    SECRET_MEMBERS.iter().any(has) || jwk.get("kty").is_some_and(|kty| kty == "oct")
}

/// Whether `use` and `key_ops`, where they are there, say that it verifies signatures
/// ([RFC 7517 section 4.2], [RFC 7517 section 4.3]).
///
/// [RFC 7517 section 4.2]: https://www.rfc-editor.org/rfc/rfc7517#section-4.2
/// [RFC 7517 section 4.3]: https://www.rfc-editor.org/rfc/rfc7517#section-4.3
fn is_for_verification(jwk: &Map<String, Value>) -> bool {
    let is_for_signatures = jwk.get("use").is_none_or(|key_use| key_use == "sig");
    let verifies = jwk.get("key_ops").is_none_or(|operations| {
        let operations = operations.as_array();
        operations.is_some_and(|it| it.iter().any(|operation| operation == "verify"))
    });
    is_for_signatures && verifies
}

fn rsa(n: &str, e: &str) -> Option<(Material, PublicParameters)> {
    let parameters = PublicParameters::Rsa {
        n: n.to_owned(),
        e: e.to_owned(),
    };
    Some((Material::Rsa(rsa_components(n, e)?), parameters))
}

/// An RSA key of a sound length.
pub(super) fn rsa_components(n: &str, e: &str) -> Option<RsaPublicKeyComponents<Vec<u8>>> {
    let components = RsaPublicKeyComponents {
        n: URL_SAFE_NO_PAD.decode(n).ok()?,
        e: URL_SAFE_NO_PAD.decode(e).ok()?,
    };
    // RFC 7518 section 6.3.1.1: no leading zero, so that a key has one thumbprint.
    let leading = *components.n.first()?;
    let unused = usize::try_from(leading.leading_zeros()).ok()?;
    let bits = components.n.len() * 8 - unused;
    let exponent = &components.e;
    let is_sound = leading != 0
        && RSA_BITS.contains(&bits)
        && (1..=5).contains(&exponent.len())
        && exponent[0] != 0
        && exponent.last().is_some_and(|last| last % 2 == 1)
        && exponent.as_slice() != [1];
    is_sound.then_some(components)
}

fn elliptic_curve(crv: &str, x: &str, y: &str) -> Option<(Material, PublicParameters)> {
    let (curve, point) = curve_point(crv, x, y)?;
    // This also finds out whether the point is on the curve.
    let key = ParsedPublicKey::new(curve.verification(), &point).ok()?;
    let parameters = PublicParameters::EllipticCurve {
        crv: curve.name(),
        x: x.to_owned(),
        y: y.to_owned(),
    };
    Some((Material::EllipticCurve(curve, key), parameters))
}

/// A curve and what may be a point on it, as SEC 1 section 2.3.3 writes it.
pub(super) fn curve_point(crv: &str, x: &str, y: &str) -> Option<(Curve, Vec<u8>)> {
    let curve = *Curve::ALL.iter().find(|curve| curve.name() == crv)?;
    let mut point = vec![4];
    for coordinate in [x, y] {
        let coordinate = URL_SAFE_NO_PAD.decode(coordinate).ok()?;
        // RFC 7518 section 6.2.1.2: the full size of a coordinate.
        if coordinate.len() != curve.length() {
            return None;
        }
        point.extend(coordinate);
    }
    Some((curve, point))
}

fn ed25519(crv: &str, x: &str) -> Option<(Material, PublicParameters)> {
    let key = URL_SAFE_NO_PAD.decode(x).ok()?;
    if crv != "Ed25519" || key.len() != 32 {
        return None;
    }
    let parameters = PublicParameters::OctetKeyPair {
        crv: "Ed25519",
        x: x.to_owned(),
    };
    let key = ParsedPublicKey::new(&ED25519, &key).ok()?;
    Some((Material::Ed25519(key), parameters))
}

/// The first certificate of `x5c`, which is in base64 and not base64url
/// ([RFC 7517 section 4.7]).
///
/// [RFC 7517 section 4.7]: https://www.rfc-editor.org/rfc/rfc7517#section-4.7
fn certificate(jwk: &Map<String, Value>) -> Option<Vec<u8>> {
    use base64::engine::general_purpose::STANDARD;
    let chain = jwk.get("x5c").and_then(Value::as_array)?;
    STANDARD.decode(chain.first()?.as_str()?).ok()
}

fn rsa_parameters(algorithm: JwsAlgorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        JwsAlgorithm::RS256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        JwsAlgorithm::RS384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        JwsAlgorithm::RS512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        JwsAlgorithm::PS256 => Some(&RSA_PSS_2048_8192_SHA256),
        JwsAlgorithm::PS384 => Some(&RSA_PSS_2048_8192_SHA384),
        JwsAlgorithm::PS512 => Some(&RSA_PSS_2048_8192_SHA512),
        JwsAlgorithm::ES256
        | JwsAlgorithm::ES384
        | JwsAlgorithm::ES512
        | JwsAlgorithm::EdDsa
        | JwsAlgorithm::HS256
        | JwsAlgorithm::HS384
        | JwsAlgorithm::HS512 => None,
    }
}

/// The most keys of a set.
pub const MOST_KEYS: usize = 50;

/// How many keys are tried for a signature that names none.
const MOST_TRIED: usize = 10;

/// [RFC 7518 section 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3) wants 2048 bits;
/// longer ones than these cost more than they give.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

const SECRET_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[cfg(test)]
#[path = "public_keys_tests.rs"]
mod tests;
