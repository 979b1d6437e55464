//! The tokens that the demo shows to its API: the right one, and those that are not quite right.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::dev::pages::demo::{ApiResult, Attempt};
use crate::keys::dev_keys::dev_keys;
use crate::keys::jwt::{self, TokenType};
use crate::oidc::timestamp::Timestamp;

use super::error::with_causes;
use super::http::Http;
use super::view::DecodedJwt;

/// Why a token could not be made up, or the API not be called.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// The access token is opaque.
    #[error(
        "This key card is opaque, so there is nothing in it to change. Let the client have JWT \
         access tokens to try this."
    )]
    Opaque,
    /// The server signs with keys of its own.
    #[error(
        "The server signs with a key of its own, so the demo cannot make up a key card that is \
         over. With a fresh database it signs with the development keys, and can."
    )]
    ForeignKey,
    /// The API does not answer.
    #[error("The demo API does not answer: {0}.")]
    NoAnswer(String),
}

/// The access token as it would be if it had been issued long ago: genuinely signed, and over.
///
/// Anybody can do this on a development server, because everybody has its keys.
pub fn expired(access_token: &str, now: Timestamp) -> Result<String, AttemptError> {
    let mut decoded = DecodedJwt::read(access_token).ok_or(AttemptError::Opaque)?;
    let kid = decoded.header.get("kid").and_then(Value::as_str);
    let keys = dev_keys().unwrap_or_default();
    let key = keys.iter().find(|key| Some(key.kid()) == kid);
    let key = key.ok_or(AttemptError::ForeignKey)?;
    let issued_at = now.before(LONG_AGO);
    let expired_at = now.before(LONG_AGO / 2);
    for (claim, at) in [("iat", issued_at), ("exp", expired_at)] {
        decoded.claims.insert(claim.to_owned(), at.0.into());
    }
    jwt::sign(key, TokenType::AccessToken, &decoded.claims).map_err(|_| AttemptError::ForeignKey)
}

/// The access token with one letter of its content changed, and the signature as it was.
pub fn tampered(access_token: &str) -> Result<String, AttemptError> {
    let parts: Vec<&str> = access_token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err(AttemptError::Opaque);
    };
    // Both are base64url, so that it is still decoded: it is the signature that no longer fits.
    let middle = payload.len() / 2;
    let changed: String = payload
        .chars()
        .enumerate()
        .map(|(position, letter)| match letter {
            'A' if position == middle => 'B',
            _ if position == middle => 'A',
            _ => letter,
        })
        .collect();
    Ok(format!("{header}.{changed}.{signature}"))
}

/// Calls the API at `address` with `token`.
pub async fn call(
    http: &Http,
    address: &str,
    attempt: Attempt,
    token: &str,
) -> Result<ApiResult, AttemptError> {
    let failed = |error: reqwest::Error| AttemptError::NoAnswer(with_causes(&error));
    let request = http.client().map_err(failed)?.get(address);
    let response = request.bearer_auth(token).send().await.map_err(failed)?;
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.and_then(|value| value.to_str().ok());
    let challenge = challenge.map(str::to_owned);
    let body = response.text().await.map_err(failed)?;
    Ok(ApiResult {
        attempt,
        status,
        challenge,
        body: indented(&body),
    })
}

fn indented(body: &str) -> String {
    let object = serde_json::from_str::<Map<String, Value>>(body);
    let pretty = object.map(|object| format!("{:#}", json!(object)));
    pretty.unwrap_or_else(|_| body.to_owned())
}

const LONG_AGO: Duration = Duration::from_hours(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> String {
        let keys = dev_keys().unwrap();
        let claims = json!({"sub": "a", "iat": 10_000, "exp": 10_300});
        jwt::sign(&keys[2], TokenType::AccessToken, &claims).unwrap()
    }

    #[test]
    fn the_expired_token_is_the_same_but_for_its_time() {
        let now = Timestamp(10_000);
        let expired = DecodedJwt::read(&expired(&token(), now).unwrap()).unwrap();
        let original = DecodedJwt::read(&token()).unwrap();
        assert_eq!(expired.header, original.header);
        assert_eq!(expired.claims["sub"], "a");
        assert!(expired.claims["exp"].as_i64().unwrap() < now.0);
        assert!(super::expired("kfa_opaque", now).is_err());
    }

    #[test]
    fn the_tampered_token_differs_in_one_letter() {
        let original = token();
        let tampered = tampered(&original).unwrap();
        let pairs = original.chars().zip(tampered.chars());
        assert_eq!(pairs.filter(|(one, other)| one != other).count(), 1);
        assert_eq!(original.len(), tampered.len());
        assert!(super::tampered("kfa_opaque").is_err());
    }
}
