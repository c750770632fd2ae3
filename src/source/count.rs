//! How many rows an export says that it has: in a row at its end (`source.trailer`), or in a file beside it
//! (`source.manifest`). Checked at the end of a pass; an export that has another number was cut short, or is another one.

use std::path::Path;

use crate::config::{ManifestSettings, TrailerSettings};

use super::error::{Fault, SourceError, Trouble};

/// The number of rows of all files together, and who says so.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expected {
    pub rows: u64,
    pub by: String,
}

/// The largest manifest.
const MOST_BYTES: usize = 1 << 20;

/// Reads a manifest: a number alone, or a JSON object with one.
pub(super) fn read_manifest(settings: &ManifestSettings) -> Result<Expected, SourceError> {
    let shown = super::files::names(std::slice::from_ref(&settings.path)).remove(0).shown;
    let rows = read(&settings.path, &settings.count).map_err(|fault| Trouble::from(fault).in_file(&shown))?;
    Ok(Expected { rows, by: shown })
}

fn read(path: &Path, name: &str) -> Result<u64, Fault> {
    let bytes = std::fs::read(path).map_err(|error| super::files::opening(path, &error))?;
    let none = || Fault::NoCount { name: name.to_owned() };
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= MOST_BYTES).ok_or_else(none)?;
    let text = super::header::trim_name(text);
    if let Some(rows) = parse_count(text) {
        return Ok(rows);
    }
    let json: serde_json::Value = serde_json::from_str(text).map_err(|_| none())?;
    let found = name.split('.').try_fold(&json, |json, name| json.get(name)).ok_or_else(none)?;
    match found {
        serde_json::Value::Number(rows) => rows.as_u64().ok_or_else(none),
        serde_json::Value::String(rows) => parse_count(rows).ok_or_else(none),
        _ => Err(none()),
    }
}

/// What a row says if it is the trailer: `None` where it is a row like any other.
///
/// # Errors
/// A trailer without a number where the number should be.
pub(super) fn of_trailer<'c>(
    settings: &TrailerSettings,
    cell: impl Fn(usize) -> Option<&'c str>,
) -> Option<Result<u64, Fault>> {
    let after = cell(0)?.trim().strip_prefix(settings.mark.as_str())?;
    let text = if settings.count == 1 { Some(after) } else { cell(settings.count - 1) };
    let rows = text.and_then(parse_count);
    Some(rows.ok_or(Fault::TrailerWithoutCount { cell: settings.count }))
}

fn parse_count(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<u64, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        std::fs::write(&path, text).unwrap();
        read(&path, "export.rows")
    }

    #[test]
    fn a_manifest_is_a_number_or_an_object_that_holds_one() {
        assert_eq!(said("\u{FEFF}0120\r\n"), Ok(120));
        assert_eq!(said(r#"{"export":{"rows":120}}"#), Ok(120));
        assert_eq!(said(r#"{"export":{"rows":"120"}}"#), Ok(120));
        for text in ["", "many", "-1", "1.5", "{}", r#"{"rows":1}"#, r#"{"export":{"rows":-1}}"#, r#"{"export":1}"#] {
            assert_eq!(said(text), Err(Fault::NoCount { name: "export.rows".into() }), "{text}");
        }
    }

    #[test]
    fn a_trailer_is_told_by_its_mark_and_counts_in_its_cell() {
        let of = |count, cells: &[&'static str]| {
            let settings = TrailerSettings { mark: "TRAILER".into(), count };
            let cells = cells.to_vec();
            of_trailer(&settings, move |at| cells.get(at).copied())
        };
        assert_eq!(of(2, &["1", "Ana"]), None);
        assert_eq!(of(2, &[" TRAILER ", "0120", ""]), Some(Ok(120)));
        assert_eq!(of(1, &["TRAILER 120"]), Some(Ok(120)));
        for cells in [&["TRAILER"][..], &["TRAILER", "x"], &["TRAILER", ""]] {
            assert_eq!(of(2, cells), Some(Err(Fault::TrailerWithoutCount { cell: 2 })));
        }
    }
}
