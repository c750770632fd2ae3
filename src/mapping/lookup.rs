//! Tables for the `lookup` filter. Whoever reads the files builds them; the mapping only asks.

use std::collections::{BTreeMap, HashMap};

use super::problem::shorten_value;
use crate::model::{Columns, Record, text};

/// A lookup table: key → column → value.
#[derive(Clone, Debug)]
pub struct Lookup {
    name: String,
    origin: String,
    key_column: String,
    key: usize,
    columns: Columns,
    rows: HashMap<String, LookupRow>,
}

#[derive(Clone, Debug)]
struct LookupRow {
    line: u32,
    cells: Vec<String>,
}

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    #[error("lookup {lookup} ({origin}) has no column `{key}` to be its key{}", did_you_mean(.nearest.as_deref()))]
    UnknownKey { lookup: String, origin: String, key: String, nearest: Option<String> },
    #[error("lookup {lookup} ({origin}) has the key \"{key}\" twice: lines {first} and {second}")]
    DuplicateKey { lookup: String, origin: String, key: String, first: u32, second: u32 },
    #[error("lookup {lookup} ({origin}) has an empty key in line {line}")]
    EmptyKey { lookup: String, origin: String, line: u32 },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

impl Lookup {
    /// A table without rows. `origin` is where it comes from, as messages name it: `samples/teams.csv`.
    ///
    /// # Errors
    /// When there is no column of the key's name.
    pub fn new(
        name: impl Into<String>,
        origin: impl Into<String>,
        key_column: &str,
        columns: Columns,
    ) -> Result<Self, LookupError> {
        let (name, origin, key_column) = (name.into(), origin.into(), key_column.to_owned());
        let Some(key) = columns.position(&key_column) else {
            let nearest = columns.nearest(&key_column).map(str::to_owned);
            return Err(LookupError::UnknownKey { lookup: name, origin, key: key_column, nearest });
        };
        Ok(Self { name, origin, key_column, key, columns, rows: HashMap::new() })
    }

    /// Adds one row, cells without outer blanks.
    ///
    /// # Errors
    /// When the row's key is empty, or another row has it already; the table is then as it was.
    pub fn insert(&mut self, row: &Record) -> Result<(), LookupError> {
        let line = row.place.line;
        let shown = row.cell(self.key).trim();
        if shown.is_empty() {
            return Err(LookupError::EmptyKey { lookup: self.name.clone(), origin: self.origin.clone(), line });
        }
        let key = text::normal(shown, true);
        if let Some(first) = self.rows.get(&*key) {
            return Err(LookupError::DuplicateKey {
                lookup: self.name.clone(),
                origin: self.origin.clone(),
                key: shorten_value(shown),
                first: first.line,
                second: line,
            });
        }
        let cells = (0..self.columns.names().len()).map(|at| row.cell(at).trim().to_owned()).collect();
        self.rows.insert(key.into_owned(), LookupRow { line, cells });
        Ok(())
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cell of the row of this key; the empty text where the key is empty, because an empty cell means nothing.
    pub(super) fn find(&self, key: &str, column: usize) -> Result<&str, String> {
        let key = key.trim();
        if key.is_empty() {
            return Ok("");
        }
        match self.rows.get(&*text::normal(key, true)) {
            Some(row) => Ok(row.cells.get(column).map_or("", String::as_str)),
            None => {
                let (what, key) = (&self.key_column, shorten_value(key));
                Err(format!("no {what} \"{key}\" in lookup {} ({})", self.name, self.origin))
            }
        }
    }
}

/// The tables of a configuration, by name.
#[derive(Clone, Debug, Default)]
pub struct Lookups(BTreeMap<String, Lookup>);

impl FromIterator<Lookup> for Lookups {
    fn from_iter<T: IntoIterator<Item = Lookup>>(tables: T) -> Self {
        Self(tables.into_iter().map(|table| (table.name.clone(), table)).collect())
    }
}

impl Lookups {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Lookup> {
        self.0.get(name)
    }

    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The table and the position of the column that an expression names.
    pub(super) fn resolve_column(&self, table: &str, column: &str) -> Result<(&Lookup, usize), Unresolved> {
        let Some(lookup) = self.get(table) else {
            return Err(Unresolved {
                reason: format!("there is no lookup `{table}`"),
                nearest: text::nearest(table, self.table_names()).map(str::to_owned),
            });
        };
        match lookup.columns.position(column) {
            Some(at) => Ok((lookup, at)),
            None => Err(Unresolved {
                reason: format!("lookup {table} ({}) has no column `{column}`", lookup.origin),
                nearest: lookup.columns.nearest(column).map(str::to_owned),
            }),
        }
    }

    pub(super) fn find(&self, key: &str, table: &str, column: &str) -> Result<&str, String> {
        let (lookup, column) = self.resolve_column(table, column).map_err(|unresolved| unresolved.reason)?;
        lookup.find(key, column)
    }
}

/// A table or column that does not exist.
pub(super) struct Unresolved {
    pub reason: String,
    pub nearest: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u32, cells: &[&str]) -> Record {
        let mut row = Record::default();
        cells.iter().for_each(|cell| row.push(cell));
        row.place.line = line;
        row
    }

    fn teams() -> Lookup {
        let columns = Columns::new(vec!["team_name".into(), "team_id".into()]);
        Lookup::new("teams", "teams.csv", "team_name", columns).unwrap()
    }

    #[test]
    fn a_table_finds_by_key_and_says_what_it_does_not_have() {
        let mut teams = teams();
        teams.insert(&row(2, &[" Zoe\u{308} ", " 12 "])).unwrap();
        assert_eq!(teams.find("Zo\u{eb}", 1), Ok("12"));
        assert_eq!(teams.find("  ", 1), Ok(""));
        assert_eq!(teams.find("X", 1), Err("no team_name \"X\" in lookup teams (teams.csv)".into()));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_with_both_lines() {
        let mut teams = teams();
        teams.insert(&row(2, &["North", "1"])).unwrap();
        let error = teams.insert(&row(5, &["North ", "2"])).unwrap_err();
        assert_eq!(error.to_string(), "lookup teams (teams.csv) has the key \"North\" twice: lines 2 and 5");
        assert_eq!(teams.find("North", 1), Ok("1"));
        assert!(matches!(teams.insert(&row(6, &[" ", "3"])), Err(LookupError::EmptyKey { line: 6, .. })));
    }

    #[test]
    fn an_unknown_key_column_suggests_the_nearest() {
        let error = Lookup::new("teams", "t.csv", "team_nmae", Columns::new(vec!["team_name".into()])).unwrap_err();
        assert!(error.to_string().ends_with("did you mean `team_name`?"), "{error}");
    }
}
