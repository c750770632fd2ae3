//! Values as cells of a table that another program can read: text as it is, objects as `English:100;Spanish:80`, lists
//! joined with `|`; what is nested deeper, and what would not come back from that form as it was, as JSON. Reading a
//! cell gives the value back, by [`parse`] and by a mapping.

use std::collections::BTreeMap;

use super::{Kind, Value};

/// The cell of a value.
#[must_use]
pub fn render(kind: &Kind, value: &Value) -> String {
    let json = || serde_json::to_string(value).unwrap_or_default();
    match (kind, value) {
        (_, Value::Null) => String::new(),
        (Kind::Json, _) => json(),
        (Kind::Map(_) | Kind::Object(_), Value::Object(object)) => {
            let pairs: Option<Vec<String>> = object
                .iter()
                .map(|(key, value)| Some(format!("{}:{}", part(key, ":;")?, item(inner(kind, key), value, ";")?)))
                .collect();
            pairs.map(|pairs| pairs.join(";")).filter(|cell| is_bare(cell, '{')).unwrap_or_else(json)
        }
        (Kind::List(inner), Value::List(list)) => {
            // Where there is no `|` a mapping takes `;` for the separator.
            let items: Option<Vec<String>> = list.iter().map(|value| item(inner, value, "|;")).collect();
            items.map(|items| items.join("|")).filter(|cell| is_bare(cell, '[')).unwrap_or_else(json)
        }
        (_, Value::List(_) | Value::Object(_)) => json(),
        (_, scalar) => scalar.to_string(),
    }
}

/// The value of a cell; what cannot be read as its kind stays a text, which compares as different.
#[must_use]
pub fn parse(kind: &Kind, cell: &str) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    let json = || serde_json::from_str(cell).unwrap_or_else(|_| Value::text(cell));
    match kind {
        Kind::Json => json(),
        Kind::Bool if cell.eq_ignore_ascii_case("true") => Value::Bool(true),
        Kind::Bool if cell.eq_ignore_ascii_case("false") => Value::Bool(false),
        Kind::Int => cell.parse().map_or_else(|_| Value::text(cell), Value::Int),
        Kind::Map(_) | Kind::Object(_) if cell.starts_with('{') => json(),
        Kind::Map(_) | Kind::Object(_) => pairs(cell, |key| inner(kind, key)),
        Kind::List(_) if cell.starts_with('[') => json(),
        Kind::List(inner) => Value::List(cell.split('|').map(|item| typed(inner, item)).collect()),
        _ => Value::text(cell),
    }
}

fn pairs<'k>(cell: &str, kind: impl Fn(&str) -> &'k Kind) -> Value {
    let object: Option<BTreeMap<String, Value>> = cell
        .split(';')
        .map(|pair| pair.split_once(':').map(|(key, value)| (key.to_owned(), typed(kind(key), value))))
        .collect();
    object.map_or_else(|| Value::text(cell), Value::Object)
}

/// The kind of the value under a key.
fn inner<'k>(kind: &'k Kind, key: &str) -> &'k Kind {
    match kind {
        Kind::Map(inner) => inner,
        Kind::Object(fields) => fields.iter().find(|field| field.name == key).map_or(&Kind::Text, |field| &field.kind),
        _ => &Kind::Text,
    }
}

/// Where the kind does not say, a number is a number: that is how skills come and go.
fn typed(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Any | Kind::Int => text.parse().map_or_else(|_| Value::text(text), Value::Int),
        kind => parse(kind, text),
    }
}

/// The text of a value inside a cell; none where the cell must be JSON: for lists and objects, and for what would come
/// back as another value (the text `60` as a number).
fn item(kind: &Kind, value: &Value, separators: &str) -> Option<String> {
    let text = match value {
        Value::List(_) | Value::Object(_) | Value::Null => return None,
        scalar => part(&scalar.to_string(), separators)?,
    };
    (typed(kind, &text) == *value).then_some(text)
}

/// Whether a cell is neither empty, as nothing at all is, nor begins as JSON does.
fn is_bare(cell: &str, bracket: char) -> bool {
    !cell.is_empty() && !cell.starts_with(bracket)
}

fn part(text: &str, separators: &str) -> Option<String> {
    let is_plain = !text.is_empty() && text.trim() == text && !text.contains(|c| separators.contains(c));
    is_plain.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Attribute, normal};
    use super::*;
    use proptest::prelude::*;

    fn skills() -> Kind {
        Kind::Map(Box::new(Kind::Any))
    }

    fn round_trip(kind: Kind, json: &str) -> String {
        let value: Value = serde_json::from_str(json).unwrap();
        let cell = render(&kind, &value);
        let attribute = Attribute::new("x", kind.clone());
        let back = parse(&kind, &cell);
        assert!(normal::same(&attribute, &back, &value), "{json} became {cell}");
        // Nothing and the empty text have one cell; everything else comes back with its type.
        assert!(cell.is_empty() || back == value, "{json} became {cell}, which is {back:?}");
        cell
    }

    #[test]
    fn cells_are_what_people_write() {
        assert_eq!(round_trip(skills(), r#"{"English":100,"Spanish":80}"#), "English:100;Spanish:80");
        assert_eq!(round_trip(Kind::List(Box::new(Kind::Text)), r#"["Agent","Supervisor"]"#), "Agent|Supervisor");
        assert_eq!(round_trip(Kind::Bool, "true"), "true");
        assert_eq!(round_trip(Kind::Text, "\"00123\""), "00123");
        assert_eq!(round_trip(Kind::Text, "null"), "");
    }

    #[test]
    fn what_a_separator_would_break_is_json() {
        assert_eq!(round_trip(skills(), r#"{"a;b":1}"#), r#"{"a;b":1}"#);
        assert_eq!(round_trip(skills(), r#"{"a":{"b":1}}"#), r#"{"a":{"b":1}}"#);
        assert_eq!(round_trip(Kind::List(Box::new(Kind::Text)), r#"["a|b"]"#), r#"["a|b"]"#);
        assert_eq!(round_trip(Kind::List(Box::new(Kind::Text)), r#"["[a","b"]"#), r#"["[a","b"]"#);
    }

    #[test]
    fn what_would_come_back_as_something_else_is_json() {
        assert_eq!(round_trip(skills(), r#"{"a":"60","b":60}"#), r#"{"a":"60","b":60}"#);
        assert_eq!(round_trip(skills(), r#"{"a":true}"#), r#"{"a":true}"#);
        assert_eq!(round_trip(skills(), r#"{"a":" x"}"#), r#"{"a":" x"}"#);
        assert_eq!(round_trip(skills(), r#"{"a":"yes"}"#), "a:yes");
        assert_eq!(round_trip(skills(), "{}"), "{}");
        assert_eq!(round_trip(skills(), "null"), "");
        assert_eq!(round_trip(Kind::List(Box::new(Kind::Text)), r#"["a;b"]"#), r#"["a;b"]"#);
        assert_eq!(round_trip(Kind::List(Box::new(Kind::Text)), r#"["60"]"#), "60");
    }

    proptest! {
        #[test]
        fn every_cell_reads_back(pairs in prop::collection::btree_map("[a-z:;|{\\[ ]{0,4}", "[a-z0-9:;|{\\[ ]{0,4}", 0..4)) {
            let object = pairs.iter().map(|(k, v)| (k.clone(), Value::text(v.as_str()))).collect();
            let json = serde_json::to_string(&Value::Object(object)).unwrap();
            round_trip(skills(), &json);
            let list = pairs.keys().map(|k| Value::text(k.as_str())).collect();
            round_trip(Kind::List(Box::new(Kind::Text)), &serde_json::to_string(&Value::List(list)).unwrap());
        }
    }
}
