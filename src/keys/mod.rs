//! The keyset: the keys that sign tokens, the tokens themselves, and the master key that seals
//! what is secret in the store.
//!
//! **Invariant:** private keys leave this module only sealed or as PKCS#8 in [`Zeroizing`] memory;
//! `rsa`, `jsonwebtoken` and `aws_lc_rs` are named nowhere else.
//!
//! [`Zeroizing`]: zeroize::Zeroizing

pub mod certificate;
pub mod dev_keys;
pub mod encryption_key;
pub mod jwe;
pub mod jwk;
pub mod jwt;
pub mod keyset;
pub mod master_key;
pub mod public_keys;
pub mod published_keys;
pub mod rotation;
pub mod signed_jwt;
pub mod signing_key;

mod crypto_provider;
mod key_pair;
mod verified;

use crate::oidc::encryption_algorithm::KeyManagementAlgorithm;
use crate::oidc::signing_algorithm::SigningAlgorithm;

/// Why an operation with a key failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// The text is not 256 bits in base64 or hexadecimal.
    #[error(
        "a master key is 32 bytes in base64 or hexadecimal, as `openssl rand -base64 32` makes"
    )]
    MalformedMasterKey,
    /// The text is not an envelope of [`master_key::MasterKey::seal`].
    #[error("not a sealed value")]
    MalformedEnvelope,
    /// Another master key sealed the value, or it was sealed in another context, or changed since.
    #[error("the sealed value cannot be opened with this master key")]
    Unopenable,
    /// The cipher refused to seal.
    #[error("sealing failed")]
    Sealing,
    /// No key could be generated.
    #[error("generating an {0} key failed")]
    Generation(SigningAlgorithm),
    /// The bytes are not a PKCS#8 private key that fits the algorithm.
    #[error("not a PKCS#8 private key for {0}")]
    Rejected(SigningAlgorithm),
    /// The document is not a JWK set.
    #[error("not a JWK set")]
    MalformedJwks,
    /// Nothing could be encrypted.
    #[error("encrypting under {0} failed")]
    Encryption(KeyManagementAlgorithm),
    /// The claims cannot be written as JSON, or the signature failed.
    #[error("signing with an {0} key failed")]
    Signing(SigningAlgorithm),
}
