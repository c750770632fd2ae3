//! Signing in, and what a server says of itself.

use super::*;

#[tokio::test]
async fn a_server_that_says_nothing_of_itself_is_spoken_to_as_the_standard_says() {
    for reply in [
        Reply::new(404, ""),
        Reply::new(501, ""),
        html(200),
        Reply::new(401, ""),
        Reply::new(403, ""),
        Reply::new(500, ""),
    ] {
        let server = Server::start(move |seen, _| match announce(&seen.path, &json!({})) {
            Some(_) => reply.clone(),
            None => people(3)(seen, 0),
        })
        .await;
        let target = target(&server).await;
        assert_eq!(listed(&*target).await.unwrap().0.len(), 3);
        assert_eq!(target.describe(), format!("scim {}/scim/v2", server.address));
    }
}

#[tokio::test]
async fn where_nobody_says_where_the_users_are_they_are_looked_for_in_small_letters_too() {
    let server =
        Server::start(
            |seen, _| {
                if seen.path.starts_with("/scim/v2/users") { people(3)(seen, 0) } else { Reply::new(404, "") }
            },
        )
        .await;
    assert_eq!(listed(&*target(&server).await).await.unwrap().0.len(), 3);
    let server = Server::script(vec![Reply::new(404, "")]).await;
    let error = connect_as(&settings(), &server, bearer()).await.err().unwrap();
    assert_eq!(error.trouble, Trouble::Configuration);
    assert!(error.hint.unwrap().contains("target.base_url"));
}

#[tokio::test]
async fn what_the_schemas_of_the_server_say_shapes_the_schema() {
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/scim/v2/Schemas" => {
            ok(json!({"Resources": [{"id": "urn:ietf:params:scim:schemas:core:2.0:User", "attributes": [
                {"name": "title", "mutability": "readOnly"}
            ]}]}))
        }
        _ => announce(&seen.path, &json!({})).unwrap(),
    })
    .await;
    let target = target(&server).await;
    let title = target.schema().get(target.schema().id("title").unwrap());
    assert!(!title.update && !title.create && title.read);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_an_error_at_once() {
    let server = Server::script(vec![Reply::HangUp]).await;
    let error = connect_as(&settings(), &server, bearer()).await.err().unwrap();
    assert_eq!(error.trouble, Trouble::Unavailable);
}

#[tokio::test]
async fn a_credential_that_is_refused_is_a_matter_of_configuration() {
    for status in [401, 403] {
        let server = script(patches(), vec![error(status, "")]).await;
        let target = target(&server).await;
        for error in [target.sign_in().await.unwrap_err(), listed(&*target).await.unwrap_err()] {
            assert_eq!(error.trouble, Trouble::Configuration, "{status}");
            assert!(error.hint.is_some());
        }
    }
}

#[tokio::test]
async fn signing_in_asks_once() {
    let server = tenant(patches(), people(3)).await;
    let target = target(&server).await;
    target.sign_in().await.unwrap();
    target.sign_in().await.unwrap();
    assert_eq!(asked(&server).len(), 1);
}

#[tokio::test]
async fn every_way_of_signing_in_is_spoken() {
    let basic = || ScimLogin::Basic { username: "ana".to_owned(), password: Secret::new("hunter2") };
    for (login, expected) in [(bearer(), "Bearer tok-1"), (basic(), "Basic YW5hOmh1bnRlcjI=")] {
        let server = tenant(patches(), people(3)).await;
        connect_as(&settings(), &server, login).await.unwrap().sign_in().await.unwrap();
        assert!(server.seen().iter().all(|seen| seen.header("authorization") == Some(expected)));
    }
}

#[tokio::test]
async fn a_refused_oauth_token_is_renewed_once() {
    let granted = AtomicUsize::new(0);
    let server = Server::start(move |seen, _| {
        if seen.path == "/scim/v2/token" {
            let n = granted.fetch_add(1, Ordering::SeqCst) + 1;
            return ok(json!({"access_token": format!("t-{n}"), "token_type": "Bearer", "expires_in": "3600"}));
        }
        announce(&seen.path, &patches()).unwrap_or_else(|| match seen.header("authorization") {
            Some("Bearer t-2") => people(3)(seen, 0),
            _ => Reply::new(401, ""),
        })
    })
    .await;
    let login = ScimLogin::ClientCredentials {
        token_url: "/token".to_owned(),
        client_id: "c".to_owned(),
        client_secret: Secret::new("hunter2"),
        scope: None,
    };
    let target = connect_as(&settings(), &server, login).await.unwrap();
    assert_eq!(listed(&*target).await.unwrap().0.len(), 3);
    assert_eq!(server.count("POST", "/scim/v2/token"), 2);
}
