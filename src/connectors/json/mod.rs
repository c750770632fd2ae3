//! JSON and the values of attributes, the one made of the other: what answers show, led by the schema, and what requests
//! carry.

mod read;
mod tree;
mod write;

pub(super) use read::{read_members, read_value};
pub(super) use tree::{JsonMembers, JsonTree};
pub(super) use write::to_json;
