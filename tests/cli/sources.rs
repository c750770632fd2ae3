//! Exports as they come: encodings, delimiters, several files, standard input, lookups, dotted keys, empty cells.

use serde_json::json;

use crate::support::{COLUMNS, Tenant, account, but, counts, fed, row, three_accounts, three_rows};

const JOSE: &str = "E1,jose,jose@example.com,José,Peña,Agent,active\n";

/// The tenant after a sync of this export must have José with his accents.
fn jose(bytes: &[u8], settings: &str) {
    let tenant = Tenant::with(&[]);
    let project = tenant.project("");
    project.write("people.csv", bytes).add("source", settings);
    project.sync(0);
    let account = tenant.account("jose");
    assert_eq!((account.first_name.as_str(), account.last_name.as_str()), ("José", "Peña"));
}

fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(to_bytes).collect()
}

#[test]
fn utf_8_with_a_mark_and_without() {
    let text = format!("{COLUMNS}{JOSE}");
    jose(text.as_bytes(), "");
    jose(format!("\u{feff}{text}").as_bytes(), "");
}

#[test]
fn windows_1252() {
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(JOSE);
    jose(&[COLUMNS.as_bytes(), &bytes].concat(), "encoding = \"windows-1252\"");
}

#[test]
fn utf_16_by_its_mark() {
    let text = format!("{COLUMNS}{JOSE}");
    jose(&utf_16(&text, u16::to_le_bytes), "");
    jose(&utf_16(&text, u16::to_be_bytes), "");
}

#[test]
fn line_ends_of_every_system_and_a_missing_last_one() {
    let text = format!("{COLUMNS}{JOSE}");
    jose(text.replace('\n', "\r\n").as_bytes(), "");
    jose(text.trim_end().as_bytes(), "");
}

#[test]
fn semicolons_tabs_and_pipes() {
    let text = format!("{COLUMNS}{JOSE}");
    jose(text.replace(',', ";").as_bytes(), "delimiter = \";\"");
    jose(text.replace(',', "|").as_bytes(), "delimiter = \"|\"");
    jose(text.replace(',', "\t").as_bytes(), "format = \"tsv\"");
    jose(text.replace(',', "\t").as_bytes(), "delimiter = \"\\t\"");
}

#[test]
fn a_tsv_file_is_known_by_its_name() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project("");
    project.write("people.tsv", format!("{COLUMNS}{JOSE}").replace(',', "\t")).edit("people.csv", "people.tsv");
    project.sync(0);
    assert_eq!(tenant.account("jose").last_name, "Peña");
}

#[test]
fn quoted_cells_hold_delimiters_quotes_and_line_breaks_and_lines_are_counted_as_an_editor_does() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project(
        "E1,ana,ana@example.com,\"Ana \"\"A\"\"\",\"Diaz,\nSenior\",Agent,active\nE2,bo,bo@example.com,Bo,Li,Agent\n",
    );
    project.add("safety", "max_invalid = 1");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(0).says(&["people.csv:4", "6 cells instead of 7"]);
    assert_eq!(counts(&summary, "found"), "invalid 1");
    let ana = tenant.account("ana");
    assert_eq!((ana.first_name.as_str(), ana.last_name.as_str()), ("Ana \"A\"", "Diaz,\nSenior"));
}

#[test]
fn several_files_are_one_source_and_every_row_knows_its_file() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project("");
    project.write("north.csv", format!("{COLUMNS}{}", row("E1", "ana", "Ana", "Diaz")));
    // The same columns in another order.
    project.write("south.csv", "login,id,email,first,last,status,title\nbo,E2,bo@example.com,Bo,Li,active,Lead\n");
    project.edit("path = \"people.csv\"", "path = [\"north.csv\", \"south.csv\"]");
    project.plan();
    let places: Vec<_> =
        project.actions().iter().map(|a| format!("{}:{}", a["source"]["file"], a["source"]["line"])).collect();
    assert_eq!(places, ["\"north.csv\":2", "\"south.csv\":2"]);
    project.sync(0);
    assert_eq!(tenant.account("bo").job_description, "Lead");

    project.write("south.csv", format!("{COLUMNS}{}", row("E1", "ann", "Ann", "Dee")));
    project.run(&["plan"]).expect(1).says(&["north.csv:2", "south.csv:2", "identity"]);
    project.write("south.csv", "login,id\nbo,E2\n");
    project.run(&["plan"]).expect(1).says(&["south.csv", "columns", "north.csv", "\"email\""]);
}

#[test]
fn standard_input_is_a_source() {
    let tenant = three_accounts();
    let project = tenant.project("");
    project.edit("path = \"people.csv\"", "path = \"-\"");
    let ran =
        fed(project.command(&["--format", "json", "sync", "--yes"]), format!("{COLUMNS}{}", three_rows()).as_bytes());
    ran.expect(0);
    assert_eq!(counts(&ran.summary(), "applied"), "create 1, update 1");
    assert_eq!(tenant.writes().len(), 2);
    // Nothing of it stays behind.
    for file in project.files(".headcount") {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(COLUMNS.len()).any(|window| window == COLUMNS.as_bytes()), "{}", file.display());
    }
}

#[test]
fn a_secret_on_standard_input_is_read_again_for_the_run() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project("");
    project.edit("path = \"people.csv\"", "path = \"-\"").set("password", "\"title\"");
    fed(project.command(&["sync", "--yes"]), format!("{COLUMNS}{}", three_rows()).as_bytes()).expect(0);
    assert_eq!(tenant.account("cy").password, Some(headcount::sandbox::password_hash("Agent")));
}

#[test]
fn an_empty_standard_input_is_an_error_and_not_an_empty_company() {
    let tenant = three_accounts();
    let project = tenant.project("");
    project.edit("path = \"people.csv\"", "path = \"-\"");
    fed(project.command(&["sync", "--yes"]), b"").expect(1).says(&["the file is empty"]);
    tenant.unchanged();
}

#[test]
fn rows_that_do_not_count_are_left_out() {
    let tenant = three_accounts();
    let project = tenant.project(&(three_rows() + "E4,dee,dee@example.com,Dee,Day,Agent,applicant\n"));
    project.add("source", "include = \"status != 'applicant'\"");
    assert_eq!(counts(&project.sync(0), "planned"), "create 1, update 1");
}

#[test]
fn lookups_give_other_tables_values_and_a_value_that_is_not_there_makes_the_row_invalid() {
    let tenant = Tenant::with(&[]);
    let project =
        tenant.project("E1,ana,ana@example.com,Ana,Diaz,Billing,active\nE2,bo,bo@example.com,Bo,Li,Biling,active\n");
    project.write("teams.csv", "team,number\nCare,1\nBilling,12\n");
    project.add("match", "").edit("[match]", "[lookup.teams]\npath = \"teams.csv\"\nkey = \"team\"\n\n[match]");
    project
        .add("map", "privileges = [{ teamid = \"{{ title | lookup('teams', 'number') }}\", role = \"Team Agent\" }]");
    project.add("safety", "max_invalid = 1");
    project.edit("role = \"Team Agent\"", "role = \"{{ 'Team Agent' }}\"");
    let (ran, _) = project.json(&["sync", "--yes"]);
    ran.expect(0).says(&["people.csv:3", "Biling", "teams"]);
    assert_eq!(
        serde_json::to_value(&tenant.account("ana").privileges).unwrap(),
        json!([{ "teamid": 12, "role": "Team Agent" }])
    );

    project.write("teams.csv", "team,number\nCare,1\nCare,12\n");
    project.run(&["check"]).expect(1).says(&["teams.csv", "Care", "2", "3"]);
    project.write("teams.csv", "name,number\nCare,1\n");
    project.run(&["check"]).expect(1).says(&["teams.csv", "team"]);
}

#[test]
fn dotted_keys_map_one_column_each_and_keep_the_rest() {
    let tenant = Tenant::with(&[but(
        account(1, "ana", "Ana", "Diaz"),
        json!({ "skill_attributes": { "English": 10, "Chess": 3 } }),
    )]);
    let project = tenant.connect(crate::support::Project::small(
        "id,login,email,first,last,title,status,english,spanish\nE1,ana,ana@example.com,Ana,Diaz,Agent,active,90,40\n",
    ));
    project.add("map", "skill_attributes.English = \"english\"\nskill_attributes.Spanish = \"spanish\"");
    project.sync(0);
    let skills = serde_json::to_value(tenant.account("ana").skill_attributes).unwrap();
    assert_eq!(skills, json!({ "English": 90, "Spanish": 40, "Chess": 3 }));
    assert_eq!(counts(&project.sync(0), "planned"), "");
}

#[test]
fn an_empty_cell_is_ignored_cleared_or_an_error_as_the_setting_says() {
    let rows = "E1,ana,ana@example.com,Ana,Diaz,,active\n";
    let titled = || Tenant::with(&[account(1, "ana", "Ana", "Diaz")]);
    let tenant = titled();
    assert_eq!(counts(&tenant.project(rows).sync(0), "planned"), "");
    assert_eq!(tenant.account("ana").job_description, "Agent");

    let tenant = titled();
    let project = tenant.project(rows);
    project.add("source", "blank = \"clear\"");
    project.run(&["plan"]).expect(0).says(&["job_description: Agent → (empty)"]);
    assert_eq!(counts(&project.sync(0), "applied"), "update 1");
    assert_eq!(tenant.account("ana").job_description, "");
    assert_eq!(counts(&project.sync(0), "planned"), "");

    let tenant = titled();
    let project = tenant.project(rows);
    project.add("source", "blank = \"error\"").add("safety", "max_invalid = 1");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(0).says(&["people.csv:2", "title"]);
    assert_eq!(counts(&summary, "found"), "absent 1, invalid 1");
    tenant.unchanged();
}

#[test]
fn of_two_rows_for_one_person_the_first_or_the_last_counts_where_that_is_set() {
    let rows = [row("E1", "ana", "First", "Diaz"), row("E1", "ana", "Last", "Diaz")].concat();
    for (setting, name) in [("first", "First"), ("last", "Last")] {
        let tenant = Tenant::with(&[]);
        let project = tenant.project(&rows);
        project.add("source", &format!("duplicates = \"{setting}\""));
        project.sync(0);
        assert_eq!(tenant.account("ana").first_name, name);
    }
}

#[test]
fn rows_that_failed_come_back_mended_through_the_error_sheet() {
    let faults = "[[rule]]\non = { op = \"create\", login = \"cy\" }\n\
                  then = { status = 400, code = 3111, description = \"Email already exists\" }\n";
    let tenant = Tenant::with_faults(&[], faults);
    let project = tenant.project(&(three_rows() + "E4,dee\n"));
    project.edit("[journal]", "[report]\nerrors = \"reports/errors\"\n\n[journal]");
    project.add("safety", "max_invalid = 5\nmax_row_drop = \"100%\"");
    project.run(&["plan"]).expect(0).says(&["reports/errors.csv"]);
    let planned = project.read("reports/errors.csv");
    assert_eq!(planned.lines().count(), 2, "{planned}");
    assert_eq!(project.mode("reports/errors.csv"), 0o600);

    let summary = project.sync(4);
    assert_eq!(counts(&summary, "applied"), "create 2");
    let sheet = project.read("reports/errors.csv");
    let lines: Vec<_> = sheet.lines().collect();
    let header = format!("{},headcount_line,headcount_error,headcount_hint", COLUMNS.trim_end());
    assert_eq!((lines.len(), lines[0]), (3, header.as_str()));
    assert!(lines[1].starts_with("E3,cy,cy@example.com,Cy,Young,Agent,active,4,"), "{sheet}");
    assert!(lines[1].contains("Email already exists"), "{sheet}");
    assert!(lines[2].starts_with("E4,dee,,,,,,5,the row has 2 cells instead of 7,"), "{sheet}");

    project.write("people.csv", sheet.replace("E4,dee,,,,,", "E4,dee,dee@example.com,Dee,Day,Agent,active"));
    assert_eq!(counts(&project.sync(0), "applied"), "create 2");
    assert_eq!(tenant.account("dee").last_name, "Day");
    assert_eq!(project.read("reports/errors.csv").lines().count(), 1, "nothing is left to be mended");
}

#[test]
fn an_export_that_is_packed_or_json_is_read_like_any_other() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project("");
    let text = "{\"id\":\"E1\",\"login\":\"jose\",\"email\":\"jose@example.com\",\"first\":\"José\",\"last\":\"Peña\",\
                \"title\":\"Agent\",\"status\":\"active\"}\n";
    project.write("people.jsonl", text).edit("people.csv", "people.jsonl");
    project.sync(0);
    assert_eq!(tenant.account("jose").last_name, "Peña");
    assert_eq!(counts(&project.sync(0), "found"), "unchanged 1");
    assert_eq!(project.files(".headcount").iter().filter(|file| file.ends_with(".csv")).count(), 0);
}
