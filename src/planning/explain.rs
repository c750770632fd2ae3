//! One person, end to end. Nothing is decided here: the whole plan is made from the last listing, by the code that makes
//! every plan, and the answer is the part of it about that person. So the answer is what the next plan would say.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::explained_person::{ExplainedPlan, ExplainedRow, explain_row};
use super::people_decisions::PeopleDecisions;
use super::person_search::{MatchedPeople, PersonQuery, each_row, find_people};
use super::watched_people::{WatchedPeople, WatchedRow};
use super::{Accounts, PlanInputs, PlanningError, make_plan_watching};
use crate::model::{Account, AccountId, Place};
use crate::plan::SourceLine;
use crate::plan::file::PlanHeader;
use crate::plan::person::Person;

/// Everybody who is meant by a question; one, where it was exact enough.
#[derive(Clone, Debug)]
pub struct PersonAnswer {
    pub people: Vec<Person>,
    /// Where nobody is meant: the names that look most like the key.
    pub nearest: Vec<String>,
    /// The plan that they are part of.
    pub header: PlanHeader,
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
        rows.values().map(|explained| (explained.row.source.file.as_str(), explained.row.source.line)).collect();
    let accounts: HashSet<&AccountId> = watch.accounts().map(|account| &account.id).collect();
    let decisions = PeopleDecisions::read(&made, |source, account| match source {
        Some(SourceLine { file, line }) => sources.contains(&(file.as_str(), *line)),
        None => account.is_some_and(|id| accounts.contains(id)),
    })?;
    let seen: HashMap<Place, &WatchedRow> = watch.seen.iter().map(|seen| (seen.settlement.place, seen)).collect();

    let everything = ExplainedPlan { inputs, last, header: &made.header, decisions: &decisions, watch: &watch };
    let answers = asked.iter().zip(meant).map(|(query, meant)| PersonAnswer {
        people: everything.meant_people(query, &meant, &rows, &seen),
        nearest: meant.nearest,
        header: made.header.clone(),
    });
    Ok(answers.collect())
}

impl ExplainedPlan<'_> {
    /// The people that one question means.
    fn meant_people(
        &self,
        query: &PersonQuery,
        meant: &MatchedPeople,
        rows: &BTreeMap<Place, ExplainedRow>,
        seen: &HashMap<Place, &WatchedRow>,
    ) -> Vec<Person> {
        let has_meant = |seen: &WatchedRow| seen.accounts.iter().any(|account| meant.accounts.contains(&account.id));
        let mut places = meant.rows.clone();
        if !meant.accounts.is_empty() {
            places.extend(seen.values().filter(|seen| has_meant(seen)).map(|seen| seen.settlement.place));
        }
        places.sort_unstable();
        places.dedup();
        // A row that another of the same person stands for is worth a word only by itself.
        let is_dropped = |place: &Place| seen.get(place).is_some_and(|seen| seen.is_dropped());
        if matches!(query, PersonQuery::Key(_)) && !places.iter().all(is_dropped) {
            places.retain(|place| !is_dropped(place));
        }
        let mut people: Vec<Person> = places
            .iter()
            .filter_map(|place| Some(self.person_of_row(rows.get(place)?, seen.get(place).copied())))
            .collect();
        let mut alone: Vec<&Account> =
            self.watch.accounts().filter(|account| meant.accounts.contains(&account.id)).collect();
        alone.retain(|account| {
            people.iter().all(|person| {
                person.account.as_ref().is_none_or(|own| own.id != account.id)
                    && !person.matching.candidates.contains(&account.id)
            })
        });
        alone.sort_by_key(|account| &account.id);
        people.extend(alone.into_iter().map(|account| self.person_of_account(account)));
        people
    }
}
