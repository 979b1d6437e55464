//! What of others' JWTs is believed, and what is not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::*;
use crate::keys::dev_keys::dev_keys;
use crate::keys::signing_key::SigningKey;
use crate::oidc::jwks::Jwks;
use crate::oidc::signing_algorithm::SigningAlgorithm;

const ANY: Accepted<'_> = Accepted {
    algorithms: JwsAlgorithm::ASYMMETRIC,
    types: &["JWT"],
    requires_type: false,
};

fn set(keys: &[Value]) -> PublicKeySet {
    let jwks: Jwks = serde_json::from_value(json!({ "keys": keys })).unwrap();
    PublicKeySet::from_jwks(&jwks).unwrap()
}

/// A client's key; of Keyfob's own kinds, as any other would do.
fn a_key(algorithm: SigningAlgorithm) -> (SigningKey, Value) {
    let keys = dev_keys().unwrap();
    let mut keys = keys.into_iter();
    let key = keys.find(|key| key.algorithm() == algorithm).unwrap();
    let jwk = serde_json::to_value(key.public_jwk()).unwrap();
    (key, jwk)
}

/// The public key without the members that restrict it.
fn bare(jwk: &Value) -> Value {
    let mut jwk = jwk.as_object().unwrap().clone();
    for member in ["kid", "alg", "use"] {
        jwk.remove(member);
    }
    Value::Object(jwk)
}

fn encode(header: &Value, claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims))
}

/// A JWT with this header, signed under `algorithm` whatever the header says.
fn signed(key: &EncodingKey, algorithm: Algorithm, header: &Value, claims: &str) -> String {
    let message = encode(header, claims);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn verify(
    text: &str,
    accepted: &Accepted<'_>,
    keys: &PublicKeySet,
) -> Result<JwtClaims, SignedJwtError> {
    SignedJwt::parse(text, accepted)?.verify(keys)
}

#[test]
fn a_jwt_is_verified_by_the_key_that_its_kid_names_or_by_any_without() {
    for (algorithm, name) in [
        (SigningAlgorithm::RS256, Algorithm::RS256),
        (SigningAlgorithm::ES256, Algorithm::ES256),
        (SigningAlgorithm::EdDsa, Algorithm::EdDSA),
    ] {
        let (key, jwk) = a_key(algorithm);
        let alg = algorithm.as_str();
        let kid = key.kid();
        let keys = set(std::slice::from_ref(&jwk));
        let unnamed = set(&[bare(&jwk)]);
        for (header, keys, expected) in [
            (json!({"alg": alg, "kid": kid}), &keys, Ok(())),
            (json!({"alg": alg}), &keys, Ok(())),
            (json!({"alg": alg}), &unnamed, Ok(())),
            (
                json!({"alg": alg, "kid": "b"}),
                &keys,
                Err(SignedJwtError::UnknownKey),
            ),
            (
                json!({"alg": alg, "kid": kid}),
                &unnamed,
                Err(SignedJwtError::UnknownKey),
            ),
            (
                json!({"alg": alg}),
                &set(&[]),
                Err(SignedJwtError::UnknownKey),
            ),
        ] {
            let text = signed(key.encoding_key(), name, &header, r#"{"sub":"a"}"#);
            let verified = verify(&text, &ANY, keys);
            assert_eq!(
                verified.as_ref().map(|_| ()).map_err(|it| *it),
                expected,
                "{header}"
            );
            if let Ok(claims) = verified {
                assert_eq!(claims.text("sub"), Some("a"));
            }
        }
    }
}

#[test]
fn every_algorithm_of_an_rsa_key_is_verified_and_only_as_itself() {
    let (key, jwk) = a_key(SigningAlgorithm::RS256);
    let keys = set(&[bare(&jwk)]);
    let all = [
        (Algorithm::RS256, "RS256"),
        (Algorithm::RS384, "RS384"),
        (Algorithm::RS512, "RS512"),
        (Algorithm::PS256, "PS256"),
        (Algorithm::PS384, "PS384"),
        (Algorithm::PS512, "PS512"),
    ];
    for (algorithm, own) in all {
        for (_, alg) in all {
            let text = signed(key.encoding_key(), algorithm, &json!({ "alg": alg }), "{}");
            let verified = verify(&text, &ANY, &keys).map(drop);
            let expected = if own == alg {
                Ok(())
            } else {
                Err(SignedJwtError::WrongSignature)
            };
            assert_eq!(verified, expected, "{own} as {alg}");
        }
    }
    // The key is for RS256 alone, where it says so.
    let text = signed(
        key.encoding_key(),
        Algorithm::PS256,
        &json!({"alg": "PS256"}),
        "{}",
    );
    let refused = verify(&text, &ANY, &set(&[jwk])).map(drop);
    assert_eq!(refused, Err(SignedJwtError::UnknownKey));
}

#[test]
fn an_algorithm_that_is_not_allowed_is_refused_whatever_the_key() {
    let (key, jwk) = a_key(SigningAlgorithm::RS256);
    let keys = set(&[bare(&jwk)]);
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let as_secret = EncodingKey::from_secret(&n);
    for alg in [
        "none", "None", "nOnE", "", "HS256", "RS256 ", "rs256", "ES256K",
    ] {
        let header = json!({ "alg": alg });
        for text in [
            format!("{}.{}", encode(&header, "{}"), "AA"),
            signed(&as_secret, Algorithm::HS256, &header, "{}"),
        ] {
            let refused = verify(&text, &ANY, &keys).map(drop);
            assert_eq!(refused, Err(SignedJwtError::AlgorithmNotAllowed), "{alg}");
        }
    }
    let unsigned = format!("{}.", encode(&json!({"alg": "none"}), "{}"));
    let refused = verify(&unsigned, &ANY, &keys).map(drop);
    assert_eq!(refused, Err(JwtError::NotThreeParts.into()));
    let fapi = Accepted {
        algorithms: JwsAlgorithm::FAPI,
        ..ANY
    };
    let text = signed(
        key.encoding_key(),
        Algorithm::RS256,
        &json!({"alg": "RS256"}),
        "{}",
    );
    let refused = verify(&text, &fapi, &keys).map(drop);
    assert_eq!(refused, Err(SignedJwtError::AlgorithmNotAllowed));
}

#[test]
fn a_signature_of_zeros_or_of_somebody_else_is_wrong() {
    let (_, jwk) = a_key(SigningAlgorithm::ES256);
    let keys = set(&[bare(&jwk)]);
    let header = json!({"alg": "ES256"});
    for length in [0, 63, 64, 65, 72] {
        let zeros = URL_SAFE_NO_PAD.encode(vec![0; length]);
        let text = format!("{}.{zeros}", encode(&header, "{}"));
        assert!(verify(&text, &ANY, &keys).is_err(), "{length}");
    }
    let other = SigningKey::generate(SigningAlgorithm::ES256).unwrap();
    let text = signed(other.encoding_key(), Algorithm::ES256, &header, "{}");
    let refused = verify(&text, &ANY, &keys).map(drop);
    assert_eq!(refused, Err(SignedJwtError::WrongSignature));
}

#[test]
fn what_is_not_of_the_wanted_form_is_refused_before_any_key() {
    let (key, jwk) = a_key(SigningAlgorithm::EdDsa);
    let keys = set(&[bare(&jwk)]);
    let strict = Accepted {
        types: &["oauth-authz-req+jwt"],
        requires_type: true,
        ..ANY
    };
    let sign = |header: &Value| signed(key.encoding_key(), Algorithm::EdDSA, header, "{}");
    for (header, accepted, expected) in [
        (json!({"alg": "EdDSA", "typ": "jwt"}), ANY, Ok(())),
        (
            json!({"alg": "EdDSA", "typ": "application/JWT"}),
            ANY,
            Ok(()),
        ),
        (
            json!({"alg": "EdDSA", "typ": "at+jwt"}),
            ANY,
            Err(JwtError::WrongType),
        ),
        (
            json!({"alg": "EdDSA", "typ": ["JWT"]}),
            ANY,
            Err(JwtError::WrongType),
        ),
        (json!({"alg": "EdDSA"}), strict, Err(JwtError::WrongType)),
        (
            json!({"alg": "EdDSA", "typ": "JWT"}),
            strict,
            Err(JwtError::WrongType),
        ),
        (
            json!({"alg": "EdDSA", "typ": "oauth-authz-req+jwt"}),
            strict,
            Ok(()),
        ),
        (
            json!({"alg": "EdDSA", "crit": ["exp"]}),
            ANY,
            Err(JwtError::CriticalExtension),
        ),
        (
            json!({"alg": "EdDSA", "b64": false}),
            ANY,
            Err(JwtError::CriticalExtension),
        ),
        (
            json!({"alg": "EdDSA", "kid": 1}),
            ANY,
            Err(JwtError::MalformedHeader),
        ),
        (json!([]), ANY, Err(JwtError::MalformedHeader)),
    ] {
        let verified = verify(&sign(&header), &accepted, &keys).map(drop);
        assert_eq!(verified, expected.map_err(SignedJwtError::from), "{header}");
    }
}

#[test]
fn claims_with_a_member_twice_or_an_impossible_number_are_refused() {
    let (key, jwk) = a_key(SigningAlgorithm::EdDsa);
    let keys = set(&[bare(&jwk)]);
    for claims in [
        "[]",
        "",
        r#"{"a":1,"a":1}"#,
        r#"{"exp":1e400}"#,
        r#"{"exp":NaN}"#,
    ] {
        let text = signed(
            key.encoding_key(),
            Algorithm::EdDSA,
            &json!({"alg": "EdDSA"}),
            claims,
        );
        let refused = verify(&text, &ANY, &keys).map(drop);
        assert!(
            matches!(refused, Err(SignedJwtError::Malformed(_))),
            "{claims}: {refused:?}"
        );
    }
    for text in ["", "a.b", "a.b.c.d", &"a".repeat(20_000)] {
        assert!(verify(text, &ANY, &keys).is_err(), "{text}");
    }
}

#[test]
fn a_secret_verifies_under_an_hmac_that_it_is_long_enough_for() {
    let secret = b"0123456789abcdef0123456789abcdef0123456789abcdef";
    let accepted = Accepted {
        algorithms: JwsAlgorithm::SYMMETRIC,
        ..ANY
    };
    let key = EncodingKey::from_secret(secret);
    for (algorithm, alg, expected) in [
        (Algorithm::HS256, "HS256", Ok(())),
        (Algorithm::HS384, "HS384", Ok(())),
        (Algorithm::HS512, "HS512", Err(SignedJwtError::ShortSecret)),
        (
            Algorithm::HS256,
            "HS384",
            Err(SignedJwtError::WrongSignature),
        ),
    ] {
        let text = signed(&key, algorithm, &json!({ "alg": alg }), "{}");
        let jwt = SignedJwt::parse(&text, &accepted).unwrap();
        assert_eq!(jwt.verify_with_secret(secret).map(drop), expected, "{alg}");
        assert!(jwt.verify_with_secret(&[7; 64]).is_err());
        assert!(jwt.verify_with_secret(b"").is_err());
        assert!(jwt.verify(&set(&[])).is_err());
    }
    // A public key's algorithm needs no secret.
    let (key, _) = a_key(SigningAlgorithm::EdDsa);
    let text = signed(
        key.encoding_key(),
        Algorithm::EdDSA,
        &json!({"alg": "EdDSA"}),
        "{}",
    );
    let jwt = SignedJwt::parse(&text, &ANY).unwrap();
    let refused = jwt.verify_with_secret(secret).map(drop);
    assert_eq!(refused, Err(SignedJwtError::UnknownKey));
}

#[test]
fn a_jwt_may_bring_its_own_public_key_where_that_is_asked_for() {
    let (key, jwk) = a_key(SigningAlgorithm::ES256);
    let (_, other) = a_key(SigningAlgorithm::RS256);
    let proof = Accepted {
        types: &["dpop+jwt"],
        requires_type: true,
        ..ANY
    };
    let mut private = bare(&jwk);
    private["d"] = private["x"].clone();
    let mut off_curve = bare(&jwk);
    off_curve["y"] = off_curve["x"].clone();
    for (own, expected) in [
        (bare(&jwk), Ok(key.kid().to_owned())),
        (private, Err(SignedJwtError::NoEmbeddedKey)),
        (off_curve, Err(SignedJwtError::NoEmbeddedKey)),
        (Value::Null, Err(SignedJwtError::NoEmbeddedKey)),
        (bare(&other), Err(SignedJwtError::WrongSignature)),
    ] {
        let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": own});
        let text = signed(key.encoding_key(), Algorithm::ES256, &header, "{}");
        let jwt = SignedJwt::parse(&text, &proof).unwrap();
        let verified = jwt.verify_with_embedded_key();
        let thumbprint = verified.map(|(key, _)| key.thumbprint().to_owned());
        assert_eq!(thumbprint, expected, "{header}");
    }
}
