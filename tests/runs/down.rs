//! A target that goes down in the middle of a run, and comes back.

use std::sync::Arc;
use std::time::Duration;

use headcount::sandbox::Options;
use headcount::sandbox::imichat::{ImichatBehaviour, ImichatUniqueness};
use tempfile::TempDir;

use crate::support::{Project, Small, Tenant, assert_passwords_are_told};

const SMALL: Small = Small { newcomers: 12, changed: 12, leavers: 2 };

/// A tenant that outlives its server.
fn kept(dir: &TempDir, port: u16) -> Options {
    Options {
        port,
        state: Some(dir.path().join("tenant.json")),
        latency: Duration::from_millis(10),
        system: Arc::new(ImichatBehaviour {
            uniqueness: ImichatUniqueness::NotEnforced,
            ..ImichatBehaviour::default()
        }),
        ..SMALL.options()
    }
}

fn project(tenant: &Tenant) -> Project {
    let project = SMALL.project(tenant);
    project.set("timeout", "\"700ms\"");
    project
}

#[test]
fn a_target_that_goes_down_pauses_the_run_and_the_run_goes_on_when_it_is_back() {
    for effects in [1, 7, 18] {
        let dir = TempDir::new().unwrap();
        let tenant = Tenant::start(kept(&dir, 0));
        let (project, port) = (project(&tenant), tenant.port());
        let mut child = project.spawn(&["sync", "--yes"]);
        assert!(child.until(|| tenant.ledger().effects.len() >= effects));
        tenant.crash();
        let ran = child.wait();
        assert_eq!(ran.code, Some(6), "{ran}");
        assert_eq!((ran.outcome(), ran.error_kind()), ("paused".to_owned(), "target".to_owned()));
        assert_eq!(project.states(), ["paused"]);

        // It is still down: nothing is lost by trying.
        let ran = project.run(&["sync", "--yes"]);
        assert_eq!(ran.code, Some(6), "{ran}");
        assert_eq!(project.states(), ["paused"]);

        let tenant = Tenant::start(kept(&dir, port));
        let ran = project.run(&["resume", "--yes"]);
        assert_eq!(ran.code, Some(0), "{ran}");
        assert_eq!((ran.number("failed"), ran.number("unknown")), (0, 0), "{ran}");
        assert_eq!(tenant.created(), SMALL.newcomers());
        assert_eq!(project.states(), ["complete"]);
        assert_passwords_are_told(&project, &tenant.ledger());
        assert_eq!(project.sync(0).outcome(), "no_changes");
    }
}

#[test]
fn a_target_that_was_never_up_is_an_error_before_anything_is_changed() {
    let tenant = Tenant::start(SMALL.options());
    let project = project(&tenant);
    tenant.crash();
    let ran = project.sync(1);
    assert_eq!((ran.outcome(), ran.error_kind()), ("failed".to_owned(), "target".to_owned()));
    assert!(project.runs().is_empty());
}

#[test]
fn a_target_that_answers_nothing_any_more_is_not_asked_about_everybody() {
    let tenant = Tenant::with_faults(
        SMALL.options(),
        "[[rule]]\non = { op = 'create' }\nthen = { drop = 'before' }\ntimes = 1000",
    );
    let project = project(&tenant);
    project.set("concurrency", "1");
    let ran = project.sync(6);
    assert_eq!(ran.error_kind(), "target");
    // The listing, the sign-in, and a few people.
    assert!(tenant.requests() <= 16, "{} requests\n{ran}", tenant.requests());
    assert!(tenant.created().is_empty());
    assert_eq!(project.states(), ["paused"]);
}
