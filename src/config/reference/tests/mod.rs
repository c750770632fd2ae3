//! That what is described is so.

mod defaults;
mod documents;
mod presence;
mod values;

use std::path::Path;
use std::sync::LazyLock;

use toml::{Table, Value};

use crate::config::sections::{SOURCES, SectionKeys, all_sections};
use crate::config::{ConfigError, Settings};
use crate::connectors::KINDS;
use crate::settings::{Doubles, Otherwise, Sees, Setting, TableRule, ValueKind, Zero, secret_table};

/// A setting, and how to get there from the top of the file.
struct Place {
    setting: Setting,
    path: Vec<&'static str>,
    /// The kind of target that the file is for.
    kind: &'static str,
    /// What else its table needs.
    beside: Vec<(&'static str, Value)>,
}

impl Place {
    /// The name in dots.
    fn name(&self) -> String {
        self.path.join(".")
    }

    /// The file in which it has this value, and everything else is right.
    fn with(&self, value: Value) -> Table {
        let mut file = least(self.kind);
        let mut table = &mut file;
        let (last, before) = self.path.split_last().unwrap();
        for name in before {
            let inner = table.entry(*name).or_insert_with(|| Table::new().into());
            if !inner.is_table() {
                *inner = Table::new().into();
            }
            table = inner.as_table_mut().unwrap();
        }
        for (name, value) in &self.beside {
            table.insert((*name).to_owned(), value.clone());
        }
        table.insert((*last).to_owned(), value);
        file
    }
}

/// The least that is a configuration for a kind.
fn least(kind: &str) -> Table {
    format!(
        "source.path = 'people.csv'\nmatch.rules = [['login_id']]\nmap.login_id = 'login'\n\
         [target]\nkind = '{kind}'\nbase_url = 'sandbox'"
    )
    .parse()
    .unwrap()
}

fn read(file: &Table) -> Result<Settings, ConfigError> {
    crate::config::parse(&file.to_string(), Path::new("/etc/headcount/config.toml"))
}

/// Every setting there is, with those of tables within settings.
/// What has to stand beside a setting that is nothing alone.
fn other_half(section: &str, name: &str) -> Vec<(&'static str, Value)> {
    let key = || Value::Table([("file".to_owned(), "hr.key".into())].into_iter().collect());
    match (section, name) {
        ("network", "client_cert") => vec![("client_key", key())],
        ("network", "client_key") => vec![("client_cert", "hr.pem".into())],
        _ => Vec::new(),
    }
}

fn places() -> Vec<Place> {
    let mut places = Vec::new();
    for section in all_sections() {
        for (kind, setting) in section.settings() {
            // Of the kinds that can do everything, where none is asked for.
            let kind = kind.map_or("scim", |kind| kind.kind.name);
            let path = vec![section.name, setting.name];
            let beside = other_half(section.name, setting.name);
            add(Place { setting: setting.clone(), path, kind, beside }, &mut places);
        }
        let (name, settings) = match &section.keys {
            SectionKeys::Named(settings) => ("table", settings),
            SectionKeys::Attributes(settings) => ("attribute", settings),
            SectionKeys::These(_) | SectionKeys::OfKinds { .. } => continue,
        };
        for setting in settings {
            let is_source = SOURCES.contains(&setting.name);
            let beside = match section.keys {
                SectionKeys::Attributes(_) if is_source => Vec::new(),
                SectionKeys::Attributes(_) => vec![("column", "c".into())],
                _ => needed_setting(settings),
            };
            let path = vec![section.name, name, setting.name];
            add(Place { setting: setting.clone(), path, kind: "scim", beside }, &mut places);
        }
    }
    places
}

fn add(place: Place, places: &mut Vec<Place>) {
    for (rule, settings) in tables(&place.setting.takes) {
        for setting in settings.clone() {
            let path = place.path.iter().copied().chain([setting.name]).collect();
            let beside = if rule == TableRule::Free { needed_setting(&settings) } else { Vec::new() };
            add(Place { setting, path, kind: place.kind, beside }, places);
        }
    }
    places.push(place);
}

fn tables(takes: &ValueKind) -> Vec<(TableRule, Vec<Setting>)> {
    match takes {
        ValueKind::Table { settings, rule, .. } => vec![(*rule, settings.clone())],
        ValueKind::Any { of, .. } => of.iter().flat_map(tables).collect(),
        ValueKind::Secret(_) => tables(&secret_table()),
        _ => Vec::new(),
    }
}

fn needed_setting(settings: &[Setting]) -> Vec<(&'static str, Value)> {
    let needed = settings.iter().filter(|setting| setting.otherwise.is_needed());
    needed.map(|setting| (setting.name, good(&setting.takes).remove(0))).collect()
}

/// Values that are taken, among them those at the ends of every range.
fn good(takes: &ValueKind) -> Vec<Value> {
    match takes {
        ValueKind::Boolean => vec![true.into(), false.into()],
        ValueKind::True => vec![true.into()],
        ValueKind::Integer(range) => vec![(*range.start()).into(), (*range.end()).into()],
        ValueKind::Number { range, zero } => {
            let zero = (*zero == Zero::Allowed).then(|| 0.into());
            let ends = [(*range.start()).into(), (*range.end()).into()];
            ends.into_iter().chain(zero).collect()
        }
        ValueKind::Text(shape) => shape.taken.iter().map(|text| (*text).into()).collect(),
        ValueKind::Choice(words) => words.iter().map(|word| word.name.into()).collect(),
        ValueKind::List { of, least, .. } => {
            let all = Value::Array(good(of));
            let none = (*least == 0).then(|| Value::Array(Vec::new()));
            std::iter::once(all).chain(none).collect()
        }
        ValueKind::Table { settings, rule, .. } => {
            let of = |setting: &Setting| -> Table {
                let own = (setting.name.to_owned(), good(&setting.takes).remove(0));
                let needed = if *rule == TableRule::Free { needed_setting(settings) } else { Vec::new() };
                needed.into_iter().map(|(name, value)| (name.to_owned(), value)).chain([own]).collect()
            };
            settings.iter().map(|setting| of(setting).into()).collect()
        }
        ValueKind::Any { of, .. } => of.iter().flat_map(good).collect(),
        ValueKind::Secret(_) => good(&secret_table()),
        ValueKind::Literal => ["''", "'{{ x }}'", "true", "-7", "1.5", "['x', [1]]", "{ a = 'x', b = { c = '' } }"]
            .map(|toml| super::toml_value(toml).unwrap())
            .to_vec(),
    }
}

/// Values that are refused, among them those next to the ends of every range.
fn bad(takes: &ValueKind) -> Vec<Value> {
    match takes {
        ValueKind::Boolean => vec!["true".into(), 1.into()],
        ValueKind::True => vec![false.into()],
        ValueKind::Integer(range) => {
            let ends = [range.start().checked_sub(1), range.end().checked_add(1)];
            ends.into_iter().flatten().map(Value::from).chain([1.5.into()]).collect()
        }
        ValueKind::Number { range, .. } => {
            let (start, end) = (*range.start(), *range.end());
            vec![(start / 2.0 - 1e-9).into(), (end * 1.000_001).into(), (-1).into()]
        }
        ValueKind::Text(shape) => shape.refused.iter().map(|text| (*text).into()).collect(),
        ValueKind::Choice(words) => {
            let other = words[0].name;
            vec!["".into(), format!("{other} ").into(), format!("{other}x").into(), 1.into()]
        }
        ValueKind::List { of, least, doubles, .. } => {
            let mut lists: Vec<Value> = bad(of).into_iter().map(|item| Value::Array(vec![item])).collect();
            lists.extend((*least > 0).then(|| Value::Array(Vec::new())));
            let good = good(of).remove(0);
            lists.extend((*doubles == Doubles::Refused).then(|| Value::Array(vec![good.clone(), good])));
            lists
        }
        ValueKind::Table { settings, rule, .. } => {
            let one = |name: &str, value: Value| Value::Table([(name.to_owned(), value)].into_iter().collect());
            let mut tables = vec![one("no_such_setting", 1.into())];
            tables.extend((*rule != TableRule::Free).then(|| Table::new().into()));
            if *rule == TableRule::ExactlyOne {
                let all = settings.iter().map(|setting| (setting.name.to_owned(), good(&setting.takes).remove(0)));
                tables.push(Value::Table(all.collect()));
            }
            for setting in settings {
                tables.extend(bad(&setting.takes).into_iter().map(|value| one(setting.name, value)));
            }
            tables
        }
        ValueKind::Any { of, .. } => {
            of.iter().flat_map(bad).filter(|value| !of.iter().any(|takes| is_for(takes, value))).collect()
        }
        ValueKind::Secret(_) => {
            let clear = ["hunter2".into(), 4242.into(), Value::Array(vec!["hunter2".into()])];
            bad(&secret_table()).into_iter().chain(clear).collect()
        }
        ValueKind::Literal => Vec::new(),
    }
}

/// Whether one of several takes a value that another of them refuses for its type.
fn is_for(takes: &ValueKind, value: &Value) -> bool {
    match (takes, value) {
        (ValueKind::Number { range, .. }, Value::Float(number)) => range.contains(number),
        #[allow(clippy::cast_precision_loss)]
        (ValueKind::Number { range, .. }, Value::Integer(number)) => range.contains(&(*number as f64)),
        (ValueKind::Integer(range), Value::Integer(number)) => range.contains(number),
        _ => good(takes).contains(value),
    }
}

/// Whether the program says that something is wrong with the setting.
fn is_refused(place: &Place, value: &Value) -> bool {
    let (name, below) = (format!("`{}`", place.name()), format!("`{}.", place.name()));
    read(&place.with(value.clone()))
        .is_err_and(|error| error.problems().iter().any(|p| p.message.contains(&name) || p.message.contains(&below)))
}

static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(|| serde_json::from_str(&super::json_schema()).unwrap());

static EDITOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

/// The same for a tool that knows nothing younger than draft 7, such as taplo.
static OLDER_EDITOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let mut schema = SCHEMA.clone();
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    jsonschema::options().with_draft(jsonschema::Draft::Draft7).build(&schema).unwrap()
});

/// What editors mark: the place of each, with what is said.
fn marks(file: &Table) -> Vec<(String, String)> {
    let file = serde_json::to_value(file).unwrap();
    let marks = |editor: &jsonschema::Validator| -> Vec<(String, String)> {
        editor.iter_errors(&file).map(|error| (error.instance_path().to_string(), error.to_string())).collect()
    };
    let marked = marks(&EDITOR);
    assert_eq!(marked, marks(&OLDER_EDITOR), "an older tool understands it otherwise");
    marked
}

/// Whether an editor marks the setting, or something in it.
fn is_marked(place: &Place, value: &Value) -> bool {
    let path = format!("/{}", place.path.join("/"));
    marks(&place.with(value.clone()))
        .iter()
        .any(|(at, _)| at.strip_prefix(&path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[test]
fn the_ways_to_sign_in_are_settings_of_their_kind() {
    for kind in KINDS {
        let settings = (kind.settings)();
        let known = |name: &&str| settings.iter().any(|setting| setting.name == *name);
        assert!(kind.ways.iter().flat_map(|way| way.iter()).all(known), "{}", kind.name);
    }
}
