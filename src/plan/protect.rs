//! `policy.protect`: people and accounts that are never touched, by any of their names.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::model::{Account, AttrId, Desired, MatchRule};

/// The patterns, ready to be tried.
#[derive(Debug)]
pub struct ProtectPatterns {
    /// More than one where they are more than one set can hold.
    sets: Vec<GlobSet>,
    /// Some pattern cannot be tried on names, so it is unknown who is protected.
    everybody: bool,
}

/// Why an account that a pattern matches is not touched.
const BY_PATTERN: &str = "a pattern of policy.protect matches the account";

/// Patterns that are tried as one set.
const TOGETHER: usize = 1_000;

impl ProtectPatterns {
    #[must_use]
    pub fn new(patterns: &[String]) -> Self {
        // The configuration was checked, so every pattern is one.
        let globs = patterns.iter().map(|pattern| GlobBuilder::new(pattern).case_insensitive(true).build());
        let globs: Result<Vec<Glob>, _> = globs.collect();
        let mut protect = Self { sets: Vec::new(), everybody: globs.is_err() };
        for some in globs.unwrap_or_default().chunks(TOGETHER) {
            protect.add_globs(some);
        }
        protect
    }

    /// Adds patterns as one set, or, where that would be too large, as several. One that is too large by itself protects
    /// everybody: somebody is to be left alone, and nobody can say who.
    fn add_globs(&mut self, globs: &[Glob]) {
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            set.add(glob.clone());
        }
        match set.build() {
            Ok(set) => self.sets.push(set),
            Err(_) if globs.len() > 1 => {
                let (some, others) = globs.split_at(globs.len() / 2);
                self.add_globs(some);
                self.add_globs(others);
            }
            Err(_) => self.everybody = true,
        }
    }

    fn is_empty(&self) -> bool {
        self.sets.is_empty() && !self.everybody
    }

    fn matches_any(&self, name: &str) -> bool {
        self.everybody || self.sets.iter().any(|set| set.is_match(name))
    }

    fn matches_name(&self, name: &str) -> bool {
        self.matches_any(name.trim())
    }

    #[must_use]
    pub fn matches_row(&self, rules: &[MatchRule], desired: &Desired) -> bool {
        if self.is_empty() {
            return false;
        }
        self.matches_any(&desired.identity)
            || key_attributes(rules)
                .any(|id| desired.value(id).is_some_and(|value| self.matches_any(value.to_string().trim())))
    }

    fn matches_account(&self, rules: &[MatchRule], account: &Account) -> bool {
        if self.is_empty() {
            return false;
        }
        self.matches_any(account.id.as_str())
            || key_attributes(rules)
                .any(|id| account.values.get(id).is_some_and(|value| self.matches_any(value.to_string().trim())))
    }

    /// Why an account is never touched, where that is so.
    #[must_use]
    pub fn why_untouched(&self, rules: &[MatchRule], account: &Account) -> Option<String> {
        account.protected.clone().or_else(|| self.matches_account(rules, account).then(|| BY_PATTERN.to_owned()))
    }

    /// As [`Self::why_untouched`], where a plan called the person these names.
    #[must_use]
    pub fn why_person_untouched(&self, rules: &[MatchRule], account: &Account, names: &[&str]) -> Option<String> {
        let by_name = || names.iter().any(|name| self.matches_name(name)).then(|| BY_PATTERN.to_owned());
        self.why_untouched(rules, account).or_else(by_name)
    }

    /// Whether an account counts among those that shares in `[safety]` are of.
    #[must_use]
    pub fn is_in_scope(&self, rules: &[MatchRule], account: &Account) -> bool {
        account.protected.is_none() && !self.matches_account(rules, account)
    }
}

/// Every attribute that takes part in a match rule.
fn key_attributes(rules: &[MatchRule]) -> impl Iterator<Item = AttrId> {
    rules.iter().flat_map(|rule| rule.attributes.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_names_are_protected_each_of_them_is() {
        let names: Vec<String> = (0..6_000).map(|n| format!("first.last.{n:04}@some.department.example.org")).collect();
        let protect = ProtectPatterns::new(&names);
        for n in [0, 2_500, 5_999] {
            assert!(protect.matches_name(&names[n].to_uppercase()), "{}", names[n]);
        }
        assert!(!protect.matches_name("somebody.else@some.department.example.org"));
    }

    #[test]
    fn a_pattern_that_is_too_long_to_be_matched_protects_everybody() {
        let long = "?".repeat(200_000);
        assert!(ProtectPatterns::new(&["admin*".to_owned(), long]).matches_name("ana"));
        assert!(!ProtectPatterns::new(&["admin*".to_owned()]).matches_name("ana"));
        assert!(ProtectPatterns::new(&[]).is_empty());
    }
}
