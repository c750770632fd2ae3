//! Who is meant by a key: the rows and the accounts that go by it, as they call themselves, or else the names that look
//! most like it.

use super::last_listing::LastListing;
use super::{PlanInputs, PlanningError};
use crate::mapping::Scratch;
use crate::model::{Account, AccountId, AttrId, Place, Record, Schema, Value, text};
use crate::plan::decide::Context;
use crate::source::RowShape;

/// Whom a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonQuery {
    /// By the identity, the account's id, a match key or any value that no two accounts share.
    Key(String),
    /// By a line of the export, with the file where there are several.
    Line { file: Option<String>, line: u32 },
}

/// The rows and accounts that are meant, each by itself.
#[derive(Debug, Default)]
pub(super) struct MatchedPeople {
    pub rows: Vec<Place>,
    pub accounts: Vec<AccountId>,
    /// Where nobody is meant: the names that look most like the key.
    pub nearest: Vec<String>,
}

/// How many names are suggested.
const MOST_NEAREST: usize = 5;

pub(super) fn find_people(
    inputs: &PlanInputs<'_>,
    last: &LastListing,
    query: &PersonQuery,
) -> Result<MatchedPeople, PlanningError> {
    match query {
        PersonQuery::Key(key) => by_key(inputs, last, key.trim()),
        PersonQuery::Line { file, line } => {
            Ok(MatchedPeople { rows: at_line(inputs, file.as_deref(), *line)?, ..MatchedPeople::default() })
        }
    }
}

fn by_key(inputs: &PlanInputs<'_>, last: &LastListing, key: &str) -> Result<MatchedPeople, PlanningError> {
    let mut meant = MatchedPeople::default();
    let sought = SoughtKey::new(key);
    each_names(inputs, last, &mut |names, of| {
        if names.iter().any(|name| sought.is_name(name)) {
            match of {
                NameOwner::Row(place) => meant.rows.push(place),
                NameOwner::Account(id) => meant.accounts.push(id.clone()),
            }
        }
    })?;
    // Comparing a key with all names takes as long as everything else, and is of use to nobody who was found.
    if meant.rows.is_empty() && meant.accounts.is_empty() {
        let mut nearest = text::Nearest::new(key, MOST_NEAREST);
        each_names(inputs, last, &mut |names, _| names.iter().for_each(|name| nearest.look_at(&name.text)))?;
        meant.nearest = nearest.names();
    }
    Ok(meant)
}

/// Whose names they are.
enum NameOwner<'a> {
    Row(Place),
    Account(&'a AccountId),
}

/// All names of every row and of every account.
fn each_names(
    inputs: &PlanInputs<'_>,
    last: &LastListing,
    take: &mut dyn FnMut(&[Name], NameOwner<'_>),
) -> Result<(), PlanningError> {
    let ctx = inputs.decision_context();
    let (mut names, mut scratch) = (Vec::new(), inputs.mapping.scratch());
    each_row(inputs, &mut |record, _| {
        names_of_row(inputs, &ctx, record, &mut scratch, &mut names);
        take(&names, NameOwner::Row(record.place));
    })?;
    last.each_account(inputs.schema, &mut |account| {
        names_of_account(&ctx, account, &mut names);
        take(&names, NameOwner::Account(&account.id));
        Ok(())
    })
}

/// A name, and whether upper and lower case make another of it.
struct Name {
    text: String,
    case_exact: bool,
}

/// The key that is asked for, in both forms in which names are compared.
struct SoughtKey {
    exact: String,
    folded: String,
}

impl SoughtKey {
    fn new(key: &str) -> Self {
        Self { exact: text::normal(key, true).into_owned(), folded: text::normal(key, false).into_owned() }
    }

    fn is_name(&self, name: &Name) -> bool {
        let key = if name.case_exact { &self.exact } else { &self.folded };
        !key.is_empty() && text::normal(name.text.trim(), name.case_exact) == key.as_str()
    }
}

fn names_of_row(
    inputs: &PlanInputs<'_>,
    ctx: &Context<'_>,
    record: &Record,
    scratch: &mut Scratch,
    names: &mut Vec<Name>,
) {
    names.clear();
    let identity = inputs.mapping.identity(record);
    if !identity.is_empty() {
        names.push(Name { text: identity.to_owned(), case_exact: true });
    }
    if let Ok(desired) = inputs.mapping.map(record, scratch) {
        return names_of_values(ctx, |id| desired.value(id), names);
    }
    let values = inputs.mapping.usable_values(record);
    names_of_values(ctx, |id| values.get(id), names);
}

fn names_of_account(ctx: &Context<'_>, account: &Account, names: &mut Vec<Name>) {
    names.clear();
    names.push(Name { text: account.id.0.clone(), case_exact: true });
    names_of_values(ctx, |id| account.values.get(id), names);
}

/// What the match rules make of the values, and each value that no two accounts share.
fn names_of_values<'v>(ctx: &Context<'_>, value: impl Fn(AttrId) -> Option<&'v Value>, names: &mut Vec<Name>) {
    for rule in ctx.rules {
        names.extend(join_values(ctx.schema, &rule.attributes, &value));
    }
    let unique = ctx.schema.iter().filter(|(_, attribute)| attribute.unique && attribute.comparable());
    for (id, _) in unique {
        names.extend(join_values(ctx.schema, &[id], &value));
    }
}

fn join_values<'v>(
    schema: &Schema,
    attributes: &[AttrId],
    value: impl Fn(AttrId) -> Option<&'v Value>,
) -> Option<Name> {
    let parts: Option<Vec<_>> =
        attributes.iter().map(|id| value(*id).filter(|value| !value.is_blank()).map(ToString::to_string)).collect();
    let case_exact = attributes.iter().any(|id| schema.get(*id).case_exact);
    Some(Name { text: parts?.join("+"), case_exact })
}

/// The rows that a line belongs to, in one file or in each.
fn at_line(inputs: &PlanInputs<'_>, file: Option<&str>, line: u32) -> Result<Vec<Place>, PlanningError> {
    let mut found = Vec::new();
    each_row(inputs, &mut |record, _| {
        let Place { file: at, line: first } = record.place;
        let breaks = record.cells().map(|cell| cell.matches('\n').count()).sum::<usize>();
        let last = first.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        let named = || inputs.source.files().get(usize::from(at));
        let is_file = file.is_none_or(|file| named().is_some_and(|name| name.short == file || name.shown == file));
        if is_file && (first..=last).contains(&line) {
            found.push(record.place);
        }
    })?;
    Ok(found)
}

/// Every row of the source with its shape, good or bad.
pub(super) fn each_row(inputs: &PlanInputs<'_>, take: &mut dyn FnMut(&Record, &RowShape)) -> Result<(), PlanningError> {
    let mut rows = inputs.source.rows()?;
    let mut record = Record::default();
    while let Some(shape) = rows.next_into(&mut record)? {
        take(&record, &shape);
    }
    Ok(())
}
