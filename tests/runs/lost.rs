//! Answers that are lost, or that say nothing: what was done is found out, and done once.

use headcount::sandbox::imichat::{ImichatBehaviour, ImichatUniqueness};
use headcount::sandbox::{LedgerOperation, Options};
use std::sync::Arc;

use crate::support::{Project, Ran, Small, Tenant, assert_passwords_are_told};

const SMALL: Small = Small { newcomers: 6, changed: 5, leavers: 2 };

fn tenant(uniqueness: ImichatUniqueness, faults: &str) -> Tenant {
    let imichat = ImichatBehaviour { uniqueness, ..ImichatBehaviour::default() };
    Tenant::with_faults(Options { system: Arc::new(imichat), ..SMALL.options() }, faults)
}

fn project(tenant: &Tenant) -> Project {
    let project = SMALL.project(tenant);
    project.set("timeout", "\"700ms\"");
    project
}

/// Everybody is as the export wants, each created once, each with the password that was told.
fn assert_all_done(tenant: &Tenant, project: &Project, ran: &Ran) {
    assert_eq!(tenant.created(), SMALL.newcomers(), "{ran}");
    let (create, update) = (SMALL.newcomers as u64, SMALL.changed as u64);
    assert_eq!((ran.number("applied.create"), ran.number("applied.update")), (create, update), "{ran}");
    assert_eq!(ran.number("applied.deactivate"), SMALL.leavers as u64, "{ran}");
    assert_eq!((ran.number("failed"), ran.number("unknown")), (0, 0), "{ran}");
    assert_eq!(ran.outcome(), "complete");
    assert_passwords_are_told(project, &tenant.ledger());
    let next = project.sync(0);
    assert_eq!(next.outcome(), "no_changes", "{next}");
    assert_eq!(project.states()[0], "complete");
}

fn all_is_done_in_spite_of(faults: &str) {
    std::thread::scope(|scope| {
        for uniqueness in [ImichatUniqueness::Enforced, ImichatUniqueness::NotEnforced] {
            scope.spawn(move || {
                let tenant = tenant(uniqueness, faults);
                let project = project(&tenant);
                let ran = project.sync(0);
                assert_all_done(&tenant, &project, &ran);
            });
        }
    });
}

#[test]
fn creates_that_happened_without_an_answer_are_found() {
    all_is_done_in_spite_of("[[rule]]\non = { op = 'create', every = 2 }\nthen = { drop = 'after' }\ntimes = 3");
}

#[test]
fn creates_that_never_arrived_are_sent_again() {
    all_is_done_in_spite_of("[[rule]]\non = { op = 'create', every = 2 }\nthen = { drop = 'before' }\ntimes = 3");
}

#[test]
fn creates_of_both_kinds_in_one_run_are_told_apart() {
    all_is_done_in_spite_of(
        "[[rule]]\non = { op = 'create', nth = 2 }\nthen = { drop = 'before' }\n\
         [[rule]]\non = { op = 'create', nth = 4 }\nthen = { drop = 'after' }",
    );
}

#[test]
fn updates_without_an_answer_are_repeated() {
    for when in ["before", "after"] {
        all_is_done_in_spite_of(&format!(
            "[[rule]]\non = {{ op = 'update', every = 3 }}\nthen = {{ drop = '{when}' }}\ntimes = 2"
        ));
    }
}

#[test]
fn a_server_error_on_a_create_says_nothing_and_the_account_is_looked_for() {
    for when in ["before", "after"] {
        all_is_done_in_spite_of(&format!(
            "[[rule]]\non = {{ op = 'create', nth = 3 }}\nthen = {{ status = 500, code = 2007, when = '{when}' }}"
        ));
    }
}

#[test]
fn an_update_that_fails_once_is_repeated() {
    all_is_done_in_spite_of("[[rule]]\non = { op = 'update', nth = 2 }\nthen = { status = 500, code = 3104 }");
}

#[test]
fn html_instead_of_json_is_a_server_error_everywhere() {
    all_is_done_in_spite_of(
        "[[rule]]\non = { op = 'list' }\nthen = { html = true }\n\
         [[rule]]\non = { op = 'update', nth = 2 }\nthen = { html = true, status = 503 }\n\
         [[rule]]\non = { op = 'create', nth = 2 }\nthen = { html = true, when = 'after' }\n\
         [[rule]]\non = { op = 'create', nth = 3 }\nthen = { html = true }",
    );
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    all_is_done_in_spite_of(
        "[[rule]]\non = { op = 'create', nth = 2 }\nthen = { garbage = true, when = 'after' }\n\
         [[rule]]\non = { op = 'update', nth = 1 }\nthen = { garbage = true, when = 'after' }",
    );
}

#[test]
fn one_sign_in_serves_all_whose_token_expired() {
    let tenant = tenant(
        ImichatUniqueness::Enforced,
        "[[rule]]\non = { op = 'create', nth = 2 }\nthen = { expire_token = true }",
    );
    let project = project(&tenant);
    let ran = project.sync(0);
    assert_eq!(ran.number("requests.auth"), 2, "{ran}");
    assert_all_done(&tenant, &project, &ran);
}

#[test]
fn a_request_to_slow_down_is_honoured_and_nothing_is_lost_by_it() {
    let tenant = tenant(
        ImichatUniqueness::NotEnforced,
        "[[rule]]\non = { op = 'list' }\nthen = { retry_after = 1 }\n\
         [[rule]]\non = { op = 'create', nth = 3 }\nthen = { retry_after = 1 }\n\
         [[rule]]\non = { op = 'update', nth = 3 }\nthen = { retry_after = 1 }",
    );
    let project = project(&tenant);
    let ran = project.sync(0);
    assert!(ran.json()["elapsed_seconds"].as_f64().unwrap() >= 3.0, "{ran}");
    assert!(ran.number("requests.retried") >= 3, "{ran}");
    assert_all_done(&tenant, &project, &ran);
    // Those that were turned away left at least a second later.
    let times: Vec<_> = tenant.ledger().effects_of(LedgerOperation::Create).map(|effect| effect.at).collect();
    let gap = times.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_millis()).max().unwrap();
    assert!(gap >= 900, "{times:?}");
}

#[test]
fn an_update_that_is_never_answered_is_one_persons_failure() {
    let tenant = tenant(
        ImichatUniqueness::Enforced,
        "[[rule]]\non = { op = 'update', login = 'old03' }\nthen = { drop = 'before' }\ntimes = 1000",
    );
    let project = project(&tenant);
    let ran = project.sync(4);
    assert_eq!((ran.number("failed"), ran.number("unknown")), (1, 0), "{ran}");
    assert_eq!((ran.number("applied.create"), ran.number("applied.update")), (6, 4), "{ran}");
    assert_eq!(tenant.updates_of("old03"), 0);
    assert_eq!(tenant.created(), SMALL.newcomers());
    assert_eq!(project.states(), ["partial"]);
}

/// The client gives a create up, looks for the account, does not see it, and only then does the create land: while no
/// request that was given up can be ruled out, nothing is sent again, though this tenant would take the login twice.
#[test]
fn a_create_that_lands_after_it_was_looked_for_is_not_sent_again() {
    let tenant = tenant(
        ImichatUniqueness::NotEnforced,
        "[[rule]]\non = { op = 'create', login = 'new02' }\nthen = { delay = '1100ms' }",
    );
    let project = project(&tenant);
    let ran = project.sync(0);
    assert_all_done(&tenant, &project, &ran);
    // It was looked for before it landed, and afterwards.
    assert!(ran.number("requests.lookup") >= 2, "{ran}");
    assert_eq!(ran.number("requests.write"), 13, "{ran}");
}
