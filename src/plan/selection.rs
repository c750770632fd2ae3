//! Which actions of a plan a run executes: the ones that `--only` and `--limit` mean and that nobody holds back. Whoever
//! executes a plan, asks about it or says what it takes uses this one rule.

use serde::{Deserialize, Serialize};

use super::Action;
use super::safety::ActionGroup;

/// Which of a plan's actions a run executes. It is kept with the run, so that a resumed run means the same actions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// `--only KEY…`; empty: all keys.
    pub only: Vec<String>,
    /// `--limit N`.
    pub limit: Option<u64>,
}

impl Selection {
    /// Whether `only` names the action: by its key, its identity or its account.
    #[must_use]
    pub fn names_action(&self, action: &Action) -> bool {
        self.only.is_empty()
            || self.only.iter().any(|wanted| {
                let is = |name: &str| name.eq_ignore_ascii_case(wanted);
                is(&action.key)
                    || action.identity.as_deref().is_some_and(is)
                    || action.account.as_ref().is_some_and(|id| is(id.as_str()))
            })
    }
}

/// Whether a run executes an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    Executed,
    /// It waits for an approval.
    Held,
    /// `--only` or `--limit` leaves it out.
    LeftOut,
}

/// Whether a run has sent anything for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    No,
    /// It is not held back any more.
    Yes,
}

/// The rule, asked for every action of the plan in its order: `--limit` means the same actions in every process then.
#[derive(Debug)]
pub struct ActionSelector {
    released: Vec<ActionGroup>,
    selection: Selection,
    taken: u64,
}

impl ActionSelector {
    /// `released` are the groups whose held actions somebody approved.
    #[must_use]
    pub fn new(released: &[ActionGroup], selection: &Selection) -> Self {
        Self { released: released.to_vec(), selection: selection.clone(), taken: 0 }
    }

    pub fn select_action(&mut self, action: &Action, begun: Begun) -> Selected {
        if !self.selection.names_action(action) {
            return Selected::LeftOut;
        }
        let is_held = action.held && !self.released.contains(&ActionGroup::of_kind(action.action));
        if is_held && begun == Begun::No {
            return Selected::Held;
        }
        if self.selection.limit.is_some_and(|limit| self.taken >= limit) {
            return Selected::LeftOut;
        }
        self.taken += 1;
        Selected::Executed
    }
}

/// Which actions a run that begins now executes.
pub fn selected_actions(released: &[ActionGroup], selection: &Selection) -> impl FnMut(&Action) -> bool + use<> {
    let mut selector = ActionSelector::new(released, selection);
    move |action: &Action| selector.select_action(action, Begun::No) == Selected::Executed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ActionKind;

    fn action(kind: ActionKind, key: &str, held: bool) -> Action {
        Action { held, identity: Some(format!("id-{key}")), ..Action::new(kind, key) }
    }

    #[test]
    fn the_limit_counts_what_is_executed_and_nothing_else() {
        let actions = [
            action(ActionKind::Create, "ana", true),
            action(ActionKind::Update, "bo", false),
            action(ActionKind::Update, "cy", false),
            action(ActionKind::Deactivate, "di", true),
        ];
        let selection = Selection { only: vec!["ANA".into(), "id-bo".into(), "di".into()], limit: Some(2) };
        let selected = |released: &[ActionGroup], begun: Begun| {
            let mut selector = ActionSelector::new(released, &selection);
            actions.each_ref().map(|action| selector.select_action(action, begun))
        };
        use Selected::{Executed, Held, LeftOut};
        assert_eq!(selected(&[], Begun::No), [Held, Executed, LeftOut, Held]);
        assert_eq!(selected(&[ActionGroup::Deactivate], Begun::No), [Held, Executed, LeftOut, Executed]);
        assert_eq!(selected(&ActionGroup::ALL, Begun::No), [Executed, Executed, LeftOut, LeftOut]);
        assert_eq!(selected(&[], Begun::Yes), [Executed, Executed, LeftOut, LeftOut]);
        let is_selected = selected_actions(&[ActionGroup::Create], &selection);
        assert_eq!(actions.each_ref().map(is_selected), [true, true, false, false]);
    }
}
