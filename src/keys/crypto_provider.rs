//! The cryptography behind `jsonwebtoken`: its own, with keys that are parsed once and kept.
//!
//! `jsonwebtoken` is given a key as bytes and parses them anew at each signature. Measured, an RS256
//! signature then takes 1.6 to 2.7 times as long, of ES256 and EdDSA 1.6 times. Its `CryptoProvider` is a pair of plain functions
//! installed once in a process, so the parsed keys have to be found from there: hence the one
//! static map of this crate. It is addressed by content (the SHA-256 of the key's bytes), so it
//! cannot confuse two providers in one process, and an entry lives exactly as long as the
//! [`SigningKey`] that made it. A key that is not in it goes the slow way; so does every key if
//! somebody else installed their `CryptoProvider` first.
//!
//! Public keys are not kept. Measured, a parsed one saves 2 of 18 µs with RS256 and nothing with
//! ES256 and EdDSA.
//!
//! [`SigningKey`]: super::signing_key::SigningKey

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock, Weak};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, aws_lc};
use jsonwebtoken::signature::{Error, Signer};
use jsonwebtoken::{Algorithm, EncodingKey, errors};
use sha2::{Digest as _, Sha256};

use super::key_pair::KeyPair;
use crate::oidc::signing_algorithm::SigningAlgorithm;

/// A parsed key that `jsonwebtoken` finds for as long as this value lives.
pub(super) struct KeptKey {
    pair: KeyPair,
    address: Address,
}

/// Lets `jsonwebtoken` find `pair` by the bytes of the key that it is given.
pub(super) fn keep(pair: KeyPair, encoding_key: &EncodingKey) -> Arc<KeptKey> {
    // If another one is installed already, it stays, and signing is slower but right.
    let _ = LazyLock::force(&PROVIDER).install_default();

    let address = address(encoding_key.as_bytes());
    let kept = Arc::new(KeptKey { pair, address });
    let mut keys = KEYS.write().unwrap_or_else(PoisonError::into_inner);
    let same = keys.entry(address).or_default();
    same.push(Arc::downgrade(&kept));
    kept
}

impl Drop for KeptKey {
    fn drop(&mut self) {
        let mut keys = KEYS.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = keys.get_mut(&self.address) {
            same.retain(|kept| kept.strong_count() > 0);
            if same.is_empty() {
                keys.remove(&self.address);
            }
        }
    }
}

/// The name of `algorithm` in `jsonwebtoken`.
pub(super) fn named(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::RS256 => Algorithm::RS256,
        SigningAlgorithm::ES256 => Algorithm::ES256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
        SigningAlgorithm::PS256 => Algorithm::PS256,
        SigningAlgorithm::ES384 => Algorithm::ES384,
    }
}

impl Signer<Vec<u8>> for Found {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.pair.sign(message).map_err(Error::from_source)
    }
}

impl JwtSigner for Found {
    fn algorithm(&self) -> Algorithm {
        named(self.0.pair.algorithm())
    }
}

/// A kept key, as `jsonwebtoken` uses it.
struct Found(Arc<KeptKey>);

type Address = [u8; 32];

/// Several at one address are the same key, read more than once: by two providers, say.
static KEYS: RwLock<BTreeMap<Address, Vec<Weak<KeptKey>>>> = RwLock::new(BTreeMap::new());

static PROVIDER: LazyLock<CryptoProvider> = LazyLock::new(|| CryptoProvider {
    signer_factory,
    verifier_factory: aws_lc::DEFAULT_PROVIDER.verifier_factory,
    key_utils: aws_lc::DEFAULT_PROVIDER.key_utils.clone(),
});

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that jsonwebtoken asks for"
)]
fn signer_factory(
    algorithm: &Algorithm,
    key: &EncodingKey,
) -> Result<Box<dyn JwtSigner>, errors::Error> {
    match find(*algorithm, key.as_bytes()) {
        Some(found) => Ok(Box::new(found)),
        None => (aws_lc::DEFAULT_PROVIDER.signer_factory)(algorithm, key),
    }
}

/// The kept key with these bytes, if it is for `algorithm`: under any other, such as HS256, the
/// same bytes are not that key.
fn find(algorithm: Algorithm, bytes: &[u8]) -> Option<Found> {
    let keys = KEYS.read().unwrap_or_else(PoisonError::into_inner);
    let same = keys.get(&address(bytes));
    let found = same.and_then(|same| same.iter().find_map(Weak::upgrade));
    // Dropping a key takes the lock for writing, so none may be dropped while it is held.
    drop(keys);
    found
        .map(Found)
        .filter(|found| found.algorithm() == algorithm)
}

fn address(bytes: &[u8]) -> Address {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::signing_key::SigningKey;

    fn is_kept(bytes: &[u8]) -> bool {
        KEYS.read().unwrap().contains_key(&address(bytes))
    }

    #[test]
    fn a_key_is_kept_for_as_long_as_a_signing_key_needs_it() {
        let first = SigningKey::generate(SigningAlgorithm::ES256).unwrap();
        let second = SigningKey::from_pkcs8(SigningAlgorithm::ES256, first.to_pkcs8()).unwrap();
        let bytes = first.encoding_key().as_bytes().to_vec();
        let third = SigningKey::from_pkcs8(SigningAlgorithm::ES256, first.to_pkcs8()).unwrap();
        drop((first, third));
        assert!(is_kept(&bytes), "the second one lives");
        drop(second);
        assert!(!is_kept(&bytes));
    }

    #[test]
    fn a_kept_key_signs_under_its_own_algorithm_alone() {
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        let bytes = key.encoding_key().as_bytes();
        assert!(find(Algorithm::EdDSA, bytes).is_some());
        for other in [Algorithm::HS256, Algorithm::ES256, Algorithm::RS256] {
            assert!(find(other, bytes).is_none(), "{other:?}");
        }
    }

    #[test]
    fn without_the_kept_key_jsonwebtoken_signs_too() {
        for key in crate::keys::dev_keys::dev_keys().unwrap() {
            let algorithm = named(key.algorithm());
            let slow = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&algorithm, key.encoding_key());
            let kept = find(algorithm, key.encoding_key().as_bytes()).unwrap();
            for signer in [slow.unwrap(), Box::new(kept)] {
                let signature = signer.try_sign(b"message").unwrap();
                let slow =
                    (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&algorithm, key.decoding_key());
                slow.unwrap().verify(b"message", &signature).unwrap();
            }
        }
    }
}
