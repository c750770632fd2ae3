//! What is kept of a row while the accounts stream past: the hashes of its identity and match keys, and the digest of
//! what it wants.

use crate::model::{Account, AttrId, AttrSet, Desired, Digest, KeyHash, MatchRule, Schema, Value, Wanted, normal};

/// The attributes that a digest covers: of those mapped with `on = "always"`, the ones that the listing shows.
#[must_use]
pub fn compared_attributes(schema: &Schema, always: AttrSet) -> AttrSet {
    always.into_iter().filter(|id| schema.get(*id).comparable()).collect()
}

/// One row, ready for the index.
#[derive(Clone, Debug, PartialEq)]
pub struct RowFacts {
    pub identity: KeyHash,
    /// One for each match rule; none where a part of the key is blank.
    pub keys: Vec<Option<KeyHash>>,
    /// Over the compared attributes that the row has, see `mask`.
    pub digest: Digest,
    /// Which attributes the digest covers: a blank cell leaves its attribute out.
    pub mask: AttrSet,
}

impl RowFacts {
    /// `scratch` is cleared and reused.
    #[must_use]
    pub fn of_row(
        schema: &Schema,
        rules: &[MatchRule],
        compared: AttrSet,
        desired: &Desired,
        scratch: &mut Vec<u8>,
    ) -> Self {
        let keys: Vec<_> = rules.iter().map(|rule| rule.key(schema, |id| desired.value(id), scratch)).collect();
        let identity = if desired.identity.is_empty() {
            // Without an identity column the first key that the row has names the person.
            keys.iter().flatten().next().copied().unwrap_or(KeyHash([0, 0]))
        } else {
            KeyHash::of_text(&desired.identity)
        };
        scratch.clear();
        let mut mask = AttrSet::default();
        for (id, wanted) in &desired.values {
            if compared.contains(*id) {
                mask.insert(*id);
                let value = match wanted {
                    Wanted::Set(value) => value,
                    Wanted::Clear => &Value::Null,
                };
                write_form(schema, *id, value, scratch);
            }
        }
        Self { identity, keys, digest: Digest::of(scratch), mask }
    }
}

/// The digest of an account over the attributes in `mask`: equal to a row's digest exactly when the account already is
/// what the row wants (but for merged objects, where an account may have more).
#[must_use]
pub fn account_digest(schema: &Schema, account: &Account, mask: AttrSet, scratch: &mut Vec<u8>) -> Digest {
    scratch.clear();
    for id in mask {
        write_form(schema, id, account.values.get(id).unwrap_or(&Value::Null), scratch);
    }
    Digest::of(scratch)
}

fn write_form(schema: &Schema, id: AttrId, value: &Value, out: &mut Vec<u8>) {
    out.push(id.0);
    normal::write(schema.get(id), value, out);
}
