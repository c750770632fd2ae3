//! Answers that never came.

use super::*;
use crate::connectors::fake::{CUSTOM, ROLE};

#[test]
fn a_create_whose_answer_was_lost_after_its_effect_is_found_and_not_sent_again() {
    let world = World::new();
    world.target.fault(Op::Create, "ana", Fault::LostAfter);
    world.plan(vec![create("ana"), create("bo")]);
    assert_eq!(numbers(&world.execute()), [2, 0, 0, 0, 0]);
    assert_eq!(world.target.created(), ["ana", "bo"]);
    assert_eq!(world.target.count(Op::Create), 2);
    assert_eq!(world.first(1), StepState::Applied);
}

#[test]
fn a_create_that_never_arrived_is_sent_again_with_the_same_secret() {
    let world = World::new();
    world.target.fault(Op::Create, "ana", Fault::LostBefore);
    world.plan(vec![create("ana")]);
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    assert_eq!(world.target.created(), ["ana"]);
    let calls = world.target.calls();
    let sent: Vec<_> = calls.iter().filter(|call| call.op == Op::Create).map(|call| &call.password).collect();
    assert_eq!(sent, [&Some(secret_of("ana")); 2]);
}

#[test]
fn a_create_that_lands_after_the_first_look_is_waited_for_even_where_a_login_can_be_used_twice() {
    let world = World::new();
    world.target.allow_twins();
    world.target.fault(Op::Create, "ana", Fault::Late(TIMEOUT));
    world.plan(vec![create("ana")]);
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    assert_eq!(world.target.created(), ["ana"]);
    assert_eq!(world.target.count(Op::Create), 1);
    assert_eq!(world.target.count(Op::Find), 2);
}

#[test]
fn a_create_that_is_lost_twice_without_effect_failed() {
    let world = World::new();
    world.target.fault(Op::Create, "ana", Fault::LostBefore);
    world.target.fault(Op::Create, "ana", Fault::LostBefore);
    world.plan(vec![create("ana"), create("bo")]);
    assert_eq!(numbers(&world.execute()), [1, 1, 0, 0, 0]);
    assert_eq!(world.target.created(), ["bo"]);
    assert_eq!(world.target.calls().iter().filter(|call| call.whom == "ana").count(), 2);
}

#[test]
fn an_account_that_somebody_else_made_is_adopted_where_it_is_what_was_wanted() {
    let world = World::new();
    world.plan(vec![create("ana")]);
    let id = world.account("ANA", "Name of ana", "active");
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    assert_eq!(world.target.ledger(), []);
    assert_eq!(world.outcomes(1).last(), Some(&Outcome::Adopted { account: id }));
}

#[test]
fn an_account_that_somebody_else_made_differently_is_a_conflict() {
    let world = World::new();
    world.plan(vec![create("ana")]);
    world.account("ana", "Anna", "active");
    assert_eq!(numbers(&world.execute()), [0, 1, 0, 0, 0]);
    assert_eq!(world.target.ledger(), []);
    assert_eq!(world.remark(1), "account 1 exists already with another name: Anna instead of Name of ana");
}

#[test]
fn a_protected_account_is_never_adopted() {
    let world = World::new();
    world.plan(vec![create_inactive("ana")]);
    let id = world.account("ana", "Name of ana", "active");
    world.target.meddle(&id, ROLE, Value::text("Administrative"));
    assert_eq!(numbers(&world.execute()), [0, 1, 0, 0, 0]);
    assert_eq!(world.target.ledger(), []);
}

#[test]
fn what_was_adopted_counts_as_somebody_elses_after_a_crash_too() {
    for crash in 1..40 {
        let world = World::new();
        let mut ana = create("ana");
        ana.changes.push(change("privileges", None, "p"));
        world.plan(vec![ana]);
        let id = world.account("ana", "Name of ana", "active");
        world.target.points.die_at(crash);
        if world.try_execute().is_some() {
            assert!(crash > 5, "there are more points than {crash}");
            return;
        }
        // An intent without an answer may have had its effect: nobody can know that it did not.
        let may_be_ours = world.first(1) == StepState::Open;
        world.resume();
        if !may_be_ours {
            assert_eq!(world.outcomes(1).pop(), Some(Outcome::Adopted { account: id }), "died at {crash}");
            assert_eq!(world.journal.memory("t").fingerprints_of("id of ana"), [], "its privileges were never written");
        }
    }
    panic!("it never ended");
}

#[test]
fn a_create_that_was_lost_and_then_refused_because_it_exists_is_ours() {
    let world = World::new();
    // It lands only after two looks, when it is being sent again.
    world.target.fault(Op::Create, "ana", Fault::Late(TIMEOUT + Duration::from_secs(1)));
    world.plan(vec![create("ana")]);
    let clock = Arc::clone(&world.clock);
    world.target.watch(move |call| {
        if call.op == Op::Find {
            clock.advance(Duration::from_secs(1));
        }
    });
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    assert_eq!(world.target.created(), ["ana"]);
    assert_eq!(world.outcomes(1).last(), Some(&Outcome::Applied { account: Some(AccountId("1".into())) }));
}

#[test]
fn a_create_that_was_halted_before_it_had_any_effect_is_not_ours_when_it_exists_later() {
    let world = World::new();
    world.target.fault(Op::Create, "ana", Fault::Quota);
    world.plan(vec![create("ana")]);
    assert!(matches!(world.execute().halt, Some(Halt::Quota(_))));
    let id = world.account("ana", "Name of ana", "active");
    assert_eq!(numbers(&world.resume()), [1, 0, 0, 0, 0]);
    assert_eq!(world.outcomes(1).last(), Some(&Outcome::Adopted { account: id }));
}

#[test]
fn a_create_that_cannot_be_looked_up_stays_unknown_and_the_run_goes_on_later() {
    for fault in [Fault::Unavailable, Fault::Quota, Fault::Configuration] {
        let world = World::new();
        world.target.fault(Op::Create, "ana", Fault::LostAfter);
        world.target.fault_any(Op::Find, fault);
        let bo = world.account("bo", "Bo", "active");
        world.plan(vec![create("ana"), deactivate("bo", &bo)]);
        let executed = world.execute();
        assert!(executed.halt.is_some());
        assert_eq!(numbers(&executed), [0, 0, 0, 1, 1]);
        assert_eq!(world.first(1), StepState::Unknown);
        assert_eq!(numbers(&world.resume()), [2, 0, 0, 0, 0]);
        assert_eq!(world.target.created(), ["ana"]);
    }
}

#[test]
fn a_lookup_that_is_refused_leaves_its_own_unknown_and_stops_nobody() {
    let world = World::new();
    world.target.fault(Op::Create, "ana", Fault::LostAfter);
    world.target.fault_any(Op::Find, Fault::Garbled);
    let bo = world.account("bo", "Bo", "active");
    world.plan(vec![create("ana"), deactivate("bo", &bo)]);
    let executed = world.execute();
    assert!(executed.halt.is_none());
    assert_eq!(numbers(&executed), [1, 0, 0, 1, 0]);
    assert_eq!(world.monitor.notes().len(), 1);
    assert_eq!(numbers(&world.resume()), [2, 0, 0, 0, 0]);
}

#[test]
fn a_listing_that_is_not_complete_proves_no_create_away() {
    let world = World::new();
    world.target.allow_twins();
    world.target.incomplete("it shifted");
    world.target.fault(Op::Create, "ana", Fault::LostBefore);
    world.plan(vec![create("ana")]);
    assert_eq!(numbers(&world.execute()), [0, 0, 0, 1, 0]);
    assert_eq!(world.target.count(Op::Create), 1);
}

#[test]
fn an_update_that_was_lost_is_looked_at_and_sent_again_where_it_is_not_there() {
    for (fault, sent) in [(Fault::LostAfter, 1), (Fault::LostBefore, 2), (Fault::Late(TIMEOUT), 1)] {
        let world = World::new();
        let bo = world.account("bo", "Bo", "active");
        world.target.fault(Op::Update, &bo.0, fault);
        world.plan(vec![rename("bo", &bo, "Bo", "Bob")]);
        assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0], "{fault:?}");
        assert_eq!(world.target.value(&bo, NAME), Value::text("Bob"));
        assert_eq!(world.target.count(Op::Update), sent, "{fault:?}");
    }
}

#[test]
fn an_update_of_what_the_api_does_not_show_is_sent_again_rather_than_believed() {
    let world = World::new();
    let bo = world.account("bo", "Bo", "active");
    world.target.fault(Op::Update, &bo.0, Fault::LostBefore);
    world.plan(vec![action(ActionKind::Update, "bo", Some(&bo), vec![change("custom", None, "x")])]);
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    assert_eq!(world.target.value(&bo, CUSTOM), Value::text("x"));
}

#[test]
fn an_update_of_what_the_api_does_not_show_that_is_lost_twice_is_unknown() {
    let world = World::new();
    let bo = world.account("bo", "Bo", "active");
    world.target.fault(Op::Update, &bo.0, Fault::LostBefore);
    world.target.fault(Op::Update, &bo.0, Fault::LostAfter);
    world.plan(vec![action(ActionKind::Update, "bo", Some(&bo), vec![change("custom", None, "x")])]);
    assert_eq!(numbers(&world.execute()), [0, 0, 0, 1, 0]);
    assert_eq!(numbers(&world.resume()), [1, 0, 0, 0, 0]);
}

#[test]
fn an_update_whose_account_cannot_be_read_stays_unknown_rather_than_failed() {
    let world = World::new();
    let bo = world.account("bo", "Bo", "active");
    world.target.fault(Op::Update, &bo.0, Fault::LostAfter);
    world.target.fault(Op::Get, &bo.0, Fault::Garbled);
    world.plan(vec![rename("bo", &bo, "Bo", "Bob"), create("ana")]);
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 1, 0]);
    assert_eq!(numbers(&world.resume()), [2, 0, 0, 0, 0]);
}

#[test]
fn an_update_refused_because_a_value_exists_elsewhere_is_refused_and_not_sent_again() {
    let world = World::new();
    let bo = world.account("bo", "Bo", "active");
    world.target.fault(Op::Update, &bo.0, Fault::Exists);
    world.plan(vec![rename("bo", &bo, "Bo", "Bob")]);
    assert_eq!(numbers(&world.execute()), [0, 1, 0, 0, 0]);
    assert_eq!(world.remark(1), "it exists");
    assert_eq!(world.target.count(Op::Update), 1);
}

#[test]
fn a_deletion_that_was_lost_is_done_when_the_account_is_gone() {
    for (fault, sent) in [(Fault::LostAfter, 1), (Fault::LostBefore, 2)] {
        let world = World::new();
        let bo = world.account("bo", "Bo", "active");
        world.target.fault(Op::Delete, &bo.0, fault);
        world.plan(vec![delete("bo", &bo)]);
        assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
        assert_eq!(world.target.ledger(), [Entry::Deleted { account: bo }]);
        assert_eq!(world.target.count(Op::Delete), sent);
    }
}

#[test]
fn the_second_half_of_a_create_is_looked_up_like_any_update() {
    for fault in [Fault::LostAfter, Fault::LostBefore] {
        let world = World::new();
        world.target.fault_any(Op::Update, fault);
        world.plan(vec![create_inactive("ana")]);
        assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0], "{fault:?}");
        assert_eq!(world.target.created(), ["ana"]);
        assert_eq!(world.target.value(&AccountId("1".into()), STATUS), Value::text("inactive"));
    }
}

#[test]
fn a_second_half_that_is_lost_while_its_create_is_settled_is_settled_too() {
    let world = World::new();
    world.target.fault(Op::Create, "ana", Fault::LostAfter);
    world.target.fault_any(Op::Update, Fault::LostBefore);
    world.plan(vec![create_inactive("ana")]);
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    assert_eq!(world.target.value(&AccountId("1".into()), STATUS), Value::text("inactive"));
}

#[test]
fn a_second_half_that_is_refused_fails_the_action_and_keeps_the_account_known() {
    let world = World { concurrency: 1, ..World::new() };
    world.target.fault_any(Op::Update, Fault::Refused);
    world.plan(vec![create_inactive("ana"), create("bo")]);
    assert_eq!(numbers(&world.execute()), [1, 1, 0, 0, 0]);
    assert_eq!(world.target.created(), ["ana", "bo"]);
    let state = world.journal.run(world.run).unwrap().unwrap();
    assert_eq!(world.journal.memory("t").link_of("id of ana").as_ref(), state.account_of(1));
    // It is final: nothing is sent again.
    let before = world.target.calls().len();
    assert_eq!(numbers(&world.resume()), [1, 1, 0, 0, 0]);
    assert_eq!(world.target.calls().len(), before);
}

#[test]
fn five_answers_lost_in_a_row_halt_the_run() {
    let mut world = World::new();
    world.concurrency = 1;
    world.target.chaos(|op| (op == Op::Create).then_some(Fault::LostBefore));
    world.plan((0..20).map(|n| create(&format!("p{n}"))).collect());
    let executed = world.execute();
    assert!(matches!(executed.halt, Some(Halt::Down(_))));
    assert!((5..=7).contains(&world.target.count(Op::Create)), "{}", world.target.count(Op::Create));
    assert_eq!(executed.unknown + executed.pending, 20);
    world.target.calm();
    assert_eq!(numbers(&world.resume()), [20, 0, 0, 0, 0]);
    assert_eq!(world.target.created().len(), 20);
}

#[test]
fn an_answer_in_between_breaks_the_row() {
    let world = World { concurrency: 1, ..World::new() };
    let mut nth = 0;
    world.target.chaos(move |op| {
        nth += u32::from(op == Op::Create);
        (op == Op::Create && nth % 4 != 0 && nth < 16).then_some(Fault::LostAfter)
    });
    world.plan((0..20).map(|n| create(&format!("p{n}"))).collect());
    let executed = world.execute();
    assert!(executed.halt.is_none());
    assert_eq!(numbers(&executed), [20, 0, 0, 0, 0]);
}

#[test]
fn a_look_that_the_quota_could_not_pay_for_twice_is_taken_once_when_nothing_can_land_any_more() {
    for (budget, looks) in [(10, 1), (100, 2)] {
        let world = World::new();
        world.target.budget(Some(budget));
        world.target.fault(Op::Create, "ana", Fault::LostBefore);
        world.plan(vec![create("ana")]);
        assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
        assert_eq!((world.target.count(Op::Find), world.target.created().len()), (looks, 1));
        assert_eq!(world.clock.elapsed(), TIMEOUT);
    }
}

#[test]
fn what_was_given_up_long_ago_is_looked_for_once() {
    let world = World { concurrency: 1, ..World::new() };
    world.target.fault(Op::Create, "ana", Fault::LostBefore);
    world.plan(["ana", "bo", "cy", "di", "ed"].map(create).to_vec());
    let clock = Arc::clone(&world.clock);
    world.target.watch(move |call| {
        if call.whom == "ed" {
            clock.advance(TIMEOUT);
        }
    });
    assert_eq!(numbers(&world.execute()), [5, 0, 0, 0, 0]);
    assert_eq!((world.target.count(Op::Find), world.target.created().len()), (1, 5));
}

#[test]
fn an_update_of_what_the_api_does_not_show_that_was_sent_before_is_not_said_to_be_left_alone() {
    let world = World { fresh: false, ..World::new() };
    let bo = world.account("bo", "Bo", "active");
    world.target.fault(Op::Update, &bo.0, Fault::LostAfter);
    // The fourth look is the one before it is sent again.
    let mut looks = 0;
    world.target.chaos(move |op| {
        looks += u32::from(op == Op::Get);
        (op == Op::Get && looks == 4).then_some(Fault::Refused)
    });
    world.plan(vec![action(ActionKind::Update, "bo", Some(&bo), vec![change("custom", None, "x")])]);
    assert_eq!(numbers(&world.execute()), [0, 1, 0, 0, 0]);
    assert!(world.remark(1).ends_with("an earlier attempt may have succeeded"), "{}", world.remark(1));
}
