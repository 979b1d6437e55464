//! Keys that every copy of Keyfob has, so that a development server starts at once and its tokens
//! outlive a restart.
//!
//! **Invariant:** they are no secret. Outside development they are neither signed with nor
//! published; [`is_dev_key`] is how the server knows them.

use super::KeyError;
use super::signing_key::SigningKey;
use crate::oidc::signing_algorithm::SigningAlgorithm;

/// The development keys: for each algorithm one to be active and one to be next, in that order.
///
/// Parsing them all takes less than a millisecond.
pub fn dev_keys() -> Result<Vec<SigningKey>, KeyError> {
    EMBEDDED
        .iter()
        .map(|(algorithm, der, _)| SigningKey::from_pkcs8(*algorithm, der))
        .collect()
}

/// Whether `kid` is that of a development key, which everybody can sign with.
#[must_use]
pub fn is_dev_key(kid: &str) -> bool {
    EMBEDDED.iter().any(|(_, _, thumbprint)| *thumbprint == kid)
}

/// Algorithm, PKCS#8 and thumbprint; the thumbprints are spelt out so that [`is_dev_key`] parses
/// nothing.
const EMBEDDED: &[(SigningAlgorithm, &[u8], &str)] = &[
    (
        SigningAlgorithm::RS256,
        include_bytes!("dev/rs256-active.der"),
        "8vQ4mKvM3C5lLchh8qe_uT9LetwgPjG3rXQNvf0HLBY",
    ),
    (
        SigningAlgorithm::RS256,
        include_bytes!("dev/rs256-next.der"),
        "5KC6QQs4_xGjoB1TIX_JpT6IyNh2ooNb0QTzJz_yDbU",
    ),
    (
        SigningAlgorithm::ES256,
        include_bytes!("dev/es256-active.der"),
        "J_KdLWQ8S-FhUTELhTFQ4LpDPc2YzrcVsIugWTQT-1o",
    ),
    (
        SigningAlgorithm::ES256,
        include_bytes!("dev/es256-next.der"),
        "gJqkJkPJJGJ120HJJA6OSdw0uAy9iY94CM9r9VMEqxY",
    ),
    (
        SigningAlgorithm::EdDsa,
        include_bytes!("dev/eddsa-active.der"),
        "3tPoifJ0i0NxM7pV2jXR0qVAcKF0IhN0mY0V_kgJ_lA",
    ),
    (
        SigningAlgorithm::EdDsa,
        include_bytes!("dev/eddsa-next.der"),
        "HKtM1ovRWnuuEob5PYuerFOvaZq71qrZx_D3PLojVW8",
    ),
    (
        SigningAlgorithm::PS256,
        include_bytes!("dev/ps256-active.der"),
        "DlbD7ROy0arHHJaye51VUMPnuH2CmHZWnfuUWIQjT6Q",
    ),
    (
        SigningAlgorithm::PS256,
        include_bytes!("dev/ps256-next.der"),
        "afz1fimLkhd9VzIL3tCe--iQnT9v7XYWmTaDRgfPHFk",
    ),
    (
        SigningAlgorithm::ES384,
        include_bytes!("dev/es384-active.der"),
        "G43zHhQxFqXH1M7yz2EFmZCEBbiLtpQvUyvncXjbSec",
    ),
    (
        SigningAlgorithm::ES384,
        include_bytes!("dev/es384-next.der"),
        "0Haq5-4Ovjc8m45YFYIUWxCFW0KMrNRE-I37gTKPa-o",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_development_key_is_known_as_one() {
        let keys = dev_keys().unwrap();
        for (key, (_, _, thumbprint)) in keys.iter().zip(EMBEDDED) {
            assert_eq!(key.kid(), *thumbprint);
            assert!(is_dev_key(key.kid()));
        }
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/keys/dev");
        let files = std::fs::read_dir(directory).unwrap().count();
        assert_eq!(files, keys.len());
    }

    #[test]
    fn there_are_two_different_development_keys_for_each_algorithm() {
        let keys = dev_keys().unwrap();
        for &algorithm in SigningAlgorithm::ALL {
            let mut of_it = keys.iter().filter(|key| key.algorithm() == algorithm);
            let (active, next) = (of_it.next().unwrap(), of_it.next().unwrap());
            assert_ne!(active.kid(), next.kid());
            assert!(of_it.next().is_none());
        }
    }

    #[test]
    fn a_generated_key_is_no_development_key() {
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        assert!(!is_dev_key(key.kid()));
        assert!(!is_dev_key(""));
    }
}
