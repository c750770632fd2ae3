//! A template becomes something that makes a text of a row, or every reason why not: the names in it are checked against
//! what there is: columns, functions, filters, tests, lookup tables.

use std::ops::Range;

use jiff::civil::Time;
use minijinja::{Error, ErrorKind, context};

use super::date;
use super::problem::MapError;
use super::template::{FUNCTIONS, RowTemplate, TemplateEngine, explain_error};
use super::template_bounds::{check_bounds, keep_copies};
use super::template_words::{TemplateWords, read_words};
use crate::model::text::nearest;
use crate::model::{Columns, Record};

/// Columns that a message names, where none is like the one that is not there.
const NAMES_SHOWN: usize = 30;
/// Filters worth suggesting for a name that is not one.
const FILTERS: [&str; 27] = [
    "lookup",
    "before",
    "after",
    "ascii",
    "slug",
    "digits",
    "date",
    "lower",
    "upper",
    "title",
    "capitalize",
    "trim",
    "replace",
    "default",
    "first",
    "last",
    "length",
    "join",
    "split",
    "int",
    "float",
    "round",
    "abs",
    "string",
    "list",
    "sort",
    "unique",
];
const TESTS: [&str; 12] = [
    "defined",
    "undefined",
    "none",
    "odd",
    "even",
    "number",
    "string",
    "startingwith",
    "endingwith",
    "in",
    "lower",
    "upper",
];

/// A template over the columns, for the setting of this name. Every name in it is checked, also in branches that no row may
/// reach.
pub(super) fn compile_template(
    engine: &mut TemplateEngine,
    setting: &str,
    source: &str,
    columns: &Columns,
    span: &Range<usize>,
) -> Result<RowTemplate, Vec<MapError>> {
    if let Err(reason) = check_bounds(source) {
        let help = "a long list is shorter with `in [...]`, and a table is read with `lookup`";
        return Err(vec![MapError::new(span, format!("{setting}: {reason}")).with_help(help)]);
    }
    let source = keep_copies(source).into_owned();
    let no_template = |error: Error| vec![syntax_error(&error, columns, span)];
    let words = read_words(&source).map_err(no_template)?;
    let template = engine.add_template(source, &words, columns).map_err(no_template)?;
    let mut errors = engine.check_names(&template, &words, columns, span);
    errors.extend(engine.check_calls(&words, span));
    if !errors.is_empty() {
        return Err(errors);
    }
    match engine.render_row(&template, &Record::default()) {
        Err(error) if fails_for_any_row(error.kind()) => {
            Err(vec![MapError::new(span, format!("the template cannot work: {}", explain_error(&error)))])
        }
        _ => Ok(template),
    }
}

/// As [`compile_template`], for an expression that is true or false (`source.include`).
pub(super) fn compile_condition(
    engine: &mut TemplateEngine,
    setting: &str,
    source: &str,
    columns: &Columns,
    span: &Range<usize>,
) -> Result<RowTemplate, Vec<MapError>> {
    let template = format!("{{{{ ({source}) }}}}");
    // What is wrong with the expression alone is said first: a message about the template would confuse.
    if check_bounds(&template).is_ok()
        && let Err(error) = engine.environment.compile_expression(source)
    {
        return Err(vec![syntax_error(&error, columns, span)]);
    }
    compile_template(engine, setting, &template, columns, span)
}

/// Whether a template that fails so without a row fails with any.
fn fails_for_any_row(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::MissingArgument
            | ErrorKind::TooManyArguments
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::OutOfFuel
    )
}

fn syntax_error(error: &Error, columns: &Columns, span: &Range<usize>) -> MapError {
    let problem = MapError::new(span, format!("not a template: {}", explain_error(error)));
    // The usual reason is a column that is not an identifier.
    let odd = columns.names().iter().find(|name| !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    match odd {
        Some(name) => problem.with_help(format!("a column whose name is not an identifier is written row[\"{name}\"]")),
        None => problem,
    }
}

impl TemplateEngine {
    fn check_names(
        &self,
        template: &RowTemplate,
        words: &TemplateWords,
        columns: &Columns,
        span: &Range<usize>,
    ) -> Vec<MapError> {
        let undeclared = self.undeclared_names(template);
        let mut errors = Vec::new();
        for name in words.names.iter().map(String::as_str) {
            let is_made = words.assigned.iter().any(|assigned| assigned == name);
            if is_made || !undeclared.contains(name) || columns.position(name).is_some() {
                continue;
            }
            let called = words.functions.iter().any(|function| function == name);
            if called && !FUNCTIONS.contains(&name) {
                let error = MapError::new(span, format!("there is no function `{name}`"));
                let help = format!(
                    "a template sees the row and nothing outside it; its functions are {}",
                    FUNCTIONS.map(|name| format!("{name}()")).join(", ")
                );
                errors.push(error.with_help(help));
            } else if !FUNCTIONS.contains(&name) {
                errors.push(unknown_column(name, columns, span));
            } else if !called {
                errors.push(MapError::new(span, format!("`{name}` is a function: write `{name}()`")));
            }
        }
        for name in words.row_columns.iter().filter(|name| columns.position(name).is_none()) {
            errors.push(unknown_column(name, columns, span));
        }
        errors
    }

    fn check_calls(&self, words: &TemplateWords, span: &Range<usize>) -> Vec<MapError> {
        let mut errors = Vec::new();
        for call in &words.filters {
            let arguments: Vec<Option<&str>> = call.arguments.iter().map(Option::as_deref).collect();
            if !self.has_named("filter", &call.name) {
                let error = MapError::new(span, format!("there is no filter `{}`", call.name));
                errors.push(error.with_nearest(nearest(&call.name, FILTERS.into_iter())));
                continue;
            }
            match (call.name.as_str(), arguments.as_slice()) {
                ("lookup", [Some(table), Some(column)]) => {
                    if let Err(unresolved) = self.lookups.resolve_column(table, column) {
                        errors.push(MapError::new(span, unresolved.reason).with_nearest(unresolved.nearest.as_deref()));
                    }
                }
                ("lookup", arguments) if arguments.len() != 2 => {
                    let error = MapError::new(span, "`lookup` takes a table and a column");
                    errors.push(error.with_help("write `lookup('teams', 'team_id')`"));
                }
                ("date", [Some(format)]) => {
                    if let Err(reason) = date::write_date(self.today.to_datetime(Time::midnight()), format) {
                        errors.push(
                            MapError::new(span, reason).with_help("a format is written as in strftime: %Y-%m-%d"),
                        );
                    }
                }
                ("before" | "after" | "date", arguments) if arguments.len() != 1 => {
                    errors.push(MapError::new(span, format!("`{}` takes one argument", call.name)));
                }
                ("ascii" | "slug" | "digits", [_, ..]) => {
                    errors.push(MapError::new(span, format!("`{}` takes no argument", call.name)));
                }
                _ => {}
            }
        }
        for name in &words.tests {
            if !self.has_named("test", name) {
                let error = MapError::new(span, format!("there is no test `is {name}`"));
                errors.push(error.with_nearest(nearest(name, TESTS.into_iter())));
            }
        }
        errors
    }

    /// Whether the engine has a filter or test of this name; it tells nobody but its own templates.
    fn has_named(&self, what: &str, name: &str) -> bool {
        let question = format!("name is {what}");
        let answer = self.environment.compile_expression(&question).and_then(|ask| ask.eval(context! { name }));
        answer.is_ok_and(|answer| answer.is_true())
    }
}

pub(super) fn unknown_column(name: &str, columns: &Columns, span: &Range<usize>) -> MapError {
    let error = MapError::new(span, format!("the source has no column `{name}`"));
    if let Some(near) = columns.nearest(name) {
        return error.with_nearest(Some(near));
    }
    let (names, more) = (columns.names(), columns.names().len().saturating_sub(NAMES_SHOWN));
    let shown = names[..names.len() - more].join(", ");
    error.with_help(if more > 0 {
        format!("its columns are {shown} and {more} more")
    } else {
        format!("its columns are {shown}")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::civil::Date;

    use super::super::lookup::Lookups;
    use super::*;

    #[test]
    fn every_name_that_is_suggested_exists() {
        let engine = TemplateEngine::new(Lookups::default(), Date::constant(2024, 3, 1));
        for filter in FILTERS {
            assert!(engine.has_named("filter", filter), "{filter}");
        }
        for test in TESTS {
            assert!(engine.has_named("test", test), "{test}");
        }
        assert!(!engine.has_named("filter", "env") && !engine.has_named("test", "env"));
        let globals: HashSet<_> = engine.environment.globals().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(globals, FUNCTIONS.iter().map(|name| (*name).to_owned()).collect());
    }
}
