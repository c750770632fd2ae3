//! Signing in, and what else the center is asked for.

use super::*;

#[tokio::test]
async fn one_new_token_serves_all_who_were_refused_and_a_second_refusal_is_final() {
    let tokens = Arc::new(AtomicUsize::new(0));
    let granted = Arc::clone(&tokens);
    let server = Server::start(move |seen, _| {
        if seen.path.ends_with("/oauth/token") {
            let n = granted.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::new(200, format!(r#"{{"access_token":"token-{n}"}}"#));
        }
        let is_stale = seen.header("authorization") == Some("Bearer token-1") || asked(seen) == Some("never");
        if is_stale { Reply::new(401, "expired") } else { user(seen) }
    })
    .await;
    let target = connect_with(&server, &Rate { concurrency: 8, ..rate() }, &["team"]);
    let ids: Vec<_> = (0..8).map(|n| id(&format!("u{n}"))).collect();
    assert!(join_all(ids.iter().map(|id| target.get(id))).await.iter().all(Result::is_ok));
    assert_eq!(tokens.load(Ordering::SeqCst), 2);
    let error = target.get(&id("never")).await.unwrap_err();
    assert_eq!((error.trouble, error.code), (Trouble::Configuration, Some(401)));
}

#[tokio::test]
async fn a_wrong_key_is_known_from_signing_in_and_not_shown() {
    let body = r#"{"error":"invalid_client","error_description":"key-1 is wrong"}"#;
    let server = Server::script(vec![Reply::new(401, body)]).await;
    let error = target(&server).sign_in().await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Configuration);
    assert!(error.message.contains("invalid_client") && !error.message.contains("key-1"), "{error}");
    assert!(error.hint.unwrap().contains("target.client_secret"));
    let form = &server.seen()[0].body;
    assert_eq!(form, "grant_type=client_credentials&client_id=api&client_secret=key-1&scope=acme.org");
}

#[tokio::test]
async fn teams_are_known_where_the_release_says_them() {
    let server = always(Reply::new(200, r#"[{"name":"Sales"},{"name":"Ops"}]"#)).await;
    let teams = target(&server).references(at::TEAM).await.unwrap();
    assert_eq!(teams, Some(vec!["Sales".to_owned(), "Ops".to_owned()]));
    assert_eq!(target(&server).references(at::ROLES).await.unwrap(), None);
    let server = always(Reply::new(404, "")).await;
    assert_eq!(target(&server).references(at::TEAM).await.unwrap(), None);
    let server = always(html()).await;
    assert_eq!(target(&server).references(at::TEAM).await.unwrap_err().trouble, Trouble::Garbled);
}
