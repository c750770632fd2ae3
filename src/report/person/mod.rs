//! One person, end to end: what the export says, what the application has, what would be done and why, and what was done
//! before. As JSON it is complete; as text it is what somebody reads who was woken for it.
//!
//! Values of redacted attributes are taken out before either form sees them, and so are the cells that make them and every
//! message that repeats one.

mod text;

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::redact::{ValueRedactor, redact_entry};
use super::{ActionOutcome, Entry, Style};
use crate::model::{AccountId, CommandName};
use crate::plan::person::{MappedAttribute, Person, PersonDecision};
use crate::plan::{Action, SourceLine};

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
    pub person: Option<PersonHistory>,
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
    pub decision: PersonDecision,
}

/// The one person who is meant, and what became of the account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonHistory {
    #[serde(flatten)]
    pub person: Person,
    /// What runs did to this account, the last first.
    pub history: Vec<Touched>,
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

fn redact_explanation(mut explanation: Explanation, names: &[String]) -> Explanation {
    if names.is_empty() {
        return explanation;
    }
    let Some(PersonHistory { person, history }) = explanation.person.take() else { return explanation };
    let Person { action, finding, .. } = person;
    let action = action.map(|action| redact_entry(Entry::Action { action, outcome: None }, names));
    let finding = finding.map(|finding| redact_entry(Entry::Finding(finding), names));
    let mut person = Person {
        action: action.and_then(|entry| if let Entry::Action { action, .. } = entry { Some(action) } else { None }),
        finding: finding.and_then(|entry| if let Entry::Finding(finding) = entry { Some(finding) } else { None }),
        ..person
    };
    let mut history: Vec<_> = history.into_iter().filter_map(|touched| redacted_run(touched, names)).collect();
    let mut redactor = ValueRedactor::new(names);
    for attribute in &mut person.attributes {
        let MappedAttribute { attribute: name, cells, wanted, has, .. } = attribute;
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
    let Person { attributes, row, because, finding, action, .. } = &mut person;
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
    Explanation { person: Some(PersonHistory { person, history }), ..explanation }
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
