//! What the text of a cell looks like. A look decides nothing by itself: it is what a person is shown as a reason, and
//! what tells a line of names from a line of values.

/// Whether the text looks like an e-mail address: one `@`, something before it, a domain with a dot behind it.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let has_dot = domain.split_once('.').is_some_and(|(name, rest)| !name.is_empty() && !rest.is_empty());
    !local.is_empty() && has_dot && !domain.contains('@') && !text.contains(char::is_whitespace)
}

/// Whether the text is a whole number, with leading zeros or without.
#[must_use]
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text looks like a day: three numbers with `-`, `.` or `/` between them, one of them a year or not, and
/// perhaps a time behind them.
#[must_use]
pub fn is_date(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    ['-', '.', '/'].into_iter().any(|between| {
        let parts: Vec<&str> = day.split(between).collect();
        parts.len() == 3 && parts.iter().all(|part| is_number(part) && part.len() <= 4)
    })
}

/// Whether the text is a list of pairs, as in `English:100;Spanish:80`.
#[must_use]
pub fn is_pairs(text: &str) -> bool {
    text.split(';').filter(|pair| !pair.trim().is_empty()).all(|pair| {
        pair.split_once(':')
            .is_some_and(|(name, value)| !name.trim().is_empty() && !value.trim().is_empty() && is_number(value.trim()))
    }) && text.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_numbers_dates_and_pairs_are_told_from_other_texts() {
        for address in ["ana@example.com", "a.b+c@mail.example.co.uk", "zoë@exämple.de"] {
            assert!(is_address(address), "{address}");
        }
        for other in ["ana", "ana@", "@example.com", "ana@example", "ana diaz@example.com", "a@b@c.org", "a@.", ""] {
            assert!(!is_address(other), "{other}");
        }
        assert!(is_number("00123") && !is_number("") && !is_number("12.5") && !is_number("E12"));
        for date in ["2024-03-01", "1.3.2024", "03/04/2024", "2024-03-01T08:30:00Z", "1.3.24 00:00"] {
            assert!(is_date(date), "{date}");
        }
        assert!(!is_date("10.0.0.1") && !is_date("2024") && !is_date("1-2") && !is_date("March 1"));
        assert!(
            is_pairs("English:100;Spanish:80") && is_pairs("English:100;") && !is_pairs("9:30 am") && !is_pairs("")
        );
    }
}
