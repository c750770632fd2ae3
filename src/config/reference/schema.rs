//! The same for editors: a JSON Schema of `config.toml`, which completes, explains and marks while somebody writes.
//!
//! It says nothing that an older tool reads otherwise (drafts since 7 understand it alike), and what a setting takes stands
//! in one place without `$ref`, `anyOf` or `allOf` wherever that can be, because editors explain only what stands there.

use super::json::{Node, list, object};
use super::markdown::facts;
use super::{
    Doubles, EXPRESSION, Form, Keys, Kind, Otherwise, Presence, Rule, SECRET_TABLE, SECTIONS, SOURCES, Section,
    Setting, Takes, Zero, toml_value,
};
use crate::config::map::FORM_WORDS;

/// The schema, as JSON with a line break at its end.
#[must_use]
pub fn json_schema() -> String {
    // Texts, numbers, and objects whose keys are texts: there is nothing in it that is no JSON.
    #[allow(clippy::expect_used)]
    let json = serde_json::to_string_pretty(&whole()).expect("data as data");
    json + "\n"
}

type Entry = (&'static str, Node);

fn reference(name: &str) -> Node {
    object([("$ref", format!("#/$defs/{name}").into())])
}

fn whole() -> Node {
    let needed = SECTIONS.iter().filter(|section| section.presence == Presence::Needed);
    let mut entries: Vec<Entry> = vec![
        ("$schema", "https://json-schema.org/draft/2020-12/schema".into()),
        ("title", "config.toml of headcount".into()),
        ("description", "How the people of an HR export become the accounts of an application.".into()),
        ("type", "object".into()),
        ("properties", object(SECTIONS.iter().map(|known| (known.name, section(known))))),
        ("required", list(needed.map(|section| section.name))),
        ("additionalProperties", false.into()),
    ];
    entries.extend(nobody_is_deleted());
    entries.push((
        "$defs",
        object([("mapped", mapped()), ("expression", expression()), ("literal", object(literal().entries()))]),
    ));
    object(entries)
}

fn section(section: &Section) -> Node {
    let mut entries: Vec<Entry> = vec![("description", unlinked(section.says).into()), ("type", "object".into())];
    match section.keys {
        Keys::These(settings) => entries.extend(these(settings)),
        Keys::Named(settings) => {
            let mut table: Vec<Entry> = vec![("description", unlinked(section.says).into()), ("type", "object".into())];
            table.extend(these(settings));
            entries.push(("additionalProperties", object(table)));
        }
        Keys::Attributes(_) => {
            entries.push(("minProperties", 1.into()));
            entries.push(("additionalProperties", reference("mapped")));
        }
        Keys::OfKinds { common, kinds } => entries.extend(of_kinds(common, kinds)),
    }
    object(entries)
}

/// Exactly these settings.
fn these(settings: &[Setting]) -> Vec<Entry> {
    let properties = settings.iter().map(|known| (known.name, setting(known)));
    let mut entries: Vec<Entry> = vec![("properties", object(properties))];
    let needed: Vec<_> = needed(settings).collect();
    if !needed.is_empty() {
        entries.push(("required", list(needed)));
    }
    entries.push(("additionalProperties", false.into()));
    entries
}

fn needed(settings: &[Setting]) -> impl Iterator<Item = &'static str> {
    settings.iter().filter(|setting| setting.otherwise == Otherwise::Needed).map(|setting| setting.name)
}

fn setting(setting: &Setting) -> Node {
    described(setting, explained(setting, None))
}

fn described(setting: &Setting, description: String) -> Node {
    let mut entries: Vec<Entry> = vec![("description", description.into())];
    entries.extend(fragment(&setting.takes).entries());
    if let Otherwise::Default(toml) = setting.otherwise
        && let Some(default) = toml_value(toml).and_then(|value| serde_json::to_value(value).ok())
    {
        entries.push(("default", default.into()));
    }
    object(entries)
}

/// The text that an editor shows.
fn explained(setting: &Setting, kind: Option<&'static Kind>) -> String {
    let facts = facts(setting, kind);
    let gap = if facts.is_empty() { "" } else { "\n\n" };
    unlinked(&format!("{}{gap}{facts}", setting.says))
}

/// All settings of all kinds, so that each is explained; then what this kind has, and what it needs to sign in.
fn of_kinds(common: &[Setting], kinds: &'static [Kind]) -> Vec<Entry> {
    let mut properties: Vec<(&str, Node)> = common.iter().map(|known| (known.name, setting(known))).collect();
    for known in kinds.iter().flat_map(|kind| kind.settings) {
        if properties.iter().all(|(name, _)| *name != known.name) {
            properties.push((known.name, of_any_kind(known.name, kinds)));
        }
    }
    let mut entries: Vec<Entry> = vec![
        ("properties", object(properties)),
        ("required", list(needed(common))),
        ("additionalProperties", false.into()),
    ];
    let mut chain: Vec<Entry> = Vec::new();
    for kind in kinds.iter().rev() {
        let is_it = object([
            ("properties", object([("kind", object([("const", kind.name.into())]))])),
            ("required", list(["kind"])),
        ]);
        let mut link: Vec<Entry> = vec![("if", is_it), ("then", of_kind(kind, kinds))];
        if !chain.is_empty() {
            link.push(("else", object(chain)));
        }
        chain = link;
    }
    entries.extend(chain);
    entries
}

/// A setting that one kind has, or several, each in its own sense.
fn of_any_kind(name: &str, kinds: &'static [Kind]) -> Node {
    let having: Vec<(&'static Kind, &Setting)> = kinds
        .iter()
        .filter_map(|kind| Some((kind, kind.settings.iter().find(|setting| setting.name == name)?)))
        .collect();
    match having.as_slice() {
        [(kind, setting)] => described(setting, format!("{}: {}", kind.name, explained(setting, Some(kind)))),
        several => {
            let said =
                several.iter().map(|(kind, setting)| format!("{}: {}", kind.name, explained(setting, Some(kind))));
            let mut entries: Vec<Entry> = vec![("description", said.collect::<Vec<_>>().join("\n\n").into())];
            let words: Vec<&str> = several.iter().flat_map(|(_, setting)| words_of(&setting.takes)).collect();
            match several.first() {
                _ if !words.is_empty() => entries.extend([("type", "string".into()), ("enum", list(words))]),
                Some((_, setting)) => entries.extend(fragment(&setting.takes).entries()),
                None => {}
            }
            object(entries)
        }
    }
}

fn words_of(takes: &Takes) -> Vec<&'static str> {
    match takes {
        Takes::Choice(words) => words.iter().map(|word| word.name).collect(),
        _ => Vec::new(),
    }
}

fn of_kind(kind: &Kind, kinds: &'static [Kind]) -> Node {
    let mut properties: Vec<(&str, Node)> = Vec::new();
    for other in kinds.iter().flat_map(|kind| kind.settings) {
        let own = kind.settings.iter().find(|setting| setting.name == other.name);
        let words = own.map_or_else(Vec::new, |own| words_of(&own.takes));
        let is_new = properties.iter().all(|(name, _)| *name != other.name);
        match own {
            _ if !is_new => {}
            None => properties.push((other.name, false.into())),
            Some(_) if !words.is_empty() => properties.push((other.name, object([("enum", list(words))]))),
            Some(_) => {}
        }
    }
    let in_sandbox = object([("properties", object([("base_url", object([("pattern", r"^\s*sandbox\s*$".into())]))]))]);
    let mut entries: Vec<Entry> = vec![("properties", object(properties)), ("if", in_sandbox)];
    match kind.ways {
        [way] => entries.push(("else", object([("required", list(way.iter().copied()))]))),
        ways => {
            let names: Vec<&str> = ways.iter().flat_map(|way| way.iter().copied()).collect();
            let only = |way: &[&str]| {
                let others = names.iter().filter(|name| !way.contains(name));
                let none = object(others.map(|name| (*name, false.into())));
                let mut entries: Vec<Entry> = vec![("properties", none)];
                if !way.is_empty() {
                    entries.insert(0, ("required", list(way.iter().copied())));
                }
                object(entries)
            };
            let every = || ways.iter().map(|way| only(way));
            entries.push(("then", object([("oneOf", list(std::iter::once(only(&[])).chain(every())))])));
            entries.push(("else", object([("oneOf", list(every()))])));
        }
    }
    object(entries)
}

/// Where a system has no way to delete, nobody may ask for it.
fn nobody_is_deleted() -> Vec<Entry> {
    let Some((kinds, absent)) = SECTIONS.iter().find_map(|section| match section.keys {
        Keys::OfKinds { kinds, .. } => Some((kinds, super::ABSENT)),
        _ => None,
    }) else {
        return Vec::new();
    };
    let keeping = kinds.iter().filter(|kind| !kind.deletes).map(|kind| kind.name);
    let inside = |section: &'static str, key: &'static str, says: Node| {
        object([("properties", object([(section, object([("properties", object([(key, says)]))]))]))])
    };
    let left = absent.iter().map(|choice| choice.name).filter(|name| *name != "delete");
    vec![
        ("if", inside("target", "kind", object([("enum", list(keeping))]))),
        ("then", inside("policy", "absent", object([("enum", list(left))]))),
    ]
}

/// What the value of an attribute can be. A table with one of the words of the table form is that form.
fn mapped() -> Node {
    let form = SECTIONS.iter().find_map(|section| match section.keys {
        Keys::Attributes(settings) => Some(settings),
        _ => None,
    });
    let form = form.unwrap_or_default();
    let alone = |name: &'static str| object([("required", list([name]))]);
    let is_form = object([("type", "object".into()), ("anyOf", list(FORM_WORDS.map(alone)))]);
    let generated = object([("parse", false.into()), ("blank", false.into())]);
    let then: Vec<Entry> = vec![
        ("propertyNames", object([("enum", list(form.iter().map(|setting| setting.name)))])),
        ("oneOf", list(SOURCES.map(alone))),
        ("if", alone("generate")),
        ("then", object([("properties", generated)])),
    ];
    let mut entries: Vec<Entry> = vec![(
        "description",
        "What the attribute is made from: a column, a template, the same for everybody, a list, or a table with more to say."
            .into(),
    )];
    let fragment = Fragment {
        types: ANYTHING.to_vec(),
        rest: vec![
            ("pattern", EXPRESSION.pattern.into()),
            ("items", reference("expression")),
            ("minProperties", 1.into()),
            ("properties", object(form.iter().map(|known| (known.name, setting(known))))),
            ("additionalProperties", reference("mapped")),
            ("if", is_form),
            ("then", object(then)),
        ],
    };
    entries.extend(fragment.entries());
    object(entries)
}

/// What stands within a list or an object of `[map]`.
fn expression() -> Node {
    let rest = vec![
        ("pattern", EXPRESSION.pattern.into()),
        ("items", reference("expression")),
        ("additionalProperties", reference("expression")),
    ];
    object(Fragment { types: ANYTHING.to_vec(), rest }.entries())
}

fn literal() -> Fragment {
    let rest = vec![("items", reference("literal")), ("additionalProperties", reference("literal"))];
    Fragment { types: ANYTHING.to_vec(), rest }
}

const ANYTHING: [&str; 5] = ["string", "boolean", "number", "array", "object"];

/// What a value can be: its types, and what holds for values of each. Keywords of JSON Schema are about one type, so
/// that those of several stand side by side.
struct Fragment {
    types: Vec<&'static str>,
    rest: Vec<Entry>,
}

impl Fragment {
    fn new(of: &'static str, rest: impl IntoIterator<Item = Entry>) -> Self {
        Self { types: vec![of], rest: rest.into_iter().collect() }
    }

    fn entries(self) -> Vec<Entry> {
        let types = match self.types.as_slice() {
            [one] => (*one).into(),
            several => list(several.iter().copied()),
        };
        std::iter::once(("type", types)).chain(self.rest).collect()
    }
}

fn fragment(takes: &Takes) -> Fragment {
    match takes {
        Takes::Boolean => Fragment::new("boolean", []),
        Takes::True => Fragment::new("boolean", [("not", object([("const", false.into())]))]),
        Takes::Integer(range) => {
            let most = (*range.end() != i64::MAX).then(|| ("maximum", (*range.end()).into()));
            Fragment::new("integer", [("minimum", (*range.start()).into())].into_iter().chain(most))
        }
        Takes::Number { range, zero } => {
            let (least, most) = (*range.start(), *range.end());
            match zero {
                Zero::AsTheRange => Fragment::new("number", [("minimum", least.into()), ("maximum", most.into())]),
                Zero::Allowed => {
                    let between = [("exclusiveMinimum", 0.into()), ("exclusiveMaximum", least.into())];
                    let rest = [("minimum", 0.into()), ("maximum", most.into()), ("not", object(between))];
                    Fragment::new("number", rest)
                }
            }
        }
        Takes::Text(form) => text(form),
        Takes::Choice(words) => {
            let says = list(words.iter().map(|word| unlinked(word.says)));
            let names = list(words.iter().map(|word| word.name));
            // What each word means stands where taplo looks for it.
            Fragment::new("string", [("enum", names), ("x-taplo", object([("docs", object([("enumValues", says)]))]))])
        }
        Takes::List { of, least, doubles, .. } => {
            let mut rest: Vec<Entry> = vec![("items", object(fragment(of).entries()))];
            if *least > 0 {
                rest.push(("minItems", (*least).into()));
            }
            if *doubles == Doubles::Refused {
                rest.push(("uniqueItems", true.into()));
            }
            Fragment::new("array", rest)
        }
        Takes::Table { settings, rule, .. } => {
            let mut rest = these(settings);
            if *rule != Rule::Free {
                rest.push(("minProperties", 1.into()));
            }
            if *rule == Rule::ExactlyOne {
                rest.push(("maxProperties", 1.into()));
            }
            Fragment::new("object", rest)
        }
        Takes::Any { of, .. } => {
            let mut all = Fragment { types: Vec::new(), rest: Vec::new() };
            for Fragment { types, rest } in of.iter().map(fragment) {
                all.types.extend(types);
                all.rest.extend(rest);
            }
            all
        }
        Takes::Secret(_) => fragment(&SECRET_TABLE),
        Takes::Literal => literal(),
    }
}

fn text(form: &Form) -> Fragment {
    let example = form.taken.first().map(|text| ("examples", list([*text])));
    Fragment::new("string", [("pattern", form.pattern.into())].into_iter().chain(example))
}

/// A text whose links lead nowhere in an editor, without them.
fn unlinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](#") {
        // What is linked may have brackets itself.
        let mut depth = 1;
        let opens = before.char_indices().rev().find(|(_, c)| {
            depth = match c {
                '[' => depth - 1,
                ']' => depth + 1,
                _ => depth,
            };
            depth == 0
        });
        let (plain, linked) = before.split_at(opens.map_or(before.len(), |(at, _)| at));
        out.push_str(plain);
        out.push_str(linked.strip_prefix('[').unwrap_or(linked));
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}
