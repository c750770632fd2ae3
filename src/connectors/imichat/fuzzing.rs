//! What holds for any answers whatever. The fuzzer looks for some for which it does not.
//!
//! Each line is an answer: a character that says its HTTP status, and its body. Together they are the pages of a listing.

use std::collections::HashSet;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value as Json;

use super::codes::{Rejection, open};
use super::decode::{ImichatPage, read_page, read_user};
use super::list::{NAMES, PAGING};
use super::schema::{UpdateBody, make_schema};
use crate::connectors::http::HttpAnswer;
use crate::connectors::listing::{Chance, PageAnswer, PageRequest, PageWalk, ShownPage};
use crate::model::{Account, Schema, Value};

const STATUS: [u16; 8] = [200, 200, 201, 400, 401, 404, 409, 500];

/// Pages that a listing may ask for here.
const MOST_STEPS: usize = 200;

/// Every answer is read or refused with a reason; who manages the tenant is protected; a listing ends, shows nobody
/// twice, and is complete only where nothing was left out.
pub fn any_answers(data: &[u8]) {
    let answers: Vec<HttpAnswer> = data.split(|byte| *byte == b'\n').take(12).filter_map(answer).collect();
    let schema = make_schema(UpdateBody::Full);
    for answer in &answers {
        let account = judge(open(answer)).and_then(|response| read_user(&schema, response));
        account.iter().for_each(sound);
        if let Some(page) = judge(open(answer)).map(|response| read_page(&schema, response)) {
            page.records.iter().flatten().flatten().for_each(sound);
            administrators_are_protected(&answer.body, &page);
        }
    }
    walk(&schema, &answers);
}

fn answer(line: &[u8]) -> Option<HttpAnswer> {
    let (status, body) = line.split_first()?;
    let status = STATUS[usize::from(status.wrapping_sub(b'0')) % STATUS.len()];
    let status = StatusCode::from_u16(status).ok()?;
    Some(HttpAnswer { status, headers: HeaderMap::new(), body: body.to_vec().into() })
}

fn judge<T>(opened: Result<T, Rejection>) -> Option<T> {
    match opened {
        Ok(read) => Some(read),
        Err(
            Rejection::Stale(error)
            | Rejection::Server(error)
            | Rejection::NoEnvelope(error)
            | Rejection::Refused(error),
        ) => {
            assert!(!error.message.is_empty());
            let _ = error.to_string();
            None
        }
    }
}

fn sound(account: &Account) {
    assert!(!account.id.as_str().trim().is_empty(), "an account without an id");
    for (_, value) in account.values.iter() {
        assert!(!matches!(value, Value::Secret(_) | Value::Generated));
        let _ = value.to_string();
    }
}

/// Whoever the plainest reading of the JSON takes for an administrator is one.
fn administrators_are_protected(body: &[u8], page: &ImichatPage) {
    let Ok(json) = serde_json::from_slice::<Json>(body) else { return };
    let response = &json["response"];
    let users = if response.is_array() { response.as_array() } else { response["users"].as_array() };
    let (Some(users), Some(records)) = (users, &page.records) else { return };
    if users.len() != records.len() {
        // A key that stands there twice.
        return;
    }
    for (user, record) in users.iter().zip(records) {
        if let (true, Some(account)) = (manages(&user["role_type"]), record) {
            assert!(account.protected.is_some(), "an administrator who is not protected");
        }
    }
}

fn manages(role: &Json) -> bool {
    match role {
        Json::String(role) => {
            let role = role.trim().to_ascii_lowercase();
            role.starts_with("administrative") || role.starts_with("administrator")
        }
        Json::Array(roles) => roles.iter().any(manages),
        Json::Object(role) => role.values().any(manages),
        _ => false,
    }
}

/// The answers as the pages of a listing that stands still, each by its number; there is nobody on the others.
fn walk(schema: &Schema, answers: &[HttpAnswer]) {
    let mut walk = PageWalk::new(PAGING, NAMES, Chance::Last);
    let mut ids = HashSet::new();
    let mut read_before = HashSet::new();
    let (mut records_shown, mut unreadable) = (0, 0);
    for _ in 0..MOST_STEPS {
        let Some(request) = walk.next_request() else { break };
        let PageRequest::Number(page) = request else { panic!("{request:?} is no page number") };
        let answer = usize::try_from(page - 1).ok().and_then(|at| answers.get(at));
        let read = match answer.map(|answer| judge(open(answer)).map(|response| read_page(schema, response))) {
            Some(Some(ImichatPage { records: Some(records), facts })) => ShownPage { records, facts },
            // An error that ends the listing.
            Some(_) => return,
            None => ShownPage::default(),
        };
        if read_before.insert(page) {
            records_shown += read.records.len();
            unreadable += read.records.iter().filter(|record| record.is_none()).count();
        }
        for account in walk.take_answer(request, PageAnswer::Page(read)) {
            assert!(ids.insert(account.id.clone()), "{} is shown twice", account.id.as_str());
        }
    }
    if walk.next_request().is_some() {
        // A server that announces more pages than anybody wants to wait for here.
        return;
    }
    let (complete, notes) = walk.finish_reading();
    assert_eq!(complete, notes.is_empty());
    if complete {
        assert_eq!((ids.len(), unreadable), (records_shown, 0), "complete, and yet somebody was left out");
    }
}
