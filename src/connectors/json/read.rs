//! JSON as values of attributes, led by the schema: read as what the attribute is, where what came has that one meaning,
//! and else kept as it is, so that it compares as different and is seen.

use std::collections::BTreeMap;

use serde_json::Number;

use super::tree::{JsonMembers, JsonTree};
use crate::model::{AttrId, Kind, Schema, Value};

/// What the members of an object say of the attributes that can be read, in the schema's order. Of a member that comes
/// twice the last counts.
pub fn read_members(schema: &Schema, members: JsonMembers<'_>) -> Vec<(AttrId, Value)> {
    let mut values = Vec::with_capacity(members.len());
    for (name, json) in members.into_iter().rev() {
        if let Some(id) = schema.id(&name)
            && schema.get(id).read
        {
            values.push((id, read_value(&schema.get(id).kind, json)));
        }
    }
    values.sort_by_key(|(id, _)| *id);
    values.dedup_by_key(|(id, _)| *id);
    values
}

/// A value as an attribute of this kind holds it.
pub fn read_value(kind: &Kind, json: JsonTree<'_>) -> Value {
    match (kind, json) {
        (Kind::Map(_), json) if json.is_nothing() => Value::Object(BTreeMap::new()),
        (_, JsonTree::Null) => Value::Null,
        (Kind::Text | Kind::Choice(_) | Kind::DateTime, JsonTree::Number(number)) => Value::text(number.to_string()),
        (Kind::Text | Kind::Choice(_) | Kind::DateTime, JsonTree::Bool(flag)) => Value::text(flag.to_string()),
        (Kind::Bool, JsonTree::Number(number)) => match number.as_i64() {
            Some(0) => Value::Bool(false),
            Some(1) => Value::Bool(true),
            _ => keep_number(&number),
        },
        (Kind::Bool, JsonTree::Text(text)) => match text.trim() {
            word if word.eq_ignore_ascii_case("true") || word == "1" => Value::Bool(true),
            word if word.eq_ignore_ascii_case("false") || word == "0" => Value::Bool(false),
            _ => Value::text(text),
        },
        (Kind::Int, JsonTree::Text(text)) => text.trim().parse().map_or_else(|_| Value::text(text), Value::Int),
        (Kind::List(_), json) if json.is_nothing() => Value::List(Vec::new()),
        (Kind::List(item), JsonTree::List(list)) => {
            Value::List(list.into_iter().filter(|json| is_kept(item, json)).map(|json| read_item(item, json)).collect())
        }
        // The only one of its list.
        (Kind::List(item), json) => Value::List(vec![read_item(item, json)]),
        (Kind::Map(item), JsonTree::Object(members)) => {
            let mut object = BTreeMap::new();
            for (name, json) in members {
                if is_kept(item, &json) {
                    object.insert(name.into_owned(), read_value(item, json));
                } else {
                    object.remove(&*name);
                }
            }
            Value::Object(object)
        }
        (_, json) => keep_value(json),
    }
}

/// Nothing is only kept where anything is.
fn is_kept(item: &Kind, json: &JsonTree<'_>) -> bool {
    *json != JsonTree::Null || matches!(item, Kind::Any | Kind::Json)
}

/// An item of a list; of an object where the list is one of plain values, its `value`.
fn read_item(item: &Kind, json: JsonTree<'_>) -> Value {
    let is_plain = !matches!(item, Kind::Json | Kind::Object(_) | Kind::Map(_));
    match json {
        JsonTree::Object(mut members) if is_plain => {
            match members.iter().position(|(name, _)| name.eq_ignore_ascii_case("value")) {
                Some(at) => read_value(item, members.swap_remove(at).1),
                None => keep_value(JsonTree::Object(members)),
            }
        }
        json => read_value(item, json),
    }
}

/// A value exactly as JSON has it.
fn keep_value(json: JsonTree<'_>) -> Value {
    match json {
        JsonTree::Null => Value::Null,
        JsonTree::Bool(flag) => Value::Bool(flag),
        JsonTree::Number(number) => keep_number(&number),
        JsonTree::Text(text) => Value::text(text),
        JsonTree::List(list) => Value::List(list.into_iter().map(keep_value).collect()),
        JsonTree::Object(members) => {
            Value::Object(members.into_iter().map(|(name, json)| (name.into_owned(), keep_value(json))).collect())
        }
    }
}

fn keep_number(number: &Number) -> Value {
    match number.as_i64() {
        Some(n) => Value::Int(n),
        // Beyond i64 the digits matter more than the arithmetic.
        None if number.is_u64() => Value::text(number.to_string()),
        None => number.as_f64().map_or(Value::Null, Value::Float),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Attribute;

    fn read(kind: &Kind, json: &str) -> String {
        serde_json::to_string(&read_value(kind, JsonTree::parse(json.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn what_has_one_meaning_is_what_the_attribute_is() {
        let list = Kind::List(Box::new(Kind::Text));
        let levels = Kind::Map(Box::new(Kind::Int));
        for (kind, json, expected) in [
            (&Kind::Text, "1072", r#""1072""#),
            (&Kind::Text, "true", r#""true""#),
            (&Kind::Bool, r#"" True ""#, "true"),
            (&Kind::Bool, "0", "false"),
            (&Kind::Bool, r#""1""#, "true"),
            (&Kind::Int, r#"" 80 ""#, "80"),
            (&list, r#""agent""#, r#"["agent"]"#),
            (&list, r#"["a",{"Value":7},null]"#, r#"["a","7"]"#),
            (&list, r#""""#, "[]"),
            (&levels, r#"{"b":"80","a":1,"b":2,"c":null}"#, r#"{"a":1,"b":2}"#),
            (&levels, "[]", "{}"),
            (&levels, "null", "{}"),
            (&Kind::Text, "null", "null"),
        ] {
            assert_eq!(read(kind, json), expected, "{json} as {kind:?}");
        }
    }

    #[test]
    fn what_has_no_such_meaning_stays_what_it_is() {
        let (list, any) = (Kind::List(Box::new(Kind::Text)), Kind::Map(Box::new(Kind::Any)));
        for (kind, json) in [
            (&Kind::Bool, r#""maybe""#),
            (&Kind::Bool, "2"),
            (&Kind::Int, r#""x""#),
            (&Kind::Int, "2.5"),
            (&Kind::Text, "[1]"),
            (&list, r#"[{"display":"x"}]"#),
            (&any, r#"{"a":null,"b":{"c":[1,2.5,null,true]}}"#),
            (&any, "5"),
            (&Kind::Json, r#"{"a":[null]}"#),
        ] {
            assert_eq!(read(kind, json), json, "{json} as {kind:?}");
        }
        assert_eq!(read(&Kind::Any, "18446744073709551615"), r#""18446744073709551615""#);
    }

    #[test]
    fn of_the_members_those_count_that_can_be_read_and_the_last_of_each() {
        let new = Attribute::new;
        let schema = Schema::new(vec![new("a", Kind::Text), new("b", Kind::Int), new("p", Kind::Text).allows("C")]);
        let JsonTree::Object(members) = JsonTree::parse(br#"{"b":1,"x":2,"p":"3","a":4,"b":"5"}"#).unwrap() else {
            panic!("it is an object");
        };
        assert_eq!(read_members(&schema, members), [(AttrId(0), Value::text("4")), (AttrId(1), Value::Int(5))]);
    }
}
