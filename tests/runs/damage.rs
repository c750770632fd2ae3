//! A damaged journal is said, and costs nothing but its memory.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Project, Ran, Small, Tenant, row};

const SMALL: Small = Small { newcomers: 30, changed: 4, leavers: 1 };

/// The journal's file of records.
fn records(project: &Project) -> PathBuf {
    project.path(".headcount/journal/db")
}

/// Flips a bit of the record that holds this text; whether there is one.
fn flip(project: &Project, text: &str) -> bool {
    let mut bytes = fs::read(records(project)).unwrap();
    let found: Vec<usize> =
        bytes.windows(text.len()).enumerate().filter(|(_, at)| *at == text.as_bytes()).map(|(at, _)| at).collect();
    for at in &found {
        bytes[at + 1] ^= 0x10;
    }
    fs::write(records(project), bytes).unwrap();
    !found.is_empty()
}

#[test]
fn a_damaged_journal_is_refused_and_moved_aside_costs_nobody_an_account() {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    project.sync(0);
    // The tenant's name stands in the record that a run begins with.
    assert!(flip(&project, "acme"), "the journal holds the run's record");

    let requests = tenant.requests();
    for command in [&["sync", "--yes"][..], &["resume", "--yes"], &["plan"]] {
        let ran = project.run(command);
        assert_eq!(
            (ran.code, ran.outcome().as_str(), ran.error_kind().as_str()),
            (Some(1), "failed", "journal"),
            "{ran}"
        );
        assert!(ran.error_message().contains("damaged"), "{ran}");
        let hint = ran.json()["error"]["hint"].as_str().unwrap().to_owned();
        assert!(hint.contains("move") && hint.contains(".headcount") && hint.contains("headcount sync"), "{hint}");
    }
    assert_eq!(tenant.requests(), requests, "nothing is sent");
    let runs = project.run(&["runs"]);
    assert_eq!(runs.code, Some(1), "{runs}");
    assert!(runs.err.contains("damaged"), "{runs}");

    fs::rename(project.path(".headcount"), project.path("aside")).unwrap();
    assert_eq!(project.sync(0).outcome(), "no_changes");
    assert_eq!(tenant.created(), SMALL.newcomers());
}

#[test]
fn a_journal_damaged_in_the_middle_of_a_run_doubles_nobody_either() {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    let mut child = project.spawn(&["sync", "--yes"]);
    assert!(child.until(|| tenant.created().len() >= 8));
    child.kill();
    child.wait();
    assert!(flip(&project, "acme"), "the journal holds the run's record");
    let refused = project.sync(1);
    assert_eq!(refused.error_kind(), "journal", "{refused}");
    fs::rename(project.path(".headcount"), project.path("aside")).unwrap();
    project.sync(0);
    assert_eq!(tenant.created(), SMALL.newcomers());
    assert_eq!(project.sync(0).outcome(), "no_changes");
}

/// Flips a bit of a file, where this text stands in it.
fn harm(path: &std::path::Path, text: &str) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    bytes[at + 1] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn run_of(ran: &Ran) -> String {
    ran.json()["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_whose_files_are_damaged_is_listed_so_and_the_others_as_they_are() {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    let first = run_of(&project.sync(0));
    project.write("samples/hr_export.csv", &(SMALL.export() + &row("late", "Late", "Active")));
    let second = run_of(&project.sync(0));
    for (file, text) in [("plan.jsonl", "\"create\""), ("findings.jsonl", "finding"), ("summary.json", "acme")] {
        let path = project.path(&format!(".headcount/runs/{first}/{file}"));
        let whole = fs::read(&path).unwrap();
        harm(&path, text);
        let ran = project.run(&["runs"]);
        assert_eq!(ran.code, Some(1), "{ran}");
        let runs = ran.json()["runs"].as_array().unwrap().clone();
        let states: Vec<&Value> = runs.iter().map(|run| &run["state"]).collect();
        assert_eq!(states, ["damaged", "complete"], "{ran}");
        assert!(runs[0]["damaged_because"].as_str().unwrap().contains(file), "{ran}");
        assert!(ran.err.contains(&first) && ran.err.contains(file) && ran.err.contains("has ended"), "{ran}");
        // The same for people.
        let text = project.spawn_command(project.command(&["runs"])).wait();
        assert!(text.out.contains("damaged") && text.out.contains(&second) && text.code == Some(1), "{text}");
        let show = project.spawn_command(project.command(&["show", &first])).wait();
        let said = format!("{}{}", show.out, show.err);
        assert!(said.contains(file), "{show}");
        assert_eq!(show.code, Some(i32::from(file == "plan.jsonl")), "{show}");
        assert_eq!(project.run(&["show", &second]).code, Some(0));
        fs::write(&path, whole).unwrap();
    }
    // Nothing depends on it.
    harm(&project.path(&format!(".headcount/runs/{first}/plan.jsonl")), "acme");
    assert_eq!(project.sync(0).outcome(), "no_changes");
}

#[test]
fn who_was_done_by_a_canary_is_never_read_from_a_damaged_plan() {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    assert_eq!(project.run(&["plan", "-o", "plan.jsonl"]).code, Some(0));
    let canary = project.run(&["apply", "plan.jsonl", "--yes", "--limit", "5"]);
    assert_eq!(canary.code, Some(0), "{canary}");
    let created = tenant.created();
    assert_eq!(created.len(), 5);
    // Another key: who was created under the right one would be created once more.
    harm(&project.path(&format!(".headcount/runs/{}/plan.jsonl", run_of(&canary))), &created[0]);
    let refused = project.run(&["apply", "plan.jsonl", "--yes"]);
    assert_eq!((refused.code, refused.error_kind().as_str()), (Some(1), "journal"), "{refused}");
    assert!(refused.error_message().contains("plan.jsonl"), "{refused}");
    assert_eq!(tenant.created(), created);
    project.sync(0);
    assert_eq!(tenant.created(), SMALL.newcomers());
}

#[test]
fn a_run_whose_secret_is_damaged_or_gone_sends_no_other_password() {
    for gone in [false, true] {
        let tenant = Tenant::start(SMALL.options());
        let project = SMALL.project(&tenant);
        let mut child = project.spawn(&["sync", "--yes"]);
        assert!(child.until(|| tenant.created().len() >= 8));
        child.kill();
        child.wait();
        let run = project.runs()[0]["run"].as_str().unwrap().to_owned();
        let secret = project.path(&format!(".headcount/runs/{run}/secret"));
        if gone {
            fs::remove_file(&secret).unwrap();
        } else {
            let mut bytes = fs::read(&secret).unwrap();
            bytes[7] ^= 8;
            fs::write(&secret, bytes).unwrap();
            let listed = project.run(&["runs"]);
            assert!(listed.json()["runs"][0]["state"] == "damaged" && listed.err.contains("move"), "{listed}");
        }
        let created = tenant.created();
        for args in [["sync", "--yes"], ["resume", "--yes"]] {
            let refused = project.run(&args);
            assert_eq!((refused.code, refused.error_kind().as_str()), (Some(1), "journal"), "{refused}");
            assert!(refused.error_message().contains("secret"), "{refused}");
        }
        assert_eq!(tenant.created(), created);
        fs::rename(project.path(".headcount"), project.path("aside")).unwrap();
        project.sync(0);
        assert_eq!(tenant.created(), SMALL.newcomers());
    }
}
