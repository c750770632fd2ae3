//! Listings, and looking people up in them.

use super::*;

#[tokio::test]
async fn pages_are_read_to_the_short_one() {
    let server = tenant(|seen, _| {
        let page = page_number(seen);
        Reply::new(200, said(4306, &format!(r#"{{"users":[{}]}}"#, users(page * 10, (page * 10 + 10).min(35)))))
    })
    .await;
    let target = target(&server);
    assert_eq!(listed(&target).await.unwrap(), (25, true, vec![]));
    assert_eq!(server.seen()[1].path, "/v3.1/users/?page=1");
    assert_eq!((target.meter().sent_so_far().list, target.costs().listing.count_requests(25)), (7, 7));
}

#[tokio::test]
async fn pages_past_the_end_are_no_error() {
    for past in [code(3101), html(404), Reply::new(200, said(4306, "null")), Reply::new(200, said(4306, "[]"))] {
        let server = tenant(move |seen, _| match page_number(seen) {
            1 => Reply::new(200, said(4306, &format!("[{}]", users(0, 10)))),
            _ => past.clone(),
        })
        .await;
        assert_eq!(listed(&target(&server)).await.unwrap(), (10, true, vec![]));
    }
}

#[tokio::test]
async fn a_tenant_without_users_has_a_complete_listing_of_none() {
    for empty in [code(3101), Reply::new(200, said(4306, r#"{"users":[]}"#)), code(4306)] {
        let server = tenant(move |_, _| empty.clone()).await;
        assert_eq!(listed(&target(&server)).await.unwrap(), (0, true, vec![]));
    }
}

#[tokio::test]
async fn known_pages_are_fetched_at_the_same_time() {
    // After the sign-in, the first page and the last nothing is answered before four more pages were asked for.
    let server = tenant(|seen, n| {
        let page = page_number(seen);
        let users = users(page * 10, page * 10 + 10);
        let body = said(4306, &format!(r#"{{"users":[{users}],"links":{{"pages":"20"}}}}"#));
        Reply::Together { arrived: [2, 3].get(n).copied().unwrap_or(7), status: 200, body }
    })
    .await;
    let rate = Rate { concurrency: 4, ..rate() };
    let target = connect_as(&settings(), &format!("{}/v3.1", server.address), &rate).unwrap();
    let end = tokio::time::timeout(Duration::from_secs(20), listed(&target)).await;
    assert_eq!(end.expect("pages wait for each other").unwrap(), (200, true, vec![]));
    assert_eq!(target.meter().sent_so_far().list, 20 + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_is_asked_for_before_somebody_wants_more_than_the_first() {
    let server = tenant(|seen, _| {
        let page = page_number(seen);
        let users = users(page * 10, page * 10 + 10);
        Reply::new(200, said(4306, &format!(r#"{{"users":[{users}],"links":{{"pages":20}}}}"#)))
    })
    .await;
    let target = target(&server);
    let mut pages = target.list();
    assert!(matches!(pages.next().await, Some(Ok(Listed::Page { pages: Some(20), .. }))));
    // What was sent in spite of it would be counted by the time that this answer has come.
    target.get(&AccountId("4711".to_owned())).await.unwrap_err();
    assert_eq!(target.meter().sent_so_far().list, 1);
}

#[tokio::test]
async fn other_requests_get_through_while_a_listing_is_not_being_read() {
    let server = tenant(|seen, _| {
        if seen.path == "/v3.1/users/4711" {
            return Reply::new(200, said(4306, r#"{"id":4711}"#));
        }
        let page = page_number(seen);
        let users = users(page * 10, page * 10 + 10);
        Reply::new(200, said(4306, &format!(r#"{{"users":[{users}],"links":{{"pages":20}}}}"#)))
    })
    .await;
    let target = target(&server);
    let mut pages = target.list();
    for _ in 0..2 {
        assert!(matches!(pages.next().await, Some(Ok(Listed::Page { pages: Some(20), .. }))));
    }
    let found = tokio::time::timeout(Duration::from_secs(20), target.get(&AccountId("4711".to_owned()))).await;
    assert!(found.expect("the listing holds the only place").unwrap().is_some());
}

#[tokio::test]
async fn a_listing_ends_with_its_first_error() {
    let server = tenant(|seen, _| match page_number(seen) {
        1 => Reply::new(200, said(4306, &format!("[{}]", users(0, 10)))),
        _ => code(2010),
    })
    .await;
    let target = target(&server);
    let mut pages = target.list();
    assert!(matches!(pages.next().await, Some(Ok(Listed::Page { .. }))));
    assert_eq!(pages.next().await.unwrap().unwrap_err().trouble, Trouble::Configuration);
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_listing_of_a_wrong_shape_is_garbled_and_a_wrong_path_is_the_configurations_fault() {
    let server = tenant(|_, _| Reply::new(200, said(4306, r#"{"people":[]}"#))).await;
    assert_eq!(listed(&target(&server)).await.unwrap_err().trouble, Trouble::Garbled);
    let server = tenant(|_, _| html(404)).await;
    let error = listed(&target(&server)).await.unwrap_err();
    assert_eq!((error.trouble, server.count("GET", "/v3.1/users")), (Trouble::Configuration, 1));
}

#[tokio::test]
async fn looking_up_reads_the_listing_and_counts_as_looking_up() {
    let server = tenant(|seen, _| {
        let page = page_number(seen);
        Reply::new(200, said(4306, &format!("[{}]", users(page * 10, (page * 10 + 10).min(25)))))
    })
    .await;
    let target = target(&server);
    let login = target.schema().id("login_id").unwrap();
    let rules = [MatchRule::new(target.schema(), vec![login])];
    let sought: Vec<Attributes> =
        ["USER12", "nobody"].iter().map(|name| [(login, Value::text(*name))].into_iter().collect()).collect();
    let found = target.find(&rules, &sought).await.unwrap();
    assert_eq!((found[0][0].id.as_str(), found[0].len(), found[1].len()), ("12", 1, 0));
    let sent = target.meter().sent_so_far();
    assert_eq!((sent.list, sent.lookup), (0, 2 + 2));
}
