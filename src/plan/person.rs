//! What is known of one person: the row, the account, what a plan would do and why. Planning fills it in, and a report
//! shows it.

use serde::{Serialize, Serializer};

use super::decide::Decision;
use super::{Action, ActionKind, Finding, FindingKind, SourceLine};
use crate::model::{AccountId, Desired, Schema, Value};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Person {
    /// The name by which plans and reports know the person.
    pub key: String,
    pub decision: PersonDecision,
    /// The same as a sentence.
    pub because: String,
    pub row: Option<PersonRow>,
    pub account: Option<PersonAccount>,
    #[serde(rename = "match")]
    pub matching: AccountMatch,
    /// Every mapped attribute.
    pub attributes: Vec<MappedAttribute>,
    /// What would be done, as a plan has it.
    pub action: Option<Action>,
    /// What was found, as a report has it.
    pub finding: Option<Finding>,
    /// Why the action waits.
    pub held: Option<PersonHold>,
    /// Safety rules that stop the whole plan.
    pub stopped: Vec<String>,
    /// What the row says the account should be; none where the row cannot be used or does not count.
    #[serde(skip)]
    pub desired: Option<Desired>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonRow {
    pub source: SourceLine,
    pub identity: Option<String>,
    /// Whether `source.include` lets it through.
    pub included: bool,
    /// The cells that `source.include` reads.
    pub include_cells: Vec<SourceCell>,
    /// Why the row has no cells that can be told, where that is so.
    pub problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceCell {
    pub column: String,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonAccount {
    pub id: AccountId,
    /// Whether it is in use, where the application says.
    pub active: Option<bool>,
    /// Why the application's own rules forbid to touch it.
    pub protected: Option<String>,
    /// What the application shows of it, in the order of its attributes.
    #[serde(serialize_with = "by_name")]
    pub values: Vec<(String, Value)>,
}

/// How the account was looked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccountMatch {
    /// What found it: `link` (the remembered account), or a rule.
    pub by: Option<String>,
    /// The account that is remembered for this identity.
    pub remembered: Option<AccountId>,
    /// The rules in their order, each with what the row gives for it.
    pub rules: Vec<RuleKey>,
    /// Accounts that nobody could choose between.
    pub candidates: Vec<AccountId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleKey {
    pub rule: String,
    /// None where the row has no value for it.
    pub key: Option<String>,
}

/// One mapped attribute: where its value comes from, and how the account stands against it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MappedAttribute {
    pub attribute: String,
    pub expression: String,
    /// The cells that the expression reads.
    pub cells: Vec<SourceCell>,
    /// `always`, `create`, `never`.
    pub on: &'static str,
    /// What the row says; null where it is cleared; missing where the row says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Value>,
    /// What the account has; missing where there is none, or where the application does not show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has: Option<Value>,
    pub standing: AttributeStanding,
    /// Why the row's value cannot be used.
    pub problems: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeStanding {
    /// The account has it already.
    Same,
    /// An update would change it.
    Differs,
    /// It differs, and the application cannot change it.
    Drift,
    /// There is no account to compare it with.
    New,
    /// The cell is empty: the account keeps what it has.
    Kept,
    /// Only sent when an account is made.
    OnCreate,
    /// Only used to find the account.
    MatchOnly,
    /// The application does not show it, and what was last written is the same.
    Unseen,
    /// It did not come to comparing.
    NotCompared,
    Invalid,
}

/// Why an action waits, and what releases it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonHold {
    pub kind: String,
    pub count: u64,
    pub limit: u64,
    /// The setting that says so.
    pub setting: String,
    pub approve: String,
}

/// What becomes of a person, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonDecision {
    Action(ActionKind),
    Found(FindingKind),
    /// `source.include` leaves the row out.
    Excluded,
    /// `policy.absent` leaves the account alone.
    Ignored,
    /// No account was ever listed.
    Unknown,
}

impl PersonDecision {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Action(action) => action.as_str(),
            Self::Found(finding) => finding.as_str(),
            Self::Excluded => "excluded",
            Self::Ignored => "ignored",
            Self::Unknown => "unknown",
        }
    }

    /// The same as a sentence.
    #[must_use]
    pub fn explain(self, schema: &Schema, decision: &Decision) -> String {
        let text = match (self, &decision.action, &decision.finding) {
            (Self::Unknown, ..) => "no accounts were listed yet, so it is unknown whether there is one",
            (_, Some(Action { reason: Some(reason), .. }), _) => reason,
            (_, Some(action), _) => return explain_action(schema, action),
            (_, None, Some(Finding { reason, .. })) => reason,
            (Self::Excluded, ..) => "source.include leaves this row out",
            (Self::Ignored, ..) => "no row; policy.absent is \"ignore\"",
            (Self::Found(FindingKind::Conflict), ..) => {
                "the rows that match this account are in conflict, so it is unknown whose it is"
            }
            _ => "the account already matches the row",
        };
        text.to_owned()
    }
}

impl Serialize for PersonDecision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Why an action follows from a row.
fn explain_action(schema: &Schema, action: &Action) -> String {
    let status = schema.lifecycle.as_ref().map_or("", |lifecycle| schema.name(lifecycle.attribute));
    match action.action {
        ActionKind::Create => "the row has no account yet".to_owned(),
        ActionKind::Update => match action.changes.as_slice() {
            [change] => format!("the account differs from the row in {}", change.attribute),
            changes => format!("the account differs from the row in {} attributes", changes.len()),
        },
        ActionKind::Deactivate => format!("a leaver: {status} is inactive in the row, but the account is active"),
        ActionKind::Reactivate => format!("a returner: {status} is active in the row, but the account is inactive"),
        ActionKind::Delete => "the account is to be deleted".to_owned(),
    }
}

fn by_name<S: Serializer>(values: &[(String, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, value)| (name, value)))
}
