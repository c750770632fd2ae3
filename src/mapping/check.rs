//! The names in a template, checked against what there is: columns, functions, filters, tests, lookup tables. The engine
//! would find a wrong one only on the first row that reaches it, at night.

use std::collections::HashSet;
use std::ops::Range;

use jiff::civil::Time;
use minijinja::context;

use super::date;
use super::problem::MapError;
use super::scan::Facts;
use super::template::Engine;
use crate::model::Columns;
use crate::model::text::nearest;

/// The functions a template can call.
pub(super) const FUNCTIONS: [&str; 4] = ["today", "range", "dict", "namespace"];
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

impl Engine {
    pub(super) fn check_names(
        &self,
        template: &str,
        facts: &Facts<'_>,
        columns: &Columns,
        span: &Range<usize>,
    ) -> Vec<MapError> {
        let undeclared = match self.environment.get_template(template) {
            Ok(template) => template.undeclared_variables(false),
            Err(_) => HashSet::new(),
        };
        let mut errors = Vec::new();
        for name in &facts.names {
            if !undeclared.contains(*name) || facts.assigned.contains(name) || columns.position(name).is_some() {
                continue;
            }
            let called = facts.functions.contains(name);
            if called && !FUNCTIONS.contains(name) {
                let error = MapError::new(span, format!("there is no function `{name}`"));
                let help = format!(
                    "a template sees the row and nothing outside it; its functions are {}",
                    FUNCTIONS.map(|name| format!("{name}()")).join(", ")
                );
                errors.push(error.help(help));
            } else if !FUNCTIONS.contains(name) {
                errors.push(unknown_column(name, columns, span));
            } else if !called {
                errors.push(MapError::new(span, format!("`{name}` is a function: write `{name}()`")));
            }
        }
        for name in facts.row_columns.iter().filter(|name| columns.position(name).is_none()) {
            errors.push(unknown_column(name, columns, span));
        }
        errors
    }

    pub(super) fn check_calls(&self, facts: &Facts<'_>, span: &Range<usize>) -> Vec<MapError> {
        let mut errors = Vec::new();
        for call in &facts.filters {
            if !self.knows("filter", call.name) {
                let error = MapError::new(span, format!("there is no filter `{}`", call.name));
                errors.push(error.nearest(nearest(call.name, FILTERS.into_iter())));
                continue;
            }
            match (call.name, call.arguments.as_slice()) {
                ("lookup", [Some(table), Some(column)]) => {
                    if let Err(unresolved) = self.lookups.resolve(table, column) {
                        errors.push(MapError::new(span, unresolved.reason).nearest(unresolved.nearest.as_deref()));
                    }
                }
                ("lookup", arguments) if arguments.len() != 2 => {
                    let error = MapError::new(span, "`lookup` takes a table and a column");
                    errors.push(error.help("write `lookup('teams', 'team_id')`"));
                }
                ("date", [Some(format)]) => {
                    if let Err(reason) = date::write(self.today.to_datetime(Time::midnight()), format) {
                        errors.push(MapError::new(span, reason).help("a format is written as in strftime: %Y-%m-%d"));
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
        for name in &facts.tests {
            if !self.knows("test", name) {
                let error = MapError::new(span, format!("there is no test `is {name}`"));
                errors.push(error.nearest(nearest(name, TESTS.into_iter())));
            }
        }
        errors
    }

    /// Whether the engine has a filter or test of this name; it tells nobody but its own templates.
    fn knows(&self, what: &str, name: &str) -> bool {
        let question = format!("name is {what}");
        let answer = self.environment.compile_expression(&question).and_then(|ask| ask.eval(context! { name }));
        answer.is_ok_and(|answer| answer.is_true())
    }
}

pub(super) fn unknown_column(name: &str, columns: &Columns, span: &Range<usize>) -> MapError {
    let error = MapError::new(span, format!("the source has no column `{name}`"));
    match columns.nearest(name) {
        Some(_) => error.nearest(columns.nearest(name)),
        None => error.help(format!("its columns are {}", columns.names().join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::super::lookup::Lookups;
    use super::*;

    #[test]
    fn every_name_that_is_suggested_exists() {
        let engine = Engine::new(Lookups::default(), Date::constant(2024, 3, 1));
        for filter in FILTERS {
            assert!(engine.knows("filter", filter), "{filter}");
        }
        for test in TESTS {
            assert!(engine.knows("test", test), "{test}");
        }
        assert!(!engine.knows("filter", "env") && !engine.knows("test", "env"));
        let globals: HashSet<_> = engine.environment.globals().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(globals, FUNCTIONS.iter().map(|name| (*name).to_owned()).collect());
    }
}
