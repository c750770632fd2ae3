//! Named points at which a process can be told to die, so that tests can try every one of them.
//!
//! Law: between any two steps whose order matters (an append, a flush, a sync, a request, an answer, a rename) there is a
//! point, and every point is in one table. Tests read the table, so a point that nothing reaches fails them.
//!
//! A build with debug assertions reads two variables of its environment: with `HEADCOUNT_KILL_AT=POINT/OF:N` the process
//! aborts the Nth time that it passes the point, as suddenly as a killed one: nothing is dropped, nothing written. With
//! `HEADCOUNT_KILL_TRACE=FILE` each point that is passed gets a line there. A release build has none of it: [`reach`] is
//! empty then, costs nothing, and no variable of the environment can bring a process down that changes accounts.

macro_rules! failpoints {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A moment between two steps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Failpoint {
            $($(#[doc = $doc])+ $point,)+
        }

        impl Failpoint {
            /// Every point that there is.
            pub const ALL: &'static [Self] = &[$(Self::$point,)+];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

failpoints! {
    // Opening the state directory.
    /// The lock is held; nothing is open.
    LockTaken = "lock-taken",
    /// The database is open, or made; its records were not read yet.
    DatabaseOpened = "database-opened",
    /// The anchor of a new journal is there.
    AnchorMade = "anchor-made",
    /// Records that a killed process left beyond the anchor are on the disk.
    LeftoverSynced = "leftover-synced",
    /// The anchor says so.
    LeftoverAnchored = "leftover-anchored",
    /// The folder of a run that never began, or of one that was forgotten, is gone.
    LeftoverRemoved = "leftover-removed",

    // The journal's writer. Of what the group begins with: started, intent, outcome, notes.
    /// A group is complete; nothing of it is written.
    GroupTaken = "group-taken",
    /// Its records are in the database's buffers.
    RecordsWritten = "records-written",
    /// Its notes are in the database's buffers.
    NotesWritten = "notes-written",
    /// All of it is in the hands of the operating system.
    GroupFlushed = "group-flushed",
    /// All of it is on the disk.
    GroupSynced = "group-synced",
    /// The head of the chain is in the hands of the operating system.
    AnchorWritten = "anchor-written",
    /// The head of the chain is on the disk.
    AnchorSynced = "anchor-synced",
    /// The group counts as durable; nobody was told.
    GroupBelieved = "group-believed",
    /// Whoever waited for it was told.
    GroupAnswered = "group-answered",
    /// Pruning: the new base is written.
    BaseWritten = "base-written",
    /// The new base is on the disk.
    BaseSynced = "base-synced",
    /// The records before the base are removed.
    RecordsRemoved = "records-removed",
    /// Their removal is on the disk.
    RemovalSynced = "removal-synced",
    /// The folder of a pruned run is gone.
    RunRemoved = "run-removed",

    // Files, of the beginnings of their names.
    /// Its contents are in the hands of the operating system, under a temporary name.
    FileWritten = "file-written",
    /// Its contents are on the disk, under a temporary name.
    FileSynced = "file-synced",
    /// It has its name.
    FileRenamed = "file-renamed",
    /// Its name is on the disk.
    FolderSynced = "folder-synced",
    /// The secret of a run is overwritten.
    SecretOverwritten = "secret-overwritten",
    /// The secret of a run is gone.
    SecretRemoved = "secret-removed",

    // A run.
    /// The folder of a run is there, and nothing in it.
    FolderMade = "folder-made",
    /// Plan and secret are in it; the journal knows nothing.
    RunPrepared = "run-prepared",
    /// The journal knows the run.
    RunStarted = "run-started",
    /// What the plan learnt is remembered.
    PlanRemembered = "plan-remembered",
    /// Another process is about to go on with it.
    ResumeDue = "resume-due",
    /// The journal knows that it goes on.
    RunResumed = "run-resumed",
    /// What is done already is counted.
    Counted = "counted",
    /// What an earlier process left open is settled.
    Settled = "settled",
    /// A phase, of gives or takes, is done.
    PhaseDone = "phase-done",
    /// Everything is sent and its outcome written.
    Executed = "executed",
    /// What was learnt of applied actions is about to be remembered.
    LearntDue = "learnt-due",
    /// It is remembered.
    LearntRemembered = "learnt-remembered",
    /// Generated passwords are delivered, where there are any.
    Delivered = "delivered",
    /// The shape of the source is remembered.
    ShapeRemembered = "shape-remembered",
    /// The journal knows that the run is paused.
    RunPaused = "run-paused",
    /// The journal knows that the run has ended; its secret is still there.
    RunEnded = "run-ended",
    /// The summary is kept and the reports are written.
    Published = "published",
    /// Everything is done.
    Pruned = "pruned",

    // A step of an action, of its kind: create, create-then, update, deactivate, reactivate, delete.
    /// The account is about to be read once more.
    ReadDue = "read-due",
    /// It is as it was, or not.
    Read = "read",
    /// An intent is about to be appended.
    IntentDue = "intent-due",
    /// It is durable.
    IntentDurable = "intent-durable",
    /// The request is about to be made.
    SendDue = "send-due",
    /// Its answer is understood.
    Answered = "answered",
    /// An outcome is about to be appended.
    OutcomeDue = "outcome-due",
    /// It is durable.
    OutcomeDurable = "outcome-durable",
    /// A request whose answer was lost is about to be looked up.
    LookupDue = "lookup-due",
    /// What is there is known.
    LookedUp = "looked-up",
    /// The time is over in which the request might still have arrived.
    WaitOver = "wait-over",

    // The wire, of the request's method.
    /// A request is about to leave.
    RequestLeaves = "request-leaves",
    /// The head of its answer is here.
    AnswerBegins = "answer-begins",
}

/// Passes a point.
#[inline]
pub fn reach(point: Failpoint) {
    reach_kind(point, "-");
}

/// Passes a point of something that there are several kinds of.
#[inline]
pub fn reach_kind(point: Failpoint, kind: &str) {
    #[cfg(debug_assertions)]
    armed::pass_failpoint(point, kind);
    #[cfg(not(debug_assertions))]
    let _ = (point, kind);
}

/// Passes a point of a file: of its name up to the first digit, because what follows is a run, and another each time.
#[inline]
pub fn reach_file(point: Failpoint, path: &std::path::Path) {
    let name = path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
    let kind = name.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
    reach_kind(point, if kind.is_empty() { "run" } else { kind });
}

#[cfg(debug_assertions)]
mod armed {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Failpoint;

    /// What the environment asks for; read once.
    struct Armed {
        /// The point, what it is of, and how often it is passed alive.
        kill: Option<(String, String)>,
        left: AtomicU64,
        trace: Option<File>,
    }

    static ARMED: LazyLock<Armed> = LazyLock::new(|| {
        let text = |name| std::env::var(name).ok();
        let kill = text("HEADCOUNT_KILL_AT").and_then(|wanted| {
            let (point, rest) = wanted.split_once('/')?;
            let (kind, nth) = rest.rsplit_once(':')?;
            Some((point.to_owned(), kind.to_owned(), nth.parse::<u64>().ok()?))
        });
        let left = kill.as_ref().map_or(0, |(_, _, nth)| *nth);
        // A trace that cannot be opened leaves its test without a line, and fails it.
        let trace = text("HEADCOUNT_KILL_TRACE").and_then(|file| OpenOptions::new().append(true).open(file).ok());
        Armed { kill: kill.map(|(point, kind, _)| (point, kind)), left: AtomicU64::new(left), trace }
    });

    pub fn pass_failpoint(point: Failpoint, kind: &str) {
        let armed = &*ARMED;
        if let Some(mut trace) = armed.trace.as_ref() {
            // One write a line, so that lines of several threads stay whole.
            let _ = trace.write_all(format!("{} {kind}\n", point.name()).as_bytes());
        }
        if let Some((wanted, of)) = &armed.kill
            && wanted == point.name()
            && of == kind
            && armed.left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_points_have_one_name() {
        let names: HashSet<_> = Failpoint::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Failpoint::ALL.len());
        let is_plain = |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        assert!(names.iter().all(is_plain), "a name has to fit into HEADCOUNT_KILL_AT: {names:?}");
    }
}
