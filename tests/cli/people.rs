//! What becomes of people: leavers, newcomers who are inactive, absences, the protected, the renamed.

use serde_json::json;

use crate::support::{Tenant, account, but, counts, row, three_accounts, three_rows};

const ANA_LEFT: &str = "E1,ana,ana@example.com,Ana,Diaz,Agent,left\n";

fn ana() -> Tenant {
    Tenant::with(&[account(1, "ana", "Ana", "Diaz")])
}

fn is_inactive(tenant: &Tenant, login: &str) -> bool {
    tenant.account(login).status == headcount::sandbox::imichat::Status::Inactive
}

#[test]
fn leavers_are_only_reported_where_the_policy_says_so() {
    let tenant = ana();
    let project = tenant.project(ANA_LEFT);
    project.add("policy", "leavers = \"report\"");
    let summary = project.sync(0);
    assert_eq!((counts(&summary, "planned"), counts(&summary, "found")), (String::new(), "skipped 1".to_owned()));
    let entry = project.entry("last", "ana");
    assert!(entry["reason"].as_str().unwrap().contains("policy.leavers"), "{entry}");
    tenant.unchanged();
}

#[test]
fn returners_are_left_inactive_where_the_policy_says_so() {
    let tenant = Tenant::with(&[but(account(1, "ana", "Ana", "Diaz"), json!({ "status": "inactive" }))]);
    let project = tenant.project(&row("E1", "ana", "Ana", "Diaz"));
    project.add("policy", "reactivate = false");
    assert_eq!(counts(&project.sync(0), "found"), "skipped 1");
    tenant.unchanged();
}

#[test]
fn nobody_is_created_or_changed_where_the_policy_forbids_it() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("policy", "create = false\nupdate = false");
    let summary = project.sync(0);
    assert_eq!(
        (counts(&summary, "planned"), counts(&summary, "found")),
        (String::new(), "skipped 2, unchanged 1".to_owned())
    );
    tenant.unchanged();
}

#[test]
fn the_protected_are_never_touched_by_any_key() {
    let tenant = Tenant::with(&[
        account(1, "svc-bot", "Old", "Bot"),
        account(2, "bo", "Old", "Li"),
        but(account(3, "boss", "Old", "Boss"), json!({ "role_type": "Administrative" })),
    ]);
    let rows = [
        row("E1", "svc-bot", "New", "Bot"),
        row("E2", "bo", "New", "Li"),
        row("E3", "boss", "New", "Boss"),
        row("E4", "svc-new", "New", "New"),
    ];
    let project = tenant.project(&rows.concat());
    project.add("policy", "protect = [\"SVC-*\", \"bo@example.com\"]\nabsent = \"deactivate\"");
    let summary = project.sync(0);
    assert_eq!((counts(&summary, "planned"), counts(&summary, "found")), (String::new(), "protected 4".to_owned()));
    tenant.unchanged();
}

#[test]
fn an_absence_counts_only_after_as_many_runs_as_the_policy_asks() {
    let tenant = three_accounts();
    let project = tenant.project(&row("E1", "ana", "Ana", "Diaz"));
    project.add("policy", "absent = \"deactivate\"\nabsent_for = { runs = 3, days = 0 }");
    for run in 1..=2 {
        let summary = project.sync(0);
        assert_eq!(
            (counts(&summary, "planned"), counts(&summary, "found")),
            (String::new(), "absent 1, unchanged 1".to_owned())
        );
        let entry = project.entry("last", "bo");
        assert!(entry["reason"].as_str().unwrap().contains(&format!("{run} of 3 runs")), "{entry}");
        // A plan is no run: looking often does not make an absence longer.
        project.plan();
        project.plan();
    }
    tenant.unchanged();
    let summary = project.sync(0);
    assert_eq!(counts(&summary, "applied"), "deactivate 1");
    assert_eq!(tenant.ledger(), ["Update bo"]);
    assert!(is_inactive(&tenant, "bo"));
    assert_eq!(counts(&project.sync(0), "planned"), "");
}

#[test]
fn who_comes_back_between_is_absent_from_the_beginning_again() {
    let tenant = three_accounts();
    let ana = row("E1", "ana", "Ana", "Diaz");
    let both = [ana.clone(), row("E2", "bo", "Bo", "Li")].concat();
    let project = tenant.project(&ana);
    project
        .add("policy", "absent = \"deactivate\"\nabsent_for = { runs = 2, days = 0 }")
        .add("safety", "max_row_drop = \"100%\"");
    project.sync(0);
    project.people(&both);
    project.sync(0);
    project.people(&ana);
    assert_eq!(counts(&project.sync(0), "planned"), "");
    assert_eq!(counts(&project.sync(0), "applied"), "deactivate 1");
}

#[test]
fn an_absence_is_only_a_day_old_after_a_day() {
    let tenant = three_accounts();
    let project = tenant.project(&row("E1", "ana", "Ana", "Diaz"));
    project.add("policy", "absent = \"deactivate\"\nabsent_for = { runs = 1, days = 1 }");
    for _ in 0..3 {
        project.sync(0);
    }
    let entry = project.entry("last", "bo");
    assert!(entry["reason"].as_str().unwrap().contains("0 of 1 days"), "{entry}");
    tenant.unchanged();
}

#[test]
fn absences_are_ignored_or_reported_as_the_policy_says() {
    let tenant = three_accounts();
    let project = tenant.project(&row("E1", "ana", "Ana", "Diaz"));
    assert_eq!(counts(&project.plan(), "found"), "absent 1, unchanged 1");
    project.add("policy", "absent = \"ignore\"");
    assert_eq!(counts(&project.plan(), "found"), "unchanged 1");
}

#[test]
fn an_inactive_newcomer_is_skipped_or_takes_a_create_and_an_update() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project(ANA_LEFT);
    assert_eq!(counts(&project.sync(0), "found"), "skipped 1");
    tenant.unchanged();

    project.add("policy", "inactive_newcomers = \"create\"");
    let (ran, summary) = project.json(&["sync", "--yes"]);
    ran.expect(0);
    assert_eq!(counts(&summary, "applied"), "create 1");
    assert_eq!(tenant.ledger(), ["Create ana", "Update ana"]);
    assert_eq!(summary["requests"]["write"], 2);
    assert!(is_inactive(&tenant, "ana"));
    assert_eq!(counts(&project.sync(0), "planned"), "");
}

#[test]
fn a_status_for_newcomers_only_takes_create_and_update_and_is_never_looked_at_again() {
    let tenant = Tenant::with(&[]);
    let project = tenant.project(ANA_LEFT);
    project.edit(
        "status = \"{{ 'inactive' if status == 'left' else 'active' }}\"",
        "status = { template = \"{{ 'inactive' if status == 'left' else 'active' }}\", on = \"create\" }",
    );
    project.sync(0);
    assert_eq!(tenant.ledger(), ["Create ana", "Update ana"]);
    assert!(is_inactive(&tenant, "ana"));
    project.people(&row("E1", "ana", "Ana", "Diaz"));
    assert_eq!(counts(&project.sync(0), "planned"), "");
}

#[test]
fn who_is_renamed_is_found_by_the_link_and_reported_as_drift() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.sync(0);
    let done = tenant.writes().len();
    // Married, with another login and another address: no match rule would find her.
    project.people(&three_rows().replace("E3,cy,cy@example.com,Cy,Young", "E3,cy.wong,cy.wong@example.com,Cy,Wong"));
    let summary = project.sync(0);
    assert_eq!(counts(&summary, "applied"), "update 1");
    assert_eq!(summary["found"]["drift"], 1);
    assert_eq!(summary["found"]["absent"], 0);
    assert_eq!(tenant.ledger()[done..], ["Update cy"]);
    let account = tenant.account("cy");
    assert_eq!((account.last_name.as_str(), account.email_id.as_str()), ("Wong", "cy@example.com"));
    let entries = project.entries("last");
    let drift = entries.iter().find(|entry| entry["finding"] == "drift").unwrap();
    assert_eq!(drift["match"], "link");
    assert_eq!(drift["changes"].as_array().unwrap().len(), 2);
    assert_eq!((&drift["changes"][0]["from"], &drift["changes"][0]["to"]), (&"cy".into(), &"cy.wong".into()));
}

#[test]
fn a_link_is_remembered_from_an_account_that_was_found_too() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.sync(0);
    project.people(&three_rows().replace("E1,ana,ana@example.com", "E1,ana.diaz,ana.diaz@example.com"));
    let summary = project.sync(0);
    assert_eq!((counts(&summary, "planned"), &summary["found"]["drift"]), (String::new(), &1.into()));
}

#[test]
fn the_second_rule_finds_whom_the_first_does_not() {
    let tenant = Tenant::with(&[but(account(1, "adiaz", "Ana", "Diaz"), json!({ "email_id": "Ana@Example.com" }))]);
    let project = tenant.project(&row("E1", "ana", "Ana", "Diaz"));
    let summary = project.plan();
    assert_eq!((counts(&summary, "planned"), counts(&summary, "found")), (String::new(), "drift 1".to_owned()));
    let ran = project.run(&["report", "plan.jsonl"]);
    ran.says(&["account 1 by email_id", "login_id: adiaz → ana", "the API cannot change login_id"]);
}

#[test]
fn a_write_only_attribute_that_changed_is_sent_again_and_one_that_did_not_is_not() {
    let tenant = Tenant::with(&[account(1, "ana", "Ana", "Diaz")]);
    let project = tenant.project(&row("E1", "ana", "Ana", "Diaz"));
    project.add("map", "custom_attributes = { column = \"title\", parse = \"json\" }");
    let with = |title: &str| format!("E1,ana,ana@example.com,Ana,Diaz,\"{}\",active\n", title.replace('"', "\"\""));
    project.edit("job_description = \"title\"\n", "");
    project.people(&with("{\"floor\":\"3\"}"));
    project.sync(0);
    let first = tenant.writes().len();
    assert_eq!(first, 1, "{:?}", tenant.ledger());
    project.sync(0);
    assert_eq!(tenant.writes().len(), 1);
    project.people(&with("{\"floor\":\"4\"}"));
    project.sync(0);
    assert_eq!(tenant.writes().len(), 2);
    assert_eq!(serde_json::to_value(tenant.account("ana").custom_attributes).unwrap(), json!({ "floor": "4" }));
}
