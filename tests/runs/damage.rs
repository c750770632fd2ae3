//! A damaged journal is said, and costs nothing but its memory.

use std::fs;
use std::path::PathBuf;

use crate::support::{Project, Small, Tenant};

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
