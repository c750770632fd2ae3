//! What a row can be by its shape alone, before anybody asks what its cells say.

use crate::model::Place;

/// The longest record, in bytes of UTF-8. What is longer is no row, but most likely a quote that nothing closes.
pub(super) const MAX_RECORD: usize = 1 << 20;

/// What a row is by its shape alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowShape {
    /// It has a cell for each column.
    Good,
    /// It cannot be used; the rows after it can.
    Bad(RowProblem),
}

/// What is wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    pub place: Place,
    /// Without the place.
    pub message: String,
    pub fault: RowFault,
}

/// How far a bad row can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// It has too few or too many cells, or one whose value cannot be told; the record has those that are there, under
    /// the columns that come first.
    Cells,
    /// Where its cells end is not certain: an open quote, text behind one, the end of the file. The record is empty.
    Torn,
}
