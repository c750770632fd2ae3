//! The same for editors: a JSON Schema of `config.toml`, which completes, explains and marks while somebody writes.
//!
//! It says nothing that an older tool reads otherwise (drafts since 7 understand it alike), and what a setting takes stands
//! in one place without `$ref`, `anyOf` or `allOf` wherever that can be, because editors explain only what stands there.

use super::json::{SchemaNode, json_list, json_object};
use super::markdown::facts_of;
use super::toml_value;
use crate::config::sections::{
    ABSENT, ConfigSection, EXPRESSION, FORM_WORDS, KindKeys, SOURCES, SectionKeys, all_sections,
};
use crate::connectors::KINDS;
use crate::settings::{Doubles, Otherwise, Setting, TableRule, TextShape, ValueKind, Zero, secret_table};

/// The schema, as JSON with a line break at its end.
#[must_use]
pub fn json_schema() -> String {
    // Texts, numbers, and objects whose keys are texts: there is nothing in it that is no JSON.
    #[allow(clippy::expect_used)]
    let json = serde_json::to_string_pretty(&whole_schema()).expect("data as data");
    json + "\n"
}

type SchemaEntry = (&'static str, SchemaNode);

fn reference_to(name: &str) -> SchemaNode {
    json_object([("$ref", format!("#/$defs/{name}").into())])
}

fn whole_schema() -> SchemaNode {
    let needed = all_sections().iter().filter(|section| section.missing.is_some());
    let mut entries: Vec<SchemaEntry> = vec![
        ("$schema", "https://json-schema.org/draft/2020-12/schema".into()),
        ("title", "config.toml of headcount".into()),
        ("description", "How the people of an HR export become the accounts of an application.".into()),
        ("type", "object".into()),
        ("properties", json_object(all_sections().iter().map(|known| (known.name, section_schema(known))))),
        ("required", json_list(needed.map(|section| section.name))),
        ("additionalProperties", false.into()),
    ];
    entries.extend(nobody_is_deleted());
    entries.push((
        "$defs",
        json_object([
            ("mapped", mapped_schema()),
            ("expression", expression_schema()),
            ("literal", json_object(literal_fragment().entries())),
        ]),
    ));
    json_object(entries)
}

fn section_schema(section: &ConfigSection) -> SchemaNode {
    let mut entries: Vec<SchemaEntry> =
        vec![("description", without_links(section.says).into()), ("type", "object".into())];
    match &section.keys {
        SectionKeys::These(settings) => entries.extend(exactly_these(settings)),
        SectionKeys::Named(settings) => {
            let mut table: Vec<SchemaEntry> =
                vec![("description", without_links(section.says).into()), ("type", "object".into())];
            table.extend(exactly_these(settings));
            entries.push(("additionalProperties", json_object(table)));
        }
        SectionKeys::Attributes(_) => {
            entries.push(("minProperties", 1.into()));
            entries.push(("additionalProperties", reference_to("mapped")));
        }
        SectionKeys::OfKinds { common, kinds } => entries.extend(kinds_schema(common, kinds)),
    }
    json_object(entries)
}

/// Exactly these settings.
fn exactly_these(settings: &[Setting]) -> Vec<SchemaEntry> {
    let properties = settings.iter().map(|known| (known.name, setting_schema(known)));
    let mut entries: Vec<SchemaEntry> = vec![("properties", json_object(properties))];
    let needed: Vec<_> = needed_names(settings).collect();
    if !needed.is_empty() {
        entries.push(("required", json_list(needed)));
    }
    entries.push(("additionalProperties", false.into()));
    entries
}

fn needed_names(settings: &[Setting]) -> impl Iterator<Item = &'static str> {
    settings.iter().filter(|setting| setting.otherwise.is_needed()).map(|setting| setting.name)
}

fn setting_schema(setting: &Setting) -> SchemaNode {
    described_schema(setting, explanation_of(setting, None))
}

fn described_schema(setting: &Setting, description: String) -> SchemaNode {
    let mut entries: Vec<SchemaEntry> = vec![("description", description.into())];
    entries.extend(fragment_of(&setting.takes).entries());
    if let Otherwise::Default(toml) = setting.otherwise
        && let Some(default) = toml_value(toml).and_then(|value| serde_json::to_value(value).ok())
    {
        entries.push(("default", default.into()));
    }
    json_object(entries)
}

/// The text that an editor shows.
fn explanation_of(setting: &Setting, kind: Option<&KindKeys>) -> String {
    let facts = facts_of(setting, kind);
    let gap = if facts.is_empty() { "" } else { "\n\n" };
    without_links(&format!("{}{gap}{facts}", setting.says))
}

/// All settings of all kinds, so that each is explained; then what this kind has, and what it needs to sign in.
fn kinds_schema(common: &[Setting], kinds: &[KindKeys]) -> Vec<SchemaEntry> {
    let mut properties: Vec<(&str, SchemaNode)> =
        common.iter().map(|known| (known.name, setting_schema(known))).collect();
    for known in kinds.iter().flat_map(|kind| &kind.settings) {
        if properties.iter().all(|(name, _)| *name != known.name) {
            properties.push((known.name, of_any_kind(known.name, kinds)));
        }
    }
    let mut entries: Vec<SchemaEntry> = vec![
        ("properties", json_object(properties)),
        ("required", json_list(needed_names(common))),
        ("additionalProperties", false.into()),
    ];
    let mut chain: Vec<SchemaEntry> = Vec::new();
    for kind in kinds.iter().rev() {
        let is_it = json_object([
            ("properties", json_object([("kind", json_object([("const", kind.kind.name.into())]))])),
            ("required", json_list(["kind"])),
        ]);
        let mut link: Vec<SchemaEntry> = vec![("if", is_it), ("then", of_kind(kind, kinds))];
        if !chain.is_empty() {
            link.push(("else", json_object(chain)));
        }
        chain = link;
    }
    entries.extend(chain);
    entries
}

/// A setting that one kind has, or several, each in its own sense.
fn of_any_kind(name: &str, kinds: &[KindKeys]) -> SchemaNode {
    let having: Vec<(&KindKeys, &Setting)> = kinds
        .iter()
        .filter_map(|kind| Some((kind, kind.settings.iter().find(|setting| setting.name == name)?)))
        .collect();
    match having.as_slice() {
        [(kind, setting)] => {
            described_schema(setting, format!("{}: {}", kind.kind.name, explanation_of(setting, Some(kind))))
        }
        several => {
            let said = several
                .iter()
                .map(|(kind, setting)| format!("{}: {}", kind.kind.name, explanation_of(setting, Some(kind))));
            let mut entries: Vec<SchemaEntry> = vec![("description", said.collect::<Vec<_>>().join("\n\n").into())];
            let words: Vec<&str> = several.iter().flat_map(|(_, setting)| words_of(&setting.takes)).collect();
            match several.first() {
                _ if !words.is_empty() => entries.extend([("type", "string".into()), ("enum", json_list(words))]),
                Some((_, setting)) => entries.extend(fragment_of(&setting.takes).entries()),
                None => {}
            }
            json_object(entries)
        }
    }
}

fn words_of(takes: &ValueKind) -> Vec<&'static str> {
    match takes {
        ValueKind::Choice(words) => words.iter().map(|word| word.name).collect(),
        _ => Vec::new(),
    }
}

fn of_kind(kind: &KindKeys, kinds: &[KindKeys]) -> SchemaNode {
    let mut properties: Vec<(&str, SchemaNode)> = Vec::new();
    for other in kinds.iter().flat_map(|kind| &kind.settings) {
        let own = kind.settings.iter().find(|setting| setting.name == other.name);
        let words = own.map_or_else(Vec::new, |own| words_of(&own.takes));
        let is_new = properties.iter().all(|(name, _)| *name != other.name);
        match own {
            _ if !is_new => {}
            None => properties.push((other.name, false.into())),
            Some(_) if !words.is_empty() => properties.push((other.name, json_object([("enum", json_list(words))]))),
            Some(_) => {}
        }
    }
    let in_sandbox = json_object([(
        "properties",
        json_object([("base_url", json_object([("pattern", r"^\s*sandbox\s*$".into())]))]),
    )]);
    let mut entries: Vec<SchemaEntry> = vec![("properties", json_object(properties)), ("if", in_sandbox)];
    match kind.kind.ways {
        [way] => entries.push(("else", json_object([("required", json_list(way.iter().copied()))]))),
        ways => {
            let names: Vec<&str> = ways.iter().flat_map(|way| way.iter().copied()).collect();
            let only = |way: &[&str]| {
                let others = names.iter().filter(|name| !way.contains(name));
                let none = json_object(others.map(|name| (*name, false.into())));
                let mut entries: Vec<SchemaEntry> = vec![("properties", none)];
                if !way.is_empty() {
                    entries.insert(0, ("required", json_list(way.iter().copied())));
                }
                json_object(entries)
            };
            let every = || ways.iter().map(|way| only(way));
            entries.push(("then", json_object([("oneOf", json_list(std::iter::once(only(&[])).chain(every())))])));
            entries.push(("else", json_object([("oneOf", json_list(every()))])));
        }
    }
    json_object(entries)
}

/// Where a system has no way to delete, nobody may ask for it.
fn nobody_is_deleted() -> Vec<SchemaEntry> {
    let keeping = KINDS.iter().filter(|kind| !kind.deletes).map(|kind| kind.name);
    let inside = |section: &'static str, key: &'static str, says: SchemaNode| {
        json_object([(
            "properties",
            json_object([(section, json_object([("properties", json_object([(key, says)]))]))]),
        )])
    };
    let left = ABSENT.iter().map(|choice| choice.name).filter(|name| *name != "delete");
    vec![
        ("if", inside("target", "kind", json_object([("enum", json_list(keeping))]))),
        ("then", inside("policy", "absent", json_object([("enum", json_list(left))]))),
    ]
}

/// What the value of an attribute can be. A table with one of the words of the table form is that form.
fn mapped_schema() -> SchemaNode {
    let form = all_sections().iter().find_map(|section| match &section.keys {
        SectionKeys::Attributes(settings) => Some(settings.as_slice()),
        _ => None,
    });
    let form = form.unwrap_or_default();
    let alone = |name: &'static str| json_object([("required", json_list([name]))]);
    let is_form = json_object([("type", "object".into()), ("anyOf", json_list(FORM_WORDS.iter().copied().map(alone)))]);
    let generated = json_object([("parse", false.into()), ("blank", false.into())]);
    let then: Vec<SchemaEntry> = vec![
        ("propertyNames", json_object([("enum", json_list(form.iter().map(|setting| setting.name)))])),
        ("oneOf", json_list(SOURCES.iter().copied().map(alone))),
        ("if", alone("generate")),
        ("then", json_object([("properties", generated)])),
    ];
    let mut entries: Vec<SchemaEntry> = vec![(
        "description",
        "What the attribute is made from: a column, a template, the same for everybody, a list, or a table with more \
         settings."
            .into(),
    )];
    let fragment = Fragment {
        types: ANYTHING.to_vec(),
        rest: vec![
            ("pattern", EXPRESSION.shape.pattern.into()),
            ("items", reference_to("expression")),
            ("minProperties", 1.into()),
            ("properties", json_object(form.iter().map(|known| (known.name, setting_schema(known))))),
            ("additionalProperties", reference_to("mapped")),
            ("if", is_form),
            ("then", json_object(then)),
        ],
    };
    entries.extend(fragment.entries());
    json_object(entries)
}

/// What stands within a list or an object of `[map]`.
fn expression_schema() -> SchemaNode {
    let rest = vec![
        ("pattern", EXPRESSION.shape.pattern.into()),
        ("items", reference_to("expression")),
        ("additionalProperties", reference_to("expression")),
    ];
    json_object(Fragment { types: ANYTHING.to_vec(), rest }.entries())
}

fn literal_fragment() -> Fragment {
    let rest = vec![("items", reference_to("literal")), ("additionalProperties", reference_to("literal"))];
    Fragment { types: ANYTHING.to_vec(), rest }
}

const ANYTHING: [&str; 5] = ["string", "boolean", "number", "array", "object"];

/// What a value can be: its types, and what holds for values of each. Keywords of JSON Schema are about one type, so
/// that those of several stand side by side.
struct Fragment {
    types: Vec<&'static str>,
    rest: Vec<SchemaEntry>,
}

impl Fragment {
    fn new(of: &'static str, rest: impl IntoIterator<Item = SchemaEntry>) -> Self {
        Self { types: vec![of], rest: rest.into_iter().collect() }
    }

    fn entries(self) -> Vec<SchemaEntry> {
        let types = match self.types.as_slice() {
            [one] => (*one).into(),
            several => json_list(several.iter().copied()),
        };
        std::iter::once(("type", types)).chain(self.rest).collect()
    }
}

fn fragment_of(takes: &ValueKind) -> Fragment {
    match takes {
        ValueKind::Boolean => Fragment::new("boolean", []),
        ValueKind::True => Fragment::new("boolean", [("not", json_object([("const", false.into())]))]),
        ValueKind::Integer(range) => {
            let most = (*range.end() != i64::MAX).then(|| ("maximum", (*range.end()).into()));
            Fragment::new("integer", [("minimum", (*range.start()).into())].into_iter().chain(most))
        }
        ValueKind::Number { range, zero } => {
            let (least, most) = (*range.start(), *range.end());
            match zero {
                Zero::AsTheRange => Fragment::new("number", [("minimum", least.into()), ("maximum", most.into())]),
                Zero::Allowed => {
                    let between = [("exclusiveMinimum", 0.into()), ("exclusiveMaximum", least.into())];
                    let rest = [("minimum", 0.into()), ("maximum", most.into()), ("not", json_object(between))];
                    Fragment::new("number", rest)
                }
            }
        }
        ValueKind::Text(form) => text_fragment(form),
        ValueKind::Choice(words) => {
            let says = json_list(words.iter().map(|word| without_links(word.says)));
            let names = json_list(words.iter().map(|word| word.name));
            // What each word means stands where taplo looks for it.
            Fragment::new(
                "string",
                [("enum", names), ("x-taplo", json_object([("docs", json_object([("enumValues", says)]))]))],
            )
        }
        ValueKind::List { of, least, doubles, .. } => {
            let mut rest: Vec<SchemaEntry> = vec![("items", json_object(fragment_of(of).entries()))];
            if *least > 0 {
                rest.push(("minItems", (*least).into()));
            }
            if *doubles == Doubles::Refused {
                rest.push(("uniqueItems", true.into()));
            }
            Fragment::new("array", rest)
        }
        ValueKind::Table { settings, rule, .. } => {
            let mut rest = exactly_these(settings);
            if *rule != TableRule::Free {
                rest.push(("minProperties", 1.into()));
            }
            if *rule == TableRule::ExactlyOne {
                rest.push(("maxProperties", 1.into()));
            }
            Fragment::new("object", rest)
        }
        ValueKind::Any { of, .. } => {
            let mut all = Fragment { types: Vec::new(), rest: Vec::new() };
            for Fragment { types, rest } in of.iter().map(fragment_of) {
                all.types.extend(types);
                all.rest.extend(rest);
            }
            all
        }
        ValueKind::Secret(_) => fragment_of(&secret_table()),
        ValueKind::Literal => literal_fragment(),
    }
}

fn text_fragment(form: &TextShape) -> Fragment {
    let example = form.taken.first().map(|text| ("examples", json_list([*text])));
    Fragment::new("string", [("pattern", form.pattern.into())].into_iter().chain(example))
}

/// A text whose links lead nowhere in an editor, without them.
fn without_links(text: &str) -> String {
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
