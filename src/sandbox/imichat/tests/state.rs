use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::*;
use crate::sandbox::{Ledger, LedgerOperation, SandboxError};

fn kept_in(folder: &Path) -> Options {
    Options { state: Some(folder.join("deep/sandbox.json")), ..options() }
}

/// Creates Ana, changes Ben, and says what the server has then.
async fn worked(sandbox: &Sandbox) -> (Vec<crate::sandbox::imichat::ImichatAccount>, Ledger, u64) {
    let client = Client::new(sandbox).await;
    assert_eq!(client.create(&ana()).await.codes(), (200, 4308));
    assert_eq!(client.update(9, &json!({"last_name": "Katzir"})).await.codes(), (200, 4309));
    (sandbox.accounts(), sandbox.ledger(), sandbox.requests())
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_without_a_clean_stop() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(kept_in(folder.path())).await.unwrap();
    let before = worked(&sandbox).await;
    drop(sandbox);
    let again = start(kept_in(folder.path())).await.unwrap();
    assert_eq!((again.accounts(), again.ledger(), again.requests()), before);
    let client = Client::new(&again).await;
    assert_eq!(client.create(&ana()).await.codes(), (409, 3102));
}

#[tokio::test]
async fn a_clean_stop_keeps_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(kept_in(folder.path())).await.unwrap();
    let before = worked(&sandbox).await;
    sandbox.stop().await.unwrap();
    // The seed is not looked at any more.
    let again = start(Options { seed: Seed::Empty, ..kept_in(folder.path()) }).await.unwrap();
    assert_eq!((again.accounts(), again.ledger(), again.requests()), before);
    let state = std::fs::read_to_string(folder.path().join("deep/sandbox.json")).unwrap();
    assert!(state.contains("ana.silva") && !state.contains("correct horse"));
}

#[tokio::test]
async fn what_others_changed_outlives_a_crash_too() {
    let folder = tempfile::tempdir().unwrap();
    let faults = "[[rule]]\non = { page = 1, nth = 1 }\nthen = { shift_list = 'insert' }\n\
                  [[rule]]\non = { page = 1, nth = 2 }\nthen = { shift_list = 'status' }\n\
                  [[rule]]\non = { page = 1, nth = 3 }\nthen = { shift_list = 'remove' }";
    let options = Options { faults: Faults::parse(faults).unwrap(), ..kept_in(folder.path()) };
    let (sandbox, client) = served(options).await;
    for _ in 0..3 {
        client.get("/users?page=1").await;
    }
    let before = (sandbox.accounts(), sandbox.ledger());
    assert_eq!(before.1.count_effects(LedgerOperation::OutsideRemove), 1);
    drop(sandbox);
    let (again, client) = served(kept_in(folder.path())).await;
    assert_eq!((again.accounts(), again.ledger()), before);
    assert_eq!(client.create(&ana()).await.response()["id"], 11, "the id of a removed account is not given again");
}

#[tokio::test]
async fn half_a_line_at_the_ledgers_end_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(kept_in(folder.path())).await.unwrap();
    let before = worked(&sandbox).await;
    drop(sandbox);
    let path = folder.path().join("deep/sandbox.ledger.jsonl");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"n\":3,\"at\":\"20").unwrap();
    let again = start(kept_in(folder.path())).await.unwrap();
    assert_eq!((again.accounts(), again.ledger()), (before.0, before.1));
    let client = Client::new(&again).await;
    client.update(9, &json!({"last_name": "K"})).await;
    drop(again);
    let lines = std::fs::read_to_string(&path).unwrap();
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[tokio::test]
async fn a_dropped_sandbox_acknowledges_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, client) = served(kept_in(folder.path())).await;
    drop(sandbox);
    assert!(client.try_send(Method::POST, "/users", Some(&ana())).await.is_err());
    let again = start(kept_in(folder.path())).await.unwrap();
    assert!(again.ledger().effects.is_empty());
}

#[tokio::test]
async fn one_state_serves_one_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(kept_in(folder.path())).await.unwrap();
    assert!(matches!(start(kept_in(folder.path())).await, Err(SandboxError::InUse { .. })));
    sandbox.stop().await.unwrap();
    assert!(start(kept_in(folder.path())).await.is_ok());
}

#[tokio::test]
async fn a_seed_that_is_wrong_is_refused_with_its_place() {
    let with = |text: &str| start(Options { seed: Seed::Text(text.to_owned()), ..Options::default() });
    let shape = with("{\n \"accounts\": 7}").await.err().unwrap();
    assert!(matches!(shape, SandboxError::Shape { line: 2, .. }), "{shape}");
    let twice = SEED.replace("\"id\": 9", "\"id\": 5");
    assert!(matches!(with(&twice).await, Err(SandboxError::Seed { .. })));
    let same_login = SEED.replace("\"ben.katz\"", "\"ADMIN\"");
    assert!(matches!(with(&same_login).await, Err(SandboxError::Seed { .. })));
    let missing = Options { seed: Seed::File("/nowhere/accounts.json".into()), ..Options::default() };
    assert!(matches!(start(missing).await, Err(SandboxError::Read { .. })));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let sandbox = start(options()).await.unwrap();
    let port = sandbox.address().port();
    assert!(sandbox.address().ip().is_loopback());
    let error = start(Options { port, ..options() }).await.err().unwrap();
    assert!(error.to_string().contains(&port.to_string()));
}

/// Serves the state that the environment names until its standard input ends.
#[tokio::test]
#[ignore = "the process that the next test kills"]
async fn to_be_killed() {
    let Ok(folder) = std::env::var("SANDBOX_TO_BE_KILLED") else { return };
    let sandbox = start(kept_in(Path::new(&folder))).await.unwrap();
    println!("serving {} ", sandbox.base_url());
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await.unwrap().unwrap();
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandbox::imichat::tests::state::to_be_killed", "--ignored", "--nocapture"])
        .env("SANDBOX_TO_BE_KILLED", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let base = output
        .lines()
        .map(Result::unwrap)
        .find_map(|line| Some(line.split_once("serving ")?.1.split(' ').next()?.to_owned()))
        .unwrap();
    let mut client = Client::at(base);
    client.sign_in().await;

    let killer = Mutex::new(child);
    let acknowledged = Mutex::new(Vec::new());
    futures::future::join_all((0..8).map(async |worker| {
        for n in 0..1_000 {
            let login = format!("new-{worker}-{n}");
            let body = but(but(ana(), "login_id", json!(login)), "email_id", json!(format!("{login}@example.com")));
            match client.try_send(Method::POST, "/users", Some(&body)).await {
                Ok(answer) => assert_eq!(answer.codes(), (200, 4308)),
                Err(_) => return,
            }
            acknowledged.lock().unwrap().push(login);
            // The others are in the middle of something when the plug is pulled.
            if worker == 0 && n == 20 {
                killer.lock().unwrap().kill().unwrap();
            }
        }
    }))
    .await;
    killer.lock().unwrap().wait().unwrap();

    let acknowledged = acknowledged.into_inner().unwrap();
    assert!((21..8_000).contains(&acknowledged.len()), "killed in the middle, not after the end");
    let again = start(kept_in(folder.path())).await.unwrap();
    let kept: HashSet<String> = again.accounts().into_iter().map(|account| account.login_id).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|login| !kept.contains(*login)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(again.ledger().doubled_logins().is_empty());
}
