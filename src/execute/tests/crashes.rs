//! Death at every point: before each record of the journal, before each request has its effect, after its effect and
//! before its answer. Then another process goes on, and the tenant's ledger judges.

use super::*;
use crate::journal::store::Options;

/// One of each kind of action.
fn plan(world: &World) -> [AccountId; 3] {
    let ids @ [bo, cy, di] = &["bo", "cy", "di"].map(|login| world.account(login, "N", "active"));
    let back = world.account("ed", "N", "inactive");
    let changes = vec![change("status", Some(Value::text("inactive")), "active")];
    world.plan(vec![
        create("ana"),
        create_inactive("abe"),
        rename("bo", bo, "N", "B"),
        action(ActionKind::Reactivate, "ed", Some(&back), changes),
        deactivate("cy", cy),
        delete("di", di),
    ]);
    ids.clone()
}

fn judge(world: &World, ids: &[AccountId; 3], what: &str) {
    assert_eq!(world.target.created(), ["abe", "ana"], "{what}");
    for entry in world.target.ledger() {
        if let Entry::Created { login, password, .. } = entry {
            assert_eq!(password, secret_of(&login), "{what}");
        }
    }
    let accounts = world.target.accounts();
    let status = |login: &str| accounts[login].get(STATUS).unwrap().to_string();
    assert_eq!((status("abe").as_str(), status("ana").as_str()), ("inactive", "active"), "{what}");
    assert_eq!((status("cy").as_str(), status("ed").as_str()), ("inactive", "active"), "{what}");
    assert_eq!(world.target.value(&ids[0], NAME), Value::text("B"), "{what}");
    assert!(!accounts.contains_key("di"), "{what}");
    let memory = world.journal.memory("t");
    for login in ["ana", "abe"] {
        assert!(memory.link_of(&format!("id of {login}")).is_some(), "{what}: the link of {login} is forgotten");
    }
}

#[test]
fn a_death_at_any_point_loses_nobody_and_doubles_nobody() {
    for twins in [false, true] {
        let mut points = 0;
        for crash in 1.. {
            let world = World { fresh: crash % 2 == 0, ..World::new() };
            if twins {
                world.target.allow_twins();
            }
            let ids = plan(&world);
            world.target.points.die_at(crash);
            let executed = match world.try_execute() {
                Some(executed) if world.target.points.alive() => {
                    assert_eq!(numbers(&executed.unwrap()), [6, 0, 0, 0, 0]);
                    points = crash;
                    break;
                }
                Some(executed) => executed.unwrap(),
                None => world.resume(),
            };
            assert_eq!(numbers(&executed), [6, 0, 0, 0, 0], "died at {crash}");
            judge(&world, &ids, &format!("died at {crash}"));
        }
        // A record before and after each of seven requests, and two points in each request.
        assert!(points >= 28, "{points}");
    }
}

#[test]
fn a_death_while_what_a_death_left_is_settled_loses_nobody_either() {
    for first in (3..24).step_by(3) {
        for second in 1..24 {
            let world = World::new();
            let ids = plan(&world);
            world.target.points.die_at(first);
            if world.try_execute().is_some() {
                continue;
            }
            world.resumed();
            world.target.points.die_at(second);
            world.try_execute();
            world.target.points.die_at(0);
            let what = format!("died at {first}, then at {second}");
            assert_eq!(numbers(&world.resume()), [6, 0, 0, 0, 0], "{what}");
            judge(&world, &ids, &what);
        }
    }
}

#[test]
fn a_death_after_a_lost_answer_sends_nothing_twice_though_a_login_could_be_used_twice() {
    for fault in [Fault::LostAfter, Fault::LostBefore, Fault::Late(Duration::from_secs(20))] {
        for crash in 1..40 {
            let world = World::new();
            world.target.allow_twins();
            world.target.fault(Op::Create, "ana", fault);
            world.plan(vec![create("ana"), create("bo")]);
            world.target.points.die_at(crash);
            let executed = world.try_execute().map_or_else(|| world.resume(), Result::unwrap);
            assert_eq!(numbers(&executed), [2, 0, 0, 0, 0], "{fault:?}, died at {crash}");
            assert_eq!(world.target.created(), ["ana", "bo"], "{fault:?}, died at {crash}");
        }
    }
}

#[test]
fn a_journal_on_the_disk_brings_a_run_back_as_well() {
    let state = tempfile::tempdir().unwrap();
    let open = || Journal::open(state.path(), Options::new(START.parse().unwrap())).unwrap();
    for crash in [4, 9, 13, 18, 22] {
        let mut world = World::with_journal(open());
        world.run = RunId::new(START.parse().unwrap(), crash);
        let ids = plan(&world);
        world.target.points.die_at(crash);
        assert!(world.try_execute().is_none());
        let journal = Journal::in_memory();
        drop(std::mem::replace(&mut world.journal, journal));
        world.journal = open();
        assert_eq!(world.journal.unfinished_run(), Some(world.run));
        assert_eq!(numbers(&world.resume()), [6, 0, 0, 0, 0], "died at {crash}");
        judge(&world, &ids, &format!("died at {crash}"));
        let outcome = crate::journal::Ending::Complete;
        world.journal.append_blocking(Event::RunEnded { run: world.run, at: world.clock.now(), outcome }).unwrap();
    }
}
