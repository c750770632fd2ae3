//! The first rows of an export, column by column: what the cells look like. Memory is bounded, however long the cells
//! and the file are.

use std::collections::BTreeMap;

use crate::model::{Columns, Record, shape};

/// Rows that are looked at closely.
const ROWS: u64 = 10_000;
/// Different values that are remembered of a column.
const VALUES: usize = 64;
/// Characters that are remembered of a value.
const LENGTH: usize = 120;

/// One column, as its first cells are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    pub name: String,
    /// Cells with something in them.
    pub filled: u64,
    pub addresses: u64,
    pub numbers: u64,
    pub dates: u64,
    pub pairs: u64,
    /// Cells with a comma between two words, as in `Diaz, Ana`.
    pub commas: u64,
    /// Cells of several words.
    pub words: u64,
    /// The different values and how often each is there; none where there are too many to be a list of choices.
    pub values: Option<BTreeMap<String, u64>>,
}

/// The first rows of an export.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    pub columns: Vec<Column>,
    pub rows: u64,
}

/// A look at the first rows.
pub struct ExportSample {
    profile: Profile,
}

impl ExportSample {
    #[must_use]
    pub fn new(columns: &Columns) -> Self {
        let column = |name: &String| Column { name: name.clone(), values: Some(BTreeMap::new()), ..Column::default() };
        Self { profile: Profile { columns: columns.names().iter().map(column).collect(), rows: 0 } }
    }

    /// Looks at one row. False once enough were seen.
    pub fn take(&mut self, row: &Record) -> bool {
        self.profile.rows += 1;
        for (at, column) in self.profile.columns.iter_mut().enumerate() {
            column.count_cell(row.cell(at).trim());
        }
        self.profile.rows < ROWS
    }

    #[must_use]
    pub fn finish(self) -> Profile {
        self.profile
    }
}

impl Column {
    fn count_cell(&mut self, cell: &str) {
        if cell.is_empty() {
            return;
        }
        self.filled += 1;
        self.addresses += u64::from(shape::is_address(cell));
        self.numbers += u64::from(shape::is_number(cell));
        self.dates += u64::from(shape::is_date(cell));
        self.pairs += u64::from(shape::is_pairs(cell));
        self.commas +=
            u64::from(cell.split_once(',').is_some_and(|(a, b)| !a.trim().is_empty() && !b.trim().is_empty()));
        self.words += u64::from(cell.contains(char::is_whitespace));
        if let Some(values) = &mut self.values {
            if let Some(count) = values.get_mut(cell) {
                *count += 1;
            } else if values.len() == VALUES || cell.chars().nth(LENGTH).is_some() {
                self.values = None;
            } else {
                values.insert(cell.to_owned(), 1);
            }
        }
    }

    /// Whether at least `percent` of the cells that are filled are counted by `count`.
    pub(super) fn mostly(&self, count: u64, percent: u64) -> bool {
        self.filled > 0 && count * 100 >= self.filled * percent
    }
}
