//! Templates that need no engine: texts and chains of one column through known filters with quoted arguments, such as
//! `{{ first | lower }}.{{ last | ascii | lower }}`. They give what the engine would give (a property test holds that)
//! in a fraction of the time, and they are what values that differ on every row are mostly made with.

use std::borrow::Cow;

use super::lookup::Lookups;
use super::scan::{Facts, Piece, Token, arguments};
use super::{date, text};
use crate::model::{Columns, Record};

/// A compiled chain template.
#[derive(Debug)]
pub(super) struct Native(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    Chain { column: usize, steps: Vec<Step> },
}

#[derive(Debug)]
enum Step {
    Lower,
    Upper,
    Trim,
    Ascii,
    Slug,
    Digits,
    Before(String),
    After(String),
    Replace(String, String),
    Date(String),
    Lookup { table: String, column: usize },
}

impl Native {
    /// The chain template, where the pieces are one.
    pub(super) fn compile(
        pieces: &[Piece<'_>],
        facts: &Facts<'_>,
        columns: &Columns,
        lookups: &Lookups,
    ) -> Option<Self> {
        pieces.iter().map(|piece| Part::compile(piece, facts, columns, lookups)).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Appends what the template gives for the row.
    pub(super) fn run(&self, row: &Record, lookups: &Lookups, out: &mut String) -> Result<(), String> {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Chain { column, steps } => {
                    let mut text = Cow::Borrowed(row.cell(*column).trim());
                    for step in steps {
                        text = match text {
                            Cow::Borrowed(text) => step.run(text, lookups)?,
                            Cow::Owned(text) => Cow::Owned(step.run(&text, lookups)?.into_owned()),
                        };
                    }
                    out.push_str(&text);
                }
            }
        }
        Ok(())
    }
}

impl Part {
    fn compile(piece: &Piece<'_>, facts: &Facts<'_>, columns: &Columns, lookups: &Lookups) -> Option<Self> {
        match piece {
            // The engine has rules of its own for line ends beside blocks.
            Piece::Text(text) if !text.contains(['\n', '\r']) => Some(Self::Text((*text).to_owned())),
            Piece::Output { tokens, plain: true } => {
                let (column, mut rest) = match tokens.as_slice() {
                    [Token::Name("row"), Token::Symbol(b'['), Token::Text(name), Token::Symbol(b']'), rest @ ..] => {
                        (*name, rest)
                    }
                    // Not `none` and the like, which a column may be called but a variable may not.
                    [Token::Name(name), rest @ ..] if facts.names.contains(name) => (*name, rest),
                    _ => return None,
                };
                let column = columns.position(column)?;
                let mut steps = Vec::new();
                while !rest.is_empty() {
                    let [Token::Symbol(b'|'), Token::Name(filter), after @ ..] = rest else { return None };
                    let (arguments, after) = match after {
                        [Token::Symbol(b'('), ..] => {
                            let close = after.iter().position(|token| *token == Token::Symbol(b')'))?;
                            (arguments(after).into_iter().collect::<Option<Vec<_>>>()?, &after[close + 1..])
                        }
                        _ => (Vec::new(), after),
                    };
                    steps.push(Step::compile(filter, &arguments, lookups)?);
                    rest = after;
                }
                Some(Self::Chain { column, steps })
            }
            _ => None,
        }
    }
}

impl Step {
    fn compile(filter: &str, arguments: &[&str], lookups: &Lookups) -> Option<Self> {
        Some(match (filter, arguments) {
            ("lower", []) => Self::Lower,
            ("upper", []) => Self::Upper,
            ("trim", []) => Self::Trim,
            ("ascii", []) => Self::Ascii,
            ("slug", []) => Self::Slug,
            ("digits", []) => Self::Digits,
            ("before", [separator]) => Self::Before((*separator).to_owned()),
            ("after", [separator]) => Self::After((*separator).to_owned()),
            ("replace", [from, to]) if !from.is_empty() => Self::Replace((*from).to_owned(), (*to).to_owned()),
            ("date", [format]) => Self::Date((*format).to_owned()),
            ("lookup", [table, column]) => {
                let (_, column) = lookups.resolve(table, column).ok()?;
                Self::Lookup { table: (*table).to_owned(), column }
            }
            _ => return None,
        })
    }

    fn run<'t>(&self, input: &'t str, lookups: &Lookups) -> Result<Cow<'t, str>, String> {
        Ok(match self {
            Self::Lower if input.is_ascii() && !input.bytes().any(|b| b.is_ascii_uppercase()) => Cow::Borrowed(input),
            Self::Lower => Cow::Owned(input.to_lowercase()),
            Self::Upper => Cow::Owned(input.to_uppercase()),
            Self::Trim => Cow::Borrowed(input.trim()),
            Self::Ascii => text::ascii(input),
            Self::Slug => Cow::Owned(text::slug(input)),
            Self::Digits => text::digits(input),
            Self::Before(separator) => Cow::Borrowed(text::before(input, separator)),
            Self::After(separator) => Cow::Borrowed(text::after(input, separator)),
            Self::Replace(from, to) => Cow::Owned(input.replace(from, to)),
            Self::Date(format) => Cow::Owned(date::format(input, format)?),
            Self::Lookup { table, column } => match lookups.get(table) {
                Some(table) => Cow::Owned(table.find(input, *column)?.to_owned()),
                // Compiling found it.
                None => Cow::Borrowed(""),
            },
        })
    }
}
