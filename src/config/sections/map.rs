//! `[map]` into the mapping's own terms. A plain string is a column or a template, a table is either the table form
//! (one of its keys is a word of that form) or an object with dotted keys, which becomes one entry for each leaf.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use toml::de::DeValue;

use super::source::BLANK;
use super::{ConfigSection, SectionKeys};
use crate::mapping::spec::{Entry, Expression, Generate, Located, On, Parse};
use crate::settings::{
    Choices, ConfigReading, Either, InTable, OrTrue, Sees, SettingForm, SettingsTable, ShapedText, TableRule,
    TextShape, TomlItem, TomlTable, ValueKind, WordChoice, default_setting, mapped_form, named_choice, one_of,
    optional_setting, plain_text, settings_table, whole_number,
};

/// What says where the value comes from.
pub(in crate::config) const SOURCES: &[&str] = &["column", "template", "value", "generate"];

settings_table! {
    MappedTable makes MappedAttribute {
        column = one_of(mapped_form(MAPPED_COLUMN, Expression::Column), SOURCES),
            "The column whose cell is the value.";
        template = one_of(mapped_form(TEMPLATE, Expression::Template), SOURCES),
            "The [template](#templates) that makes the value.";
        value = one_of(LiteralForm, SOURCES),
            "The value itself, the same for everybody. A string is the text itself, not the name of a column.";
        generate = one_of(mapped_form(generate_form(), Expression::Generate), SOURCES),
            "A random text, for secret attributes. See [`[passwords]`](#passwords).";
        on = default_setting(Choices(ON), "\"always\""),
            "When the attribute is written.";
        parse = optional_setting(Choices(PARSE), "it is read as the attribute's type requires"),
            "How the text is read. Not for `generate`.";
        blank = optional_setting(Choices(BLANK), "`source.blank` decides"),
            "What an empty text means. Not for `generate`.";
    } => MappedAttribute { expression: column.or(template).or(value).or(generate), on, parse, blank }
}

settings_table! {
    GenerateTable fills Generate {
        length = default_setting(whole_number::<usize>(8..=128), "20"),
            "How many characters.";
    }
}

/// `{ column = "job_title", on = "create" }` and its like.
pub(crate) struct MappedAttribute {
    expression: Option<Expression>,
    on: On,
    parse: Option<Parse>,
    blank: Option<crate::mapping::spec::Blank>,
}

/// The words of the table form; `lookup` is one so that it gets an answer of its own.
pub(in crate::config) static FORM_WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let settings = MappedTable.settings();
    settings.iter().map(|setting| setting.name).chain(["lookup"]).collect()
});

/// Every entry of `[map]`, in the order of the file. `text` is the file's.
pub(in crate::config) fn read_map(table: &TomlTable<'_>, text: &str, reading: &mut ConfigReading) -> Vec<Entry> {
    let mut entries = Vec::new();
    if table.is_empty() {
        let help = "add lines such as email_id = \"work_email\"".to_owned();
        reading.note_problem(&table.span, "`map` maps nothing", help);
    }
    for item in table.all_items() {
        let attribute = Located { value: table.key_of(&item).to_owned(), span: item.key.clone() };
        collect_entries(&item, attribute, text, &mut entries, reading);
    }
    let mut seen = HashSet::new();
    for entry in &entries {
        if !seen.insert(&entry.attribute.value) {
            reading.note_problem(&entry.attribute.span, format!("`{}` is mapped twice", entry.attribute.value), None);
        }
    }
    entries
}

/// One attribute, or all that is in an object with dotted keys.
fn collect_entries(
    item: &TomlItem<'_>,
    attribute: Located<String>,
    text: &str,
    entries: &mut Vec<Entry>,
    reading: &mut ConfigReading,
) {
    if !item.value.is_table() {
        if let Some(expression) = read_expression(item, reading) {
            let expression = Located { value: expression, span: item.span.clone() };
            entries.push(Entry { attribute, expression, on: On::Always, parse: None, blank: None });
        }
        return;
    }
    let Some(table) = item.read_table(reading) else { return };
    if FORM_WORDS.iter().any(|word| table.has_key(word)) {
        entries.extend(read_form(item, &table, attribute, reading));
        return;
    }
    if table.is_empty() {
        item.refuse::<()>("says nothing", "use { column = \"…\" } or { value = … }".to_owned(), reading);
    }
    for child in table.all_items() {
        let name = format!("{}.{}", attribute.value, table.key_of(&child));
        let span = dotted_span(text, &attribute.span, &child.key);
        collect_entries(&child, Located { value: name, span }, text, entries, reading);
    }
}

fn read_form(
    item: &TomlItem<'_>,
    table: &TomlTable<'_>,
    attribute: Located<String>,
    reading: &mut ConfigReading,
) -> Option<Entry> {
    if let Some(lookup) = table.find_item("lookup") {
        let help = "look up in a template: \"{{ team | lookup('teams', 'team_id') }}\"".to_owned();
        reading.note_problem(&lookup.key, "`lookup` is a filter of templates", help);
    }
    table.refuse_unknown(&FORM_WORDS, reading);
    if SOURCES.iter().filter(|name| table.has_key(name)).count() != 1 {
        return item.refuse("must have one of `column`, `template`, `value` and `generate`", None, reading);
    }
    if table.has_key("generate") {
        for needless in ["parse", "blank"].into_iter().filter_map(|name| table.find_item(name)) {
            needless.refuse::<()>("has no effect on a generated value", None, reading);
        }
    }
    let MappedAttribute { expression, on, parse, blank } = MappedTable.fill(table, reading)?;
    let expression = Located { value: expression?, span: item.span.clone() };
    Some(Entry { attribute, expression, on, parse, blank })
}

/// What stands for itself: in it a string is a column or a template.
fn read_expression(item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Expression> {
    match item.value {
        DeValue::String(_) => {
            let text = item.read_string(reading)?;
            Some(if is_template(&text) { Expression::Template(text) } else { Expression::Column(text) })
        }
        _ => read_compound(item, read_expression, reading),
    }
}

/// What `value` holds: in it a string is the text itself, even an empty one.
struct LiteralForm;

impl SettingForm for LiteralForm {
    type Output = Expression;

    fn takes(&self) -> ValueKind {
        ValueKind::Literal
    }

    fn read(&self, item: &TomlItem<'_>, reading: &mut ConfigReading) -> Option<Expression> {
        match item.value {
            DeValue::String(text) => Some(Expression::Text(text.to_string())),
            _ => read_compound(item, |item, reading| LiteralForm.read(item, reading), reading),
        }
    }
}

/// A scalar other than a string, or a list or object with whatever `inner` makes of what is in it.
fn read_compound(
    item: &TomlItem<'_>,
    inner: fn(&TomlItem<'_>, &mut ConfigReading) -> Option<Expression>,
    reading: &mut ConfigReading,
) -> Option<Expression> {
    match item.value {
        DeValue::Boolean(value) => Some(Expression::Bool(*value)),
        DeValue::Integer(_) => item.read_integer(&(i64::MIN..=i64::MAX), reading).map(Expression::Int),
        DeValue::Float(_) => match item.read_number(reading)? {
            number if number.is_finite() => Some(Expression::Float(number)),
            _ => item.refuse("must be a finite number", None, reading),
        },
        DeValue::Array(_) => {
            let items = item.read_list("a list", reading)?;
            let located = |item: &TomlItem<'_>| Some(Located { value: inner(item, reading)?, span: item.span.clone() });
            Some(Expression::List(items.iter().filter_map(located).collect()))
        }
        DeValue::Table(_) => {
            let table = item.read_table(reading)?;
            let field = |field: &TomlItem<'_>| {
                let value = Located { value: inner(field, reading)?, span: field.span.clone() };
                Some((table.key_of(field).to_owned(), value))
            };
            Some(Expression::Object(table.all_items().iter().filter_map(field).collect()))
        }
        DeValue::Datetime(_) => item.refuse_type("a column, a template or a table (a date goes in quotes)", reading),
        DeValue::String(_) => inner(item, reading),
    }
}

fn generate_form() -> impl SettingForm<Output = Generate> {
    let table = InTable { of: GenerateTable, rule: TableRule::Free, said: "a table" };
    Either { one: table, other: OrTrue(GenerateTable), said: "{ length = 20 } or true" }
}

const ON: &[WordChoice<On>] = &[
    named_choice("always", On::Always, "when an account is created, and whenever it differs"),
    named_choice("create", On::Create, "only when an account is created"),
    named_choice("never", On::Never, "not at all: it is only used to find the account"),
];

const PARSE: &[WordChoice<Parse>] = &[
    named_choice("text", Parse::Text, "as it is"),
    named_choice("bool", Parse::Bool, "`true`, `yes`, `y`, `1` or `on`; `false`, `no`, `n`, `0` or `off`; in any case"),
    named_choice("int", Parse::Int, "a whole number, digits only"),
    named_choice("pairs", Parse::Pairs, "names and values: `English:100;Spanish:80`, or a JSON object"),
    named_choice("list", Parse::List, "`a|b`, or `a;b` where there is no `|`, or a JSON list"),
    named_choice("json", Parse::Json, "JSON"),
];

const MAPPED_COLUMN: ShapedText<String> = ShapedText {
    shape: TextShape {
        said: "the name of a column",
        pattern: r"^(?![\s\S]*(\{\{|\{%))[\s\S]*\S",
        sees: Sees::All,
        taken: &["job_title", "Job Title", "a {b}"],
        refused: &["", " ", "{{ job_title }}", "{% if a %}b{% endif %}"],
    },
    read: |item, reading| {
        let column = item.read_string(reading)?;
        if is_template(&column) {
            let help = "write a template as a plain string, or with on, parse and blank as template = \"{{ … }}\"";
            return item.refuse("is a template, not the name of a column", help.to_owned(), reading);
        }
        Some(column)
    },
};

const TEMPLATE: ShapedText<String> =
    plain_text("a template", &["{{ first_name | lower }}", "{{ a }}@acme.org"], |item, reading| {
        item.read_string(reading)
    });

/// A plain string in `[map]`.
pub(in crate::config) const EXPRESSION: ShapedText<String> =
    plain_text("the name of a column, or a template", &["work_email", "{{ work_email | lower }}"], |item, reading| {
        item.read_string(reading)
    });

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// The place of a dotted name: all of it where it stands together (`a.b = …`), else its last part. A first part that
/// several lines share is known by its first place alone, so it is its text that is looked for.
fn dotted_span(text: &str, first: &Range<usize>, last: &Range<usize>) -> Range<usize> {
    let start = || {
        let before = text.get(..last.start)?.trim_end().strip_suffix('.')?.trim_end();
        before.strip_suffix(text.get(first.clone())?).map(str::len)
    };
    start().unwrap_or(last.start)..last.end
}

pub(super) fn map_section() -> ConfigSection {
    ConfigSection {
        name: "map",
        says: "How a row becomes an account: `attribute = …`, one line for each attribute of the target that \
           headcount keeps up to date. What is not mapped is never touched.",
        missing: Some("add [map] with lines such as email_id = \"work_email\""),
        keys: SectionKeys::Attributes(MappedTable.settings()),
        more: include_str!("../reference/map.md"),
        example: "[map]\n\
              login_id         = \"{{ work_email | lower | before('@') }}\"              # a template\n\
              email_id         = \"work_email\"                                        # a column\n\
              first_name       = \"first_name\"\n\
              last_name        = \"last_name\"\n\
              status           = \"{{ 'inactive' if status == 'Terminated' else 'active' }}\"\n\
              job_description  = { column = \"job_title\", on = \"create\" }             # a table, with more settings\n\
              login_using_email = true                                               # the same for everybody\n\
              skill_attributes = { column = \"skills\", parse = \"pairs\" }\n\
              privileges       = [{ teamid = \"{{ team | lookup('teams', 'team_id') }}\", role = \"role\" }]\n\
              password         = { generate = { length = 20 } }\n\
              custom_attributes.location = \"office\"                                  # one key of an object\n",
    }
}
