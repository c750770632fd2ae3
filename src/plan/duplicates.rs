//! `source.duplicates`: what is made of two rows that stand for one person.

use super::policy::Duplicates;
use crate::model::{MatchRule, Place};
use crate::reconcile::{Added, FoundBy};

/// What is made of a row that was just added, and of the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DuplicateDecision {
    Keep,
    /// The row of this number is left out, the other one counts.
    LeaveOut {
        row: u32,
        counts: u32,
    },
    /// There may be no such rows: this place has one too, with this in common.
    Refuse {
        earlier: Place,
        common: String,
    },
}

/// Decides about a row; `row` is its number in the index.
#[must_use]
pub fn decide_duplicate(setting: Duplicates, rules: &[MatchRule], row: u32, added: Added) -> DuplicateDecision {
    match (added, setting) {
        (Added::SameIdentity { place, .. }, Duplicates::Error) => {
            DuplicateDecision::Refuse { earlier: place, common: "identity".to_owned() }
        }
        (Added::SameIdentity { row: earlier, .. }, Duplicates::First) => {
            DuplicateDecision::LeaveOut { row, counts: earlier }
        }
        (Added::SameIdentity { row: earlier, .. }, Duplicates::Last) => {
            DuplicateDecision::LeaveOut { row: earlier, counts: row }
        }
        (Added::SameKey { place, by, .. }, Duplicates::Error) => {
            let common = match by {
                FoundBy::Link => "account".to_owned(),
                FoundBy::Rule(rule) => rules[rule].label.clone(),
            };
            DuplicateDecision::Refuse { earlier: place, common }
        }
        // Two people with one key are in conflict: the key may be of either.
        (Added::SameKey { .. }, Duplicates::First | Duplicates::Last) | (Added::New, _) => DuplicateDecision::Keep,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AttrId, Attribute, Kind, Schema};

    #[test]
    fn the_setting_says_which_of_two_rows_counts_or_that_there_may_not_be_two() {
        let schema = Schema::new(vec![Attribute::new("login", Kind::Text)]);
        let rules = [MatchRule::new(&schema, vec![AttrId(0)])];
        let place = Place { file: 0, line: 2 };
        let decide = |setting, added| decide_duplicate(setting, &rules, 5, added);
        let same = Added::SameIdentity { row: 3, place };
        let refused = |common: &str| DuplicateDecision::Refuse { earlier: place, common: common.to_owned() };
        assert_eq!(decide(Duplicates::Error, same), refused("identity"));
        assert_eq!(decide(Duplicates::First, same), DuplicateDecision::LeaveOut { row: 5, counts: 3 });
        assert_eq!(decide(Duplicates::Last, same), DuplicateDecision::LeaveOut { row: 3, counts: 5 });
        for (by, common) in [(FoundBy::Link, "account"), (FoundBy::Rule(0), "login")] {
            let key = Added::SameKey { row: 3, place, by };
            assert_eq!(decide(Duplicates::Error, key), refused(common));
            assert_eq!(decide(Duplicates::First, key), DuplicateDecision::Keep);
        }
        assert_eq!(decide(Duplicates::Error, Added::New), DuplicateDecision::Keep);
    }
}
