//! The target against a server that answers what a script says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;

use super::*;
use crate::clock::TestClock;
use crate::model::{AttrId, Value};
use crate::target::http::testing::{Reply, Seen, Server, rate};
use crate::target::{Effect, Sent};

pub fn settings() -> Settings {
    Settings {
        api_key: Some(SecretSource::Env("IMICHAT_API_KEY".to_owned())),
        domain: Some("acme.imi.chat".to_owned()),
        team_id: Some("1".to_owned()),
        authorize_path: "/authorize".to_owned(),
        auth_header: "auth_code".to_owned(),
        token_header: "access_token".to_owned(),
        update_method: "PATCH".to_owned(),
        update_body: UpdateBody::Full,
        privilege_key: "teamid".to_owned(),
    }
}

fn connect_as(settings: &Settings, base_url: &str, rate: &Rate) -> Result<ImiChat, CallError> {
    let clock = TestClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 42);
    connect(settings, base_url, rate, clock, Arc::default(), &Secret::new("key-1"), "acme.imi.chat")
}

fn target(server: &Server) -> ImiChat {
    connect_as(&settings(), &format!("{}/v3.1", server.address), &Rate { retries: 2, ..rate() }).unwrap()
}

/// A server that lets everybody in and answers everything else as the function says.
async fn tenant(handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let calls = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        if seen.path == "/v3.1/authorize" {
            return Reply::new(200, said(4306, "\"\"")).with("access_token", "token-1");
        }
        handler(seen, calls.fetch_add(1, Ordering::SeqCst))
    })
    .await
}

fn said(code: u32, response: &str) -> String {
    format!(r#"{{"status_code":{code},"description":"d{code}","response":{response}}}"#)
}

/// An answer with a code, under the HTTP status that the table gives it.
fn code(code: u32) -> Reply {
    let status = match code {
        4306 | 4308 | 4309 => 200,
        2004 => 401,
        2007 | 3104 | 3105 => 500,
        2010 | 3101 => 404,
        2099 => 405,
        3102 => 409,
        _ => 400,
    };
    Reply::new(status, said(code, "\"\"")).with("trxid", "t-7")
}

fn html(status: u16) -> Reply {
    Reply::new(status, "<html>Bad Gateway</html>").with("content-type", "text/html")
}

fn id() -> AccountId {
    AccountId("4711".to_owned())
}

fn newcomer(target: &ImiChat) -> Attributes {
    let schema = target.schema();
    [
        (schema.id("login_id").unwrap(), Value::text("ana.diaz")),
        (schema.id("password").unwrap(), Value::Secret(Secret::new("hunter2!"))),
    ]
    .into_iter()
    .collect()
}

fn change(target: &ImiChat) -> Attributes {
    [(target.schema().id("first_name").unwrap(), Value::text("Ana"))].into_iter().collect()
}

async fn listed(target: &ImiChat) -> Result<(usize, bool, Vec<String>), CallError> {
    let mut pages = target.list();
    let mut shown = 0;
    let mut end = None;
    while let Some(piece) = pages.next().await {
        assert!(end.is_none(), "something after the end");
        match piece? {
            Listed::Page { accounts, .. } => shown += accounts.len(),
            Listed::Again { .. } => shown = 0,
            Listed::End { complete, notes } => end = Some((complete, notes)),
        }
    }
    let (complete, notes) = end.expect("a listing ends");
    Ok((shown, complete, notes))
}

fn users(from: u64, to: u64) -> String {
    (from..to).map(|n| format!(r#"{{"id":{n},"login_id":"user{n}"}}"#)).collect::<Vec<_>>().join(",")
}

fn page_number(seen: &Seen) -> u64 {
    seen.path.rsplit_once("page=").unwrap().1.parse().unwrap()
}

/// Which of the calls a status code is answered to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Get,
    Create,
    Update,
}

/// The error of a call that is always answered so, and how often the call was sent.
async fn failing(op: Op, reply: Reply) -> (CallError, usize) {
    let server = tenant(move |_, _| reply.clone()).await;
    let target = target(&server);
    let error = match op {
        Op::Get => target.get(&id()).await.map(|_| ()),
        Op::Create => target.create(&newcomer(&target)).await.map(|_| ()),
        Op::Update => target.update(&id(), &change(&target)).await,
    };
    (error.unwrap_err(), server.count("", "/v3.1/users"))
}

#[tokio::test]
async fn every_status_code_is_handled_as_the_table_says() {
    use Effect::{None as Nothing, Unknown};
    use Op::{Create, Get, Update};
    use Trouble::{Configuration, Exists, NotFound, Refused, Unavailable};
    // Code, call, trouble, effect, how often the call is sent, what the hint names.
    let table = [
        (2002, Get, Configuration, Nothing, 1, "target.token_header"),
        (2002, Create, Configuration, Nothing, 1, "target.team_id"),
        (2003, Get, Configuration, Nothing, 2, "target.api_key"),
        (2003, Create, Configuration, Nothing, 2, "target.api_key"),
        (2004, Create, Configuration, Nothing, 2, "target.api_key"),
        (2004, Update, Configuration, Nothing, 2, "target.domain"),
        (2007, Get, Unavailable, Nothing, 3, ""),
        (2007, Update, Unavailable, Unknown, 3, ""),
        (2007, Create, Unavailable, Unknown, 1, ""),
        (2010, Create, Configuration, Nothing, 1, "target.team_id"),
        (2099, Update, Configuration, Nothing, 1, "target.update_method"),
        (2099, Get, Configuration, Nothing, 1, "target.base_url"),
        (3101, Update, NotFound, Nothing, 1, ""),
        (3102, Create, Exists, Nothing, 1, ""),
        (3104, Update, Unavailable, Unknown, 3, ""),
        (3104, Create, Unavailable, Unknown, 1, ""),
        (3105, Get, Unavailable, Nothing, 3, ""),
        (3105, Create, Unavailable, Unknown, 1, ""),
        (3107, Update, Refused, Nothing, 1, "custom_attributes.business"),
        (3110, Create, Refused, Nothing, 1, "custom_attributes.location"),
        (3111, Create, Refused, Nothing, 1, "email already belongs to another account"),
        (3114, Create, Refused, Nothing, 1, ""),
        (3115, Update, Refused, Nothing, 1, ""),
        (9999, Update, Refused, Nothing, 1, ""),
    ];
    for (number, op, trouble, effect, sent, hint) in table {
        let (error, calls) = failing(op, code(number)).await;
        assert_eq!((&error.trouble, error.effect, calls), (&trouble, effect, sent), "{number} {op:?}: {error}");
        assert_eq!((error.code, error.trxid.as_deref()), (Some(number), Some("t-7")), "{number}");
        assert!(error.message.contains(&format!("{number} d{number}")) && error.message.contains("trxid t-7"));
        assert!(error.hint.unwrap_or_default().contains(hint), "{number} {op:?}");
    }
}

#[tokio::test]
async fn the_code_decides_and_not_the_http_status() {
    for (status, number) in [(200, 3111), (500, 3115)] {
        let (error, calls) = failing(Op::Create, Reply::new(status, said(number, "null"))).await;
        assert_eq!((error.trouble, error.effect, calls), (Trouble::Refused, Effect::None, 1));
    }
    let server = tenant(|_, _| Reply::new(500, said(4308, r#"{"id":"77"}"#))).await;
    let target = target(&server);
    assert_eq!(target.create(&newcomer(&target)).await.unwrap().as_str(), "77");
}

#[tokio::test]
async fn a_code_that_nobody_documented_proves_nothing_under_http_200() {
    let (error, calls) = failing(Op::Create, Reply::new(200, said(4310, "null"))).await;
    assert_eq!((error.trouble, error.effect, calls), (Trouble::Refused, Effect::Unknown, 1));
}

#[tokio::test]
async fn a_body_that_is_not_the_envelope_is_a_server_error() {
    use Trouble::{Garbled, Unavailable};
    for (op, status, trouble, effect, sent) in [
        (Op::Get, 200, Garbled, Effect::None, 3),
        (Op::Get, 502, Unavailable, Effect::None, 3),
        (Op::Update, 200, Garbled, Effect::Unknown, 3),
        (Op::Create, 200, Garbled, Effect::Unknown, 1),
        (Op::Create, 502, Unavailable, Effect::Unknown, 1),
    ] {
        let (error, calls) = failing(op, html(status)).await;
        assert_eq!((error.trouble, error.effect, calls), (trouble, effect, sent), "{op:?} {status}");
        assert!(error.message.contains("not the API's JSON but text/html"), "{}", error.message);
    }
    let (error, calls) = failing(Op::Update, html(405)).await;
    assert_eq!((error.trouble, calls), (Trouble::Configuration, 1));
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_unknown_and_posted_once() {
    for reply in [Reply::HangUp, Reply::BreakOff] {
        let (error, calls) = failing(Op::Create, reply).await;
        assert_eq!((error.trouble, error.effect, calls), (Trouble::Unavailable, Effect::Unknown, 1));
    }
}

#[tokio::test]
async fn a_create_without_an_id_in_its_answer_is_unknown() {
    let (error, calls) = failing(Op::Create, code(4308)).await;
    assert_eq!((error.trouble, error.effect, calls), (Trouble::Garbled, Effect::Unknown, 1));
}

#[tokio::test]
async fn a_create_sends_the_values_and_learns_the_id() {
    for response in [r#"{"id":815}"#, r#"{"user":{"id":"815"}}"#] {
        let server = tenant(move |_, _| Reply::new(200, said(4308, response))).await;
        let target = target(&server);
        assert_eq!(target.create(&newcomer(&target)).await.unwrap().as_str(), "815");
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v3.1/users"));
        assert_eq!(seen.body, r#"{"login_id":"ana.diaz","password":"hunter2!"}"#);
    }
}

#[tokio::test]
async fn an_update_sends_the_values_with_the_verb_of_the_settings() {
    for verb in ["PATCH", "put", "POST"] {
        let server = tenant(|_, _| code(4309)).await;
        let settings = Settings { update_method: verb.to_owned(), ..settings() };
        let target = connect_as(&settings, &format!("{}/v3.1", server.address), &rate()).unwrap();
        target.update(&id(), &change(&target)).await.unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.method, seen.path.as_str()), (verb.to_uppercase(), "/v3.1/users/4711"));
        assert_eq!(seen.body, r#"{"first_name":"Ana"}"#);
    }
}

#[tokio::test]
async fn one_account_is_shown_or_is_none() {
    let server = tenant(|seen, _| match seen.path.as_str() {
        "/v3.1/users/4711" => Reply::new(200, said(4306, r#"{"id":4711,"first_name":"Ana"}"#)),
        "/v3.1/users/1" => html(404),
        _ => code(3101),
    })
    .await;
    let target = target(&server);
    assert_eq!(target.get(&id()).await.unwrap().unwrap().id, id());
    for absent in ["1", "2", "", ".."] {
        assert_eq!(target.get(&AccountId(absent.to_owned())).await.unwrap(), None, "{absent}");
    }
    let Sent { auth, lookup, total, .. } = target.meter().sent();
    assert_eq!((auth, lookup, total), (1, 3, 4));
}

#[tokio::test]
async fn signing_in_sends_the_key_and_every_call_the_token_and_the_team() {
    let server = tenant(|_, _| code(4309)).await;
    let target = target(&server);
    target.sign_in().await.unwrap();
    target.sign_in().await.unwrap();
    target.update(&id(), &change(&target)).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    // base64 of key-1@acme.imi.chat
    assert_eq!(seen[0].header("auth_code"), Some("a2V5LTFAYWNtZS5pbWkuY2hhdA=="));
    assert_eq!((seen[0].header("access_token"), seen[0].header("teamid")), (None, None));
    assert_eq!((seen[1].header("access_token"), seen[1].header("teamid")), (Some("token-1"), Some("1")));
    assert_eq!(seen[1].header("auth_code"), None);
}

#[tokio::test]
async fn a_key_that_is_not_accepted_is_a_configuration_error_at_once() {
    for reply in [code(2003), code(2004), html(401), html(403)] {
        let server = Server::script(vec![reply]).await;
        let error = target(&server).sign_in().await.unwrap_err();
        assert_eq!((error.trouble.clone(), server.seen().len()), (Trouble::Configuration, 1));
        assert!(error.message.contains("the key or the domain is not accepted"), "{error}");
        assert_eq!(error.hint.as_deref(), Some("check target.api_key and target.domain"));
    }
}

#[tokio::test]
async fn a_sign_in_without_a_token_names_the_setting() {
    for reply in [code(4306), html(200), code(4306).with("access_token", "")] {
        let server = Server::script(vec![reply]).await;
        let error = target(&server).sign_in().await.unwrap_err();
        assert_eq!((error.trouble.clone(), server.seen().len()), (Trouble::Configuration, 1));
        assert!(error.message.contains("access_token") && error.hint.unwrap().contains("target.token_header"));
    }
    for reply in [html(404), code(2099), code(2002)] {
        let server = Server::script(vec![reply]).await;
        let error = target(&server).sign_in().await.unwrap_err();
        assert_eq!(error.trouble, Trouble::Configuration);
        assert!(error.hint.unwrap().contains("target.authorize_path"));
    }
}

#[tokio::test]
async fn a_sign_in_survives_server_errors() {
    let server = Server::script(vec![code(2007), html(502), code(4306).with("access_token", "t")]).await;
    target(&server).sign_in().await.unwrap();
    assert_eq!(server.seen().len(), 3);
    let server = Server::script(vec![html(502)]).await;
    assert_eq!(target(&server).sign_in().await.unwrap_err().trouble, Trouble::Unavailable);
}

/// A tenant whose tokens are numbered and valid from the given one on.
async fn expiring(from: usize) -> Server {
    let issued = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        if seen.path == "/v3.1/authorize" {
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            return code(4306).with("access_token", format!("token-{number}"));
        }
        let token: usize = seen.header("access_token").unwrap().strip_prefix("token-").unwrap().parse().unwrap();
        match (token >= from, seen.method.as_str()) {
            (false, _) => code(2004),
            (true, "POST") => Reply::new(200, said(4308, r#"{"id":1}"#)),
            (true, _) => code(4309),
        }
    })
    .await
}

#[tokio::test]
async fn one_refresh_serves_a_hundred_requests() {
    let server = expiring(2).await;
    let rate = Rate { concurrency: 16, ..rate() };
    let target = connect_as(&settings(), &format!("{}/v3.1", server.address), &rate).unwrap();
    let (id, change) = (id(), change(&target));
    let results = join_all((0..100).map(|_| target.update(&id, &change))).await;
    assert!(results.iter().all(Result::is_ok));
    // The first sign-in and one refresh, however many saw the stale token.
    assert_eq!(server.count("GET", "/v3.1/authorize"), 2);
    assert_eq!(target.meter().sent().auth, 2);
}

#[tokio::test]
async fn a_create_with_a_stale_token_is_repeated_because_nothing_was_done() {
    let server = expiring(2).await;
    let target = target(&server);
    assert_eq!(target.create(&newcomer(&target)).await.unwrap().as_str(), "1");
    assert_eq!((server.count("POST", ""), target.meter().sent().retried), (2, 1));
}

#[tokio::test]
async fn a_token_that_is_refused_twice_in_a_row_is_a_configuration_error() {
    let server = expiring(99).await;
    let target = target(&server);
    let error = target.update(&id(), &change(&target)).await.unwrap_err();
    assert_eq!((error.trouble, server.count("PATCH", "")), (Trouble::Configuration, 2));
}

#[tokio::test]
async fn pages_are_read_to_the_short_one() {
    let server = tenant(|seen, _| {
        let page = page_number(seen);
        Reply::new(200, said(4306, &format!(r#"{{"users":[{}]}}"#, users(page * 10, (page * 10 + 10).min(35)))))
    })
    .await;
    let target = target(&server);
    assert_eq!(listed(&target).await.unwrap(), (25, true, vec![]));
    assert_eq!(server.seen()[1].path, "/v3.1/users/?page=1");
    assert_eq!((target.meter().sent().list, target.listing_cost(25)), (7, 7));
}

#[tokio::test]
async fn pages_past_the_end_are_no_error() {
    for past in [code(3101), html(404), Reply::new(200, said(4306, "null")), Reply::new(200, said(4306, "[]"))] {
        let server = tenant(move |seen, _| match page_number(seen) {
            1 => Reply::new(200, said(4306, &format!("[{}]", users(0, 10)))),
            _ => past.clone(),
        })
        .await;
        assert_eq!(listed(&target(&server)).await.unwrap(), (10, true, vec![]));
    }
}

#[tokio::test]
async fn a_tenant_without_users_has_a_complete_listing_of_none() {
    for empty in [code(3101), Reply::new(200, said(4306, r#"{"users":[]}"#)), code(4306)] {
        let server = tenant(move |_, _| empty.clone()).await;
        assert_eq!(listed(&target(&server)).await.unwrap(), (0, true, vec![]));
    }
}

#[tokio::test]
async fn known_pages_are_fetched_at_the_same_time() {
    // After the sign-in, the first page and the last nothing is answered before four more pages were asked for.
    let server = tenant(|seen, n| {
        let page = page_number(seen);
        let users = users(page * 10, page * 10 + 10);
        let body = said(4306, &format!(r#"{{"users":[{users}],"links":{{"pages":"20"}}}}"#));
        Reply::Together { arrived: [2, 3].get(n).copied().unwrap_or(7), status: 200, body }
    })
    .await;
    let rate = Rate { concurrency: 4, ..rate() };
    let target = connect_as(&settings(), &format!("{}/v3.1", server.address), &rate).unwrap();
    let end = tokio::time::timeout(Duration::from_secs(20), listed(&target)).await;
    assert_eq!(end.expect("pages wait for each other").unwrap(), (200, true, vec![]));
    assert_eq!(target.meter().sent().list, 20 + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_is_asked_for_before_somebody_wants_more_than_the_first() {
    let server = tenant(|seen, _| {
        let page = page_number(seen);
        let users = users(page * 10, page * 10 + 10);
        Reply::new(200, said(4306, &format!(r#"{{"users":[{users}],"links":{{"pages":20}}}}"#)))
    })
    .await;
    let target = target(&server);
    let mut pages = target.list();
    assert!(matches!(pages.next().await, Some(Ok(Listed::Page { pages: Some(20), .. }))));
    // What was sent in spite of it would be counted by the time that this answer has come.
    target.get(&AccountId("4711".to_owned())).await.unwrap_err();
    assert_eq!(target.meter().sent().list, 1);
}

#[tokio::test]
async fn other_requests_get_through_while_a_listing_is_not_being_read() {
    let server = tenant(|seen, _| {
        if seen.path == "/v3.1/users/4711" {
            return Reply::new(200, said(4306, r#"{"id":4711}"#));
        }
        let page = page_number(seen);
        let users = users(page * 10, page * 10 + 10);
        Reply::new(200, said(4306, &format!(r#"{{"users":[{users}],"links":{{"pages":20}}}}"#)))
    })
    .await;
    let target = target(&server);
    let mut pages = target.list();
    for _ in 0..2 {
        assert!(matches!(pages.next().await, Some(Ok(Listed::Page { pages: Some(20), .. }))));
    }
    let found = tokio::time::timeout(Duration::from_secs(20), target.get(&AccountId("4711".to_owned()))).await;
    assert!(found.expect("the listing holds the only place").unwrap().is_some());
}

#[tokio::test]
async fn a_listing_ends_with_its_first_error() {
    let server = tenant(|seen, _| match page_number(seen) {
        1 => Reply::new(200, said(4306, &format!("[{}]", users(0, 10)))),
        _ => code(2010),
    })
    .await;
    let target = target(&server);
    let mut pages = target.list();
    assert!(matches!(pages.next().await, Some(Ok(Listed::Page { .. }))));
    assert_eq!(pages.next().await.unwrap().unwrap_err().trouble, Trouble::Configuration);
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_listing_of_a_wrong_shape_is_garbled_and_a_wrong_path_is_the_configurations_fault() {
    let server = tenant(|_, _| Reply::new(200, said(4306, r#"{"people":[]}"#))).await;
    assert_eq!(listed(&target(&server)).await.unwrap_err().trouble, Trouble::Garbled);
    let server = tenant(|_, _| html(404)).await;
    let error = listed(&target(&server)).await.unwrap_err();
    assert_eq!((error.trouble, server.count("GET", "/v3.1/users")), (Trouble::Configuration, 1));
}

#[tokio::test]
async fn looking_up_reads_the_listing_and_counts_as_looking_up() {
    let server = tenant(|seen, _| {
        let page = page_number(seen);
        Reply::new(200, said(4306, &format!("[{}]", users(page * 10, (page * 10 + 10).min(25)))))
    })
    .await;
    let target = target(&server);
    let login = target.schema().id("login_id").unwrap();
    let rules = [MatchRule::new(target.schema(), vec![login])];
    let sought: Vec<Attributes> =
        ["USER12", "nobody"].iter().map(|name| [(login, Value::text(*name))].into_iter().collect()).collect();
    let found = target.find(&rules, &sought).await.unwrap();
    assert_eq!((found[0][0].id.as_str(), found[0].len(), found[1].len()), ("12", 1, 0));
    let sent = target.meter().sent();
    assert_eq!((sent.list, sent.lookup), (0, 2 + 2));
}

#[tokio::test]
async fn the_quota_is_read_from_every_answer() {
    let server = tenant(|_, _| {
        code(4309)
            .with("Rate-Limit-Limit", 10_000)
            .with("Rate-Limit-Remaining", 0)
            .with("Rate-Limit-Reset", 1_772_409_600_000_u64)
    })
    .await;
    let target = target(&server);
    target.update(&id(), &change(&target)).await.unwrap();
    let reset = "2026-03-02T00:00:00Z".parse().unwrap();
    let quota = crate::target::Quota { limit: Some(10_000), remaining: 0, resets_at: Some(reset) };
    assert_eq!(target.meter().quota(), Some(quota));
    let error = target.update(&id(), &change(&target)).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Quota { resets_at: Some(reset) });
    assert_eq!(server.count("PATCH", ""), 1);
}

#[tokio::test]
async fn no_secret_is_in_any_error() {
    let echo = "token-1 key-1 hunter2! a2V5LTFAYWNtZS5pbWkuY2hhdA==";
    let server = tenant(move |_, _| {
        Reply::new(400, format!(r#"{{"status_code":3115,"description":"{echo}"}}"#)).with("trxid", "hunter2!")
    })
    .await;
    let target = target(&server);
    let error = target.create(&newcomer(&target)).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    for secret in echo.split(' ') {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// What is logged, for a test to read.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_most_talkative_log_has_every_request_and_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber tracing asks only the thread that passes an event first whether anybody wants it, and
    // other tests run on threads without one. A second subscriber makes it ask all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = tenant(|_, _| code(3115)).await;
    let target = target(&server);
    target.create(&newcomer(&target)).await.unwrap_err();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for there in ["method=POST", "path=\"/users\"", "status=400", "attempt=1", "trxid=\"t-7\"", "\"teamid\": \"1\""] {
        assert!(text.contains(there), "{there} is not in {text}");
    }
    for secret in ["token-1", "key-1", "hunter2", "a2V5LTFAYWNtZS5pbWkuY2hhdA"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let named = |settings: Settings| {
        let error = connect_as(&settings, "https://acme.imi.chat/v3.1", &rate()).err().expect("it cannot be used");
        assert_eq!(error.trouble, Trouble::Configuration);
        error.message
    };
    assert!(named(Settings { auth_header: "a b".into(), ..settings() }).contains("target.auth_header"));
    assert!(named(Settings { token_header: String::new(), ..settings() }).contains("target.token_header"));
    assert!(named(Settings { team_id: Some("1\n".into()), ..settings() }).contains("target.team_id"));
    // A verb that would delete the account instead of changing it.
    assert!(named(Settings { update_method: "DELETE".into(), ..settings() }).contains("target.update_method"));
    assert!(connect_as(&settings(), "http://acme.imi.chat/v3.1", &rate()).is_err());
    let target = connect_as(&settings(), "https://acme.imi.chat/v3.1/", &rate()).unwrap();
    assert_eq!(target.describe(), "imichat https://acme.imi.chat/v3.1");
}

#[tokio::test]
async fn nothing_is_ever_deleted() {
    let server = tenant(|_, _| code(4309)).await;
    let error = target(&server).delete(&id()).await.unwrap_err();
    assert_eq!((error.trouble, server.seen().len()), (Trouble::Configuration, 0));
}

#[test]
fn a_listing_costs_a_request_for_ten_accounts_and_some_to_see_that_it_stood_still() {
    let target = connect_as(&settings(), "https://acme.imi.chat/v3.1", &rate()).unwrap();
    assert_eq!([0, 9, 10, 11, 1187].map(|n| target.listing_cost(n)), [1, 1, 1, 4, 123]);
    assert_eq!(target.schema().id("id"), Some(AttrId(0)));
}
