//! The mapping as a whole: what a configuration says and a row holds, and what comes of it.

mod compiling;
mod deep;
mod laws;
mod rows;

use jiff::civil::Date;

use super::spec::{Blank, Entry, Expression, Generate, Located, MapSpec, On, Parse};
use super::{Creates, Invalid, Lookup, Lookups, MapError, Mapping, Options};
use crate::model::{Attribute, Columns, Desired, Field, Kind, Place, Record, Schema, Value, Wanted};

const COLUMNS: [&str; 12] = [
    "employee_id",
    "work_email",
    "first_name",
    "last_name",
    "Job Title",
    "status",
    "by_mail",
    "skills",
    "team",
    "role",
    "initial_password",
    "hired",
];

/// The attributes of imi.chat that matter here, and one of each kind that it does not have.
fn schema() -> Schema {
    let choice = |choices: &[&str]| Kind::Choice(choices.iter().map(|c| (*c).to_owned()).collect());
    let field = |name: &str, kind, required| Field { name: name.into(), kind, required };
    Schema::new(vec![
        Attribute::new("id", Kind::Int).allows("R"),
        Attribute::new("login_id", Kind::Text).allows("CR").required().ignoring_case(),
        Attribute::new("email_id", Kind::Text).allows("CR").ignoring_case(),
        Attribute::new("first_name", Kind::Text),
        Attribute::new("job_description", Kind::Text),
        Attribute::new("login_using_email", Kind::Bool),
        Attribute::new("skill_attributes", Kind::Map(Box::new(Kind::Any))).merged(),
        Attribute::new("custom_attributes", Kind::Json).allows("U"),
        Attribute::new("password", Kind::Text).allows("C").secret().required(),
        Attribute::new(
            "privileges",
            Kind::List(Box::new(Kind::Object(vec![
                field("teamid", Kind::Int, true),
                field("role", choice(&["Team Manager", "Team Agent", "Team Analyst"]), true),
                field("note", Kind::Text, false),
            ]))),
        )
        .allows("C"),
        Attribute::new("status", choice(&["active", "inactive"])).allows("RU"),
        Attribute::new("active_chats", Kind::Int).allows("CR").live(),
        Attribute::new("level", Kind::Int),
        Attribute::new("tags", Kind::List(Box::new(Kind::Text))),
        Attribute::new("name.given", Kind::Text),
    ])
}

fn lookups() -> Lookups {
    let columns = Columns::new(vec!["team_name".into(), "team_id".into()]);
    let mut teams = Lookup::new("teams", "samples/teams.csv", "team_name", columns).unwrap();
    for (name, id) in [("North", "12"), ("South", "13"), ("Odd", "")] {
        let mut row = Record::default();
        row.push(name);
        row.push(id);
        teams.insert(&row).unwrap();
    }
    [teams].into_iter().collect()
}

/// A row with these cells; every other is empty.
fn row(cells: &[(&str, &str)]) -> Record {
    let mut row = Record::default();
    for column in COLUMNS {
        row.push(cells.iter().find(|(name, _)| *name == column).map_or("", |(_, cell)| cell));
    }
    row.place = Place { file: 0, line: 7 };
    row
}

fn at<T>(value: T) -> Located<T> {
    Located { value, span: 0..0 }
}

/// What a TOML string in `[map]` becomes.
fn text(source: &str) -> Expression {
    if source.contains("{{") || source.contains("{%") {
        Expression::Template(source.into())
    } else {
        Expression::Column(source.into())
    }
}

fn entry(attribute: &str, expression: Expression) -> Entry {
    Entry { attribute: at(attribute.into()), expression: at(expression), on: On::Always, parse: None, blank: None }
}

/// `[map]` with these lines.
fn spec(entries: Vec<Entry>) -> MapSpec {
    MapSpec { entries, ..MapSpec::default() }
}

/// `[map]` of one line.
fn one(attribute: &str, source: &str) -> MapSpec {
    spec(vec![entry(attribute, text(source))])
}

fn compile_for(spec: &MapSpec, creates: Creates) -> Result<Mapping, Vec<MapError>> {
    let columns = Columns::new(COLUMNS.map(str::to_owned).to_vec());
    let today = Date::constant(2024, 3, 1);
    Mapping::compile(spec, &schema(), &columns, lookups(), today, &Options { creates, table: 90..95 })
}

/// Compiles without asking for the required attributes.
fn compiled(spec: &MapSpec) -> Mapping {
    compile_for(spec, Creates::Never).unwrap()
}

fn errors(spec: &MapSpec) -> Vec<MapError> {
    compile_for(spec, Creates::Never).unwrap_err()
}

/// The one thing that is wrong, with its help.
fn error(spec: &MapSpec) -> String {
    let errors = errors(spec);
    assert_eq!(errors.len(), 1, "{errors:?}");
    format!("{} ({})", errors[0], errors[0].help.as_deref().unwrap_or(""))
}

fn map(spec: &MapSpec, cells: &[(&str, &str)]) -> Result<Desired, Vec<Invalid>> {
    let mapping = compiled(spec);
    mapping.map(&row(cells), &mut mapping.scratch())
}

/// What one attribute comes to.
fn wanted(spec: &MapSpec, attribute: &str, cells: &[(&str, &str)]) -> Option<Wanted> {
    map(spec, cells).unwrap().get(schema().id(attribute).unwrap()).cloned()
}

/// The same as JSON, for a value that is set.
fn value(spec: &MapSpec, attribute: &str, cells: &[(&str, &str)]) -> String {
    match wanted(spec, attribute, cells) {
        Some(Wanted::Set(value)) => serde_json::to_string(&value).unwrap(),
        other => format!("{other:?}"),
    }
}

/// The one reason why a row cannot be used.
fn invalid(spec: &MapSpec, cells: &[(&str, &str)]) -> Invalid {
    let mut invalid = map(spec, cells).unwrap_err();
    assert_eq!(invalid.len(), 1, "{invalid:?}");
    invalid.remove(0)
}

fn object(fields: &[(&str, Expression)]) -> Expression {
    Expression::Object(fields.iter().map(|(name, value)| ((*name).to_owned(), at(value.clone()))).collect())
}

fn list(items: Vec<Expression>) -> Expression {
    Expression::List(items.into_iter().map(at).collect())
}
