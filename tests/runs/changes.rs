//! An unfinished run when the world has changed meanwhile, and two processes that want the same.

use std::sync::Arc;
use std::time::Duration;

use headcount::sandbox::imichat::{ImichatBehaviour, ImichatUniqueness};
use headcount::sandbox::{LedgerOperation, Options};

use crate::support::{Project, Small, Tenant, assert_passwords_are_told, row};

const SMALL: Small = Small { newcomers: 10, changed: 6, leavers: 1 };

/// A tenant and a project whose run was killed after so many effects.
fn killed_after(effects: usize) -> (Tenant, Project) {
    let imichat = ImichatBehaviour { uniqueness: ImichatUniqueness::NotEnforced, ..ImichatBehaviour::default() };
    let tenant =
        Tenant::start(Options { latency: Duration::from_millis(15), system: Arc::new(imichat), ..SMALL.options() });
    let project = SMALL.project(&tenant);
    project.set("timeout", "\"700ms\"");
    let mut child = project.spawn(&["sync", "--yes"]);
    assert!(child.until(|| tenant.ledger().effects.len() >= effects));
    child.kill();
    child.wait();
    // What had left is carried out, whether or not anybody waits for the answer.
    std::thread::sleep(Duration::from_millis(50));
    (tenant, project)
}

#[test]
fn a_changed_source_supersedes_the_run_once_what_is_unknown_is_settled() {
    for effects in [2, 6, 12] {
        let (tenant, project) = killed_after(effects);
        let mut export = SMALL.export();
        export.push_str(&row("late01", "After", "Active"));
        let export = export.replace("E-old06,Ana,After", "E-old06,Ana,Later");
        project.write("samples/hr_export.csv", &export);
        let ran = project.sync(0);
        assert_eq!(project.states(), ["superseded", "complete"], "{ran}");
        let mut everybody = SMALL.newcomers();
        everybody.insert(0, "late01".to_owned());
        assert_eq!(tenant.created(), everybody, "{ran}");
        assert_eq!(tenant.account("old06").last_name, "Later");
        // Those whom the superseded run made are told their passwords as well.
        assert_passwords_are_told(&project, &tenant.ledger());
        assert_eq!(project.sync(0).outcome(), "no_changes");
    }
}

#[test]
fn a_changed_configuration_supersedes_the_run_and_its_passwords_are_told_as_they_were_set() {
    let (tenant, project) = killed_after(5);
    project.set("password", "{ generate = { length = 31 } }");
    let refused = project.run(&["resume", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.error_message().contains("configuration changed"), "{refused}");
    let ran = project.sync(0);
    assert_eq!(project.states(), ["superseded", "complete"], "{ran}");
    assert_eq!(tenant.created(), SMALL.newcomers(), "{ran}");
    assert_passwords_are_told(&project, &tenant.ledger());
}

#[test]
fn a_run_of_another_tenant_is_not_touched() {
    let (tenant, project) = killed_after(4);
    project.set("tenant", "\"elsewhere\"");
    let (requests, run) = (tenant.requests(), project.runs()[0]["run"].as_str().unwrap().to_owned());
    for command in ["sync", "resume"] {
        let ran = project.run(&[command, "--yes"]);
        assert_eq!((ran.code, ran.outcome().as_str()), (Some(1), "failed"), "{ran}");
        let message = ran.error_message();
        assert!(message.contains(&run) && message.contains("tenant acme"), "{message}");
    }
    assert_eq!(tenant.requests(), requests, "nothing is sent");
    project.set("tenant", "\"acme\"");
    project.sync(0);
    assert_eq!(tenant.created(), SMALL.newcomers());
    assert_passwords_are_told(&project, &tenant.ledger());
}

#[test]
fn another_plan_is_not_applied_while_a_run_is_unfinished() {
    let (tenant, project) = killed_after(4);
    let planned = project.run(&["plan", "-o", "the.plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let (requests, effects) = (tenant.requests(), tenant.ledger().effects.len());
    let ran = project.run(&["apply", "the.plan", "--yes"]);
    assert_eq!((ran.code, ran.outcome().as_str()), (Some(1), "failed"), "{ran}");
    assert!(ran.error_message().contains("has not ended"), "{ran}");
    assert_eq!((tenant.requests(), tenant.ledger().effects.len()), (requests, effects), "nothing is sent");
    let ran = project.run(&["resume", "--yes"]);
    assert_eq!(ran.code, Some(0), "{ran}");
    // What the plan would do is done.
    let ran = project.run(&["apply", "the.plan", "--yes"]);
    assert_eq!((ran.code, ran.error_kind().as_str()), (Some(1), "plan"), "{ran}");
    assert_eq!(tenant.created(), SMALL.newcomers(), "{ran}");
}

#[test]
fn a_plan_is_applied_once() {
    let imichat = ImichatBehaviour { uniqueness: ImichatUniqueness::NotEnforced, ..ImichatBehaviour::default() };
    let tenant = Tenant::start(Options { system: Arc::new(imichat), ..SMALL.options() });
    let project = SMALL.project(&tenant);
    let planned = project.run(&["plan", "-o", "the.plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    let ran = project.run(&["apply", "the.plan", "--yes", "--limit", "3"]);
    assert_eq!((ran.code, tenant.ledger().effects.len()), (Some(0), 3), "{ran}");
    // The rest of it, though this tenant would take everybody a second time.
    let ran = project.run(&["apply", "the.plan", "--yes"]);
    assert_eq!((ran.code, ran.number("applied.create")), (Some(0), 7), "{ran}");
    let requests = tenant.requests();
    let ran = project.run(&["apply", "the.plan", "--yes"]);
    assert_eq!((ran.code, ran.number("applied.create")), (Some(0), 0), "{ran}");
    assert_eq!(tenant.requests(), requests, "nothing is sent");
    assert_eq!(tenant.created(), SMALL.newcomers());
    assert_passwords_are_told(&project, &tenant.ledger());
}

#[test]
fn of_two_processes_on_one_state_directory_the_second_gives_way() {
    let tenant = Tenant::start(Options { latency: Duration::from_millis(60), ..SMALL.options() });
    let project = SMALL.project(&tenant);
    let mut first = project.spawn(&["sync", "--yes"]);
    assert!(first.until(|| tenant.ledger().count_effects(LedgerOperation::Create) >= 2));
    for command in [&["sync", "--yes"][..], &["resume", "--yes"], &["plan"]] {
        let second = project.run(command);
        assert_eq!(second.code, Some(7), "{second}");
        assert_eq!(second.error_kind(), "locked");
    }
    assert!(!first.is_over(), "the second came while the first was at work");
    let ran = first.wait();
    assert_eq!((ran.code, ran.number("requests.total")), (Some(0), tenant.requests()), "{ran}");
    assert_eq!(tenant.created(), SMALL.newcomers());
}

#[test]
fn of_two_processes_at_once_one_works() {
    let tenant = Tenant::start(Options { latency: Duration::from_millis(20), ..SMALL.options() });
    let project = SMALL.project(&tenant);
    let both = [project.spawn(&["sync", "--yes"]), project.spawn(&["sync", "--yes"])].map(|child| child.wait());
    let mut codes = both.iter().map(|ran| ran.code.unwrap()).collect::<Vec<_>>();
    codes.sort_unstable();
    assert_eq!(codes, [0, 7], "{}\n{}", both[0], both[1]);
    assert_eq!(tenant.created(), SMALL.newcomers());
}
