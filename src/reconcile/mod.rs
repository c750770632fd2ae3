//! Who is who, and what differs. Rows are kept as facts of a fixed, small size; accounts stream past them, find the row
//! that means them, and are dropped at once where a digest says "equal". What a digest does not settle is compared
//! attribute by attribute. Pure: the same rows and accounts give the same verdicts in any order.

pub mod compare;
pub mod facts;
pub mod index;
pub mod verdict;

pub use compare::{Comparison, Difference, compare_desired};
pub use facts::{RowFacts, compared_attributes};
pub use index::RowIndex;
pub use verdict::{Added, FoundBy, RowFlags, RowVerdict, Settled, Settlement};
