//! Values as cells of a table that another program can read: text as it is, objects as `English:100;Spanish:80`, lists
//! joined with `|`, what is nested deeper as JSON. Reading a cell gives the value back.

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
                .map(|(key, value)| Some(format!("{}:{}", part(key, ":;")?, part(&scalar(value)?, ";")?)))
                .collect();
            pairs.map(|pairs| pairs.join(";")).filter(|cell| !cell.starts_with('{')).unwrap_or_else(json)
        }
        (Kind::List(_), Value::List(list)) => {
            let items: Option<Vec<String>> = list.iter().map(|item| part(&scalar(item)?, "|")).collect();
            items.map(|items| items.join("|")).filter(|cell| !cell.starts_with('[')).unwrap_or_else(json)
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
        Kind::Map(inner) => pairs(cell, |_| inner),
        Kind::Object(fields) => {
            pairs(cell, |key| fields.iter().find(|f| f.name == key).map_or(&Kind::Text, |f| &f.kind))
        }
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

/// Where the kind does not say, a number is a number: that is how skills come and go.
fn typed(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Any | Kind::Int => text.parse().map_or_else(|_| Value::text(text), Value::Int),
        kind => parse(kind, text),
    }
}

/// The text of a part of a cell; none where the part needs JSON.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::List(_) | Value::Object(_) | Value::Null => None,
        scalar => Some(scalar.to_string()),
    }
}

fn part(text: &str, separators: &str) -> Option<String> {
    (!text.is_empty() && !text.contains(|c| separators.contains(c))).then(|| text.to_owned())
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
        assert!(normal::same(&attribute, &parse(&kind, &cell), &value), "{json} became {cell}");
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
