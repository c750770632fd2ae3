//! The users of one contact center, and what may become of them. No I/O: every function here is about data.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::body::{self, Create, Refusal, Update};
use super::{Behaviour, Booleans, Directory, Extension, Uniqueness};
use crate::sandbox::SandboxError;
use crate::sandbox::host as hosted;
use crate::sandbox::ledger::{Effect, Op};
use crate::sandbox::reply;
use crate::sandbox::roster::Roster;

/// The first extension that is given where none is asked for.
const FIRST_EXTENSION: u64 = 1001;

/// One user, with what the API shows of it and what it does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    pub login_id: String,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    pub team: String,
    pub extension: String,
    #[serde(default)]
    pub work_phone: String,
    #[serde(default)]
    pub mobile_phone: String,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub disabled: bool,
    #[serde(default)]
    pub skills: Map<String, Value>,
    #[serde(default)]
    pub roles: Vec<String>,
    /// Never shown, as everything below.
    #[serde(default)]
    pub change_password: bool,
    /// Its [hash](crate::sandbox::password_hash).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A telephone in the directory that belongs to no user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct External {
    pub extension: String,
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
}

/// A contact center as a file: what a seed says, and what is kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantFile {
    /// Of each of the next three: empty, and every name is known.
    #[serde(default)]
    pub teams: Vec<String>,
    #[serde(default)]
    pub skills: Vec<String>,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default)]
    pub externals: Vec<External>,
    /// In the order of the directory.
    pub accounts: Vec<Account>,
    /// The number of the last effect that is in the accounts already.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub effects: u64,
    /// The extension that is given next is above this and above every extension.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_extension: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A contact center at work.
pub(in crate::sandbox) struct Tenant {
    behaviour: Behaviour,
    teams: Vec<String>,
    skills: HashSet<String>,
    roles: HashSet<String>,
    externals: Vec<External>,
    /// By login in lower case.
    accounts: Roster<Kept>,
    last_extension: u64,
}

struct Kept {
    account: Account,
    /// The user as the API shows it: written once, sent often.
    shown: Box<[u8]>,
    /// The user in the directory.
    listed: Box<[u8]>,
}

impl Tenant {
    /// # Errors
    /// Two users of one login, where the server enforces that they are unique; a user whose team is not one.
    pub(super) fn new(file: TenantFile, behaviour: Behaviour, path: &Path) -> Result<Self, SandboxError> {
        let mut tenant = Self {
            behaviour,
            teams: file.teams,
            skills: file.skills.into_iter().collect(),
            roles: file.roles.into_iter().collect(),
            externals: file.externals,
            accounts: Roster::with_capacity(file.accounts.len()),
            last_extension: file.last_extension.max(FIRST_EXTENSION - 1),
        };
        for account in file.accounts {
            if let Err(refusal) = tenant.check_names(&account.team, &account.skills, &account.roles) {
                return Err(wrong(path, &account, &refusal.why));
            }
            if tenant.taken(&account.login_id) {
                return Err(wrong(path, &account, "another user has that login"));
            }
            tenant.push(account);
        }
        Ok(tenant)
    }

    pub(super) fn get(&self, login: &str) -> Option<&Account> {
        self.accounts.get(&login.to_lowercase()).map(|kept| &kept.account)
    }

    /// The user of that login as the API shows it.
    pub(super) fn shown(&self, login: &str) -> Option<&[u8]> {
        self.accounts.get(&login.to_lowercase()).map(|kept| &*kept.shown)
    }

    /// The user that was created last, even where another has the same login.
    pub(super) fn shown_last(&self) -> Option<&[u8]> {
        self.accounts.last().map(|kept| &*kept.shown)
    }

    /// Whether such a user may be created.
    pub(super) fn check_create(&self, fields: &Map<String, Value>) -> Result<Create, Refusal> {
        let create = body::create(fields.clone())?;
        self.check_names(&create.team, &create.skills, &create.roles)?;
        if self.taken(&create.login_id) {
            let why = format!("user {} already exists", create.login_id);
            return Err(Refusal::new(axum::http::StatusCode::CONFLICT, why));
        }
        Ok(create)
    }

    /// Whether that user may be updated so.
    pub(super) fn check_update(&self, login: &str, fields: &Map<String, Value>) -> Result<&Account, Refusal> {
        let account = self.get(login).ok_or_else(|| Refusal::unknown("user", login))?;
        let update = body::update(fields.clone())?;
        let no_skills = Map::new();
        let team = update.team.as_deref().unwrap_or(&account.team);
        self.check_names(team, update.skills.as_ref().unwrap_or(&no_skills), &[])?;
        Ok(account)
    }

    /// The directory, as JSON.
    pub(super) fn directory(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + 128 * self.accounts.len());
        out.push(b'[');
        for kept in self.accounts.iter() {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(&kept.listed);
        }
        if self.behaviour.directory == Directory::UsersAndExternals {
            for external in &self.externals {
                if out.len() > 1 {
                    out.push(b',');
                }
                let entry = json!({
                    "extension": self.extension(&external.extension),
                    "firstName": external.first_name,
                    "lastName": external.last_name,
                    "external": self.boolean(true),
                });
                out.extend_from_slice(&reply::json(&entry));
            }
        }
        out.push(b']');
        out
    }

    /// The teams; those of the users where every name is known.
    pub(super) fn teams(&self) -> Vec<&str> {
        if !self.teams.is_empty() {
            return self.teams.iter().map(String::as_str).collect();
        }
        let mut seen = HashSet::new();
        self.accounts.iter().map(|kept| kept.account.team.as_str()).filter(|team| seen.insert(*team)).collect()
    }

    /// The first user of the directory.
    pub(super) fn first(&self) -> Option<&Account> {
        self.accounts.iter().next().map(|kept| &kept.account)
    }

    /// Turns the order of the directory round.
    pub(super) fn reverse(&mut self) {
        self.accounts.reverse();
    }

    fn check_names(&self, team: &str, skills: &Map<String, Value>, roles: &[String]) -> Result<(), Refusal> {
        if !self.teams.is_empty() && !self.teams.iter().any(|one| one == team) {
            return Err(Refusal::unknown("team", team));
        }
        if let Some(name) = skills.keys().find(|name| !self.skills.is_empty() && !self.skills.contains(*name)) {
            return Err(Refusal::unknown("skill", name));
        }
        match roles.iter().find(|name| !self.roles.is_empty() && !self.roles.contains(*name)) {
            Some(name) => Err(Refusal::unknown("role", name)),
            None => Ok(()),
        }
    }

    fn taken(&self, login: &str) -> bool {
        self.behaviour.uniqueness == Uniqueness::Enforced && self.accounts.contains(&login.to_lowercase())
    }

    fn push(&mut self, account: Account) {
        self.last_extension = self.last_extension.max(account.extension.parse().unwrap_or_default());
        let kept = self.keep(account);
        self.accounts.push(kept.account.login_id.to_lowercase(), kept);
    }

    fn keep(&self, account: Account) -> Kept {
        let shown = json!({
            "loginId": account.login_id,
            "firstName": account.first_name,
            "lastName": account.last_name,
            "team": account.team,
            "extension": self.extension(&account.extension),
            "workPhone": account.work_phone,
            "mobilePhone": account.mobile_phone,
            "email": account.email,
            "disabled": self.boolean(account.disabled),
            "skills": account.skills,
            "roles": account.roles,
        });
        let listed = json!({
            "extension": self.extension(&account.extension),
            "loginId": account.login_id,
            "firstName": account.first_name,
            "lastName": account.last_name,
            "voiceMail": self.boolean(false),
            "greeting": "",
        });
        Kept { account, shown: reply::json(&shown).into(), listed: reply::json(&listed).into() }
    }

    fn extension(&self, extension: &str) -> Value {
        match self.behaviour.extension {
            Extension::Text => Value::from(extension),
            Extension::Number => extension.parse::<u64>().map_or(Value::Null, Value::from),
        }
    }

    fn boolean(&self, value: bool) -> Value {
        match self.behaviour.booleans {
            Booleans::Json => Value::from(value),
            Booleans::Text => Value::from(value.to_string()),
        }
    }
}

impl hosted::Tenant for Tenant {
    type File = TenantFile;
    type Account = Account;

    fn file(&self, effects: u64) -> TenantFile {
        let sorted = |names: &HashSet<String>| {
            let mut names: Vec<String> = names.iter().cloned().collect();
            names.sort();
            names
        };
        TenantFile {
            teams: self.teams.clone(),
            skills: sorted(&self.skills),
            roles: sorted(&self.roles),
            externals: self.externals.clone(),
            accounts: self.accounts(),
            effects,
            last_extension: self.last_extension,
        }
    }

    fn effects(file: &TenantFile) -> u64 {
        file.effects
    }

    fn accounts(&self) -> Vec<Account> {
        self.accounts.iter().map(|kept| kept.account.clone()).collect()
    }

    fn apply(&mut self, effect: &Effect) {
        let key = effect.login_id.to_lowercase();
        match effect.op {
            Op::Create | Op::OutsideCreate => {
                let Ok(create) = body::create(effect.fields.clone()) else { return };
                let extension = create.extension.clone().unwrap_or_else(|| (self.last_extension + 1).to_string());
                self.push(created(create, extension, effect.password.clone()));
                if effect.op == Op::OutsideCreate {
                    self.accounts.last_to_front();
                }
            }
            Op::Update | Op::OutsideUpdate => {
                let Ok(update) = body::update(effect.fields.clone()) else { return };
                let Some(kept) = self.accounts.get(&key) else { return };
                let mut account = kept.account.clone();
                change(&mut account, update, effect.password.clone());
                let changed = self.keep(account);
                if let Some(kept) = self.accounts.get_mut(&key) {
                    *kept = changed;
                }
            }
            Op::Delete | Op::OutsideRemove => {
                self.accounts.remove(&key);
            }
        }
    }
}

fn wrong(path: &Path, account: &Account, why: &str) -> SandboxError {
    SandboxError::Seed { path: path.to_owned(), message: format!("user {}: {why}", account.login_id) }
}

fn created(create: Create, extension: String, password: Option<String>) -> Account {
    Account {
        login_id: create.login_id,
        first_name: create.first_name,
        last_name: create.last_name,
        team: create.team,
        extension,
        work_phone: create.work_phone,
        mobile_phone: create.mobile_phone,
        email: create.email,
        disabled: create.disabled,
        change_password: create.change_password,
        skills: create.skills,
        roles: create.roles,
        password,
    }
}

fn change(account: &mut Account, update: Update, password: Option<String>) {
    // Skills are replaced as a whole: a client that does not merge is found out.
    fn set<T>(place: &mut T, sent: Option<T>) {
        if let Some(value) = sent {
            *place = value;
        }
    }
    set(&mut account.team, update.team);
    set(&mut account.disabled, update.disabled);
    set(&mut account.change_password, update.change_password);
    set(&mut account.skills, update.skills);
    if password.is_some() {
        account.password = password;
    }
}
