//! One record of a plan or a run becomes html, markdown, json, csv or text. Pure functions that write to a stream.

pub mod record;
pub mod summary;

pub use record::{Entry, Head, Outcome, RunRecord};
pub use summary::{Problem, Summary};
