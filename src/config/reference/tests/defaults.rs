//! The defaults are those that count.

use super::*;
use crate::config::reference::toml_value;

/// The settings as they count, whatever text says them.
fn counting(file: &Table) -> String {
    let mut settings = read(file).unwrap_or_else(|error| panic!("{error:#}\n{file}"));
    settings.text = String::new();
    let text = format!("{settings:?}");
    // Places in the text differ, and nothing else does.
    let mut parts = text.split("span: ");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |said, part| said + part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
}

fn written_default(place: &Place) -> Option<Value> {
    match place.setting.otherwise {
        Otherwise::Default(toml) => Some(toml_value(toml).unwrap_or_else(|| panic!("{}: {toml}", place.name()))),
        _ => None,
    }
}

#[test]
fn a_default_that_is_written_out_changes_nothing() {
    let mut seen = 0;
    for place in places() {
        let Some(value) = written_default(&place) else { continue };
        seen += 1;
        let written = place.with(value);
        let mut left_out = written.clone();
        let (last, before) = place.path.split_last().unwrap();
        before.iter().fold(&mut left_out, |table, name| table[*name].as_table_mut().unwrap()).remove(*last);
        let is_inner = place.path.len() > 2;
        let (written, left_out) = (counting(&written), counting(&left_out));
        // Within a table the digest is of what is written; whoever changes that has changed something.
        let digest = |text: &str| text.split("digest: ").last().map(str::to_owned);
        let without = |text: &str| text.split("digest: ").next().map(str::to_owned);
        assert_eq!(without(&written), without(&left_out), "{}", place.name());
        assert!(is_inner || digest(&written) == digest(&left_out), "{}", place.name());
    }
    assert!(seen > 40, "only {seen}");
}

#[test]
fn all_defaults_written_out_change_nothing() {
    for kind in KINDS {
        let mut file = least(kind.name);
        for section in all_sections() {
            for (of, setting) in section.settings() {
                let Otherwise::Default(toml) = setting.otherwise else { continue };
                if of.is_none_or(|of| of.kind.name == kind.name) {
                    let table = file.entry(section.name).or_insert_with(|| Table::new().into());
                    table.as_table_mut().unwrap().insert(setting.name.to_owned(), toml_value(toml).unwrap());
                }
            }
        }
        assert!(file.len() > 8);
        assert_eq!(counting(&file), counting(&least(kind.name)), "{}", kind.name);
        assert_eq!(marks(&file), []);
    }
}
