//! Accounts that are not what the plan saw.

use super::*;
use crate::target::fake::{ROLE, SKILLS, TITLE};

#[test]
fn a_fresh_listing_spares_the_read_and_an_old_one_does_not() {
    for fresh in [true, false] {
        let world = World { fresh, ..World::new() };
        let bo = world.account("bo", "Bo", "active");
        world.plan(vec![rename("bo", &bo, "Bo", "Bob")]);
        assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
        assert_eq!(world.target.count(Op::Get), usize::from(!fresh));
    }
}

#[test]
fn a_listing_grows_old_while_the_run_waits() {
    let world = World::new();
    let [bo, cy] = ["bo", "cy"].map(|login| world.account(login, "N", "active"));
    world.plan(vec![rename("bo", &bo, "N", "B"), deactivate("cy", &cy)]);
    world.clock.advance(Duration::from_secs(86_401));
    world.execute();
    assert_eq!(world.target.count(Op::Get), 2);
}

#[test]
fn who_has_no_row_is_read_once_more_however_fresh_the_listing_is() {
    let world = World::new();
    let [bo, cy] = ["bo", "cy"].map(|login| world.account(login, "N", "active"));
    let gone = |key: &str, id| Action { source: None, identity: None, ..deactivate(key, id) };
    world.plan(vec![gone("bo", &bo), gone("cy", &cy)]);
    world.target.meddle(&cy, STATUS, Value::text("inactive"));
    assert_eq!(numbers(&world.execute()), [1, 0, 1, 0, 0]);
    assert_eq!(world.target.count(Op::Get), 2);
    assert_eq!(world.target.count(Op::Update), 1);
}

#[test]
fn whoever_changed_meanwhile_is_left_alone_and_the_others_go_on() {
    let world = World { fresh: false, ..World::new() };
    let ids: Vec<_> =
        ["a", "b", "c", "d", "e", "f", "g"].iter().map(|login| world.account(login, "N", "active")).collect();
    world
        .plan(ids.iter().zip(["a", "b", "c", "d", "e", "f", "g"]).map(|(id, key)| rename(key, id, "N", "M")).collect());
    world.target.meddle(&ids[1], NAME, Value::text("Else"));
    world.target.remove(&ids[2]);
    world.target.meddle(&ids[3], ROLE, Value::text("Administrative"));
    world.target.meddle(&ids[4], NAME, Value::text("M"));
    // What the plan does not touch may change.
    world.target.meddle(&ids[5], TITLE, Value::text("Lead"));
    world.target.fault(Op::Get, &ids[6].0, Fault::Refused);
    assert_eq!(numbers(&world.execute()), [2, 0, 5, 0, 0]);
    assert_eq!(world.remark(2), "changed since the plan: name was N and is Else");
    assert_eq!(world.remark(3), "the account vanished since the plan");
    assert_eq!(world.remark(4), "the account is protected now: Administrative account");
    assert_eq!(world.remark(5), "changed since the plan: somebody else made the same change");
    assert_eq!(world.remark(7), "its present state could not be read: refused");
    assert_eq!(world.target.value(&ids[1], NAME), Value::text("Else"));
    assert_eq!(world.target.count(Op::Update), 2);
    // They are final.
    assert_eq!(numbers(&world.resume()), [2, 0, 5, 0, 0]);
}

#[test]
fn a_value_that_is_sent_along_must_be_what_the_plan_saw_too() {
    let world = World { fresh: false, ..World::new() };
    let bo = world.account("bo", "Bo", "active");
    let mut update = rename("bo", &bo, "Bo", "Bob");
    update.also.insert("title".into(), Value::text("Agent"));
    world.plan(vec![update]);
    world.target.meddle(&bo, TITLE, Value::text("Lead"));
    assert_eq!(numbers(&world.execute()), [0, 0, 1, 0, 0]);
    assert_eq!(world.target.value(&bo, TITLE), Value::text("Lead"));
}

#[test]
fn a_key_that_somebody_added_meanwhile_is_not_overwritten() {
    let world = World { fresh: false, ..World::new() };
    let bo = world.account("bo", "Bo", "active");
    let skills = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    world.target.meddle(&bo, SKILLS, skills(r#"{"English":80}"#));
    let to = skills(r#"{"English":90}"#);
    let changes = vec![Change { attribute: "skills".into(), from: Some(skills(r#"{"English":"80"}"#)), to }];
    world.plan(vec![action(ActionKind::Update, "bo", Some(&bo), changes)]);
    world.target.meddle(&bo, SKILLS, skills(r#"{"English":80,"Chess":1}"#));
    assert_eq!(numbers(&world.execute()), [0, 0, 1, 0, 0]);
}

#[test]
fn an_update_that_landed_while_it_was_sent_again_is_ours() {
    let world = World { fresh: false, ..World::new() };
    let bo = world.account("bo", "Bo", "active");
    // It lands after both looks, before the account is read to send it again.
    world.target.fault(Op::Update, &bo.0, Fault::Late(TIMEOUT + Duration::from_secs(2)));
    world.plan(vec![rename("bo", &bo, "Bo", "Bob")]);
    let clock = Arc::clone(&world.clock);
    world.target.watch(move |call| {
        if call.op == Op::Get {
            clock.advance(Duration::from_secs(1));
        }
    });
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    assert_eq!(world.target.value(&bo, NAME), Value::text("Bob"));
}
