//! `[policy]`.

use std::ops::RangeInclusive;

use super::super::{Choice, GLOB, choice, words};
use super::super::{Doubles, Keys, Otherwise, Presence, Rule, Section, Setting, Takes};
use crate::plan::policy::{Absent, InactiveNewcomers, Leavers};

pub(in crate::config) const LEAVERS: [Choice<Leavers>; 2] = [
    choice("deactivate", Leavers::Deactivate, "the account becomes inactive"),
    choice("report", Leavers::Report, "they are listed as skipped, and nothing of the account is changed"),
];

pub(in crate::config) const ABSENT: [Choice<Absent>; 4] = [
    choice("ignore", Absent::Ignore, "nothing is said of them"),
    choice("report", Absent::Report, "they are listed"),
    choice("deactivate", Absent::Deactivate, "the account becomes inactive, after the time of `absent_for`"),
    choice(
        "delete",
        Absent::Delete,
        "the account is deleted, after the time of `absent_for`; imichat has no way to do that",
    ),
];

pub(in crate::config) const NEWCOMERS: [Choice<InactiveNewcomers>; 2] = [
    choice("skip", InactiveNewcomers::Skip, "they get none"),
    choice("create", InactiveNewcomers::Create, "they get one that is inactive"),
];

pub(in crate::config) const GRACE: RangeInclusive<i64> = 0..=100_000;

pub(in crate::config) const ABSENT_FOR_SAID: &str = "a table such as { runs = 3, days = 7 }";

pub(in crate::config) const POLICY: Section = Section {
    name: "policy",
    says: "What may be done. A row says that somebody has left when the attribute that stands for being active comes to the \
           value for inactive: `status` of imichat, `disabled` of brightpattern, `active` of scim.",
    presence: Presence::Optional,
    keys: Keys::These(&[
        Setting {
            name: "create",
            takes: Takes::Boolean,
            otherwise: Otherwise::Default("true"),
            says: "Whether people without an account get one. If not, they are listed as skipped, and `[map]` need not have \
                   what only a new account needs.",
        },
        Setting {
            name: "update",
            takes: Takes::Boolean,
            otherwise: Otherwise::Default("true"),
            says: "Whether accounts that differ from their rows are changed. If not, leavers and returners still are, and of \
                   them nothing but whether they are active.",
        },
        Setting {
            name: "leavers",
            takes: Takes::Choice(&words(&LEAVERS)),
            otherwise: Otherwise::Default("\"deactivate\""),
            says: "What happens to people whose row says inactive and whose account is active.",
        },
        Setting {
            name: "absent",
            takes: Takes::Choice(&words(&ABSENT)),
            otherwise: Otherwise::Default("\"report\""),
            says: "What happens to accounts that no row stands for. Nothing is concluded from an absence while the listing is \
                   not complete, or the export looks broken or has other columns than in the last good run.",
        },
        Setting {
            name: "absent_for",
            takes: Takes::Table { settings: &ABSENT_FOR, rule: Rule::Free, said: ABSENT_FOR_SAID },
            otherwise: Otherwise::Default("{ runs = 3, days = 7 }"),
            says: "How long an account must have been without a row before that counts. Both have to be reached; what is \
                   left out of the table keeps its default.",
        },
        Setting {
            name: "reactivate",
            takes: Takes::Boolean,
            otherwise: Otherwise::Default("true"),
            says: "Whether inactive accounts become active when their row says so. If not, they are listed as skipped, and \
                   nothing of the account is changed.",
        },
        Setting {
            name: "protect",
            takes: Takes::List {
                of: &Takes::Text(&GLOB),
                least: 0,
                doubles: Doubles::Allowed,
                said: "a list of patterns",
            },
            otherwise: Otherwise::Default("[]"),
            says: "Patterns of names that are never touched: `*` stands for any text, `?` for one character, `[ab]` for one of \
                   several, `{a,b}` for either; case does not matter. A pattern is held against the account's id, the \
                   identity, and every attribute of `match.rules`, of the row and of the account. Administrators of imichat \
                   are never touched anyway.",
        },
        Setting {
            name: "inactive_newcomers",
            takes: Takes::Choice(&words(&NEWCOMERS)),
            otherwise: Otherwise::Default("\"skip\""),
            says: "Whether people whose row says inactive, and who have no account, get one.",
        },
    ]),
    more: "",
    example: "[policy]\n\
              absent     = \"deactivate\"\n\
              absent_for = { runs = 5, days = 14 }   # after five runs in a row, and two weeks\n\
              protect    = [\"admin*\", \"svc-*\"]\n",
};

pub(in crate::config) const ABSENT_FOR: [Setting; 2] = [
    Setting {
        name: "runs",
        takes: Takes::Integer(GRACE),
        otherwise: Otherwise::Default("3"),
        says: "Runs in a row, the present one included.",
    },
    Setting {
        name: "days",
        takes: Takes::Integer(GRACE),
        otherwise: Otherwise::Default("7"),
        says: "Whole days since it was first found without a row.",
    },
];
