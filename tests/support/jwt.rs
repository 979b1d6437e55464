//! Looks into JSON Web Tokens, verifies them as a relying party does, and forges them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The protected header of a JWT.
pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index);
    let text = text.unwrap_or_else(|| panic!("not a JWT: {token}"));
    let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// The claims of a JWT whose signature is by the key of `jwks` that its header names.
///
/// # Panics
/// If it is not.
pub(crate) fn verify(token: &str, jwks: &Value) -> Value {
    verify_having(token, jwks, &["exp"])
}

/// The same of a JWT that need not say when it ends.
///
/// # Panics
/// If it is not.
pub(crate) fn verify_undated(token: &str, jwks: &Value) -> Value {
    verify_having(token, jwks, &[])
}

fn verify_having(token: &str, jwks: &Value, required: &[&str]) -> Value {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

    let keys: JwkSet = serde_json::from_value(jwks.clone()).expect("a JWK set");
    let header = header(token);
    let kid = header["kid"].as_str().expect("a kid");
    let key = keys.find(kid).expect("the key that the header names");
    let algorithm: Algorithm = header["alg"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .expect("alg");
    let mut validation = Validation::new(algorithm);
    validation.validate_aud = false;
    validation.set_required_spec_claims(required);
    let key = DecodingKey::from_jwk(key).expect("a usable key");
    decode::<Value>(token, &key, &validation)
        .expect("a valid signature")
        .claims
}

/// An unsigned JWT with this header and these claims, and a signature of the caller's.
pub(crate) fn forge(header: &Value, claims: &Value, signature: &[u8]) -> String {
    [
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string()),
        URL_SAFE_NO_PAD.encode(signature),
    ]
    .join(".")
}
