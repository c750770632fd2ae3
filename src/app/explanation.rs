//! What is known of one person, brought together for the report: what the plan would do, and what the journal remembers.

use jiff::Timestamp;

use super::error::AppError;
use super::stored_records::read_run_actions;
use super::workspace::Workspace;
use crate::journal::Journal;
use crate::plan::Action;
use crate::plan::person::Person;
use crate::planning::{LastListing, PersonAnswer, PersonQuery};
use crate::report::Entry;
use crate::report::person::{Candidate, Explanation, Listing, PersonHistory, Touched};

/// What an explanation is made from beside the plan.
pub struct KnownFacts<'a> {
    pub workspace: &'a Workspace,
    pub journal: &'a Journal,
    pub last: &'a LastListing,
    pub now: Timestamp,
    /// Requests that were sent, where the tenant was asked.
    pub requests: Option<u64>,
}

/// Everything about the person who is meant, or who else could be.
pub fn explain_person(
    known: &KnownFacts<'_>,
    whom: &PersonQuery,
    explained: &PersonAnswer,
) -> Result<Explanation, AppError> {
    let header = &explained.header;
    let listed_at = known.last.listed_at();
    let mut notes = known.last.doubts.clone();
    notes.extend(header.source.notes.iter().cloned());
    if !known.last.is_there() {
        notes.push(
            "`headcount plan` lists the accounts and changes nothing; until then limits are not checked, and it is \
             unknown which accounts are missing"
                .to_owned(),
        );
    }
    let (person, candidates) = match explained.people.as_slice() {
        [person] => {
            let history = read_history(known, person, &mut notes)?;
            (Some(PersonHistory { person: person.clone(), history }), Vec::new())
        }
        people => (None, people.iter().map(describe_candidate).collect()),
    };
    Ok(Explanation {
        headcount_explain: 1,
        asked: match whom {
            PersonQuery::Key(key) => key.clone(),
            PersonQuery::Line { file: None, line } => format!("line {line}"),
            PersonQuery::Line { file: Some(file), line } => format!("{file}:{line}"),
        },
        tenant: header.tenant.clone(),
        target: header.target.clone(),
        listing: Listing {
            listed_at,
            age_seconds: listed_at.map(|at| u64::try_from(known.now.duration_since(at).as_secs()).unwrap_or(0)),
            accounts: header.listing.accounts,
            changed_since: known.last.changed_by_runs() as u64,
            online: known.requests.is_some(),
            requests: known.requests.unwrap_or(0),
        },
        person,
        candidates,
        nearest: explained.nearest.clone(),
        notes,
    })
}

fn describe_candidate(person: &Person) -> Candidate {
    Candidate {
        key: person.key.clone(),
        identity: identity_of(person),
        source: person.row.as_ref().map(|row| row.source.clone()),
        account: person.account.as_ref().map(|account| account.id.clone()),
        decision: person.decision,
    }
}

fn identity_of(person: &Person) -> Option<String> {
    person.row.as_ref().and_then(|row| row.identity.clone())
}

/// What runs did to the person's account, the last first. A run that cannot be read is noted, and stops nothing.
fn read_history(known: &KnownFacts<'_>, person: &Person, notes: &mut Vec<String>) -> Result<Vec<Touched>, AppError> {
    let identity = identity_of(person);
    let account = person.account.as_ref().map(|account| &account.id).or(person.matching.remembered.as_ref());
    let is_one = |action: &Action| {
        let same_account = account.is_some() && action.account.as_ref() == account;
        let same_identity = identity.is_some() && action.identity == identity;
        // A key is only a name: it means the person where nothing better is known of either.
        let only_key = action.account.is_none() && action.identity.is_none() || identity.is_none() && account.is_none();
        same_account || same_identity || (only_key && action.key == person.key)
    };
    let mut touched = Vec::new();
    let settings = &known.workspace.settings.target;
    for run in known.journal.runs().into_iter().rev() {
        if run.head.tenant != settings.tenant {
            continue;
        }
        let entries = match read_run_actions(&known.workspace.state, known.journal, &run) {
            Ok(entries) => entries,
            Err(failure) => {
                notes.push(format!("what the run {} did is not known: {}", run.run, failure.message));
                continue;
            }
        };
        for entry in entries {
            match entry {
                Ok(Entry::Action { action, outcome: Some(outcome) }) if is_one(&action) => touched.push(Touched {
                    run: run.run.to_string(),
                    command: run.head.command,
                    started_at: run.started,
                    action,
                    outcome,
                }),
                Ok(_) => {}
                Err(error) => {
                    notes.push(format!("only part of what the run {} did is known: {error}", run.run));
                    break;
                }
            }
        }
    }
    Ok(touched)
}
