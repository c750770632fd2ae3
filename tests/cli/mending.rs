//! Rows that could not be used come back: the error sheet of a run becomes the export of the next one, as it is, whatever
//! the export is.

use std::path::Path;

use crate::sheets::{gzip, jsonl, ods, xlsx};
use crate::support::{COLUMNS, Project, Tenant, account, counts, row};

/// Two rows for one account, one that cannot be mapped, one that the tenant refuses, two that are well.
fn rows() -> String {
    [
        row("00001", "gil", "Gil", "Peña"),
        "00002,ana,x@example.com,Ana,Diaz,Agent,active\n".to_owned(),
        "00003,new,ana@example.com,New,Diaz,Agent,active\n".to_owned(),
        "00004,dee,,Dee,Day,Agent,active\n".to_owned(),
        row("00005", "cy", "Cý", "Young"),
        row("00006", "hal", "Hal", "Ito"),
    ]
    .concat()
}

const REFUSAL: &str = "[[rule]]\non = { op = \"create\", login = \"cy\" }\ntimes = 1\n\
                       then = { status = 400, code = 3111, description = \"Email already exists\" }\n";

/// Syncs this export, feeds the sheet of it to headcount as it is, and gives that sheet.
#[track_caller]
fn mended(name: &str, bytes: &[u8], settings: &str, sheet: &str) -> Vec<u8> {
    let tenant = Tenant::with_faults(&[account(1, "ana", "Ana", "Diaz")], REFUSAL);
    let project = tenant.project("");
    project.write(name, bytes).edit("path = \"people.csv\"", &format!("path = \"{name}\""));
    project.add("source", settings).edit("[journal]", "[report]\nerrors = \"errors\"\n\n[journal]");
    project.add("safety", "max_invalid = 9\nmax_row_drop = \"100%\"\nmin_rows = 1");
    let summary = project.sync(4);
    assert_eq!(
        (counts(&summary, "applied"), counts(&summary, "found")),
        ("create 2".into(), "conflict 2, invalid 1".into())
    );
    assert_eq!(counts_failed(&summary), 1, "{summary:#}");
    assert_eq!(sheets(&project), [sheet], "{name}");
    let written = std::fs::read(project.path(sheet)).unwrap();

    // As it is: only its name is another.
    project.write(&format!("again-{sheet}"), &written);
    project.edit(&format!("path = \"{name}\""), &format!("path = \"again-{sheet}\""));
    project.run(&["check"]).expect(0).says(&["4 rows"]);
    let summary = project.sync(0);
    // Whom the tenant refused once it takes now; the rows that nobody mended are what they were.
    assert_eq!(
        (counts(&summary, "applied"), counts(&summary, "found")),
        ("create 1".into(), "absent 2, conflict 2, invalid 1".into())
    );
    assert_eq!(tenant.account("cy").first_name, "Cý");
    written
}

fn counts_failed(summary: &serde_json::Value) -> u64 {
    summary["failed"].as_u64().unwrap()
}

fn sheets(project: &Project) -> Vec<String> {
    let is_sheet = |path: &Path| path.file_stem().is_some_and(|stem| stem == "errors");
    let files = std::fs::read_dir(project.path("")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| is_sheet(path)).map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

fn latin(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

#[test]
fn csv_with_its_encoding_its_delimiter_and_its_line_ends() {
    let text = format!("{COLUMNS}{}", rows()).replace(',', ";").replace('\n', "\r\n");
    let settings = "encoding = \"windows-1252\"\ndelimiter = \";\"";
    let sheet = mended("people.csv", &latin(&text), settings, "errors.csv");
    let sheet = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&sheet).0.into_owned();
    let lines: Vec<_> = sheet.split("\r\n").collect();
    assert_eq!(lines.len(), 6, "{sheet}");
    assert_eq!(lines[0], COLUMNS.trim_end().replace(',', ";") + ";headcount_line;headcount_error;headcount_hint");
    assert!(lines[1].starts_with("00002;ana;x@example.com;Ana;Diaz;Agent;active;3;"), "{sheet}");
    assert!(lines[1].contains("people.csv:4") && lines[2].contains("people.csv:3"), "{sheet}");
    assert!(lines[3].starts_with("00004;dee;;Dee;Day;Agent;active;5;"), "{sheet}");
    assert!(lines[4].starts_with("00005;cy;cy@example.com;Cý;Young;Agent;active;6;"), "{sheet}");
    assert!(lines[4].contains("3111 Email already exists"), "{sheet}");
}

#[test]
fn tsv() {
    let text = format!("{COLUMNS}{}", rows()).replace(',', "\t");
    let sheet = mended("people.tsv", text.as_bytes(), "", "errors.tsv");
    assert!(String::from_utf8(sheet).unwrap().starts_with(&COLUMNS.trim_end().replace(',', "\t")));
}

#[test]
fn csv_with_a_title_above_its_header() {
    let text = format!("Staff of today\n\n{COLUMNS}{}", rows());
    let sheet = mended("people.csv", text.as_bytes(), "header_row = 3", "errors.csv");
    assert!(sheet.starts_with(format!("\n\n{}", COLUMNS.trim_end()).as_bytes()));
}

#[test]
fn packed() {
    let text = format!("{COLUMNS}{}", rows());
    mended("people.csv.gz", &gzip(text.as_bytes()), "", "errors.csv");
}

#[test]
fn a_workbook() {
    let table = format!("{COLUMNS}{}", rows());
    let titled = format!("Staff of today\n,\n{table}");
    let sheet = mended(
        "people.xlsx",
        &xlsx(&[("Notes", "see the other sheet\n"), ("Staff", &titled)]),
        "sheet = \"Staff\"\nheader_row = 2",
        "errors.xlsx",
    );
    assert!(sheet.starts_with(b"PK"));
}

#[test]
fn an_ods_file_whose_rows_come_back_as_xlsx() {
    mended("people.ods", &ods(&[("Staff", &format!("{COLUMNS}{}", rows()))]), "", "errors.xlsx");
}

#[test]
fn json_lines() {
    let sheet = mended("people.jsonl", jsonl(&format!("{COLUMNS}{}", rows())).as_bytes(), "", "errors.jsonl");
    assert_eq!(String::from_utf8(sheet).unwrap().lines().count(), 4);
}

#[test]
fn several_files_in_one_sheet_that_names_each() {
    let tenant = Tenant::with_faults(&[], REFUSAL);
    let project = tenant.project("");
    project.write("north.csv", format!("{COLUMNS}{}E2,bo\n", row("E1", "cy", "Cy", "Young")));
    project.write("south.csv", "login,id,email,first,last,status,title\ndee,E3,,Dee,Day,active,Lead\n");
    project.edit("path = \"people.csv\"", "path = [\"north.csv\", \"south.csv\"]");
    project.edit("[journal]", "[report]\nerrors = \"{run}/errors\"\n\n[journal]");
    project.add("safety", "max_invalid = 9\nmax_row_drop = \"100%\"\nmin_rows = 1");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(4);
    let path = format!("{}/errors.csv", summary["run"].as_str().unwrap());
    let sheet = project.read(&path);
    let lines: Vec<_> = sheet.lines().collect();
    assert_eq!(lines.len(), 4, "{sheet}");
    for (line, begin) in lines[1..].iter().zip([
        "E1,cy,cy@example.com,Cy,Young,Agent,active,north.csv:2,",
        "E2,bo,,,,,,north.csv:3,",
        "E3,dee,,Dee,Day,Lead,active,south.csv:2,",
    ]) {
        assert!(line.starts_with(begin), "{sheet}");
    }
    let mended = sheet.replace("E2,bo,,,,,,", "E2,bo,bo@example.com,Bo,Li,Agent,active,");
    project.write("mended.csv", mended.replace("dee,,Dee", "dee,dee@example.com,Dee"));
    project.edit("path = [\"north.csv\", \"south.csv\"]", "path = \"mended.csv\"");
    assert_eq!(counts(&project.sync(0), "applied"), "create 3");
    assert_eq!(tenant.account("dee").job_description, "Lead");
}

#[test]
fn a_sheet_that_cannot_be_written_harms_nothing_and_is_told_of() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project("E1,ana,,Ana,Diaz,Agent,active\nE2,bo,bo@example.com,Bo,Li,Agent,active\n");
    project.write("taken", "a file").edit("[journal]", "[report]\nerrors = \"taken/errors\"\n\n[journal]");
    project.add("safety", "max_invalid = 9");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(0).says(&["the error sheet", "taken/errors", "is not written"]);
    assert_eq!(counts(&summary, "applied"), "create 1");
}
