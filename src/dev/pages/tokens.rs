//! The badge and the key card: an ID token and an access token as the demo shows them.

use serde_json::{Map, Value};

use crate::http::pages::consent::ScopeLine;
use crate::http::pages::{self, words};
use crate::oidc::timestamp::Timestamp;

/// The ID token: it says who somebody is, to the client that asked.
#[derive(Clone, Debug)]
pub struct Badge {
    /// The name that stands on it.
    pub name: String,
    /// The JOSE header, indented.
    pub header: String,
    /// The claims.
    pub claims: Vec<ClaimLine>,
    /// Whom it is for (`aud`).
    pub audience: String,
    /// Who issued it (`iss`).
    pub issuer: String,
    /// When it stops being valid.
    pub expiry: Expiry,
    /// The algorithm of its signature.
    pub algorithm: String,
    /// The id of the key that signed it.
    pub key_id: String,
    /// The token itself.
    pub raw: String,
}

/// The access token: it opens an API, whoever holds it.
#[derive(Clone, Debug)]
pub struct KeyCard {
    /// What it opens.
    pub scopes: Vec<ScopeLine>,
    /// The API that it is for (`aud`).
    pub audience: String,
    /// Whether it is for the issuer's own userinfo endpoint, too.
    pub is_for_issuer: bool,
    /// The client that it was given to.
    pub client_id: String,
    /// When it stops being valid.
    pub expiry: Expiry,
    /// The decoded JWT; none if the token is opaque.
    pub decoded: Option<DecodedToken>,
    /// The token itself.
    pub raw: String,
}

/// A JWT, taken apart.
#[derive(Clone, Debug)]
pub struct DecodedToken {
    /// The JOSE header, indented.
    pub header: String,
    /// The claims.
    pub claims: Vec<ClaimLine>,
}

/// When a token stops being valid, seen from now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Expiry {
    /// The instant from which it is no longer accepted.
    pub expires_at: Timestamp,
    /// The instant at which the page is made.
    pub now: Timestamp,
}

impl Badge {
    /// The letter that stands for its bearer.
    #[must_use]
    pub fn monogram(&self) -> String {
        pages::monogram(&self.name)
    }
}

impl Expiry {
    /// Whether it is over.
    #[must_use]
    pub fn is_past(self) -> bool {
        self.expires_at <= self.now
    }

    /// How many seconds are left, negative if it is past.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.expires_at.seconds_since(self.now)
    }

    /// How far off it is: `in 5 minutes`.
    #[must_use]
    pub fn in_words(self) -> String {
        words::distance(self.expires_at, self.now)
    }

    /// Date and time.
    #[must_use]
    pub fn absolute(self) -> String {
        words::absolute(self.expires_at)
    }

    /// Date and time for the `datetime` attribute.
    #[must_use]
    pub fn machine_readable(self) -> String {
        words::machine_readable(self.expires_at)
    }
}

/// One claim with what it means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimLine {
    /// Its name.
    pub name: String,
    /// Its value: a string as it is, anything else as JSON.
    pub value: String,
    /// Its value in words, of those that are instants.
    pub in_words: Option<String>,
    /// What it is for, in a few words; empty if Keyfob does not know it.
    pub meaning: &'static str,
}

impl ClaimLine {
    /// The claims of an ID token, the protocol's own first, in the order of the specification.
    #[must_use]
    pub fn of_id_token(claims: &Map<String, Value>, now: Timestamp) -> Vec<Self> {
        Self::all(claims, &[], now)
    }

    /// The claims of a JWT access token, in the same order; some mean something else there.
    #[must_use]
    pub fn of_access_token(claims: &Map<String, Value>, now: Timestamp) -> Vec<Self> {
        Self::all(claims, ACCESS_TOKEN_MEANINGS, now)
    }

    fn all(claims: &Map<String, Value>, own: &[Meaning], now: Timestamp) -> Vec<Self> {
        let mut lines: Vec<Self> = claims
            .iter()
            .map(|(name, value)| Self::of(name, value, own, now))
            .collect();
        lines.sort_by_key(|line| {
            let known = MEANINGS.iter().position(|(name, _)| *name == line.name);
            known.unwrap_or(MEANINGS.len())
        });
        lines
    }

    fn of(name: &str, value: &Value, own: &[Meaning], now: Timestamp) -> Self {
        let mut meanings = own.iter().chain(MEANINGS);
        let meaning = meanings.find(|(known, _)| *known == name);
        let instant = match name {
            "exp" | "iat" | "nbf" | "auth_time" | "updated_at" => value.as_i64().map(Timestamp),
            _ => None,
        };
        Self {
            name: name.to_owned(),
            value: match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
            in_words: instant.map(|at| words::distance(at, now)),
            meaning: meaning.map_or("", |(_, meaning)| meaning),
        }
    }
}

/// An object as indented JSON.
#[must_use]
pub fn indented(object: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(object).unwrap_or_default()
}

/// A claim's name and what it means.
type Meaning = (&'static str, &'static str);

const ACCESS_TOKEN_MEANINGS: &[Meaning] = &[
    (
        "iss",
        "Who issued the card: the API trusts this issuer alone",
    ),
    ("sub", "On whose behalf it opens"),
    ("aud", "Whom it is for: the API must find itself here"),
    ("auth_time", "When that person last proved who they are"),
    ("acr", "How strongly they proved it"),
    ("amr", "By which means"),
    ("sid", "The session that it came from"),
];

const MEANINGS: &[Meaning] = &[
    (
        "iss",
        "Who issued the badge: the issuer, exactly as configured",
    ),
    (
        "sub",
        "Who you are: an id that never changes. Use this as the key, not the e-mail",
    ),
    (
        "aud",
        "Whom it is for: your app must find its own client id here",
    ),
    ("exp", "Not valid from this instant on"),
    ("iat", "When it was issued"),
    ("nbf", "Not valid before this instant"),
    ("auth_time", "When you last proved who you are"),
    (
        "nonce",
        "What the app made up for this sign-in, so that no old badge is slipped in",
    ),
    ("acr", "How strongly you proved it"),
    ("amr", "By which means: pwd is a password"),
    ("azp", "The client that it was given to"),
    (
        "at_hash",
        "Ties the badge to the key card that came with it",
    ),
    ("sid", "The session here, to end it later"),
    ("client_id", "The client that it was given to"),
    ("scope", "What it opens"),
    ("jti", "Its own id"),
    (
        "grant_id",
        "What Keyfob knows the sign-in by that it came from, to revoke it",
    ),
    ("name", "Your name (scope profile)"),
    ("given_name", "Your first name (scope profile)"),
    ("family_name", "Your last name (scope profile)"),
    ("middle_name", "Your middle name (scope profile)"),
    ("nickname", "What you are called (scope profile)"),
    (
        "preferred_username",
        "Your user name; it may change (scope profile)",
    ),
    ("profile", "Your profile page (scope profile)"),
    ("picture", "Your picture (scope profile)"),
    ("website", "Your web site (scope profile)"),
    ("gender", "Your gender (scope profile)"),
    ("birthdate", "Your date of birth (scope profile)"),
    ("zoneinfo", "Your time zone (scope profile)"),
    ("locale", "Your language and region (scope profile)"),
    (
        "updated_at",
        "When your profile last changed (scope profile)",
    ),
    ("email", "Your e-mail address (scope email)"),
    (
        "email_verified",
        "Whether it is known to be yours (scope email)",
    ),
    ("phone_number", "Your phone number (scope phone)"),
    (
        "phone_number_verified",
        "Whether it is known to be yours (scope phone)",
    ),
    ("address", "Your postal address (scope address)"),
    ("groups", "The groups you belong to (scope groups)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_stand_in_the_order_of_the_specification_and_unknown_ones_last() {
        let claims = serde_json::json!({
            "zebra": 1, "email": "a@b.test", "exp": 1300, "sub": "x", "iss": "i", "amr": ["pwd"],
        });
        let lines = ClaimLine::of_id_token(claims.as_object().unwrap(), Timestamp(1000));
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["iss", "sub", "exp", "amr", "email", "zebra"]);
        assert_eq!(lines[2].in_words.as_deref(), Some("in 5 minutes"));
        assert_eq!(lines[3].value, r#"["pwd"]"#);
        assert_eq!(lines[5].meaning, "");
    }

    #[test]
    fn the_audience_of_an_access_token_is_the_api() {
        let claims = serde_json::json!({"aud": "https://api.test", "scope": "read"});
        let lines = ClaimLine::of_access_token(claims.as_object().unwrap(), Timestamp(0));
        assert!(lines[0].meaning.contains("API"));
        assert_eq!(lines[1].meaning, "What it opens");
    }

    #[test]
    fn a_token_is_over_at_the_instant_of_its_expiry() {
        let at = |now| Expiry {
            expires_at: Timestamp(100),
            now: Timestamp(now),
        };
        assert!(!at(99).is_past());
        assert!(at(100).is_past());
    }
}
