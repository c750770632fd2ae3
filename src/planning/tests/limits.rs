//! Limits are checked before anything is written, and approvals release exactly what was shown.

use std::fmt::Write as _;

use super::*;
use crate::model::{Attribute, Kind};

fn leavers(count: u32) -> (Office, String) {
    let office = Office::new().safety("max_deactivate = 2\nmax_create = 100");
    let rows: Vec<String> = (0..count)
        .map(|n| {
            office.account(&format!("p{n}"), "P", "active");
            format!("{n},p{n},p{n}@x.org,P,,left,")
        })
        .chain(["100,new,new@x.org,New,,,".to_owned()])
        .collect();
    (office, csv(&rows.iter().map(String::as_str).collect::<Vec<_>>()))
}

#[test]
fn what_exceeds_a_limit_is_held_and_nothing_else() {
    let (office, rows) = leavers(3);
    let made = office.survey(&rows);
    let held = &made.surveyed.header.held[&ActionGroup::Deactivate];
    assert_eq!((held.count, held.limit, made.surveyed.header.held.len()), (3, 2, 1));
    assert_eq!(made.actions.iter().filter(|action| action.held).count(), 3);
    assert!(!made.actions[0].held);
    let (office, rows) = leavers(2);
    assert!(office.survey(&rows).actions.iter().all(|action| !action.held));
}

#[test]
fn an_approval_releases_what_was_held_and_nothing_more() {
    let (office, rows) = leavers(3);
    let approved = [office.survey(&rows).surveyed.header.held[&ActionGroup::Deactivate].approve.clone()];
    let made = office.survey(&rows);
    assert_eq!(made.surveyed.header.released_groups(&approved), Ok(vec![ActionGroup::Deactivate]));
    // One leaver more is another decision.
    office.account("p9", "P", "active");
    let made = office.survey(&format!("{rows}9,p9,p9@x.org,P,,left,\n"));
    assert_eq!(made.surveyed.header.held[&ActionGroup::Deactivate].count, 4);
    assert!(made.surveyed.header.released_groups(&approved).is_err());
}

#[test]
fn an_approval_still_holds_when_nothing_but_the_words_changed() {
    let office = Office::new()
        .policy("absent = \"deactivate\"\nabsent_for = { runs = 1, days = 0 }")
        .safety("max_deactivate = 1\nmax_row_drop = \"100%\"");
    for login in ["a", "b", "c"] {
        office.account(login, "N", "active");
    }
    let made = office.survey(&csv(&["1,new,new@x.org,New,,,"]));
    let approved = [made.surveyed.header.held[&ActionGroup::Deactivate].approve.clone()];
    office.learn(&made);
    // A day and a run later the reason says so, and rows have moved.
    office.days(1);
    let made = office.survey(&csv(&["2,newer,newer@x.org,New,,,", "1,new,new@x.org,New,,,"]));
    assert_ne!(made.actions.last().unwrap().reason.as_deref(), Some("no row for 1 runs and 0 days"));
    assert_eq!(made.surveyed.header.released_groups(&approved), Ok(vec![ActionGroup::Deactivate]));
}

#[test]
fn a_source_that_looks_broken_stops_everything() {
    for (safety, rows, why) in [
        ("min_rows = 3", vec!["1,a,a@x.org,A,,,"], "safety.min_rows"),
        (
            "max_invalid = \"5%\"",
            vec!["1,a,a@x.org,A,,,", "2,b,b@x.org,B,,,bad", "3,c,c@x.org,C,,,bad"],
            "safety.max_invalid",
        ),
        ("on_exceed = \"stop\"\nmax_create = 1", vec!["1,a,a@x.org,A,,,", "2,b,b@x.org,B,,,"], "safety.max_create"),
    ] {
        let office = Office::new().safety(safety);
        let made = office.survey(&csv(&rows));
        let stopped = &made.surveyed.header.stopped;
        assert!(stopped.len() == 1 && stopped[0].contains(why), "{stopped:?}");
        assert!(made.actions.iter().all(|action| action.held), "a stopped plan has nothing that runs");
    }
}

#[test]
fn the_plan_says_what_it_costs() {
    let office = Office::new();
    (0..7).for_each(|n| {
        office.account(&format!("p{n}"), "P", "active");
    });
    let made = office.survey(&csv(&["1,p1,p1@x.org,Q,,,", "2,new,new@x.org,New,,,"]));
    let requests = made.surveyed.header.requests;
    assert_eq!((requests.auth, requests.list, requests.write, requests.total), (1, 1, 2, 4));
    assert_eq!(made.surveyed.header.listing.accounts, 7);
}

#[test]
fn an_export_with_more_patterns_of_blank_cells_than_are_kept_is_compared_as_any_other() {
    const OPTIONAL: usize = 17;
    const ROWS: usize = 66_000;
    let names: Vec<String> = (0..OPTIONAL).map(|at| format!("extra{at}")).collect();
    let plain = fake::schema();
    let attributes = plain.iter().map(|(_, attribute)| attribute.clone());
    let extra = names.iter().map(|name| Attribute::new(name, Kind::Text));
    let mut schema = Schema::new(attributes.chain(extra).collect());
    schema.lifecycle = plain.lifecycle.clone();
    let mut office = Office::with_schema(schema);
    office.map = names.iter().map(|name| format!("{name} = \"{name}\"\n")).collect();
    let ids: Vec<_> = names.iter().map(|name| office.target.schema().id(name).unwrap()).collect();
    let mut csv = format!("id,login,email,name,title,status,skills,{}\n", names.join(","));
    for row in 0..ROWS {
        let mut values = vec![(LOGIN, Value::text(format!("p{row}"))), (STATUS, Value::text("active"))];
        let _ = write!(csv, "{row},p{row},,,,,");
        for (at, id) in ids.iter().enumerate() {
            let is_set = row & (1 << at) != 0;
            csv.push_str(if is_set { ",x" } else { "," });
            if is_set {
                values.push((*id, Value::text("x")));
            }
        }
        csv.push('\n');
        if row == ROWS - 1 {
            values.retain(|(id, _)| id != ids.last().unwrap());
        }
        office.target.has(&values);
    }
    let made = office.survey(&csv);
    assert_eq!(made.actions(), [format!("update p{}: extra16", ROWS - 1)]);
    assert_eq!(made.unchanged(), ROWS as u64 - 1);
}
