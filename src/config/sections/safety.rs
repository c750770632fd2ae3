//! `[safety]`.

use super::{Section, SectionKeys};
use crate::model::Percent;
use crate::plan::policy::{Limit, OnExceed, Safety};
use crate::settings::{
    Choice, Choices, DURATION, Either, Form, InTable, LONGER_DURATION, Number, PERCENT, Rule, SettingsTable, TextForm,
    Zero, choice, default, mapped, optional, read_percent, settings_table, whole,
};

settings_table! {
    SafetyTable fills Safety {
        max_create = default(limit(), "\"20%\""),
            "How many accounts one run may create. A share is of the accounts in scope, and comes to 10 accounts at \
             least; where fewer than 10 are in scope it does not count, because it is a first load. Where the \
             listing is not complete every create is held, whatever the limit says.";
        max_update = default(limit(), "\"30%\""),
            "How many accounts one run may update or reactivate. A share is of the accounts in scope, and comes to \
             10 accounts at least.";
        max_deactivate = default(limit(), "{ percent = 10, count = 50 }"),
            "How many accounts one run may deactivate or delete. A share is of the accounts in scope, and comes to \
             one account at least.";
        max_invalid = default(limit(), "\"5%\""),
            "How many rows may be invalid: a share of the rows that count, or a number. With more, nothing is done.";
        min_rows = default(count(), "1"),
            "How many rows that count there have to be. With fewer the export is broken, and nothing is done.";
        max_row_drop = default(limit(), "\"20%\""),
            "By how much the rows that count may have become fewer since the last good run: a share of the rows of \
             that run, or a number. With more, nothing is done.";
        on_exceed = default(Choices(ON_EXCEED), "\"hold\""),
            "What happens where there are more creates, updates or deactivations than their limit allows.";
        plan_max_age = default(LONGER_DURATION, "\"24h\""),
            "`apply` refuses a plan that is older.";
        fresh_for = default(DURATION, "\"10m\""),
            "How long `sync` takes its listing for the present state. Once it is older, each account is read again \
             before it is changed, which takes a request for each; one that changed meanwhile is left alone. \
             `apply`, and whatever is done because there is no row, always read again. `\"0s\"` reads every account \
             again.";
        run_max_age = default(LONGER_DURATION, "\"7d\""),
            "`sync` goes on with an unfinished run only while it is younger. Of an older one it finds out what \
             became of the requests that nobody answered, and plans the rest anew, from a new listing.";
    }
}

settings_table! {
    LimitTable fills Limit {
        percent = optional(share(), "the count alone limits"), "The share.";
        count = optional(count(), "the share alone limits"), "The number.";
    }
}

const ON_EXCEED: &[Choice<OnExceed>] = &[
    choice(
        "hold",
        OnExceed::Hold,
        "all actions of that kind wait for `--approve`, the others are done; the exit code is 5",
    ),
    choice("stop", OnExceed::Stop, "nothing at all is done; the exit code is 5"),
];

const LIMIT_SAID: &str = "a percentage such as \"20%\", a count, or { percent = 20, count = 500 }";

const LIMIT_SHARE: TextForm<Percent> =
    TextForm { shape: PERCENT.shape, read: |item, reading| read_percent(item, LIMIT_SAID, reading) };

fn limit() -> impl Form<Value = Limit> {
    let share = mapped(LIMIT_SHARE, |percent| Limit { percent: Some(percent), count: None });
    let number = mapped(count(), |count| Limit { percent: None, count: Some(count) });
    let both = InTable { of: LimitTable, rule: Rule::NotEmpty, said: "a table" };
    Either { one: share, other: Either { one: number, other: both, said: LIMIT_SAID }, said: LIMIT_SAID }
}

fn count() -> impl Form<Value = u64> {
    whole::<u64>(0..=i64::MAX)
}

/// Where the setting's name says percent already, the sign may be left out.
fn share() -> impl Form<Value = Percent> {
    let check = |share| Percent::new(share).map_err(|why| format!("must be a percentage: {why}"));
    let number = Number { range: 0.0..=100.0, zero: Zero::AsTheRange, check };
    Either { one: number, other: PERCENT, said: "a number from 0 to 100, or a percentage such as \"5%\"" }
}

/// What counts where the configuration says nothing.
#[cfg(test)]
impl Default for Safety {
    fn default() -> Self {
        SafetyTable.defaults().unwrap()
    }
}

pub(super) fn safety_section() -> Section {
    Section {
        name: "safety",
        says: "Limits that are checked before the first write. An export that looks broken stops everything; a kind of action of \
           which there are too many is held, and the others go on.",
        missing: None,
        keys: SectionKeys::These(SafetyTable.settings()),
        more: "A limit is a share (`\"20%\"`), a number (`50`), or both (`{ percent = 10, count = 50 }`), of which the smaller \
           counts. Shares are rounded up. In scope are the accounts that are not protected.",
        example: "[safety]\n\
              max_create     = { percent = 20, count = 500 }\n\
              max_deactivate = 25\n\
              min_rows       = 1000\n\
              plan_max_age   = \"8h\"\n",
    }
}
