//! Instants and spans of time in words.

use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::oidc::timestamp::Timestamp;

/// `span` in its largest fitting unit, rounded up: `a moment`, `45 seconds`, `3 minutes`.
#[must_use]
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    let (count, unit) = match seconds {
        0..=1 => return "a moment".to_owned(),
        2..=90 => (seconds, "second"),
        91..=5400 if seconds != 3600 => (seconds.div_ceil(60), "minute"),
        91..=172_800 => (seconds.div_ceil(3600), "hour"),
        _ => (seconds.div_ceil(86_400), "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// How far `instant` is from `now`: `in 5 minutes`, `3 hours ago`, `now`.
#[must_use]
pub fn distance(instant: Timestamp, now: Timestamp) -> String {
    let seconds = instant.seconds_since(now);
    let words = span(Duration::from_secs(seconds.unsigned_abs()));
    match seconds {
        -1..=1 => "now".to_owned(),
        2.. => format!("in {words}"),
        _ => format!("{words} ago"),
    }
}

/// `instant` as date and time: `2026-11-22 23:16:05 UTC`.
#[must_use]
pub fn absolute(instant: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    OffsetDateTime::from_unix_timestamp(instant.0)
        .ok()
        .and_then(|time| time.format(format).ok())
        .unwrap_or_else(|| instant.to_string())
}

/// `instant` as the `datetime` attribute of HTML wants it: `2026-11-22T23:16:05Z`.
#[must_use]
pub fn machine_readable(instant: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    OffsetDateTime::from_unix_timestamp(instant.0)
        .ok()
        .and_then(|time| time.format(format).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_fitting_unit() {
        for (seconds, words) in [
            (0, "a moment"),
            (1, "a moment"),
            (2, "2 seconds"),
            (60, "60 seconds"),
            (91, "2 minutes"),
            (300, "5 minutes"),
            (301, "6 minutes"),
            (3600, "1 hour"),
            (3700, "62 minutes"),
            (7200, "2 hours"),
            (86_400 * 30, "30 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), words);
        }
        assert_eq!(span(Duration::from_millis(2500)), "3 seconds");
    }

    #[test]
    fn an_instant_is_told_from_now() {
        let now = Timestamp(1_000_000);
        assert_eq!(distance(Timestamp(1_000_300), now), "in 5 minutes");
        assert_eq!(distance(Timestamp(999_700), now), "5 minutes ago");
        assert_eq!(distance(now, now), "now");
    }

    #[test]
    fn an_instant_out_of_the_calendar_is_told_as_a_number() {
        assert_eq!(absolute(Timestamp(0)), "1970-01-01 00:00:00 UTC");
        assert_eq!(machine_readable(Timestamp(0)), "1970-01-01T00:00:00Z");
        assert_eq!(absolute(Timestamp(i64::MAX)), i64::MAX.to_string());
    }
}
