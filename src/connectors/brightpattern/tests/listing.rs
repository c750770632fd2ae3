//! Listings: the directory, and everybody who is in it.

use super::*;

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
    let shown = |at: usize, name: &str| accounts[at].values.get(make_schema().id(name).unwrap()).cloned();
    assert_eq!(shown(1, "disabled"), Some(Value::Bool(false)));
    assert_eq!(shown(1, "team"), Some(Value::text("Sales")));
    assert_eq!(shown(1, "firstName"), Some(Value::text("F-ana")));
    assert_eq!(shown(2, "firstName"), Some(Value::text("Cy")));
    assert_eq!(
        (target.meter().sent_so_far().list, target.meter().sent_so_far().auth),
        (target.costs().listing.count_requests(3), 1)
    );
    assert_eq!((target.costs().listing.count_requests(3), target.costs().listing.count_requests(0)), (5, 1));
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
    assert_eq!((target.meter().sent_so_far().list, target.costs().listing.count_requests(2000)), (1, 1));
}

#[tokio::test]
async fn an_empty_contact_center_is_listed_with_one_request() {
    let server = center(vec![vec![]], user).await;
    let target = target(&server);
    let seen = listed(&target).await.unwrap();
    assert!(seen.complete && seen.accounts.is_empty());
    assert_eq!(target.meter().sent_so_far().list, 1);
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
    assert_eq!(target.meter().sent_so_far().list, 5);
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
