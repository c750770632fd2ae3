//! Signing in, and tokens that expire.

use super::*;

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
    assert_eq!(target.meter().sent_so_far().auth, 2);
}

#[tokio::test]
async fn a_create_with_a_stale_token_is_repeated_because_nothing_was_done() {
    let server = expiring(2).await;
    let target = target(&server);
    assert_eq!(target.create(&newcomer(&target)).await.unwrap().as_str(), "1");
    assert_eq!((server.count("POST", ""), target.meter().sent_so_far().retried), (2, 1));
}

#[tokio::test]
async fn a_token_that_is_refused_twice_in_a_row_is_a_configuration_error() {
    let server = expiring(99).await;
    let target = target(&server);
    let error = target.update(&id(), &change(&target)).await.unwrap_err();
    assert_eq!((error.trouble, server.count("PATCH", "")), (Trouble::Configuration, 2));
}
