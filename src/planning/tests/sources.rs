//! The source: rows that count, rows that stand for one person, rows in another order, a file that changes.

use super::*;
use crate::model::TestMonitor;

#[test]
fn only_rows_that_are_included_count() {
    let office = Office::new().source("include = \"title != 'Applicant'\"");
    let made = office.survey(&csv(&["1,a,a@x.org,A,Applicant,,", "2,b,b@x.org,B,Agent,,"]));
    assert_eq!(made.actions(), ["create b: login,email,name,title,password"]);
    let source = &made.surveyed.header.source;
    assert_eq!((source.included, source.files[0].rows), (1, 2));
    assert!(source.files[0].path.ends_with("hr.csv"));
}

#[test]
fn two_rows_of_one_person_are_an_error_that_names_both() {
    let rows = csv(&["1,a,a@x.org,A,,,", "2,b,b@x.org,B,,,", "1,a2,a2@x.org,A2,,,", "3,B,c@x.org,C,,,"]);
    let error = Office::new().try_survey(&rows).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 rows stand for a person who has a row already:\n  hr.csv:2 and hr.csv:4 have the same identity\n  \
         hr.csv:3 and hr.csv:5 have the same login"
    );
}

#[test]
fn of_two_rows_of_one_person_the_one_that_was_asked_for_counts() {
    for (which, name) in [("first", "A"), ("last", "A3")] {
        let office = Office::new().source(&format!("duplicates = \"{which}\""));
        let made = office.survey(&csv(&["1,a,a@x.org,A,,,", "1,a,a@x.org,A2,,,", "1,a,a@x.org,A3,,,"]));
        assert_eq!(made.actions.len(), 1);
        assert_eq!(made.actions[0].changes[2].to, Value::text(name), "{which}");
        assert_eq!(made.findings.iter().filter(|f| f.finding == FindingKind::Skipped).count(), 2);
    }
}

#[test]
fn who_has_a_key_in_common_with_a_row_that_does_not_count_is_neither_in_conflict_nor_absent() {
    let office = Office::new()
        .source("duplicates = \"last\"")
        .policy("absent = \"deactivate\"\nabsent_for = { runs = 1, days = 0 }");
    office.account("ana", "Ana", "active");
    let made = office.survey(&csv(&["1,ana,z@x.org,Zoe,,,", "2,ana,ana@x.org,Ana,,,", "1,zoe,z@x.org,Zoe,,,"]));
    assert!(made.actions.iter().all(|action| action.action != ActionKind::Deactivate), "{:?}", made.actions());
    let found: Vec<_> = made.findings.iter().map(|finding| finding.finding).collect();
    assert_eq!(found, [FindingKind::Skipped], "{:?}", made.findings);
}

#[test]
fn without_an_identity_two_rows_without_any_key_are_invalid_and_not_one_person() {
    let office = Office { identity: false, ..Office::new() };
    let made = office.survey(&csv(&["1,,,A,,,", "2,,,B,,,", "3,c,c@x.org,C,,,"]));
    assert_eq!(made.findings.iter().filter(|f| f.finding == FindingKind::Invalid).count(), 2);
    assert_eq!(made.actions.len(), 1);
    assert_eq!(made.notes, []);
}

#[test]
fn neither_the_order_of_rows_nor_that_of_accounts_changes_what_is_done() {
    let rows: Vec<String> = (0..40)
        .map(|n| {
            format!(
                "{n},p{n},p{n}@x.org,{},,{},",
                if n % 3 == 0 { "New" } else { "N" },
                if n % 7 == 0 { "left" } else { "" }
            )
        })
        .collect();
    let plan = |order: u64| {
        let office = Office::new().policy("absent = \"deactivate\"\nabsent_for = { runs = 1, days = 0 }");
        (10..50).for_each(|n| {
            office.account(&format!("p{n}"), "N", if n % 5 == 0 { "inactive" } else { "active" });
        });
        office.target.shuffle(order);
        let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        rows.rotate_left(usize::try_from(order).unwrap() * 11 % 40);
        if order % 2 == 1 {
            rows.reverse();
        }
        let made = office.survey(&csv(&rows));
        let actions: Vec<Action> = made.actions.iter().map(|a| Action { source: None, ..a.clone() }).collect();
        (actions, made.findings(), made.surveyed.header.listing.digest)
    };
    let first = plan(0);
    assert!(first.0.len() > 20);
    for order in 1..5 {
        assert_eq!(plan(order), first);
    }
}

#[test]
fn many_rows_go_through_all_the_threads_and_come_out_in_order() {
    let rows: Vec<String> =
        (0..3_000).map(|n| format!("{n},p{n},p{n}@x.org,N,,,{}", if n % 2 == 0 { "bad" } else { "" })).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let made = Office::new().survey(&csv(&rows));
    assert_eq!((made.actions.len(), made.findings.len()), (1_500, 1_500));
    let lines: Vec<u32> = made.findings.iter().map(|finding| finding.source.as_ref().unwrap().line).collect();
    assert!(lines.is_sorted());
}

#[cfg(unix)]
#[test]
fn findings_that_cannot_be_written_end_the_reading_of_a_long_source() {
    // The disk is full; the reader must not wait for ever for somebody to take its rows.
    use std::os::unix::fs::FileTypeExt;
    let path = std::path::Path::new("/dev/full");
    if !std::fs::metadata(path).is_ok_and(|file| file.file_type().is_char_device()) {
        return;
    }
    let office = Office::new();
    std::os::unix::fs::symlink(path, office.dir.path().join("findings.jsonl")).unwrap();
    let rows: Vec<String> = (0..60_000).map(|n| format!("{n},p{n},p{n}@x.org,N,,,bad")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let error = office.try_survey(&csv(&rows)).unwrap_err();
    assert!(matches!(&error, PlanningError::File { path, .. } if path.ends_with("findings.jsonl")), "{error}");
}

/// Writes another export once the first pass is over.
struct Meddler {
    path: PathBuf,
    to: &'static str,
    inner: TestMonitor,
}

impl Monitor for Meddler {
    fn rows_read(&self, rows: u64, total: Option<u64>) {
        self.inner.rows_read(rows, total);
    }
    fn pages_listed(&self, _: u64, _: u64, _: Option<u64>) {}
    fn actions_done(&self, _: &crate::model::Done) {}
    fn note(&self, _: &str) {}
    fn waiting(&self, _: &str, _: u64) {}
    fn ended(&self, phase: crate::model::Phase) {
        if phase == crate::model::Phase::Reading {
            std::fs::write(&self.path, format!("{HEADER}{}", self.to)).unwrap();
        }
    }
}

#[test]
fn a_source_that_changes_between_its_two_readings_is_an_error() {
    for to in ["1,a,a@x.org,Anna,,,\n", "", "1,a,a@x.org,A,,,\n2,b,b@x.org,B,,,\n", "1,a,a@x.org,A,,,bad\n", "1,a\n"] {
        let office = Office::new();
        let path = office.dir.path().join("hr.csv");
        std::fs::write(&path, csv(&["1,a,a@x.org,A,,,"])).unwrap();
        let settings = office.settings();
        let schema = office.target.schema();
        let rules = fake::rules(schema);
        let source = Source::open(&settings.source, office.dir.path()).unwrap();
        let options = Options { creates: Creates::Possible, table: 0..0 };
        let today = jiff::civil::date(2026, 11, 22);
        let lookups = std::iter::empty().collect();
        let mapping = Mapping::compile(&settings.map, schema, source.columns(), lookups, today, &options).unwrap();
        let memory = office.memory();
        let inputs = PlanInputs {
            settings: &settings,
            schema,
            rules: &rules,
            source: &source,
            mapping: &mapping,
            memory: &memory,
            clock: &*office.clock,
            monitor: &Meddler { path, to, inner: TestMonitor::new() },
            target: String::new(),
            accounts: Accounts::Live(&office.target),
            dir: office.dir.path(),
            snapshot: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(make_plan(&inputs)).unwrap_err();
        assert!(matches!(error, PlanningError::SourceChanged(_) | PlanningError::Source(_)), "{to:?}: {error}");
    }
}

#[test]
fn an_export_stands_for_the_tenant_that_it_was_written_from() {
    let office =
        Office::new().policy("absent = \"deactivate\"\nabsent_for = { runs = 1, days = 0 }\nprotect = [\"adm*\"]");
    for n in 0..30 {
        let id = office.account(&format!("p{n}"), "N", if n % 5 == 0 { "inactive" } else { "active" });
        if n % 4 == 0 {
            office.target.meddle(&id, SKILLS, serde_json::from_str(r#"{"English":100,"Chess; fast":7}"#).unwrap());
        }
    }
    let chief = office.account("chief", "Chief", "active");
    office.target.meddle(&chief, ROLE, Value::text("Administrative"));
    office.account("admin", "Admin", "active");
    let rows: Vec<String> = (10..40)
        .map(|n| {
            format!("{n},p{n},p{n}@x.org,{},,{},English:{}", ["N", "M"][n % 2], ["", "", "left"][n % 3], 90 + n % 4 * 5)
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let live = office.survey(&csv(&rows));
    let export = office.export();
    let recorded = office.survey_against(csv(&rows), Accounts::Recorded(&export), &office.target).unwrap();
    assert!(live.actions.len() > 20);
    assert_eq!(recorded.actions, live.actions);
    assert_eq!(recorded.findings(), live.findings());
    assert_eq!(recorded.unchanged(), live.unchanged());
    let header = recorded.surveyed.header;
    assert_eq!(header.against.as_deref(), Some(export.to_str().unwrap()));
    assert_eq!((header.requests.list, header.listing.in_scope), (0, live.surveyed.header.listing.in_scope));
}

#[test]
fn what_is_no_export_of_accounts_says_why() {
    let office = Office::new();
    for (text, why) in [
        ("id,login\n1,a\n", "it has no column \"account\""),
        ("account,login\n1,a\n", "it has no column \"email\""),
        ("account,login,email,name,status,skills\n,a,a,a,active,\n", "line 2: the column \"account\" is empty"),
        ("account,login,email,name,status,skills\n1,a\n", "line 2: the row has 2 cells"),
    ] {
        let path = office.dir.path().join("accounts.csv");
        std::fs::write(&path, text).unwrap();
        let rows = csv(&["1,a,a@x.org,A,,,"]);
        let error = office.survey_against(&rows, Accounts::Recorded(&path), &office.target).unwrap_err();
        assert!(matches!(error, PlanningError::Recorded { .. }) && error.to_string().contains(why), "{error}");
    }
}
