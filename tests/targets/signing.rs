//! Credentials, tokens, and the count of requests.

use futures::future::join_all;
use headcount::connectors::Trouble;

use super::subject::Subject;
use super::support::{clock, connect, rule, serve, setting};

pub async fn the_right_credential_signs_in(subject: &'static dyn Subject) {
    let setting = setting(subject, 3, "").await;
    let before = setting.target.meter().sent_so_far();
    setting.target.sign_in().await.unwrap();
    assert_eq!(setting.target.meter().sent_so_far(), before, "whoever is signed in does not sign in again");
    let base_url = setting.tenant.base_url();
    assert!(setting.target.describe().ends_with(&format!(" {base_url}")), "{}", setting.target.describe());
}

pub async fn a_wrong_credential_is_a_matter_of_configuration(subject: &'static dyn Subject) {
    let tenant = serve(subject, 3, "").await;
    let wrong = "the-key-of-another-tenant";
    let refused = match connect(subject, &tenant, &clock(), wrong).await {
        Ok(target) => target.sign_in().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(refused.trouble, Trouble::Configuration, "{refused:?}");
    assert!(!format!("{refused:?}").contains(wrong), "{refused:?}");
    // Nobody's account is locked by knocking again and again.
    assert!(tenant.requests() <= 2, "{} requests", tenant.requests());
}

pub async fn a_token_that_expires_on_the_way_is_renewed_once_for_all(subject: &'static dyn Subject) {
    let setting = setting(subject, 40, &rule("op = 'get', nth = 10", "expire_token = true", 1)).await;
    let shown = setting.list().await.unwrap();
    assert!(shown.complete);
    let before = setting.target.meter().sent_so_far();
    let ids: Vec<_> = shown.ids.into_iter().map(headcount::model::AccountId).collect();
    for read in join_all(ids.iter().map(|id| setting.target.get(id))).await {
        assert!(read.unwrap().is_some());
    }
    let sent = setting.target.meter().sent_so_far();
    // Where a listing asks for everybody one by one, the token expired there; it is one token either way.
    let renewed_while_listing = before.auth > 1 && sent.auth == before.auth;
    assert!(sent.auth == before.auth + 1 || renewed_while_listing, "{before:?} {sent:?}");
}

pub async fn every_request_is_counted(subject: &'static dyn Subject) {
    let mut faults = rule("op = 'list'", subject.failure(), 1);
    faults += &rule("op = 'get', nth = 2", "drop = 'before'", 1);
    faults += &rule("op = 'create', nth = 2", "drop = 'after'", 1);
    let setting = setting(subject, 25, &faults).await;
    setting.list().await.unwrap();
    let id = setting.target.create(&setting.newcomer(1)).await.unwrap();
    setting.target.create(&setting.newcomer(2)).await.unwrap_err();
    for _ in 0..2 {
        setting.target.get(&id).await.unwrap().unwrap();
    }
    setting.find(&["new1", "nobody"]).await.unwrap();
    let sent = setting.target.meter().sent_so_far();
    assert_eq!(sent.total, setting.tenant.requests(), "{sent:?}");
    assert_eq!((sent.write, sent.total), (2, sent.auth + sent.list + sent.lookup + sent.write));
    assert!(sent.list > 0 && sent.lookup > 0 && sent.retried >= 2, "{sent:?}");
}
