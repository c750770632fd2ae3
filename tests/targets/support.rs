//! A tenant, a target that is connected to it, and what tests ask of both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use headcount::clock::{Clock, TestClock};
use headcount::connectors::http::{Network, Rate, ServerAccess};
use headcount::connectors::{CallError, Connector, Listed};
use headcount::model::{AccountId, AttrId, Attributes, MatchRule, Percent, Secret, Value};
use headcount::sandbox::{self, Faults, Sandbox, Seed};
use serde_json::Value as Json;

use super::subject::{Place, Subject};

pub const PASSWORD: &str = "Pass-w0rd-of-a-person!";
/// Enough repeats for one failure, and so few that a server that always fails is given up soon.
pub const RETRIES: u32 = 2;

/// A tenant that is served, and a target that is signed in to it.
pub struct Setting {
    pub tenant: Sandbox,
    pub target: Box<dyn Connector>,
    /// Moves when the target sleeps, so that nobody waits.
    pub clock: Arc<TestClock>,
    pub subject: &'static dyn Subject,
}

/// So many generated accounts, and what goes wrong.
pub async fn setting(subject: &'static dyn Subject, accounts: u64, faults: &str) -> Setting {
    let tenant = serve(subject, accounts, faults).await;
    let clock = clock();
    let target = connect(subject, &tenant, &clock, subject.secret()).await.unwrap();
    target.sign_in().await.unwrap();
    Setting { tenant, target, clock, subject }
}

pub async fn serve(subject: &'static dyn Subject, accounts: u64, faults: &str) -> Sandbox {
    let faults = Faults::parse(faults).unwrap();
    let options = sandbox::Options { seed: Seed::Generated(accounts), faults, ..subject.tenant() };
    sandbox::start(options).await.unwrap()
}

pub fn clock() -> Arc<TestClock> {
    TestClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 42)
}

pub async fn connect(
    subject: &dyn Subject,
    tenant: &Sandbox,
    clock: &Arc<TestClock>,
    secret: &str,
) -> Result<Box<dyn Connector>, CallError> {
    let rate = Rate {
        requests_per_second: 0.0,
        burst: 10,
        concurrency: 4,
        daily_reserve: Percent::new(0.0).unwrap(),
        retries: RETRIES,
        timeout: Duration::from_secs(20),
        wait_for_quota: false,
    };
    let (base_url, network) = (&*tenant.base_url(), &Network::default());
    let access = ServerAccess { base_url, rate: &rate, network, clock: clock.clone(), stop: Arc::default() };
    let place = Place { access, secret };
    subject.connect(place).await
}

/// A listing, read to its end.
#[derive(Debug)]
pub struct Shown {
    pub logins: Vec<String>,
    pub ids: Vec<String>,
    pub complete: bool,
    pub notes: Vec<String>,
}

impl Setting {
    pub fn id(&self, attribute: &str) -> AttrId {
        self.target.schema().id(attribute).unwrap_or_else(|| panic!("no attribute {attribute}"))
    }

    pub fn login(&self) -> AttrId {
        self.id(self.subject.login(1).0)
    }

    pub async fn list(&self) -> Result<Shown, CallError> {
        let login = self.login();
        let mut pieces = self.target.list();
        let (mut logins, mut ids, mut end) = (Vec::new(), Vec::new(), None);
        while let Some(piece) = pieces.next().await {
            assert!(end.is_none(), "something comes after the end");
            match piece? {
                Listed::Page { accounts, .. } => {
                    for account in accounts {
                        logins.push(account.values.get(login).unwrap().as_str().unwrap().to_owned());
                        ids.push(account.id.0);
                    }
                }
                Listed::Again { .. } => {
                    logins.clear();
                    ids.clear();
                }
                Listed::End { complete, notes } => end = Some((complete, notes)),
            }
        }
        let (complete, notes) = end.expect("a listing ends with its end");
        Ok(Shown { logins, ids, complete, notes })
    }

    /// The values of the n-th newcomer, with the password.
    pub fn newcomer(&self, n: u64) -> Attributes {
        let mut values: Attributes =
            self.subject.person(n).into_iter().map(|(name, value)| (self.id(name), value)).collect();
        values.set(self.id("password"), Value::Secret(Secret::new(PASSWORD)));
        values
    }

    /// Whoever has these logins, for each of them.
    pub async fn find(&self, logins: &[&str]) -> Result<Vec<Vec<headcount::model::Account>>, CallError> {
        let rules = [MatchRule::new(self.target.schema(), vec![self.login()])];
        let sought: Vec<Attributes> =
            logins.iter().map(|login| [(self.login(), Value::text(*login))].into_iter().collect()).collect();
        self.target.find(&rules, &sought).await
    }

    /// The id of the n-th generated account.
    pub async fn account(&self, n: u64) -> AccountId {
        let login = self.subject.login(n).1;
        let mut found = self.find(&[&login]).await.unwrap().remove(0);
        assert_eq!(found.len(), 1, "{login}");
        found.remove(0).id
    }

    pub fn waited(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The tenant's own record of every account, by login.
    pub fn records(&self) -> BTreeMap<String, Json> {
        let login = |record: &Json| {
            let found = ["/login_id", "/loginId", "/resource/userName"].iter().find_map(|at| record.pointer(at));
            found.and_then(Json::as_str).unwrap().to_owned()
        };
        self.tenant.accounts_json().into_iter().map(|record| (login(&record), record)).collect()
    }
}

/// Where two records differ, as JSON pointers to the outermost places of which only one has a value, or which have
/// different ones. What a server notes of a change by itself is left out.
pub fn differences(before: &Json, after: &Json) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    compare("", before, after, &mut places);
    places.retain(|place| !["/updated_at", "/lastModified", "/version"].contains(&place.as_str()));
    places
}

fn compare(at: &str, before: &Json, after: &Json, places: &mut BTreeSet<String>) {
    match (before, after) {
        (Json::Object(a), Json::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let missing = &Json::Null;
                let (a, b) = (a.get(key).unwrap_or(missing), b.get(key).unwrap_or(missing));
                compare(&format!("{at}/{key}"), a, b, places);
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{at}/{n}"), a, b, places);
            }
        }
        _ if before == after => {}
        _ => {
            places.insert(at.to_owned());
        }
    }
}

pub fn rule(on: &str, then: &str, times: u32) -> String {
    format!("[[rule]]\non = {{ {on} }}\nthen = {{ {then} }}\ntimes = {times}\n")
}
