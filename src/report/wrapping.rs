//! Texts that are broken into lines between words. A narrow terminal would break them inside words; on any other
//! terminal, and in files, lines stay whole, so that they can be searched.

use std::io::{self, Write};

use super::columns::text_width;

/// The fewest columns that lines are written for as they are.
const WIDE: usize = 50;

/// Whether lines are broken at all.
pub(super) fn is_narrow(width: usize) -> bool {
    width < WIDE
}

/// Writes a text in lines of so many columns, each behind an indent, broken at blanks where the terminal is narrow.
pub(super) fn write_wrapped(
    text: &str,
    width: usize,
    indent: usize,
    paint: impl Fn(&str) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = if is_narrow(width) { wrap_at(" ", text, width.saturating_sub(indent)) } else { vec![text.to_owned()] };
    lines.iter().try_for_each(|line| writeln!(out, "{:indent$}{}", "", paint(line)))
}

/// The lines of a text that is broken only behind the separator. A piece that is longer than there is room stays whole.
pub(super) fn wrap_at(separator: &str, text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in text.split_inclusive(separator) {
        match lines.last_mut() {
            Some(line) if text_width(line) + text_width(piece.trim_end()) <= room => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    if lines.is_empty() { vec![String::new()] } else { lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_broken_behind_commas_and_loses_nothing() {
        let list = "174 unchanged, 2 drift, 5 absent";
        assert_eq!(wrap_at(", ", list, 80), [list]);
        assert_eq!(wrap_at(", ", list, 23), ["174 unchanged, 2 drift,", "5 absent"]);
        assert_eq!(wrap_at(", ", list, 0), ["174 unchanged,", "2 drift,", "5 absent"]);
    }

    fn written(text: &str, width: usize, indent: usize) -> String {
        let mut out = Vec::new();
        write_wrapped(text, width, indent, str::to_owned, &mut out).unwrap();
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
