use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

use super::*;
use crate::clock::TestClock;
use crate::notify::samples::{failed, partial};
use crate::notify::wire::WebhookAnswer;

/// What a server does with one message.
#[derive(Clone, Copy)]
enum Does {
    Answers(u16),
    Asks { status: u16, seconds: u64 },
    Hangs,
    Breaks,
}

/// A server that goes through a script, and does its last line for ever.
struct Server {
    script: Vec<Does>,
    clock: Arc<TestClock>,
    /// The signature and the body of every message.
    got: Mutex<Vec<(Option<String>, Vec<u8>)>>,
}

impl Server {
    fn new(script: &[Does]) -> Self {
        let clock = TestClock::new("2026-11-22T03:00:20Z".parse().unwrap(), 1);
        Self { script: script.to_vec(), clock, got: Mutex::default() }
    }

    /// What came of it, after how many attempts, and how long it took.
    fn told(&self, key: Option<&str>) -> (Result<(), WebhookError>, usize, Duration) {
        let url = Url::parse("https://hooks.example.org/hunter2").unwrap();
        let key = key.map(Secret::new);
        let deadline = self.clock.elapsed() + PATIENCE;
        let work = deliver_message(self, &url, key.as_ref(), b"{}", &*self.clock, deadline);
        let told = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
        (told, self.got.lock().unwrap().len(), self.clock.elapsed())
    }
}

impl Post for Server {
    fn post<'a>(
        &'a self,
        letter: WebhookMessage<'a>,
        limit: Duration,
    ) -> BoxFuture<'a, Result<WebhookAnswer, LostDelivery>> {
        let mut got = self.got.lock().unwrap();
        let does = self.script[got.len().min(self.script.len() - 1)];
        got.push((letter.signature.map(|(_, value)| value), letter.body.to_vec()));
        let answer = |status| StatusCode::from_u16(status).unwrap();
        let result = match does {
            Does::Answers(status) => Ok((answer(status), HeaderMap::new())),
            Does::Asks { status, seconds } => {
                Ok((answer(status), HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from(seconds))])))
            }
            Does::Hangs => {
                self.clock.advance(limit);
                Err(LostDelivery::Late)
            }
            Does::Breaks => Err(LostDelivery::Broken),
        };
        Box::pin(std::future::ready(result))
    }
}

#[test]
fn what_passes_is_tried_again_until_the_message_is_taken() {
    let server = Server::new(&[Does::Answers(503), Does::Breaks, Does::Answers(429), Does::Hangs, Does::Answers(204)]);
    let (told, attempts, took) = server.told(None);
    assert!(told.is_ok() && attempts == 5 && took < PATIENCE, "{told:?} {attempts} {took:?}");
}

#[test]
fn what_is_refused_for_good_is_sent_once() {
    for status in [400, 401, 403, 404, 410, 413] {
        let (told, attempts, _) = Server::new(&[Does::Answers(status)]).told(None);
        assert!(matches!(told, Err(WebhookError::Refused(_))) && attempts == 1, "{status}: {told:?}");
    }
    for status in [301, 302, 307, 308] {
        let (told, attempts, _) = Server::new(&[Does::Answers(status)]).told(None);
        assert!(matches!(told, Err(WebhookError::Redirected(_))) && attempts == 1, "{status}: {told:?}");
    }
}

#[test]
fn a_server_that_hangs_or_is_never_ready_holds_nobody_longer_than_the_patience() {
    for does in [Does::Hangs, Does::Breaks, Does::Answers(500), Does::Asks { status: 429, seconds: 3600 }] {
        let (told, attempts, took) = Server::new(&[does]).told(None);
        assert!(told.is_err() && took <= PATIENCE, "{told:?} after {took:?}");
        assert!((1..=12).contains(&attempts), "{attempts}");
    }
    let (told, attempts, took) = Server::new(&[Does::Hangs]).told(None);
    assert_eq!(told.unwrap_err().to_string(), format!("it did not answer in time ({attempts} attempts)"));
    assert!(attempts >= 2 && took > PATIENCE - ATTEMPT, "{attempts} {took:?}");
}

#[test]
fn nobody_is_asked_again_sooner_than_they_want() {
    let server = Server::new(&[Does::Asks { status: 503, seconds: 12 }, Does::Answers(200)]);
    let (told, attempts, took) = server.told(None);
    assert!(told.is_ok() && attempts == 2 && took >= Duration::from_secs(12), "{took:?}");
    let (told, attempts, took) = Server::new(&[Does::Asks { status: 503, seconds: 31 }]).told(None);
    assert!(told.is_err() && attempts == 1 && took.is_zero(), "{took:?}");
    // Longer than any time can be, of which some has passed already.
    let server = Server::new(&[Does::Asks { status: 503, seconds: u64::MAX }]);
    server.clock.advance(Duration::from_secs(1));
    let (told, attempts, _) = server.told(None);
    assert!(told.is_err() && attempts == 1, "{told:?}");
}

#[test]
fn every_attempt_is_signed_at_its_own_time_and_says_the_same() {
    let server = Server::new(&[Does::Hangs, Does::Answers(200)]);
    server.told(Some("the key")).0.unwrap();
    let got = server.got.lock().unwrap();
    let stamps: Vec<&str> = got.iter().map(|(sign, _)| sign.as_deref().unwrap().split_once(',').unwrap().0).collect();
    assert_eq!(stamps[0], "t=1795316420");
    assert_ne!(stamps[0], stamps[1]);
    assert_eq!(got[0].1, got[1].1);
    let unsigned = Server::new(&[Does::Answers(200)]);
    unsigned.told(None).0.unwrap();
    assert_eq!(unsigned.got.lock().unwrap()[0].0, None);
}

#[test]
fn a_pause_grows_and_stays_within_its_bounds() {
    for attempts in 1..=40 {
        let (least, most) = (backoff_time(attempts, 0), backoff_time(attempts, 1000));
        assert!(least >= FIRST_PAUSE / 2 && most <= LONGEST_PAUSE && least < most, "{attempts}");
    }
    assert!(backoff_time(1, 1000) <= backoff_time(3, 0));
}

#[test]
fn nothing_but_https_leaves_this_machine_and_no_error_names_the_address() {
    for good in ["https://hooks.example.org/x", "http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:9/x"] {
        assert!(check_url(&Secret::new(good)).is_ok(), "{good}");
    }
    for bad in ["http://hooks.example.org/hunter2", "http://10.0.0.1/hunter2", "ftp://hunter2", "hunter2", "https://"] {
        let error = check_url(&Secret::new(bad)).unwrap_err().to_string();
        assert!(error.starts_with("its address ") && !error.contains("hunter2") && !error.contains("10.0"), "{error}");
    }
}

/// `tell` with an address that this test listens on.
fn tell_to(
    listener: &std::net::TcpListener,
    on: &[Occasion],
    over: &FinishedRun,
    stop: &Stop,
) -> Result<(), WebhookError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("http://{}/hunter2", listener.local_addr().unwrap())).unwrap();
    let settings = WebhookSettings { url: SecretSource::File(file.path().to_owned()), on: on.to_vec(), secret: None };
    let clock = TestClock::new(Timestamp::UNIX_EPOCH, 1);
    let called = Invocation::default();
    let network = Network::default();
    let work = send_webhook(&settings, &network, over, &called, &*clock, stop);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn who_did_not_ask_is_not_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    tell_to(&listener, &[Occasion::Success, Occasion::Paused], &partial(), &Stop::default()).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn whoever_wants_to_stop_does_not_wait_for_a_server_that_hangs() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stop = Arc::new(Stop::default());
    // Wanted as soon as somebody has connected; nobody ever answers.
    let (wanted, server) = (Arc::clone(&stop), listener.try_clone().unwrap());
    let hanging = std::thread::spawn(move || {
        let connection = server.accept().unwrap();
        wanted.request();
        connection
    });
    let told = tell_to(&listener, &[Occasion::Failure], &failed("no such file"), &stop);
    assert!(matches!(told, Err(WebhookError::Stopped)), "{told:?}");
    drop(hanging.join().unwrap());
}

#[test]
fn a_secret_that_is_not_there_is_named_by_its_place() {
    let settings = WebhookSettings {
        url: SecretSource::File("/nowhere/at/all".into()),
        on: vec![Occasion::Failure],
        secret: None,
    };
    let clock = TestClock::new(Timestamp::UNIX_EPOCH, 1);
    let (over, stop, called) = (partial(), Stop::default(), Invocation::default());
    let network = Network::default();
    let work = send_webhook(&settings, &network, &over, &called, &*clock, &stop);
    let told = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
    let error = told.unwrap_err().to_string();
    assert!(error.starts_with("where its address is kept: the secret file /nowhere/at/all"), "{error}");
}
