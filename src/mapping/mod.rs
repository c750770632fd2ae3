//! A row and the expressions of `[map]` become a desired state, or every reason why not. Pure: the same row, mapping,
//! lookups and day always give the same answer.
//!
//! The rules that hold everywhere:
//!
//! - A cell has no outer blanks: they are taken away before a column, a template, `source.include` or a lookup sees it,
//!   because exports have stray blanks and people do not see them. What a template gives is treated the same way.
//! - A cell, or a template's text, that is empty then means what `blank` says, and only that.
//! - Everything that can be known to be wrong before the first row is an error of [`Mapping::compile`]; everything else
//!   makes one row [`Invalid`], with all its reasons at once.
//! - Secrets appear in no message, and neither does the value of a column that by itself makes a secret.

mod build;
mod cache;
mod compile;
mod convert;
mod date;
mod expression;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod lookup;
mod problem;
mod row_mapping;
pub mod spec;
mod template;
mod template_bounds;
mod template_check;
mod template_words;
#[cfg(test)]
mod tests;
mod text;

pub use self::build::Scratch;
pub use self::compile::{Creates, Options};
pub use self::lookup::{Lookup, LookupError, Lookups};
pub use self::problem::{Invalid, MapError};
pub use self::row_mapping::{Explained, Mapped, Mapping};
