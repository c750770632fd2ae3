//! What is estimated is what is sent, where nothing goes wrong: for each system, for a run in one go, for one that is
//! gone on with, for one that takes so long that accounts are read again and tokens renewed.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Exit;
use super::office::{Office, at};
use crate::clock::TestClock;
use crate::connectors::find_kind;
use crate::sandbox::{Faults, LedgerOperation, Options, Seed, TokenLife, brightpattern, scim};

const KINDS: [&str; 3] = ["imichat", "brightpattern", "scim"];

fn usual(kind: &str) -> Options {
    Options::new((find_kind(kind).unwrap().simulate)())
}

/// The sample of a system over a tenant of its own, with lines of the configuration replaced.
async fn sample(kind: &str, options: Options, settings: &[(&str, &str)]) -> Office {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (file, login) = match kind {
        "imichat" => ("config.toml", "api_key = SECRET\ndomain = \"sandbox.imi.chat\""),
        "brightpattern" => (
            "samples/brightpattern.toml",
            "client_id = \"sandbox-api-user\"\nclient_secret = SECRET\nscope = \"sandbox.imi.chat\"",
        ),
        _ => ("samples/scim.toml", "token = SECRET"),
    };
    let text = fs::read_to_string(root.join(file)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (key, value) in [
        ("base_url", "ADDRESS"),
        ("path", "\"export.csv\""),
        ("requests_per_second", "0"),
        ("max_create", "1000"),
        ("max_update", "1000"),
        ("max_deactivate", "1000"),
        ("concurrency", "4"),
    ]
    .iter()
    .chain(settings)
    {
        let line =
            lines.iter_mut().find(|line| line.starts_with(key) && line[key.len()..].trim_start().starts_with('='));
        match line {
            Some(line) => *line = format!("{key} = {value}"),
            // A setting of `[safety]` that the sample leaves at its default.
            None => {
                let at = lines.iter().position(|line| line == "[safety]").unwrap();
                lines.insert(at + 1, format!("{key} = {value}"));
            }
        }
    }
    let at = lines.iter().position(|line| line.starts_with("base_url")).unwrap();
    lines.insert(at + 1, login.to_owned());
    let config = lines.join("\n").replace("samples/teams.csv", "teams.csv").replace("\"../", "\"");
    let clock = TestClock::new(at_three(), 5);
    let options = Options { seed: Seed::Sample, ..options };
    let export = fs::read_to_string(root.join("samples/hr_export.csv")).unwrap();
    let office = Office::open(clock, options, &config, &export).await;
    fs::copy(root.join("samples/teams.csv"), office.path("teams.csv")).unwrap();
    office
}

fn at_three() -> Timestamp {
    at("2026-11-22T03:00:00Z")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_one_go_and_one_that_has_nothing_to_do_cost_what_was_estimated() {
    for kind in KINDS {
        let office = sample(kind, usual(kind), &[]).await;
        for _ in 0..2 {
            let (exit, summary) = office.sync().await;
            let requests = summary.unwrap().requests;
            assert_eq!(exit.unwrap(), Exit::Done);
            assert_eq!((requests.total, requests.retried), (requests.estimated, 0), "{kind:?}: {requests:?}");
        }
        for plan in office.plans() {
            let requests = plan.requests;
            assert_eq!(requests.total, requests.auth + requests.list + requests.lookup + requests.write);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_of_a_run_costs_what_was_estimated() {
    for kind in KINDS {
        // In the middle the server wants to be left alone for an hour.
        for op in ["create", "update"] {
            let faults = format!("[[rule]]\non = {{ op = '{op}', nth = 5 }}\nthen = {{ retry_after = 3600 }}\n");
            let options = Options { faults: Faults::parse(&faults).unwrap(), ..usual(kind) };
            let office = sample(kind, options, &[]).await;
            let (exit, summary) = office.sync().await;
            let summary = summary.unwrap();
            assert_eq!(exit.unwrap(), Exit::Paused, "{kind:?}, {op}: {summary:?}");
            assert!(summary.requests.total < summary.requests.estimated);
            assert_eq!(summary.unknown, 0);
            let done = office.tenant.ledger().effects.len();

            // So fresh the listing is not any more.
            office.clock.advance(Duration::from_secs(2 * 3600));
            let (exit, summary) = office.sync().await;
            let requests = summary.unwrap().requests;
            assert_eq!(exit.unwrap(), Exit::Done);
            assert!(office.tenant.ledger().effects.len() > done && requests.lookup > 0);
            assert_eq!((requests.total, requests.list), (requests.estimated, 0), "{kind:?}, {op}: {requests:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_create_whose_answer_a_dead_process_lost_is_in_the_estimate() {
    for kind in KINDS {
        let faults = "[[rule]]\non = { op = 'create', nth = 5 }\nthen = { drop = 'after' }\n\
                      [[rule]]\non = { op = 'create', nth = 6 }\nthen = { retry_after = 3600 }\n";
        let options = Options { faults: Faults::parse(faults).unwrap(), ..usual(kind) };
        let office = sample(kind, options, &[("concurrency", "1")]).await;
        let (exit, summary) = office.sync().await;
        let summary = summary.unwrap();
        assert_eq!((exit.unwrap(), summary.unknown), (Exit::Paused, 1), "{kind:?}: {summary:?}");
        office.clock.advance(Duration::from_secs(2 * 3600));
        let (exit, summary) = office.sync().await;
        let requests = summary.unwrap().requests;
        assert_eq!(exit.unwrap(), Exit::Done);
        let created: Vec<_> =
            office.tenant.ledger().effects_of(LedgerOperation::Create).map(|effect| effect.login_id.clone()).collect();
        assert_eq!(created.iter().collect::<std::collections::BTreeSet<_>>().len(), created.len());
        assert_eq!(requests.total, requests.estimated, "{kind:?}: {requests:?}");
    }
}

/// The listing grows stale while a slow run is under way: by how many are under way at once the two may differ.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_run_reads_accounts_again_as_was_estimated() {
    for kind in KINDS {
        let slow = [("requests_per_second", "2"), ("burst", "1"), ("fresh_for", "\"20s\"")];
        let office = sample(kind, usual(kind), &slow).await;
        let (exit, summary) = office.sync().await;
        let requests = summary.unwrap().requests;
        assert_eq!(exit.unwrap(), Exit::Done);
        assert!(requests.lookup > 8, "{kind:?}: {requests:?}");
        assert!(requests.total.abs_diff(requests.estimated) <= 8, "{kind:?}: {requests:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_expire_on_the_way_are_in_the_estimate() {
    let life = TokenLife { time: Some(Duration::from_secs(100)), requests: None };
    let options = Options {
        system: Arc::new(brightpattern::BrightpatternBehaviour {
            token_life: life,
            ..brightpattern::BrightpatternBehaviour::default()
        }),
        ..Options::default()
    };
    // One at a time: a request that waits for its turn behind others may find its token expired, and is repeated.
    let slow = [("requests_per_second", "1"), ("burst", "1"), ("fresh_for", "\"1h\""), ("concurrency", "1")];
    let office = sample("brightpattern", options, &slow).await;
    let (exit, summary) = office.sync().await;
    let requests = summary.unwrap().requests;
    assert_eq!(exit.unwrap(), Exit::Done);
    assert!(requests.auth > 2, "{requests:?}");
    assert!(requests.total.abs_diff(requests.estimated) <= 1 + 2 * requests.retried, "{requests:?}");
}

/// What a SCIM service announces decides what an update of it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_without_patch_is_read_before_each_update() {
    let behaviour = scim::ScimBehaviour {
        patch: scim::Patch::Unsupported,
        resource_types: scim::Discovery::Missing,
        filter: scim::FilterSupport::Ignored,
        ..scim::ScimBehaviour::default()
    };
    let office = sample("scim", Options { system: Arc::new(behaviour), ..Options::default() }, &[]).await;
    let (exit, summary) = office.sync().await;
    let summary = summary.unwrap();
    let requests = summary.requests;
    assert_eq!(exit.unwrap(), Exit::Done);
    assert_eq!((requests.total, requests.auth), (requests.estimated, 4), "{requests:?}");
    assert_eq!(requests.lookup, summary.applied.count_all() - summary.applied.create);
}
