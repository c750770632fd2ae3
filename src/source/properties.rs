//! What holds for any file: a table that was written is read back as it was, on the lines it stands on; and of a
//! file that was cut anywhere no row is taken for another.

use std::path::PathBuf;

use csv::{QuoteStyle, Terminator, WriterBuilder};
use proptest::prelude::*;
use tempfile::TempDir;

use super::tests::{Pass, pass, settings, write};
use super::*;

#[derive(Clone, Copy, Debug)]
enum Coding {
    Utf8,
    Utf8Mark,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

#[derive(Clone, Debug)]
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    delimiter: u8,
    quotes: QuoteStyle,
    terminator: Terminator,
    coding: Coding,
}

impl Table {
    /// The text, and where in it each row begins, with the text's end last.
    fn text(&self) -> (String, Vec<usize>) {
        let mut text = String::new();
        let mut starts = Vec::new();
        for row in std::iter::once(&self.names).chain(&self.rows) {
            let mut writer = WriterBuilder::new()
                .delimiter(self.delimiter)
                .quote_style(self.quotes)
                .terminator(self.terminator)
                .from_writer(Vec::new());
            writer.write_record(row).unwrap();
            text.push_str(std::str::from_utf8(&writer.into_inner().unwrap()).unwrap());
            starts.push(text.len());
        }
        (text, starts)
    }

    fn encode(&self, text: &str) -> Vec<u8> {
        let utf16 = |mark: &str| format!("{mark}{text}").encode_utf16().collect::<Vec<_>>();
        match self.coding {
            Coding::Utf8 => text.as_bytes().to_vec(),
            Coding::Utf8Mark => format!("\u{FEFF}{text}").into_bytes(),
            Coding::Utf16Le => utf16("\u{FEFF}").into_iter().flat_map(u16::to_le_bytes).collect(),
            Coding::Utf16Be => utf16("\u{FEFF}").into_iter().flat_map(u16::to_be_bytes).collect(),
            Coding::Windows1252 => {
                let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
                assert!(!unmappable);
                bytes.into_owned()
            }
        }
    }

    fn settings(&self, path: PathBuf) -> SourceSettings {
        let mut settings = settings(vec![path]);
        settings.delimiter = Some(self.delimiter);
        settings.encoding = matches!(self.coding, Coding::Windows1252).then(|| "windows-1252".to_owned());
        settings
    }

    /// The rows that are not blank, with their lines, counted in the plainest way.
    fn expected(&self) -> Vec<(u16, u32, Vec<String>)> {
        let (text, starts) = self.text();
        let line = |at: usize| text[..at].replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() + 1;
        starts
            .iter()
            .zip(&self.rows)
            .filter(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty()))
            .map(|(start, row)| (0, u32::try_from(line(*start)).unwrap(), row.clone()))
            .collect()
    }
}

/// Tables whose cells are made of all that is special to CSV, and characters of one to three bytes.
fn table() -> impl Strategy<Value = Table> {
    let cell = "[ab \"',;|\t\r\n\u{e9}\u{20ac}-]{0,6}";
    let coding = prop_oneof![
        Just(Coding::Utf8),
        Just(Coding::Utf8Mark),
        Just(Coding::Utf16Le),
        Just(Coding::Utf16Be),
        Just(Coding::Windows1252),
    ];
    let delimiter = prop_oneof![Just(b','), Just(b';'), Just(b'\t'), Just(b'|'), Just(b'\''), Just(0x1F)];
    let quotes = prop_oneof![Just(QuoteStyle::Necessary), Just(QuoteStyle::Always), Just(QuoteStyle::NonNumeric)];
    let terminator = prop_oneof![Just(Terminator::CRLF), Just(Terminator::Any(b'\n')), Just(Terminator::Any(b'\r'))];
    (1_usize..5, delimiter, quotes, terminator, coding).prop_flat_map(
        move |(width, delimiter, quotes, terminator, coding)| {
            // A single column whose name holds another delimiter is taken for a wrong delimiter, rightly so.
            let name = if width == 1 { "[ab\u{e9}]{0,3}" } else { cell };
            let names = prop::collection::vec(name, width);
            let rows = prop::collection::vec(prop::collection::vec(cell, width), 0..8);
            (names, rows).prop_map(move |(names, rows)| Table {
                names: names.into_iter().zip(0..).map(|(name, at)| format!("c{at}{name}x")).collect(),
                rows,
                delimiter,
                quotes,
                terminator,
                coding,
            })
        },
    )
}

fn read(folder: &TempDir, table: &Table, bytes: &[u8]) -> Result<(Vec<String>, Pass), SourceError> {
    let path = write(folder, "table.csv", bytes);
    let source = Source::open(&table.settings(path), folder.path())?;
    Ok((source.columns().names().to_vec(), pass(&source)?))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_read_back_as_it_was_written(table in table()) {
        let folder = TempDir::new().unwrap();
        let (text, _) = table.text();
        let (names, pass) = read(&folder, &table, &table.encode(&text)).unwrap();
        prop_assert_eq!(&names, &table.names);
        prop_assert_eq!(&pass.good, &table.expected());
        prop_assert_eq!(pass.bad, vec![]);
        prop_assert_eq!(pass.good.len() + usize::try_from(pass.blank).unwrap(), table.rows.len());
        prop_assert!(!pass.ends_without_newline);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_a_file_cut_anywhere_no_row_is_taken_for_another(table in table()) {
        let folder = TempDir::new().unwrap();
        let (text, starts) = table.text();
        let whole = table.encode(&text);
        let boundaries: Vec<usize> = starts.iter().map(|start| table.encode(&text[..*start]).len()).collect();
        let unit = if matches!(table.coding, Coding::Utf16Le | Coding::Utf16Be) { 2 } else { 1 };
        let expected = table.expected();
        for cut in 0..whole.len() {
            let Ok((names, pass)) = read(&folder, &table, &whole[..cut]) else { continue };
            // A file that is cut in its header has no rows, and other columns.
            if cut < boundaries[0] {
                prop_assert!(pass.good.is_empty());
                continue;
            }
            prop_assert_eq!(&names, &table.names);
            let said = !pass.bad.is_empty() || pass.ends_without_newline;
            let sure = pass.good.len() - usize::from(pass.ends_without_newline).min(pass.good.len());
            prop_assert_eq!(&pass.good[..sure], &expected[..sure], "cut at {}", cut);
            prop_assert!(pass.bad.len() <= 1);
            // A cut between CR and LF is a cut between two rows.
            let between = boundaries.contains(&cut)
                || (matches!(table.terminator, Terminator::CRLF) && boundaries.contains(&(cut + unit)));
            prop_assert_eq!(said, !between, "cut at {}", cut);
        }
    }
}
