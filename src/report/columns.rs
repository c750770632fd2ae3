//! How many columns of a terminal a text takes, and lines that fit into them. Letters of Chinese, Japanese and Korean take
//! two, and marks that are drawn onto the letter before them take none. Where terminals differ, as for pictures that are
//! made of several, the most that any of them takes counts: a line that is too short looks well, one that is too long
//! does not.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::UnicodeWidthChar;

/// The columns that a letter takes.
#[must_use]
pub fn letter_width(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

/// The columns that a visible text takes; the colours of `text_colors` take none.
#[must_use]
pub fn text_width(text: &str) -> usize {
    if text.is_ascii() && !text.contains('\x1b') {
        return text.len();
    }
    let mut is_escape = false;
    text.chars().map(|letter| if is_of_escape(letter, &mut is_escape) { 0 } else { letter_width(letter) }).sum()
}

/// The text with as many blanks behind it as it takes to fill so many columns.
pub fn pad_text(text: &str, most: usize) -> String {
    format!("{text}{:1$}", "", most.saturating_sub(text_width(text)))
}

/// Whether a letter belongs to a colour, which begins with an escape and ends with an `m`.
fn is_of_escape(letter: char, is_escape: &mut bool) -> bool {
    let belongs = *is_escape || letter == '\x1b';
    *is_escape = belongs && letter != 'm';
    belongs
}

/// A line in as many lines as it takes, broken between words, or inside one that no line has room for, each behind the
/// blanks that the first begins with. A command stays whole, because it is there to be pasted.
#[must_use]
pub fn fit_line(line: &str, width: usize) -> Cow<'_, str> {
    if text_width(line) <= width || is_command(line) {
        return Cow::Borrowed(line);
    }
    let blanks = line.len() - line.trim_start_matches(' ').len();
    // Below an entry that begins with its sign stands what belongs to it.
    let is_entry = blanks == 0 && without_colors(line).chars().nth(1) == Some(' ');
    // Where there is hardly any room, none of it is for blanks.
    let most = width.saturating_sub(2) / 2;
    let (first, indent) = (blanks.min(most), if is_entry { 4 } else { blanks }.min(most));
    let mut out = String::with_capacity(line.len() + 16);
    out.extend(std::iter::repeat_n(' ', first));
    let mut breaker = LineBreaker { out, width, indent, taken: first, is_begun: false };
    for (number, word) in line.trim_start_matches(' ').split(' ').enumerate() {
        breaker.push_word(word, number > 0);
    }
    Cow::Owned(breaker.out)
}

/// A line on its way into several.
struct LineBreaker {
    out: String,
    width: usize,
    indent: usize,
    /// Columns of the last line.
    taken: usize,
    /// Whether the last line has more than its indent.
    is_begun: bool,
}

impl LineBreaker {
    /// A word, behind a blank unless it is the first.
    fn push_word(&mut self, word: &str, after_blank: bool) {
        let takes = text_width(word);
        let blank = usize::from(after_blank);
        if self.taken + blank + takes <= self.width {
            // Blanks at the beginning of a line that was broken belong to the end of the one before.
            if after_blank && self.is_begun {
                self.out.push(' ');
                self.taken += 1;
            }
            self.out.push_str(word);
            self.taken += takes;
            self.is_begun |= takes > 0;
            return;
        }
        if self.is_begun && self.indent + takes <= self.width {
            self.begin_line();
            return self.push_word(word, false);
        }
        if after_blank && self.is_begun {
            // Not one letter alone at the end of a line.
            if self.taken + 8 > self.width {
                self.begin_line();
            } else {
                self.out.push(' ');
                self.taken += 1;
            }
        }
        let mut is_escape = false;
        for letter in word.chars() {
            let takes = if is_of_escape(letter, &mut is_escape) { 0 } else { letter_width(letter) };
            if self.taken + takes > self.width && self.is_begun {
                self.begin_line();
            }
            self.out.push(letter);
            self.taken += takes;
            self.is_begun |= takes > 0;
        }
    }

    fn begin_line(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', self.indent));
        (self.taken, self.is_begun) = (self.indent, false);
    }
}

/// Whether a line is a command, or ends with one under a label of its own.
fn is_command(line: &str) -> bool {
    let line = without_colors(line);
    line.trim_start().starts_with("headcount ") || line.contains("   headcount ")
}

/// The line without colours.
fn without_colors(line: &str) -> Cow<'_, str> {
    if !line.contains('\x1b') {
        return Cow::Borrowed(line);
    }
    let mut is_escape = false;
    Cow::Owned(line.chars().filter(|letter| !is_of_escape(*letter, &mut is_escape)).collect())
}

/// Breaks every line that is written through it, in the memory of one line.
pub struct Fitted<'w> {
    width: usize,
    line: Vec<u8>,
    out: &'w mut dyn Write,
}

impl<'w> Fitted<'w> {
    pub fn new(width: usize, out: &'w mut dyn Write) -> Self {
        Self { width, line: Vec::new(), out }
    }

    fn end_line(&mut self) -> io::Result<()> {
        let written = self.out.write_all(fit_line(&String::from_utf8_lossy(&self.line), self.width).as_bytes());
        self.line.clear();
        written
    }
}

impl Write for Fitted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        self.line.extend_from_slice(lines.next().unwrap_or_default());
        for line in lines {
            self.end_line()?;
            self.out.write_all(b"\n")?;
            self.line.extend_from_slice(line);
        }
        Ok(bytes.len())
    }

    /// What is not a whole line yet is written as it is.
    fn flush(&mut self) -> io::Result<()> {
        self.end_line()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_letters_take_two_columns_and_marks_and_colours_none() {
        assert_eq!(
            ["abc", "佐藤", "한국", "Zoe\u{308}", "مريم", "\x1b[1mabc\x1b[0m"].map(text_width),
            [3, 4, 4, 3, 4, 3]
        );
        assert_eq!(pad_text("佐藤", 6), "佐藤  ");
        assert_eq!(pad_text("佐藤健太", 6), "佐藤健太");
    }

    #[test]
    fn a_line_is_broken_between_words_behind_its_own_indent() {
        let line = "    because: the run made the account, which stays, but closed";
        assert_eq!(fit_line(line, 40), "    because: the run made the account,\n    which stays, but closed");
        assert_eq!(fit_line(line, 62), line);
        assert_eq!(
            fit_line("- deactivate  ana.diaz  account 4711 by login_id", 30),
            "- deactivate  ana.diaz\n    account 4711 by login_id"
        );
        assert_eq!(fit_line("\x1b[33m- deactivate\x1b[0m  ana.diaz", 16), "\x1b[33m- deactivate\x1b[0m\n    ana.diaz");
    }

    #[test]
    fn a_word_that_no_line_has_room_for_is_broken_where_the_line_ends() {
        assert_eq!(fit_line("  name: abcdefghijklmnopqrstuvwxyz", 20), "  name: abcdefghijkl\n  mnopqrstuvwxyz");
        assert_eq!(fit_line("佐藤健太佐藤健太", 7), "佐藤健\n太佐藤\n健太");
        assert_eq!(fit_line("abcdefgh", 1), "a\nb\nc\nd\ne\nf\ng\nh");
    }

    #[test]
    fn a_command_stays_whole() {
        let whole = [
            "    headcount sync --approve 9f2c41",
            "  all of it   headcount show r-7",
            "    \x1b[1mheadcount runs\x1b[0m",
        ];
        assert_eq!(whole.map(|line| fit_line(line, 10)), whole);
        assert_eq!(fit_line("`headcount plan` lists", 12), "`headcount\nplan` lists");
    }

    #[test]
    fn what_is_written_in_pieces_is_broken_line_by_line() {
        let mut out = Vec::new();
        let mut to = Fitted::new(8, &mut out);
        for piece in ["one two", " three\n\nfo", "ur five six\nse", "ven"] {
            to.write_all(piece.as_bytes()).unwrap();
        }
        to.flush().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "one two\nthree\n\nfour\nfive six\nseven");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_line_fits(text in "[ a-zé佐\u{301}.]{0,80}", width in 2usize..40) {
            let lines = fit_line(&text, width).into_owned();
            for line in lines.lines() {
                prop_assert!(text_width(line.trim_end()) <= width, "{lines:?}");
            }
            let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines), letters(&text));
        }
    }
}
