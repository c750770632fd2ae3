//! `[policy]` and `[safety]`: the plan room's own types, read with its defaults.

use toml::de::DeValue;

use super::reader::{Item, Problems, Table};
use super::reference::{ABSENT, ABSENT_FOR_SAID, COUNT, GRACE, LEAVERS, NEWCOMERS, ON_EXCEED};
use super::settings::KindSettings;
use crate::plan::policy::{Absent, AbsentFor, Limit, Policy, Safety};

/// `[policy]`. What the target cannot do is refused; where the target itself could not be read, that is not known.
pub(super) fn policy(mut table: Table<'_>, kind: Option<&KindSettings>, problems: &mut Problems) -> Policy {
    let default = Policy::default();
    let policy = Policy {
        create: table.get("create").and_then(|item| item.boolean(problems)).unwrap_or(default.create),
        update: table.get("update").and_then(|item| item.boolean(problems)).unwrap_or(default.update),
        leavers: table.get("leavers").and_then(|item| item.choice(&LEAVERS, problems)).unwrap_or(default.leavers),
        absent: table.get("absent").and_then(|item| absent(&item, kind, problems)).unwrap_or(default.absent),
        absent_for: table
            .get("absent_for")
            .and_then(|item| absent_for(&item, default.absent_for, problems))
            .unwrap_or(default.absent_for),
        reactivate: table.get("reactivate").and_then(|item| item.boolean(problems)).unwrap_or(default.reactivate),
        protect: table.get("protect").and_then(|item| patterns(&item, problems)).unwrap_or(default.protect),
        inactive_newcomers: table
            .get("inactive_newcomers")
            .and_then(|item| item.choice(&NEWCOMERS, problems))
            .unwrap_or(default.inactive_newcomers),
    };
    table.finish(problems);
    policy
}

pub(super) fn safety(mut table: Table<'_>, problems: &mut Problems) -> Safety {
    let default = Safety::default();
    let mut limit = |key, default: Limit| table.get(key).and_then(|item| item.limit(problems)).unwrap_or(default);
    let (max_create, max_update) = (limit("max_create", default.max_create), limit("max_update", default.max_update));
    let max_deactivate = limit("max_deactivate", default.max_deactivate);
    let max_invalid = limit("max_invalid", default.max_invalid);
    let max_row_drop = limit("max_row_drop", default.max_row_drop);
    let safety = Safety {
        max_create,
        max_update,
        max_deactivate,
        max_invalid,
        min_rows: table.get("min_rows").and_then(|item| item.integer(COUNT, problems)).unwrap_or(default.min_rows),
        max_row_drop,
        on_exceed: table
            .get("on_exceed")
            .and_then(|item| item.choice(&ON_EXCEED, problems))
            .unwrap_or(default.on_exceed),
        plan_max_age: table
            .get("plan_max_age")
            .and_then(|item| item.some_duration(problems))
            .unwrap_or(default.plan_max_age),
        fresh_for: table.get("fresh_for").and_then(|item| item.duration(problems)).unwrap_or(default.fresh_for),
        run_max_age: table
            .get("run_max_age")
            .and_then(|item| item.some_duration(problems))
            .unwrap_or(default.run_max_age),
    };
    table.finish(problems);
    safety
}

fn absent(item: &Item<'_>, kind: Option<&KindSettings>, problems: &mut Problems) -> Option<Absent> {
    let absent = item.choice(&ABSENT, problems)?;
    match kind {
        Some(kind) if absent == Absent::Delete && !kind.can_delete() => {
            let what = format!("cannot be \"delete\": {} has no way to delete an account", kind.name());
            item.refuse(&what, "use \"deactivate\"".to_owned(), problems)
        }
        _ => Some(absent),
    }
}

fn absent_for(item: &Item<'_>, default: AbsentFor, problems: &mut Problems) -> Option<AbsentFor> {
    let DeValue::Table(_) = item.value else {
        return item.wrong(ABSENT_FOR_SAID, problems);
    };
    let mut table = item.table(problems)?;
    let mut count = |key| table.get(key).map(|item| item.integer(GRACE, problems));
    let (runs, days) = (count("runs"), count("days"));
    table.finish(problems);
    Some(AbsentFor { runs: runs.unwrap_or(Some(default.runs))?, days: days.unwrap_or(Some(default.days))? })
}

/// Patterns of names, each checked here, so that a mistyped one is not found when it should have protected somebody.
fn patterns(item: &Item<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let patterns = item.strings(problems)?;
    for pattern in &patterns {
        if let Err(error) = globset::Glob::new(&pattern.value) {
            problems.say(
                &pattern.span,
                format!("`{}` has a pattern that cannot be used: {}", item.name, error.kind()),
                None,
            );
        }
    }
    Some(patterns.into_iter().map(|pattern| pattern.value).collect())
}
