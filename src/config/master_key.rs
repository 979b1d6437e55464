//! The master key, which is never shown.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::mistake::Wrong;
use super::reader::HIDDEN;
use super::source::Raw;
use super::value::{Value, quoted, text};

/// The master key under which the signing keys are kept: 32 random bytes, never shown.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl Value for MasterKey {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let make = "make one with: openssl rand -base64 32";
        let text = text(raw)?.trim();
        let bytes = Zeroizing::new(
            decode(text).ok_or_else(|| Wrong::new("is neither base64 nor hexadecimal", make))?,
        );
        let bytes: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| Wrong::new(format!("is {} bytes long and not 32", bytes.len()), make))?;
        let bytes = Zeroizing::new(bytes);
        let mut distinct = bytes.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        // 32 random bytes have 30 different values; fewer than 16 do not happen to them.
        if distinct.len() < 16 {
            return Err(Wrong::new("is not random: it repeats itself", make));
        }
        Ok(Self(bytes))
    }

    fn to_toml(&self) -> String {
        quoted(HIDDEN)
    }

    fn is_secret(&self) -> bool {
        true
    }
}

/// Decodes 64 hexadecimal digits, or base64 of either alphabet with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        let pairs = (0..text.len()).step_by(2);
        return pairs
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
            .collect();
    }
    let bare = text.trim_end_matches('=');
    STANDARD_NO_PAD
        .decode(bare)
        .or_else(|_| URL_SAFE_NO_PAD.decode(bare))
        .ok()
}
