//! The sections, in the order in which a person writes them.

mod map;
mod policy;
mod running;
mod safety;
mod source;
mod target;

pub(in crate::config) use map::*;
pub(in crate::config) use policy::*;
pub(in crate::config) use running::*;
pub(in crate::config) use safety::*;
pub(in crate::config) use source::*;
pub(in crate::config) use target::*;

use super::{ATTRIBUTE, COMMAND, FILE, TEXT, VARIABLE};
use super::{Doubles, Keys, Otherwise, Presence, Rule, Section, Setting, Takes};

pub(in crate::config) const SECTIONS: [&Section; 11] =
    [&SOURCE, &LOOKUP, &TARGET, &MATCH, &MAP, &POLICY, &SAFETY, &RATE, &JOURNAL, &PASSWORDS, &REPORT];

pub(in crate::config) const RULES_SAID: &str = "a list of rules such as [[\"login_id\"], [\"email_id\"]]";

const MATCH: Section = Section {
    name: "match",
    says: "How a row finds its account.",
    presence: Presence::Needed,
    keys: Keys::These(&[Setting {
        name: "rules",
        takes: Takes::List {
            of: &Takes::List {
                of: &Takes::Text(&ATTRIBUTE),
                least: 1,
                doubles: Doubles::Allowed,
                said: "a list of the names of attributes",
            },
            least: 1,
            doubles: Doubles::Allowed,
            said: RULES_SAID,
        },
        otherwise: Otherwise::Needed,
        says: "Each rule is a list of attributes that have to agree together. The rules are tried in their order, and the \
               first that exactly one account fits wins; where several fit and no rule tells them apart, the row is in \
               conflict and nothing is done for it. The attributes have to be mapped, and be among those that the API \
               shows. Before the rules comes the account that the person was found by in an earlier run, if \
               `source.identity` is set.",
    }]),
    more: "",
    example: "[match]\nrules = [[\"login_id\"], [\"email_id\"]]   # by login; where that finds nobody, by address\n",
};

/// Where a secret is kept.
pub(in crate::config) const SECRET: [Setting; 3] = [
    Setting {
        name: "env",
        takes: Takes::Text(&VARIABLE),
        otherwise: Otherwise::OneOf(&["env", "file", "command"]),
        says: "The environment variable that holds it.",
    },
    Setting {
        name: "file",
        takes: Takes::Text(&FILE),
        otherwise: Otherwise::OneOf(&["env", "file", "command"]),
        says: "A file that holds it and nothing else; a line break at its end is no part of it.",
    },
    Setting {
        name: "command",
        takes: Takes::Any {
            of: &[
                Takes::List { of: &Takes::Text(&TEXT), least: 1, doubles: Doubles::Allowed, said: "a list of words" },
                Takes::Text(&COMMAND),
            ],
            said: COMMAND_SAID,
        },
        otherwise: Otherwise::OneOf(&["env", "file", "command"]),
        says: "A command that prints it in its first line. It runs without a shell and without input, for 30 seconds at \
               most; a string is split at blanks.",
    },
];

pub(in crate::config) const COMMAND_SAID: &str = "a list of words or a string";

/// What a table of secrets takes, for the reference and for editors.
pub(in crate::config) const SECRET_TABLE: Takes =
    Takes::Table { settings: &SECRET, rule: Rule::ExactlyOne, said: "a table that says where the secret is kept" };
