//! One person, end to end. Nothing is decided here: the whole plan is made from the last listing, by the code that makes
//! every plan, and of it is told what concerns that person. So what is explained is what the next plan would say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;

use super::watch::{Watch, Witnessed};
use super::whom::{Meant, Whom, each_row, find};
use super::{Accounts, Inputs, SurveyError, Surveyed, findings, survey_watching};
use crate::mapping::spec::On;
use crate::model::{Account, AccountId, AttrId, Desired, Place, Record, Wanted};
use crate::plan::decide::{Decision, key_of_account, key_of_row};
use crate::plan::file::{Header, PlanReader};
use crate::plan::{Action, Finding, FindingKind, Source};
use crate::reconcile::{Comparison, Found, Verdict};
use crate::source::RowShape;

/// Everybody who is meant by a question; one, where it was exact enough.
#[derive(Clone, Debug)]
pub struct Explained {
    pub people: Vec<Person>,
    /// Where nobody is meant: the names that look most like the key.
    pub nearest: Vec<String>,
    /// The plan that they are part of.
    pub header: Header,
}

/// One person: a row, an account, or a row with its account.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name by which plans and reports know the person.
    pub key: String,
    pub row: Option<Row>,
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
    pub standing: Standing,
    /// What the plan does and says.
    pub decision: Decision,
}

/// What becomes of a person, where the decision alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
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
pub struct Row {
    pub place: Place,
    pub source: Source,
    pub identity: String,
    /// The name by which plans would know it; none where it cannot be used.
    pub key: Option<String>,
    /// Why no cell of it can be told, where that is so.
    pub problem: Option<String>,
    pub values: Vec<Mapped>,
    /// The cells that `source.include` reads.
    pub include: Vec<(String, String)>,
}

/// What one expression of `[map]` came to.
#[derive(Clone, Debug)]
pub struct Mapped {
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
/// As [`super::survey`].
pub async fn explain(inputs: &Inputs<'_>, asked: &[Whom]) -> Result<Vec<Explained>, SurveyError> {
    let Accounts::Last(last) = inputs.accounts else {
        let error = std::io::Error::other("people are explained from the last listing");
        return Err(SurveyError::File { path: "the listing".to_owned(), error });
    };
    let meant = asked.iter().map(|whom| find(inputs, last, whom)).collect::<Result<Vec<_>, _>>()?;
    let rows_meant = meant.iter().flat_map(|meant| meant.rows.iter().copied());
    let mut watch = Watch::new(rows_meant, meant.iter().flat_map(|meant| meant.accounts.iter().cloned()));
    let surveyed = survey_watching(inputs, &mut watch).await?;

    let mut places: Vec<Place> = meant.iter().flat_map(|meant| meant.rows.iter().copied()).collect();
    places.extend(watch.seen.iter().map(|seen| seen.settlement.place));
    places.sort_unstable();
    places.dedup();
    let mut rows = BTreeMap::new();
    each_row(inputs, &mut |record, shape| {
        if places.binary_search(&record.place).is_ok() {
            rows.insert(record.place, row(inputs, record, shape));
        }
    })?;
    let sources: HashSet<(&str, u32)> =
        rows.values().map(|(row, _)| (row.source.file.as_str(), row.source.line)).collect();
    let accounts: HashSet<&AccountId> = watch.accounts().map(|account| &account.id).collect();
    let said = Said::read(&surveyed, |source, account| match source {
        Some(Source { file, line }) => sources.contains(&(file.as_str(), *line)),
        None => account.is_some_and(|id| accounts.contains(id)),
    })?;
    let seen: HashMap<Place, &Witnessed> = watch.seen.iter().map(|seen| (seen.settlement.place, seen)).collect();

    let everything = Everything { inputs, rows: &rows, seen: &seen, said: &said, watch: &watch };
    let answers = asked.iter().zip(meant).map(|(whom, meant)| Explained {
        people: everything.people(whom, &meant),
        nearest: meant.nearest,
        header: surveyed.header.clone(),
    });
    Ok(answers.collect())
}

/// All that the plan and the source told of the people who are asked for.
struct Everything<'a> {
    inputs: &'a Inputs<'a>,
    rows: &'a BTreeMap<Place, (Row, Standing)>,
    seen: &'a HashMap<Place, &'a Witnessed>,
    said: &'a Said,
    watch: &'a Watch,
}

impl Everything<'_> {
    /// The people that one question means.
    fn people(&self, whom: &Whom, meant: &Meant) -> Vec<Person> {
        let has_meant = |seen: &Witnessed| seen.accounts.iter().any(|account| meant.accounts.contains(&account.id));
        let mut places = meant.rows.clone();
        if !meant.accounts.is_empty() {
            places.extend(self.seen.values().filter(|seen| has_meant(seen)).map(|seen| seen.settlement.place));
        }
        places.sort_unstable();
        places.dedup();
        let mut people: Vec<Person> = places
            .iter()
            .filter_map(|place| {
                let (row, standing) = self.rows.get(place)?;
                Some(of_row(self.inputs, row.clone(), *standing, self.seen.get(place).copied(), self.said))
            })
            .collect();
        // A row that another of the same person stands for is worth a word only by itself.
        let others = people.iter().any(|person| person.standing != Standing::Dropped);
        if others && matches!(whom, Whom::Key(_)) {
            people.retain(|person| person.standing != Standing::Dropped);
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
        people.extend(alone.into_iter().map(|account| of_account(self.inputs, account.clone(), self.said, self.watch)));
        people
    }
}

fn row(inputs: &Inputs<'_>, record: &Record, shape: &RowShape) -> (Row, Standing) {
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
    let values = explained.into_iter().map(|explained| Mapped {
        attribute: explained.mapped.attr,
        on: explained.mapped.on,
        expression: explained.mapped.expression.clone(),
        cells: if explained.hidden { Vec::new() } else { cells(&explained.reads) },
        result: explained.result.map_err(|reasons| reasons.iter().map(ToString::to_string).collect()),
    });
    let counts = problem.is_some() || inputs.mapping.includes(record, &mut inputs.mapping.scratch()).unwrap_or(true);
    let desired = inputs.mapping.map(record, &mut inputs.mapping.scratch()).ok().filter(|_| problem.is_none());
    let row = Row {
        key: desired.map(|desired| key_of_row(&inputs.context(), &desired)),
        place: record.place,
        source: inputs.source_of(record.place),
        identity: inputs.mapping.identity(record).to_owned(),
        problem,
        values: values.collect(),
        include: cells(inputs.mapping.include_reads()),
    };
    (row, if counts { Standing::Decided } else { Standing::Excluded })
}

fn of_row(inputs: &Inputs<'_>, row: Row, standing: Standing, seen: Option<&Witnessed>, said: &Said) -> Person {
    let decision = said.of_row(&row.source);
    let remembered = (!row.identity.is_empty()).then(|| inputs.memory.link_of(&row.identity)).flatten();
    let key_said = decision.action.as_ref().map(|action| &action.key).or(decision.finding.as_ref().map(|f| &f.key));
    let mut person = Person {
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
    let Some(Witnessed { settlement, desired, accounts, comparison }) = seen else { return person };
    person.key = key_of_row(&inputs.context(), desired);
    person.desired = Some(desired.clone());
    person.comparison = comparison.clone();
    match &settlement.verdict {
        Verdict::Dropped { .. } => person.standing = Standing::Dropped,
        Verdict::Equal { found, .. } | Verdict::Matched { found, .. } => {
            person.account = accounts.first().cloned();
            person.found = Some(match found {
                Found::Link => "link".to_owned(),
                Found::Rule(rule) => inputs.rules.get(*rule).map(|rule| rule.label.clone()).unwrap_or_default(),
            });
        }
        Verdict::Claimed { .. } => person.account = accounts.first().cloned(),
        Verdict::Ambiguous { .. } => person.candidates = accounts.iter().map(|account| account.id.clone()).collect(),
        Verdict::Missing | Verdict::SameKey { .. } => {}
    }
    person
}

fn of_account(inputs: &Inputs<'_>, account: Account, said: &Said, watch: &Watch) -> Person {
    let decision = said.of_account(&account.id);
    let standing = match (&decision.action, &decision.finding) {
        (None, None) if watch.is_alone(&account.id) => Standing::Ignored,
        (None, None) => Standing::Contested,
        _ => Standing::Decided,
    };
    Person {
        key: key_of_account(&inputs.context(), &account),
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
struct Said {
    actions: Vec<Action>,
    findings: Vec<Finding>,
}

impl Said {
    fn read(
        surveyed: &Surveyed,
        is_one: impl Fn(Option<&Source>, Option<&AccountId>) -> bool,
    ) -> Result<Self, SurveyError> {
        let file = File::open(&surveyed.files.plan).map_err(SurveyError::file(&surveyed.files.plan))?;
        let mut reader = PlanReader::new(BufReader::new(file))?;
        let mut actions = Vec::new();
        while let Some(action) = reader.next()? {
            if is_one(action.source.as_ref(), action.account.as_ref()) {
                actions.push(action);
            }
        }
        let path = &surveyed.files.findings;
        let mut findings = Vec::new();
        for finding in findings::read_findings(path).map_err(SurveyError::file(path))? {
            let finding = finding.map_err(SurveyError::file(path))?;
            if is_one(finding.source.as_ref(), finding.account.as_ref()) {
                findings.push(finding);
            }
        }
        Ok(Self { actions, findings })
    }

    fn of_row(&self, source: &Source) -> Decision {
        self.of(|at, _| at == Some(source))
    }

    fn of_account(&self, id: &AccountId) -> Decision {
        self.of(|at, account| at.is_none() && account == Some(id))
    }

    fn of(&self, is_it: impl Fn(Option<&Source>, Option<&AccountId>) -> bool) -> Decision {
        Decision {
            action: self.actions.iter().find(|a| is_it(a.source.as_ref(), a.account.as_ref())).cloned(),
            finding: self.findings.iter().find(|f| is_it(f.source.as_ref(), f.account.as_ref())).cloned(),
        }
    }
}

impl Person {
    /// What becomes of the person, in one word: the action, or what was found.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (&self.decision.action, &self.decision.finding, self.standing) {
            (Some(action), _, _) => action.action.name(),
            (None, Some(finding), _) => finding.finding.name(),
            (None, None, Standing::Excluded) => "excluded",
            (None, None, Standing::Ignored) => "ignored",
            (None, None, Standing::Contested) => FindingKind::Conflict.name(),
            (None, None, Standing::Decided | Standing::Dropped) => FindingKind::Unchanged.name(),
        }
    }
}
