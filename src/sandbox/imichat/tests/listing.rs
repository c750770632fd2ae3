use super::*;
use crate::sandbox::imichat::{ImichatBehaviour, ListShape, PageLinks, PastTheEnd};
use std::sync::Arc;

async fn listed(count: u64, imichat: ImichatBehaviour, path: &str) -> Answer {
    let (_sandbox, client) = served(Options { system: Arc::new(imichat), ..generated(count) }).await;
    client.get(path).await
}

#[tokio::test]
async fn a_page_has_ten_users_and_every_user_is_on_one() {
    let (_sandbox, client) = served(generated(25)).await;
    let mut logins = Vec::new();
    for (page, users) in [(1, 10), (2, 10), (3, 5)] {
        let answer = client.get(&format!("/users/?page={page}")).await;
        assert_eq!(answer.codes(), (200, 4306));
        assert_eq!(answer.logins().len(), users);
        logins.extend(answer.logins());
    }
    let expected: Vec<String> = (1..=25).map(|n| format!("user{n:06}")).collect();
    assert_eq!(logins, expected);
    assert_eq!(client.get("/users").await.text, client.get("/users/?page=1").await.text);
}

#[tokio::test]
async fn the_links_say_where_to_go_on_and_how_many_pages_there_are() {
    let (sandbox, client) = served(generated(20)).await;
    let links = client.get("/users?page=1").await.response()["links"].clone();
    assert_eq!(links, json!({"next": format!("{}/users/?page=2", sandbox.base_url()), "pages": 2}));
    let links = client.get("/users?page=2").await.response()["links"].clone();
    assert_eq!(links, json!({"next": null, "pages": 2}));
    let with = |links| ImichatBehaviour { links, ..ImichatBehaviour::default() };
    assert_eq!(listed(1, with(PageLinks::Pages), "/users").await.response()["links"], json!({"pages": 1}));
    assert_eq!(listed(1, with(PageLinks::Next), "/users").await.response()["links"], json!({"next": null}));
    assert!(listed(1, with(PageLinks::Absent), "/users").await.response().get("links").is_none());
}

#[tokio::test]
async fn a_list_can_be_a_bare_array() {
    let imichat = ImichatBehaviour { list: ListShape::Array, ..ImichatBehaviour::default() };
    let answer = listed(12, imichat, "/users/?page=2").await;
    assert_eq!(answer.response().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn past_the_end_is_not_found_or_empty() {
    assert_eq!(listed(20, ImichatBehaviour::default(), "/users/?page=3").await.codes(), (404, 3101));
    assert!(listed(0, ImichatBehaviour::default(), "/users/?page=1").await.logins().is_empty());
    let imichat = ImichatBehaviour { past_the_end: PastTheEnd::EmptyPage, ..ImichatBehaviour::default() };
    let answer = listed(20, imichat, "/users/?page=3").await;
    assert_eq!(answer.codes(), (200, 4306));
    assert!(answer.logins().is_empty());
}

#[tokio::test]
async fn a_page_that_is_no_number_is_refused() {
    for page in ["0", "x", "-1", "18446744073709551616"] {
        let answer = listed(1, ImichatBehaviour::default(), &format!("/users?page={page}")).await;
        assert_eq!(answer.codes(), (400, 3115), "{page}");
    }
    let far = listed(1, ImichatBehaviour::default(), &format!("/users?page={}", u64::MAX)).await;
    assert_eq!(far.codes(), (404, 3101));
}
