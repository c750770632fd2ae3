//! The order of system calls: an intent is written and synced to the disk before its request leaves.
//!
//! Only a kernel's own record of what a process did can prove this, so the program runs under `strace`. `.ci/run` installs
//! it and runs this file; without strace the test fails and says so.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use headcount::journal::RunId;
use headcount::sandbox::LedgerOperation;
use serde_json::Value;

#[allow(dead_code, reason = "made for tests/runs, and used here in part")]
#[path = "runs/support.rs"]
mod support;

use support::{Project, Small, Tenant};

/// What one line of a trace says.
#[derive(Debug, PartialEq)]
enum Call {
    /// Bytes for the journal's file.
    Journal(Vec<u8>),
    SyncBegins,
    SyncEnds,
    /// Bytes for a socket.
    Sent(Vec<u8>),
}

/// Reads a trace in the order in which the kernel saw things. A call that another thread's call interrupts stands in
/// two lines: a write counts from its second, a sync has a beginning and an end.
fn read(trace: &str, db: &Path) -> Vec<Call> {
    let db = db.to_str().unwrap().as_bytes();
    // By thread: what its unfinished call has to say.
    let mut unfinished: BTreeMap<&str, Option<Call>> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        if rest.starts_with("<... ") {
            let call = unfinished.remove(thread).flatten();
            assert!(call.is_none() || !rest.contains("= -1"), "a call failed: {line}");
            calls.extend(call);
            continue;
        }
        let Some((name, arguments)) = rest.split_once('(') else { continue };
        // The file of a descriptor stands behind it: `7<\x2f\x74…>`, `9<socket:[4711]>`.
        let (descriptor, arguments) = arguments.split_once('>').unwrap_or((arguments, ""));
        let on_journal = bytes(descriptor) == db;
        let on_socket = descriptor.contains("socket:") || bytes(descriptor).starts_with(b"socket:");
        let call = match name {
            "fdatasync" | "fsync" if on_journal => {
                calls.push(Call::SyncBegins);
                Some(Call::SyncEnds)
            }
            "write" | "writev" | "pwrite64" | "pwritev" if on_journal => Some(Call::Journal(bytes(arguments))),
            "write" | "writev" | "sendto" | "sendmsg" if on_socket => {
                // What is sent counts from its beginning.
                calls.push(Call::Sent(bytes(arguments)));
                None
            }
            _ => None,
        };
        if rest.ends_with("<unfinished ...>") {
            unfinished.insert(thread, call);
        } else {
            assert!(call.is_none() || !rest.contains("= -1"), "a call failed: {line}");
            calls.extend(call);
        }
    }
    calls
}

/// All strings of a call, which strace writes as `\x01\x02`.
fn bytes(arguments: &str) -> Vec<u8> {
    arguments.split("\\x").skip(1).filter_map(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok()).collect()
}

/// The actions whose intents are among these bytes: version, kind and run, the two numbers of a time, and then the
/// number of the action.
fn intents(bytes: &[u8], run: RunId) -> Vec<u64> {
    let start = [&[1, 2][..], &run.number().to_be_bytes()].concat();
    let found = bytes.windows(start.len()).enumerate().filter(|(_, window)| *window == start).map(|(at, _)| at);
    found.filter_map(|at| numbers(&bytes[at + start.len()..]).nth(2)).collect()
}

/// LEB128.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes
        .split_inclusive(|byte| byte & 0x80 == 0)
        .map(|number| number.iter().take(9).rev().fold(0, |value, byte| (value << 7) | u64::from(byte & 0x7f)))
}

/// The actions of the run, by what their requests begin with or hold.
fn requests(project: &Project, run: RunId) -> BTreeMap<u64, String> {
    let plan = project.read(&format!(".headcount/runs/{run}/plan.jsonl"));
    plan.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|action| {
            let seq = action["seq"].as_u64()?;
            let request = match action["account"].as_str() {
                Some(account) => format!("PATCH /v3.1/users/{account} "),
                None => format!("\"login_id\":{}", action["key"]),
            };
            Some((seq, request))
        })
        .collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
#[ignore = "needs strace; .ci/run runs it"]
fn a_sync_lies_between_every_intent_and_its_request() {
    assert!(
        Command::new("strace").arg("--version").output().is_ok(),
        "strace is not installed: `apt-get install strace`"
    );
    let small = Small { newcomers: 20, changed: 20, leavers: 4 };
    let tenant = Tenant::start(small.options());
    let project = small.project(&tenant);
    project.set("concurrency", "8");
    project.set("timeout", "\"20s\"");
    let trace = project.path("trace");
    let program = project.command(&["--format", "json", "sync", "--yes"]);
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-xx", "-s", "1000000", "-o"]).arg(&trace);
    command.args(["-e", "trace=fdatasync,fsync,write,writev,pwrite64,pwritev,sendto,sendmsg"]);
    command.arg(program.get_program()).args(program.get_args()).current_dir(project.path(""));
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = project.spawn_command(command).wait();
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(
        (
            tenant.ledger().count_effects(LedgerOperation::Create),
            tenant.ledger().count_effects(LedgerOperation::Update)
        ),
        (20, 24)
    );

    let run: RunId = ran.json()["run"].as_str().unwrap().parse().unwrap();
    let db = project.path(".headcount/journal/db").canonicalize().unwrap();
    let calls = read(&project.read("trace"), &db);
    let find = |from: usize, wanted: &dyn Fn(&Call) -> bool| {
        calls.iter().enumerate().skip(from).find(|(_, call)| wanted(call)).map(|(at, _)| at)
    };
    let requests = requests(&project, run);
    assert_eq!(requests.len(), 44);
    for (seq, request) in requests {
        let is_intent = |call: &Call| matches!(call, Call::Journal(bytes) if intents(bytes, run).contains(&seq));
        let is_request = |call: &Call| matches!(call, Call::Sent(bytes) if holds(bytes, &request));
        let intent = find(0, &is_intent).unwrap_or_else(|| panic!("no intent of action {seq} is written"));
        let begun = find(intent, &|call| *call == Call::SyncBegins).expect("a sync after the intent");
        let synced = find(begun, &|call| *call == Call::SyncEnds).expect("the end of the sync");
        let sent = find(0, &is_request).unwrap_or_else(|| panic!("the request of action {seq} is not sent"));
        assert!(
            intent < begun && begun < synced && synced < sent,
            "action {seq}: written at {intent}, synced from {begun} to {synced}, sent at {sent}"
        );
    }
}

/// What fails, and with what.
const DISKS: [(&str, &str); 5] = [
    ("pwrite64,pwritev", "ENOSPC"),
    ("pwrite64,pwritev", "EIO"),
    ("fdatasync", "EIO"),
    ("fsync,rename,renameat2", "ENOSPC"),
    ("ftruncate,sync_file_range", "EIO"),
];

#[test]
#[ignore = "needs strace; .ci/run runs it"]
fn a_disk_that_fails_at_any_call_from_some_on_doubles_nobody() {
    let small = Small { newcomers: 6, changed: 2, leavers: 1 };
    let mut interrupted = 0;
    for (calls, errno) in DISKS {
        for nth in [1, 2, 3, 5, 8, 13, 21] {
            let tenant = Tenant::start(small.options());
            let project = small.project(&tenant);
            let program = project.command(&["--format", "json", "sync", "--yes"]);
            let mut command = Command::new("strace");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
            command.args(["-e", &format!("inject={calls}:error={errno}:when={nth}+")]);
            command.arg(program.get_program()).args(program.get_args()).current_dir(project.path(""));
            command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let ran = project.spawn_command(command).wait();
            let what = format!("{calls} fail with {errno} from the {nth}th on");
            let created = tenant.created();
            let mut once = created.clone();
            once.dedup();
            assert_eq!(created, once, "{what}: {ran}");
            if ran.code != Some(0) {
                interrupted += 1;
                assert!(matches!(ran.code, Some(1 | 6)), "{what}: {ran}");
                assert!(ran.code == Some(6) || tenant.ledger().effects.is_empty(), "{what}: {ran}");
                assert!(
                    ran.error_message().contains(".headcount") || ran.error_message().contains("passwords"),
                    "{what}: {ran}"
                );
                assert!(!ran.err.contains("panicked"), "{what}: {ran}");
            }
            let again = project.run(&["sync", "--yes"]);
            assert_eq!(again.code, Some(0), "{what}: {again}");
            assert_eq!(tenant.created(), small.newcomers(), "{what}");
            support::assert_passwords_are_told(&project, &tenant.ledger());
        }
    }
    assert!(interrupted > 12, "{interrupted}");
}
