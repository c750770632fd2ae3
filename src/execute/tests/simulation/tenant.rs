//! A tenant of imi.chat in a world: its accounts, its quota, and the ledger of all that really happened to them, which
//! is what judges a run.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::judge::Invariant;
use super::world::World;

/// Users on a page.
const PAGE: usize = 10;

pub type Fields = Map<String, Json>;

/// An HTTP status, headers and a body.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Authorize,
    List { page: usize },
    Get { id: u64 },
    Create(Fields),
    Update { id: u64, fields: Fields },
}

/// A request as it arrives.
#[derive(Clone, Debug)]
pub struct Asked {
    pub ask: Ask,
    pub token: Option<String>,
}

/// What headcount did to an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Created { id: u64, login: String, password: String },
    Updated { id: u64, fields: Fields },
}

/// The tenant.
pub struct Tenant {
    world: World,
    /// Whether a login can be used twice.
    pub twins: bool,
    /// Requests a day.
    pub limit: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<u64, Fields>,
    last: u64,
    ledger: Vec<Effect>,
    /// What somebody else made of an account's values after the plan.
    others: BTreeMap<u64, Fields>,
    tokens: u64,
    /// Tokens up to this one have expired.
    expired: u64,
    day: u64,
    used: u64,
}

impl Tenant {
    pub fn new(world: &World, twins: bool, limit: u64) -> Self {
        Self { world: world.clone(), twins, limit, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an account that headcount did not make.
    pub fn has(&self, fields: Fields) -> u64 {
        self.state().add(fields)
    }

    /// Somebody else changes an account after the plan was made.
    pub fn meddle(&self, id: u64, name: &str, value: &str) {
        let state = &mut *self.state();
        if let Some(account) = state.accounts.get_mut(&id) {
            account.insert(name.to_owned(), value.into());
            state.others.entry(id).or_default().insert(name.to_owned(), value.into());
        }
    }

    /// Somebody else removes an account.
    pub fn remove(&self, id: u64) {
        self.state().accounts.remove(&id);
    }

    /// Every token given out so far has expired.
    pub fn expire_tokens(&self) {
        let state = &mut *self.state();
        state.expired = state.tokens;
    }

    /// Somebody else sends so many requests.
    pub fn others_use(&self, requests: u64) {
        let day = self.world.day();
        let state = &mut *self.state();
        state.turn(day);
        state.used = (state.used + requests).min(self.limit);
    }

    pub fn size(&self) -> u64 {
        self.state().accounts.len() as u64
    }

    pub fn ledger(&self) -> Vec<Effect> {
        self.state().ledger.clone()
    }

    pub fn account(&self, id: u64) -> Option<Fields> {
        self.state().accounts.get(&id).cloned()
    }

    /// Every account of a login.
    pub fn of_login(&self, login: &str) -> Vec<(u64, Fields)> {
        let state = self.state();
        let of = |fields: &Fields| text(fields, "login_id").eq_ignore_ascii_case(login);
        state.accounts.iter().filter(|(_, fields)| of(fields)).map(|(id, fields)| (*id, fields.clone())).collect()
    }

    /// Counts a request and, where it has a token and the quota allows it, does what it asks.
    pub fn arrive(&self, asked: &Asked, does: bool) -> Answer {
        let day = self.world.day();
        let state = &mut *self.state();
        state.turn(day);
        let mut answer = if state.used >= self.limit {
            refusal(429, 429, "the daily request limit is exceeded")
        } else {
            state.used += 1;
            if does { self.act(state, asked) } else { refusal(500, 2007, "internal error") }
        };
        let rest = self.world.rest_of_day();
        if answer.status == 429 && self.world.one_in(2) {
            answer.headers.push(("retry-after", (rest.as_secs() + 1).to_string()));
        }
        answer.headers.push(("rate-limit-limit", self.limit.to_string()));
        answer.headers.push(("rate-limit-remaining", (self.limit - state.used).to_string()));
        let reset = self.world.time() + rest;
        answer.headers.push(("rate-limit-reset", reset.as_second().to_string()));
        answer
    }

    fn act(&self, state: &mut State, asked: &Asked) -> Answer {
        if asked.ask == Ask::Authorize {
            state.tokens += 1;
            let mut answer = success(4306, Json::Null);
            answer.headers.push(("access_token", format!("token-{}", state.tokens)));
            return answer;
        }
        let token = asked.token.as_deref().and_then(|token| token.strip_prefix("token-")?.parse::<u64>().ok());
        if token.is_none_or(|token| token <= state.expired || token > state.tokens) {
            return refusal(401, 2004, "token expired");
        }
        match &asked.ask {
            Ask::Authorize => success(4306, Json::Null),
            Ask::List { page } => {
                let pages = state.accounts.len().div_ceil(PAGE);
                if *page > pages && *page > 1 {
                    return refusal(404, 3101, "user not found");
                }
                let users: Vec<Json> = state.accounts.iter().skip((page - 1) * PAGE).take(PAGE).map(shown).collect();
                let next = (*page < pages).then(|| format!("/users/?page={}", page + 1));
                success(4306, json!({ "users": users, "links": { "next": next, "pages": pages } }))
            }
            Ask::Get { id } => match state.accounts.get_key_value(id) {
                Some(account) => success(4306, shown(account)),
                None => refusal(404, 3101, "user not found"),
            },
            Ask::Create(fields) => self.create(state, fields),
            Ask::Update { id, fields } => self.update(state, *id, fields),
        }
    }

    fn create(&self, state: &mut State, fields: &Fields) -> Answer {
        let login = text(fields, "login_id").to_owned();
        let same = |name: &str, other: &Fields| text(other, name).eq_ignore_ascii_case(text(fields, name));
        if !self.twins && state.accounts.values().any(|other| same("login_id", other)) {
            return refusal(409, 3102, "user already exists");
        }
        let mut fields = fields.clone();
        let password = fields.remove("password");
        let password = password.as_ref().and_then(Json::as_str).unwrap_or_default().to_owned();
        let id = state.add(fields);
        self.world.tell(|| format!("  {login} is created as {id}"));
        if state.ledger.iter().any(|effect| matches!(effect, Effect::Created { login: other, .. } if *other == login)) {
            self.world.judge(Invariant::AtMostOneCreate, || format!("{login} is created a second time"));
        }
        state.ledger.push(Effect::Created { id, login, password });
        match state.accounts.get_key_value(&id) {
            Some(account) => success(4308, shown(account)),
            None => refusal(500, 2007, "internal error"),
        }
    }

    fn update(&self, state: &mut State, id: u64, fields: &Fields) -> Answer {
        let Some(account) = state.accounts.get_mut(&id) else { return refusal(404, 3101, "user not found") };
        if let Some(others) = state.others.get(&id)
            && others
                .iter()
                .any(|(name, theirs)| name == "login_id" || fields.get(name).is_some_and(|ours| ours != theirs))
        {
            let how = || format!("account {id} was changed to {others:?} by somebody else, and is set to {fields:?}");
            self.world.judge(Invariant::OthersAreNotOverwritten, how);
        }
        account.extend(fields.clone());
        self.world.tell(|| format!("  {id} is updated"));
        state.ledger.push(Effect::Updated { id, fields: fields.clone() });
        success(4309, Json::Null)
    }
}

impl State {
    fn add(&mut self, mut fields: Fields) -> u64 {
        self.last += 1;
        fields.entry("status").or_insert("active".into());
        fields.entry("role_type").or_insert("Customer Care".into());
        self.accounts.insert(self.last, fields);
        self.last
    }

    fn turn(&mut self, day: u64) {
        if self.day != day {
            self.day = day;
            self.used = 0;
        }
    }
}

/// An answer to a request that was not carried out, or that nobody can learn anything from.
pub fn refusal(status: u16, code: u32, description: &str) -> Answer {
    let body = json!({ "status_code": code, "description": description, "response": null }).to_string();
    Answer { status, headers: Vec::new(), body }
}

/// A page that somebody put in front of the API.
pub fn html(status: u16) -> Answer {
    Answer { status, headers: vec![("content-type", "text/html".to_owned())], body: "<html>".to_owned() }
}

/// That many seconds, please.
pub fn patience(status: u16, seconds: Option<u64>) -> Answer {
    let mut answer = refusal(status, if status == 429 { 429 } else { 2007 }, "later");
    answer.headers.extend(seconds.map(|seconds| ("retry-after", seconds.to_string())));
    answer
}

fn success(code: u32, response: Json) -> Answer {
    let body = json!({ "status_code": code, "description": "ok", "response": response }).to_string();
    Answer { status: 200, headers: Vec::new(), body }
}

/// An account as the API shows it.
fn shown((id, fields): (&u64, &Fields)) -> Json {
    let mut fields = fields.clone();
    fields.remove("privileges");
    fields.remove("custom_attributes");
    fields.insert("id".to_owned(), (*id).into());
    Json::Object(fields)
}

pub fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Json::as_str).unwrap_or_default()
}
