//! The systems that the program knows: a line for each.

use super::{Descriptor, brightpattern, imichat, scim};

/// Every kind of system, in the order in which people are shown them.
pub const KINDS: [&Descriptor; 3] = [&imichat::DESCRIPTOR, &brightpattern::DESCRIPTOR, &scim::DESCRIPTOR];

/// The kind of this name.
#[must_use]
pub fn find_kind(name: &str) -> Option<&'static Descriptor> {
    KINDS.into_iter().find(|kind| kind.name == name)
}
