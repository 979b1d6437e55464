//! Keys that others encrypt for, and reading what they encrypted (RFC 7516, RFC 7518).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
    PrivateDecryptingKey, PublicKeyComponents,
};
use aws_lc_rs::{hmac, signature::KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A private key that decrypts.
pub(crate) struct DecryptionKey {
    private: Private,
    /// Its public half.
    pub(crate) jwk: Value,
}

enum Private {
    Rsa(OaepPrivateDecryptingKey),
    Agreement(PrivateKey),
}

impl DecryptionKey {
    /// An RSA key. It is always the same: making one takes seconds.
    pub(crate) fn rsa(kid: &str) -> Self {
        let der = include_bytes!("../../src/keys/dev/rs256-next.der");
        let public = KeyPair::from_pkcs8(der).expect("an RSA key");
        let public = PublicKeyComponents::<Vec<u8>>::from(public.public_key());
        let (n, e) = (encode(&public.n), encode(&public.e));
        let private = PrivateDecryptingKey::from_pkcs8(der).expect("an RSA key");
        let private = OaepPrivateDecryptingKey::new(private).expect("an RSA key");
        Self {
            private: Private::Rsa(private),
            jwk: json!({"kty": "RSA", "n": n, "e": e, "kid": kid, "use": "enc"}),
        }
    }

    /// A new P-256 key.
    pub(crate) fn p256(kid: &str) -> Self {
        let private = PrivateKey::generate(&ECDH_P256).expect("a key");
        let public = private.compute_public_key().expect("its public half");
        let (x, y) = public.as_ref()[1..].split_at(32);
        let (x, y) = (encode(x), encode(y));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "enc"});
        Self {
            private: Private::Agreement(private),
            jwk,
        }
    }

    /// A new X25519 key.
    pub(crate) fn x25519(kid: &str) -> Self {
        let private = PrivateKey::generate(&X25519).expect("a key");
        let public = private.compute_public_key().expect("its public half");
        let x = encode(public.as_ref());
        Self {
            private: Private::Agreement(private),
            jwk: json!({"kty": "OKP", "crv": "X25519", "x": x, "kid": kid, "use": "enc"}),
        }
    }

    /// A set with its public half.
    pub(crate) fn jwks(&self) -> Value {
        json!({"keys": [self.jwk]})
    }

    /// The header and the text of a JWE for this key.
    ///
    /// # Panics
    /// If it is not.
    pub(crate) fn decrypt(&self, jwe: &str) -> (Value, String) {
        let parts: Vec<_> = jwe.split('.').collect();
        let [protected, encrypted, vector, text, tag] = parts[..] else {
            panic!("not a JWE: {jwe}");
        };
        let header: Value = serde_json::from_slice(&decode(protected)).expect("a header");
        assert_eq!(header["kid"], self.jwk["kid"]);
        let key = self.message_key(&header, &decode(encrypted));
        let sealed = [decode(vector), decode(text), decode(tag)];
        let text = open(&header, &key, protected.as_bytes(), sealed);
        (header, String::from_utf8(text).expect("text"))
    }

    fn message_key(&self, header: &Value, encrypted: &[u8]) -> Vec<u8> {
        let alg = header["alg"].as_str().expect("alg");
        let enc = header["enc"].as_str().expect("enc");
        match (&self.private, alg) {
            (Private::Rsa(key), "RSA-OAEP" | "RSA-OAEP-256") => {
                let oaep = match alg {
                    "RSA-OAEP" => &OAEP_SHA1_MGF1SHA1,
                    _ => &OAEP_SHA256_MGF1SHA256,
                };
                let mut out = vec![0; key.min_output_size()];
                key.decrypt(oaep, encrypted, &mut out, None)
                    .expect("a key")
                    .to_vec()
            }
            (Private::Agreement(_), "ECDH-ES") => {
                assert!(encrypted.is_empty());
                self.agreed(header, enc, if enc == "A128GCM" { 16 } else { 32 })
            }
            (Private::Agreement(_), "ECDH-ES+A128KW") => {
                unwrap(&key_wrap::AES_128, &self.agreed(header, alg, 16), encrypted)
            }
            (Private::Agreement(_), "ECDH-ES+A256KW") => {
                unwrap(&key_wrap::AES_256, &self.agreed(header, alg, 32), encrypted)
            }
            _ => panic!("not for this key: {alg}"),
        }
    }

    /// RFC 7518 section 4.6.2, by its own words: one round of SHA-256 gives 32 bytes.
    fn agreed(&self, header: &Value, name: &str, length: usize) -> Vec<u8> {
        let Private::Agreement(private) = &self.private else {
            panic!("not for agreement");
        };
        let epk = &header["epk"];
        assert_eq!(epk["crv"], self.jwk["crv"]);
        let coordinate = |name: &str| decode(epk[name].as_str().expect(name));
        let public = match epk["kty"].as_str() {
            Some("EC") => [vec![4], coordinate("x"), coordinate("y")].concat(),
            _ => coordinate("x"),
        };
        let public = UnparsedPublicKey::new(private.algorithm(), public);
        let agreed = agreement::agree(private, public, (), |secret| {
            let number = |number: usize| u32::try_from(number).expect("small").to_be_bytes();
            let mut hash = Sha256::new();
            hash.update(number(1));
            hash.update(secret);
            hash.update(number(name.len()));
            hash.update(name);
            hash.update(number(0));
            hash.update(number(0));
            hash.update(number(length * 8));
            Ok(hash.finalize()[..length].to_vec())
        });
        agreed.expect("an agreement")
    }
}

fn unwrap(cipher: &'static key_wrap::AesBlockCipher, key: &[u8], wrapped: &[u8]) -> Vec<u8> {
    let key = AesKek::new(cipher, key).expect("a key");
    let mut out = vec![0; wrapped.len()];
    key.unwrap(wrapped, &mut out)
        .expect("a wrapped key")
        .to_vec()
}

fn open(header: &Value, key: &[u8], protected: &[u8], sealed: [Vec<u8>; 3]) -> Vec<u8> {
    let [vector, mut text, tag] = sealed;
    let gcm = match header["enc"].as_str().expect("enc") {
        "A128GCM" => &AES_128_GCM,
        "A256GCM" => &AES_256_GCM,
        _ => {
            assert_eq!(key.len(), 32);
            let (tag_key, text_key) = key.split_at(16);
            let bits = u64::try_from(protected.len() * 8).expect("small");
            let signed = [protected, &vector, &text, &bits.to_be_bytes()].concat();
            let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, tag_key), &signed);
            assert_eq!(own.as_ref()[..16], tag, "the tag");
            let text_key = UnboundCipherKey::new(&AES_128, text_key).expect("a key");
            let text_key = PaddedBlockDecryptingKey::cbc_pkcs7(text_key).expect("a key");
            let vector: [u8; 16] = vector.try_into().expect("16 bytes");
            let context = DecryptionContext::Iv128(FixedLength::from(&vector));
            let plain = text_key.decrypt(&mut text, context).expect("a text");
            return plain.to_vec();
        }
    };
    let key = LessSafeKey::new(UnboundKey::new(gcm, key).expect("a key"));
    let nonce = Nonce::try_assume_unique_for_key(&vector).expect("12 bytes");
    text.extend(tag);
    let plain = key.open_in_place(nonce, Aad::from(protected), &mut text);
    plain.expect("a text").to_vec()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
