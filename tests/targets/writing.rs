//! Creates, updates and deletions that go well, and those that say why they cannot.

use std::collections::BTreeSet;

use headcount::connectors::{Effect, Trouble};
use headcount::model::{AccountId, Attributes, Value, normal};
use headcount::sandbox::{LedgerOperation, password_hash};

use super::subject::Subject;
use super::support::{PASSWORD, Setting, differences, setting};

pub async fn whoever_was_created_is_found_as_they_were_sent(subject: &'static dyn Subject) {
    let setting = setting(subject, 5, "").await;
    let values = setting.newcomer(1);
    let id = setting.target.create(&values).await.unwrap();
    let account = setting.target.get(&id).await.unwrap().unwrap();
    assert_eq!(account.id, id);
    let schema = setting.target.schema();
    for (name, value) in subject.person(1) {
        let at = setting.id(name);
        let shown = account.values.get(at).unwrap_or(&Value::Null);
        assert!(normal::same(schema.get(at), shown, &value), "{name}: {shown}, not {value}");
    }
    assert_eq!(account.values.get(setting.id("password")), None);
    assert_eq!(schema.is_active(&account.values), Some(true));

    let login = values.get(setting.login()).unwrap().as_str().unwrap().to_owned();
    let found = setting.find(&["nobody", &login.to_uppercase(), &subject.login(2).1]).await.unwrap();
    let ids: Vec<Vec<&AccountId>> = found.iter().map(|all| all.iter().map(|one| &one.id).collect()).collect();
    assert_eq!((ids[0].len(), &ids[1][..], ids[2].len()), (0, &[&id][..], 1));
    assert!(setting.list().await.unwrap().ids.contains(&id.0));

    let ledger = setting.tenant.ledger();
    assert_eq!(ledger.effects.len(), 1);
    assert_eq!(ledger.effects[0].password.as_deref(), Some(&*password_hash(PASSWORD)));
}

pub async fn a_login_that_is_taken_is_said_to_exist_and_nobody_is_doubled(subject: &'static dyn Subject) {
    let setting = setting(subject, 5, "").await;
    let mut values = setting.newcomer(1);
    setting.target.create(&values).await.unwrap();
    let other_case = values.get(setting.login()).unwrap().as_str().unwrap().to_uppercase();
    let same = setting.target.create(&values).await.unwrap_err();
    values.set(setting.login(), Value::text(other_case));
    let other = setting.target.create(&values).await.unwrap_err();
    for error in [same, other] {
        assert_eq!((&error.trouble, error.effect), (&Trouble::Exists, Effect::None), "{error:?}");
    }
    let ledger = setting.tenant.ledger();
    assert_eq!((ledger.count_effects(LedgerOperation::Create), ledger.doubled_logins()), (1, Vec::new()));
}

pub async fn an_update_changes_what_was_asked_and_nothing_else(subject: &'static dyn Subject) {
    for update in subject.updates() {
        let setting = setting(subject, 5, "").await;
        let (id, before) = (setting.account(2).await, setting.records());
        let at = setting.id(update.attribute);
        let account = setting.target.get(&id).await.unwrap().unwrap();
        let value = match (update.value, account.values.get(at)) {
            (Value::Object(added), Some(Value::Object(there))) => {
                Value::Object(there.clone().into_iter().chain(added).collect())
            }
            (value, _) => value,
        };
        setting.target.update(&id, &[(at, value.clone())].into_iter().collect()).await.unwrap();
        let after = setting.records();
        let login = subject.login(2).1;
        assert_eq!(differences(&before[&login], &after[&login]), BTreeSet::from([update.changes.to_owned()]));
        for other in before.keys().filter(|other| **other != login) {
            assert_eq!(before[other], after[other]);
        }
        let account = setting.target.get(&id).await.unwrap().unwrap();
        assert!(normal::same(setting.target.schema().get(at), account.values.get(at).unwrap(), &value));
        assert_eq!(setting.tenant.ledger().effects.len(), 1);
    }
}

pub async fn a_leaver_is_inactive_and_a_returner_active_again(subject: &'static dyn Subject) {
    let setting = setting(subject, 5, "").await;
    let id = setting.account(3).await;
    let lifecycle = setting.target.schema().lifecycle.clone().expect("a target says who is in use");
    for (value, active) in [(lifecycle.inactive, false), (lifecycle.active, true)] {
        let values: Attributes = [(lifecycle.attribute, value)].into_iter().collect();
        setting.target.update(&id, &values).await.unwrap();
        assert_eq!(is_active(&setting, &id).await, Some(active));
        // Once more is no mistake: a run that was killed does it.
        setting.target.update(&id, &values).await.unwrap();
        assert_eq!(is_active(&setting, &id).await, Some(active));
    }
    assert_eq!(setting.list().await.unwrap().logins.len(), 5);
}

async fn is_active(setting: &Setting, id: &AccountId) -> Option<bool> {
    setting.target.schema().is_active(&setting.target.get(id).await.unwrap().unwrap().values)
}

pub async fn whoever_is_gone_is_not_found(subject: &'static dyn Subject) {
    let setting = setting(subject, 5, "").await;
    let nobody = AccountId(subject.nobody().to_owned());
    assert_eq!(setting.target.get(&nobody).await.unwrap(), None);
    for update in subject.updates() {
        let values = [(setting.id(update.attribute), update.value)].into_iter().collect();
        let error = setting.target.update(&nobody, &values).await.unwrap_err();
        assert_eq!((&error.trouble, error.effect), (&Trouble::NotFound, Effect::None), "{error:?}");
    }
    // An id is one part of an address, whatever is in it.
    for odd in ["", ".", "..", "a/b", "a?b=c", "a#b", "%2e%2e", "ü ñ"] {
        let read = setting.target.get(&AccountId(odd.to_owned())).await;
        assert!(!matches!(read, Ok(Some(_))), "{odd:?}: {read:?}");
    }
    assert!(setting.tenant.ledger().effects.is_empty());
}

pub async fn an_account_is_deleted_where_the_system_can(subject: &'static dyn Subject) {
    let setting = setting(subject, 5, "").await;
    let id = setting.account(3).await;
    let sent = setting.target.meter().sent_so_far();
    if !setting.target.schema().can_delete {
        let error = setting.target.delete(&id).await.unwrap_err();
        assert_eq!(error.trouble, Trouble::Configuration, "{error:?}");
        assert!(error.hint.is_some());
        assert_eq!(setting.target.meter().sent_so_far(), sent, "what cannot be is not asked for");
        return;
    }
    setting.target.delete(&id).await.unwrap();
    assert_eq!(setting.target.get(&id).await.unwrap(), None);
    let shown = setting.list().await.unwrap();
    assert!(shown.complete && shown.ids.len() == 4 && !shown.ids.contains(&id.0), "{shown:?}");
    let again = setting.target.delete(&id).await.unwrap_err();
    assert_eq!(again.trouble, Trouble::NotFound, "{again:?}");
    assert_eq!(setting.tenant.ledger().count_effects(LedgerOperation::Delete), 1);
}
