//! `headcount plan`: the dry run, the plan file, and plans against an earlier export.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Project, Tenant, account, but, counts, lines, row, three_accounts, three_rows};

#[test]
fn the_sample_plan_has_something_of_everything_and_writes_nothing() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    let summary = project.plan();
    assert_eq!(counts(&summary, "planned"), "create 31, deactivate 7, reactivate 4, update 32");
    assert_eq!(counts(&summary, "found"), "absent 5, drift 2, invalid 2, protected 4, skipped 4, unchanged 174");
    assert_eq!(counts(&summary, "applied"), "");
    assert_eq!((&summary["outcome"], &summary["tenant"]), (&"planned".into(), &"acme".into()));
    // One token, 25 pages; applying takes another token, 74 writes, and reads 43 accounts again before they change.
    assert_eq!(counts(&summary, "requests"), "auth 1, estimated 144, list 25, total 26");
    assert_eq!(tenant.requests(), 26);
    tenant.unchanged();
}

#[test]
fn the_plan_file_is_sealed_private_and_in_the_order_of_execution() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    project.plan();
    assert_eq!(project.mode("plan.jsonl"), 0o600);
    assert_eq!(project.mode(".headcount"), 0o700);
    let plan = lines(&project.read("plan.jsonl"));
    let (header, end) = (&plan[0], &plan[plan.len() - 1]);
    for field in [
        "headcount_plan",
        "plan",
        "created_at",
        "tenant",
        "target",
        "config_digest",
        "source",
        "listing",
        "counts",
        "requests",
        "held",
    ] {
        assert!(header.get(field).is_some(), "{field} is not in {header}");
    }
    assert_eq!(header["headcount_plan"], 1);
    assert_eq!(header["listing"]["accounts"], 228);
    assert_eq!(header["listing"]["complete"], true);
    assert_eq!(header["source"]["files"][0]["rows"], 262);
    assert_eq!(header["requests"], json!({ "auth": 1, "list": 25, "lookup": 0, "write": 74, "total": 100 }));
    assert_eq!(end["end"], 74);
    assert!(end["digest"].as_str().unwrap().starts_with("blake3:"));

    let actions = project.actions();
    let numbers: Vec<u64> = actions.iter().map(|action| action["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=74).collect::<Vec<_>>());
    let first_leaver = actions.iter().position(|action| action["action"] == "deactivate").unwrap();
    assert!(actions[first_leaver..].iter().all(|action| action["action"] == "deactivate"));
    assert_eq!(first_leaver, 67);
    for action in &actions {
        assert!(action["source"]["line"].as_u64().unwrap() > 1);
        let is_new = action["action"] == "create";
        assert_eq!(action.get("account").is_none(), is_new, "{action}");
        assert_eq!(action.get("match").is_none(), is_new, "{action}");
        for change in action["changes"].as_array().unwrap() {
            assert_eq!(change.get("from").is_none(), is_new, "{action}");
            if change["attribute"] == "password" {
                assert_eq!(change["to"], "(generated)");
            }
        }
    }
}

#[test]
fn the_exit_code_says_whether_there_are_changes_where_that_is_asked() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.run(&["plan"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(3);
    project.sync(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    let (ran, summary) = project.json(&["plan", "--detailed-exitcode"]);
    ran.expect(0);
    assert_eq!(summary["outcome"], "no_changes");
}

#[test]
fn what_is_held_exits_with_5_even_where_changes_are_asked_for() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("safety", "max_create = 0");
    project.run(&["plan"]).expect(5).says(&["held"]);
    project.run(&["plan", "--detailed-exitcode"]).expect(5);
}

#[test]
fn the_same_inputs_make_the_same_plan_whatever_the_order_of_the_rows() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.plan();
    let first = project.actions();
    let mut rows: Vec<String> = three_rows().lines().map(str::to_owned).collect();
    rows.reverse();
    project.people(&(rows.join("\n") + "\n"));
    project.plan();
    let what = |actions: &[Value]| -> BTreeSet<String> {
        actions.iter().map(|a| format!("{} {} {}", a["action"], a["key"], a["changes"])).collect()
    };
    assert_eq!(what(&first), what(&project.actions()));
    assert_eq!(first.len(), 2);
}

/// The accounts of [`three_accounts`] as an export has them.
const EXPORT: &str = "account,login_id,email_id,first_name,last_name,job_description,status,skill_attributes\n\
                      1,ana,ana@example.com,Ana,Diaz,Agent,active,English:100\n\
                      2,bo,bo@example.com,Bo,Li,Agent,active,\n";

#[test]
fn against_an_export_the_plan_is_the_same_and_costs_no_request() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let live = project.plan();
    let live_actions = project.actions();
    let asked = tenant.requests();

    project.write("export.csv", EXPORT);
    let (ran, recorded) = project.json(&["plan", "-o", "plan.jsonl", "--against", "export.csv"]);
    ran.expect(0).says(&["compared with export.csv"]);
    assert_eq!(recorded["planned"], live["planned"]);
    assert_eq!(recorded["found"], live["found"]);
    assert_eq!(project.actions(), live_actions);
    assert_eq!(counts(&recorded, "requests").replace("estimated 2", ""), "", "{recorded:#}");
    assert_eq!(tenant.requests(), asked);
}

#[test]
fn a_plan_against_an_export_can_be_read_but_not_applied() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.write("export.csv", EXPORT);
    project.run(&["plan", "-o", "plan.jsonl", "--against", "export.csv"]).expect(0);
    project.run(&["report", "plan.jsonl"]).expect(0).says(&["cy"]);
    project.run(&["apply", "plan.jsonl", "--yes"]).expect(1).says(&["made against export.csv", "headcount plan"]);
    assert_eq!(tenant.requests(), 0);
}

#[test]
fn an_export_that_is_none_says_which_column_it_lacks() {
    let project = Project::small("");
    project.people(&three_rows());
    project.write("export.csv", "login_id\nana\n");
    project.run(&["plan", "--against", "export.csv"]).expect(1).says(&[
        "export.csv",
        "no column \"account\"",
        "--against needs",
    ]);
    project.write("export.csv", "account,login_id\n1,ana\n");
    project.run(&["plan", "--against", "export.csv"]).expect(1).says(&["export.csv", "no column \"email_id\""]);
    project.run(&["plan", "--against", "none.csv"]).expect(1).says(&["none.csv"]);
}

#[test]
fn people_and_scripts_are_told_on_different_streams() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let ran = project.run(&["plan"]);
    ran.expect(0);
    assert!(ran.stdout.contains("last_name: Li → Lindqvist"), "{}", ran.stdout);
    let (ran, _) = project.json(&["plan"]);
    assert!(ran.stderr.contains("last_name: Li → Lindqvist"), "{}", ran.stderr);
}

#[test]
fn a_long_plan_says_how_much_it_does_not_show_and_v_shows_it() {
    let tenant = Tenant::with(&[]);
    let rows: String = (0..30).map(|n| row(&format!("E{n}"), &format!("user{n:02}"), "A", "B")).collect();
    let project = tenant.project(&rows);
    let short = project.run(&["plan"]);
    short.expect(0).says(&["not shown: 10 create"]).says_nothing_of(&["user29"]);
    project.run(&["plan", "-v"]).expect(0).says(&["user29"]).says_nothing_of(&["not shown"]);
}

#[test]
fn a_leaver_with_open_chats_is_warned_of() {
    let tenant =
        Tenant::with(&[but(account(1, "ana", "Ana", "Diaz"), json!({ "active_chats": 3, "logged_in": true }))]);
    let project = tenant.project("E1,ana,ana@example.com,Ana,Diaz,Agent,left\n");
    project.run(&["plan"]).expect(0).says(&["status: active → inactive", "has open chats (3)", "is logged in"]);
}

#[test]
fn a_plan_that_cannot_be_written_says_where() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.run(&["plan", "-o", "no/such/folder/plan.jsonl"]).expect(1).says(&["no/such/folder", "-o"]);
    project.run(&["plan", "-o", "people.csv/plan.jsonl"]).expect(1).says(&["people.csv/plan.jsonl"]);
    tenant.unchanged();
}

#[test]
fn a_conflict_is_reported_with_both_accounts_and_changes_no_exit_code() {
    // The login finds one account and the address another: first rule wins; two rows for one account are a conflict.
    let tenant = Tenant::with(&[account(1, "ana", "Ana", "Diaz")]);
    let project = tenant
        .project("E1,ana,ana@example.com,Ana,Diaz,Agent,active\nE2,ana.d,ana@example.com,Anna,Diaz,Agent,active\n");
    project.add("source", "duplicates = \"first\"");
    let summary = project.plan();
    assert_eq!(counts(&summary, "found"), "conflict 2");
    assert_eq!(counts(&summary, "planned"), "");
    let ran = project.run(&["report", "plan.jsonl", "--as", "text"]);
    ran.says(&["people.csv:2", "people.csv:3", "conflict"]);
}
