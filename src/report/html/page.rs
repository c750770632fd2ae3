//! What a page is written with. Markup comes from this source alone: [`HtmlPage::write_markup`] takes nothing that was not written
//! here, and everything else goes through [`HtmlPage::write_text`], which leaves no letter that a browser could take for markup.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::report::visible::visible;

/// A page on its way to a stream.
pub(super) struct HtmlPage<'o> {
    out: &'o mut dyn Write,
}

impl<'o> HtmlPage<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Self { out }
    }

    /// Markup as it stands in this source.
    pub(super) fn write_markup(&mut self, markup: &'static str) -> io::Result<&mut Self> {
        self.out.write_all(markup.as_bytes())?;
        Ok(self)
    }

    /// Text of any origin.
    pub(super) fn write_text(&mut self, text: &str) -> io::Result<&mut Self> {
        self.out.write_all(escape_html(text).as_bytes())?;
        Ok(self)
    }

    /// Foreign text between other text, whose direction of writing does not reach out of it.
    pub(super) fn write_foreign(&mut self, text: &str) -> io::Result<&mut Self> {
        self.write_markup("<bdi>")?.write_text(text)?.write_markup("</bdi>")
    }

    /// A command to type.
    pub(super) fn write_command(&mut self, command: &str) -> io::Result<&mut Self> {
        self.write_markup("<code>")?.write_text(command)?.write_markup("</code>")
    }

    pub(super) fn write_number(&mut self, number: u64) -> io::Result<&mut Self> {
        self.write_text(&group_digits(number))
    }

    /// The stream itself, for what makes its text harmless in another way.
    pub(super) fn stream(&mut self) -> &mut dyn Write {
        self.out
    }
}

/// What does not show itself is made visible, what could be markup is written as a reference.
pub(super) fn escape_html(text: &str) -> Cow<'_, str> {
    let text = visible(text);
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    Cow::Owned(safe)
}

/// A number as people read it: `12,000`.
pub(super) fn group_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 12_345, 1_234_567].map(group_digits), ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn no_letter_of_a_text_is_markup() {
        let mut out = Vec::new();
        HtmlPage::new(&mut out).write_foreign("</bdi><img src=x onerror='a&b'>\"\u{202e}\0").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "<bdi>&lt;/bdi&gt;&lt;img src=x onerror=&#39;a&amp;b&#39;&gt;&quot;\\u{202e}\\u{0}</bdi>");
    }
}
