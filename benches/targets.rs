//! Listing a Bright Pattern contact center and creating users at a SCIM service, beside bare reqwest loops that send the
//! same requests to the same kind of server over as many connections. `benches/README.md` says what the figures have
//! to reach.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be measured fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are printed")]

#[path = "support/listed.rs"]
mod listed;

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headcount::clock::{Stop, SystemClock};
use headcount::connectors::http::{Network, Rate, ServerAccess};
use headcount::connectors::scim::{ScimLogin, ScimSettings, UpdateMethod};
use headcount::connectors::{Connector, brightpattern, find_kind, scim};
use headcount::model::{Attributes, Percent, Secret, Value};
use headcount::sandbox::{CLIENT_ID, CLIENT_SECRET, DOMAIN, Options, Seed, TOKEN};
use listed::listed;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Set for the copy of this program that serves, to a kind of sandbox and the number of accounts it starts with.
const SERVE: &str = "HEADCOUNT_BENCH_TARGET";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn main() {
    if let Ok(what) = env::var(SERVE) {
        return serve(&what);
    }
    // `cargo bench` passes --bench; anything else only wants to know that it works.
    let is_bench = env::args().any(|arg| arg == "--bench");
    let users = number("USERS", if is_bench { 2_000 } else { 20 });
    let creates = number("CREATES", if is_bench { 5_000 } else { 20 });
    let rounds = number("ROUNDS", if is_bench { 11 } else { 1 });
    let connections = number("CONNECTIONS", 8);
    let runtime = Runtime::new().unwrap();

    println!("brightpattern: {users} users listed over {connections} connections, {rounds} rounds");
    let server = Server::start("brightpattern", users);
    let (ours, bare) = rounds_of(
        rounds,
        || runtime.block_on(runtime.spawn(list(server.base_url.clone(), users, connections))).unwrap(),
        || runtime.block_on(runtime.spawn(fetch(server.base_url.clone(), users, connections))).unwrap(),
    );
    told(&ours, &bare, users + 2);
    let times = ratios(&ours, &bare);
    println!("  headcount needs {:.2} times the time of the bare loop", median(times));

    println!("scim: {creates} users created over {connections} connections, {rounds} rounds");
    let (ours, bare) = rounds_of(
        rounds,
        || {
            let server = Server::start("scim", 0);
            runtime.block_on(runtime.spawn(create(server.base_url.clone(), creates, connections))).unwrap()
        },
        || {
            let server = Server::start("scim", 0);
            runtime.block_on(runtime.spawn(post(server.base_url.clone(), creates, connections))).unwrap()
        },
    );
    told(&ours, &bare, creates);
    let shares = ratios(&bare, &ours);
    println!("  headcount reaches {:.0} % of the bare loop's rate", 100.0 * median(shares));
}

/// The times of both sides, round by round. Who comes second may find the machine warmer, so they take turns; a round
/// before the first warms both up.
fn rounds_of(
    rounds: u64,
    mut ours: impl FnMut() -> Duration,
    mut bare: impl FnMut() -> Duration,
) -> (Vec<Duration>, Vec<Duration>) {
    let (mut our_times, mut bare_times) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (our_time, bare_time) = if round % 2 == 0 {
            let first = ours();
            (first, bare())
        } else {
            let first = bare();
            (ours(), first)
        };
        if round > 0 {
            our_times.push(our_time);
            bare_times.push(bare_time);
        }
    }
    (our_times, bare_times)
}

fn told(ours: &[Duration], bare: &[Duration], requests: u64) {
    for (who, times) in [("headcount", ours), ("bare loop", bare)] {
        let seconds = median(times.iter().map(Duration::as_secs_f64).collect());
        println!("  {who} {:6.0} requests/s", requests as f64 / seconds);
    }
}

fn ratios(above: &[Duration], below: &[Duration]) -> Vec<f64> {
    above.iter().zip(below).map(|(above, below)| above.as_secs_f64() / below.as_secs_f64()).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A number that the environment can set.
fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

fn rate(concurrency: u64) -> Rate {
    Rate {
        requests_per_second: 0.0,
        burst: 10,
        concurrency: usize::try_from(concurrency).unwrap(),
        daily_reserve: Percent::new(5.0).unwrap(),
        retries: 5,
        timeout: Duration::from_secs(30),
        wait_for_quota: false,
    }
}

/// A sandbox in a process of its own, so that it shares neither runtime nor allocator with what is measured.
struct Server {
    child: Child,
    /// Kept open, because a pipe without a reader would end the child.
    _output: BufReader<ChildStdout>,
    base_url: String,
}

impl Server {
    fn start(kind: &str, accounts: u64) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(SERVE, format!("{kind} {accounts}")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut base_url = String::new();
        output.read_line(&mut base_url).unwrap();
        Self { child, _output: output, base_url: base_url.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to save.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(what: &str) {
    let (kind, accounts) = what.split_once(' ').unwrap();
    let options = Options {
        seed: Seed::Generated(accounts.parse().unwrap()),
        ..Options::new((find_kind(kind).unwrap().simulate)())
    };
    Runtime::new().unwrap().block_on(async {
        let sandbox = headcount::sandbox::start(options).await.unwrap();
        println!("{}", sandbox.base_url());
        io::stdout().flush().unwrap();
        // The end of the input is the end of the bench.
        tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    });
}

/// Lists as the engine does: the directory, each user, and the directory again.
async fn list(base_url: String, users: u64, connections: u64) -> Duration {
    let login = brightpattern::BrightpatternLogin {
        client_id: CLIENT_ID.to_owned(),
        client_secret: Secret::new(CLIENT_SECRET),
        scope: DOMAIN.to_owned(),
    };
    // No directory shows teams.
    let needed = ["loginId".to_owned(), "team".to_owned()];
    let (clock, stop) = (SystemClock::new(), Arc::new(Stop::default()));
    let (rate, network) = (&rate(connections), &Network::default());
    let access = ServerAccess { base_url: &base_url, rate, network, clock, stop };
    let target = brightpattern::connect_tenant(access, login, &needed).unwrap();
    target.sign_in().await.unwrap();
    let (count, took) = listed(&target).await;
    assert_eq!((count, target.meter().sent_so_far().list), (users, users + 2));
    took
}

/// Fetches the same and does nothing with it.
async fn fetch(base_url: String, users: u64, connections: u64) -> Duration {
    let client = client(connections, HeaderMap::new());
    let form =
        format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&scope={DOMAIN}");
    let request = client.post(format!("{base_url}/oauth/token")).body(form);
    let answer = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").send().await.unwrap();
    let token: Json = answer.json().await.unwrap();
    let client = self::client(connections, authorized(token["access_token"].as_str().unwrap()));
    // So that both sides begin with a connection.
    client.get(format!("{base_url}/team")).send().await.unwrap().bytes().await.unwrap();
    let start = Instant::now();
    let directory = format!("{base_url}/phone/user");
    let entries: Json = client.get(&directory).send().await.unwrap().json().await.unwrap();
    let logins = entries.as_array().unwrap().iter().map(|entry| entry["loginId"].as_str().unwrap());
    let urls: Vec<String> = logins.map(|login| format!("{base_url}/user/{login}")).collect();
    assert_eq!(urls.len() as u64, users);
    let fetching = client.clone();
    over(connections, Arc::new(urls), move |url| {
        let request = fetching.get(&url);
        async move {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 200);
            answer.bytes().await.unwrap();
        }
    })
    .await;
    client.get(&directory).send().await.unwrap().bytes().await.unwrap();
    start.elapsed()
}

/// Creates as the engine does.
async fn create(base_url: String, creates: u64, connections: u64) -> Duration {
    let settings = ScimSettings { credentials: None, page_size: 100, update_method: UpdateMethod::Auto };
    let (clock, stop) = (SystemClock::new(), Arc::new(Stop::default()));
    let login = ScimLogin::Bearer(Secret::new(TOKEN));
    let names: Vec<String> = person(1).into_iter().map(|(name, _)| name).collect();
    let (rate, network) = (&rate(connections), &Network::default());
    let access = ServerAccess { base_url: &base_url, rate, network, clock, stop };
    let target = scim::connect_tenant(&settings, access, login, &names).await.unwrap();
    let target: Arc<dyn Connector> = Arc::from(target);
    target.sign_in().await.unwrap();
    let values = (1..=creates).map(|number| {
        let values = person(number).into_iter();
        values.map(|(name, value)| (target.schema().id(&name).unwrap(), value)).collect::<Attributes>()
    });
    let people: Vec<Attributes> = values.collect();
    let creating = Arc::clone(&target);
    let start = Instant::now();
    over(connections, Arc::new(people), move |values| {
        let target = Arc::clone(&creating);
        async move {
            target.create(&values).await.unwrap();
        }
    })
    .await;
    let took = start.elapsed();
    assert_eq!(target.meter().sent_so_far().write, creates);
    check(&base_url, creates).await;
    took
}

/// Posts the same bodies.
async fn post(base_url: String, creates: u64, connections: u64) -> Duration {
    let client = client(connections, authorized(TOKEN));
    let users = format!("{base_url}/Users");
    // So that both sides begin with a connection.
    client.get(format!("{users}?count=1")).send().await.unwrap().bytes().await.unwrap();
    let bodies: Vec<Vec<u8>> = (1..=creates).map(|number| serde_json::to_vec(&resource(number)).unwrap()).collect();
    let start = Instant::now();
    over(connections, Arc::new(bodies), move |body| {
        let request = client.post(&users).header(CONTENT_TYPE, "application/scim+json").body(body);
        async move {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 201);
            // A client has to know the id that the server gave.
            let created: Json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            assert!(created["id"].is_string());
        }
    })
    .await;
    let took = start.elapsed();
    check(&base_url, creates).await;
    took
}

/// That the server has everybody, as both sides meant it.
async fn check(base_url: &str, creates: u64) {
    let client = client(1, authorized(TOKEN));
    let page: Json = client.get(format!("{base_url}/Users?count=1")).send().await.unwrap().json().await.unwrap();
    assert_eq!(page["totalResults"], creates);
    let filter = format!("{base_url}/Users?filter=userName%20eq%20%22p{creates}%40example.com%22");
    let found: Json = client.get(filter).send().await.unwrap().json().await.unwrap();
    let mut stored = found["Resources"][0].clone();
    let mut sent = resource(creates);
    for one in [&mut stored, &mut sent] {
        let one = one.as_object_mut().unwrap();
        for of_the_server in ["id", "meta", "schemas"] {
            one.remove(of_the_server);
        }
    }
    assert_eq!(stored, sent);
}

/// What the sample configuration makes of a newcomer.
fn person(number: u64) -> Vec<(String, Value)> {
    let mail = Value::text(format!("p{number}@example.com"));
    let code = Value::text(format!("E{number:08}"));
    [
        ("userName".to_owned(), mail.clone()),
        ("externalId".to_owned(), code.clone()),
        ("title".to_owned(), Value::text("Senior Agent")),
        ("active".to_owned(), Value::Bool(true)),
        ("name.givenName".to_owned(), Value::text("Katarzyna")),
        ("name.familyName".to_owned(), Value::text("Kowalska")),
        ("emails[type eq \"work\"].value".to_owned(), mail),
        (format!("{ENTERPRISE}:department"), Value::text("Customer Care")),
        (format!("{ENTERPRISE}:employeeNumber"), code),
    ]
    .into()
}

/// The same as it is on the wire.
fn resource(number: u64) -> Json {
    let mail = format!("p{number}@example.com");
    let code = format!("E{number:08}");
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": mail,
        "externalId": code,
        "title": "Senior Agent",
        "active": true,
        "name": {"givenName": "Katarzyna", "familyName": "Kowalska"},
        "emails": [{"type": "work", "value": mail}],
        ENTERPRISE: {"department": "Customer Care", "employeeNumber": code},
    })
}

/// Does something with each item: one task for each connection, and no item waits for another.
async fn over<T, F, D>(connections: u64, items: Arc<Vec<T>>, each: F)
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> D + Clone + Send + 'static,
    D: Future<Output = ()> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (items, next, each) = (Arc::clone(&items), Arc::clone(&next), each.clone());
        tasks.spawn(async move {
            loop {
                let at = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                let Some(item) = items.get(at) else { return };
                each(item.clone()).await;
            }
        });
    }
    tasks.join_all().await;
}

fn authorized(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    headers.insert(ACCEPT, HeaderValue::from_static("application/scim+json, application/json"));
    headers
}

fn client(connections: u64, headers: HeaderMap) -> reqwest::Client {
    // reqwest asks for a provider of TLS even where none is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(usize::try_from(connections).unwrap())
        .default_headers(headers)
        .build()
        .unwrap()
}
