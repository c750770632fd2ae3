//! What became of each row, once every account was seen.

use std::collections::HashMap;

use super::{DROPPED, IndexedRow, MANY, MatchCandidate, ONE, PROTECTED, RowIndex, SAME_KEY, UNSETTLED, found_by};
use crate::reconcile::verdict::{FoundBy, RowVerdict, Settled, Settlement};

enum Choice {
    Dropped,
    Nobody,
    One(MatchCandidate, FoundBy),
    Several(Vec<u64>),
}

impl RowIndex {
    /// Every account was seen: what became of each row.
    #[must_use]
    pub fn settle_rows(mut self) -> Settled {
        if self.freed {
            self.enter_anew();
        }
        let choices: Vec<Choice> = (0u32..).zip(&self.rows).map(|(at, row)| self.choose_account(at, row)).collect();
        // Only accounts that several rows or several candidates fought for can be claimed twice or by nobody.
        let mut fought: HashMap<u64, Vec<u32>> = self.contested.iter().map(|at| (*at, Vec::new())).collect();
        for candidate in self.several.values().flatten() {
            fought.entry(candidate.account).or_default();
        }
        for (at, choice) in (0u32..).zip(&choices) {
            match choice {
                Choice::One(candidate, _) => {
                    if let Some(claims) = fought.get_mut(&candidate.account) {
                        claims.push(at);
                    }
                }
                Choice::Several(accounts) => {
                    for account in accounts {
                        fought.entry(*account).or_default().push(at);
                    }
                }
                Choice::Nobody | Choice::Dropped => {}
            }
        }
        let verdicts = (0u32..)
            .zip(self.rows.iter().zip(choices))
            .map(|(at, (row, choice))| {
                let mut linked = false;
                let verdict = match choice {
                    Choice::Dropped => RowVerdict::Dropped { other: self.rows[row.other as usize].place },
                    _ if row.flags & SAME_KEY != 0 => RowVerdict::SameKey {
                        other: self.rows[row.other as usize].place,
                        by: found_by(row.shared.trailing_zeros() as usize),
                    },
                    Choice::Nobody => RowVerdict::Missing,
                    Choice::Several(accounts) => RowVerdict::Ambiguous { accounts },
                    Choice::One(candidate, found) => {
                        let account = candidate.account;
                        linked = candidate.rules & 1 != 0;
                        let rival = fought.get(&account).and_then(|claims| claims.iter().find(|row| **row != at));
                        if let Some(rival) = rival {
                            RowVerdict::Claimed { account, other: self.rows[*rival as usize].place }
                        } else if candidate.equal && row.flags & UNSETTLED == 0 {
                            RowVerdict::Equal { account, found }
                        } else {
                            RowVerdict::Matched { account, found }
                        }
                    }
                };
                Settlement { place: row.place, protected: row.flags & PROTECTED != 0, linked, verdict }
            })
            .collect();
        let mut unclaimed = self.unclaimed;
        let mut lost: Vec<u64> =
            fought.into_iter().filter(|(_, claims)| claims.is_empty()).map(|(account, _)| account).collect();
        lost.sort_unstable();
        unclaimed.extend(lost);
        Settled { verdicts, unclaimed }
    }

    /// The account that a row means: the first rule with exactly one answer. Where a rule has several, a later rule may
    /// tell them apart, but never bring in another.
    fn choose_account(&self, at: u32, row: &IndexedRow) -> Choice {
        if row.flags & DROPPED != 0 {
            return Choice::Dropped;
        }
        let one = [row.slot];
        let candidates: &[MatchCandidate] = match row.flags & (ONE | MANY) {
            0 => return Choice::Nobody,
            ONE => &one,
            _ => self.several.get(&at).map_or(&[], Vec::as_slice),
        };
        if row.flags & SAME_KEY != 0 {
            // Nobody knows which of the two rows means which account, so none of them is free, and none is absent.
            return Choice::Several(candidates.iter().map(|c| c.account).collect());
        }
        let mut narrowed: Vec<MatchCandidate> = Vec::new();
        for bit in 0..=self.rules.len() {
            let among = if narrowed.is_empty() { candidates } else { &narrowed };
            let found: Vec<_> = among.iter().filter(|c| c.rules & (1 << bit) != 0).copied().collect();
            match found.as_slice() {
                [] => {}
                [one] => {
                    return Choice::One(*one, found_by(bit));
                }
                _ => narrowed = found,
            }
        }
        let mut accounts: Vec<u64> = narrowed.iter().map(|c| c.account).collect();
        accounts.sort_unstable();
        Choice::Several(accounts)
    }
}
