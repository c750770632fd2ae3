//! `[safety]`.

use std::ops::RangeInclusive;

use super::super::{Choice, DURATION, PERCENT, SOME_DURATION, Zero, choice, words};
use super::super::{Keys, Otherwise, Presence, Rule, Section, Setting, Takes};
use crate::plan::policy::OnExceed;

pub(in crate::config) const ON_EXCEED: [Choice<OnExceed>; 2] = [
    choice(
        "hold",
        OnExceed::Hold,
        "all actions of that kind wait for `--approve`, the others are done; the exit code is 5",
    ),
    choice("stop", OnExceed::Stop, "nothing at all is done; the exit code is 5"),
];

pub(in crate::config) const COUNT: RangeInclusive<i64> = 0..=i64::MAX;
pub(in crate::config) const SHARE: RangeInclusive<f64> = 0.0..=100.0;

pub(in crate::config) const LIMIT_SAID: &str =
    "a percentage such as \"20%\", a count, or { percent = 20, count = 500 }";

const LIMIT: Takes = Takes::Any {
    of: &[
        Takes::Text(&PERCENT),
        Takes::Integer(COUNT),
        Takes::Table { settings: &BOTH, rule: Rule::NotEmpty, said: "a table" },
    ],
    said: LIMIT_SAID,
};

const BOTH: [Setting; 2] = [
    Setting {
        name: "percent",
        takes: Takes::Any {
            of: &[Takes::Number { range: SHARE, zero: Zero::AsTheRange }, Takes::Text(&PERCENT)],
            said: "a number from 0 to 100, or a percentage such as \"5%\"",
        },
        otherwise: Otherwise::Without("the count alone limits"),
        says: "The share.",
    },
    Setting {
        name: "count",
        takes: Takes::Integer(COUNT),
        otherwise: Otherwise::Without("the share alone limits"),
        says: "The number.",
    },
];

pub(in crate::config) const SAFETY: Section = Section {
    name: "safety",
    says: "Limits that are checked before the first write. An export that looks broken stops everything; a kind of action of \
           which there are too many is held, and the others go on.",
    presence: Presence::Optional,
    keys: Keys::These(&[
        Setting {
            name: "max_create",
            takes: LIMIT,
            otherwise: Otherwise::Default("\"20%\""),
            says: "How many accounts one run may create. A share is of the accounts in scope, and comes to 10 accounts at \
                   least; where fewer than 10 are in scope it does not count, because it is a first load. Where the \
                   listing is not complete every create is held, whatever the limit says.",
        },
        Setting {
            name: "max_update",
            takes: LIMIT,
            otherwise: Otherwise::Default("\"30%\""),
            says: "How many accounts one run may update or reactivate. A share is of the accounts in scope, and comes to \
                   10 accounts at least.",
        },
        Setting {
            name: "max_deactivate",
            takes: LIMIT,
            otherwise: Otherwise::Default("{ percent = 10, count = 50 }"),
            says: "How many accounts one run may deactivate or delete. A share is of the accounts in scope, and comes to \
                   one account at least.",
        },
        Setting {
            name: "max_invalid",
            takes: LIMIT,
            otherwise: Otherwise::Default("\"5%\""),
            says: "How many rows may be invalid: a share of the rows that count, or a number. With more, nothing is done.",
        },
        Setting {
            name: "min_rows",
            takes: Takes::Integer(COUNT),
            otherwise: Otherwise::Default("1"),
            says: "How many rows that count there have to be. With fewer the export is broken, and nothing is done.",
        },
        Setting {
            name: "max_row_drop",
            takes: LIMIT,
            otherwise: Otherwise::Default("\"20%\""),
            says: "By how much the rows that count may have become fewer since the last good run: a share of the rows of that \
                   run, or a number. With more, nothing is done.",
        },
        Setting {
            name: "on_exceed",
            takes: Takes::Choice(&words(&ON_EXCEED)),
            otherwise: Otherwise::Default("\"hold\""),
            says: "What happens where there are more creates, updates or deactivations than their limit allows.",
        },
        Setting {
            name: "plan_max_age",
            takes: Takes::Text(&SOME_DURATION),
            otherwise: Otherwise::Default("\"24h\""),
            says: "`apply` refuses a plan that is older.",
        },
        Setting {
            name: "fresh_for",
            takes: Takes::Text(&DURATION),
            otherwise: Otherwise::Default("\"10m\""),
            says: "How long `sync` takes its listing for the present state. Once it is older, each account is read again \
                   before it is changed, which takes a request for each; one that changed meanwhile is left alone. `apply`, \
                   and whatever is done because there is no row, always read again. `\"0s\"` reads every account again.",
        },
        Setting {
            name: "run_max_age",
            takes: Takes::Text(&SOME_DURATION),
            otherwise: Otherwise::Default("\"7d\""),
            says: "`sync` goes on with an unfinished run only while it is younger. Of an older one it finds out what became \
                   of the requests that nobody answered, and plans the rest anew, from a new listing.",
        },
    ]),
    more: "A limit is a share (`\"20%\"`), a number (`50`), or both (`{ percent = 10, count = 50 }`), of which the smaller \
           counts. Shares are rounded up. In scope are the accounts that are not protected.",
    example: "[safety]\n\
              max_create     = { percent = 20, count = 500 }\n\
              max_deactivate = 25\n\
              min_rows       = 1000\n\
              plan_max_age   = \"8h\"\n",
};
