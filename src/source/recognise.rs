//! How a file that nobody has described yet is probably to be read: its encoding, its delimiter, the line that names its
//! columns. Unlike in [`sniff`], guesses are made here to be proposed: whoever is given them is shown the reasons, and
//! what comes of them stands in a configuration from then on. Nothing is decided for a run.
//!
//! Only the beginning of the file is read, and of a workbook the first rows. What makes it no text at all is left to [`Source::open`](super::Source::open),
//! which says it better.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::error::{Fault, Trouble};
use super::looks::Looks;
use super::sniff;
use super::workbook::{self, SheetRequest};
use super::{files, packed};
use crate::config::Format;
use crate::model::shape;

/// How much of the file is looked at.
const HEAD: u64 = 256 << 10;
/// Records that are looked at.
const RECORDS: usize = 300;
/// Records among which the names are looked for: exports have a title or two above them.
const ABOVE: usize = 30;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a file is probably to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    pub form: Form,
    pub header: Header,
}

/// What kind of file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Text(TextForm),
    Workbook,
    /// JSON Lines, which say all there is to say themselves.
    Objects,
}

/// How delimited text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextForm {
    /// None where the file tells it itself: it is UTF-8, or has a byte order mark.
    pub encoding: Option<&'static str>,
    /// As a person says it.
    pub encoding_name: String,
    pub delimiter: u8,
    /// The delimiter that a file of this name has where none is set.
    pub usual_delimiter: u8,
}

/// Where the names of the columns stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// On this line, 1-based.
    Line(u32),
    /// Nowhere: this line, which should have them, has these values.
    None { line: u32, values: Vec<String> },
}

/// Looks at the beginning of a file, of a workbook at its only sheet or the one that is named. None for what is no text
/// although its name promises some, or cannot be read. `is_name` says whether a text is a usual name of a column.
#[must_use]
pub fn recognise(path: &Path, sheet: Option<&str>, is_name: impl Fn(&str) -> bool) -> Option<Guess> {
    let packing = packed::of_name(path);
    let inner = if packing.is_some() { path.with_extension("") } else { path.to_owned() };
    let kind = match files::format_of(&inner, None).ok()? {
        Format::Csv => return recognise_text(path, b',', is_name),
        Format::Tsv => return recognise_text(path, b'\t', is_name),
        Format::Jsonl => return Some(Guess { form: Form::Objects, header: Header::Line(1) }),
        Format::Xlsx => workbook::WorkbookKind::Xlsx,
        Format::Ods => workbook::WorkbookKind::Ods,
    };
    // What is wrong with a workbook is said by whoever opens it; one that is packed would have to be unpacked first.
    let asked = SheetRequest { kind, sheet, header_row: 1 };
    let rows = if packing.is_some() {
        Vec::new()
    } else {
        workbook::read_first_rows(path, &asked, RECORDS).unwrap_or_default()
    };
    let widest = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
    let record = |(line, mut cells): (u32, Vec<String>)| {
        cells.resize(widest, String::new());
        GuessedRecord { line, cells: cells.into_iter().map(|cell| cell.trim().to_owned()).collect() }
    };
    let records: Vec<GuessedRecord> = rows.into_iter().map(record).collect();
    Some(Guess { form: Form::Workbook, header: find_header(&records, is_name) })
}

fn recognise_text(path: &Path, usual_delimiter: u8, is_name: impl Fn(&str) -> bool) -> Option<Guess> {
    let is_file = path.metadata().is_ok_and(|found| found.is_file());
    let (head, is_whole) = read_head(File::open(path).ok().filter(|_| is_file)?)?;
    let (encoding, bom) = guess_encoding(&head, is_whole)?;
    let text = encoding.decode_without_bom_handling(&head[bom..]).0;
    let (delimiter, records) = guess_delimiter(&text, is_whole)?;
    let needs_saying = bom == 0 && encoding != UTF_8;
    let form = TextForm {
        encoding: needs_saying.then(|| encoding.name()),
        encoding_name: if bom > 0 {
            format!("{} with a byte order mark", encoding.name())
        } else {
            encoding.name().to_owned()
        },
        delimiter,
        usual_delimiter,
    };
    Some(Guess { form: Form::Text(form), header: find_header(&records, is_name) })
}

/// The first bytes of a file, unpacked, and whether these are all of it.
fn read_head(mut file: File) -> Option<(Vec<u8>, bool)> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head).ok()?;
    if let Some(packing) = packed::of_bytes(&head) {
        file.rewind().ok()?;
        head.clear();
        // Of one that is cut or damaged there is a part; whoever opens it says so.
        let _ = packed::unpacking_reader(packing, file)?.take(HEAD).read_to_end(&mut head);
    }
    let is_whole = (head.len() as u64) < HEAD;
    Some((head, is_whole))
}

/// The encoding, and how long the byte order mark is.
fn guess_encoding(head: &[u8], is_whole: bool) -> Option<(&'static Encoding, usize)> {
    if let Some(marked) = Encoding::for_bom(head) {
        return Some(marked);
    }
    match sniff::refuse_binary(head, 0, UTF_8) {
        Err(Trouble { fault: Fault::Binary(Looks::Utf16Le), .. }) => return Some((UTF_16LE, 0)),
        Err(Trouble { fault: Fault::Binary(Looks::Utf16Be), .. }) => return Some((UTF_16BE, 0)),
        Err(_) => return None,
        Ok(()) => {}
    }
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The end of what was read may lie inside a character.
        Err(error) => error.error_len().is_none() && !is_whole,
    };
    Some((if is_utf8 { UTF_8 } else { WINDOWS_1252 }, 0))
}

/// A record and the line that it begins on.
struct GuessedRecord {
    line: u32,
    cells: Vec<String>,
}

/// The records as the delimiter that fits best cuts them.
fn guess_delimiter(text: &str, is_whole: bool) -> Option<(u8, Vec<GuessedRecord>)> {
    let cut = DELIMITERS.into_iter().map(|delimiter| (delimiter, cut_records(text, delimiter, is_whole)));
    let judged =
        cut.map(|(delimiter, records)| (judge_fit(&records), delimiter, records)).filter(|(_, _, r)| !r.is_empty());
    // Of two that fit alike the first counts: a comma.
    let best = judged.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some((best.1, best.2))
}

fn cut_records(text: &str, delimiter: u8, is_whole: bool) -> Vec<GuessedRecord> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.records().take(RECORDS) {
        let Ok(record) = record else { break };
        let line = record.position().map_or(1, |position| {
            // The position is that behind the record before; blank lines between the two belong to neither.
            let rest = text.as_bytes().iter().skip(usize::try_from(position.byte()).unwrap_or(usize::MAX));
            let breaks = rest.take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count();
            u32::try_from(position.line() + breaks as u64).unwrap_or(u32::MAX)
        });
        records.push(GuessedRecord { line, cells: record.iter().map(|cell| cell.trim().to_owned()).collect() });
    }
    if !is_whole && records.len() < RECORDS {
        // The last one may have been cut.
        records.pop();
    }
    records
}

/// How many cells most records have.
fn usual_width(records: &[GuessedRecord]) -> usize {
    let count = |width: usize| records.iter().filter(|record| record.cells.len() == width).count();
    let widths = records.iter().map(|record| record.cells.len());
    widths.max_by_key(|width| (count(*width), *width)).unwrap_or(1)
}

/// The more records have the same number of cells, and the more cells these are, the better the delimiter fits.
fn judge_fit(records: &[GuessedRecord]) -> usize {
    let width = usual_width(records);
    let alike = records.iter().filter(|record| record.cells.len() == width).count();
    let share = alike * 1000 / records.len().max(1);
    share * share * (width - 1).isqrt().min(8)
}

fn find_header(records: &[GuessedRecord], is_name: impl Fn(&str) -> bool) -> Header {
    let width = usual_width(records);
    let first = Header::Line(records.first().map_or(1, |record| record.line));
    // Lines above the names are shorter, or mostly empty where a spreadsheet has padded them.
    let is_full = |record: &&GuessedRecord| {
        let filled = record.cells.iter().filter(|cell| !cell.is_empty()).count();
        record.cells.len() == width && filled * 2 > width
    };
    let Some(at) = records.iter().take(ABOVE).position(|record| is_full(&record)) else { return first };
    let names = &records[at];
    if names.cells.iter().any(|cell| is_value(cell, width)) {
        return Header::None { line: names.line, values: names.cells.clone() };
    }
    // Some products write names for programs and below them the same names for people.
    let are_names = |record: &&GuessedRecord| {
        let same = record.cells.iter().zip(&names.cells).filter(|(below, above)| is_same_name(below, above)).count();
        let known = record.cells.iter().filter(|cell| is_name(cell)).count();
        let is_value = |cell: &String| is_value(cell, width);
        is_full(record) && (same * 2 > width || known * 2 > width) && !record.cells.iter().any(is_value)
    };
    let below = records.get(at + 1).filter(are_names);
    Header::Line(below.unwrap_or(names).line)
}

/// Whether two names are the same but for case, blanks and signs.
fn is_same_name(one: &str, other: &str) -> bool {
    let plain =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    !plain(one).is_empty() && plain(one) == plain(other)
}

/// Whether a cell is a value, which no column is named by.
fn is_value(cell: &str, width: usize) -> bool {
    shape::is_address(cell) || shape::is_date(cell) || (width > 1 && shape::is_number(cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(bytes: &[u8]) -> Option<Guess> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        recognise(file.path(), None, |name| ["User ID", "First Name", "Email"].contains(&name))
    }

    fn text_form(bytes: &[u8]) -> TextForm {
        match guess(bytes).unwrap().form {
            Form::Text(form) => form,
            other => panic!("{other:?}"),
        }
    }

    fn header_of(text: &str) -> Header {
        guess(text.as_bytes()).unwrap().header
    }

    #[test]
    fn the_delimiter_is_what_cuts_all_lines_alike() {
        let delimiter = |text: &str| char::from(text_form(text.as_bytes()).delimiter);
        assert_eq!(delimiter("id,name\n1,Ana\n"), ',');
        assert_eq!(delimiter("id;name;pay\n1;Diaz, Ana;1,5\n2;Li, Bo;2,5\n"), ';');
        assert_eq!(delimiter("id\tname\n1\tDiaz; Ana\n"), '\t');
        assert_eq!(delimiter("id|name\n1|\"a|b\"\n"), '|');
        assert_eq!(delimiter("\"a;b\",c\n\"d;e\",f\n"), ',');
        assert_eq!(delimiter("email\nana@example.com\n"), ',');
    }

    #[test]
    fn the_encoding_is_said_where_the_file_does_not_say_it() {
        let encoding = |bytes: &[u8]| text_form(bytes).encoding;
        assert_eq!(encoding("id,näme\n1,Zoë\n".as_bytes()), None);
        assert_eq!(encoding(b"id,n\xE4me\n1,Zo\xEB\n"), Some("windows-1252"));
        let utf16: Vec<u8> = "id,name\n1,Ana\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(encoding(&utf16), Some("UTF-16LE"));
        let marked = [b"\xFF\xFE".as_slice(), &utf16].concat();
        assert_eq!(encoding(&marked), None);
        assert_eq!(guess(b"PK\x03\x04\x14\0\0"), None);
        assert_eq!(guess(b""), None);
    }

    #[test]
    fn a_character_at_the_end_of_what_is_read_does_not_change_the_encoding() {
        let text = format!("id,name\n{}", "1,\u{e9}\u{e9}\n".repeat(60_000));
        for cut in 0..4 {
            let text = format!("{}{text}", "x".repeat(cut));
            assert_eq!(text_form(text.as_bytes()).encoding, None, "{cut}");
        }
    }

    #[test]
    fn the_names_stand_below_titles_and_below_names_for_programs() {
        assert_eq!(header_of("id,name\n1,Ana\n"), Header::Line(1));
        assert_eq!(header_of("Active workers\n\nid,name,mail\n1,Ana,a@x.org\n2,Bo,b@x.org\n"), Header::Line(3));
        assert_eq!(header_of("Active workers,,,\nid,name,mail,x\n1,Ana,a@x.org,\n"), Header::Line(2));
        assert_eq!(header_of("USERID,FIRSTNAME,EMAIL\nUser ID,First Name,Email\n1,Ana,a@x.org\n"), Header::Line(2));
        assert_eq!(header_of("\"id\nof it\",name\n1,Ana\n"), Header::Line(1));
    }

    #[test]
    fn a_line_of_values_is_no_header() {
        for text in ["1,Ana,ana@example.com\n2,Bo,bo@example.com\n", "Ana,2024-03-01\nBo,2024-03-02\n", "E,7\nF,8\n"] {
            assert!(matches!(header_of(text), Header::None { line: 1, .. }), "{text}");
        }
    }
}
