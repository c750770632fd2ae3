//! JSON Lines as spooled rows: one object on each line.
//!
//! The columns are the names of all objects of the file, in the order in which they first occur, so that a name that only
//! some objects have is a column as well; an object that lacks one has a blank cell there, as it has for `null`. That is
//! why the file is read twice. An object in an object becomes a column for each of its names, joined with a dot
//! (`name.given`); lists, and what is nested deeper than [`DEEPEST`] levels, are kept as the JSON that stands there. Numbers
//! are kept as they are written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::path::Path;

use encoding_rs::Encoding;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{Fault, Trouble};
use super::header;
use super::records::encoding_fault;
use super::row_shape::{MAX_RECORD, RowFault};
use super::spool::{RowSpool, Spooled};
use super::text::Text;

/// How deep objects are taken apart.
const DEEPEST: usize = 8;

/// As many columns as a spreadsheet of old had: more are no columns but data.
const MOST_COLUMNS: usize = 4096;

/// Spools the objects of a file; with them comes the digest of the file.
pub(super) fn spool_objects(
    path: &Path,
    encoding: Option<&'static Encoding>,
    folder: &Path,
) -> Result<(Spooled, String), Trouble> {
    let mut columns = ObjectColumns::default();
    let first = each_line(path, encoding, |line| {
        if let Ok(cells) = flat_cells(line.text) {
            cells.into_iter().try_for_each(|(name, _)| columns.add(name, line.number))?;
        }
        Ok(())
    })?;
    if columns.names.is_empty() {
        return Err(Fault::NoObjects.into());
    }
    let mut spool = RowSpool::create(folder)?;
    let mut ends_within_row = false;
    let mut blank_rows = 0;
    let second = each_line(path, encoding, |line| {
        let cells = match flat_cells(line.text) {
            Ok(cells) => cells,
            Err(mut message) => {
                ends_within_row = !line.terminated;
                if ends_within_row {
                    message.push_str(", and the file ends within it: it may have been cut short");
                }
                return Ok(spool.write_bad_row::<&str>(line.number, RowFault::Torn, &message, &[])?);
            }
        };
        if cells.iter().all(|(_, cell)| cell.trim().is_empty()) {
            blank_rows += 1;
            return Ok(());
        }
        let mut row = vec![Cow::Borrowed(""); columns.names.len()];
        for (name, cell) in cells {
            match columns.positions.get(&name) {
                Some(at) => row[*at] = cell,
                None => return Err(Fault::Changed.into()),
            }
        }
        Ok(spool.write_row(line.number, &row)?)
    })?;
    if first != second {
        return Err(Fault::Changed.into());
    }
    header::check(&columns.names)?;
    let Passed { digest, encoding, marked } = second;
    let path = spool.finish()?;
    Ok((Spooled { path, names: columns.names, blank_rows, ends_within_row, encoding, marked }, digest))
}

/// What a pass over the file has told of it.
#[derive(PartialEq, Eq)]
struct Passed {
    digest: String,
    encoding: &'static Encoding,
    marked: bool,
}

#[derive(Default)]
struct ObjectColumns {
    names: Vec<String>,
    positions: HashMap<String, usize>,
}

impl ObjectColumns {
    fn add(&mut self, name: String, line: u32) -> Result<(), Trouble> {
        if self.positions.contains_key(&name) {
            return Ok(());
        }
        if self.names.len() == MOST_COLUMNS {
            return Err(Trouble::from(Fault::TooManyColumns(MOST_COLUMNS)).at_line(line));
        }
        self.positions.insert(name.clone(), self.names.len());
        self.names.push(name);
        Ok(())
    }
}

struct JsonLine<'a> {
    /// 1-based.
    number: u32,
    text: &'a str,
    /// A line break follows it.
    terminated: bool,
}

/// Calls `each` for every line that is not blank.
fn each_line(
    path: &Path,
    encoding: Option<&'static Encoding>,
    mut each: impl FnMut(&JsonLine<'_>) -> Result<(), Trouble>,
) -> Result<Passed, Trouble> {
    let file = File::open(path).map_err(|error| Fault::io("opening", &error))?;
    let mut text = Text::open(file, encoding)?;
    let mut window = vec![0; 2 * MAX_RECORD];
    let (mut start, mut end, mut number, mut before) = (0, 0, 1_u32, text.bom);
    let mut any = false;
    loop {
        let found = memchr::memchr(b'\n', &window[start..end]);
        let stop = match found {
            Some(length) => start + length,
            None if end - start > MAX_RECORD => {
                return Err(Trouble::from(Fault::RowTooLong { quote: None }).at_line(number));
            }
            None => {
                window.copy_within(start..end, 0);
                before += start as u64;
                end -= start;
                start = 0;
                let count = text.read(&mut window[end..])?;
                end += count;
                if count > 0 {
                    continue;
                }
                if start == end {
                    break;
                }
                end
            }
        };
        let bytes = &window[start..stop];
        let line = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let byte = text.is_plain().then_some(before + (start + at) as u64);
            let fault = encoding_fault(&bytes[at..], found.is_none() && error.error_len().is_none());
            Trouble { line: Some(number), byte, fault }
        })?;
        let line = line.trim();
        if !line.is_empty() {
            if !any && line.starts_with('[') {
                return Err(Trouble::from(Fault::JsonArray).at_line(number));
            }
            any = true;
            each(&JsonLine { number, text: line, terminated: found.is_some() })?;
        }
        number = number.saturating_add(1);
        start = (stop + 1).min(end);
    }
    if !any {
        return Err(Fault::Empty.into());
    }
    Ok(Passed { digest: text.digest(), encoding: text.encoding, marked: text.bom > 0 })
}

/// The cells of an object, in its order, each with the name of its column.
///
/// # Errors
/// Why the line is no row.
fn flat_cells(line: &str) -> Result<Vec<(String, Cow<'_, str>)>, String> {
    let mut cells = Vec::new();
    flatten_object(line, "", 1, &mut cells)?;
    let mut seen = std::collections::HashSet::with_capacity(cells.len());
    match cells.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        Some((name, _)) => Err(format!("the object has the name {name:?} twice")),
        None => Ok(cells),
    }
}

fn flatten_object<'a>(
    json: &'a str,
    prefix: &str,
    depth: usize,
    cells: &mut Vec<(String, Cow<'a, str>)>,
) -> Result<(), String> {
    let Members(members) = serde_json::from_str(json).map_err(|error| not_an_object(&error))?;
    for (name, value) in members {
        let name = header::trim_name(&name);
        if name.is_empty() {
            return Err("a name in the object is empty".to_owned());
        }
        let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        let value = value.get();
        match value.as_bytes().first() {
            Some(b'{') if depth < DEEPEST => flatten_object(value, &name, depth + 1, cells)?,
            Some(b'"') => {
                let text: Borrowed<'a> = serde_json::from_str(value).map_err(|error| not_an_object(&error))?;
                cells.push((name, text.0));
            }
            _ if value == "null" => cells.push((name, Cow::Borrowed(""))),
            _ => cells.push((name, Cow::Borrowed(value))),
        }
    }
    Ok(())
}

fn not_an_object(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    format!("the line is not a JSON object: {message} (character {})", error.column())
}

/// The members of an object, as many as stand there: of two with one name none is lost.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Borrowed(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A text, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Vec<String> {
        flat_cells(line).unwrap().into_iter().map(|(name, cell)| format!("{name}={cell}")).collect()
    }

    #[test]
    fn values_become_cells_as_they_are_written() {
        assert_eq!(
            cells(r#"{"id":"00123","n":1.50,"big":12345678901234567890123,"t":true,"none":null,"e":"a\u00e9\n"}"#),
            ["id=00123", "n=1.50", "big=12345678901234567890123", "t=true", "none=", "e=aé\n"]
        );
    }

    #[test]
    fn objects_become_dotted_columns_and_lists_stay_json() {
        assert_eq!(
            cells(r#"{"name":{"given":"Ana","family":{"a":1}},"skills":[{"x": 1}, 2],"empty":{}}"#),
            ["name.given=Ana", "name.family.a=1", r#"skills=[{"x": 1}, 2]"#]
        );
    }

    #[test]
    fn what_is_nested_without_end_is_kept_as_it_is() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        let found = cells(&deep);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with(r#"a.a.a.a.a.a.a.a={"a":"#), "{}", &found[0][..40]);
    }

    #[test]
    fn a_name_twice_in_whatever_way_is_refused() {
        for line in [r#"{"a":1,"a":2}"#, r#"{"a":{"b":1},"a.b":2}"#, r#"{"a":1," a ":2}"#] {
            assert!(flat_cells(line).unwrap_err().ends_with(" twice"), "{line}");
        }
        assert!(flat_cells(r#"{" ":1}"#).unwrap_err().contains("empty"));
    }

    #[test]
    fn what_is_no_object_says_where() {
        for (line, expected) in [
            (r#"{"a":1"#, "the line is not a JSON object: EOF while parsing an object (character 6)"),
            ("17", "the line is not a JSON object: invalid type: integer `17`, expected an object (character 2)"),
            (r#"{"a":1} x"#, "the line is not a JSON object: trailing characters (character 9)"),
        ] {
            assert_eq!(flat_cells(line).unwrap_err(), expected);
        }
    }
}
