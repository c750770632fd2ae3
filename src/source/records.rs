//! Text into records: csv-core cuts the cells, and this reader knows what csv-core does not say: on which line a record
//! begins and ends, whether its quotes stand right, whether the file ended inside it.
//!
//! The window always holds the whole of the record being read, so that all this can be asked of its raw bytes after it
//! was parsed, and only where there is a quote in it; a record without one costs two scans.

use csv_core::ReadRecordResult;

use super::error::{Fault, Trouble};
use super::errors::LineEnd;
use super::looks::Looks;
use super::quotes::{self, Quoting};
use super::row_shape::MAX_RECORD;
use super::text::Text;

/// The window's first size. Read calls ask for what is free in it.
const WINDOW: usize = 512 << 10;

/// Free room below which the window grows: more than any decoder needs for one character.
const LEAST_ROOM: usize = 16;

pub(super) struct Records {
    pub(super) text: Text,
    pub(super) delimiter: u8,
    parser: csv_core::Reader,
    window: Vec<u8>,
    /// The first byte of the window that was not consumed, and the end of what it holds.
    at: usize,
    end: usize,
    /// Bytes of text before the window.
    before: u64,
    /// The line that `at` stands on, 1-based.
    line: u32,
    /// The byte before `at` was a carriage return: a line feed that follows ends no further line.
    after_cr: bool,
    ended: bool,
    /// The cells of the record, unquoted, one behind the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
}

/// One record, until the next one is read.
pub(super) struct RawRecord<'r> {
    /// The lines its first cell begins on, and its last cell ends on.
    pub line: u32,
    pub last_line: u32,
    /// As it stands in the file, with its line terminator.
    pub bytes: &'r [u8],
    text: &'r str,
    ends: &'r [usize],
    pub quoting: Quoting,
    /// False where the file ends with it, without a line terminator.
    pub terminated: bool,
}

impl<'r> RawRecord<'r> {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn cell(&self, at: usize) -> &'r str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    /// Whether no cell says anything.
    pub fn is_blank(&self) -> bool {
        self.text.chars().all(char::is_whitespace)
    }

    /// The line of a byte of the record.
    pub fn line_of(&self, at: usize) -> u32 {
        self.line.saturating_add(breaks(&self.bytes[..at]))
    }
}

impl Records {
    pub(super) fn new(text: Text, delimiter: u8) -> Self {
        Self::with_window(text, delimiter, WINDOW)
    }

    pub(super) fn with_window(text: Text, delimiter: u8, window: usize) -> Self {
        let mut parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        // A first line break is skipped as a blank line. The parser must have seen something before the first record,
        // or it strips a byte order mark, which was done already, and takes what is left of it for the file's end.
        let _ = parser.read_record(b"\n", &mut [0; 4], &mut [0; 4]);
        let before = text.bom;
        Self {
            text,
            delimiter,
            parser,
            window: vec![0; window],
            at: 0,
            end: 0,
            before,
            line: 1,
            after_cr: false,
            ended: false,
            cells: vec![0; window + 1],
            ends: vec![0; 16],
        }
    }

    /// What of the text after the last record is at hand.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.window[self.at..self.end]
    }

    /// Skips a physical line, whatever stands in it; false where the text has ended.
    pub(super) fn skip_line(&mut self) -> Result<bool, Trouble> {
        let mut any = false;
        loop {
            if self.at == self.end && !self.fill()? {
                return Ok(any);
            }
            if self.after_cr && self.window[self.at] == b'\n' {
                self.at += 1;
                self.after_cr = false;
                continue;
            }
            self.after_cr = false;
            any = true;
            match memchr::memchr2(b'\n', b'\r', &self.window[self.at..self.end]) {
                None => self.at = self.end,
                Some(length) => {
                    self.after_cr = self.window[self.at + length] == b'\r';
                    self.at += length + 1;
                    self.line = self.line.saturating_add(1);
                    return Ok(true);
                }
            }
        }
    }

    /// What ended the record that was read last.
    pub(super) fn line_end(&mut self) -> Result<LineEnd, Trouble> {
        if !self.after_cr {
            return Ok(LineEnd::Lf);
        }
        if self.at == self.end {
            self.fill()?;
        }
        Ok(if self.ahead().first() == Some(&b'\n') { LineEnd::CrLf } else { LineEnd::Cr })
    }

    /// The next record that is not a blank line. After an error nothing sensible follows.
    pub(super) fn next(&mut self) -> Result<Option<RawRecord<'_>>, Trouble> {
        if !self.skip_breaks()? {
            return Ok(None);
        }
        let (cells, count, stop, terminated) = self.parse()?;
        let (start, line) = (self.at, self.line);
        let bytes = &self.window[start..stop];
        if bytes.len() > MAX_RECORD {
            return Err(self.too_long(bytes));
        }
        let ends = &self.ends[..count];
        let text = match std::str::from_utf8(&self.cells[..cells]) {
            // Half a character at the end of one cell and the rest in the next would pass otherwise.
            Ok(text) if ends.iter().all(|end| text.is_char_boundary(*end)) => text,
            _ => return Err(self.not_utf8(bytes)),
        };
        let mut quoting = Quoting::Sound;
        let mut last_line = line;
        if let Some(first) = memchr::memchr2(b'"', 0, bytes) {
            if let Some(nul) = memchr::memchr(0, &bytes[first..]) {
                return Err(self.nul(bytes, first + nul));
            }
            quoting = quotes::check(bytes, self.delimiter);
            last_line = line.saturating_add(breaks(&bytes[..bytes.len() - usize::from(terminated)]));
        }
        self.at = stop;
        self.line = last_line.saturating_add(u32::from(terminated));
        self.after_cr = terminated && bytes.last() == Some(&b'\r');
        Ok(Some(RawRecord { line, last_line, bytes, text, ends, quoting, terminated }))
    }

    /// Moves to the first byte that is no line break; false where there is none.
    fn skip_breaks(&mut self) -> Result<bool, Trouble> {
        loop {
            while self.at < self.end {
                match self.window[self.at] {
                    b'\n' if self.after_cr => self.after_cr = false,
                    b'\n' => self.line = self.line.saturating_add(1),
                    b'\r' => {
                        self.line = self.line.saturating_add(1);
                        self.after_cr = true;
                    }
                    _ => {
                        self.after_cr = false;
                        return Ok(true);
                    }
                }
                self.at += 1;
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Parses the record at `at`, which is there. Gives the bytes of its cells, their number, where in the window the
    /// record stops, and whether a line terminator ended it.
    fn parse(&mut self) -> Result<(usize, usize, usize, bool), Trouble> {
        let (mut cells, mut count, mut length) = (0, 0, 0);
        loop {
            // An empty input tells the parser that the file has ended, so it gets one only when that is true.
            if self.at + length == self.end && !self.ended {
                if length > MAX_RECORD {
                    return Err(self.too_long(&self.window[self.at..self.end]));
                }
                self.fill()?;
                continue;
            }
            let terminated = self.at + length < self.end;
            let (result, taken, written, ended) = self.parser.read_record(
                &self.window[self.at + length..self.end],
                &mut self.cells[cells..],
                &mut self.ends[count..],
            );
            length += taken;
            cells += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                // Cannot happen as long as there is more room than the window has; growing costs nothing to say.
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                // The record has bytes, so that the parser's end is the record's end too.
                ReadRecordResult::Record | ReadRecordResult::End => {
                    return Ok((cells, count, self.at + length, terminated));
                }
            }
        }
    }

    /// Gets more text into the window, at least one byte; false where there is no more. Positions in the window
    /// change, and `at` with them.
    fn fill(&mut self) -> Result<bool, Trouble> {
        if self.ended {
            return Ok(false);
        }
        if self.at > 0 {
            self.window.copy_within(self.at..self.end, 0);
            self.before += self.at as u64;
            self.end -= self.at;
            self.at = 0;
        }
        if self.window.len() - self.end < LEAST_ROOM {
            self.window.resize(self.window.len() * 2, 0);
            self.cells.resize(self.window.len() + 1, 0);
        }
        let read = self.text.read(&mut self.window[self.end..]);
        let read = read.map_err(|trouble| trouble.at_line(self.line.saturating_add(breaks(self.ahead()))))?;
        self.end += read;
        self.ended = read == 0;
        Ok(read > 0)
    }

    /// Trouble at a byte of the record that begins at `at`.
    fn trouble(&self, record: &[u8], at: usize, fault: Fault) -> Trouble {
        let byte = self.text.is_plain().then(|| self.before + (self.at + at) as u64);
        Trouble { line: Some(self.line.saturating_add(breaks(&record[..at]))), byte, fault }
    }

    fn nul(&self, record: &[u8], at: usize) -> Trouble {
        self.trouble(record, at, Fault::Binary(Looks::Nul))
    }

    fn too_long(&self, record: &[u8]) -> Trouble {
        let quote = match quotes::check(record, self.delimiter) {
            Quoting::Sound => None,
            Quoting::Open { at } | Quoting::TextAfter { at } => Some(self.line.saturating_add(breaks(&record[..at]))),
        };
        self.trouble(record, 0, Fault::RowTooLong { quote })
    }

    fn not_utf8(&self, record: &[u8]) -> Trouble {
        let Err(error) = std::str::from_utf8(record) else {
            // Cells of a valid record are valid: what is cut out between them is ASCII. Refused all the same.
            return self.trouble(record, 0, encoding_fault(record, false));
        };
        let at = error.valid_up_to();
        // A character that the record's end cuts off was cut by the file's end, unless a line terminator follows it.
        self.trouble(record, at, encoding_fault(&record[at..], error.error_len().is_none()))
    }
}

pub(super) fn encoding_fault(bytes: &[u8], at_end: bool) -> Fault {
    let shown = bytes.iter().take(4).take_while(|byte| !byte.is_ascii()).count().max(1).min(bytes.len());
    // One byte beyond ASCII with ASCII after it is how a Western single-byte encoding looks.
    let alone = shown == 1 && !at_end;
    let windows_1252 = alone
        .then(|| encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes[..1]).0.chars().next())
        .flatten()
        .filter(|char| !char.is_control());
    Fault::Encoding { encoding: "UTF-8", bytes: bytes[..shown].to_vec(), at_end, windows_1252 }
}

/// Line breaks as an editor counts them: LF, CR LF, and CR alone.
fn breaks(bytes: &[u8]) -> u32 {
    let mut count = 0_u32;
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        let second_half = bytes[at] == b'\n' && at > 0 && bytes[at - 1] == b'\r';
        count = count.saturating_add(u32::from(!second_half));
    }
    count
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_of_line_break_counts_once() {
        for (text, expected) in [("", 0), ("a\nb", 1), ("a\r\nb\r\n", 2), ("\r\r\n\n", 3), ("\n\r", 2)] {
            assert_eq!(breaks(text.as_bytes()), expected, "{text:?}");
        }
    }

    type Seen = (u32, u32, Vec<u8>, Vec<String>, Quoting, bool);

    /// Everything that is known of every record, up to the first trouble; after skipping `skip` lines.
    fn all(bytes: &[u8], window: usize, skip: usize) -> (Vec<Seen>, Option<Trouble>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let text = match Text::open(file.reopen().unwrap(), None) {
            Ok(text) => text,
            Err(trouble) => return (Vec::new(), Some(trouble)),
        };
        let mut records = Records::with_window(text, b',', window);
        for _ in 0..skip {
            records.skip_line().unwrap();
        }
        let mut seen = Vec::new();
        loop {
            match records.next() {
                Ok(None) => return (seen, None),
                Err(trouble) => return (seen, Some(trouble)),
                Ok(Some(raw)) => {
                    let cells = (0..raw.len()).map(|at| raw.cell(at).to_owned()).collect();
                    seen.push((raw.line, raw.last_line, raw.bytes.to_vec(), cells, raw.quoting, raw.terminated));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn where_the_window_happens_to_end_changes_nothing(
            text in "(\u{FEFF})?[ab,\"\r\n\u{e9}\u{20ac}\u{1f600}]{0,120}",
            damage in prop::option::of((0_usize..400, any::<u8>())),
            window in 16_usize..80,
            skip in 0_usize..3,
        ) {
            let mut bytes = text.into_bytes();
            if let Some((at, byte)) = damage && let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            prop_assert_eq!(all(&bytes, window, skip), all(&bytes, WINDOW, skip));
        }

        #[test]
        fn the_records_and_the_breaks_between_them_are_the_whole_text(
            text in "[ab,\"\r\n]{0,60}",
        ) {
            let (seen, trouble) = all(text.as_bytes(), 16, 0);
            prop_assert_eq!(trouble, None);
            let (mut rest, mut before) = (text.as_bytes(), 0_usize);
            for (line, last_line, bytes, _, _, terminated) in seen {
                let gap = rest.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
                before += gap;
                rest = &rest[gap..];
                prop_assert!(rest.starts_with(&bytes));
                prop_assert_eq!(line, breaks(&text.as_bytes()[..before]) + 1);
                let body = bytes.len() - usize::from(terminated);
                prop_assert_eq!(last_line, line + breaks(&bytes[..body]));
                before += bytes.len();
                rest = &rest[bytes.len()..];
            }
            prop_assert!(rest.iter().all(|b| matches!(b, b'\n' | b'\r')));
        }
    }
}
