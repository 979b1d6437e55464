//! Logout tokens ([Back-Channel Logout section 2.4]), and what becomes of one on its way to a
//! client.
//!
//! [Back-Channel Logout section 2.4]: https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::client::ClientId;
use super::session::SessionId;
use super::timestamp::Timestamp;
use super::user::UserId;

/// The claims of a logout token. There is no `nonce`, so that it cannot pass for an ID token.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The subject.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// When it was issued.
    pub iat: Timestamp,
    /// When it ends.
    pub exp: Timestamp,
    /// Its identifier.
    pub jti: String,
    /// That this is about a logout.
    pub events: LogoutEvents,
    /// The session that has ended.
    pub sid: String,
}

/// The claim `events` of every logout token: one member, an empty object.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LogoutEvents {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    backchannel_logout: NoMembers,
}

/// An empty object.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct NoMembers {}

/// A logout token that is to be delivered, or was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutDelivery {
    /// Its identifier.
    pub id: Uuid,
    /// To whom.
    pub client_id: ClientId,
    /// The session that has ended.
    pub session_id: SessionId,
    /// Whose it was.
    pub user_id: UserId,
    /// The origin of the URI that it goes to: what is dead there is dead for all.
    pub target: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What came of the last attempt: an HTTP status, or why there is none.
    pub last_status: Option<String>,
    /// When the session ended.
    pub created_at: Timestamp,
    /// When it is to be tried again; none once it was delivered or has failed.
    pub next_attempt_at: Option<Timestamp>,
    /// When the client took it.
    pub delivered_at: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Option<Timestamp>,
}

/// What an answer to a logout token means ([Back-Channel Logout section 2.8]).
///
/// [Back-Channel Logout section 2.8]: https://openid.net/specs/openid-connect-backchannel-1_0.html#BCResponse
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The client has taken it.
    Delivered,
    /// The client has read it and refuses it: the same would be refused again.
    Refused,
    /// It may be taken later.
    Later,
}

/// What an answer with this HTTP status means.
#[must_use]
pub const fn verdict(status: u16) -> Verdict {
    match status {
        // Section 2.8 has 200, and 204 where a framework makes that of an empty body.
        200..=299 => Verdict::Delivered,
        400 => Verdict::Refused,
        _ => Verdict::Later,
    }
}

/// How long after the attempt of this number, counted from one, the next one is due; none after
/// the last.
#[must_use]
pub fn pause_after(attempt: i64) -> Option<Duration> {
    let index = usize::try_from(attempt.checked_sub(1)?).ok()?;
    PAUSES.get(index).copied()
}

/// For how long a logout token is valid: two minutes at most are recommended
/// ([Back-Channel Logout section 2.4]).
///
/// [Back-Channel Logout section 2.4]: https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
pub const LIFETIME: Duration = Duration::from_mins(2);

/// Five attempts in an hour.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(30),
    Duration::from_mins(3),
    Duration::from_mins(12),
    Duration::from_mins(45),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_is_a_delivery_and_only_400_is_final() {
        for (status, expected) in [
            (200, Verdict::Delivered),
            (204, Verdict::Delivered),
            (302, Verdict::Later),
            (400, Verdict::Refused),
            (401, Verdict::Later),
            (404, Verdict::Later),
            (500, Verdict::Later),
            (501, Verdict::Later),
            (503, Verdict::Later),
        ] {
            assert_eq!(verdict(status), expected, "{status}");
        }
    }

    #[test]
    fn five_attempts_are_made_in_an_hour() {
        let pauses: Vec<_> = (1..=5).map(pause_after).collect();
        assert_eq!(pauses.iter().flatten().count(), 4);
        assert_eq!(pauses[4], None);
        let all: Duration = pauses.iter().flatten().sum();
        assert!(all <= Duration::from_mins(61) && all >= Duration::from_mins(59));
        for attempt in [i64::MIN, -1, 0, 6, i64::MAX] {
            assert_eq!(pause_after(attempt), None, "{attempt}");
        }
    }

    #[test]
    fn the_events_are_one_empty_object_under_the_name_of_the_specification() {
        let json = serde_json::to_string(&LogoutEvents::default()).unwrap();
        assert_eq!(
            json,
            r#"{"http://schemas.openid.net/event/backchannel-logout":{}}"#
        );
    }
}
