//! What entries are counted and limited by, and the sign that each one stands under.

use std::collections::BTreeMap;

use crate::plan::{ActionKind, FindingKind};

use super::words::list_counts;
use super::{Entry, OutcomeResult};

/// Entries of one section share one limit. What failed or is unknown has a section of its own, so that it shows however
/// many others there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EntrySection {
    Action(ActionKind),
    Failed,
    Unknown,
    Finding(FindingKind),
}

impl EntrySection {
    pub(super) fn from_entry(entry: &Entry) -> Self {
        match entry {
            Entry::Action { action, outcome } => match outcome.as_ref().map(|outcome| outcome.result) {
                Some(OutcomeResult::Failed) => Self::Failed,
                Some(OutcomeResult::Unknown) => Self::Unknown,
                _ => Self::Action(action.action),
            },
            Entry::Finding(finding) => Self::Finding(finding.finding),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Action(kind) => kind.as_str(),
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Finding(kind) => kind.as_str(),
        }
    }

    /// Says what happens without colour.
    pub(super) fn sign(self) -> char {
        match self {
            Self::Action(ActionKind::Create) => '+',
            Self::Action(ActionKind::Update) => '~',
            Self::Action(ActionKind::Reactivate) => '^',
            Self::Action(ActionKind::Deactivate) => '-',
            Self::Action(ActionKind::Delete) => 'x',
            Self::Failed => '!',
            Self::Unknown => '?',
            Self::Finding(FindingKind::Unchanged) => '.',
            Self::Finding(FindingKind::Drift) => '=',
            Self::Finding(FindingKind::Conflict) => '&',
            Self::Finding(FindingKind::Invalid) => '!',
            Self::Finding(FindingKind::Skipped) => '>',
            Self::Finding(FindingKind::Absent) => 'o',
            Self::Finding(FindingKind::Protected) => '#',
        }
    }
}

/// Lets the first entries of each group of sections through and counts the others by section.
pub(super) struct SectionLimit {
    most: Option<u64>,
    /// The section that stands for all of its group.
    group: fn(EntrySection) -> EntrySection,
    shown: BTreeMap<EntrySection, u64>,
    hidden: BTreeMap<EntrySection, u64>,
}

impl SectionLimit {
    pub(super) fn new(most: Option<usize>, group: fn(EntrySection) -> EntrySection) -> Self {
        Self { most: most.map(|most| most as u64), group, shown: BTreeMap::new(), hidden: BTreeMap::new() }
    }

    /// Whether one more of the section is shown; where not, it is counted.
    pub(super) fn admits_one(&mut self, section: EntrySection) -> bool {
        let shown = self.shown.entry((self.group)(section)).or_default();
        if self.most.is_some_and(|most| *shown >= most) {
            self.count_hidden(section);
            return false;
        }
        *shown += 1;
        true
    }

    /// Counts one that is not shown for another reason.
    pub(super) fn count_hidden(&mut self, section: EntrySection) {
        *self.hidden.entry(section).or_default() += 1;
    }

    /// What was not shown: `30 create, 2 failed`; none where all was.
    pub(super) fn hidden_counts(&self) -> Option<String> {
        let rest = list_counts(self.hidden.iter().map(|(section, count)| (*count, section.name())));
        (!rest.is_empty()).then_some(rest)
    }
}

/// Whether an entry waits for an approval: the outcome says so, or in a plan the action itself.
pub(super) fn is_held(entry: &Entry) -> bool {
    match entry {
        Entry::Action { action, outcome: None } => action.held,
        Entry::Action { outcome: Some(outcome), .. } => outcome.result == OutcomeResult::Held,
        Entry::Finding(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_lets_the_first_of_each_group_through_and_counts_the_rest() {
        let mut limit = SectionLimit::new(Some(2), |section| section);
        let update = EntrySection::Action(ActionKind::Update);
        assert_eq!([update; 4].map(|section| limit.admits_one(section)), [true, true, false, false]);
        assert!(limit.admits_one(EntrySection::Failed));
        assert_eq!(limit.hidden_counts().as_deref(), Some("2 update"));
        limit.count_hidden(EntrySection::Failed);
        assert_eq!(limit.hidden_counts().as_deref(), Some("2 update, 1 failed"));

        let mut limit = SectionLimit::new(Some(1), |_| EntrySection::Failed);
        assert!(limit.admits_one(update));
        assert!(!limit.admits_one(EntrySection::Unknown));
    }

    #[test]
    fn without_a_limit_all_is_shown() {
        let mut limit = SectionLimit::new(None, |section| section);
        assert!((0..1000).all(|_| limit.admits_one(EntrySection::Failed)));
        assert_eq!(limit.hidden_counts(), None);
    }
}
