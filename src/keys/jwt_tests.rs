//! The tests of tokens as such: their form, header, key and signature.

use std::sync::Arc;

use aws_lc_rs::hmac;
use serde_json::json;

use super::*;
use crate::keys::dev_keys::dev_keys;
use crate::keys::jwk::PublicParameters;
use crate::keys::keyset::ScheduledKey;
use crate::oidc::signing_algorithm::SigningAlgorithm;

pub(super) const NOW: Timestamp = Timestamp(1_700_000_000);
pub(super) const ISSUER: &str = "https://id.example.org";
pub(super) const AUDIENCE: &str = "app";

pub(super) fn keyset() -> Keyset {
    let scheduled = dev_keys().unwrap().into_iter().map(|key| ScheduledKey {
        key: Arc::new(key),
        published_at: NOW,
        activates_at: NOW,
        retires_at: None,
        expires_at: None,
    });
    Keyset::new(scheduled.collect())
}

pub(super) fn key(keyset: &Keyset, algorithm: SigningAlgorithm) -> &SigningKey {
    keyset.active(algorithm, NOW).unwrap()
}

pub(super) fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "exp": NOW.0 + 60, "nbf": NOW.0})
}

pub(super) fn expected() -> Expected<'static> {
    Expected {
        token_type: TokenType::IdToken,
        issuer: ISSUER,
        audience: Some(AUDIENCE),
        now: NOW,
        check_expiry: true,
    }
}

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// A token with any header and payload, rightly signed by the keyset's EdDSA key.
pub(super) fn forge(keyset: &Keyset, header: &str, payload: &str) -> String {
    let key = key(keyset, SigningAlgorithm::EdDsa);
    let message = format!("{}.{}", encode(header), encode(payload));
    let algorithm = jsonwebtoken::Algorithm::EdDSA;
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key.encoding_key(), algorithm);
    format!("{message}.{}", signature.unwrap())
}

#[test]
fn a_token_is_verified_by_the_keyset_that_signed_it() {
    let keyset = keyset();
    for &algorithm in SigningAlgorithm::ALL {
        let key = key(&keyset, algorithm);
        for token_type in [
            TokenType::IdToken,
            TokenType::AccessToken,
            TokenType::LogoutToken,
            TokenType::Introspection,
        ] {
            let token = sign(key, token_type, &claims()).unwrap();
            let header = decode(token.split('.').next().unwrap()).unwrap();
            let header: Value = serde_json::from_slice(&header).unwrap();
            let minimal = json!({
                "alg": algorithm.as_str(), "typ": token_type.as_str(), "kid": key.kid(),
            });
            assert_eq!(header, minimal);

            let expected = Expected {
                token_type,
                ..expected()
            };
            assert_eq!(verify::<Value>(&keyset, &token, &expected), Ok(claims()));
        }
    }
}

#[test]
fn plain_jsonwebtoken_verifies_our_tokens_by_the_jwk() {
    let keyset = keyset();
    for &algorithm in SigningAlgorithm::ALL {
        let key = key(&keyset, algorithm);
        let token = sign(key, TokenType::IdToken, &claims()).unwrap();
        let jwk = serde_json::to_value(key.public_jwk()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).unwrap();
        let jwk = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let mut validation = jsonwebtoken::Validation::new(named(algorithm));
        validation.validate_exp = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let decoded = jsonwebtoken::decode::<Value>(&token, &jwk, &validation).unwrap();
        assert_eq!(decoded.claims, claims());
    }
}

#[test]
fn a_token_with_any_character_changed_is_refused() {
    let keyset = keyset();
    for &algorithm in SigningAlgorithm::ALL {
        let short = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": NOW.0 + 60});
        let token = sign(key(&keyset, algorithm), TokenType::IdToken, &short).unwrap();
        verify::<Value>(&keyset, &token, &expected()).unwrap();
        let is_refused = |changed: &str| verify::<Value>(&keyset, changed, &expected()).is_err();
        for (index, character) in token.char_indices() {
            let (before, after) = (&token[..index], &token[index + 1..]);
            assert!(is_refused(&format!("{before}{after}")), "{index} removed");
            // The neighbour in the alphabet changes the lowest bit, which is padding at the end.
            let neighbour = char::from(u8::try_from(character).unwrap() ^ 1);
            for other in [
                "A",
                "-",
                "/",
                "=",
                ".",
                " ",
                "\n",
                "é",
                &neighbour.to_string(),
            ] {
                if other != character.to_string() {
                    assert!(
                        is_refused(&format!("{before}{other}{after}")),
                        "{index} {other:?}"
                    );
                }
                assert!(
                    is_refused(&format!("{before}{other}{character}{after}")),
                    "{index}"
                );
            }
            let flipped = if character.is_ascii_lowercase() {
                character.to_ascii_uppercase()
            } else {
                character.to_ascii_lowercase()
            };
            if flipped != character {
                assert!(
                    is_refused(&format!("{before}{flipped}{after}")),
                    "{index} flipped"
                );
            }
        }
        for appended in ["A", "=", ".", "\n", ".A"] {
            assert!(is_refused(&format!("{token}{appended}")), "{appended:?}");
        }
    }
}

#[test]
fn every_form_but_the_compact_serialisation_is_refused() {
    let keyset = keyset();
    let long = "A".repeat(LONGEST + 1);
    for (token, error) in [
        ("", JwtError::NotThreeParts),
        ("A", JwtError::NotThreeParts),
        ("..", JwtError::NotThreeParts),
        ("AA.AA", JwtError::NotThreeParts),
        ("AA.AA.", JwtError::NotThreeParts),
        (".AA.AA", JwtError::NotThreeParts),
        ("AA..AA", JwtError::NotThreeParts),
        ("AA.AA.AA.AA", JwtError::NotThreeParts),
        ("AA.AA.AA.AA.AA", JwtError::NotThreeParts),
        ("A.AA.AA", JwtError::NotBase64Url),
        ("AB.AA.AA", JwtError::NotBase64Url),
        ("AA==.AA.AA", JwtError::NotBase64Url),
        ("AA.AA.AA", JwtError::MalformedHeader),
        (&long, JwtError::TooLong),
    ] {
        assert_eq!(
            verify::<Value>(&keyset, token, &expected()),
            Err(error),
            "{token:.20}"
        );
    }
}

/// Members of a header, where `OURS` is the id of the signing key and `RSA` that of another, and
/// why they are refused.
const HEADERS: &[(&str, Option<JwtError>)] = &[
    (r#""typ":"JWT","alg":"EdDSA","kid":"OURS""#, None),
    (r#""typ":"JWT","alg":"none","kid":"OURS""#, WRONG_ALGORITHM),
    (r#""typ":"JWT","alg":"None","kid":"OURS""#, WRONG_ALGORITHM),
    (r#""typ":"JWT","alg":"eddsa","kid":"OURS""#, WRONG_ALGORITHM),
    (r#""typ":"JWT","alg":"HS256","kid":"OURS""#, WRONG_ALGORITHM),
    (r#""typ":"JWT","alg":"RS256","kid":"OURS""#, WRONG_ALGORITHM),
    (
        r#""typ":"JWT","alg":["EdDSA"],"kid":"OURS""#,
        WRONG_ALGORITHM,
    ),
    (r#""typ":"JWT","kid":"OURS""#, WRONG_ALGORITHM),
    (r#""typ":"JWT","alg":"EdDSA","kid":"RSA""#, WRONG_ALGORITHM),
    (r#""typ":"JWT","alg":"RS256","kid":"RSA""#, WRONG_SIGNATURE),
    (r#""typ":"JWT","alg":"EdDSA""#, NO_KEY_ID),
    (r#""typ":"JWT","alg":"EdDSA","kid":7"#, NO_KEY_ID),
    (r#""typ":"JWT","alg":"EdDSA","kid":"""#, UNKNOWN_KEY),
    (r#""typ":"JWT","alg":"EdDSA","kid":"x""#, UNKNOWN_KEY),
    (r#""alg":"EdDSA","kid":"OURS""#, WRONG_TYPE),
    (r#""typ":"jwt","alg":"EdDSA","kid":"OURS""#, WRONG_TYPE),
    (
        r#""typ":"JWT","alg":"EdDSA","kid":"OURS","crit":[]"#,
        CRITICAL,
    ),
    (
        r#""typ":"JWT","alg":"EdDSA","kid":"OURS","crit":["b64"]"#,
        CRITICAL,
    ),
    (
        r#""typ":"JWT","typ":"JWT","alg":"EdDSA","kid":"OURS""#,
        MALFORMED,
    ),
    (r#""typ":"JWT","alg":"EdDSA","kid":"OURS"} {"#, MALFORMED),
    (r#""typ":"JWT""alg":"EdDSA""#, MALFORMED),
    // Keys that the header brings along are not looked at.
    (
        r#""typ":"JWT","alg":"EdDSA","kid":"OURS","jku":"https://evil","x5u":7,"jwk":{}"#,
        None,
    ),
    (
        r#""typ":"JWT","alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}"#,
        NO_KEY_ID,
    ),
];
const WRONG_ALGORITHM: Option<JwtError> = Some(JwtError::WrongAlgorithm);
const WRONG_SIGNATURE: Option<JwtError> = Some(JwtError::WrongSignature);
const NO_KEY_ID: Option<JwtError> = Some(JwtError::NoKeyId);
const UNKNOWN_KEY: Option<JwtError> = Some(JwtError::UnknownKey);
const WRONG_TYPE: Option<JwtError> = Some(JwtError::WrongType);
const CRITICAL: Option<JwtError> = Some(JwtError::CriticalExtension);
const MALFORMED: Option<JwtError> = Some(JwtError::MalformedHeader);

#[test]
fn a_header_that_is_not_ours_is_refused_whatever_the_signature() {
    let keyset = keyset();
    let kid = |algorithm| key(&keyset, algorithm).kid();
    let payload = claims().to_string();
    for (members, error) in HEADERS {
        let members = members.replace("OURS", kid(SigningAlgorithm::EdDsa));
        let members = members.replace("\"RSA\"", &format!("{:?}", kid(SigningAlgorithm::RS256)));
        let token = forge(&keyset, &format!("{{{members}}}"), &payload);
        let refused = verify::<Value>(&keyset, &token, &expected()).err();
        assert_eq!(refused, *error, "{members}");
    }
    let token = forge(&keyset, "[]", &payload);
    assert_eq!(
        verify::<Value>(&keyset, &token, &expected()).err(),
        MALFORMED
    );
}

#[test]
fn an_unsigned_token_is_refused() {
    let keyset = keyset();
    let kid = key(&keyset, SigningAlgorithm::RS256).kid();
    let header = format!(r#"{{"alg":"none","typ":"JWT","kid":"{kid}"}}"#);
    let message = format!("{}.{}", encode(header), encode(claims().to_string()));
    for (signature, error) in [
        ("", JwtError::NotThreeParts),
        (".AAAA", JwtError::WrongAlgorithm),
    ] {
        let token = format!("{message}{signature}");
        let refused = verify::<Value>(&keyset, &token, &expected()).err();
        // Without a last dot there are two parts, with it and nothing behind it an empty one.
        assert_eq!(refused, Some(error));
    }
    let empty = verify::<Value>(&keyset, &format!("{message}."), &expected());
    assert_eq!(empty, Err(JwtError::NotThreeParts));
}

#[test]
fn a_public_key_is_no_hmac_secret() {
    let keyset = keyset();
    let key = key(&keyset, SigningAlgorithm::RS256);
    let PublicParameters::Rsa { n, .. } = &key.public_jwk().parameters else {
        panic!("an RSA key");
    };
    let der = key.decoding_key().try_get_as_bytes().unwrap();
    let jwk = serde_json::to_string(key.public_jwk()).unwrap();
    for secret in [der, n.as_bytes(), &decode(n).unwrap(), jwk.as_bytes()] {
        for alg in ["HS256", "RS256"] {
            let header = format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"{}"}}"#, key.kid());
            let message = format!("{}.{}", encode(header), encode(claims().to_string()));
            let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let tag = hmac::sign(&secret, message.as_bytes());
            let token = format!("{message}.{}", encode(tag));
            let error = match alg {
                "HS256" => JwtError::WrongAlgorithm,
                _ => JwtError::WrongSignature,
            };
            assert_eq!(verify::<Value>(&keyset, &token, &expected()), Err(error));
        }
    }
}

#[test]
fn trivial_signatures_are_refused() {
    let keyset = keyset();
    for &algorithm in SigningAlgorithm::ALL {
        let token = sign(key(&keyset, algorithm), TokenType::IdToken, &claims()).unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        for signature in [
            vec![0; 64],
            vec![0; 256],
            vec![0xff; 64],
            vec![0],
            vec![1; 72],
        ] {
            let token = format!("{message}.{}", encode(signature));
            let refused = verify::<Value>(&keyset, &token, &expected());
            assert_eq!(refused, Err(JwtError::WrongSignature), "{algorithm}");
        }
    }
}

#[test]
fn a_key_of_another_keyset_is_unknown() {
    let other = SigningKey::generate(SigningAlgorithm::ES256).unwrap();
    let token = sign(&other, TokenType::IdToken, &claims()).unwrap();
    let refused = verify::<Value>(&keyset(), &token, &expected());
    assert_eq!(refused, Err(JwtError::UnknownKey));
}
