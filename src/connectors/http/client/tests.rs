//! The client against a server that does what a script says.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::join_all;

use reqwest::Method;

use super::super::retry::Repeat;
use super::super::testing::{Reply, Server, rate};
use super::*;
use crate::clock::{SystemClock, TestClock};
use crate::connectors::http::reset_time;
use crate::connectors::{Effect, Purpose};

const START: &str = "2026-03-01T22:00:00Z";

fn clock() -> Arc<TestClock> {
    TestClock::new(START.parse().unwrap(), 42)
}

fn read_quota(headers: &HeaderMap, now: Timestamp) -> Option<Quota> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    Some(Quota {
        limit: text("x-limit").and_then(|text| text.parse().ok()),
        remaining: text("x-remaining")?.parse().ok()?,
        resets_at: text("x-reset").and_then(|text| reset_time(text, now)),
    })
}

fn client(base_url: &str, rate: &Rate, clock: Arc<dyn Clock>) -> Client {
    Client::new(ClientSettings {
        access: ServerAccess { base_url, rate, network: &Network::default(), clock, stop: Arc::default() },
        secret_headers: vec![HeaderName::from_static("x-token")],
        transaction_header: Some(HeaderName::from_static("trxid")),
        read_quota: Some(read_quota),
    })
    .unwrap()
}

/// 2xx is done, 5xx is the server's fault, all else is refused with the body as the reason.
fn judge(answer: &HttpAnswer) -> AnswerVerdict<String> {
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    match answer.status.as_u16() {
        200..=299 => AnswerVerdict::Done(text),
        500..=599 => AnswerVerdict::ServerError(CallError::new(Trouble::Unavailable, text)),
        _ => AnswerVerdict::Refused(CallError::new(Trouble::Refused, text)),
    }
}

async fn send(client: &Client, request: &HttpRequest<'_>) -> Result<String, CallError> {
    client.send(request, &mut Tries::default(), |_| {}, judge).await
}

async fn get(client: &Client) -> Result<String, CallError> {
    send(client, &HttpRequest::get("/x", Purpose::List)).await
}

fn write(method: Method, repeat: Repeat) -> HttpRequest<'static> {
    HttpRequest { method, path: "/users", body: Some("{}".into()), purpose: Purpose::Write, repeat, secrets: &[] }
}

fn post() -> HttpRequest<'static> {
    write(Method::POST, Repeat::IfUnsent)
}

#[tokio::test]
async fn a_request_carries_its_headers_its_body_and_who_sends_it() {
    let server = Server::script(vec![Reply::new(200, "fine")]).await;
    let client = client(&format!("{}/v3.1/", server.address), &rate(), clock());
    let stamp = |headers: &mut HeaderMap| {
        headers.insert("x-token", HeaderValue::from_static("t-1"));
    };
    client.send(&post(), &mut Tries::default(), stamp, judge).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.body.as_str()), ("POST", "/v3.1/users", "{}"));
    assert_eq!(seen.header("x-token"), Some("t-1"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    assert_eq!(seen.header("user-agent"), Some(concat!("headcount/", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn a_get_survives_server_errors_and_lost_answers_and_every_send_is_counted() {
    let server =
        Server::script(vec![Reply::new(500, "oops"), Reply::HangUp, Reply::BreakOff, Reply::new(200, "fine")]).await;
    let client = client(&server.address, &rate(), clock());
    assert_eq!(get(&client).await.unwrap(), "fine");
    let sent = client.meter().sent_so_far();
    assert_eq!((sent.list, sent.retried, sent.total), (4, 3, 4));
}

#[tokio::test]
async fn repeats_end_and_the_error_says_what_was_asked_and_answered() {
    let server = Server::script(vec![Reply::new(500, "oops").with("trxid", "t-9")]).await;
    let client = client(&server.address, &rate(), clock());
    let error = get(&client).await.unwrap_err();
    assert_eq!(error.message, "GET x: oops (HTTP 500, trxid t-9, 4 tries)");
    assert_eq!((error.trouble, error.effect, error.code), (Trouble::Unavailable, Effect::None, Some(500)));
    assert_eq!(error.trxid.as_deref(), Some("t-9"));
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_refusal_is_final_and_has_no_effect() {
    let server = Server::script(vec![Reply::new(400, "no")]).await;
    let error = send(&client(&server.address, &rate(), clock()), &post()).await.unwrap_err();
    assert_eq!((error.trouble, error.effect, server.seen().len()), (Trouble::Refused, Effect::None, 1));
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_unknown_and_sent_once() {
    for reply in [Reply::HangUp, Reply::BreakOff, Reply::new(500, "oops"), Reply::new(503, "").with("retry-after", 1)] {
        let server = Server::script(vec![reply.clone()]).await;
        let error = send(&client(&server.address, &rate(), clock()), &post()).await.unwrap_err();
        assert_eq!((error.effect, server.seen().len()), (Effect::Unknown, 1), "{reply:?}");
    }
}

#[tokio::test]
async fn a_create_that_times_out_is_unknown_and_sent_once() {
    let server = Server::script(vec![Reply::Silence]).await;
    let rate = Rate { timeout: Duration::from_millis(200), ..rate() };
    let error = send(&client(&server.address, &rate, clock()), &post()).await.unwrap_err();
    assert_eq!((error.trouble, error.effect), (Trouble::Unavailable, Effect::Unknown));
    assert!(error.message.contains("no answer from 127.0.0.1") && error.message.contains("within 200ms"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_create_is_repeated_after_429_because_nothing_was_done() {
    let server = Server::script(vec![Reply::new(429, "").with("retry-after", 2), Reply::new(200, "made")]).await;
    let clock = clock();
    assert_eq!(send(&client(&server.address, &rate(), clock.clone()), &post()).await.unwrap(), "made");
    assert!(clock.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn an_update_that_may_have_been_done_stays_unknown_whatever_is_said_later() {
    let server = Server::script(vec![Reply::HangUp, Reply::new(400, "no")]).await;
    let error =
        send(&client(&server.address, &rate(), clock()), &write(Method::PATCH, Repeat::Safe)).await.unwrap_err();
    assert_eq!((error.trouble, error.effect, server.seen().len()), (Trouble::Refused, Effect::Unknown, 2));
}

#[tokio::test]
async fn an_unreachable_host_is_named_tried_again_and_nothing_was_done() {
    // A port that was free a moment ago and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = client(&format!("http://127.0.0.1:{port}"), &rate(), clock());
    let error = send(&client, &post()).await.unwrap_err();
    assert_eq!((error.trouble, error.effect), (Trouble::Unavailable, Effect::None));
    assert!(error.message.contains(&format!("cannot reach 127.0.0.1:{port}")), "{}", error.message);
    assert_eq!(client.meter().sent_so_far().retried, 3);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_a_configuration_error_at_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let _sent = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let mut rest = Vec::new();
            let _read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
        }
    });
    let error = get(&client(&format!("https://127.0.0.1:{port}"), &rate(), clock())).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Configuration, "{error}");
    assert!(error.hint.unwrap().contains("certificate"));
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_redirect_is_refused_and_names_only_the_host() {
    for status in [301, 302, 307, 308] {
        let reply = Reply::new(status, "").with("location", "https://new.imi.chat/v3.1/x?session=hunter2");
        let server = Server::script(vec![reply]).await;
        let error = get(&client(&server.address, &rate(), clock())).await.unwrap_err();
        assert_eq!((error.trouble.clone(), server.seen().len()), (Trouble::Configuration, 1));
        assert!(error.message.contains("redirects to new.imi.chat,") && !error.message.contains("hunter2"), "{error}");
        assert!(error.hint.unwrap().contains("target.base_url must be"));
    }
}

#[tokio::test]
async fn a_write_that_is_redirected_as_done_is_unknown() {
    for (status, effect) in [(302, Effect::Unknown), (303, Effect::Unknown), (307, Effect::None), (308, Effect::None)] {
        for request in [post(), write(Method::PATCH, Repeat::Safe)] {
            let server = Server::script(vec![Reply::new(status, "")]).await;
            let error = send(&client(&server.address, &rate(), clock()), &request).await.unwrap_err();
            assert_eq!((error.effect, server.seen().len()), (effect, 1), "{status} {}", request.method);
        }
    }
}

#[test]
fn nothing_but_https_leaves_this_machine() {
    let settings = |base_url| ClientSettings {
        access: ServerAccess {
            base_url,
            rate: Box::leak(Box::new(rate())),
            network: Box::leak(Box::default()),
            clock: clock(),
            stop: Arc::default(),
        },
        secret_headers: Vec::new(),
        transaction_header: None,
        read_quota: None,
    };
    let error = Client::new(settings("http://acme.imi.chat/v3.1")).err().unwrap();
    assert_eq!(error.trouble, Trouble::Configuration);
    assert!(Client::new(settings("https://acme.imi.chat/v3.1")).is_ok());
}

#[tokio::test]
async fn retry_after_is_never_undercut_by_any_request() {
    let clock = clock();
    let (early, told) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (server_clock, server_early) = (clock.clone(), Arc::clone(&early));
    let server = Server::start(move |_, _| {
        if !told.swap(true, Ordering::SeqCst) {
            return Reply::new(429, "").with("retry-after", 90);
        }
        if server_clock.elapsed() < Duration::from_secs(90) {
            server_early.fetch_add(1, Ordering::SeqCst);
        }
        Reply::new(200, "fine")
    })
    .await;
    // One connection, so that the other requests are still queued when the first is told to wait.
    let client = client(&server.address, &rate(), clock.clone());
    let results = join_all((0..20).map(|_| get(&client))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(early.load(Ordering::SeqCst), 0);
    assert_eq!(server.seen().len(), 21);
}

#[tokio::test]
async fn retry_after_of_503_holds_everybody_back_too() {
    let server = Server::script(vec![Reply::new(503, "").with("retry-after", 120), Reply::new(200, "fine")]).await;
    let clock = clock();
    let client = client(&server.address, &rate(), clock.clone());
    send(&client, &post()).await.unwrap_err();
    assert!(clock.elapsed() < Duration::from_secs(120));
    assert_eq!(get(&client).await.unwrap(), "fine");
    assert!(clock.elapsed() >= Duration::from_secs(120));
}

#[tokio::test]
async fn an_outage_announced_for_hours_is_not_slept_through() {
    let server = Server::script(vec![Reply::new(503, "down").with("retry-after", 7200), Reply::new(200, "")]).await;
    let clock = clock();
    let client = client(&server.address, &rate(), clock.clone());
    assert_eq!(get(&client).await.unwrap_err().trouble, Trouble::Unavailable);
    let error = get(&client).await.unwrap_err();
    assert!(error.message.contains("asks to wait another"), "{error}");
    assert_eq!((clock.elapsed(), server.seen().len()), (Duration::ZERO, 1));
}

#[tokio::test]
async fn too_many_requests_without_a_time_slows_down_and_ends() {
    for reply in [Reply::new(429, ""), Reply::new(429, "").with("retry-after", 0)] {
        let server = Server::script(vec![reply]).await;
        let clock = clock();
        let error = get(&client(&server.address, &rate(), clock.clone())).await.unwrap_err();
        assert_eq!((error.trouble, server.seen().len()), (Trouble::Unavailable, 4));
        assert!(clock.elapsed() >= Duration::from_secs(3));
    }
}

#[tokio::test]
async fn the_rate_is_never_exceeded_repeats_included() {
    let clock = clock();
    let times = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (server_clock, server_times) = (clock.clone(), Arc::clone(&times));
    let server = Server::start(move |_, n| {
        server_times.lock().unwrap().push(server_clock.elapsed());
        Reply::new(if n % 4 == 1 { 500 } else { 200 }, "")
    })
    .await;
    let rate = Rate { requests_per_second: 10.0, burst: 3, ..rate() };
    let client = client(&server.address, &rate, clock);
    assert!(join_all((0..30).map(|_| get(&client))).await.iter().all(Result::is_ok));
    let times = times.lock().unwrap();
    assert_eq!(times.len(), client.meter().sent_so_far().total as usize);
    for (from, start) in times.iter().enumerate() {
        for (to, end) in times.iter().enumerate().skip(from) {
            let allowed = 3.0 + (*end - *start).as_secs_f64() * 10.0;
            assert!((to - from + 1) as f64 <= allowed + 1e-6, "{from}..{to} of {times:?}");
        }
    }
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
    let server = Server::start(|_, _| Reply::new(200, "")).await;
    let client = client(&server.address, &Rate { concurrency: 3, ..rate() }, SystemClock::new());
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let stamp = |_: &mut HeaderMap| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    };
    let judge = |_: &HttpAnswer| {
        now.fetch_sub(1, Ordering::SeqCst);
        AnswerVerdict::Done(())
    };
    let request = HttpRequest::get("/x", Purpose::List);
    join_all((0..50).map(|_| async { client.send(&request, &mut Tries::default(), stamp, judge).await.unwrap() }))
        .await;
    assert!(matches!(most.load(Ordering::SeqCst), 2 | 3), "{most:?}");
}

#[tokio::test]
async fn a_dead_server_is_not_hammered_by_everyone() {
    let server = Server::script(vec![Reply::new(500, "oops")]).await;
    let client = client(&server.address, &rate(), clock());
    for _ in 0..20 {
        get(&client).await.unwrap_err();
    }
    // Twenty requests, and the ten repeats that all of them together may make.
    assert_eq!(server.seen().len(), 30);
}

fn told(remaining: u64) -> Reply {
    Reply::new(200, "").with("x-limit", 100).with("x-remaining", remaining).with("x-reset", "2026-03-02T00:00:00Z")
}

#[tokio::test]
async fn the_run_stops_at_the_reserve_and_says_when_it_resets() {
    let server = Server::start(|_, n| told(14 - n as u64)).await;
    let rate = Rate { daily_reserve: crate::model::Percent::new(10.0).unwrap(), concurrency: 4, ..rate() };
    let client = client(&server.address, &rate, clock());
    get(&client).await.unwrap();
    let results = join_all((0..20).map(|_| get(&client))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 4);
    let error = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(error.trouble, Trouble::Quota { resets_at: Some("2026-03-02T00:00:00Z".parse().unwrap()) });
    assert_eq!((server.seen().len(), client.meter().quota().unwrap().remaining), (5, 10));
}

#[tokio::test]
async fn waiting_for_the_quota_sleeps_until_just_after_the_reset() {
    let server = Server::script(vec![told(0), told(99)]).await;
    let clock = clock();
    let client = client(&server.address, &Rate { wait_for_quota: true, ..rate() }, clock.clone());
    get(&client).await.unwrap();
    get(&client).await.unwrap();
    assert_eq!(clock.now().to_string(), "2026-03-02T00:00:01Z");
}

#[tokio::test]
async fn a_429_that_asks_for_a_long_wait_or_says_that_nothing_is_left_is_the_quota() {
    for reply in [Reply::new(429, "").with("retry-after", 7200), Reply::new(429, "").with("x-remaining", 0)] {
        let server = Server::script(vec![reply.clone(), Reply::new(200, "fine")]).await;
        let client = client(&server.address, &rate(), clock());
        let error = send(&client, &post()).await.unwrap_err();
        assert!(matches!(error.trouble, Trouble::Quota { .. }), "{reply:?}");
        assert_eq!((error.effect, server.seen().len()), (Effect::None, 1));
        // Nobody asks again in vain.
        assert!(matches!(get(&client).await.unwrap_err().trouble, Trouble::Quota { .. }));
        assert_eq!(server.seen().len(), 1);

        let server = Server::script(vec![reply, Reply::new(200, "fine")]).await;
        let (clock, rate) = (clock(), Rate { wait_for_quota: true, ..rate() });
        assert_eq!(send(&super::tests::client(&server.address, &rate, clock.clone()), &post()).await.unwrap(), "fine");
        assert!(clock.elapsed() >= Duration::from_secs(7200));
    }
}

#[tokio::test]
async fn an_answer_that_repeats_secrets_is_not_repeated_to_people() {
    let server = Server::script(vec![Reply::new(400, "bad pass-w0rd for key-1").with("trxid", "key-1")]).await;
    let client = client(&server.address, &rate(), clock());
    client.redact_secret(Secret::new("key-1"));
    let secrets = [Secret::new("pass-w0rd")];
    let error = send(&client, &HttpRequest { secrets: &secrets, ..post() }).await.unwrap_err();
    assert_eq!(error.message, "POST users: bad (secret) for (secret) (HTTP 400, trxid (secret))");
}

#[tokio::test]
async fn secret_headers_are_marked_so_that_no_log_shows_them() {
    let server = Server::script(vec![Reply::new(200, "").with("x-token", "t-1")]).await;
    let client = client(&server.address, &rate(), clock());
    let judge = |answer: &HttpAnswer| AnswerVerdict::Done(format!("{answer:?}"));
    let shown = client.send(&HttpRequest::get("/", Purpose::Auth), &mut Tries::default(), |_| {}, judge).await.unwrap();
    assert!(shown.contains("x-token") && !shown.contains("t-1"), "{shown}");
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let body = "x".repeat(crate::connectors::http::LONGEST_BODY + 1);
    let server = Server::script(vec![Reply::new(200, body)]).await;
    let error = send(&client(&server.address, &rate(), SystemClock::new()), &post()).await.unwrap_err();
    assert_eq!((error.trouble, error.effect, server.seen().len()), (Trouble::Garbled, Effect::Unknown, 1));
}
