//! Fingerprints of what was written to attributes that the API never shows, so that a changed cell is noticed.

use crate::model::{AttrId, AttrSet, Desired, Digest, Schema, Value, Wanted, normal};

/// The fingerprint of a value: the same for values that compare as the same.
#[must_use]
pub fn fingerprint_value(schema: &Schema, id: AttrId, value: &Value) -> u64 {
    let mut form = Vec::new();
    normal::write(schema.get(id), value, &mut form);
    Digest::of(&form).0[0]
}

/// The write-only attributes among those mapped with `on = "always"`.
pub fn write_only(schema: &Schema, always: AttrSet) -> AttrSet {
    always.into_iter().filter(|id| schema.get(*id).write_only()).collect()
}

/// Whether a value is what was last written; none where nobody remembers.
pub fn is_last_written(schema: &Schema, written: &[(String, u64)], id: AttrId, value: &Value) -> Option<bool> {
    let (_, print) = written.iter().find(|(name, _)| name == schema.name(id))?;
    Some(*print == fingerprint_value(schema, id, value))
}

/// Whether a row has a write-only value that must be looked at: changed, or never written and writable.
pub fn has_unsettled(schema: &Schema, write_only: AttrSet, written: &[(String, u64)], desired: &Desired) -> bool {
    desired.values.iter().filter(|(id, _)| write_only.contains(*id)).any(|(id, wanted)| {
        let value = match wanted {
            Wanted::Set(value) => value,
            Wanted::Clear => &Value::Null,
        };
        is_last_written(schema, written, *id, value).map_or(schema.get(*id).update, |same| !same)
    })
}
