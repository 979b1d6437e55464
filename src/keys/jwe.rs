//! Encrypting for others: JWE in compact form ([RFC 7516], [RFC 7518 sections 4 and 5],
//! [RFC 8037 section 3.2]).
//!
//! There is no decryption: nobody encrypts anything for Keyfob. Why this stands here and not in a
//! library is in docs/decisions/0019-encrypted-answers.md.
//!
//! **Invariant:** a key and an initialization vector are made for one message and used once.
//!
//! [RFC 7516]: https://www.rfc-editor.org/rfc/rfc7516
//! [RFC 7518 sections 4 and 5]: https://www.rfc-editor.org/rfc/rfc7518#section-4
//! [RFC 8037 section 3.2]: https://www.rfc-editor.org/rfc/rfc8037#section-3.2

use aws_lc_rs::aead::{self, AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{
    Algorithm, EphemeralPrivateKey, ParsedPublicKey, X25519, agree_ephemeral,
};
use aws_lc_rs::cipher::{self, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use aws_lc_rs::key_wrap::{self, AesBlockCipher, AesKek, KeyWrap as _};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use zeroize::Zeroizing;

use super::KeyError;
use super::encryption_key::{EncryptionKey, Material};
use super::jwk::PublicParameters;
use super::public_keys::Curve;
use crate::oidc::encryption_algorithm::{ContentEncryptionAlgorithm, KeyManagementAlgorithm};
use crate::oidc::protected_response::Encryption;

/// What is encrypted: told by `cty` ([RFC 7519 section 5.2]).
///
/// [RFC 7519 section 5.2]: https://www.rfc-editor.org/rfc/rfc7519#section-5.2
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// A JWT, signed before.
    Jwt(String),
    /// Claims in JSON.
    Claims(String),
}

impl Content {
    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        match self {
            Self::Jwt(text) | Self::Claims(text) => text,
        }
    }
}

/// The header. All of it is protected.
#[derive(Serialize)]
struct Header<'a> {
    alg: KeyManagementAlgorithm,
    enc: ContentEncryptionAlgorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'static str>,
    /// The public key that was made for the agreement ([RFC 7518 section 4.6.1.1]).
    ///
    /// [RFC 7518 section 4.6.1.1]: https://www.rfc-editor.org/rfc/rfc7518#section-4.6.1.1
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<PublicParameters>,
}

/// The key of a message and how it comes to the reader.
struct MessageKey {
    key: Zeroizing<Vec<u8>>,
    /// Encrypted; empty if both sides agree on it.
    encrypted: Vec<u8>,
    ephemeral: Option<PublicParameters>,
}

/// Encrypts `content` for the owner of `key` ([RFC 7516 section 5.1]).
///
/// [RFC 7516 section 5.1]: https://www.rfc-editor.org/rfc/rfc7516#section-5.1
pub fn encrypt(
    key: &EncryptionKey,
    encryption: Encryption,
    content: &Content,
) -> Result<String, KeyError> {
    let failed = || KeyError::Encryption(encryption.alg);
    let made = message_key(key, encryption).map_err(|Unspecified| failed())?;
    let (text, cty) = match content {
        Content::Jwt(text) => (text, Some("JWT")),
        Content::Claims(text) => (text, None),
    };
    let header = Header {
        alg: encryption.alg,
        enc: encryption.enc,
        kid: key.kid(),
        cty,
        epk: made.ephemeral,
    };
    let header = serde_json::to_vec(&header).map_err(|_| failed())?;
    let header = URL_SAFE_NO_PAD.encode(header);
    let vector = initialization_vector(encryption.enc).map_err(|Unspecified| failed())?;
    let (protected, text) = (header.as_bytes(), text.as_bytes());
    let sealed = seal(encryption.enc, &made.key, &vector, protected, text);
    let [ciphertext, tag] = sealed.map_err(|Unspecified| failed())?;
    let [encrypted, vector, ciphertext, tag] =
        [made.encrypted, vector, ciphertext, tag].map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok([header, encrypted, vector, ciphertext, tag].join("."))
}

fn message_key(key: &EncryptionKey, encryption: Encryption) -> Result<MessageKey, Unspecified> {
    match &key.material {
        Material::Rsa(public) => encrypted_key(public, encryption),
        Material::Agreement(public) => agreed_key(public, encryption),
    }
}

/// [RFC 7518 section 4.3](https://www.rfc-editor.org/rfc/rfc7518#section-4.3).
fn encrypted_key(
    public: &OaepPublicEncryptingKey,
    encryption: Encryption,
) -> Result<MessageKey, Unspecified> {
    let oaep = match encryption.alg {
        KeyManagementAlgorithm::RsaOaep256 => &OAEP_SHA256_MGF1SHA256,
        KeyManagementAlgorithm::RsaOaep => &OAEP_SHA1_MGF1SHA1,
        KeyManagementAlgorithm::EcdhEs
        | KeyManagementAlgorithm::EcdhEsA128Kw
        | KeyManagementAlgorithm::EcdhEsA256Kw => return Err(Unspecified),
    };
    let key = random(encryption.enc.key_length())?;
    let mut encrypted = vec![0; public.ciphertext_size()];
    let length = public.encrypt(oaep, &key, &mut encrypted, None)?.len();
    encrypted.truncate(length);
    Ok(MessageKey {
        key,
        encrypted,
        ephemeral: None,
    })
}

/// [RFC 7518 section 4.6](https://www.rfc-editor.org/rfc/rfc7518#section-4.6).
fn agreed_key(public: &ParsedPublicKey, encryption: Encryption) -> Result<MessageKey, Unspecified> {
    let Encryption { alg, enc } = encryption;
    let (name, length, wrapping) = match alg {
        KeyManagementAlgorithm::EcdhEs => (enc.as_str(), enc.key_length(), None),
        KeyManagementAlgorithm::EcdhEsA128Kw => (alg.as_str(), 16, Some(&key_wrap::AES_128)),
        KeyManagementAlgorithm::EcdhEsA256Kw => (alg.as_str(), 32, Some(&key_wrap::AES_256)),
        KeyManagementAlgorithm::RsaOaep256 | KeyManagementAlgorithm::RsaOaep => {
            return Err(Unspecified);
        }
    };
    let own = EphemeralPrivateKey::generate(public.alg(), &SystemRandom::new())?;
    let ephemeral = ephemeral_key(own.compute_public_key()?.as_ref(), public.alg())?;
    let agreed = agree_ephemeral(own, public.clone(), Unspecified, |secret| {
        derive(secret, name, [b"", b""], length)
    })?;
    let (key, encrypted) = match wrapping {
        None => (agreed, Vec::new()),
        Some(cipher) => {
            let key = random(enc.key_length())?;
            let encrypted = wrap(cipher, &agreed, &key)?;
            (key, encrypted)
        }
    };
    Ok(MessageKey {
        key,
        encrypted,
        ephemeral: Some(ephemeral),
    })
}

/// A public key as a JWK has it.
fn ephemeral_key(bytes: &[u8], algorithm: &Algorithm) -> Result<PublicParameters, Unspecified> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    if *algorithm == X25519 {
        let (crv, x) = ("X25519", encode(bytes));
        return Ok(PublicParameters::OctetKeyPair { crv, x });
    }
    let curve = Curve::ALL.iter().find(|it| *it.agreement() == *algorithm);
    let curve = curve.ok_or(Unspecified)?;
    // SEC 1 section 2.3.3: 4, x, y.
    let coordinates = bytes.strip_prefix(&[4]).ok_or(Unspecified)?;
    let (x, y) = coordinates
        .split_at_checked(curve.length())
        .ok_or(Unspecified)?;
    Ok(PublicParameters::EllipticCurve {
        crv: curve.name(),
        x: encode(x),
        y: encode(y),
    })
}

/// The Concat KDF ([RFC 7518 section 4.6.2]): a key of `length` bytes for the algorithm of this
/// `name`, from what two `parties` agreed on.
///
/// [RFC 7518 section 4.6.2]: https://www.rfc-editor.org/rfc/rfc7518#section-4.6.2
fn derive(
    secret: &[u8],
    name: &str,
    parties: [&[u8]; 2],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let number = |number: usize| u32::try_from(number).map_err(|_| Unspecified);
    let mut info = Vec::new();
    for part in [name.as_bytes(), parties[0], parties[1]] {
        info.extend(number(part.len())?.to_be_bytes());
        info.extend(part);
    }
    info.extend(number(length * 8)?.to_be_bytes());
    let digest = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or(Unspecified)?;
    let mut key = Zeroizing::new(vec![0; length]);
    sskdf_digest(digest, secret, &info, &mut key)?;
    Ok(key)
}

/// AES Key Wrap ([RFC 7518 section 4.4](https://www.rfc-editor.org/rfc/rfc7518#section-4.4)).
fn wrap(
    cipher: &'static AesBlockCipher,
    wrapping_key: &[u8],
    key: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let mut wrapped = vec![0; key.len() + 8];
    let length = AesKek::new(cipher, wrapping_key)?
        .wrap(key, &mut wrapped)?
        .len();
    wrapped.truncate(length);
    Ok(wrapped)
}

/// The ciphertext and its tag.
fn seal(
    enc: ContentEncryptionAlgorithm,
    key: &[u8],
    vector: &[u8],
    header: &[u8],
    plaintext: &[u8],
) -> Result<[Vec<u8>; 2], Unspecified> {
    match enc {
        ContentEncryptionAlgorithm::A128CbcHs256 => seal_cbc(key, vector, header, plaintext),
        ContentEncryptionAlgorithm::A128Gcm => {
            seal_gcm(&AES_128_GCM, key, vector, header, plaintext)
        }
        ContentEncryptionAlgorithm::A256Gcm => {
            seal_gcm(&AES_256_GCM, key, vector, header, plaintext)
        }
    }
}

/// [RFC 7518 section 5.3](https://www.rfc-editor.org/rfc/rfc7518#section-5.3).
fn seal_gcm(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    vector: &[u8],
    header: &[u8],
    plaintext: &[u8],
) -> Result<[Vec<u8>; 2], Unspecified> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
    let nonce = Nonce::try_assume_unique_for_key(vector)?;
    let mut text = plaintext.to_vec();
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), &mut text)?;
    Ok([text, tag.as_ref().to_vec()])
}

/// [RFC 7518 section 5.2.2.1]: encrypt, then authenticate. The first half of the key is for the
/// tag, the second for the text.
///
/// [RFC 7518 section 5.2.2.1]: https://www.rfc-editor.org/rfc/rfc7518#section-5.2.2.1
fn seal_cbc(
    key: &[u8],
    vector: &[u8],
    header: &[u8],
    plaintext: &[u8],
) -> Result<[Vec<u8>; 2], Unspecified> {
    let (tag_key, text_key) = key.split_at_checked(16).ok_or(Unspecified)?;
    let text_key = UnboundCipherKey::new(&cipher::AES_128, text_key)?;
    let text_key = PaddedBlockEncryptingKey::cbc_pkcs7(text_key)?;
    let fixed: &[u8; 16] = vector.try_into().map_err(|_| Unspecified)?;
    let mut text = plaintext.to_vec();
    let context = EncryptionContext::Iv128(FixedLength::from(fixed));
    text_key.less_safe_encrypt(&mut text, context)?;

    let header_bits = u64::try_from(header.len() * 8).map_err(|_| Unspecified)?;
    let mut tag = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, tag_key));
    for part in [header, vector, &text, &header_bits.to_be_bytes()] {
        tag.update(part);
    }
    let mut tag = tag.sign().as_ref().to_vec();
    tag.truncate(16);
    Ok([text, tag])
}

fn initialization_vector(enc: ContentEncryptionAlgorithm) -> Result<Vec<u8>, Unspecified> {
    let length = match enc {
        ContentEncryptionAlgorithm::A128CbcHs256 => 16,
        ContentEncryptionAlgorithm::A128Gcm | ContentEncryptionAlgorithm::A256Gcm => 12,
    };
    let mut vector = vec![0; length];
    fill(&mut vector)?;
    Ok(vector)
}

fn random(length: usize) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let mut key = Zeroizing::new(vec![0; length]);
    fill(&mut key)?;
    Ok(key)
}

#[cfg(test)]
#[path = "jwe_tests.rs"]
mod tests;
