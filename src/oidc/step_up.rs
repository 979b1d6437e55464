//! Step-up authentication ([RFC 9470]): when a token says of a user that they proved who they are
//! too long ago.
//!
//! [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470

use super::timestamp::Timestamp;

/// Whether somebody who proved at `authenticated_at` who they are did so more than `max_age`
/// seconds before `now`.
#[must_use]
pub fn is_older(authenticated_at: Timestamp, max_age: u64, now: Timestamp) -> bool {
    let age = now.seconds_since(authenticated_at).max(0);
    u64::try_from(age).unwrap_or(u64::MAX) > max_age
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authentication_is_good_up_to_its_age() {
        let now = Timestamp(1_700_000_000);
        for (seconds_ago, max_age, expected) in [
            (0, 0, false),
            (1, 0, true),
            (300, 300, false),
            (301, 300, true),
            (-60, 0, false),
            (i64::MAX, u64::MAX, false),
        ] {
            let authenticated_at = Timestamp(now.0.saturating_sub(seconds_ago));
            let actual = is_older(authenticated_at, max_age, now);
            assert_eq!(actual, expected, "{seconds_ago} {max_age}");
        }
    }
}
