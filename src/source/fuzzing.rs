//! What holds for any bytes whatever, read as a delimited file. The fuzzer looks for bytes for which it does not.
//!
//! Three characters stand before the file and say how it is read: the delimiter, the encoding, the row of the header.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::config::Duplicates;
use crate::model::Record;

use super::error::Trouble;
use super::quotes::Quoting;
use super::records::Records;
use super::text::{self, Text};
use super::{FileDigest, RowFault, RowShape, Source, SourceError, SourceSettings};

const DELIMITERS: [u8; 6] = [b',', b';', b'\t', b'|', b'\'', 0x1F];
const ENCODINGS: [Option<&str>; 8] = [
    None,
    Some("windows-1252"),
    Some("utf-16le"),
    Some("utf-16be"),
    Some("shift_jis"),
    Some("gb18030"),
    Some("iso-8859-15"),
    Some("iso-2022-jp"),
];
/// Larger than any file that a fuzzer makes, and so small that every record goes beyond its end.
const WINDOWS: [usize; 2] = [64 << 10, 16];

/// Reads the file in all the ways there are; they agree, and nothing of it is lost.
pub fn any_file(data: &[u8]) {
    let [delimiter, encoding, header_row, file @ ..] = data else { return };
    let pick = |byte: u8, count: usize| usize::from(byte.wrapping_sub(b'0')) % count;
    let delimiter = DELIMITERS[pick(*delimiter, DELIMITERS.len())];
    let encoding = ENCODINGS[pick(*encoding, ENCODINGS.len())];
    let header_row = pick(*header_row, 4) as u32 + 1;
    let Ok(mut on_disk) = tempfile::NamedTempFile::new() else { return };
    if on_disk.write_all(file).is_err() {
        return;
    }
    let records = |window, skipped| {
        let file = on_disk.reopen().and_then(|mut file| file.seek(SeekFrom::Start(0)).map(|_| file));
        all_records(file.expect("the file was made above"), encoding, delimiter, window, skipped)
    };

    let whole = records(WINDOWS[0], 0);
    assert_eq!(whole, records(WINDOWS[1], 0), "where the window ends decides what is read");
    nothing_is_lost(file, encoding, &whole);

    let settings = settings(on_disk.path(), delimiter, encoding, header_row);
    let below = records(WINDOWS[0], header_row - 1);
    rows_are_the_records(&settings, file, &below);
}

/// Everything that is known of one record.
#[derive(Debug, PartialEq)]
struct Seen {
    line: u32,
    last_line: u32,
    bytes: Vec<u8>,
    cells: Vec<String>,
    quoting: Quoting,
    terminated: bool,
    blank: bool,
}

type AllSeen = (Vec<Seen>, Option<Trouble>);

fn all_records(file: std::fs::File, label: Option<&str>, delimiter: u8, window: usize, skipped: u32) -> AllSeen {
    let encoding = label.and_then(|label| text::encoding(label).ok());
    let text = match Text::open(file, encoding) {
        Ok(text) => text,
        Err(trouble) => return (Vec::new(), Some(trouble)),
    };
    let mut records = Records::with_window(text, delimiter, window);
    for _ in 0..skipped {
        if let Err(trouble) = records.skip_line() {
            return (Vec::new(), Some(trouble));
        }
    }
    let mut seen = Vec::new();
    loop {
        match records.next() {
            Ok(None) => return (seen, None),
            Err(trouble) => return (seen, Some(trouble)),
            Ok(Some(raw)) => seen.push(Seen {
                line: raw.line,
                last_line: raw.last_line,
                bytes: raw.bytes.to_vec(),
                cells: (0..raw.len()).map(|at| raw.cell(at).to_owned()).collect(),
                quoting: raw.quoting,
                terminated: raw.terminated,
                blank: raw.is_blank(),
            }),
        }
    }
}

/// The records, and the line breaks between them, are the text from its first byte, each on the line it says; up to
/// its end where there is no trouble.
fn nothing_is_lost(file: &[u8], label: Option<&str>, (seen, trouble): &AllSeen) {
    let encoding = label.and_then(|label| text::encoding(label).ok()).unwrap_or(encoding_rs::UTF_8);
    let (encoding, mark) = encoding_rs::Encoding::for_bom(file).unwrap_or((encoding, 0));
    let body = &file[mark..];
    let text = match encoding == encoding_rs::UTF_8 {
        true => body.to_vec(),
        false => encoding.decode_without_bom_handling(body).0.into_owned().into_bytes(),
    };
    let (mut at, mut line) = (0, 1);
    for record in seen {
        let gap = text[at..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        line += lines(&text, at, at + gap);
        at += gap;
        assert!(text[at..].starts_with(&record.bytes), "a record is not what stands in the file");
        assert_eq!(record.line, line, "the line of a record");
        let end = at + record.bytes.len();
        let body = end - usize::from(record.terminated);
        assert_eq!(record.last_line, line + lines(&text, at, body), "the last line of a record");
        assert_eq!(record.terminated, text[body..end].iter().any(|byte| matches!(byte, b'\n' | b'\r')));
        line += lines(&text, at, end);
        at = end;
    }
    if trouble.is_none() {
        assert!(text[at..].iter().all(|byte| matches!(byte, b'\n' | b'\r')), "the end of the file was not read");
    }
}

/// The line breaks of a part of the text, counted in the plainest way: a line feed after a carriage return is none.
fn lines(text: &[u8], from: usize, to: usize) -> u32 {
    let is_break = |at: &usize| match text[*at] {
        b'\r' => true,
        b'\n' => *at == 0 || text[*at - 1] != b'\r',
        _ => false,
    };
    (from..to).filter(is_break).count() as u32
}

fn settings(path: &Path, delimiter: u8, encoding: Option<&str>, header_row: u32) -> SourceSettings {
    SourceSettings {
        paths: vec![path.to_owned()],
        format: Some(crate::config::Format::Csv),
        delimiter: Some(delimiter),
        encoding: encoding.map(str::to_owned),
        sheet: None,
        header_row,
        duplicates: Duplicates::Error,
        trailer: None,
        manifest: None,
    }
}

/// What a pass over the rows gave.
#[derive(Debug, Default, PartialEq)]
struct Pass {
    rows: Vec<(u32, Vec<String>, Option<RowFault>)>,
    blank: u64,
    digests: Vec<FileDigest>,
    error: Option<SourceError>,
}

fn pass(source: &Source) -> Pass {
    let mut pass = Pass::default();
    let mut rows = match source.rows() {
        Ok(rows) => rows,
        Err(error) => return Pass { error: Some(error), ..pass },
    };
    let mut record = Record::default();
    loop {
        match rows.next_into(&mut record) {
            Ok(None) => break,
            Ok(Some(shape)) => {
                let fault = match shape {
                    RowShape::Good => None,
                    RowShape::Bad(problem) => {
                        assert_eq!(problem.place, record.place);
                        assert!(!problem.message.is_empty());
                        Some(problem.fault)
                    }
                };
                pass.rows.push((record.place.line, record.cells().map(str::to_owned).collect(), fault));
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                let _ = error.hint();
                pass.error = Some(error);
                break;
            }
        }
    }
    pass.blank = rows.blank_rows();
    pass.digests = rows.digests();
    pass
}

/// Every record below the header is a row, good or bad or blank, and a good one has a cell for each column.
fn rows_are_the_records(settings: &SourceSettings, file: &[u8], (seen, trouble): &AllSeen) {
    let folder: PathBuf = std::env::temp_dir();
    let source = match Source::open_with(settings, &mut std::io::empty(), &folder) {
        Ok(source) => source,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let _ = error.hint();
            return;
        }
    };
    // What is packed was read as what was packed in it.
    if super::packed::of_bytes(file).is_some() {
        return;
    }
    let pass = self::pass(&source);
    assert_eq!(pass, self::pass(&source), "two passes over one file differ");
    assert_eq!(pass.error.is_some(), trouble.is_some());
    let header = seen.first().map(|header| header.cells.as_slice()).unwrap_or_default();
    // What an error sheet adds is nobody's column, and is left out of every row.
    let is_kept = |name: &String| !super::is_own_column(super::header::trim_name(name));
    let columns = source.columns().names().len();
    assert!(columns > 0 && columns == header.iter().filter(|name| is_kept(name)).count());
    let kept = |cells: &[String]| -> Vec<String> {
        cells.iter().zip(header).filter(|(_, name)| is_kept(name)).map(|(cell, _)| cell.clone()).collect()
    };
    let below = seen.get(1..).unwrap_or_default();
    assert_eq!(pass.rows.len() + usize::try_from(pass.blank).unwrap_or(usize::MAX), below.len(), "a row was dropped");
    // A row that says something only where an error sheet did says nothing.
    let is_blank = |record: &Seen| match record.cells.len() > header.len() {
        true => record.blank,
        false => kept(&record.cells).iter().all(|cell| cell.trim().is_empty()),
    };
    let told = below.iter().filter(|record| record.quoting != Quoting::Sound || !is_blank(record));
    for (record, (line, cells, fault)) in told.zip(&pass.rows) {
        assert_eq!(*line, record.line);
        let whole = record.quoting == Quoting::Sound && record.cells.len() == header.len();
        assert_eq!(whole, fault.is_none(), "a row of {} cells", record.cells.len());
        match fault {
            None => assert_eq!(*cells, kept(&record.cells)),
            Some(RowFault::Cells) => assert_eq!(cells.len(), columns),
            Some(RowFault::Torn) => assert!(cells.is_empty()),
        }
    }
    if pass.error.is_none() {
        let [digest] = pass.digests.as_slice() else { panic!("one file, {} digests", pass.digests.len()) };
        assert_eq!(digest.digest, blake3::hash(file).to_hex()[..32]);
        assert_eq!(digest.rows, pass.rows.len() as u64);
    }
}
