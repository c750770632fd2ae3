//! What a plan costs in requests, and how many days a daily quota makes of it. Arithmetic over what is known before
//! anything is sent; repeats are not foreseen.

use std::ops::{Add, AddAssign};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, ActionKind};

/// Requests, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub auth: u64,
    pub list: u64,
    pub lookup: u64,
    pub write: u64,
}

impl Cost {
    #[must_use]
    pub fn count_requests(self) -> u64 {
        self.auth + self.list + self.lookup + self.write
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            auth: self.auth + other.auth,
            list: self.list + other.list,
            lookup: self.lookup + other.lookup,
            write: self.write + other.write,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The requests that one action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionRequests {
    pub writes: u64,
    /// What the target reads to know what to send.
    pub lookups: u64,
    pub reread: Reread,
}

/// Whether an account is read again before it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reread {
    /// There is none yet.
    Never,
    /// Once the listing is not the present any more.
    WhenStale,
    /// No row speaks for what is done to it.
    Always,
}

impl ActionRequests {
    #[must_use]
    pub fn of_action(action: &Action, lookups: u64) -> Self {
        let (writes, reread) = match action.action {
            ActionKind::Create => (action.requests.max(1), Reread::Never),
            _ if action.source.is_none() => (1, Reread::Always),
            _ => (1, Reread::WhenStale),
        };
        Self { writes, lookups, reread }
    }

    /// The update after a create, alone.
    #[must_use]
    pub fn follow_up(lookups: u64) -> Self {
        Self { writes: 1, lookups, reread: Reread::Never }
    }
}

/// Adds up actions in the order in which they are executed.
#[derive(Debug)]
pub struct CostSum {
    /// So many requests leave while the listing counts as the present.
    fresh: u64,
    cost: Cost,
}

impl CostSum {
    #[must_use]
    pub fn new(fresh: u64) -> Self {
        Self { fresh, cost: Cost::default() }
    }

    pub fn add(&mut self, takes: ActionRequests) {
        let reread = match takes.reread {
            Reread::Never => false,
            Reread::WhenStale => self.cost.count_requests() >= self.fresh,
            Reread::Always => true,
        };
        self.cost.lookup += takes.lookups + u64::from(reread);
        self.cost.write += takes.writes;
    }

    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }
}

/// Requests that can leave within a time at this pace (requests a second, 0 for no limit).
#[must_use]
pub fn requests_within(time: Duration, per_second: f64, burst: u32) -> u64 {
    if time.is_zero() {
        return 0;
    }
    if per_second <= 0.0 || !per_second.is_finite() {
        return u64::MAX;
    }
    // The cast saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let steadily = (time.as_secs_f64() * per_second) as u64;
    steadily.saturating_add(u64::from(burst))
}

/// How long so many requests take at this pace.
#[must_use]
pub fn time_for_requests(requests: u64, per_second: f64) -> Duration {
    if per_second <= 0.0 || !per_second.is_finite() {
        return Duration::ZERO;
    }
    // Numbers of requests are far from where a float is not exact enough.
    #[allow(clippy::cast_precision_loss)]
    let seconds = requests as f64 / per_second;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// A daily quota, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyQuota {
    /// What may still be sent today: what is left above the reserve.
    pub today: u64,
    /// What may be sent on any other day: none where nobody says.
    pub per_day: Option<u64>,
    /// What each further day costs before it gets on: to sign in again.
    pub each_day: u64,
}

/// What was sent so far, and what others were seen to send meanwhile: their share is expected to stay what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaShares {
    pub ours: u64,
    pub others: u64,
}

/// Fewer requests say nothing of the share of others.
const TELLING: u64 = 20;

impl QuotaShares {
    /// Our part of so many requests.
    fn ours_of(self, all: u64) -> u64 {
        let Self { ours, others } = self;
        if ours < TELLING {
            return all;
        }
        let part = u128::from(all) * u128::from(ours) / (u128::from(ours) + u128::from(others));
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

impl DailyQuota {
    #[must_use]
    pub fn new(remaining: u64, limit: Option<u64>, reserve: u64, shares: QuotaShares, each_day: u64) -> Self {
        let free = |left: u64| shares.ours_of(left.saturating_sub(reserve));
        Self { today: free(remaining), per_day: limit.map(free), each_day }
    }
}

/// How many days a daily quota makes of what is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// What is still to be sent, over all days.
    pub requests: u64,
    /// How much of it fits into today.
    pub today: u64,
    /// How much fits into each day after it; none where the server does not say its limit.
    pub per_day: Option<u64>,
    /// What of that each day costs again, before it gets on.
    pub each_day: u64,
    /// On how many days something is sent; none where nobody can say.
    pub days: Option<u64>,
}

/// How many days `requests` take, with what each of the days costs again.
#[must_use]
pub fn forecast_days(requests: u64, daily: DailyQuota) -> Forecast {
    let DailyQuota { today, per_day, each_day } = daily;
    let Some(later) = requests.checked_sub(today).filter(|later| *later > 0) else {
        return Forecast { requests, today: requests, per_day, each_day, days: Some(1) };
    };
    // A day that is used up by signing in never gets on.
    let gets_on = per_day.map(|per_day| per_day.saturating_sub(each_day)).filter(|gets_on| *gets_on > 0);
    let more = gets_on.map(|gets_on| later.div_ceil(gets_on));
    let requests = requests + more.unwrap_or(0) * each_day;
    Forecast { requests, today, per_day, each_day, days: more.map(|more| more + u64::from(today > 0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATE: ActionRequests = ActionRequests { writes: 1, lookups: 0, reread: Reread::WhenStale };

    fn cost(fresh: u64, takes: &[ActionRequests]) -> (u64, u64) {
        let mut adding = CostSum::new(fresh);
        takes.iter().for_each(|takes| adding.add(*takes));
        (adding.cost().lookup, adding.cost().write)
    }

    #[test]
    fn an_account_is_read_again_once_the_listing_is_stale_or_where_no_row_speaks_for_it() {
        assert_eq!(cost(u64::MAX, &[UPDATE; 5]), (0, 5));
        assert_eq!(cost(0, &[UPDATE; 5]), (5, 5));
        // After three writes the listing is stale.
        assert_eq!(cost(3, &[UPDATE; 5]), (2, 5));
        let create = ActionRequests { writes: 2, lookups: 0, reread: Reread::Never };
        assert_eq!(cost(3, &[create, create, UPDATE]), (1, 5));
        let absent = ActionRequests { reread: Reread::Always, ..UPDATE };
        assert_eq!(cost(u64::MAX, &[absent; 2]), (2, 2));
        assert_eq!(cost(u64::MAX, &[ActionRequests { lookups: 1, ..UPDATE }; 2]), (2, 2));
    }

    #[test]
    fn a_pace_says_how_much_leaves_and_how_long_it_takes() {
        let minute = Duration::from_secs(60);
        assert_eq!(requests_within(minute, 5.0, 5), 305);
        assert_eq!((requests_within(minute, 0.0, 5), requests_within(Duration::ZERO, 5.0, 5)), (u64::MAX, 0));
        assert_eq!((time_for_requests(300, 5.0), time_for_requests(300, 0.0)), (minute, Duration::ZERO));
    }

    fn alone(remaining: u64, limit: Option<u64>, reserve: u64, each_day: u64) -> DailyQuota {
        DailyQuota::new(remaining, limit, reserve, QuotaShares::default(), each_day)
    }

    #[test]
    fn what_fits_into_today_takes_a_day_and_the_rest_signs_in_again_each_day() {
        let daily = alone(9_000, Some(10_000), 500, 4);
        assert_eq!((daily.today, daily.per_day), (8_500, Some(9_500)));
        assert_eq!(forecast_days(8_500, daily).days, Some(1));
        let forecast = forecast_days(8_500 + 9_496 + 1, daily);
        assert_eq!((forecast.days, forecast.requests), (Some(3), 8_500 + 9_496 + 1 + 2 * 4));
        // Of a day that is used up nothing is left.
        assert_eq!(super::forecast_days(9_496, alone(500, Some(10_000), 500, 4)).days, Some(1));
    }

    #[test]
    fn others_are_expected_to_go_on_as_they_were_seen() {
        let daily = |ours, others| DailyQuota::new(5_500, Some(10_500), 500, QuotaShares { ours, others }, 1);
        assert_eq!((daily(700, 300).today, daily(700, 300).per_day), (3_500, Some(7_000)));
        assert_eq!((daily(700, 0).today, daily(700, 0).per_day), (5_000, Some(10_000)));
        // Of a few requests nothing follows.
        assert_eq!((daily(7, 300).today, daily(7, 300).per_day), (5_000, Some(10_000)));
    }

    #[test]
    fn a_server_that_counts_beyond_all_measure_leaves_nothing_and_breaks_nothing() {
        let daily = |others| DailyQuota::new(u64::MAX, Some(u64::MAX), 0, QuotaShares { ours: 21, others }, 1);
        assert_eq!(daily(u64::MAX - 20).today, 20);
        assert_eq!(daily(u64::MAX).today, 20);
    }

    #[test]
    fn where_the_limit_is_not_said_or_leaves_nothing_nobody_knows_the_days() {
        assert_eq!(forecast_days(100, alone(10, None, 0, 1)).days, None);
        assert_eq!(forecast_days(10, alone(10, None, 0, 1)).days, Some(1));
        assert_eq!(forecast_days(100, alone(10, Some(20), 19, 1)).days, None);
    }
}
