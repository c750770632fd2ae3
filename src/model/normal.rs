//! The one form in which values are compared: Unicode NFC, no case where the attribute ignores it, numbers and booleans
//! by value, object keys by name, lists without order. Two values are the same exactly when their normal forms have the
//! same bytes, so that a digest over normal forms and a comparison value by value can never disagree.

use super::text::normal;
use super::{Attribute, Kind, Value};

/// Whether two values of an attribute are the same.
#[must_use]
pub fn same(attribute: &Attribute, a: &Value, b: &Value) -> bool {
    if a == b {
        return true;
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    write(attribute, a, &mut left);
    write(attribute, b, &mut right);
    left == right
}

/// Appends the normal form of a value. Forms are self-delimiting: one can be appended to another without ambiguity.
pub fn write(attribute: &Attribute, value: &Value, out: &mut Vec<u8>) {
    write_kind(&attribute.kind, attribute.case_exact, value, out);
}

const BLANK: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const TEXT: u8 = 5;
const LIST: u8 = 6;
const OBJECT: u8 = 7;
const SECRET: u8 = 8;

fn write_kind(kind: &Kind, case_exact: bool, value: &Value, out: &mut Vec<u8>) {
    if value.is_blank() {
        out.push(BLANK);
        return;
    }
    match value {
        Value::Null => out.push(BLANK),
        Value::Bool(b) => out.push(if *b { TRUE } else { FALSE }),
        Value::Int(n) => write_int(*n, out),
        Value::Float(n) => write_float(*n, out),
        Value::Text(text) => write_text(kind, case_exact, text, out),
        Value::List(list) => {
            let item = match kind {
                Kind::List(item) => item,
                _ => &Kind::Json,
            };
            let mut items: Vec<Vec<u8>> = list
                .iter()
                .map(|value| {
                    let mut form = Vec::new();
                    write_kind(item, case_exact, value, &mut form);
                    form
                })
                .collect();
            // JSON of unknown meaning keeps its order; a list that the schema names is a set.
            if matches!(kind, Kind::List(_)) {
                items.sort_unstable();
            }
            out.push(LIST);
            write_len(items.len(), out);
            out.extend(items.iter().flatten());
        }
        Value::Object(object) => {
            out.push(OBJECT);
            write_len(object.len(), out);
            for (key, value) in object {
                let key = normal(key, true);
                write_len(key.len(), out);
                out.extend_from_slice(key.as_bytes());
                let kind = match kind {
                    Kind::Map(kind) => kind,
                    Kind::Object(fields) => fields.iter().find(|f| f.name == *key).map_or(&Kind::Json, |f| &f.kind),
                    _ => &Kind::Json,
                };
                write_kind(kind, case_exact, value, out);
            }
        }
        Value::Secret(secret) => {
            out.push(SECRET);
            write_len(secret.expose().len(), out);
            out.extend_from_slice(secret.expose().as_bytes());
        }
        Value::Generated => out.push(SECRET),
    }
}

fn write_text(kind: &Kind, case_exact: bool, text: &str, out: &mut Vec<u8>) {
    let trimmed = text.trim();
    match kind {
        Kind::Bool | Kind::Any if trimmed.eq_ignore_ascii_case("true") => return out.push(TRUE),
        Kind::Bool | Kind::Any if trimmed.eq_ignore_ascii_case("false") => return out.push(FALSE),
        Kind::Int | Kind::Any => {
            if let Ok(n) = trimmed.parse::<i64>() {
                return write_int(n, out);
            }
            // Only what looks like a number: "inf" and "nan" are texts.
            if trimmed.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                && let Ok(n) = trimmed.parse::<f64>()
            {
                return write_float(n, out);
            }
        }
        _ => {}
    }
    let text = normal(text, case_exact && !matches!(kind, Kind::Choice(_)));
    out.push(TEXT);
    write_len(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn write_int(n: i64, out: &mut Vec<u8>) {
    out.push(INT);
    out.extend_from_slice(&n.to_le_bytes());
}

fn write_float(n: f64, out: &mut Vec<u8>) {
    // 80.0 and 80 are one number; beyond 2^53 a float is no exact integer, so it stays a float.
    #[allow(clippy::cast_possible_truncation, reason = "it is whole, and an i64 holds more than 2^53")]
    if n.fract() == 0.0 && n.abs() < 9_007_199_254_740_992.0 {
        return write_int(n as i64, out);
    }
    out.push(FLOAT);
    out.extend_from_slice(&n.to_bits().to_le_bytes());
}

fn write_len(len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(len as u64).to_le_bytes()[..4]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same_as(kind: Kind, a: &str, b: &str) -> bool {
        let attribute = Attribute::new("x", kind);
        let value = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        same(&attribute, &value(a), &value(b))
    }

    #[test]
    fn numbers_and_booleans_are_the_same_by_value() {
        assert!(same_as(Kind::Int, "1072", "\"1072\""));
        assert!(same_as(Kind::Bool, "true", "\"True\""));
        assert!(same_as(Kind::Int, "80", "80.0"));
        assert!(!same_as(Kind::Text, "\"1072\"", "\"01072\""));
    }

    #[test]
    fn objects_are_the_same_by_key_and_lists_without_order() {
        let skills = Kind::Map(Box::new(Kind::Any));
        assert!(same_as(skills.clone(), r#"{"b":1,"a":"2"}"#, r#"{"a":2,"b":1}"#));
        assert!(!same_as(skills, r#"{"a":1}"#, r#"{"a":1,"b":1}"#));
        assert!(same_as(Kind::List(Box::new(Kind::Text)), r#"["a","b"]"#, r#"["b","a"]"#));
        assert!(!same_as(Kind::Json, r#"["a","b"]"#, r#"["b","a"]"#));
    }

    #[test]
    fn nothing_null_and_the_empty_text_are_one() {
        assert!(same_as(Kind::Text, "null", "\"\""));
        assert!(same_as(Kind::Json, "{}", "null"));
    }

    #[test]
    fn case_counts_only_where_the_attribute_says_so() {
        let exact = Attribute::new("first_name", Kind::Text);
        let loose = Attribute::new("login_id", Kind::Text).ignoring_case();
        let (a, b) = (Value::text("Ana"), Value::text("ana"));
        assert!(!same(&exact, &a, &b));
        assert!(same(&loose, &a, &b));
        assert!(same_as(Kind::Choice(vec!["active".into()]), "\"Active\"", "\"active\""));
    }
}
