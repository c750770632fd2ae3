use jiff::Timestamp;
use proptest::prelude::*;

use super::table::next;
use super::*;
use crate::model::AccountId;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn id(salt: u64) -> RunId {
    RunId::new(at(1_795_000_000), salt)
}

fn started(run: RunId, actions: u64) -> Event {
    Event::RunStarted { run, at: at(0), head: Box::new(RunHead { actions, ..RunHead::default() }) }
}

fn intent(run: RunId, seq: u64, step: Step, attempt: u32) -> Event {
    Event::Intent { run, at: at(1), seq, step, attempt }
}

fn outcome(run: RunId, seq: u64, step: Step, result: Outcome) -> Event {
    Event::Outcome { run, at: at(2), seq, step, result }
}

fn ended(run: RunId, outcome: Ending) -> Event {
    Event::RunEnded { run, at: at(5), outcome }
}

fn paused(run: RunId) -> Event {
    Event::RunPaused { run, at: at(3), why: "quota".to_owned() }
}

fn result(happens: Move) -> Outcome {
    let account = AccountId("4711".to_owned());
    let message = "why".to_owned();
    match happens {
        Move::Applied => Outcome::Applied { account: Some(account) },
        Move::Adopted => Outcome::Adopted { account },
        Move::Failed => Outcome::Failed { message, code: Some(3111), trxid: Some("t1".to_owned()) },
        Move::Skipped => Outcome::Skipped { message },
        Move::Unknown => Outcome::Unknown { message },
        Move::NotThere => Outcome::NotThere,
        Move::Intent => unreachable!("an intent is no outcome"),
    }
}

/// The event by which `happens` happens to a step that was sent `attempts` times.
fn event(run: RunId, seq: u64, step: Step, happens: Move, attempts: u32) -> Event {
    match happens {
        Move::Intent => intent(run, seq, step, attempts + 1),
        happens => outcome(run, seq, step, result(happens)),
    }
}

/// The shortest way to each state.
fn way(to: StepState) -> Vec<Move> {
    match to {
        StepState::Pending => vec![],
        StepState::Open => vec![Move::Intent],
        StepState::Applied => vec![Move::Intent, Move::Applied],
        StepState::Adopted => vec![Move::Intent, Move::Adopted],
        StepState::Failed => vec![Move::Intent, Move::Failed],
        StepState::Skipped => vec![Move::Skipped],
        StepState::Unknown => vec![Move::Intent, Move::Unknown],
        StepState::NotThere => vec![Move::Intent, Move::NotThere],
    }
}

/// A run of three actions whose second has its steps in these states; none where that cannot be.
fn brought_to(first: StepState, follow_up: StepState) -> Option<RunState> {
    let run = id(1);
    let mut state = RunState::from_start(&started(run, 3)).unwrap();
    for (step, to) in [(Step::First, first), (Step::FollowUp, follow_up)] {
        for happens in way(to) {
            state.apply(&event(run, 2, step, happens, 0)).ok()?;
        }
    }
    Some(state)
}

/// The table, as it is meant: `-` is illegal.
const TABLE: &str = "
               intent  applied  adopted  failed  skipped  unknown  not-there
    Pending    Open    -        -        Failed  Skipped  -        -
    Open       -       Applied  Adopted  Failed  -        Unknown  NotThere
    Applied    -       -        -        -       -        -        -
    Adopted    -       -        -        -       -        -        -
    Failed     -       -        -        -       -        -        -
    Skipped    -       -        -        -       -        -        -
    Unknown    -       Applied  Adopted  Failed  -        -        NotThere
    NotThere   Open    -        -        Failed  Skipped  -        -
";

fn table() -> impl Iterator<Item = (StepState, Move, Option<StepState>)> {
    let named = |name: &str| StepState::ALL.into_iter().find(|state| format!("{state:?}") == name);
    TABLE.lines().filter(|line| !line.trim().is_empty()).skip(1).flat_map(move |line| {
        let mut words = line.split_whitespace();
        let from = named(words.next().unwrap()).unwrap();
        let cells: Vec<_> = words.map(named).collect();
        assert_eq!(cells.len(), Move::ALL.len());
        Move::ALL.into_iter().zip(cells).map(move |(happens, to)| (from, happens, to))
    })
}

#[test]
fn every_cell_of_the_table_is_as_it_is_meant() {
    assert_eq!(table().count(), 8 * 7);
    for (from, happens, to) in table() {
        assert_eq!(next(from, happens), to, "{from} and then {happens}");
    }
}

#[test]
fn a_run_follows_the_table_for_both_steps_and_refuses_the_rest_unchanged() {
    let mut reached = 0;
    for first in StepState::ALL {
        for follow_up in StepState::ALL {
            let before = brought_to(first, follow_up);
            assert_eq!(before.is_some(), follow_up == StepState::Pending || first.is_done(), "{first}, {follow_up}");
            let Some(before) = before else { continue };
            assert_eq!(before.action(2), ActionState { first, follow_up });
            for (from, happens, to) in table() {
                for step in Step::BOTH {
                    if before.step_state(2, step) != from {
                        continue;
                    }
                    reached += 1;
                    let allowed = to.filter(|_| step == Step::First || first.is_done());
                    let mut after = before.clone();
                    let taken = after.apply(&event(id(1), 2, step, happens, before.attempts_of(2, step)));
                    assert_eq!(taken.is_ok(), allowed.is_some(), "{first}, {follow_up}: {step} {happens}: {taken:?}");
                    match allowed {
                        Some(to) => {
                            assert_eq!(after.step_state(2, step), to);
                            let other = if step == Step::First { Step::FollowUp } else { Step::First };
                            assert_eq!(after.step_state(2, other), before.step_state(2, other));
                        }
                        None => assert_eq!(after, before),
                    }
                    assert_eq!((after.action(1), after.action(3)), (before.action(1), before.action(3)));
                }
            }
        }
    }
    // The first step alone in 8 states, and after a done first step the follow-up in 7 more: 22 runs, two steps each.
    assert_eq!(reached, 22 * 2 * 7);
}

#[test]
fn every_phase_takes_what_it_should_and_nothing_else() {
    let run = id(1);
    let in_phase = |phase: Phase| {
        let mut state = RunState::from_start(&started(run, 2)).unwrap();
        match phase {
            Phase::Running => {}
            Phase::Paused => state.apply(&paused(run)).unwrap(),
            Phase::Ended(ending) => state.apply(&ended(run, ending)).unwrap(),
        }
        assert_eq!(state.phase(), phase);
        state
    };
    let takes = |phase: Phase, event: &Event| in_phase(phase).apply(event).is_ok();
    let phases: Vec<Phase> =
        [Phase::Running, Phase::Paused].into_iter().chain(Ending::ALL.into_iter().map(Phase::Ended)).collect();
    for phase in phases {
        let (running, over) = (phase == Phase::Running, matches!(phase, Phase::Ended(_)));
        assert_eq!(takes(phase, &intent(run, 1, Step::First, 1)), running, "{phase}: intent");
        assert_eq!(takes(phase, &outcome(run, 1, Step::First, result(Move::Skipped))), !over, "{phase}: outcome");
        assert_eq!(takes(phase, &paused(run)), running, "{phase}: paused");
        assert_eq!(takes(phase, &Event::RunResumed { run, at: at(4) }), !over, "{phase}: resumed");
        for ending in Ending::ALL {
            let may = running || (phase == Phase::Paused && ending == Ending::Superseded);
            assert_eq!(takes(phase, &ended(run, ending)), may, "{phase}: ended as {ending}");
        }
        assert!(!takes(phase, &started(run, 2)), "{phase}: started");
        assert!(!takes(phase, &intent(id(2), 1, Step::First, 1)), "{phase}: another run's intent");
    }
}

#[test]
fn a_run_ends_only_as_its_actions_allow() {
    let allowed = |state: StepState| match state {
        StepState::Pending | StepState::Applied | StepState::Adopted | StepState::Skipped => "CPFS",
        StepState::Failed | StepState::Unknown => "PFS",
        StepState::NotThere => "FS",
        StepState::Open => "",
    };
    for state in StepState::ALL {
        let as_first = brought_to(state, StepState::Pending).unwrap();
        let as_follow_up = brought_to(StepState::Applied, state).unwrap();
        for (ending, letter) in Ending::ALL.into_iter().zip("CPFS".chars()) {
            for run in [&as_first, &as_follow_up] {
                let ends = run.clone().apply(&ended(id(1), ending)).is_ok();
                assert_eq!(ends, allowed(state).contains(letter), "{state}, ending as {ending}");
            }
        }
    }
}

#[test]
fn attempts_are_counted_without_gaps_for_each_step() {
    let run = id(1);
    let mut state = RunState::from_start(&started(run, 1)).unwrap();
    for attempt in 1..=300 {
        for wrong in [attempt - 1, attempt + 1] {
            assert!(matches!(
                state.apply(&intent(run, 1, Step::First, wrong)),
                Err(Illegal::Attempt { expected, .. }) if expected == attempt
            ));
        }
        state.apply(&intent(run, 1, Step::First, attempt)).unwrap();
        assert_eq!(state.attempts_of(1, Step::First), attempt);
        state.apply(&outcome(run, 1, Step::First, Outcome::NotThere)).unwrap();
    }
    state.apply(&intent(run, 1, Step::First, 301)).unwrap();
    state.apply(&outcome(run, 1, Step::First, result(Move::Applied))).unwrap();
    assert_eq!((state.attempts_of(1, Step::First), state.attempts_of(1, Step::FollowUp)), (301, 0));
    state.apply(&intent(run, 1, Step::FollowUp, 1)).unwrap();
}

#[test]
fn what_was_refused_before_it_was_sent_counts_no_attempt() {
    let run = id(1);
    let mut state = RunState::from_start(&started(run, 2)).unwrap();
    state.apply(&outcome(run, 1, Step::First, result(Move::Failed))).unwrap();
    assert_eq!(state.attempts_of(1, Step::First), 0);
    for event in [
        intent(run, 2, Step::First, 1),
        outcome(run, 2, Step::First, Outcome::NotThere),
        outcome(run, 2, Step::First, result(Move::Skipped)),
    ] {
        state.apply(&event).unwrap();
    }
    assert_eq!(state.attempts_of(2, Step::First), 1);
}

#[test]
fn actions_outside_the_plan_are_refused() {
    let run = id(1);
    let mut state = RunState::from_start(&started(run, 3)).unwrap();
    for seq in [0, 4, u64::MAX] {
        assert!(matches!(state.apply(&intent(run, seq, Step::First, 1)), Err(Illegal::NoSuchAction { .. })), "{seq}");
        assert_eq!(state.step_state(seq, Step::First), StepState::Pending);
    }
    assert!(matches!(RunState::from_start(&started(run, u64::MAX)), Err(Illegal::TooManyActions { .. })));
}

#[test]
fn accounts_remarks_and_undecided_steps_are_kept() {
    let run = id(1);
    let mut state = RunState::from_start(&started(run, 4)).unwrap();
    for event in [
        intent(run, 1, Step::First, 1),
        outcome(run, 1, Step::First, result(Move::Applied)),
        intent(run, 1, Step::FollowUp, 1),
        outcome(run, 1, Step::FollowUp, Outcome::Applied { account: None }),
        intent(run, 2, Step::First, 1),
        outcome(run, 2, Step::First, result(Move::Failed)),
        intent(run, 3, Step::First, 1),
        outcome(run, 3, Step::First, result(Move::Unknown)),
        intent(run, 4, Step::First, 1),
    ] {
        state.apply(&event).unwrap();
    }
    assert_eq!(state.account_of(1), Some(&AccountId("4711".to_owned())), "a follow-up does not forget the account");
    let remark =
        Remark { message: "why".to_owned(), code: Some(3111), trxid: Some("t1".to_owned()), ..Remark::default() };
    assert_eq!(state.remark_of(2, Step::First), Some(&remark));
    assert_eq!(state.undecided_steps().collect::<Vec<_>>(), [(3, Step::First), (4, Step::First)]);
    assert_eq!(state.tally(), Tally { applied: 1, failed: 1, unknown: 1, open: 1, ..Tally::default() });
    state.apply(&outcome(run, 3, Step::First, result(Move::Adopted))).unwrap();
    assert_eq!(state.remark_of(3, Step::First), None, "what is settled has no doubt left");
}

#[test]
fn only_one_run_is_unfinished_and_no_name_is_used_twice() {
    let mut history = History::default();
    assert!(matches!(history.apply(&intent(id(1), 1, Step::First, 1)), Err(Illegal::NotStarted { .. })));
    history.apply(&started(id(1), 1)).unwrap();
    assert_eq!(history.apply(&started(id(2), 1)), Err(Illegal::Unfinished { run: id(2), unfinished: id(1) }));
    assert_eq!(history.apply(&started(id(1), 1)), Err(Illegal::AlreadyStarted { run: id(1) }));
    history.apply(&ended(id(1), Ending::Complete)).unwrap();
    assert!(history.unfinished().is_none());
    assert_eq!(history.apply(&started(id(1), 1)), Err(Illegal::AlreadyStarted { run: id(1) }));
    assert!(matches!(history.apply(&intent(id(1), 1, Step::First, 1)), Err(Illegal::Phase { .. })));
    history.apply(&started(id(2), 1)).unwrap();
    let overviews = history.run_overviews();
    assert_eq!(overviews.iter().map(|run| run.run).collect::<Vec<_>>(), [id(1), id(2)]);
    assert_eq!(overviews[0].phase, Phase::Ended(Ending::Complete));
    history.forget_oldest(1);
    assert!(!history.knows_run(id(1)) && history.knows_run(id(2)));
}

/// Any event that concerns one of two runs of two actions, legal or not.
fn any_event() -> impl Strategy<Value = Event> {
    let run = || (1..3u64).prop_map(id);
    let step = prop::sample::select(Step::BOTH.to_vec());
    let happens = prop::sample::select(Move::ALL.to_vec());
    prop_oneof![
        20 => (run(), 0..4u64, step, happens, 0..3u32)
            .prop_map(|(run, seq, step, happens, attempts)| event(run, seq, step, happens, attempts)),
        1 => run().prop_map(|run| started(run, 2)),
        1 => run().prop_map(paused),
        1 => run().prop_map(|run| Event::RunResumed { run, at: at(4) }),
        1 => (run(), prop::sample::select(Ending::ALL.to_vec())).prop_map(|(run, ending)| ended(run, ending)),
    ]
}

/// Plays what is legal, and gives that back with the state it leads to.
fn play(events: &[Event]) -> (Vec<Event>, History) {
    let mut history = History::default();
    history.apply(&started(id(1), 2)).unwrap();
    let mut legal = vec![started(id(1), 2)];
    for event in events {
        let before = history.clone();
        match history.apply(event) {
            Ok(()) => legal.push(event.clone()),
            Err(_) => assert_eq!(history, before, "a refused event leaves no trace: {event:?}"),
        }
    }
    (legal, history)
}

proptest! {
    #[test]
    fn a_replay_gives_the_same_state_and_every_beginning_of_it_is_legal(
        events in prop::collection::vec(any_event(), 0..120),
    ) {
        let (legal, live) = play(&events);
        let mut replayed = History::default();
        for event in &legal {
            prop_assert!(replayed.check(event).is_ok());
            prop_assert!(replayed.apply(event).is_ok());
        }
        prop_assert_eq!(replayed, live);
    }

    #[test]
    fn no_person_gets_two_requests_without_knowing_what_came_of_the_first(
        events in prop::collection::vec(any_event(), 0..200),
    ) {
        let (legal, _) = play(&events);
        for (position, event) in legal.iter().enumerate() {
            let Event::Intent { run, seq, step, attempt, .. } = event else { continue };
            let earlier = legal[..position].iter().rev().find(|e| {
                matches!(e, Event::Intent { run: r, seq: s, step: t, .. } | Event::Outcome { run: r, seq: s, step: t, .. }
                    if (r, s, t) == (run, seq, step))
            });
            let proved = matches!(earlier, Some(Event::Outcome { result: Outcome::NotThere, .. }));
            prop_assert!(if *attempt == 1 { earlier.is_none() } else { proved }, "{:?} after {:?}", event, earlier);
        }
    }

    #[test]
    fn the_tally_counts_every_action_once(events in prop::collection::vec(any_event(), 0..120)) {
        let (_, history) = play(&events);
        for run in history.run_overviews() {
            let total: u64 = StepState::ALL.into_iter().map(|state| run.tally.get(state)).sum();
            prop_assert_eq!(total, run.head.actions);
        }
        if let Some(state) = history.unfinished() {
            let mut tally = Tally::default();
            for seq in 1..=state.head().actions {
                *tally.count_of(state.action(seq).overall_state()) += 1;
            }
            prop_assert_eq!(state.tally(), tally);
        }
    }
}
