//! Bad exports: each is refused with what is wrong, where, and what to do, and nothing is written to the tenant.

use crate::sheets::{encrypted, gzip, jsonl, ods, xlsx};
use crate::support::{COLUMNS, Project, Ran, Tenant, row, three_accounts, three_rows};

/// Everything that plans refuses the project, with the same words, and the tenant is not even asked.
#[track_caller]
fn refused(tenant: &Tenant, project: &Project, code: i32, pieces: &[&str]) -> Ran {
    for args in [&["check"][..], &["plan"]] {
        project.run(args).expect(code).says(pieces);
    }
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(code).says(pieces);
    assert_eq!(summary["outcome"], if code == 5 { "held" } else { "failed" });
    assert!(summary["error"]["message"].is_string());
    if code == 1 {
        assert_eq!(tenant.requests(), 0);
    }
    tenant.unchanged();
    ran
}

/// A project that one bad row is too much for.
fn strict(tenant: &Tenant, rows: &str) -> Project {
    let project = tenant.project(rows);
    project.add("safety", "max_invalid = 0");
    project
}

/// A source of these bytes is refused.
#[track_caller]
fn bytes(content: impl AsRef<[u8]>, settings: &str, pieces: &[&str]) -> Ran {
    let tenant = three_accounts();
    let project = tenant.project("");
    project.write("people.csv", content).add("source", settings);
    refused(&tenant, &project, 1, &[&["people.csv"], pieces].concat())
}

#[test]
fn a_missing_file() {
    let tenant = three_accounts();
    let project = tenant.project("");
    project.edit("path = \"people.csv\"", "path = \"peple.csv\"");
    refused(&tenant, &project, 1, &["peple.csv: there is no such file", "people.csv"]);
    project.edit("path = \"peple.csv\"", "path = \"exports/today.csv\"");
    refused(&tenant, &project, 1, &["exports/today.csv: there is no such file", "exports"]);
}

#[test]
fn a_folder() {
    let tenant = three_accounts();
    let project = tenant.project("");
    std::fs::create_dir(project.path("exports")).unwrap();
    project.edit("path = \"people.csv\"", "path = \"exports\"");
    refused(&tenant, &project, 1, &["exports: this is a folder", "a list"]);
}

#[test]
fn an_empty_file() {
    bytes("", "", &["the file is empty", "make it again"]);
    bytes("\u{feff}", "", &["the file is empty"]);
    bytes("\n\n\n", "", &["people.csv"]);
}

#[test]
fn a_header_and_nothing_else() {
    let tenant = three_accounts();
    let project = tenant.project("");
    refused(&tenant, &project, 5, &["0 rows", "safety.min_rows", "the export looks broken"]);
}

#[test]
fn a_header_with_a_name_twice() {
    bytes(
        "id,login,email,first,last,title,status,login\n",
        "",
        &["people.csv:1", "\"login\" is in the header twice", "columns 2 and 8"],
    );
}

#[test]
fn a_header_with_an_empty_name() {
    bytes(
        "id,login,email,first,,title,status,\n",
        "",
        &["people.csv:1", "columns 5 and 8 without a name", "source.header_row"],
    );
}

#[test]
fn a_row_with_too_few_or_too_many_cells_is_named_by_its_line() {
    let tenant = three_accounts();
    let project = strict(&tenant, "E1,ana\nE2,bo,bo@example.com,Bo,Li,Agent,active,more\n");
    refused(
        &tenant,
        &project,
        5,
        &["people.csv:2", "the row has 2 cells instead of 7", "people.csv:3", "the row has 8 cells instead of 7"],
    );
}

#[test]
fn one_bad_row_among_many_stops_nobody_else() {
    let tenant = Tenant::with(&[]);
    let rows: String = (0..40).map(|n| row(&format!("E{n}"), &format!("user{n}"), "A", "B")).collect();
    let project = tenant.project(&(rows + "E99,zoe,zoe@example.com\n"));
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(0).says(&["people.csv:42", "3 cells instead of 7"]);
    assert_eq!(summary["applied"]["create"], 40);
}

#[test]
fn binary_garbage() {
    let noise: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    bytes(&noise, "", &["not text"]);
    bytes(b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00xl/workbook.xml\x00\x00", "", &["not text", "CSV"]);
    bytes([&b"\x1f\x8b\x08\x00"[..], &noise].concat(), "", &["gzip", "damaged"]);
}

#[test]
fn the_wrong_encoding_is_named_by_line_and_byte() {
    let head = format!("{COLUMNS}{}", row("E1", "ana", "Ana", "Diaz"));
    let mut content = head.clone().into_bytes();
    content.extend(b"E2,jose,jose@example.com,Jos\xe9,Li,Agent,active\n");
    let byte = (head.len() + "E2,jose,jose@example.com,Jos".len()).to_string();
    bytes(
        content,
        "",
        &["people.csv:3", "not UTF-8", &format!("at byte {byte}"), "source.encoding = \"windows-1252\"", "'é'"],
    );
}

#[test]
fn a_file_that_ends_in_the_middle_of_a_character() {
    let mut content = format!("{COLUMNS}E1,ana,ana@example.com,Ana,Dí").into_bytes();
    content.pop();
    bytes(content, "", &["people.csv:2", "middle of a character", "export it again"]);
}

#[test]
fn the_wrong_delimiter_says_what_it_looks_like() {
    let text = format!("{COLUMNS}{}", three_rows());
    bytes(text.replace(',', ";"), "", &["looks delimited by \";\"", "source.delimiter = \";\""]);
    bytes(text.replace(',', "\t"), "", &["looks delimited by \"\\t\"", "source.delimiter = \"\\t\""]);
    bytes(&text, "delimiter = \"|\"", &["looks delimited by \",\"", "source.delimiter = \",\""]);
}

#[test]
fn a_quote_that_is_never_closed() {
    let text = format!("{COLUMNS}E1,\"ana,ana@example.com,Ana,Diaz,Agent,active\n{}", three_rows());
    let tenant = three_accounts();
    let project = strict(&tenant, "");
    project.write("people.csv", text);
    refused(&tenant, &project, 5, &["people.csv:2", "quoted cell that began on line 2"]);
}

#[test]
fn a_missing_identity_column_is_shown_in_the_configuration() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.edit("identity = \"id\"", "identity = \"idd\"");
    refused(&tenant, &project, 1, &["config.toml:3", "identity = \"idd\"", "no column `idd`", "did you mean `id`?"]);
}

#[test]
fn an_empty_identity_makes_the_row_invalid() {
    let tenant = three_accounts();
    let project = strict(&tenant, &(three_rows() + &row("", "dee", "Dee", "Day")));
    refused(&tenant, &project, 5, &["people.csv:5", "id"]);
}

#[test]
fn one_identity_twice_names_both_lines() {
    let tenant = three_accounts();
    let project = tenant.project(&(three_rows() + &row("E1", "dee", "Dee", "Day")));
    refused(&tenant, &project, 1, &["people.csv:2 and people.csv:5 have the same identity", "source.duplicates"]);
}

#[test]
fn one_key_in_two_rows_names_both_lines() {
    let tenant = three_accounts();
    let project = tenant.project(&(three_rows() + "E4,BO,dee@example.com,Dee,Day,Agent,active\n"));
    refused(&tenant, &project, 1, &["people.csv:3 and people.csv:5 have the same login_id", "source.duplicates"]);
    let project = tenant.project(&(three_rows() + "E4,dee,Bo@example.com,Dee,Day,Agent,active\n"));
    refused(&tenant, &project, 1, &["people.csv:3 and people.csv:5 have the same email_id"]);
}

#[test]
fn a_format_that_cannot_be_read_says_what_to_do() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("source", "format = \"xlsx\"");
    refused(&tenant, &project, 1, &["not a workbook but text", "source.format = \"csv\""]);
}

#[test]
fn a_value_that_cannot_be_read_names_place_column_and_value() {
    let tenant = three_accounts();
    let project = strict(&tenant, "E4,dee,dee@example.com,Dee,Day,maybe,active\n");
    project.edit("job_description = \"title\"", "login_using_email = \"title\"");
    refused(&tenant, &project, 5, &["people.csv:2", "login_using_email", "maybe", "column title"]);
}

/// An export of these bytes and this name is refused.
#[track_caller]
fn file(name: &str, content: impl AsRef<[u8]>, settings: &str, pieces: &[&str]) {
    let tenant = three_accounts();
    let project = tenant.project("");
    project.write(name, content).edit("path = \"people.csv\"", &format!("path = \"{name}\"")).add("source", settings);
    refused(&tenant, &project, 1, &[&[name], pieces].concat());
}

#[test]
fn a_workbook_that_is_a_renamed_csv_or_encrypted_or_damaged() {
    let text = format!("{COLUMNS}{}", three_rows());
    file("people.xlsx", &text, "", &["this is not a workbook but text, such as CSV", "set source.format = \"csv\""]);
    file("people.ods", &text, "", &["this is not a workbook but text, such as CSV"]);
    file("people.xlsx", encrypted(), "", &["the workbook is encrypted with a password", "save it without a password"]);
    let whole = xlsx(&[("Staff", &text)]);
    file("people.xlsx", &whole[..whole.len() - 40], "", &["the workbook cannot be read", "save it again"]);
    file("people.ods", &whole, "", &["it is an xlsx file by what is in it"]);
}

#[test]
fn a_sheet_that_does_not_exist_or_is_not_said() {
    let text = format!("{COLUMNS}{}", three_rows());
    let sheets = [("Notes", "note\nx\n"), ("Employees", text.as_str())];
    for (name, bytes) in [("people.xlsx", xlsx(&sheets)), ("people.ods", ods(&sheets))] {
        let there = "there is no sheet \"Employes\"; there is \"Notes\", \"Employees\"";
        file(name, &bytes, "sheet = \"Employes\"", &[there, "did you mean source.sheet = \"Employees\"?"]);
        let several = "the workbook has several sheets: \"Notes\", \"Employees\"";
        file(name, &bytes, "", &[several, "set source.sheet to the one with the people"]);
    }
}

#[test]
fn a_small_file_that_expands_to_gigabytes() {
    let zeros = vec![b'0'; 80 << 20];
    file("people.csv.gz", gzip(&zeros), "", &["bytes expand to", "which no export does", "unpack it, check it"]);
    let mut bytes = xlsx(&[("Staff", COLUMNS)]);
    // The size of the first entry in the directory of the archive: 3 GiB.
    let at = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap() + 24;
    bytes[at..at + 4].copy_from_slice(&(3_u32 << 30).to_le_bytes());
    file("people.xlsx", bytes, "", &["bytes expand to", "which no export does"]);
}

#[test]
fn a_packed_file_that_was_cut_short() {
    let packed = gzip(format!("{COLUMNS}{}", three_rows()).as_bytes());
    let cut = packed.len() - 9;
    let said = format!("the gzip file ends before its content does: it was cut short (at byte {cut})");
    file("people.csv.gz", &packed[..cut], "", &[&said, "copy or export it again"]);
}

#[test]
fn json_lines_that_are_none_and_one_line_that_is_none() {
    file("people.jsonl", "[{\"id\":\"E1\"}]\n", "", &["this is a JSON list", "jq -c '.[]'"]);
    file("people.jsonl", "id,login\n", "", &["no line of the file is a JSON object"]);
    let tenant = three_accounts();
    let project = strict(&tenant, "");
    let lines = jsonl(&format!("{COLUMNS}{}", three_rows()));
    project.write("people.jsonl", lines.replacen('{', "{\"deep\":{\"er\":[1,{\"x\":2}]},", 1) + "{\"id\":\n");
    project.edit("path = \"people.csv\"", "path = \"people.jsonl\"");
    refused(&tenant, &project, 5, &["people.jsonl:4"]);
}
