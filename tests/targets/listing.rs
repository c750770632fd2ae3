//! Listings: an absence may only mean something where every account was shown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::subject::Subject;
use super::support::{Shown, rule, setting};

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
    let (said, sent) =
        (setting.target.costs().listing.count_requests(1_000), setting.target.meter().sent_so_far().list);
    assert!(sent <= said && said <= sent + 1, "{sent} requests, {said} said");
}

pub async fn a_page_that_fails_once_is_asked_for_again(subject: &'static dyn Subject) {
    for fault in [subject.failure(), "status = 502, html = true", "html = true, status = 200", "drop = 'before'"] {
        let setting = setting(subject, 1_000, &rule(subject.midway(), fault, 1)).await;
        let shown = setting.list().await.unwrap();
        assert!(shown.complete, "{fault}: {:?}", shown.notes);
        assert_eq!(BTreeSet::from_iter(shown.logins).len(), 1_000, "{fault}");
        assert_eq!(setting.target.meter().sent_so_far().retried, 1, "{fault}");
    }
}

pub async fn a_page_that_keeps_failing_is_never_taken_for_nobody(subject: &'static dyn Subject) {
    for fault in [subject.failure(), "html = true, status = 200", "html = true, status = 403", "drop = 'before'"] {
        let setting = setting(subject, 1_000, &rule(subject.midway(), fault, 100)).await;
        match setting.list().await {
            Ok(shown) => assert!(!shown.complete && !shown.notes.is_empty(), "{fault}: {:?}", shown.notes),
            Err(error) => assert!(!error.message.is_empty(), "{fault}"),
        }
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
        let first = subject.listings_of_signing_in() + 1;
        let mut rules: String =
            (first..first + 20).map(|nth| rule(&format!("op = 'list', nth = {nth}"), &fault, 1)).collect();
        rules += &rule("op = 'get'", &fault, 100);
        let setting = setting(subject, 30, &rules).await;
        let listed = setting.list().await;
        assert!(!matches!(&listed, Ok(shown) if shown.complete), "{fault}: {listed:?}");
        // Where one account is asked for, 404 says that there is none.
        if !fault.contains("404") {
            let found = setting.find(&["nobody"]).await;
            assert!(found.is_err(), "{fault}: {found:?}");
        }
    }
}

pub async fn a_listing_that_shifts_once_is_whole_all_the_same(subject: &'static dyn Subject) {
    for shift in ["insert", "remove", "resort", "status"] {
        let shown = shifting(subject, shift, 1).await;
        assert!(shown.complete, "{shift}: {:?}", shown.notes);
    }
}

pub async fn a_listing_that_keeps_shifting_is_whole_or_says_that_it_is_not(subject: &'static dyn Subject) {
    for shift in ["insert", "remove", "resort", "status"] {
        shifting(subject, shift, 100).await;
    }
}

/// A listing of a thousand in whose middle somebody shifts the list, each time that it is reached.
async fn shifting(subject: &'static dyn Subject, shift: &str, times: u32) -> Shown {
    let setting = setting(subject, 1_000, &rule(subject.midway(), &format!("shift_list = '{shift}'"), times)).await;
    let before = setting.records();
    let shown = setting.list().await.unwrap();
    let after = setting.records();
    let everybody = |records: &BTreeMap<String, Json>| records.keys().cloned().collect::<BTreeSet<_>>();
    let (whole, rest) = (everybody(&before), everybody(&after));
    assert_eq!(whole == rest, ["resort", "status"].contains(&shift), "the fault struck");
    let logins: BTreeSet<String> = shown.logins.iter().cloned().collect();
    assert_eq!(logins.len(), shown.logins.len(), "{shift}: somebody is shown twice");
    let missing: Vec<&String> = whole.intersection(&rest).filter(|login| !logins.contains(*login)).collect();
    assert!(!shown.complete || missing.is_empty(), "{shift}: {missing:?} were missed and nothing said");
    assert!(shown.complete || !shown.notes.is_empty(), "{shift}: it is not said why");
    shown
}
