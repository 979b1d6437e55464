//! Device authorizations ([RFC 8628]): a device without a browser asks, a person answers elsewhere.
//!
//! [RFC 8628]: https://www.rfc-editor.org/rfc/rfc8628

use std::fmt;

use serde::Serialize;

use super::api::Apis;
use super::client::{Client, ClientId};
use super::grant_type::GrantType;
use super::requested_access::permitted;
use super::scope::{OFFLINE_ACCESS, OPENID, Scopes};
use super::timestamp::Timestamp;

/// What a device asks for, as it is kept under the digest of its device code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceAuthorization {
    /// The client that the device is.
    pub client_id: ClientId,
    /// The scopes it asks for and may have.
    pub scopes: Scopes,
    /// The APIs that it asks for ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
    pub resources: Vec<String>,
    /// The seconds that must lie between two of its questions.
    pub poll_interval: i64,
    /// When it asked.
    pub created_at: Timestamp,
    /// When both of its codes end.
    pub expires_at: Timestamp,
}

/// The answer of the device authorization endpoint ([RFC 8628 section 3.2]).
///
/// [RFC 8628 section 3.2]: https://www.rfc-editor.org/rfc/rfc8628#section-3.2
#[derive(Clone, Debug, Serialize)]
pub struct DeviceAuthorizationResponse {
    /// What the device asks the token endpoint with.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where they type it.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: String,
    /// The lifetime of both codes in seconds.
    pub expires_in: u64,
    /// The seconds that must lie between two questions.
    pub interval: i64,
}

/// The scopes that a device of `client` gets when it asks for `requested` at `resources`: where it
/// names none, those of the APIs, or those that the client is registered for, or only who the
/// user is ([RFC 8628 section 3.1]). `None` if nothing is left.
///
/// [RFC 8628 section 3.1]: https://www.rfc-editor.org/rfc/rfc8628#section-3.1
#[must_use]
pub fn scopes(
    client: &Client,
    requested: Option<&Scopes>,
    apis: &Apis,
    resources: &[String],
) -> Option<Scopes> {
    let metadata = &client.metadata;
    let may_refresh = metadata.grant_types.contains(GrantType::RefreshToken);
    let wanted = match (requested, &metadata.scope) {
        (Some(requested), _) => requested.clone(),
        (None, _) if !resources.is_empty() => apis.scopes_of(resources),
        (None, Some(registered)) => registered.clone(),
        (None, None) => OPENID.parse().unwrap_or_default(),
    };
    let permitted = permitted(&wanted, client, apis, resources)
        .filtered(|scope| may_refresh || scope != OFFLINE_ACCESS);
    (!permitted.is_empty() || !resources.is_empty()).then_some(permitted)
}

/// The code that a person types: eight letters without vowels, so that it spells nothing
/// ([RFC 8628 section 6.1]); 34.5 bits, which are enough for as long as it lives and as often as
/// one may guess.
///
/// [RFC 8628 section 6.1]: https://www.rfc-editor.org/rfc/rfc8628#section-6.1
#[derive(Clone, Eq, PartialEq)]
pub struct UserCode(String);

impl UserCode {
    /// The code of these random bits. That 2⁶⁴ is no multiple of 20⁸ favours no code by more than
    /// one part in a hundred million.
    #[must_use]
    pub fn new(mut bits: u64) -> Self {
        let count = LETTERS.len() as u64;
        let letters = (0..LENGTH).map(|_| {
            let index = usize::try_from(bits % count).unwrap_or_default();
            bits /= count;
            char::from(LETTERS[index])
        });
        Self(letters.collect())
    }

    /// Reads what somebody typed: in either case, with or without the dash, and with whatever
    /// punctuation they put in. `None` if it cannot be a code.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > LONGEST_TYPED {
            return None;
        }
        let letters = typed.chars().filter(|letter| letter.is_alphanumeric());
        let code: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
        let is_code = code.len() == LENGTH && code.bytes().all(|it| LETTERS.contains(&it));
        is_code.then_some(Self(code))
    }

    /// The eight letters without the dash: what is digested.
    #[must_use]
    pub fn letters(&self) -> &str {
        &self.0
    }
}

/// With a dash in the middle, as it is shown.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.0.split_at(LENGTH / 2);
        write!(f, "{start}-{end}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

/// [RFC 8628 section 6.1]: the letters that are neither vowels nor taken for others.
///
/// [RFC 8628 section 6.1]: https://www.rfc-editor.org/rfc/rfc8628#section-6.1
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
const LONGEST_TYPED: usize = 64;

/// The seconds that must lie between two questions of a device, until it asks too often
/// ([RFC 8628 section 3.2]).
///
/// [RFC 8628 section 3.2]: https://www.rfc-editor.org/rfc/rfc8628#section-3.2
pub const POLL_INTERVAL: i64 = 5;

#[cfg(test)]
mod tests {
    use super::super::client_metadata::ClientMetadata;
    use super::super::grant_type::GrantTypes;
    use super::*;

    #[test]
    fn a_user_code_is_eight_letters_of_twenty() {
        for (bits, shown) in [
            (0, "BBBB-BBBB"),
            (1, "CBBB-BBBB"),
            (20, "BCBB-BBBB"),
            (19 + 18 * 20, "ZXBB-BBBB"),
            (25_600_000_000 - 1, "ZZZZ-ZZZZ"),
            (25_600_000_000, "BBBB-BBBB"),
        ] {
            assert_eq!(UserCode::new(bits).to_string(), shown);
        }
    }

    #[test]
    fn a_user_code_is_read_however_it_is_typed() {
        let expected = UserCode::parse("WDJB-MJHT").unwrap();
        for typed in ["wdjbmjht", " WDJB MJHT ", "wDjB–mjhT", "W.D.J.B-MJHT"] {
            assert_eq!(UserCode::parse(typed), Some(expected.clone()), "{typed}");
        }
        for typed in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTT",
            "WDJB-MJHA",
            "WDJB-MJH0",
            "ẂDJBMJHT",
        ] {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
        let endless = format!("WDJB{}MJHT", "-".repeat(100));
        assert_eq!(UserCode::parse(&endless), None);
        assert!(!format!("{expected:?}").contains("WDJB"));
    }

    #[test]
    fn a_device_gets_the_scopes_that_its_client_may_have() {
        let client = |scope: Option<&str>, grants: &[GrantType]| Client {
            id: "tv".parse().unwrap(),
            metadata: ClientMetadata {
                scope: scope.map(|scope| scope.parse().unwrap()),
                grant_types: GrantTypes(grants.to_vec()),
                ..ClientMetadata::default()
            },
            secret: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            disabled_at: None,
            self_registered_at: None,
        };
        let both = &[GrantType::DeviceCode, GrantType::RefreshToken][..];
        for (registered, grants, requested, expected) in [
            (None, both, None, Some("openid")),
            (Some("a openid"), both, None, Some("a openid")),
            (Some("a openid"), both, Some("b openid"), Some("openid")),
            (Some("a"), both, Some("b"), None),
            (
                None,
                both,
                Some("openid offline_access"),
                Some("openid offline_access"),
            ),
            (
                None,
                &both[..1],
                Some("openid offline_access"),
                Some("openid"),
            ),
        ] {
            let requested = requested.map(|scope: &str| scope.parse::<Scopes>().unwrap());
            let actual = scopes(
                &client(registered, grants),
                requested.as_ref(),
                &Apis::default(),
                &[],
            );
            let actual = actual.map(|scopes| scopes.to_string());
            assert_eq!(actual.as_deref(), expected, "{registered:?} {requested:?}");
        }
    }
}
