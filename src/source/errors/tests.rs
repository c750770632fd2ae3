//! Rows that are written to be mended come back as they were.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::config::SourceSettings;
use crate::source::tests::{pass, settings, write};

fn open(settings: &SourceSettings, folder: &TempDir) -> Source {
    Source::open_with(settings, &mut io::empty(), &folder.path().join("spool")).unwrap()
}

/// The sheet for the rows on these lines, as bytes.
fn sheet(source: &Source, lines: &[u32], form: SheetForm) -> io::Result<Vec<u8>> {
    let complaint = Complaint { error: "not “so”, =1".into(), hint: "mend it".into() };
    let complaints = lines.iter().map(|line| (Place { file: 0, line: *line }, complaint.clone())).collect();
    let digests: Vec<String> = pass(source).unwrap().digests.into_iter().map(|file| file.digest).collect();
    let mut out = Vec::new();
    source.write_errors(&complaints, digests.iter().map(String::as_str), form, &mut out)?;
    Ok(out)
}

/// Writes a sheet for rows of a source, and reads it with the same settings.
fn again(name: &str, bytes: &[u8], lines: &[u32], set: impl Fn(&mut SourceSettings)) -> (Vec<u8>, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let mut given = settings(vec![write(&folder, name, bytes)]);
    set(&mut given);
    let source = open(&given, &folder);
    let form = SheetForm::of_extension(source.own_extension());
    let written = sheet(&source, lines, form).unwrap();
    let mended: PathBuf = write(&folder, &format!("mended.{}", source.own_extension()), &written);
    let back = open(&SourceSettings { paths: vec![mended], ..given }, &folder);
    assert_eq!(back.columns(), source.columns());
    let rows = pass(&back).unwrap().good.into_iter().map(|row| row.2.join("|")).collect();
    (written, rows)
}

#[test]
fn rows_come_back_as_they_were_in_every_format_and_encoding() {
    let text = "id;name;note\n1;José;=1+1\n2;\"B;\no\";\n00123;Cy;\"q\"\"\"\n";
    let expected = ["1|José|=1+1", "00123|Cy|q\""];
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(text);
    let utf_16: Vec<u8> = format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let semicolon = |settings: &mut SourceSettings| settings.delimiter = Some(b';');
    assert_eq!(again("hr.csv", text.as_bytes(), &[2, 5], semicolon).1, expected);
    let marked = format!("\u{FEFF}{text}");
    let (written, rows) = again("hr.csv", marked.as_bytes(), &[2, 5], semicolon);
    assert!(written.starts_with(b"\xEF\xBB\xBFid;name;note;headcount_line;headcount_error;headcount_hint\n"));
    assert_eq!(rows, expected);
    let (written, rows) = again("hr.csv", &utf_16, &[2, 5], semicolon);
    assert!(written.starts_with(b"\xFF\xFEi\0d\0"));
    assert_eq!(rows, expected);
    let (written, rows) = again("hr.csv", &latin, &[2, 5], |settings| {
        semicolon(settings);
        settings.encoding = Some("windows-1252".into());
    });
    assert!(memchr::memmem::find(&written, b"Jos\xE9").is_some());
    assert_eq!(rows, expected);
}

#[test]
fn the_sheet_of_a_workbook_is_a_workbook_and_of_json_lines_json_lines() {
    let mut book = Workbook::new();
    let worksheet = book.add_worksheet();
    worksheet.set_name("People").unwrap();
    for (row, cells) in [(2, ["id", "joined"]), (3, ["00123", "2024-03-01"]), (4, ["2", "x"])] {
        worksheet.write_string(row, 0, cells[0]).unwrap().write_string(row, 1, cells[1]).unwrap();
    }
    let bytes = book.save_to_buffer().unwrap();
    let (_, rows) = again("hr.xlsx", &bytes, &[4], |settings| {
        (settings.sheet, settings.header_row) = (Some("People".into()), 3);
    });
    assert_eq!(rows, ["00123|2024-03-01"]);
    let lines = "{\"id\":\"00123\",\"name\":{\"given\":\"Ana\"},\"skills\":[1, 2]}\n{\"id\":2}\n";
    let (written, rows) = again("hr.jsonl", lines.as_bytes(), &[1], |_| {});
    assert_eq!(rows, ["00123|Ana|[1, 2]"]);
    assert!(String::from_utf8(written).unwrap().contains("\"headcount_line\":\"1\""));
}

#[test]
fn a_sheet_has_the_lines_above_the_header_and_a_trailer_of_its_own() {
    let text = "made by HR\n\nid,name\n1,Ana\n2,Bo\n3,short,\"open\nTRAILER,3\n";
    let text = text.replace("3,short,\"open\n", "3\n");
    let set = |settings: &mut SourceSettings| {
        settings.header_row = 3;
        settings.trailer = Some(TrailerSettings { mark: "TRAILER".into(), count: 2 });
    };
    let (written, rows) = again("hr.csv", text.as_bytes(), &[5, 6], set);
    assert_eq!(rows, ["2|Bo", "3|"]);
    assert!(String::from_utf8(written).unwrap().ends_with("TRAILER,2\n"));
}

#[test]
fn a_source_that_is_another_by_now_gives_no_sheet() {
    let folder = TempDir::new().unwrap();
    let source = open(&settings(vec![write(&folder, "hr.csv", "id\n1\n")]), &folder);
    let complaints = BTreeMap::from([(Place { file: 0, line: 2 }, Complaint::default())]);
    let error = source.write_errors(&complaints, ["another"], SheetForm::Csv, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("the source changed"), "{error}");
}

#[test]
fn line_ends_are_those_of_the_source() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("above{end}id,note{end}1,\"a\nb\"{end}2,c{end}");
        let (written, rows) = again("hr.csv", text.as_bytes(), &[3, 5], |settings| settings.header_row = 2);
        assert_eq!(rows, ["1|a\nb", "2|c"], "{end:?}");
        let expected = format!("{end}id,note,headcount_line,headcount_error,headcount_hint{end}1,\"a\nb\",3,");
        assert!(String::from_utf8(written).unwrap().starts_with(&expected), "{end:?}");
    }
    let only = "id,note\r\n";
    assert!(again("hr.csv", only.as_bytes(), &[], |_| {}).0.ends_with(b"headcount_hint\r\n"));
}

#[test]
fn json_lines_keep_columns_that_are_blank_in_every_row_that_is_left() {
    let lines = "{\"id\":1,\"team\":\"Ops\",\"at\":{\"city\":\"Rome\"}}\n{\"id\":2}\n";
    let (written, rows) = again("hr.jsonl", lines.as_bytes(), &[2], |_| {});
    assert_eq!(rows, ["2||"]);
    assert_eq!(
        String::from_utf8(written).unwrap(),
        "{\"id\":\"2\",\"team\":null,\"at.city\":null,\"headcount_line\":\"2\",\"headcount_error\":\"not “so”, =1\",\
         \"headcount_hint\":\"mend it\"}\n"
    );
    let (written, rows) = again("hr.jsonl", lines.as_bytes(), &[], |_| {});
    assert_eq!((rows.len(), written.iter().filter(|byte| **byte == b'\n').count()), (0, 1), "the columns alone");
}

#[test]
fn json_lines_come_back_in_their_own_encoding() {
    let line = "{\"id\":\"1\",\"name\":\"José\"}\n";
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(line);
    let (written, rows) = again("hr.jsonl", &latin, &[1], |settings| settings.encoding = Some("windows-1252".into()));
    assert_eq!(rows, ["1|José"]);
    assert!(memchr::memmem::find(&written, b"Jos\xE9").is_some());
    let utf_16: Vec<u8> = format!("\u{FEFF}{line}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (written, rows) = again("hr.jsonl", &utf_16, &[1], |_| {});
    assert_eq!((rows, &written[..2]), (vec!["1|José".to_owned()], &b"\xFF\xFE"[..]));
}

#[test]
fn a_character_that_the_first_file_could_not_hold_is_not_lost() {
    let folder = TempDir::new().unwrap();
    let first = write(&folder, "a.csv", b"id,name\n1,Jos\xE9\n");
    let second = write(&folder, "b.csv", "\u{FEFF}id,name\n2,Łukasz\n");
    let given = SourceSettings { encoding: Some("windows-1252".into()), ..settings(vec![first, second]) };
    let source = open(&given, &folder);
    let mut complaints = BTreeMap::new();
    for file in [0, 1] {
        complaints.insert(Place { file, line: 2 }, Complaint { error: "“”".into(), hint: String::new() });
    }
    let digests: Vec<String> = pass(&source).unwrap().digests.into_iter().map(|file| file.digest).collect();
    let mut out = Vec::new();
    source.write_errors(&complaints, digests.iter().map(String::as_str), SheetForm::Csv, &mut out).unwrap();
    assert!(String::from_utf8_lossy(&out).contains("a.csv:2") && String::from_utf8_lossy(&out).contains("b.csv:2"));
    let back = open(&SourceSettings { paths: vec![write(&folder, "mended.csv", &out)], ..given }, &folder);
    let names: Vec<String> = pass(&back).unwrap().good.into_iter().map(|row| row.2[1].clone()).collect();
    assert_eq!(names, ["José", "Łukasz"]);
}

#[test]
fn a_sheet_of_another_form_is_read_by_its_name_alone() {
    let text = "id,name\n00123,\"Diaz; \"\"A\"\",\tB\nC\"\n2,\n";
    let lines = "{\"name\":\"Diaz; \\\"A\\\",\\tB\\nC\",\"id\":\"00123\"}\n{\"id\":\"2\"}\n";
    let mut book = Workbook::new();
    let worksheet = book.add_worksheet();
    for (row, cells) in [(0, ["id", "name"]), (1, ["00123", "Diaz; \"A\",\tB\nC"]), (2, ["2", ""])] {
        worksheet.write_string(row, 0, cells[0]).unwrap().write_string(row, 1, cells[1]).unwrap();
    }
    let book = book.save_to_buffer().unwrap();
    for (name, bytes, at) in
        [("hr.csv", text.as_bytes(), [2, 4]), ("hr.jsonl", lines.as_bytes(), [1, 2]), ("hr.xlsx", &book, [2, 3])]
    {
        let folder = TempDir::new().unwrap();
        let given = settings(vec![write(&folder, name, bytes)]);
        let source = open(&given, &folder);
        let expected: Vec<_> = pass(&source).unwrap().good.into_iter().map(|row| row.2).collect();
        for mended in ["m.csv", "m.tsv", "m.xlsx", "m.jsonl", "m.txt"] {
            let form = SheetForm::of_extension(mended.split_once('.').unwrap().1);
            let written = sheet(&source, &at, form).unwrap();
            let back = open(&SourceSettings { paths: vec![write(&folder, mended, written)], ..given.clone() }, &folder);
            assert_eq!(back.columns(), source.columns(), "{name} as {mended}");
            let rows: Vec<_> = pass(&back).unwrap().good.into_iter().map(|row| row.2).collect();
            assert_eq!(rows, expected, "{name} as {mended}");
        }
    }
}

#[test]
fn a_workbook_gives_back_every_character() {
    let nasty = [
        " blanks ",
        "=1+1",
        "'quoted",
        "_x0041_",
        "_x005F_x0041_",
        "a\tb\nc",
        "<b>&amp;</b>",
        "\u{202E}rtl",
        "\u{1}\u{1F}",
        "😀 é",
        "00123",
        "2024-03-01",
        "TRUE",
        "1e5",
        "\u{FEFF}mark",
        "a\r\nb",
    ];
    let text: String =
        nasty.iter().map(|cell| format!("{{\"id\":\"1\",\"note\":{}}}\n", serde_json::json!(cell))).collect();
    let folder = TempDir::new().unwrap();
    let source = open(&settings(vec![write(&folder, "hr.jsonl", text)]), &folder);
    let lines: Vec<u32> = (1..=nasty.len() as u32).collect();
    let written = sheet(&source, &lines, SheetForm::Workbook).unwrap();
    let back = open(&settings(vec![write(&folder, "mended.xlsx", written)]), &folder);
    let notes: Vec<_> = pass(&back).unwrap().good.into_iter().map(|row| row.2[1].clone()).collect();
    assert_eq!(notes, nasty);
}

#[test]
fn a_value_that_no_workbook_holds_is_not_cut_and_what_is_said_is() {
    let folder = TempDir::new().unwrap();
    let text = format!("id,note\n1,{}\n2,x\n", "é".repeat(MOST_CHARS + 1));
    let source = open(&settings(vec![write(&folder, "hr.csv", text)]), &folder);
    let error = sheet(&source, &[2], SheetForm::Workbook).unwrap_err();
    assert_eq!(error.to_string(), "a cell of a workbook cannot hold 32768 characters; use a .csv file");
    assert!(sheet(&source, &[3], SheetForm::Workbook).is_ok());
    let complaints = BTreeMap::from([(
        Place { file: 0, line: 3 },
        Complaint { error: "😀".repeat(MOST_CHARS), hint: String::new() },
    )]);
    let digests: Vec<String> = pass(&source).unwrap().digests.into_iter().map(|file| file.digest).collect();
    let digests = digests.iter().map(String::as_str);
    assert!(source.write_errors(&complaints, digests, SheetForm::Workbook, &mut Vec::new()).is_ok());
}

#[test]
fn what_is_said_of_a_row_is_no_formula() {
    for text in ["=cmd", "+1", "-1", "@x", "\tx"] {
        assert_eq!(inert_cell(text), format!("'{text}"));
    }
    assert_eq!(inert_cell("1 = 2"), "1 = 2");
}
