use super::*;
use crate::sandbox::LedgerOperation;

fn rule(on: &str, then: &str) -> Options {
    with_faults(&format!("[[rule]]\non = {{ {on} }}\nthen = {{ {then} }}"))
}

#[tokio::test]
async fn a_connection_cut_before_the_effect_leaves_none() {
    let (sandbox, client) = served(rule("op = 'create'", "drop = 'before'")).await;
    let lost = client.try_send(Method::POST, "/users", Some(&ana())).await;
    assert!(lost.is_err());
    assert!(sandbox.ledger().effects.is_empty());
    assert_eq!(client.create(&ana()).await.codes(), (200, 4308));
}

#[tokio::test]
async fn a_connection_cut_after_the_effect_leaves_it_unanswered() {
    let (sandbox, client) = served(rule("op = 'create', login = 'ANA.*'", "drop = 'after'")).await;
    let lost = client.try_send(Method::POST, "/users", Some(&ana())).await;
    assert!(lost.is_err());
    let ledger = sandbox.ledger();
    assert_eq!(ledger.count_effects(LedgerOperation::Create), 1);
    assert!(!ledger.effects[0].answered);
    assert_eq!(client.create(&ana()).await.codes(), (409, 3102));
}

#[tokio::test]
async fn a_server_error_can_come_before_or_after_the_effect() {
    let (sandbox, client) = served(rule("op = 'update'", "status = 500, code = 3104, description = 'no'")).await;
    let answer = client.update(9, &json!({"last_name": "K"})).await;
    assert_eq!((answer.codes(), &answer.json()["description"]), ((500, 3104), &json!("no")));
    assert!(sandbox.ledger().effects.is_empty());

    let (sandbox, client) = served(rule("op = 'create'", "status = 500, code = 2007, when = 'after'")).await;
    assert_eq!(client.create(&ana()).await.codes(), (500, 2007));
    assert_eq!(sandbox.ledger().count_effects(LedgerOperation::Create), 1);
    assert!(!sandbox.ledger().effects[0].answered);
}

#[tokio::test]
async fn html_garbage_redirects_and_patience_are_answered_as_scripted() {
    let (_sandbox, client) = served(with_faults(
        "[[rule]]\non = { path = '/users/*', nth = 1 }\nthen = { html = true }\n\
         [[rule]]\non = { path = '/users/*', nth = 2 }\nthen = { garbage = true }\n\
         [[rule]]\non = { path = '/users/*', nth = 3 }\nthen = { retry_after = 7 }\n\
         [[rule]]\non = { path = '/users/*', nth = 4 }\nthen = { status = 302, headers = { location = '/x' } }",
    ))
    .await;
    let html = client.get("/users/9").await;
    assert_eq!((html.status.as_u16(), html.header("content-type")), (502, "text/html; charset=utf-8"));
    let garbage = client.get("/users/9").await;
    assert_eq!(garbage.status, 200);
    assert!(serde_json::from_str::<Value>(&garbage.text).is_err());
    let patience = client.get("/users/9").await;
    assert_eq!((patience.status.as_u16(), patience.header("retry-after")), (429, "7"));
    let redirect = client.get("/users/9").await;
    assert_eq!((redirect.status.as_u16(), redirect.header("location")), (302, "/x"));
    assert_eq!(client.get("/users/9").await.codes(), (200, 4306));
}

#[tokio::test]
async fn tokens_expire_when_the_script_says_so() {
    let (_sandbox, mut client) = served(rule("op = 'list', nth = 2", "expire_token = true")).await;
    assert_eq!(client.get("/users").await.codes(), (200, 4306));
    assert_eq!(client.get("/users").await.codes(), (401, 2004));
    assert_eq!(client.get("/users").await.codes(), (401, 2004));
    client.sign_in().await;
    assert_eq!(client.get("/users").await.codes(), (200, 4306));
}

#[tokio::test]
async fn the_quota_is_used_up_when_the_script_says_so() {
    let (_sandbox, client) = served(rule("op = 'list'", "remaining = 1")).await;
    assert_eq!(client.get("/users").await.header("rate-limit-remaining"), "1");
    assert_eq!(client.get("/users").await.header("rate-limit-remaining"), "0");
    assert_eq!(client.get("/users").await.status, 429);
}

#[tokio::test]
async fn a_delay_is_waited_for_on_the_clock() {
    use crate::clock::{Clock, TestClock};
    let clock = TestClock::new("2026-03-01T12:00:00Z".parse().unwrap(), 1);
    let options = Options { clock: clock.clone(), ..rule("op = 'get'", "delay = '2s'") };
    let (_sandbox, client) = served(options).await;
    assert_eq!(client.get("/users/9").await.codes(), (200, 4306));
    assert_eq!(clock.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn a_delay_can_come_after_the_effect() {
    use crate::clock::{Clock, TestClock};
    let clock = TestClock::new("2026-03-01T12:00:00Z".parse().unwrap(), 1);
    let options = Options { clock: clock.clone(), ..rule("op = 'create'", "delay = '2s', when = 'after'") };
    let (sandbox, client) = served(options).await;
    assert_eq!(client.create(&ana()).await.codes(), (200, 4308));
    assert_eq!(sandbox.ledger().effects[0].at.to_string(), "2026-03-01T12:00:00Z");
    assert_eq!(clock.elapsed().as_secs(), 2);
}

/// The logins of pages 1 and 2, where somebody else meddles between the two.
async fn meddled(shift: &str) -> (Sandbox, Vec<String>) {
    let faults = format!("[[rule]]\non = {{ page = 2 }}\nthen = {{ shift_list = '{shift}' }}");
    let options = Options { faults: Faults::parse(&faults).unwrap(), ..generated(20) };
    let (sandbox, client) = served(options).await;
    let mut logins = client.get("/users?page=1").await.logins();
    logins.extend(client.get("/users?page=2").await.logins());
    (sandbox, logins)
}

#[tokio::test]
async fn an_account_added_while_listing_shows_another_one_twice() {
    let (sandbox, logins) = meddled("insert").await;
    assert_eq!(logins.iter().filter(|login| *login == "user000010").count(), 2);
    assert_eq!(sandbox.ledger().count_effects(LedgerOperation::OutsideCreate), 1);
    assert_eq!(sandbox.accounts().len(), 21);
}

#[tokio::test]
async fn an_account_removed_while_listing_hides_another_one() {
    let (sandbox, logins) = meddled("remove").await;
    assert!(!logins.contains(&"user000011".to_owned()));
    assert_eq!(sandbox.ledger().count_effects(LedgerOperation::OutsideRemove), 1);
    assert!(sandbox.accounts().iter().all(|account| account.login_id != "user000001"));
}

#[tokio::test]
async fn an_order_turned_round_while_listing_shows_the_same_page_again() {
    let (_sandbox, mut logins) = meddled("resort").await;
    logins.sort();
    logins.dedup();
    assert_eq!(logins.len(), 10);
}

#[tokio::test]
async fn an_account_changed_while_listing_is_stale_in_what_was_listed() {
    let (sandbox, logins) = meddled("status").await;
    assert_eq!(logins.len(), 20);
    assert_eq!(sandbox.accounts()[0].status, crate::sandbox::imichat::Status::Inactive);
    assert_eq!(sandbox.ledger().count_effects(LedgerOperation::OutsideUpdate), 1);
}
