//! Creating.

use super::*;

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
