//! Accounts that are not what the plan saw.

use super::*;
use crate::connectors::fake::{ROLE, SKILLS, TITLE};

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

/// What somebody else does to an account between plan and execution.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meddling {
    ChangesWhatThePlanChanges,
    MakesTheSameChange,
    Renames,
    Protects,
    Removes,
}

/// Every kind of action on an account that exists.
const KINDS: [ActionKind; 4] = [ActionKind::Update, ActionKind::Reactivate, ActionKind::Deactivate, ActionKind::Delete];

/// The action, and the values of its one change: what the plan saw, what it wants, and something else.
fn one_of(kind: ActionKind, world: &World, key: &str) -> (Action, AccountId) {
    let status = if kind == ActionKind::Reactivate { "inactive" } else { "active" };
    let id = world.account(key, "N", status);
    let planned = match kind {
        ActionKind::Update => rename(key, &id, "N", "M"),
        ActionKind::Reactivate => {
            let changes = vec![change("status", Some(Value::text("inactive")), "active")];
            action(ActionKind::Reactivate, key, Some(&id), changes)
        }
        ActionKind::Deactivate => deactivate(key, &id),
        // Who is deleted was seen as they are.
        _ => Action { also: [("status".to_owned(), Value::text("active"))].into(), ..delete(key, &id) },
    };
    (Action { matched: Some("login".into()), ..planned }, id)
}

fn meddle(world: &World, kind: ActionKind, id: &AccountId, how: Meddling) {
    let (attribute, same, other) = match kind {
        ActionKind::Update => (NAME, "M", "Else"),
        ActionKind::Reactivate => (STATUS, "active", "active"),
        ActionKind::Deactivate | ActionKind::Delete | ActionKind::Create => (STATUS, "inactive", "inactive"),
    };
    match how {
        Meddling::ChangesWhatThePlanChanges => world.target.meddle(id, attribute, Value::text(other)),
        Meddling::MakesTheSameChange => world.target.meddle(id, attribute, Value::text(same)),
        Meddling::Renames => world.target.meddle(id, LOGIN, Value::text("somebody")),
        Meddling::Protects => world.target.meddle(id, ROLE, Value::text("Administrative")),
        Meddling::Removes => world.target.remove(id),
    }
}

#[test]
fn whatever_somebody_else_did_to_an_account_every_kind_of_action_leaves_it_alone_and_says_why() {
    use Meddling::{ChangesWhatThePlanChanges, MakesTheSameChange, Protects, Removes, Renames};
    for kind in KINDS {
        for how in [ChangesWhatThePlanChanges, MakesTheSameChange, Renames, Protects, Removes] {
            let world = World { fresh: false, ..World::new() };
            let (first, id) = one_of(kind, &world, "bo");
            let (second, _) = one_of(kind, &world, "cy");
            world.plan(vec![first, second]);
            meddle(&world, kind, &id, how);
            let before = world.target.shown().into_iter().find(|account| account.id == id);
            let what = format!("{kind}, somebody else {how:?}");
            // The others go on.
            assert_eq!(numbers(&world.execute()), [1, 0, 1, 0, 0], "{what}");
            let after = world.target.shown().into_iter().find(|account| account.id == id);
            assert_eq!((before, world.target.ledger().len()), (after, 1), "{what}");
            let reason = world.remark(1);
            let expected = match (how, kind) {
                (Renames, _) => "renamed since the plan: login was bo and is somebody",
                (Protects, _) => "the account is protected now: Administrative account",
                (Removes, _) => "the account vanished since the plan",
                (ChangesWhatThePlanChanges, ActionKind::Update) => "changed since the plan: name was N and is Else",
                (_, ActionKind::Delete) => "changed since the plan: status was active and is inactive",
                _ => "changed since the plan: somebody else made the same change",
            };
            assert_eq!(reason, expected, "{what}");
            // They are final.
            assert_eq!(numbers(&world.resume()), [1, 0, 1, 0, 0], "{what}");
        }
    }
}

#[test]
fn an_account_that_was_found_by_another_name_may_change_its_login() {
    let world = World { fresh: false, ..World::new() };
    let (planned, id) = one_of(ActionKind::Update, &world, "bo");
    world.plan(vec![Action { matched: Some("link".into()), ..planned }]);
    meddle(&world, ActionKind::Update, &id, Meddling::Renames);
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
}

#[test]
fn a_login_in_another_case_is_the_same_login() {
    let world = World { fresh: false, ..World::new() };
    let (planned, id) = one_of(ActionKind::Update, &world, "bo");
    world.plan(vec![planned]);
    world.target.meddle(&id, LOGIN, Value::text("BO"));
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
}

#[test]
fn whoever_was_deactivated_or_reactivated_meanwhile_gets_no_update_either() {
    for (then, done) in [("active", "deactivated"), ("inactive", "reactivated")] {
        let world = World { fresh: false, ..World::new() };
        let [bo, cy] = ["bo", "cy"].map(|login| world.account(login, "N", then));
        let update = |key, id| Action { active: Some(then == "active"), ..rename(key, id, "N", "M") };
        world.plan(vec![update("bo", &bo), update("cy", &cy)]);
        world.target.meddle(&bo, STATUS, Value::text(if then == "active" { "inactive" } else { "active" }));
        assert_eq!(numbers(&world.execute()), [1, 0, 1, 0, 0]);
        assert_eq!(world.remark(1), format!("changed since the plan: somebody else {done} the account"));
        assert_eq!(world.target.value(&bo, NAME), Value::text("N"));
    }
}
