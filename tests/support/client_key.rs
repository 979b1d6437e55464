//! Keys of clients, and what they sign.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{KeyPair, PKCS_ED25519};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use uuid::Uuid;

/// A private key of a client.
pub(crate) struct ClientKey {
    key: EncodingKey,
    algorithm: Algorithm,
    /// Its public half.
    pub(crate) jwk: Value,
}

impl ClientKey {
    /// An RSA key, for this algorithm. It is always the same: making one takes seconds.
    pub(crate) fn rsa(algorithm: Algorithm) -> Self {
        let der = include_bytes!("../../src/keys/dev/rs256-active.der");
        let key = RsaPrivateKey::from_pkcs8_der(der).expect("an RSA key");
        let n = URL_SAFE_NO_PAD.encode(key.n().to_bytes_be());
        let pkcs1 = key.to_pkcs1_der().expect("an RSA key");
        Self {
            key: EncodingKey::from_rsa_der(pkcs1.as_bytes()),
            algorithm,
            jwk: json!({"kty": "RSA", "n": n, "e": "AQAB", "kid": "rsa", "use": "sig"}),
        }
    }

    /// A new P-256 key.
    pub(crate) fn p256(kid: &str) -> Self {
        let pair = KeyPair::generate().expect("a key");
        let point = pair.public_key_raw();
        let x = URL_SAFE_NO_PAD.encode(&point[1..33]);
        let y = URL_SAFE_NO_PAD.encode(&point[33..]);
        Self {
            key: EncodingKey::from_ec_der(&pair.serialize_der()),
            algorithm: Algorithm::ES256,
            jwk: json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid}),
        }
    }

    /// A new Ed25519 key.
    pub(crate) fn ed25519(kid: &str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        let x = URL_SAFE_NO_PAD.encode(pair.public_key_raw());
        Self {
            key: EncodingKey::from_ed_der(&pair.serialize_der()),
            algorithm: Algorithm::EdDSA,
            jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid}),
        }
    }

    /// A secret, which has no public half.
    pub(crate) fn secret(secret: &[u8], algorithm: Algorithm) -> Self {
        Self {
            key: EncodingKey::from_secret(secret),
            algorithm,
            jwk: Value::Null,
        }
    }

    /// The JWK Set with its public half alone.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": [self.jwk] })
    }

    /// The header of its JWTs.
    pub(crate) fn header(&self) -> Value {
        let mut header = json!({ "alg": format!("{:?}", self.algorithm) });
        if let Some(kid) = self.jwk.get("kid") {
            header["kid"] = kid.clone();
        }
        header
    }

    /// A JWT of its own.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with_header(&self.header(), claims)
    }

    /// A JWT with this header, signed under the key's algorithm whatever the header says.
    pub(crate) fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(header, &claims.to_string())
    }

    /// The same with a payload that may be anything.
    pub(crate) fn sign_text(&self, header: &Value, payload: &str) -> String {
        let parts = [header.to_string(), payload.to_owned()];
        let message = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm);
        format!("{message}.{}", signature.expect("a signature"))
    }
}

/// The claims of an assertion by which `client_id` authenticates to `audience`.
pub(crate) fn assertion_claims(client_id: &str, audience: &str) -> Value {
    let now = now();
    json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": now,
        "exp": now + 60,
        "jti": Uuid::new_v4().to_string(),
    })
}

/// The present instant in seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}
