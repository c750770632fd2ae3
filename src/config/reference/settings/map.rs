//! `[map]`.

use std::ops::RangeInclusive;

use super::super::{Choice, MAPPED_COLUMN, TEMPLATE, choice, words};
use super::super::{Keys, Otherwise, Presence, Rule, Section, Setting, Takes};
use super::source::BLANK;
use crate::mapping::spec::{On, Parse};

pub(in crate::config) const ON: [Choice<On>; 3] = [
    choice("always", On::Always, "when an account is created, and whenever it differs"),
    choice("create", On::Create, "only when an account is created"),
    choice("never", On::Never, "not at all: it is only used to find the account"),
];

pub(in crate::config) const PARSE: [Choice<Parse>; 6] = [
    choice("text", Parse::Text, "as it is"),
    choice("bool", Parse::Bool, "`true`, `yes`, `y`, `1` or `on`; `false`, `no`, `n`, `0` or `off`; in any case"),
    choice("int", Parse::Int, "a whole number, digits only"),
    choice("pairs", Parse::Pairs, "names and values: `English:100;Spanish:80`, or a JSON object"),
    choice("list", Parse::List, "`a|b`, or `a;b` where there is no `|`, or a JSON list"),
    choice("json", Parse::Json, "JSON"),
];

/// Characters of a generated value.
pub(in crate::config) const LENGTH: RangeInclusive<i64> = 8..=128;

pub(in crate::config) const GENERATE_SAID: &str = "{ length = 20 } or true";

pub(in crate::config) const MAP: Section = Section {
    name: "map",
    says: "How a row becomes an account: `attribute = …`, a line for each attribute of the target that headcount is to keep. \
           What is not mapped is never touched.",
    presence: Presence::Needed,
    keys: Keys::Attributes(&FORM),
    more: include_str!("../map.md"),
    example: "[map]\n\
              login_id         = \"{{ work_email | lower | before('@') }}\"              # a template\n\
              email_id         = \"work_email\"                                        # a column\n\
              first_name       = \"first_name\"\n\
              last_name        = \"last_name\"\n\
              status           = \"{{ 'inactive' if status == 'Terminated' else 'active' }}\"\n\
              job_description  = { column = \"job_title\", on = \"create\" }             # a table: with more to say\n\
              login_using_email = true                                               # the same for everybody\n\
              skill_attributes = { column = \"skills\", parse = \"pairs\" }\n\
              privileges       = [{ teamid = \"{{ team | lookup('teams', 'team_id') }}\", role = \"role\" }]\n\
              password         = { generate = { length = 20 } }\n\
              custom_attributes.location = \"office\"                                  # one key of an object\n",
};

/// What says where the value comes from.
pub(in crate::config) const SOURCES: [&str; 4] = ["column", "template", "value", "generate"];

/// The table that an attribute can be mapped with.
pub(in crate::config) const FORM: [Setting; 7] = [
    Setting {
        name: "column",
        takes: Takes::Text(&MAPPED_COLUMN),
        otherwise: Otherwise::OneOf(&SOURCES),
        says: "The column whose cell is the value.",
    },
    Setting {
        name: "template",
        takes: Takes::Text(&TEMPLATE),
        otherwise: Otherwise::OneOf(&SOURCES),
        says: "The [template](#templates) that makes the value.",
    },
    Setting {
        name: "value",
        takes: Takes::Literal,
        otherwise: Otherwise::OneOf(&SOURCES),
        says: "The value itself, the same for everybody. A string is the text as it stands, and no column.",
    },
    Setting {
        name: "generate",
        takes: Takes::Any {
            of: &[Takes::Table { settings: &GENERATE, rule: Rule::Free, said: "a table" }, Takes::True],
            said: GENERATE_SAID,
        },
        otherwise: Otherwise::OneOf(&SOURCES),
        says: "A random text, for attributes that are secret. See [`[passwords]`](#passwords).",
    },
    Setting {
        name: "on",
        takes: Takes::Choice(&words(&ON)),
        otherwise: Otherwise::Default("\"always\""),
        says: "When the attribute is written.",
    },
    Setting {
        name: "parse",
        takes: Takes::Choice(&words(&PARSE)),
        otherwise: Otherwise::Without("it is read as the attribute's type asks"),
        says: "How the text is read. Not for `generate`.",
    },
    Setting {
        name: "blank",
        takes: Takes::Choice(&words(&BLANK)),
        otherwise: Otherwise::Without("`source.blank` says it"),
        says: "What an empty text means. Not for `generate`.",
    },
];

pub(in crate::config) const GENERATE: [Setting; 1] = [Setting {
    name: "length",
    takes: Takes::Integer(LENGTH),
    otherwise: Otherwise::Default("20"),
    says: "How many characters.",
}];
