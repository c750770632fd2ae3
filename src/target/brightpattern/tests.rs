//! The target against a server that answers what a script says.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;

use super::*;
use crate::clock::TestClock;
use crate::model::Value;
use crate::target::http::testing::{Reply, Seen, Server, rate};
use crate::target::{Effect, Trouble};

const BASE: &str = "/configapi/v2";

fn connect_with(server: &Server, rate: &Rate, needed: &[&str]) -> BrightPattern {
    let clock = TestClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 42);
    let login =
        Login { client_id: "api".to_owned(), client_secret: Secret::new("key-1"), scope: "acme.org".to_owned() };
    let needed: Vec<_> = needed.iter().map(|name| (*name).to_owned()).collect();
    connect(&format!("{}{BASE}", server.address), rate, clock, Arc::default(), login, &needed).unwrap()
}

fn target(server: &Server) -> BrightPattern {
    connect_with(server, &Rate { retries: 2, ..rate() }, &["loginId", "team"])
}

/// A server that lets everybody in and answers everything else as the function says; the number counts those answers.
async fn tenant(handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let calls = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        if seen.path == format!("{BASE}/oauth/token") {
            return Reply::new(200, r#"{"access_token":"token-1","token_type":"Bearer","expires_in":"3600"}"#);
        }
        handler(seen, calls.fetch_add(1, Ordering::SeqCst))
    })
    .await
}

/// Always the same answer.
async fn always(reply: Reply) -> Server {
    tenant(move |_, _| reply.clone()).await
}

fn html() -> Reply {
    Reply::new(200, "<html>Please sign in</html>").with("content-type", "application/json")
}

fn entry(login: &str) -> String {
    format!(r#"{{"extension":7,"loginId":"{login}","firstName":"F-{login}","voiceMail":false}}"#)
}

fn directory(logins: &[&str]) -> Reply {
    Reply::new(200, format!("[{}]", logins.iter().map(|login| entry(login)).collect::<Vec<_>>().join(",")))
}

/// The user whom a request asks for.
fn user(seen: &Seen) -> Reply {
    let login = asked(seen).unwrap();
    Reply::new(200, format!(r#"{{"loginId":"{login}","team":"Sales","disabled":"false"}}"#))
}

fn asked(seen: &Seen) -> Option<&str> {
    seen.path.strip_prefix(&format!("{BASE}/user/"))
}

/// A contact center with these users in the directory, each time it is read the next list (the last one for ever).
async fn center(directories: Vec<Vec<&'static str>>, users: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    let reads = AtomicUsize::new(0);
    tenant(move |seen, _| {
        if asked(seen).is_some() {
            return users(seen);
        }
        assert_eq!(seen.path, format!("{BASE}/phone/user"));
        let read = reads.fetch_add(1, Ordering::SeqCst);
        directory(&directories[read.min(directories.len() - 1)])
    })
    .await
}

struct Shown {
    /// Ids, in their order by name, with why each is out of reach.
    accounts: Vec<(String, Option<String>)>,
    sizes: Vec<usize>,
    pages: Vec<Option<u64>>,
    complete: bool,
    notes: String,
}

impl Shown {
    fn ids(&self) -> Vec<&str> {
        self.accounts.iter().map(|(id, _)| id.as_str()).collect()
    }
    fn out_of_reach(&self) -> Vec<&str> {
        self.accounts.iter().filter(|(_, why)| why.is_some()).map(|(id, _)| id.as_str()).collect()
    }
}

async fn listed(target: &BrightPattern) -> Result<Shown, CallError> {
    let mut listing = target.list();
    let mut seen =
        Shown { accounts: Vec::new(), sizes: Vec::new(), pages: Vec::new(), complete: false, notes: String::new() };
    let mut ends = 0;
    while let Some(piece) = listing.next().await {
        assert_eq!(ends, 0, "something after the end");
        match piece? {
            Listed::Page { accounts, pages } => {
                seen.sizes.push(accounts.len());
                seen.pages.push(pages);
                seen.accounts.extend(accounts.into_iter().map(|account| (account.id.0, account.protected)));
            }
            Listed::Again { why } => panic!("a directory is read at once: {why}"),
            Listed::End { complete, notes } => {
                ends += 1;
                (seen.complete, seen.notes) = (complete, notes.join("; "));
            }
        }
    }
    assert_eq!(ends, 1, "a listing ends");
    seen.accounts.sort();
    Ok(seen)
}

fn values(pairs: &[(&str, &str)]) -> Attributes {
    let schema = schema();
    pairs.iter().map(|(name, json)| (schema.id(name).unwrap(), serde_json::from_str(json).unwrap())).collect()
}

fn newcomer() -> Attributes {
    let mut newcomer = values(&[("loginId", "\"ana\""), ("team", "\"Sales\""), ("skills", r#"{"x":1}"#)]);
    newcomer.set(schema().id("password").unwrap(), Value::Secret(Secret::new("hunter2!")));
    newcomer
}

fn id(login: &str) -> AccountId {
    AccountId(login.to_owned())
}

#[tokio::test]
async fn everybody_is_listed_with_everything_and_it_costs_what_was_said() {
    let server = center(vec![vec!["ana", "Bo", "c/d"]], |seen| {
        if asked(seen) == Some("c%2Fd") {
            return Reply::new(200, r#"{"loginId":"C/D","team":"Sales","firstName":"Cy"}"#);
        }
        user(seen)
    })
    .await;
    let target = target(&server);
    target.sign_in().await.unwrap();
    let mut listing = target.list();
    let Some(Ok(Listed::Page { mut accounts, pages })) = listing.next().await else { panic!("a page") };
    assert!(matches!(listing.next().await, Some(Ok(Listed::End { complete: true, .. }))));
    accounts.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(pages, Some(1));
    // The directory's spelling is the id; what the user's own answer leaves out comes from the directory.
    assert_eq!(accounts.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(), ["Bo", "ana", "c/d"]);
    let shown = |at: usize, name: &str| accounts[at].values.get(schema().id(name).unwrap()).cloned();
    assert_eq!(shown(1, "disabled"), Some(Value::Bool(false)));
    assert_eq!(shown(1, "team"), Some(Value::text("Sales")));
    assert_eq!(shown(1, "firstName"), Some(Value::text("F-ana")));
    assert_eq!(shown(2, "firstName"), Some(Value::text("Cy")));
    assert_eq!((target.meter().sent().list, target.meter().sent().auth), (target.listing_cost(3), 1));
    assert_eq!((target.listing_cost(3), target.listing_cost(0)), (5, 1));
    for seen in server.seen().iter().skip(1) {
        assert_eq!(seen.header("authorization"), Some("Bearer token-1"));
    }
}

#[tokio::test]
async fn where_the_directory_has_all_that_is_compared_nobody_is_asked_for() {
    let server = center(vec![vec!["ana", "bo"]], |_| panic!("no user is asked for")).await;
    let target = connect_with(&server, &rate(), &["loginId", "firstName", "extension"]);
    let seen = listed(&target).await.unwrap();
    assert!(seen.complete);
    assert_eq!(seen.ids(), ["ana", "bo"]);
    assert_eq!((target.meter().sent().list, target.listing_cost(2000)), (1, 1));
}

#[tokio::test]
async fn an_empty_contact_center_is_listed_with_one_request() {
    let server = center(vec![vec![]], user).await;
    let target = target(&server);
    let seen = listed(&target).await.unwrap();
    assert!(seen.complete && seen.accounts.is_empty());
    assert_eq!(target.meter().sent().list, 1);
}

#[tokio::test]
async fn accounts_arrive_in_pages_of_which_the_number_is_known() {
    let logins: Vec<&'static str> = (0..120).map(|n| &*Box::leak(format!("u{n}").into_boxed_str())).collect();
    let server = center(vec![logins], user).await;
    let seen = listed(&target(&server)).await.unwrap();
    assert_eq!((seen.sizes, seen.pages), (vec![50, 50, 20], vec![Some(3); 3]));
}

#[tokio::test]
async fn users_are_asked_for_as_many_at_once_as_the_settings_allow() {
    let server = tenant(|seen, _| {
        if asked(seen).is_none() {
            return directory(&["a", "b", "c", "d"]);
        }
        // The token, the directory, and four users under way at once.
        let body = format!(r#"{{"loginId":"{}"}}"#, asked(seen).unwrap());
        Reply::Together { arrived: 6, status: 200, body }
    })
    .await;
    let target = connect_with(&server, &Rate { concurrency: 4, ..rate() }, &["team"]);
    assert_eq!(listed(&target).await.unwrap().ids(), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn who_vanishes_while_the_users_are_read_is_left_out_and_said() {
    let server = center(vec![vec!["ana", "bo"], vec!["bo"]], |seen| match asked(seen) {
        Some("ana") => Reply::new(404, "no such user"),
        _ => user(seen),
    })
    .await;
    let seen = listed(&target(&server)).await.unwrap();
    assert_eq!((seen.ids(), seen.complete), (vec!["bo"], true));
    assert_eq!(seen.notes, "vanished while the users were read: ana");
}

#[tokio::test]
async fn who_is_not_found_but_stays_in_the_directory_is_neither_absent_nor_new() {
    let server = center(vec![vec!["ana", "bo"]], |_| Reply::new(404, "not here")).await;
    let seen = listed(&target(&server)).await.unwrap();
    assert_eq!((seen.out_of_reach(), seen.complete), (vec!["ana", "bo"], false));
    assert!(seen.notes.contains("does not find: "), "{}", seen.notes);
}

#[tokio::test]
async fn who_cannot_be_read_is_out_of_reach_and_the_others_are_not() {
    for garbage in [html(), Reply::new(200, "{}"), Reply::new(400, "bad"), Reply::new(403, "no"), Reply::new(500, "")] {
        let server = center(vec![vec!["ana", "bo", "cy"]], move |seen| match asked(seen) {
            Some("bo") => garbage.clone(),
            _ => user(seen),
        })
        .await;
        let seen = listed(&target(&server)).await.unwrap();
        assert_eq!((seen.ids(), seen.out_of_reach()), (vec!["ana", "bo", "cy"], vec!["bo"]));
        assert!(!seen.complete && seen.notes.contains("details of 1 users") && seen.notes.contains("user/bo"));
    }
}

#[tokio::test]
async fn where_nobody_can_be_read_the_listing_fails() {
    let logins: Vec<&'static str> = (0..50).map(|n| &*Box::leak(format!("u{n}").into_boxed_str())).collect();
    let server = center(vec![logins], |_| Reply::new(403, "not yours")).await;
    let error = listed(&target(&server)).await.err().unwrap();
    assert_eq!((error.trouble, error.code), (Trouble::Refused, Some(403)));
    assert!(server.count("GET", &format!("{BASE}/user/")) < 20);
}

#[tokio::test]
async fn a_connection_that_breaks_is_not_taken_for_one_bad_user() {
    let server = center(vec![vec!["ana", "bo"]], |_| Reply::HangUp).await;
    let error = listed(&target(&server)).await.err().unwrap();
    assert_eq!(error.trouble, Trouble::Unavailable);
}

#[tokio::test]
async fn who_is_new_when_the_directory_is_read_again_is_read_too() {
    let server = center(vec![vec!["ana"], vec!["ana", "bo"]], user).await;
    let target = target(&server);
    let seen = listed(&target).await.unwrap();
    assert_eq!((seen.ids(), seen.out_of_reach().len(), seen.complete), (vec!["ana", "bo"], 0, true));
    assert_eq!(target.meter().sent().list, 5);
}

#[tokio::test]
async fn a_directory_that_keeps_changing_is_not_complete() {
    let server = center(vec![vec!["a"], vec!["a", "b"], vec!["b", "c"], vec!["d"]], user).await;
    let seen = listed(&target(&server)).await.unwrap();
    assert_eq!((seen.ids(), seen.out_of_reach(), seen.complete), (vec!["a", "b", "c"], vec!["c"], false));
    assert!(seen.notes.contains("keeps changing"), "{}", seen.notes);
}

#[tokio::test]
async fn logins_that_differ_in_case_alone_are_two_accounts_and_a_doubt() {
    let server = center(vec![vec!["Ana", "ana"]], user).await;
    let seen = listed(&target(&server)).await.unwrap();
    assert_eq!((seen.ids(), seen.complete), (vec!["Ana", "ana"], false));
    assert!(seen.notes.contains("only in case: ana"), "{}", seen.notes);
}

#[tokio::test]
async fn entries_shown_twice_or_without_a_login_are_a_doubt() {
    let server = center(vec![vec!["ana", "", "ana"]], user).await;
    let seen = listed(&target(&server)).await.unwrap();
    assert_eq!((seen.ids(), seen.complete), (vec!["ana"], false));
    assert_eq!(
        seen.notes, "the directory has 1 users without a loginId; the directory shows users twice: ana",
        "each is said once"
    );
}

#[tokio::test]
async fn without_a_directory_there_is_no_listing() {
    for (reply, trouble, hint) in [
        (html(), Trouble::Garbled, "target.base_url"),
        (Reply::new(404, "<html>"), Trouble::Configuration, "/configapi/v2"),
        (Reply::new(403, "no"), Trouble::Configuration, "target.client_id"),
        (Reply::new(405, ""), Trouble::Configuration, "/configapi/v2"),
    ] {
        let server = always(reply).await;
        let error = listed(&target(&server)).await.err().unwrap();
        assert_eq!(error.trouble, trouble, "{error}");
        assert!(error.hint.as_deref().unwrap().contains(hint), "{error:?}");
    }
}

#[tokio::test]
async fn a_listing_that_nobody_reads_any_more_stops_asking() {
    let logins: Vec<&'static str> = (0..1000).map(|n| &*Box::leak(format!("u{n}").into_boxed_str())).collect();
    let server = center(vec![logins], user).await;
    let target = target(&server);
    let mut listing = target.list();
    assert!(listing.next().await.unwrap().is_ok());
    drop(listing);
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let before = server.seen().len();
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert!(server.seen().len() <= before + 1 && before < 900, "{before}");
}

#[tokio::test]
async fn one_user_is_shown_or_is_not_there() {
    let server = tenant(|seen, _| match asked(seen) {
        Some("ana") => user(seen),
        Some("other") => Reply::new(200, r#"{"loginId":"ana"}"#),
        _ => Reply::new(404, "User not found"),
    })
    .await;
    let target = target(&server);
    assert_eq!(target.get(&id("ana")).await.unwrap().unwrap().id, id("ana"));
    assert_eq!(target.get(&id("bo")).await.unwrap(), None);
    // What no path can name cannot be there.
    assert_eq!(target.get(&id("..")).await.unwrap(), None);
    let error = target.get(&id("other")).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Garbled);
    assert!(error.message.contains("about \"ana\""), "{error}");
}

#[tokio::test]
async fn whoever_has_a_login_is_looked_up_by_it() {
    let server = tenant(|seen, _| match asked(seen) {
        Some("Ana") => Reply::new(200, r#"{"loginId":"ana","firstName":"Ana"}"#),
        Some(_) => Reply::new(404, ""),
        None => panic!("no directory is read"),
    })
    .await;
    let target = target(&server);
    let rules = [
        MatchRule::new(target.schema(), vec![at::LOGIN_ID]),
        MatchRule::new(target.schema(), vec![at::LOGIN_ID, at::FIRST_NAME]),
    ];
    let sought = [values(&[("loginId", "\"Ana\"")]), values(&[("loginId", "\"bo\"")]), values(&[])];
    let found = target.find(&rules, &sought).await.unwrap();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(found[0][0].id.as_str(), "ana", "as the server spells it");
    assert_eq!((target.meter().sent().lookup, target.meter().sent().list), (2, 0));
    // The longer rule alone: the login is there, but it is somebody else's.
    let sought = [values(&[("loginId", "\"Ana\""), ("firstName", "\"Bo\"")])];
    assert_eq!(target.find(&rules[1..], &sought).await.unwrap(), [vec![]]);
}

#[tokio::test]
async fn any_other_rule_needs_the_whole_listing() {
    let server = center(vec![vec!["ana", "bo"]], |seen| {
        let login = asked(seen).unwrap();
        Reply::new(200, format!(r#"{{"loginId":"{login}","email":"{login}@x.org"}}"#))
    })
    .await;
    let target = connect_with(&server, &rate(), &["loginId"]);
    let rules = [MatchRule::new(target.schema(), vec![target.schema().id("email").unwrap()])];
    let found = target.find(&rules, &[values(&[("email", "\"BO@x.org\"")])]).await.unwrap();
    assert_eq!(found[0].iter().map(|account| account.id.as_str()).collect::<Vec<_>>(), ["bo"]);
    assert_eq!((target.meter().sent().lookup, target.meter().sent().list), (4, 0));
}

#[tokio::test]
async fn a_create_is_done_with_ok_with_the_user_and_with_nothing() {
    for (body, made) in [("OK", "ana"), ("", "ana"), (r#"{"loginId":"Ana","team":"Sales"}"#, "Ana")] {
        let server = always(Reply::new(200, body)).await;
        assert_eq!(target(&server).create(&newcomer()).await.unwrap(), id(made), "{body}");
        let seen = server.seen();
        assert_eq!((seen[1].method.as_str(), seen[1].path.as_str()), ("POST", "/configapi/v2/user"));
        assert_eq!(seen[1].header("content-type"), Some("application/json"));
        let sent: serde_json::Value = serde_json::from_str(&seen[1].body).unwrap();
        let all = serde_json::json!({"loginId":"ana","team":"Sales","skills":{"x":1},"password":"hunter2!"});
        assert_eq!(sent, all);
    }
}

#[tokio::test]
async fn a_create_that_is_refused_had_no_effect_and_is_not_sent_again() {
    for (status, body, trouble, says) in [
        (400, "firstName is too long", Trouble::Refused, "firstName is too long"),
        (404, "Not found", Trouble::Refused, r#"team "Sales"; skills "x""#),
        (405, "", Trouble::Configuration, "method not allowed"),
        (409, "exists", Trouble::Exists, "exists"),
        (415, "", Trouble::Configuration, "unsupported media type"),
        (
            400,
            r#"{"error":"bad","error_description":"password hunter2! is weak"}"#,
            Trouble::Refused,
            "(secret) is weak",
        ),
    ] {
        let server = always(Reply::new(status, body)).await;
        let error = target(&server).create(&newcomer()).await.unwrap_err();
        assert_eq!((error.trouble, error.effect, error.code), (trouble, Effect::None, Some(u32::from(status))));
        assert!(error.message.contains(says) && !error.message.contains("hunter2"), "{}", error.message);
        assert_eq!(server.count("POST", "/configapi/v2/user"), 1);
    }
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_or_is_none_may_have_happened_and_is_not_repeated() {
    let other = Reply::new(200, r#"{"loginId":"somebody-else"}"#);
    let wrong = Reply::new(200, r#"{"error":"later"}"#);
    let half = Reply::new(200, r#"{"loginId":"an"#);
    for reply in
        [Reply::HangUp, Reply::BreakOff, Reply::new(500, "boom"), Reply::new(502, ""), html(), half, other, wrong]
    {
        let server = always(reply.clone()).await;
        let error = target(&server).create(&newcomer()).await.unwrap_err();
        assert_eq!(error.effect, Effect::Unknown, "{reply:?}");
        assert_eq!(server.count("POST", "/configapi/v2/user"), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn who_cannot_be_named_by_an_address_is_not_created() {
    let server = always(Reply::new(200, "OK")).await;
    for login in ["\"..\"", "\"\"", "null"] {
        let error = target(&server).create(&values(&[("loginId", login)])).await.unwrap_err();
        assert_eq!((error.trouble, error.effect), (Trouble::Refused, Effect::None));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn an_update_carries_exactly_the_values_given_and_is_repeated() {
    let server = tenant(|_, n| Reply::new(if n == 0 { 503 } else { 200 }, "")).await;
    let target = target(&server);
    let wanted = values(&[("skills", r#"{"a":1,"b":2}"#), ("disabled", "true")]);
    target.update(&id("ana diaz"), &wanted).await.unwrap();
    let seen = server.seen();
    assert_eq!((seen[2].method.as_str(), seen[2].path.as_str()), ("PUT", "/configapi/v2/user/ana%20diaz"));
    assert_eq!(seen[2].body, r#"{"disabled":true,"skills":{"a":1,"b":2}}"#);
    assert_eq!(target.meter().sent().retried, 1);
}

#[tokio::test]
async fn an_update_that_finds_nothing_tells_the_user_from_the_team() {
    for (is_there, trouble) in [(true, Trouble::Refused), (false, Trouble::NotFound)] {
        let server = tenant(move |seen, _| match seen.method.as_str() {
            "GET" if is_there => user(seen),
            _ => Reply::new(404, "not found"),
        })
        .await;
        let target = target(&server);
        let error = target.update(&id("ana"), &values(&[("team", "\"Sals\"")])).await.unwrap_err();
        assert_eq!((&error.trouble, error.effect), (&trouble, Effect::None));
        assert_eq!(error.message.contains(r#"team "Sals""#), is_there, "{error}");
        // Without a team there is nothing to tell apart.
        let error = target.update(&id("ana"), &values(&[("disabled", "true")])).await.unwrap_err();
        assert_eq!(error.trouble, Trouble::NotFound);
        assert_eq!(target.meter().sent().lookup, 1);
    }
}

#[tokio::test]
async fn a_deletion_is_one_request_and_who_is_gone_is_gone() {
    let server = tenant(|seen, _| Reply::new(if asked(seen) == Some("ana") { 200 } else { 404 }, "")).await;
    let target = target(&server);
    target.delete(&id("ana")).await.unwrap();
    assert_eq!(server.count("DELETE", "/configapi/v2/user/ana"), 1);
    assert_eq!(target.delete(&id("bo")).await.unwrap_err().trouble, Trouble::NotFound);
    assert_eq!(target.delete(&id("..")).await.unwrap_err().trouble, Trouble::NotFound);
}

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
