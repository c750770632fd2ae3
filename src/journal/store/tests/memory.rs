use super::*;
use crate::model::AccountId;

fn account(id: &str) -> AccountId {
    AccountId(id.to_owned())
}

fn link(identity: &str, id: &str) -> Note {
    Note::Link { identity: identity.to_owned(), account: account(id) }
}

fn absent(id: &str, runs: u32) -> Note {
    Note::Absence { account: account(id), first_seen_absent: now(), runs }
}

fn remember(memory: &Memory, notes: Vec<Note>) {
    block_on(memory.remember_notes(notes)).unwrap();
}

fn everything_is_remembered(journal: &Journal) {
    let memory = journal.memory("acme");
    assert_eq!((memory.link_of("E1"), memory.absence_of(&account("1")), memory.source_shape()), (None, None, None));
    let shape =
        SourceShape { columns: vec!["a".to_owned(), "b".to_owned()], rows: 7, terminated: Some(true), at: now() };
    let prints = vec![("privileges".to_owned(), u64::MAX), ("business".to_owned(), 0)];
    remember(
        &memory,
        vec![
            link("E1", "1"),
            link("E1", "2"),
            link("E2", "3"),
            Note::Fingerprint { identity: "E1".to_owned(), attributes: prints.clone() },
            absent("9", 1),
            absent("9", 2),
            absent("8", 1),
            Note::Shape(shape.clone()),
        ],
    );
    assert_eq!(
        (memory.link_of("E1"), memory.link_of("E2"), memory.link_of("E")),
        (Some(account("2")), Some(account("3")), None)
    );
    assert_eq!(memory.fingerprints_of("E1"), prints);
    assert_eq!(memory.fingerprints_of("E2"), []);
    assert_eq!(memory.absence_of(&account("9")), Some(RememberedAbsence { since: now(), runs: 2 }));
    assert_eq!(
        memory.all_absences().map(|(id, a)| (id.0, a.runs)).collect::<Vec<_>>(),
        [("8".to_owned(), 1), ("9".to_owned(), 2)]
    );
    assert_eq!(memory.source_shape(), Some(shape));
    remember(&memory, vec![Note::Present { account: account("9") }, Note::Forget { identity: "E1".to_owned() }]);
    assert_eq!(
        (memory.absence_of(&account("9")), memory.link_of("E1"), memory.fingerprints_of("E1").len()),
        (None, None, 0)
    );
    assert_eq!(memory.all_absences().count(), 1);
}

#[test]
fn everything_is_remembered_on_the_disk_and_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    everything_is_remembered(&open(dir.path()).unwrap());
    everything_is_remembered(&Journal::in_memory());
    let memory = open(dir.path()).unwrap().memory("acme");
    assert_eq!((memory.link_of("E2"), memory.source_shape().unwrap().rows), (Some(account("3")), 7));
}

#[test]
fn one_tenants_accounts_are_not_anothers() {
    let journal = Journal::in_memory();
    remember(&journal.memory("acme"), vec![link("E1", "1"), absent("1", 1)]);
    let other = journal.memory("acme sandbox");
    assert_eq!((other.link_of("E1"), other.all_absences().count()), (None, 0));
}

#[test]
fn many_notes_are_durable_when_remembering_returns() {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let journal = open(&live).unwrap();
    let notes = (0..3_500).map(|n| link(&format!("E{n}"), &n.to_string())).collect();
    remember(&journal.memory("acme"), notes);
    copy_files(&live, &dir.path().join("copy"));
    let memory = open(&dir.path().join("copy")).unwrap().memory("acme");
    assert!((0..3_500).all(|n| memory.link_of(&format!("E{n}")) == Some(account(&n.to_string()))));
}

#[test]
fn a_value_that_does_not_fit_its_checksum_is_as_good_as_none() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path()).unwrap();
    remember(&journal.memory("acme"), vec![link("E1", "1"), link("E2", "2"), link("E3", "3")]);
    drop(journal);
    let database = log::open_database(&StateDir::new(dir.path()), 1 << 20).unwrap();
    let all: Vec<_> = database.memory.iter().map(Result::unwrap).collect();
    assert_eq!(all.len(), 3);
    let mut flipped = all[0].1.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    database.memory.insert(&all[0].0, flipped).unwrap();
    // Whole in itself, but another's.
    database.memory.insert(&all[1].0, &all[2].1).unwrap();
    database.memory.flush().unwrap();
    drop(database);
    let memory = open(dir.path()).unwrap().memory("acme");
    assert_eq!((memory.link_of("E1"), memory.link_of("E2"), memory.link_of("E3")), (None, None, Some(account("3"))));
}

#[test]
fn remembering_nothing_is_no_error() {
    remember(&Journal::in_memory().memory("acme"), vec![]);
}
