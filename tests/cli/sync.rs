//! `headcount sync`: plan and apply in one, the first run, the second run, and parts of a run.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Project, Tenant, counts, row, three_accounts, three_rows};

#[test]
fn the_first_run_makes_the_accounts_and_the_second_changes_nothing() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    let first = project.sync(0);
    assert_eq!(counts(&first, "planned"), "create 31, deactivate 7, reactivate 4, update 32");
    assert_eq!(first["applied"], first["planned"]);
    assert_eq!(counts(&first, "found"), "absent 5, drift 2, invalid 2, protected 4, skipped 4, unchanged 174");
    assert_eq!(first["outcome"], "complete");
    assert_eq!([&first["held"], &first["failed"], &first["unknown"]], [0, 0, 0]);
    assert_eq!(counts(&first, "requests"), "auth 1, estimated 100, list 25, total 100, write 74");
    assert_eq!(tenant.requests(), 100);
    assert_eq!(tenant.writes().len(), 74);
    assert_eq!(tenant.accounts().len(), 228 + 31);

    let second = project.sync(0);
    assert_eq!(counts(&second, "planned"), "");
    assert_eq!(counts(&second, "applied"), "");
    assert_eq!(counts(&second, "found"), "absent 5, drift 2, invalid 2, protected 4, skipped 4, unchanged 248");
    assert_eq!(second["outcome"], "no_changes");
    assert_eq!(counts(&second, "requests"), "auth 1, estimated 29, list 28, total 29");
    assert_eq!(tenant.writes().len(), 74);
}

#[test]
fn every_field_of_the_summary_is_there() {
    let tenant = three_accounts();
    let (_, failed) = tenant.project(&three_rows()).json(&["sync"]);
    tenant.unchanged();
    let tenant = three_accounts();
    let summary = tenant.project(&three_rows()).sync(0);
    let names = |of: &serde_json::Value| of.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let expected = json!({
        "headcount_summary": 1, "command": "sync", "run": "", "tenant": "acme", "outcome": "complete",
        "planned": {"create": 1, "update": 1, "deactivate": 0, "reactivate": 0, "delete": 0},
        "found": {"unchanged": 1, "drift": 0, "conflict": 0, "invalid": 0, "skipped": 0, "absent": 0, "protected": 0},
        "applied": {"create": 1, "update": 1, "deactivate": 0, "reactivate": 0, "delete": 0},
        "held": 0, "failed": 0, "unknown": 0,
        "requests": {"auth": 1, "list": 1, "lookup": 0, "write": 2, "retried": 0, "total": 4, "estimated": 4},
        "quota": {"limit": 10_000, "remaining": 9996, "resets_at": ""}, "elapsed_seconds": 0, "exit_code": 0,
    });
    assert_eq!(names(&summary), names(&expected));
    for part in ["planned", "found", "applied", "requests"] {
        assert_eq!(summary[part], expected[part], "{part}");
    }
    assert_eq!(names(&summary["quota"]), names(&expected["quota"]));
    assert_eq!((&summary["quota"]["limit"], &summary["quota"]["remaining"]), (&10_000.into(), &9996.into()));
    assert!(summary["elapsed_seconds"].as_f64().unwrap() > 0.0);
    assert!(!summary["run"].as_str().unwrap().is_empty());

    let mut with_error = names(&expected);
    with_error.insert("error".to_owned());
    assert_eq!(names(&failed), with_error);
    assert_eq!((&failed["error"]["kind"], &failed["tenant"]), (&"usage".into(), &"acme".into()));
}

#[test]
fn the_built_in_tenant_is_kept_between_runs() {
    let project = Project::sample();
    let first = project.sync(0);
    assert_eq!(counts(&first, "applied"), "create 31, deactivate 7, reactivate 4, update 32");
    let ledger = project.read(".headcount/sandbox.ledger.jsonl");
    assert_eq!(ledger.lines().count(), 74);
    assert_eq!(counts(&project.sync(0), "applied"), "");
    assert_eq!(project.read(".headcount/sandbox.ledger.jsonl"), ledger);
    assert_eq!(project.mode(".headcount"), 0o700);
    // The two reports of the configuration, one each for each run that did something or found something.
    assert_eq!(project.files("reports").len(), 4);
}

#[test]
fn only_names_people_by_key_identity_or_account() {
    let tenant = three_accounts();
    let rows = [three_rows(), row("E4", "dee", "Dee", "Day"), row("E5", "eli", "Eli", "Eve")].concat();
    let project = tenant.project(&rows);
    let (ran, summary) = project.json(&["sync", "--yes", "--only", "E4", "2"]);
    ran.expect(0);
    let mut ledger = tenant.ledger();
    ledger.sort();
    assert_eq!(ledger, ["Create dee", "Update bo"]);
    assert_eq!(counts(&summary, "applied"), "create 1, update 1");
    let (ran, _) = project.json(&["sync", "--yes", "--only", "CY"]);
    ran.expect(0);
    assert_eq!(tenant.ledger()[2..], ["Create cy"]);
    project.sync(0);
    assert_eq!(tenant.ledger()[3..], ["Create eli"]);
}

#[test]
fn a_name_that_nobody_has_is_said() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let ran = project.run(&["sync", "--yes", "--only", "cy", "nobody"]);
    ran.expect(0).says(&["--only nobody: the plan changes nobody"]).says_nothing_of(&["--only cy"]);
    assert_eq!(tenant.ledger(), ["Create cy"]);
}

#[test]
fn limit_does_the_first_and_the_next_run_does_the_rest() {
    let tenant = Tenant::sample();
    let project = tenant.connect(Project::sample());
    let (ran, summary) = project.json(&["sync", "--yes", "--limit", "3"]);
    ran.expect(0);
    assert_eq!(counts(&summary, "applied"), "create 3");
    assert_eq!(tenant.writes().len(), 3);
    let rest = project.sync(0);
    assert_eq!(counts(&rest, "applied"), "create 28, deactivate 7, reactivate 4, update 32");
    assert_eq!(tenant.writes().len(), 74);
}

#[test]
fn a_leaver_is_deactivated_and_a_returner_is_active_again() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.sync(0);
    project.people(&three_rows().replace("Diaz,Agent,active", "Diaz,Agent,left"));
    assert_eq!(counts(&project.sync(0), "applied"), "deactivate 1");
    let inactive = |login: &str| format!("{:?}", tenant.account(login).status) == "Inactive";
    assert!(inactive("ana") && !inactive("bo"));
    project.people(&three_rows());
    assert_eq!(counts(&project.sync(0), "applied"), "reactivate 1");
    assert!(!inactive("ana"));
}

#[test]
fn an_update_keeps_the_skills_that_nobody_mapped() {
    let mut ana = crate::support::account(1, "ana", "Ana", "Diaz");
    ana["skill_attributes"] = json!({ "English": 50, "Secret Sauce": "yes" });
    let tenant = Tenant::with(&[ana]);
    let project = tenant.project("E1,ana,ana@example.com,Ana,Diaz,Agent,active\n");
    project.add("map", "skill_attributes = { value = { English = 80 } }");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(0);
    assert_eq!(counts(&summary, "applied"), "update 1");
    let skills = serde_json::to_value(tenant.account("ana").skill_attributes).unwrap();
    assert_eq!(skills, json!({ "English": 80, "Secret Sauce": "yes" }));
}

#[test]
fn a_refused_account_never_stops_the_others() {
    let faults = "[[rule]]\non = { op = \"create\", login = \"cy\" }\n\
                  then = { status = 400, code = 3111, description = \"Email already exists\" }\n";
    let tenant = Tenant::with_faults(&[], faults);
    let project = tenant.project(&three_rows());
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(4).says(&["cy", "3111", "Email already exists"]);
    assert_eq!((counts(&summary, "applied"), &summary["failed"]), ("create 2".to_owned(), &1.into()));
    assert_eq!(summary["outcome"], "partial");
    let outcome = &project.entry("last", "cy")["outcome"];
    assert_eq!((&outcome["result"], &outcome["code"]), (&"failed".into(), &3111.into()));
    assert!(outcome["trxid"].is_string(), "{outcome}");
    assert_eq!(counts(&project.sync(0), "applied"), "create 1");
}
