//! A disk that is full or broken at any write, flush, sync or rename of the state directory: the message names the file,
//! no request leaves without an intent that outlives the process, and with room again everybody comes, once.

use super::*;
use crate::app::error::Aftermath;
use crate::connectors::fake;
use crate::files::disk::DiskOp;
use crate::files::disk::faults::{EIO, ENOSPC, Lasting, fail, hit, mend};
use crate::journal::{Event, Journal, store::Options};

fn shop() -> Shop {
    let shop = Shop::new();
    let bo = shop.account("bo", "Before");
    assert_eq!(bo.as_str(), "1");
    let newcomers = (0..6).map(|n| row(&format!("new{n}"), "New", "active"));
    shop.export(&newcomers.chain([row("bo", "After", "active")]).collect::<Vec<_>>());
    shop
}

/// The intents that a kill at this moment would leave behind.
fn durable_intents(state: &Path) -> usize {
    let copy = tempfile::tempdir_in(state.parent().unwrap()).unwrap();
    copy_files(state, copy.path());
    let journal = Journal::open(copy.path(), Options { cache_bytes: 1 << 20, now: START.parse().unwrap() }).unwrap();
    let events = journal.runs().into_iter().flat_map(|run| journal.events_of(run.run).collect::<Vec<_>>());
    events.filter(|event| matches!(event, Ok(Event::Intent { .. }))).count()
}

/// Lets the operations on the state directory fail, each in its own run, the first to the last; gives how many there
/// are.
fn fail_each(errno: i32, lasting: Lasting) -> u64 {
    for nth in 1.. {
        let shop = shop();
        let state = shop.state();
        let watched = (state.clone(), std::sync::Mutex::new(0));
        shop.tenant.watch(move |call| {
            if matches!(call.op, fake::Op::Create | fake::Op::Update) {
                let mut sent = watched.1.lock().unwrap();
                *sent += 1;
                if hit(&watched.0).is_some() {
                    assert!(durable_intents(&watched.0) >= *sent, "a request left without an intent: {call:?}");
                }
            }
        });
        fail(&state, nth, errno, lasting);
        let result = shop.sync().expect("nobody dies");
        let failed = hit(&state);
        mend(&state);
        let Some((op, path)) = failed else {
            assert_eq!(result.unwrap(), Exit::Done);
            return nth - 1;
        };
        let what = format!("operation {nth}: {op:?} of {}, {errno}", path.display());
        let ended = match &result {
            // Once the run has ended, what cannot be tidied up is only noted.
            Ok(exit) => {
                assert_eq!(*exit, Exit::Done, "{what}");
                true
            }
            Err(failure) => {
                let name = path.file_name().unwrap().to_str().unwrap();
                let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
                // sled is a folder of files, and says of no error which of them it is about.
                assert!(
                    failure.message.contains(name) || (name == "db" && failure.message.contains(folder)),
                    "{what}: {}",
                    failure.message
                );
                assert!(failure.hint.is_some(), "{what}: {}", failure.message);
                let writes = shop.tenant.ledger().len();
                assert!(
                    writes == 0 || failure.aftermath == Aftermath::Resumable,
                    "{what}: {failure:?} after {writes} writes"
                );
                false
            }
        };
        // With room again.
        shop.clock.advance(std::time::Duration::from_secs(60));
        let again = shop.sync().expect("nobody dies").unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert_eq!(again, Exit::Done, "{what}");
        assert_eq!(shop.tenant.created(), ["new0", "new1", "new2", "new3", "new4", "new5"], "{what}");
        assert_eq!(shop.tenant.value(&AccountId("1".to_owned()), NAME), Value::text("After"), "{what}");
        assert_eq!(shop.told(), shop.set(), "{what}: passwords, ended: {ended}");
        assert!(op != DiskOp::Remove || ended, "{what}: only what has ended is removed");
    }
    0
}

#[test]
fn a_disk_that_is_full_from_any_write_on_lets_nothing_leave_without_an_intent() {
    let operations = fail_each(ENOSPC, Lasting::On);
    assert!(operations >= 60, "{operations}");
}

#[test]
fn a_disk_that_fails_once_at_any_write_lets_nothing_leave_without_an_intent() {
    let operations = fail_each(EIO, Lasting::Once);
    assert!(operations >= 60, "{operations}");
}
