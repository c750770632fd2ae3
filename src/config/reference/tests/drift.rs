//! The readers ask for the settings that are described, and for no other.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::*;
use crate::config::reference::{FORM, default_of};

/// A name that no setting has, and that is near to none.
const STRANGER: &str = "qqqqqqqq";

fn with_stranger(mut table: Table) -> Table {
    table.insert(STRANGER.to_owned(), 1.into());
    table
}

/// What is known in a table, as the program says it of a stranger there.
fn known(file: &Table, table: &str) -> Option<BTreeSet<String>> {
    let error = read(file).unwrap_err();
    let said = match table {
        "" => format!("unknown setting `{STRANGER}`"),
        table => format!("unknown setting `{STRANGER}` in `{table}`"),
    };
    let problem = error.problems().iter().find(|problem| problem.message == said)?;
    let names = problem.help.as_ref().unwrap().strip_prefix("known here: ").unwrap();
    Some(names.split(", ").map(str::to_owned).collect())
}

fn names(settings: &[Setting]) -> BTreeSet<String> {
    settings.iter().map(|setting| setting.name.to_owned()).collect()
}

#[test]
fn the_sections_are_those_that_the_program_knows() {
    let sections = SECTIONS.iter().map(|section| section.name.to_owned()).collect();
    assert_eq!(known(&with_stranger(least("scim")), ""), Some(sections));
}

#[test]
fn each_section_has_the_settings_that_the_program_knows() {
    for section in SECTIONS {
        let stranger = |kind: &str| {
            let mut file = least(kind);
            let table = file.entry(section.name).or_insert_with(|| Table::new().into());
            *table = with_stranger(table.as_table().unwrap().clone()).into();
            file
        };
        match section.keys {
            Keys::These(settings) => {
                assert_eq!(known(&stranger("scim"), section.name), Some(names(settings)), "{}", section.name);
            }
            Keys::OfKinds { common, kinds } => {
                for kind in kinds {
                    let all = names(common).union(&names(kind.settings)).cloned().collect();
                    assert_eq!(known(&stranger(kind.name), section.name), Some(all), "{}", kind.name);
                }
            }
            Keys::Named(settings) => {
                let mut file = least("scim");
                let table: Table = format!("{STRANGER} = 1").parse().unwrap();
                file.insert(section.name.to_owned(), Table::from_iter([("mine".to_owned(), table.into())]).into());
                assert_eq!(known(&file, &format!("{}.mine", section.name)), Some(names(settings)));
            }
            Keys::Attributes(settings) => {
                let place = &places().into_iter().find(|place| place.setting.name == "on").unwrap();
                let mut file = place.with("always".into());
                file["map"]["attribute"].as_table_mut().unwrap().insert(STRANGER.to_owned(), 1.into());
                assert_eq!(known(&file, "map.attribute"), Some(names(settings)));
            }
        }
    }
}

#[test]
fn a_setting_is_a_table_where_it_is_described_as_one_and_has_the_settings_of_that() {
    let stranger = Value::Table(with_stranger(Table::new()));
    let mut tables_seen = 0;
    for place in places() {
        let described = tables(&place.setting.takes);
        assert!(described.len() < 2, "{}", place.name());
        let described = described.first().map(|(_, settings)| names(settings));
        // What `value` holds in `[map]` is of any form.
        if matches!(place.setting.takes, Takes::Literal) {
            continue;
        }
        assert_eq!(known(&place.with(stranger.clone()), &place.name()), described, "{}", place.name());
        tables_seen += usize::from(described.is_some());
    }
    assert!(tables_seen > 15, "only {tables_seen}");
}

#[test]
fn the_table_of_an_attribute_has_no_word_that_is_not_described_but_the_filter() {
    let words: BTreeSet<String> = crate::config::map::FORM_WORDS.map(str::to_owned).into_iter().collect();
    let mut described = names(&FORM);
    described.insert("lookup".to_owned());
    assert_eq!(words, described);
}

#[test]
fn a_setting_that_has_to_be_there_is_missed_and_no_other_is() {
    for place in places() {
        let mut file = place.with(good(&place.setting.takes).remove(0));
        let (last, before) = place.path.split_last().unwrap();
        before.iter().fold(&mut file, |table, name| table[*name].as_table_mut().unwrap()).remove(*last);
        let missed = format!("`{}` is missing", place.name());
        let error = read(&file).err();
        let is_missed = error.is_some_and(|error| error.problems().iter().any(|problem| problem.message == missed));
        assert_eq!(is_missed, place.setting.otherwise == crate::config::reference::Otherwise::Needed, "{missed}");
        let is_marked = !is_missed || !marks(&file).is_empty();
        assert!(is_marked, "no editor says that {missed}");
    }
}

#[test]
fn whoever_goes_live_has_to_sign_in_in_exactly_one_of_the_ways() {
    let all = |kind: &'static super::super::Kind| -> Vec<(&str, Value)> {
        let names = kind.ways.iter().flat_map(|way| way.iter());
        let setting = |name: &str| kind.settings.iter().find(|setting| setting.name == name).unwrap();
        names.map(|name| (*name, good(&setting(name).takes).remove(0))).collect()
    };
    for kind in &KINDS {
        let all = all(kind);
        for (live, chosen) in [false, true].into_iter().flat_map(|live| (0..1_u32 << all.len()).map(move |c| (live, c)))
        {
            let chosen: Vec<_> = (0..all.len()).filter(|at| chosen & (1 << at) != 0).map(|at| &all[at]).collect();
            let mut file = least(kind.name);
            let target = file["target"].as_table_mut().unwrap();
            if live {
                target.insert("base_url".to_owned(), "https://acme.example.org/v2".into());
            }
            target.extend(chosen.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            let names: BTreeSet<&str> = chosen.iter().map(|(name, _)| *name).collect();
            let is_way = kind.ways.iter().any(|way| names == way.iter().copied().collect());
            // In the sandbox nothing is needed; a single way need not be whole there.
            let expected = is_way || (!live && (kind.ways.len() == 1 || names.is_empty()));
            assert_eq!(read(&file).is_ok(), expected, "{} {names:?}", kind.name);
            assert_eq!(marks(&file).is_empty(), expected, "{} {names:?}: {:?}", kind.name, marks(&file));
        }
    }
}

#[test]
fn the_secrets_of_the_target_are_those_that_no_digest_and_no_error_may_hold() {
    let all = KINDS.iter().flat_map(|kind| kind.settings);
    let secret: BTreeSet<&str> =
        all.filter(|setting| matches!(setting.takes, Takes::Secret(_))).map(|setting| setting.name).collect();
    assert_eq!(secret, crate::config::target::SECRETS.into_iter().collect());
}

#[test]
fn what_is_left_out_is_found_by_its_kind() {
    assert_eq!(default_of("target", "update_method", Some("imichat")), Some("\"PATCH\""));
    assert_eq!(default_of("target", "update_method", Some("scim")), Some("\"auto\""));
    assert_eq!(default_of("target", "update_method", Some("brightpattern")), None);
    assert_eq!(default_of("safety", "min_rows", None), Some("1"));
    assert_eq!(default_of("source", "path", None), None);
    assert_eq!(default_of("map", "on", None), None);
}
