//! `headcount explain`: one person, end to end.

use serde_json::{Value, json};

use crate::support::{Project, Ran, Tenant, account, but, row, three_accounts, three_rows};

fn explained(project: &Project, args: &[&str], code: i32) -> Value {
    let ran = project.run(&[&["--format", "json", "explain"], args].concat());
    ran.expect(code);
    assert_eq!(ran.stdout.lines().count(), 1);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A tenant and a project whose accounts were listed once.
fn listed(tenant: &Tenant, rows: &str) -> Project {
    let project = tenant.project(rows);
    project.run(&["plan"]);
    project
}

fn text(project: &Project, args: &[&str]) -> Ran {
    project.run(&[&["explain"], args].concat())
}

#[test]
fn a_person_who_differs_is_explained_without_a_request() {
    let tenant = three_accounts();
    let project = listed(&tenant, &three_rows());
    let before = tenant.requests();
    let ran = text(&project, &["bo"]);
    ran.expect(0).says(&[
        "bo: update",
        "the account differs from the row in last_name",
        "last_name: Li → Lindqvist",
        "people.csv:3, identity E2",
        "2, active, found by login_id bo",
        "~ last_name         Li → Lindqvist",
        "from last = \"Lindqvist\"",
        "from {{ 'inactive' if status == 'left' else 'active' }} where status = \"active\"",
        "What runs did nothing",
        "ago. acme was not asked: --online does that.",
    ]);
    assert_eq!((ran.stderr.as_str(), tenant.requests()), ("", before));
    let json = explained(&project, &["bo"], 0);
    assert_eq!(json["headcount_explain"], 1);
    let person = &json["person"];
    assert_eq!((&person["decision"], &person["account"]["id"]), (&json!("update"), &json!("2")));
    assert_eq!(person["action"]["changes"], json!([{"attribute": "last_name", "from": "Li", "to": "Lindqvist"}]));
    let last = person["attributes"].as_array().unwrap().iter().find(|a| a["attribute"] == "last_name").unwrap();
    assert_eq!(
        *last,
        json!({"attribute": "last_name", "expression": "last", "cells": [{"column": "last", "value": "Lindqvist"}],
            "on": "always", "wanted": "Lindqvist", "has": "Li", "standing": "differs", "problems": []})
    );
    assert_eq!(person["match"]["by"], "login_id");
    assert_eq!((&json["listing"]["online"], &json["listing"]["requests"]), (&json!(false), &json!(0)));
}

#[test]
fn a_person_is_found_by_every_name_without_case_where_the_attribute_has_none() {
    let tenant = three_accounts();
    let project = listed(&tenant, &three_rows());
    for key in ["bo", "BO", "E2", "bo@example.com", "Bo@Example.com", "2"] {
        assert_eq!(explained(&project, &[key], 0)["person"]["row"]["source"]["line"], 3, "{key}");
    }
    for line in ["3", "people.csv:3"] {
        assert_eq!(explained(&project, &["--line", line], 0)["person"]["key"], "bo");
    }
    assert_eq!(explained(&project, &["e2"], 1)["nearest"][0], "E2", "an identity is as it is");
}

#[test]
fn newcomers_leavers_and_those_who_are_right_have_their_reasons() {
    let tenant = Tenant::with(&[account(1, "ana", "Ana", "Diaz"), account(2, "bo", "Bo", "Li")]);
    let project = listed(&tenant, &[three_rows().replace("Agent,active\nE3", "Agent,left\nE3")].concat());
    text(&project, &["cy"]).expect(0).says(&[
        "cy: create",
        "the row has no account yet",
        "none was found",
        "looked for by login_id: cy",
    ]);
    text(&project, &["bo"]).expect(0).says(&[
        "bo: deactivate",
        "a leaver: status is inactive in the row",
        "status: active → inactive",
    ]);
    text(&project, &["ana"]).expect(0).says(&["ana: unchanged", "the account already matches the row"]);
}

#[test]
fn an_account_without_a_row_is_explained_too() {
    let tenant = three_accounts();
    let project = listed(&tenant, &row("E1", "ana", "Ana", "Diaz"));
    for key in ["bo", "2", "bo@example.com"] {
        text(&project, &[key]).expect(0).says(&[
            "bo: absent",
            "no row; policy.absent is \"report\"",
            "none: nobody in the export has this account",
            "What the application shows",
            "last_name: Li",
        ]);
    }
    project.add("policy", "absent = \"ignore\"");
    let json = explained(&project, &["bo"], 0);
    assert_eq!((&json["person"]["decision"], &json["person"]["row"]), (&json!("ignored"), &Value::Null));
    assert_eq!(json["person"]["account"]["values"]["last_name"], "Li");
}

#[test]
fn where_nobody_is_meant_the_nearest_names_are_said() {
    let tenant = three_accounts();
    let project = listed(&tenant, &(three_rows() + &row("E4", "ana.dias", "Ana", "Dias")));
    text(&project, &["ana.diaz"]).expect(1).says(&[
        "Nobody goes by \"ana.diaz\", neither in the export nor in the last listing of the accounts.",
        "The nearest names are ana.dias,",
    ]);
    let json = explained(&project, &["ana.diaz"], 1);
    assert_eq!((&json["person"], &json["nearest"][0]), (&Value::Null, &json!("ana.dias")));
    text(&project, &["--line", "99"]).expect(1).says(&["Nobody goes by \"line 99\""]);
    text(&project, &["--line", "x"]).expect(2).says(&["--line x", "--line 12"]);
    text(&project, &[]).expect(2);
}

#[test]
fn where_several_are_meant_each_is_named_and_a_line_tells_them_apart() {
    let tenant = three_accounts();
    let rows = row("E1", "ana", "Ana", "Diaz") + &row("E2", "ana", "Anna", "Day");
    let project = tenant.project(&rows);
    project.set("identity", "\"id\"\nduplicates = \"first\"");
    project.run(&["plan"]).expect(0);
    text(&project, &["ana"]).expect(1).says(&[
        "Several go by \"ana\":",
        "ana: conflict (account 1)",
        "ana: conflict (people.csv:2, identity E1)",
        "ana: conflict (people.csv:3, identity E2)",
        "headcount explain --line people.csv:2",
    ]);
    assert_eq!(explained(&project, &["ana"], 1)["candidates"].as_array().unwrap().len(), 3);
    text(&project, &["1"]).expect(0).says(&["ana: conflict", "rows that match this account are in conflict"]);
    text(&project, &["--line", "people.csv:3"]).expect(0).says(&[
        "ana: conflict",
        "have the same email_id",
        "identity E2",
    ]);
}

#[test]
fn of_two_rows_of_a_person_the_one_that_counts_is_explained_and_the_other_by_its_line() {
    let tenant = three_accounts();
    let rows = row("E1", "ana", "Ana", "Diaz") + &row("E1", "ana", "Ana", "Day");
    let project = tenant.project(&rows);
    project.set("identity", "\"id\"\nduplicates = \"last\"");
    project.run(&["plan"]).expect(0);
    assert_eq!(explained(&project, &["ana"], 0)["person"]["row"]["source"]["line"], 3);
    text(&project, &["--line", "2"]).expect(0).says(&["ana: skipped", "people.csv:3 is the row that counts"]);
}

#[test]
fn rows_that_do_not_count_or_cannot_be_used_say_why() {
    let tenant = three_accounts();
    let project = tenant.project(&(three_rows() + "E5,di,di@example.com,Di,Ng,Agent,applicant\nE6,few,cells\n"));
    project.set("identity", "\"id\"\ninclude = \"status != 'applicant'\"");
    project.add("safety", "max_invalid = \"100%\"");
    project.run(&["plan"]).expect(0);
    text(&project, &["di"]).expect(0).says(&[
        "di: excluded",
        "left out by source.include, where status = \"applicant\"",
        "not looked for",
    ]);
    text(&project, &["--line", "6"]).expect(0).says(&["E6: invalid", "cannot be used: "]);
}

#[test]
fn what_a_limit_holds_is_said_with_the_hash_that_releases_it() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.add("safety", "max_create = 0");
    project.run(&["plan"]).expect(5);
    let ran = text(&project, &["cy"]);
    ran.expect(0).says(&["cy: create, held", "held: 1 to create, and safety.max_create allows 0"]);
    let held = explained(&project, &["cy"], 0)["person"]["held"].clone();
    assert_eq!((&held["count"], &held["limit"], &held["setting"]), (&json!(1), &json!(0), &json!("safety.max_create")));
    let hash = held["approve"].as_str().unwrap();
    ran.says(&[&format!("headcount sync --approve {hash}")]);
    project.run(&["sync", "--yes", "--approve", hash]).expect(0);
    assert!(tenant.ledger().contains(&"Create cy".to_owned()));
}

#[test]
fn after_a_run_people_are_as_the_run_left_them_and_what_it_did_is_told() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    let run = project.sync(0)["run"].as_str().unwrap().to_owned();
    let before = tenant.requests();
    let id = tenant.account("cy").id.to_string();
    text(&project, &["bo"]).expect(0).says(&[
        "bo: unchanged",
        "remembered for this identity from an earlier run",
        "update applied",
        &format!("sync {run}"),
        "last_name: Li → Lindqvist",
        "what runs changed on 2 accounts since then is included",
    ]);
    text(&project, &["cy"]).expect(0).says(&["cy: unchanged", &format!("{id}, active"), "create applied"]);
    let json = explained(&project, &[&id], 0);
    let touched = &json["person"]["history"][0];
    assert_eq!((&touched["run"], &touched["outcome"]["result"]), (&json!(run), &json!("applied")));
    assert_eq!((&touched["action"]["account"], touched["outcome"]["at"].is_string()), (&json!(id), true));
    assert_eq!((&json["person"]["match"]["remembered"], &json["listing"]["changed_since"]), (&json!(id), &json!(2)));
    assert_eq!(tenant.requests(), before);
}

#[test]
fn a_renamed_person_is_found_by_the_link_and_the_history_goes_on() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.sync(0);
    project.people(&three_rows().replace("bo,bo@", "robert,robert@").replace("Lindqvist", "Lind"));
    text(&project, &["robert"]).expect(0).says(&[
        "robert: update",
        "remembered for this identity",
        "the application cannot change it",
        "last_name: Lindqvist → Lind",
        "last_name: Li → Lindqvist",
    ]);
    assert_eq!(explained(&project, &["2"], 0)["person"]["key"], "robert");
    assert_eq!(explained(&project, &["bo"], 0)["person"]["key"], "robert", "the account still has the old name");
}

#[test]
fn before_the_first_listing_the_row_is_explained_and_how_to_get_one_is_said() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    text(&project, &["bo"]).expect(0).says(&[
        "bo: unknown",
        "no account was listed yet",
        "people.csv:3",
        "from last = \"Lindqvist\"",
        "`headcount plan` lists the accounts",
    ]);
    text(&project, &["nobody"]).expect(1).says(&["and no account was listed yet"]);
    assert!(!project.path(".headcount").exists(), "who only looks leaves nothing behind");
    assert_eq!(tenant.requests(), 0);
    let json = explained(&project, &["bo"], 0);
    assert_eq!((&json["person"]["action"], &json["listing"]["listed_at"]), (&Value::Null, &Value::Null));
}

#[test]
fn online_the_tenant_is_asked_about_this_person_and_nothing_is_written() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    for _ in 0..2 {
        let json = explained(&project, &["bo", "--online"], 0);
        assert_eq!((&json["person"]["decision"], &json["person"]["account"]["id"]), (&json!("update"), &json!("2")));
        assert_eq!((&json["listing"]["online"], &json["listing"]["listed_at"]), (&json!(true), &Value::Null));
        assert_eq!(json["person"]["held"], Value::Null, "without a listing no limit is judged");
        let json = explained(&project, &["cy", "--online"], 0);
        assert_eq!(json["person"]["decision"], "create");
    }
    tenant.unchanged();
    project.run(&["plan"]).expect(0);
    let before = tenant.requests();
    let json = explained(&project, &["bo", "--online"], 0);
    assert_eq!(tenant.requests() - before, 2, "signing in, and one account");
    assert_eq!(json["listing"]["requests"], 2);
    text(&project, &["bo", "--online"]).expect(0).says(&["acme was asked about this person just now (2 requests)"]);
    text(&project, &["ghost", "--online"]).expect(1).says(&["neither in the export nor in the application"]);
    tenant.unchanged();
}

#[test]
fn online_what_changed_since_the_listing_is_seen() {
    let tenant = three_accounts();
    let project = listed(&tenant, &three_rows());
    // Another installation, whose runs this one does not know.
    let other = tenant.project(&three_rows());
    other.sync(0);
    assert_eq!(explained(&project, &["bo"], 0)["person"]["decision"], "update");
    assert_eq!(explained(&project, &["bo", "--online"], 0)["person"]["decision"], "unchanged");
    assert_eq!(explained(&project, &["cy"], 0)["person"]["decision"], "create");
    let cy = explained(&project, &["cy", "--online"], 0);
    assert_eq!((&cy["person"]["decision"], &cy["person"]["match"]["by"]), (&json!("unchanged"), &json!("login_id")));
}

#[test]
fn a_listing_of_another_tenant_or_one_that_was_changed_is_not_believed() {
    let tenant = three_accounts();
    let project = listed(&tenant, &three_rows());
    let listing = project.read(".headcount/snapshot.jsonl");
    assert_eq!(explained(&project, &["bo"], 0)["person"]["decision"], "update");
    for spoilt in
        [listing.replace("\"Li\"", "\"Lindqvist\""), listing.lines().next().unwrap().to_owned() + "\n", String::new()]
    {
        project.write(".headcount/snapshot.jsonl", spoilt);
        assert_eq!(explained(&project, &["bo"], 0)["person"]["decision"], "unknown");
    }
    project.write(".headcount/snapshot.jsonl", listing);
    assert_eq!(explained(&project, &["bo"], 0)["person"]["decision"], "update");
    project.set("tenant", "\"other\"");
    assert_eq!(explained(&project, &["bo"], 0)["person"]["decision"], "unknown");
}

#[test]
fn secrets_and_redacted_values_are_shown_nowhere() {
    let tenant = three_accounts();
    let project = tenant.project("");
    project.write(
        "people.csv",
        "id,login,email,first,last,title,status,pin\nE2,bo,bo@example.com,Bo,Lindqvist,Boss,active,hush-4711\n\
         E3,cy,cy@example.com,Cy,Youngster,Agent,active,hush-4712\n",
    );
    project.set("password", "\"pin\"");
    let text = project.read("config.toml") + "\n[report]\nredact = [\"last_name\"]\n";
    project.write("config.toml", text);
    project.run(&["plan"]).expect(0);
    let all = |project: &Project| {
        for key in ["bo", "cy"] {
            for format in ["text", "json"] {
                let ran = project.run(&["--format", format, "explain", key]);
                ran.expect(0).says(&["(redacted)", "(secret)"]).says_nothing_of(&[
                    "hush-",
                    "Lindqvist",
                    "Youngster",
                    "\"Li\"",
                    ": Li ",
                ]);
            }
        }
    };
    all(&project);
    project.sync(0);
    all(&project);
}

#[test]
fn a_person_of_the_second_file_is_found_by_file_and_line() {
    let tenant = three_accounts();
    let project = tenant.project(&three_rows());
    project.write("more.csv", format!("{}{}", crate::support::COLUMNS, row("E9", "zed", "Zed", "Zulu")));
    project.edit("path = \"people.csv\"", "path = [\"people.csv\", \"more.csv\"]");
    project.run(&["plan"]).expect(0);
    assert_eq!(explained(&project, &["--line", "more.csv:2"], 0)["person"]["key"], "zed");
    assert_eq!(explained(&project, &["--line", "2"], 1)["candidates"].as_array().unwrap().len(), 2);
}

#[test]
fn several_accounts_that_match_are_named() {
    let twins =
        [account(1, "ana", "Ana", "Diaz"), but(account(2, "anna", "Anna", "Day"), json!({"first_name": "Ana"}))];
    let tenant = Tenant::with(&twins);
    let project = tenant.project("E1,bea,bea@example.com,Ana,Diaz,Agent,active\n");
    project.edit("rules = [[\"login_id\"], [\"email_id\"]]", "rules = [[\"first_name\"]]");
    project.run(&["plan"]).expect(0);
    text(&project, &["E1"]).expect(0).says(&[
        "Ana: conflict",
        "several accounts match this row: 1, 2",
        "one of several: 1, 2",
    ]);
}
