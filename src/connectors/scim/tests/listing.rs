//! Listings, and one account.

use super::*;

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
    assert_eq!((asked.len(), target.meter().sent_so_far().list), (5, 5));
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
    let costs = |target: &dyn Connector| [0, 99, 100, 101, 1000].map(|n| target.costs().listing.count_requests(n));
    assert_eq!(costs(&*target), [1, 1, 2, 4, 12]);
    // Once the server has shown how large its pages are.
    listed(&*target).await.unwrap();
    assert_eq!(target.costs().listing.count_requests(100), target.meter().sent_so_far().list);
}

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
