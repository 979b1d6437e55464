//! Request objects: authorization requests as signed JWTs ([RFC 9101], [OIDC Core section 6]).
//!
//! Of a request that comes in one, only what is inside counts: what stands beside it has been
//! signed by nobody ([RFC 9101 section 6.3]).
//!
//! [RFC 9101]: https://www.rfc-editor.org/rfc/rfc9101
//! [RFC 9101 section 6.3]: https://www.rfc-editor.org/rfc/rfc9101#section-6.3
//! [OIDC Core section 6]: https://openid.net/specs/openid-connect-core-1_0.html#JWTRequests

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json;
use super::jws_algorithm::JwsAlgorithm;
use super::jwt_claims::{JwtClaims, JwtTimeError};
use super::parameters::{Parameters, ParametersError};
use super::signing_algorithm::UnknownName;
use super::timestamp::Timestamp;

/// How a client signs its request objects ([OIDC Registration section 2]).
///
/// [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum RequestObjectSigningAlgorithm {
    /// Not at all: `none`, which the operator has to allow.
    Unsigned,
    /// Under this algorithm, with one of its own keys.
    Signed(JwsAlgorithm),
}

impl FromStr for RequestObjectSigningAlgorithm {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        if text == NONE {
            return Ok(Self::Unsigned);
        }
        let algorithm: JwsAlgorithm = text.parse()?;
        let is_offered = JwsAlgorithm::ASYMMETRIC.contains(&algorithm);
        is_offered
            .then_some(Self::Signed(algorithm))
            .ok_or(UnknownName)
    }
}

impl TryFrom<String> for RequestObjectSigningAlgorithm {
    type Error = UnknownName;

    fn try_from(text: String) -> Result<Self, UnknownName> {
        text.parse()
    }
}

impl From<RequestObjectSigningAlgorithm> for String {
    fn from(algorithm: RequestObjectSigningAlgorithm) -> Self {
        algorithm.to_string()
    }
}

impl fmt::Display for RequestObjectSigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsigned => NONE,
            Self::Signed(algorithm) => algorithm.as_str(),
        })
    }
}

/// What is wrong with a request object, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestObjectError {
    /// No signed or unsecured JWT; encrypted ones are not offered.
    #[error("the request object is not a signed JWT")]
    Malformed,
    /// The `typ` of another kind of JWT.
    #[error("the request object is a JWT of another type")]
    WrongType,
    /// `alg` is `none`, which is not allowed or not of this client.
    #[error("the request object must be signed")]
    Unsigned,
    /// Another algorithm than the client's, or one that Keyfob does not verify.
    #[error("the request object is signed with another algorithm than the client's")]
    AlgorithmNotAllowed,
    /// The client has no keys, or they cannot be had now.
    #[error("the client's keys are not there")]
    NoKeys,
    /// None of the client's keys made the signature.
    #[error("the request object is not signed by the client")]
    WrongSignature,
    /// The claims are not a JSON object with distinct members.
    #[error("the claims of the request object are malformed")]
    MalformedClaims,
    /// `iss` is not the client.
    #[error("the iss of the request object is not the client")]
    WrongIssuer,
    /// `aud` does not contain the issuer.
    #[error("the aud of the request object is not this issuer")]
    WrongAudience,
    /// `exp`, `nbf` or `iat` is missing where it is needed, or not a whole number.
    #[error("the request object does not say when it is valid")]
    MalformedTimes,
    /// It has expired.
    #[error("the request object has expired")]
    Expired,
    /// It is not valid yet.
    #[error("the request object is not valid yet")]
    NotYetValid,
    /// It is older, or valid for longer, than the client's profile allows.
    #[error("the request object is too old or valid for too long")]
    TooLong,
    /// Its `sub` is the client, so that it could be taken for a client assertion.
    #[error("the request object has the client as its sub")]
    LooksLikeAssertion,
    /// It has `request` or `request_uri`.
    #[error("the request object has another one inside")]
    Nested,
    /// Its `client_id` is not that of the request.
    #[error("the client_id of the request object is another one")]
    OtherClient,
    /// Its `response_type` is not that of the request.
    #[error("the response_type of the request object is another one")]
    OtherResponseType,
    /// It has more members than any request has, or a control character.
    #[error("the request object has members that no request has")]
    Unusable,
}

impl From<ParametersError> for RequestObjectError {
    fn from(_: ParametersError) -> Self {
        Self::Unusable
    }
}

impl From<JwtTimeError> for RequestObjectError {
    fn from(error: JwtTimeError) -> Self {
        match error {
            JwtTimeError::Malformed(_) | JwtTimeError::Missing(_) => Self::MalformedTimes,
            JwtTimeError::Expired => Self::Expired,
            JwtTimeError::NotYetValid | JwtTimeError::IssuedLater => Self::NotYetValid,
            JwtTimeError::TooLong | JwtTimeError::TooOld => Self::TooLong,
        }
    }
}

/// What a request object must be to be accepted.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The client whose request it is.
    pub client_id: &'a str,
    /// Keyfob.
    pub issuer: &'a str,
    /// The present instant.
    pub now: Timestamp,
    /// Whether `aud`, `nbf` and `exp` must be there, `nbf` at most an hour ago and `exp` at most
    /// an hour after it ([FAPI 2.0 Message Signing section 5.3.1]).
    ///
    /// [FAPI 2.0 Message Signing section 5.3.1]: https://openid.net/specs/fapi-message-signing-2_0-final.html#section-5.3.1
    pub must_be_fresh: bool,
}

/// The values that `typ` may have. It is not demanded ([RFC 9101 section 10.8]), but a JWT that
/// says to be something else is something else.
///
/// [RFC 9101 section 10.8]: https://www.rfc-editor.org/rfc/rfc9101#section-10.8
pub const TYPES: &[&str] = &["JWT", "oauth-authz-req+jwt"];

/// The claims of an unsecured JWT ([RFC 7519 section 6]); `None` if `text` is another kind of JWT.
///
/// [RFC 7519 section 6]: https://www.rfc-editor.org/rfc/rfc7519#section-6
pub fn unsecured(text: &str) -> Option<Result<JwtClaims, RequestObjectError>> {
    let (header, rest) = text.split_once('.')?;
    let payload = rest.strip_suffix('.')?;
    let Value::Object(header) = decode(header)? else {
        return None;
    };
    if header.get("alg").and_then(Value::as_str) != Some(NONE) || header.contains_key("crit") {
        return None;
    }
    if !header.get("typ").is_none_or(is_type) {
        return Some(Err(RequestObjectError::WrongType));
    }
    Some(match decode(payload) {
        Some(Value::Object(claims)) => Ok(JwtClaims::new(claims)),
        _ => Err(RequestObjectError::MalformedClaims),
    })
}

fn decode(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    json::read(std::str::from_utf8(&bytes).ok()?).ok()
}

fn is_type(typ: &Value) -> bool {
    let typ = typ.as_str().unwrap_or_default().to_ascii_lowercase();
    let short = typ.strip_prefix("application/").unwrap_or(&typ);
    TYPES.iter().any(|own| own.eq_ignore_ascii_case(short))
}

/// The authorization request in the `claims` of a request object that came with `sent`.
pub fn request(
    claims: JwtClaims,
    sent: &Parameters,
    expected: &Expected<'_>,
) -> Result<Parameters, RequestObjectError> {
    are_of_and_for(&claims, expected)?;
    are_valid(&claims, expected)?;
    if claims.text("sub") == Some(expected.client_id) {
        return Err(RequestObjectError::LooksLikeAssertion);
    }
    // RFC 9101 section 4.
    if claims.get("request").is_some() || claims.get("request_uri").is_some() {
        return Err(RequestObjectError::Nested);
    }
    let own_id = claims.get("client_id");
    if own_id.is_some_and(|own| own.as_str() != Some(expected.client_id)) {
        return Err(RequestObjectError::OtherClient);
    }
    let sent_type = sent.get("response_type").unwrap_or_default();
    if let (Some(sent), Some(own)) = (sent_type, claims.text("response_type"))
        && sent != own
    {
        return Err(RequestObjectError::OtherResponseType);
    }
    let pairs = claims
        .into_members()
        .into_iter()
        .filter(|(name, value)| !NOT_OF_THE_REQUEST.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            // RFC 9101 section 4: numbers and objects are what they are in JSON.
            other => (name, other.to_string()),
        });
    let parameters = Parameters::from_pairs(pairs)?;
    Ok(parameters.with("client_id", expected.client_id))
}

fn are_of_and_for(claims: &JwtClaims, expected: &Expected<'_>) -> Result<(), RequestObjectError> {
    // RFC 9101 section 4: both should be there.
    if let Some(iss) = claims.get("iss")
        && iss.as_str() != Some(expected.client_id)
    {
        return Err(RequestObjectError::WrongIssuer);
    }
    let is_for_us = match claims.get("aud") {
        None => !expected.must_be_fresh,
        Some(_) => claims.audience().contains(&expected.issuer),
    };
    is_for_us
        .then_some(())
        .ok_or(RequestObjectError::WrongAudience)
}

fn are_valid(claims: &JwtClaims, expected: &Expected<'_>) -> Result<(), RequestObjectError> {
    let exp = claims.are_current(expected.now, LEEWAY)?;
    if expected.must_be_fresh {
        let nbf = claims.required_instant("nbf")?;
        let exp = exp.ok_or(RequestObjectError::MalformedTimes)?;
        if expected.now > nbf.after(LONGEST) || exp > nbf.after(LONGEST) {
            return Err(RequestObjectError::TooLong);
        }
    }
    Ok(())
}

/// Claims of the JWT, and the parameter that is set from who asks.
const NOT_OF_THE_REQUEST: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id"];

/// How far the client's clock may be ahead (FAPI 2.0 section 5.3.2.1).
const LEEWAY: Duration = Duration::from_secs(10);

/// How long a fresh one lasts.
const LONGEST: Duration = Duration::from_hours(1);

const NONE: &str = "none";

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::RequestObjectError as Error;
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);
    const ISSUER: &str = "https://op.test";

    fn read(claims: Value, must_be_fresh: bool) -> Result<String, Error> {
        let Value::Object(claims) = claims else {
            panic!("an object");
        };
        let sent = "client_id=app&response_type=code&scope=openid&state=outer";
        let sent = Parameters::parse(sent).unwrap();
        let expected = Expected {
            client_id: "app",
            issuer: ISSUER,
            now: NOW,
            must_be_fresh,
        };
        request(JwtClaims::new(claims), &sent, &expected).map(|parameters| parameters.encode())
    }

    #[test]
    fn only_what_is_inside_counts() {
        let claims = json!({"iss": "app", "aud": [ISSUER, "x"], "exp": NOW.0 + 1, "jti": "j",
            "nbf": NOW.0 + 10, "iat": NOW.0, "sub": "somebody", "client_id": "app", "nonce": null,
            "max_age": 0, "claims": {"userinfo": {"name": null}}, "state": "a b", "x": true});
        let expected = "max_age=0&claims=%7B%22userinfo%22%3A%7B%22name%22%3Anull%7D%7D\
                        &state=a+b&x=true&client_id=app";
        assert_eq!(read(claims, false).as_deref(), Ok(expected));
        assert_eq!(read(json!({}), false).as_deref(), Ok("client_id=app"));
    }

    #[test]
    fn each_claim_must_be_right() {
        for (claims, expected) in [
            (json!({"iss": "other"}), Error::WrongIssuer),
            (json!({"iss": 1}), Error::WrongIssuer),
            (json!({"aud": "https://other.test"}), Error::WrongAudience),
            (json!({"aud": []}), Error::WrongAudience),
            (json!({"aud": {}}), Error::WrongAudience),
            (json!({"exp": NOW.0}), Error::Expired),
            (json!({"exp": "9999999999"}), Error::MalformedTimes),
            (json!({"exp": 1e40}), Error::MalformedTimes),
            (json!({"nbf": null}), Error::MalformedTimes),
            (json!({"nbf": NOW.0 + 11}), Error::NotYetValid),
            (json!({"iat": NOW.0 + 60}), Error::NotYetValid),
            (json!({"sub": "app"}), Error::LooksLikeAssertion),
            (json!({"request": "x"}), Error::Nested),
            (json!({"request_uri": "https://rp.test"}), Error::Nested),
            (json!({"request_uri": null}), Error::Nested),
            (json!({"client_id": "other"}), Error::OtherClient),
            (json!({"client_id": ["app"]}), Error::OtherClient),
            (json!({"response_type": "token"}), Error::OtherResponseType),
            (json!({"state": "a\u{0}b"}), Error::Unusable),
            (json!({"a\r\nb": "c"}), Error::Unusable),
        ] {
            let text = claims.to_string();
            assert_eq!(read(claims, false), Err(expected), "{text}");
        }
        let many: Map<_, _> = (0..101).map(|n| (n.to_string(), json!("x"))).collect();
        assert_eq!(read(Value::Object(many), false), Err(Error::Unusable));
    }

    #[test]
    fn a_fresh_one_lasts_an_hour_at_most() {
        let fresh = json!({"aud": ISSUER, "nbf": NOW.0 - 3600, "exp": NOW.0 + 1});
        for (name, value, expected) in [
            ("aud", json!(ISSUER), Err(Error::TooLong)),
            ("nbf", json!(NOW.0 - 3599), Ok(())),
            ("nbf", json!(NOW.0 - 3601), Err(Error::TooLong)),
            ("nbf", json!(null), Err(Error::MalformedTimes)),
            ("exp", json!(null), Err(Error::MalformedTimes)),
            ("aud", json!(null), Err(Error::WrongAudience)),
        ] {
            let mut claims = fresh.clone();
            claims[name] = value;
            assert_eq!(read(claims, true).map(|_| ()), expected, "{name}");
        }
        for name in ["aud", "nbf", "exp"] {
            let mut claims = json!({"aud": ISSUER, "nbf": NOW.0 - 10, "exp": NOW.0 + 1});
            assert_eq!(read(claims.clone(), true).map(|_| ()), Ok(()));
            claims.as_object_mut().unwrap().remove(name);
            assert!(read(claims.clone(), true).is_err(), "{name}");
            assert_eq!(read(claims, false).map(|_| ()), Ok(()), "{name}");
        }
    }

    fn jwt(header: &Value, payload: &str, signature: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let payload = URL_SAFE_NO_PAD.encode(payload);
        format!("{header}.{payload}.{signature}")
    }

    #[test]
    fn an_unsecured_jwt_is_told_from_a_signed_one() {
        for typ in [
            "JWT",
            "oauth-authz-req+jwt",
            "application/OAuth-AuthZ-Req+JWT",
        ] {
            let text = jwt(&json!({"alg": "none", "typ": typ}), r#"{"state":"x"}"#, "");
            let claims = unsecured(&text).unwrap().unwrap();
            assert_eq!(claims.text("state"), Some("x"));
        }
        let none = json!({"alg": "none"});
        for text in [
            jwt(&none, "{}", "AA"),
            jwt(&json!({"alg": "None"}), "{}", ""),
            jwt(&json!({"alg": "RS256"}), "{}", ""),
            jwt(&json!({"alg": "none", "crit": ["x"]}), "{}", ""),
            jwt(&json!([]), "{}", ""),
            "..".to_owned(),
            "x".to_owned(),
        ] {
            assert!(unsecured(&text).is_none(), "{text}");
        }
        for (text, error) in [
            (
                jwt(&json!({"alg": "none", "typ": "at+jwt"}), "{}", ""),
                Error::WrongType,
            ),
            (
                jwt(&json!({"alg": "none", "typ": 1}), "{}", ""),
                Error::WrongType,
            ),
            (jwt(&none, "[]", ""), Error::MalformedClaims),
            (jwt(&none, r#"{"a":1,"a":1}"#, ""), Error::MalformedClaims),
            (jwt(&none, "", ""), Error::MalformedClaims),
        ] {
            assert_eq!(unsecured(&text), Some(Err(error)), "{text}");
        }
    }

    #[test]
    fn a_client_signs_with_its_own_keys_or_not_at_all() {
        for name in ["none", "RS256", "PS256", "ES256", "EdDSA"] {
            let algorithm: RequestObjectSigningAlgorithm = name.parse().unwrap();
            assert_eq!(algorithm.to_string(), name);
        }
        for name in ["None", "HS256", "RSA-OAEP", ""] {
            assert!(name.parse::<RequestObjectSigningAlgorithm>().is_err());
        }
    }
}
