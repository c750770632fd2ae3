//! Accounts without a row. An absence proves nothing by itself: not while the listing is incomplete, not while the source
//! looks broken or unlike the last good one, and not while a row that cannot be used may be the one that is missing.

use jiff::Timestamp;

use super::SurveyError;
use super::settle::Settler;
use crate::plan::action::Planned;
use crate::plan::beside::Learnt;
use crate::plan::decide::{Absence, about_account, absent};
use crate::plan::file::ListingDigest;
use crate::plan::safety::{Measure, judge};
use crate::plan::{Absent, FindingKind};

impl Settler<'_> {
    pub fn unclaimed(
        &mut self,
        accounts: &[u64],
        listing: &ListingDigest,
        measure: &Measure,
    ) -> Result<(), SurveyError> {
        if self.inputs.policy().absent == Absent::Ignore {
            return Ok(());
        }
        let doubt = self.doubt(listing, measure);
        let mut scratch = Vec::new();
        for at in accounts {
            let account = self.account(*at)?;
            if let Some(reason) = self.protection(&account) {
                self.findings.push(&about_account(&self.ctx, FindingKind::Protected, &account, reason))?;
                continue;
            }
            let doubt = doubt.clone().or_else(|| {
                let place = self.unusable.about(self.inputs, &account, &mut scratch)?;
                Some(format!("the row {} cannot be used", self.inputs.source_of(place)))
            });
            let before = self.inputs.memory.absence(&account.id);
            let absence = Absence {
                runs: before.as_ref().map_or(0, |absence| absence.runs).saturating_add(1),
                days: before.map_or(0, |absence| whole_days(absence.since, self.now)),
                doubt,
            };
            if absence.doubt.is_none() {
                self.notes.push(&Learnt::Absent { account: account.id.clone() })?;
            }
            let decision = absent(&self.ctx, &account, &absence);
            self.take(decision)?;
        }
        Ok(())
    }

    /// Why no absence proves anything now, where that is so.
    fn doubt(&self, listing: &ListingDigest, measure: &Measure) -> Option<String> {
        if !listing.complete {
            let why = if listing.notes.is_empty() { String::new() } else { format!(" ({})", listing.notes.join("; ")) };
            return Some(format!("the listing is not complete{why}"));
        }
        if self.cut {
            return Some("the source ends within a row: it may have been cut short".to_owned());
        }
        let columns = self.inputs.source.columns().names();
        if let Some(shape) = self.inputs.memory.shape() {
            if shape.columns != columns {
                return Some("the source has other columns than in the last good run".to_owned());
            }
            if self.unterminated && shape.terminated == Some(true) {
                return Some("the source ends without a line break, unlike in the last good run".to_owned());
            }
        }
        // No actions: what is left is what the source is judged by.
        let stopped = judge(&self.inputs.settings.safety, measure, &Planned::default()).stopped;
        stopped.into_iter().next().or_else(|| self.unusable.anybody(self.inputs))
    }
}

fn whole_days(since: Timestamp, now: Timestamp) -> u32 {
    let hours = now.duration_since(since).as_hours();
    u32::try_from(hours / 24).unwrap_or(0)
}
