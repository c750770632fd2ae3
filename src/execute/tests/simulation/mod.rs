//! Whole runs in a simulated world: the real executor, the real client and the real imi.chat target, over a network that
//! loses and delays, against a tenant that fails, on a disk that forgets what was not flushed, in processes that die.
//! Time, sleep and chance come from a seed, so a seed that fails can be had again:
//!
//! ```text
//! HEADCOUNT_SIMULATION_SEED=1234 cargo test --lib simulation -- --nocapture
//! HEADCOUNT_SIMULATION_SEEDS=100000 cargo test --lib simulation
//! ```
//!
//! The first tells everything that happens in that history, the second tries more of them than the usual ones.

mod judge;
mod network;
mod people;
mod tenant;
mod world;

use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tempfile::TempDir;

use self::judge::{Invariant, Judge, Known, Violation};
use self::network::{Network, Weather};
use self::people::Plan;
use self::tenant::Tenant;
use self::world::{DAY, Over, ProcessClock, World};
use crate::connectors::http::Rate;
use crate::connectors::{Connector, imichat};
use crate::execute::lifecycle::{RunFinish, finish_run};
use crate::execute::passwords::RunSecrets;
use crate::execute::{ExecuteError, ExecutionInputs, ExecutionResult, Halt, Mode, Selection, execute_run};
use crate::journal::state::Phase;
use crate::journal::store::Simulated;
use crate::journal::{Ending, Event, Journal, JournalError, RunHead, RunId, RunSecret};
use crate::model::{MatchRule, Percent};
use crate::testing::broken_laws::{self, BrokenLaw};

/// After so long a request without an answer is given up, and after as long again it cannot land any more.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// Seeds of every test run.
const SEEDS: u64 = 2_000;
/// Seeds in which each mutant must be caught.
const CAUGHT_WITHIN: u64 = 200;
/// After so many processes everything goes well, and after this many the run must be over.
const FOUL_PROCESSES: u64 = 12;
const PROCESSES: u64 = 40;

#[test]
fn no_history_loses_or_doubles_anybody() {
    if let Some(seed) = variable("HEADCOUNT_SIMULATION_SEED") {
        let history = History::of(seed, true);
        println!("{}", history.told.join("\n"));
        assert!(history.violation.is_none(), "seed {seed}: {:?}", history.violation);
        return;
    }
    let seeds = variable("HEADCOUNT_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let (next, processes, deaths) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return;
                }
                let history = History::of(seed, false);
                processes.fetch_add(history.processes, Ordering::Relaxed);
                deaths.fetch_add(history.deaths, Ordering::Relaxed);
                if let Some(violation) = history.violation {
                    next.store(seeds, Ordering::Relaxed);
                    panic!("seed {seed} fails, see it with HEADCOUNT_SIMULATION_SEED={seed}: {violation:?}");
                }
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    println!("{seeds} histories, {processes:?} processes, of which {deaths:?} died");
}

#[test]
fn a_seed_is_one_history() {
    for seed in 0..30 {
        let [one, other] = [false, true].map(|told| History::of(seed, told));
        assert_eq!(one.digest, other.digest, "seed {seed} had two histories");
    }
    assert_ne!(History::of(1, false).digest, History::of(2, false).digest);
}

/// How each mutant gives itself away.
const GIVEAWAYS: [(BrokenLaw, Invariant); 12] = [
    (BrokenLaw::IntentNotAwaited, Invariant::IntentBeforeRequest),
    (BrokenLaw::OutcomeNotAwaited, Invariant::OutcomeBeforeBelief),
    (BrokenLaw::JournalFailureIgnored, Invariant::IntentBeforeRequest),
    (BrokenLaw::CreateRepeatedBlindly, Invariant::AtMostOneCreate),
    (BrokenLaw::NotThereBelievedAtOnce, Invariant::AtMostOneCreate),
    (BrokenLaw::AdoptedWithoutComparing, Invariant::NobodyIsLost),
    (BrokenLaw::AnotherPasswordForEachTry, Invariant::PasswordsAreAsTold),
    (BrokenLaw::StaleOverwritten, Invariant::OthersAreNotOverwritten),
    (BrokenLaw::HeldExecuted, Invariant::HeldIsNotSent),
    (BrokenLaw::DeactivationsFirst, Invariant::AccessIsTakenLast),
    (BrokenLaw::ReserveIgnored, Invariant::ReserveIsKept),
    (BrokenLaw::RetryAfterUndercut, Invariant::RetryAfterIsKept),
];

#[test]
fn every_broken_law_is_noticed_by_the_invariant_that_is_about_it() {
    assert_eq!(GIVEAWAYS.map(|(mutant, _)| mutant), BrokenLaw::ALL);
    for (mutant, invariant) in GIVEAWAYS {
        broken_laws::break_law(Some(mutant));
        // The same seeds keep every law where nothing is broken.
        let caught = (0..CAUGHT_WITHIN).find_map(|seed| Some((seed, History::of(seed, false).violation?)));
        broken_laws::break_law(None);
        let Some((seed, violation)) = caught else { panic!("{mutant:?} is not caught in {CAUGHT_WITHIN} seeds") };
        println!("{mutant:?} is caught by {:?} with seed {seed}: {}", violation.invariant, violation.how);
        assert_eq!(violation.invariant, invariant, "{mutant:?} with seed {seed}");
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// What became of a seed.
struct History {
    violation: Option<Violation>,
    digest: blake3::Hash,
    told: Vec<String>,
    processes: u64,
    deaths: u64,
}

/// What stays the same from process to process.
struct Stage {
    world: World,
    tenant: Arc<Tenant>,
    plan: Arc<Plan>,
    disk: Arc<Simulated>,
    secrets: RunSecrets,
    rules: Vec<MatchRule>,
    dir: TempDir,
    run: RunId,
    rate: Rate,
    fresh: bool,
    trouble: u64,
}

/// How a process ended by itself.
enum Ended {
    Left(RunFinish, ExecutionResult),
    /// Nothing could be done with the target at all.
    NotSignedIn,
    Broken(ExecuteError),
}

impl History {
    fn of(seed: u64, told: bool) -> Self {
        let world = World::new(seed, told);
        let stage = Stage::new(&world);
        let mut history = Self { violation: None, digest: world.digest(), told: Vec::new(), processes: 0, deaths: 0 };
        let lived = std::panic::catch_unwind(AssertUnwindSafe(|| stage.play(&mut history)));
        if let Err(panic) = lived {
            if !told {
                println!("seed {seed} panics");
            }
            println!("{}", world.told().join("\n"));
            std::panic::resume_unwind(panic);
        }
        history.violation = world.violation();
        history.digest = world.digest();
        history.told = world.told();
        history
    }
}

impl Stage {
    fn new(world: &World) -> Self {
        let limit = if world.one_in(3) { 15 + world.below(15) } else { 40 + world.below(200) };
        let tenant = Arc::new(Tenant::new(world, world.one_in(2), limit));
        let plan = Arc::new(Plan::random(world, &tenant));
        let dir = tempfile::tempdir().unwrap();
        plan.write(&dir.path().join("plan.jsonl"));
        let fresh = world.one_in(2);
        plan.meddle(world, &tenant, fresh);
        let disk = disk(world);
        let schema = imichat::make_schema(imichat::test_settings().update_body);
        let rules = ["login_id", "email_id"].map(|name| MatchRule::new(&schema, vec![schema.id(name).unwrap()]));
        let concurrency = 1 + usize::try_from(world.below(4)).unwrap();
        Self {
            secrets: RunSecrets {
                derived_from: RunSecret::of_bytes([7; 32]),
                lengths: HashMap::from([(schema.id("password").unwrap(), 20)]),
                from_source: HashMap::new(),
            },
            rules: rules.to_vec(),
            dir,
            run: RunId::new(world.time(), 1),
            rate: Rate {
                requests_per_second: if world.one_in(3) { 2.0 } else { 0.0 },
                burst: 2,
                concurrency,
                daily_reserve: Percent::new(20.0).unwrap(),
                retries: u32::try_from(world.below(4)).unwrap(),
                timeout: TIMEOUT,
                wait_for_quota: world.one_in(4),
            },
            fresh,
            trouble: 3 + world.below(12),
            world: world.clone(),
            tenant,
            plan,
            disk,
        }
    }

    /// Process after process, until the run is over.
    fn play(&self, history: &mut History) {
        for process in 0..PROCESSES {
            history.processes += 1;
            let foul = process < FOUL_PROCESSES;
            let mode = if foul && process > 0 && self.world.one_in(8) { Mode::SettleOnly } else { Mode::Everything };
            let fuse = (foul && self.world.one_in(2)).then(|| 1 + self.world.below(120));
            let weather = if foul { Weather::Foul(self.trouble) } else { Weather::Fair };
            let judge = Arc::new(Judge {
                world: self.world.clone(),
                tenant: Arc::clone(&self.tenant),
                disk: Arc::clone(&self.disk),
                plan: Arc::clone(&self.plan),
                reserve: self.rate.daily_reserve,
                mode,
                state: std::sync::Mutex::new(Known::default()),
            });
            self.world.begin(fuse);
            self.world.tell(|| format!("process {process} begins, {mode:?}, {weather:?}"));
            let ended = self.process(&judge, weather);
            if self.world.violation().is_some() {
                return;
            }
            let mut rest = self.world.up_to(Duration::from_secs(if self.world.one_in(2) { 2 } else { 300 }));
            match ended {
                Ok(Ended::Left(left, executed)) => {
                    self.world.tell(|| format!("process {process}: {left:?}, {executed:?}"));
                    if let RunFinish::Ended(_) = left {
                        return self.close(&judge);
                    }
                    if matches!(executed.halt, Some(Halt::Quota(_))) {
                        rest += self.world.rest_of_day();
                    }
                }
                Ok(Ended::NotSignedIn) => rest += if foul { Duration::ZERO } else { DAY },
                Ok(Ended::Broken(ExecuteError::Journal(JournalError::Failed(why)))) => {
                    self.world.tell(|| format!("process {process}: {why}"));
                }
                Ok(Ended::Broken(error)) => self.world.judge(Invariant::JournalAgrees, || error.to_string()),
                Err(over) => {
                    history.deaths += u64::from(over == Over::Died);
                    self.world.tell(|| format!("process {process}: {over:?}"));
                }
            }
            // Whatever a process did not make durable is gone with it, however it ended.
            let survive = self.world.below(self.disk.waiting() as u64 + 1);
            self.disk.crash(usize::try_from(survive).unwrap());
            if self.disk.history(|history| history.knows_run(self.run) && history.unfinished().is_none()) {
                // The run's end is durable, and the process did not live to hear of it.
                return self.close(&judge);
            }
            self.world.pass(rest);
        }
        self.world.judge(Invariant::ItEnds, || format!("the run is not over after {PROCESSES} processes"));
    }

    fn close(&self, judge: &Judge) {
        // What was still on its way when the run ended arrives, and must change nothing.
        self.world.pass(2 * TIMEOUT);
        let state = Journal::on(&self.disk).run(self.run).unwrap().expect("the run is in the journal");
        if state.phase() == Phase::Ended(Ending::Failed) {
            // Whoever reads that must be able to start anew as if nothing had been tried.
            if !self.tenant.ledger().is_empty() {
                self.world.judge(Invariant::ExitIsHonest, || "the run failed, and something was done".to_owned());
            }
            return;
        }
        judge.in_the_end(&state, &self.secrets);
    }

    /// One process of headcount.
    fn process(&self, judge: &Arc<Judge>, weather: Weather) -> Result<Ended, Over> {
        let world = self.world.clone();
        let runtime =
            tokio::runtime::Builder::new_current_thread().on_thread_park(move || world.go_on()).build().unwrap();
        runtime.block_on(async {
            let mut work = pin!(self.work(judge, weather));
            poll_fn(|context| match self.world.over(context) {
                Some(over) => Poll::Ready(Err(over)),
                None => work.as_mut().poll(context).map(Ok),
            })
            .await
        })
    }

    async fn work(&self, judge: &Arc<Judge>, weather: Weather) -> Ended {
        match self.headcount(judge, weather).await {
            Ok(ended) => ended,
            Err(error) => Ended::Broken(error),
        }
    }

    async fn headcount(&self, judge: &Arc<Judge>, weather: Weather) -> Result<Ended, ExecuteError> {
        let clock = ProcessClock::new(&self.world);
        let journal = Journal::on(&self.disk);
        let memory = journal.memory("t");
        let at = self.world.time();
        let head = RunHead { actions: self.plan.people.len() as u64, ..RunHead::default() };
        let event = match journal.unfinished_run() {
            Some(run) => Event::RunResumed { run, at },
            None => Event::RunStarted { run: self.run, at, head: Box::new(head) },
        };
        journal.append(event).await?;
        let network =
            Network { world: self.world.clone(), tenant: Arc::clone(&self.tenant), judge: Arc::clone(judge), weather };
        let target = imichat::connect_over(Box::new(network), &self.rate, clock.clone(), Arc::default());
        if let Err(error) = target.sign_in().await {
            self.world.tell(|| format!("not signed in: {error}"));
            return Ok(Ended::NotSignedIn);
        }
        let executed = execute_run(&ExecutionInputs {
            run: self.run,
            plan: &self.dir.path().join("plan.jsonl"),
            target: &target,
            rules: &self.rules,
            journal: &journal,
            memory: &memory,
            secrets: &self.secrets,
            clock: &*clock,
            monitor: &**judge,
            stop: &Arc::default(),
            released: &[],
            selection: &Selection::default(),
            fresh_until: self.fresh.then(|| self.plan.header.created_at + 100 * DAY),
            concurrency: self.rate.concurrency,
            timeout: TIMEOUT,
            mode: judge.mode,
        })
        .await?;
        let state = journal.run(self.run)?.expect("the run is in the journal");
        judge.process_ended(&executed, &state);
        if judge.mode == Mode::SettleOnly {
            // Whoever only settles plans anew; here the next process goes on.
            return Ok(Ended::Left(RunFinish::Paused, executed));
        }
        let left = finish_run(&journal, &memory, &*clock, self.run, &self.plan.header, &executed).await;
        let left = left.map_err(|error| match error {
            crate::execute::lifecycle::LifecycleError::Journal(error) => ExecuteError::Journal(error),
            other => panic!("{other}"),
        })?;
        judge.run_left(left, &executed, &state);
        Ok(Ended::Left(left, executed))
    }
}

/// A disk that is flushed a moment after it is asked to, or fails then.
fn disk(world: &World) -> Arc<Simulated> {
    Arc::new_cyclic(|disk: &std::sync::Weak<Simulated>| {
        let (world, disk) = (world.clone(), disk.clone());
        Simulated::asking(move || {
            let (flushing, disk) = (world.clone(), disk.clone());
            world.after(world.up_to(Duration::from_millis(40)), move || {
                let Some(disk) = disk.upgrade() else { return };
                let waiting = disk.waiting();
                if waiting > 0 && flushing.one_in(80) {
                    flushing.tell(|| format!("the disk fails, and {waiting} writes wait"));
                    disk.fail(usize::try_from(flushing.below(waiting as u64 + 1)).unwrap());
                } else {
                    disk.flush();
                }
            });
        })
    })
}
