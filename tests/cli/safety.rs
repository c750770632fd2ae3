//! `[safety]`: what is held, what releases it, and what stops everything.

use serde_json::Value;

use crate::support::{Project, Tenant, account, counts, lines, row, three_accounts, three_rows};

/// Twenty people with accounts, of whom so many have left, and one newcomer.
fn leavers(tenant: &Tenant, left: usize) -> Project {
    let people: String = (1..=20)
        .map(|n| {
            let row = row(&format!("E{n}"), &format!("user{n:02}"), "Ada", "Byron");
            if n <= left { row.replace("active", "left") } else { row }
        })
        .collect();
    tenant.project(&(people + &row("E99", "zoe", "Zoe", "Zed")))
}

fn twenty() -> Tenant {
    let accounts: Vec<Value> = (1..=20).map(|n| account(n, &format!("user{n:02}"), "Ada", "Byron")).collect();
    Tenant::with(&accounts)
}

/// The hash that releases the held deactivations of `plan.jsonl`.
fn hash(project: &Project) -> String {
    lines(&project.read("plan.jsonl"))[0]["held"]["deactivate"]["approve"].as_str().unwrap().to_owned()
}

#[test]
fn what_exceeds_a_limit_waits_and_the_rest_is_done() {
    let tenant = twenty();
    let project = leavers(&tenant, 6);
    project.add("safety", "max_deactivate = 5");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(5).says(&["6 accounts to deactivate held", "the limit is 5", "--approve"]);
    assert_eq!(summary["outcome"], "held");
    assert_eq!(summary["held"], 6);
    assert_eq!(counts(&summary, "applied"), "create 1");
    assert_eq!(tenant.ledger(), ["Create zoe"]);
    assert_eq!(project.entry("last", "user01")["outcome"]["result"], "held");
}

#[test]
fn a_share_is_of_the_accounts_in_scope() {
    let tenant = twenty();
    let project = leavers(&tenant, 3);
    project.add("safety", "max_deactivate = \"10%\"");
    project.run(&["plan"]).expect(5).says(&["the limit is 2"]);
    let project = leavers(&tenant, 2);
    project.add("safety", "max_deactivate = \"10%\"");
    project.run(&["plan"]).expect(0);
}

#[test]
fn with_both_the_smaller_limit_counts() {
    let tenant = twenty();
    let project = leavers(&tenant, 3);
    project.add("safety", "max_deactivate = { percent = 50, count = 2 }");
    project.run(&["plan"]).expect(5).says(&["the limit is 2"]);
}

#[test]
fn the_hash_releases_what_was_held_in_sync() {
    let tenant = twenty();
    let project = leavers(&tenant, 6);
    project.add("safety", "max_deactivate = 5");
    project.run(&["plan", "-o", "plan.jsonl"]).expect(5);
    let hash = hash(&project);
    let (ran, summary) = project.json(&["sync", "--yes", "--approve", &hash]);
    ran.expect(0);
    assert_eq!(counts(&summary, "applied"), "create 1, deactivate 6");
    assert_eq!((&summary["held"], &summary["outcome"]), (&0.into(), &"complete".into()));
    assert_eq!(tenant.writes().len(), 7);
    // Deactivations come last.
    assert_eq!(tenant.ledger()[0], "Create zoe");
}

#[test]
fn the_hash_releases_what_was_held_in_apply_and_the_report_says_how() {
    let tenant = twenty();
    let project = leavers(&tenant, 6);
    project.add("safety", "max_deactivate = 5");
    project.run(&["plan", "-o", "plan.jsonl"]).expect(5);
    let hash = hash(&project);
    let ran = project.run(&["report", "plan.jsonl"]);
    let id = lines(&project.read("plan.jsonl"))[0]["plan"].as_str().unwrap().to_owned();
    ran.expect(0).says(&[&format!("headcount apply {id} --approve {hash}")]);
    project.run(&["apply", "plan.jsonl", "--yes"]).expect(5).says(&[&format!("--approve {hash}")]);
    assert_eq!(tenant.ledger(), ["Create zoe"]);
    // The command that the report of the run names works.
    let ran = project.run(&["show", "last"]);
    let command = ran.stdout.lines().find(|line| line.contains("--approve") && line.trim().starts_with("headcount"));
    let command: Vec<&str> = command.unwrap().trim().split(' ').skip(1).collect();
    project.run(&[&command[..], &["--yes"]].concat()).expect(0);
    assert_eq!(tenant.writes().len(), 7);
}

#[test]
fn a_hash_that_releases_nothing_is_refused_before_anything_is_done() {
    let tenant = twenty();
    let project = leavers(&tenant, 6);
    project.add("safety", "max_deactivate = 5");
    project.run(&["plan", "-o", "plan.jsonl"]).expect(5);
    let right = hash(&project);
    for args in [&["sync"][..], &["apply", "plan.jsonl"]] {
        let ran = project.run(&[args, &["--yes", "--approve", "0123456789ab"]].concat());
        ran.expect(5).says(&["0123456789ab", "releases nothing", &right]);
    }
    tenant.unchanged();
    // An approval is for these people: with one leaver more it is none.
    let project = leavers(&tenant, 7);
    project.add("safety", "max_deactivate = 5");
    project.run(&["sync", "--yes", "--approve", &right]).expect(5).says(&["releases nothing"]);
    tenant.unchanged();
}

#[test]
fn stop_holds_everything() {
    let tenant = twenty();
    let project = leavers(&tenant, 6);
    project.add("safety", "max_deactivate = 5\non_exceed = \"stop\"");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(5).says(&["6 accounts to deactivate, at most 5", "safety.max_deactivate", "on_exceed"]);
    assert_eq!(summary["error"]["kind"], "safety");
    tenant.unchanged();
    project.run(&["plan"]).expect(5);
}

#[test]
fn too_many_creates_and_too_many_updates_are_held_as_well() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("safety", "max_create = 0");
    let summary = project.sync(5);
    assert_eq!((counts(&summary, "applied"), &summary["held"]), ("update 1".to_owned(), &1.into()));
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("safety", "max_update = 0");
    let summary = project.sync(5);
    assert_eq!((counts(&summary, "applied"), &summary["held"]), ("create 1".to_owned(), &1.into()));
}

#[test]
fn a_share_of_creates_does_not_hold_a_first_load() {
    let tenant = Tenant::with(&[]);
    let rows: String = (1..=40).map(|n| row(&format!("E{n}"), &format!("user{n}"), "A", "B")).collect();
    assert_eq!(counts(&tenant.project(&rows).sync(0), "applied"), "create 40");
}

#[track_caller]
fn nothing_is_done(project: &Project, tenant: &Tenant, pieces: &[&str]) {
    let before = tenant.ledger();
    for args in [&["sync", "--yes"][..], &["plan"]] {
        let (ran, summary) = project.json(args);
        ran.expect(5).says(pieces);
        assert_eq!((&summary["outcome"], &summary["error"]["kind"]), (&"held".into(), &"safety".into()));
        assert!(summary["error"]["hint"].is_string());
    }
    assert_eq!(tenant.ledger(), before);
}

#[test]
fn a_source_with_too_few_rows_stops_everything() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("safety", "min_rows = 4");
    nothing_is_done(&project, &tenant, &["3 rows", "safety.min_rows = 4"]);
}

#[test]
fn a_source_with_too_many_bad_rows_stops_everything() {
    let tenant = three_accounts();
    let project = tenant.project(&(three_rows() + "E4,dee,only,four\nE5,eli,only,four\n"));
    nothing_is_done(
        &project,
        &tenant,
        &["2 of 5 rows cannot be used", "at most 1", "safety.max_invalid", "people.csv:5"],
    );
    project.add("safety", "max_invalid = \"40%\"");
    project.sync(0);
}

#[test]
fn a_source_that_shrank_stops_everything() {
    let tenant = twenty();
    let project = leavers(&tenant, 0);
    project.sync(0);
    let all = project.read("people.csv");
    let half: String = all.lines().take(11).map(|line| format!("{line}\n")).collect();
    project.write("people.csv", half);
    nothing_is_done(&project, &tenant, &["10 rows", "the last good run had 21", "safety.max_row_drop"]);
    // A run that was stopped is no good run: the limit still stands against the old number.
    nothing_is_done(&project, &tenant, &["the last good run had 21"]);
    project.write("people.csv", all);
    project.sync(0);
}
