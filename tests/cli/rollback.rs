//! `headcount rollback`: a plan that takes back what a run changed, and nothing that anybody changed since.

use headcount::sandbox::imichat::Status;
use serde_json::{Value, json};

use crate::support::{Project, Tenant, account, but, counts, row, three_accounts, three_rows};

/// A tenant and a project with a run that did something of each kind: cy was made, bo renamed, di closed, ed opened.
fn done() -> (Tenant, Project, Vec<Value>) {
    let ed = but(account(4, "ed", "Ed", "East"), json!({ "status": "inactive" }));
    let tenant = Tenant::with(&[
        account(1, "ana", "Ana", "Diaz"),
        account(2, "bo", "Bo", "Li"),
        account(3, "di", "Di", "Dunn"),
        ed,
    ]);
    let left = row("E4", "di", "Di", "Dunn").replace("active", "left");
    let project = tenant.project(&[three_rows(), left, row("E5", "ed", "Ed", "East")].concat());
    project.add("safety", "max_deactivate = 10");
    let before = tenant.accounts().iter().map(plain).collect();
    let summary = project.sync(0);
    assert_eq!(counts(&summary, "applied"), "create 1, deactivate 1, reactivate 1, update 1");
    (tenant, project, before)
}

/// An account without what the tenant notes by itself.
fn plain(account: &headcount::sandbox::imichat::ImichatAccount) -> Value {
    let mut account = serde_json::to_value(account).unwrap();
    account.as_object_mut().unwrap().remove("updated_at");
    account
}

/// Makes the plan that takes this run back.
#[track_caller]
fn back(project: &Project, run: &str, code: i32) -> Value {
    let (ran, summary) = project.json(&["rollback", run, "-o", "plan.jsonl"]);
    ran.expect(code);
    summary
}

/// Changes the tenant without the first project's journal knowing of it.
fn somebody_else(project: &Project, rows: &str) {
    let people = project.read("people.csv");
    project.people(rows);
    project.json(&["--state", "elsewhere", "sync", "--yes"]).0.expect(0);
    project.write("people.csv", people);
}

#[test]
fn every_kind_of_change_is_taken_back_and_the_next_sync_makes_it_again() {
    let (tenant, project, before) = done();
    let writes = tenant.writes().len();
    let summary = back(&project, "last", 0);
    assert_eq!(tenant.writes().len(), writes, "a plan changes nothing");
    assert_eq!((&summary["command"], &summary["outcome"]), (&"rollback".into(), &"planned".into()));
    assert_eq!(counts(&summary, "planned"), "deactivate 2, reactivate 1, update 1");
    let ran = project.run(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(0).says(&["takes back what the run", "The next sync makes these changes again"]);
    let after: Vec<Value> = tenant.accounts().iter().map(plain).collect();
    assert_eq!(after[..4], before);
    assert_eq!(after[4]["status"], "inactive");
    assert_eq!(after[4]["login_id"], "cy");
    let reason = project.entry("plan.jsonl", "cy")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("created the account; it stays"), "{reason}");
    assert_eq!(counts(&project.sync(0), "applied"), "deactivate 1, reactivate 2, update 1");
}

#[test]
fn a_rollback_is_taken_back_like_any_run() {
    let (tenant, project, _) = done();
    let synced: Vec<Value> = tenant.accounts().iter().map(plain).collect();
    back(&project, "last", 0);
    project.run(&["apply", "plan.jsonl", "--yes"]).expect(0);
    let summary = back(&project, "last", 0);
    assert_eq!(counts(&summary, "planned"), "deactivate 1, reactivate 2, update 1");
    project.run(&["apply", "plan.jsonl", "--yes"]).expect(0);
    assert_eq!(tenant.accounts().iter().map(plain).collect::<Vec<_>>(), synced);
    // Of the first run everything is there again to be taken back.
    let runs: Value = serde_json::from_str(&project.run(&["--format", "json", "runs"]).stdout).unwrap();
    let first = runs["runs"][0]["run"].as_str().unwrap().to_owned();
    assert_eq!(counts(&back(&project, &first, 0), "planned"), "deactivate 2, reactivate 1, update 1");
}

#[test]
fn an_account_that_changed_since_is_skipped_with_the_reason() {
    let (tenant, project, _) = done();
    somebody_else(&project, &[row("E2", "bo", "Bo", "Else"), row("E3", "cy", "Cyril", "Young")].concat());
    let summary = back(&project, "last", 0);
    assert_eq!(counts(&summary, "planned"), "deactivate 1, reactivate 1");
    assert_eq!(summary["found"]["skipped"], 2);
    let reason = |key: &str| project.entry("plan.jsonl", key)["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason("bo"), "changed since the run: last_name was left as Lindqvist and is Else");
    assert_eq!(reason("cy"), "changed since the run: first_name was left as Cy and is Cyril");
    project.run(&["rollback", "last"]).expect(0).says(&[
        "skipped",
        "bo",
        "last_name was left as Lindqvist and is Else",
    ]);
    project.run(&["apply", "plan.jsonl", "--yes"]).expect(0);
    assert_eq!((tenant.account("bo").last_name, tenant.account("di").last_name), ("Else".into(), "Dunn".into()));
}

#[test]
fn an_account_that_changes_between_plan_and_apply_is_left_alone() {
    let (tenant, project, _) = done();
    back(&project, "last", 0);
    somebody_else(&project, &row("E2", "bo", "Bo", "Else"));
    let ran = project.run(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(4).says(&["bo", "changed since the plan", "the next rollback of the same run tries again"]);
    assert_eq!(tenant.account("bo").last_name, "Else");
}

#[test]
fn a_later_run_of_the_same_account_comes_first() {
    let (tenant, project, _) = done();
    project.write("people.csv", project.read("people.csv").replace("Lindqvist", "Later"));
    project.sync(0);
    let runs: Value = serde_json::from_str(&project.run(&["--format", "json", "runs"]).stdout).unwrap();
    let first = runs["runs"][0]["run"].as_str().unwrap().to_owned();
    back(&project, &first, 0);
    let reason = project.entry("plan.jsonl", "bo")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("left as Lindqvist and is Later"), "{reason}");
    back(&project, "last", 0);
    project.run(&["apply", "plan.jsonl", "--yes"]).expect(0);
    assert_eq!(tenant.account("bo").last_name, "Lindqvist");
    assert_eq!(counts(&back(&project, &first, 0), "planned"), "deactivate 2, reactivate 1, update 1");
}

#[test]
fn what_the_api_never_shows_is_said_for_each_account() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("map", "custom_attributes = { column = \"title\", parse = \"pairs\" }");
    project.people(&row("E2", "bo", "Bo", "Lindqvist").replace("Agent", "grade:7"));
    project.edit("job_description = \"title\"\n", "");
    project.sync(0);
    let summary = back(&project, "last", 0);
    assert_eq!((counts(&summary, "planned"), &summary["found"]["drift"]), ("update 1".into(), &1.into()));
    let entries: Vec<Value> = project.entries("plan.jsonl").into_iter().filter(|e| e["finding"] == "drift").collect();
    let reason = entries[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the API never shows custom_attributes"), "{reason}");
    project.run(&["rollback", "last"]).expect(0).says(&["drift", "bo", "custom_attributes", "not taken back"]);
}

#[test]
fn limits_hold_a_rollback_and_an_approval_releases_it() {
    let tenant = three_accounts();
    let rows: String = (1..=6).map(|n| row(&format!("N{n}"), &format!("n{n}"), "Ann", "New")).collect();
    let project = tenant.project(&(three_rows() + &rows));
    project.sync(0);
    let summary = back(&project, "last", 5);
    assert_eq!((&summary["outcome"], &summary["held"]), (&"held".into(), &7.into()));
    let ran = project.run(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(5);
    assert_eq!(tenant.account("n1").status, Status::Active);
    // The report says the command, and it is one that works.
    let said = ran.stdout.lines().find(|line| line.contains("--approve")).unwrap().trim().to_owned();
    let words: Vec<&str> = said.split(' ').skip(1).chain(["--yes"]).collect();
    assert!(words[1] != "plan.jsonl" && words[0] == "apply", "{said}");
    project.run(&words).expect(0);
    assert_eq!(tenant.account("n1").status, Status::Inactive);
    // Of a plan that was done nothing is left, and that costs nothing.
    let (ran, summary) = project.json(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(0);
    assert_eq!(counts(&summary, "requests"), "");
}

#[test]
fn a_rollback_says_nothing_of_the_size_of_the_export() {
    let (_tenant, project, _) = done();
    back(&project, "last", 0);
    project.run(&["apply", "plan.jsonl", "--yes"]).expect(0);
    project.people(&row("E1", "ana", "Ana", "Diaz"));
    let (ran, _) = project.json(&["sync", "--yes"]);
    ran.expect(5).says(&["the last good run had 5"]);
}

#[test]
fn a_protected_account_is_not_touched() {
    let (_tenant, project, _) = done();
    project.add("policy", "protect = [\"bo\", \"E3\"]");
    let summary = back(&project, "last", 0);
    assert_eq!(
        (counts(&summary, "planned"), &summary["found"]["protected"]),
        ("deactivate 1, reactivate 1".into(), &2.into())
    );
}

#[test]
fn what_policy_makes_of_an_export_does_not_bind_an_order() {
    let (tenant, project, before) = done();
    project.add("policy", "update = false\nreactivate = false\nleavers = \"report\"");
    back(&project, "last", 0);
    project.run(&["apply", "plan.jsonl", "--yes"]).expect(0);
    assert_eq!(tenant.accounts().iter().map(plain).take(4).collect::<Vec<_>>(), before);
}

#[test]
fn a_run_that_cannot_be_taken_back_is_refused_with_the_reason() {
    let project = Project::small("");
    project.json(&["rollback", "last"]).0.expect(1).says(&["no runs yet"]);
    assert!(!project.path(".headcount").exists());
    let (tenant, project, _) = done();
    let asked = tenant.requests();
    project.json(&["rollback", "20200101T000000Z-000000"]).0.expect(1).says(&["there is no run", "headcount runs"]);
    project.set("tenant", "\"other\"");
    project.json(&["rollback", "last"]).0.expect(1).says(&["is for tenant acme", "its own configuration"]);
    project.set("tenant", "\"acme\"");
    let plan = project.files(".headcount/runs").into_iter().find(|path| path.ends_with("plan.jsonl")).unwrap();
    let whole = std::fs::read_to_string(&plan).unwrap();
    std::fs::write(&plan, whole.replace("Lindqvist", "Lindquist")).unwrap();
    project.json(&["rollback", "last"]).0.expect(1).says(&["the plan was edited"]);
    std::fs::remove_file(&plan).unwrap();
    project.json(&["rollback", "last"]).0.expect(1).says(&["plan.jsonl"]);
    assert_eq!(tenant.requests(), asked, "who is refused costs no request");
}

#[test]
fn there_may_be_nothing_to_take_back() {
    let (_tenant, project, _) = done();
    let (ran, _) = project.json(&["rollback", "last", "--detailed-exitcode"]);
    ran.expect(3);
    project.sync(0);
    let (ran, summary) = project.json(&["rollback", "last", "--detailed-exitcode"]);
    ran.expect(0);
    assert_eq!(summary["outcome"], "no_changes");
    project.run(&["rollback", "last"]).expect(0).says(&["Nothing to do."]).says_nothing_of(&["The next sync"]);
}

#[test]
fn an_unfinished_run_is_refused_and_an_unfinished_rollback_is_gone_on_with() {
    // The run takes two updates, and the second of those that take it back stops everything.
    let faults = "[[rule]]\non = { op = \"update\", nth = 4 }\n\
                  then = { status = 405, code = 2099, description = \"Method not allowed\" }\n";
    let tenant = Tenant::with_faults(&[account(1, "ana", "Ana", "Diaz"), account(2, "bo", "Bo", "Li")], faults);
    let project = tenant.project(&[row("E1", "ana", "Ana", "New"), row("E2", "bo", "Bo", "New")].concat());
    project.sync(0);
    back(&project, "last", 0);
    project.json(&["apply", "plan.jsonl", "--yes"]).0.expect(6);
    let (ran, _) = project.json(&["rollback", "last"]);
    ran.expect(1).says(&["has not ended", "headcount resume"]);
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(0).says(&["continuing it"]);
    assert_eq!(counts(&summary, "applied"), "update 2");
    assert_eq!((tenant.account("ana").last_name, tenant.account("bo").last_name), ("Diaz".into(), "Li".into()));
}

#[test]
fn hinted_commands_work_from_another_configuration_and_another_state_directory() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.write("my hr.toml", project.read("config.toml"));
    std::fs::remove_file(project.path("config.toml")).unwrap();
    let there = ["-c", "my hr.toml", "--state", "kept"];
    let run = |args: &[&str]| project.run(&[&there[..], args].concat());
    let called = "headcount -c 'my hr.toml' --state kept";
    let plan = run(&["plan"]);
    plan.expect(0).says(&[&format!("{called} apply ")]);
    run(&["apply", "nothing.plan", "--yes"]).expect(1).says(&[&format!("hint: `{called} plan -o PLAN`")]);
    // What a person is told is pasted into a shell.
    let line = plan.stdout.lines().map(str::trim).find(|line| line.starts_with("headcount ")).unwrap();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_headcount")).parent().unwrap();
    let pasted = format!("PATH={}:$PATH {line} --yes", bin.display());
    let mut shell = project.through("sh", &["-c", &pasted]);
    crate::support::ran(&mut shell).expect(0);
    assert_eq!(tenant.writes().len(), 2);
    let json = project.run(&[&["--format", "json"], &there[..], &["rollback", "none"]].concat());
    assert_eq!(json.summary()["error"]["hint"], format!("`{called} runs` lists the runs"));
    assert!(!project.path(".headcount").exists());
}
