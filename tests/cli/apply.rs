//! `headcount apply`: exactly one plan, no other, and none that is not what was reviewed.

use std::fs::File;
use std::io::BufReader;

use headcount::plan::file::{PlanHeader, PlanReader, PlanWriter};
use jiff::{SignedDuration, Timestamp};

use crate::support::{Project, Tenant, counts, row, three_accounts, three_rows};

/// A tenant, and a project with a plan for it: one create (cy) and one update (bo).
fn planned() -> (Tenant, Project) {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.plan();
    (tenant, project)
}

/// Writes the plan again, sealed as a plan is, with another header.
fn reseal(project: &Project, change: impl FnOnce(&mut PlanHeader)) {
    let path = project.path("plan.jsonl");
    let mut reader = PlanReader::new(BufReader::new(File::open(&path).unwrap())).unwrap();
    let mut header = reader.header.clone();
    change(&mut header);
    let mut writer = PlanWriter::new(Vec::new(), &header).unwrap();
    while let Some(action) = reader.next().unwrap() {
        writer.write_action(action).unwrap();
    }
    std::fs::write(path, writer.seal_plan().unwrap().0).unwrap();
}

#[track_caller]
fn refused(tenant: &Tenant, project: &Project, code: i32, pieces: &[&str]) {
    let asked = tenant.requests();
    let (ran, summary) = project.json(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(code).says(pieces);
    assert_eq!(summary["outcome"], if code == 5 { "held" } else { "failed" });
    assert_eq!(summary["error"]["kind"], if code == 5 { "safety" } else { "plan" });
    assert!(summary["error"]["hint"].is_string(), "{summary:#}");
    assert_eq!(tenant.requests(), asked, "a plan that is refused costs no request");
    tenant.unchanged();
}

#[test]
fn exactly_the_plan_is_applied() {
    let (tenant, project) = planned();
    let (ran, summary) = project.json(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(0);
    assert_eq!(summary["outcome"], "complete");
    assert_eq!(counts(&summary, "planned"), "create 1, update 1");
    assert_eq!(counts(&summary, "applied"), "create 1, update 1");
    let mut ledger = tenant.ledger();
    ledger.sort();
    assert_eq!(ledger, ["Create cy", "Update bo"]);
    assert_eq!(tenant.account("bo").last_name, "Lindqvist");
    // The account is read before it is changed, because the plan may be old.
    assert_eq!(counts(&summary, "requests"), "auth 1, estimated 4, lookup 1, total 4, write 2");
}

#[test]
fn the_export_may_change_after_the_plan_was_made() {
    let (tenant, project) = planned();
    project.people(&row("E9", "zoe", "Zoe", "Zed"));
    let (ran, _) = project.json(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(0);
    assert_eq!(tenant.account("cy").last_name, "Young");
    assert!(tenant.accounts().iter().all(|account| account.login_id != "zoe"));
}

#[test]
fn a_plan_without_secrets_of_the_export_needs_no_export() {
    let (tenant, project) = planned();
    std::fs::remove_file(project.path("people.csv")).unwrap();
    project.json(&["apply", "plan.jsonl", "--yes"]).0.expect(0);
    assert_eq!(tenant.writes().len(), 2);
}

#[test]
fn secrets_are_read_from_the_export_that_the_plan_was_made_from_and_no_other() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project(&three_rows());
    project.set("password", "\"title\"");
    project.plan();
    project.people(&three_rows().replace("Agent", "Changed"));
    let (ran, _) = project.json(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(1).says(&["people.csv", "the source changed"]);
    tenant.unchanged();
    // No run was begun that would have to be ended first.
    project.people(&three_rows());
    project.json(&["apply", "plan.jsonl", "--yes"]).0.expect(0);
    assert_eq!(tenant.account("ana").password, Some(headcount::sandbox::password_hash("Agent")));
}

#[test]
fn a_plan_is_found_by_its_name_too() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let summary = project.plan();
    let (ran, _) = project.json(&["apply", summary["run"].as_str().unwrap(), "--yes"]);
    ran.expect(0);
    assert_eq!(tenant.writes().len(), 2);
}

#[test]
fn a_plan_that_was_cut_short_is_refused() {
    let (tenant, project) = planned();
    let whole = project.read("plan.jsonl");
    let without_end = whole.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    project.write("plan.jsonl", &without_end);
    refused(&tenant, &project, 1, &["plan.jsonl", "cut short", "line 3"]);
    project.write("plan.jsonl", &whole[..whole.len() / 2]);
    refused(&tenant, &project, 1, &["plan.jsonl", "cut short"]);
    project.write("plan.jsonl", "");
    refused(&tenant, &project, 1, &["plan.jsonl", "cut short"]);
}

#[test]
fn a_plan_that_was_edited_is_refused() {
    let (tenant, project) = planned();
    let whole = project.read("plan.jsonl");
    project.write("plan.jsonl", whole.replace("Lindqvist", "Mallory"));
    refused(&tenant, &project, 1, &["plan.jsonl", "edited", "digest"]);
    let lines: Vec<&str> = whole.lines().collect();
    project.write("plan.jsonl", [lines[0], lines[2], lines[3]].join("\n") + "\n");
    refused(&tenant, &project, 1, &["plan.jsonl", "edited"]);
    project.write("plan.jsonl", format!("{whole}{}\n", lines[1]));
    refused(&tenant, &project, 1, &["plan.jsonl", "follows its end"]);
    project.write("plan.jsonl", b"\x00\x01\x02 nonsense\n");
    refused(&tenant, &project, 1, &["plan.jsonl", "line 1"]);
    project.write("plan.jsonl", whole.replacen("\"headcount_plan\":1", "\"headcount_plan\":2", 1));
    refused(&tenant, &project, 1, &["plan.jsonl", "version 2"]);
}

#[test]
fn a_plan_for_another_tenant_is_refused() {
    let (tenant, project) = planned();
    project.set("tenant", "\"other\"");
    refused(&tenant, &project, 1, &["for tenant acme", "for other"]);
    project.set("tenant", "\"acme\"");
    // The same name at another address is another tenant.
    let port = tenant.port().to_string();
    project.edit(&port, "1");
    refused(&tenant, &project, 1, &["for tenant acme", &port]);
}

#[test]
fn a_plan_made_with_another_configuration_is_refused() {
    let (tenant, project) = planned();
    project.set("job_description", "{ column = \"title\", on = \"create\" }");
    refused(&tenant, &project, 1, &["the configuration changed since the plan was made", "headcount plan"]);
    project.set("job_description", "\"title\"");
    // What decides nothing may change: pace, reports, where passwords go.
    project.set("requests_per_second", "100000");
    project.json(&["apply", "plan.jsonl", "--yes"]).0.expect(0);
}

#[test]
fn an_old_plan_is_refused_and_one_from_the_future_too() {
    let (tenant, project) = planned();
    let age = SignedDuration::from_hours(25);
    reseal(&project, |header| header.created_at = Timestamp::now() - age);
    refused(&tenant, &project, 1, &["the plan is 25 h", "safety.plan_max_age", "headcount plan"]);
    reseal(&project, |header| header.created_at = Timestamp::now() + age);
    refused(&tenant, &project, 1, &["in the future", "clocks"]);
    reseal(&project, |header| header.created_at = Timestamp::now() - SignedDuration::from_hours(23));
    project.json(&["apply", "plan.jsonl", "--yes"]).0.expect(0);
}

#[test]
fn a_plan_that_a_safety_rule_stopped_is_refused() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("safety", "min_rows = 4");
    project.run(&["plan", "-o", "plan.jsonl"]).expect(5);
    refused(&tenant, &project, 5, &["safety.min_rows"]);
}

#[test]
fn an_account_that_changed_meanwhile_is_left_alone_and_the_others_are_done() {
    let (tenant, project) = planned();
    // Somebody else gives bo another name.
    let other = tenant.project("E2,bo,bo@example.com,Bo,Meanwhile,Agent,active\n");
    other.sync(0);
    assert_eq!(tenant.ledger(), ["Update bo"]);

    let (ran, summary) = project.json(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(4).says(&["bo", "changed", "Meanwhile"]);
    assert_eq!(summary["outcome"], "partial");
    assert_eq!(counts(&summary, "applied"), "create 1");
    assert_eq!(summary["failed"], 1);
    assert_eq!(tenant.ledger(), ["Update bo", "Create cy"]);
    assert_eq!(tenant.account("bo").last_name, "Meanwhile");
    let entry = project.entry("last", "bo");
    assert_eq!(entry["outcome"]["result"], "skipped");
    // The next plan sees the account as it is, and brings it to where it belongs.
    project.sync(0);
    assert_eq!(tenant.account("bo").last_name, "Lindqvist");
}

#[test]
fn a_plan_is_applied_once() {
    let (tenant, project) = planned();
    project.json(&["apply", "plan.jsonl", "--yes"]).0.expect(0);
    let done = tenant.ledger();
    let (ran, summary) = project.json(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(0);
    assert_eq!((&summary["outcome"], counts(&summary, "planned").as_str()), (&"no_changes".into(), ""));
    assert_eq!(tenant.ledger(), done);
}

#[test]
fn after_a_canary_the_same_plan_does_the_rest_and_nobody_twice() {
    let (tenant, project) = planned();
    let plan: serde_json::Value = serde_json::from_str(project.read("plan.jsonl").lines().next().unwrap()).unwrap();
    let (ran, summary) = project.json(&["apply", "plan.jsonl", "--yes", "--limit", "1"]);
    // The next step is the rest of what was read, not a plan that nobody has seen.
    ran.expect(0).says(&["1 account left out", &format!("headcount apply {}", plan["plan"].as_str().unwrap())]);
    project.run(&["show", "last"]).expect(0).says(&[&format!("headcount apply {}", plan["plan"].as_str().unwrap())]);
    assert_eq!(counts(&summary, "applied"), "create 1");
    let (ran, summary) = project.json(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(0);
    assert_eq!((counts(&summary, "planned"), counts(&summary, "applied")), ("update 1".into(), "update 1".into()));
    assert_eq!(tenant.ledger(), ["Create cy", "Update bo"]);
}

#[test]
fn what_a_plan_held_is_released_by_the_command_that_its_run_ends_with() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("safety", "max_create = 0").run(&["plan", "-o", "plan.jsonl"]).expect(5);
    let ran = project.run(&["apply", "plan.jsonl", "--yes"]);
    ran.expect(5).says(&["1 account to create held"]);
    let command = ran.stdout.lines().find_map(|line| line.trim().strip_prefix("headcount apply ")).unwrap().to_owned();
    let words: Vec<&str> = command.split(' ').collect();
    project.run(&[&["apply"], &words[..], &["--yes"]].concat()).expect(0);
    assert_eq!(tenant.ledger(), ["Update bo", "Create cy"]);
}

#[test]
fn a_plan_that_does_not_know_of_a_later_run_is_refused() {
    let (tenant, project) = planned();
    project.sync(0);
    let done = tenant.ledger();
    project.json(&["apply", "plan.jsonl", "--yes"]).0.expect(1).says(&["out of date", "make a new plan"]);
    assert_eq!(tenant.ledger(), done);
}

#[test]
fn without_yes_and_without_a_terminal_nothing_is_applied() {
    let (tenant, project) = planned();
    for mut command in [project.command(&["apply", "plan.jsonl"]), project.command(&["sync"])] {
        let ran = crate::support::ran(&mut command);
        ran.expect(1).says(&["nothing was applied", "--yes"]);
    }
    // A yes on a pipe is no terminal.
    let ran = crate::support::fed(project.command(&["apply", "plan.jsonl"]), b"yes\n");
    ran.expect(1).says(&["nothing was applied", "--yes"]);
    tenant.unchanged();
}

#[test]
fn a_plan_that_is_not_there_says_how_to_make_one() {
    let (tenant, project) = planned();
    project.run(&["apply", "none.jsonl", "--yes"]).expect(1).says(&["none.jsonl", "headcount plan -o PLAN"]);
    tenant.unchanged();
}
