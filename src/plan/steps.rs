//! The requests that an action takes, and what each carries. Follows from the action and the schema alone, so that
//! execution makes no choices.

use super::{Action, ActionKind};
use crate::model::{AttrId, Attributes, Schema, Value};

/// What an action sends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// The values of the first request; empty for a deletion.
    pub first: Attributes,
    /// The values of the update after a create, for what a create cannot carry; empty where there is none.
    pub then: Attributes,
}

/// Whether an attribute of a new account needs an update after the create.
#[must_use]
pub fn follow_up(schema: &Schema, attribute: &str) -> bool {
    schema.id(attribute).is_some_and(|id| !schema.get(id).create)
}

/// # Errors
/// The name of an attribute that the schema does not have: the plan was made for another target.
pub fn split_steps(schema: &Schema, action: &Action) -> Result<Steps, String> {
    let mut steps = Steps::default();
    let changes = action.changes.iter().map(|change| (&change.attribute, &change.to));
    for (name, value) in changes.chain(&action.also) {
        let id = schema.id(name).ok_or_else(|| name.clone())?;
        let later = action.action == ActionKind::Create && follow_up(schema, name);
        if later { &mut steps.then } else { &mut steps.first }.set(id, value.clone());
    }
    Ok(steps)
}

/// What the plan saw of an existing account: the old value of each change, and each value that is sent along.
///
/// # Errors
/// As [`split_steps`].
pub fn seen_values(schema: &Schema, action: &Action) -> Result<Vec<(AttrId, Value)>, String> {
    let changes = action.changes.iter().filter_map(|change| change.from.as_ref().map(|from| (&change.attribute, from)));
    changes
        .chain(&action.also)
        .map(|(name, value)| schema.id(name).map(|id| (id, value.clone())).ok_or_else(|| name.clone()))
        .collect()
}
