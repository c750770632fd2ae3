//! Cells of a spreadsheet as text, as the people see them who keep it: a number with the zeros that its format puts in
//! front, a date as a date. A date is written as ISO has it, because what a format shows of it may be half of it.

use std::fmt::Write;

use calamine::{CellErrorType, DataRef, ExcelDateTime};

use super::number_pattern::Pattern;

/// One cell.
#[derive(Clone, Debug)]
pub(super) enum SheetCell<'a> {
    Blank,
    Text(&'a str),
    Number(f64),
    Truth(bool),
    Date(ExcelDateTime),
    IsoDate(&'a str),
    IsoDuration(&'a str),
    Error(&'a CellErrorType),
}

impl<'a> From<&'a DataRef<'a>> for SheetCell<'a> {
    fn from(data: &'a DataRef<'a>) -> Self {
        match data {
            DataRef::Empty => Self::Blank,
            // Whole numbers come as such only below 2^53, where none is lost.
            #[allow(clippy::cast_precision_loss)]
            DataRef::Int(number) => Self::Number(*number as f64),
            DataRef::Float(number) => Self::Number(*number),
            DataRef::String(text) => Self::Text(text),
            DataRef::SharedString(text) => Self::Text(text),
            DataRef::Bool(truth) => Self::Truth(*truth),
            DataRef::DateTime(date) => Self::Date(*date),
            DataRef::DateTimeIso(text) => Self::IsoDate(text),
            DataRef::DurationIso(text) => Self::IsoDuration(text),
            DataRef::Error(error) => Self::Error(error),
        }
    }
}

impl SheetCell<'_> {
    /// Adds the cell's text to `out`.
    ///
    /// # Errors
    /// What stands there instead of a value, such as `#N/A`.
    pub(super) fn show(&self, pattern: Option<&Pattern>, out: &mut String) -> Result<(), String> {
        match self {
            Self::Blank => {}
            Self::Text(text) => out.push_str(text),
            Self::Number(number) => match pattern {
                Some(pattern) if is_whole(*number) => pattern.write(*number, out),
                _ => write_number(*number, out),
            },
            Self::Truth(truth) => out.push_str(if *truth { "TRUE" } else { "FALSE" }),
            Self::Date(date) => return write_date(*date, out),
            Self::IsoDate(text) => out.push_str(&iso_date(text)),
            Self::IsoDuration(text) => match clock_time(text) {
                Some(time) => out.push_str(&time),
                None => out.push_str(text),
            },
            Self::Error(error) => return Err(error.to_string()),
        }
        Ok(())
    }
}

/// Up to 15 digits are what a spreadsheet keeps and shows.
const MOST: f64 = 1e15;

fn is_whole(number: f64) -> bool {
    number.abs() < MOST && number.fract() == 0.0
}

fn write_number(number: f64, out: &mut String) {
    // Writing to a String does not fail. A negative zero is a zero.
    if is_whole(number) {
        let _ = write!(out, "{:.0}", number + 0.0);
        return;
    }
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    let _ = write!(out, "{rounded}");
}

/// The day after the last that a spreadsheet knows, 9999-12-31.
const AFTER_LAST: f64 = 2_958_466.0;

fn write_date(date: ExcelDateTime, out: &mut String) -> Result<(), String> {
    let value = date.as_f64();
    if date.is_duration() {
        // A span of ten thousand years is far below what an integer holds.
        #[allow(clippy::cast_possible_truncation)]
        let seconds = (value.abs().min(AFTER_LAST) * 86_400.0).round() as i64;
        let sign = if value < 0.0 { "-" } else { "" };
        let _ = write!(out, "{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        return Ok(());
    }
    if !(0.0..AFTER_LAST).contains(&value) {
        return Err(format!("the number {value}, which is no date"));
    }
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    let has_time = (hour, minute, second, milli) != (0, 0, 0, 0);
    // Below one day there is a time of day and no date.
    if value >= 1.0 || !has_time {
        let _ = write!(out, "{year:04}-{month:02}-{day:02}");
        if has_time {
            out.push('T');
        }
    }
    if has_time {
        let _ = write!(out, "{hour:02}:{minute:02}:{second:02}");
        if milli > 0 {
            let _ = write!(out, ".{milli:03}");
        }
    }
    Ok(())
}

/// A number that is written as programs read it: what people see of it, where that only arranges its digits, and else
/// the number.
///
/// # Errors
/// What stands there, if it is no number.
pub(super) fn show_number(value: &str, seen: Option<&str>) -> Result<String, String> {
    let Some(number) = value.trim().parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return Err(format!("{value:?}, which is no number"));
    };
    let mut out = String::new();
    let seen = seen.map(str::trim).unwrap_or_default();
    let (sign, seen) = if number < 0.0 {
        // Between brackets, or with words, a negative number is arranged in ways that nobody types.
        ("-", seen.strip_prefix(['-', '−']).unwrap_or_default())
    } else {
        ("", seen)
    };
    if arranges_number(seen, number.abs()) {
        out.push_str(sign);
        out.push_str(seen);
    } else {
        write_number(number, &mut out);
    }
    Ok(out)
}

/// Whether a text has exactly the digits of a whole number, with zeros in front or characters between them that only
/// stand there: neither is the number rounded, scaled or grouped in it, nor does it look as plain without it.
fn arranges_number(seen: &str, number: f64) -> bool {
    if !is_whole(number) {
        return false;
    }
    let digits: String = seen.chars().filter(char::is_ascii_digit).collect();
    let plain = format!("{number:.0}");
    let is_same = !digits.is_empty() && digits.trim_start_matches('0') == plain.trim_start_matches('0');
    // Other digits would be lost among what only stands there.
    let is_other_digit = |char: char| char.is_numeric() && !char.is_ascii_digit();
    is_same
        && !seen.contains(|char| matches!(char, '.' | ',' | '%') || is_other_digit(char))
        && !groups_digits(seen)
        && !writes_power(seen)
}

/// Whether all that stands between digits is one sign, and cuts them into groups of three.
fn groups_digits(seen: &str) -> bool {
    let Some(sign) = seen.chars().find(|char| !char.is_ascii_digit()) else { return false };
    if !(sign.is_whitespace() || matches!(sign, '\'' | '’' | '_')) || seen.starts_with('0') {
        return false;
    }
    let mut parts = seen.split(sign);
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let first = parts.next().is_some_and(|part| is_digits(part) && (1..=3).contains(&part.len()));
    first && parts.all(|part| is_digits(part) && part.len() == 3)
}

/// Whether a text is a number with a power of ten: `1E+02`.
fn writes_power(seen: &str) -> bool {
    seen.split_once(['E', 'e']).is_some_and(|(number, power)| {
        let power = power.strip_prefix(['+', '-']).unwrap_or(power);
        [number, power].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// A date as ISO has it: without the midnight that some write behind each, and without the zeros behind a second.
pub(super) fn iso_date(text: &str) -> String {
    let Some((date, time)) = text.split_once('T') else { return text.to_owned() };
    if time.trim_end_matches('Z').chars().all(|char| matches!(char, '0' | ':' | '.')) {
        return date.to_owned();
    }
    let time = if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time };
    format!("{date}T{time}")
}

/// `PT08H30M00S` as a time of day; a day has as many hours as it takes. None for what is no such span of time.
pub(super) fn clock_time(text: &str) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (days, mut rest) = rest.strip_prefix('P')?.split_once('T')?;
    let mut seconds = if days.is_empty() { 0.0 } else { 86_400.0 * days.strip_suffix('D')?.parse::<f64>().ok()? };
    for (unit, length) in [('H', 3_600.0), ('M', 60.0), ('S', 1.0)] {
        if let Some((number, behind)) = rest.split_once(unit) {
            seconds += length * number.parse::<f64>().ok().filter(|number| number.is_finite())?;
            rest = behind;
        }
    }
    if !rest.is_empty() || !(0.0..AFTER_LAST * 86_400.0).contains(&seconds) {
        return None;
    }
    // A span of ten thousand years is far below what an integer holds.
    #[allow(clippy::cast_possible_truncation)]
    let seconds = seconds.round() as i64;
    Some(format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    fn shown(cell: &SheetCell<'_>, code: &str) -> Result<String, String> {
        let mut out = String::new();
        cell.show(Pattern::of(code).as_ref(), &mut out).map(|()| out)
    }

    #[test]
    fn numbers_keep_the_zeros_and_the_characters_of_their_format() {
        for (number, code, expected) in [
            (123.0, "General", "123"),
            (123.0, "0", "123"),
            (123.0, "00000", "00123"),
            (1_234_567.0, "00000", "1234567"),
            (0.0, "000", "000"),
            (-7.0, "000", "-007"),
            (78_051_120.0, "000-00-0000", "078-05-1120"),
            (78_051_120.0, "000\\-00\\-0000", "078-05-1120"),
            (42.0, "\"P\"00000", "P00042"),
            (42.0, "\\P00000;-0", "P00042"),
            (42.0, "[Red]0000", "0042"),
            (42.0, "[>9]0000", "42"),
            (123.5, "00000", "123.5"),
            (1234.0, "#,##0", "1234"),
            (0.5, "0%", "0.5"),
            (12.0, "0.00", "12"),
            (30.0, "@", "30"),
        ] {
            assert_eq!(shown(&SheetCell::Number(number), code).unwrap(), expected, "{number} as {code}");
        }
    }

    #[test]
    fn numbers_have_the_digits_that_a_spreadsheet_shows() {
        for (number, expected) in [
            (0.1 + 0.2, "0.3"),
            (1e14, "100000000000000"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e21, "1000000000000000000000"),
            (-0.0, "0"),
            (2.5e-7, "0.00000025"),
        ] {
            assert_eq!(shown(&SheetCell::Number(number), "General").unwrap(), expected);
        }
    }

    #[test]
    fn dates_are_written_as_iso_has_them_in_both_calendars() {
        let date = |value, is_1904| SheetCell::Date(ExcelDateTime::new(value, ExcelDateTimeType::DateTime, is_1904));
        for (value, is_1904, expected) in [
            (45_352.0, false, "2024-03-01"),
            (43_890.0, true, "2024-03-01"),
            (1.0, false, "1900-01-01"),
            (59.0, false, "1900-02-28"),
            (61.0, false, "1900-03-01"),
            (0.0, true, "1904-01-01"),
            (45_352.354_166_666_664, false, "2024-03-01T08:30:00"),
            (0.354_166_666_666_666_7, false, "08:30:00"),
        ] {
            assert_eq!(shown(&date(value, is_1904), "General").unwrap(), expected, "{value}");
        }
        assert!(shown(&date(-1.0, false), "").is_err());
        assert!(shown(&date(3e6, false), "").unwrap_err().contains("no date"));
        let span = SheetCell::Date(ExcelDateTime::new(1.104_166_666_666_666_7, ExcelDateTimeType::TimeDelta, false));
        assert_eq!(shown(&span, "").unwrap(), "26:30:00");
        assert_eq!(shown(&SheetCell::IsoDate("2024-03-01T00:00:00"), "").unwrap(), "2024-03-01");
        assert_eq!(shown(&SheetCell::IsoDate("2024-03-01T08:30:00"), "").unwrap(), "2024-03-01T08:30:00");
        assert_eq!(shown(&SheetCell::IsoDuration("PT08H30M00S"), "").unwrap(), "08:30:00");
    }

    #[test]
    fn a_text_is_taken_where_it_only_arranges_the_digits_of_a_number() {
        for (value, seen, expected) in [
            ("123", "00123", "00123"),
            ("123", "123", "123"),
            ("123", " 123 ", "123"),
            ("0", "000", "000"),
            ("0", "-", "0"),
            ("0", "", "0"),
            ("78051120", "078-05-1120", "078-05-1120"),
            ("5551234567", "(555) 123-4567", "(555) 123-4567"),
            ("12345", "012 345", "012 345"),
            ("42", "P00042", "P00042"),
            ("7", "###", "7"),
            // Grouped, in the ways of several countries.
            ("1234", "1,234", "1234"),
            ("1234", "1.234", "1234"),
            ("1234", "1'234", "1234"),
            ("1234567", "1\u{202F}234\u{202F}567", "1234567"),
            ("1234567", "1 234 567", "1234567"),
            ("1234", "1.234,00 €", "1234"),
            // Rounded, scaled, or with a power.
            ("123.4", "00123", "123.4"),
            ("1500", "2K", "1500"),
            ("102", "1E+02", "102"),
            ("50", "50%", "50"),
            // Signs and digits that are not those of the number.
            ("-7", "-007", "-007"),
            ("-7", "−007", "-007"),
            ("-7", "(7)", "-7"),
            ("-0", "0", "0"),
            ("12", "٠٠١٢", "12"),
            ("12", "½ 12", "12"),
            ("1e20", "100000000000000000000", "100000000000000000000"),
        ] {
            assert_eq!(show_number(value, Some(seen)).unwrap(), expected, "{value} as {seen:?}");
        }
        assert_eq!(show_number("0.5", None).unwrap(), "0.5");
        for wrong in ["", "NaN", "1,5", "inf"] {
            assert_eq!(show_number(wrong, None).unwrap_err(), format!("{wrong:?}, which is no number"));
        }
    }

    #[test]
    fn dates_and_times_of_other_programs_are_written_alike() {
        for (text, expected) in [
            ("2024-03-01T08:30:00.500000000", "2024-03-01T08:30:00.5"),
            ("2024-03-01T08:30:10.000", "2024-03-01T08:30:10"),
            ("2024-03-01T08:30:10", "2024-03-01T08:30:10"),
            ("2024-03-01T00:00:00.000000000", "2024-03-01"),
        ] {
            assert_eq!(iso_date(text), expected);
        }
        for (text, expected) in [
            ("PT08H30M00S", Some("08:30:00")),
            ("PT8H30M0.000000001S", Some("08:30:00")),
            ("PT07H59M59.999999999S", Some("08:00:00")),
            ("PT26H", Some("26:00:00")),
            ("P1DT2H5M", Some("26:05:00")),
            ("-PT1M", Some("-00:01:00")),
            ("PT1X", None),
            ("08:30", None),
            ("PTNaNH", None),
        ] {
            assert_eq!(clock_time(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_error_is_no_text() {
        assert_eq!(shown(&SheetCell::Error(&CellErrorType::NA), "").unwrap_err(), "#N/A");
        assert_eq!(shown(&SheetCell::Truth(true), "").unwrap(), "TRUE");
        assert_eq!(shown(&SheetCell::Text("00123"), "").unwrap(), "00123");
    }
}
