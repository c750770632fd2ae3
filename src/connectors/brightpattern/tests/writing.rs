//! Creating, changing, deleting.

use super::*;

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
    assert_eq!(target.meter().sent_so_far().retried, 1);
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
        assert_eq!(target.meter().sent_so_far().lookup, 1);
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
