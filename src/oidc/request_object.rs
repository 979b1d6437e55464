//! Request objects: authorization requests as signed JWTs ([RFC 9101], [OIDC Core section 6]).
//!
//! Of a request that comes in one, only what is inside counts: what stands beside it has been
//! signed by nobody ([RFC 9101 section 6.3]).
//!
//! [RFC 9101]: https://www.rfc-editor.org/rfc/rfc9101
//! [RFC 9101 section 6.3]: https://www.rfc-editor.org/rfc/rfc9101#section-6.3
//! [OIDC Core section 6]: https://openid.net/specs/openid-connect-core-1_0.html#JWTRequests

use serde_json::{Map, Value};

use super::parameters::{Parameters, ParametersError};
use super::timestamp::Timestamp;

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

/// Whether a JWT with this `typ` may be a request object. It is not demanded ([RFC 9101 section
/// 10.8]), but a JWT that says to be something else is something else.
///
/// [RFC 9101 section 10.8]: https://www.rfc-editor.org/rfc/rfc9101#section-10.8
#[must_use]
pub fn is_type(typ: Option<&str>) -> bool {
    let Some(typ) = typ else { return true };
    let typ = typ.to_ascii_lowercase();
    let short = typ.strip_prefix("application/").unwrap_or(&typ);
    ["jwt", "oauth-authz-req+jwt"].contains(&short)
}

/// The authorization request in the `claims` of a request object that came with `sent`.
pub fn request(
    claims: Map<String, Value>,
    sent: &Parameters,
    expected: &Expected<'_>,
) -> Result<Parameters, RequestObjectError> {
    are_of_and_for(&claims, expected)?;
    are_valid(&claims, expected)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("sub") == Some(expected.client_id) {
        return Err(RequestObjectError::LooksLikeAssertion);
    }
    // RFC 9101 section 4.
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(RequestObjectError::Nested);
    }
    if claims.contains_key("client_id") && text("client_id") != Some(expected.client_id) {
        return Err(RequestObjectError::OtherClient);
    }
    let sent_type = sent.get("response_type").unwrap_or_default();
    if let (Some(sent), Some(own)) = (sent_type, text("response_type"))
        && sent != own
    {
        return Err(RequestObjectError::OtherResponseType);
    }
    let pairs = claims
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

fn are_of_and_for(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(), RequestObjectError> {
    // RFC 9101 section 4: both should be there.
    if let Some(iss) = claims.get("iss")
        && iss.as_str() != Some(expected.client_id)
    {
        return Err(RequestObjectError::WrongIssuer);
    }
    let is_for_us = match claims.get("aud") {
        None => !expected.must_be_fresh,
        Some(Value::String(only)) => only == expected.issuer,
        Some(Value::Array(several)) => several.iter().any(|one| one == expected.issuer),
        Some(_) => false,
    };
    is_for_us
        .then_some(())
        .ok_or(RequestObjectError::WrongAudience)
}

fn are_valid(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(), RequestObjectError> {
    let instant = |name: &str| match claims.get(name) {
        None => Ok::<_, RequestObjectError>(None),
        Some(value) => {
            let seconds = value.as_i64().ok_or(RequestObjectError::MalformedTimes)?;
            Ok(Some(Timestamp(seconds)))
        }
    };
    let (exp, nbf) = (instant("exp")?, instant("nbf")?);
    let iat = instant("iat")?;
    if exp.is_some_and(|exp| exp <= expected.now) {
        return Err(RequestObjectError::Expired);
    }
    let is_ahead = |at: Timestamp| at.seconds_since(expected.now) > LEEWAY;
    if nbf.is_some_and(is_ahead) || iat.is_some_and(is_ahead) {
        return Err(RequestObjectError::NotYetValid);
    }
    if expected.must_be_fresh {
        let (Some(exp), Some(nbf)) = (exp, nbf) else {
            return Err(RequestObjectError::MalformedTimes);
        };
        if expected.now.seconds_since(nbf) > LONGEST || exp.seconds_since(nbf) > LONGEST {
            return Err(RequestObjectError::TooLong);
        }
    }
    Ok(())
}

/// Claims of the JWT, and the parameter that is set from who asks.
const NOT_OF_THE_REQUEST: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id"];

/// How far the client's clock may be ahead, in seconds (FAPI 2.0 section 5.3.2.1).
const LEEWAY: i64 = 10;

/// How long a fresh one lasts, in seconds.
const LONGEST: i64 = 60 * 60;

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        request(claims, &sent, &expected).map(|parameters| parameters.encode())
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

    #[test]
    fn a_jwt_that_says_to_be_something_else_is_none() {
        for typ in [
            None,
            Some("JWT"),
            Some("oauth-authz-req+jwt"),
            Some("application/oauth-authz-req+jwt"),
            Some("OAuth-AuthZ-Req+JWT"),
        ] {
            assert!(is_type(typ), "{typ:?}");
        }
        for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "jose", ""] {
            assert!(!is_type(Some(typ)), "{typ}");
        }
    }
}
