//! The digest over everything in the configuration that decides what a plan holds. It sees data, not text: comments,
//! layout and the order of settings do not matter.

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};

use super::target::SECRETS;
use crate::model::Digest;

/// The tables that decide what a plan holds. `[rate]`, `[journal]`, `[passwords]` and `[report]` decide how fast it is
/// executed and what is told of it.
const DECISIVE: [&str; 7] = ["lookup", "map", "match", "policy", "safety", "source", "target"];

pub(super) fn of(root: &DeTable<'_>) -> Digest {
    let mut bytes = Vec::new();
    for name in DECISIVE {
        if let Some(value) = root.get(name) {
            write_text(name, &mut bytes);
            // Where a secret is kept says nothing about the accounts.
            let skipped: &[&str] = if name == "target" { &SECRETS } else { &[] };
            write(value.get_ref(), skipped, &mut bytes);
        }
    }
    Digest::of(&bytes)
}

/// The value in a form that no other value has: its kind, then its length, then what is in it, tables by key.
fn write(value: &DeValue<'_>, skipped: &[&str], out: &mut Vec<u8>) {
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
            list.iter().for_each(|value| write(value.get_ref(), &[], out));
        }
        DeValue::Table(table) => {
            let mut entries: Vec<_> =
                table.iter().filter(|(key, _)| !skipped.contains(&key.get_ref().as_ref())).collect();
            entries.sort_by(|a, b| a.0.get_ref().cmp(b.0.get_ref()));
            write_head(b'{', entries.len(), out);
            for (key, value) in entries {
                write_text(key.get_ref(), out);
                write(value.get_ref(), &[], out);
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
        of(DeTable::parse(text).unwrap().get_ref())
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
    fn no_two_shapes_look_alike() {
        let shapes =
            ["['a', 'b']", "['ab']", "[['a'], 'b']", "{ a = 'b' }", "'ab'", "1", "1.0", "true", "'true'", "[]", "{}"];
        let digests: Vec<_> = shapes.iter().map(|shape| digest(&format!("map.x = {shape}"))).collect();
        for (i, a) in digests.iter().enumerate() {
            assert!(digests[..i].iter().all(|b| a != b), "{}", shapes[i]);
        }
    }
}
