//! What is known of one person, brought together for the report: what the plan would do, and what the journal remembers.

use jiff::Timestamp;

use super::error::AppError;
use super::stored_records::read_run_actions;
use super::workspace::Workspace;
use crate::journal::Journal;
use crate::mapping::spec::On;
use crate::model::{AttrId, Schema, Value, Wanted};
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, ActionKind, Finding};
use crate::planning::{self, LastListing, PersonAnswer, PersonQuery};
use crate::report::Entry;
use crate::report::person::{
    Account, Attribute, Candidate, Cell, Explanation, Held, Listing, Matching, Person, Row, Rule, Standing, Touched,
};

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
        [person] => (Some(describe_person(known, explained, person, &mut notes)?), Vec::new()),
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

fn describe_candidate(person: &planning::ExplainedPerson) -> Candidate {
    Candidate {
        key: person.key.clone(),
        identity: identity_of(person),
        source: person.row.as_ref().map(|row| row.source.clone()),
        account: person.account.as_ref().map(|account| account.id.clone()),
        decision: person.outcome_word().to_owned(),
    }
}

fn identity_of(person: &planning::ExplainedPerson) -> Option<String> {
    person.row.as_ref().map(|row| row.identity.clone()).filter(|identity| !identity.is_empty())
}

fn describe_person(
    known: &KnownFacts<'_>,
    explained: &PersonAnswer,
    person: &planning::ExplainedPerson,
    notes: &mut Vec<String>,
) -> Result<Person, AppError> {
    let header = &explained.header;
    let schema = &known.workspace.schema;
    // Without any listing nobody can say that an account is missing.
    let is_unknown = !known.last.is_there() && known.requests.is_none() && person.desired.is_some();
    let action = person.decision.action.clone().filter(|_| !is_unknown);
    let held = action.as_ref().filter(|_| known.last.is_there()).and_then(|action| {
        let group = ActionGroup::of_kind(action.action);
        let held = header.held.get(&group)?;
        Some(Held {
            kind: group.as_str().to_owned(),
            count: held.count,
            limit: held.limit,
            setting: group.setting_name().to_owned(),
            approve: held.approve.clone(),
        })
    });
    let finding = person.decision.finding.clone().filter(|_| !is_unknown);
    let (decision, because) = if is_unknown {
        ("unknown".to_owned(), "no accounts were listed yet, so it is unknown whether there is one".to_owned())
    } else {
        (person.outcome_word().to_owned(), reason_of(schema, person))
    };
    Ok(Person {
        key: person.key.clone(),
        decision,
        because,
        row: person.row.as_ref().map(|row| Row {
            source: row.source.clone(),
            identity: identity_of(person),
            included: person.standing != planning::PersonStanding::Excluded,
            include_cells: describe_cells(&row.include),
            problem: row.problem.clone(),
        }),
        account: person.account.as_ref().map(|account| Account {
            id: account.id.clone(),
            active: schema.is_active(&account.values),
            protected: account.protected.clone(),
            values: visible_values(schema, account),
        }),
        matching: Matching {
            by: person.found.clone(),
            remembered: person.remembered.clone(),
            rules: rule_keys(known.workspace, person),
            candidates: person.candidates.clone(),
        },
        attributes: person
            .row
            .iter()
            .flat_map(|row| &row.values)
            .map(|mapped| describe_attribute(schema, person, action.as_ref(), mapped))
            .collect(),
        action,
        finding,
        held,
        stopped: header.stopped.clone(),
        history: read_history(known, person, notes)?,
    })
}

/// Why, in one sentence.
fn reason_of(schema: &Schema, person: &planning::ExplainedPerson) -> String {
    let planning::ExplainedPerson { decision, standing, .. } = person;
    match (&decision.action, &decision.finding, standing) {
        (Some(Action { reason: Some(reason), .. }), _, _) => reason.clone(),
        (Some(action), _, _) => reason_of_row(schema, action),
        (None, Some(Finding { reason, .. }), _) => reason.clone(),
        (None, None, planning::PersonStanding::Excluded) => "source.include leaves this row out".to_owned(),
        (None, None, planning::PersonStanding::Ignored) => "no row; policy.absent is \"ignore\"".to_owned(),
        (None, None, planning::PersonStanding::Contested) => {
            "the rows that match this account are in conflict, so it is unknown whose it is".to_owned()
        }
        (None, None, _) => "the account already matches the row".to_owned(),
    }
}

fn reason_of_row(schema: &Schema, action: &Action) -> String {
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

fn describe_cells(cells: &[(String, String)]) -> Vec<Cell> {
    cells.iter().map(|(column, value)| Cell { column: column.clone(), value: value.clone() }).collect()
}

/// What the application shows of an account and anybody may see.
fn visible_values(schema: &Schema, account: &crate::model::Account) -> Vec<(String, Value)> {
    let open = account.values.iter().filter(|(id, _)| !schema.get(*id).secret);
    open.map(|(id, value)| (schema.name(id).to_owned(), value.clone())).collect()
}

/// What the row, or else the account, gives for each match rule.
fn rule_keys(workspace: &Workspace, person: &planning::ExplainedPerson) -> Vec<Rule> {
    let value = |id: AttrId| match (&person.desired, &person.account) {
        (Some(desired), _) => desired.value(id),
        (None, Some(account)) => account.values.get(id),
        (None, None) => None,
    };
    let key = |attributes: &[AttrId]| -> Option<String> {
        let parts: Option<Vec<_>> =
            attributes.iter().map(|id| value(*id).filter(|value| !value.is_blank()).map(ToString::to_string)).collect();
        Some(parts?.join("+"))
    };
    workspace.rules.iter().map(|rule| Rule { rule: rule.label.clone(), key: key(&rule.attributes) }).collect()
}

fn describe_attribute(
    schema: &Schema,
    person: &planning::ExplainedPerson,
    action: Option<&Action>,
    mapped: &planning::MappedExpression,
) -> Attribute {
    let known = schema.get(mapped.attribute);
    let has = person
        .account
        .as_ref()
        .filter(|_| known.comparable())
        .map(|account| account.values.get(mapped.attribute).cloned().unwrap_or(Value::Null));
    let difference = |among: &[crate::reconcile::Difference]| {
        among.iter().find(|difference| difference.attribute == mapped.attribute).map(|d| d.to.clone())
    };
    let comparison = person.comparison.as_ref();
    let changed = comparison.and_then(|comparison| difference(&comparison.changes));
    let drifted = comparison.and_then(|comparison| difference(&comparison.drift));
    let standing = match (&mapped.result, mapped.on) {
        (Err(_), _) => Standing::Invalid,
        (Ok(None), _) => Standing::Kept,
        (Ok(Some(_)), _) if changed.is_some() => Standing::Differs,
        (Ok(Some(_)), _) if drifted.is_some() => Standing::Drift,
        (Ok(Some(_)), On::Never) => Standing::MatchOnly,
        (Ok(Some(_)), _) if action.is_some_and(|action| action.action == ActionKind::Create) => Standing::New,
        (Ok(Some(_)), On::Create) => Standing::OnCreate,
        (Ok(Some(_)), On::Always) if comparison.is_none() => Standing::NotCompared,
        (Ok(Some(_)), On::Always) if known.comparable() => Standing::Same,
        (Ok(Some(_)), On::Always) if known.secret => Standing::OnCreate,
        (Ok(Some(_)), On::Always) => Standing::Unseen,
    };
    let wanted = match &mapped.result {
        Ok(Some(Wanted::Set(value))) => Some(value.clone()),
        Ok(Some(Wanted::Clear)) => Some(Value::Null),
        _ => None,
    };
    Attribute {
        attribute: known.name.clone(),
        expression: mapped.expression.clone(),
        cells: describe_cells(&mapped.cells),
        on: match mapped.on {
            On::Always => "always",
            On::Create => "create",
            On::Never => "never",
        },
        // Of an object the keys that nobody mapped are kept: what would be written is said, not what the row has.
        wanted: changed.or(drifted).or(wanted),
        has,
        standing,
        problems: mapped.result.as_ref().err().cloned().unwrap_or_default(),
    }
}

/// What runs did to the person's account, the last first. A run that cannot be read is noted, and stops nothing.
fn read_history(
    known: &KnownFacts<'_>,
    person: &planning::ExplainedPerson,
    notes: &mut Vec<String>,
) -> Result<Vec<Touched>, AppError> {
    let identity = identity_of(person);
    let account = person.account.as_ref().map(|account| &account.id).or(person.remembered.as_ref());
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
