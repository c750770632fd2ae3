//! One user, and looking people up.

use super::*;

#[tokio::test]
async fn one_user_is_shown_or_is_not_there() {
    let server = tenant(|seen, _| match asked(seen) {
        Some("ana") => user(seen),
        Some("other") => Reply::new(200, r#"{"loginId":"ana"}"#),
        _ => Reply::new(404, "User not found"),
    })
    .await;
    let target = target(&server);
    assert_eq!(target.get(&id("ana")).await.unwrap().unwrap().id, id("ana"));
    assert_eq!(target.get(&id("bo")).await.unwrap(), None);
    // What no path can name cannot be there.
    assert_eq!(target.get(&id("..")).await.unwrap(), None);
    let error = target.get(&id("other")).await.unwrap_err();
    assert_eq!(error.trouble, Trouble::Garbled);
    assert!(error.message.contains("about \"ana\""), "{error}");
}

#[tokio::test]
async fn whoever_has_a_login_is_looked_up_by_it() {
    let server = tenant(|seen, _| match asked(seen) {
        Some("Ana") => Reply::new(200, r#"{"loginId":"ana","firstName":"Ana"}"#),
        Some(_) => Reply::new(404, ""),
        None => panic!("no directory is read"),
    })
    .await;
    let target = target(&server);
    let rules = [
        MatchRule::new(target.schema(), vec![at::LOGIN_ID]),
        MatchRule::new(target.schema(), vec![at::LOGIN_ID, at::FIRST_NAME]),
    ];
    let sought = [values(&[("loginId", "\"Ana\"")]), values(&[("loginId", "\"bo\"")]), values(&[])];
    let found = target.find(&rules, &sought).await.unwrap();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(found[0][0].id.as_str(), "ana", "as the server spells it");
    assert_eq!((target.meter().sent_so_far().lookup, target.meter().sent_so_far().list), (2, 0));
    // The longer rule alone: the login is there, but it is somebody else's.
    let sought = [values(&[("loginId", "\"Ana\""), ("firstName", "\"Bo\"")])];
    assert_eq!(target.find(&rules[1..], &sought).await.unwrap(), [vec![]]);
}

#[tokio::test]
async fn any_other_rule_needs_the_whole_listing() {
    let server = center(vec![vec!["ana", "bo"]], |seen| {
        let login = asked(seen).unwrap();
        Reply::new(200, format!(r#"{{"loginId":"{login}","email":"{login}@x.org"}}"#))
    })
    .await;
    let target = connect_with(&server, &rate(), &["loginId"]);
    let rules = [MatchRule::new(target.schema(), vec![target.schema().id("email").unwrap()])];
    let found = target.find(&rules, &[values(&[("email", "\"BO@x.org\"")])]).await.unwrap();
    assert_eq!(found[0].iter().map(|account| account.id.as_str()).collect::<Vec<_>>(), ["bo"]);
    assert_eq!((target.meter().sent_so_far().lookup, target.meter().sent_so_far().list), (4, 0));
}
