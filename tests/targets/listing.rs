//! Listings: an absence may only mean something where every account was shown.

use std::collections::BTreeSet;

use super::subject::Subject;
use super::support::{rule, setting};

pub async fn a_tenant_of_nobody_is_a_whole_listing(subject: &'static dyn Subject) {
    let setting = setting(subject, 0, "").await;
    let shown = setting.list().await.unwrap();
    assert!(shown.complete && shown.logins.is_empty(), "{shown:?}");
    assert_eq!(setting.find(&["nobody"]).await.unwrap(), [Vec::new()]);
}

pub async fn a_thousand_accounts_are_shown_once_each(subject: &'static dyn Subject) {
    let setting = setting(subject, 1_000, "").await;
    let shown = setting.list().await.unwrap();
    assert!(shown.complete && shown.notes.is_empty(), "{:?}", shown.notes);
    let everybody: BTreeSet<String> = (1..=1_000).map(|n| subject.login(n).1).collect();
    assert_eq!(shown.logins.len(), 1_000);
    assert_eq!(BTreeSet::from_iter(shown.logins), everybody);
    assert_eq!(BTreeSet::from_iter(shown.ids).len(), 1_000);
    // What a plan says that a listing takes is what it takes, but for a page that may or may not be asked for.
    let (said, sent) = (setting.target.listing_cost(1_000), setting.target.meter().sent().list);
    assert!(sent <= said && said <= sent + 1, "{sent} requests, {said} said");
}

pub async fn a_page_that_fails_once_is_asked_for_again(subject: &'static dyn Subject) {
    for fault in [subject.failure(), "status = 502, html = true", "html = true, status = 200", "drop = 'before'"] {
        let setting = setting(subject, 1_000, &rule(subject.midway(), fault, 1)).await;
        let shown = setting.list().await.unwrap();
        assert!(shown.complete, "{fault}: {:?}", shown.notes);
        assert_eq!(BTreeSet::from_iter(shown.logins).len(), 1_000, "{fault}");
        assert_eq!(setting.target.meter().sent().retried, 1, "{fault}");
    }
}

pub async fn what_is_no_answer_of_the_system_is_never_an_empty_tenant(subject: &'static dyn Subject) {
    let json = "headers = { content-type = 'application/json' }";
    for fault in [
        "html = true, status = 200".to_owned(),
        format!("html = true, status = 200, {json}"),
        "html = true, status = 403".to_owned(),
        "html = true, status = 404".to_owned(),
        "html = true, status = 502".to_owned(),
        "garbage = true".to_owned(),
        subject.failure().to_owned(),
        "drop = 'before'".to_owned(),
    ] {
        // Signing in may ask for an account; what it asks for is answered.
        let first = if subject.tenant().kind == headcount::sandbox::Kind::Scim { 2 } else { 1 };
        let rules: String =
            (first..first + 20).map(|nth| rule(&format!("op = 'list', nth = {nth}"), &fault, 1)).collect();
        let setting = setting(subject, 30, &rules).await;
        let listed = setting.list().await;
        assert!(!matches!(&listed, Ok(shown) if shown.complete), "{fault}: {listed:?}");
        assert!(setting.find(&["nobody"]).await.is_err() || subject.tenant().kind != headcount::sandbox::Kind::Imichat);
    }
}

pub async fn a_listing_that_shifts_is_whole_or_says_that_it_is_not(subject: &'static dyn Subject) {
    for shift in ["insert", "remove", "resort"] {
        let fault = format!("shift_list = '{shift}'");
        let setting = setting(subject, 1_000, &rule(subject.midway(), &fault, 1)).await;
        let before: BTreeSet<String> = setting.records().into_keys().collect();
        let shown = setting.list().await.unwrap();
        let after: BTreeSet<String> = setting.records().into_keys().collect();
        assert_eq!(before == after, shift == "resort", "the fault struck");
        let logins: BTreeSet<String> = shown.logins.iter().cloned().collect();
        assert_eq!(logins.len(), shown.logins.len(), "{shift}: somebody is shown twice");
        let missing: Vec<&String> = before.intersection(&after).filter(|login| !logins.contains(*login)).collect();
        let unseen = usize::from(subject.unseen_shifts().contains(&shift));
        assert!(!shown.complete || missing.len() <= unseen, "{shift}: {missing:?} were missed and nothing said");
        assert!(shown.complete || !shown.notes.is_empty(), "{shift}: it is not said why");
    }
}
