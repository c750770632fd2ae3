//! A row and the expressions of `[map]` become a desired state, or every reason why not. Pure: the same row, mapping,
//! lookups and day always give the same answer.

pub mod spec;
