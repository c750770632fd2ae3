use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::TestClock;
use crate::sandbox::imichat::{
    ImichatBehaviour, ImichatBooleans, ImichatUniqueness, Omitted, Stamps, Status, TokenLife,
};
use crate::sandbox::{LedgerOperation, SimulatedQuota, password_hash};

#[tokio::test]
async fn signing_in_needs_the_key_and_the_domain() {
    let sandbox = start(options()).await.unwrap();
    let client = Client::stranger(&sandbox);
    assert_eq!(client.authorize(None).await.codes(), (400, 2002));
    assert_eq!(client.authorize(Some(&auth_code("other", DOMAIN))).await.codes(), (400, 2003));
    assert_eq!(client.authorize(Some(&auth_code(API_KEY, "other"))).await.codes(), (400, 2003));
    let answer = client.authorize(Some(&auth_code(API_KEY, DOMAIN))).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.header("access_token").is_empty());
    assert!(!answer.text.contains(answer.header("access_token")), "the token is in the header alone");
}

#[tokio::test]
async fn a_call_needs_a_token_that_is_known_and_fresh() {
    let clock = TestClock::new("2026-03-01T12:00:00Z".parse().unwrap(), 1);
    let token_life = TokenLife { time: Some(Duration::from_secs(60)), requests: None };
    let imichat = ImichatBehaviour { token_life, ..ImichatBehaviour::default() };
    let (_sandbox, mut client) = served(Options { system: Arc::new(imichat), clock: clock.clone(), ..options() }).await;
    assert_eq!(client.get("/users").await.codes(), (200, 4306));
    clock.advance(Duration::from_secs(60));
    assert_eq!(client.get("/users").await.codes(), (401, 2004));
    client.sign_in().await;
    assert_eq!(client.get("/users").await.codes(), (200, 4306));
    client.token = "invented".into();
    assert_eq!(client.get("/users").await.codes(), (400, 2003));
    let without = take(client.http.get(format!("{}/users", client.base))).await.unwrap();
    assert_eq!(without.codes(), (400, 2002));
}

#[tokio::test]
async fn a_team_in_the_header_must_exist() {
    let (_sandbox, client) = served(options()).await;
    let ask = |team: &str| take(client.request(Method::GET, "/users").header("teamid", team));
    assert_eq!(ask("7").await.unwrap().codes(), (200, 4306));
    assert_eq!(ask("8").await.unwrap().codes(), (404, 2010));
    assert_eq!(ask("x").await.unwrap().codes(), (404, 2010));
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_refused() {
    let (_sandbox, client) = served(options()).await;
    for (method, path) in [(Method::PUT, "/users/9"), (Method::DELETE, "/users/9"), (Method::POST, "/authorize")] {
        let answer = client.try_send(method, path, None).await.unwrap();
        assert_eq!(answer.codes(), (405, 2099));
    }
    let answer = client.get("/nowhere").await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("content-type").starts_with("text/html"));
    let outside = take(client.http.get(client.base.replace("/v3.1", "/users"))).await.unwrap();
    assert_eq!(outside.status, 404);
}

#[tokio::test]
async fn a_user_is_shown_with_every_field_of_the_reference_and_no_other() {
    let (_sandbox, client) = served(options()).await;
    let answer = client.get("/users/9").await;
    assert_eq!(answer.codes(), (200, 4306));
    let expected = json!({
        "id": 9, "created_at": "2024-01-02T03:04:05Z", "updated_at": "2024-05-06T07:08:09Z", "first_name": "Ben",
        "last_name": "Katz", "login_id": "ben.katz", "email_id": "ben.katz@example.com", "status": "active",
        "logged_in": false, "job_description": "Agent", "login_using_email": true, "role_type": "Customer Care",
        "accepting_chats": false, "skill_attributes": {"English": 90, "Chess": "5"}, "active_chats": 0,
    });
    assert_eq!(answer.response(), expected);
    assert_eq!(client.get("/users/5").await.response()["role_type"], "Administrative");
    assert_eq!(client.get("/users/6").await.codes(), (404, 3101));
    assert_eq!(client.get("/users/x").await.codes(), (404, 3101));
}

#[tokio::test]
async fn stamps_and_booleans_can_be_written_as_the_pages_have_them() {
    let imichat = ImichatBehaviour {
        stamps: Stamps::CreatedTwice,
        booleans: ImichatBooleans::Text,
        ..ImichatBehaviour::default()
    };
    let (_sandbox, client) = served(Options { system: Arc::new(imichat), ..options() }).await;
    let answer = client.get("/users/9").await;
    assert_eq!(answer.text.matches("\"created_at\"").count(), 2);
    assert!(!answer.text.contains("updated_at"));
    assert_eq!(answer.response()["login_using_email"], "true");
}

#[tokio::test]
async fn every_answer_names_its_transaction_and_the_quota() {
    let (sandbox, client) = served(options()).await;
    let answers = [client.get("/users").await, client.get("/users/6").await, client.get("/nowhere").await];
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(answer.header("rate-limit-limit"), "10000");
        assert_eq!(answer.header("rate-limit-remaining"), (9998 - at).to_string());
        assert!(answer.header("rate-limit-reset").parse::<u64>().unwrap() % 86_400 == 0);
    }
    assert_ne!(answers[0].header("trxid"), answers[1].header("trxid"));
    assert_eq!(sandbox.requests(), 4);
}

#[tokio::test]
async fn a_created_user_is_active_customer_care_and_in_the_ledger() {
    let (sandbox, client) = served(options()).await;
    let answer = client.create(&ana()).await;
    assert_eq!(answer.codes(), (200, 4308));
    let user = answer.response();
    assert_eq!(user["id"], 10);
    assert_eq!((&user["status"], &user["role_type"]), (&json!("active"), &json!("Customer Care")));
    assert_eq!(user, client.get("/users/10").await.response());

    let ledger = sandbox.ledger();
    let [effect] = &ledger.effects[..] else { panic!("{ledger:?}") };
    assert_eq!(
        (effect.n, effect.op, effect.id.as_str(), effect.login_id.as_str()),
        (1, LedgerOperation::Create, "10", "ana.silva")
    );
    assert_eq!(effect.trxid, answer.header("trxid"));
    assert!(effect.answered);
    assert_eq!(effect.password, Some(password_hash("correct horse")));
    assert!(!format!("{ledger:?} {:?}", sandbox.accounts()).contains("correct horse"));
    assert_eq!(Value::from(effect.fields.clone()), but(ana(), "password", Value::Null));
}

#[tokio::test]
async fn a_create_that_is_wrong_is_refused_without_effect() {
    let (sandbox, client) = served(options()).await;
    let wrong = |field: &str, value: Value| but(ana(), field, value);
    let cases = [
        (wrong("login_id", Value::Null), 3115),
        (wrong("email_id", json!("")), 3115),
        (wrong("email_id", json!("nobody")), 3115),
        (wrong("first_name", Value::Null), 3115),
        (wrong("password", Value::Null), 3115),
        (wrong("password", json!(12_345_678)), 3115),
        (wrong("status", json!("active")), 3115),
        (wrong("custom_attributes", json!({})), 3115),
        (wrong("role_type", json!("Administrative")), 3115),
        (wrong("nickname", json!("A")), 3115),
        (wrong("login_using_email", json!("true")), 3115),
        (wrong("skill_attributes", json!(["English"])), 3115),
        (wrong("skill_attributes", json!({"English": {"level": 1}})), 3115),
        (wrong("privileges", json!({"teamid": 7, "role": "Team Agent"})), 3115),
        (wrong("privileges", json!([{"teamid": "7", "role": "Team Agent"}])), 3115),
        (wrong("privileges", json!([{"teamid": 8, "role": "Team Agent"}])), 3115),
        (wrong("privileges", json!([{"teamid": 7, "role": "Boss"}])), 3115),
        (wrong("privileges", json!([{"team_id": 7, "role": "Team Agent"}])), 3115),
        (json!([]), 3115),
        (wrong("email_id", json!("BEN.KATZ@example.com")), 3111),
    ];
    for (body, code) in cases {
        let answer = client.create(&body).await;
        assert_eq!(answer.codes(), (400, code), "{body}");
        assert!(!answer.text.contains("12345678"), "a password is not said");
    }
    assert_eq!(client.create(&wrong("login_id", json!("BEN.Katz"))).await.codes(), (409, 3102));
    let raw = |body: &'static str| take(client.request(Method::POST, "/users").body(body));
    assert_eq!(raw("").await.unwrap().codes(), (400, 3114));
    assert_eq!(raw("{").await.unwrap().codes(), (400, 3115));
    assert!(sandbox.ledger().effects.is_empty());
    assert_eq!(sandbox.accounts().len(), 2);
}

#[tokio::test]
async fn a_server_without_uniqueness_doubles_people_and_the_ledger_shows_it() {
    let imichat = ImichatBehaviour { uniqueness: ImichatUniqueness::NotEnforced, ..ImichatBehaviour::default() };
    let (sandbox, client) = served(Options { system: Arc::new(imichat), ..options() }).await;
    assert_eq!(client.create(&ana()).await.codes(), (200, 4308));
    assert_eq!(client.create(&ana()).await.codes(), (200, 4308));
    assert_eq!(sandbox.ledger().doubled_logins(), ["ana.silva"]);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_replaces_objects_whole() {
    let (sandbox, client) = served(options()).await;
    let answer = client.update(9, &json!({"status": "inactive", "skill_attributes": {"French": 80}})).await;
    assert_eq!(answer.codes(), (200, 4309));
    let account = &sandbox.accounts()[1];
    assert_eq!(account.status, Status::Inactive);
    assert_eq!(Value::from(account.skill_attributes.clone()), json!({"French": 80}));
    assert_eq!((account.job_description.as_str(), account.login_using_email), ("Agent", true));
    assert!(account.updated_at > account.created_at);
    let ledger = sandbox.ledger();
    assert_eq!((ledger.effects[0].op, ledger.effects[0].login_id.as_str()), (LedgerOperation::Update, "ben.katz"));
    assert_eq!(answer.response(), client.get("/users/9").await.response());
    client.update(9, &json!({"job_description": null})).await;
    assert_eq!(sandbox.accounts()[1].job_description, "");
}

#[tokio::test]
async fn a_server_can_clear_what_an_update_leaves_out() {
    let imichat = ImichatBehaviour { omitted: Omitted::Clear, ..ImichatBehaviour::default() };
    let (sandbox, client) = served(Options { system: Arc::new(imichat), ..options() }).await;
    client.update(9, &json!({"last_name": "Katzir"})).await;
    let account = &sandbox.accounts()[1];
    assert_eq!((account.first_name.as_str(), account.last_name.as_str()), ("Ben", "Katzir"));
    assert!(account.skill_attributes.is_empty() && account.job_description.is_empty());
}

#[tokio::test]
async fn an_update_that_is_wrong_is_refused_without_effect() {
    let (sandbox, client) = served(options()).await;
    for (body, code) in [
        (json!({"email_id": "b@example.com"}), 3115),
        (json!({"login_id": "b"}), 3115),
        (json!({"password": "secret"}), 3115),
        (json!({"privileges": []}), 3115),
        (json!({"status": "gone"}), 3115),
        (json!({"status": null}), 3115),
        (json!({"first_name": ""}), 3115),
        (json!({"login_using_email": "yes"}), 3115),
        (json!({"custom_attributes": {"business": "mining"}}), 3107),
        (json!({"custom_attributes": {"location": "Atlantis"}}), 3110),
    ] {
        assert_eq!(client.update(9, &body).await.codes(), (400, code), "{body}");
    }
    assert_eq!(client.update(5, &json!({"first_name": "Eve"})).await.codes(), (400, 3115));
    assert_eq!(client.update(6, &json!({"first_name": "Eve"})).await.codes(), (404, 3101));
    let empty = client.try_send(Method::PATCH, "/users/9", None).await.unwrap();
    assert_eq!(empty.codes(), (400, 3114));
    assert!(sandbox.ledger().effects.is_empty());
    let allowed = json!({"custom_attributes": {"business": "retail", "location": "Lyon", "desk": 4}});
    assert_eq!(client.update(9, &allowed).await.codes(), (200, 4309));
}

#[tokio::test]
async fn the_day_has_an_end_and_a_new_beginning() {
    let clock = TestClock::new("2026-03-01T23:59:00Z".parse().unwrap(), 1);
    let quota = SimulatedQuota { per_day: 2, ..SimulatedQuota::default() };
    let (_sandbox, client) = served(Options { quota, clock: clock.clone(), ..options() }).await;
    assert_eq!(client.get("/users").await.header("rate-limit-remaining"), "0");
    let answer = client.get("/users").await;
    assert_eq!(answer.codes(), (429, 429));
    assert_eq!((answer.header("retry-after"), answer.header("rate-limit-remaining")), ("60", "0"));
    clock.advance(Duration::from_secs(60));
    assert_eq!(client.get("/users").await.codes(), (200, 4306));
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_again() {
    let clock = TestClock::new("2026-03-01T12:00:00Z".parse().unwrap(), 1);
    let quota = SimulatedQuota { per_second: Some(2), ..SimulatedQuota::default() };
    let (_sandbox, client) = served(Options { quota, clock: clock.clone(), ..options() }).await;
    assert_eq!(client.get("/users").await.status, 200);
    let answer = client.get("/users").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "1"));
    assert_eq!(answer.header("rate-limit-remaining"), "9998", "what is turned away is not counted");
    clock.advance(Duration::from_secs(1));
    assert_eq!(client.get("/users").await.status, 200);
}

#[tokio::test]
async fn latency_is_waited_for_on_the_clock() {
    use crate::clock::Clock;
    let clock = TestClock::new("2026-03-01T12:00:00Z".parse().unwrap(), 1);
    let (latency, jitter) = (Duration::from_secs(3), Duration::from_secs(1));
    let shared: Arc<dyn Clock> = clock.clone();
    let (_sandbox, client) = served(Options { latency, jitter, clock: shared, ..options() }).await;
    let before = clock.elapsed();
    client.get("/users").await;
    let waited = clock.elapsed().checked_sub(before).unwrap();
    assert!(waited >= latency && waited < latency + jitter, "{waited:?}");
}
