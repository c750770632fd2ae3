//! What is not sent: what is held, not selected, after a halt, after a wish to stop.

use super::*;

fn people(count: u32) -> Vec<Action> {
    (0..count).map(|n| create(&format!("p{n:02}"))).collect()
}

#[test]
fn what_is_held_waits_for_its_release_and_counts_as_held() {
    let plan = |world: &World| {
        let bo = world.account("bo", "Bo", "active");
        let held = Action { held: true, ..deactivate("bo", &bo) };
        world.plan(vec![create("ana"), held]);
    };
    let world = World::new();
    plan(&world);
    let executed = world.execute();
    assert_eq!((numbers(&executed), executed.held), ([1, 0, 0, 0, 0], 1));
    assert_eq!(world.target.count(Op::Update), 0);

    let world = World { released: vec![ActionGroup::Create], ..World::new() };
    plan(&world);
    assert_eq!(world.execute().held, 1);

    let world = World { released: vec![ActionGroup::Deactivate], ..World::new() };
    plan(&world);
    let executed = world.execute();
    assert_eq!((numbers(&executed), executed.held), ([2, 0, 0, 0, 0], 0));
}

#[test]
fn what_was_begun_while_it_was_released_is_settled_when_it_is_not_any_more() {
    let mut world = World { released: vec![ActionGroup::Create], ..World::new() };
    world.target.fault(Op::Create, "ana", Fault::LostAfter);
    world.target.fault_any(Op::Find, Fault::Unavailable);
    world.plan(vec![Action { held: true, ..create("ana") }, Action { held: true, ..create("bo") }]);
    world.execute();
    world.released.clear();
    let executed = world.resume();
    assert_eq!((numbers(&executed), executed.held), ([2, 0, 0, 0, 0], 0));
}

#[test]
fn only_names_people_by_key_identity_or_account() {
    for (only, expected) in [("ANA", vec!["ana"]), ("id of bo", vec!["bo"]), ("7", vec![]), ("nobody else", vec![])] {
        let world = World { selection: Selection { only: vec![only.into()], limit: None }, ..World::new() };
        world.plan(vec![create("ana"), create("bo"), create("cy")]);
        let executed = world.execute();
        assert_eq!(world.target.created(), expected, "{only}");
        assert_eq!((executed.pending, executed.applied.create), (0, expected.len() as u64));
    }
    let world = World::new();
    let ids = ["bo", "cy"].map(|login| world.account(login, "N", "active"));
    let world = World { selection: Selection { only: vec![ids[1].0.clone()], limit: None }, ..world };
    world.plan(vec![rename("bo", &ids[0], "N", "B"), rename("cy", &ids[1], "N", "C")]);
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    assert_eq!(world.target.value(&ids[1], NAME), Value::text("C"));
}

#[test]
fn a_limit_means_the_same_actions_in_every_process_and_in_both_halves() {
    for crash in 0..60 {
        let world = World { selection: Selection { only: Vec::new(), limit: Some(3) }, ..World::new() };
        let [bo, cy] = ["bo", "cy"].map(|login| world.account(login, "N", "active"));
        let held = Action { held: true, ..create("held") };
        world.plan(vec![create("a"), deactivate("bo", &bo), held, create("b"), deactivate("cy", &cy), create("c")]);
        world.target.points.die_at(crash);
        let executed = world.try_execute().map_or_else(|| world.resume(), Result::unwrap);
        assert_eq!((numbers(&executed), executed.held), ([3, 0, 0, 0, 0], 1), "died at {crash}");
        assert_eq!(world.target.created(), ["a", "b"]);
        assert_eq!(world.target.value(&bo, STATUS), Value::text("inactive"));
        assert_eq!(world.target.value(&cy, STATUS), Value::text("active"));
    }
}

#[test]
fn a_limit_is_not_refilled_by_what_failed() {
    let world = World { selection: Selection { only: Vec::new(), limit: Some(2) }, ..World::new() };
    world.target.fault(Op::Create, "p00", Fault::Refused);
    world.plan(people(5));
    assert_eq!(numbers(&world.execute()), [1, 1, 0, 0, 0]);
    assert_eq!(numbers(&world.resume()), [1, 1, 0, 0, 0]);
    assert_eq!(world.target.created(), ["p01"]);
}

#[test]
fn nothing_is_sent_after_a_halt_and_the_rest_is_pending() {
    for (fault, kind) in
        [(Fault::Quota, "quota"), (Fault::Configuration, "configuration"), (Fault::Unavailable, "down")]
    {
        let world = World { concurrency: 4, ..World::new() };
        world.target.fault(Op::Create, "p03", fault);
        world.plan(people(30));
        let executed = world.execute();
        let halted = match executed.halt {
            Some(Halt::Quota(_)) => "quota",
            Some(Halt::Configuration(_)) => "configuration",
            Some(Halt::Down(_)) => "down",
            _ => "no",
        };
        assert_eq!(halted, kind);
        let applied = executed.applied.create;
        assert_eq!(numbers(&executed), [applied, 0, 0, 0, 30 - applied]);
        // At most what was under way beside it.
        assert!(world.target.calls().len() <= 3 + 8, "{}", world.target.calls().len());
        let after = world.target.calls().iter().position(|call| call.whom == "p03").unwrap();
        assert!(world.target.calls().len() - after <= 8);
        assert_eq!(numbers(&world.resume()), [30, 0, 0, 0, 0]);
        assert_eq!(world.target.created().len(), 30);
    }
}

#[test]
fn a_budget_is_kept_to_the_request_and_the_run_ends_the_next_day() {
    let world = World { concurrency: 4, ..World::new() };
    world.target.budget(Some(7));
    world.plan(people(20));
    let executed = world.execute();
    assert!(matches!(executed.halt, Some(Halt::Quota(_))));
    assert_eq!(numbers(&executed), [7, 0, 0, 0, 13]);
    assert_eq!(world.target.calls().len(), 7);
    world.target.budget(Some(100));
    assert_eq!(numbers(&world.resume()), [20, 0, 0, 0, 0]);
    assert_eq!(world.target.calls().len(), 20);
}

#[test]
fn after_a_wish_to_stop_nothing_leaves_and_what_is_under_way_finishes() {
    let world = World { concurrency: 2, ..World::new() };
    world.plan(people(12));
    let stop = Arc::clone(&world.stop);
    world.target.watch(move |call| {
        if call.whom == "p04" {
            stop.request();
        }
    });
    let executed = world.execute();
    assert!(matches!(executed.halt, Some(Halt::Signal)));
    assert_eq!((executed.failed, executed.unknown), (0, 0));
    assert_eq!(executed.applied.create + executed.pending, 12);
    assert_eq!(world.target.calls().last().unwrap().whom, "p04");
    let world = World { stop: Arc::default(), ..world };
    world.target.watch(|_| {});
    assert_eq!(numbers(&world.resume()), [12, 0, 0, 0, 0]);
    assert_eq!(world.target.created().len(), 12);
}

#[test]
fn a_wish_to_stop_that_comes_while_an_intent_is_written_keeps_its_request_back() {
    let world = World::new();
    world.plan(people(3));
    // The time is asked for when the first intent is about to be written.
    *world.mortal.stop_next.lock().unwrap() = Some(Arc::clone(&world.stop));
    let executed = world.execute();
    assert!(matches!(executed.halt, Some(Halt::Signal)));
    assert_eq!(numbers(&executed), [0, 0, 0, 0, 3]);
    assert_eq!(world.target.calls(), []);
    assert_eq!(world.first(1), StepState::NotThere);
    let world = World { stop: Arc::default(), ..world };
    assert_eq!(numbers(&world.resume()), [3, 0, 0, 0, 0]);
}

#[test]
fn a_wish_to_stop_ends_the_wait_for_a_late_create() {
    let world = World::new();
    world.target.fault(Op::Create, "ana", Fault::LostBefore);
    world.plan(vec![create("ana")]);
    let stop = Arc::clone(&world.stop);
    world.target.watch(move |call| {
        if call.op == Op::Find {
            stop.request();
        }
    });
    let executed = world.execute();
    assert!(matches!(executed.halt, Some(Halt::Signal)));
    assert_eq!(numbers(&executed), [0, 0, 0, 1, 0]);
    assert_eq!(world.target.count(Op::Find), 1);
}

#[test]
fn a_run_that_is_over_sends_nothing_more() {
    let world = World::new();
    world.plan(people(3));
    assert_eq!(numbers(&world.execute()), [3, 0, 0, 0, 0]);
    assert_eq!(numbers(&world.resume()), [3, 0, 0, 0, 0]);
    assert_eq!(world.target.calls().len(), 3);
}
