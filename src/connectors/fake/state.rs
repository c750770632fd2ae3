//! What the tenant in memory has, what was planned for it, and what a request does to it when it arrives.

use std::collections::BTreeMap;
use std::time::Duration;

use super::attributes::{LOGIN, PASSWORD};
use super::events::{Call, Entry, Fault, Op};
use crate::connectors::{CallError, Trouble};
use crate::model::{Account, AccountId, AttrId, Attributes, Schema, Value, normal};

type Chaos = Box<dyn FnMut(Op) -> Option<Fault> + Send>;
type Watch = Box<dyn Fn(&Call) + Send>;

#[derive(Default)]
pub(super) struct State {
    pub accounts: BTreeMap<u64, Attributes>,
    pub last: u64,
    pub ledger: Vec<Entry>,
    pub calls: Vec<Call>,
    pub faults: Vec<(Op, Option<String>, Fault)>,
    pub chaos: Option<Chaos>,
    pub watch: Option<Watch>,
    pub late: Vec<(Duration, Effected)>,
    pub lax: bool,
    pub order: u64,
    pub incomplete: Option<String>,
    pub shifting: Vec<Account>,
    pub budget: Option<u64>,
}

/// What a request does once it arrives.
#[derive(Clone)]
pub(super) enum Effected {
    Create(Attributes),
    Update(AccountId, Attributes),
    Delete(AccountId),
}

impl State {
    /// A request arrived.
    pub fn effect(&mut self, schema: &Schema, what: Effected) -> Result<AccountId, CallError> {
        match what {
            Effected::Create(values) => self.create(schema, values),
            Effected::Update(id, values) => {
                let account = self.accounts.get_mut(&number(&id));
                let account = account.ok_or_else(|| CallError::new(Trouble::NotFound, "no such account"))?;
                for (attribute, value) in values.iter() {
                    assert!(schema.get(attribute).update, "{} cannot be updated", schema.name(attribute));
                    account.set(attribute, value.clone());
                }
                self.ledger.push(Entry::Updated { account: id.clone(), values });
                Ok(id)
            }
            Effected::Delete(id) => {
                let gone = self.accounts.remove(&number(&id));
                gone.ok_or_else(|| CallError::new(Trouble::NotFound, "no such account"))?;
                self.ledger.push(Entry::Deleted { account: id.clone() });
                Ok(id)
            }
        }
    }

    fn create(&mut self, schema: &Schema, values: Attributes) -> Result<AccountId, CallError> {
        for (id, attribute) in schema.iter() {
            if attribute.required && values.get(id).is_none_or(Value::is_blank) {
                return Err(CallError::new(Trouble::Refused, format!("{} is missing", attribute.name)));
            }
            let taken = |other: &Attributes| match (values.get(id), other.get(id)) {
                (Some(mine), Some(other)) => !mine.is_blank() && normal::same(attribute, mine, other),
                _ => false,
            };
            if attribute.unique && !self.lax && self.accounts.values().any(taken) {
                return Err(CallError::new(Trouble::Exists, format!("{} is taken", attribute.name)));
            }
        }
        for (id, _) in values.iter() {
            assert!(schema.get(id).create, "{} cannot be created", schema.name(id));
        }
        self.last += 1;
        let account = AccountId(self.last.to_string());
        let (login, password) = (text(&values, LOGIN), password(&values).unwrap_or_default());
        self.ledger.push(Entry::Created { account: account.clone(), login, password });
        self.accounts.insert(self.last, started(schema, values));
        Ok(account)
    }
}

/// A new account is active unless it says otherwise.
pub(super) fn started(schema: &Schema, mut values: Attributes) -> Attributes {
    if let Some(lifecycle) = &schema.lifecycle
        && values.get(lifecycle.attribute).is_none()
    {
        values.set(lifecycle.attribute, lifecycle.active.clone());
    }
    values
}

pub(super) fn number(id: &AccountId) -> u64 {
    id.as_str().parse().unwrap_or(0)
}

pub(super) fn text(values: &Attributes, id: AttrId) -> String {
    values.get(id).map(ToString::to_string).unwrap_or_default()
}

pub(super) fn password(values: &Attributes) -> Option<String> {
    match values.get(PASSWORD) {
        Some(Value::Secret(secret)) => Some(secret.expose().to_owned()),
        _ => None,
    }
}
