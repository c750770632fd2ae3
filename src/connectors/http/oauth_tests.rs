//! Signing in against a server that does what a script says.

use std::sync::Arc;

use futures::future::join_all;

use super::super::testing::{Reply, Seen, Server, rate};
use super::super::{Authorization, AuthorizedClient, ClientSettings, Network, Rate, ServerAccess};
use super::*;
use crate::clock::{Clock, TestClock};
use crate::connectors::Effect;

fn clock() -> Arc<TestClock> {
    TestClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 42)
}

fn connect(server: &Server, clock: Arc<dyn Clock>, login: Authorization) -> AuthorizedClient {
    let base_url = format!("{}/api", server.address);
    let rate = Rate { retries: 2, concurrency: 8, ..rate() };
    let (rate, network) = (&rate, &Network::default());
    let access = ServerAccess { base_url: &base_url, rate, network, clock, stop: Arc::default() };
    AuthorizedClient::new(Client::new(ClientSettings::new(access)).unwrap(), login)
}

fn login(token_url: &str) -> Authorization {
    let secret = Secret::new("hunt er&2");
    Authorization::client_credentials(ClientCredentials::new(token_url, "api user", secret, Some("acme.org".into())))
}

/// Hands out `t-1`, `t-2`, … with this rest of the answer; everything else is answered by the function.
async fn server(rest: &str, other: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    let rest = rest.to_owned();
    let granted = std::sync::atomic::AtomicUsize::new(0);
    Server::start(move |seen, _| {
        if seen.path != "/api/oauth/token" {
            return other(seen);
        }
        let n = granted.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        Reply::new(200, format!(r#"{{"access_token":"t-{n}"{rest}}}"#))
    })
    .await
}

fn fine(_: &Seen) -> Reply {
    Reply::new(200, "fine")
}

async fn call(http: &AuthorizedClient, purpose: Purpose) -> Result<String, CallError> {
    let method = if purpose == Purpose::Write { Method::POST } else { Method::GET };
    let request = HttpRequest { method, repeat: Repeat::Safe, ..HttpRequest::get("/x", purpose) };
    let judge = |answer: &HttpAnswer| match answer.status.as_u16() {
        200 => AnswerVerdict::Done(String::from_utf8(answer.body.to_vec()).unwrap()),
        500.. => AnswerVerdict::ServerError(CallError::new(Trouble::Unavailable, "down")),
        _ => AnswerVerdict::Refused(CallError::new(Trouble::Refused, "no")),
    };
    http.send(&request, |_| {}, judge).await
}

#[tokio::test]
async fn the_credentials_go_into_a_form_and_the_token_into_every_request() {
    let server = server(r#","token_type":"bearer","expires_in":3600"#, fine).await;
    let http = connect(&server, clock(), login("/oauth/token"));
    assert_eq!(call(&http, Purpose::List).await.unwrap(), "fine");
    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/api/oauth/token"));
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        seen[0].body,
        "grant_type=client_credentials&client_id=api+user&client_secret=hunt+er%262&scope=acme.org"
    );
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(seen[1].header("authorization"), Some("Bearer t-1"));
    assert_eq!((http.client.meter().sent_so_far().auth, http.client.meter().sent_so_far().list), (1, 1));
}

#[tokio::test]
async fn the_token_may_live_at_an_address_of_its_own() {
    let elsewhere = server("", fine).await;
    let server = server("", fine).await;
    let login = login(&format!("{}/api/oauth/token", elsewhere.address));
    assert_eq!(call(&connect(&server, clock(), login), Purpose::List).await.unwrap(), "fine");
    assert_eq!((elsewhere.seen().len(), server.seen().len()), (1, 1));
}

#[tokio::test]
async fn no_credentials_leave_in_clear() {
    let server = server("", fine).await;
    let error = call(&connect(&server, clock(), login("http://login.example.com/token")), Purpose::List).await;
    let error = error.unwrap_err();
    assert_eq!(error.trouble, Trouble::Configuration);
    assert!(error.message.contains("must begin with https"), "{error}");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_whether_the_time_is_a_number_or_a_text() {
    for rest in [r#","expires_in":3600"#, r#","expires_in":"3600""#] {
        let server = server(rest, fine).await;
        let clock = clock();
        let http = connect(&server, clock.clone(), login("oauth/token"));
        call(&http, Purpose::List).await.unwrap();
        clock.advance(Duration::from_secs(3539));
        call(&http, Purpose::List).await.unwrap();
        assert_eq!(server.count("POST", "/api/oauth/token"), 1);
        clock.advance(Duration::from_secs(1));
        join_all((0..20).map(|_| call(&http, Purpose::List))).await;
        assert_eq!(server.count("POST", "/api/oauth/token"), 2);
        assert_eq!(server.seen().last().unwrap().header("authorization"), Some("Bearer t-2"));
    }
}

#[tokio::test]
async fn a_token_of_unknown_life_is_kept_until_it_is_refused() {
    for rest in ["", r#","expires_in":null"#, r#","expires_in":"soon""#, r#","expires_in":0"#, r#","expires_in":-5"#] {
        let server = server(rest, fine).await;
        let clock = clock();
        let http = connect(&server, clock.clone(), login("/oauth/token"));
        call(&http, Purpose::List).await.unwrap();
        clock.advance(Duration::from_secs(1_000_000));
        call(&http, Purpose::List).await.unwrap();
        assert_eq!(server.count("POST", "/api/oauth/token"), 1, "{rest}");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_and_the_requests_repeated() {
    let server = server("", |seen| {
        let status = if seen.header("authorization") == Some("Bearer t-1") { 401 } else { 200 };
        Reply::new(status, "fine")
    })
    .await;
    let http = connect(&server, clock(), login("/oauth/token"));
    let calls = join_all((0..8).map(|_| call(&http, Purpose::List))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(server.count("POST", "/api/oauth/token"), 2);
}

#[tokio::test]
async fn a_new_token_that_is_refused_as_well_is_a_matter_of_configuration() {
    let server = server("", |_| Reply::new(401, "")).await;
    let error = call(&connect(&server, clock(), login("/oauth/token")), Purpose::List).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Configuration);
    assert!(error.hint.unwrap().contains("just fetched"));
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn credentials_that_are_not_accepted_are_said_without_the_secret() {
    let body = r#"{"error":"invalid_client","error_description":"hunt er&2 or hunt+er%262 is wrong"}"#;
    for status in [400, 401, 403] {
        let server = Server::script(vec![Reply::new(status, body)]).await;
        let http = connect(&server, clock(), login("/oauth/token"));
        let error = http.sign_in().await.unwrap_err();
        assert_eq!((error.trouble.clone(), server.seen().len()), (Trouble::Configuration, 1));
        assert!(error.message.contains("invalid_client, (secret) or (secret) is wrong"), "{error}");
        assert!(error.hint.unwrap().contains("target.client_secret"));
    }
}

#[tokio::test]
async fn what_is_no_token_is_a_matter_of_configuration() {
    for reply in [
        Reply::new(200, "<html>Sign in</html>"),
        Reply::new(200, r#"{"access_token":""}"#),
        Reply::new(200, r#"{"access_token":"a b"}"#),
        Reply::new(200, r#"{"access_token":"t-1","token_type":"mac"}"#),
        Reply::new(404, ""),
        Reply::new(405, ""),
    ] {
        let server = Server::script(vec![reply.clone()]).await;
        let error = connect(&server, clock(), login("/oauth/token")).sign_in().await.unwrap_err();
        assert_eq!((error.trouble, server.seen().len()), (Trouble::Configuration, 1), "{reply:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_fails_is_tried_again() {
    let server =
        Server::script(vec![Reply::new(503, ""), Reply::HangUp, Reply::new(200, r#"{"access_token":"t"}"#)]).await;
    connect(&server, clock(), login("/oauth/token")).sign_in().await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_write_that_may_have_been_done_stays_unknown_when_no_new_token_comes() {
    let server = Server::script(vec![
        Reply::new(200, r#"{"access_token":"t-1"}"#),
        Reply::HangUp,
        Reply::new(401, ""),
        Reply::new(400, ""),
    ])
    .await;
    let error = call(&connect(&server, clock(), login("/oauth/token")), Purpose::Write).await.unwrap_err();
    assert_eq!((error.trouble, error.effect), (Trouble::Configuration, Effect::Unknown));
}

#[tokio::test]
async fn a_fixed_token_or_password_is_sent_as_it_is_and_never_renewed() {
    let server = Server::script(vec![Reply::new(200, "fine"), Reply::new(401, "")]).await;
    let bearer = Authorization::bearer_token(&Secret::new("abc")).unwrap();
    call(&connect(&server, clock(), bearer), Purpose::List).await.unwrap();
    let basic = Authorization::basic_credentials("ana", &Secret::new("pässword")).unwrap();
    let error = call(&connect(&server, clock(), basic), Purpose::List).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Configuration);
    assert_eq!(error.hint.as_deref(), Some("check target.username and target.password"));
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), Some("Bearer abc"));
    assert_eq!(seen[1].header("authorization"), Some("Basic YW5hOnDDpHNzd29yZA=="));
    assert_eq!(seen.len(), 2);
}

#[test]
fn what_no_header_can_carry_is_said_before_anything_is_sent() {
    assert!(Authorization::bearer_token(&Secret::new("a\nb")).unwrap_err().message.contains("target.token"));
    assert!(
        Authorization::basic_credentials("a:b", &Secret::new("x")).unwrap_err().message.contains("target.username")
    );
}
