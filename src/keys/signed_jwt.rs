//! JWTs that others sign: client assertions, request objects, DPoP proofs, assertions of other
//! issuers ([RFC 7515 section 5.2], [RFC 8725]).
//!
//! What is wanted of one is said in [`Accepted`] before it is read. Then the keys of its signer
//! verify it, and give its claims, which say nothing yet: who, for whom and until when is the
//! caller's to check ([`JwtClaims`]).
//!
//! ```text
//! let jwt = SignedJwt::parse(text, &Accepted { algorithms: &allowed, types: &["JWT"], … })?;
//! let claims = jwt.verify(&keys)?;                // a client's or an issuer's keys
//! let claims = jwt.verify_with_secret(secret)?;   // a client's secret, under an HMAC
//! let (key, claims) = jwt.verify_with_embedded_key()?;  // a DPoP proof: its own `jwk`
//! ```
//!
//! **Invariant:** no key is used under an algorithm that is not both allowed and of its own kind.
//!
//! [RFC 7515 section 5.2]: https://www.rfc-editor.org/rfc/rfc7515#section-5.2
//! [RFC 8725]: https://www.rfc-editor.org/rfc/rfc8725

use aws_lc_rs::hmac;
use serde_json::{Map, Value};

use super::jwt::{JwtError, Members, Parts, decode};
use super::public_keys::{PublicKey, PublicKeySet};
use crate::oidc::jws_algorithm::JwsAlgorithm;
use crate::oidc::jwt_claims::JwtClaims;

/// What a JWT must be to be read.
#[derive(Clone, Copy, Debug)]
pub struct Accepted<'a> {
    /// The algorithms that its signer may use.
    pub algorithms: &'a [JwsAlgorithm],
    /// The values that `typ` may have, without `application/` and in any case of letters.
    pub types: &'a [&'a str],
    /// Whether `typ` must be there. It must where other JWTs of the same signer could be taken for
    /// this kind ([RFC 8725 section 3.11]).
    ///
    /// [RFC 8725 section 3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3.11
    pub requires_type: bool,
}

/// A JWT of the wanted form, whose signature has not been verified yet.
pub struct SignedJwt<'a> {
    parts: Parts<'a>,
    header: Map<String, Value>,
    algorithm: JwsAlgorithm,
    signature: Vec<u8>,
}

/// What is wrong with a JWT of somebody else, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignedJwtError {
    /// It is not a JWT, or its claims are not an object with distinct members.
    #[error(transparent)]
    Malformed(#[from] JwtError),
    /// Its `alg` is none that its signer may use.
    #[error("its algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// It has no public `jwk` in its header that fits its algorithm.
    #[error("its header has no usable public key")]
    NoEmbeddedKey,
    /// None of the keys fits its `kid` and `alg`.
    #[error("none of the keys fits it")]
    UnknownKey,
    /// The secret is too short for its algorithm.
    #[error("the secret is too short for its algorithm")]
    ShortSecret,
    /// None of the keys that fit made the signature.
    #[error("its signature is wrong")]
    WrongSignature,
}

impl<'a> SignedJwt<'a> {
    /// Reads a JWT as far as it can be read without a key.
    pub fn parse(text: &'a str, accepted: &Accepted<'_>) -> Result<Self, SignedJwtError> {
        let parts = Parts::split(text)?;
        let header = decode(parts.header)?;
        let header = serde_json::from_slice::<Members>(&header);
        let header = header.map_err(|_| JwtError::MalformedHeader)?.0;
        // RFC 7515 section 4.1.11: no extension is understood here, and RFC 7797's is none.
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(JwtError::CriticalExtension.into());
        }
        if !is_of_type(header.get("typ"), accepted) {
            return Err(JwtError::WrongType.into());
        }
        let algorithm = header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.and_then(|alg| alg.parse().ok());
        let algorithm = algorithm.filter(|algorithm| accepted.algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or(SignedJwtError::AlgorithmNotAllowed)?;
        if header.get("kid").is_some_and(|kid| !kid.is_string()) {
            return Err(JwtError::MalformedHeader.into());
        }
        let signature = decode(parts.signature)?;
        Ok(Self {
            parts,
            header,
            algorithm,
            signature,
        })
    }

    /// The key that it says it was signed with.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// The algorithm that it says it was signed under, which is an allowed one.
    #[must_use]
    pub fn algorithm(&self) -> JwsAlgorithm {
        self.algorithm
    }

    /// Its claims, if one of `keys` made the signature: the one that `kid` names, or without
    /// `kid` any that fits.
    pub fn verify(&self, keys: &PublicKeySet) -> Result<JwtClaims, SignedJwtError> {
        let mut candidates = keys.candidates(self.kid(), self.algorithm).peekable();
        if candidates.peek().is_none() {
            return Err(SignedJwtError::UnknownKey);
        }
        let signed = self.parts.signed.as_bytes();
        if !candidates.any(|key| key.verifies(self.algorithm, signed, &self.signature)) {
            return Err(SignedJwtError::WrongSignature);
        }
        self.claims()
    }

    /// Its claims, if `secret` made the signature by HMAC.
    pub fn verify_with_secret(&self, secret: &[u8]) -> Result<JwtClaims, SignedJwtError> {
        let hash = match self.algorithm {
            JwsAlgorithm::HS256 => hmac::HMAC_SHA256,
            JwsAlgorithm::HS384 => hmac::HMAC_SHA384,
            JwsAlgorithm::HS512 => hmac::HMAC_SHA512,
            _ => return Err(SignedJwtError::UnknownKey),
        };
        // RFC 7518 section 3.2.
        if secret.len() < self.algorithm.shortest_secret() {
            return Err(SignedJwtError::ShortSecret);
        }
        let key = hmac::Key::new(hash, secret);
        hmac::verify(&key, self.parts.signed.as_bytes(), &self.signature)
            .map_err(|_| SignedJwtError::WrongSignature)?;
        self.claims()
    }

    /// The public key in its header and its claims, if that key made the signature, as a DPoP
    /// proof has it ([RFC 9449 section 4.2]). Who owns the key is not known by that.
    ///
    /// [RFC 9449 section 4.2]: https://www.rfc-editor.org/rfc/rfc9449#section-4.2
    pub fn verify_with_embedded_key(&self) -> Result<(PublicKey, JwtClaims), SignedJwtError> {
        let jwk = self.header.get("jwk").and_then(Value::as_object);
        let key = jwk.and_then(PublicKey::from_jwk);
        let key = key.ok_or(SignedJwtError::NoEmbeddedKey)?;
        let signed = self.parts.signed.as_bytes();
        if !key.verifies(self.algorithm, signed, &self.signature) {
            return Err(SignedJwtError::WrongSignature);
        }
        Ok((key, self.claims()?))
    }

    fn claims(&self) -> Result<JwtClaims, SignedJwtError> {
        let claims = serde_json::from_slice::<Members>(&decode(self.parts.payload)?);
        let claims = claims.map_err(|_| JwtError::MalformedClaims)?;
        Ok(JwtClaims::new(claims.0))
    }
}

/// [RFC 7515 section 4.1.9](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9): a media type,
/// of which `application/` may be left out.
fn is_of_type(typ: Option<&Value>, accepted: &Accepted<'_>) -> bool {
    let Some(typ) = typ else {
        return !accepted.requires_type;
    };
    let Some(typ) = typ.as_str().map(str::to_ascii_lowercase) else {
        return false;
    };
    let short = typ.strip_prefix("application/").unwrap_or(&typ);
    let mut types = accepted.types.iter();
    types.any(|accepted| accepted.eq_ignore_ascii_case(short))
}

#[cfg(test)]
#[path = "signed_jwt_tests.rs"]
mod tests;
