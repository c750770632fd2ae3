//! Looking people up.

use super::*;

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
