//! The tests of what tokens say: their type and their claims.

use serde_json::json;

use super::tests::{AUDIENCE, ISSUER, NOW, claims, expected, forge, key, keyset};
use super::*;
use crate::oidc::signing_algorithm::SigningAlgorithm;

#[test]
fn no_kind_of_token_is_taken_for_another() {
    let keyset = keyset();
    let key = key(&keyset, SigningAlgorithm::ES256);
    let types = [
        TokenType::IdToken,
        TokenType::AccessToken,
        TokenType::LogoutToken,
        TokenType::Introspection,
    ];
    for signed in types {
        let token = sign(key, signed, &claims()).unwrap();
        for token_type in types {
            let expected = Expected {
                token_type,
                ..expected()
            };
            let refused = verify::<Value>(&keyset, &token, &expected).err();
            let error = (signed != token_type).then_some(JwtError::WrongType);
            assert_eq!(refused, error, "{signed:?} as {token_type:?}");
        }
    }
    for (typ, token_type, is_accepted) in [
        ("application/at+jwt", TokenType::AccessToken, true),
        ("AT+JWT", TokenType::AccessToken, false),
        ("application/at+jwt", TokenType::IdToken, false),
        ("application/JWT", TokenType::IdToken, false),
        ("application/logout+jwt", TokenType::LogoutToken, false),
    ] {
        assert_eq!(token_type.accepts(typ), is_accepted, "{typ}");
    }
}

#[test]
fn each_claim_must_be_right() {
    let keyset = keyset();
    let key = key(&keyset, SigningAlgorithm::EdDsa);
    let table = [
        (
            "iss",
            json!("https://id.example.org/"),
            Some(JwtError::WrongIssuer),
        ),
        (
            "iss",
            json!("https://ID.example.org"),
            Some(JwtError::WrongIssuer),
        ),
        ("iss", json!([ISSUER]), Some(JwtError::WrongIssuer)),
        ("iss", Value::Null, Some(JwtError::WrongIssuer)),
        ("aud", json!(["other", AUDIENCE]), None),
        ("aud", json!("other"), Some(JwtError::WrongAudience)),
        ("aud", json!(["other"]), Some(JwtError::WrongAudience)),
        ("aud", json!([]), Some(JwtError::WrongAudience)),
        ("aud", json!("app2"), Some(JwtError::WrongAudience)),
        ("aud", json!({"app": "app"}), Some(JwtError::WrongAudience)),
        ("exp", json!(NOW.0 + 1), None),
        ("exp", json!(NOW.0), Some(JwtError::Expired)),
        ("exp", json!(0), Some(JwtError::Expired)),
        ("exp", json!(-1), Some(JwtError::Expired)),
        (
            "exp",
            json!((NOW.0 + 60).to_string()),
            Some(JwtError::MalformedExpiry),
        ),
        ("exp", json!(u64::MAX), Some(JwtError::MalformedExpiry)),
        ("exp", json!(1e300), Some(JwtError::MalformedExpiry)),
        ("exp", Value::Null, Some(JwtError::MalformedExpiry)),
        ("nbf", json!(NOW.0 - 1), None),
        ("nbf", json!(NOW.0 + 1), Some(JwtError::NotYetValid)),
        ("nbf", json!("0"), Some(JwtError::MalformedNotBefore)),
        ("nbf", Value::Null, Some(JwtError::MalformedNotBefore)),
    ];
    for (claim, value, error) in table {
        let mut claims = claims();
        claims[claim] = value.clone();
        let token = sign(key, TokenType::IdToken, &claims).unwrap();
        let refused = verify::<Value>(&keyset, &token, &expected()).err();
        assert_eq!(refused, error, "{claim}: {value}");
    }
    for (claim, error) in [
        ("iss", Some(JwtError::WrongIssuer)),
        ("aud", Some(JwtError::WrongAudience)),
        ("exp", Some(JwtError::MalformedExpiry)),
        ("nbf", None),
    ] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        let token = sign(key, TokenType::IdToken, &claims).unwrap();
        let refused = verify::<Value>(&keyset, &token, &expected()).err();
        assert_eq!(refused, error, "without {claim}");
    }
}

#[test]
fn a_hint_may_have_expired_but_must_say_when() {
    let keyset = keyset();
    let hint = Expected {
        audience: None,
        check_expiry: false,
        ..expected()
    };
    for (exp, error) in [
        (json!(1), None),
        (json!("1"), Some(JwtError::MalformedExpiry)),
    ] {
        let claims = json!({"iss": ISSUER, "aud": "any", "exp": exp});
        let key = key(&keyset, SigningAlgorithm::RS256);
        let token = sign(key, TokenType::IdToken, &claims).unwrap();
        assert_eq!(verify::<Value>(&keyset, &token, &hint).err(), error);
    }
}

#[test]
fn claims_that_are_not_an_object_with_distinct_members_are_refused() {
    let keyset = keyset();
    let kid = key(&keyset, SigningAlgorithm::EdDsa).kid();
    let header = format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{kid}"}}"#);
    let exp = NOW.0 + 60;
    for payload in [
        "null".to_owned(),
        "[]".to_owned(),
        "not JSON".to_owned(),
        format!(r#"{{"iss":"{ISSUER}","aud":"app","exp":{exp},"exp":{exp}}}"#),
        format!(r#"{{"iss":"{ISSUER}","aud":"app","exp":{exp}}} x"#),
    ] {
        let token = forge(&keyset, &header, &payload);
        let refused = verify::<Value>(&keyset, &token, &expected());
        assert_eq!(refused, Err(JwtError::MalformedClaims), "{payload}");
    }
}

#[test]
fn claims_of_another_kind_are_told_apart_from_a_bad_token() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Typed {
        sub: String,
    }

    let keyset = keyset();
    let key = key(&keyset, SigningAlgorithm::ES256);
    let token = sign(key, TokenType::IdToken, &claims()).unwrap();
    let alice = Typed {
        sub: "alice".to_owned(),
    };
    assert_eq!(verify::<Typed>(&keyset, &token, &expected()), Ok(alice));

    let nobody = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": NOW.0 + 60});
    let token = sign(key, TokenType::IdToken, &nobody).unwrap();
    let refused = verify::<Typed>(&keyset, &token, &expected());
    assert_eq!(refused, Err(JwtError::UnexpectedClaims));
}
