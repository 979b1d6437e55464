//! The master key: seals the secrets in the store, and is what every other symmetric key comes of.
//!
//! Values are sealed by AES-256-GCM; keys are derived by HKDF-SHA256 ([RFC 5869]).
//!
//! **Invariant:** the master key itself is used for derivation alone, so no two uses share a key.
//!
//! [RFC 5869]: https://www.rfc-editor.org/rfc/rfc5869

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::KeyError;

/// The 256 bits that only the operator holds.
pub struct MasterKey(Zeroizing<[u8; LENGTH]>);

impl MasterKey {
    /// Reads a key as an operator keeps it: 32 bytes in standard base64 or base64url, padded or
    /// not, or in hexadecimal, with any whitespace around it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        // 64 characters of base64 would be 48 bytes: the two readings cannot be confused.
        let decoded = if text.len() == 2 * LENGTH {
            decode_hexadecimal(text)
        } else {
            let text = text.strip_suffix('=').unwrap_or(text);
            let decoded = URL_SAFE_NO_PAD.decode(text);
            decoded.or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
        };
        let bytes = Zeroizing::new(decoded.ok_or(KeyError::MalformedMasterKey)?);
        if bytes.len() != LENGTH {
            return Err(KeyError::MalformedMasterKey);
        }
        let mut key = Zeroizing::new([0; LENGTH]);
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// The key of these random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The text to keep in a file, in the form of `openssl rand -base64 32`.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// Encrypts `plaintext` for the store: `v1.` and the base64url of nonce, ciphertext and tag.
    ///
    /// `context` says where the value belongs, such as `signing_keys:<kid>`. It is not stored in
    /// the envelope but must be given again to open it, so that a sealed value that is moved to
    /// another row or column does not open.
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Result<String, KeyError> {
        // On success this holds the ciphertext; on failure it may hold plaintext, hence zeroized.
        let mut in_out =
            Zeroizing::new(Vec::with_capacity(plaintext.len() + AES_256_GCM.tag_len()));
        in_out.extend_from_slice(plaintext);
        let nonce = self
            .sealing_key()?
            .seal_in_place_append_tag(Aad::from(context), &mut *in_out)
            .map_err(|_| KeyError::Sealing)?;
        let envelope = [nonce.as_ref().as_slice(), &in_out].concat();
        Ok(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(envelope)))
    }

    /// Decrypts what [`Self::seal`] made in the same `context`.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let encoded = sealed
            .strip_prefix(VERSION)
            .ok_or(KeyError::MalformedEnvelope)?;
        let envelope = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| KeyError::MalformedEnvelope)?;
        let (nonce, ciphertext) = envelope
            .split_at_checked(NONCE_LEN)
            .ok_or(KeyError::MalformedEnvelope)?;
        let nonce =
            Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::MalformedEnvelope)?;
        let mut in_out = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .sealing_key()?
            .open_in_place(nonce, Aad::from(context), &mut in_out)
            .map_err(|_| KeyError::Unopenable)?
            .len();
        in_out.truncate(length);
        Ok(in_out)
    }

    /// The key for one purpose, which `label` names.
    #[must_use]
    pub fn derive(&self, label: &str) -> DerivedKey {
        DerivedKey::of_bytes(&*self.expand::<LENGTH>(label))
    }

    /// What the store keeps of the key, so that another one is refused before it is used: 16 bytes
    /// that say nothing about it, as base64url.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.expand::<16>("fingerprint").as_slice())
    }

    fn sealing_key(&self) -> Result<RandomizedNonceKey, KeyError> {
        // Random nonces of 96 bits are safe for 2^32 values under one key: far more than a store
        // has signing keys.
        let bytes = self.expand::<LENGTH>("seal");
        RandomizedNonceKey::new(&AES_256_GCM, &*bytes).map_err(|_| KeyError::Sealing)
    }

    #[expect(
        clippy::expect_used,
        reason = "HKDF fails only beyond 255 blocks of 32 bytes, and no caller asks for more than one"
    )]
    fn expand<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        let info = [b"keyfob v1 ".as_slice(), label.as_bytes()];
        let mut bytes = Zeroizing::new([0; N]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(&*self.0)
            .expand(&info, OutputLength(N))
            .and_then(|output| output.fill(&mut *bytes))
            .expect("one block of HKDF output");
        bytes
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// A key for authentication tags (HMAC-SHA256): derived from the master key, or of secret bytes
/// that it seals.
pub struct DerivedKey(hmac::Key);

impl DerivedKey {
    /// The key of these secret bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The tag of `parts`, as a sequence: parts cannot run into each other, because the length of
    /// each is part of what is authenticated.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            // usize is at most 64 bits wide on every platform that Rust has.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether `tag` is the tag of `parts`, in time that does not depend on where it differs.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.tag(parts).ct_eq(tag).into()
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey(…)")
    }
}

/// How many bytes HKDF shall give.
struct OutputLength(usize);

impl hkdf::KeyType for OutputLength {
    fn len(&self) -> usize {
        self.0
    }
}

fn decode_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

const LENGTH: usize = 32;
const VERSION: &str = "v1.";

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> MasterKey {
        MasterKey::from_bytes([byte; 32])
    }

    #[test]
    fn a_master_key_is_read_in_every_usual_notation() {
        let bytes: [u8; 32] = std::array::from_fn(|index| 0xff - u8::try_from(index).unwrap());
        let expected = MasterKey::from_bytes(bytes).fingerprint();
        let hexadecimal = "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0";
        let notations = [
            STANDARD.encode(bytes),
            STANDARD_NO_PAD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            format!("{}=", URL_SAFE_NO_PAD.encode(bytes)),
            format!("  {}\n", STANDARD.encode(bytes)),
            hexadecimal.to_uppercase(),
            format!("{hexadecimal}\r\n"),
            MasterKey::from_bytes(bytes).encode().to_string(),
        ];
        for notation in notations {
            let read = MasterKey::parse(&notation).unwrap();
            assert_eq!(read.fingerprint(), expected, "{notation:?}");
        }
    }

    #[test]
    fn what_is_not_32_bytes_is_no_master_key() {
        let texts = [
            String::new(),
            "password".to_owned(),
            STANDARD.encode([7; 31]),
            STANDARD.encode([7; 33]),
            STANDARD.encode([7; 48]),
            "g".repeat(64),
            "é".repeat(32),
            format!("{}==", STANDARD_NO_PAD.encode([7; 32])),
            "0".repeat(63),
        ];
        for text in texts {
            let refused = MasterKey::parse(&text).err();
            assert_eq!(refused, Some(KeyError::MalformedMasterKey), "{text:?}");
        }
    }

    #[test]
    fn a_sealed_value_opens_with_the_same_key_in_the_same_context() {
        for plaintext in [b"".as_slice(), b"x", &[0x5a; 2000]] {
            let sealed = key(1).seal("signing_keys:a", plaintext).unwrap();
            assert!(sealed.starts_with("v1."));
            assert_eq!(*key(1).open("signing_keys:a", &sealed).unwrap(), plaintext);
        }
        let twice = [(); 2].map(|()| key(1).seal("a", b"x").unwrap());
        assert_ne!(twice[0], twice[1], "the nonce is random");
    }

    #[test]
    fn a_sealed_value_opens_nowhere_else() {
        let sealed = key(1).seal("signing_keys:a", b"secret").unwrap();
        let elsewhere = key(1).open("signing_keys:b", &sealed);
        assert_eq!(elsewhere.err(), Some(KeyError::Unopenable));
        let other_key = key(2).open("signing_keys:a", &sealed);
        assert_eq!(other_key.err(), Some(KeyError::Unopenable));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(key(1).open("signing_keys:a", &changed).is_err(), "{index}");
        }
        for text in ["", "v1.", "v2.AAAA", "v1.AAAA", "v1.====", "AAAA"] {
            let opened = key(1).open("a", text).err();
            assert_eq!(opened, Some(KeyError::MalformedEnvelope), "{text:?}");
        }
    }

    #[test]
    fn derived_keys_differ_by_label_and_by_master_key() {
        let tags = [
            key(1).derive("csrf").tag(&[b"a"]),
            key(1).derive("browser").tag(&[b"a"]),
            key(2).derive("csrf").tag(&[b"a"]),
        ];
        assert_eq!(tags[0], key(1).derive("csrf").tag(&[b"a"]));
        assert_ne!(tags[0], tags[1]);
        assert_ne!(tags[0], tags[2]);
    }

    #[test]
    fn parts_of_a_tag_do_not_run_into_each_other() {
        let derived = key(1).derive("csrf");
        let tag = derived.tag(&[b"ab", b"c"]);
        assert!(derived.verify(&[b"ab", b"c"], &tag));
        for parts in [
            &[b"a".as_slice(), b"bc"] as &[&[u8]],
            &[b"abc"],
            &[b"ab", b"c", b""],
            &[b"c", b"ab"],
            &[],
        ] {
            assert!(!derived.verify(parts, &tag), "{parts:?}");
        }
        assert!(!derived.verify(&[b"ab", b"c"], &tag[..31]));
    }

    #[test]
    fn the_fingerprint_tells_master_keys_apart_and_is_stable() {
        // Stores keep this value: a change of it locks every operator out.
        assert_eq!(key(1).fingerprint(), "CSyWzzZzI5NdVKBXm4t0WQ");
        assert_ne!(key(1).fingerprint(), key(2).fingerprint());
    }

    #[test]
    fn debug_output_shows_no_key() {
        let shown = format!("{:?} {:?}", key(1), key(1).derive("csrf"));
        assert_eq!(shown, "MasterKey(…) DerivedKey(…)");
    }
}
