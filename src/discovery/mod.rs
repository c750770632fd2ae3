//! What an export nobody has described yet seems to hold, and the configuration that would fit it. Pure: columns and
//! cells come in, guesses with their reasons come out.
//!
//! A guess is never taken for a fact. Each one says why it was made, so that a person can judge it; what the names and
//! the cells leave open becomes a question; what nothing in the export can answer becomes a line that is marked to be
//! filled in. The name of a column counts more than its cells, and the cells can refute it.
//!
//! It goes in this order: [`ExportSample`] looks at the first rows, [`recognise`] finds out what the columns mean, [`Census`]
//! counts in all rows what only all of them can tell, and [`propose`] makes the lines that [`config_text`] writes.

mod blueprint;
mod census;
mod column;
mod literals;
mod meaning;
mod product;
mod proposal;
mod propose;
mod recognise;
mod status;
mod synonyms;
#[cfg(test)]
mod tests;
mod write;

pub use blueprint::{Blueprint, InUse, ValueOrigin, Wish};
pub use census::{Census, Keys, Values};
pub use column::{Column, ExportSample, Profile};
pub use meaning::Meaning;
pub use product::Product;
pub use proposal::{Answers, ExportForm, ExportPlace, Missing, Proposal, TeamLookup};
pub use propose::propose;
pub use recognise::{FoundColumn, Recognised, recognise};
pub use status::{Sense, sense_of};
pub use synonyms::is_usual_name;
pub use write::config_text;
