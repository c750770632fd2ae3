//! Terminals of few columns. What would be broken there in the middle of words is broken between them; on any other
//! terminal, and in files, lines stay whole, so that they can be searched.

use std::io::{self, Write};

use super::columns::columns;

/// The fewest columns that lines are written for as they are.
const WIDE: usize = 50;

/// Whether lines are broken at all.
pub(super) fn is_narrow(width: usize) -> bool {
    width < WIDE
}

/// Writes a text in lines of so many columns, each behind an indent, broken at blanks where the terminal is narrow.
pub(super) fn write(
    text: &str,
    width: usize,
    indent: usize,
    paint: impl Fn(&str) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = if is_narrow(width) { broken(text, width.saturating_sub(indent)) } else { vec![text.to_owned()] };
    lines.iter().try_for_each(|line| writeln!(out, "{:indent$}{}", "", paint(line)))
}

/// A word that is longer than there is room stays whole.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut taken = 0;
    for word in text.split(' ') {
        let takes = columns(word);
        match lines.last_mut() {
            Some(line) if taken + 1 + takes <= room => {
                line.push(' ');
                line.push_str(word);
                taken += 1 + takes;
            }
            _ => {
                lines.push(word.to_owned());
                taken = takes;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, width: usize, indent: usize) -> String {
        let mut out = Vec::new();
        write(text, width, indent, str::to_owned, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_broken_between_words_on_a_narrow_terminal_and_nowhere_else() {
        let text = "2 rows cannot be used: mend the export";
        assert_eq!(written(text, 20, 0), "2 rows cannot be\nused: mend the\nexport\n");
        assert_eq!(written(text, 20, 4), "    2 rows cannot be\n    used: mend the\n    export\n");
        assert_eq!(written(text, WIDE, 2), "  2 rows cannot be used: mend the export\n");
        assert_eq!(
            written("a-very-long-name.of.a.file is not there", 20, 0),
            "a-very-long-name.of.a.file\nis not there\n"
        );
        assert_eq!(written("", 20, 2), "  \n");
        assert_eq!(written("a b", 0, 4), "    a\n    b\n");
    }
}
