use std::time::Duration;

use reqwest::Method;
use std::sync::Arc;

use super::*;
use crate::clock::TestClock;
use crate::sandbox::brightpattern::{
    BrightpatternBehaviour, BrightpatternBooleans, BrightpatternUniqueness, Created, Directory, Errors, Extension,
};
use crate::sandbox::testing::take_answer;
use crate::sandbox::{ExpiresIn, LedgerOperation, SimulatedQuota, TokenLife, password_hash};

fn behaving(brightpattern: BrightpatternBehaviour) -> Options {
    Options { system: Arc::new(brightpattern), ..options() }
}

#[tokio::test]
async fn signing_in_needs_the_user_the_key_and_the_domain() {
    let (_sandbox, client) = started(options(), "", "application/json").await;
    for (part, error) in [
        (CLIENT_ID, "invalid_client"),
        (CLIENT_SECRET, "invalid_client"),
        (DOMAIN, "invalid_scope"),
        ("client_credentials", "unsupported_grant_type"),
    ] {
        let answer = client.sign_in(&form().replace(part, "other")).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["error"], error);
        assert!(!answer.json()["error_description"].as_str().unwrap().is_empty());
    }
    let answer = client.sign_in(&form()).await.json();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
        (&json!("Bearer"), &json!("3600"), &json!(DOMAIN))
    );
    assert_eq!(client.get("/oauth/token").await.status, 405);
}

#[tokio::test]
async fn the_life_of_a_token_is_told_as_the_service_tells_it() {
    let told = async |expires_in| {
        let behaviour = BrightpatternBehaviour { expires_in, ..BrightpatternBehaviour::default() };
        let (_sandbox, client) = started(behaving(behaviour), "", "application/json").await;
        client.sign_in(&form()).await.json().get("expires_in").cloned()
    };
    assert_eq!(told(ExpiresIn::Number).await, Some(json!(3600)));
    assert_eq!(told(ExpiresIn::Missing).await, None);
}

#[tokio::test]
async fn a_call_needs_a_token_that_is_known_and_fresh() {
    let clock = TestClock::new("2026-03-01T12:00:00Z".parse().unwrap(), 1);
    let token_life = TokenLife { time: Some(Duration::from_secs(60)), requests: None };
    let behaviour = BrightpatternBehaviour { token_life, ..BrightpatternBehaviour::default() };
    let (_sandbox, mut client) = served(Options { clock: clock.clone(), ..behaving(behaviour) }).await;
    assert_eq!(client.get("/team").await.status, 200);
    clock.advance(Duration::from_secs(60));
    let late = client.get("/team").await;
    assert_eq!((late.status.as_u16(), late.header("www-authenticate")), (401, "Bearer"));
    sign_in(&mut client).await;
    assert_eq!(client.get("/team").await.status, 200);
    for wrong in ["", "Bearer invented", "Basic eDp5"] {
        client.authorization = wrong.to_owned();
        for path in ["/team", "/phone/user", "/user/Ben.Katz"] {
            assert_eq!(client.get(path).await.status, 401);
        }
        assert_eq!(client.post("/user", &ana()).await.status, 401);
    }
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_refused() {
    let (_sandbox, client) = served(options()).await;
    for (method, path) in [(Method::GET, "/user"), (Method::PATCH, "/user/Ben.Katz"), (Method::POST, "/team")] {
        assert_eq!(client.try_send(method, path, None).await.unwrap().status, 405);
    }
    let nowhere = client.get("/users").await;
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn a_user_is_created_and_shown_without_the_password() {
    let (sandbox, client) = served(options()).await;
    assert_eq!(client.post("/user", &ana()).await.status_and_text(), (200, "OK"));
    let shown = client.get("/user/ana.silva").await.json();
    let expected = json!({
        "loginId": "ana.silva", "firstName": "Ana", "lastName": "Silva", "team": "Support", "extension": "1042",
        "workPhone": "", "mobilePhone": "", "email": "ana@example.com", "disabled": false,
        "skills": {"English": 100}, "roles": ["Agent", "Supervisor"],
    });
    assert_eq!(shown, expected);
    let ledger = sandbox.ledger();
    assert_eq!((ledger.effects[0].op, ledger.effects[0].login_id.as_str()), (LedgerOperation::Create, "ana.silva"));
    assert_eq!(ledger.effects[0].password, Some(password_hash("correct horse")));
    assert!(!ledger.effects[0].fields.contains_key("password"));
    assert_eq!(sandbox.accounts_json().len(), 3);
    assert!(sandbox.accounts().is_empty(), "there are no imi.chat accounts");
}

#[tokio::test]
async fn a_create_that_lacks_something_or_names_what_is_not_there_is_refused() {
    let (sandbox, client) = served(options()).await;
    for field in ["loginId", "password", "team"] {
        let answer = client.post("/user", &but(field, Value::Null)).await;
        assert_eq!(answer.status_and_text(), (400, format!("{field} is missing").as_str()));
    }
    for (field, value) in [
        ("skills", json!({"English": 101})),
        ("skills", json!({"English": "good"})),
        ("extension", json!("12a")),
        ("disabled", json!("maybe")),
        ("roles", json!("Agent")),
        ("colour", json!("red")),
    ] {
        assert_eq!(client.post("/user", &but(field, value)).await.status, 400, "{field}");
    }
    for (field, value, why) in [
        ("team", json!("Chess"), "team Chess does not exist"),
        ("skills", json!({"Go": 1}), "skill Go does not exist"),
        ("roles", json!(["Boss"]), "role Boss does not exist"),
    ] {
        assert_eq!(client.post("/user", &but(field, value)).await.status_and_text(), (404, why));
    }
    assert_eq!(client.post("/user", &but("loginId", json!("BEN.katz"))).await.status, 409);
    assert_eq!(client.post("/user", &json!([])).await.status, 400);
    assert!(sandbox.ledger().effects.is_empty());
}

#[tokio::test]
async fn a_body_must_be_said_to_be_json() {
    let (sandbox, mut client) = served(options()).await;
    client.media_type = "text/plain";
    assert_eq!(client.post("/user", &ana()).await.status, 415);
    assert_eq!(client.put("/user/Ben.Katz", &json!({"disabled": true})).await.status, 415);
    assert!(sandbox.ledger().effects.is_empty());
    client.media_type = "Application/JSON; charset=utf-8";
    assert_eq!(client.post("/user", &ana()).await.status, 200);
}

#[tokio::test]
async fn numbers_and_booleans_are_read_in_both_their_types() {
    let (_sandbox, client) = served(options()).await;
    let mut ana = but("extension", json!(2000));
    ana["disabled"] = json!("true");
    assert_eq!(client.post("/user", &ana).await.status, 200);
    let shown = client.get("/user/ANA.SILVA").await.json();
    assert_eq!((&shown["extension"], &shown["disabled"]), (&json!("2000"), &json!(true)));
}

#[tokio::test]
async fn an_update_changes_what_it_can_and_ignores_the_rest() {
    let (sandbox, client) = served(options()).await;
    let update = json!({
        "firstName": "Other", "email": "o@x", "roles": ["Supervisor"], "team": "Support", "disabled": true,
        "skills": {"English": 10}, "password": "second", "changePassword": true,
    });
    assert_eq!(client.put("/user/Ben.Katz", &update).await.status_and_text(), (200, "OK"));
    let shown = client.get("/user/Ben.Katz").await.json();
    assert_eq!((&shown["firstName"], &shown["email"]), (&json!("Ben"), &json!("ben@example.com")));
    assert_eq!((&shown["roles"], &shown["team"]), (&json!(["Agent"]), &json!("Support")));
    assert_eq!((&shown["skills"], &shown["disabled"]), (&json!({"English": 10}), &json!(true)));
    let kept = &sandbox.accounts_json()[0];
    assert_eq!((&kept["password"], &kept["changePassword"]), (&json!(password_hash("second")), &json!(true)));
    assert_eq!(client.put("/user/Ben.Katz", &json!({})).await.status, 200, "an update is partial");
    assert_eq!(client.get("/user/Ben.Katz").await.json(), shown);
}

#[tokio::test]
async fn an_update_that_cannot_be_is_refused() {
    let (sandbox, client) = served(options()).await;
    assert_eq!(client.put("/user/nobody", &json!({})).await.status_and_text(), (404, "user nobody does not exist"));
    let team = client.put("/user/Ben.Katz", &json!({"team": "Chess"})).await;
    assert_eq!(team.status_and_text(), (404, "team Chess does not exist"));
    assert_eq!(client.put("/user/Ben.Katz", &json!({"skills": {"Go": 1}})).await.status, 404);
    assert_eq!(client.put("/user/Ben.Katz", &json!({"skills": {"English": -1}})).await.status, 400);
    assert!(sandbox.ledger().effects.is_empty());
}

#[tokio::test]
async fn a_user_is_deleted_once() {
    let (sandbox, client) = served(options()).await;
    assert_eq!(client.delete("/user/cleo%40x").await.status_and_text(), (200, "OK"));
    assert_eq!(client.delete("/user/cleo%40x").await.status, 404);
    assert_eq!(client.get("/user/cleo%40x").await.status, 404);
    assert_eq!(sandbox.ledger().count_effects(LedgerOperation::Delete), 1);
    assert_eq!(sandbox.accounts_json().len(), 1);
}

#[tokio::test]
async fn the_directory_has_every_user_and_the_teams_have_their_names() {
    let (_sandbox, client) = served(options()).await;
    let directory = client.get("/phone/user").await.json();
    assert_eq!(directory.as_array().unwrap().len(), 2);
    let ben = json!({
        "extension": "1040", "loginId": "Ben.Katz", "firstName": "Ben", "lastName": "Katz", "voiceMail": false,
        "greeting": "",
    });
    assert_eq!(directory[0], ben);
    assert_eq!(client.get("/team").await.json(), json!([{"name": "Sales"}, {"name": "Support"}]));
}

#[tokio::test]
async fn what_the_pages_leave_open_can_be_chosen() {
    let behaviour = BrightpatternBehaviour {
        created: Created::User,
        extension: Extension::Number,
        booleans: BrightpatternBooleans::Text,
        directory: Directory::UsersAndExternals,
        errors: Errors::Json,
        uniqueness: BrightpatternUniqueness::NotEnforced,
        ..BrightpatternBehaviour::default()
    };
    let (sandbox, client) = served(behaving(behaviour)).await;
    let created = client.post("/user", &but("loginId", json!("ben.katz"))).await.json();
    assert_eq!((&created["extension"], &created["disabled"]), (&json!(1042), &json!("false")));
    let external = &client.get("/phone/user").await.json()[3];
    assert_eq!((&external["external"], &external["extension"]), (&json!("true"), &json!(9001)));
    assert!(external.get("loginId").is_none());
    let refused = client.get("/user/nobody").await.json();
    assert_eq!(refused["error_description"], "user nobody does not exist");
    assert_eq!(sandbox.accounts_json().len(), 3);
}

#[tokio::test]
async fn requests_that_come_too_fast_are_turned_away_and_no_header_tells_the_rate() {
    let clock = TestClock::new("2026-03-01T12:00:00Z".parse().unwrap(), 1);
    let quota = SimulatedQuota { per_second: Some(2), per_day: 1, ..SimulatedQuota::default() };
    let (_sandbox, client) = served(Options { quota, clock: clock.clone(), ..options() }).await;
    let free = client.get("/team").await;
    assert_eq!(free.status, 200, "there is no daily limit");
    assert!(free.headers.keys().all(|name| !name.as_str().starts_with("rate-limit") && name != "trxid"));
    let fast = client.get("/team").await;
    assert_eq!((fast.status.as_u16(), fast.header("retry-after")), (429, "1"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(client.get("/team").await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let (_sandbox, client) = served(options()).await;
    let request = client.request(Method::POST, "/user").body(vec![b' '; (1 << 20) + 1]);
    assert_eq!(take_answer(request).await.unwrap().status, 400);
}

#[tokio::test]
async fn a_large_contact_center_starts_and_lists_in_one_answer() {
    let options = Options { seed: Seed::Generated(20_000), ..options() };
    let (sandbox, client) = served(options).await;
    assert_eq!(client.get("/phone/user").await.json().as_array().unwrap().len(), 20_000);
    assert_eq!(client.get("/user/user020000").await.json()["disabled"], true);
    assert_eq!(sandbox.requests(), 3);
}
