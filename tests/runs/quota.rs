//! The tenant's daily quota: a run stops at the reserve, and goes on when the day is over.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use headcount::clock::{Clock, SystemClock, TestClock};
use headcount::sandbox::{Options, ResetFormat, SimulatedQuota};
use jiff::{SignedDuration, Timestamp};

use crate::support::{Project, Small, Tenant, assert_passwords_are_told, sample};

const DAY: Duration = Duration::from_secs(86_400);

fn limited(clock: Arc<dyn Clock>, per_day: u64) -> Options {
    Options { quota: SimulatedQuota { per_day, ..SimulatedQuota::default() }, clock, ..sample() }
}

/// Now, or an hour later where midnight is so near that the client's own clock could pass it during the test.
fn today() -> Arc<TestClock> {
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    let near = now.as_second().rem_euclid(86_400) > 23 * 3600;
    TestClock::new(if near { now.checked_add(hour).unwrap() } else { now }, 11)
}

#[test]
fn a_run_stops_at_the_reserve_and_goes_on_day_by_day_until_all_is_done() {
    let undisturbed = Tenant::start(sample());
    let cost = Project::new(&undisturbed).sync(0).number("requests.total");

    let clock = today();
    let tenant = Tenant::start(limited(clock.clone(), 60));
    let project = Project::new(&tenant);
    // By the program's clock no time passes from one of the tenant's days to the next.
    project.set("fresh_for", "\"0s\"");
    let ran = project.sync(6);
    // Five percent of 60 are left for others.
    assert_eq!(tenant.requests(), 57, "{ran}");
    assert_eq!((ran.outcome(), ran.error_kind()), ("paused".to_owned(), "quota".to_owned()));
    assert_eq!(ran.number("quota.remaining"), 3, "{ran}");
    assert_eq!(ran.number("requests.total"), 57, "{ran}");
    assert_eq!(ran.number("unknown"), 0, "{ran}");
    // Over several days it takes a little more: signing in again, and reading again who is changed after the first.
    assert!(ran.number("requests.estimated") > cost && cost > 60, "{ran}");
    let foreseen = ran.number("forecast.days");
    assert!(ran.err.contains(" days for "), "{ran}");
    assert_eq!(project.states(), ["paused"]);
    let effects = tenant.ledger().effects.len() as u64;
    let applied = project.runs()[0]["applied"].as_u64().unwrap();
    assert_eq!(applied, effects, "what was sent was answered, and what was not sent is to do");

    // Still the same day: nothing is changed, and nothing is asked.
    let again = project.sync(6);
    assert_eq!((again.outcome().as_str(), tenant.ledger().effects.len() as u64), ("paused", effects));
    assert_eq!(tenant.requests(), 57, "{again}");

    let mut days = 1;
    loop {
        clock.advance(DAY);
        // The tenant's day is over, and the program's clock, by which it would know, cannot be moved.
        std::fs::remove_file(project.path(".headcount/quota.json")).unwrap();
        days += 1;
        assert!(days < 6, "it does not get on");
        let ran = project.run(&["sync", "--yes"]);
        assert!(tenant.requests() <= 57, "{ran}");
        match ran.code {
            Some(0) => break,
            Some(6) => assert_eq!(ran.outcome(), "paused"),
            _ => panic!("{ran}"),
        }
    }
    assert_eq!(foreseen, days - 1);
    assert_eq!(tenant.content(), undisturbed.content());
    assert_eq!(tenant.created(), undisturbed.created());
    assert_eq!(project.states(), ["complete"]);
    assert_passwords_are_told(&project, &tenant.ledger());
}

#[test]
fn a_plan_says_what_it_costs_and_a_quota_too_small_to_list_changes_nothing() {
    let tenant = Tenant::start(limited(today(), 45));
    let project = Project::new(&tenant);
    let planned = project.run(&["plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    assert!(planned.number("requests.estimated") >= 97, "{planned}");
    assert!(planned.number("quota.remaining") <= 45, "{planned}");
    assert!(planned.number("forecast.days") >= 3 && planned.err.contains(" days for "), "{planned}");
    // The listing alone would take more than what is left.
    let ran = project.sync(6);
    assert_eq!(ran.error_kind(), "quota");
    assert!(tenant.ledger().effects.is_empty());
    assert!(project.runs().is_empty());
}

/// The machine's clock, so much ahead.
struct Ahead {
    clock: Arc<SystemClock>,
    by: Duration,
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.clock.now().checked_add(self.by).unwrap()
    }
    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(time)
    }
    fn random(&self) -> u64 {
        self.clock.random()
    }
}

#[test]
fn a_run_that_may_wait_sleeps_until_the_quota_is_reset() {
    // Its midnight comes in four seconds.
    let left = DAY.as_secs() - u64::try_from(Timestamp::now().as_second()).unwrap() % DAY.as_secs();
    let by = Duration::from_secs(left) + DAY - Duration::from_secs(4);
    let clock = Arc::new(Ahead { clock: SystemClock::new(), by });
    let small = Small { newcomers: 8, changed: 2, leavers: 0 };
    let quota = SimulatedQuota { per_day: 8, reset: ResetFormat::Delta, ..SimulatedQuota::default() };
    let tenant = Tenant::start(Options { quota, clock, ..small.options() });
    let project = small.project(&tenant);
    project.set("wait_for_quota", "true");
    let ran = project.sync(0);
    assert_eq!(tenant.created(), small.newcomers(), "{ran}");
    assert_eq!(ran.number("requests.total"), 12, "{ran}");
    assert_eq!(project.states(), ["complete"]);
    assert_passwords_are_told(&project, &tenant.ledger());
}
