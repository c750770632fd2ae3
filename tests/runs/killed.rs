//! A process that is killed at any instant loses nobody and doubles nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use headcount::sandbox::Options;
use headcount::sandbox::imichat::{ImichatBehaviour, ImichatUniqueness};
use serde_json::Value;

use crate::support::{Project, Small, Tenant, assert_passwords_are_told, random, sample};

/// Answers take a moment, so that a kill finds requests under way.
fn slow(uniqueness: ImichatUniqueness) -> Options {
    Options {
        latency: Duration::from_millis(2),
        jitter: Duration::from_millis(4),
        system: Arc::new(ImichatBehaviour { uniqueness, ..ImichatBehaviour::default() }),
        ..sample()
    }
}

fn project(tenant: &Tenant) -> Project {
    let project = Project::new(tenant);
    // After so long a create that is not there never comes; the sandbox is far faster.
    project.set("timeout", "\"700ms\"");
    project
}

/// What a run that nobody disturbs leaves behind.
struct Undisturbed {
    content: Vec<Value>,
    created: Vec<String>,
    requests: u64,
}

fn undisturbed() -> Undisturbed {
    let tenant = Tenant::start(slow(ImichatUniqueness::Enforced));
    let project = project(&tenant);
    let ran = project.sync(0);
    assert_eq!(ran.number("applied.create"), 31);
    assert_passwords_are_told(&project, &tenant.ledger());
    Undisturbed { content: tenant.content(), created: tenant.created(), requests: tenant.requests() }
}

/// Kills the process once `at` requests were counted, and again a few requests into each of the next attempts, then
/// lets it finish.
fn trial(uniqueness: ImichatUniqueness, at: u64, kills: u64, expected: &Undisturbed) {
    let tenant = Tenant::start(slow(uniqueness));
    let project = project(&tenant);
    let mut seed = at ^ (kills << 32);
    let mut next = at;
    for kill in 0..kills {
        // One way to go on is as good as the other, but `resume` needs a run to go on with.
        let command = if kill > 0 && random(&mut seed).is_multiple_of(2) { "resume" } else { "sync" };
        let mut child = project.spawn(&[command, "--yes"]);
        if child.until(|| tenant.requests() >= next) {
            std::thread::sleep(Duration::from_micros(random(&mut seed) % 5_000));
            child.kill();
        }
        child.wait();
        next = tenant.requests() + 1 + random(&mut seed) % 30;
    }
    let ran = project.sync(0);
    assert_eq!((ran.number("unknown"), ran.number("failed")), (0, 0), "{ran}");
    let ledger = tenant.ledger();
    assert_eq!(ledger.doubled_logins(), Vec::<String>::new(), "killed at {at}, {kills} times");
    assert_eq!(tenant.created(), expected.created, "killed at {at}, {kills} times");
    assert_eq!(tenant.content(), expected.content, "killed at {at}, {kills} times");
    assert_passwords_are_told(&project, &ledger);
    // Nothing is left to do, and nothing is left open.
    assert_eq!(project.sync(0).outcome(), "no_changes");
    assert!(project.runs().iter().all(|run| run["unknown"] == 0), "{:?}", project.runs());
}

/// So many trials, spread over the whole run, a few at a time.
fn trials(uniqueness: ImichatUniqueness, count: u64, kills: u64) {
    let expected = undisturbed();
    let trial_number = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = trial_number.fetch_add(1, Ordering::Relaxed) as u64;
                    if number >= count {
                        return;
                    }
                    let at = 1 + number * (expected.requests - 1) / (count - 1);
                    trial(uniqueness, at, kills, &expected);
                }
            });
        }
    });
}

/// Its process is gone, the next one finds nobody there, and then it arrives: whoever did not wait would send it again,
/// and this tenant would take it.
#[test]
fn a_create_that_is_still_on_its_way_when_its_process_dies_is_waited_for() {
    const CREATES: u64 = 3;
    let small = Small { newcomers: CREATES as usize, changed: 2, leavers: 1 };
    let imichat = ImichatBehaviour { uniqueness: ImichatUniqueness::NotEnforced, ..ImichatBehaviour::default() };
    let tenant = Tenant::with_faults(
        Options { system: Arc::new(imichat), ..small.options() },
        "[[rule]]\non = { op = 'create', nth = 3 }\nthen = { delay = '1s', when = 'before' }",
    );
    let project = small.project(&tenant);
    project.set("timeout", "\"3s\"");
    project.set("concurrency", "1");
    let mut child = project.spawn(&["sync", "--yes"]);
    // A sign-in, a page, and the creates come first.
    assert!(child.until(|| tenant.requests() == 2 + CREATES));
    child.kill();
    child.wait();
    assert_eq!(tenant.created().len() as u64, CREATES - 1, "it is still on its way");
    let ran = project.sync(0);
    assert_eq!((ran.number("unknown"), ran.number("failed")), (0, 0), "{ran}");
    assert_eq!(ran.number("requests.write"), 3, "the create was not sent again: {ran}");
    assert_eq!(tenant.created(), small.newcomers());
    assert_passwords_are_told(&project, &tenant.ledger());
}

#[test]
fn killed_at_any_moment_nobody_is_lost_or_doubled() {
    trials(ImichatUniqueness::Enforced, 14, 1);
}

#[test]
fn nor_where_the_target_itself_would_let_people_be_doubled() {
    trials(ImichatUniqueness::NotEnforced, 14, 1);
}

#[test]
fn nor_when_going_on_is_killed_as_well() {
    trials(ImichatUniqueness::NotEnforced, 8, 4);
}
