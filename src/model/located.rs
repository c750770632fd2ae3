//! Something and where the configuration says it, so that what is wrong with it can be shown there.

use std::ops::Range;

/// Something and the bytes of the configuration file that say it.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    pub value: T,
    pub span: Range<usize>,
}
