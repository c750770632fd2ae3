//! The digest over everything in the configuration that decides what a plan holds. It sees data, not text: comments,
//! layout, the order of settings, and whether a default is written out do not matter.

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};

use super::sections::{default_of, is_secret};
use crate::model::Digest;

/// The tables that decide what a plan holds. `[rate]`, `[journal]`, `[passwords]` and `[report]` decide how fast it is
/// executed and what is told of it.
const DECISIVE: [&str; 7] = ["lookup", "map", "match", "policy", "safety", "source", "target"];

pub(super) fn digest_of(root: &DeTable<'_>) -> Digest {
    let mut bytes = Vec::new();
    let target = root.get("target").and_then(|target| target.get_ref().as_table());
    let kind = target.and_then(|target| target.get("kind")).and_then(|kind| kind.get_ref().as_str());
    for name in DECISIVE {
        let Some(value) = root.get(name) else { continue };
        // Where a secret is kept says nothing about the accounts.
        let skipped = |key: &str, value: &DeValue<'_>| is_secret(name, key) || is_default(name, key, value, kind);
        if value
            .get_ref()
            .as_table()
            .is_some_and(|table| table.iter().all(|(key, value)| skipped(key.get_ref(), value.get_ref())))
        {
            continue;
        }
        write_text(name, &mut bytes);
        write_value(value.get_ref(), &skipped, &mut bytes);
    }
    Digest::of(&bytes)
}

/// Whether the setting says what would count without it.
fn is_default(section: &str, key: &str, value: &DeValue<'_>, kind: Option<&str>) -> bool {
    let Some(default) = default_of(section, key, kind).map(|toml| format!("value = {toml}")) else { return false };
    let bytes = |value: &DeValue<'_>| {
        let mut bytes = Vec::new();
        write_value(value, &skip_nothing, &mut bytes);
        bytes
    };
    DeTable::parse(&default)
        .is_ok_and(|table| table.get_ref().get("value").is_some_and(|default| bytes(default.get_ref()) == bytes(value)))
}

fn skip_nothing(_: &str, _: &DeValue<'_>) -> bool {
    false
}

/// The value in a form that no other value has: its kind, then its length, then what is in it, tables by key.
fn write_value(value: &DeValue<'_>, skipped: &dyn Fn(&str, &DeValue<'_>) -> bool, out: &mut Vec<u8>) {
    match value {
        DeValue::String(text) => write_text(text, out),
        // Whichever way a number is written (`0x10`, `1e3`), it is the same number.
        DeValue::Integer(number) => {
            let text = i128::from_str_radix(number.as_str(), number.radix())
                .map_or(Cow::Borrowed(number.as_str()), |number| Cow::Owned(number.to_string()));
            write_tagged(b'i', &text, out);
        }
        DeValue::Float(number) => {
            let text = number.as_str().parse::<f64>();
            write_tagged(b'f', &text.map_or_else(|_| number.to_string(), |number| number.to_string()), out);
        }
        DeValue::Boolean(value) => write_tagged(b'b', if *value { "true" } else { "false" }, out),
        DeValue::Datetime(date) => write_tagged(b'd', &date.to_string(), out),
        DeValue::Array(list) => {
            write_head(b'[', list.len(), out);
            list.iter().for_each(|value| write_value(value.get_ref(), &skip_nothing, out));
        }
        DeValue::Table(table) => {
            let mut entries: Vec<_> =
                table.iter().filter(|(key, value)| !skipped(key.get_ref(), value.get_ref())).collect();
            entries.sort_by(|a, b| a.0.get_ref().cmp(b.0.get_ref()));
            write_head(b'{', entries.len(), out);
            for (key, value) in entries {
                write_text(key.get_ref(), out);
                write_value(value.get_ref(), &skip_nothing, out);
            }
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    write_tagged(b's', text, out);
}

fn write_tagged(tag: u8, text: &str, out: &mut Vec<u8>) {
    write_head(tag, text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn write_head(tag: u8, length: usize, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(length as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        digest_of(DeTable::parse(text).unwrap().get_ref())
    }

    const BASE: &str = "[source]\npath = 'a.csv'\nheader_row = 16\n[map]\na.b = 'x'\n[target]\nteam_id = 1\n";

    #[test]
    fn layout_comments_order_and_secrets_do_not_matter() {
        let same = "# c\nmap = { a = { b = \"x\" } }\n[target]\napi_key = { env = 'OTHER' } # c\nteam_id=1\n\
                    [rate]\nburst = 9\n[source]\nheader_row = 0x10\npath = \"\"\"a.csv\"\"\"\n[report]\nhtml = 'x'";
        assert_eq!(digest(BASE), digest(same));
    }

    #[test]
    fn whatever_decides_a_plan_matters() {
        for (from, to) in [("a.csv", "b.csv"), ("= 16", "= 17"), ("a.b", "a.c"), ("'x'", "\"y\""), ("= 1\n", "= '1'\n")]
        {
            assert_ne!(digest(BASE), digest(&BASE.replacen(from, to, 1)), "{from} -> {to}");
        }
        for added in
            ["[policy]\ncreate = false", "[safety]\nmin_rows = 2", "[match]\nrules = []", "[lookup.t]\nkey = 'k'"]
        {
            assert_ne!(digest(BASE), digest(&format!("{BASE}{added}")), "{added}");
        }
    }

    #[test]
    fn a_default_that_is_written_out_does_not_matter_and_one_of_another_kind_does() {
        for same in [
            "[policy]",
            "[policy]\nabsent_for = { days = 7, runs = 3 }\ncreate = true",
            "[safety]\nmin_rows = 0x1\nmax_create = '20%'",
        ] {
            assert_eq!(digest(BASE), digest(&format!("{BASE}{same}")), "{same}");
        }
        let kind = |kind: &str| digest(&format!("[target]\nkind = '{kind}'\nupdate_method = 'PATCH'"));
        assert_eq!(kind("imichat"), digest("[target]\nkind = 'imichat'"));
        assert_ne!(kind("scim"), digest("[target]\nkind = 'scim'"));
        assert_ne!(digest(BASE), digest(&format!("{BASE}[policy]\nabsent_for = {{ runs = 3 }}\nupdate = false")));
    }

    #[test]
    fn no_two_shapes_look_alike() {
        let shapes =
            ["['a', 'b']", "['ab']", "[['a'], 'b']", "{ a = 'b' }", "'ab'", "1", "1.0", "true", "'true'", "[]", "{}"];
        let digests: Vec<_> = shapes.iter().map(|shape| digest(&format!("map.x = {shape}"))).collect();
        for (i, a) in digests.iter().enumerate() {
            assert!(digests[..i].iter().all(|b| a != b), "{}", shapes[i]);
        }
    }
}
