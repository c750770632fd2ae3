//! Small exports, recognised and proposed.

use super::*;
use crate::model::{Columns, Record};

/// What comes of an export that is given as lines with `|` between the cells.
struct Made {
    recognised: Recognised,
    census: Census,
}

fn made(lines: &[&str]) -> Made {
    let cells = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
    let columns = Columns::new(cells(lines[0]));
    let records: Vec<Record> = lines[1..]
        .iter()
        .map(|line| {
            let mut record = Record::default();
            cells(line).iter().for_each(|cell| record.push(cell));
            record
        })
        .collect();
    let mut sample = ExportSample::new(&columns);
    for record in &records {
        sample.take(record);
    }
    let recognised = recognise(&sample.finish());
    let mut census = Census::new(&recognised);
    records.iter().for_each(|record| census.take(record));
    Made { recognised, census }
}

impl Made {
    fn name(&self, meaning: Meaning) -> Option<&str> {
        self.recognised.name(meaning)
    }

    fn text(&self, blueprint: &'static Blueprint, answers: &Answers) -> String {
        let place = ExportPlace {
            source: "hr.csv".into(),
            header_row: 1,
            state: ".headcount".into(),
            ..ExportPlace::default()
        };
        config_text(&propose(blueprint, &self.recognised, &self.census, &place, None, answers).unwrap(), &["imichat"])
    }

    /// The value of a line of `[map]`, comments left out.
    fn map(&self, blueprint: &'static Blueprint, attribute: &str) -> Option<String> {
        let text = self.text(blueprint, &Answers::default());
        let table: toml::Table = toml::from_str(&text).unwrap();
        table["map"].get(attribute).map(ToString::to_string)
    }
}

fn blueprint(kind: &str) -> &'static Blueprint {
    crate::connectors::find_kind(kind).unwrap().blueprint
}

const PEOPLE: [&str; 4] = [
    "Employee ID|First Name|Last Name|Work Email|Job Title|Status",
    "E1|Ana|Diaz|ana.diaz@example.com|Agent|Active",
    "E2|Bo|Li|bo.li@example.com|Lead|Terminated",
    "E3|Cy|Young|cy.young@example.com|Agent|Active",
];

#[test]
fn a_plain_export_is_recognised_by_its_names() {
    let made = made(&PEOPLE);
    let names = [Meaning::FirstName, Meaning::LastName, Meaning::Email, Meaning::Title, Meaning::Status];
    let found = names.map(|meaning| made.name(meaning).unwrap());
    assert_eq!(found, ["First Name", "Last Name", "Work Email", "Job Title", "Status"]);
    assert_eq!(made.recognised.columns[made.census.identity().unwrap().column], "Employee ID");
    assert_eq!(
        made.map(blueprint("imichat"), "login_id").unwrap(),
        "\"{{ row['Work Email'] | lower | before('@') }}\""
    );
    assert!(
        made.map(blueprint("imichat"), "status")
            .unwrap()
            .contains("'inactive' if Status in ['Terminated'] else 'active'")
    );
    assert!(made.map(blueprint("scim"), "active").unwrap().contains("{{ Status not in ['Terminated'] }}"));
    assert!(made.map(blueprint("brightpattern"), "disabled").unwrap().contains("{{ Status in ['Terminated'] }}"));
}

#[test]
fn a_name_that_the_cells_refute_is_not_believed() {
    let made = made(&["Email|Contact|ID", "yes|ana@example.com|1", "no|bo@example.com|2"]);
    assert_eq!(made.name(Meaning::Email), Some("Contact"));
}

#[test]
fn the_name_that_says_most_is_taken() {
    let made = made(&[
        "ID|Personal Email|Email|Work Email|Employee Status|Status",
        "1|a@home.org|a@x.org|a@example.com|Full-Time|Active",
        "2|b@home.org|b@x.org|b@example.com|Contractor X|Terminated",
    ]);
    assert_eq!(made.name(Meaning::Email), Some("Work Email"));
    assert_eq!(made.name(Meaning::Status), Some("Status"));
    assert!(made.recognised.found.iter().all(|found| found.column != 1));
}

#[test]
fn an_identity_is_there_for_everybody_and_different_for_everybody() {
    let made =
        made(&["Employee ID|Badge Number|Email", "E1|7|ana@example.com", "E1|8|bo@example.com", "E2|9|cy@example.com"]);
    assert_eq!(made.recognised.columns[made.census.identity().unwrap().column], "Badge Number");
    let none = self::made(&["Employee ID|Email", "E1|ana@example.com", "|ana@example.com"]);
    assert_eq!(none.census.identity(), None);
    assert!(none.text(blueprint("imichat"), &Answers::default()).contains("# identity = "));
}

#[test]
fn an_address_alone_is_identity_and_login() {
    let made = made(&["Email", "ana@example.com", "bo@example.com"]);
    let text = made.text(blueprint("imichat"), &Answers::default());
    assert!(text.contains("identity = \"Email\""), "{text}");
    // What stands before the @ may be the same for two people.
    let twins = self::made(&["Email", "ana@example.com", "ana@example.org"]);
    assert_eq!(twins.map(blueprint("imichat"), "login_id").unwrap(), "\"{{ Email | lower }}\"");
}

#[test]
fn a_name_in_one_cell_is_cut_where_it_is_written() {
    let last_first = made(&["ID|Name", "1|Diaz, Ana", "2|Li, Bo"]);
    assert_eq!(last_first.map(blueprint("imichat"), "first_name").unwrap(), "\"{{ Name | after(',') }}\"");
    assert_eq!(last_first.map(blueprint("imichat"), "last_name").unwrap(), "\"{{ Name | before(',') }}\"");
    let first_last = made(&["ID|Nombre", "1|Ana Diaz", "2|Bo Li"]);
    assert_eq!(first_last.map(blueprint("imichat"), "last_name").unwrap(), "\"{{ Nombre | after(' ') }}\"");
}

#[test]
fn who_is_away_keeps_the_account_unless_somebody_says_otherwise() {
    let made = made(&["ID|Status", "1|Aktiv", "2|Elternzeit", "3|ausgetreten", "4|Bewerber"]);
    let status = |answers: &Answers| {
        let text = made.text(blueprint("imichat"), answers);
        text.lines().find(|line| line.starts_with("status")).unwrap().to_owned()
    };
    assert!(status(&Answers::default()).contains("in ['ausgetreten'] else"));
    let answers = Answers { inactive: ["Elternzeit".to_owned()].into(), ..Answers::default() };
    assert!(status(&answers).contains("in ['Elternzeit', 'ausgetreten'] else"));
    assert!(made.text(blueprint("imichat"), &Answers::default()).contains("include = \"Status != 'Bewerber'\""));
}

#[test]
fn a_last_day_stands_in_for_a_status() {
    let made = made(&["ID|Austrittsdatum", "1|2020-01-31", "2|"]);
    let status = made.map(blueprint("scim"), "active").unwrap();
    assert!(status.contains("date('%Y-%m-%d') < today()") && status.contains("false if"), "{status}");
}

#[test]
fn what_nothing_gives_is_marked_and_said() {
    let made = made(&["Employee ID|Vorname", "1|Ana", "2|Bo"]);
    let place = ExportPlace { header_row: 1, ..ExportPlace::default() };
    let proposal =
        propose(blueprint("imichat"), &made.recognised, &made.census, &place, None, &Answers::default()).unwrap();
    assert_eq!(proposal.missing.iter().map(|missing| missing.attribute.as_str()).collect::<Vec<_>>(), ["email_id"]);
    assert!(config_text(&proposal, &["imichat"]).contains("# >>> FILL IN: email_id is needed"));
    let nothing = self::made(&["colour", "red", "red"]);
    let answers = Answers::default();
    assert_eq!(propose(blueprint("imichat"), &nothing.recognised, &nothing.census, &place, None, &answers), None);
}

#[test]
fn names_and_values_with_any_sign_are_written_so_that_they_read_back() {
    let made = made(&[
        "it's \"the\" \\ Status\n2|E-Mail {{x}}|if",
        "it's gone \\ \"x\" left|ana@example.com|1",
        "Active|bo@example.com|2",
    ]);
    let answers = Answers { inactive: ["it's gone \\ \"x\" left".to_owned()].into(), ..Answers::default() };
    for blueprint in [blueprint("imichat"), blueprint("brightpattern"), blueprint("scim")] {
        let text = made.text(blueprint, &answers);
        let _: toml::Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

#[test]
fn a_proposal_knows_which_columns_it_uses() {
    let made = made(&[
        "ID|First|Vor'name|Work Email|Status|Team",
        "1|x|Ana|ana@example.com|Aktiv|A",
        "2|y|Bo|bo@example.com|Sorti|B",
    ]);
    let place = ExportPlace { header_row: 1, ..ExportPlace::default() };
    let proposal =
        propose(blueprint("scim"), &made.recognised, &made.census, &place, None, &Answers::default()).unwrap();
    let used: Vec<&str> =
        made.recognised.columns.iter().map(String::as_str).filter(|column| proposal.uses(column)).collect();
    assert_eq!(used, ["ID", "Vor'name", "Work Email", "Status", "Team"]);
}

#[test]
fn every_line_of_a_proposal_is_explained() {
    let text = made(&PEOPLE).text(blueprint("imichat"), &Answers::default());
    let mut above = "";
    for line in text.lines() {
        let is_setting =
            line.contains(" = ") && !line.starts_with("# ") || line.starts_with("# ") && line.contains(" = ");
        let is_explained = line.matches('#').count() > usize::from(line.starts_with('#')) || above.ends_with(':');
        assert!(!is_setting || is_explained || line.contains("{ table }"), "{line:?} in\n{text}");
        above = line;
    }
}

#[test]
fn memory_stays_bounded_however_many_values_a_column_has() {
    let columns = Columns::new(vec!["ID".into(), "Status".into()]);
    let mut sample = ExportSample::new(&columns);
    let mut record = Record::default();
    let mut rows = 0;
    loop {
        record.clear();
        record.push(&format!("{rows}"));
        record.push(&format!("value {rows}"));
        rows += 1;
        if !sample.take(&record) {
            break;
        }
    }
    assert_eq!(rows, 10_000);
    let profile = sample.finish();
    assert!(profile.columns.iter().all(|column| column.values.is_none()));
}
