//! `[safety]`.

use super::{ConfigSection, SectionKeys};
use crate::model::Percent;
use crate::plan::policy::{OnExceed, Safety, SafetyLimit};
use crate::settings::{
    Choices, DURATION, Either, InTable, LONGER_DURATION, Number, PERCENT, SettingForm, SettingsTable, ShapedText,
    TableRule, WordChoice, Zero, default_setting, mapped_form, named_choice, optional_setting, read_percent,
    settings_table, whole_number,
};

settings_table! {
    SafetyTable fills Safety {
        max_create = default_setting(limit_form(), "\"20%\""),
            "How many accounts one run may create. A share is of the accounts in scope, and means at least 10 \
             accounts. If fewer than 10 are in scope, it is a first load and the share does not count. If the \
             listing is not complete, every create is held, whatever the limit says.";
        max_update = default_setting(limit_form(), "\"30%\""),
            "How many accounts one run may update or reactivate. A share is of the accounts in scope, and means at \
             least 10 accounts.";
        max_deactivate = default_setting(limit_form(), "{ percent = 10, count = 50 }"),
            "How many accounts one run may deactivate or delete. A share is of the accounts in scope, and means at \
             least one account.";
        max_invalid = default_setting(limit_form(), "\"5%\""),
            "How many rows may be invalid: a share of the rows that count, or a number. If there are more, nothing \
             is done.";
        min_rows = default_setting(count_form(), "1"),
            "How many rows must count. If there are fewer, the export looks broken and nothing is done.";
        max_row_drop = default_setting(limit_form(), "\"20%\""),
            "How many fewer rows may count than in the last good run: a share of the rows of that run, or a number. \
             If more are missing, nothing is done.";
        on_exceed = default_setting(Choices(ON_EXCEED), "\"hold\""),
            "What happens if there are more creates, updates or deactivations than their limit allows.";
        plan_max_age = default_setting(LONGER_DURATION, "\"24h\""),
            "`apply` refuses a plan that is older.";
        fresh_for = default_setting(DURATION, "\"10m\""),
            "How long `sync` trusts its listing. After that, each account is read again before it is changed, which \
             takes one request for each; an account that changed meanwhile is left alone. `apply` always reads \
             again, and so does everything that is done because a row is missing. `\"0s\"` reads every account again.";
        run_max_age = default_setting(LONGER_DURATION, "\"7d\""),
            "`sync` continues an unfinished run only if it is younger. For an older run it looks up the unknown \
             outcomes and plans the rest again, from a new listing.";
    }
}

settings_table! {
    LimitTable fills SafetyLimit {
        percent = optional_setting(share_form(), "the count alone limits"), "The share.";
        count = optional_setting(count_form(), "the share alone limits"), "The number.";
    }
}

const ON_EXCEED: &[WordChoice<OnExceed>] = &[
    named_choice(
        "hold",
        OnExceed::Hold,
        "all actions of that kind wait for `--approve`, the others are executed; the exit code is 5",
    ),
    named_choice("stop", OnExceed::Stop, "nothing at all is done; the exit code is 5"),
];

const LIMIT_SAID: &str = "a percentage such as \"20%\", a count, or { percent = 20, count = 500 }";

const LIMIT_SHARE: ShapedText<Percent> =
    ShapedText { shape: PERCENT.shape, read: |item, reading| read_percent(item, LIMIT_SAID, reading) };

fn limit_form() -> impl SettingForm<Output = SafetyLimit> {
    let share = mapped_form(LIMIT_SHARE, |percent| SafetyLimit { percent: Some(percent), count: None });
    let number = mapped_form(count_form(), |count| SafetyLimit { percent: None, count: Some(count) });
    let both = InTable { of: LimitTable, rule: TableRule::NotEmpty, said: "a table" };
    Either { one: share, other: Either { one: number, other: both, said: LIMIT_SAID }, said: LIMIT_SAID }
}

fn count_form() -> impl SettingForm<Output = u64> {
    whole_number::<u64>(0..=i64::MAX)
}

/// Where the setting's name says percent already, the sign may be left out.
fn share_form() -> impl SettingForm<Output = Percent> {
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

pub(super) fn safety_section() -> ConfigSection {
    ConfigSection {
        name: "safety",
        says: "Limits that are checked before the first write. An export that looks broken stops everything. If \
           there are too many actions of one kind, that kind is held and the others are executed.",
        missing: None,
        keys: SectionKeys::These(SafetyTable.settings()),
        more: "A limit is a share (`\"20%\"`), a number (`50`), or both (`{ percent = 10, count = 50 }`); then the \
           smaller counts. Shares are rounded up. In scope are the accounts that are not protected.",
        example: "[safety]\n\
              max_create     = { percent = 20, count = 500 }\n\
              max_deactivate = 25\n\
              min_rows       = 1000\n\
              plan_max_age   = \"8h\"\n",
    }
}
