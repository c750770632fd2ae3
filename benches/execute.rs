//! What the durable journal costs: creating accounts in a sandbox with the journal on disk, beside the same with the
//! journal in memory. `benches/README.md` says what the figures have to reach.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be measured fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are printed")]

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/tenant.rs"]
mod tenant;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use headcount::clock::{Clock, Stop, SystemClock};
use headcount::connectors::Connector;
use headcount::connectors::http::Rate;
use headcount::execute::{ExecutionInputs, Mode, Secrets, Selection, execute_run};
use headcount::journal::{Event, Journal, Options, RunHead, RunId};
use headcount::model::monitor::Silent;
use headcount::model::{AttrId, MatchRule, Secret, Value};
use headcount::plan::file::{PlanHeader, PlanWriter};
use headcount::plan::{Action, ActionKind, Change, SourceLine};
use tenant::{Tenant, benching, median, number, rate};
use tokio::runtime::Runtime;

fn main() {
    if tenant::served() {
        return;
    }
    let actions = number("ACTIONS", if benching() { 5_000 } else { 50 });
    let rounds = number("ROUNDS", if benching() { 9 } else { 1 });
    let concurrency = usize::try_from(number("CONCURRENCY", 64)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let plan = dir.path().join("plan.jsonl");
    write_plan(&plan, actions);
    let bench = Bench { runtime: Runtime::new().unwrap(), dir: dir.path().to_owned(), plan, actions };

    println!("{actions} creates; the journal on disk and in memory in turn");
    // A run at a given rate takes its time, and varies little.
    let few = rounds.min(3);
    bench.compare(&format!("at 1,000 requests a second, 16 under way, {few} rounds"), &rate(1_000.0, 16), few);
    let what = format!("without a limit, {concurrency} under way, {rounds} rounds");
    bench.compare(&what, &rate(0.0, concurrency), rounds);
}

struct Bench {
    runtime: Runtime,
    /// Where journals are put.
    dir: PathBuf,
    plan: PathBuf,
    actions: u64,
}

#[derive(Clone, Copy)]
enum Keeping {
    Disk,
    Memory,
}

/// What a run took on the clock and of the processors.
struct Ran {
    time: Duration,
    work: Duration,
}

impl Bench {
    /// A rate, and the processor time that went into each create, the server's included.
    fn told(&self, what: &str, ran: &[Ran]) {
        let rate = median(ran.iter().map(|ran| self.actions as f64 / ran.time.as_secs_f64()).collect());
        let work = median(ran.iter().map(|ran| 1e6 * ran.work.as_secs_f64() / self.actions as f64).collect());
        println!("  {what} {rate:7.0} creates/s, {work:4.0} us of processor time each, the server's included");
    }

    fn compare(&self, what: &str, rate: &Rate, rounds: u64) {
        let (mut disk, mut memory) = (Vec::new(), Vec::new());
        for round in 0..2 * rounds {
            // Whoever comes second may find the machine warmer, so they take turns.
            match (round + round / 2) % 2 {
                0 => disk.push(self.run(Keeping::Disk, rate)),
                _ => memory.push(self.run(Keeping::Memory, rate)),
            }
        }
        let times = disk.iter().zip(&memory).map(|(disk, memory)| disk.time.as_secs_f64() / memory.time.as_secs_f64());
        let times = median(times.collect());
        println!("{what}");
        self.told("in memory", &memory);
        self.told("on disk  ", &disk);
        println!("  the time on disk is {times:.3} times that in memory, the rate {:.0} %", 100.0 / times);
    }

    /// In a task of the runtime, as the program's commands are.
    fn run(&self, keeping: Keeping, rate: &Rate) -> Ran {
        let run = run(self.dir.clone(), self.plan.clone(), self.actions, keeping, rate.clone());
        self.runtime.block_on(self.runtime.spawn(run)).unwrap()
    }
}

/// Executes the plan against a tenant without accounts.
async fn run(dir: PathBuf, plan: PathBuf, actions: u64, keeping: Keeping, rate: Rate) -> Ran {
    let tenant = Tenant::start(0);
    let used = || cpu::used(std::process::id()).unwrap_or_default() + cpu::used(tenant.process()).unwrap_or_default();
    let state = tempfile::tempdir_in(dir).unwrap();
    let clock = SystemClock::new();
    let journal = match keeping {
        Keeping::Disk => Journal::open(state.path(), Options::new(clock.now())).unwrap(),
        Keeping::Memory => Journal::in_memory(),
    };
    let target = tenant.connect(&rate);
    target.sign_in().await.unwrap();
    let rules = ["login_id", "email_id"].map(|name| {
        let schema = target.schema();
        MatchRule::new(schema, vec![schema.id(name).unwrap()])
    });
    let run = RunId::new(clock.now(), clock.random());
    let head = Box::new(RunHead { actions, ..RunHead::default() });
    journal.append(Event::RunStarted { run, at: clock.now(), head }).await.unwrap();
    let execution = ExecutionInputs {
        run,
        plan: &plan,
        target: &target,
        rules: &rules,
        journal: &journal,
        memory: &journal.memory("bench"),
        secrets: &OneForAll,
        clock: &*clock,
        monitor: &Silent,
        stop: &Stop::default(),
        released: &[],
        selection: &Selection::default(),
        fresh_until: None,
        concurrency: rate.concurrency,
        timeout: rate.timeout,
        mode: Mode::Everything,
    };
    let (start, before) = (Instant::now(), used());
    let executed = execute_run(&execution).await.unwrap();
    let ran = Ran { time: start.elapsed(), work: used().saturating_sub(before) };
    assert_eq!(executed.applied.create, actions, "{executed:?}");
    ran
}

/// Deriving passwords is no part of what is measured.
struct OneForAll;

impl Secrets for OneForAll {
    fn find_secret(&self, _: &Action, _: AttrId) -> Result<Secret, String> {
        Ok(Secret::new("correct-Horse-7-battery"))
    }
}

fn write_plan(path: &Path, actions: u64) {
    let header = PlanHeader::new("bench", SystemClock::new().now(), "bench", "imichat");
    let mut writer = PlanWriter::new(BufWriter::new(File::create(path).unwrap()), &header).unwrap();
    for number in 1..=actions {
        writer.write_action(create(number)).unwrap();
    }
    writer.seal_plan().unwrap();
}

/// What the sample configuration makes of a newcomer.
fn create(number: u64) -> Action {
    let key = format!("p{number:07}.desk");
    let text = |text: &str| Value::text(text);
    let skills = [("English".to_owned(), Value::Int(80)), ("Polish".to_owned(), Value::Int(100))];
    let values = [
        ("login_id", text(&key)),
        ("email_id", Value::text(format!("{key}@example.com"))),
        ("first_name", text("Katarzyna")),
        ("last_name", text("Kowalska")),
        ("job_description", text("Senior Agent")),
        ("login_using_email", Value::Bool(true)),
        ("skill_attributes", Value::Object(skills.into())),
        ("password", Value::Generated),
    ];
    Action {
        identity: Some(format!("E{number:08}")),
        source: u32::try_from(number + 1).ok().map(|line| SourceLine { file: "hr_export.csv".to_owned(), line }),
        changes: values.map(|(name, to)| Change { attribute: name.to_owned(), from: None, to }).into(),
        held: false,
        ..Action::new(ActionKind::Create, key)
    }
}
