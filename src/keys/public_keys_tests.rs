//! Which keys of others can be used, and under which algorithms.

use serde_json::json;

use super::*;

/// [RFC 7517 appendix A.1](https://www.rfc-editor.org/rfc/rfc7517#appendix-A.1).
const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
const ED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const EC_X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
const EC_Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

fn key(json: &Value) -> Option<PublicKey> {
    PublicKey::from_jwk(json.as_object().unwrap())
}

fn algorithms(key: &PublicKey) -> Vec<&'static str> {
    let all = JwsAlgorithm::ASYMMETRIC
        .iter()
        .chain(JwsAlgorithm::SYMMETRIC);
    let fitting = all.filter(|algorithm| key.fits(**algorithm));
    fitting.map(|algorithm| algorithm.as_str()).collect()
}

#[test]
fn a_key_fits_the_algorithms_of_its_kind_and_never_an_hmac() {
    let rsa = json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"});
    let ec = json!({"kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_Y});
    let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": ED});
    let every_rsa = vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    for (jwk, expected) in [
        (rsa.clone(), every_rsa),
        (ec, vec!["ES256"]),
        (ed, vec!["EdDSA"]),
    ] {
        assert_eq!(algorithms(&key(&jwk).unwrap()), expected);
    }
    let mut one = rsa;
    one["alg"] = json!("PS256");
    assert_eq!(algorithms(&key(&one).unwrap()), ["PS256"]);
}

#[test]
fn a_key_has_the_thumbprint_of_rfc_7638() {
    let rsa = json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    let thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    assert_eq!(key(&rsa).unwrap().thumbprint(), thumbprint);
}

#[test]
fn a_key_that_cannot_be_used_here_is_none() {
    let zero = format!("AA{RSA_N}");
    for jwk in [
        json!({}),
        json!({"kty": "RSA", "n": RSA_N}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQ"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "Ag"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB="}),
        json!({"kty": "RSA", "n": zero, "e": "AQAB"}),
        // 1024 bits.
        json!({"kty": "RSA", "n": RSA_N[..171], "e": "AQAB"}),
        json!({"kty": "RSA", "n": "-".repeat(2000), "e": "AQAB"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "use": "enc"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "key_ops": ["encrypt"]}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "key_ops": "verify"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "RSA-OAEP"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "HS256"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "ES256"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "d": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_X}),
        json!({"kty": "EC", "crv": "P-256", "x": &EC_X[..42], "y": EC_Y}),
        json!({"kty": "EC", "crv": "secp256k1", "x": EC_X, "y": EC_Y}),
        json!({"kty": "EC", "crv": "P-384", "x": EC_X, "y": EC_Y}),
        json!({"kty": "OKP", "crv": "X25519", "x": ED}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": &ED[..40]}),
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
    ] {
        assert!(key(&jwk).is_none(), "{jwk}");
    }
}

#[test]
fn a_set_passes_over_what_it_cannot_use_and_refuses_what_is_secret() {
    let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": ED, "kid": "a"});
    let other = json!({"kty": "AKP", "kid": "b"});
    let text = json!({"keys": [ed, other]}).to_string();
    let set = PublicKeySet::parse(text.as_bytes()).unwrap();
    assert_eq!(set.keys.len(), 1);
    assert!(set.has_key_for(JwsAlgorithm::EdDsa) && !set.has_key_for(JwsAlgorithm::RS256));
    assert_eq!(set.candidates(Some("a"), JwsAlgorithm::EdDsa).count(), 1);
    assert_eq!(set.candidates(Some("b"), JwsAlgorithm::EdDsa).count(), 0);
    assert_eq!(set.candidates(None, JwsAlgorithm::EdDsa).count(), 1);

    let many = vec![ed.clone(); MOST_KEYS + 1];
    for (keys, expected) in [
        (
            json!([ed, {"kty": "oct", "k": "AA"}]),
            PublicKeySetError::SecretKey,
        ),
        (
            json!([{"kty": "OKP", "crv": "Ed25519", "x": ED, "d": ED}]),
            PublicKeySetError::SecretKey,
        ),
        (json!(many), PublicKeySetError::TooMany),
        (json!({}), PublicKeySetError::NotASet),
        (json!([1]), PublicKeySetError::NotASet),
    ] {
        let text = json!({ "keys": keys }).to_string();
        let refused = PublicKeySet::parse(text.as_bytes()).err();
        assert_eq!(refused, Some(expected), "{text}");
    }
    for text in ["", "[]", "{}", "null"] {
        let refused = PublicKeySet::parse(text.as_bytes()).err();
        assert_eq!(refused, Some(PublicKeySetError::NotASet), "{text}");
    }
}
