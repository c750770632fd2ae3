//! What holds for any answer whatever. The fuzzer looks for one for which it does not.
//!
//! The first character says the HTTP status; the rest is the body.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::answer::{accept_done, judge_answer};
use super::{decode, make_schema};
use crate::connectors::http::{AnswerVerdict, HttpAnswer};
use crate::model::{Attributes, Value};

const STATUS: [u16; 8] = [200, 201, 204, 400, 401, 404, 409, 500];

/// The answer is read as what it is, or refused with a reason; nobody is known without a login; what a user has is the
/// same in every form that the server writes it in.
pub fn any_answer(data: &[u8]) {
    let Some((status, body)) = data.split_first() else { return };
    let status = STATUS[usize::from(status.wrapping_sub(b'0')) % STATUS.len()];
    let Ok(status) = StatusCode::from_u16(status) else { return };
    let answer = HttpAnswer { status, headers: HeaderMap::new(), body: body.to_vec().into() };
    match judge_answer(&answer, &accept_done, &|_, error| error) {
        AnswerVerdict::Done(()) => assert!(status.is_success()),
        AnswerVerdict::Refused(error) | AnswerVerdict::Stale(error) | AnswerVerdict::ServerError(error) => {
            assert!(!error.message.is_empty());
            let _ = error.to_string();
        }
    }
    let schema = make_schema();
    if let Some((login, values)) = decode::decode_user(&schema, body) {
        assert!(!login.is_empty());
        sound(&values);
    }
    for entry in decode::decode_directory(&schema, body).into_iter().flatten() {
        sound(&entry.values);
    }
    let _ = decode::decode_teams(body);
}

fn sound(values: &Attributes) {
    for (_, value) in values.iter() {
        assert!(!matches!(value, Value::Secret(_) | Value::Generated | Value::Null));
        let _ = value.to_string();
    }
}
