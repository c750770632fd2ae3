//! `policy.protect`: people and accounts that are never touched, by any of their names.

use super::Inputs;
use crate::model::{Account, AttrId, Desired};

/// The patterns.
pub(super) struct Protect {
    patterns: globset::GlobSet,
}

impl Protect {
    pub fn new(patterns: &[String]) -> Self {
        let mut set = globset::GlobSetBuilder::new();
        for pattern in patterns {
            // The configuration was checked, so every pattern is one.
            if let Ok(glob) = globset::GlobBuilder::new(pattern).case_insensitive(true).build() {
                set.add(glob);
            }
        }
        Self { patterns: set.build().unwrap_or_default() }
    }

    pub fn matches_row(&self, inputs: &Inputs<'_>, desired: &Desired) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        self.patterns.is_match(&desired.identity)
            || keys(inputs)
                .any(|id| desired.value(id).is_some_and(|value| self.patterns.is_match(value.to_string().trim())))
    }

    pub fn matches_account(&self, inputs: &Inputs<'_>, account: &Account) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        self.patterns.is_match(account.id.as_str())
            || keys(inputs)
                .any(|id| account.values.get(id).is_some_and(|value| self.patterns.is_match(value.to_string().trim())))
    }
}

/// Every attribute that takes part in a match rule.
fn keys<'a>(inputs: &'a Inputs<'_>) -> impl Iterator<Item = AttrId> + 'a {
    inputs.rules.iter().flat_map(|rule| rule.attributes.iter().copied())
}
