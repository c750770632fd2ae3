//! Dirty inputs, one by one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::config::{Duplicates, Format};
use crate::model::Record;

/// What a pass over all rows gave.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pass {
    /// File, line and cells.
    pub good: Vec<(u16, u32, Vec<String>)>,
    pub bad: Vec<(u32, String)>,
    pub blank: u64,
    pub digests: Vec<FileDigest>,
    pub ends_without_newline: bool,
}

impl Pass {
    fn lines(&self) -> Vec<u32> {
        self.good.iter().map(|row| row.1).collect()
    }

    fn cells(&self) -> Vec<String> {
        self.good.iter().map(|row| row.2.join("|")).collect()
    }
}

pub(super) fn settings(paths: Vec<PathBuf>) -> SourceSettings {
    SourceSettings {
        paths,
        format: None,
        delimiter: None,
        encoding: None,
        sheet: None,
        header_row: 1,
        duplicates: Duplicates::Error,
        trailer: None,
        manifest: None,
    }
}

pub(super) fn pass(source: &Source) -> Result<Pass, SourceError> {
    let mut rows = source.rows()?;
    let mut record = Record::default();
    let mut pass = Pass::default();
    while let Some(shape) = rows.next_into(&mut record)? {
        match shape {
            RowShape::Good => {
                pass.good.push((record.place.file, record.place.line, record.cells().map(str::to_owned).collect()))
            }
            RowShape::Bad(problem) => {
                assert!(record.is_empty() || problem.fault == RowFault::Cells);
                assert_eq!(record.place, problem.place);
                pass.bad.push((problem.place.line, problem.message));
            }
        }
    }
    assert_eq!(rows.next_into(&mut record).unwrap(), None);
    pass.blank = rows.blank_rows();
    pass.digests = rows.digests();
    pass.ends_without_newline = rows.ends_without_newline();
    Ok(pass)
}

pub(super) fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Reads one file of these bytes, with settings changed by `set`.
fn read_as(name: &str, bytes: impl AsRef<[u8]>, set: impl Fn(&mut SourceSettings)) -> Result<Pass, SourceError> {
    let folder = TempDir::new().unwrap();
    let mut settings = settings(vec![write(&folder, name, bytes)]);
    set(&mut settings);
    pass(&Source::open_with(&settings, &mut std::io::empty(), folder.path())?)
}

fn read(bytes: impl AsRef<[u8]>) -> Result<Pass, SourceError> {
    read_as("hr.csv", bytes, |_| {})
}

fn fault(bytes: impl AsRef<[u8]>) -> Fault {
    read(bytes).unwrap_err().fault
}

#[test]
fn a_plain_file_gives_its_rows_with_their_lines() {
    let pass = read("id,name\n1,Ana\n2,\"Bo, Li\"\n").unwrap();
    assert_eq!(pass.cells(), ["1|Ana", "2|Bo, Li"]);
    assert_eq!(pass.lines(), [2, 3]);
    assert_eq!((pass.digests[0].rows, pass.ends_without_newline), (2, false));
    assert_eq!(pass.digests[0].digest, blake3::hash(b"id,name\n1,Ana\n2,\"Bo, Li\"\n").to_hex()[..32]);
}

#[test]
fn lines_count_through_embedded_line_breaks_blank_lines_and_every_line_ending() {
    for (text, expected) in [
        ("id,name\r\n1,Ana\r\n2,Bo\r\n", vec![2, 3]),
        ("id,name\r\n1,\"A\r\nna\"\r\n2,Bo\r\n", vec![2, 4]),
        ("id,name\n\n\n1,\"A\n\n\nna\"\n\n2,Bo", vec![4, 9]),
        ("id,name\r1,Ana\r\r2,\"B\ro\"\r3,Cy", vec![2, 4, 6]),
        ("\n\nid,name\n1,Ana\n", vec![4]),
        ("\"i\nd\",name\r\n\r\n1,Ana\r\n", vec![4]),
        ("id,name\n\"\n1\",Ana\n2,Bo\n", vec![2, 4]),
        ("id,name\n,\n1,Ana\n", vec![3]),
    ] {
        assert_eq!(read(text).unwrap().lines(), expected, "{text:?}");
    }
}

#[test]
fn the_header_may_stand_further_down() {
    let header_row = |row| move |s: &mut SourceSettings| s.header_row = row;
    let text = "Staff \"report\r\nof today;;\r\n\r\nid,name\r\n1,Ana\r\n";
    for row in [3, 4] {
        let pass = read_as("hr.csv", text, header_row(row)).unwrap();
        assert_eq!((pass.cells(), pass.lines()), (vec!["1|Ana".to_owned()], vec![5]), "{row}");
    }
    for text in ["id,name", "id,name\n1,Ana\n", "id,name\n\n\n"] {
        assert_eq!(read_as("hr.csv", text, header_row(9)).unwrap_err().fault, Fault::NoHeader { header_row: 9 });
    }
    assert_eq!(read_as("hr.csv", "", header_row(9)).unwrap_err().fault, Fault::Empty);
}

#[test]
fn names_are_trimmed_and_a_byte_order_mark_is_no_part_of_them() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "hr.csv", "\u{FEFF}\"id\" , name\t\n1,Ana\n");
    let error = Source::open(&settings(vec![path.clone()]), folder.path()).err().unwrap();
    assert_eq!(error.fault, Fault::HeaderQuotes);
    std::fs::write(&path, "\u{FEFF}\"id\", name\t\n1,Ana\n").unwrap();
    let open = || Source::open(&settings(vec![path.clone()]), folder.path());
    assert_eq!(open().unwrap().columns().names(), ["id", "name"]);
    std::fs::write(&path, "\u{FEFF}\u{FEFF}id,name\n").unwrap();
    assert_eq!(open().unwrap().columns().names(), ["id", "name"]);
    std::fs::write(&path, "\u{FEFF}\u{FEFF}").unwrap();
    assert_eq!(open().err().unwrap().fault, Fault::UnnamedColumns(vec![1]));
}

#[test]
fn an_empty_file_is_an_error_and_a_header_alone_is_not() {
    for text in ["", "\u{FEFF}", "\n\r\n\n"] {
        assert_eq!(fault(text), Fault::Empty, "{text:?}");
    }
    for text in ["id,name", "id,name\n", "id,name\r\n\r\n"] {
        let pass = read(text).unwrap();
        assert_eq!((pass.good.len(), pass.digests[0].rows, pass.ends_without_newline), (0, 0, false), "{text:?}");
    }
}

#[test]
fn a_header_with_a_name_missing_or_doubled_is_an_error_that_names_the_columns() {
    assert_eq!(fault("id,,name, \n"), Fault::UnnamedColumns(vec![2, 4]));
    let double = fault("id,name,mail,name\n");
    assert_eq!(double, Fault::DuplicateColumn { name: "name".into(), columns: vec![2, 4] });
    assert_eq!(double.to_string(), "the name \"name\" is in the header twice: columns 2 and 4");
    assert_eq!(fault("id,\"name\n1,Ana\n"), Fault::HeaderQuotes);
}

#[test]
fn a_row_of_the_wrong_shape_is_bad_and_the_others_go_on() {
    let pass = read("id,name,mail\n1,Ana\n2,Bo,b@x\n3,Cy,c@x,d@x\n4,Di,d@x\n").unwrap();
    assert_eq!(pass.cells(), ["2|Bo|b@x", "4|Di|d@x"]);
    assert_eq!(
        pass.bad,
        [
            (2, "the row has 2 cells instead of 3".to_owned()),
            (4, "the row has 4 cells instead of 3: a cell that holds the delimiter \",\" must be in quotes".to_owned()),
        ]
    );
    assert_eq!(pass.digests[0].rows, 4);
}

#[test]
fn rows_of_blank_cells_are_skipped_and_counted_whatever_their_number() {
    let pass = read("id,name,mail\n1,Ana,a@x\n,,\n , ,\n,,,,,,\n\"\",\"\",\"\"\n2,,\n").unwrap();
    assert_eq!((pass.good.len(), pass.blank, pass.bad.len()), (2, 4, 0));
    assert_eq!(pass.digests[0].rows, 2);
}

#[test]
fn a_file_that_ends_inside_a_quoted_cell_has_a_bad_last_row() {
    let pass = read("id,name\n1,Ana\n2,\"Bo\n\n3,Cy\n").unwrap();
    assert_eq!(pass.cells(), ["1|Ana"]);
    let message = "the file ends inside a quoted cell that began on line 3: it may have been cut short";
    assert_eq!(pass.bad, [(3, message.to_owned())]);
    let pass = read("id,name\n\"1\n\",\"Bo").unwrap();
    assert_eq!(pass.bad, [(2, message.to_owned())], "the cell began a line after its row");
    assert!(read("id,name\n1,\"\"\"\"").unwrap().bad.is_empty());
    assert_eq!(read("id,name\n1,\"a\"\"").unwrap().bad.len(), 1);
    assert_eq!(read("id,name\n1,Ana\n,\"").unwrap().bad.len(), 1, "blank so far is not blank");
}

#[test]
fn a_quote_that_swallows_the_next_row_makes_its_row_bad() {
    let pass = read("id,name\n1,\"Ana\n2,\"Bo\"\n3,Cy\n").unwrap();
    assert_eq!(pass.cells(), ["3|Cy"]);
    assert_eq!(pass.bad.len(), 1);
    assert_eq!(pass.bad[0].0, 2);
    assert!(pass.bad[0].1.contains("closing quote on line 3") && pass.bad[0].1.contains("reaches to line 3"));
}

#[test]
fn a_quote_inside_an_unquoted_cell_is_text() {
    assert_eq!(read("id,name\n1,the \"boss\"\n2,5\"\n").unwrap().cells(), ["1|the \"boss\"", "2|5\""]);
}

#[test]
fn a_missing_line_break_at_the_end_is_noted() {
    assert!(read("id,name\n1,Ana").unwrap().ends_without_newline);
    assert!(read("id,name\n1,Ana\n,").unwrap().ends_without_newline);
    assert!(!read("id,name\n1,Ana\r").unwrap().ends_without_newline);
    let pass = read("id,name,mail\n1,Ana").unwrap();
    assert!(pass.bad[0].1.ends_with("it may have been cut short"), "{}", pass.bad[0].1);
}

#[test]
fn a_wrong_encoding_is_an_error_with_offset_line_and_what_to_do() {
    let error = read(b"id,name\n1,Ana\n2,Jos\xE9\n").unwrap_err();
    assert_eq!((error.line, error.byte), (Some(3), Some(19)));
    assert!(error.to_string().ends_with("hr.csv:3: the bytes E9 are not UTF-8 (at byte 19)"), "{error}");
    assert!(error.hint().unwrap().contains("'é'") && error.hint().unwrap().contains("windows-1252"));

    let with_mark = read(b"\xEF\xBB\xBFid,name\n1,\"A\nn\xFFa\"\n").unwrap_err();
    assert_eq!((with_mark.line, with_mark.byte), (Some(3), Some(17)));

    let split = read(b"id,name\n\xC3,\xA9\n").unwrap_err();
    assert_eq!((split.line, split.byte), (Some(2), Some(8)), "two halves of a character in two cells");

    let cut = read(b"id,name\n1,Jos\xC3").unwrap_err();
    assert!(matches!(cut.fault, Fault::Encoding { at_end: true, .. }), "{cut}");
    assert!(matches!(fault(b"id,n\xE9me\n"), Fault::Encoding { windows_1252: Some('é'), .. }));
}

#[test]
fn a_malformed_place_in_decoded_text_is_told_by_line_and_offset() {
    let mut bytes: Vec<u8> = b"\xFF\xFE".to_vec();
    bytes.extend("id,name\n1,\"A\nna\"\n2,\"B\n".encode_utf16().flat_map(u16::to_le_bytes));
    let at = bytes.len() as u64;
    bytes.extend(b"\x00\xDC\n\0");
    let error = read(bytes).unwrap_err();
    assert_eq!((error.line, error.byte), (Some(5), Some(at)));
}

#[test]
fn encodings_are_read_as_their_labels_say() {
    let as_label = |label: &'static str| move |s: &mut SourceSettings| s.encoding = Some(label.into());
    let cells = read_as("hr.csv", b"id;name\n1;Jos\xE9 \x80\n", |s| {
        s.encoding = Some("windows-1252".into());
        s.delimiter = Some(b';');
    });
    assert_eq!(cells.unwrap().cells(), ["1|José €"]);
    let utf16: Vec<u8> = "id,name\n1,José\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read_as("hr.csv", &utf16, as_label("utf-16be")).unwrap().cells(), ["1|José"]);
    assert_eq!(fault(&utf16), Fault::Binary(Looks::Utf16Be));
    let unknown = read_as("hr.csv", "id\n", as_label("windows1252")).unwrap_err();
    assert!(unknown.to_string().ends_with("did you mean \"windows-1252\"?"), "{unknown}");
}

#[test]
fn binary_is_told_from_text() {
    assert_eq!(fault(b"PK\x03\x04\x14\0\x06\0"), Fault::Binary(Looks::Zip));
    let mut late = b"id,name\n".to_vec();
    for _ in 0..2000 {
        late.extend(b"1,Ana Maria\n");
    }
    let at = late.len() as u64 + 2;
    late.extend(b"2,\0\0\0");
    let error = read(late).unwrap_err();
    assert_eq!((error.line, error.byte, error.fault), (Some(2002), Some(at), Fault::Binary(Looks::Nul)));
}

#[test]
fn a_wrong_delimiter_says_what_it_looks_like() {
    assert_eq!(fault("id;name;mail\n1;Ana;a@x\n"), Fault::LooksDelimited(b';'));
    assert_eq!(
        fault("\u{FEFF}\"id\";\"name\"\r\n").to_string(),
        "the file looks delimited by \";\": set source.delimiter = \";\""
    );
    assert_eq!(read_as("hr.tsv", "id,name\n1,Ana\n", |_| {}).unwrap_err().fault, Fault::LooksDelimited(b','));
    assert_eq!(read("id\n1\n2\n").unwrap().good.len(), 2);
}

#[test]
fn the_delimiter_comes_from_the_settings_or_the_format_or_the_name() {
    assert_eq!(read_as("hr.TSV", "id\tname\n1\tA,b\n", |_| {}).unwrap().cells(), ["1|A,b"]);
    assert_eq!(read_as("hr.txt", "id\tname\n1\tA\n", |s| s.format = Some(Format::Tsv)).unwrap().cells(), ["1|A"]);
    assert_eq!(read_as("hr.tsv", "id\x1Fname\n1\x1FA\n", |s| s.delimiter = Some(0x1F)).unwrap().cells(), ["1|A"]);
    for delimiter in [b'"', b'\n', 0, 0xA7] {
        let refused = read_as("hr.csv", "id\n", |s| s.delimiter = Some(delimiter)).unwrap_err();
        assert_eq!(refused.fault, Fault::Delimiter(delimiter));
    }
}

#[test]
fn a_format_that_cannot_be_read_is_named() {
    for (name, message) in [
        ("hr.xls", "format \"xls\" cannot be read by this version; save it as xlsx, or export the sheet as CSV"),
        ("hr.csv.zip", "format \"zip\" cannot be read by this version; unpack it first"),
    ] {
        assert_eq!(read_as(name, "id\n", |_| {}).unwrap_err().fault.to_string(), message);
    }
}

#[test]
fn a_row_that_never_ends_is_an_error_that_names_its_quote() {
    let mut text = "id,name\n1,Ana\n2,\n\n3,x,\"Bo\n".to_owned();
    while text.len() < 3 << 20 {
        text.push_str("4,Cy\n");
    }
    let error = read(&text).unwrap_err();
    assert_eq!((error.line, error.byte), (Some(5), Some(18)));
    assert_eq!(error.fault, Fault::RowTooLong { quote: Some(5) });
    assert!(error.hint().unwrap().contains("line 5"));
    let no_quote = format!("id,name\n1,{}\n", "x".repeat(1 << 20));
    assert_eq!(fault(&no_quote), Fault::RowTooLong { quote: None });
    let just = format!("id,name\n1,{}\n", "x".repeat((1 << 20) - 3));
    assert_eq!(read(&just).unwrap().good.len(), 1, "a row of exactly the bound is a row");
}

#[test]
fn after_an_error_the_same_error_follows() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "hr.csv", b"id,name\n1,\xFF\n2,Bo\n");
    let source = Source::open(&settings(vec![path]), folder.path()).unwrap();
    let mut rows = source.rows().unwrap();
    let mut record = Record::default();
    let first = rows.next_into(&mut record).unwrap_err();
    assert_eq!(rows.next_into(&mut record).unwrap_err(), first);
    assert!(rows.digests().is_empty());

    let other = write(&folder, "other.csv", "id,name\n3,Cy\n");
    let path = write(&folder, "hr.csv", "id,name\n2,Bo\n");
    let source = Source::open(&settings(vec![path, other.clone()]), folder.path()).unwrap();
    let mut rows = source.rows().unwrap();
    std::fs::remove_file(other).unwrap();
    assert_eq!(rows.next_into(&mut record).unwrap(), Some(RowShape::Good));
    let first = rows.next_into(&mut record).unwrap_err();
    assert!(matches!(first.fault, Fault::Missing { .. }) && first.file.ends_with("other.csv"), "{first}");
    assert_eq!(rows.next_into(&mut record).unwrap_err(), first);
    assert_eq!(rows.digests().len(), 1);
}

#[test]
fn a_missing_file_suggests_the_one_that_is_there() {
    let folder = TempDir::new().unwrap();
    write(&folder, "hr_export.csv", "id\n");
    let open = |path: PathBuf| Source::open(&settings(vec![path]), folder.path()).err().unwrap();
    let slip = open(folder.path().join("hr_exprot.csv"));
    assert!(slip.to_string().ends_with("hr_exprot.csv: there is no such file"), "{slip}");
    assert!(slip.hint().unwrap().ends_with("hr_export.csv?"));
    let elsewhere = open(folder.path().join("nowhere/hr.csv"));
    assert!(elsewhere.hint().unwrap().contains("there is no folder"));
    assert_eq!(open(folder.path().to_owned()).fault, Fault::Folder);
    let none = Source::open(&settings(vec![]), folder.path()).err().unwrap();
    assert_eq!(none.fault, Fault::NoFiles);
}

#[test]
fn a_file_that_may_not_be_read_is_told_from_a_missing_one() {
    let error = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    assert_eq!(Fault::io("opening", &error), Fault::Denied);
}

#[test]
fn several_files_give_one_stream_in_the_first_ones_order() {
    let folder = TempDir::new().unwrap();
    let a = write(&folder, "a.csv", "id,name\n1,Ana\n");
    let b = write(&folder, "b.tsv", "name\tid\r\nBo\t2\r\nCy\t3");
    let source = Source::open(&settings(vec![a.clone(), b.clone()]), folder.path()).unwrap();
    let pass = pass(&source).unwrap();
    assert_eq!(pass.cells(), ["1|Ana", "2|Bo", "3|Cy"]);
    assert_eq!(pass.good.iter().map(|r| (r.0, r.1)).collect::<Vec<_>>(), [(0, 2), (1, 2), (1, 3)]);
    assert_eq!(pass.digests.iter().map(|d| d.rows).collect::<Vec<_>>(), [1, 2]);
    assert!(pass.ends_without_newline);
    assert_eq!(source.files()[1].short, "b.tsv");

    let open = || Source::open(&settings(vec![a.clone(), b.clone()]), folder.path()).err().unwrap();
    std::fs::write(&b, "name\tid\tmail\n").unwrap();
    assert!(open().fault.to_string().ends_with("a.csv; not expected: \"mail\""));
    std::fs::write(&b, "name\tident\tmail\n").unwrap();
    let error = open();
    assert!(error.file.ends_with("b.tsv"));
    let message = error.fault.to_string();
    assert!(message.ends_with("missing: \"id\"; not expected: \"ident\", \"mail\""), "{message}");
}

#[test]
fn a_file_is_shown_relative_to_the_working_folder_and_by_more_than_its_name_only_if_needed() {
    let working = std::env::current_dir().unwrap();
    let names = files::names(&[
        working.join("samples/hr_export.csv"),
        working.join("2026/hr.csv"),
        PathBuf::from("/mnt/2025/hr.csv"),
        PathBuf::from("-"),
    ]);
    let shown: Vec<_> = names.iter().map(|name| (name.shown.as_str(), name.short.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("samples/hr_export.csv", "hr_export.csv"),
            ("2026/hr.csv", "2026/hr.csv"),
            ("/mnt/2025/hr.csv", "/mnt/2025/hr.csv"),
            ("-", "-")
        ]
    );
}

#[test]
fn standard_input_is_copied_for_two_passes_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let spool_dir = folder.path().join("state");
    let mut stdin = &b"id,name\n1,Ana\n"[..];
    let source = Source::open_with(&settings(vec![PathBuf::from("-")]), &mut stdin, &spool_dir).unwrap();
    let copies = || std::fs::read_dir(&spool_dir).unwrap().map(|e| e.unwrap()).collect::<Vec<_>>();
    assert_eq!(copies().len(), 1);
    let name = copies()[0].file_name().into_string().unwrap();
    assert!(name.starts_with("stdin-") && Path::new(&name).extension().is_some_and(|e| e == "csv"), "{name}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(copies()[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&spool_dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(pass(&source).unwrap(), pass(&source).unwrap());
    assert_eq!(pass(&source).unwrap().digests[0].path, "-");
    drop(source);
    assert!(copies().is_empty());

    let twice = settings(vec![PathBuf::from("-"), PathBuf::from("-")]);
    let error = Source::open_with(&twice, &mut std::io::empty(), &spool_dir).err().unwrap();
    assert_eq!((error.file.as_str(), error.fault), ("-", Fault::StdinTwice));
    let nothing = settings(vec![PathBuf::from("-")]);
    let error = Source::open_with(&nothing, &mut std::io::empty(), &spool_dir).err().unwrap();
    assert_eq!((error.file.as_str(), error.fault), ("-", Fault::Empty));
    assert!(copies().is_empty(), "no copy is left after an error");
    let no_folder = write(&folder, "file", "");
    let error = Source::open_with(&nothing, &mut std::io::empty(), &no_folder).err().unwrap();
    assert!(matches!(error.fault, Fault::Copy { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_copied_like_standard_input() {
    let folder = TempDir::new().unwrap();
    let error = Source::open(&settings(vec![PathBuf::from("/dev/null")]), folder.path()).err().unwrap();
    assert_eq!((error.file.as_str(), error.fault), ("/dev/null", Fault::Empty));
}

#[test]
fn a_change_between_two_passes_shows() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "hr.csv", "id,name\n1,Ana\n");
    let source = Source::open(&settings(vec![path.clone()]), folder.path()).unwrap();
    let before = pass(&source).unwrap().digests;
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"2,Bo\n").unwrap();
    let after = pass(&source).unwrap().digests;
    assert_ne!(before[0].digest, after[0].digest);
    std::fs::write(&path, "id,first\n").unwrap();
    assert_eq!(source.rows().err().unwrap().fault, Fault::Changed);
}

#[test]
fn rows_across_many_windows_keep_their_cells_and_lines() {
    let folder = TempDir::new().unwrap();
    let mut text = String::from("id,name,note\n");
    let mut expected = Vec::new();
    let mut line = 2;
    for id in 0..20_000_u32 {
        let note = match id % 7 {
            0 => format!("two\r\nlines {id}"),
            3 => "é\"".repeat(id as usize % 300),
            5 => "long ".repeat(id as usize % 97),
            _ => String::new(),
        };
        text.push_str(&format!("{id},Zoë,\"{}\"\r\n", note.replace('"', "\"\"")));
        expected.push((0, line, vec![id.to_string(), "Zoë".to_owned(), note.clone()]));
        line += if note.contains('\n') { 2 } else { 1 };
    }
    assert!(text.len() > 3 << 19, "{}", text.len());
    let utf16: Vec<u8> = b"\xFE\xFF".iter().copied().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    for bytes in [text.into_bytes(), utf16] {
        let source = Source::open(&settings(vec![write(&folder, "hr.csv", bytes)]), folder.path()).unwrap();
        assert!(pass(&source).unwrap().good == expected);
    }
}

#[test]
fn a_lookup_table_is_read_whole_and_a_bad_row_in_it_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "teams.csv", "team_name,team_id\nSales,7\n,\nSupport,9\n");
    let (columns, records) = read_table(&path, None, None).unwrap();
    assert_eq!(columns.position("team_id"), Some(1));
    let cells: Vec<_> = records.iter().map(|r| (r.cell(0), r.cell(1), r.place.line)).collect();
    assert_eq!(cells, [("Sales", "7", 2), ("Support", "9", 4)]);
    std::fs::write(&path, "team_name,team_id\nSales\n").unwrap();
    let error = read_table(&path, None, None).unwrap_err();
    assert!(error.to_string().ends_with("teams.csv:2: the row has 1 cell instead of 2"), "{error}");
}

/// With a comparison of each column with each other this takes minutes.
#[test]
fn a_hundred_thousand_columns_in_two_orders_are_one_source() {
    let folder = TempDir::new().unwrap();
    let line = |of: &dyn Fn(usize) -> String, order: &mut dyn Iterator<Item = usize>| {
        order.map(of).collect::<Vec<_>>().join(",") + "\n"
    };
    let (name, cell) = (|at: usize| format!("c{at}"), |at: usize| at.to_string());
    let first = line(&name, &mut (0..100_000)) + &line(&cell, &mut (0..100_000));
    let second = line(&name, &mut (0..100_000).rev()) + &line(&cell, &mut (0..100_000).rev());
    let paths = vec![write(&folder, "a.csv", first), write(&folder, "b.csv", &second)];
    let source = Source::open(&settings(paths.clone()), folder.path()).unwrap();
    let rows = pass(&source).unwrap().good;
    assert_eq!((rows.len(), &rows[0].2), (2, &rows[1].2));
    assert_eq!(rows[0].2[77_777], "77777");
    std::fs::write(&paths[1], second.replace("c77777", "other")).unwrap();
    let error = Source::open(&settings(paths), folder.path()).err().unwrap();
    assert!(
        matches!(&error.fault, Fault::ColumnsDiffer { missing, extra, .. } if missing == &["c77777"] && extra == &["other"])
    );
}
