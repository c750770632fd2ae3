//! Who is in a plan, who has which account, and what somebody else does to it before its turn comes.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::tenant::{Fields, Tenant, text};
use super::world::World;
use crate::execute::Secrets;
use crate::model::{AccountId, Value};
use crate::plan::file::{PlanHeader, PlanWriter};
use crate::plan::{Action, ActionKind, Change, SourceLine};

/// A plan, and what it is about.
pub struct Plan {
    pub header: PlanHeader,
    pub people: Vec<Person>,
    actions: Vec<Action>,
}

/// One person of a plan.
pub struct Person {
    pub seq: u64,
    pub kind: ActionKind,
    pub login: String,
    /// Of whoever has an account.
    pub account: Option<u64>,
    pub held: bool,
}

/// What somebody else does to an account between plan and execution.
#[derive(Clone, Copy, Debug)]
enum Meddling {
    Changes,
    MakesTheSameChange,
    Removes,
    Promotes,
    Renames,
}

impl Plan {
    /// A random plan for a tenant with random accounts.
    pub fn random(world: &World, tenant: &Tenant) -> Self {
        let header = PlanHeader::new("p", world.time(), "t", "imichat");
        let mut plan = Self { header, people: Vec::new(), actions: Vec::new() };
        for seq in 1..=1 + world.below(10) {
            let held = world.one_in(12);
            let action = match world.below(8) {
                0 | 1 => newcomer("new", seq, vec![]),
                2 => newcomer("half", seq, vec![change("status", None, "inactive")]),
                3 => newcomer("unseen", seq, vec![object("custom_attributes", "desk")]),
                4 => known(tenant, "old", seq, ActionKind::Update, vec![change("last_name", Some("Before"), "After")]),
                5 => known(tenant, "dark", seq, ActionKind::Update, vec![object("custom_attributes", "desk")]),
                6 => {
                    let changes = vec![change("status", Some("inactive"), "active")];
                    known(tenant, "back", seq, ActionKind::Reactivate, changes)
                }
                _ => {
                    let changes = vec![change("status", Some("active"), "inactive")];
                    known(tenant, "gone", seq, ActionKind::Deactivate, changes)
                }
            };
            // Who has no row at all is read once more before it is touched.
            let source = (action.action != ActionKind::Deactivate || world.one_in(2)).then_some(action.source);
            plan.add(Action { seq, held, source: source.flatten(), ..action });
        }
        for n in 0..world.below(14) {
            tenant.has(person(&format!("bystander{n}"), "active"));
        }
        plan.header.listing.accounts = tenant.size();
        plan
    }

    fn add(&mut self, action: Action) {
        self.people.push(Person {
            seq: action.seq,
            kind: action.action,
            login: action.key.clone(),
            account: action.account.as_ref().and_then(|id| id.as_str().parse().ok()),
            held: action.held,
        });
        self.actions.push(action);
    }

    pub fn write(&self, path: &Path) {
        let mut writer = PlanWriter::new(std::fs::File::create(path).unwrap(), &self.header).unwrap();
        for action in &self.actions {
            writer.write_action(action.clone()).unwrap();
        }
        writer.seal_plan().unwrap();
    }

    /// The password that a person is told.
    pub fn password(&self, person: &Person, secrets: &dyn Secrets) -> String {
        let action = &self.actions[usize::try_from(person.seq).unwrap() - 1];
        let schema = crate::connectors::imichat::make_schema(crate::connectors::imichat::test_settings().update_body);
        let password = schema.id("password").unwrap();
        secrets.find_secret(action, password).unwrap().expose().to_owned()
    }

    /// Somebody else is at work. `fresh` is whether the run trusts the plan's listing: then accounts are as it saw them.
    pub fn meddle(&self, world: &World, tenant: &Tenant, fresh: bool) {
        for person in &self.people {
            if !world.one_in(6) {
                continue;
            }
            match person.account {
                // Nobody can see whether what the API hides was changed.
                Some(id) if !fresh && !person.login.starts_with("dark") => {
                    let how = match world.below(4) {
                        0 | 1 => Meddling::Changes,
                        2 => Meddling::Removes,
                        _ => [Meddling::MakesTheSameChange, Meddling::Promotes, Meddling::Renames]
                            [usize::try_from(world.below(3)).unwrap()],
                    };
                    world.tell(|| format!("somebody else: {how:?} {}", person.login));
                    person.meddle(tenant, id, how);
                }
                // Of two accounts of one login nobody could say which was meant.
                None if !tenant.twins => {
                    world.tell(|| format!("somebody else makes another {}", person.login));
                    tenant.has(fields(&person.login, "Somebody", "active"));
                }
                _ => {}
            }
        }
    }
}

impl Person {
    pub fn has_second_half(&self) -> bool {
        self.login.starts_with("half") || self.login.starts_with("unseen")
    }

    /// Whether its update sets what the API does not show.
    pub fn is_hidden(&self) -> bool {
        self.login.starts_with("dark") || self.login.starts_with("unseen")
    }

    fn meddle(&self, tenant: &Tenant, id: u64, how: Meddling) {
        // What each action changes, what it changes it to, and something else.
        let (name, same, other) = match self.kind {
            ActionKind::Update => ("last_name", "After", "Else"),
            ActionKind::Deactivate => ("status", "inactive", "inactive"),
            _ => ("status", "active", "active"),
        };
        match how {
            Meddling::Changes => tenant.meddle(id, name, other),
            Meddling::MakesTheSameChange => tenant.meddle(id, name, same),
            Meddling::Removes => tenant.remove(id),
            Meddling::Renames => tenant.meddle(id, "login_id", "another"),
            Meddling::Promotes => tenant.meddle(id, "role_type", "Administrative"),
        }
    }

    /// Whether an account is as the plan wants this person's to be.
    pub fn wants(&self, fields: &Fields) -> bool {
        let has = |name: &str, value: &str| text(fields, name) == value;
        let desk = || fields.get("custom_attributes") == Some(&json!({ "desk": 7 }));
        match self.login.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "new" => has("first_name", "Ana") && has("status", "active"),
            "half" => has("first_name", "Ana") && has("status", "inactive"),
            "unseen" => has("first_name", "Ana") && desk(),
            "old" => has("last_name", "After"),
            "dark" => desk(),
            "back" => has("status", "active"),
            "gone" => has("status", "inactive"),
            other => panic!("nobody is called {other}"),
        }
    }
}

fn newcomer(name: &str, seq: u64, more: Vec<Change>) -> Action {
    let login = format!("{name}{seq}");
    let mut changes: Vec<Change> = [
        ("login_id", login.as_str()),
        ("email_id", &format!("{login}@example.com")),
        ("first_name", "Ana"),
        ("last_name", "Before"),
    ]
    .into_iter()
    .map(|(name, to)| change(name, None, to))
    .collect();
    changes.push(Change { attribute: "password".into(), from: None, to: Value::Generated });
    changes.extend(more);
    action(ActionKind::Create, &login, None, changes)
}

fn known(tenant: &Tenant, name: &str, seq: u64, kind: ActionKind, changes: Vec<Change>) -> Action {
    let login = format!("{name}{seq}");
    let status = if kind == ActionKind::Reactivate { "inactive" } else { "active" };
    let id = tenant.has(person(&login, status));
    action(kind, &login, Some(id), changes)
}

fn person(login: &str, status: &str) -> Fields {
    fields(login, "Ana", status)
}

fn fields(login: &str, first_name: &str, status: &str) -> Fields {
    let fields = json!({
        "login_id": login, "email_id": format!("{login}@example.com"), "first_name": first_name,
        "last_name": "Before", "status": status,
    });
    fields.as_object().unwrap().clone()
}

fn change(name: &str, from: Option<&str>, to: &str) -> Change {
    Change { attribute: name.into(), from: from.map(Value::text), to: Value::text(to) }
}

fn object(name: &str, key: &str) -> Change {
    let to = Value::Object(BTreeMap::from([(key.to_owned(), Value::Int(7))]));
    Change { attribute: name.into(), from: None, to }
}

fn action(kind: ActionKind, login: &str, account: Option<u64>, changes: Vec<Change>) -> Action {
    Action {
        identity: Some(format!("id of {login}")),
        account: account.map(|id| AccountId(id.to_string())),
        matched: account.map(|_| "login_id".into()),
        source: Some(SourceLine { file: "hr.csv".into(), line: 2 }),
        changes,
        held: false,
        ..Action::new(kind, login)
    }
}
