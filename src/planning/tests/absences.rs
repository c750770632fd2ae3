//! An absence proves nothing by itself.

use super::*;
use crate::connectors::fake::{Fault, Op};
use crate::model::Account;

const STRICT: &str = "absent = \"deactivate\"\nabsent_for = { runs = 1, days = 0 }";

/// One row, and two accounts of which one has none.
fn office(policy: &str) -> Office {
    let office = Office::new().policy(policy);
    office.account("bo", "Bo", "active");
    office.account("gone", "Gone", "active");
    office
}

const BO: &str = "1,bo,bo@x.org,Bo,,,";

#[test]
fn who_has_no_row_is_deactivated_after_both_graces_and_not_before() {
    let office = office("absent = \"deactivate\"\nabsent_for = { runs = 3, days = 7 }");
    for (run, days) in [(1, 0), (2, 3), (3, 1)] {
        office.days(days);
        let made = office.survey(&csv(&[BO]));
        assert_eq!(made.actions.len(), 0, "run {run}");
        assert!(
            made.findings[0].reason.starts_with(&format!("no row for {run} of 3 runs")),
            "{}",
            made.findings[0].reason
        );
        office.learn(&made);
    }
    office.days(3);
    let made = office.survey(&csv(&[BO]));
    assert_eq!(made.actions(), ["deactivate gone: status"]);
    assert_eq!(made.actions[0].reason.as_deref(), Some("no row for 4 runs and 7 days"));
    assert_eq!((made.actions[0].requests, made.actions[0].source.as_ref()), (2, None));
}

#[test]
fn who_comes_back_begins_anew() {
    let office = office("absent = \"deactivate\"\nabsent_for = { runs = 2, days = 0 }");
    office.learn(&office.survey(&csv(&[BO])));
    office.learn(&office.survey(&csv(&[BO, "2,gone,gone@x.org,Gone,,,"])));
    let made = office.survey(&csv(&[BO]));
    assert_eq!(made.actions.len(), 0);
    assert!(made.findings[0].reason.starts_with("no row for 1 of 2 runs"));
}

#[test]
fn a_plan_that_nobody_executes_counts_no_absence() {
    let office = office("absent = \"deactivate\"\nabsent_for = { runs = 2, days = 0 }");
    for _ in 0..5 {
        assert_eq!(office.survey(&csv(&[BO])).actions.len(), 0);
    }
}

#[test]
fn a_listing_that_is_not_complete_makes_nobody_absent() {
    let office = office(STRICT);
    office.target.incomplete("the pages shifted");
    let made = office.survey(&csv(&[BO, "3,new,new@x.org,New,,,"]));
    assert_eq!(made.actions(), ["create new: login,email,name,password"]);
    assert_eq!(
        made.findings(),
        ["absent gone: no row, but that proves nothing: the listing is not complete (the pages shifted)"]
    );
    assert_eq!(made.absent_notes(), 0);
    assert!(!made.surveyed.header.listing.complete);
    // Who was not found may be there all the same.
    assert!(made.actions[0].held);
    assert_eq!(made.surveyed.header.held[&ActionGroup::Create].count, 1);
    assert!(!office.dir.path().join("last.jsonl").exists(), "it takes no last listing's place");
    assert!(!office.dir.path().join("last.new").exists());
}

#[test]
fn what_was_shown_before_a_listing_shifted_is_forgotten() {
    let office = office(STRICT);
    let shown: Vec<Account> = [("7", "ghost"), ("8", "bo"), ("9", "new")]
        .map(|(id, login)| Account {
            id: AccountId(id.to_owned()),
            values: [(office.target.schema().id("login").unwrap(), Value::text(login))].into_iter().collect(),
            protected: None,
        })
        .into();
    let undisturbed = office.survey(&csv(&[BO, "3,new,new@x.org,New,,,"]));
    office.target.shifts_after(shown);
    let made = office.survey(&csv(&[BO, "3,new,new@x.org,New,,,"]));
    assert_eq!((made.actions(), made.findings()), (undisturbed.actions(), undisturbed.findings()));
    assert_eq!(made.surveyed.header.listing, undisturbed.surveyed.header.listing);
}

#[test]
fn a_listing_that_fails_makes_no_plan() {
    let office = office(STRICT);
    office.target.fault_any(Op::List, Fault::Unavailable);
    assert!(matches!(office.try_survey(&csv(&[BO])), Err(PlanningError::Target(_))));
}

#[test]
fn a_source_of_another_shape_makes_nobody_absent() {
    let office = office(STRICT);
    office.learn(&office.survey(&csv(&[BO, "2,gone,gone@x.org,Gone,,,"])));
    let made =
        office.survey("id,login,email,name,title,status,skills,extra\n1,bo,bo@x.org,Bo,,,,\n3,x,x@x.org,X,,,,\n");
    assert_eq!(made.absent_notes(), 0);
    assert!(made.findings[0].reason.contains("other columns"), "{}", made.findings[0].reason);
    assert_eq!(made.actions(), ["create x: login,email,name,password"]);
}

#[test]
fn a_source_that_looks_broken_makes_nobody_absent_and_teaches_nothing() {
    let office = Office::new().policy(STRICT).safety("max_row_drop = \"20%\"\nmax_deactivate = 1000");
    let rows: Vec<String> = (0..10).map(|n| format!("{n},p{n},p{n}@x.org,P,,,")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    (0..10).for_each(|n| {
        office.account(&format!("p{n}"), "P", "active");
    });
    office.learn(&office.survey(&csv(&rows)));
    let made = office.survey(&csv(&rows[..7]));
    assert_eq!(made.surveyed.header.stopped.len(), 1);
    assert_eq!((made.actions.len(), made.absent_notes()), (0, 0));
    let made = office.survey(&csv(&rows[..8]));
    assert_eq!((made.actions.len(), made.absent_notes()), (2, 2));
}

#[test]
fn whose_row_cannot_be_used_is_not_absent() {
    let office = office(STRICT);
    // By the key that can be read, in spite of the cell that cannot.
    let made = office.survey(&csv(&[BO, "2,gone,gone@x.org,Gone,,,bad"]));
    assert_eq!((made.actions.len(), made.absent_notes()), (0, 0));
    assert!(
        made.findings()
            .iter()
            .any(|f| f == "absent gone: no row, but that proves nothing: the row hr.csv:3 cannot be used")
    );
    // By the remembered account, where no key can be read.
    office.learn(&office.survey(&csv(&[BO, "2,gone,gone@x.org,Gone,,,"])));
    let made = office.survey(&csv(&[BO, "2,renamed,,Gone,,,bad"]));
    assert_eq!((made.actions.len(), made.absent_notes()), (0, 0));
    // Others whose rows cannot be used say nothing about this one.
    let made = office.survey(&csv(&[BO, "3,other,other@x.org,Other,,,bad"]));
    assert_eq!((made.actions.len(), made.absent_notes()), (1, 1));
}

#[test]
fn while_a_row_may_be_anybodys_nobody_is_absent() {
    // Cut off within its cells, and whole but without any key.
    let cut = "the source ends within a row: it may have been cut short";
    let unusable = "the row hr.csv:3 cannot be used, and it is unknown whose it is";
    for (row, why) in [("2,go", cut), ("2,,,Gone,,,\n", unusable)] {
        let office = office(STRICT);
        let made = office.survey(&format!("{}{row}", csv(&[BO])));
        assert_eq!((made.actions.len(), made.absent_notes()), (0, 0), "{row}");
        let said = format!("absent gone: no row, but that proves nothing: {why}");
        assert!(made.findings().contains(&said), "{:?}", made.findings());
    }
}

#[test]
fn a_row_with_a_cell_too_few_is_whose_cells_it_has() {
    let office = office(STRICT);
    // Cut off at its end; and with the login missing, so that the e-mail stands where the login should.
    for row in ["2,gone,gone@x.org,Gone", "2,gone@x.org,Gone,,,"] {
        let made = office.survey(&csv(&[BO, row]));
        assert_eq!((made.actions.len(), made.absent_notes()), (0, 0), "{row}");
    }
    let made = office.survey(&csv(&[BO, "3,else,else@x.org,Else"]));
    assert_eq!((made.actions.len(), made.absent_notes()), (1, 1));
}

#[test]
fn protected_accounts_and_inactive_ones_are_never_absent() {
    let office = office(&format!("{STRICT}\nprotect = [\"GO*\"]"));
    office.account("old", "Old", "inactive");
    let made = office.survey(&csv(&[BO]));
    assert_eq!(made.actions.len(), 0);
    assert_eq!(
        made.findings(),
        [
            "absent old: no row; the account is inactive already",
            "protected gone: a pattern of policy.protect matches the account"
        ]
    );
    assert_eq!(made.surveyed.header.listing.in_scope, 2);
}

#[test]
fn the_policy_may_ignore_absences() {
    let made = office("absent = \"ignore\"").survey(&csv(&[BO]));
    assert_eq!((made.actions.len(), made.findings.len(), made.notes.len()), (0, 0, 1));
}
