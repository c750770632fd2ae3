//! The real program over the sample configuration of each target, whose tenant is the built-in one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use super::subject::Subject;
use super::support::differences;

/// A folder with the samples and the configuration, which does not wait for a pace.
fn folder(subject: &dyn Subject) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir(dir.path().join("samples")).unwrap();
    for file in ["samples/hr_export.csv", "samples/teams.csv"] {
        fs::copy(here.join(file), dir.path().join(file)).unwrap();
    }
    let sample = fs::read_to_string(here.join(subject.sample())).unwrap();
    let pace = sample.lines().find(|line| line.starts_with("requests_per_second")).unwrap();
    fs::write(dir.path().join(subject.sample()), sample.replace(pace, "requests_per_second = 0")).unwrap();
    dir
}

fn headcount(subject: &dyn Subject, dir: &TempDir, args: &[&str]) -> Output {
    ended(subject, dir, args, &[0])
}

/// Runs the program, which must end with one of these exit codes.
fn ended(subject: &dyn Subject, dir: &TempDir, args: &[&str], codes: &[i32]) -> Output {
    let mut command = assert_cmd::Command::cargo_bin("headcount").unwrap();
    command.current_dir(dir.path()).args(["-c", subject.sample()]).args(args).arg("--no-progress");
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(codes.contains(&output.status.code().unwrap()), "{args:?}: {error}");
    output
}

fn summary(subject: &dyn Subject, dir: &TempDir, args: &[&str]) -> Value {
    serde_json::from_slice(&headcount(subject, dir, args).stdout).unwrap()
}

pub fn a_second_sync_of_the_sample_changes_nothing(subject: &dyn Subject) {
    let dir = folder(subject);
    let sync = &["sync", "--yes", "--format", "json"];
    let first = summary(subject, &dir, sync);
    assert_eq!(first["outcome"], "complete", "{first}");
    assert_eq!(first["planned"], first["applied"]);
    assert_eq!(first["requests"]["total"], first["requests"]["estimated"], "{first}");
    for action in ["create", "update", "deactivate", "reactivate"] {
        assert_ne!(first["applied"][action], 0, "the sample has something of everything: {action}");
    }
    let second = summary(subject, &dir, sync);
    assert_eq!((&second["outcome"], &second["requests"]["write"]), (&"no_changes".into(), &0.into()), "{second}");
    assert_eq!(second["requests"]["total"], second["requests"]["estimated"], "{second}");
}

pub fn a_plan_and_its_application_cost_what_was_estimated(subject: &dyn Subject) {
    let dir = folder(subject);
    let number = |summary: &Value, name: &str| summary["requests"][name].as_u64().unwrap();
    let planned = summary(subject, &dir, &["plan", "--format", "json", "-o", "plan.jsonl"]);
    let applied = summary(subject, &dir, &["apply", "plan.jsonl", "--yes", "--format", "json"]);
    assert_eq!(number(&applied, "total"), number(&applied, "estimated"), "{applied}");
    let both = number(&planned, "total") + number(&applied, "total");
    assert_eq!(both, number(&planned, "estimated"), "{planned}, {applied}");
    // What is applied hours later reads every account again before it changes it.
    assert!(number(&applied, "lookup") > 0, "{applied}");
    let again = summary(subject, &dir, &["plan", "--format", "json"]);
    assert_eq!(number(&again, "total"), number(&again, "estimated"), "nothing is to be applied: {again}");
}

pub fn a_plan_against_an_export_is_the_live_plan(subject: &dyn Subject) {
    let dir = folder(subject);
    let live = summary(subject, &dir, &["plan", "--format", "json", "-o", "live.jsonl"]);
    headcount(subject, &dir, &["export", "-o", "accounts.csv"]);
    let against = ["plan", "--against", "accounts.csv", "--format", "json", "-o", "recorded.jsonl"];
    let recorded = summary(subject, &dir, &against);
    assert_eq!((&live["planned"], &live["found"]), (&recorded["planned"], &recorded["found"]));
    assert_eq!(recorded["requests"]["list"], 0);
    let (live, recorded) = (actions(&dir, "live.jsonl"), actions(&dir, "recorded.jsonl"));
    assert!(live.len() > 10);
    assert_eq!(live, recorded);
}

/// The run may change more than a rollback may without being asked, so what is held is approved.
fn take_back(subject: &dyn Subject, dir: &TempDir, run: &str) -> (Value, Value) {
    let made = ended(subject, dir, &["rollback", run, "--format", "json", "-o", "back.plan"], &[0, 5]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let plan = fs::read_to_string(dir.path().join("back.plan")).unwrap();
    let header: Value = serde_json::from_str(plan.lines().next().unwrap()).unwrap();
    let mut apply = vec!["apply", "back.plan", "--yes", "--format", "json"];
    for held in header["held"].as_object().unwrap().values() {
        apply.extend(["--approve", held["approve"].as_str().unwrap()]);
    }
    let applied = summary(subject, dir, &apply);
    let number = |summary: &Value, name: &str| summary["requests"][name].as_u64().unwrap();
    assert_eq!(number(&applied, "total"), number(&applied, "estimated"), "{applied}");
    if apply.len() == 5 && made["outcome"] != "no_changes" {
        let both = number(&made, "total") + number(&applied, "total");
        assert_eq!(number(&made, "estimated"), both, "nothing was held: {made}, {applied}");
    }
    (made, applied)
}

/// The tenant's own record of every account, by its login, once the program has ended.
fn accounts(dir: &TempDir) -> BTreeMap<String, Value> {
    // Each sample names a state directory of its own.
    let mut states = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path().join("sandbox.json"));
    let kept = states.find(|path| path.exists()).unwrap();
    let kept: Value = serde_json::from_slice(&fs::read(kept).unwrap()).unwrap();
    let login = |record: &Value| {
        let found = ["/login_id", "/loginId", "/resource/userName"].iter().find_map(|at| record.pointer(at));
        found.and_then(Value::as_str).unwrap().to_owned()
    };
    kept["accounts"].as_array().unwrap().iter().map(|record| (login(record), record.clone())).collect()
}

fn is_inactive(record: &Value) -> bool {
    record["status"] == "inactive"
        || record["disabled"] == true
        || record.pointer("/resource/active") == Some(&false.into())
}

pub fn a_run_that_is_taken_back_leaves_the_accounts_as_they_were(subject: &dyn Subject) {
    let dir = folder(subject);
    headcount(subject, &dir, &["export", "-o", "before.csv"]);
    let before = accounts(&dir);
    let sync = summary(subject, &dir, &["sync", "--yes", "--format", "json"]);
    let synced = accounts(&dir);
    let made = synced.len() - before.len();
    assert_eq!(sync["applied"]["create"], made);
    let changed = before.iter().filter(|(login, record)| !differences(record, &synced[*login]).is_empty()).count();
    assert!(made > 10 && changed > 10);

    let (planned, applied) = take_back(subject, &dir, "last");
    assert_eq!((&applied["outcome"], &applied["applied"]), (&"complete".into(), &planned["planned"]), "{applied}");
    assert_eq!(planned["command"], "rollback");
    let deactivations = sync["applied"]["reactivate"].as_u64().unwrap() + made as u64;
    assert_eq!(planned["planned"]["deactivate"], deactivations);
    assert_eq!(planned["planned"]["reactivate"], sync["applied"]["deactivate"]);
    let after = accounts(&dir);
    for (login, record) in &after {
        match before.get(login) {
            Some(before) => assert_eq!(differences(before, record), [].into(), "{login}"),
            None => assert!(is_inactive(record), "{login} was made by the run: {record}"),
        }
    }

    // What took back is taken back like any other run, and nothing is left to take back then.
    let run = applied["run"].as_str().unwrap();
    let (_, again) = take_back(subject, &dir, run);
    assert_eq!(again["outcome"], "complete", "{again}");
    let again = accounts(&dir);
    for (login, record) in &synced {
        assert_eq!(differences(record, &again[login]), [].into(), "{login}");
    }
    let (nothing, _) = take_back(subject, &dir, run);
    assert_eq!(nothing["outcome"], "no_changes", "{nothing}");
}

/// The actions of a plan, as they stand in its file.
fn actions(dir: &TempDir, file: &str) -> Vec<String> {
    let text = fs::read_to_string(dir.path().join(file)).unwrap();
    text.lines().filter(|line| line.contains("\"action\"")).map(str::to_owned).collect()
}
