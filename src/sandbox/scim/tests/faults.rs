use reqwest::Method;

use super::*;
use crate::sandbox::{LedgerOperation, SandboxError, start};

fn rule(on: &str, then: &str) -> Options {
    with_faults(&format!("[[rule]]\non = {{ {on} }}\nthen = {{ {then} }}"))
}

#[tokio::test]
async fn a_connection_can_be_cut_before_or_after_the_effect() {
    let (sandbox, client) = served(rule("op = 'create', login = 'ANA@*'", "drop = 'after'")).await;
    assert!(client.try_send(Method::POST, "/Users", Some(&ana())).await.is_err());
    assert_eq!(
        (sandbox.ledger().count_effects(LedgerOperation::Create), sandbox.ledger().effects[0].answered),
        (1, false)
    );
    assert_eq!(client.post("/Users", &ana()).await.status, 409);
    let (sandbox, client) = served(rule("op = 'update', login = 'ben@*'", "drop = 'before'")).await;
    assert!(client.try_send(Method::PUT, "/Users/b1", Some(&ana())).await.is_err());
    assert!(sandbox.ledger().effects.is_empty());
}

#[tokio::test]
async fn refusals_html_and_garbage_are_answered_as_scripted() {
    let (_sandbox, client) = served(with_faults(
        "[[rule]]\non = { op = 'list', nth = 1 }\nthen = { status = 500, description = 'no' }\n\
         [[rule]]\non = { op = 'list', nth = 2 }\nthen = { html = true, status = 200, headers = { content-type = 'application/scim+json' } }\n\
         [[rule]]\non = { op = 'list', nth = 3 }\nthen = { garbage = true }\n\
         [[rule]]\non = { op = 'delete' }\nthen = { retry_after = 7 }",
    ))
    .await;
    let refused = client.get("/Users").await.json();
    assert_eq!((&refused["status"], &refused["detail"]), (&json!("500"), &json!("no")));
    let html = client.get("/Users").await;
    assert_eq!((html.header("content-type"), html.headers.get_all("content-type").iter().count()), (MEDIA_TYPE, 1));
    assert!(html.text.starts_with("<html>"));
    assert!(serde_json::from_str::<Value>(&client.get("/Users").await.text).is_err());
    let patience = client.delete("/Users/b1").await;
    assert_eq!((patience.status.as_u16(), patience.header("retry-after")), (429, "7"));
}

/// The ids of two pages of one user each, where somebody else meddles before the second.
async fn meddled(shift: &str) -> (Sandbox, Vec<String>) {
    let (sandbox, client) = served(rule("op = 'list', page = 2", &format!("shift_list = '{shift}'"))).await;
    let mut ids = Vec::new();
    for start in [1, 2] {
        let page = client.get(&format!("/Users?startIndex={start}&count=1")).await.json();
        ids.extend(page["Resources"][0]["id"].as_str().map(str::to_owned));
    }
    (sandbox, ids)
}

#[tokio::test]
async fn somebody_else_changes_the_list_while_it_is_read() {
    assert_eq!(meddled("insert").await.1, ["b1", "b1"]);
    assert_eq!(meddled("remove").await.1, ["b1"]);
    assert_eq!(meddled("resort").await.1, ["b1", "b1"]);
    let (sandbox, ids) = meddled("status").await;
    assert_eq!(ids, ["b1", "c2"]);
    assert_eq!(sandbox.accounts_json()[0]["resource"]["active"], false);
}

#[tokio::test]
async fn an_id_may_change_while_the_list_is_read() {
    let (sandbox, ids) = meddled("renumber").await;
    assert_eq!(ids, ["b1", "c2"]);
    let first = &sandbox.accounts_json()[0];
    assert_eq!(first["resource"]["userName"], "Ben@example.com");
    assert_ne!(first["id"], "b1");
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_without_a_clean_stop() {
    let folder = tempfile::tempdir().unwrap();
    let kept = || Options { state: Some(folder.path().join("sandbox.json")), ..options() };
    let (sandbox, client) = served(kept()).await;
    assert_eq!(client.post("/Users", &ana()).await.status, 201);
    let operations = json!([
        {"op": "replace", "path": "active", "value": false},
        {"op": "replace", "value": {"password": "p"}},
    ]);
    assert_eq!(client.patch("/Users/b1", &patch(operations)).await.status, 200);
    assert_eq!(client.put("/Users/b1", &json!({"userName": "ben", "title": "Lead"})).await.status, 200);
    assert_eq!(client.delete("/Users/c2").await.status, 204);
    let before = (sandbox.accounts_json(), sandbox.ledger(), sandbox.requests());
    assert!(matches!(start(kept()).await, Err(SandboxError::InUse { .. })));
    drop(sandbox);
    let again = start(kept()).await.unwrap();
    assert_eq!((again.accounts_json(), again.ledger(), again.requests()), before);
    again.stop().await.unwrap();
    // The seed is not looked at any more.
    let third = start(Options { seed: Seed::Empty, ..kept() }).await.unwrap();
    assert_eq!((third.accounts_json(), third.ledger(), third.requests()), before);
}

#[tokio::test]
async fn the_id_of_a_deleted_user_is_not_given_again() {
    let (_sandbox, client) = served(options()).await;
    let first = client.post("/Users", &ana()).await.json()["id"].clone();
    assert_eq!(client.delete(&format!("/Users/{}", first.as_str().unwrap())).await.status, 204);
    assert_ne!(client.post("/Users", &ana()).await.json()["id"], first);
}

#[tokio::test]
async fn a_seed_that_is_wrong_is_refused() {
    let with = |text: String| start(Options { seed: Seed::Text(text), ..options() });
    for (from, to) in
        [("\"c2\"", "\"b1\""), ("\"cleo@example.com\"", "\"BEN@example.com\""), ("\"cleo@example.com\"", "\"\"")]
    {
        assert!(matches!(with(SEED.replace(from, to)).await, Err(SandboxError::Seed { .. })), "{to}");
    }
    assert!(matches!(with("{\"accounts\": 7}".into()).await, Err(SandboxError::Shape { line: 1, .. })));
}
