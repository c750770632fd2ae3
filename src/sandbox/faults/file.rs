//! Rules as they stand in a file, and what may be wrong with them.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use globset::{GlobBuilder, GlobMatcher};
use jiff::SignedDuration;
use serde::Deserialize;

use super::{FaultOperation, FaultRule, Headers, Instead, Reaction, Shift, When, Which};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultFile {
    #[serde(default)]
    pub rule: Vec<RuleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    on: OnFile,
    then: ThenFile,
    times: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnFile {
    op: Option<FaultOperation>,
    method: Option<String>,
    path: Option<String>,
    login: Option<String>,
    page: Option<u64>,
    nth: Option<u64>,
    first: Option<u64>,
    every: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThenFile {
    drop: Option<When>,
    status: Option<u16>,
    code: Option<u32>,
    description: Option<String>,
    #[serde(default)]
    html: bool,
    #[serde(default)]
    garbage: bool,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    retry_after: Option<u64>,
    when: Option<When>,
    delay: Option<String>,
    #[serde(default)]
    expire_token: bool,
    shift_list: Option<Shift>,
    remaining: Option<u64>,
}

impl RuleFile {
    /// The rule, or what is wrong with it.
    pub(super) fn check(self) -> Result<FaultRule, String> {
        let on = self.on;
        let which = match (on.nth, on.first, on.every) {
            (None, None, None) => Which::All,
            (Some(n), None, None) if n > 0 => Which::Nth(n),
            (None, Some(n), None) if n > 0 => Which::First(n),
            (None, None, Some(n)) if n > 0 => Which::Every(n),
            (Some(0), ..) | (_, Some(0), _) | (.., Some(0)) => return Err("requests are counted from 1".into()),
            _ => return Err("only one of nth, first, every".into()),
        };
        let times = match (self.times, which) {
            (Some(times), _) => times,
            (None, Which::First(first)) => first,
            (None, Which::Every(_)) => return Err("every needs times, the number of times at most".into()),
            (None, _) => 1,
        };
        let method = on
            .method
            .map(|name| Method::from_bytes(name.to_uppercase().as_bytes()).map_err(|_| format!("no method: {name}")))
            .transpose()?;
        Ok(FaultRule {
            op: on.op,
            method,
            path: on.path.as_deref().map(parse_glob).transpose()?,
            login: on.login.as_deref().map(parse_glob).transpose()?,
            page: on.page,
            which,
            times,
            reaction: self.then.check()?,
        })
    }
}

fn parse_glob(pattern: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(pattern).case_insensitive(true).build().map_err(|error| error.to_string())?;
    Ok(glob.compile_matcher())
}

impl ThenFile {
    fn check(self) -> Result<Reaction, String> {
        let mut headers = Headers::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("no header name: {name:?}"))?;
            headers.push((name, HeaderValue::from_str(value).map_err(|_| format!("no header value: {value:?}"))?));
        }
        if let Some(seconds) = self.retry_after {
            headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        }
        let status = |default: u16| {
            let status = self.status.unwrap_or(default);
            StatusCode::from_u16(status).map_err(|_| format!("no HTTP status: {status}"))
        };
        let asks_for_envelope = self.status.is_some() || self.code.is_some() || self.description.is_some();
        let instead = match (self.drop, self.html, self.garbage) {
            (Some(_), false, false) if !asks_for_envelope && headers.is_empty() => Some(Instead::Nothing),
            (Some(_), ..) => return Err("drop leaves no answer that could hold anything else".into()),
            (None, true, true) => return Err("only one of html, garbage".into()),
            (None, true, false) => Some(Instead::Html { status: status(502)?, headers }),
            (None, false, true) => Some(Instead::Garbage { status: status(200)?, headers }),
            (None, false, false) if asks_for_envelope || !headers.is_empty() => {
                let status = status(if self.retry_after.is_some() { 429 } else { 500 })?;
                let code = self.code.unwrap_or_else(|| status.as_u16().into());
                let description = self.description.unwrap_or_else(|| "scripted fault".to_owned());
                Some(Instead::Envelope { status, code, description, headers })
            }
            (None, false, false) => None,
        };
        let when = match (self.drop, self.when) {
            (Some(_), Some(_)) => return Err("drop says itself when it happens".into()),
            (drop, when) => drop.or(when).unwrap_or_default(),
        };
        let delay = self.delay.as_deref().map(parse_duration).transpose()?.unwrap_or_default();
        let reaction = Reaction {
            delay,
            shift: self.shift_list,
            expire: self.expire_token,
            remaining: self.remaining,
            instead,
            when,
        };
        if reaction == (Reaction { when, ..Reaction::default() }) {
            return Err("then says nothing".into());
        }
        Ok(reaction)
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|error| format!("delay {text:?}: {error}"))?;
    Duration::try_from(duration).map_err(|_| format!("delay {text:?} is negative"))
}
