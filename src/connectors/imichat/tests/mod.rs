//! The target against a server that answers what a script says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;

use super::*;
use crate::clock::TestClock;
use crate::connectors::http::testing::{Reply, Seen, Server, rate};
use crate::connectors::http::{Network, Rate};
use crate::connectors::{Effect, Sent};
use crate::model::{AttrId, Value};
use crate::settings::SecretSource;

mod bounds;
mod codes;
mod listing;

mod signing;
mod writing;

pub fn settings() -> ImichatSettings {
    ImichatSettings {
        api_key: Some(SecretSource::Env("IMICHAT_API_KEY".to_owned())),
        domain: Some("acme.imi.chat".to_owned()),
        team_id: Some("1".to_owned()),
        ..ImichatSettings::default()
    }
}

fn connect_as(settings: &ImichatSettings, base_url: &str, rate: &Rate) -> Result<ImichatConnector, CallError> {
    let clock = TestClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 42);
    let access = ServerAccess { base_url, rate, network: &Network::default(), clock, stop: Arc::default() };
    connect_tenant(settings, access, &Secret::new("key-1"), "acme.imi.chat")
}

fn target(server: &Server) -> ImichatConnector {
    connect_as(&settings(), &format!("{}/v3.1", server.address), &Rate { retries: 2, ..rate() }).unwrap()
}

/// A server that lets everybody in and answers everything else as the function says.
async fn tenant(handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let calls = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        if seen.path == "/v3.1/authorize" {
            return Reply::new(200, said(4306, "\"\"")).with("access_token", "token-1");
        }
        handler(seen, calls.fetch_add(1, Ordering::SeqCst))
    })
    .await
}

fn said(code: u32, response: &str) -> String {
    format!(r#"{{"status_code":{code},"description":"d{code}","response":{response}}}"#)
}

/// An answer with a code, under the HTTP status that the table gives it.
fn code(code: u32) -> Reply {
    let status = match code {
        4306 | 4308 | 4309 => 200,
        2004 => 401,
        2007 | 3104 | 3105 => 500,
        2010 | 3101 => 404,
        2099 => 405,
        3102 => 409,
        _ => 400,
    };
    Reply::new(status, said(code, "\"\"")).with("trxid", "t-7")
}

fn html(status: u16) -> Reply {
    Reply::new(status, "<html>Bad Gateway</html>").with("content-type", "text/html")
}

fn id() -> AccountId {
    AccountId("4711".to_owned())
}

fn newcomer(target: &ImichatConnector) -> Attributes {
    let schema = target.schema();
    [
        (schema.id("login_id").unwrap(), Value::text("ana.diaz")),
        (schema.id("password").unwrap(), Value::Secret(Secret::new("hunter2!"))),
    ]
    .into_iter()
    .collect()
}

fn change(target: &ImichatConnector) -> Attributes {
    [(target.schema().id("first_name").unwrap(), Value::text("Ana"))].into_iter().collect()
}

async fn listed(target: &ImichatConnector) -> Result<(usize, bool, Vec<String>), CallError> {
    let mut pages = target.list();
    let mut shown = 0;
    let mut end = None;
    while let Some(piece) = pages.next().await {
        assert!(end.is_none(), "something after the end");
        match piece? {
            Listed::Page { accounts, .. } => shown += accounts.len(),
            Listed::Again { .. } => shown = 0,
            Listed::End { complete, notes } => end = Some((complete, notes)),
        }
    }
    let (complete, notes) = end.expect("a listing ends");
    Ok((shown, complete, notes))
}

fn users(from: u64, to: u64) -> String {
    (from..to).map(|n| format!(r#"{{"id":{n},"login_id":"user{n}"}}"#)).collect::<Vec<_>>().join(",")
}

fn page_number(seen: &Seen) -> u64 {
    seen.path.rsplit_once("page=").unwrap().1.parse().unwrap()
}

/// Which of the calls a status code is answered to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Get,
    Create,
    Update,
}

/// The error of a call that is always answered so, and how often the call was sent.
async fn failing(op: Op, reply: Reply) -> (CallError, usize) {
    let server = tenant(move |_, _| reply.clone()).await;
    let target = target(&server);
    let error = match op {
        Op::Get => target.get(&id()).await.map(|_| ()),
        Op::Create => target.create(&newcomer(&target)).await.map(|_| ()),
        Op::Update => target.update(&id(), &change(&target)).await,
    };
    (error.unwrap_err(), server.count("", "/v3.1/users"))
}
