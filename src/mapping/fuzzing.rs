//! What holds for any template and any cells. The fuzzer looks for those for which it does not.
//!
//! A template and the cells of a row stand one behind the other, with `U+001F` between them.

use jiff::civil::Date;

use super::spec::{Entry, Expression, Located, MapSpec, On};
use super::template::{RowTemplate, TemplateEngine};
use super::template_check::compile_template;
use super::{Creates, Lookup, Lookups, Mapping, Options};
use crate::model::{Attribute, Columns, Kind, Record, Schema, Value, Wanted};

/// Some are no identifiers, some mean something else in a template.
const COLUMNS: [&str; 6] = ["first_name", "Job Title", "none", "row", "today", "hired"];
/// A value of any template, however it is made, is shorter.
const LONGEST: usize = 40 << 20;

/// The template is refused at its place, or gives the same for the row each time.
pub fn any_template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split('\u{1f}');
    let source = parts.next().unwrap_or_default();
    if takes_long(source) {
        return;
    }
    let mut row = Record::default();
    COLUMNS.iter().for_each(|_| row.push(parts.next().unwrap_or_default()));
    by_itself(source, &row);
    as_part_of_a_mapping(source, &row);
}

/// A list times a number has up to a hundred million items, and the engine does not count what it takes to compare, search
/// or join them: some such templates take a minute for a row. Only a template that says so does, and it does come to an end.
fn takes_long(source: &str) -> bool {
    let any = |words: &[&str]| words.iter().any(|word| source.contains(word));
    any(&["*"]) && any(&["[", "(", "|"]) && any(&["~", "=", "<", ">", "in", "|", "if"])
}

fn by_itself(source: &str, row: &Record) {
    let mut engine = TemplateEngine::new(lookups(), Date::constant(2024, 2, 29));
    let span = 3..3 + source.len();
    let template = match compile_template(&mut engine, "text", source, &columns(), &span) {
        Ok(template) => template,
        Err(errors) => {
            assert!(!errors.is_empty());
            errors.iter().for_each(|error| assert!(error.span == span && !error.message.is_empty(), "{error:?}"));
            return;
        }
    };
    let seen = template.visible_columns();
    assert!(seen.is_sorted() && seen.iter().all(|column| *column < COLUMNS.len()));
    let text = render(&engine, &template, row);
    assert_eq!(text, render(&engine, &template, row), "the same template and row, twice");
}

fn render(engine: &TemplateEngine, template: &RowTemplate, row: &Record) -> Result<String, String> {
    let text = engine.render_row(template, row).map_err(|error| error.to_string())?;
    assert!(text.len() < LONGEST, "{} bytes", text.len());
    Ok(text)
}

/// As `[map]` has it, for each kind of attribute, and as `source.include`.
fn as_part_of_a_mapping(source: &str, row: &Record) {
    let schema = Schema::new(vec![
        Attribute::new("text", Kind::Text),
        Attribute::new("flag", Kind::Bool),
        Attribute::new("number", Kind::Int),
        Attribute::new("day", Kind::DateTime),
        Attribute::new("pairs", Kind::Map(Box::new(Kind::Any))).merged(),
        Attribute::new("list", Kind::List(Box::new(Kind::Text))),
        Attribute::new("json", Kind::Json),
        Attribute::new("secret", Kind::Text).secret(),
    ]);
    let at = |value: Expression| Located { value, span: 0..source.len() };
    let entries = schema.iter().map(|(_, attribute)| Entry {
        attribute: Located { value: attribute.name.clone(), span: 0..1 },
        expression: at(Expression::Template(source.to_owned())),
        on: On::Always,
        parse: None,
        blank: None,
    });
    let options = Options { creates: Creates::Never, table: 0..1 };
    let day = Date::constant(2024, 2, 29);
    let include = Some(Located { value: source.to_owned(), span: 0..source.len() });
    for spec in
        [MapSpec { entries: entries.collect(), ..MapSpec::default() }, MapSpec { include, ..MapSpec::default() }]
    {
        let mapping = match Mapping::compile(&spec, &schema, &columns(), lookups(), day, &options) {
            Ok(mapping) => mapping,
            Err(errors) => {
                assert!(!errors.is_empty());
                continue;
            }
        };
        let mut scratch = mapping.scratch();
        let first = (mapping.includes(row, &mut scratch), mapping.map(row, &mut scratch));
        // Now with what the first time left in the caches.
        assert_eq!(first, (mapping.includes(row, &mut scratch), mapping.map(row, &mut scratch)));
        match first.1 {
            Ok(desired) => {
                assert!(desired.values.is_sorted_by_key(|(id, _)| *id));
                let secret = schema.id("secret").and_then(|id| desired.get(id));
                assert!(!matches!(secret, Some(Wanted::Set(Value::Text(_)))), "a secret that shows itself");
            }
            Err(invalid) => assert!(!invalid.is_empty()),
        }
    }
}

fn columns() -> Columns {
    Columns::new(COLUMNS.map(str::to_owned).to_vec())
}

fn lookups() -> Lookups {
    let columns = Columns::new(vec!["team_name".into(), "team_id".into()]);
    let teams = Lookup::new("teams", "samples/teams.csv", "team_name", columns).ok();
    let filled = teams.map(|mut teams| {
        for (name, id) in [("North", "12"), ("South", "13"), ("Odd", "")] {
            let mut row = Record::default();
            row.push(name);
            row.push(id);
            assert!(teams.insert(&row).is_ok());
        }
        teams
    });
    filled.into_iter().collect()
}
