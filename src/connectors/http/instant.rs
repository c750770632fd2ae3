//! Moments as servers write them into headers. Five forms are understood; anything else is nothing, because a wrong
//! guess would either hammer a server or sleep for years.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest time ahead that a number is taken for a count of seconds.
const LONGEST_DELTA: u64 = 31 * 24 * 3600;
/// Epoch numbers between 2001 and 2100.
const EPOCH_SECONDS: std::ops::Range<u64> = 1_000_000_000..4_102_444_800;

/// A reset time: seconds or milliseconds since 1970, an HTTP date, RFC 3339, or seconds from now (31 days at most).
#[must_use]
pub fn reset_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<u64>() {
        let as_signed = i64::try_from(number).ok()?;
        return match number {
            0..=LONGEST_DELTA => now.checked_add(Duration::from_secs(number)).ok(),
            _ if EPOCH_SECONDS.contains(&number) => Timestamp::from_second(as_signed).ok(),
            _ if EPOCH_SECONDS.contains(&(number / 1000)) => Timestamp::from_millisecond(as_signed).ok(),
            _ => None,
        };
    }
    http_date(text).or_else(|| text.parse().ok())
}

/// How long `Retry-After` asks to wait: seconds, or until an HTTP date (nothing when that is past).
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = http_date(text)?.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_five_forms_of_a_reset_time_are_one_moment() {
        let now = at("2026-03-01T22:00:00Z");
        for text in [
            "1772409600",
            "1772409600000",
            "Mon, 02 Mar 2026 00:00:00 GMT",
            "2026-03-02T00:00:00Z",
            "2026-03-02T01:00:00+01:00",
            " 7200 ",
        ] {
            assert_eq!(reset_time(text, now), Some(at("2026-03-02T00:00:00Z")), "{text}");
        }
    }

    #[test]
    fn what_is_none_of_them_is_nothing() {
        let now = at("2026-03-01T22:00:00Z");
        for text in
            ["", "soon", "-5", "1.5", "2678401", "999999999", "1772409600000000", "99999999999999999999", "02/03/2026"]
        {
            assert_eq!(reset_time(text, now), None, "{text}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = at("2026-03-01T22:00:00Z");
        let wait = |text: &str| {
            let headers: HeaderMap = [(RETRY_AFTER, text.parse().unwrap())].into_iter().collect();
            retry_after(&headers, now)
        };
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Sun, 01 Mar 2026 22:01:00 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(wait("Sun, 01 Mar 2026 21:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("later"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
