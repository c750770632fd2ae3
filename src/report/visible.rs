//! Foreign text, made safe to show: nothing in it moves the cursor, starts a line, turns the direction of writing or
//! hides. What would is shown as its escape (`\n`, `\u{1b}`); all other letters of the world stay as they are.

use std::borrow::Cow;

use super::columns;

/// The text on one line, with everything that does not show itself made visible. Borrowed where nothing needs to be.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    // Nearly every text is plain, and bytes are looked at many at a time.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_invisible(c) {
            match c {
                '\n' => safe.push_str("\\n"),
                '\r' => safe.push_str("\\r"),
                '\t' => safe.push_str("\\t"),
                c => safe.extend(c.escape_unicode()),
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// The visible text in at most so many columns: where it is longer, its middle is left out, because people tell long
/// values apart by how they begin and end.
#[must_use]
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    // Cut before escaping too, so that a value of megabytes is not escaped for the sake of its ends.
    match middle_out(text, most) {
        Cow::Borrowed(text) => match visible(text) {
            Cow::Borrowed(text) => Cow::Borrowed(text),
            Cow::Owned(text) => Cow::Owned(middle_out(&text, most).into_owned()),
        },
        Cow::Owned(text) => Cow::Owned(middle_out(&visible(&text), most).into_owned()),
    }
}

fn middle_out(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most || beginning_length(text.chars(), most) == text.len() {
        return Cow::Borrowed(text);
    }
    let kept = most.saturating_sub(1);
    let tail = kept / 2;
    let head_end = beginning_length(text.chars(), kept - tail);
    let tail_start = text.len() - beginning_length(text.chars().rev(), tail);
    // A mark belongs to a letter that is left out.
    let tail = text[tail_start..].trim_start_matches(|c| columns::letter_width(c) == 0 && !is_invisible(c));
    Cow::Owned(format!("{}…{tail}", &text[..head_end]))
}

/// How many bytes of the letters fit into so many columns. What takes no column at all is not without end: there may be
/// megabytes of it.
fn beginning_length(letters: impl Iterator<Item = char>, most: usize) -> usize {
    const MARKS: usize = 4;
    let (mut taken, mut bytes) = (0, 0);
    for (number, letter) in letters.enumerate() {
        taken += if is_invisible(letter) { 1 } else { columns::letter_width(letter) };
        if taken > most || number >= most.saturating_mul(MARKS) {
            break;
        }
        bytes += letter.len_utf8();
    }
    bytes
}

/// Control characters, line separators, marks that turn the direction of writing, and letters without any width. The
/// joiners U+200C and U+200D are not among them: names in Persian and several Indian scripts are written with them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_show_itself_is_escaped_and_all_else_stays() {
        assert_eq!(visible("a\nb\x1b[31m\u{202e}c\u{9b}"), "a\\nb\\u{1b}[31m\\u{202e}c\\u{9b}");
        assert!(matches!(visible("Zoë D'Árcy 李 می‌خواهم"), Cow::Borrowed(_)));
        for byte in 0..=0x7F_u8 {
            let text = char::from(byte).to_string();
            assert_eq!(visible(&text) == text, (b' '..=b'~').contains(&byte), "{text:?}");
        }
    }

    #[test]
    fn a_long_text_keeps_both_its_ends() {
        assert_eq!(shortened("abcdefghij", 7), "abc…hij");
        assert_eq!(shortened("abcdefg", 7), "abcdefg");
        assert_eq!(shortened("éééééééééé", 4), "éé…é");
        assert_eq!(shortened("佐藤健太佐藤健太", 9), "佐藤…健太");
        assert_eq!(shortened("e\u{301}e\u{301}e\u{301}e\u{301}", 3), "e\u{301}…e\u{301}");
        assert!(shortened(&format!("Z{}", "\u{301}".repeat(10_000)), 40).len() < 400);
        assert_eq!(shortened("abc", 1), "…");
    }

    proptest! {
        #[test]
        fn shortened_text_is_visible_and_fits(text in any::<String>(), most in 1usize..40) {
            let short = shortened(&text, most);
            prop_assert!(columns::text_width(&short) <= most);
            prop_assert!(!short.contains(is_invisible));
        }
    }
}
