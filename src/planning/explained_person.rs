//! One person as the plan sees them: the row with what its expressions came to, the account, and what would be done.

use super::PlanInputs;
use super::last_listing::LastListing;
use super::people_decisions::PeopleDecisions;
use super::watched_people::{WatchedPeople, WatchedRow};
use crate::mapping::spec::On;
use crate::model::{Account, AttrId, Desired, Record, Schema, Value, Wanted};
use crate::plan::decide::{Decision, key_of_account, key_of_row};
use crate::plan::file::PlanHeader;
use crate::plan::person::{
    AccountMatch, AttributeStanding, MappedAttribute, Person, PersonAccount, PersonDecision, PersonHold, PersonRow,
    RuleKey, SourceCell,
};
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, ActionKind, FindingKind};
use crate::reconcile::{Comparison, Difference, FoundBy, RowVerdict};
use crate::source::RowShape;

/// What the plan says of the people in question.
pub(super) struct ExplainedPlan<'a> {
    pub inputs: &'a PlanInputs<'a>,
    pub last: &'a LastListing,
    pub header: &'a PlanHeader,
    pub decisions: &'a PeopleDecisions,
    pub watch: &'a WatchedPeople,
}

/// A row of the source.
pub(super) struct ExplainedRow {
    pub row: PersonRow,
    /// The name by which plans would know it; none where it cannot be used.
    key: Option<String>,
    values: Vec<MappedExpression>,
}

/// What one expression of `[map]` came to.
struct MappedExpression {
    attribute: AttrId,
    on: On,
    expression: String,
    /// None where they make a secret.
    cells: Vec<SourceCell>,
    /// None where the cells are empty and the account's value is left as it is.
    result: Result<Option<Wanted>, Vec<String>>,
}

/// What is known of one person beside the decision.
#[derive(Default)]
struct PersonFacts<'a> {
    key: String,
    row: Option<&'a ExplainedRow>,
    desired: Option<&'a Desired>,
    account: Option<&'a Account>,
    comparison: Option<&'a Comparison>,
    matching: AccountMatch,
}

pub(super) fn explain_row(inputs: &PlanInputs<'_>, record: &Record, shape: &RowShape) -> ExplainedRow {
    let names = inputs.source.columns().names();
    let cells = |columns: &[usize]| -> Vec<SourceCell> {
        let cell = |at: &usize| {
            Some(SourceCell { column: names.get(*at)?.clone(), value: record.cell(*at).trim().to_owned() })
        };
        columns.iter().filter_map(cell).collect()
    };
    let problem = match shape {
        RowShape::Good => None,
        RowShape::Bad(problem) => Some(problem.message.clone()),
    };
    let explained = if problem.is_some() { Vec::new() } else { inputs.mapping.explain(record) };
    let values = explained.into_iter().map(|explained| MappedExpression {
        attribute: explained.mapped.attr,
        on: explained.mapped.on,
        expression: explained.mapped.expression.clone(),
        cells: if explained.hidden { Vec::new() } else { cells(&explained.reads) },
        result: explained.result.map_err(|reasons| reasons.iter().map(ToString::to_string).collect()),
    });
    let values = values.collect();
    let desired = inputs.mapping.map(record, &mut inputs.mapping.scratch()).ok().filter(|_| problem.is_none());
    let row = PersonRow {
        source: inputs.source_of(record.place),
        identity: Some(inputs.mapping.identity(record).to_owned()).filter(|identity| !identity.is_empty()),
        included: problem.is_some() || inputs.mapping.includes(record, &mut inputs.mapping.scratch()).unwrap_or(true),
        include_cells: cells(inputs.mapping.include_reads()),
        problem,
    };
    ExplainedRow { row, key: desired.map(|desired| key_of_row(&inputs.decision_context(), &desired)), values }
}

impl ExplainedPlan<'_> {
    pub(super) fn person_of_row(&self, explained: &ExplainedRow, seen: Option<&WatchedRow>) -> Person {
        let inputs = self.inputs;
        let ExplainedRow { row, key, .. } = explained;
        let decision = self.decisions.of_row(&row.source);
        let said = decision.action.as_ref().map(|action| &action.key).or(decision.finding.as_ref().map(|f| &f.key));
        let key = said.or(key.as_ref()).or(row.identity.as_ref()).cloned().unwrap_or_default();
        let mut facts = PersonFacts { key, row: Some(explained), ..PersonFacts::default() };
        facts.matching.remembered = row.identity.as_ref().and_then(|identity| inputs.memory.link_of(identity));
        if let Some(WatchedRow { settlement, desired, accounts, comparison }) = seen {
            facts.key = key_of_row(&inputs.decision_context(), desired);
            facts.desired = Some(desired);
            facts.comparison = comparison.as_ref();
            match &settlement.verdict {
                RowVerdict::Equal { found, .. } | RowVerdict::Matched { found, .. } => {
                    facts.account = accounts.first();
                    facts.matching.by = Some(match found {
                        FoundBy::Link => "link".to_owned(),
                        FoundBy::Rule(rule) => {
                            inputs.rules.get(*rule).map(|rule| rule.label.clone()).unwrap_or_default()
                        }
                    });
                }
                RowVerdict::Claimed { .. } => facts.account = accounts.first(),
                RowVerdict::Ambiguous { .. } => {
                    facts.matching.candidates = accounts.iter().map(|account| account.id.clone()).collect();
                }
                RowVerdict::Dropped { .. } | RowVerdict::Missing | RowVerdict::SameKey { .. } => {}
            }
        }
        let otherwise =
            if row.included { PersonDecision::Found(FindingKind::Unchanged) } else { PersonDecision::Excluded };
        self.describe_person(facts, decision, otherwise)
    }

    pub(super) fn person_of_account(&self, account: &Account) -> Person {
        let key = key_of_account(&self.inputs.decision_context(), account);
        let otherwise = if self.watch.is_alone(&account.id) {
            PersonDecision::Ignored
        } else {
            // Rows claim it which are in conflict: it is neither absent nor anybody's.
            PersonDecision::Found(FindingKind::Conflict)
        };
        let facts = PersonFacts { key, account: Some(account), ..PersonFacts::default() };
        self.describe_person(facts, self.decisions.of_account(&account.id), otherwise)
    }

    /// `otherwise` is what becomes of the person where the plan has neither an action nor a finding.
    fn describe_person(&self, mut facts: PersonFacts<'_>, decision: Decision, otherwise: PersonDecision) -> Person {
        let schema = self.inputs.schema;
        // Without any listing nobody can say that an account is missing.
        let is_unknown = !self.last.knows_accounts() && facts.desired.is_some();
        let word = match (&decision.action, &decision.finding) {
            _ if is_unknown => PersonDecision::Unknown,
            (Some(action), _) => PersonDecision::Action(action.action),
            (None, Some(finding)) => PersonDecision::Found(finding.finding),
            (None, None) => otherwise,
        };
        let because = word.explain(schema, &decision);
        let Decision { action, finding } = if is_unknown { Decision::default() } else { decision };
        facts.matching.rules = self.rule_keys(&facts);
        let values = facts.row.iter().flat_map(|explained| &explained.values);
        Person {
            decision: word,
            because,
            row: facts.row.map(|explained| explained.row.clone()),
            account: facts.account.map(|account| PersonAccount {
                id: account.id.clone(),
                active: schema.is_active(&account.values),
                protected: account.protected.clone(),
                values: visible_values(schema, account),
            }),
            attributes: values.map(|mapped| describe_attribute(schema, &facts, action.as_ref(), mapped)).collect(),
            held: action.as_ref().and_then(|action| self.hold_of(action)),
            action,
            finding,
            stopped: self.header.stopped.clone(),
            desired: facts.desired.cloned(),
            key: facts.key,
            matching: facts.matching,
        }
    }

    /// Why the action waits. Without a listing no limit is judged.
    fn hold_of(&self, action: &Action) -> Option<PersonHold> {
        let group = ActionGroup::of_kind(action.action);
        let held = self.header.held.get(&group).filter(|_| self.last.is_there())?;
        Some(PersonHold {
            kind: group.as_str().to_owned(),
            count: held.count,
            limit: held.limit,
            setting: group.setting_name().to_owned(),
            approve: held.approve.clone(),
        })
    }

    /// What the row, or else the account, gives for each match rule.
    fn rule_keys(&self, facts: &PersonFacts<'_>) -> Vec<RuleKey> {
        let value = |id: AttrId| match (facts.desired, facts.account) {
            (Some(desired), _) => desired.value(id),
            (None, Some(account)) => account.values.get(id),
            (None, None) => None,
        };
        let text = |id: AttrId| value(id).filter(|value| !value.is_blank()).map(ToString::to_string);
        let key = |attributes: &[AttrId]| -> Option<String> {
            Some(attributes.iter().map(|id| text(*id)).collect::<Option<Vec<_>>>()?.join("+"))
        };
        let rules = self.inputs.rules.iter();
        rules.map(|rule| RuleKey { rule: rule.label.clone(), key: key(&rule.attributes) }).collect()
    }
}

/// What the application shows of an account and anybody may see.
fn visible_values(schema: &Schema, account: &Account) -> Vec<(String, Value)> {
    let open = account.values.iter().filter(|(id, _)| !schema.get(*id).secret);
    open.map(|(id, value)| (schema.name(id).to_owned(), value.clone())).collect()
}

fn describe_attribute(
    schema: &Schema,
    facts: &PersonFacts<'_>,
    action: Option<&Action>,
    mapped: &MappedExpression,
) -> MappedAttribute {
    let known = schema.get(mapped.attribute);
    let has = facts
        .account
        .filter(|_| known.comparable())
        .map(|account| account.values.get(mapped.attribute).cloned().unwrap_or(Value::Null));
    let difference = |among: &[Difference]| {
        among.iter().find(|difference| difference.attribute == mapped.attribute).map(|d| d.to.clone())
    };
    let changed = facts.comparison.and_then(|comparison| difference(&comparison.changes));
    let drifted = facts.comparison.and_then(|comparison| difference(&comparison.drift));
    let standing = match (&mapped.result, mapped.on) {
        (Err(_), _) => AttributeStanding::Invalid,
        (Ok(None), _) => AttributeStanding::Kept,
        (Ok(Some(_)), _) if changed.is_some() => AttributeStanding::Differs,
        (Ok(Some(_)), _) if drifted.is_some() => AttributeStanding::Drift,
        (Ok(Some(_)), On::Never) => AttributeStanding::MatchOnly,
        (Ok(Some(_)), _) if action.is_some_and(|action| action.action == ActionKind::Create) => AttributeStanding::New,
        (Ok(Some(_)), On::Create) => AttributeStanding::OnCreate,
        (Ok(Some(_)), On::Always) if facts.comparison.is_none() => AttributeStanding::NotCompared,
        (Ok(Some(_)), On::Always) if known.comparable() => AttributeStanding::Same,
        (Ok(Some(_)), On::Always) if known.secret => AttributeStanding::OnCreate,
        (Ok(Some(_)), On::Always) => AttributeStanding::Unseen,
    };
    let wanted = match &mapped.result {
        Ok(Some(Wanted::Set(value))) => Some(value.clone()),
        Ok(Some(Wanted::Clear)) => Some(Value::Null),
        _ => None,
    };
    MappedAttribute {
        attribute: known.name.clone(),
        expression: mapped.expression.clone(),
        cells: mapped.cells.clone(),
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
