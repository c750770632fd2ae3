use std::fs;

use super::*;
use crate::journal::state::{Illegal, Phase, StepState};

#[test]
fn what_is_appended_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let run = id(1);
    let journal = open(dir.path()).unwrap();
    let all = whole_run(run, 5);
    append_all(&journal, &all);
    let live = journal.run(run).unwrap().unwrap();
    drop(journal);
    let journal = open(dir.path()).unwrap();
    assert_eq!(events(&journal, run), all);
    assert_eq!(journal.run(run).unwrap().unwrap(), live);
    assert_eq!(journal.unfinished_run(), None);
    let overview = &journal.runs()[0];
    assert_eq!((overview.run, overview.phase, overview.tally.applied), (run, Phase::Ended(Ending::Complete), 5));
    assert!(journal.run(id(2)).unwrap().is_none() && events(&journal, id(2)).is_empty());
}

#[test]
fn a_process_that_is_killed_loses_no_acknowledged_append() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&dir.path().join("live")).unwrap();
    let run = id(1);
    let mut appended = Vec::new();
    append_all(&journal, &[started(run, 60)]);
    appended.push(started(run, 60));
    for seq in 1..=60 {
        journal.append_blocking(intent(run, seq)).unwrap();
        appended.push(intent(run, seq));
        if seq % 6 == 0 {
            // Not closed, not dropped: the files as they are right after the append returned.
            let copy = dir.path().join(format!("copy{seq}"));
            copy_files(&dir.path().join("live"), &copy);
            let after = open(&copy).unwrap();
            assert_eq!(events(&after, run), appended);
            assert_eq!(after.unfinished_run(), Some(run));
            let state = after.run(run).unwrap().unwrap();
            assert_eq!(state.undecided_steps().count() as u64, seq, "an intent without an outcome is undecided");
        }
    }
}

#[test]
fn records_beyond_the_anchor_count() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).unwrap();
    let run = id(1);
    append_all(&journal, &[started(run, 3)]);
    let anchor = dir.path().join("anchor");
    let early = fs::read(&anchor).unwrap();
    append_all(&journal, &[intent(run, 1), applied(run, 1), intent(run, 2)]);
    drop(journal);
    fs::write(&anchor, early).unwrap();
    let journal = open(dir.path()).unwrap();
    assert_eq!(events(&journal, run).len(), 4);
    append_all(&journal, &[applied(run, 2)]);
    drop(journal);
    assert_eq!(events(&open(dir.path()).unwrap(), run).len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_appenders_at_once_get_contiguous_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let run = id(1);
    let journal = open(dir.path()).unwrap();
    journal.append(started(run, 64 * 5)).await.unwrap();
    let tasks: Vec<_> = (0..64u64)
        .map(|task| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for seq in task * 5 + 1..=task * 5 + 5 {
                    journal.append(intent(run, seq)).await.unwrap();
                    journal.append(applied(run, seq)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    drop(journal);
    // Opening checks that the numbers have no gap and that each record is bound to the one before it.
    let inspection = Journal::inspect_journal(dir.path(), options()).unwrap();
    assert_eq!((inspection.records, inspection.damage), (1 + 64 * 5 * 2, vec![]));
    let journal = open(dir.path()).unwrap();
    assert_eq!(journal.run(run).unwrap().unwrap().tally().applied, 64 * 5);
}

#[test]
fn an_illegal_event_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let run = id(1);
    let journal = open(dir.path()).unwrap();
    append_all(&journal, &[started(run, 2), intent(run, 1)]);
    for illegal in [intent(run, 1), intent(run, 3), applied(run, 2), ended(run, now()), started(id(2), 1)] {
        assert!(matches!(journal.append_blocking(illegal), Err(JournalError::Illegal(_))));
    }
    assert!(matches!(
        journal.append_blocking(applied(run, 2)),
        Err(JournalError::Illegal(Illegal::Transition { seq: 2, from: StepState::Pending, .. }))
    ));
    append_all(&journal, &[applied(run, 1)]);
    drop(journal);
    assert_eq!(Journal::inspect_journal(dir.path(), options()).unwrap().records, 3);
}

#[test]
fn a_record_that_is_too_large_is_refused_and_the_journal_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).unwrap();
    let head = RunHead { plan: "x".repeat(70_000), ..RunHead::default() };
    let event = Event::RunStarted { run: id(1), at: now(), head: Box::new(head) };
    assert!(matches!(journal.append_blocking(event), Err(JournalError::TooLarge { .. })));
    append_all(&journal, &whole_run(id(1), 1));
}

#[test]
fn long_messages_are_cut_alike_in_the_live_run_and_in_its_replay() {
    let dir = tempfile::tempdir().unwrap();
    let run = id(1);
    let journal = open(dir.path()).unwrap();
    let message = "é".repeat(1_000);
    append_all(&journal, &[started(run, 1), intent(run, 1), outcome(run, 1, Outcome::Unknown { message })]);
    let live = journal.run(run).unwrap().unwrap();
    assert!(live.remark_of(1, Step::First).unwrap().message.len() <= 300);
    drop(journal);
    assert_eq!(open(dir.path()).unwrap().run(run).unwrap().unwrap(), live);
}

#[test]
fn a_second_opener_is_told_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    for error in [
        open(dir.path()).map(drop).unwrap_err(),
        Journal::inspect_journal(dir.path(), options()).map(drop).unwrap_err(),
    ] {
        let JournalError::Locked { holder, .. } = &error else { panic!("{error}") };
        assert_eq!(*holder, Some(Holder { pid: std::process::id(), since: now() }));
        assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    }
    let second_handle = first.clone();
    drop(first);
    assert!(open(dir.path()).is_err(), "a clone holds it as well");
    drop(second_handle);
    open(dir.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = open(&file.join("state")).unwrap_err();
    assert!(matches!(error, JournalError::File(_)) && error.to_string().contains("file/state"), "{error}");
}

#[cfg(unix)]
#[test]
fn the_directory_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
    let _journal = open(&state).unwrap();
    for (path, mode) in [(state.clone(), 0o700), (state.join("journal"), 0o700), (state.join("lock"), 0o600)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_append_that_fails_makes_every_later_one_fail_with_the_first_reason() {
    let dir = tempfile::tempdir().unwrap();
    let run = id(1);
    let journal = open(dir.path()).unwrap();
    append_all(&journal, &[started(run, 3), intent(run, 1), applied(run, 1)]);
    drop(journal);
    let mut opened = place::open(dir.path(), options()).unwrap();
    opened.anchor.file = fs::File::options().write(true).open("/dev/full").unwrap();
    let journal = Journal { place: Arc::new(JournalPlace::Disk(Disk::start(opened).unwrap())) };
    let first = journal.append_blocking(intent(run, 2)).unwrap_err();
    let JournalError::Failed(failure) = &first else { panic!("{first}") };
    assert_eq!((failure.step, failure.kind), ("anchor", Some(std::io::ErrorKind::StorageFull)));
    assert!(first.to_string().contains(&dir.path().join("anchor").display().to_string()), "{first}");
    for event in [intent(run, 3), Event::RunPaused { run, at: now(), why: String::new() }] {
        assert_eq!(journal.append_blocking(event).unwrap_err().to_string(), first.to_string());
    }
    let memory = journal.memory("acme");
    let note = Note::Forget { identity: "1".to_owned() };
    assert!(matches!(block_on(memory.remember_notes(vec![note])), Err(JournalError::Failed(_))));
    assert!(matches!(block_on(journal.prune_runs(Duration::ZERO, Timestamp::MAX)), Err(JournalError::Failed(_))));
    assert_eq!(
        journal.run(run).unwrap().unwrap().step_state(2, Step::First),
        StepState::Pending,
        "only the durable is shown"
    );
    drop((journal, memory));
    // The intent may have reached the disk, so after reopening it may be there; what was durable is.
    let journal = open(dir.path()).unwrap();
    assert!(events(&journal, run).starts_with(&[started(run, 3), intent(run, 1), applied(run, 1)]));
}

#[test]
fn the_twin_in_memory_refuses_and_shows_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let disk = open(dir.path()).unwrap();
    let twin = Journal::in_memory();
    let run = id(1);
    let mut all =
        vec![started(run, 3), intent(run, 1), intent(run, 1), applied(run, 2), applied(run, 1), intent(run, 2)];
    all.extend([started(id(2), 1), ended(run, now()), applied(run, 2), ended(run, now()), intent(run, 3)]);
    for event in all {
        let (on_disk, in_memory) = (disk.append_blocking(event.clone()), twin.append_blocking(event));
        assert_eq!(on_disk.map_err(|e| e.to_string()), in_memory.map_err(|e| e.to_string()));
        assert_eq!(disk.unfinished_run(), twin.unfinished_run());
    }
    assert_eq!(disk.runs(), twin.runs());
    assert_eq!(disk.run(run).unwrap(), twin.run(run).unwrap());
    assert_eq!(events(&disk, run), events(&twin, run));
    let pruned = |journal: &Journal| block_on(journal.prune_runs(Duration::ZERO, Timestamp::MAX)).unwrap();
    assert_eq!((pruned(&disk), disk.runs()), (pruned(&twin), twin.runs()));
}

#[test]
fn pruning_drops_old_runs_and_leaves_a_chain_that_holds() {
    let dir = tempfile::tempdir().unwrap();
    let day = Duration::from_secs(86_400);
    let later = |days: u32| now().checked_add(day * days).unwrap();
    let journal = open(dir.path()).unwrap();
    for (salt, days) in [(1, 0), (2, 10), (3, 20)] {
        append_all(
            &journal,
            &[started(id(salt), 1), intent(id(salt), 1), applied(id(salt), 1), ended(id(salt), later(days))],
        );
    }
    append_all(&journal, &[started(id(4), 1)]);
    let prune = |journal: &Journal, at| block_on(journal.prune_runs(day * 90, at)).unwrap();
    assert_eq!(prune(&journal, later(90)), [], "90 days are not more than 90 days");
    assert_eq!(prune(&journal, later(105)), [id(1), id(2)]);
    assert_eq!(journal.runs().iter().map(|run| run.run).collect::<Vec<_>>(), [id(3), id(4)]);
    assert!(journal.run(id(1)).unwrap().is_none() && events(&journal, id(1)).is_empty());
    append_all(&journal, &[intent(id(4), 1)]);
    drop(journal);
    assert_eq!(Journal::inspect_journal(dir.path(), options()).unwrap().records, 4 + 2);
    let journal = open(dir.path()).unwrap();
    assert_eq!(events(&journal, id(3)).len(), 4);
    assert_eq!(prune(&journal, later(999)), [id(3)], "an unfinished run is kept, however old");
    append_all(&journal, &[applied(id(4), 1), ended(id(4), now())]);
    assert_eq!(prune(&journal, later(999)), [id(4)]);
    drop(journal);
    let journal = open(dir.path()).unwrap();
    assert_eq!(journal.runs(), []);
    append_all(&journal, &whole_run(id(5), 1));
    drop(journal);
    assert_eq!(events(&open(dir.path()).unwrap(), id(5)), whole_run(id(5), 1));
}

#[test]
fn an_append_does_not_need_a_runtime_and_works_inside_one() {
    let journal = Journal::in_memory();
    journal.append_blocking(started(id(1), 1)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let journal = open(dir.path()).unwrap();
        journal.append_blocking(started(id(1), 1)).unwrap();
    });
}

#[test]
fn events_that_depend_on_each_other_are_judged_in_order_though_they_wait_together() {
    let dir = tempfile::tempdir().unwrap();
    let place::Opened { database, anchor, book, lock, .. } = place::open(dir.path(), options()).unwrap();
    let file = writer::open_file(&database).unwrap();
    let shared = Arc::new(writer::WriterShared::new(book));
    let (ask, queue) = tokio::sync::mpsc::channel(100);
    let run = id(1);
    let (first, second) = (started(run, 2), started(id(2), 1));
    let expected = [
        (first, true),
        (second, false),
        (intent(run, 1), true),
        (intent(run, 2), true),
        (intent(run, 1), false),
        (applied(run, 1), true),
        (Event::RunPaused { run, at: now(), why: String::new() }, true),
        (applied(run, 2), true),
        (intent(run, 2), false),
        (Event::RunResumed { run, at: now() }, true),
        (ended(run, now()), true),
        (intent(run, 2), false),
    ];
    let mut answers = Vec::new();
    for (event, legal) in expected {
        let (done, answer) = tokio::sync::oneshot::channel();
        assert!(ask.try_send(writer::Job::Event { event: event.clone(), done }).is_ok());
        answers.push((event, legal, answer));
    }
    drop(ask);
    // All of them wait before the writer looks, so it takes as many as it may into one group.
    writer::Writer { database, file, anchor, shared }.write_groups(queue);
    for (event, legal, mut answer) in answers {
        let result = answer.try_recv().unwrap();
        assert_eq!(result.is_ok(), legal, "{event:?}: {result:?}");
        assert!(matches!(result, Ok(()) | Err(JournalError::Illegal(_))), "{event:?}: {result:?}");
    }
    drop(lock);
    assert_eq!(events(&open(dir.path()).unwrap(), run).len(), 8);
}

#[test]
fn settings_that_a_killed_process_wrote_half_keep_nobody_out() {
    for database in [None, Some("")] {
        for settings in
            ["", "segment_size: 524288\nuse_compr", "segment_size: 524288\nuse_compression: false\nversion: 0.34\n"]
        {
            let dir = tempfile::tempdir().unwrap();
            let journal = StateDir::new(dir.path()).journal();
            fs::create_dir_all(&journal).unwrap();
            fs::write(journal.join("conf"), settings).unwrap();
            if let Some(contents) = database {
                fs::write(journal.join("db"), contents).unwrap();
            }
            append_all(&open(dir.path()).unwrap(), &whole_run(id(1), 2));
            assert_eq!(open(dir.path()).unwrap().runs().len(), 1, "{database:?} {settings:?}");
        }
    }
}

#[test]
fn a_list_of_pages_that_was_being_written_when_the_process_died_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let run = id(1);
    let all = whole_run(run, 5);
    append_all(&open(dir.path()).unwrap(), &all);
    drop(open(dir.path()).unwrap());
    let journal = StateDir::new(dir.path()).journal();
    let list = fs::read_dir(&journal).unwrap().map(|entry| entry.unwrap().path());
    let list = list.filter(|path| path.extension().is_some()).max().expect("sled has written a list of pages");
    let whole = fs::read(&list).unwrap();
    for length in 0..=whole.len() {
        // The next list has a higher number, and sled reads the one with the highest.
        let half_made = journal.join("snap.7FFFFFFFFFFFFFFF.generating");
        fs::write(&half_made, &whole[..length]).unwrap();
        let reopened = open(dir.path()).unwrap_or_else(|error| panic!("cut after {length} bytes: {error}"));
        assert_eq!(events(&reopened, run), all);
        assert!(!half_made.exists());
    }
}
