//! What a killed process leaves behind, and what the next one makes of it.

use std::fs;
use std::time::SystemTime;

use super::*;
use crate::execute::lifecycle::{RunBeginning, begin_run, resume_run, tidy_state};
use crate::files::make_private_dir;
use crate::journal::{Ending, Note, StateDir, secret};
use crate::plan::sidecar::{LinesWriter, PlanFiles, PlanNote};

const DAY: Duration = Duration::from_secs(86_400);

/// A state directory with a run in it: its folder has a secret and what was settled of its passwords.
struct Left {
    world: World,
    state: StateDir,
}

fn left() -> Left {
    let world = World::new();
    let state = StateDir::new(world.dir.path().join("state"));
    world.plan(vec![create("ana")]);
    with_folder(&state, world.run);
    Left { world, state }
}

fn with_folder(state: &StateDir, run: RunId) {
    secret::create(state, run, [7; 32]).unwrap();
    fs::write(state.run_passwords(run), "{}").unwrap();
}

impl Left {
    fn tidy(&self, keep: Duration) {
        tidy_state(&self.state, &self.world.journal, keep, self.world.clock.now()).unwrap();
    }

    /// The names of what is in the run's folder.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.state.run(self.world.run))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn the_secret_of_a_run_goes_once_the_run_has_ended_and_not_before() {
    let left = left();
    left.tidy(DAY);
    assert_eq!(left.files(), ["passwords.json", "secret"], "passwords that nobody was told follow from it");
    let World { journal, run, clock, .. } = &left.world;
    journal.append_blocking(Event::RunPaused { run: *run, at: clock.now(), why: String::new() }).unwrap();
    left.tidy(DAY);
    assert_eq!(left.files(), ["passwords.json", "secret"]);
    journal.append_blocking(Event::RunResumed { run: *run, at: clock.now() }).unwrap();
    journal.append_blocking(Event::RunEnded { run: *run, at: clock.now(), outcome: Ending::Complete }).unwrap();
    left.tidy(DAY);
    assert_eq!(left.files(), ["passwords.json"]);
}

#[test]
fn a_folder_that_the_journal_does_not_know_goes_unless_something_was_sent_lately() {
    let left = left();
    let now = left.world.clock.now();
    let [begun, sent, forgotten] = [(1, 1), (1, 2), (9, 3)].map(|(days, n)| RunId::new(now - DAY * days, n));
    for run in [begun, sent, forgotten] {
        with_folder(&left.state, run);
    }
    fs::remove_file(left.state.run_passwords(begun)).unwrap();
    make_private_dir(&left.state.path().join("runs").join("mine")).unwrap();
    left.tidy(DAY * 5);
    let is_there = |run| left.state.run(run).exists();
    assert!(!is_there(begun), "it never began");
    assert!(is_there(sent), "its journal was moved aside, and somebody may wait for its passwords");
    assert!(!is_there(forgotten), "it was pruned, and its process died before its folder went");
    assert!(is_there(left.world.run));
    assert!(left.state.path().join("runs").join("mine").exists());
}

#[test]
fn files_that_never_got_their_names_go_after_a_day() {
    let left = left();
    for folder in [left.state.path().to_owned(), left.state.run(left.world.run)] {
        for (name, age) in [(".new-old", DAY * 2), (".new-now", DAY / 2), ("old", DAY * 2)] {
            let file = fs::File::create(folder.join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
    }
    left.tidy(DAY);
    assert_eq!(left.files(), [".new-now", "old", "passwords.json", "secret"]);
    assert!(!left.state.path().join(".new-old").exists() && left.state.path().join(".new-now").exists());
}

#[test]
fn what_a_plan_learnt_is_remembered_though_its_process_died_and_no_absence_counts_twice() {
    let left = left();
    let World { journal, run, clock, .. } = &left.world;
    let memory = journal.memory("t");
    let account = |id: &str| AccountId(id.to_owned());
    let since = clock.now() - DAY;
    let absent = |id| Note::Absence { account: account(id), first_seen_absent: since, runs: 2 };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(memory.remember_notes(vec![absent("still"), absent("back")])).unwrap();
    let learnt = [
        PlanNote::Link { identity: "E1".to_owned(), account: account("1") },
        PlanNote::Absent { account: account("still") },
        PlanNote::Absent { account: account("new") },
    ];
    let mut notes = LinesWriter::new(fs::File::create(PlanFiles::in_dir(&left.state.run(*run)).notes).unwrap());
    for learnt in &learnt {
        notes.push(learnt).unwrap();
    }
    notes.seal_file().unwrap();
    let started = journal.run(*run).unwrap().unwrap().started();
    clock.advance(DAY);
    for _ in 0..2 {
        let state = journal.run(*run).unwrap().unwrap();
        runtime.block_on(resume_run(journal, &memory, &left.state, &**clock, &state)).unwrap();
        assert_eq!(memory.link_of("E1"), Some(account("1")));
        let known = |id| memory.absence_of(&account(id)).map(|absence| (absence.since, absence.runs));
        assert_eq!(known("still"), Some((since, 2)), "it may have been counted already");
        assert_eq!(known("new"), Some((started, 1)));
        assert_eq!(known("back"), None, "who was there in between starts anew");
    }
}

#[test]
fn a_plan_without_its_notes_says_nothing_of_who_was_absent_so_every_grace_begins_anew() {
    for (rollback_of, earlier, notes, runs) in [
        (None, "other", Some(true), Some(2)),
        (None, "other", Some(false), None),
        (None, "other", None, None),
        // What the rest of a plan learnt was remembered by the run that came before.
        (None, "p", None, Some(1)),
        (Some("r".to_owned()), "other", None, Some(1)),
    ] {
        let World { dir, clock, journal, selection, .. } = &World::new();
        let state = StateDir::new(dir.path().join("state"));
        let memory = journal.memory("t");
        let account = AccountId("7".into());
        let absence = Note::Absence { account: account.clone(), first_seen_absent: clock.now() - DAY, runs: 1 };
        memory.remember_notes(vec![absence]).now_or_never().unwrap().unwrap();
        let (run, at) = (RunId::new(clock.now(), 9), clock.now());
        let head = Box::new(RunHead { plan: earlier.to_owned(), ..RunHead::default() });
        journal.append_blocking(Event::RunStarted { run, at, head }).unwrap();
        journal.append_blocking(Event::RunEnded { run, at, outcome: Ending::Complete }).unwrap();
        let files = PlanFiles::in_dir(dir.path());
        let header = PlanHeader { rollback_of, ..PlanHeader::new("p", clock.now(), "t", "fake") };
        PlanWriter::new(fs::File::create(&files.plan).unwrap(), &header).unwrap().seal_plan().unwrap();
        if let Some(is_absent) = notes {
            let mut notes = LinesWriter::new(fs::File::create(&files.notes).unwrap());
            if is_absent {
                notes.push(&PlanNote::Absent { account: account.clone() }).unwrap();
            }
            notes.seal_file().unwrap();
        }
        let beginning = RunBeginning {
            journal,
            memory: &memory,
            state: &state,
            clock: &**clock,
            header: &header,
            digest: "d",
            files: &files,
            command: crate::model::CommandName::Apply,
            approved: &[],
            selection,
            actions: 0,
        };
        begin_run(&beginning).now_or_never().unwrap().unwrap();
        let known = memory.absence_of(&account).map(|absence| absence.runs);
        assert_eq!(known, runs, "{:?}, after {earlier}, notes {notes:?}", header.rollback_of);
    }
}
