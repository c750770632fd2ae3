//! Durations (`"24h"`) and shares (`"20%"`).

use std::time::Duration;

use toml::de::DeValue;

use super::{ConfigReading, Sees, ShapedText, TextShape, TomlItem};
use crate::model::Percent;

/// The longest time a setting can name, 100 years: far from where sums with the clock overflow.
const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

pub const DURATION: ShapedText<Duration> = ShapedText {
    shape: TextShape {
        said: "a duration such as \"30s\", \"15m\", \"24h\" or \"90d\"",
        pattern: r"^\s*([0-9]+(ms|s|m|h|d|w)\s*)+$",
        sees: Sees::NotAll,
        taken: &["30s", "500ms", "15m", "24h", "90d", "2w", " 1h 30m ", "0s"],
        refused: &["", " ", "30", "s", "-5s", "1.5h", "3 s", "3 fortnights", "1h,30m"],
    },
    read: read_duration,
};

/// A duration longer than nothing.
pub const LONGER_DURATION: ShapedText<Duration> = ShapedText {
    shape: TextShape {
        pattern: r"^(?=[\s\S]*[1-9])\s*([0-9]+(ms|s|m|h|d|w)\s*)+$",
        taken: &["30s", "500ms", "15m", "24h", "90d", "2w", " 1h 30m ", "0h10s"],
        refused: &["", "30", "s", "-5s", "0s", "0h 00ms"],
        ..DURATION.shape
    },
    read: read_longer_duration,
};

pub const PERCENT: ShapedText<Percent> = ShapedText {
    shape: TextShape {
        said: "a percentage such as \"5%\"",
        pattern: r"^\s*0*(100(\.0*)?|[0-9]{1,2}(\.[0-9]*)?|\.[0-9]+)\s*%\s*$",
        sees: Sees::All,
        taken: &["5%", "0%", "100%", " 2.5 % ", "012%", "100.0%", ".5%", "7.%"],
        refused: &["", "5", "101%", "-1%", "%", "inf%", "1e1%", "1.2.3%", "100.1%", "five%"],
    },
    read: |item, reading| read_percent(item, PERCENT.shape.said, reading),
};

fn read_duration(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Duration> {
    let said = DURATION.shape.said;
    match item.value {
        DeValue::String(text) => match parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(why) => item.refuse(&format!("must be {said}: {why}"), None, reading),
        },
        _ => item.refuse_type(said, reading),
    }
}

/// A duration longer than nothing.
fn read_longer_duration(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Duration> {
    let duration = read_duration(item, reading)?;
    if duration.is_zero() { item.refuse("must be longer than nothing", None, reading) } else { Some(duration) }
}

/// A percentage where a message says that this was expected.
pub fn read_percent(item: &TomlItem<'_>, said: &str, reading: &mut ConfigReading) -> Option<Percent> {
    match item.value {
        DeValue::String(text) => match parse_percent(text) {
            Ok(percent) => Some(percent),
            Err(why) => item.refuse(&format!("must be {said}: {why}"), None, reading),
        },
        _ => item.refuse_type(said, reading),
    }
}

/// One or more numbers with units: `90d`, `1h30m`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err("it is empty".into());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(format!("\"{rest}\" does not begin with a whole number"));
        }
        let (amount, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(char::is_alphabetic).len();
        let (unit, tail) = tail.split_at(letters);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "" => return Err(format!("\"{amount}\" has no unit (ms, s, m, h, d, w)")),
            _ => return Err(format!("\"{unit}\" is not a unit (ms, s, m, h, d, w)")),
        };
        total = amount
            .parse::<u64>()
            .ok()
            .and_then(|amount| amount.checked_mul(millis))
            .and_then(|millis| total.checked_add(Duration::from_millis(millis)))
            .filter(|total| *total <= LONGEST)
            .ok_or_else(|| "more than 36500d".to_owned())?;
        rest = tail.trim_start();
    }
    Ok(total)
}

/// A number and its sign.
fn parse_percent(text: &str) -> Result<Percent, String> {
    let number = text.trim().strip_suffix('%').ok_or_else(|| format!("\"{text}\" has no %"))?.trim();
    // Only digits and a point: Rust's own parser also takes "inf" and "1e2".
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(format!("\"{number}\" is not a number from 0 to 100"));
    }
    Percent::new(number.parse().map_err(|_| format!("\"{number}\" is not a number"))?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        let seconds = |text| parse_duration(text).map(|d| d.as_secs_f64());
        assert_eq!(seconds("500ms"), Ok(0.5));
        assert_eq!(seconds("30s"), Ok(30.0));
        assert_eq!(seconds("15m"), Ok(900.0));
        assert_eq!(seconds("24h"), Ok(86_400.0));
        assert_eq!(seconds("90d"), Ok(7_776_000.0));
        assert_eq!(seconds("2w"), Ok(1_209_600.0));
        assert_eq!(seconds(" 1h 30m "), Ok(5_400.0));
        assert_eq!(seconds("0s"), Ok(0.0));
    }

    #[test]
    fn what_is_no_duration_says_why() {
        let why = |text| parse_duration(text).unwrap_err();
        assert_eq!(why(""), "it is empty");
        assert_eq!(why("30"), "\"30\" has no unit (ms, s, m, h, d, w)");
        assert_eq!(why("s"), "\"s\" does not begin with a whole number");
        assert_eq!(why("-5s"), "\"-5s\" does not begin with a whole number");
        assert_eq!(why("1.5h"), "\"1\" has no unit (ms, s, m, h, d, w)");
        assert_eq!(why("3 fortnights"), "\"3\" has no unit (ms, s, m, h, d, w)");
        assert_eq!(why("3fortnights"), "\"fortnights\" is not a unit (ms, s, m, h, d, w)");
        assert_eq!(why("36501d"), "more than 36500d");
        assert_eq!(why("99999999999999999999d"), "more than 36500d");
        assert_eq!(why("18446744073709551615w"), "more than 36500d");
    }

    #[test]
    fn percentages_need_their_sign_and_their_range() {
        assert_eq!(parse_percent("20%").unwrap().value().to_bits(), 20.0_f64.to_bits());
        assert_eq!(parse_percent(" 2.5 % ").unwrap().value().to_bits(), 2.5_f64.to_bits());
        assert_eq!(parse_percent("20").unwrap_err(), "\"20\" has no %");
        assert_eq!(parse_percent("101%").unwrap_err(), "101 % is not between 0 % and 100 %");
        assert!(parse_percent("inf%").is_err() && parse_percent("1e1%").is_err() && parse_percent("%").is_err());
        assert!(parse_percent("-1%").is_err() && parse_percent("1.2.3%").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,20}") {
            let _ = (parse_duration(&text), parse_percent(&text));
        }

        #[test]
        fn a_duration_written_in_any_unit_is_read_back(n in 0_u64..5_000, unit in 0_usize..6) {
            let (name, millis) =
                [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)][unit];
            prop_assert_eq!(parse_duration(&format!("{n}{name}")), Ok(Duration::from_millis(n * millis)));
        }
    }
}
