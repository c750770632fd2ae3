//! Listing a tenant beside a bare reqwest loop that fetches and parses the same pages from the same server over the same
//! number of connections. `benches/README.md` says what the figures have to reach.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be measured fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are printed")]

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/listed.rs"]
mod listed;
#[path = "support/tenant.rs"]
mod tenant;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use headcount::connectors::Connector;
use headcount::sandbox::{API_KEY, DOMAIN};
use listed::listed;
use serde::Deserialize;
use tenant::{Tenant, benching, median, number, rate};
use tokio::task::JoinSet;

/// Users on a page.
const PAGE: u64 = 10;
/// What the server says of a page that it found.
const RETRIEVED: u32 = 4306;

fn main() {
    if tenant::served() {
        return;
    }
    let pages = number("PAGES", if benching() { 2_000 } else { 20 });
    let rounds = number("ROUNDS", if benching() { 11 } else { 1 });
    let connections = usize::try_from(number("CONNECTIONS", 8)).unwrap();
    println!("{pages} pages over {connections} connections; {rounds} rounds");

    let tenant = Arc::new(Tenant::start(pages * PAGE));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut ours, mut theirs, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    let (mut our_work, mut their_work) = (Duration::ZERO, Duration::ZERO);
    // Of both processes, because what one side leaves undone the other has to do.
    let used = || cpu::used(std::process::id()).unwrap_or_default() + cpu::used(tenant.process()).unwrap_or_default();
    for round in 0..=rounds {
        // Tasks of the runtime, as the program's commands are.
        let before = used();
        let took = runtime.block_on(runtime.spawn(list(Arc::clone(&tenant), pages, connections))).unwrap();
        let between = used();
        let bare = runtime.block_on(runtime.spawn(fetch(Arc::clone(&tenant), pages, connections))).unwrap();
        let after = used();
        // The first round warms both sides up.
        if round > 0 {
            ours.push(pages as f64 / took.as_secs_f64());
            theirs.push(pages as f64 / bare.as_secs_f64());
            shares.push(bare.as_secs_f64() / took.as_secs_f64());
            our_work += between - before;
            their_work += after - between;
        }
    }
    let each = |work: Duration| 1e6 * work.as_secs_f64() / (pages * rounds.max(1)) as f64;
    println!(
        "headcount  {:7.0} pages/s, {:3.0} us of processor time a page, the server's included",
        median(ours),
        each(our_work)
    );
    println!("bare loop  {:7.0} pages/s, {:3.0} us", median(theirs), each(their_work));
    let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
    let most = shares.iter().copied().fold(0.0, f64::max);
    println!(
        "headcount reaches {:.0} % of the bare loop (the median of the rounds; {:.0} to {:.0} %)",
        100.0 * median(shares),
        100.0 * least,
        100.0 * most
    );
}

/// Lists as the engine does.
async fn list(tenant: Arc<Tenant>, pages: u64, connections: usize) -> Duration {
    let target = tenant.connect(&rate(0.0, connections));
    target.sign_in().await.unwrap();
    let (count, took) = listed(&target).await;
    assert_eq!(count, pages * PAGE);
    took
}

#[derive(Deserialize)]
struct Answer {
    status_code: u32,
    response: Response,
}

#[derive(Deserialize)]
struct Response {
    users: Vec<User>,
    links: Links,
}

#[derive(Deserialize)]
struct Links {
    pages: u64,
}

/// What the engine keeps of a user.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed like everything that headcount parses, and looked at as little")]
struct User {
    id: u64,
    login_id: String,
    email_id: String,
    first_name: String,
    last_name: String,
    job_description: String,
    login_using_email: bool,
    skill_attributes: BTreeMap<String, serde_json::Value>,
    status: String,
    role_type: String,
    active_chats: u64,
    logged_in: bool,
    accepting_chats: bool,
    created_at: String,
    updated_at: String,
}

/// Fetches and parses the pages and does nothing else: one task for each connection, and no page waits for another.
async fn fetch(tenant: Arc<Tenant>, pages: u64, connections: usize) -> Duration {
    // Connecting as the engine does has set up the process for TLS, which reqwest asks for even where none is used.
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(connections)
        .build()
        .unwrap();
    let code = BASE64_STANDARD.encode(format!("{API_KEY}@{DOMAIN}"));
    let answer = client.get(format!("{}/authorize", tenant.base_url)).header("auth_code", code).send().await.unwrap();
    let token = answer.headers()["access_token"].clone();
    let next = Arc::new(AtomicU64::new(1));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (client, token, next, base_url) =
            (client.clone(), token.clone(), Arc::clone(&next), tenant.base_url.clone());
        tasks.spawn(async move {
            let mut count = 0;
            loop {
                let page = next.fetch_add(1, Ordering::Relaxed);
                if page > pages {
                    return count;
                }
                let request =
                    client.get(format!("{base_url}/users/?page={page}")).header("access_token", token.clone());
                let body = request.send().await.unwrap().bytes().await.unwrap();
                let Answer { status_code, response } = serde_json::from_slice(&body).unwrap();
                assert_eq!((status_code, response.links.pages), (RETRIEVED, pages));
                count += response.users.len() as u64;
            }
        });
    }
    let count: u64 = tasks.join_all().await.into_iter().sum();
    let took = start.elapsed();
    assert_eq!(count, pages * PAGE);
    took
}
