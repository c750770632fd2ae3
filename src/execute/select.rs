//! `--only KEY…` and `--limit N`: which of a plan's actions a run executes. Both are kept with the run, so that a
//! resumed run means the same actions.

use crate::plan::Action;

pub use crate::journal::Selection;

impl Selection {
    /// Whether `only` names the action: by its key, its identity or its account.
    #[must_use]
    pub fn matches(&self, action: &Action) -> bool {
        self.only.is_empty()
            || self.only.iter().any(|wanted| {
                let is = |name: &str| name.eq_ignore_ascii_case(wanted);
                is(&action.key)
                    || action.identity.as_deref().is_some_and(is)
                    || action.account.as_ref().is_some_and(|id| is(id.as_str()))
            })
    }

    /// Whether the next matching action is within `limit`; counts it where it is.
    #[must_use]
    pub fn takes(&self, taken: &mut u64) -> bool {
        if self.limit.is_some_and(|limit| *taken >= limit) {
            return false;
        }
        *taken += 1;
        true
    }
}
