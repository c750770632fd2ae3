//! What the text filters do, as plain functions.

use std::borrow::Cow;

/// What stands before the first separator; the whole text where there is none.
pub(super) fn text_before<'t>(text: &'t str, separator: &str) -> &'t str {
    if separator.is_empty() {
        return text;
    }
    text.split_once(separator).map_or(text, |(before, _)| before)
}

/// What stands after the first separator; nothing where there is none.
pub(super) fn text_after<'t>(text: &'t str, separator: &str) -> &'t str {
    if separator.is_empty() {
        return "";
    }
    text.split_once(separator).map_or("", |(_, after)| after)
}

/// The text in plain ASCII: `Zoë` becomes `Zoe`, `Łukasz` becomes `Lukasz`. What has no likeness is left out.
pub(super) fn to_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(deunicode::deunicode_with_tofu(text, "")) }
}

/// Lower-case ASCII letters and digits, everything else one hyphen between them: `Zoë D'Arc` becomes `zoe-d-arc`.
pub(super) fn to_slug(text: &str) -> String {
    let text = to_ascii(text);
    let mut slug = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    if slug.ends_with('-') {
        slug.pop();
    }
    slug
}

/// Only the digits 0 to 9.
pub(super) fn only_digits(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(char::is_ascii_digit).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_around_a_separator() {
        assert_eq!((text_before("ana@x.org", "@"), text_after("ana@x.org", "@")), ("ana", "x.org"));
        assert_eq!((text_before("ana", "@"), text_after("ana", "@")), ("ana", ""));
        assert_eq!((text_before("ana", ""), text_after("ana", "")), ("ana", ""));
    }

    #[test]
    fn plain_letters_slugs_and_digits() {
        assert_eq!(to_ascii("Zoë Łukasz Straße"), "Zoe Lukasz Strasse");
        assert_eq!(to_slug("  Zoë D'Arc -- 2 "), "zoe-d-arc-2");
        assert_eq!(to_slug("---"), "");
        assert_eq!(only_digits("+1 (555) 01"), "155501");
        assert_eq!(only_digits("42"), "42");
    }
}
