//! `headcount check`: the configuration and every row, without the target; with `--online` the target too.

use crate::support::{Project, Tenant, account, counts, row, three_accounts, three_rows};

#[test]
fn every_row_that_cannot_be_used_is_named_and_nothing_else_is_touched() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    let ran = project.run(&["check"]);
    ran.expect(0).says(&[
        "hr_export.csv:35: the row has 9 cells instead of 12",
        "hr_export.csv:204: skill_attributes: pair 2 has no value",
        "256 rows count, 2 of them cannot be used",
    ]);
    assert_eq!(tenant.requests(), 0);
    assert!(!project.path(".headcount").exists());
}

#[test]
fn the_summary_counts_the_rows_that_cannot_be_used() {
    let (ran, summary) = Project::sample().json(&["check"]);
    ran.expect(0);
    assert_eq!((summary["command"].as_str(), summary["outcome"].as_str()), (Some("check"), Some("complete")));
    assert_eq!(counts(&summary, "found"), "invalid 2");
    assert!(ran.stderr.contains("hr_export.csv:204"), "{}", ran.stderr);
}

#[test]
fn online_signs_in_reads_one_page_and_shows_the_quota() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    let (ran, summary) = project.json(&["check", "--online"]);
    ran.expect(0).says(&["Signed in", "of 23", "10 accounts", "of 10000 requests are left"]);
    assert_eq!((&summary["requests"]["auth"], &summary["requests"]["total"]), (&1.into(), &2.into()));
    assert_eq!(summary["quota"]["limit"], 10_000);
    assert_eq!(tenant.requests(), 2);
    tenant.unchanged();
}

#[test]
fn online_against_an_empty_tenant_says_that_there_is_nobody() {
    let tenant = Tenant::with(&[]);
    tenant.project(&three_rows()).run(&["check", "--online"]).expect(0).says(&["no accounts yet"]);
}

#[test]
fn a_source_that_would_stop_every_run_is_told_before_one() {
    let project = Project::small("");
    project.people(&row("E1", "ana", "Ana", "Diaz")).add("safety", "min_rows = 100");
    let (ran, summary) = project.json(&["check"]);
    ran.expect(5).says(&["the source has 1 rows that count, fewer than safety.min_rows = 100"]);
    assert_eq!((&summary["outcome"], &summary["error"]["kind"]), (&"held".into(), &"safety".into()));
}

#[test]
fn a_check_needs_no_lock() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.sync(0);
    let options = headcount::journal::Options::new(jiff::Timestamp::now());
    let _held = headcount::journal::Journal::open(&project.path(".headcount"), options).unwrap();
    project.run(&["check"]).expect(0);
}

#[test]
fn what_one_check_finds_wrong_is_found_at_once_and_not_one_by_one() {
    let tenant = Tenant::with(&[account(1, "ana", "Ana", "Diaz")]);
    let project = tenant.project(&three_rows());
    project
        .edit("first_name = \"first\"", "first_name = \"frist\"")
        .edit("last_name = \"last\"", "lastname = \"last\"");
    let ran = project.run(&["check"]);
    ran.expect(1).says(&["frist", "lastname"]);
    assert_eq!(tenant.requests(), 0);
}
