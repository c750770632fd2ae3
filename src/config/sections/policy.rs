//! `[policy]`.

use super::{ConfigSection, SectionKeys};
use crate::connectors::Descriptor;
use crate::plan::policy::{Absent, AbsentFor, InactiveNewcomers, Leavers, Policy};
use crate::settings::{
    Choices, ConfigReading, Doubles, InTable, ItemList, Sees, SettingsTable, ShapedText, TableRule, TextShape,
    TomlTable, WordChoice, default_setting, named_choice, settings_table, true_or_false, whole_number,
};

settings_table! {
    PolicyTable fills Policy {
        create = default_setting(true_or_false(), "true"),
            "Whether people without an account get one. If not, they are listed as skipped, and `[map]` does not \
             need what only a new account needs.";
        update = default_setting(true_or_false(), "true"),
            "Whether accounts that differ from their rows are changed. If not, leavers and returners are still \
             deactivated and reactivated, and nothing else changes.";
        leavers = default_setting(Choices(LEAVERS), "\"deactivate\""),
            "What happens to people whose row says inactive and whose account is active.";
        absent = default_setting(Choices(ABSENT), "\"report\""),
            "What happens to accounts without a row. A missing row proves nothing while the listing is not complete, \
             or while the export looks broken or has other columns than in the last good run.";
        absent_for = default_setting(
            InTable { of: AbsentForTable, rule: TableRule::Free, said: "a table such as { runs = 3, days = 7 }" },
            "{ runs = 3, days = 7 }"
        ),
            "How long an account must be without a row before that counts. Both values must be reached; a value that \
             is left out keeps its default.";
        reactivate = default_setting(true_or_false(), "true"),
            "Whether inactive accounts become active when their row says so. If not, they are listed as skipped, and \
             nothing of the account is changed.";
        protect = default_setting(PATTERNS, "[]"),
            "Patterns of names that are never touched: `*` stands for any text, `?` for one character, `[ab]` for \
             one of several, `{a,b}` for either; case does not matter. A pattern is compared with the account's id, \
             the identity, and every attribute of `match.rules`, of the row and of the account. Administrators of \
             imichat are never touched anyway.";
        inactive_newcomers = default_setting(Choices(NEWCOMERS), "\"skip\""),
            "Whether people whose row says inactive, and who have no account, get one.";
    }
}

settings_table! {
    AbsentForTable fills AbsentFor {
        runs = default_setting(whole_number::<u32>(0..=100_000), "3"),
            "Runs in a row, the present one included.";
        days = default_setting(whole_number::<u32>(0..=100_000), "7"),
            "Whole days since it was first found without a row.";
    }
}

/// Reads `[policy]`. What the target cannot do is refused; where the target itself could not be read, that is not known.
pub(in crate::config) fn read_policy(
    table: &TomlTable<'_>,
    kind: Option<&Descriptor>,
    reading: &mut ConfigReading,
) -> Option<Policy> {
    let policy = PolicyTable.read(table, reading)?;
    if let (Some(kind), Absent::Delete, Some(item)) = (kind, policy.absent, table.find_item("absent"))
        && !kind.deletes
    {
        let what = format!("cannot be \"delete\": {} has no way to delete an account", kind.name);
        return item.refuse(&what, "use \"deactivate\"".to_owned(), reading);
    }
    Some(policy)
}

const LEAVERS: &[WordChoice<Leavers>] = &[
    named_choice("deactivate", Leavers::Deactivate, "the account becomes inactive"),
    named_choice("report", Leavers::Report, "they are listed as skipped, and nothing of the account is changed"),
];

pub(in crate::config) const ABSENT: &[WordChoice<Absent>] = &[
    named_choice("ignore", Absent::Ignore, "they are not reported"),
    named_choice("report", Absent::Report, "they are listed"),
    named_choice("deactivate", Absent::Deactivate, "the account becomes inactive, after the time of `absent_for`"),
    named_choice(
        "delete",
        Absent::Delete,
        "the account is deleted, after the time of `absent_for`; imichat cannot do that",
    ),
];

const NEWCOMERS: &[WordChoice<InactiveNewcomers>] = &[
    named_choice("skip", InactiveNewcomers::Skip, "they get none"),
    named_choice("create", InactiveNewcomers::Create, "they get one that is inactive"),
];

const PATTERNS: ItemList<ShapedText<String>> =
    ItemList { of: GLOB, said: "a list of patterns", doubles: Doubles::Allowed, empty: None };

/// A pattern of names, checked here, so that a mistyped one is not found when it should have protected somebody.
const GLOB: ShapedText<String> = ShapedText {
    shape: TextShape {
        said: "a pattern such as \"admin*\"",
        pattern: r"\S",
        sees: Sees::NotAll,
        taken: &["admin*", "svc-*", "?ot", "{a,b}*", "[ab]*"],
        refused: &["", "  "],
    },
    read: |item, reading| {
        let pattern = item.read_string(reading)?;
        match globset::Glob::new(&pattern) {
            Ok(_) => Some(pattern),
            Err(error) => item.refuse(&format!("has a pattern that cannot be used: {}", error.kind()), None, reading),
        }
    },
};

/// What counts where the configuration says nothing.
#[cfg(test)]
impl Default for Policy {
    fn default() -> Self {
        PolicyTable.defaults().unwrap()
    }
}

pub(super) fn policy_section() -> ConfigSection {
    ConfigSection {
        name: "policy",
        says: "What headcount may do. A row says that somebody has left if it gives the attribute for being active \
           the value for inactive: `status` of imichat, `disabled` of brightpattern, `active` of scim.",
        missing: None,
        keys: SectionKeys::These(PolicyTable.settings()),
        more: "",
        example: "[policy]\n\
              absent     = \"deactivate\"\n\
              absent_for = { runs = 5, days = 14 }   # after five runs in a row, and two weeks\n\
              protect    = [\"admin*\", \"svc-*\"]\n",
    }
}
