//! What the target refuses is that person's outcome: the others go on, and the run ends.

use headcount::sandbox::LedgerOperation;
use serde_json::{Value, json};

use crate::support::{Project, Ran, Small, Tenant, assert_passwords_are_told, row};

const SMALL: Small = Small { newcomers: 4, changed: 4, leavers: 2 };

/// A run of which one person's failure is all that goes wrong.
fn one_fails(faults: &str) -> (Tenant, Project, Ran) {
    let tenant = Tenant::with_faults(SMALL.options(), faults);
    let project = SMALL.project(&tenant);
    project.set("timeout", "\"700ms\"");
    let ran = project.sync(4);
    assert_eq!((ran.number("failed"), ran.number("unknown")), (1, 0), "{ran}");
    assert_eq!(ran.outcome(), "partial");
    assert_eq!(project.states(), ["partial"]);
    assert_passwords_are_told(&project, &tenant.ledger());
    (tenant, project, ran)
}

/// What `headcount report` says of one person.
fn entry(project: &Project, key: &str) -> Value {
    let ran = project.run(&["report", "last", "--as", "json"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    let entries: Vec<Value> = match serde_json::from_str::<Value>(&ran.out) {
        Ok(Value::Object(report)) => report["entries"].as_array().unwrap().clone(),
        _ => ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    };
    let named = |entry: &&Value| entry.to_string().contains(&format!("\"key\":\"{key}\""));
    entries.iter().find(named).unwrap_or_else(|| panic!("no {key} in {}", ran.out)).clone()
}

#[test]
fn an_update_that_always_fails_stops_nobody_else() {
    let (tenant, project, ran) = one_fails(
        "[[rule]]\non = { op = 'update', login = 'old02' }\nthen = { status = 500, code = 3104 }\ntimes = 1000",
    );
    assert_eq!((ran.number("applied.create"), ran.number("applied.update")), (4, 3), "{ran}");
    assert_eq!(ran.number("applied.deactivate"), 2, "{ran}");
    assert_eq!(tenant.account("old02").last_name, "Before");
    // The next run tries again, and no other person is touched by it.
    let next = project.sync(4);
    assert_eq!((next.number("planned.update"), next.number("planned.create")), (1, 0), "{next}");
}

#[test]
fn a_refused_create_is_that_persons_failure() {
    for (status, code) in [(400, 3111), (400, 3115), (409, 4711)] {
        let rule = format!("[[rule]]\non = {{ login = 'new02' }}\nthen = {{ status = {status}, code = {code} }}");
        let (tenant, project, ran) = one_fails(&rule);
        assert_eq!((ran.number("applied.create"), ran.number("applied.update")), (3, 4), "{ran}");
        assert_eq!(tenant.created(), ["new01", "new03", "new04"]);
        let entry = entry(&project, "new02").to_string();
        assert!(entry.contains(&code.to_string()) && entry.contains("sbx-"), "{entry}");
    }
}

#[test]
fn a_refused_update_names_the_attribute_that_the_tenant_does_not_take() {
    for (code, attribute) in [(3107, "business"), (3110, "location")] {
        let rule = format!(
            "[[rule]]\non = {{ login = 'old02' }}\n\
             then = {{ status = 400, code = {code}, description = 'Invalid {attribute} custom attribute' }}"
        );
        let (_tenant, project, ran) = one_fails(&rule);
        assert_eq!(ran.number("applied.update"), 3, "{ran}");
        let entry = entry(&project, "old02").to_string();
        assert!(entry.contains(attribute) && entry.contains(&code.to_string()), "{entry}");
    }
}

#[test]
fn an_account_that_vanished_is_that_persons_failure() {
    let rule = "[[rule]]\non = { login = 'old02' }\nthen = { status = 404, code = 3101 }";
    let (_tenant, _project, ran) = one_fails(rule);
    assert_eq!(ran.number("applied.update"), 3, "{ran}");
}

fn foreign(login: &str, last_name: &str) -> Value {
    json!({
        "login_id": login, "email_id": format!("{login}@example.com"), "first_name": "Ana", "last_name": last_name,
        "password": "somebody else's", "job_description": "Agent", "login_using_email": true,
        "skill_attributes": {"English": 90}, "privileges": [{"teamid": 12, "role": "Team Agent"}],
    })
}

/// A plan, then two accounts that somebody else makes of it, then the plan is applied.
fn applied_after(accounts: &[Value]) -> (Tenant, Project, Ran) {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    project.set("timeout", "\"700ms\"");
    let planned = project.run(&["plan", "-o", "the.plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    for account in accounts {
        tenant.create(account.clone());
    }
    let ran = project.run(&["apply", "the.plan", "--yes"]);
    (tenant, project, ran)
}

#[test]
fn an_equal_account_that_somebody_else_made_is_adopted() {
    let (tenant, project, ran) = applied_after(&[foreign("new02", "After")]);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!((ran.number("applied.create"), ran.number("failed")), (4, 0), "{ran}");
    assert_eq!(tenant.created(), SMALL.newcomers(), "the foreign one included");
    // Its password is not ours to tell.
    let foreign = tenant.account("new02").id.to_string();
    let told: Vec<_> = project.delivered().into_iter().flat_map(|(_, passwords)| passwords.into_keys()).collect();
    assert!(told.len() == 3 && !told.contains(&foreign), "{told:?}");
    assert_eq!(project.sync(0).outcome(), "no_changes");
}

#[test]
fn another_account_that_somebody_else_made_is_a_conflict() {
    let (tenant, project, ran) = applied_after(&[foreign("new02", "Other")]);
    assert_eq!(ran.code, Some(4), "{ran}");
    assert_eq!((ran.number("applied.create"), ran.number("failed")), (3, 1), "{ran}");
    assert_eq!(tenant.created(), SMALL.newcomers(), "the foreign one included");
    assert_eq!(tenant.account("new02").last_name, "Other");
    let entry = entry(&project, "new02").to_string();
    assert!(entry.contains("exists already") && entry.contains("last_name"), "{entry}");
    assert_eq!(project.states(), ["partial"]);
}

#[test]
fn administrative_accounts_are_never_touched() {
    let tenant = Tenant::start(SMALL.options());
    let project = SMALL.project(&tenant);
    let ran = project.sync(0);
    assert!(ran.number("found.protected") >= 1, "{ran}");
    let chief = tenant.account("chief");
    assert_eq!((chief.last_name.as_str(), tenant.updates_of("chief")), ("Boss", 0));
    assert_eq!(tenant.ledger().count_effects(LedgerOperation::Create), SMALL.newcomers);
}

#[test]
fn an_account_that_cannot_be_read_before_its_update_is_left_alone_and_the_others_are_not() {
    let tenant = Tenant::with_faults(
        SMALL.options(),
        "[[rule]]\non = { op = 'get', login = 'old02' }\nthen = { status = 500, code = 3105 }\ntimes = 1000",
    );
    let project = SMALL.project(&tenant);
    let planned = project.run(&["plan", "-o", "the.plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let ran = project.run(&["apply", "the.plan", "--yes"]);
    assert_eq!(ran.code, Some(4), "{ran}");
    assert_eq!((ran.number("failed"), ran.number("unknown")), (1, 0), "{ran}");
    assert_eq!((ran.number("applied.create"), ran.number("applied.update")), (4, 3), "{ran}");
    assert_eq!(ran.number("applied.deactivate"), 2, "{ran}");
    assert_eq!(tenant.updates_of("old02"), 0);
    assert_eq!(project.states(), ["partial"]);
}

#[test]
fn a_server_that_cannot_read_one_account_after_the_other_is_down() {
    let tenant = Tenant::with_faults(
        Small { newcomers: 0, changed: 12, leavers: 0 }.options(),
        "[[rule]]\non = { op = 'get' }\nthen = { status = 500, code = 3105 }\ntimes = 1000",
    );
    let project = Small { newcomers: 0, changed: 12, leavers: 0 }.project(&tenant);
    project.set("retries", "1");
    let planned = project.run(&["plan", "-o", "the.plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let ran = project.run(&["apply", "the.plan", "--yes"]);
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(6), "target"), "{ran}");
    assert!(tenant.ledger().effects.is_empty());
    assert!(ran.number("requests.lookup") < 24, "{ran}");
}

#[test]
fn what_nobody_can_look_up_stays_unknown_and_stops_nobody_else() {
    let tenant = Tenant::with_faults(
        SMALL.options(),
        "[[rule]]\non = { op = 'update', login = 'old02' }\nthen = { drop = 'after' }\ntimes = 1000\n\
         [[rule]]\non = { op = 'get', login = 'old02' }\nthen = { status = 500, code = 3105 }\ntimes = 3",
    );
    let project = SMALL.project(&tenant);
    project.set("timeout", "\"700ms\"");
    let ran = project.sync(4);
    assert_eq!((ran.number("unknown"), ran.number("failed")), (1, 0), "{ran}");
    assert_eq!((ran.number("applied.create"), ran.number("applied.update")), (4, 3), "{ran}");
    assert_eq!(ran.number("applied.deactivate"), 2, "{ran}");
    assert_eq!(project.states(), ["paused"], "its outcome is looked up later");
    // Once the account can be read again it turns out to be done.
    let ran = project.sync(0);
    assert_eq!((ran.number("unknown"), ran.number("applied.update")), (0, 4), "{ran}");
    assert_eq!(tenant.account("old02").last_name, "After");
    assert_eq!(project.states(), ["complete"]);
}

#[test]
fn what_nobody_can_look_up_does_not_keep_a_changed_source_waiting() {
    let tenant = Tenant::with_faults(
        SMALL.options(),
        "[[rule]]\non = { op = 'update', login = 'old02' }\nthen = { drop = 'after' }\ntimes = 1000\n\
         [[rule]]\non = { op = 'get', login = 'old02' }\nthen = { status = 500, code = 3105 }\ntimes = 1000",
    );
    let project = SMALL.project(&tenant);
    project.set("timeout", "\"700ms\"");
    let ran = project.sync(4);
    assert_eq!(ran.number("unknown"), 1, "{ran}");
    project.write("samples/hr_export.csv", &(SMALL.export() + &row("late01", "After", "Active")));
    let ran = project.sync(0);
    assert_eq!(ran.number("applied.create"), 1, "{ran}");
    assert_eq!(project.states(), ["superseded", "complete"]);
    assert_eq!(tenant.account("old02").last_name, "After");
    assert_passwords_are_told(&project, &tenant.ledger());
}

#[test]
fn an_account_that_somebody_changed_since_the_plan_is_left_alone() {
    let tenant = Tenant::with_faults(
        SMALL.options(),
        // While one account is read, somebody makes the first of the list inactive.
        "[[rule]]\non = { op = 'get' }\nthen = { shift_list = 'status' }",
    );
    let project = SMALL.project(&tenant);
    project.set("concurrency", "1");
    let planned = project.run(&["plan", "-o", "the.plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let ran = project.run(&["apply", "the.plan", "--yes"]);
    assert_eq!(ran.code, Some(4), "{ran}");
    assert_eq!((ran.number("failed"), ran.number("applied.update")), (1, 3), "{ran}");
    assert_eq!(tenant.account("old01").last_name, "Before");
    let entry = entry(&project, "old01").to_string();
    assert!(entry.contains("changed since the plan"), "{entry}");
}
