//! Texts as they stand in a URL or a form.

/// The names and values of a query or a form, decoded.
pub(super) fn query_pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |part: &str| decode_text(&part.replace('+', " "));
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Undoes percent-encoding; what is none stays as it is.
pub(super) fn decode_text(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let encoded = (byte == b'%').then(|| after.get(..2)).flatten();
        let value = encoded
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| if digits.starts_with('+') { None } else { u8::from_str_radix(digits, 16).ok() });
        match value {
            Some(value) => {
                out.push(value);
                rest = &after[2..];
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_what_is_no_encoding_stays() {
        let expected = [("a b", "c&d"), ("cursor", ""), ("x", "1=2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(query_pairs("a+b=c%26d&cursor&&x=1=2"), expected);
        assert_eq!(decode_text("Zo%C3%AB+%zz%4"), "Zoë+%zz%4");
        assert_eq!(decode_text("%+1"), "%+1");
    }
}
