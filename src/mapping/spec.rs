//! `[map]` as it stands in the configuration, before it meets a schema and the columns of a source. Each expression
//! knows its place in the configuration file, so that what is wrong with it can be shown there.

pub use crate::model::Located;

/// Everything that turns a row into a desired state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapSpec {
    pub entries: Vec<Entry>,
    /// `source.include`: an expression over the row's columns.
    pub include: Option<Located<String>>,
    /// `source.identity`: a column.
    pub identity: Option<Located<String>>,
    pub blank: Blank,
}

/// One line of `[map]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The attribute's name; with dots for a key inside an object (`skill_attributes.English`) where the schema knows
    /// no attribute of the whole name.
    pub attribute: Located<String>,
    pub expression: Located<Expression>,
    pub on: On,
    pub parse: Option<Parse>,
    /// Overrides `source.blank` for this attribute.
    pub blank: Option<Blank>,
}

/// When a mapped attribute is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum On {
    #[default]
    Always,
    Create,
    /// Only used to find the account.
    Never,
}

/// What an empty cell means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blank {
    /// The target's value is left as it is.
    #[default]
    Ignore,
    Clear,
    /// The row is invalid.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parse {
    Text,
    Bool,
    Int,
    Pairs,
    List,
    Json,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Column(String),
    /// A string with `{{` or `{%`.
    Template(String),
    Bool(bool),
    Int(i64),
    Float(f64),
    /// `value = "…"`: a text as it stands.
    Text(String),
    /// An inner string names a column or is a template, as at the top.
    List(Vec<Located<Expression>>),
    Object(Vec<(String, Located<Expression>)>),
    /// A generated secret.
    Generate(Generate),
}

/// `password = { generate = { length = 20 } }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generate {
    pub length: usize,
}
