//! Answers that are lost, late, wrong or unfriendly.

use std::time::Duration;

use headcount::connectors::{Effect, Trouble};
use headcount::model::Value;
use headcount::sandbox::LedgerOperation;

use super::subject::Subject;
use super::support::{PASSWORD, rule, setting};

pub async fn a_create_whose_answer_is_lost_is_unknown_and_sent_once(subject: &'static dyn Subject) {
    let late = format!("{}, when = 'after'", subject.failure());
    for (fault, done) in [
        ("drop = 'before'", false),
        ("drop = 'after'", true),
        (subject.failure(), false),
        (&late, true),
        ("status = 500", false),
        ("status = 503", false),
        ("status = 502, html = true, when = 'after'", true),
        ("status = 200, html = true, when = 'after'", true),
        ("garbage = true, when = 'after'", true),
        ("garbage = true", false),
    ] {
        let setting = setting(subject, 5, &rule("op = 'create'", fault, 1)).await;
        let created = setting.target.create(&setting.newcomer(1)).await;
        let error = created.expect_err(fault);
        assert_eq!(error.effect, Effect::Unknown, "{fault}: {error:?}");
        assert_ne!(error.trouble, Trouble::Exists, "{fault}: {error:?}");
        assert_eq!(setting.target.meter().sent_so_far().write, 1, "{fault}");
        assert_eq!(setting.tenant.ledger().count_effects(LedgerOperation::Create), usize::from(done), "{fault}");
        // Looking is what tells.
        let login = setting.newcomer(1).get(setting.login()).unwrap().as_str().unwrap().to_owned();
        assert_eq!(setting.find(&[&login]).await.unwrap()[0].len(), usize::from(done), "{fault}");
    }
}

pub async fn an_update_whose_answer_is_lost_is_sent_again(subject: &'static dyn Subject) {
    let late = format!("{}, when = 'after'", subject.failure());
    for (fault, effects) in [("drop = 'before'", 1), ("drop = 'after'", 2), (late.as_str(), 2)] {
        let setting = setting(subject, 5, &rule("op = 'update'", fault, 1)).await;
        let id = setting.account(2).await;
        let lifecycle = setting.target.schema().lifecycle.clone().unwrap();
        let values = [(lifecycle.attribute, lifecycle.inactive)].into_iter().collect();
        setting.target.update(&id, &values).await.unwrap();
        let account = setting.target.get(&id).await.unwrap().unwrap();
        assert_eq!(setting.target.schema().is_active(&account.values), Some(false), "{fault}");
        assert_eq!(setting.tenant.ledger().count_effects(LedgerOperation::Update), effects, "{fault}");
        let sent = setting.target.meter().sent_so_far();
        assert_eq!((sent.write, sent.retried), (2, 1), "{fault}");
    }
    // Where no answer ever comes, nobody says that it was not done.
    let setting = setting(subject, 5, &rule("op = 'update'", "drop = 'after'", 100)).await;
    let id = setting.account(2).await;
    let update = subject.updates().remove(0);
    let values = [(setting.id(update.attribute), update.value)].into_iter().collect();
    let error = setting.target.update(&id, &values).await.unwrap_err();
    assert_eq!((&error.trouble, error.effect), (&Trouble::Unavailable, Effect::Unknown), "{error:?}");
}

pub async fn a_look_that_fails_once_is_repeated(subject: &'static dyn Subject) {
    for fault in [
        subject.failure(),
        "status = 200, html = true",
        "status = 502, html = true",
        "garbage = true",
        "drop = 'after'",
    ] {
        let setting = setting(subject, 5, "").await;
        let id = setting.account(2).await;
        drop(setting);
        let setting = super::support::setting(subject, 5, &rule("op = 'get'", fault, 1)).await;
        assert!(setting.target.get(&id).await.unwrap().is_some(), "{fault}");
        assert_eq!(setting.target.meter().sent_so_far().retried, 1, "{fault}");
    }
}

pub async fn the_patience_that_is_asked_for_is_kept(subject: &'static dyn Subject) {
    let faults = rule("op = 'create'", "retry_after = 7", 1) + &rule("op = 'get'", "retry_after = 9", 1);
    let setting = setting(subject, 5, &faults).await;
    let start = setting.waited();
    let id = setting.target.create(&setting.newcomer(1)).await.unwrap();
    let after_create = setting.waited();
    assert!(after_create - start >= Duration::from_secs(7), "{:?}", after_create - start);
    assert!(setting.target.get(&id).await.unwrap().is_some());
    assert!(setting.waited() - after_create >= Duration::from_secs(9));
    let sent = setting.target.meter().sent_so_far();
    assert_eq!((sent.write, sent.retried), (2, 2), "{sent:?}");
    assert_eq!(setting.tenant.ledger().count_effects(LedgerOperation::Create), 1, "what was turned away was not done");
}

pub async fn a_refusal_is_of_that_account_alone(subject: &'static dyn Subject) {
    let said = "the name has a colour that nobody can see";
    let fault = format!("status = 400, code = 3115, description = '{said}'");
    let setting = setting(subject, 5, &rule("op = 'create'", &fault, 1)).await;
    let error = setting.target.create(&setting.newcomer(1)).await.unwrap_err();
    assert_eq!((&error.trouble, error.effect), (&Trouble::Refused, Effect::None), "{error:?}");
    assert!(error.message.contains(said), "{error:?}");
    assert!(error.code.is_some());
    setting.target.create(&setting.newcomer(2)).await.unwrap();
    assert_eq!(setting.tenant.ledger().count_effects(LedgerOperation::Create), 1);
}

pub async fn no_secret_is_in_any_error(subject: &'static dyn Subject) {
    let credential = subject.secret();
    let echo = format!("you sent {PASSWORD} with {credential}");
    for status in [400, 401, 403, 404, 405, 409, 415, 418, 500, 503] {
        let fault = format!("status = {status}, description = '{echo}'");
        let faults = rule("op = 'create'", &fault, 9)
            + &rule("op = 'update'", &fault, 9)
            + &rule("op = 'get'", &fault, 99)
            + &rule("op = 'list', nth = 2", &fault, 1);
        let setting = setting(subject, 5, &faults).await;
        let mut errors = vec![setting.target.create(&setting.newcomer(1)).await.unwrap_err()];
        let nobody = headcount::model::AccountId(subject.nobody().to_owned());
        let update = subject.updates().remove(0);
        let values = [(setting.id(update.attribute), Value::clone(&update.value))].into_iter().collect();
        errors.extend(setting.target.update(&nobody, &values).await.err());
        errors.extend(setting.target.get(&nobody).await.err());
        errors.extend(setting.list().await.err());
        for error in errors {
            let text = format!("{error} {error:?}");
            assert!(!text.contains(credential), "{status}: {text}");
            // The password is known to be one while the request that carries it is under way.
            assert!(!text.starts_with("POST") || !text.contains(PASSWORD), "{status}: {text}");
        }
    }
}
