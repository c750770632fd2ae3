//! Texts and JSON become values of the kind an attribute has.
//!
//! Reasons never repeat the value: whoever reports them decides whether it may be shown.

use std::collections::BTreeMap;

use super::spec::Parse;
use crate::model::text::nearest;
use crate::model::{CompactText, Field, Kind, Secret, Value};

/// How a text is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Convert {
    Text,
    Bool,
    Int,
    /// A whole number where it is written as one, a text otherwise.
    Any,
    Choice(Vec<String>),
    /// `English:100;Spanish:80`, or a JSON object.
    Pairs(Kind),
    /// `a|b` or `a;b`, or a JSON list.
    List(Kind),
    Json(Kind),
    Secret,
    /// What `source.include` gives.
    Truth,
}

impl Convert {
    /// How texts for a kind are read, as `parse` asks.
    ///
    /// # Errors
    /// When the kind cannot hold what `parse` would make.
    pub(super) fn new(kind: &Kind, parse: Option<Parse>) -> Result<Self, String> {
        let Some(parse) = parse else {
            return Ok(match kind {
                Kind::Text | Kind::DateTime => Self::Text,
                Kind::Bool => Self::Bool,
                Kind::Int => Self::Int,
                Kind::Any => Self::Any,
                Kind::Choice(choices) => Self::Choice(choices.clone()),
                Kind::Map(values) => Self::Pairs((**values).clone()),
                Kind::List(items) => Self::List((**items).clone()),
                Kind::Object(_) | Kind::Json => Self::Json(kind.clone()),
            });
        };
        match (parse, kind) {
            (Parse::Text, Kind::Choice(choices)) => Ok(Self::Choice(choices.clone())),
            (Parse::Text, Kind::Text | Kind::DateTime | Kind::Any | Kind::Json) => Ok(Self::Text),
            (Parse::Bool, Kind::Bool | Kind::Any | Kind::Json) => Ok(Self::Bool),
            (Parse::Int, Kind::Int | Kind::Any | Kind::Json) => Ok(Self::Int),
            (Parse::Pairs, Kind::Map(values)) => Ok(Self::Pairs((**values).clone())),
            (Parse::Pairs, Kind::Json) => Ok(Self::Pairs(Kind::Any)),
            (Parse::List, Kind::List(items)) => Ok(Self::List((**items).clone())),
            (Parse::List, Kind::Json) => Ok(Self::List(Kind::Any)),
            (Parse::Json, Kind::Map(_) | Kind::Object(_) | Kind::List(_) | Kind::Json | Kind::Any) => {
                Ok(Self::Json(kind.clone()))
            }
            _ => Err(format!("parse = \"{}\" does not fit {}", parse_name(parse), describe_kind(kind))),
        }
    }

    /// The value of a text without outer blanks that is not empty; none where it comes to nothing after all (`[]`).
    /// `spare` is a buffer that the value may take.
    pub(super) fn read_text(&self, text: &str, spare: &mut CompactText) -> Result<Option<Value>, String> {
        let value = match self {
            Self::Text => text_value(text, spare),
            Self::Bool => Value::Bool(bool_of(text)?),
            Self::Int => Value::Int(int_of(text)?),
            Self::Any => any_of(text, spare),
            Self::Choice(choices) => choice_of(choices, text, spare)?,
            Self::Pairs(values) if text.starts_with('{') => read_json(&Kind::Map(Box::new(values.clone())), text)?,
            Self::Pairs(values) => read_pairs(values, text)?,
            Self::List(items) if text.starts_with('[') => read_json(&Kind::List(Box::new(items.clone())), text)?,
            Self::List(items) => read_list(items, text)?,
            Self::Json(kind) => read_json(kind, text)?,
            Self::Secret => Value::Secret(Secret::new(text)),
            Self::Truth if text.eq_ignore_ascii_case("true") => Value::Bool(true),
            Self::Truth if text.eq_ignore_ascii_case("false") => Value::Bool(false),
            Self::Truth => return Err("neither true nor false: compare it with something".into()),
        };
        Ok(if value.is_blank() { None } else { Some(value) })
    }
}

/// The value as the kind holds it: `"12"` becomes 12 where whole numbers belong. Null stays null.
pub(super) fn coerce_value(kind: &Kind, value: Value) -> Result<Value, String> {
    let spare = &mut CompactText::default();
    match (kind, value) {
        (_, value @ (Value::Null | Value::Secret(_) | Value::Generated)) | (Kind::Json, value) => Ok(value),
        (Kind::Any, value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_))) => Ok(value),
        (Kind::Text | Kind::DateTime, Value::Text(text)) => Ok(Value::Text(text)),
        (Kind::Text, value @ (Value::Int(_) | Value::Float(_) | Value::Bool(_))) => Ok(Value::text(value.to_string())),
        (Kind::Bool, Value::Bool(b)) => Ok(Value::Bool(b)),
        (Kind::Bool, Value::Text(text)) => bool_of(text.trim()).map(Value::Bool),
        (Kind::Int, Value::Int(n)) => Ok(Value::Int(n)),
        (Kind::Int, Value::Text(text)) => int_of(text.trim()).map(Value::Int),
        (Kind::Choice(choices), Value::Text(text)) => choice_of(choices, text.trim(), spare),
        (Kind::Map(values), Value::Object(object)) => {
            let object = object.into_iter().map(|(key, value)| {
                coerce_value(values, value).map_err(|reason| format!("{key}: {reason}")).map(|value| (key, value))
            });
            object.collect::<Result<_, _>>().map(Value::Object)
        }
        (Kind::Object(fields), Value::Object(object)) => object_of(fields, object),
        (Kind::List(items), Value::List(list)) => {
            let list = (1..)
                .zip(list)
                .map(|(at, value)| coerce_value(items, value).map_err(|reason| format!("item {at}: {reason}")));
            list.collect::<Result<_, _>>().map(Value::List)
        }
        (kind, value) => Err(format!("{} where {} belongs", describe_value(&value), describe_kind(kind))),
    }
}

/// A kind as a message names it, with its article.
pub(super) fn describe_kind(kind: &Kind) -> String {
    match kind {
        Kind::Text => "a text".into(),
        Kind::Bool => "true or false".into(),
        Kind::Int => "a whole number".into(),
        Kind::Choice(choices) => format!("one of {}", choices.join(", ")),
        Kind::DateTime => "a date and time".into(),
        Kind::Any => "a text or a number".into(),
        Kind::Map(_) => "an object of keys and values".into(),
        Kind::Object(fields) => {
            format!("an object of {}", fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", "))
        }
        Kind::List(_) => "a list".into(),
        Kind::Json => "JSON".into(),
    }
}

fn describe_value(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
        Value::Secret(_) | Value::Generated => "a secret",
    }
}

fn parse_name(parse: Parse) -> &'static str {
    match parse {
        Parse::Text => "text",
        Parse::Bool => "bool",
        Parse::Int => "int",
        Parse::Pairs => "pairs",
        Parse::List => "list",
        Parse::Json => "json",
    }
}

/// The text as a value, in the spare buffer.
pub(super) fn text_value(text: &str, spare: &mut CompactText) -> Value {
    let mut buffer = std::mem::take(spare);
    buffer.clear();
    buffer.push_str(text);
    Value::Text(buffer)
}

fn bool_of(text: &str) -> Result<bool, String> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "yes", "y", "1", "on"]) {
        Ok(true)
    } else if is(&["false", "no", "n", "0", "off"]) {
        Ok(false)
    } else {
        Err("neither true nor false".into())
    }
}

fn int_of(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "not a whole number (digits only, no separators)".to_owned())
}

/// Only a number that is written the way numbers are: `007` and `+7` are texts, and stay as they are.
fn any_of(text: &str, spare: &mut CompactText) -> Value {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain =
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !digits.starts_with('0'));
    match text.parse() {
        Ok(n) if plain => Value::Int(n),
        _ => text_value(text, spare),
    }
}

fn choice_of(choices: &[String], text: &str, spare: &mut CompactText) -> Result<Value, String> {
    let same = |choice: &&String| {
        choice.eq_ignore_ascii_case(text) || (!text.is_ascii() && choice.to_lowercase() == text.to_lowercase())
    };
    match choices.iter().find(same) {
        Some(choice) => Ok(text_value(choice, spare)),
        None => Err(format!("not one of {}", choices.join(", "))),
    }
}

/// A text that stands inside a larger one.
fn read_scalar(kind: &Kind, text: &str) -> Result<Value, String> {
    let value = Convert::new(kind, None).and_then(|convert| convert.read_text(text, &mut CompactText::default()))?;
    Ok(value.unwrap_or(Value::Null))
}

fn is_scalar(kind: &Kind) -> bool {
    !matches!(kind, Kind::Map(_) | Kind::Object(_) | Kind::List(_) | Kind::Json)
}

fn read_pairs(values: &Kind, text: &str) -> Result<Value, String> {
    if !is_scalar(values) {
        return Err("not JSON, which this attribute's values need".into());
    }
    let mut object = BTreeMap::new();
    for (at, pair) in (1..).zip(text.split(';').map(str::trim).filter(|pair| !pair.is_empty())) {
        let Some((key, value)) = pair.split_once(':') else {
            return Err(format!("pair {at} has no value: write pairs as English:100;Spanish:80"));
        };
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() {
            return Err(format!("pair {at} has no name"));
        }
        if value.is_empty() {
            return Err(format!("pair {at} has no value"));
        }
        let value = read_scalar(values, value).map_err(|reason| format!("pair {at}: {reason}"))?;
        if object.insert(key.to_owned(), value).is_some() {
            return Err(format!("pair {at} has the name of an earlier one"));
        }
    }
    Ok(Value::Object(object))
}

fn read_list(items: &Kind, text: &str) -> Result<Value, String> {
    if !is_scalar(items) {
        return Err(format!("not a JSON list, which a list of {} needs", plural_kind(items)));
    }
    let separator = if text.contains('|') { '|' } else { ';' };
    let items = (1..)
        .zip(text.split(separator).map(str::trim).filter(|item| !item.is_empty()))
        .map(|(at, item)| read_scalar(items, item).map_err(|reason| format!("item {at}: {reason}")));
    items.collect::<Result<_, _>>().map(Value::List)
}

fn plural_kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::List(_) => "lists",
        _ => "objects",
    }
}

fn read_json(kind: &Kind, text: &str) -> Result<Value, String> {
    // The error's own words could quote the text; its place cannot.
    let value =
        serde_json::from_str::<Value>(text).map_err(|error| format!("not JSON (at character {})", error.column()))?;
    coerce_value(kind, value)
}

fn object_of(fields: &[Field], object: BTreeMap<String, Value>) -> Result<Value, String> {
    let mut known = BTreeMap::new();
    for (key, value) in object {
        let Some(field) = fields.iter().find(|field| field.name == key) else {
            let names = || fields.iter().map(|field| field.name.as_str());
            let hint = nearest(&key, names()).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            return Err(format!("there is no `{key}` in {}{hint}", describe_kind(&Kind::Object(fields.to_vec()))));
        };
        let value = coerce_value(&field.kind, value).map_err(|reason| format!("{key}: {reason}"))?;
        if !value.is_blank() {
            known.insert(key, value);
        }
    }
    match fields.iter().find(|field| field.required && !known.contains_key(&field.name)) {
        Some(missing) if !known.is_empty() => Err(format!("{} is missing", missing.name)),
        _ => Ok(Value::Object(known)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: &Kind, text: &str) -> Result<Value, String> {
        let value = Convert::new(kind, None).unwrap().read_text(text, &mut CompactText::default())?;
        Ok(value.unwrap_or(Value::Null))
    }

    fn json_of(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn privileges() -> Kind {
        let field = |name: &str, kind| Field { name: name.into(), kind, required: true };
        let role = Kind::Choice(vec!["Team Manager".into(), "Team Agent".into()]);
        Kind::List(Box::new(Kind::Object(vec![field("teamid", Kind::Int), field("role", role)])))
    }

    #[test]
    fn scalars_are_read_as_their_kind() {
        let choice = Kind::Choice(vec!["active".into(), "inactive".into(), "Ärztin".into()]);
        for (kind, text, value) in [
            (Kind::Bool, "YES", "true"),
            (Kind::Bool, "off", "false"),
            (Kind::Int, "-12", "-12"),
            (Kind::Text, "007", "\"007\""),
            (Kind::Any, "007", "\"007\""),
            (Kind::Any, "80", "80"),
            (Kind::Any, "-0", "\"-0\""),
            (Kind::Any, "99999999999999999999", "\"99999999999999999999\""),
            (choice.clone(), "ACTIVE", "\"active\""),
            (choice.clone(), "ÄRZTIN", "\"Ärztin\""),
            (Kind::DateTime, "2024-03-01", "\"2024-03-01\""),
        ] {
            assert_eq!(read(&kind, text), Ok(json_of(value)), "{text}");
        }
        for (kind, text, reason) in [
            (Kind::Bool, "maybe", "neither true nor false"),
            (Kind::Int, "1,000", "not a whole number"),
            (Kind::Int, "1.0", "not a whole number"),
            (choice, "gone", "not one of active, inactive, Ärztin"),
        ] {
            assert!(read(&kind, text).unwrap_err().contains(reason), "{text}");
        }
    }

    #[test]
    fn pairs_lists_and_json_are_read() {
        let map = Kind::Map(Box::new(Kind::Any));
        let texts = Kind::List(Box::new(Kind::Text));
        for (kind, text, value) in [
            (map.clone(), " English : 100 ;Spanish:B2;", r#"{"English":100,"Spanish":"B2"}"#),
            (map.clone(), "Shift:08:30", r#"{"Shift":"08:30"}"#),
            (map.clone(), r#"{"English": 100, "Old": null}"#, r#"{"English":100,"Old":null}"#),
            (map.clone(), ";;", "null"),
            (texts.clone(), "a; b;;", r#"["a","b"]"#),
            (texts.clone(), "a;b | c", r#"["a;b","c"]"#),
            (texts.clone(), r#"["x", 1]"#, r#"["x","1"]"#),
            (Kind::List(Box::new(Kind::Int)), "1|2", "[1,2]"),
            (Kind::Json, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (privileges(), r#"[{"teamid":"12","role":"team agent"}]"#, r#"[{"teamid":12,"role":"Team Agent"}]"#),
        ] {
            assert_eq!(read(&kind, text), Ok(json_of(value)), "{text}");
        }
        for (kind, text, reason) in [
            (map.clone(), "English", "pair 1 has no value"),
            (map.clone(), "A:1;B:", "pair 2 has no value"),
            (map.clone(), ":1", "pair 1 has no name"),
            (map.clone(), "A:1;A:2", "the name of an earlier one"),
            (map.clone(), "{A", "not JSON"),
            (Kind::Map(Box::new(Kind::Int)), "A:x", "pair 1: not a whole number"),
            (Kind::List(Box::new(Kind::Int)), "1|x", "item 2: not a whole number"),
            (privileges(), "12", "not a JSON list"),
            (privileges(), r#"[{"teamid":1,"rol":"x"}]"#, "did you mean `role`?"),
            (privileges(), r#"[{"teamid":1}]"#, "item 1: role is missing"),
            (privileges(), r#"{"teamid":1}"#, "not a JSON list"),
            (Kind::Json, "nope", "not JSON (at character"),
        ] {
            let error = read(&kind, text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn parse_must_fit_the_kind() {
        assert_eq!(Convert::new(&Kind::Json, Some(Parse::Pairs)), Ok(Convert::Pairs(Kind::Any)));
        assert_eq!(Convert::new(&Kind::Json, Some(Parse::List)), Ok(Convert::List(Kind::Any)));
        let error = Convert::new(&Kind::Text, Some(Parse::Pairs)).unwrap_err();
        assert_eq!(error, "parse = \"pairs\" does not fit a text");
        assert!(Convert::new(&Kind::Bool, Some(Parse::Int)).is_err());
    }

    #[test]
    fn reasons_never_repeat_the_value() {
        let kinds = [Kind::Bool, Kind::Int, Kind::Map(Box::new(Kind::Int)), privileges(), Kind::Json];
        for kind in kinds {
            for text in ["hunter2", "hunter2:hunter2", "[\"hunter2\"]"] {
                if let Err(reason) = read(&kind, text) {
                    assert!(!reason.contains("hunter2"), "{reason}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn pairs_survive_a_round_trip(
            object in proptest::collection::btree_map("[A-Za-z][A-Za-z ]{0,6}[a-z]", prop_oneof![
                any::<i64>().prop_map(Value::Int),
                "[a-z][a-z:0-9]{0,6}".prop_map(Value::text),
            ], 1..6)
        ) {
            let text = object.iter().map(|(k, v)| format!("{k}:{v}")).collect::<Vec<_>>().join(";");
            prop_assert_eq!(read(&Kind::Map(Box::new(Kind::Any)), &text), Ok(Value::Object(object)));
        }

        #[test]
        fn no_text_makes_reading_fail_otherwise_than_by_a_reason(text in r#"[{\["a1:;|,}\]\\é ]{1,20}"#) {
            for kind in [Kind::Map(Box::new(Kind::Any)), privileges(), Kind::Json, Kind::Any, Kind::Int] {
                let _ = read(&kind, &text);
            }
        }
    }
}
