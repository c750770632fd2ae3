//! Execution over a tenant in memory, with the journal in memory: each law broken on purpose, and found kept.

mod crashes;
mod holding;
mod leftovers;
mod lost;
mod order;
mod seeds;
mod simulation;
mod stale;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::clock::TestClock;
use crate::connectors::fake::{self, Entry, Fake, Fault, LOGIN, NAME, Op, Points, STATUS};
use crate::journal::state::ActionState;
use crate::journal::{Event, Outcome, RunHead, Step, StepState};
use crate::model::monitor::TestMonitor;
use crate::model::{AccountId, Value};
use crate::plan::file::{PlanHeader, PlanWriter};
use crate::plan::{ActionKind, Change, SourceLine};

const START: &str = "2026-11-22T03:00:00Z";
const TIMEOUT: Duration = Duration::from_secs(30);

/// A clock on which the process can die whenever it asks for the time: right before every record of the journal.
struct MortalClock {
    clock: Arc<TestClock>,
    points: Points,
    /// Somebody wants to stop the next time that it is asked for the time.
    stop_next: Mutex<Option<Arc<Stop>>>,
}

impl Clock for MortalClock {
    fn now(&self) -> Timestamp {
        self.points.pass();
        if let Some(stop) = self.stop_next.lock().unwrap().take() {
            stop.request();
        }
        self.clock.now()
    }
    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.points.pass();
        self.clock.sleep(time)
    }
    fn random(&self) -> u64 {
        self.clock.random()
    }
}

/// A secret that follows from the person.
struct Derived;

impl Secrets for Derived {
    fn find_secret(&self, action: &Action, _attribute: AttrId) -> Result<Secret, String> {
        if action.key == "nobody" { Err("it has none".into()) } else { Ok(Secret::new(secret_of(&action.key))) }
    }
}

fn secret_of(key: &str) -> String {
    format!("secret of {key}")
}

/// A tenant, a plan for it, and a run of it.
struct World {
    dir: TempDir,
    clock: Arc<TestClock>,
    mortal: MortalClock,
    target: Arc<Fake>,
    journal: Journal,
    run: RunId,
    stop: Arc<Stop>,
    monitor: TestMonitor,
    selection: Selection,
    released: Vec<ActionGroup>,
    fresh: bool,
    concurrency: usize,
}

impl World {
    /// A tenant without accounts.
    fn new() -> Self {
        Self::with_journal(Journal::in_memory())
    }

    fn with_journal(journal: Journal) -> Self {
        let clock = TestClock::new(START.parse().unwrap(), 7);
        let target = Arc::new(Fake::new(&clock));
        let mortal =
            MortalClock { clock: Arc::clone(&clock), points: target.points.clone(), stop_next: Mutex::default() };
        Self {
            dir: tempfile::tempdir().unwrap(),
            run: RunId::new(clock.now(), 1),
            clock,
            mortal,
            target,
            journal,
            stop: Arc::default(),
            monitor: TestMonitor::new(),
            selection: Selection::default(),
            released: Vec::new(),
            fresh: true,
            concurrency: 2,
        }
    }

    /// Adds an account that was always there.
    fn account(&self, login: &str, name: &str, status: &str) -> AccountId {
        self.target.has(&[(LOGIN, login), (NAME, name), (STATUS, status)].map(|(id, text)| (id, Value::text(text))))
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("plan.jsonl")
    }

    /// Writes the plan and starts its run.
    fn plan(&self, actions: Vec<Action>) {
        let header = PlanHeader::new("p", self.clock.now(), "t", "fake");
        let count = actions.len() as u64;
        let file = std::fs::File::create(self.path()).unwrap();
        let mut writer = PlanWriter::new(file, &header).unwrap();
        for action in actions {
            writer.write_action(action).unwrap();
        }
        writer.seal_plan().unwrap();
        let head = Box::new(RunHead { actions: count, ..RunHead::default() });
        self.journal.append_blocking(Event::RunStarted { run: self.run, at: self.clock.now(), head }).unwrap();
    }

    /// Executes what is left, in a process that may die; none where it did.
    fn try_execute(&self) -> Option<Result<ExecutionResult, ExecuteError>> {
        let schema = fake::schema();
        let rules = fake::rules(&schema);
        let memory = self.journal.memory("t");
        let path = self.path();
        let execution = ExecutionInputs {
            run: self.run,
            plan: &path,
            target: &*self.target,
            rules: &rules,
            journal: &self.journal,
            memory: &memory,
            secrets: &Derived,
            clock: &self.mortal,
            monitor: &self.monitor,
            stop: &self.stop,
            released: &self.released,
            selection: &self.selection,
            fresh_until: self.fresh.then(|| START.parse::<Timestamp>().unwrap() + Duration::from_secs(86_400)),
            concurrency: self.concurrency,
            timeout: TIMEOUT,
            mode: Mode::Everything,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(std::panic::AssertUnwindSafe(execute_run(&execution)).catch_unwind()).map_or_else(
            |panic| match panic.downcast_ref::<&str>() {
                Some(&"died") => None,
                _ => std::panic::resume_unwind(panic),
            },
            Some,
        )
    }

    fn execute(&self) -> ExecutionResult {
        self.try_execute().expect("nobody died").unwrap()
    }

    /// Executes once more, as another process would.
    fn resume(&self) -> ExecutionResult {
        self.resumed();
        self.execute()
    }

    fn resumed(&self) {
        self.journal.append_blocking(Event::RunResumed { run: self.run, at: self.clock.now() }).unwrap();
    }

    fn state(&self, seq: u64) -> ActionState {
        self.journal.run(self.run).unwrap().unwrap().action(seq)
    }

    fn first(&self, seq: u64) -> StepState {
        self.state(seq).first
    }

    /// Why an action failed, was skipped or is unknown.
    fn remark(&self, seq: u64) -> String {
        let state = self.journal.run(self.run).unwrap().unwrap();
        state.remark_of(seq, Step::First).or(state.remark_of(seq, Step::FollowUp)).unwrap().message.clone()
    }

    /// The outcomes of an action, as the journal has them.
    fn outcomes(&self, seq: u64) -> Vec<Outcome> {
        let outcome = |event: Result<Event, _>| match event.unwrap() {
            Event::Outcome { seq: of, result, .. } if of == seq => Some(result),
            _ => None,
        };
        self.journal.events_of(self.run).filter_map(outcome).collect()
    }
}

fn change(attribute: &str, from: Option<Value>, to: &str) -> Change {
    Change { attribute: attribute.into(), from, to: Value::text(to) }
}

fn action(kind: ActionKind, key: &str, account: Option<&AccountId>, changes: Vec<Change>) -> Action {
    Action {
        identity: Some(format!("id of {key}")),
        account: account.cloned(),
        source: Some(SourceLine { file: "hr.csv".into(), line: 2 }),
        changes,
        held: false,
        ..Action::new(kind, key)
    }
}

fn create(login: &str) -> Action {
    let mut changes = vec![change("login", None, login), change("name", None, &format!("Name of {login}"))];
    changes.push(Change { attribute: "password".into(), from: None, to: Value::Generated });
    action(ActionKind::Create, login, None, changes)
}

/// A create that needs an update after it.
fn create_inactive(login: &str) -> Action {
    let mut action = create(login);
    action.changes.push(change("status", None, "inactive"));
    action
}

fn rename(key: &str, id: &AccountId, from: &str, to: &str) -> Action {
    action(ActionKind::Update, key, Some(id), vec![change("name", Some(Value::text(from)), to)])
}

fn deactivate(key: &str, id: &AccountId) -> Action {
    let changes = vec![change("status", Some(Value::text("active")), "inactive")];
    action(ActionKind::Deactivate, key, Some(id), changes)
}

fn delete(key: &str, id: &AccountId) -> Action {
    action(ActionKind::Delete, key, Some(id), Vec::new())
}

/// Applied, failed, skipped, unknown, pending.
fn numbers(executed: &ExecutionResult) -> [u64; 5] {
    [executed.applied.count_all(), executed.failed, executed.skipped, executed.unknown, executed.pending]
}
