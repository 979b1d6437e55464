//! Whoever holds a key: signs DPoP proofs, good ones and bad ones.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::relying_party::random_text;

/// A P-256 key and who holds it.
pub(crate) struct Holder(EcdsaKeyPair);

impl Holder {
    /// A new key.
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    /// The public key.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": coordinate(&point[1..33]), "y": coordinate(&point[33..])})
    }

    /// The RFC 7638 thumbprint of the key.
    pub(crate) fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let canonical = format!(
            r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#,
            jwk["x"], jwk["y"]
        );
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// A proof for a request, made now.
    pub(crate) fn proof(&self, method: &str, url: &str) -> String {
        self.proof_with(method, url, &json!({}))
    }

    /// A proof for a request that carries an access token.
    pub(crate) fn proof_for(&self, method: &str, url: &str, access_token: &str) -> String {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(access_token));
        self.proof_with(method, url, &json!({"ath": hash}))
    }

    /// A proof with other claims: those of `changes`, of which `null` leaves one out.
    pub(crate) fn proof_with(&self, method: &str, url: &str, changes: &Value) -> String {
        let mut claims = json!({
            "jti": random_text(), "htm": method, "htu": url,
            "iat": OffsetDateTime::now_utc().unix_timestamp(),
        });
        change(&mut claims, changes);
        self.sign(&self.header(&json!({})), &claims)
    }

    /// The header of a proof, with the changes.
    pub(crate) fn header(&self, changes: &Value) -> Value {
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()});
        change(&mut header, changes);
        header
    }

    /// A JWT with these parts, signed with the key.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = signed.join(".");
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.expect("a signature"));
        format!("{signed}.{signature}")
    }
}

fn change(object: &mut Value, changes: &Value) {
    let object = object.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
}
