//! A small simulation: random plans, faults, deaths and stops until everything is decided. A seed that fails says so.

use super::*;
use crate::connectors::fake::CUSTOM;

const SEEDS: u64 = 400;

#[test]
fn whatever_happens_nobody_is_lost_or_doubled_and_the_numbers_are_the_ledgers() {
    for seed in 0..SEEDS {
        let result = std::panic::catch_unwind(|| simulate(seed));
        if let Err(panic) = result {
            println!("seed {seed} fails");
            std::panic::resume_unwind(panic);
        }
    }
}

struct Dice(Arc<TestClock>);

impl Dice {
    fn below(&self, n: u64) -> u64 {
        self.0.random() % n
    }

    fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}

fn simulate(seed: u64) {
    let dice = Dice(TestClock::new(START.parse().unwrap(), seed));
    let mut world = World::new();
    world.concurrency = 1 + usize::try_from(dice.below(4)).unwrap();
    world.fresh = dice.one_in(2);
    let twins = dice.one_in(2);
    if twins {
        world.target.allow_twins();
    }
    world.target.shuffle(dice.below(5));
    let plan = random_plan(&world, &dice);
    let kinds: Vec<ActionKind> = plan.iter().map(|action| action.action).collect();
    let keys: Vec<String> = plan.iter().map(|action| action.key.clone()).collect();
    world.plan(plan);
    let trouble = 3 + dice.below(10);
    let faults = Dice(TestClock::new(START.parse().unwrap(), seed ^ 0xABCD));
    world.target.chaos(move |op| {
        if !faults.one_in(trouble) {
            return None;
        }
        Some(match (op, faults.below(8)) {
            (Op::Get | Op::Find | Op::List, n) => [Fault::Unavailable, Fault::Garbled][usize::try_from(n % 2).unwrap()],
            (_, 0 | 1) => Fault::LostBefore,
            (_, 2 | 3) => Fault::LostAfter,
            (_, 4) => Fault::Late(Duration::from_secs(faults.below(TIMEOUT.as_secs()))),
            (_, 5) => Fault::Refused,
            (_, 6) => Fault::Unavailable,
            (_, _) => Fault::Quota,
        })
    });
    let mut executed = None;
    for process in 0..60 {
        if process > 0 {
            world.resumed();
        }
        if process == 40 {
            world.target.calm();
        }
        world.target.points.die_at(if process < 40 && dice.one_in(2) { 1 + dice.below(40) } else { 0 });
        let this = world.try_execute().map(Result::unwrap);
        world.target.points.die_at(0);
        if let Some(this) = this
            && this.halt.is_none()
            && this.unknown == 0
        {
            executed = Some(this);
            break;
        }
    }
    let executed = executed.expect("the run never ended");
    assert_eq!(executed.pending, 0);
    assert_eq!(executed.applied.count_all() + executed.failed + executed.skipped, kinds.len() as u64);

    let created = world.target.created();
    let state = world.journal.run(world.run).unwrap().unwrap();
    let mut applied = crate::plan::action::ActionCounts::default();
    for ((seq, kind), key) in (1..).zip(&kinds).zip(&keys) {
        let standing = state.action(seq);
        assert!(
            standing.first.is_final() && (standing.follow_up.is_final() || standing.follow_up == StepState::Pending)
        );
        let effects = created.iter().filter(|login| *login == key).count();
        if *kind == ActionKind::Create {
            assert!(effects <= 1, "{key} was created {effects} times");
            assert_eq!(standing.first == StepState::Applied, effects == 1, "{key} is {:?}", standing.first);
        }
        let whole = standing.first.is_done() && matches!(standing.follow_up, StepState::Pending | StepState::Applied);
        *applied.count_mut(*kind) += u64::from(whole);
    }
    assert_eq!(executed.applied, applied);
    // What counts as applied is so.
    let accounts = world.target.accounts();
    for ((seq, kind), key) in (1..).zip(&kinds).zip(&keys) {
        if !state.action(seq).first.is_done() || state.action(seq).follow_up == StepState::Failed {
            continue;
        }
        let account = accounts.get(key);
        let status = |account: &crate::model::Attributes| account.get(STATUS).unwrap().to_string();
        match kind {
            ActionKind::Create if key.contains("half") => assert_eq!(status(account.unwrap()), "inactive"),
            ActionKind::Create => assert_eq!(status(account.unwrap()), "active"),
            ActionKind::Update if key.contains("unseen") => {
                assert_eq!(account.unwrap().get(CUSTOM), Some(&Value::text("x")));
            }
            ActionKind::Update => assert_eq!(account.unwrap().get(NAME), Some(&Value::text("M"))),
            ActionKind::Reactivate => assert_eq!(status(account.unwrap()), "active"),
            ActionKind::Deactivate => assert_eq!(status(account.unwrap()), "inactive"),
            ActionKind::Delete => assert!(account.is_none()),
        }
    }
    for entry in world.target.ledger() {
        if let Entry::Created { login, password, .. } = entry {
            assert_eq!(password, secret_of(&login));
        }
    }
}

fn random_plan(world: &World, dice: &Dice) -> Vec<Action> {
    (0..1 + dice.below(12))
        .map(|n| match dice.below(7) {
            0 | 1 => create(&format!("new{n}")),
            2 => create_inactive(&format!("half{n}")),
            3 => {
                let key = format!("unseen{n}");
                let id = world.account(&key, "N", "active");
                action(ActionKind::Update, &key, Some(&id), vec![change("custom", None, "x")])
            }
            4 => {
                let key = format!("old{n}");
                let id = world.account(&key, "N", "active");
                rename(&key, &id, "N", "M")
            }
            5 => {
                let key = format!("leaver{n}");
                let id = world.account(&key, "N", "active");
                deactivate(&key, &id)
            }
            _ => {
                let key = format!("gone{n}");
                let id = world.account(&key, "N", "active");
                delete(&key, &id)
            }
        })
        .collect()
}
