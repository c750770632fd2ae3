//! The users of one service, and what may become of them. No I/O: every function here is about data.

use std::collections::HashMap;
use std::path::Path;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::filter::Operator;
use super::refusal::ScimRefusal;
use super::resource::{self, Resource};
use super::schema::ENTERPRISE;
use super::user_filter::UserFilter;
use super::{Conflict, Etags, ScimBehaviour, ScimBooleans, ScimUniqueness, patch};
use crate::sandbox::SandboxError;
use crate::sandbox::host as hosted;
use crate::sandbox::ledger::{LedgerEffect, LedgerOperation};
use crate::sandbox::reply;
use crate::sandbox::roster::Roster;

/// One user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScimAccount {
    pub id: String,
    pub created: Timestamp,
    pub last_modified: Timestamp,
    /// Counts the writes.
    pub version: u64,
    /// The attributes, but for `id`, `meta` and `schemas`.
    pub resource: Map<String, Value>,
    /// Its [hash](crate::sandbox::password_hash); never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A service as a file: what a seed says, and what is kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScimFile {
    /// Attributes, at the top of a user or of the extension, that nobody can change once they have a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub immutable: Vec<String>,
    /// In the order in which they are listed.
    pub accounts: Vec<ScimAccount>,
    /// The number of the last effect that is in the accounts already.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub effects: u64,
    /// So many ids were given out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_id: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A service at work.
pub(in crate::sandbox) struct ScimTenant {
    behaviour: ScimBehaviour,
    base_url: String,
    /// By id.
    accounts: Roster<KeptScimAccount>,
    /// The ids behind each name in lower case.
    names: HashMap<String, Vec<String>>,
    last_id: u64,
    immutable: Vec<String>,
}

pub(super) struct KeptScimAccount {
    pub account: ScimAccount,
    /// The user as the API shows it: written once, sent often.
    pub shown: Box<[u8]>,
}

impl ScimTenant {
    /// # Errors
    /// Two users of one id; of one name, where the server enforces that they are unique; a user that is none.
    pub(super) fn new(
        file: ScimFile,
        behaviour: ScimBehaviour,
        base_url: String,
        path: &Path,
    ) -> Result<Self, SandboxError> {
        let count = file.accounts.len();
        let mut tenant = Self {
            behaviour,
            base_url,
            accounts: Roster::with_capacity(count),
            names: HashMap::with_capacity(count),
            last_id: file.last_id,
            immutable: file.immutable,
        };
        for mut account in file.accounts {
            let read = resource::read(std::mem::take(&mut account.resource));
            let clash = match &read {
                _ if tenant.accounts.contains(&account.id) => Some("another user has that id".to_owned()),
                Ok(resource) => tenant.check_name(resource, None).err().map(|refusal| refusal.detail),
                Err(refusal) => Some(refusal.detail.clone()),
            };
            if let Some(why) = clash {
                return Err(SandboxError::Seed {
                    path: path.to_owned(),
                    message: format!("user {}: {why}", account.id),
                });
            }
            account.resource = read.unwrap_or_default();
            tenant.push(account);
        }
        Ok(tenant)
    }

    pub(super) fn get(&self, id: &str) -> Option<&ScimAccount> {
        self.accounts.get(id).map(|kept| &kept.account)
    }

    /// The user of that id as the API shows it.
    pub(super) fn shown_user(&self, id: &str) -> Option<&[u8]> {
        self.accounts.get(id).map(|kept| &*kept.shown)
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// The users as the API shows them, in the order of the list.
    pub(super) fn shown_users(&self) -> impl Iterator<Item = &[u8]> {
        self.accounts.iter().map(|kept| &*kept.shown)
    }

    /// Those whom a filter finds.
    pub(super) fn filtered_users(&self, filter: &UserFilter) -> Vec<&[u8]> {
        let finds = |kept: &&KeptScimAccount| filter.finds_user(&kept.account.id, &kept.account.resource);
        match self.candidate_ids(filter) {
            Some(ids) => {
                ids.iter().filter_map(|id| self.accounts.get(id)).filter(finds).map(|kept| &*kept.shown).collect()
            }
            None => self.accounts.iter().filter(finds).map(|kept| &*kept.shown).collect(),
        }
    }

    pub(super) fn next_id(&self) -> String {
        let mut n = self.last_id + 1;
        // A seed may have used ids of its own.
        while self.accounts.contains(&format_id(n)) {
            n += 1;
        }
        format_id(n)
    }

    /// Whether no other user has that name.
    pub(super) fn check_name(&self, resource: &Resource, but: Option<&str>) -> Result<(), ScimRefusal> {
        let name = resource::user_name(resource);
        let owners = self.names.get(&name.to_lowercase());
        let taken = owners.is_some_and(|owners| owners.iter().any(|owner| Some(owner.as_str()) != but));
        if taken && self.behaviour.uniqueness == ScimUniqueness::Enforced {
            let scim_type = (self.behaviour.conflict == Conflict::WithScimType).then_some("uniqueness");
            let detail = format!("userName {name} is taken");
            return Err(ScimRefusal { status: StatusCode::CONFLICT, scim_type, detail });
        }
        Ok(())
    }

    pub(super) fn immutable(&self) -> &[String] {
        &self.immutable
    }

    /// Whether nothing would change that cannot.
    pub(super) fn check_immutable(&self, before: &Resource, after: &Resource) -> Result<(), ScimRefusal> {
        fn resource_value<'a>(resource: &'a Resource, name: &str) -> Option<&'a Value> {
            resource.get(name).or_else(|| resource.get(ENTERPRISE)?.get(name))
        }
        let changed =
            |name: &&String| resource_value(before, name).is_some_and(|was| resource_value(after, name) != Some(was));
        match self.immutable.iter().find(changed) {
            Some(name) => Err(ScimRefusal::bad_request("mutability", format!("{name} cannot be changed"))),
            None => Ok(()),
        }
    }

    /// The attributes of a user after a PATCH or a PUT, whose body `fields` is.
    pub(super) fn updated_resource(
        account: &ScimAccount,
        fields: &Map<String, Value>,
    ) -> Result<Resource, ScimRefusal> {
        if fields.keys().any(|name| name.eq_ignore_ascii_case("Operations")) {
            patch::apply(&account.resource, fields)
        } else {
            resource::read(fields.clone())
        }
    }

    /// The first user of the list.
    pub(super) fn first_account(&self) -> Option<&ScimAccount> {
        self.accounts.iter().next().map(|kept| &kept.account)
    }

    /// Turns the order of the list round.
    pub(super) fn reverse_order(&mut self) {
        self.accounts.reverse_order();
    }

    /// The version of a user as a header has it.
    pub(super) fn account_etag(account: &ScimAccount) -> String {
        format!("W/\"{}\"", account.version)
    }

    pub(super) fn account_location(&self, id: &str) -> String {
        format!("{}/Users/{id}", self.base_url)
    }

    /// Whom a filter can find at most, where that is quickly known.
    fn candidate_ids(&self, filter: &UserFilter) -> Option<Vec<String>> {
        filter.conditions.iter().filter(|condition| condition.operator == Operator::Equal).find_map(|condition| {
            let place = &condition.of;
            let wanted = condition.value.as_str()?;
            match place.attribute.name {
                "id" => Some(vec![wanted.to_owned()]),
                "userName" => Some(self.names.get(&wanted.to_lowercase()).cloned().unwrap_or_default()),
                _ => None,
            }
        })
    }

    fn push(&mut self, account: ScimAccount) {
        let name = resource::user_name(&account.resource).to_lowercase();
        self.names.entry(name).or_default().push(account.id.clone());
        let kept = self.keep_account(account);
        self.accounts.push(kept.account.id.clone(), kept);
    }

    fn forget_name(&mut self, account: &ScimAccount) {
        let name = resource::user_name(&account.resource).to_lowercase();
        if let Some(owners) = self.names.get_mut(&name) {
            owners.retain(|owner| *owner != account.id);
            if owners.is_empty() {
                self.names.remove(&name);
            }
        }
    }

    fn keep_account(&self, account: ScimAccount) -> KeptScimAccount {
        let mut shown = account.resource.clone();
        if self.behaviour.booleans == ScimBooleans::Text {
            shown.values_mut().for_each(booleans_as_text);
        }
        let mut meta = json!({
            "resourceType": "User",
            "created": account.created,
            "lastModified": account.last_modified,
            "location": self.account_location(&account.id),
        });
        if self.behaviour.etags == Etags::Supported {
            meta["version"] = Self::account_etag(&account).into();
        }
        shown.insert("schemas".to_owned(), resource::schemas_of(&account.resource).into());
        shown.insert("id".to_owned(), account.id.as_str().into());
        shown.insert("meta".to_owned(), meta);
        KeptScimAccount { shown: reply::json_bytes(&shown).into(), account }
    }
}

impl hosted::Tenant for ScimTenant {
    type File = ScimFile;
    type AccountOf = ScimAccount;

    fn state_file(&self, effects: u64) -> ScimFile {
        ScimFile { immutable: self.immutable.clone(), accounts: self.accounts(), effects, last_id: self.last_id }
    }

    fn effects_of(file: &ScimFile) -> u64 {
        file.effects
    }

    fn accounts(&self) -> Vec<ScimAccount> {
        self.accounts.iter().map(|kept| kept.account.clone()).collect()
    }

    fn apply(&mut self, effect: &LedgerEffect) {
        match effect.op {
            LedgerOperation::Create | LedgerOperation::OutsideCreate => {
                let Ok(resource) = resource::read(effect.fields.clone()) else { return };
                self.last_id += 1;
                self.push(ScimAccount {
                    id: effect.id.clone(),
                    created: effect.at,
                    last_modified: effect.at,
                    version: 1,
                    resource,
                    password: effect.password.clone(),
                });
                if effect.op == LedgerOperation::OutsideCreate {
                    self.accounts.last_to_front();
                }
            }
            LedgerOperation::Update | LedgerOperation::OutsideUpdate => {
                let Some(kept) = self.accounts.get(&effect.id) else { return };
                let before = kept.account.clone();
                let Ok(resource) = Self::updated_resource(&before, &effect.fields) else { return };
                self.forget_name(&before);
                let name = resource::user_name(&resource).to_lowercase();
                self.names.entry(name).or_default().push(before.id.clone());
                let changed = self.keep_account(ScimAccount {
                    last_modified: effect.at,
                    version: before.version + 1,
                    resource,
                    password: effect.password.clone().or(before.password),
                    ..before
                });
                if let Some(kept) = self.accounts.get_mut(&effect.id) {
                    *kept = changed;
                }
            }
            LedgerOperation::Delete | LedgerOperation::OutsideRemove => {
                if let Some(kept) = self.accounts.remove(&effect.id) {
                    self.forget_name(&kept.account);
                }
            }
        }
    }
}

/// The n-th id: it looks like any other service's, and is the same each time.
pub(super) fn format_id(n: u64) -> String {
    let hash = blake3::hash(&n.to_le_bytes()).to_hex();
    format!("{}-{}-4{}-8{}-{}", &hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32])
}

fn booleans_as_text(value: &mut Value) {
    match value {
        Value::Bool(flag) => *value = Value::from(if *flag { "True" } else { "False" }),
        Value::Array(elements) => elements.iter_mut().for_each(booleans_as_text),
        Value::Object(parts) => parts.values_mut().for_each(booleans_as_text),
        _ => {}
    }
}
