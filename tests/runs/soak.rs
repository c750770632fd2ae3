//! SIGKILL at moments that nobody chose: hundreds of them, while a run begins, goes on and ends, with answers that are lost
//! besides. The tenant's ledger judges. `HEADCOUNT_SOAK_SEED` replays what a seed decides: faults, commands, and how long
//! each process lives.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headcount::sandbox::Options;
use headcount::sandbox::imichat::{ImichatBehaviour, ImichatUniqueness};
use serde_json::Value;

use crate::support::{Project, Small, Tenant, assert_passwords_are_told, random, told};

const SMALL: Small = Small { newcomers: 16, changed: 10, leavers: 4 };
/// So many kills at least.
const KILLS: u64 = 200;
/// As many of one tenant, at most.
const MOST: u64 = 12;

const FAULTS: [&str; 4] = [
    "",
    "[[rule]]\non = { op = 'create', every = 4 }\nthen = { drop = 'after' }\ntimes = 3",
    "[[rule]]\non = { op = 'create', every = 5 }\nthen = { drop = 'before' }\ntimes = 3\n\
     [[rule]]\non = { op = 'update', every = 4 }\nthen = { drop = 'after' }\ntimes = 3",
    "[[rule]]\non = { op = 'create', every = 6 }\nthen = { delay = '200ms', when = 'before' }\ntimes = 3\n\
     [[rule]]\non = { op = 'list', nth = 2 }\nthen = { expire_token = true }",
];

fn tenant(uniqueness: ImichatUniqueness, faults: &str) -> Tenant {
    let options = Options {
        latency: Duration::from_millis(1),
        jitter: Duration::from_millis(4),
        system: Arc::new(ImichatBehaviour { uniqueness, ..ImichatBehaviour::default() }),
        ..SMALL.options()
    };
    Tenant::with_faults(options, faults)
}

fn project(tenant: &Tenant) -> Project {
    let project = SMALL.project(tenant);
    project.set("timeout", "\"700ms\"");
    project
}

/// What the tenant holds where nobody was killed, and how long a process lives then.
fn undisturbed() -> (Vec<Value>, Duration) {
    let tenant = tenant(ImichatUniqueness::Enforced, "");
    let project = project(&tenant);
    let start = Instant::now();
    project.sync(0);
    (tenant.content(), start.elapsed())
}

/// One tenant, until everything is done.
fn soak(mut seed: u64, life: Duration, content: &[Value], kills: &AtomicU64) {
    let uniqueness =
        if random(&mut seed).is_multiple_of(2) { ImichatUniqueness::Enforced } else { ImichatUniqueness::NotEnforced };
    let faults = FAULTS[random(&mut seed) as usize % FAULTS.len()];
    let tenant = tenant(uniqueness, faults);
    let project = project(&tenant);
    for _ in 0..MOST {
        let command = if random(&mut seed).is_multiple_of(3) { "resume" } else { "sync" };
        let lives = life.mul_f64((random(&mut seed) % 1_000) as f64 / 1_000.0);
        let mut child = project.spawn(&[command, "--yes"]);
        std::thread::sleep(lives);
        if !child.is_over() {
            child.kill();
            kills.fetch_add(1, Ordering::Relaxed);
        }
        child.wait();
    }
    // On a busy machine an answer may come too late, and a run pauses then.
    let ran = (0..5).map(|_| project.run(&["sync", "--yes"])).find(|ran| ran.code != Some(6));
    let ran = ran.expect("it ends some time");
    assert_eq!((ran.code, ran.number("unknown"), ran.number("failed")), (Some(0), 0, 0), "{ran}");
    let ledger = tenant.ledger();
    assert_eq!(ledger.doubled_logins(), Vec::<String>::new());
    assert_eq!(tenant.created(), SMALL.newcomers());
    assert_eq!(tenant.content(), content);
    assert_passwords_are_told(&project, &ledger);
    assert_eq!(project.sync(0).outcome(), "no_changes");
    assert!(project.runs().iter().all(|run| run["unknown"] == 0), "{:?}", project.runs());
}

#[test]
#[ignore = "takes a minute; .ci/run runs it"]
fn two_hundred_kills_at_random_moments_lose_nobody_and_double_nobody() {
    let seed = std::env::var("HEADCOUNT_SOAK_SEED").ok().map(|seed| seed.parse().expect("a seed is a number"));
    // The hasher of a map is the one source of chance in the standard library.
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("HEADCOUNT_SOAK_SEED={seed}");
    let (content, life) = undisturbed();
    let (kills, tenants) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while kills.load(Ordering::Relaxed) < KILLS {
                    let number = tenants.fetch_add(1, Ordering::Relaxed);
                    let seed = random(&mut (seed ^ number));
                    told(&format!("tenant {number}"), || soak(seed, life, &content, &kills));
                }
            });
        }
    });
    println!("{} kills, {} tenants", kills.into_inner(), tenants.into_inner());
}
