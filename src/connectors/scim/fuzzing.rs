//! What holds for any answers whatever. The fuzzer looks for some for which it does not.
//!
//! Each line is an answer: a character that says its HTTP status, and its body. Together they are the pages of a listing.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::answer::{self, AskedFor};
use super::api::choose_paging;
use super::discovery;
use super::list::NAMES;
use super::page::read_page;
use super::path::ScimPath;
use super::resource;
use super::schema::make_layout;
use crate::connectors::http::{AnswerVerdict, HttpAnswer};
use crate::connectors::listing::{Chance, PageAnswer, PageRequest, PageWalk, ShownPage};
use crate::model::{Account, Value};

const STATUS: [u16; 8] = [200, 200, 201, 400, 401, 404, 409, 500];
const MAPPED: [&str; 6] = [
    "name.formatted",
    "phoneNumbers[type eq \"work\"].value",
    "roles",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    "urn:example:params:scim:schemas:extension:fuzz:2.0:User:level",
    "title",
];

/// Every answer is read or refused with a reason, a path that can be written is read back as it was, a listing ends,
/// shows nobody twice, and is complete only where nothing was left out.
pub fn any_answers(data: &[u8]) {
    let mapped: Vec<String> = MAPPED.map(str::to_owned).to_vec();
    let layout = make_layout(&mapped);
    let answers: Vec<HttpAnswer> = data.split(|byte| *byte == b'\n').take(12).filter_map(an_answer).collect();
    let mut pages = Vec::new();
    for answer in &answers {
        for asked in [AskedFor::Listing, AskedFor::Account, AskedFor::Create] {
            match answer::refusal_verdict::<()>(answer, asked) {
                AnswerVerdict::Done(()) => {}
                AnswerVerdict::Refused(error) | AnswerVerdict::Stale(error) | AnswerVerdict::ServerError(error) => {
                    assert!(!error.message.is_empty());
                    let _ = error.to_string();
                }
            }
        }
        let _ = (answer::is_scim_type(answer, "uniqueness"), answer::is_too_many(answer));
        if let Ok(path) = std::str::from_utf8(&answer.body) {
            a_path_is_read_back(path);
        }
        let Ok(json) = answer::answer_body(answer) else { continue };
        resource::read_account(&layout, &json).iter().for_each(sound);
        let _ = discovery::read_abilities(&json);
        if let Some(endpoint) = discovery::find_endpoint(&json, "https://scim.example.com/v2") {
            assert!(endpoint.starts_with('/') && !endpoint.contains(['?', '#', ' ']), "{endpoint}");
        }
        let refined = layout.refine_layout(&discovery::read_definitions(&json));
        assert!(refined.schema.iter().zip(layout.schema.iter()).all(|(new, old)| new.1.name == old.1.name));
        resource::read_account(&refined, &json).iter().for_each(sound);
        if let Some(page) = read_page(&layout, &json) {
            page.records.iter().flatten().for_each(sound);
            pages.push(page);
        }
    }
    let cursors = data.first().is_some_and(|byte| byte % 2 == 1);
    walk(pages, cursors);
}

fn an_answer(line: &[u8]) -> Option<HttpAnswer> {
    let (status, body) = line.split_first()?;
    let status = STATUS[usize::from(status.wrapping_sub(b'0')) % STATUS.len()];
    let status = StatusCode::from_u16(status).ok()?;
    Some(HttpAnswer { status, headers: HeaderMap::new(), body: body.to_vec().into() })
}

fn a_path_is_read_back(text: &str) {
    if let Some(path) = ScimPath::parse(text) {
        let written = path.to_string();
        assert_eq!(ScimPath::parse(&written).as_ref(), Some(&path), "{written:?}");
        assert!(path.is_same_path(&path));
    }
}

fn sound(account: &Account) {
    assert!(!account.id.as_str().is_empty(), "an account without an id");
    for (_, value) in account.values.iter() {
        assert!(!matches!(value, Value::Secret(_) | Value::Generated));
        let _ = value.to_string();
    }
}

/// The pages as a listing, as long as it asks for some; after the last there is nobody.
fn walk(pages: Vec<ShownPage>, cursors: bool) {
    let mut walk = PageWalk::new(choose_paging(5, cursors), NAMES, Chance::Last);
    let mut pages = pages.into_iter();
    let mut ids = std::collections::HashSet::new();
    let (mut unreadable, mut empty) = (0, 0);
    while let Some(ask) = walk.next_request() {
        match &ask {
            PageRequest::Places { start, count } => assert!(*start > 0 && *count > 0, "{ask:?}"),
            PageRequest::Cursor { cursor, count } => assert!(*count > 0 && cursor.as_deref() != Some(""), "{ask:?}"),
            PageRequest::Number(_) => panic!("{ask:?}"),
        }
        let read = match pages.next() {
            Some(page) => page,
            // A server that goes on announcing accounts and never shows one.
            None if empty > 3 => return,
            None => {
                empty += 1;
                ShownPage::default()
            }
        };
        unreadable += read.records.iter().filter(|record| record.is_none()).count();
        for account in walk.take_answer(ask, PageAnswer::Page(read)) {
            assert!(ids.insert(account.id.clone()), "{} is shown twice", account.id.as_str());
        }
        let _ = (walk.announced_pages(), walk.reading_facts());
    }
    let (complete, notes) = walk.finish_reading();
    assert_eq!(complete, notes.is_empty());
    assert!(!complete || unreadable == 0, "complete, and yet somebody was left out");
}
