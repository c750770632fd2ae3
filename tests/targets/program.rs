//! The real program over the sample configuration of each target, whose tenant is the built-in one.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use super::subject::Subject;

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
    let mut command = assert_cmd::Command::cargo_bin("headcount").unwrap();
    command.current_dir(dir.path()).args(["-c", subject.sample()]).args(args).arg("--no-progress");
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {error}");
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

/// The actions of a plan, as they stand in its file.
fn actions(dir: &TempDir, file: &str) -> Vec<String> {
    let text = fs::read_to_string(dir.path().join(file)).unwrap();
    text.lines().filter(|line| line.contains("\"action\"")).map(str::to_owned).collect()
}
