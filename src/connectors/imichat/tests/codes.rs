//! Status codes, and what is no answer.

use super::*;

#[tokio::test]
async fn every_status_code_is_handled_as_the_table_says() {
    use Effect::{None as Nothing, Unknown};
    use Op::{Create, Get, Update};
    use Trouble::{Configuration, Exists, NotFound, Refused, Unavailable};
    // Code, call, trouble, effect, how often the call is sent, what the hint names.
    let table = [
        (2002, Get, Configuration, Nothing, 1, "target.token_header"),
        (2002, Create, Configuration, Nothing, 1, "target.team_id"),
        (2003, Get, Configuration, Nothing, 2, "target.api_key"),
        (2003, Create, Configuration, Nothing, 2, "target.api_key"),
        (2004, Create, Configuration, Nothing, 2, "target.api_key"),
        (2004, Update, Configuration, Nothing, 2, "target.domain"),
        (2007, Get, Unavailable, Nothing, 3, ""),
        (2007, Update, Unavailable, Unknown, 3, ""),
        (2007, Create, Unavailable, Unknown, 1, ""),
        (2010, Create, Configuration, Nothing, 1, "target.team_id"),
        (2099, Update, Configuration, Nothing, 1, "target.update_method"),
        (2099, Get, Configuration, Nothing, 1, "target.base_url"),
        (3101, Update, NotFound, Nothing, 1, ""),
        (3102, Create, Exists, Nothing, 1, ""),
        (3104, Update, Unavailable, Unknown, 3, ""),
        (3104, Create, Unavailable, Unknown, 1, ""),
        (3105, Get, Unavailable, Nothing, 3, ""),
        (3105, Create, Unavailable, Unknown, 1, ""),
        (3107, Update, Refused, Nothing, 1, "custom_attributes.business"),
        (3110, Create, Refused, Nothing, 1, "custom_attributes.location"),
        (3111, Create, Refused, Nothing, 1, "email already belongs to another account"),
        (3114, Create, Refused, Nothing, 1, ""),
        (3115, Update, Refused, Nothing, 1, ""),
        (9999, Update, Refused, Nothing, 1, ""),
    ];
    for (number, op, trouble, effect, sent, hint) in table {
        let (error, calls) = failing(op, code(number)).await;
        assert_eq!((&error.trouble, error.effect, calls), (&trouble, effect, sent), "{number} {op:?}: {error}");
        assert_eq!((error.code, error.trxid.as_deref()), (Some(number), Some("t-7")), "{number}");
        assert!(error.message.contains(&format!("{number} d{number}")) && error.message.contains("trxid t-7"));
        assert!(error.hint.unwrap_or_default().contains(hint), "{number} {op:?}");
    }
}

#[tokio::test]
async fn the_code_decides_and_not_the_http_status() {
    for (status, number) in [(200, 3111), (500, 3115)] {
        let (error, calls) = failing(Op::Create, Reply::new(status, said(number, "null"))).await;
        assert_eq!((error.trouble, error.effect, calls), (Trouble::Refused, Effect::None, 1));
    }
    let server = tenant(|_, _| Reply::new(500, said(4308, r#"{"id":"77"}"#))).await;
    let target = target(&server);
    assert_eq!(target.create(&newcomer(&target)).await.unwrap().as_str(), "77");
}

#[tokio::test]
async fn a_code_that_nobody_documented_proves_nothing_under_http_200() {
    let (error, calls) = failing(Op::Create, Reply::new(200, said(4310, "null"))).await;
    assert_eq!((error.trouble, error.effect, calls), (Trouble::Refused, Effect::Unknown, 1));
}

#[tokio::test]
async fn a_body_that_is_not_the_envelope_is_a_server_error() {
    use Trouble::{Garbled, Unavailable};
    for (op, status, trouble, effect, sent) in [
        (Op::Get, 200, Garbled, Effect::None, 3),
        (Op::Get, 502, Unavailable, Effect::None, 3),
        (Op::Update, 200, Garbled, Effect::Unknown, 3),
        (Op::Create, 200, Garbled, Effect::Unknown, 1),
        (Op::Create, 502, Unavailable, Effect::Unknown, 1),
    ] {
        let (error, calls) = failing(op, html(status)).await;
        assert_eq!((error.trouble, error.effect, calls), (trouble, effect, sent), "{op:?} {status}");
        assert!(error.message.contains("not the API's JSON but text/html"), "{}", error.message);
    }
    let (error, calls) = failing(Op::Update, html(405)).await;
    assert_eq!((error.trouble, calls), (Trouble::Configuration, 1));
}
