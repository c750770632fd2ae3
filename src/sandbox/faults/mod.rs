//! Scripted faults: which request, and what happens to it.
//!
//! A file of rules, in TOML or, where its name ends in `.json`, in JSON (`{"rule": [{"on": {…}, "then": {…}}]}`):
//!
//! ```toml
//! [[rule]]
//! on   = { op = "create", nth = 3 }
//! then = { drop = "after" }
//! ```
//!
//! `on` says which requests a rule is about; all that it names must hold:
//!
//! | key | holds for |
//! |---|---|
//! | `op` | `authorize`, `list`, `get`, `create`, `update`, `delete` |
//! | `method` | the HTTP method |
//! | `path` | a pattern for the path below the base URL: `/users/*` |
//! | `login` | a pattern for the login that is created, read or updated, without regard to case |
//! | `page` | the page asked for |
//!
//! and, of the requests that these hold for, which ones: `nth = 3` the third, `first = 2` the first two, `every = 5`
//! each fifth, and each one where none of them is given. A rule fires at most `times` times: once where nothing is said,
//! N times with `first = N`; `every` needs it said. Where several rules would fire for one request, the one that stands
//! first does, and the others count it all the same.
//!
//! `then` says what happens:
//!
//! | key | does |
//! |---|---|
//! | `drop = "before"` \| `"after"` | cuts the connection without a byte of an answer, before or after the effect |
//! | `status = 500` | answers with this HTTP status and an envelope, instead of doing anything |
//! | `code`, `description` | what that envelope says, in the form of its API; `code` is the HTTP status where it is not given |
//! | `html = true` | an HTML page instead of the envelope (status 502 where none is given) |
//! | `garbage = true` | a JSON body that breaks off (status 200 where none is given) |
//! | `headers = { name = "…" }`, `retry_after = 2` | headers of that answer, in place of its own: HTML can be said to be JSON; `retry_after` alone answers 429 |
//! | `when = "after"` | the request takes effect first, and then what is said above happens (also for `delay`) |
//! | `delay = "2s"` | waits |
//! | `expire_token = true` | every token given out so far has expired |
//! | `shift_list = "insert"` | before the request is answered, somebody else adds an account in front of all others |
//! | `shift_list = "remove"` | …removes the first account of the list |
//! | `shift_list = "resort"` | …turns the order of the list round |
//! | `shift_list = "status"` | …makes the first account of the list inactive, or active where it was inactive |
//! | `shift_list = "renumber"` | …gives the first account of the list another id, where ids are the server's to give (SCIM) |
//! | `remaining = 0` | the day's quota is used up, but for so many requests |
//!
//! Rules count from the start of the sandbox, not across its restarts.

mod file;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use globset::GlobMatcher;
use serde::Deserialize;

use super::SandboxError;
use file::FaultFile;

/// The faults that a sandbox is started with. The default has none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Vec<FaultRule>,
}

impl Faults {
    /// Reads a file of rules.
    ///
    /// # Errors
    /// The file cannot be read, or says something that is not described above.
    pub fn load_script(path: &Path) -> Result<Self, SandboxError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| SandboxError::Read { path: path.to_owned(), source })?;
        let name = path.display().to_string();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            let file = serde_json::from_str(&text).map_err(|error| wrong_script(&name, &error))?;
            Self::from_file(&name, file)
        } else {
            Self::parse_named(&name, &text)
        }
    }

    /// Reads rules in TOML.
    ///
    /// # Errors
    /// The text says something that is not described above.
    pub fn parse(text: &str) -> Result<Self, SandboxError> {
        Self::parse_named("text", text)
    }

    fn parse_named(name: &str, text: &str) -> Result<Self, SandboxError> {
        Self::from_file(name, toml::from_str(text).map_err(|error| wrong_script(name, &error))?)
    }

    fn from_file(name: &str, file: FaultFile) -> Result<Self, SandboxError> {
        let rules = file.rule.into_iter().enumerate().map(|(at, rule)| {
            rule.check().map_err(|message| wrong_script(name, &format!("rule {}: {message}", at + 1)))
        });
        Ok(Self { rules: rules.collect::<Result<_, _>>()? })
    }
}

fn wrong_script(name: &str, error: &dyn std::fmt::Display) -> SandboxError {
    SandboxError::Faults { name: name.to_owned(), message: error.to_string() }
}

/// What a client asks for, as rules name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FaultOperation {
    Authorize,
    List,
    Get,
    Create,
    Update,
    Delete,
}

/// A request as rules see it.
pub(super) struct AskedRequest<'a> {
    pub op: Option<FaultOperation>,
    pub method: &'a Method,
    /// Below the base URL.
    pub path: &'a str,
    pub login: Option<&'a str>,
    pub page: Option<u64>,
}

/// What happens to one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reaction {
    pub delay: Duration,
    pub shift: Option<Shift>,
    pub expire: bool,
    pub remaining: Option<u64>,
    pub instead: Option<Instead>,
    /// Whether the request takes effect before `delay` and `instead`.
    pub when: When,
}

/// What is answered instead of the truth.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Instead {
    Nothing,
    Envelope { status: StatusCode, code: u32, description: String, headers: Headers },
    Html { status: StatusCode, headers: Headers },
    Garbage { status: StatusCode, headers: Headers },
}

pub(super) type Headers = Vec<(HeaderName, HeaderValue)>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum When {
    #[default]
    Before,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Shift {
    Insert,
    Remove,
    Resort,
    Status,
    Renumber,
}

/// The rules at work: how often each was met, and how often it fired.
pub(super) struct Script {
    rules: Vec<FaultRule>,
    counts: Mutex<Vec<FaultCount>>,
}

#[derive(Clone, Copy, Default)]
struct FaultCount {
    met: u64,
    fired: u64,
}

impl Script {
    pub(super) fn new(faults: Faults) -> Self {
        let counts = Mutex::new(vec![FaultCount::default(); faults.rules.len()]);
        Self { rules: faults.rules, counts }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What happens to this request. Counts it for every rule that is about it.
    pub(super) fn react_to(&self, asked: &AskedRequest<'_>) -> Reaction {
        if self.rules.is_empty() {
            return Reaction::default();
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reaction = None;
        for (rule, count) in self.rules.iter().zip(counts.iter_mut()) {
            if !rule.is_about(asked) {
                continue;
            }
            count.met += 1;
            if reaction.is_none() && count.fired < rule.times && rule.which.counts_request(count.met) {
                count.fired += 1;
                reaction = Some(rule.reaction.clone());
            }
        }
        reaction.unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
struct FaultRule {
    op: Option<FaultOperation>,
    method: Option<Method>,
    path: Option<GlobMatcher>,
    login: Option<GlobMatcher>,
    page: Option<u64>,
    which: Which,
    times: u64,
    reaction: Reaction,
}

impl FaultRule {
    fn is_about(&self, asked: &AskedRequest<'_>) -> bool {
        fn holds_for<T, U>(wanted: Option<&T>, asked: Option<U>, same: impl Fn(&T, U) -> bool) -> bool {
            wanted.is_none_or(|wanted| asked.is_some_and(|asked| same(wanted, asked)))
        }
        holds_for(self.op.as_ref(), asked.op, |a, b| *a == b)
            && holds_for(self.method.as_ref(), Some(asked.method), |a, b| a == b)
            && holds_for(self.path.as_ref(), Some(asked.path), |a, b| a.is_match(b))
            && holds_for(self.login.as_ref(), asked.login, |a, b| a.is_match(b))
            && holds_for(self.page.as_ref(), asked.page, |a, b| *a == b)
    }
}

#[derive(Clone, Copy, Debug)]
enum Which {
    All,
    Nth(u64),
    First(u64),
    Every(u64),
}

impl Which {
    /// Whether the n-th request is one.
    fn counts_request(self, n: u64) -> bool {
        match self {
            Self::All => true,
            Self::Nth(nth) => n == nth,
            Self::First(first) => n <= first,
            Self::Every(every) => n.is_multiple_of(every),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script {
        Script::new(Faults::parse(text).unwrap())
    }

    fn asked<'a>(op: FaultOperation, path: &'a str, login: Option<&'a str>) -> AskedRequest<'a> {
        AskedRequest { op: Some(op), method: &Method::POST, path, login, page: None }
    }

    fn fires(script: &Script, times: usize) -> Vec<usize> {
        let create = asked(FaultOperation::Create, "/users", Some("Ana.Silva"));
        (1..=times).filter(|_| script.react_to(&create) != Reaction::default()).collect()
    }

    /// Which of the first ten requests a rule fires for.
    fn fired(on: &str, times: &str) -> Vec<usize> {
        let script = script(&format!("[[rule]]\non = {{ {on} }}\nthen = {{ status = 500 }}\n{times}"));
        fires(&script, 10)
    }

    #[test]
    fn a_rule_fires_for_the_requests_that_it_counts() {
        assert_eq!(fired("", ""), [1]);
        assert_eq!(fired("nth = 3", ""), [3]);
        assert_eq!(fired("first = 2", ""), [1, 2]);
        assert_eq!(fired("every = 4", "times = 9"), [4, 8]);
        assert_eq!(fired("every = 2", "times = 3"), [2, 4, 6]);
    }

    #[test]
    fn a_rule_is_only_about_what_it_names() {
        assert_eq!(fired("op = 'create'", ""), [1]);
        assert!(fired("op = 'list'", "").is_empty());
        assert_eq!(fired("method = 'post'", ""), [1]);
        assert!(fired("method = 'GET'", "").is_empty());
        assert_eq!(fired("path = '/us*'", ""), [1]);
        assert!(fired("path = '/users/*'", "").is_empty());
        assert_eq!(fired("login = 'ana.*'", ""), [1]);
        assert!(fired("login = 'ben'", "").is_empty());
        assert!(fired("page = 1", "").is_empty());
    }

    #[test]
    fn of_two_rules_the_first_fires_and_both_count() {
        let script = script(
            "[[rule]]\non = { nth = 2 }\nthen = { status = 500 }\n[[rule]]\non = { first = 3 }\nthen = { html = true }",
        );
        let create = asked(FaultOperation::Create, "/users", None);
        let html: Vec<bool> =
            (0..4).map(|_| matches!(script.react_to(&create).instead, Some(Instead::Html { .. }))).collect();
        assert_eq!(html, [true, false, true, false]);
    }

    #[test]
    fn what_a_rule_does_is_read_as_documented() {
        let react = |then: &str| {
            script(&format!("[[rule]]\non = {{}}\nthen = {{ {then} }}")).react_to(&asked(
                FaultOperation::Create,
                "/users",
                None,
            ))
        };
        let dropped = react("drop = 'after'");
        assert_eq!((dropped.instead, dropped.when), (Some(Instead::Nothing), When::After));
        assert_eq!(react("delay = '1500ms'").delay, Duration::from_millis(1500));
        assert!(matches!(react("retry_after = 2").instead,
            Some(Instead::Envelope { status, headers, .. })
                if status == 429 && headers == [(axum::http::header::RETRY_AFTER, HeaderValue::from_static("2"))]));
        assert!(matches!(react("status = 500, code = 2007").instead, Some(Instead::Envelope { code: 2007, .. })));
        assert_eq!(react("shift_list = 'resort'").shift, Some(Shift::Resort));
        assert!(react("expire_token = true").expire);
        assert_eq!(react("remaining = 0").remaining, Some(0));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (on, then) in [
            ("nth = 0", "html = true"),
            ("nth = 1, every = 2", "html = true"),
            ("every = 2", "html = true"),
            ("op = 'destroy'", "html = true"),
            ("colour = 'red'", "html = true"),
            ("", ""),
            ("", "when = 'after'"),
            ("", "drop = 'before', status = 500"),
            ("", "drop = 'before', when = 'after'"),
            ("", "html = true, garbage = true"),
            ("", "status = 42"),
            ("", "delay = 'soon'"),
            ("", "headers = { 'a b' = 'c' }"),
        ] {
            let text = format!("[[rule]]\non = {{ {on} }}\nthen = {{ {then} }}");
            assert!(matches!(Faults::parse(&text), Err(SandboxError::Faults { .. })), "{text}");
        }
    }
}
