//! One account: created, changed, shown.

use super::*;

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_unknown_and_posted_once() {
    for reply in [Reply::HangUp, Reply::BreakOff] {
        let (error, calls) = failing(Op::Create, reply).await;
        assert_eq!((error.trouble, error.effect, calls), (Trouble::Unavailable, Effect::Unknown, 1));
    }
}

#[tokio::test]
async fn a_create_without_an_id_in_its_answer_is_unknown() {
    let (error, calls) = failing(Op::Create, code(4308)).await;
    assert_eq!((error.trouble, error.effect, calls), (Trouble::Garbled, Effect::Unknown, 1));
}

#[tokio::test]
async fn a_create_sends_the_values_and_learns_the_id() {
    for response in [r#"{"id":815}"#, r#"{"user":{"id":"815"}}"#] {
        let server = tenant(move |_, _| Reply::new(200, said(4308, response))).await;
        let target = target(&server);
        assert_eq!(target.create(&newcomer(&target)).await.unwrap().as_str(), "815");
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v3.1/users"));
        assert_eq!(seen.body, r#"{"login_id":"ana.diaz","password":"hunter2!"}"#);
    }
}

#[tokio::test]
async fn an_update_sends_the_values_with_the_verb_of_the_settings() {
    for verb in ["PATCH", "put", "POST"] {
        let server = tenant(|_, _| code(4309)).await;
        let settings = ImichatSettings { update_method: verb.to_owned(), ..settings() };
        let target = connect_as(&settings, &format!("{}/v3.1", server.address), &rate()).unwrap();
        target.update(&id(), &change(&target)).await.unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.method, seen.path.as_str()), (verb.to_uppercase(), "/v3.1/users/4711"));
        assert_eq!(seen.body, r#"{"first_name":"Ana"}"#);
    }
}

#[tokio::test]
async fn one_account_is_shown_or_is_none() {
    let server = tenant(|seen, _| match seen.path.as_str() {
        "/v3.1/users/4711" => Reply::new(200, said(4306, r#"{"id":4711,"first_name":"Ana"}"#)),
        "/v3.1/users/1" => html(404),
        _ => code(3101),
    })
    .await;
    let target = target(&server);
    assert_eq!(target.get(&id()).await.unwrap().unwrap().id, id());
    for absent in ["1", "2", "", ".."] {
        assert_eq!(target.get(&AccountId(absent.to_owned())).await.unwrap(), None, "{absent}");
    }
    let Sent { auth, lookup, total, .. } = target.meter().sent_so_far();
    assert_eq!((auth, lookup, total), (1, 3, 4));
}
