//! One desired state against one account, attribute by attribute.

use std::collections::BTreeMap;

use crate::model::{Account, AttrId, Attribute, Desired, Kind, Schema, Value, Wanted, normal};

/// One attribute in which the two differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub attribute: AttrId,
    /// None where the API does not show the attribute.
    pub from: Option<Value>,
    /// The whole value after the change, keys that are kept included; null where it is cleared.
    pub to: Value,
}

/// What comparing came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Differences that an update can mend.
    pub changes: Vec<Difference>,
    /// Differences that the API cannot mend.
    pub drift: Vec<Difference>,
}

impl Comparison {
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.changes.is_empty() && self.drift.is_empty()
    }
}

/// Compares the attributes for which `always` holds (mapped with `on = "always"`). `written` answers whether a
/// write-only attribute still has the value that was last written, as far as anybody remembers.
#[must_use]
pub fn compare_desired(
    schema: &Schema,
    desired: &Desired,
    account: &Account,
    always: impl Fn(AttrId) -> bool,
    written: impl Fn(AttrId, &Value) -> Option<bool>,
) -> Comparison {
    let mut comparison = Comparison::default();
    for (id, wanted) in &desired.values {
        let attribute = schema.get(*id);
        if !always(*id) || attribute.secret || attribute.live {
            continue;
        }
        let difference = if attribute.read {
            compare_readable(attribute, *id, wanted, account.values.get(*id).unwrap_or(&Value::Null))
        } else {
            write_only(attribute, *id, wanted, &written)
        };
        if let Some(difference) = difference {
            if attribute.update { &mut comparison.changes } else { &mut comparison.drift }.push(difference);
        }
    }
    comparison
}

/// Whether an account has every value that an action wants of it; what the API does not show counts as had.
///
/// # Errors
/// The first attribute in which it differs.
pub fn has_all<'v>(
    schema: &Schema,
    account: &Account,
    wanted: impl IntoIterator<Item = (AttrId, &'v Value)>,
) -> Result<(), Difference> {
    for (id, value) in wanted {
        let attribute = schema.get(id);
        if !attribute.comparable() {
            continue;
        }
        let now = account.values.get(id).unwrap_or(&Value::Null);
        if let Some(difference) = compare_readable(attribute, id, &Wanted::Set(value.clone()), now) {
            return Err(difference);
        }
    }
    Ok(())
}

fn compare_readable(attribute: &Attribute, id: AttrId, wanted: &Wanted, now: &Value) -> Option<Difference> {
    let to = match wanted {
        Wanted::Clear => Value::Null,
        Wanted::Set(Value::Object(keys)) if attribute.merge => merge_keys(attribute, keys, now)?,
        Wanted::Set(value) => value.clone(),
    };
    (!normal::same(attribute, now, &to)).then(|| Difference { attribute: id, from: Some(now.clone()), to })
}

/// The account's object with the wanted keys laid over it; none where nothing of it differs.
fn merge_keys(attribute: &Attribute, wanted: &BTreeMap<String, Value>, now: &Value) -> Option<Value> {
    let mut object = now.as_object().cloned().unwrap_or_default();
    let mut differs = false;
    for (key, value) in wanted {
        let inner = Attribute { kind: inner_kind(&attribute.kind, key), ..attribute.clone() };
        if !normal::same(&inner, object.get(key).unwrap_or(&Value::Null), value) {
            differs = true;
            // A key that is cleared is a key that is gone.
            if value.is_blank() {
                object.remove(key)
            } else {
                object.insert(key.clone(), value.clone())
            };
        }
    }
    differs.then_some(Value::Object(object))
}

fn inner_kind(kind: &Kind, key: &str) -> Kind {
    match kind {
        Kind::Map(inner) => (**inner).clone(),
        Kind::Object(fields) => fields.iter().find(|f| f.name == key).map_or(Kind::Json, |f| f.kind.clone()),
        _ => Kind::Json,
    }
}

fn write_only(
    attribute: &Attribute,
    id: AttrId,
    wanted: &Wanted,
    written: &impl Fn(AttrId, &Value) -> Option<bool>,
) -> Option<Difference> {
    let to = match wanted {
        Wanted::Clear => Value::Null,
        Wanted::Set(value) => value.clone(),
    };
    match written(id, &to) {
        Some(true) => None,
        Some(false) => Some(Difference { attribute: id, from: None, to }),
        // Nobody remembers: an attribute that can be written is written once; of one that cannot, nothing is known.
        None => attribute.update.then_some(Difference { attribute: id, from: None, to }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Attributes, Place};

    fn schema() -> Schema {
        Schema::new(vec![
            Attribute::new("login_id", Kind::Text).allows("CR").ignoring_case(),
            Attribute::new("first_name", Kind::Text),
            Attribute::new("skills", Kind::Map(Box::new(Kind::Any))).merged(),
            Attribute::new("privileges", Kind::Json).allows("C"),
            Attribute::new("custom", Kind::Json).allows("U"),
            Attribute::new("password", Kind::Text).allows("C").secret(),
        ])
    }

    fn run(desired: &[(u8, Wanted)], account: &[(u8, &str)], written: Option<bool>) -> Comparison {
        let desired = Desired {
            identity: String::new(),
            place: Place::default(),
            values: desired.iter().map(|(id, w)| (AttrId(*id), w.clone())).collect(),
        };
        let values: Attributes =
            account.iter().map(|(id, json)| (AttrId(*id), serde_json::from_str(json).unwrap())).collect();
        let account = Account { id: AccountId("1".into()), values, protected: None };
        compare_desired(&schema(), &desired, &account, |_| true, |_, _| written)
    }

    fn set(json: &str) -> Wanted {
        Wanted::Set(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_the_api_can_update_is_a_change_and_what_it_cannot_is_drift() {
        let found = run(&[(0, set("\"ana\"")), (1, set("\"Ana\""))], &[(0, "\"anna\""), (1, "\"Anna\"")], None);
        assert_eq!(found.changes.iter().map(|d| d.attribute.0).collect::<Vec<_>>(), [1]);
        assert_eq!(found.drift.iter().map(|d| d.attribute.0).collect::<Vec<_>>(), [0]);
        assert_eq!(found.drift[0].from, Some(Value::text("anna")));
    }

    #[test]
    fn keys_that_nobody_mapped_are_kept() {
        let found = run(&[(2, set(r#"{"English":100}"#))], &[(2, r#"{"English":"100","Chess":7}"#)], None);
        assert!(found.is_equal());
        let found = run(&[(2, set(r#"{"English":90}"#))], &[(2, r#"{"English":100,"Chess":7}"#)], None);
        assert_eq!(serde_json::to_string(&found.changes[0].to).unwrap(), r#"{"Chess":7,"English":90}"#);
    }

    #[test]
    fn a_cleared_key_goes_and_one_that_is_gone_is_no_change() {
        let found = run(&[(2, set(r#"{"English":null}"#))], &[(2, r#"{"English":90,"Chess":7}"#)], None);
        assert_eq!(serde_json::to_string(&found.changes[0].to).unwrap(), r#"{"Chess":7}"#);
        assert!(run(&[(2, set(r#"{"English":null}"#))], &[(2, r#"{"Chess":7}"#)], None).is_equal());
    }

    #[test]
    fn clearing_what_is_empty_is_no_change() {
        assert!(run(&[(1, Wanted::Clear)], &[(1, "null")], None).is_equal());
        assert!(run(&[(1, Wanted::Clear)], &[], None).is_equal());
        assert_eq!(run(&[(1, Wanted::Clear)], &[(1, "\"Ana\"")], None).changes[0].to, Value::Null);
    }

    #[test]
    fn a_write_only_attribute_is_written_when_it_changed_or_nobody_remembers() {
        let custom = [(4, set(r#"{"a":1}"#))];
        assert_eq!(run(&custom, &[], None).changes.len(), 1);
        assert_eq!(run(&custom, &[], Some(false)).changes[0].from, None);
        assert!(run(&custom, &[], Some(true)).is_equal());
    }

    #[test]
    fn a_create_only_attribute_that_changed_is_drift_and_unknown_is_not() {
        let privileges = [(3, set("[1]"))];
        assert!(run(&privileges, &[], None).is_equal());
        assert_eq!(run(&privileges, &[], Some(false)).drift.len(), 1);
    }

    #[test]
    fn secrets_are_never_compared() {
        assert!(run(&[(5, Wanted::Set(Value::Generated))], &[], Some(false)).is_equal());
    }
}
