//! The claims of a JWT that somebody else signed ([RFC 7519 section 4]), read strictly.
//!
//! [RFC 7519 section 4]: https://www.rfc-editor.org/rfc/rfc7519#section-4

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::timestamp::Timestamp;

/// The claims of a JWT whose signature has been verified.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JwtClaims(Map<String, Value>);

/// What is wrong with the instants of a JWT, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwtTimeError {
    /// A claim that is to be an instant is no number.
    #[error("its {0} is no instant")]
    Malformed(&'static str),
    /// A claim that must be there is not.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// It has expired.
    #[error("it has expired")]
    Expired,
    /// It lives longer than may be.
    #[error("it expires too late")]
    TooLong,
    /// It is not valid yet.
    #[error("it is not valid yet")]
    NotYetValid,
    /// It was issued in the future.
    #[error("it was issued in the future")]
    IssuedLater,
    /// It was issued too long ago.
    #[error("it was issued too long ago")]
    TooOld,
}

impl JwtClaims {
    /// The claims in this object.
    #[must_use]
    pub fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// A claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Whom it is for ([RFC 7519 section 4.1.3]): one string or several. Empty if it does not say,
    /// or says it with anything but strings.
    ///
    /// [RFC 7519 section 4.1.3]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
    #[must_use]
    pub fn audience(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(only)) => vec![only],
            Some(Value::Array(several)) => {
                let several: Option<Vec<_>> = several.iter().map(Value::as_str).collect();
                several.unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// An instant, which may have a fraction ([RFC 7519 section 2]).
    ///
    /// [RFC 7519 section 2]: https://www.rfc-editor.org/rfc/rfc7519#section-2
    pub fn instant(&self, name: &'static str) -> Result<Option<Timestamp>, JwtTimeError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let seconds = value.as_i64().or_else(|| value.as_f64().and_then(whole));
        let seconds = seconds.ok_or(JwtTimeError::Malformed(name))?;
        Ok(Some(Timestamp(seconds)))
    }

    /// An instant that must be there.
    pub fn required_instant(&self, name: &'static str) -> Result<Timestamp, JwtTimeError> {
        self.instant(name)?.ok_or(JwtTimeError::Missing(name))
    }

    /// Checks `exp`, `nbf` and `iat` as far as they are there; returns `exp`.
    ///
    /// Of clocks that go fast `leeway` is forgiven to `nbf` and `iat`; nothing is to `exp`.
    pub fn are_current(
        &self,
        now: Timestamp,
        leeway: Duration,
    ) -> Result<Option<Timestamp>, JwtTimeError> {
        let expires_at = self.instant("exp")?;
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(JwtTimeError::Expired);
        }
        let latest = now.after(leeway);
        if self
            .instant("nbf")?
            .is_some_and(|valid_from| valid_from > latest)
        {
            return Err(JwtTimeError::NotYetValid);
        }
        if self
            .instant("iat")?
            .is_some_and(|issued_at| issued_at > latest)
        {
            return Err(JwtTimeError::IssuedLater);
        }
        Ok(expires_at)
    }

    /// The same, where `exp` must be there and not later than `longest` from now.
    pub fn expire_within(
        &self,
        now: Timestamp,
        leeway: Duration,
        longest: Duration,
    ) -> Result<Timestamp, JwtTimeError> {
        let expires_at = self.are_current(now, leeway)?;
        let expires_at = expires_at.ok_or(JwtTimeError::Missing("exp"))?;
        if expires_at > now.after(longest).after(leeway) {
            return Err(JwtTimeError::TooLong);
        }
        Ok(expires_at)
    }

    /// The claims as another type; `None` if they do not fit it.
    #[must_use]
    pub fn into_type<C: DeserializeOwned>(self) -> Option<C> {
        serde_json::from_value(Value::Object(self.0)).ok()
    }

    /// All of them.
    #[must_use]
    pub fn into_members(self) -> Map<String, Value> {
        self.0
    }
}

/// The whole seconds of a number, if a number of seconds it can be.
fn whole(seconds: f64) -> Option<i64> {
    if !seconds.is_finite() || seconds.abs() > MOST_SECONDS {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is within the bounds")]
    Some(seconds.floor() as i64)
}

/// Beyond this, whole numbers are not told apart by a double.
const MOST_SECONDS: f64 = 9_007_199_254_740_991.0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const LEEWAY: Duration = Duration::from_secs(10);
    const HOUR: Duration = Duration::from_hours(1);

    fn claims(json: &Value) -> JwtClaims {
        JwtClaims::new(json.as_object().unwrap().clone())
    }

    #[test]
    fn the_instants_of_a_token_are_checked() {
        use JwtTimeError::{Expired, IssuedLater, Malformed, Missing, NotYetValid, TooLong};
        for (json, expected) in [
            (json!({"exp": 1_000_001}), Ok(1_000_001)),
            (json!({"exp": 1_000_001.9}), Ok(1_000_001)),
            (json!({"exp": 1_003_600}), Ok(1_003_600)),
            (json!({"exp": 1_003_611}), Err(TooLong)),
            (json!({"exp": 1_000_000}), Err(Expired)),
            (json!({"exp": -1}), Err(Expired)),
            (json!({}), Err(Missing("exp"))),
            (json!({"exp": null}), Err(Malformed("exp"))),
            (json!({"exp": "9999999999"}), Err(Malformed("exp"))),
            (json!({"exp": [1_000_001]}), Err(Malformed("exp"))),
            (json!({"exp": 1e300}), Err(Malformed("exp"))),
            (json!({"exp": u64::MAX}), Err(Malformed("exp"))),
            (json!({"exp": i64::MAX}), Err(TooLong)),
            (json!({"exp": 1_000_001, "nbf": 1_000_008}), Ok(1_000_001)),
            (
                json!({"exp": 1_000_001, "nbf": 1_000_060}),
                Err(NotYetValid),
            ),
            (json!({"exp": 1_000_001, "nbf": "0"}), Err(Malformed("nbf"))),
            (json!({"exp": 1_000_001, "iat": 1_000_008}), Ok(1_000_001)),
            (
                json!({"exp": 1_000_001, "iat": 1_000_060}),
                Err(IssuedLater),
            ),
            (
                json!({"exp": 1_000_001, "iat": true}),
                Err(Malformed("iat")),
            ),
        ] {
            let actual = claims(&json).expire_within(NOW, LEEWAY, HOUR);
            assert_eq!(actual, expected.map(Timestamp), "{json}");
        }
        assert_eq!(claims(&json!({})).are_current(NOW, LEEWAY), Ok(None));
    }

    #[test]
    fn an_audience_is_one_string_or_several() {
        for (json, expected) in [
            (json!({"aud": "a"}), vec!["a"]),
            (json!({"aud": ["a", "b"]}), vec!["a", "b"]),
            (json!({"aud": []}), vec![]),
            (json!({"aud": {}}), vec![]),
            (json!({"aud": [1]}), vec![]),
            (json!({"aud": ["a", 1]}), vec![]),
            (json!({}), vec![]),
        ] {
            assert_eq!(claims(&json).audience(), expected, "{json}");
        }
    }
}
