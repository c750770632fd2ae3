//! Ctrl-C and SIGTERM: no new request, those under way finish, the journal is written, exit 6.

use std::time::{Duration, Instant};

use headcount::sandbox::Options;

use crate::support::{Small, Tenant, assert_passwords_are_told, sample};

const SMALL: Small = Small { newcomers: 12, changed: 12, leavers: 3 };

#[test]
fn a_signal_lets_requests_under_way_finish_and_sends_no_more() {
    for (signal, after) in [("INT", 6), ("TERM", 17)] {
        let tenant = Tenant::start(Options { latency: Duration::from_millis(60), ..SMALL.options() });
        let project = SMALL.project(&tenant);
        let mut child = project.spawn(&["sync", "--yes"]);
        assert!(child.until(|| tenant.ledger().effects.len() >= after));
        let sent = tenant.requests();
        child.signal(signal);
        let ran = child.wait();
        assert_eq!(ran.code, Some(6), "{ran}");
        assert_eq!((ran.outcome(), ran.error_kind()), ("paused".to_owned(), "signal".to_owned()));
        assert_eq!(ran.number("unknown"), 0, "{ran}");
        let effects = tenant.ledger().effects.len() as u64;
        let applied: u64 = ["create", "update", "deactivate"].iter().map(|k| ran.number(&format!("applied.{k}"))).sum();
        assert_eq!(applied, effects, "each request under way got its answer\n{ran}");
        // Those that were under way, and those that left while the signal was on its way.
        assert!(tenant.requests() - sent <= 12 && effects < 27, "{ran}");
        assert_eq!(project.states(), ["paused"]);

        let ran = project.run(&["resume", "--yes"]);
        assert_eq!(ran.code, Some(0), "{ran}");
        assert_eq!(ran.outcome(), "complete");
        assert_eq!(tenant.created(), SMALL.newcomers());
        assert_eq!(project.states(), ["complete"]);
        assert_passwords_are_told(&project, &tenant.ledger());
        assert_eq!(project.sync(0).outcome(), "no_changes");
    }
}

#[test]
fn the_second_signal_ends_at_once_and_the_journal_holds_every_intent() {
    let tenant = Tenant::with_faults(
        SMALL.options(),
        "[[rule]]\non = { op = 'create', nth = 5 }\nthen = { delay = '20s', when = 'after' }",
    );
    let project = SMALL.project(&tenant);
    project.set("timeout", "\"30s\"");
    let mut child = project.spawn(&["sync", "--yes"]);
    assert!(child.until(|| tenant.ledger().effects.len() >= 12));
    let start = Instant::now();
    child.signal("INT");
    // The answer that is on its way keeps it.
    std::thread::sleep(Duration::from_millis(300));
    assert!(!child.is_over());
    child.signal("INT");
    let ran = child.wait();
    assert_eq!(ran.code, Some(6), "{ran}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(project.states(), ["interrupted"]);

    project.set("timeout", "\"700ms\"");
    // Another timeout does not make another plan, but a changed configuration is planned anew; both end well.
    project.sync(0);
    assert_eq!(tenant.created(), SMALL.newcomers());
    assert_passwords_are_told(&project, &tenant.ledger());
}

#[test]
fn two_signals_at_once_are_two() {
    let tenant = Tenant::with_faults(
        SMALL.options(),
        "[[rule]]\non = { op = 'create', nth = 5 }\nthen = { delay = '20s', when = 'after' }",
    );
    let project = SMALL.project(&tenant);
    project.set("timeout", "\"30s\"");
    let mut child = project.spawn(&["sync", "--yes"]);
    assert!(child.until(|| tenant.ledger().effects.len() >= 12));
    let start = Instant::now();
    child.signal("INT");
    child.signal("TERM");
    let ran = child.wait();
    assert_eq!(ran.code, Some(6), "{ran}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_signal_while_the_accounts_are_listed_changes_nothing() {
    let tenant = Tenant::start(Options { latency: Duration::from_millis(400), ..sample() });
    let project = crate::support::Project::new(&tenant);
    let mut child = project.spawn(&["sync", "--yes"]);
    assert!(child.until(|| tenant.requests() >= 4));
    child.signal("INT");
    let ran = child.wait();
    assert_eq!(ran.code, Some(6), "{ran}");
    assert_eq!((ran.outcome(), ran.error_kind()), ("paused".to_owned(), "signal".to_owned()));
    assert!(tenant.ledger().effects.is_empty());
    assert!(tenant.requests() < 23, "the listing was not read to its end");
    assert!(project.runs().is_empty());
    assert!(std::fs::read_dir(project.path(".headcount/plans")).unwrap().next().is_none(), "no half plan is left");
}
