//! How fast a source is read: `cargo bench --bench source`. Opening a workbook spools its rows, the pass reads them.

#![allow(clippy::unwrap_used, reason = "what cannot be measured fails by panicking")]

use divan::counter::ItemsCount;
use headcount::config::{Duplicates, SourceSettings};
use headcount::model::Record;
use headcount::source::Source;
use rust_xlsxwriter::Workbook;

const ROWS: u32 = 100_000;
const COLUMNS: u16 = 10;

fn main() {
    divan::main();
}

/// The count is of cells.
#[divan::bench(sample_count = 5)]
fn workbook_of_100_000_rows(bencher: divan::Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hr.xlsx");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for row in 0..=ROWS {
        for column in 0..COLUMNS {
            match column {
                _ if row == 0 => sheet.write_string(row, column, format!("column {column}")).unwrap(),
                0 | 7 => sheet.write_number(row, column, row).unwrap(),
                _ => sheet.write_string(row, column, format!("value {} of {column}", row % 5_000)).unwrap(),
            };
        }
    }
    book.save(&path).unwrap();
    let settings = SourceSettings {
        paths: vec![path],
        format: None,
        delimiter: None,
        encoding: None,
        sheet: None,
        header_row: 1,
        duplicates: Duplicates::Error,
        trailer: None,
        manifest: None,
    };
    let cells = ROWS as usize * usize::from(COLUMNS);
    bencher.counter(ItemsCount::new(cells)).bench_local(|| {
        let source = Source::open(&settings, folder.path()).unwrap();
        let mut rows = source.rows().unwrap();
        let mut record = Record::default();
        let mut seen = 0;
        while rows.next_into(&mut record).unwrap().is_some() {
            seen += 1;
        }
        assert_eq!(seen, ROWS);
    });
}
