//! One person, end to end. Nothing is decided here: the whole plan is made from the last listing, by the code that makes
//! every plan, and the answer is the part of it about that person. So the answer is what the next plan would say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;

use super::person_search::{MatchedPeople, PersonQuery, each_row, find_people};
use super::watched_people::{WatchedPeople, WatchedRow};
use super::{Accounts, MadePlan, PlanInputs, PlanningError, findings_writer, make_plan_watching};
use crate::mapping::spec::On;
use crate::model::{Account, AccountId, AttrId, Desired, Place, Record, Wanted};
use crate::plan::decide::{Decision, key_of_account, key_of_row};
use crate::plan::file::{PlanHeader, PlanReader};
use crate::plan::{Action, Finding, FindingKind, SourceLine};
use crate::reconcile::{Comparison, FoundBy, RowVerdict};
use crate::source::RowShape;

/// Everybody who is meant by a question; one, where it was exact enough.
#[derive(Clone, Debug)]
pub struct PersonAnswer {
    pub people: Vec<ExplainedPerson>,
    /// Where nobody is meant: the names that look most like the key.
    pub nearest: Vec<String>,
    /// The plan that they are part of.
    pub header: PlanHeader,
}

/// One person: a row, an account, or a row with its account.
#[derive(Clone, Debug)]
pub struct ExplainedPerson {
    /// The name by which plans and reports know the person.
    pub key: String,
    pub row: Option<ExplainedRow>,
    /// What the row says the account should be; none where the row cannot be used or does not count.
    pub desired: Option<Desired>,
    pub account: Option<Account>,
    /// Accounts that nobody could choose between.
    pub candidates: Vec<AccountId>,
    /// How the account was found: `link`, or the rule's label.
    pub found: Option<String>,
    /// The account that is remembered for the row's identity.
    pub remembered: Option<AccountId>,
    /// None where it did not come to comparing.
    pub comparison: Option<Comparison>,
    pub standing: PersonStanding,
    /// What the plan does and says.
    pub decision: Decision,
}

/// What becomes of a person, where the decision alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonStanding {
    /// As the decision says; with neither action nor finding there is nothing to do.
    Decided,
    /// `source.include` does not let the row through.
    Excluded,
    /// Another row of the same person counts.
    Dropped,
    /// An account without a row, and `policy.absent` is `ignore`.
    Ignored,
    /// An account that rows claim which are in conflict: it is neither absent nor anybody's.
    Contested,
}

/// A row of the source.
#[derive(Clone, Debug)]
pub struct ExplainedRow {
    pub place: Place,
    pub source: SourceLine,
    pub identity: String,
    /// The name by which plans would know it; none where it cannot be used.
    pub key: Option<String>,
    /// Why its cells cannot be assigned to columns, where that is so.
    pub problem: Option<String>,
    pub values: Vec<MappedExpression>,
    /// The cells that `source.include` reads.
    pub include: Vec<(String, String)>,
}

/// What one expression of `[map]` came to.
#[derive(Clone, Debug)]
pub struct MappedExpression {
    pub attribute: AttrId,
    pub on: On,
    pub expression: String,
    /// The cells that it reads, by column; none where they make a secret.
    pub cells: Vec<(String, String)>,
    /// None where the cells are empty and the account's value is left as it is.
    pub result: Result<Option<Wanted>, Vec<String>>,
}

/// Makes the plan of [`Accounts::Last`] and tells of it what concerns these people, question by question. Many questions
/// take one plan.
///
/// # Errors
/// As [`super::make_plan`].
pub async fn explain_people(
    inputs: &PlanInputs<'_>,
    asked: &[PersonQuery],
) -> Result<Vec<PersonAnswer>, PlanningError> {
    let Accounts::Last(last) = inputs.accounts else {
        let error = std::io::Error::other("people are explained from the last listing");
        return Err(PlanningError::File { path: "the listing".to_owned(), error });
    };
    let meant = asked.iter().map(|query| find_people(inputs, last, query)).collect::<Result<Vec<_>, _>>()?;
    let rows_meant = meant.iter().flat_map(|meant| meant.rows.iter().copied());
    let mut watch = WatchedPeople::new(rows_meant, meant.iter().flat_map(|meant| meant.accounts.iter().cloned()));
    let made = make_plan_watching(inputs, &mut watch).await?;

    let mut places: Vec<Place> = meant.iter().flat_map(|meant| meant.rows.iter().copied()).collect();
    places.extend(watch.seen.iter().map(|seen| seen.settlement.place));
    places.sort_unstable();
    places.dedup();
    let mut rows = BTreeMap::new();
    each_row(inputs, &mut |record, shape| {
        if places.binary_search(&record.place).is_ok() {
            rows.insert(record.place, explain_row(inputs, record, shape));
        }
    })?;
    let sources: HashSet<(&str, u32)> =
        rows.values().map(|(row, _)| (row.source.file.as_str(), row.source.line)).collect();
    let accounts: HashSet<&AccountId> = watch.accounts().map(|account| &account.id).collect();
    let decisions = PeopleDecisions::read(&made, |source, account| match source {
        Some(SourceLine { file, line }) => sources.contains(&(file.as_str(), *line)),
        None => account.is_some_and(|id| accounts.contains(id)),
    })?;
    let seen: HashMap<Place, &WatchedRow> = watch.seen.iter().map(|seen| (seen.settlement.place, seen)).collect();

    let everything = ExplainedPlan { inputs, rows: &rows, seen: &seen, decisions: &decisions, watch: &watch };
    let answers = asked.iter().zip(meant).map(|(query, meant)| PersonAnswer {
        people: everything.meant_people(query, &meant),
        nearest: meant.nearest,
        header: made.header.clone(),
    });
    Ok(answers.collect())
}

/// What the plan and the source say of the people in question.
struct ExplainedPlan<'a> {
    inputs: &'a PlanInputs<'a>,
    rows: &'a BTreeMap<Place, (ExplainedRow, PersonStanding)>,
    seen: &'a HashMap<Place, &'a WatchedRow>,
    decisions: &'a PeopleDecisions,
    watch: &'a WatchedPeople,
}

impl ExplainedPlan<'_> {
    /// The people that one question means.
    fn meant_people(&self, query: &PersonQuery, meant: &MatchedPeople) -> Vec<ExplainedPerson> {
        let has_meant = |seen: &WatchedRow| seen.accounts.iter().any(|account| meant.accounts.contains(&account.id));
        let mut places = meant.rows.clone();
        if !meant.accounts.is_empty() {
            places.extend(self.seen.values().filter(|seen| has_meant(seen)).map(|seen| seen.settlement.place));
        }
        places.sort_unstable();
        places.dedup();
        let mut people: Vec<ExplainedPerson> = places
            .iter()
            .filter_map(|place| {
                let (row, standing) = self.rows.get(place)?;
                Some(person_of_row(self.inputs, row.clone(), *standing, self.seen.get(place).copied(), self.decisions))
            })
            .collect();
        // A row that another of the same person stands for is worth a word only by itself.
        let others = people.iter().any(|person| person.standing != PersonStanding::Dropped);
        if others && matches!(query, PersonQuery::Key(_)) {
            people.retain(|person| person.standing != PersonStanding::Dropped);
        }
        let mut alone: Vec<&Account> =
            self.watch.accounts().filter(|account| meant.accounts.contains(&account.id)).collect();
        alone.retain(|account| {
            people.iter().all(|person| {
                person.account.as_ref().is_none_or(|own| own.id != account.id)
                    && !person.candidates.contains(&account.id)
            })
        });
        alone.sort_by_key(|account| &account.id);
        people.extend(
            alone
                .into_iter()
                .map(|account| person_of_account(self.inputs, account.clone(), self.decisions, self.watch)),
        );
        people
    }
}

fn explain_row(inputs: &PlanInputs<'_>, record: &Record, shape: &RowShape) -> (ExplainedRow, PersonStanding) {
    let names = inputs.source.columns().names();
    let cells = |columns: &[usize]| -> Vec<(String, String)> {
        let cell = |at: &usize| Some((names.get(*at)?.clone(), record.cell(*at).trim().to_owned()));
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
    let counts = problem.is_some() || inputs.mapping.includes(record, &mut inputs.mapping.scratch()).unwrap_or(true);
    let desired = inputs.mapping.map(record, &mut inputs.mapping.scratch()).ok().filter(|_| problem.is_none());
    let row = ExplainedRow {
        key: desired.map(|desired| key_of_row(&inputs.decision_context(), &desired)),
        place: record.place,
        source: inputs.source_of(record.place),
        identity: inputs.mapping.identity(record).to_owned(),
        problem,
        values: values.collect(),
        include: cells(inputs.mapping.include_reads()),
    };
    (row, if counts { PersonStanding::Decided } else { PersonStanding::Excluded })
}

fn person_of_row(
    inputs: &PlanInputs<'_>,
    row: ExplainedRow,
    standing: PersonStanding,
    seen: Option<&WatchedRow>,
    decisions: &PeopleDecisions,
) -> ExplainedPerson {
    let decision = decisions.of_row(&row.source);
    let remembered = (!row.identity.is_empty()).then(|| inputs.memory.link_of(&row.identity)).flatten();
    let key_said = decision.action.as_ref().map(|action| &action.key).or(decision.finding.as_ref().map(|f| &f.key));
    let mut person = ExplainedPerson {
        key: key_said.or(row.key.as_ref()).unwrap_or(&row.identity).clone(),
        row: Some(row),
        desired: None,
        account: None,
        candidates: Vec::new(),
        found: None,
        remembered,
        comparison: None,
        standing,
        decision,
    };
    let Some(WatchedRow { settlement, desired, accounts, comparison }) = seen else { return person };
    person.key = key_of_row(&inputs.decision_context(), desired);
    person.desired = Some(desired.clone());
    person.comparison = comparison.clone();
    match &settlement.verdict {
        RowVerdict::Dropped { .. } => person.standing = PersonStanding::Dropped,
        RowVerdict::Equal { found, .. } | RowVerdict::Matched { found, .. } => {
            person.account = accounts.first().cloned();
            person.found = Some(match found {
                FoundBy::Link => "link".to_owned(),
                FoundBy::Rule(rule) => inputs.rules.get(*rule).map(|rule| rule.label.clone()).unwrap_or_default(),
            });
        }
        RowVerdict::Claimed { .. } => person.account = accounts.first().cloned(),
        RowVerdict::Ambiguous { .. } => person.candidates = accounts.iter().map(|account| account.id.clone()).collect(),
        RowVerdict::Missing | RowVerdict::SameKey { .. } => {}
    }
    person
}

fn person_of_account(
    inputs: &PlanInputs<'_>,
    account: Account,
    decisions: &PeopleDecisions,
    watch: &WatchedPeople,
) -> ExplainedPerson {
    let decision = decisions.of_account(&account.id);
    let standing = match (&decision.action, &decision.finding) {
        (None, None) if watch.is_alone(&account.id) => PersonStanding::Ignored,
        (None, None) => PersonStanding::Contested,
        _ => PersonStanding::Decided,
    };
    ExplainedPerson {
        key: key_of_account(&inputs.decision_context(), &account),
        row: None,
        desired: None,
        account: Some(account),
        candidates: Vec::new(),
        found: None,
        remembered: None,
        comparison: None,
        standing,
        decision,
    }
}

/// What a plan does and says of a few people.
struct PeopleDecisions {
    actions: Vec<Action>,
    findings: Vec<Finding>,
}

impl PeopleDecisions {
    fn read(
        made: &MadePlan,
        is_one: impl Fn(Option<&SourceLine>, Option<&AccountId>) -> bool,
    ) -> Result<Self, PlanningError> {
        let file = File::open(&made.files.plan).map_err(PlanningError::file_error(&made.files.plan))?;
        let mut reader = PlanReader::new(BufReader::new(file))?;
        let mut actions = Vec::new();
        while let Some(action) = reader.next()? {
            if is_one(action.source.as_ref(), action.account.as_ref()) {
                actions.push(action);
            }
        }
        let path = &made.files.findings;
        let mut findings = Vec::new();
        for finding in findings_writer::read_findings(path).map_err(PlanningError::file_error(path))? {
            let finding = finding.map_err(PlanningError::file_error(path))?;
            if is_one(finding.source.as_ref(), finding.account.as_ref()) {
                findings.push(finding);
            }
        }
        Ok(Self { actions, findings })
    }

    fn of_row(&self, source: &SourceLine) -> Decision {
        self.find_decision(|at, _| at == Some(source))
    }

    fn of_account(&self, id: &AccountId) -> Decision {
        self.find_decision(|at, account| at.is_none() && account == Some(id))
    }

    fn find_decision(&self, is_it: impl Fn(Option<&SourceLine>, Option<&AccountId>) -> bool) -> Decision {
        Decision {
            action: self.actions.iter().find(|a| is_it(a.source.as_ref(), a.account.as_ref())).cloned(),
            finding: self.findings.iter().find(|f| is_it(f.source.as_ref(), f.account.as_ref())).cloned(),
        }
    }
}

impl ExplainedPerson {
    /// What becomes of the person, in one word: the action, or what was found.
    #[must_use]
    pub fn outcome_word(&self) -> &'static str {
        match (&self.decision.action, &self.decision.finding, self.standing) {
            (Some(action), _, _) => action.action.as_str(),
            (None, Some(finding), _) => finding.finding.as_str(),
            (None, None, PersonStanding::Excluded) => "excluded",
            (None, None, PersonStanding::Ignored) => "ignored",
            (None, None, PersonStanding::Contested) => FindingKind::Conflict.as_str(),
            (None, None, PersonStanding::Decided | PersonStanding::Dropped) => FindingKind::Unchanged.as_str(),
        }
    }
}
