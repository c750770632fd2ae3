//! What is written before what is sent, and what is sent before what.

use super::*;

#[test]
fn an_intent_is_in_the_journal_before_its_request_leaves() {
    let world = World::new();
    let bo = world.account("bo", "Bo", "active");
    let cy = world.account("cy", "Cy", "active");
    world.plan(vec![create_inactive("ana"), rename("bo", &bo, "Bo", "Bob"), deactivate("cy", &cy)]);
    let (journal, run) = (world.journal.clone(), world.run);
    let (bo_id, cy_id) = (bo.0.clone(), cy.0.clone());
    world.target.watch(move |call| {
        let state = journal.run(run).unwrap().unwrap();
        let (seq, step) = match (call.op, &call.whom) {
            (Op::Create, _) => (1, Step::First),
            (Op::Update, id) if *id == bo_id => (2, Step::First),
            (Op::Update, id) if *id == cy_id => (3, Step::First),
            (Op::Update, _) => (1, Step::FollowUp),
            _ => return,
        };
        assert_eq!(state.step_state(seq, step), StepState::Open, "{call:?}");
    });
    let executed = world.execute();
    assert_eq!(numbers(&executed), [3, 0, 0, 0, 0]);
    assert_eq!(world.target.calls().len(), 4);
}

#[test]
fn what_takes_access_away_comes_last_whatever_the_plan_says() {
    let world = World::new();
    let [bo, cy] = ["bo", "cy"].map(|login| world.account(login, login, "active"));
    world.plan(vec![deactivate("bo", &bo), delete("cy", &cy), create("ana"), create("di")]);
    world.execute();
    let order: Vec<Op> = world.target.calls().iter().map(|call| call.op).collect();
    assert_eq!(order, [Op::Create, Op::Create, Op::Update, Op::Delete]);
}

#[test]
fn nothing_is_taken_away_while_a_create_is_still_unknown_and_may_be_sent_again() {
    let world = World::new();
    let bo = world.account("bo", "Bo", "active");
    world.target.fault(Op::Create, "ana", Fault::LostBefore);
    world.plan(vec![create("ana"), deactivate("bo", &bo)]);
    assert_eq!(numbers(&world.execute()), [2, 0, 0, 0, 0]);
    assert!(matches!(world.target.ledger()[..], [Entry::Created { .. }, Entry::Updated { .. }]));
}

#[test]
fn an_outcome_of_one_action_does_not_touch_another() {
    let world = World::new();
    world.target.fault(Op::Create, "bo", Fault::Refused);
    world.target.fault(Op::Create, "cy", Fault::Garbled);
    world.plan(["ana", "bo", "cy", "nobody", "di"].map(create).to_vec());
    assert_eq!(numbers(&world.execute()), [2, 3, 0, 0, 0]);
    assert_eq!(world.target.created(), ["ana", "di"]);
    assert_eq!(world.remark(2), "refused");
    // A secret that is missing fails its action before anything is sent.
    assert_eq!(world.remark(4), "it has none");
    assert!(world.target.calls().iter().all(|call| call.whom != "nobody"));
}

#[test]
fn a_journal_that_takes_nothing_lets_nothing_leave() {
    let world = World::new();
    world.plan(vec![create("ana"), create("bo")]);
    let ended = Event::RunPaused { run: world.run, at: world.clock.now(), why: String::new() };
    world.journal.append_blocking(ended).unwrap();
    // A paused run takes no intent: every append of one fails.
    let error = world.try_execute().unwrap().unwrap_err();
    assert!(matches!(error, ExecuteError::Journal(_)), "{error}");
    assert_eq!(world.target.calls(), []);
}

#[test]
fn a_journal_that_fails_on_the_way_stops_the_run() {
    let world = World::new();
    world.plan(vec![create("ana"), create("bo"), create("cy"), create("di"), create("ed"), create("fi")]);
    let (journal, run, at) = (world.journal.clone(), world.run, world.clock.now());
    world.target.watch(move |call| {
        if call.whom == "ana" {
            // Whatever is appended from now on is refused.
            // The outcome that is about to be written contradicts this one.
            let result = Outcome::NotThere;
            journal.append_blocking(Event::Outcome { run, at, seq: 1, step: Step::First, result }).unwrap();
        }
    });
    assert!(world.try_execute().unwrap().is_err());
    // What was under way finishes; nobody else is sent.
    assert!(world.target.calls().len() <= 4, "{:?}", world.target.calls());
}

#[test]
fn what_was_done_is_remembered_for_the_next_plan() {
    let world = World::new();
    let mut ana = create("ana");
    ana.changes.push(Change { attribute: "privileges".into(), from: None, to: Value::Int(7) });
    ana.changes.push(change("custom", None, "x"));
    world.plan(vec![ana]);
    assert_eq!(numbers(&world.execute()), [1, 0, 0, 0, 0]);
    let memory = world.journal.memory("t");
    assert_eq!(memory.link_of("id of ana"), Some(AccountId("1".into())));
    let mut names: Vec<_> = memory.fingerprints_of("id of ana").into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["custom", "privileges"]);
}

#[test]
fn progress_counts_every_action_once() {
    let world = World::new();
    world.target.fault(Op::Create, "bo", Fault::LostAfter);
    world.target.fault(Op::Create, "cy", Fault::Refused);
    world.plan(["ana", "bo", "cy", "di"].map(create).to_vec());
    world.execute();
    let done: Vec<_> = world
        .monitor
        .events()
        .into_iter()
        .filter_map(|event| if let crate::model::monitor::Event::ActionsDone(done) = event { Some(done) } else { None })
        .collect();
    assert!(done.iter().all(|done| done.of == 4 && done.done <= 4), "{done:?}");
    assert_eq!(done.iter().map(|done| done.unknown).max(), Some(1));
    let last = done.last().unwrap();
    assert_eq!((last.done, last.failed, last.unknown), (4, 1, 0));
}
