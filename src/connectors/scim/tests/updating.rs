//! Changing and deleting.

use super::*;

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
        let target =
            connect_as(&ScimSettings { update_method: method, ..settings() }, &server, bearer()).await.unwrap();
        target.update(&id(), &values(&*target, &[("title", "x")])).await.unwrap();
        assert_eq!(asked(&server)[0].method, first);
    }
    let server = script(patches(), vec![Reply::new(501, "")]).await;
    let settings = ScimSettings { update_method: UpdateMethod::Patch, ..settings() };
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
