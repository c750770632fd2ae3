//! What comparing comes to, each with where it comes from.

use super::*;

#[test]
fn a_plan_has_every_kind_of_action_in_the_order_of_execution() {
    let office = Office::new();
    office.account("bo", "Bo", "active");
    office.account("cy", "Cy", "active");
    office.account("di", "Di", "inactive");
    office.account("ed", "Ed", "active");
    let made = office.survey(&csv(&[
        "3,cy,cy@x.org,Cy,,left,",
        "4,di,di@x.org,Di,,,",
        "2,bo,bo@x.org,Bob,Lead,,",
        "5,ed,ed@x.org,Ed,,,",
        "1,ana,ana@x.org,Ana,Agent,,English:100;Spanish:80",
    ]));
    assert_eq!(
        made.actions(),
        [
            "create ana: login,email,name,title,skills,password",
            "update bo: name",
            "reactivate di: status",
            "deactivate cy: status"
        ]
    );
    assert_eq!(made.unchanged(), 1);
    let update = &made.actions[1];
    assert_eq!(
        (update.source.as_ref().unwrap().to_string(), update.matched.as_deref()),
        ("hr.csv:4".into(), Some("login"))
    );
    assert_eq!(
        (update.changes[0].from.clone(), update.changes[0].to.clone()),
        (Some(Value::text("Bo")), Value::text("Bob"))
    );
    assert_eq!(update.identity.as_deref(), Some("2"));
    assert!(made.actions.iter().zip(1..).all(|(action, seq)| action.seq == seq && !action.held));
    let links: Vec<_> = made.notes.iter().filter(|note| matches!(note, PlanNote::Link { .. })).collect();
    assert_eq!(links.len(), 4, "the one who is equal is linked too");
    assert!(std::fs::read_to_string(&made.surveyed.files.plan).unwrap().contains("\"(generated)\""));
}

#[test]
fn every_finding_says_where_it_comes_from() {
    let office = Office::new().policy("protect = [\"adm*\"]").source("duplicates = \"first\"");
    office.account("bo", "Bo", "active");
    let chief = office.account("chief", "Chief", "active");
    office.target.meddle(&chief, ROLE, Value::text("Administrative"));
    office.account("gone", "Gone", "active");
    let one = office.account("twin", "T", "active");
    let other = office.account("other", "T", "active");
    office.target.meddle(&other, LOGIN, Value::text("twin"));
    let made = office.survey(&csv(&[
        "1,bobby,bo@x.org,Bo,,,",
        "2,chief,chief@x.org,Boss,,,",
        "3,admin,a@x.org,Admin,,,",
        "4,twin,nobody@x.org,T,,,",
        "5,ana,ana@x.org,Ana,,,English",
        "6,few,cells",
        "7,cy,cy@x.org,Cy,,left,",
        "8,di,di@x.org,Di,,,",
        "8,di,di@x.org,Di Again,,,",
        "9,e1,e@x.org,E,,,",
        "10,e2,e@x.org,E,,,",
        "11,,,Nobody,,,",
        "12,fi,fi@x.org,,,,",
        ",gi,gi@x.org,Gi,,,",
    ]));
    assert_eq!(
        made.findings(),
        [
            "absent gone: no row; policy.absent is \"report\"".to_owned(),
            "conflict e1: hr.csv:11 and hr.csv:12 have the same email".into(),
            "conflict e2: hr.csv:12 and hr.csv:11 have the same email".into(),
            format!("conflict twin: several accounts match this row: {one}, {other}"),
            "drift bobby: the API cannot change login".into(),
            "invalid 11: the row has no value for any match rule (login, email)".into(),
            made.findings()[6].clone(),
            made.findings()[7].clone(),
            made.findings()[8].clone(),
            "protected admin: a pattern of policy.protect matches the row".into(),
            "protected chief: Administrative account".into(),
            "skipped cy: a leaver without an account".into(),
            "skipped di: hr.csv:9 is the row that counts for this person (source.duplicates)".into(),
        ]
    );
    assert!(made.findings()[6].starts_with("invalid 5: skills"), "{}", made.findings()[6]);
    assert!(made.findings()[7].starts_with("invalid 6: the row has 3 cells instead of 7"), "{}", made.findings()[7]);
    assert!(made.findings()[8].starts_with("invalid hr.csv:15: "), "{}", made.findings()[8]);
    let find = |key: &str| made.findings.iter().find(|finding| finding.key == key).unwrap();
    let drift = find("bobby");
    assert_eq!((drift.matched.as_deref(), drift.account.as_ref().unwrap().as_str()), (Some("email"), "1"));
    assert_eq!(drift.changes[0].from, Some(Value::text("bo")));
    assert_eq!(drift.source.as_ref().unwrap().to_string(), "hr.csv:2");
    assert_eq!(find("chief").account, Some(chief));
    assert_eq!(made.actions(), ["create di: login,email,name,password", "create fi: login,email,password"]);
}

#[test]
fn two_rows_that_mean_one_account_are_a_conflict_that_names_both_lines() {
    let office = Office::new();
    let bo = office.account("bo", "Bo", "active");
    let made = office.survey(&csv(&["1,bo,x@x.org,Bo,,,", "2,bobby,bo@x.org,Bo,,,"]));
    assert_eq!(
        made.findings(),
        [
            "conflict bo: hr.csv:2 and hr.csv:3 both match account 1",
            "conflict bobby: hr.csv:3 and hr.csv:2 both match account 1"
        ]
    );
    assert!(made.findings.iter().all(|finding| finding.account.as_ref() == Some(&bo)));
}

#[test]
fn who_was_renamed_is_found_by_the_remembered_account() {
    let office = Office::new();
    let bo = office.account("bo", "Bo", "active");
    office.learn(&office.survey(&csv(&["2,bo,bo@x.org,Bo,,,"])));
    let made = office.survey(&csv(&["2,robert,robert@x.org,Robert,,,"]));
    assert_eq!(made.actions(), ["update robert: name"]);
    assert_eq!((made.actions[0].matched.as_deref(), made.actions[0].account.as_ref()), (Some("link"), Some(&bo)));
    assert_eq!(made.findings(), ["drift robert: the API cannot change login, email"]);
    assert_eq!(made.notes, [], "nothing new is learnt");
}

#[test]
fn two_identities_that_were_linked_to_one_account_are_a_conflict() {
    let office = Office::new().source("duplicates = \"first\"");
    let bo = office.account("bo", "Bo", "active");
    let link = |identity: &str| Note::Link { identity: identity.into(), account: bo.clone() };
    now_or_never(office.memory().remember_notes(vec![link("1"), link("2")])).unwrap();
    let made = office.survey(&csv(&["1,a,a@x.org,A,,,", "2,b,b@x.org,B,,,"]));
    assert_eq!(made.actions.len(), 0);
    assert_eq!(made.findings()[0], "conflict a: hr.csv:2 and hr.csv:3 have the same remembered account");
}

#[test]
fn keys_that_nobody_mapped_are_kept_and_equal_numbers_are_equal() {
    let office = Office::new();
    let bo = office.account("bo", "Bo", "active");
    office.target.meddle(&bo, SKILLS, serde_json::from_str(r#"{"English":"100","Chess":7}"#).unwrap());
    assert_eq!(office.survey(&csv(&["2,bo,bo@x.org,Bo,,,English:100"])).unchanged(), 1);
    let made = office.survey(&csv(&["2,bo,bo@x.org,Bo,,,English:90"]));
    assert_eq!(made.actions[0].changes[0].to.to_string(), r#"{"Chess":7,"English":90}"#);
}

#[test]
fn blank_is_not_clear_unless_it_is_said() {
    for (blank, actions) in [("ignore", 0), ("clear", 1)] {
        let office = Office::new().source(&format!("blank = \"{blank}\""));
        office.account("bo", "Bo", "active");
        let made = office.survey(&csv(&["2,bo,bo@x.org,,,,"]));
        assert_eq!(made.actions.len(), actions, "{blank}");
        if let Some(action) = made.actions.first() {
            assert_eq!((action.changes[0].attribute.as_str(), &action.changes[0].to), ("name", &Value::Null));
        }
    }
    let made = Office::new().source("blank = \"error\"").survey(&csv(&["2,bo,bo@x.org,,Lead,,"]));
    assert_eq!(made.findings[0].finding, FindingKind::Invalid);
}

#[test]
fn policy_leaves_leavers_and_returners_alone_where_it_says_so() {
    let office = Office::new().policy("leavers = \"report\"\nreactivate = false");
    office.account("bo", "Bo", "active");
    office.account("cy", "Cy", "inactive");
    let made = office.survey(&csv(&["1,bo,bo@x.org,Bo,,left,", "2,cy,cy@x.org,Cy,,,"]));
    assert_eq!(made.actions.len(), 0);
    assert_eq!(made.findings.iter().filter(|f| f.finding == FindingKind::Skipped).count(), 2);
}

#[test]
fn a_plan_is_private_and_leaves_the_last_listing_behind() {
    let office = Office::new();
    office.account("bo", "Bo", "active");
    let made = office.survey(&csv(&["2,bo,bo@x.org,Bob,,,"]));
    #[cfg(unix)]
    for path in [&made.surveyed.files.plan, &made.surveyed.files.findings, &made.surveyed.files.notes] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let mut spool = spool::Spool::open(&office.dir.path().join("last.jsonl")).unwrap();
    assert_eq!(spool.next(office.target.schema()).unwrap(), Some(office.target.shown().remove(0)));
    assert!(!office.dir.path().join("last.new").exists());
}
