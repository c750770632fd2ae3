//! `headcount plan --against` on N and on 2 N rows: time, peak memory, and how both grow; beside it, where there is one,
//! `qsv diff` on the same people. `benches/README.md` says what the figures have to reach and how to take them.
//!
//! Plain measuring instead of a harness: what counts are ratios of seconds within one session, and the peak memory of a
//! process.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be measured fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are printed")]

#[path = "support/cpu.rs"]
mod cpu;
mod support;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::Expected;

/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(2);

fn main() {
    // `cargo bench` passes --bench; anything else only wants to know that it works.
    let benching = env::args().any(|arg| arg == "--bench");
    let rows = number("ROWS", if benching { 1_000_000 } else { 1_000 });
    let runs = number("RUNS", if benching { 3 } else { 1 });
    let dir = tempfile::tempdir().unwrap();
    println!("{rows} and {} rows; the median of {runs}", 2 * rows);

    let one = plan(&dir.path().join("one"), rows, runs);
    let two = plan(&dir.path().join("two"), 2 * rows, runs);
    println!("twice the rows take {:.2} times the time", ratio(&two, &one));
    match qsv() {
        Some(qsv) => {
            let diff = diff(&qsv, &dir.path().join("one"), rows, runs);
            println!("plan takes {:.2} times the time of qsv diff", ratio(&one, &diff));
        }
        None => println!("no qsv on the PATH nor in $QSV: not compared with qsv diff"),
    }
}

/// What a process took.
struct Took {
    time: Duration,
    /// Of the processors.
    work: Duration,
    peak_kib: u64,
}

/// Plans for so many rows with the sample configuration, and holds the counts against what there is to find.
fn plan(dir: &Path, rows: u64, runs: u64) -> Took {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(dir.join("samples")).unwrap();
    for file in ["config.toml", "samples/teams.csv"] {
        fs::copy(top.join(file), dir.join(file)).unwrap();
    }
    support::export(&dir.join("samples/hr_export.csv"), rows).unwrap();
    support::accounts(&dir.join("accounts.csv"), rows).unwrap();

    let took = median(runs, || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
        command.current_dir(dir).args(["--format", "json", "--no-progress", "--quiet", "--state", "state"]);
        command.args(["plan", "--against", "accounts.csv", "-o", "plan.jsonl"]);
        let (took, status) = measured(&mut command, dir);
        assert!(status.success(), "{status}: {}", fs::read_to_string(dir.join("stderr")).unwrap());
        took
    });
    let summary: serde_json::Value = serde_json::from_reader(File::open(dir.join("stdout")).unwrap()).unwrap();
    let count = |group: &str, kind: &str| summary[group][kind].as_u64().unwrap();
    let (created, updated) = (count("planned", "create"), count("planned", "update"));
    assert_eq!(Expected { created, updated, absent: count("found", "absent") }, Expected::of(rows), "{summary:#}");
    told(&format!("plan, {rows} rows"), &took);
    took
}

/// Compares the accounts as they are with the accounts as they should be.
fn diff(qsv: &OsString, dir: &Path, rows: u64, runs: u64) -> Took {
    support::wanted(&dir.join("wanted.csv"), rows).unwrap();
    let took = median(runs, || {
        let mut command = Command::new(qsv);
        command.current_dir(dir).args(["diff", "--key", &support::LOGIN.to_string(), "accounts.csv", "wanted.csv"]);
        measured(&mut command, dir).0
    });
    // Its exit code says whether there are differences; that it found them shows in what it wrote.
    let Expected { created, updated, absent } = Expected::of(rows);
    let lines = fs::read_to_string(dir.join("stdout")).unwrap().lines().count() as u64;
    let said = fs::read_to_string(dir.join("stderr")).unwrap();
    assert_eq!(lines, 1 + created + 2 * updated + absent, "qsv diff found something else: {said}");
    told(&format!("qsv diff, {rows} rows"), &took);
    took
}

/// Runs a command to its end. Its outputs go to the files `stdout` and `stderr`.
fn measured(command: &mut Command, dir: &Path) -> (Took, ExitStatus) {
    let file = |name| File::create(dir.join(name)).unwrap();
    command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr"));
    let start = Instant::now();
    let mut child = command.spawn().unwrap();
    let (mut peak_kib, mut work) = (0, Duration::ZERO);
    loop {
        // The kernel keeps both, so only what comes between the last look and the end is missed.
        peak_kib = peak(&child).unwrap_or(peak_kib);
        work = cpu::used(child.id()).unwrap_or(work).max(work);
        if let Some(status) = child.try_wait().unwrap() {
            return (Took { time: start.elapsed(), work, peak_kib }, status);
        }
        thread::sleep(LOOK);
    }
}

/// The most memory that the process has had so far; `None` where the system does not say, or the process has ended.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// The run of the median time; the peak is the highest of all.
fn median(runs: u64, mut run: impl FnMut() -> Took) -> Took {
    let mut all: Vec<Took> = (0..runs.max(1)).map(|_| run()).collect();
    all.sort_by_key(|took| took.time);
    let peak_kib = all.iter().map(|took| took.peak_kib).max().unwrap_or(0);
    Took { peak_kib, ..all.swap_remove(all.len() / 2) }
}

fn told(what: &str, took: &Took) {
    let (time, work) = (took.time.as_secs_f64(), took.work.as_secs_f64());
    println!("{what}: {time:.2} s, {work:.2} s of processor time, peak {:.0} MiB", took.peak_kib as f64 / 1024.0);
}

fn ratio(took: &Took, other: &Took) -> f64 {
    took.time.as_secs_f64() / other.time.as_secs_f64()
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// `$QSV`, or the first of its two programs that can be started.
fn qsv() -> Option<OsString> {
    let starts = |program: &OsString| {
        let mut command = Command::new(program);
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let given = env::var_os("QSV").into_iter();
    given.chain(["qsv".into(), "qsvlite".into()]).find(starts)
}
