//! The target against a server that answers what a script says.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use serde_json::{Value as Json, json};

use super::*;
use crate::clock::TestClock;
use crate::model::Value;
use crate::target::http::testing::{Reply, Seen, Server, rate};
use crate::target::{Effect, Trouble};

const WORK: &str = r#"emails[type eq "work"].value"#;

fn settings() -> Settings {
    Settings { credentials: None, page_size: 100, update_method: UpdateMethod::Auto }
}

async fn connect_as(settings: &Settings, server: &Server, login: Login) -> Result<Box<dyn Target>, CallError> {
    let clock = TestClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 42);
    let rate = Rate { retries: 2, concurrency: 4, ..rate() };
    let base_url = format!("{}/scim/v2", server.address);
    let mapped = [WORK.to_owned(), "title".to_owned(), "password".to_owned()];
    connect(settings, &base_url, &rate, clock, Arc::default(), login, &mapped).await
}

fn bearer() -> Login {
    Login::Bearer(Secret::new("tok-1"))
}

async fn target(server: &Server) -> Box<dyn Target> {
    connect_as(&settings(), server, bearer()).await.unwrap()
}

/// What a server announces that announces all that it has.
fn announce(path: &str, config: &Json) -> Option<Reply> {
    Some(match path {
        "/scim/v2/ServiceProviderConfig" => Reply::new(200, config.to_string()),
        "/scim/v2/ResourceTypes" => {
            Reply::new(200, json!({"Resources": [{"name": "User", "endpoint": "/Users"}]}).to_string())
        }
        "/scim/v2/Schemas" => Reply::new(404, ""),
        _ => return None,
    })
}

/// A server with this configuration that answers everything but discovery as the function says.
async fn tenant(config: Json, handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let calls = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        announce(&seen.path, &config).unwrap_or_else(|| handler(seen, calls.fetch_add(1, Ordering::SeqCst)))
    })
    .await
}

/// A server that answers all but discovery with these in turn, the last one for ever.
async fn script(config: Json, replies: Vec<Reply>) -> Server {
    tenant(config, move |_, n| replies[n.min(replies.len() - 1)].clone()).await
}

/// What was asked beside discovery.
fn asked(server: &Server) -> Vec<Seen> {
    server.seen().into_iter().filter(|seen| announce(&seen.path, &json!({})).is_none()).collect()
}

fn patches() -> Json {
    json!({"patch": {"supported": true}, "etag": {"supported": true}, "filter": {"supported": true}})
}

fn puts() -> Json {
    json!({"patch": {"supported": false}, "etag": {"supported": true}})
}

fn ok(json: Json) -> Reply {
    Reply::new(200, json.to_string()).with("content-type", "application/scim+json")
}

fn error(status: u16, kind: &str) -> Reply {
    Reply::new(status, json!({"status": status.to_string(), "scimType": kind, "detail": "d"}).to_string())
}

fn html(status: u16) -> Reply {
    Reply::new(status, "<html>hello</html>").with("content-type", "application/scim+json")
}

fn id() -> AccountId {
    AccountId("4711".to_owned())
}

fn values(target: &dyn Target, pairs: &[(&str, &str)]) -> Attributes {
    let schema = target.schema();
    pairs.iter().map(|(name, text)| (schema.id(name).unwrap(), Value::text(*text))).collect()
}

fn body(seen: &Seen) -> Json {
    serde_json::from_str(&seen.body).unwrap()
}

async fn listed(target: &dyn Target) -> Result<(Vec<String>, bool, Vec<String>), CallError> {
    let mut pages = target.list();
    let mut shown = Vec::new();
    let mut end = None;
    while let Some(piece) = pages.next().await {
        assert!(end.is_none(), "something after the end");
        match piece? {
            Listed::Page { accounts, .. } => shown.extend(accounts.into_iter().map(|account| account.id.0)),
            Listed::Again { .. } => shown.clear(),
            Listed::End { complete, notes } => end = Some((complete, notes)),
        }
    }
    let (complete, notes) = end.expect("a listing ends");
    Ok((shown, complete, notes))
}

fn query(seen: &Seen, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://x{}", seen.path)).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A page of users `from..=to` of `total`.
fn page(from: usize, to: usize, total: usize) -> Json {
    let users: Vec<Json> = (from..=to).map(|n| json!({"id": n.to_string(), "userName": format!("user{n}")})).collect();
    json!({"totalResults": total, "startIndex": from, "itemsPerPage": users.len(), "Resources": users})
}

fn people(total: usize) -> impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static {
    move |seen, _| {
        let number = |name| query(seen, name).and_then(|text| text.parse::<usize>().ok());
        let start = number("startIndex").unwrap_or(1);
        let count = number("count").unwrap_or(100).min(40);
        ok(page(start, (start + count - 1).min(total), total))
    }
}

// Signing in and discovery

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
    let basic = || Login::Basic { username: "ana".to_owned(), password: Secret::new("hunter2") };
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
    let login = Login::ClientCredentials {
        token_url: "/token".to_owned(),
        client_id: "c".to_owned(),
        client_secret: Secret::new("hunter2"),
        scope: None,
    };
    let target = connect_as(&settings(), &server, login).await.unwrap();
    assert_eq!(listed(&*target).await.unwrap().0.len(), 3);
    assert_eq!(server.count("POST", "/scim/v2/token"), 2);
}

// Listing

#[tokio::test]
async fn a_listing_goes_by_the_pages_that_the_server_makes() {
    let server = tenant(patches(), people(100)).await;
    let target = target(&server).await;
    let (mut shown, complete, notes) = listed(&*target).await.unwrap();
    shown.sort_by_key(|id| id.parse::<u32>().unwrap());
    assert_eq!(shown, (1..=100).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(complete && notes.is_empty());
    let asked = asked(&server);
    assert_eq!(query(&asked[0], "startIndex").as_deref(), Some("1"));
    assert_eq!(query(&asked[0], "count").as_deref(), Some("100"));
    assert_eq!((asked.len(), target.meter().sent().list), (5, 5));
    assert_eq!(asked[0].header("accept"), Some("application/scim+json, application/json"));
}

#[tokio::test]
async fn pages_are_fetched_side_by_side_once_their_number_is_known() {
    let server = tenant(patches(), |seen, n| match n {
        0 | 1 => {
            let start: usize = query(seen, "startIndex").unwrap().parse().unwrap();
            ok(page(start, start + 1, 8))
        }
        _ => {
            let start: usize = query(seen, "startIndex").unwrap().parse().unwrap();
            // Three for discovery, the first page and the last, and all the others.
            Reply::Together { arrived: 7, status: 200, body: page(start, start + 1, 8).to_string() }
        }
    })
    .await;
    assert_eq!(listed(&*target(&server).await).await.unwrap().0.len(), 8);
}

#[tokio::test]
async fn cursors_are_followed_where_they_are_announced() {
    let config = json!({"pagination": {"cursor": true}});
    let server = tenant(config, |seen, _| match query(seen, "cursor").as_deref() {
        Some("") => ok(json!({"totalResults": 2, "nextCursor": "a/b+c", "Resources": [{"id": "1"}]})),
        Some("a/b+c") => ok(json!({"totalResults": 2, "Resources": [{"id": "2"}]})),
        _ => Reply::new(400, ""),
    })
    .await;
    assert_eq!(listed(&*target(&server).await).await.unwrap(), (vec!["1".into(), "2".into()], true, vec![]));
}

#[tokio::test]
async fn a_page_is_no_larger_than_the_server_allows() {
    let server = tenant(json!({"filter": {"supported": true, "maxResults": 30}}), people(3)).await;
    listed(&*target(&server).await).await.unwrap();
    assert_eq!(query(&asked(&server)[0], "count").as_deref(), Some("30"));
}

#[tokio::test]
async fn a_page_that_is_too_large_is_made_smaller() {
    for reply in [Reply::new(413, ""), error(400, "tooMany")] {
        let server = tenant(patches(), move |seen, n| if n == 0 { reply.clone() } else { people(60)(seen, n) }).await;
        let (shown, complete, _) = listed(&*target(&server).await).await.unwrap();
        assert!(shown.len() == 60 && complete);
        assert_eq!(query(&asked(&server)[1], "count").as_deref(), Some("50"));
    }
}

#[tokio::test]
async fn what_is_no_list_is_said() {
    for (reply, trouble) in [
        (html(200), Trouble::Garbled),
        (ok(json!({"hello": 1})), Trouble::Garbled),
        (Reply::new(200, ""), Trouble::Garbled),
        (Reply::new(404, ""), Trouble::Configuration),
        (error(403, ""), Trouble::Configuration),
        (Reply::new(500, ""), Trouble::Unavailable),
    ] {
        let server = script(patches(), vec![reply.clone()]).await;
        let error = listed(&*target(&server).await).await.unwrap_err();
        assert_eq!(error.trouble, trouble, "{reply:?}");
        if trouble != Trouble::Unavailable {
            assert!(error.hint.unwrap().contains("check"), "{reply:?}");
        }
    }
}

#[tokio::test]
async fn the_cost_of_a_listing_is_what_it_takes() {
    let server = tenant(patches(), people(100)).await;
    let target = target(&server).await;
    let costs = |target: &dyn Target| [0, 99, 100, 101, 1000].map(|n| target.listing_cost(n));
    assert_eq!(costs(&*target), [1, 1, 2, 4, 12]);
    // Once the server has shown how large its pages are.
    listed(&*target).await.unwrap();
    assert_eq!(target.listing_cost(100), target.meter().sent().list);
}

// One account

#[tokio::test]
async fn an_account_is_shown_by_its_id() {
    let server = script(patches(), vec![ok(json!({"id": "4711", "userName": "ana"}))]).await;
    let target = target(&server).await;
    let account = target.get(&AccountId("a/b".to_owned())).await.unwrap().unwrap();
    assert_eq!(account.values, values(&*target, &[("userName", "ana")]));
    assert_eq!(asked(&server)[0].path, "/scim/v2/Users/a%2Fb");
    for reply in [Reply::new(404, ""), html(404)] {
        let server = script(patches(), vec![reply]).await;
        assert_eq!(self::target(&server).await.get(&id()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_account_is_garbled_and_not_nobody() {
    for reply in [html(200), ok(json!({"userName": "ana"})), Reply::new(200, "")] {
        let server = script(patches(), vec![reply]).await;
        assert_eq!(target(&server).await.get(&id()).await.unwrap_err().trouble, Trouble::Garbled);
    }
}

// Creating

async fn create(replies: Vec<Reply>) -> (Result<AccountId, CallError>, Vec<Seen>) {
    let server = script(patches(), replies).await;
    let target = target(&server).await;
    let mut values = values(&*target, &[("userName", "ana"), (WORK, "a@x.org")]);
    values.set(target.schema().id("password").unwrap(), Value::Secret(Secret::new("hunter2")));
    let created = target.create(&values).await;
    (created, asked(&server))
}

#[tokio::test]
async fn a_create_sends_a_resource_and_learns_its_id() {
    for status in [200, 201] {
        let (created, seen) = create(vec![Reply::new(status, r#"{"id":"4711"}"#)]).await;
        assert_eq!(created.unwrap(), id());
        assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/scim/v2/Users"));
        assert_eq!(seen[0].header("content-type"), Some("application/scim+json"));
        assert_eq!(
            body(&seen[0]),
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ana", "password": "hunter2",
                "emails": [{"type": "work", "value": "a@x.org"}],
            })
        );
    }
}

#[tokio::test]
async fn an_id_may_come_in_the_address_of_the_new_account() {
    let reply = Reply::new(201, "").with("location", "https://acme.org/scim/v2/Users/4711");
    assert_eq!(create(vec![reply]).await.0.unwrap(), id());
}

#[tokio::test]
async fn who_exists_already_exists_whether_the_server_names_the_reason_or_not() {
    for reply in
        [error(409, "uniqueness"), Reply::new(409, "{}"), Reply::new(409, ""), html(409), error(400, "uniqueness")]
    {
        let error = create(vec![reply.clone()]).await.0.unwrap_err();
        assert_eq!((error.trouble, error.effect), (Trouble::Exists, Effect::None), "{reply:?}");
    }
}

#[tokio::test]
async fn a_create_that_is_refused_was_not_done() {
    for (status, kind, trouble) in [
        (400, "invalidValue", Trouble::Refused),
        (409, "mutability", Trouble::Refused),
        (404, "", Trouble::Configuration),
        (405, "", Trouble::Configuration),
        (403, "", Trouble::Configuration),
        (401, "", Trouble::Configuration),
    ] {
        let error = create(vec![error(status, kind)]).await.0.unwrap_err();
        assert_eq!((error.trouble, error.effect, error.code), (trouble, Effect::None, Some(status.into())), "{status}");
    }
}

#[tokio::test]
async fn the_words_of_the_server_are_said_without_the_secret() {
    let words = r#"{"scimType":"invalidValue","detail":"hunter2 is too short"}"#;
    let error = create(vec![Reply::new(400, words)]).await.0.unwrap_err();
    assert_eq!(error.message, "POST Users: invalidValue: (secret) is too short (HTTP 400)");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_or_says_nothing_is_unknown_and_sent_once() {
    for reply in [Reply::HangUp, Reply::BreakOff, Reply::new(500, ""), html(200), Reply::new(201, ""), ok(json!({}))] {
        let (created, seen) = create(vec![reply.clone()]).await;
        assert_eq!((created.unwrap_err().effect, seen.len()), (Effect::Unknown, 1), "{reply:?}");
    }
}

#[tokio::test]
async fn a_server_without_scims_content_type_is_sent_plain_json_from_then_on() {
    let (created, seen) = create(vec![Reply::new(415, ""), Reply::new(201, r#"{"id":"4711"}"#)]).await;
    assert_eq!(created.unwrap(), id());
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
    let (created, seen) = create(vec![Reply::new(415, "")]).await;
    let error = created.unwrap_err();
    assert_eq!((error.trouble, error.effect, seen.len()), (Trouble::Configuration, Effect::None, 2));
}

// Updating

async fn update(config: Json, pairs: &[(&str, &str)], replies: Vec<Reply>) -> (Result<(), CallError>, Vec<Seen>) {
    let server = script(config, replies).await;
    let target = target(&server).await;
    let updated = target.update(&id(), &values(&*target, pairs)).await;
    (updated, asked(&server))
}

#[tokio::test]
async fn a_simple_change_is_one_patch_answered_with_or_without_a_body() {
    for reply in [Reply::new(204, ""), Reply::new(200, ""), ok(json!({"id": "4711"}))] {
        let (updated, seen) = update(patches(), &[("title", "Lead")], vec![reply]).await;
        updated.unwrap();
        assert_eq!((seen.len(), seen[0].method.as_str(), seen[0].path.as_str()), (1, "PATCH", "/scim/v2/Users/4711"));
        assert_eq!(
            body(&seen[0]),
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "replace", "path": "title", "value": "Lead"}],
            })
        );
    }
}

#[tokio::test]
async fn a_change_of_an_entry_looks_first_and_holds_the_server_to_what_was_seen() {
    let current = ok(json!({"id": "4711", "emails": [{"type": "work", "value": "old"}]})).with("etag", "W/\"3\"");
    let (updated, seen) = update(patches(), &[(WORK, "new")], vec![current, Reply::new(204, "")]).await;
    updated.unwrap();
    assert_eq!(seen[0].method, "GET");
    assert_eq!(seen[1].header("if-match"), Some("W/\"3\""));
    assert_eq!(body(&seen[1])["Operations"], json!([{"op": "replace", "path": WORK, "value": "new"}]));
    let (_, seen) = update(patches(), &[(WORK, "new")], vec![ok(json!({"id": "4711"})), Reply::new(204, "")]).await;
    assert_eq!(body(&seen[1])["Operations"][0]["op"], "add");
}

#[tokio::test]
async fn where_everything_is_that_way_already_nothing_is_sent() {
    let current = ok(json!({"id": "4711", "emails": [{"type": "work", "value": "same"}]}));
    let (updated, seen) = update(patches(), &[(WORK, "same")], vec![current]).await;
    updated.unwrap();
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn without_patch_the_whole_resource_is_put_and_what_nobody_mapped_stays() {
    let current = ok(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "4711", "userName": "ana", "nickName": "A",
        "urn:acme:1.0": {"x": 1}, "groups": [{"value": "g"}], "meta": {"version": "W/\"7\""},
    }));
    let (updated, seen) = update(puts(), &[("title", "Lead")], vec![current, Reply::new(200, "{}")]).await;
    updated.unwrap();
    assert_eq!((seen[0].method.as_str(), seen[1].method.as_str()), ("GET", "PUT"));
    assert_eq!(seen[1].header("if-match"), Some("W/\"7\""));
    assert_eq!(
        body(&seen[1]),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "4711", "userName": "ana", "nickName": "A",
            "urn:acme:1.0": {"x": 1}, "title": "Lead",
        })
    );
}

#[tokio::test]
async fn versions_are_left_out_where_the_server_has_none() {
    let config = json!({"patch": {"supported": false}, "etag": {"supported": false}});
    let current = ok(json!({"id": "4711", "meta": {"version": "7"}}));
    let (_, seen) = update(config, &[("title", "Lead")], vec![current, Reply::new(204, "")]).await;
    assert_eq!(seen[1].header("if-match"), None);
}

#[tokio::test]
async fn an_account_that_changed_meanwhile_is_read_once_more() {
    let current = || ok(json!({"id": "4711"})).with("etag", "1");
    let changed = || Reply::new(412, "");
    let (updated, seen) =
        update(puts(), &[("title", "Lead")], vec![current(), changed(), current(), Reply::new(200, "{}")]).await;
    updated.unwrap();
    assert_eq!(seen.len(), 4);
    let (updated, seen) = update(puts(), &[("title", "Lead")], vec![current(), changed(), current(), changed()]).await;
    let error = updated.unwrap_err();
    assert_eq!((error.trouble, error.effect, seen.len()), (Trouble::Refused, Effect::None, 4));
    assert!(error.message.contains("changed meanwhile"));
}

#[tokio::test]
async fn a_server_that_lies_about_patch_gets_puts_from_then_on() {
    for status in [405, 501] {
        let server = tenant(patches(), move |seen, _| match seen.method.as_str() {
            "PATCH" => Reply::new(status, ""),
            _ => ok(json!({"id": "4711", "userName": "ana"})),
        })
        .await;
        let target = target(&server).await;
        let change = values(&*target, &[("title", "Lead")]);
        target.update(&id(), &change).await.unwrap();
        target.update(&id(), &change).await.unwrap();
        let methods: Vec<_> = asked(&server).iter().map(|seen| seen.method.clone()).collect();
        assert_eq!(methods, ["PATCH", "GET", "PUT", "GET", "PUT"], "{status}");
    }
}

#[tokio::test]
async fn what_the_settings_say_is_used_whatever_the_server_announces() {
    let current = || ok(json!({"id": "4711"}));
    for (config, method, first) in [(patches(), UpdateMethod::Put, "GET"), (puts(), UpdateMethod::Patch, "PATCH")] {
        let server = script(config, vec![current()]).await;
        let target = connect_as(&Settings { update_method: method, ..settings() }, &server, bearer()).await.unwrap();
        target.update(&id(), &values(&*target, &[("title", "x")])).await.unwrap();
        assert_eq!(asked(&server)[0].method, first);
    }
    let server = script(patches(), vec![Reply::new(501, "")]).await;
    let settings = Settings { update_method: UpdateMethod::Patch, ..settings() };
    let target = connect_as(&settings, &server, bearer()).await.unwrap();
    let error = target.update(&id(), &values(&*target, &[("title", "x")])).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Configuration);
    assert!(error.hint.unwrap().contains("target.update_method"));
}

#[tokio::test]
async fn an_update_that_is_refused_fails_for_its_account_alone() {
    for (reply, trouble) in [
        (error(409, "uniqueness"), Trouble::Refused),
        (error(400, "mutability"), Trouble::Refused),
        (error(403, ""), Trouble::Refused),
        (error(404, ""), Trouble::NotFound),
        (error(401, ""), Trouble::Configuration),
    ] {
        let (updated, _) = update(patches(), &[("title", "Lead")], vec![reply.clone()]).await;
        let error = updated.unwrap_err();
        assert_eq!((error.trouble, error.effect), (trouble, Effect::None), "{reply:?}");
    }
}

#[tokio::test]
async fn an_update_is_repeated_when_its_answer_is_lost_and_a_web_page_is_no_answer() {
    for lost in [Reply::HangUp, Reply::new(500, ""), html(200)] {
        let (updated, seen) = update(patches(), &[("title", "Lead")], vec![lost.clone(), Reply::new(204, "")]).await;
        updated.unwrap();
        assert_eq!(seen.len(), 2, "{lost:?}");
        let (updated, _) = update(patches(), &[("title", "Lead")], vec![lost]).await;
        assert_eq!(updated.unwrap_err().effect, Effect::Unknown);
    }
}

#[tokio::test]
async fn who_vanished_before_the_change_is_not_there() {
    let (updated, seen) = update(puts(), &[("title", "Lead")], vec![Reply::new(404, "")]).await;
    assert_eq!((updated.unwrap_err().trouble, seen.len()), (Trouble::NotFound, 1));
}

// Deleting

#[tokio::test]
async fn an_account_is_deleted_once_and_gone_is_gone() {
    let server = script(patches(), vec![Reply::new(204, ""), Reply::new(404, ""), Reply::new(501, "")]).await;
    let target = target(&server).await;
    target.delete(&id()).await.unwrap();
    let error = target.delete(&id()).await.unwrap_err();
    assert_eq!((error.trouble, error.effect), (Trouble::NotFound, Effect::None));
    assert_eq!(target.delete(&id()).await.unwrap_err().trouble, Trouble::Configuration);
    assert_eq!((asked(&server)[0].method.as_str(), asked(&server)[0].path.as_str()), ("DELETE", "/scim/v2/Users/4711"));
}

// Finding

async fn find(server: &Server, rules: &[&[&str]], sought: &[&[(&str, &str)]]) -> Result<Vec<Vec<String>>, CallError> {
    let target = target(server).await;
    let schema = target.schema();
    let rules: Vec<MatchRule> = rules
        .iter()
        .map(|names| MatchRule::new(schema, names.iter().map(|name| schema.id(name).unwrap()).collect()))
        .collect();
    let sought: Vec<Attributes> = sought.iter().map(|pairs| values(&*target, pairs)).collect();
    let found = target.find(&rules, &sought).await?;
    Ok(found.into_iter().map(|accounts| accounts.into_iter().map(|account| account.id.0).collect()).collect())
}

fn two_people() -> Json {
    json!({"totalResults": 2, "Resources": [
        {"id": "1", "userName": "Ana", "externalId": "e1"}, {"id": "2", "userName": "bo", "externalId": "e2"},
    ]})
}

/// A server that knows how to look for `userName` alone; the rest it does not find.
async fn by_user_name() -> Server {
    tenant(patches(), |seen, _| match query(seen, "filter").as_deref() {
        None => ok(two_people()),
        Some(r#"userName eq "ana""#) => {
            ok(json!({"totalResults": 1, "Resources": [{"id": "1", "userName": "Ana", "externalId": "e1"}]}))
        }
        Some(_) => ok(json!({"totalResults": 0})),
    })
    .await
}

#[tokio::test]
async fn people_are_looked_up_by_filter() {
    let server = by_user_name().await;
    let found = find(&server, &[&["userName"]], &[&[("userName", " ana ")], &[("userName", "zoe")]]).await.unwrap();
    assert_eq!(found, [vec!["1"], vec![]]);
    assert_eq!(asked(&server).len(), 2);
}

#[tokio::test]
async fn a_filter_is_escaped() {
    let server = by_user_name().await;
    find(&server, &[&["userName"]], &[&[("userName", "a\"b\\ &ü")]]).await.unwrap();
    assert_eq!(query(&asked(&server)[0], "filter").as_deref(), Some("userName eq \"a\\\"b\\\\ &ü\""));
    assert!(asked(&server)[0].path.contains("filter=userName%20eq%20%22a%5C%22b%5C%5C%20%26%C3%BC%22"));
}

#[tokio::test]
async fn nobody_by_an_attribute_that_may_have_no_index_is_confirmed_by_a_listing() {
    let server = by_user_name().await;
    let found = find(&server, &[&["userName"], &["externalId"]], &[&[("userName", "zoe"), ("externalId", "e2")]]).await;
    assert_eq!(found.unwrap(), [vec!["2"]]);
}

#[tokio::test]
async fn a_filter_that_is_ignored_finds_only_who_is_sought() {
    let server = script(patches(), vec![ok(two_people())]).await;
    let found = find(&server, &[&["userName"]], &[&[("userName", "BO")]]).await.unwrap();
    assert_eq!((found, asked(&server).len()), (vec![vec!["2".to_owned()]], 1));
}

#[tokio::test]
async fn a_filter_that_is_ignored_among_many_is_made_up_for_by_a_listing() {
    let server = tenant(patches(), people(100)).await;
    let found = find(&server, &[&["userName"]], &[&[("userName", "user77")], &[("userName", "user78")]]).await.unwrap();
    assert_eq!(found, [vec!["77"], vec!["78"]]);
}

#[tokio::test]
async fn where_filters_are_refused_or_not_offered_a_listing_finds() {
    for config in [patches(), json!({"filter": {"supported": false}})] {
        let server = tenant(config, |seen, _| match query(seen, "filter") {
            None => ok(two_people()),
            Some(_) => error(400, "invalidFilter"),
        })
        .await;
        let found = find(&server, &[&["userName"]], &[&[("userName", "bo")]]).await.unwrap();
        assert_eq!(found, [vec!["2"]]);
    }
}

#[tokio::test]
async fn a_rule_of_several_attributes_takes_a_listing() {
    let server = by_user_name().await;
    let sought: &[(&str, &str)] = &[("userName", "bo"), ("externalId", "e2")];
    assert_eq!(find(&server, &[&["userName", "externalId"]], &[sought]).await.unwrap(), [vec!["2"]]);
    assert!(asked(&server).iter().all(|seen| query(seen, "filter").is_none()));
}

#[tokio::test]
async fn an_entry_is_looked_up_within_its_attribute() {
    let server = tenant(patches(), |seen, _| match query(seen, "filter").as_deref() {
        Some(r#"emails[type eq "work" and value eq "a@x.org"]"#) => {
            ok(json!({"totalResults": 1, "Resources": [{"id": "1", "emails": [{"type": "work", "value": "A@x.org"}]}]}))
        }
        _ => Reply::new(400, ""),
    })
    .await;
    assert_eq!(find(&server, &[&[WORK]], &[&[(WORK, "a@x.org")]]).await.unwrap(), [vec!["1"]]);
}

#[tokio::test]
async fn a_look_up_that_fails_finds_nobody_missing() {
    let server = script(patches(), vec![Reply::new(500, "")]).await;
    assert!(find(&server, &[&["userName"]], &[&[("userName", "ana")]]).await.is_err());
}
