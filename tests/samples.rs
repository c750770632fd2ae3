//! What the samples hold, judged without any of headcount's own mapping and comparing: the first run over them shows
//! something of everything, and stays below every limit of the sample configuration.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use headcount::connectors::find_kind;
use headcount::sandbox::{Faults, Options, Seed, start};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

type Row = HashMap<String, String>;

/// The rows of the export, and how many records have too few cells.
fn rows() -> (Vec<Row>, usize) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(sample("hr_export.csv")).unwrap();
    let columns = reader.headers().unwrap().clone();
    let expected =
        "employee_id,first_name,last_name,work_email,job_title,team,role,skills,status,manager_id,location,start_date";
    assert_eq!(columns.iter().collect::<Vec<_>>().join(","), expected);
    let (whole, short): (Vec<_>, Vec<_>) =
        reader.records().map(Result::unwrap).partition(|record| record.len() == columns.len());
    let named = |record: &csv::StringRecord| columns.iter().zip(record).map(|(a, b)| (a.into(), b.into())).collect();
    (whole.iter().map(named).collect(), short.len())
}

fn accounts() -> Vec<Value> {
    let text = std::fs::read_to_string(sample("accounts.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["accounts"].as_array().unwrap().clone()
}

fn teams() -> HashSet<String> {
    let mut reader = csv::Reader::from_path(sample("teams.csv")).unwrap();
    assert_eq!(reader.headers().unwrap(), vec!["team_name", "team_id"]);
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            assert!(record[1].parse::<u32>().is_ok());
            record[0].to_owned()
        })
        .collect()
}

fn login(row: &Row) -> String {
    row["work_email"].to_lowercase().split('@').next().unwrap().to_owned()
}

fn text(account: &Value, field: &str) -> String {
    account[field].as_str().unwrap().to_owned()
}

fn protected(account: &Value) -> bool {
    let login = text(account, "login_id");
    account["role_type"] == "Administrative" || login.starts_with("admin") || login.starts_with("svc-")
}

/// `None` where a pair has no value.
fn skills(cell: &str) -> Option<BTreeMap<String, String>> {
    cell.split(';')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once(':').filter(|(_, value)| !value.is_empty()))
        .map(|pair| pair.map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect()
}

/// A skill of an account as text: the wire has numbers and texts.
fn skill(account: &Value, name: &str) -> Option<String> {
    let value = account["skill_attributes"].get(name)?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn same(a: &str, b: &str) -> bool {
    a.nfc().eq(b.nfc())
}

/// What differs between a row and its account, of what an update may change.
fn differs(row: &Row, account: &Value) -> bool {
    let name = |column: &str, field: &str| !row[column].is_empty() && !same(&row[column], &text(account, field));
    let skills = skills(&row["skills"]).unwrap();
    name("first_name", "first_name")
        || name("last_name", "last_name")
        || account["login_using_email"] != true
        || skills.iter().any(|(key, value)| skill(account, key).as_ref() != Some(value))
}

#[derive(Debug, Default, PartialEq)]
struct Found {
    create: usize,
    update: usize,
    deactivate: usize,
    reactivate: usize,
    drift: usize,
    invalid: usize,
    skipped: usize,
    unchanged: usize,
    absent: usize,
    protected: usize,
}

fn first_run() -> Found {
    let (rows, short) = rows();
    let (accounts, teams) = (accounts(), teams());
    let mut found = Found { invalid: short, ..Found::default() };
    let mut met = HashSet::new();
    for row in rows.iter().filter(|row| row["status"] != "Applicant") {
        if !teams.contains(&row["team"]) || skills(&row["skills"]).is_none() {
            found.invalid += 1;
            continue;
        }
        let (login, email) = (login(row), row["work_email"].to_lowercase());
        let account = accounts
            .iter()
            .find(|account| text(account, "login_id") == login)
            .or_else(|| accounts.iter().find(|account| text(account, "email_id") == email));
        let leaver = ["Terminated", "Leave"].contains(&row["status"].as_str());
        let Some(account) = account else {
            if leaver {
                found.skipped += 1
            } else {
                found.create += 1
            }
            continue;
        };
        assert!(met.insert(account["id"].clone()), "two rows for {login}");
        assert!(!protected(account), "a row for {login}");
        let drifts = text(account, "login_id") != login || text(account, "email_id") != email;
        let kinds = [
            (leaver && account["status"] == "active", &mut found.deactivate),
            (!leaver && account["status"] == "inactive", &mut found.reactivate),
            (differs(row, account), &mut found.update),
            (drifts, &mut found.drift),
        ];
        let mut of_a_kind = kinds.into_iter().filter(|(holds, _)| *holds);
        match of_a_kind.next() {
            Some((_, count)) => *count += 1,
            None => found.unchanged += 1,
        }
        assert!(of_a_kind.next().is_none(), "{login} is of two kinds");
    }
    found.protected = accounts.iter().filter(|account| protected(account)).count();
    found.absent = accounts.len() - met.len() - found.protected;
    found
}

#[test]
fn the_first_run_shows_something_of_everything() {
    let expected = Found {
        create: 31,
        update: 32,
        deactivate: 7,
        reactivate: 4,
        drift: 2,
        invalid: 2,
        skipped: 4,
        unchanged: 174,
        absent: 5,
        protected: 4,
    };
    assert_eq!(first_run(), expected);
}

#[test]
fn the_first_run_stays_below_every_limit() {
    let found = first_run();
    let scope = accounts().len() - found.protected;
    assert!(found.create * 100 < scope * 20);
    assert!((found.update + found.reactivate) * 100 < scope * 30);
    assert!(found.deactivate * 100 < scope * 10);
    assert!(found.invalid * 100 < rows().0.len() * 5);
}

#[test]
fn the_export_looks_like_a_real_one() {
    let (rows, _) = rows();
    let any = |test: &dyn Fn(&Row) -> bool| rows.iter().any(test);
    assert!(rows.len() >= 250);
    let ids: HashSet<&String> = rows.iter().map(|row| &row["employee_id"]).collect();
    assert_eq!(ids.len(), rows.len(), "every employee has a number of their own");
    let logins: HashSet<String> = rows.iter().map(login).collect();
    assert_eq!(logins.len(), rows.len(), "and a login");
    assert!(any(&|row| row["last_name"] == "O'Brien"));
    assert!(any(&|row| row["job_title"].contains(',')) && any(&|row| row["job_title"].contains('\n')));
    assert!(any(&|row| row["job_title"].contains('"')));
    assert!(any(&|row| row["work_email"] != row["work_email"].to_lowercase()));
    assert!(any(&|row| !row["first_name"].nfc().eq(row["first_name"].chars())), "one name is in NFD");
    assert!(any(&|row| row["role"] == "Team Manager" && row["status"] == "Active"));
    assert!(any(&|row| row["job_title"].is_empty()) && any(&|row| row["skills"].is_empty()));
    for status in ["Active", "Leave", "Terminated", "Applicant"] {
        assert!(any(&|row| row["status"] == status), "{status}");
    }
    for row in rows.iter().filter(|row| !row["manager_id"].is_empty()) {
        assert!(ids.contains(&row["manager_id"]), "{row:?}");
    }
    assert!(rows.iter().all(|row| row["work_email"].to_lowercase().ends_with("@example.com")));
}

#[test]
fn some_accounts_have_skills_that_the_export_does_not_name() {
    let (rows, _) = rows();
    let named: HashMap<String, Row> = rows.into_iter().map(|row| (login(&row), row)).collect();
    let has_more = |account: &Value| {
        named.get(&text(account, "login_id")).is_some_and(|row| {
            let skills = skills(&row["skills"]).unwrap_or_default();
            !skills.is_empty()
                && account["skill_attributes"].as_object().unwrap().keys().any(|key| !skills.contains_key(key))
        })
    };
    assert!(accounts().iter().filter(|account| has_more(account)).count() >= 5);
}

#[tokio::test]
async fn the_sandbox_starts_from_the_accounts_and_understands_the_faults() {
    let faults = Faults::load_script(&sample("faults.toml")).unwrap();
    let from_file = start(Options { seed: Seed::File(sample("accounts.json")), faults, ..Options::default() }).await;
    let built_in = start(Options { seed: Seed::Sample, ..Options::default() }).await.unwrap();
    assert_eq!(from_file.unwrap().accounts(), built_in.accounts());
    assert_eq!(built_in.accounts().len(), accounts().len());
}

#[tokio::test]
async fn the_sandboxes_of_the_other_kinds_start_from_their_accounts() {
    for (kind, name) in [("brightpattern", "brightpattern_accounts.json"), ("scim", "scim_accounts.json")] {
        let kind = find_kind(kind).unwrap();
        let from_file = Options { system: (kind.simulate)(), seed: Seed::File(sample(name)), ..Options::default() };
        let built_in =
            start(Options { system: (kind.simulate)(), seed: Seed::Sample, ..Options::default() }).await.unwrap();
        assert_eq!(start(from_file).await.unwrap().accounts_json(), built_in.accounts_json(), "{name}");
        assert!(built_in.accounts_json().len() > 200);
    }
}

/// What two runs over a copy of the samples say.
fn two_runs(config: &str) -> [Value; 2] {
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples");
    std::fs::create_dir(&samples).unwrap();
    for file in std::fs::read_dir(sample("")).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), samples.join(file.file_name())).unwrap();
    }
    let run = || {
        let output = Command::new(env!("CARGO_BIN_EXE_headcount"))
            .args(["--format", "json", "--no-progress", "-c"])
            .arg(samples.join(config))
            .args(["sync", "--yes"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{config}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    [run(), run()]
}

/// What a run did, and what it found besides.
fn counts(summary: &Value) -> [u64; 9] {
    let applied =
        ["create", "update", "deactivate", "reactivate"].map(|kind| summary["applied"][kind].as_u64().unwrap());
    let found =
        ["drift", "invalid", "skipped", "absent", "protected"].map(|kind| summary["found"][kind].as_u64().unwrap());
    let mut counts = [0; 9];
    counts[..4].copy_from_slice(&applied);
    counts[4..].copy_from_slice(&found);
    counts
}

#[test]
fn the_sample_of_bright_pattern_runs_and_a_second_run_changes_nothing() {
    let [first, second] = two_runs("brightpattern.toml");
    assert_eq!(counts(&first), [31, 20, 7, 4, 2, 2, 4, 5, 4], "{first}");
    assert_eq!((&first["outcome"], &first["held"]), (&"complete".into(), &0.into()));
    assert_eq!(counts(&second), [0, 0, 0, 0, 2, 2, 4, 5, 4], "{second}");
    assert_eq!(second["outcome"], "no_changes");
}

#[test]
fn the_sample_of_scim_runs_and_a_second_run_changes_nothing() {
    let [first, second] = two_runs("scim.toml");
    assert_eq!(counts(&first), [31, 24, 7, 4, 1, 1, 4, 5, 4], "{first}");
    assert_eq!((&first["outcome"], &first["held"]), (&"complete".into(), &0.into()));
    assert_eq!(counts(&second), [0, 0, 0, 0, 1, 1, 4, 5, 4], "{second}");
    assert_eq!(second["outcome"], "no_changes");
}
