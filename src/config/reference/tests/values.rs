//! What is described is taken, what lies beside it is not, and an editor never marks what the program takes.

use super::*;
use crate::config::reference::toml_value;

#[test]
fn every_value_that_is_named_is_taken_and_marked_by_no_editor() {
    for place in places() {
        for value in good(&place.setting.takes) {
            assert!(
                !is_refused(&place, &value),
                "{} = {value}: {:#}",
                place.name(),
                read(&place.with(value.clone())).unwrap_err()
            );
            assert!(!is_marked(&place, &value), "{} = {value}: {:?}", place.name(), marks(&place.with(value.clone())));
        }
    }
}

#[test]
fn what_lies_beside_is_refused_and_marked() {
    let mut seen = 0;
    for place in places() {
        for value in bad(&place.setting.takes) {
            assert!(is_refused(&place, &value), "{} = {value} is taken", place.name());
            assert!(is_marked(&place, &value), "{} = {value} is not marked", place.name());
            seen += 1;
        }
    }
    assert!(seen > 300, "only {seen}");
}

/// Values of every type and form, for settings that may be of another.
fn probes() -> Vec<Value> {
    let mut probes: Vec<Value> =
        places().iter().filter(|p| p.path.len() == 2).map(|p| good(&p.setting.takes).remove(0)).collect();
    let more = [
        "''",
        "'x'",
        "' '",
        "'1'",
        "'5%'",
        "'1h'",
        "'https://a.example'",
        "'{{ x }}'",
        "'always'",
        "-1",
        "0",
        "1",
        "2",
        "7",
        "100",
        "101",
        "257",
        "20000",
        "9223372036854775807",
        "0.5",
        "2.5",
        "-0.5",
        "1e9",
        "true",
        "false",
        "[]",
        "['a']",
        "['a', 'a']",
        "[1]",
        "[['a']]",
        "[[]]",
        "['success']",
        "{}",
        "{ percent = 20 }",
        "{ percent = 101 }",
        "{ percent = '5%', count = 0 }",
        "{ env = 'A' }",
        "{ env = 'A', file = 'b' }",
        "{ command = [] }",
        "{ length = 8 }",
        "{ length = 7 }",
        "{ mark = 'T' }",
        "{ path = 'a', count = 'b' }",
        "{ url = { env = 'A' }, on = ['held'] }",
        "{ url = 'x' }",
        "{ runs = 0 }",
        "{ column = 'a' }",
        "{ column = 'a', value = 1 }",
    ];
    probes.extend(more.map(|toml| toml_value(toml).unwrap()));
    probes
}

/// Whether something in what the setting takes is checked by the program alone.
fn is_checked_further(takes: &ValueKind) -> bool {
    match takes {
        ValueKind::Text(shape) => shape.sees == Sees::NotAll,
        ValueKind::List { of, .. } => is_checked_further(of),
        ValueKind::Any { of, .. } => of.iter().any(is_checked_further),
        _ => false,
    }
}

#[test]
fn an_editor_marks_what_the_program_refuses_and_nothing_else() {
    let probes = probes();
    let mut seen = 0;
    for place in places() {
        // Where a secret is kept is the same for all of them.
        if place.path.len() > 2 && place.path[0] == "target" && place.path[1] != "api_key" {
            continue;
        }
        for value in &probes {
            let (refused, marked) = (is_refused(&place, value), is_marked(&place, value));
            assert!(refused || !marked, "an editor marks {} = {value}", place.name());
            // To JSON 1.0 is a whole number; and only the program knows a key or an encoding from a word.
            let is_whole = matches!(value, Value::Float(number) if number.fract() == 0.0);
            assert!(
                marked || !refused || is_whole || is_checked_further(&place.setting.takes),
                "no editor marks {} = {value}",
                place.name()
            );
            seen += 1;
        }
    }
    assert!(seen > 5_000, "only {seen}");
}

#[test]
fn an_attribute_is_mapped_in_the_ways_that_are_described() {
    let with = |toml: &str| {
        let mut file = least("scim");
        file["map"].as_table_mut().unwrap().insert("a".to_owned(), toml_value(toml).unwrap());
        file
    };
    for right in [
        "'column'",
        "'{{ x }}'",
        "true",
        "7",
        "1.5",
        "[]",
        "['a', { b = 'c', column = 1, on = [] }]",
        "{ a = 'x' }",
        "{ a = { b = { column = 'c', on = 'never' } } }",
        "{ column = 'c' }",
        "{ template = '{{ c }}', parse = 'list' }",
        "{ value = '' }",
        "{ value = [{ column = '' }] }",
        "{ generate = true, on = 'create' }",
        "{ generate = {} }",
    ] {
        assert!(read(&with(right)).is_ok(), "{right}: {:#}", read(&with(right)).unwrap_err());
        assert_eq!(marks(&with(right)), [], "{right}");
    }
    for wrong in [
        "''",
        "{}",
        "{ a = {} }",
        "['']",
        "[{ a = '' }]",
        "{ column = 'c', value = 1 }",
        "{ on = 'create' }",
        "{ lookup = 't' }",
        "{ column = 'c', lookup = 't' }",
        "{ generate = true, parse = 'int' }",
        "{ generate = {}, blank = 'clear' }",
        "{ generate = true, column = 'c', parse = 'int' }",
        "{ column = '{{ c }}' }",
        "{ column = 'c', a = 'b' }",
        "{ a = { column = 'c', b = 'd' } }",
        "{ a = { template = 1 } }",
    ] {
        assert!(read(&with(wrong)).is_err(), "{wrong}");
        assert!(!marks(&with(wrong)).is_empty(), "{wrong}");
    }
}
