//! `headcount export`, end to end: what it writes is what `plan --against` compares with, and what another target's
//! mapping reads.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use headcount::sandbox::{Faults, Options, Sandbox, Seed, start};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with the sample configuration and what it reads.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(dir.path().join("samples")).unwrap();
    for file in ["config.toml", "samples/hr_export.csv", "samples/teams.csv"] {
        fs::copy(here.join(file), dir.path().join(file)).unwrap();
    }
    // The pace of a tenant is no matter here.
    set(&dir, "requests_per_second = 5 ", "requests_per_second = 0 ");
    dir
}

fn set(dir: &TempDir, from: &str, to: &str) {
    let path = dir.path().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn headcount(dir: &TempDir, args: &[&str]) -> Output {
    let mut command = assert_cmd::Command::cargo_bin("headcount").unwrap();
    command.current_dir(dir.path()).args(args).arg("--no-progress");
    command.env("IMICHAT_API_KEY", "a key").env("BP_SECRET", "a secret").output().unwrap()
}

fn done(dir: &TempDir, args: &[&str]) -> Output {
    let output = headcount(dir, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {error}");
    output
}

/// A plan's header, its actions as they stand in the file, and its findings, sorted.
fn plan(dir: &TempDir, file: &str) -> (Value, Vec<String>, Vec<String>) {
    let text = fs::read_to_string(dir.path().join(file)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let header: Value = serde_json::from_str(&lines.remove(0)).unwrap();
    // The last line seals the header as well.
    assert!(lines.pop().unwrap().starts_with("{\"end\""));
    let name = header["plan"].as_str().unwrap();
    let findings = dir.path().join(".headcount/plans").join(name).join("findings.jsonl");
    let mut findings: Vec<String> = fs::read_to_string(findings).unwrap().lines().map(str::to_owned).collect();
    // Its seal is about an order in which they need not come.
    assert!(findings.pop().unwrap().starts_with("{\"end\""));
    findings.sort();
    (header, lines, findings)
}

fn rows(file: &Path) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn a_plan_against_an_export_is_the_plan_against_the_live_tenant() {
    let dir = folder();
    done(&dir, &["plan", "-o", "live.jsonl"]);
    done(&dir, &["export", "-o", "accounts.csv"]);
    done(&dir, &["plan", "--against", "accounts.csv", "-o", "recorded.jsonl"]);
    let (live, actions, findings) = plan(&dir, "live.jsonl");
    let (recorded, recorded_actions, recorded_findings) = plan(&dir, "recorded.jsonl");
    assert!(actions.len() > 10 && !findings.is_empty());
    assert_eq!(actions.len(), recorded_actions.len());
    assert_eq!(findings.len(), recorded_findings.len());
    // One by one, so that a failure shows the line and not the plan.
    for (live, recorded) in actions.iter().chain(&findings).zip(recorded_actions.iter().chain(&recorded_findings)) {
        assert_eq!(live, recorded);
    }
    for part in ["counts", "held", "source"] {
        assert_eq!(live[part], recorded[part], "{part}");
    }
    assert_eq!(live["listing"]["accounts"], recorded["listing"]["accounts"]);
    assert_eq!(recorded["requests"]["list"], 0);
}

#[test]
fn the_table_has_everything_that_can_be_read_and_nothing_else_is_printed() {
    let dir = folder();
    let said = done(&dir, &["export", "-o", "accounts.csv"]);
    let file = dir.path().join("accounts.csv");
    let rows = rows(&file);
    let text = String::from_utf8(said.stdout).unwrap();
    assert_eq!(text, format!("{} accounts are in accounts.csv.\n", rows.len()));
    let columns = fs::read_to_string(&file).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(
        columns,
        "account,id,login_id,email_id,first_name,last_name,job_description,login_using_email,skill_attributes,status,\
         role_type,active_chats,logged_in,accepting_chats,created_at,updated_at"
    );
    assert!(rows.iter().any(|row| row["skill_attributes"].contains(';')));
    assert!(rows.iter().all(|row| row["account"] == row["id"] && !row["login_id"].is_empty()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let mut printed: Vec<_> =
        String::from_utf8(done(&dir, &["export"]).stdout).unwrap().lines().map(String::from).collect();
    let mut written: Vec<_> = fs::read_to_string(&file).unwrap().lines().map(String::from).collect();
    // Pages come in no particular order.
    printed.sort();
    written.sort();
    assert_eq!(printed, written);
}

/// A sandbox with a fault, and a folder whose configuration leads there.
async fn faulty(faults: &str) -> (Sandbox, TempDir) {
    let faults = Faults::parse(faults).unwrap();
    let sandbox = start(Options { seed: Seed::Generated(200), faults, ..Options::default() }).await.unwrap();
    let dir = folder();
    set(&dir, "base_url = \"sandbox\"", &format!("base_url = \"{}\"", sandbox.base_url()));
    fs::write(dir.path().join("key"), headcount::sandbox::API_KEY).unwrap();
    let key = format!("api_key = {{ file = \"key\" }}\ndomain = \"{}\" #", headcount::sandbox::DOMAIN);
    set(&dir, "# api_key", &key);
    (sandbox, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_keeps_shifting_is_an_error_and_the_last_export_stays() {
    let shift = "[[rule]]\non = { op = \"list\", page = 15 }\ntimes = 100\nthen = { shift_list = \"insert\" }\n";
    let (sandbox, dir) = faulty(shift).await;
    fs::write(dir.path().join("accounts.csv"), "the last one").unwrap();
    let (dir, output) = tokio::task::spawn_blocking(move || {
        let output = headcount(&dir, &["export", "-o", "accounts.csv"]);
        (dir, output)
    })
    .await
    .unwrap();
    sandbox.stop().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("the listing is not complete, so nothing was written"), "{error}");
    assert!(output.stdout.is_empty());
    assert_eq!(fs::read_to_string(dir.path().join("accounts.csv")).unwrap(), "the last one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_shifts_once_is_read_again_and_everybody_is_in_the_table_once() {
    let shift = "[[rule]]\non = { op = \"list\", page = 15 }\nthen = { shift_list = \"remove\" }\n";
    let (sandbox, dir) = faulty(shift).await;
    let output = tokio::task::spawn_blocking(move || headcount(&dir, &["export"])).await.unwrap();
    let there = sandbox.accounts_json().len();
    sandbox.stop().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("so it was read 2 times"), "{said}");
    let table = String::from_utf8(output.stdout).unwrap();
    let ids: std::collections::BTreeSet<&str> =
        table.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!((table.lines().count() - 1, ids.len()), (there, there));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_breaks_off_prints_no_half_table() {
    let broken = "[[rule]]\non = { op = \"list\", page = 9 }\ntimes = 100\nthen = { status = 404, html = true }\n";
    let (sandbox, dir) = faulty(broken).await;
    set(&dir, "retries        = 5", "retries        = 0");
    let output = tokio::task::spawn_blocking(move || headcount(&dir, &["export"])).await.unwrap();
    sandbox.stop().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
}

const BRIGHT_PATTERN: &str = r#"
[source]
path     = "accounts.csv"
identity = "account"
include  = "role_type == 'Customer Care'"

[target]
kind          = "brightpattern"
base_url      = "https://bp.example.com/configapi/v2"
client_id     = "api"
client_secret = { env = "BP_SECRET" }
scope         = "example.com"

[match]
rules = [["loginId"]]

[map]
loginId   = "login_id"
firstName = "first_name"
lastName  = "last_name"
email     = "email_id"
team      = { value = "Customer Service" }
disabled  = "{{ 'true' if status == 'inactive' else 'false' }}"
skills    = { column = "skill_attributes", parse = "pairs" }
roles     = ["{{ 'Agent' }}"]
password  = { generate = { length = 20 } }

[safety]
max_invalid = "10%"
"#;

#[test]
fn an_export_is_the_source_of_another_target() {
    let dir = folder();
    done(&dir, &["export", "-o", "accounts.csv"]);
    let people: Vec<_> = rows(&dir.path().join("accounts.csv"));
    let care = |row: &&HashMap<String, String>| row["role_type"] == "Customer Care";
    let known = people.iter().filter(care).find(|row| row["status"] == "active" && levels(row).is_some()).unwrap();
    fs::write(dir.path().join("bp.toml"), BRIGHT_PATTERN).unwrap();
    let login = known["login_id"].to_uppercase();
    fs::write(
        dir.path().join("bp.csv"),
        format!("account,loginId,firstName,lastName,email,team,disabled,skills,roles\n{login},{login},x,,,Old,false,Old:1,Agent\n"),
    )
    .unwrap();
    done(&dir, &["-c", "bp.toml", "plan", "--against", "bp.csv", "-o", "plan.jsonl"]);
    let (header, actions, findings) = plan(&dir, "plan.jsonl");
    let actions: Vec<Value> = actions.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (fit, unfit): (Vec<_>, Vec<_>) = people.iter().filter(care).partition(|row| levels(row).is_some());
    assert_eq!(header["counts"]["invalid"], unfit.len(), "a level that is no number is none that Bright Pattern has");
    let active: Vec<_> = fit.into_iter().filter(|row| row["status"] == "active").collect();
    assert_eq!(header["counts"]["create"], active.len() - 1);
    let to = |action: &Value, name: &str| {
        let changes = action["changes"].as_array().unwrap();
        changes.iter().find(|change| change["attribute"] == name).map(|change| change["to"].clone())
    };
    // The one whom Bright Pattern has keeps the skill that imi.chat does not know, and what cannot be changed is drift.
    let update = actions.iter().find(|action| action["action"] == "update").unwrap();
    assert_eq!(update["account"], login.as_str());
    assert_eq!(to(update, "team").unwrap(), "Customer Service");
    assert_eq!(to(update, "firstName"), None);
    assert!(findings.iter().any(|line| line.contains("drift") && line.contains("firstName")), "{findings:?}");
    for person in active {
        let login = person["login_id"].as_str();
        let action = actions.iter().find(|action| action["key"] == login).unwrap();
        let skills = to(action, "skills").unwrap_or(Value::Null);
        for (skill, level) in levels(person).unwrap() {
            assert_eq!(skills[&skill], level, "{login}: {skill}");
        }
        if login == known["login_id"] {
            assert_eq!(skills["Old"], 1);
        }
    }
}

/// The skills of an exported account with their levels as numbers; none where one has no such level.
fn levels(row: &HashMap<String, String>) -> Option<Vec<(String, u64)>> {
    let cell = &row["skill_attributes"];
    if cell.starts_with('{') {
        let skills: HashMap<String, Value> = serde_json::from_str(cell).unwrap();
        let level = |value: Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        return skills.into_iter().map(|(skill, value)| Some((skill, level(value)?))).collect();
    }
    let pairs = cell.split(';').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once(':').unwrap());
    pairs.map(|(skill, level)| Some((skill.to_owned(), level.parse().ok()?))).collect()
}
