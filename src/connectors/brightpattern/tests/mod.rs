//! The target against a server that answers what a script says.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;

use super::*;
use crate::clock::TestClock;
use crate::connectors::http::testing::{Reply, Seen, Server, rate};
use crate::connectors::http::{Network, Rate};
use crate::connectors::{Effect, Trouble};
use crate::model::Value;

mod finding;
mod listing;
mod signing;
mod writing;

const BASE: &str = "/configapi/v2";

fn connect_with(server: &Server, rate: &Rate, needed: &[&str]) -> BrightpatternConnector {
    let clock = TestClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 42);
    let login = BrightpatternLogin {
        client_id: "api".to_owned(),
        client_secret: Secret::new("key-1"),
        scope: "acme.org".to_owned(),
    };
    let needed: Vec<_> = needed.iter().map(|name| (*name).to_owned()).collect();
    let base_url = &format!("{}{BASE}", server.address);
    let access = ServerAccess { base_url, rate, network: &Network::default(), clock, stop: Arc::default() };
    connect_tenant(access, login, &needed).unwrap()
}

fn target(server: &Server) -> BrightpatternConnector {
    connect_with(server, &Rate { retries: 2, ..rate() }, &["loginId", "team"])
}

/// A server that lets everybody in and answers everything else as the function says; the number counts those answers.
async fn tenant(handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let calls = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        if seen.path == format!("{BASE}/oauth/token") {
            return Reply::new(200, r#"{"access_token":"token-1","token_type":"Bearer","expires_in":"3600"}"#);
        }
        handler(seen, calls.fetch_add(1, Ordering::SeqCst))
    })
    .await
}

/// Always the same answer.
async fn always(reply: Reply) -> Server {
    tenant(move |_, _| reply.clone()).await
}

fn html() -> Reply {
    Reply::new(200, "<html>Please sign in</html>").with("content-type", "application/json")
}

fn entry(login: &str) -> String {
    format!(r#"{{"extension":7,"loginId":"{login}","firstName":"F-{login}","voiceMail":false}}"#)
}

fn directory(logins: &[&str]) -> Reply {
    Reply::new(200, format!("[{}]", logins.iter().map(|login| entry(login)).collect::<Vec<_>>().join(",")))
}

/// The user whom a request asks for.
fn user(seen: &Seen) -> Reply {
    let login = asked(seen).unwrap();
    Reply::new(200, format!(r#"{{"loginId":"{login}","team":"Sales","disabled":"false"}}"#))
}

fn asked(seen: &Seen) -> Option<&str> {
    seen.path.strip_prefix(&format!("{BASE}/user/"))
}

/// A contact center with these users in the directory, each time it is read the next list (the last one for ever).
async fn center(directories: Vec<Vec<&'static str>>, users: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    let reads = AtomicUsize::new(0);
    tenant(move |seen, _| {
        if asked(seen).is_some() {
            return users(seen);
        }
        assert_eq!(seen.path, format!("{BASE}/phone/user"));
        let read = reads.fetch_add(1, Ordering::SeqCst);
        directory(&directories[read.min(directories.len() - 1)])
    })
    .await
}

struct Shown {
    /// Ids, in their order by name, with why each is out of reach.
    accounts: Vec<(String, Option<String>)>,
    sizes: Vec<usize>,
    pages: Vec<Option<u64>>,
    complete: bool,
    notes: String,
}

impl Shown {
    fn ids(&self) -> Vec<&str> {
        self.accounts.iter().map(|(id, _)| id.as_str()).collect()
    }
    fn out_of_reach(&self) -> Vec<&str> {
        self.accounts.iter().filter(|(_, why)| why.is_some()).map(|(id, _)| id.as_str()).collect()
    }
}

async fn listed(target: &BrightpatternConnector) -> Result<Shown, CallError> {
    let mut listing = target.list();
    let mut seen =
        Shown { accounts: Vec::new(), sizes: Vec::new(), pages: Vec::new(), complete: false, notes: String::new() };
    let mut ends = 0;
    while let Some(piece) = listing.next().await {
        assert_eq!(ends, 0, "something after the end");
        match piece? {
            Listed::Page { accounts, pages } => {
                seen.sizes.push(accounts.len());
                seen.pages.push(pages);
                seen.accounts.extend(accounts.into_iter().map(|account| (account.id.0, account.protected)));
            }
            Listed::Again { why } => panic!("a directory is read at once: {why}"),
            Listed::End { complete, notes } => {
                ends += 1;
                (seen.complete, seen.notes) = (complete, notes.join("; "));
            }
        }
    }
    assert_eq!(ends, 1, "a listing ends");
    seen.accounts.sort();
    Ok(seen)
}

fn values(pairs: &[(&str, &str)]) -> Attributes {
    let schema = make_schema();
    pairs.iter().map(|(name, json)| (schema.id(name).unwrap(), serde_json::from_str(json).unwrap())).collect()
}

fn newcomer() -> Attributes {
    let mut newcomer = values(&[("loginId", "\"ana\""), ("team", "\"Sales\""), ("skills", r#"{"x":1}"#)]);
    newcomer.set(make_schema().id("password").unwrap(), Value::Secret(Secret::new("hunter2!")));
    newcomer
}

fn id(login: &str) -> AccountId {
    AccountId(login.to_owned())
}
