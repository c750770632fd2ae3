//! A record of the source, kept in one reusable buffer, and where it stands.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The column names of a source, in their order. Names are unique and not empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    names: Vec<String>,
    by_name: HashMap<String, usize>,
}

impl Columns {
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        let by_name = names.iter().cloned().zip(0..).collect();
        Self { names, by_name }
    }

    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The known name that looks most like `wanted`, for "did you mean".
    #[must_use]
    pub fn nearest(&self, wanted: &str) -> Option<&str> {
        super::text::nearest(wanted, self.names.iter().map(String::as_str))
    }
}

/// Where a row stands: the index of its file in `source.path`, and the line its first cell begins on (1-based, as an
/// editor counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    pub file: u16,
    pub line: u32,
}

/// The cells of one row in one buffer, in the order of [`Columns`]. Made to be reused: a reader clears it and fills it
/// again, so a million rows take one allocation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    text: String,
    ends: Vec<u32>,
    pub place: Place,
}

impl Record {
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds the next cell.
    ///
    /// # Panics
    /// When one row holds 4 GiB of text: readers bound a row far below that.
    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or_else(|_| panic!("a row of more than 4 GiB")));
    }

    /// The cell of a column; empty where the row is too short to have it.
    #[must_use]
    pub fn cell(&self, column: usize) -> &str {
        let Some(&end) = self.ends.get(column) else { return "" };
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        &self.text[start as usize..end as usize]
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.cell(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_back_its_cells_and_blank_beyond_its_end() {
        let mut record = Record::default();
        for cell in ["ana", "", "diaz"] {
            record.push(cell);
        }
        assert_eq!(record.cells().collect::<Vec<_>>(), ["ana", "", "diaz"]);
        assert_eq!(record.cell(7), "");
        record.clear();
        assert!(record.is_empty());
    }
}
