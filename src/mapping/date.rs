//! Dates as exports write them.
//!
//! Read are: ISO dates with or without a time and an offset (`2024-03-01`, `2024-03-01T08:30:00Z`, also `2024/03/01`);
//! day first with dots (`1.3.2024`); day and month in either order with slashes or hyphens, but only where the numbers leave no
//! doubt (`25/03/2024`, `3/25/2024`, `4/4/2024`; `03/04/2024` is refused, because it is two different days);
//! and English month names (`1 Mar 2024`, `01-Mar-2024`, `March 1, 2024`). Years have four digits.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;

/// The date in the format, as `strftime` writes it; the empty text where there is none.
pub(super) fn format_date(text: &str, format: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    write_date(parse(text)?, format)
}

/// # Errors
/// A format that `strftime` does not know.
pub(super) fn write_date(date: DateTime, format: &str) -> Result<String, String> {
    jiff::fmt::strtime::format(format, date).map_err(|error| format!("\"{format}\" is not a date format: {error}"))
}

fn parse(text: &str) -> Result<DateTime, String> {
    if let Ok(pieces) = Pieces::parse(text) {
        return Ok(pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight())));
    }
    let not_a_date = || "not a date that can be read: write it as 2024-03-01".to_owned();
    let parts: Vec<&str> = text
        .split(|c: char| matches!(c, '.' | '/' | '-' | ',') || c.is_whitespace())
        .filter(|p| !p.is_empty())
        .collect();
    let &[a, b, c] = parts.as_slice() else { return Err(not_a_date()) };
    let date = match (parse_number(a), parse_number(b), parse_number(c)) {
        (Some(year), Some(month), Some(day)) if a.len() == 4 => day_of(year, month, day),
        (Some(first), Some(second), Some(year)) if c.len() == 4 => {
            if text.contains('.') || first > 12 || first == second {
                day_of(year, second, first)
            } else if second > 12 {
                day_of(year, first, second)
            } else {
                return Err("a day and a month that cannot be told apart: write the date as 2024-03-01".into());
            }
        }
        (Some(day), None, Some(year)) if c.len() == 4 => month_number(b).and_then(|month| day_of(year, month, day)),
        (None, Some(day), Some(year)) if c.len() == 4 => month_number(a).and_then(|month| day_of(year, month, day)),
        _ => None,
    };
    date.map(|date| date.to_datetime(Time::midnight())).ok_or_else(not_a_date)
}

fn parse_number(text: &str) -> Option<i16> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn day_of(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn month_number(name: &str) -> Option<i16> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, month)| *month == name || (name.len() == 3 && month.starts_with(&name))).map(|(n, _)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_one_day() {
        for text in [
            "2024-03-25",
            "2024/03/25",
            "2024-03-25T08:30:00Z",
            "2024-03-25 08:30:00",
            "2024-03-25T08:30:00+02:00",
            "25.03.2024",
            "25.3.2024",
            "25/03/2024",
            "03/25/2024",
            "3-25-2024",
            "25 Mar 2024",
            "25-Mar-2024",
            "March 25, 2024",
            "Mar 25 2024",
            " 2024-03-25 ",
        ] {
            assert_eq!(format_date(text, "%Y-%m-%d").as_deref(), Ok("2024-03-25"), "{text}");
        }
        assert_eq!(format_date("4/4/2024", "%d.%m.%y").as_deref(), Ok("04.04.24"));
        assert_eq!(format_date("2024-03-25 08:30:00", "%H:%M").as_deref(), Ok("08:30"));
        assert_eq!(format_date("", "%Y").as_deref(), Ok(""));
    }

    #[test]
    fn what_is_two_days_or_none_is_refused() {
        assert!(format_date("03/04/2024", "%Y").unwrap_err().contains("told apart"));
        for text in ["soon", "31.02.2024", "1.3.24", "2024", "25 Mrz 2024", "1 2 3 4", "99999-01-01", "٢٠٢٤-٠٣-٠١"]
        {
            assert!(format_date(text, "%Y").is_err(), "{text}");
        }
        assert!(format_date("2024-03-01", "%Q!").unwrap_err().contains("not a date format"));
    }
}
