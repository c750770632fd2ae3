//! What has to be there, and what counts where it is not.

use std::collections::BTreeSet;

use toml::Value;

use super::*;
use crate::config::sections::default_of;
use crate::connectors::Descriptor;

#[test]
fn a_setting_that_has_to_be_there_is_missed_and_no_other_is() {
    for place in places() {
        let mut file = place.with(good(&place.setting.takes).remove(0));
        let (last, before) = place.path.split_last().unwrap();
        before.iter().fold(&mut file, |table, name| table[*name].as_table_mut().unwrap()).remove(*last);
        let missed = format!("`{}` is missing", place.name());
        let error = read(&file).err();
        let is_missed = error.is_some_and(|error| error.problems().iter().any(|problem| problem.message == missed));
        assert_eq!(is_missed, place.setting.otherwise.is_needed(), "{missed}");
        let is_marked = !is_missed || !marks(&file).is_empty();
        assert!(is_marked, "no editor says that {missed}");
    }
}

#[test]
fn whoever_goes_live_has_to_sign_in_in_exactly_one_of_the_ways() {
    let all = |kind: &'static Descriptor| -> Vec<(&str, Value)> {
        let names = kind.ways.iter().flat_map(|way| way.iter());
        let settings = (kind.settings)();
        let setting = |name: &str| settings.iter().find(|setting| setting.name == name).unwrap();
        names.map(|name| (*name, good(&setting(name).takes).remove(0))).collect()
    };
    for kind in KINDS {
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
fn what_is_left_out_is_found_by_its_kind() {
    assert_eq!(default_of("target", "update_method", Some("imichat")), Some("\"PATCH\""));
    assert_eq!(default_of("target", "update_method", Some("scim")), Some("\"auto\""));
    assert_eq!(default_of("target", "update_method", Some("brightpattern")), None);
    assert_eq!(default_of("safety", "min_rows", None), Some("1"));
    assert_eq!(default_of("source", "path", None), None);
    assert_eq!(default_of("map", "on", None), None);
}
