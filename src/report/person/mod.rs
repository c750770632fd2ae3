//! One person, end to end: what the export says, what the application has, what would be done and why, and what was done
//! before. As JSON it is complete; as text it is what somebody reads who was woken for it.
//!
//! Values of redacted attributes are taken out before either form sees them, and so are the cells that make them and every
//! message that repeats one.

mod text;

use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::redact::{ValueRedactor, redact_entry};
use super::{ActionOutcome, Entry, Style};
use crate::model::{AccountId, CommandName, Value};
use crate::plan::{Action, Finding, SourceLine};

/// The answer to a question about a person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The version of this form.
    pub headcount_explain: u32,
    /// What was asked for: a key, or a line.
    pub asked: String,
    pub tenant: String,
    /// `imichat https://…`.
    pub target: String,
    pub listing: Listing,
    /// Where exactly one is meant.
    pub person: Option<Person>,
    /// Where several are: each with the words that mean nobody else.
    pub candidates: Vec<Candidate>,
    /// Where nobody is: the names that look most like what was asked for.
    pub nearest: Vec<String>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// What is known of the accounts, and as of when.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Listing {
    /// When the last whole listing was made; none where there is none.
    pub listed_at: Option<Timestamp>,
    pub age_seconds: Option<u64>,
    pub accounts: u64,
    /// Accounts that runs have changed since, which are shown as they are by now.
    pub changed_since: u64,
    /// Whether the tenant was asked about this person just now.
    pub online: bool,
    /// Requests that this took.
    pub requests: u64,
}

/// One of several people who go by the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    pub key: String,
    pub identity: Option<String>,
    pub source: Option<SourceLine>,
    pub account: Option<AccountId>,
    pub decision: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Person {
    /// The name by which plans and reports know the person.
    pub key: String,
    /// The action, or what was found; `unchanged` where there is nothing to do, `excluded` where `source.include` leaves
    /// the row out, `ignored` where `policy.absent` leaves the account alone, `unknown` where no account was ever listed.
    pub decision: String,
    /// The same as a sentence.
    pub because: String,
    pub row: Option<Row>,
    pub account: Option<Account>,
    #[serde(rename = "match")]
    pub matching: Matching,
    /// Every mapped attribute.
    pub attributes: Vec<Attribute>,
    /// What would be done, as a plan has it.
    pub action: Option<Action>,
    /// What was found, as a report has it.
    pub finding: Option<Finding>,
    /// Why the action waits.
    pub held: Option<Held>,
    /// Safety rules that stop the whole plan.
    pub stopped: Vec<String>,
    /// What runs did to this account, the last first.
    pub history: Vec<Touched>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub source: SourceLine,
    pub identity: Option<String>,
    /// Whether `source.include` lets it through.
    pub included: bool,
    /// The cells that `source.include` reads.
    pub include_cells: Vec<Cell>,
    /// Why the row has no cells that can be told, where that is so.
    pub problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    pub column: String,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
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
pub struct Matching {
    /// What found it: `link` (the remembered account), or a rule.
    pub by: Option<String>,
    /// The account that is remembered for this identity.
    pub remembered: Option<AccountId>,
    /// The rules in their order, each with what the row gives for it.
    pub rules: Vec<Rule>,
    /// Accounts that nobody could choose between.
    pub candidates: Vec<AccountId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub rule: String,
    /// None where the row has no value for it.
    pub key: Option<String>,
}

/// One mapped attribute: where its value comes from, and how the account stands against it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribute {
    pub attribute: String,
    pub expression: String,
    /// The cells that the expression reads.
    pub cells: Vec<Cell>,
    /// `always`, `create`, `never`.
    pub on: &'static str,
    /// What the row says; null where it is cleared; missing where the row says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Value>,
    /// What the account has; missing where there is none, or where the application does not show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has: Option<Value>,
    pub standing: Standing,
    /// Why the row's value cannot be used.
    pub problems: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
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
pub struct Held {
    pub kind: String,
    pub count: u64,
    pub limit: u64,
    /// The setting that says so.
    pub setting: String,
    pub approve: String,
}

/// What a run did to the account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Touched {
    pub run: String,
    pub command: CommandName,
    pub started_at: Timestamp,
    pub action: Action,
    pub outcome: ActionOutcome,
}

/// For programs: one object.
///
/// # Errors
/// Whatever writing fails with.
pub fn write_json(explanation: &Explanation, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &redact_explanation(explanation.clone(), &style.redact))?;
    writeln!(out)
}

/// For people.
///
/// # Errors
/// Whatever writing fails with.
pub fn write_text(explanation: &Explanation, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    text::write(&redact_explanation(explanation.clone(), &style.redact), style, out)
}

fn by_name<S: Serializer>(values: &[(String, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, value)| (name, value)))
}

fn redact_explanation(mut explanation: Explanation, names: &[String]) -> Explanation {
    if names.is_empty() {
        return explanation;
    }
    let Some(person) = explanation.person.take() else { return explanation };
    let Person { action, finding, history, .. } = person;
    let action = action.map(|action| redact_entry(Entry::Action { action, outcome: None }, names));
    let finding = finding.map(|finding| redact_entry(Entry::Finding(finding), names));
    let mut person = Person {
        action: action.and_then(|entry| if let Entry::Action { action, .. } = entry { Some(action) } else { None }),
        finding: finding.and_then(|entry| if let Entry::Finding(finding) = entry { Some(finding) } else { None }),
        history: history.into_iter().filter_map(|touched| redacted_run(touched, names)).collect(),
        ..person
    };
    let mut redactor = ValueRedactor::new(names);
    for attribute in &mut person.attributes {
        let Attribute { attribute: name, cells, wanted, has, .. } = attribute;
        for value in wanted.iter_mut().chain(has) {
            redactor.redact_value(name, value);
        }
        if redactor.redacts(name) {
            for cell in cells {
                redactor.redact_text(&mut cell.value);
            }
        }
    }
    for (name, value) in person.account.iter_mut().flat_map(|account| &mut account.values) {
        redactor.redact_value(name, value);
    }
    // A cell that makes a redacted value makes others too, and messages repeat it.
    let Person { attributes, row, because, finding, action, history, .. } = &mut person;
    for attribute in attributes {
        attribute.cells.iter_mut().for_each(|cell| redactor.scrub_text(&mut cell.value));
        attribute.problems.iter_mut().for_each(|problem| redactor.scrub_text(problem));
    }
    if let Some(row) = row {
        row.include_cells.iter_mut().for_each(|cell| redactor.scrub_text(&mut cell.value));
        row.problem.iter_mut().for_each(|problem| redactor.scrub_text(problem));
    }
    redactor.scrub_text(because);
    finding.iter_mut().for_each(|finding| redactor.scrub_text(&mut finding.reason));
    action.iter_mut().flat_map(|action| &mut action.warnings).for_each(|warning| redactor.scrub_text(warning));
    // What a server said to a value may repeat it.
    history
        .iter_mut()
        .filter_map(|touched| touched.outcome.message.as_mut())
        .for_each(|said| redactor.scrub_text(said));
    Explanation { person: Some(person), ..explanation }
}

fn redacted_run(touched: Touched, names: &[String]) -> Option<Touched> {
    let Touched { run, command, started_at, action, outcome } = touched;
    match redact_entry(Entry::Action { action, outcome: Some(outcome) }, names) {
        Entry::Action { action, outcome: Some(outcome) } => Some(Touched { run, command, started_at, action, outcome }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
