//! The users of one contact center, and what may become of them. No I/O: every function here is about data.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::body::{self, BrightpatternCreate, BrightpatternRefusal, BrightpatternUpdate};
use super::{BrightpatternBehaviour, BrightpatternBooleans, BrightpatternUniqueness, Directory, Extension};
use crate::sandbox::SandboxError;
use crate::sandbox::host as hosted;
use crate::sandbox::ledger::{LedgerEffect, LedgerOperation};
use crate::sandbox::reply;
use crate::sandbox::roster::Roster;

/// The first extension that is given where none is asked for.
const FIRST_EXTENSION: u64 = 1001;

/// One user, with what the API shows of it and what it does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BrightpatternAccount {
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
pub struct BrightpatternFile {
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
    pub accounts: Vec<BrightpatternAccount>,
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
pub(in crate::sandbox) struct BrightpatternTenant {
    behaviour: BrightpatternBehaviour,
    teams: Vec<String>,
    skills: HashSet<String>,
    roles: HashSet<String>,
    externals: Vec<External>,
    /// By login in lower case.
    accounts: Roster<KeptBrightpatternAccount>,
    last_extension: u64,
}

struct KeptBrightpatternAccount {
    account: BrightpatternAccount,
    /// The user as the API shows it: written once, sent often.
    shown: Box<[u8]>,
    /// The user in the directory.
    listed: Box<[u8]>,
}

impl BrightpatternTenant {
    /// # Errors
    /// Two users of one login, where the server enforces that they are unique; a user whose team is not one.
    pub(super) fn new(
        file: BrightpatternFile,
        behaviour: BrightpatternBehaviour,
        path: &Path,
    ) -> Result<Self, SandboxError> {
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
                return Err(wrong_account(path, &account, &refusal.why));
            }
            if tenant.is_login_taken(&account.login_id) {
                return Err(wrong_account(path, &account, "another user has that login"));
            }
            tenant.push(account);
        }
        Ok(tenant)
    }

    pub(super) fn get(&self, login: &str) -> Option<&BrightpatternAccount> {
        self.accounts.get(&login.to_lowercase()).map(|kept| &kept.account)
    }

    /// The user of that login as the API shows it.
    pub(super) fn shown_user(&self, login: &str) -> Option<&[u8]> {
        self.accounts.get(&login.to_lowercase()).map(|kept| &*kept.shown)
    }

    /// The user that was created last, even where another has the same login.
    pub(super) fn shown_last(&self) -> Option<&[u8]> {
        self.accounts.last_account().map(|kept| &*kept.shown)
    }

    /// Whether such a user may be created.
    pub(super) fn check_create(
        &self,
        fields: &Map<String, Value>,
    ) -> Result<BrightpatternCreate, BrightpatternRefusal> {
        let create = body::create(fields.clone())?;
        self.check_names(&create.team, &create.skills, &create.roles)?;
        if self.is_login_taken(&create.login_id) {
            let why = format!("user {} already exists", create.login_id);
            return Err(BrightpatternRefusal::new(axum::http::StatusCode::CONFLICT, why));
        }
        Ok(create)
    }

    /// Whether that user may be updated so.
    pub(super) fn check_update(
        &self,
        login: &str,
        fields: &Map<String, Value>,
    ) -> Result<&BrightpatternAccount, BrightpatternRefusal> {
        let account = self.get(login).ok_or_else(|| BrightpatternRefusal::unknown_reference("user", login))?;
        let update = body::update(fields.clone())?;
        let no_skills = Map::new();
        let team = update.team.as_deref().unwrap_or(&account.team);
        self.check_names(team, update.skills.as_ref().unwrap_or(&no_skills), &[])?;
        Ok(account)
    }

    /// The directory, as JSON.
    pub(super) fn directory_json(&self) -> Vec<u8> {
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
                    "extension": self.extension_json(&external.extension),
                    "firstName": external.first_name,
                    "lastName": external.last_name,
                    "external": self.boolean_json(true),
                });
                out.extend_from_slice(&reply::json_bytes(&entry));
            }
        }
        out.push(b']');
        out
    }

    /// The teams; those of the users where every name is known.
    pub(super) fn team_names(&self) -> Vec<&str> {
        if !self.teams.is_empty() {
            return self.teams.iter().map(String::as_str).collect();
        }
        let mut seen = HashSet::new();
        self.accounts.iter().map(|kept| kept.account.team.as_str()).filter(|team| seen.insert(*team)).collect()
    }

    /// The first user of the directory.
    pub(super) fn first_account(&self) -> Option<&BrightpatternAccount> {
        self.accounts.iter().next().map(|kept| &kept.account)
    }

    /// Turns the order of the directory round.
    pub(super) fn reverse_order(&mut self) {
        self.accounts.reverse_order();
    }

    fn check_names(
        &self,
        team: &str,
        skills: &Map<String, Value>,
        roles: &[String],
    ) -> Result<(), BrightpatternRefusal> {
        if !self.teams.is_empty() && !self.teams.iter().any(|one| one == team) {
            return Err(BrightpatternRefusal::unknown_reference("team", team));
        }
        if let Some(name) = skills.keys().find(|name| !self.skills.is_empty() && !self.skills.contains(*name)) {
            return Err(BrightpatternRefusal::unknown_reference("skill", name));
        }
        match roles.iter().find(|name| !self.roles.is_empty() && !self.roles.contains(*name)) {
            Some(name) => Err(BrightpatternRefusal::unknown_reference("role", name)),
            None => Ok(()),
        }
    }

    fn is_login_taken(&self, login: &str) -> bool {
        self.behaviour.uniqueness == BrightpatternUniqueness::Enforced && self.accounts.contains(&login.to_lowercase())
    }

    fn push(&mut self, account: BrightpatternAccount) {
        self.last_extension = self.last_extension.max(account.extension.parse().unwrap_or_default());
        let kept = self.keep_account(account);
        self.accounts.push(kept.account.login_id.to_lowercase(), kept);
    }

    fn keep_account(&self, account: BrightpatternAccount) -> KeptBrightpatternAccount {
        let shown = json!({
            "loginId": account.login_id,
            "firstName": account.first_name,
            "lastName": account.last_name,
            "team": account.team,
            "extension": self.extension_json(&account.extension),
            "workPhone": account.work_phone,
            "mobilePhone": account.mobile_phone,
            "email": account.email,
            "disabled": self.boolean_json(account.disabled),
            "skills": account.skills,
            "roles": account.roles,
        });
        let listed = json!({
            "extension": self.extension_json(&account.extension),
            "loginId": account.login_id,
            "firstName": account.first_name,
            "lastName": account.last_name,
            "voiceMail": self.boolean_json(false),
            "greeting": "",
        });
        KeptBrightpatternAccount {
            account,
            shown: reply::json_bytes(&shown).into(),
            listed: reply::json_bytes(&listed).into(),
        }
    }

    fn extension_json(&self, extension: &str) -> Value {
        match self.behaviour.extension {
            Extension::Text => Value::from(extension),
            Extension::Number => extension.parse::<u64>().map_or(Value::Null, Value::from),
        }
    }

    fn boolean_json(&self, value: bool) -> Value {
        match self.behaviour.booleans {
            BrightpatternBooleans::Json => Value::from(value),
            BrightpatternBooleans::Text => Value::from(value.to_string()),
        }
    }
}

impl hosted::Tenant for BrightpatternTenant {
    type File = BrightpatternFile;
    type AccountOf = BrightpatternAccount;

    fn state_file(&self, effects: u64) -> BrightpatternFile {
        let sorted = |names: &HashSet<String>| {
            let mut names: Vec<String> = names.iter().cloned().collect();
            names.sort();
            names
        };
        BrightpatternFile {
            teams: self.teams.clone(),
            skills: sorted(&self.skills),
            roles: sorted(&self.roles),
            externals: self.externals.clone(),
            accounts: self.accounts(),
            effects,
            last_extension: self.last_extension,
        }
    }

    fn effects_of(file: &BrightpatternFile) -> u64 {
        file.effects
    }

    fn accounts(&self) -> Vec<BrightpatternAccount> {
        self.accounts.iter().map(|kept| kept.account.clone()).collect()
    }

    fn apply(&mut self, effect: &LedgerEffect) {
        let key = effect.login_id.to_lowercase();
        match effect.op {
            LedgerOperation::Create | LedgerOperation::OutsideCreate => {
                let Ok(create) = body::create(effect.fields.clone()) else { return };
                let extension = create.extension.clone().unwrap_or_else(|| (self.last_extension + 1).to_string());
                self.push(created_account(create, extension, effect.password.clone()));
                if effect.op == LedgerOperation::OutsideCreate {
                    self.accounts.last_to_front();
                }
            }
            LedgerOperation::Update | LedgerOperation::OutsideUpdate => {
                let Ok(update) = body::update(effect.fields.clone()) else { return };
                let Some(kept) = self.accounts.get(&key) else { return };
                let mut account = kept.account.clone();
                change_account(&mut account, update, effect.password.clone());
                let changed = self.keep_account(account);
                if let Some(kept) = self.accounts.get_mut(&key) {
                    *kept = changed;
                }
            }
            LedgerOperation::Delete | LedgerOperation::OutsideRemove => {
                self.accounts.remove(&key);
            }
        }
    }
}

fn wrong_account(path: &Path, account: &BrightpatternAccount, why: &str) -> SandboxError {
    SandboxError::Seed { path: path.to_owned(), message: format!("user {}: {why}", account.login_id) }
}

fn created_account(create: BrightpatternCreate, extension: String, password: Option<String>) -> BrightpatternAccount {
    BrightpatternAccount {
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

fn change_account(account: &mut BrightpatternAccount, update: BrightpatternUpdate, password: Option<String>) {
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
