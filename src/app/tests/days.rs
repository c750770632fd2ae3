//! A daily quota that others use as well, over as many days as it takes. The server's own count is the judge: nothing
//! arrives once the reserve is reached, nobody is lost or doubled, and all of it costs what the plan said.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde_json::json;

use super::Exit;
use super::office::{Office, at};
use crate::clock::TestClock;
use crate::sandbox::{LedgerOperation, Options, OtherClients, Seed, SimulatedQuota};

const LAW: f64 = 1.1;

/// How large a tenant is.
#[derive(Clone, Copy)]
struct Size {
    per_day: u64,
    newcomers: u64,
    changed: u64,
    leavers: u64,
    /// Accounts that are as they should be.
    others: u64,
}

/// What five days take of 10,000 requests a day, less the reserve, less what others take: 27,000 actions.
const FULL: Size = Size { per_day: 10_000, newcomers: 24_000, changed: 2_500, leavers: 500, others: 2_000 };
/// A twentieth of it.
const SMALL: Size = Size { per_day: 500, newcomers: 1_200, changed: 125, leavers: 25, others: 100 };

const OTHERS: OtherClients = OtherClients::Share { percent: 30, at_once: 3 };

impl Size {
    fn quota(self) -> SimulatedQuota {
        SimulatedQuota { per_day: self.per_day, others: OTHERS, ..SimulatedQuota::default() }
    }

    /// Five percent.
    fn reserve(self) -> u64 {
        self.per_day / 20
    }

    fn people(self) -> impl Iterator<Item = (String, &'static str, &'static str)> {
        let of = |prefix: &'static str, count: u64| (0..count).map(move |n| format!("{prefix}{n:05}"));
        let newcomers = of("new", self.newcomers).map(|login| (login, "After", "Active"));
        let changed = of("old", self.changed).map(|login| (login, "After", "Active"));
        let leavers = of("gone", self.leavers).map(|login| (login, "Before", "Terminated"));
        let others = of("same", self.others).map(|login| (login, "Before", "Active"));
        newcomers.chain(changed).chain(leavers).chain(others)
    }

    fn export(self) -> String {
        let mut export = "id,login,last_name,status\n".to_owned();
        for (login, last_name, status) in self.people() {
            writeln!(export, "E-{login},{login},{last_name},{status}").unwrap();
        }
        export
    }

    fn seed(self) -> Seed {
        let known = self.people().skip(self.newcomers as usize).enumerate().map(|(n, (login, ..))| {
            json!({
                "id": 100 + n, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2024-01-02T03:04:05Z",
                "first_name": "Ana", "last_name": "Before", "login_id": login,
                "email_id": format!("{login}@example.com"),
            })
        });
        Seed::Text(json!({ "accounts": known.collect::<Vec<_>>() }).to_string())
    }

    fn actions(self) -> u64 {
        self.newcomers + self.changed + self.leavers
    }

    async fn office(self, settings: &[(&str, &str)]) -> Office {
        let mut config = CONFIG.to_owned();
        for (old, new) in settings {
            assert!(config.contains(old), "{old}");
            config = config.replace(old, new);
        }
        let clock = TestClock::new(at("2026-11-22T03:00:00Z"), 5);
        let options = Options { seed: self.seed(), quota: self.quota(), ..Options::default() };
        Office::open(clock, options, &config, &self.export()).await
    }
}

const CONFIG: &str = r#"
[source]
path     = "export.csv"
identity = "id"
[target]
kind     = "imichat"
base_url = ADDRESS
tenant   = "acme"
api_key  = SECRET
domain   = "sandbox.imi.chat"
[match]
rules = [["login_id"]]
[map]
login_id   = "login"
email_id   = "{{ login }}@example.com"
first_name = { value = "Ana" }
last_name  = "last_name"
status     = "{{ 'inactive' if status == 'Terminated' else 'active' }}"
password   = { generate = { length = 20 } }
[safety]
max_create     = 1000000
max_update     = 1000000
max_deactivate = 1000000
[rate]
requests_per_second = 5
daily_reserve  = "5%"
concurrency    = 4
wait_for_quota = false
[passwords]
deliver_to = "discard"
"#;

/// Judges by the tenant alone: everybody is as the export says, and each got there by one effect.
fn assert_done(office: &Office, size: Size) {
    let ledger = office.tenant.ledger();
    assert_eq!(ledger.effects.len() as u64, size.actions());
    let mut effects = BTreeMap::<_, u64>::new();
    for effect in &ledger.effects {
        *effects.entry(effect.login_id.clone()).or_default() += 1;
    }
    assert!(effects.values().all(|count| *count == 1), "nobody is doubled");
    assert_eq!(ledger.count_effects(LedgerOperation::Create) as u64, size.newcomers);
    let accounts: BTreeMap<_, _> =
        office.tenant.accounts().into_iter().map(|account| (account.login_id.clone(), account)).collect();
    for (login, last_name, status) in size.people() {
        let account = serde_json::to_value(&accounts[&login]).unwrap();
        assert_eq!(account["last_name"], last_name, "{login}");
        let wanted = if status == "Terminated" { "inactive" } else { "active" };
        assert_eq!(account["status"].as_str().unwrap_or("active"), wanted, "{login}");
    }
}

fn assert_the_reserve_is_kept(office: &Office, size: Size) {
    for day in office.tenant.days() {
        assert!(day.least > size.reserve(), "a request came when {} were left: {day:?}", day.least);
        assert_eq!(day.turned_away, 0);
    }
}

async fn five_days(size: Size) {
    let office = size.office(&[]).await;
    let mut summaries = Vec::new();
    loop {
        let (exit, summary) = office.sync().await;
        let (exit, summary) = (exit.unwrap(), summary.unwrap());
        summaries.push(summary);
        assert!(summaries.len() <= 6, "it does not get on");
        if exit == Exit::Done {
            break;
        }
        assert_eq!(exit, Exit::Paused);
        // The scheduler comes every hour. It is told so without a single request.
        let before = office.tenant.days();
        office.clock.advance(Duration::from_secs(3600));
        let (again, _) = office.sync().await;
        assert_eq!((again.unwrap(), office.tenant.days()), (Exit::Paused, before));
        office.sleep_until(3);
    }
    assert_done(&office, size);
    assert_the_reserve_is_kept(&office, size);

    let days = office.tenant.days();
    let sent: u64 = days.iter().map(|day| day.requests).sum();
    let others: u64 = days.iter().map(|day| day.others).sum();
    assert!((0.28..0.32).contains(&(others as f64 / (others + sent) as f64)), "others took {others} beside {sent}");
    // What is left to others beyond the reserve is next to nothing.
    for day in &days[..days.len() - 1] {
        assert!(day.requests + day.others + size.reserve() + size.per_day / 100 >= size.per_day, "{day:?}");
    }

    let [plan] = &office.plans()[..] else { panic!("only one plan was made") };
    let first = &summaries[0].requests;
    assert_eq!((plan.requests.total, first.list), (first.estimated, plan.requests.list));
    assert!(summaries[1..].iter().all(|summary| summary.requests.list == 0), "nothing is listed again");
    let estimated = first.estimated as f64;
    println!("{} actions, {} days, {sent} requests, {estimated} estimated", size.actions(), days.len());
    assert!(sent as f64 <= LAW * estimated && estimated <= LAW * sent as f64, "{sent} of {estimated}");

    // Each day says how many are still to come, and is right.
    for (over, summary) in summaries.iter().enumerate() {
        let more = (days.len() - 1 - over) as u64;
        assert_eq!(summary.forecast.map_or(0, |forecast| forecast.days.unwrap()), more, "after day {}", over + 1);
    }
    assert_eq!(days.len(), 5);
    // Every later day is estimated anew, from what is left.
    for (over, summary) in summaries.iter().enumerate().skip(1) {
        let left: u64 = days[over..].iter().map(|day| day.requests).sum();
        let estimated = summary.requests.estimated as f64;
        assert!(left as f64 <= LAW * estimated && estimated <= LAW * left as f64, "day {over}: {left} of {estimated}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_five_days_beside_others_nothing_is_sent_below_the_reserve_and_the_plan_said_what_it_costs() {
    five_days(SMALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute; `.ci/run` runs it"]
async fn so_it_is_with_ten_thousand_requests_a_day() {
    five_days(FULL).await;
}

/// As many updates as anything, so that it matters whether each account is read again.
const UPDATES: Size = Size { per_day: 400, newcomers: 20, changed: 300, leavers: 10, others: 5 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_waits_for_the_quota_ends_by_itself_and_keeps_the_reserve_too() {
    let office = UPDATES.office(&[("wait_for_quota = false", "wait_for_quota = true")]).await;
    let (exit, summary) = office.sync().await;
    assert_eq!(exit.unwrap(), Exit::Done);
    assert_done(&office, UPDATES);
    assert_the_reserve_is_kept(&office, UPDATES);
    let requests = summary.unwrap().requests;
    assert_eq!(requests.total, office.tenant.days().iter().map(|day| day.requests).sum::<u64>());
    assert!(office.tenant.days().len() >= 2, "{:?}", office.tenant.days());
    let (total, estimated) = (requests.total as f64, requests.estimated as f64);
    assert!(total <= LAW * estimated && estimated <= LAW * total, "{requests:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_run_is_planned_anew_and_a_listing_that_counts_for_days_saves_the_reading() {
    let [old, trusting] = [
        UPDATES.office(&[("max_create ", "run_max_age = \"20h\"\nmax_create ")]).await,
        UPDATES.office(&[("max_create ", "fresh_for = \"30d\"\nmax_create ")]).await,
    ];
    let mut lists = Vec::new();
    loop {
        let (exit, summary) = old.sync().await;
        lists.push(summary.unwrap().requests.list);
        if exit.unwrap() == Exit::Done {
            break;
        }
        old.sleep_until(3);
    }
    assert_done(&old, UPDATES);
    assert_the_reserve_is_kept(&old, UPDATES);
    assert!(lists.len() > 1 && lists.iter().all(|list| *list > 0), "each day lists: {lists:?}");

    let mut lookups = 0;
    loop {
        let (exit, summary) = trusting.sync().await;
        lookups += summary.unwrap().requests.lookup;
        if exit.unwrap() == Exit::Done {
            break;
        }
        trusting.sleep_until(3);
    }
    assert_done(&trusting, UPDATES);
    assert_eq!((lookups, trusting.plans().len()), (0, 1));
}
