//! Keys by which rows and accounts find each other, and digests that can say "equal".
//!
//! Both are 128 bits of BLAKE3 over normal forms. Two different texts with one hash are not to be expected in the
//! lifetime of any tenant, so a hash stands for its text, and a million rows need no texts in memory.

use super::{AttrId, Schema, Value, normal, text};

/// The hash of a match key, an identity or an account id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub [u64; 2]);

/// The hash of the comparable part of a desired state or an account. It may only ever say "equal".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub [u64; 2]);

impl KeyHash {
    /// The hash of a text that stands for itself: an identity, an account id.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(hash(text::normal(text.trim(), true).as_bytes()))
    }
}

impl Digest {
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hash(bytes))
    }
}

/// One rule of `match.rules`: the attributes whose values together name an account.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchRule {
    pub attributes: Vec<AttrId>,
    /// As plans and reports name it: the attributes joined with `+`.
    pub label: String,
}

impl MatchRule {
    #[must_use]
    pub fn new(schema: &Schema, attributes: Vec<AttrId>) -> Self {
        let label = attributes.iter().map(|id| schema.name(*id)).collect::<Vec<_>>().join("+");
        Self { attributes, label }
    }

    /// The key under this rule; none where one of its attributes has no value. `scratch` is cleared and reused.
    pub fn key<'v>(
        &self,
        schema: &Schema,
        value: impl Fn(AttrId) -> Option<&'v Value>,
        scratch: &mut Vec<u8>,
    ) -> Option<KeyHash> {
        scratch.clear();
        for id in &self.attributes {
            let value = value(*id)?;
            match value {
                // A key is found in spite of blanks around it, which exports have and people do not see.
                Value::Text(text) if text.trim().is_empty() => return None,
                Value::Text(text) if text.trim().len() != text.len() => {
                    normal::write(schema.get(*id), &Value::text(text.trim()), scratch);
                }
                value if value.is_blank() => return None,
                value => normal::write(schema.get(*id), value, scratch),
            }
        }
        Some(KeyHash(hash(scratch)))
    }
}

fn hash(bytes: &[u8]) -> [u64; 2] {
    let hash = blake3::hash(bytes);
    let (halves, _) = hash.as_bytes().as_chunks::<8>();
    [u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1])]
}

#[cfg(test)]
mod tests {
    use super::super::{Attribute, Kind};
    use super::*;

    #[test]
    fn a_key_ignores_case_and_blanks_and_is_none_when_a_part_is_missing() {
        let schema = Schema::new(vec![
            Attribute::new("login_id", Kind::Text).ignoring_case(),
            Attribute::new("first_name", Kind::Text),
        ]);
        let rule = MatchRule::new(&schema, vec![AttrId(0), AttrId(1)]);
        let key = |login: &str, first: Option<&str>| {
            let (login, first) = (Value::text(login), first.map(Value::text));
            rule.key(&schema, |id| if id == AttrId(0) { Some(&login) } else { first.as_ref() }, &mut Vec::new())
        };
        assert_eq!(rule.label, "login_id+first_name");
        assert_eq!(key(" Ana.Diaz ", Some("Ana")), key("ana.diaz", Some("Ana")));
        assert_ne!(key("ana.diaz", Some("Ana")), key("ana.diaz", Some("ana")));
        assert_eq!(key("ana.diaz", None), None);
        assert_eq!(key("", Some("Ana")), None);
    }
}
