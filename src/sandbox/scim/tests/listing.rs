use super::*;
use crate::sandbox::scim::{Cursors, Empty, FilterSupport, Obeyed};

fn generated(count: u64, scim: ScimBehaviour) -> Options {
    Options { seed: Seed::Generated(count), ..behaving(scim) }
}

/// A query with its values encoded.
fn query(pairs: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://x/", pairs).unwrap();
    format!("/Users?{}", url.query().unwrap())
}

async fn filtered(client: &Client, filter: &str) -> Answer {
    client.get(&query(&[("filter", filter)])).await
}

#[tokio::test]
async fn pages_by_index_have_every_user_once() {
    let (_sandbox, client) = served(generated(25, ScimBehaviour::default())).await;
    let mut all = Vec::new();
    for (start, size) in [(1, 10), (11, 10), (21, 5), (31, 0)] {
        let answer = client.get(&format!("/Users?startIndex={start}&count=10")).await;
        let json = answer.json();
        assert_eq!(
            (&json["totalResults"], &json["itemsPerPage"], &json["startIndex"]),
            (&json!(25), &json!(size), &json!(start))
        );
        all.extend(names(&answer));
    }
    let expected: Vec<String> = (1..=25).map(|n| format!("user{n:06}@example.com")).collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_count_is_clamped_and_may_be_ignored() {
    let (_sandbox, client) = served(generated(25, ScimBehaviour { max_count: 7, ..ScimBehaviour::default() })).await;
    for (count, size) in [("", 7), ("?count=100", 7), ("?count=3", 3), ("?count=0", 0), ("?count=-1", 0)] {
        assert_eq!(client.get(&format!("/Users{count}")).await.json()["itemsPerPage"], size, "{count}");
    }
    assert_eq!(client.get("/Users?count=ten").await.json()["scimType"], "invalidValue");
    let ignoring = ScimBehaviour { max_count: 7, count: Obeyed::Ignored, ..ScimBehaviour::default() };
    let (_sandbox, client) = served(generated(25, ignoring)).await;
    assert_eq!(client.get("/Users?count=3").await.json()["itemsPerPage"], 7);
}

#[tokio::test]
async fn pages_may_repeat() {
    let behaviour = ScimBehaviour { start_index: Obeyed::Ignored, ..ScimBehaviour::default() };
    let (_sandbox, client) = served(generated(25, behaviour)).await;
    let first = names(&client.get("/Users?startIndex=1&count=10").await);
    assert_eq!(names(&client.get("/Users?startIndex=11&count=10").await), first);
}

#[tokio::test]
async fn pages_by_cursor_have_every_user_once() {
    for cursors in [Cursors::Offered, Cursors::Only] {
        let (_sandbox, client) = served(generated(25, ScimBehaviour { cursors, ..ScimBehaviour::default() })).await;
        let mut cursor = String::new();
        let mut all = Vec::new();
        loop {
            let answer = client.get(&query(&[("count", "10"), ("cursor", &cursor)])).await;
            all.extend(names(&answer));
            match answer.json().get("nextCursor") {
                Some(next) => cursor = next.as_str().unwrap().to_owned(),
                None => break,
            }
        }
        assert_eq!(all.len(), 25);
        all.dedup();
        assert_eq!(all.len(), 25);
        assert_eq!(client.get("/Users?cursor=11").await.json()["scimType"], "invalidCursor");
        let by_index = client.get("/Users?startIndex=11").await;
        assert_eq!(by_index.status == 200, cursors == Cursors::Offered);
    }
    let (_sandbox, client) = served(generated(25, ScimBehaviour::default())).await;
    assert!(client.get("/Users?cursor&count=10").await.json().get("nextCursor").is_none(), "nobody announced it");
}

#[tokio::test]
async fn a_filter_finds_whom_it_names() {
    let (_sandbox, client) = served(options()).await;
    for filter in [
        r#"userName eq "BEN@example.com""#,
        r#"externalId eq "E1""#,
        r#"id eq "b1""#,
        r#"name.familyName eq "katz""#,
        r#"emails.value eq "ben@example.com""#,
        r#"emails[type eq "work"].value eq "ben@example.com""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "Sales""#,
        "active eq true",
    ] {
        assert_eq!(names(&filtered(&client, filter).await), ["Ben@example.com"], "{filter}");
    }
    for filter in [r#"userName eq "ben""#, r#"externalId eq "e1""#, r#"userName eq "x\" or id pr""#] {
        assert_eq!(filtered(&client, filter).await.json()["totalResults"], 0, "{filter}");
    }
    let wrong = filtered(&client, "userName is ben").await;
    assert_eq!((wrong.status.as_u16(), &wrong.json()["scimType"]), (400, &json!("invalidFilter")));
}

#[tokio::test]
async fn a_filter_may_be_ignored_refused_or_blind() {
    let ben = r#"externalId eq "E1""#;
    let total = async |scim: ScimBehaviour| {
        let (_sandbox, client) = served(behaving(scim)).await;
        let answer = filtered(&client, ben).await;
        if answer.status == 200 { answer.json()["totalResults"].as_u64() } else { None }
    };
    assert_eq!(total(ScimBehaviour { filter: FilterSupport::Ignored, ..ScimBehaviour::default() }).await, Some(2));
    assert_eq!(total(ScimBehaviour { filter: FilterSupport::Unsupported, ..ScimBehaviour::default() }).await, None);
    let not_indexed = vec!["externalId".to_owned()];
    assert_eq!(total(ScimBehaviour { not_indexed, ..ScimBehaviour::default() }).await, Some(0));
}

#[tokio::test]
async fn an_empty_list_may_lack_its_resources() {
    let list = async |empty| {
        let (_sandbox, client) = served(generated(0, ScimBehaviour { empty, ..ScimBehaviour::default() })).await;
        client.get("/Users").await.json().get("Resources").cloned()
    };
    assert_eq!(list(Empty::Array).await, Some(json!([])));
    assert_eq!(list(Empty::NoResources).await, None);
}

#[tokio::test]
async fn a_large_service_starts_and_lists() {
    let (sandbox, client) =
        served(generated(20_000, ScimBehaviour { max_count: 1_000, ..ScimBehaviour::default() })).await;
    let mut count = 0;
    for start in (1..=20_000).step_by(1_000) {
        count += names(&client.get(&format!("/Users?startIndex={start}&count=1000")).await).len();
    }
    assert_eq!((count, sandbox.requests()), (20_000, 20));
    assert_eq!(filtered(&client, r#"userName eq "user019999@example.com""#).await.json()["totalResults"], 1);
}
