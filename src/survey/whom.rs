//! Who is meant by a key: the rows and the accounts that go by it, as they call themselves, or else the names that look
//! most like it.

use std::borrow::Cow;

use super::last::Last;
use super::{Inputs, SurveyError};
use crate::model::{Account, AccountId, AttrId, Attributes, Place, Record, Schema, Value, Wanted, text};
use crate::plan::decide::Context;
use crate::source::RowShape;

/// Whom a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// By the identity, the account's id, a match key or any value that no two accounts share.
    Key(String),
    /// By a line of the export, with the file where there are several.
    Line { file: Option<String>, line: u32 },
}

/// The rows and accounts that are meant, each by itself.
#[derive(Debug, Default)]
pub(super) struct Meant {
    pub rows: Vec<Place>,
    pub accounts: Vec<AccountId>,
    /// Where nobody is meant: the names that look most like the key.
    pub nearest: Vec<String>,
}

/// How many names are suggested.
const MOST_NEAREST: usize = 5;

pub(super) fn find(inputs: &Inputs<'_>, last: &Last, whom: &Whom) -> Result<Meant, SurveyError> {
    match whom {
        Whom::Key(key) => by_key(inputs, last, key.trim()),
        Whom::Line { file, line } => Ok(Meant { rows: at_line(inputs, file.as_deref(), *line)?, ..Meant::default() }),
    }
}

fn by_key(inputs: &Inputs<'_>, last: &Last, key: &str) -> Result<Meant, SurveyError> {
    let mut meant = Meant::default();
    let ctx = inputs.context();
    let mut names = Vec::new();
    let mut nearest: Vec<String> = Vec::new();
    let mut looks_like = |names: &[Name]| {
        let known = std::mem::take(&mut nearest).into_iter().map(Cow::Owned);
        let more = names.iter().map(|name| Cow::Borrowed(name.text.as_str()));
        nearest = text::nearest_few(key, MOST_NEAREST, known.chain(more));
    };
    each_row(inputs, &mut |record, _| {
        names_of_row(inputs, &ctx, record, &mut names);
        if names.iter().any(|name| name.is(key)) {
            meant.rows.push(record.place);
        }
        looks_like(&names);
    })?;
    last.each(inputs.schema, &mut |account| {
        names_of_account(&ctx, account, &mut names);
        if names.iter().any(|name| name.is(key)) {
            meant.accounts.push(account.id.clone());
        }
        looks_like(&names);
        Ok(())
    })?;
    if meant.rows.is_empty() && meant.accounts.is_empty() {
        meant.nearest = nearest;
    }
    Ok(meant)
}

/// A name, and whether upper and lower case make another of it.
struct Name {
    text: String,
    case_exact: bool,
}

impl Name {
    fn is(&self, key: &str) -> bool {
        !key.is_empty() && text::normal(self.text.trim(), self.case_exact) == text::normal(key, self.case_exact)
    }
}

fn names_of_row(inputs: &Inputs<'_>, ctx: &Context<'_>, record: &Record, names: &mut Vec<Name>) {
    names.clear();
    let identity = inputs.mapping.identity(record);
    if !identity.is_empty() {
        names.push(Name { text: identity.to_owned(), case_exact: true });
    }
    let values: Attributes = inputs
        .mapping
        .explain(record)
        .into_iter()
        .filter_map(|explained| match explained.result {
            Ok(Some(Wanted::Set(value))) => Some((explained.mapped.attr, value)),
            _ => None,
        })
        .collect();
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
        names.extend(joined(ctx.schema, &rule.attributes, &value));
    }
    let unique = ctx.schema.iter().filter(|(_, attribute)| attribute.unique && attribute.comparable());
    for (id, _) in unique {
        names.extend(joined(ctx.schema, &[id], &value));
    }
}

fn joined<'v>(schema: &Schema, attributes: &[AttrId], value: impl Fn(AttrId) -> Option<&'v Value>) -> Option<Name> {
    let parts: Option<Vec<_>> =
        attributes.iter().map(|id| value(*id).filter(|value| !value.is_blank()).map(ToString::to_string)).collect();
    let case_exact = attributes.iter().any(|id| schema.get(*id).case_exact);
    Some(Name { text: parts?.join("+"), case_exact })
}

/// The rows that a line belongs to, in one file or in each.
fn at_line(inputs: &Inputs<'_>, file: Option<&str>, line: u32) -> Result<Vec<Place>, SurveyError> {
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
pub(super) fn each_row(inputs: &Inputs<'_>, take: &mut dyn FnMut(&Record, &RowShape)) -> Result<(), SurveyError> {
    let mut rows = inputs.source.rows()?;
    let mut record = Record::default();
    while let Some(shape) = rows.next_into(&mut record)? {
        take(&record, &shape);
    }
    Ok(())
}
