//! The target against a server that answers what a script says.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use serde_json::{Value as Json, json};

use super::*;
use crate::clock::TestClock;
use crate::connectors::http::testing::{Reply, Seen, Server, rate};
use crate::connectors::http::{Network, Rate};
use crate::connectors::{Effect, Trouble};
use crate::model::Value;

mod connecting;
mod creating;
mod finding;
mod listing;
mod updating;

const WORK: &str = r#"emails[type eq "work"].value"#;

fn settings() -> ScimSettings {
    ScimSettings { credentials: None, page_size: 100, update_method: UpdateMethod::Auto }
}

async fn connect_as(
    settings: &ScimSettings,
    server: &Server,
    login: ScimLogin,
) -> Result<Box<dyn Connector>, CallError> {
    let clock = TestClock::new("2026-03-01T22:00:00Z".parse().unwrap(), 42);
    let rate = Rate { retries: 2, concurrency: 4, ..rate() };
    let base_url = format!("{}/scim/v2", server.address);
    let mapped = [WORK.to_owned(), "title".to_owned(), "password".to_owned()];
    let (base_url, rate) = (&*base_url, &rate);
    let access = ServerAccess { base_url, rate, network: &Network::default(), clock, stop: Arc::default() };
    connect_tenant(settings, access, login, &mapped).await
}

fn bearer() -> ScimLogin {
    ScimLogin::Bearer(Secret::new("tok-1"))
}

async fn target(server: &Server) -> Box<dyn Connector> {
    connect_as(&settings(), server, bearer()).await.unwrap()
}

/// What a server announces that announces all that it has.
fn announce(path: &str, config: &Json) -> Option<Reply> {
    Some(match path {
        "/scim/v2/ServiceProviderConfig" => Reply::new(200, config.to_string()),
        "/scim/v2/ResourceTypes" => {
            Reply::new(200, json!({"Resources": [{"name": "User", "endpoint": "/Users"}]}).to_string())
        }
        "/scim/v2/Schemas" => Reply::new(404, ""),
        _ => return None,
    })
}

/// A server with this configuration that answers everything but discovery as the function says.
async fn tenant(config: Json, handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let calls = AtomicUsize::new(0);
    Server::start(move |seen, _| {
        announce(&seen.path, &config).unwrap_or_else(|| handler(seen, calls.fetch_add(1, Ordering::SeqCst)))
    })
    .await
}

/// A server that answers all but discovery with these in turn, the last one for ever.
async fn script(config: Json, replies: Vec<Reply>) -> Server {
    tenant(config, move |_, n| replies[n.min(replies.len() - 1)].clone()).await
}

/// What was asked beside discovery.
fn asked(server: &Server) -> Vec<Seen> {
    server.seen().into_iter().filter(|seen| announce(&seen.path, &json!({})).is_none()).collect()
}

fn patches() -> Json {
    json!({"patch": {"supported": true}, "etag": {"supported": true}, "filter": {"supported": true}})
}

fn puts() -> Json {
    json!({"patch": {"supported": false}, "etag": {"supported": true}})
}

fn ok(json: Json) -> Reply {
    Reply::new(200, json.to_string()).with("content-type", "application/scim+json")
}

fn error(status: u16, kind: &str) -> Reply {
    Reply::new(status, json!({"status": status.to_string(), "scimType": kind, "detail": "d"}).to_string())
}

fn html(status: u16) -> Reply {
    Reply::new(status, "<html>hello</html>").with("content-type", "application/scim+json")
}

fn id() -> AccountId {
    AccountId("4711".to_owned())
}

fn values(target: &dyn Connector, pairs: &[(&str, &str)]) -> Attributes {
    let schema = target.schema();
    pairs.iter().map(|(name, text)| (schema.id(name).unwrap(), Value::text(*text))).collect()
}

fn body(seen: &Seen) -> Json {
    serde_json::from_str(&seen.body).unwrap()
}

async fn listed(target: &dyn Connector) -> Result<(Vec<String>, bool, Vec<String>), CallError> {
    let mut pages = target.list();
    let mut shown = Vec::new();
    let mut end = None;
    while let Some(piece) = pages.next().await {
        assert!(end.is_none(), "something after the end");
        match piece? {
            Listed::Page { accounts, .. } => shown.extend(accounts.into_iter().map(|account| account.id.0)),
            Listed::Again { .. } => shown.clear(),
            Listed::End { complete, notes } => end = Some((complete, notes)),
        }
    }
    let (complete, notes) = end.expect("a listing ends");
    Ok((shown, complete, notes))
}

fn query(seen: &Seen, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://x{}", seen.path)).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A page of users `from..=to` of `total`.
fn page(from: usize, to: usize, total: usize) -> Json {
    let users: Vec<Json> = (from..=to).map(|n| json!({"id": n.to_string(), "userName": format!("user{n}")})).collect();
    json!({"totalResults": total, "startIndex": from, "itemsPerPage": users.len(), "Resources": users})
}

fn people(total: usize) -> impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static {
    move |seen, _| {
        let number = |name| query(seen, name).and_then(|text| text.parse::<usize>().ok());
        let start = number("startIndex").unwrap_or(1);
        let count = number("count").unwrap_or(100).min(40);
        ok(page(start, (start + count - 1).min(total), total))
    }
}
