//! Exports that are no plain text: workbooks, JSON Lines, packed files, and those that say how many rows they have.

use std::io::{Cursor, Write as _};

use rust_xlsxwriter::{ExcelDateTime, Format as Style, Formula, Workbook};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::tests::{Pass, pass, settings, write};
use super::*;
use crate::config::{Format, ManifestSettings, TrailerSettings};

pub(super) fn open_as(
    folder: &TempDir,
    name: &str,
    bytes: impl AsRef<[u8]>,
    set: impl Fn(&mut SourceSettings),
) -> Result<Source, SourceError> {
    let mut settings = settings(vec![write(folder, name, bytes)]);
    set(&mut settings);
    Source::open_with(&settings, &mut std::io::empty(), &folder.path().join("spool"))
}

pub(super) fn read_as(
    name: &str,
    bytes: impl AsRef<[u8]>,
    set: impl Fn(&mut SourceSettings),
) -> Result<Pass, SourceError> {
    let folder = TempDir::new().unwrap();
    pass(&open_as(&folder, name, bytes, set)?)
}

pub(super) fn fault_of(name: &str, bytes: impl AsRef<[u8]>) -> Fault {
    read_as(name, bytes, |_| {}).unwrap_err().fault
}

pub(super) fn rows(pass: &Pass) -> Vec<String> {
    pass.good.iter().map(|row| format!("{}: {}", row.1, row.2.join("|"))).collect()
}

/// A workbook of one sheet of texts.
pub(super) fn workbook(table: &[&[&str]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, cells) in (0..).zip(table) {
        for (column, cell) in (0..).zip(*cells) {
            sheet.write_string(row, column, *cell).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(Cursor::new(bytes), ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn a_workbook_gives_what_people_see_in_it() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0..).zip(["id", "number", "joined", "at", "sum", "active", "note"]) {
        sheet.write_string(0, column, name).unwrap();
    }
    let style = |code: &str| Style::new().set_num_format(code);
    let date = ExcelDateTime::from_ymd(2024, 3, 1).unwrap();
    sheet.write_string(1, 0, "00123").unwrap();
    sheet.write_number_with_format(1, 1, 456, &style("00000")).unwrap();
    sheet.write_datetime_with_format(1, 2, &date, &style("d-mmm-yy")).unwrap();
    let at = ExcelDateTime::from_ymd(2024, 3, 1).unwrap().and_hms(8, 30, 0).unwrap();
    sheet.write_datetime_with_format(1, 3, &at, &style("dd.mm.yyyy hh:mm")).unwrap();
    sheet.write_formula(1, 4, Formula::new("=40+2").set_result("42")).unwrap();
    sheet.write_boolean(1, 5, true).unwrap();
    sheet.write_string(1, 6, "two\nlines, \"quoted\"").unwrap();
    sheet.write_number(4, 0, 124).unwrap();
    sheet.write_number(4, 1, 1.5).unwrap();
    sheet.write_blank(6, 0, &style("0")).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let pass = read_as("hr.xlsx", &bytes, |_| {}).unwrap();
    assert_eq!(
        rows(&pass),
        ["2: 00123|00456|2024-03-01|2024-03-01T08:30:00|42|TRUE|two\nlines, \"quoted\"", "5: 124|1.5|||||"]
    );
    assert_eq!((pass.blank, pass.ends_without_newline), (1, false));
    assert_eq!((pass.digests[0].rows, pass.digests[0].digest.as_str()), (2, &blake3::hash(&bytes).to_hex()[..32]));
}

#[test]
fn the_calendar_of_1904_is_heeded() {
    let mut bytes = {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "joined").unwrap();
        sheet.write_number_with_format(1, 0, 43_890, &Style::new().set_num_format("yyyy-mm-dd")).unwrap();
        book.save_to_buffer().unwrap()
    };
    assert_eq!(rows(&read_as("hr.xlsx", &bytes, |_| {}).unwrap()), ["2: 2020-02-29"]);
    bytes = with_entry(&bytes, "xl/workbook.xml", |xml| xml.replace("<workbookPr ", "<workbookPr date1904=\"1\" "));
    assert_eq!(rows(&read_as("hr.xlsx", &bytes, |_| {}).unwrap()), ["2: 2024-03-01"]);
}

/// The archive with one entry changed.
pub(super) fn with_entry(bytes: &[u8], name: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..from.len() {
        let mut entry = from.by_index(at).unwrap();
        let mut content = String::new();
        std::io::Read::read_to_string(&mut entry, &mut content).unwrap();
        let own = entry.name().unwrap().into_owned();
        if own == name {
            let changed = change(content.clone());
            assert_ne!(changed, content);
            content = changed;
        }
        to.start_file(own, SimpleFileOptions::default()).unwrap();
        to.write_all(content.as_bytes()).unwrap();
    }
    to.finish().unwrap().into_inner()
}

#[test]
fn a_cell_with_an_error_makes_its_row_bad_and_names_its_place() {
    let bytes = workbook(&[&["id", "team"], &["1", "wrong"], &["2", "Sales"]]);
    let bytes = with_entry(&bytes, "xl/worksheets/sheet1.xml", |xml| {
        let at = xml.find("<c r=\"B2\"").unwrap();
        let end = at + xml[at..].find("</c>").unwrap() + 4;
        format!("{}<c r=\"B2\" t=\"e\"><f>VLOOKUP(1,A:A,1)</f><v>#N/A</v></c>{}", &xml[..at], &xml[end..])
    });
    let folder = TempDir::new().unwrap();
    let source = open_as(&folder, "hr.xlsx", &bytes, |_| {}).unwrap();
    let pass = pass(&source).unwrap();
    assert_eq!(pass.bad, [(2, "cell B2 (team) holds #N/A".to_owned())]);
    assert_eq!(rows(&pass), ["3: 2|Sales"]);
    let (mut first, mut record) = (source.rows().unwrap(), crate::model::Record::default());
    first.next_into(&mut record).unwrap();
    assert_eq!(record.cells().collect::<Vec<_>>(), ["1", ""], "the other cells can be told");
}

#[test]
fn the_sheet_is_the_one_that_is_asked_for_or_the_only_one() {
    let mut book = Workbook::new();
    for name in ["Notes", "Employees", "Old"] {
        let sheet = book.add_worksheet();
        sheet.set_name(name).unwrap().write_string(0, 0, name).unwrap().write_string(1, 0, "x").unwrap();
        if name == "Old" {
            sheet.set_hidden(true);
        }
    }
    let bytes = book.save_to_buffer().unwrap();
    let named = |name: &str| read_as("hr.xlsx", &bytes, |s| s.sheet = Some(name.to_owned()));
    assert_eq!(named("Employees").unwrap().good.len(), 1);
    assert_eq!(named("Old").unwrap().good.len(), 1);
    let error = named("employes").unwrap_err();
    let message = "hr.xlsx: there is no sheet \"employes\"; there is \"Notes\", \"Employees\", \"Old\"";
    assert!(error.to_string().ends_with(message), "{error}");
    assert!(error.hint().unwrap().contains("Employees"));
    let several = Fault::WhichSheet { sheets: vec!["Notes".into(), "Employees".into()] };
    assert_eq!(fault_of("hr.xlsx", &bytes), several, "none is guessed");
}

#[test]
fn the_header_of_a_sheet_stands_where_it_is_said_to_be() {
    let bytes = workbook(&[&["HR export", "", "2026"], &[], &["", ""], &[" id ", "name"], &["1", "Ana"]]);
    let pass = read_as("hr.xlsx", &bytes, |s| s.header_row = 2).unwrap();
    assert_eq!(rows(&pass), ["5: 1|Ana"]);
    assert_eq!(fault_of("hr.xlsx", &bytes), Fault::UnnamedColumns(vec![2]));
    let below = read_as("hr.xlsx", &bytes, |s| s.header_row = 9).unwrap_err();
    assert_eq!(below.fault, Fault::NoHeader { header_row: 9 });
    assert_eq!(fault_of("hr.xlsx", workbook(&[])), Fault::Empty);
    let twice = read_as("hr.xlsx", workbook(&[&["id", "id"]]), |_| {}).unwrap_err();
    assert_eq!((twice.line, twice.fault), (Some(1), Fault::DuplicateColumn { name: "id".into(), columns: vec![1, 2] }));
}

#[test]
fn merged_cells_are_refused_in_the_header_and_spoil_the_rows_that_have_them() {
    let style = Style::new();
    let book = |first: u32, last: u32| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for row in 0..6 {
            sheet.write_string(row, 0, format!("a{row}")).unwrap().write_string(row, 1, format!("b{row}")).unwrap();
        }
        sheet.merge_range(first, 1, last, 2, "both", &style).unwrap();
        book.save_to_buffer().unwrap()
    };
    let error = read_as("hr.xlsx", book(0, 0), |_| {}).unwrap_err();
    assert_eq!((error.line, error.fault), (Some(1), Fault::MergedHeader { cells: "B1:C1".into() }));
    let pass = read_as("hr.xlsx", book(2, 3), |_| {}).unwrap();
    assert_eq!(rows(&pass), ["2: a1|b1", "5: a4|b4", "6: a5|b5"]);
    let message = "the row has merged cells (B3:C4): only one has a value".to_owned();
    assert_eq!(pass.bad, [(3, message.clone()), (4, message)]);
}

#[test]
fn a_cell_beside_the_table_makes_its_row_bad() {
    let pass = read_as("hr.xlsx", workbook(&[&["id", "name"], &["1", "Ana", "", "left?"], &["2", "Bo", " "]]), |_| {});
    let pass = pass.unwrap();
    assert_eq!(pass.bad, [(2, "cell D2 is to the right of the last column that has a name".to_owned())]);
    assert_eq!(rows(&pass), ["3: 2|Bo"]);
}

#[test]
fn what_calls_itself_a_workbook_and_is_none_is_refused() {
    assert_eq!(fault_of("hr.xlsx", "id,name\n1,Ana\n"), Fault::NoWorkbook("text, such as CSV"));
    assert_eq!(fault_of("hr.ods", ""), Fault::Empty);
    let by_setting = read_as("hr.csv", "id\n", |s| s.format = Some(Format::Xlsx)).unwrap_err();
    assert!(by_setting.hint().unwrap().contains("source.format = \"csv\""));
    let bytes = workbook(&[&["id"], &["1"]]);
    assert_eq!(fault_of("hr.csv", &bytes), Fault::Binary(Looks::Zip));
    assert!(matches!(fault_of("hr.ods", &bytes), Fault::Workbook(_)));
    assert!(matches!(fault_of("hr.xlsx", &bytes[..bytes.len() - 30]), Fault::Workbook(_)));
}

#[test]
fn json_lines_have_the_columns_of_all_their_objects() {
    let text = "{\"id\":\"00123\",\"name\":{\"given\":\"Ana\"},\"n\":1.50}\n\n{\"team\":null,\"id\":\"2\",\"skills\":[\"a\",\"b\"]}\r\n{\"id\":\"\"}\n{\"team\":\"Ops\",\"id\":\"3\"}";
    for name in ["hr.jsonl", "hr.ndjson"] {
        let folder = TempDir::new().unwrap();
        let source = open_as(&folder, name, text, |_| {}).unwrap();
        assert_eq!(source.columns().names(), ["id", "name.given", "n", "team", "skills"]);
        let pass = pass(&source).unwrap();
        assert_eq!(rows(&pass), ["1: 00123|Ana|1.50||", "3: 2||||[\"a\",\"b\"]", "5: 3|||Ops|"]);
        assert_eq!((pass.blank, pass.ends_without_newline), (1, false), "an object that ends is whole");
        assert_eq!(pass.digests[0].digest, blake3::hash(text.as_bytes()).to_hex()[..32]);
    }
}

#[test]
fn a_line_that_is_no_object_is_a_bad_row_and_a_cut_one_says_so() {
    let pass = read_as("hr.jsonl", "{\"id\":1}\nnonsense\n{\"id\":2}\n{\"id\":\"", |_| {}).unwrap();
    assert_eq!(rows(&pass), ["1: 1", "3: 2"]);
    assert_eq!(pass.bad.iter().map(|bad| bad.0).collect::<Vec<_>>(), [2, 4]);
    assert!(pass.bad[1].1.contains("cut short"), "{}", pass.bad[1].1);
    assert!(pass.digests[0].ends_within_row);
    assert!(!read_as("hr.jsonl", "{\"id\":1}\nnonsense\n", |_| {}).unwrap().digests[0].ends_within_row);
}

#[test]
fn json_that_is_no_json_lines_is_refused() {
    assert_eq!(fault_of("hr.jsonl", "[{\"id\":1}]"), Fault::JsonArray);
    assert_eq!(fault_of("hr.jsonl", "id,name\n1,Ana\n"), Fault::NoObjects);
    assert_eq!(fault_of("hr.jsonl", "\n \n"), Fault::Empty);
    assert_eq!(fault_of("hr.json", "[]"), Fault::Format("json".into()));
    let error = read_as("hr.jsonl", b"{\"id\":1}\n{\"id\":\"Jos\xE9\"}\n", |_| {}).unwrap_err();
    assert_eq!((error.line, error.byte), (Some(2), Some(19)));
    let latin = read_as("hr.jsonl", b"{\"id\":\"Jos\xE9\"}\n", |s| s.encoding = Some("windows-1252".into()));
    assert_eq!(rows(&latin.unwrap()), ["1: José"]);
}

#[test]
fn packed_files_of_every_format_are_read_by_name_and_by_content() {
    let csv = b"id,name\n1,\"A\nna\"\n2,Bo\n";
    let book = workbook(&[&["id", "name"], &["1", "Ana"]]);
    for pack in [gzip, zstd] {
        let packed = pack(csv);
        for name in ["hr.csv.gz", "hr.csv.zst", "hr.csv", "hr"] {
            let found = read_as(name, &packed, |_| {}).unwrap();
            assert_eq!(rows(&found), ["2: 1|A\nna", "4: 2|Bo"], "{name}");
            assert_eq!(found.digests[0].digest, blake3::hash(&packed).to_hex()[..32]);
        }
        assert_eq!(rows(&read_as("hr.xlsx.gz", pack(&book), |_| {}).unwrap()), ["2: 1|Ana"]);
        assert_eq!(rows(&read_as("hr.jsonl.gz", pack(b"{\"id\":7}"), |_| {}).unwrap()), ["1: 7"]);
        assert_eq!(rows(&read_as("hr.tsv.gz", pack(b"id\tn\n1\tb\n"), |_| {}).unwrap()), ["2: 1|b"]);
    }
    assert_eq!(fault_of("hr.csv.gz", csv), Fault::NotPacked { packing: "gzip" });
    assert_eq!(fault_of("hr.csv.zst", ""), Fault::Empty);
    let packed = gzip(csv);
    let cut = read_as("hr.csv.gz", &packed[..packed.len() - 9], |_| {}).unwrap_err();
    assert_eq!(cut.byte, Some(packed.len() as u64 - 9));
    assert!(cut.to_string().contains("cut short"), "{cut}");
}

#[test]
fn standard_input_may_be_packed_or_a_workbook() {
    let folder = TempDir::new().unwrap();
    let stdin = |bytes: Vec<u8>, format| {
        let mut settings = settings(vec![PathBuf::from("-")]);
        settings.format = format;
        pass(&Source::open_with(&settings, &mut bytes.as_slice(), folder.path()).unwrap()).unwrap()
    };
    assert_eq!(rows(&stdin(gzip(b"id\n1\n"), None)), ["2: 1"]);
    assert_eq!(rows(&stdin(workbook(&[&["id"], &["1"]]), Some(Format::Xlsx))), ["2: 1"]);
}

#[test]
fn what_is_written_on_the_way_is_private_and_goes_with_the_source() {
    let folder = TempDir::new().unwrap();
    let source = open_as(&folder, "hr.jsonl.gz", gzip(b"{\"id\":1}\n"), |_| {}).unwrap();
    let spool = folder.path().join("spool");
    let files: Vec<_> = std::fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 2);
    #[cfg(unix)]
    for file in &files {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let rows = source.rows().unwrap();
    drop(source);
    assert!(std::fs::read_dir(&spool).unwrap().count() > 0, "the pass still reads it");
    drop(rows);
    assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0);
}

fn trailer(count: usize) -> impl Fn(&mut SourceSettings) {
    move |settings| settings.trailer = Some(TrailerSettings { mark: "TRAILER".into(), count })
}

#[test]
fn a_trailer_counts_the_rows_before_it() {
    let whole = "id,name,team\n1,Ana,x\n\n2,Bo,y\n3,short\nTRAILER,0003";
    let found = read_as("hr.csv", whole, trailer(2)).unwrap();
    assert_eq!((rows(&found), found.bad.len()), (vec!["2: 1|Ana|x".to_owned(), "4: 2|Bo|y".to_owned()], 1));
    assert_eq!((found.digests[0].rows, found.ends_without_newline), (3, false));
    let book = workbook(&[&["id", "name"], &["1", "Ana"], &["TRAILER", "1"]]);
    assert_eq!(rows(&read_as("hr.xlsx", book, trailer(2)).unwrap()), ["2: 1|Ana"]);
    for (text, expected) in [
        ("id,name\n1,Ana\n", Fault::NoTrailer { mark: "TRAILER".into() }),
        ("id,name\n1,Ana\nTRAILER,2\n", Fault::Count { by: "the trailer".into(), said: 2, found: 1 }),
        ("id,name\n1,Ana\nTRAILER,1\n2,Bo\n", Fault::AfterTrailer),
        ("id,name\n1,Ana\nTRAILER,\n", Fault::TrailerWithoutCount { cell: 2 }),
    ] {
        assert_eq!(read_as("hr.csv", text, trailer(2)).unwrap_err().fault, expected, "{text}");
    }
    assert_eq!(read_as("hr.jsonl", "{\"id\":1}", trailer(2)).unwrap_err().fault, Fault::TrailerOfJson);
}

#[test]
fn a_manifest_counts_the_rows_of_all_files() {
    let folder = TempDir::new().unwrap();
    let files = vec![write(&folder, "a.csv", "id\n1\n2\n"), write(&folder, "b.csv", "id\n3\n")];
    let counted = |text: &str| {
        let mut settings = settings(files.clone());
        let path = write(&folder, "hr.manifest", text);
        settings.manifest = Some(ManifestSettings { path, count: "rows".into() });
        Source::open_with(&settings, &mut std::io::empty(), folder.path()).and_then(|source| pass(&source))
    };
    assert_eq!(counted("{\"rows\":3}").unwrap().good.len(), 3);
    let error = counted("4").unwrap_err();
    assert!(matches!(&error.fault, Fault::Count { said: 4, found: 3, .. }), "{error}");
    assert!(error.to_string().contains("hr.manifest says 4 rows, but there are 3"), "{error}");
    assert!(matches!(counted("none").unwrap_err().fault, Fault::NoCount { .. }));
}

#[test]
fn columns_that_headcount_added_are_no_part_of_a_source() {
    let folder = TempDir::new().unwrap();
    let mended = "headcount_line,id,headcount_error,name,headcount_hint\n17,1,\"not, so\",Ana,mend it\n18,,bad,,\n";
    let files = vec![write(&folder, "hr.csv", "id,name\n2,Bo\n"), write(&folder, "mended.csv", mended)];
    let source = Source::open_with(&settings(files), &mut std::io::empty(), folder.path()).unwrap();
    assert_eq!(source.columns().names(), ["id", "name"]);
    let pass = pass(&source).unwrap();
    assert_eq!(rows(&pass), ["2: 2|Bo", "2: 1|Ana"]);
    assert_eq!(pass.blank, 1, "a row that has nothing but them is blank");
    assert_eq!(fault_of("only.csv", "headcount_line,headcount_error\n1,x\n"), Fault::Empty);
}
