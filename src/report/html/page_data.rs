//! All people of a report as data for its script: JSON in which no letter ends the element that it stands in.
//!
//! A row is an array, in the order of [`row_cells`]. What is sent along unchanged is kept for those attributes only whose
//! values repeat, because people are found by them (a team, a site): each pair of attribute and value stands once, and a
//! row names it by its number.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use super::row::{PersonRow, PersonState, kinds_and_signs, shared_value, short_name};

/// So many different values an attribute may have for people to be grouped by it.
const VALUES: usize = 200;

/// Where the rows stand, as the script reads them.
#[derive(Default)]
pub(super) struct PageData {
    is_begun: bool,
    pairs: Vec<(String, String)>,
    numbers: HashMap<String, HashMap<String, usize>>,
    /// Attributes of which there are too many values.
    wide: HashSet<String>,
}

impl PageData {
    /// Begins the object, up to the first row.
    pub(super) fn begin_object(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let (kinds, signs): (Vec<_>, Vec<_>) = kinds_and_signs().unzip();
        out.write_all(b"{\"kinds\":")?;
        write_json(&kinds, out)?;
        out.write_all(b",\"signs\":")?;
        write_json(&signs, out)?;
        out.write_all(b",\"states\":")?;
        write_json(&PersonState::ALL.map(PersonState::name), out)?;
        out.write_all(b",\"rows\":[\n")
    }

    pub(super) fn write_row(&mut self, row: &PersonRow<'_>, out: &mut dyn Write) -> io::Result<()> {
        if self.is_begun {
            out.write_all(b",\n")?;
        }
        self.is_begun = true;
        let along = self.pair_numbers(row);
        write_json(&row_cells(row, along), out)
    }

    /// Ends the object.
    pub(super) fn end_object(self, out: &mut dyn Write) -> io::Result<()> {
        // Their numbers are in use; only their values are not worth having.
        let kept: Vec<_> = self
            .pairs
            .iter()
            .map(|(attribute, value)| (!self.wide.contains(attribute)).then_some((attribute, value)))
            .collect();
        out.write_all(b"\n],\"pairs\":")?;
        write_json(&kept, out)?;
        out.write_all(b"}")
    }

    fn pair_numbers(&mut self, row: &PersonRow<'_>) -> Vec<usize> {
        let mut along = Vec::new();
        for (attribute, value) in row.also.into_iter().flatten().flatten() {
            let attribute = short_name(attribute);
            let Some(value) = shared_value(value).filter(|_| !self.wide.contains(attribute.as_ref())) else { continue };
            let values = self.numbers.entry(attribute.clone().into_owned()).or_default();
            let number = match values.get(value.as_ref()) {
                Some(number) => *number,
                None if values.len() == VALUES => {
                    self.wide.insert(attribute.into_owned());
                    continue;
                }
                None => {
                    values.insert(value.clone().into_owned(), self.pairs.len());
                    self.pairs.push((attribute.into_owned(), value.into_owned()));
                    self.pairs.len() - 1
                }
            };
            along.push(number);
        }
        along
    }
}

/// One row: kind, state, key, identity, account, rule, file, line, changes, reasons, what is sent along.
fn row_cells<'r>(row: &'r PersonRow<'_>, along: Vec<usize>) -> impl Serialize + use<'r> {
    let kind = kinds_and_signs().position(|(name, _)| name == row.kind);
    let state = PersonState::ALL.iter().position(|state| *state == row.state);
    let names = (&row.key, &row.identity, &row.account, &row.matched);
    (kind, state, names.0, names.1, names.2, names.3, &row.file, row.line, &row.changes, &row.why, along)
}

fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, HarmlessStrings)).map_err(Into::into)
}

/// Writes strings without the letters that mean something to a reader of HTML.
struct HarmlessStrings;

impl Formatter for HarmlessStrings {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment.as_bytes();
        while let Some(at) = memchr::memchr3(b'<', b'>', b'&', rest) {
            out.write_all(&rest[..at])?;
            write!(out, "\\u{:04x}", rest[at])?;
            rest = &rest[at + 1..];
        }
        out.write_all(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Entry;
    use crate::report::html::row::ValueRoom;

    fn written(entries: &[serde_json::Value]) -> String {
        let (mut data, mut out) = (PageData::default(), Vec::new());
        data.begin_object(&mut out).unwrap();
        for entry in entries {
            let entry: Entry = serde_json::from_value(entry.clone()).unwrap();
            data.write_row(&PersonRow::from_entry(&entry, &mut ValueRoom::new()), &mut out).unwrap();
        }
        data.end_object(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whoever_leaves_is_found_by_what_the_account_has() {
        let leaver = serde_json::json!({"seq": 1, "action": "deactivate", "key": "ana", "changes": [], "requests": 1,
            "held": false, "also": {"title": "Agent"}, "about": {"team": "Sales"}});
        let read: serde_json::Value = serde_json::from_str(&written(&[leaver])).unwrap();
        assert_eq!(read["pairs"], serde_json::json!([["title", "Agent"], ["team", "Sales"]]));
        assert_eq!(read["rows"][0][10], serde_json::json!([0, 1]));
    }

    fn update(key: &str, also: serde_json::Value) -> serde_json::Value {
        serde_json::json!({"seq": 1, "action": "update", "key": key, "changes": [{"attribute": "title", "from": null, "to": "Lead"}],
            "also": also, "requests": 1, "held": false})
    }

    #[test]
    fn no_letter_of_it_ends_a_script_and_it_reads_back_the_same() {
        let key = "</script><!--<script>&amp;\"\\\u{2028}";
        let text = written(&[update(key, serde_json::json!({}))]);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["rows"][0][2], "</script><!--<script>&amp;\"\\\\u{2028}");
        assert_eq!(read["rows"][0][8], serde_json::json!([["title", "(empty)", "Lead"]]));
    }

    #[test]
    fn what_repeats_stands_once_and_what_everybody_has_of_their_own_does_not_stand() {
        let people: Vec<_> = (0..VALUES + 20)
            .map(|at| update(&at.to_string(), serde_json::json!({"team": "Sales", "mail": format!("{at}@x.example")})))
            .collect();
        let read: serde_json::Value = serde_json::from_str(&written(&people)).unwrap();
        let pairs = read["pairs"].as_array().unwrap();
        assert_eq!(pairs.iter().filter(|pair| !pair.is_null()).count(), 1);
        let of = |at: usize| read["rows"][at][10].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize);
        assert!((0..people.len()).all(|at| of(at).any(|n| pairs[n] == serde_json::json!(["team", "Sales"]))));
    }
}
