//! Texts and the names of columns as they stand in a configuration: in TOML, in `[map]`, in a template.

use std::fmt::Write;

use super::synonyms::names_in;

/// A text as TOML has it.
pub(super) fn toml_text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key as TOML has it.
pub(super) fn toml_key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { name.to_owned() } else { toml_text(name) }
}

/// A column as a value of `[map]`: its name, unless that looks like a template.
pub(super) fn map_column(column: &str) -> String {
    if column.contains("{{") || column.contains("{%") {
        format!("{{ column = {} }}", toml_text(column))
    } else {
        toml_text(column)
    }
}

/// A text as a template has it.
pub(super) fn template_literal(value: &str) -> String {
    if value.contains('\'') && !value.contains(['"', '\\']) {
        return format!("\"{value}\"");
    }
    let escaped = value.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r");
    format!("'{escaped}'")
}

/// A list of texts as a template has it.
pub(super) fn template_list(values: &[&str]) -> String {
    format!("[{}]", values.iter().map(|value| template_literal(value)).collect::<Vec<_>>().join(", "))
}

/// A column as a template names it.
pub(super) fn template_reference(column: &str) -> String {
    let mut letters = column.chars();
    let is_name = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name && names_in(RESERVED).all(|name| !name.eq_ignore_ascii_case(column)) {
        column.to_owned()
    } else {
        format!("row[{}]", template_literal(column))
    }
}

/// Names that mean something else in a template.
const RESERVED: &str = "row | and | or | not | in | is | if | else | elif | true | false | none | loop | self | today | range | dict | \
     namespace";
