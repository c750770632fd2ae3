//! `policy.protect`: people and accounts that are never touched, by any of their names.

use crate::model::{Account, AttrId, Desired, MatchRule};

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

    pub fn matches_name(&self, name: &str) -> bool {
        self.patterns.is_match(name.trim())
    }

    pub fn matches_row(&self, rules: &[MatchRule], desired: &Desired) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        self.patterns.is_match(&desired.identity)
            || keys(rules)
                .any(|id| desired.value(id).is_some_and(|value| self.patterns.is_match(value.to_string().trim())))
    }

    pub fn matches_account(&self, rules: &[MatchRule], account: &Account) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        self.patterns.is_match(account.id.as_str())
            || keys(rules)
                .any(|id| account.values.get(id).is_some_and(|value| self.patterns.is_match(value.to_string().trim())))
    }
}

/// Every attribute that takes part in a match rule.
fn keys(rules: &[MatchRule]) -> impl Iterator<Item = AttrId> {
    rules.iter().flat_map(|rule| rule.attributes.iter().copied())
}
