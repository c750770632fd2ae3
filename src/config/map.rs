//! `[map]` into the mapping's own terms. A plain string is a column or a template, a table is either the table form
//! (one of its keys is a word of that form) or an object with dotted keys, which becomes one entry for each leaf.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::DeValue;

use super::reader::{Item, Problems, Table};
use super::reference::{BLANK, GENERATE_SAID, LENGTH, ON, PARSE};
use crate::mapping::spec::{Entry, Expression, Generate, Located, On};

/// The words of the table form; `lookup` is one so that it gets an answer of its own.
pub(super) const FORM_WORDS: [&str; 8] = ["column", "template", "value", "generate", "parse", "on", "blank", "lookup"];

const DEFAULT_LENGTH: usize = 20;

/// Every entry of `[map]`, in the order of the file. `text` is the file's.
pub(super) fn read(table: &Table<'_>, text: &str, problems: &mut Problems) -> Vec<Entry> {
    let mut entries = Vec::new();
    if table.is_empty() {
        problems.say(&table.span, "`map` maps nothing", "add lines such as email_id = \"work_email\"".to_owned());
    }
    for item in table.items() {
        let name = own_name(&item, table);
        let key = item.key.clone();
        collect(&item, Located { value: name, span: key }, text, &mut entries, problems);
    }
    let mut seen: HashMap<&str, ()> = HashMap::new();
    for entry in &entries {
        if seen.insert(&entry.attribute.value, ()).is_some() {
            problems.say(&entry.attribute.span, format!("`{}` is mapped twice", entry.attribute.value), None);
        }
    }
    entries
}

/// One attribute, or all that is in an object with dotted keys.
fn collect(item: &Item<'_>, attribute: Located<String>, text: &str, entries: &mut Vec<Entry>, problems: &mut Problems) {
    let Some(table) = item.value.is_table().then(|| item.table(problems)).flatten() else {
        if let Some(expression) = expression(item, problems) {
            let expression = Located { value: expression, span: item.span.clone() };
            entries.push(Entry { attribute, expression, on: On::Always, parse: None, blank: None });
        }
        return;
    };
    if table.has_any(&FORM_WORDS) {
        entries.extend(form(item, table, attribute, problems));
        return;
    }
    if table.is_empty() {
        item.refuse::<()>("says nothing", "use { column = \"…\" } or { value = … }".to_owned(), problems);
    }
    for child in table.items() {
        let name = format!("{}.{}", attribute.value, own_name(&child, &table));
        let span = dotted(text, &attribute.span, &child.key);
        collect(&child, Located { value: name, span }, text, entries, problems);
    }
}

/// `{ column = "job_title", on = "create" }` and its like.
fn form(item: &Item<'_>, mut table: Table<'_>, attribute: Located<String>, problems: &mut Problems) -> Option<Entry> {
    let sources = [table.get("column"), table.get("template"), table.get("value"), table.get("generate")];
    let (on, parse, blank) = (table.get("on"), table.get("parse"), table.get("blank"));
    if table.has_any(&["lookup"])
        && let Some(lookup) = table.get("lookup")
    {
        let help = "look up in a template: \"{{ team | lookup('teams', 'team_id') }}\"".to_owned();
        problems.say(&lookup.key, "`lookup` is a filter of templates", help);
    }
    table.finish(problems);
    let on = on.and_then(|on| on.choice(&ON, problems)).unwrap_or_default();
    let read = parse.as_ref().and_then(|parse| parse.choice(&PARSE, problems));
    let empty = blank.as_ref().and_then(|blank| blank.choice(&BLANK, problems));
    let expression = match sources {
        [Some(column), None, None, None] => column_name(&column, problems)?,
        [None, Some(template), None, None] => Expression::Template(template.owned(problems)?),
        [None, None, Some(value), None] => literal(&value, problems)?,
        [None, None, None, Some(generate)] => {
            for needless in [&parse, &blank].into_iter().flatten() {
                needless.refuse::<()>("means nothing for a generated value", None, problems);
            }
            generated(&generate, problems)?
        }
        _ => {
            return item.refuse("must have one of `column`, `template`, `value` and `generate`", None, problems);
        }
    };
    let expression = Located { value: expression, span: item.span.clone() };
    Some(Entry { attribute, expression, on, parse: read, blank: empty })
}

/// What stands for itself: in it a string is a column or a template.
fn expression(item: &Item<'_>, problems: &mut Problems) -> Option<Expression> {
    match item.value {
        DeValue::String(_) => {
            let text = item.owned(problems)?;
            Some(if is_template(&text) { Expression::Template(text) } else { Expression::Column(text) })
        }
        _ => compound(item, expression, problems),
    }
}

/// What `value` holds: in it a string is the text itself, even an empty one.
fn literal(item: &Item<'_>, problems: &mut Problems) -> Option<Expression> {
    match item.value {
        DeValue::String(text) => Some(Expression::Text(text.to_string())),
        _ => compound(item, literal, problems),
    }
}

/// A scalar other than a string, or a list or object with whatever `inner` makes of what is in it.
fn compound(
    item: &Item<'_>,
    inner: fn(&Item<'_>, &mut Problems) -> Option<Expression>,
    problems: &mut Problems,
) -> Option<Expression> {
    let mut located = |item: &Item<'_>| {
        let value = inner(item, problems)?;
        Some(Located { value, span: item.span.clone() })
    };
    match item.value {
        DeValue::Boolean(value) => Some(Expression::Bool(*value)),
        DeValue::Integer(_) => item.integer(i64::MIN..=i64::MAX, problems).map(Expression::Int),
        DeValue::Float(_) => match item.number(problems)? {
            number if number.is_finite() => Some(Expression::Float(number)),
            _ => item.refuse("must be a finite number", None, problems),
        },
        DeValue::Array(_) => {
            let items = item.list("a list", &mut Problems::default())?;
            Some(Expression::List(items.iter().filter_map(located).collect()))
        }
        DeValue::Table(_) => {
            let table = item.table(&mut Problems::default())?;
            let fields = table.items();
            let field = |field: &Item<'_>| Some((own_name(field, &table), located(field)?));
            Some(Expression::Object(fields.iter().filter_map(field).collect()))
        }
        DeValue::Datetime(_) => item.wrong("a column, a template or a table (a date goes in quotes)", problems),
        DeValue::String(_) => inner(item, problems),
    }
}

fn column_name(item: &Item<'_>, problems: &mut Problems) -> Option<Expression> {
    let column = item.owned(problems)?;
    if is_template(&column) {
        let help = "write a template as a plain string, or as template = \"{{ … }}\" beside on, parse and blank";
        return item.refuse("is a template, not the name of a column", help.to_owned(), problems);
    }
    Some(Expression::Column(column))
}

fn generated(item: &Item<'_>, problems: &mut Problems) -> Option<Expression> {
    let length = match item.value {
        DeValue::Boolean(true) => DEFAULT_LENGTH,
        DeValue::Table(_) => {
            let mut table = item.table(problems)?;
            let length = table.get("length");
            table.finish(problems);
            match length {
                Some(length) => length.integer(LENGTH, problems)?,
                None => DEFAULT_LENGTH,
            }
        }
        _ => return item.wrong(GENERATE_SAID, problems),
    };
    Some(Expression::Generate(Generate { length }))
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// The key as it stands, which may itself have dots in it (`'emails[type eq "work"].value'`).
fn own_name(item: &Item<'_>, table: &Table<'_>) -> String {
    item.name[table.name.len() + 1..].to_owned()
}

/// The place of a dotted name: all of it where it stands together (`a.b = …`), else its last part. A first part that
/// several lines share is known by its first place alone, so it is its text that is looked for.
fn dotted(text: &str, first: &Range<usize>, last: &Range<usize>) -> Range<usize> {
    let start = || {
        let before = text.get(..last.start)?.trim_end().strip_suffix('.')?.trim_end();
        before.strip_suffix(text.get(first.clone())?).map(str::len)
    };
    start().unwrap_or(last.start)..last.end
}
