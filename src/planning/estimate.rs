//! What a plan will cost, as far as it can be known before it is executed: the target says what a request of it takes,
//! the settings how fast requests leave and how much is left for others, the server what is left of the day.
//!
//! The same arithmetic for a plan that is made, applied, or gone on with, so that they never disagree.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use crate::connectors::Connector;
use crate::connectors::http::{Rate, kept_back};
use crate::model::{AttrId, MatchRule, Schema};
use crate::plan::cost::{
    ActionRequests, CostSum, DailyQuota, QuotaShares, forecast_days, requests_within, time_for_requests,
};
use crate::plan::file::{PlanFileError, PlanReader};
use crate::plan::steps::follow_up;
use crate::plan::{Action, ActionKind, Cost, Forecast};

/// What an estimate is made with.
#[derive(Clone, Copy)]
pub struct Estimate<'a> {
    pub schema: &'a Schema,
    pub rules: &'a [MatchRule],
    /// None before it is connected: what it reads by itself is left out then.
    pub target: Option<&'a dyn Connector>,
    pub rate: &'a Rate,
    /// Requests a second that the listing reached, where it was slower than asked for.
    pub pace: Option<f64>,
    /// For so long from now the listing counts as the present.
    pub fresh_for: Duration,
}

/// What an action still takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToDo {
    Nothing,
    /// Nothing any more: an account that it creates is there.
    Done,
    Whole,
    /// The update after a create.
    FollowUp,
    /// A create was sent and its outcome is unknown: the account is looked up, and most likely there.
    Sought,
    /// A change was sent and its outcome is unknown: the account is read, and most likely changed.
    Read,
}

impl Estimate<'_> {
    /// What executing a plan takes, in its order.
    ///
    /// # Errors
    /// A plan file that cannot be read.
    pub fn of_plan(&self, plan: &Path, mut left: impl FnMut(&Action) -> ToDo) -> Result<Cost, PlanFileError> {
        let mut plan = PlanReader::new(BufReader::new(File::open(plan)?))?;
        let mut adding = CostSum::new(self.fresh_requests());
        let (mut sought, mut read, mut made) = (0, 0, 0);
        while let Some(action) = plan.next()? {
            let todo = left(&action);
            if action.action == ActionKind::Create && !matches!(todo, ToDo::Nothing | ToDo::Whole) {
                made += 1;
            }
            match todo {
                ToDo::Nothing | ToDo::Done => {}
                ToDo::Whole => adding.add(self.estimate_action(&action)),
                ToDo::FollowUp => adding.add(ActionRequests::follow_up(self.estimate_action(&action).lookups)),
                ToDo::Sought => {
                    sought += 1;
                    if self.has_follow_up(&action) {
                        adding.add(ActionRequests::follow_up(self.estimate_action(&action).lookups));
                    }
                }
                ToDo::Read => read += 1,
            }
        }
        let mut cost = adding.cost();
        cost.lookup += read;
        if let (Some(target), 1..) = (self.target, sought) {
            cost.lookup += target.costs().count_lookups(self.rules, sought, plan.header.listing.accounts + made);
        }
        Ok(cost)
    }

    /// As [`Estimate::of_plan`], with [`Estimate::over_days`].
    ///
    /// # Errors
    /// A plan file that cannot be read.
    pub fn over_plan(
        &self,
        plan: &Path,
        left: impl FnMut(&Action) -> ToDo,
    ) -> Result<(Cost, Option<Forecast>), PlanFileError> {
        Ok(self.over_days(self.of_plan(plan, left)?))
    }

    /// What one action takes.
    #[must_use]
    pub fn estimate_action(&self, action: &Action) -> ActionRequests {
        let Some(target) = self.target.filter(|_| action.action != ActionKind::Delete) else {
            return ActionRequests::of_action(action, 0);
        };
        let names = action.changes.iter().map(|change| change.attribute.as_str());
        let updated = names.chain(action.also.keys().map(String::as_str));
        // Of a create only what comes after it is an update.
        let updated = updated.filter(|name| action.action != ActionKind::Create || follow_up(self.schema, name));
        let updated: Vec<AttrId> = updated.filter_map(|name| self.schema.id(name)).collect();
        ActionRequests::of_action(action, if updated.is_empty() { 0 } else { target.costs().count_reads(&updated) })
    }

    /// Whether a create needs an update after it.
    #[must_use]
    pub fn has_follow_up(&self, action: &Action) -> bool {
        let mut names = action.changes.iter().map(|change| &change.attribute).chain(action.also.keys());
        action.action == ActionKind::Create && names.any(|name| follow_up(self.schema, name))
    }

    /// So many requests leave while the listing counts as the present.
    #[must_use]
    pub fn fresh_requests(&self) -> u64 {
        let by_time = requests_within(self.fresh_for, self.per_second(), self.rate.burst);
        self.daily_quota().map_or(by_time, |daily| by_time.min(daily.today))
    }

    /// What is still to be sent, over all the days that it takes: with the tokens that expire meanwhile, and signing in
    /// again each day. How many days is only known where the server says what its quota is, and something is to be sent.
    #[must_use]
    pub fn over_days(&self, mut cost: Cost) -> (Cost, Option<Forecast>) {
        let Some(target) = self.target.filter(|_| cost.count_requests() > 0) else { return (cost, None) };
        cost.auth += target.costs().count_renewals(time_for_requests(cost.count_requests(), self.per_second()));
        let Some(daily) = self.daily_quota() else { return (cost, None) };
        let forecast = forecast_days(cost.count_requests(), daily);
        cost.auth += forecast.requests - cost.count_requests();
        (cost, Some(forecast))
    }

    fn daily_quota(&self) -> Option<DailyQuota> {
        let target = self.target?;
        let meter = target.meter();
        let quota = meter.quota()?;
        let reserve = kept_back(self.rate.daily_reserve, quota.limit, meter.others().at_once);
        let shares = QuotaShares { ours: meter.sent_so_far().total, others: meter.others().taken };
        Some(DailyQuota::new(quota.remaining, quota.limit, reserve, shares, target.costs().connecting))
    }

    fn per_second(&self) -> f64 {
        let asked = self.rate.requests_per_second;
        match self.pace {
            Some(pace) if asked <= 0.0 || pace < asked => pace,
            _ => asked,
        }
    }
}

/// The attributes of an action that refer to other things of the tenant, each of which is asked for once before the first
/// write.
pub(super) fn referring_attributes(schema: &Schema, action: &Action) -> BTreeSet<AttrId> {
    let changes = action.changes.iter().filter(|change| !change.to.is_blank());
    changes.filter_map(|change| schema.id(&change.attribute)).filter(|id| schema.get(*id).reference).collect()
}
