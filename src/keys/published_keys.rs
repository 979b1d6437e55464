//! Public keys as a relying party or an API reads them from a JWKS endpoint
//! ([RFC 7517 section 5]).
//!
//! [RFC 7517 section 5]: https://www.rfc-editor.org/rfc/rfc7517#section-5

use std::fmt;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};

use super::KeyError;
use super::verified::Verified;
use crate::oidc::signing_algorithm::SigningAlgorithm;

/// The keys of a JWKS that verify signatures, each with its `kid` and its one algorithm.
pub struct PublishedKeys(Vec<(String, SigningAlgorithm, DecodingKey)>);

/// A public key and the one algorithm that it verifies.
#[derive(Clone, Copy)]
pub(super) struct VerificationKey<'a> {
    pub(super) algorithm: SigningAlgorithm,
    pub(super) decoding_key: &'a DecodingKey,
    /// What it verified before, where that is remembered.
    pub(super) verified: Option<&'a Verified>,
}

impl PublishedKeys {
    /// Reads a JWKS. Keys of other kinds, and such without `kid` or `alg`, are passed over.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        let set: JwkSet = serde_json::from_slice(json).map_err(|_| KeyError::MalformedJwks)?;
        Ok(Self(set.keys.iter().filter_map(understood).collect()))
    }

    pub(super) fn find(&self, kid: &str) -> Option<VerificationKey<'_>> {
        let (_, algorithm, decoding_key) = self.0.iter().find(|(own, ..)| own == kid)?;
        Some(VerificationKey {
            algorithm: *algorithm,
            decoding_key,
            verified: None,
        })
    }
}

fn understood(jwk: &Jwk) -> Option<(String, SigningAlgorithm, DecodingKey)> {
    let is_for_signatures = match &jwk.common.public_key_use {
        None | Some(PublicKeyUse::Signature) => true,
        Some(_) => false,
    };
    let algorithm = match jwk.common.key_algorithm? {
        KeyAlgorithm::RS256 => SigningAlgorithm::RS256,
        KeyAlgorithm::ES256 => SigningAlgorithm::ES256,
        KeyAlgorithm::EdDSA => SigningAlgorithm::EdDsa,
        KeyAlgorithm::PS256 => SigningAlgorithm::PS256,
        KeyAlgorithm::ES384 => SigningAlgorithm::ES384,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let kid = jwk.common.key_id.clone()?;
    is_for_signatures.then_some((kid, algorithm, key))
}

impl fmt::Debug for PublishedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids = self.0.iter().map(|(kid, ..)| kid);
        f.debug_list().entries(kids).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::keys::dev_keys::dev_keys;
    use crate::keys::jwt::{Expected, JwtError, TokenType, sign, verify_as_published};
    use crate::keys::keyset::{Keyset, ScheduledKey};
    use crate::oidc::timestamp::Timestamp;

    const EXPECTED: Expected<'_> = Expected {
        token_type: TokenType::AccessToken,
        issuer: "https://issuer.test",
        audience: Some("https://api.test"),
        now: Timestamp(1000),
        check_expiry: true,
    };

    /// Our own keys, as whoever fetches the JWKS knows them.
    fn published() -> PublishedKeys {
        let keys = dev_keys().unwrap().into_iter().map(|key| ScheduledKey {
            key: Arc::new(key),
            published_at: Timestamp(0),
            activates_at: Timestamp(0),
            retires_at: None,
            expires_at: None,
        });
        let jwks = Keyset::new(keys.collect()).jwks(Timestamp(1000));
        PublishedKeys::parse(&serde_json::to_vec(&jwks).unwrap()).unwrap()
    }

    #[test]
    fn what_was_signed_is_verified_with_the_published_keys_alone() {
        let published = published();
        let claims =
            json!({"iss": EXPECTED.issuer, "aud": EXPECTED.audience, "exp": 1001, "sub": "a"});
        for key in dev_keys().unwrap() {
            let token = sign(&key, TokenType::AccessToken, &claims).unwrap();
            let read = verify_as_published::<Value>(&published, &token, &EXPECTED);
            assert_eq!(read, Ok(claims.clone()));

            let id_token = sign(&key, TokenType::IdToken, &claims).unwrap();
            let refused = verify_as_published::<Value>(&published, &id_token, &EXPECTED);
            assert_eq!(refused, Err(JwtError::WrongType));

            let nobody = PublishedKeys::parse(br#"{"keys":[]}"#).unwrap();
            let refused = verify_as_published::<Value>(&nobody, &token, &EXPECTED);
            assert_eq!(refused, Err(JwtError::UnknownKey));
        }
    }

    #[test]
    fn keys_that_are_not_understood_are_passed_over() {
        let jwks = json!({"keys": [
            {"kty": "oct", "kid": "a", "alg": "HS256", "k": "c2VjcmV0"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "b",
             "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "c", "alg": "EdDSA", "use": "enc",
             "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "d", "alg": "EdDSA", "use": "sig",
             "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        ]});
        let keys = PublishedKeys::parse(jwks.to_string().as_bytes()).unwrap();
        assert_eq!(format!("{keys:?}"), r#"["d"]"#);
        for text in ["", "[]", "{}", r#"{"keys":{}}"#] {
            let refused = PublishedKeys::parse(text.as_bytes()).err();
            assert_eq!(refused, Some(KeyError::MalformedJwks), "{text}");
        }
    }
}
