use reqwest::Method;

use super::*;
use crate::sandbox::{LedgerOperation, SandboxError, start};

fn rule(on: &str, then: &str) -> Options {
    with_faults(&format!("[[rule]]\non = {{ {on} }}\nthen = {{ {then} }}"))
}

#[tokio::test]
async fn a_connection_cut_after_the_effect_leaves_it_unanswered() {
    let (sandbox, client) = served(rule("op = 'create', login = 'ANA.*'", "drop = 'after'")).await;
    assert!(client.try_send(Method::POST, "/user", Some(&ana())).await.is_err());
    assert_eq!(
        (sandbox.ledger().count_effects(LedgerOperation::Create), sandbox.ledger().effects[0].answered),
        (1, false)
    );
    assert_eq!(client.post("/user", &ana()).await.status, 409);
}

#[tokio::test]
async fn a_connection_cut_before_the_effect_leaves_none() {
    let (sandbox, client) = served(rule("op = 'delete'", "drop = 'before'")).await;
    assert!(client.try_send(Method::DELETE, "/user/Ben.Katz", None).await.is_err());
    assert!(sandbox.ledger().effects.is_empty());
    assert_eq!(client.delete("/user/Ben.Katz").await.status, 200);
}

#[tokio::test]
async fn refusals_html_and_garbage_are_answered_as_scripted() {
    let (_sandbox, client) = served(with_faults(
        "[[rule]]\non = { op = 'get', nth = 1 }\nthen = { status = 500, description = 'no' }\n\
         [[rule]]\non = { op = 'get', nth = 2 }\nthen = { html = true, status = 200, headers = { content-type = 'application/json' } }\n\
         [[rule]]\non = { op = 'get', nth = 3 }\nthen = { garbage = true }\n\
         [[rule]]\non = { op = 'get', nth = 4 }\nthen = { retry_after = 7 }",
    ))
    .await;
    assert_eq!(client.get("/user/Ben.Katz").await.status_and_text(), (500, "no"));
    let html = client.get("/user/Ben.Katz").await;
    assert_eq!((html.status.as_u16(), html.header("content-type")), (200, "application/json"));
    assert!(html.text.starts_with("<html>"));
    let garbage = client.get("/user/Ben.Katz").await;
    assert!(garbage.status == 200 && serde_json::from_str::<Value>(&garbage.text).is_err());
    let patience = client.get("/user/Ben.Katz").await;
    assert_eq!((patience.status.as_u16(), patience.header("retry-after")), (429, "7"));
    assert_eq!(client.get("/user/Ben.Katz").await.status, 200);
}

#[tokio::test]
async fn signing_in_can_fail_and_tokens_can_expire() {
    let faults = "[[rule]]\non = { op = 'authorize', nth = 2 }\nthen = { status = 503 }\n\
                  [[rule]]\non = { op = 'list' }\nthen = { expire_token = true }";
    let (_sandbox, mut client) = served(with_faults(faults)).await;
    assert_eq!(client.get("/phone/user").await.status, 401);
    assert_eq!(client.sign_in(&form()).await.status, 503);
    sign_in(&mut client).await;
    assert_eq!(client.get("/phone/user").await.status, 200);
}

#[tokio::test]
async fn somebody_else_changes_the_directory_while_it_is_read() {
    for (shift, logins) in [
        ("insert", vec!["outsider-1", "Ben.Katz", "cleo@x"]),
        ("remove", vec!["cleo@x"]),
        ("resort", vec!["cleo@x", "Ben.Katz"]),
        ("status", vec!["Ben.Katz", "cleo@x"]),
        ("renumber", vec!["Ben.Katz", "cleo@x"]),
    ] {
        let (sandbox, client) = served(rule("op = 'list'", &format!("shift_list = '{shift}'"))).await;
        let directory = client.get("/phone/user").await.json();
        let listed: Vec<&str> =
            directory.as_array().unwrap().iter().map(|user| user["loginId"].as_str().unwrap()).collect();
        assert_eq!(listed, logins, "{shift}");
        assert_eq!(sandbox.accounts_json()[0]["disabled"] == true, ["status", "remove", "resort"].contains(&shift));
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_without_a_clean_stop() {
    let folder = tempfile::tempdir().unwrap();
    let kept = || Options { state: Some(folder.path().join("sandbox.json")), ..options() };
    let (sandbox, client) = served(kept()).await;
    assert_eq!(client.post("/user", &ana()).await.status, 200);
    assert_eq!(client.put("/user/Ben.Katz", &json!({"disabled": true, "password": "p"})).await.status, 200);
    assert_eq!(client.delete("/user/cleo%40x").await.status, 200);
    let before = (sandbox.accounts_json(), sandbox.ledger(), sandbox.requests());
    assert!(matches!(start(kept()).await, Err(SandboxError::InUse { .. })));
    drop(sandbox);
    let again = start(kept()).await.unwrap();
    assert_eq!((again.accounts_json(), again.ledger(), again.requests()), before);
    again.stop().await.unwrap();
    // The seed is not looked at any more.
    let third = start(Options { seed: Seed::Empty, ..kept() }).await.unwrap();
    assert_eq!((third.accounts_json(), third.ledger(), third.requests()), before);
    let state = std::fs::read_to_string(folder.path().join("sandbox.json")).unwrap();
    assert!(state.contains("ana.silva") && !state.contains("correct horse"));
}

#[tokio::test]
async fn a_seed_that_is_wrong_is_refused() {
    let with = |text: String| start(Options { seed: Seed::Text(text), ..options() });
    for (from, to) in [("\"cleo@x\"", "\"BEN.KATZ\""), ("\"team\": \"Support\"", "\"team\": \"Chess\"")] {
        assert!(matches!(with(SEED.replace(from, to)).await, Err(SandboxError::Seed { .. })), "{to}");
    }
    assert!(matches!(with("{\"accounts\": 7}".into()).await, Err(SandboxError::Shape { line: 1, .. })));
}
