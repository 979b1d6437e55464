//! Signatures that were found good before.
//!
//! An API asks about one token again and again. Whether a signature is a key's never changes, so
//! it is enough to remember, for a while, the digests of the tokens whose signature was verified.

use std::collections::HashSet;
use std::fmt;
use std::mem;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

/// The tokens that one key is known to have signed: some of the latest.
#[derive(Default)]
pub(super) struct Verified(Mutex<Generations>);

/// What was seen lately, and what was seen before that and not since.
#[derive(Default)]
struct Generations {
    young: HashSet<TokenDigest>,
    old: HashSet<TokenDigest>,
}

/// The SHA-256 of a token, with its signature.
pub(super) type TokenDigest = [u8; 32];

/// The digest of the token that consists of these two parts, with a dot between them.
pub(super) fn digest(signed: &str, signature: &str) -> TokenDigest {
    Sha256::new()
        .chain_update(signed)
        .chain_update(".")
        .chain_update(signature)
        .finalize()
        .into()
}

impl Verified {
    /// Whether the key is known to have signed this token.
    pub(super) fn contains(&self, token: &TokenDigest) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.young.contains(token) {
            return true;
        }
        let is_known = known.old.remove(token);
        if is_known {
            known.remember(*token);
        }
        is_known
    }

    /// Remembers that the key signed this token.
    pub(super) fn insert(&self, token: TokenDigest) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remember(token);
    }
}

impl Generations {
    fn remember(&mut self, token: TokenDigest) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(token);
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified")
    }
}

/// How many tokens make a generation. Two of them take half a megabyte.
const GENERATION: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: usize) -> TokenDigest {
        digest("header.payload", &number.to_string())
    }

    #[test]
    fn what_is_asked_for_stays_and_what_is_not_is_forgotten() {
        let verified = Verified::default();
        assert!(!verified.contains(&token(0)));
        verified.insert(token(0));
        verified.insert(token(1));
        for number in 2..3 * GENERATION {
            verified.insert(token(number));
            assert!(verified.contains(&token(0)), "{number}");
        }
        assert!(!verified.contains(&token(1)));
        let known = verified.0.lock().unwrap();
        assert!(known.young.len() <= GENERATION && known.old.len() <= GENERATION);
    }

    #[test]
    fn every_part_of_a_token_counts() {
        let own = digest("a.b", "c");
        for (signed, signature) in [("a.b", "d"), ("a.d", "c"), ("a.b.c", ""), ("a", "b.c")] {
            let is_other = digest(signed, signature) != own;
            assert_eq!(is_other, format!("{signed}.{signature}") != "a.b.c");
        }
    }
}
