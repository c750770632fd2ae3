//! The accounts of one tenant, and what may become of them. No I/O: every function here is about data.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value};

use super::account::{Allowed, ImichatAccount, ImichatFile, ImichatTeam, RoleType, Status};
use super::body::{self, ImichatCreate, ImichatUpdate};
use super::wire::{self, Code, ImichatRefusal};
use super::{ImichatBehaviour, ImichatUniqueness, Omitted};
use crate::sandbox::SandboxError;
use crate::sandbox::host as hosted;
use crate::sandbox::ledger::{LedgerEffect, LedgerOperation};

/// Records of one page.
pub(super) const PAGE: usize = 10;

/// A tenant at work.
pub(in crate::sandbox) struct ImichatTenant {
    behaviour: ImichatBehaviour,
    teams: Vec<ImichatTeam>,
    known_teams: HashSet<u64>,
    allowed: Allowed,
    /// In the order in which they are listed.
    accounts: Vec<KeptImichatAccount>,
    /// Where each id stands in `accounts`.
    by_id: HashMap<u64, usize>,
    /// Logins and emails in lower case.
    logins: HashSet<String>,
    emails: HashSet<String>,
    last_id: u64,
}

struct KeptImichatAccount {
    account: ImichatAccount,
    /// The account as the API shows it: written once, sent often.
    shown: Box<[u8]>,
}

impl ImichatTenant {
    /// # Errors
    /// Two accounts of one id; of one login or email, where the server enforces that they are unique.
    pub(super) fn new(file: ImichatFile, behaviour: ImichatBehaviour, path: &Path) -> Result<Self, SandboxError> {
        let count = file.accounts.len();
        let mut tenant = Self {
            behaviour,
            known_teams: file.teams.iter().map(|team| team.id).collect(),
            teams: file.teams,
            allowed: file.custom_attributes,
            accounts: Vec::with_capacity(count),
            by_id: HashMap::with_capacity(count),
            logins: HashSet::with_capacity(count),
            emails: HashSet::with_capacity(count),
            last_id: file.last_id,
        };
        for account in file.accounts {
            let clash = if tenant.by_id.contains_key(&account.id) {
                Some(format!("two accounts have the id {}", account.id))
            } else {
                let taken = tenant.taken_code(&account.login_id, &account.email_id);
                taken.map(|code| format!("account {}: {}", account.id, code.description()))
            };
            if let Some(message) = clash {
                return Err(SandboxError::Seed { path: path.to_owned(), message });
            }
            tenant.push(account);
        }
        Ok(tenant)
    }

    pub(super) fn page_count(&self) -> u64 {
        self.accounts.len().div_ceil(PAGE) as u64
    }

    /// The users of a page as JSON, with commas between them; `None` past the end.
    pub(super) fn write_page(&self, page: u64, out: &mut Vec<u8>) -> Option<()> {
        let start = usize::try_from(page.checked_sub(1)?).ok()?.checked_mul(PAGE)?;
        if start > 0 && start >= self.accounts.len() {
            return None;
        }
        for (at, kept) in self.accounts[start..].iter().take(PAGE).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&kept.shown);
        }
        Some(())
    }

    pub(super) fn get(&self, id: u64) -> Option<&ImichatAccount> {
        self.kept_account(id).map(|kept| &kept.account)
    }

    /// The user of that id as the API shows it.
    pub(super) fn shown_user(&self, id: u64) -> Option<&[u8]> {
        self.kept_account(id).map(|kept| &*kept.shown)
    }

    pub(super) fn knows_team(&self, id: u64) -> bool {
        self.teams.is_empty() || self.known_teams.contains(&id)
    }

    pub(super) fn next_id(&self) -> u64 {
        self.last_id + 1
    }

    /// Whether such an account may be created.
    pub(super) fn check_create(&self, fields: &Map<String, Value>) -> Result<ImichatCreate, ImichatRefusal> {
        let create = body::create(fields.clone(), &self.behaviour.privilege_key)?;
        for (name, value) in
            [("login_id", &create.login_id), ("email_id", &create.email_id), ("first_name", &create.first_name)]
        {
            if value.as_deref().is_none_or(|value| value.trim().is_empty()) {
                return Err(ImichatRefusal::with_detail(format!("{name} is missing")));
            }
        }
        let (login, email) = (text_or_blank(create.login_id.as_ref()), text_or_blank(create.email_id.as_ref()));
        if !email.contains('@') {
            return Err(ImichatRefusal::with_detail("email_id is not an email address"));
        }
        if let Some(privilege) = create.privileges.iter().find(|privilege| !self.knows_team(privilege.teamid)) {
            return Err(ImichatRefusal::with_detail(format!("there is no team {}", privilege.teamid)));
        }
        self.taken_code(login, email).map_or(Ok(create), |code| Err(code.into()))
    }

    /// Whether that account may be updated so.
    pub(super) fn check_update(&self, id: u64, fields: &Map<String, Value>) -> Result<ImichatUpdate, ImichatRefusal> {
        let account = self.get(id).ok_or(Code::UserNotFound)?;
        let update = body::update(fields.clone())?;
        if account.role_type == RoleType::Administrative {
            return Err(ImichatRefusal::with_detail("Administrative users cannot be updated"));
        }
        if let Some(Some(custom)) = &update.custom_attributes {
            let wrong = |name: &str, allowed: Option<&Vec<String>>| {
                custom.get(name).zip(allowed).is_some_and(|(value, allowed)| {
                    !value.as_str().is_some_and(|value| allowed.iter().any(|one| one == value))
                })
            };
            if wrong("business", self.allowed.business.as_ref()) {
                return Err(Code::InvalidBusiness.into());
            }
            if wrong("location", self.allowed.location.as_ref()) {
                return Err(Code::InvalidLocation.into());
            }
        }
        Ok(update)
    }

    /// The first account of the list that is no Administrative one.
    pub(super) fn first_account(&self) -> Option<&ImichatAccount> {
        self.accounts.iter().map(|kept| &kept.account).find(|account| account.role_type == RoleType::CustomerCare)
    }

    /// Turns the order of the list round.
    pub(super) fn reverse_order(&mut self) {
        self.accounts.reverse();
        self.rebuild_index();
    }

    fn kept_account(&self, id: u64) -> Option<&KeptImichatAccount> {
        self.by_id.get(&id).map(|at| &self.accounts[*at])
    }

    fn taken_code(&self, login: &str, email: &str) -> Option<Code> {
        if self.behaviour.uniqueness == ImichatUniqueness::NotEnforced {
            None
        } else if self.logins.contains(&login.to_lowercase()) {
            Some(Code::UserExists)
        } else if self.emails.contains(&email.to_lowercase()) {
            Some(Code::EmailExists)
        } else {
            None
        }
    }

    fn push(&mut self, account: ImichatAccount) {
        self.by_id.insert(account.id, self.accounts.len());
        self.logins.insert(account.login_id.to_lowercase());
        self.emails.insert(account.email_id.to_lowercase());
        self.last_id = self.last_id.max(account.id);
        let shown = wire::user_json(&account, &self.behaviour);
        self.accounts.push(KeptImichatAccount { account, shown });
    }

    fn rebuild_index(&mut self) {
        self.by_id = self.accounts.iter().enumerate().map(|(at, kept)| (kept.account.id, at)).collect();
    }
}

impl hosted::Tenant for ImichatTenant {
    type File = ImichatFile;
    type AccountOf = ImichatAccount;

    fn state_file(&self, effects: u64) -> ImichatFile {
        ImichatFile {
            teams: self.teams.clone(),
            custom_attributes: self.allowed.clone(),
            accounts: self.accounts(),
            effects,
            last_id: self.last_id,
        }
    }

    fn effects_of(file: &ImichatFile) -> u64 {
        file.effects
    }

    fn accounts(&self) -> Vec<ImichatAccount> {
        self.accounts.iter().map(|kept| kept.account.clone()).collect()
    }

    fn apply(&mut self, effect: &LedgerEffect) {
        let Ok(id) = effect.id.parse::<u64>() else { return };
        match effect.op {
            LedgerOperation::Create | LedgerOperation::OutsideCreate => {
                let Ok(create) = body::create(effect.fields.clone(), &self.behaviour.privilege_key) else { return };
                self.push(created_account(id, effect, create));
                if effect.op == LedgerOperation::OutsideCreate {
                    self.accounts.rotate_right(1);
                    self.rebuild_index();
                }
            }
            LedgerOperation::Update | LedgerOperation::OutsideUpdate => {
                let Ok(update) = body::update(effect.fields.clone()) else { return };
                let omitted = if effect.op == LedgerOperation::Update { self.behaviour.omitted } else { Omitted::Keep };
                let Some(&at) = self.by_id.get(&id) else { return };
                let kept = &mut self.accounts[at];
                change_account(&mut kept.account, update, omitted);
                kept.account.updated_at = effect.at;
                kept.shown = wire::user_json(&kept.account, &self.behaviour);
            }
            LedgerOperation::Delete | LedgerOperation::OutsideRemove => {
                let Some(at) = self.by_id.remove(&id) else { return };
                let account = self.accounts.remove(at).account;
                self.logins.remove(&account.login_id.to_lowercase());
                self.emails.remove(&account.email_id.to_lowercase());
                self.rebuild_index();
            }
        }
    }
}

fn text_or_blank(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

fn created_account(id: u64, effect: &LedgerEffect, create: ImichatCreate) -> ImichatAccount {
    ImichatAccount {
        id,
        created_at: effect.at,
        updated_at: effect.at,
        first_name: create.first_name.unwrap_or_default(),
        last_name: create.last_name.unwrap_or_default(),
        login_id: create.login_id.unwrap_or_default(),
        email_id: create.email_id.unwrap_or_default(),
        status: Status::Active,
        logged_in: false,
        job_description: create.job_description.unwrap_or_default(),
        login_using_email: create.login_using_email.unwrap_or_default(),
        role_type: RoleType::CustomerCare,
        accepting_chats: false,
        skill_attributes: create.skill_attributes.unwrap_or_default(),
        active_chats: 0,
        privileges: create.privileges,
        custom_attributes: Map::new(),
        password: effect.password.clone(),
    }
}

fn change_account(account: &mut ImichatAccount, update: ImichatUpdate, omitted: Omitted) {
    // Objects are replaced as a whole: a client that does not merge is found out.
    fn set<T: Default>(place: &mut T, sent: Option<Option<T>>, omitted: Omitted) {
        match (sent, omitted) {
            (Some(value), _) => *place = value.unwrap_or_default(),
            (None, Omitted::Clear) => *place = T::default(),
            (None, Omitted::Keep) => {}
        }
    }
    // An account without a name or a status cannot be, so these two are kept when they are left out.
    set(&mut account.first_name, update.first_name, Omitted::Keep);
    set(&mut account.status, update.status, Omitted::Keep);
    set(&mut account.last_name, update.last_name, omitted);
    set(&mut account.job_description, update.job_description, omitted);
    set(&mut account.login_using_email, update.login_using_email, omitted);
    set(&mut account.custom_attributes, update.custom_attributes, omitted);
    set(&mut account.skill_attributes, update.skill_attributes, omitted);
}
