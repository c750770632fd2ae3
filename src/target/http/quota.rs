//! The tenant's daily quota, of which a reserve is left for others.
//!
//! What is left is the server's last reading less the requests under way, which it may not have counted yet. A request
//! leaves only while that is above the reserve. The reserve is a share of the limit; where the server does not say the
//! limit, nothing is held in reserve, because a share of something unknown is unknown, and only zero stops the run.
//!
//! A reading is believed until its reset time has passed; where that is unknown, or makes no sense, until the next
//! midnight UTC.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Notify;

use crate::model::Percent;
use crate::target::{CallError, Quota, Trouble};

/// A server's clock may be off by this much.
const SKEW: Duration = Duration::from_secs(300);
/// A daily quota that resets later than this is a misread header.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// Decides for each request whether the quota allows it.
#[derive(Debug)]
pub struct QuotaGate {
    reserve: Percent,
    state: Mutex<State>,
    answered: Notify,
}

#[derive(Debug, Default)]
struct State {
    reading: Option<Reading>,
    under_way: u64,
}

#[derive(Debug)]
struct Reading {
    quota: Quota,
    /// When the reading is forgotten.
    until: Timestamp,
}

/// What the quota says to the next request.
#[derive(Debug, PartialEq, Eq)]
pub enum Leave {
    Granted,
    /// It depends on requests under way: ask again when one was answered.
    AfterAnAnswer,
    /// Not before the quota resets.
    Exhausted {
        quota: Quota,
        /// When to ask again.
        until: Timestamp,
    },
}

/// A request under way, as the quota counts it.
#[derive(Debug)]
pub struct Ticket<'a> {
    gate: &'a QuotaGate,
    /// What was left, as far as was known, when it left.
    known: Option<u64>,
    /// Whether its answer said what is left; if not, it is taken off here.
    told: bool,
}

impl QuotaGate {
    pub fn new(reserve: Percent) -> Self {
        Self { reserve, state: Mutex::default(), answered: Notify::new() }
    }

    /// Whether another request may leave.
    pub fn ask(&self, now: Timestamp) -> Leave {
        let mut state = self.lock();
        if state.reading.as_ref().is_some_and(|reading| reading.until <= now) {
            state.reading = None;
        }
        let Some(reading) = &state.reading else { return Leave::Granted };
        let reserve = reading.quota.limit.filter(|_| !mutant!(ReserveIgnored));
        let reserve = reserve.map_or(0, |limit| self.reserve.of(limit));
        if reading.quota.remaining <= reserve {
            return Leave::Exhausted { quota: reading.quota, until: reading.until };
        }
        if reading.quota.remaining - reserve <= state.under_way { Leave::AfterAnAnswer } else { Leave::Granted }
    }

    /// A request leaves.
    pub fn take(&self) -> Ticket<'_> {
        let mut state = self.lock();
        state.under_way += 1;
        let known = state.reading.as_ref().map(|reading| reading.quota.remaining);
        Ticket { gate: self, known, told: false }
    }

    /// Waits until a request under way was answered. For one caller at a time.
    pub async fn answered(&self) {
        self.answered.notified().await;
    }

    /// The server refused a request because the quota is used up.
    pub fn exhausted(&self, resets_at: Option<Timestamp>, now: Timestamp) {
        let mut state = self.lock();
        let before = state.reading.as_ref().map(|reading| reading.quota);
        let quota = Quota {
            limit: before.and_then(|quota| quota.limit),
            remaining: 0,
            resets_at: resets_at.or(before.and_then(|quota| quota.resets_at)),
        };
        state.reading = Some(Reading { quota, until: believed_until(quota.resets_at, now) });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    /// The answer to this request said what is left. Returns the reading that counts now.
    pub fn saw(&mut self, quota: Quota, now: Timestamp) -> Quota {
        self.told = true;
        let mut state = self.gate.lock();
        let mut quota = quota;
        if let Some(before) = &state.reading
            && now < before.until
        {
            quota.limit = quota.limit.or(before.quota.limit);
            // Answers overtake each other, so of two readings the lower one is the later one: unless more is left than
            // when the request left, which only a reset can be, and this is the first answer to tell of it.
            let above = |remaining: u64| self.known.is_some_and(|known| remaining > known);
            if !above(quota.remaining) || above(before.quota.remaining) {
                quota.remaining = quota.remaining.min(before.quota.remaining);
            }
        }
        state.reading = Some(Reading { quota, until: believed_until(quota.resets_at, now) });
        quota
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.under_way = state.under_way.saturating_sub(1);
        if !self.told
            && let Some(reading) = &mut state.reading
        {
            reading.quota.remaining = reading.quota.remaining.saturating_sub(1);
        }
        drop(state);
        self.gate.answered.notify_one();
    }
}

/// The error that a used-up quota is.
pub fn exhausted(quota: Quota) -> CallError {
    let of = quota.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let until = quota.resets_at.map(|at| format!("; it resets at {at}")).unwrap_or_default();
    CallError::new(
        Trouble::Quota { resets_at: quota.resets_at },
        format!("the daily quota is used up to its reserve: {}{of} requests are left{until}", quota.remaining),
    )
    .with_hint("continue after the reset, lower rate.daily_reserve, or set rate.wait_for_quota")
}

fn believed_until(resets_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let Some(at) = resets_at else { return next_midnight(now) };
    match Duration::try_from(at.duration_since(now)) {
        Ok(ahead) if ahead.is_zero() => soon(now),
        Ok(ahead) if ahead <= LONGEST => at,
        // The reset is due by this machine's clock and not by the server's.
        Err(_) if now.duration_since(at).unsigned_abs() <= SKEW => soon(now),
        Ok(_) | Err(_) => next_midnight(now),
    }
}

fn soon(now: Timestamp) -> Timestamp {
    now.checked_add(Duration::from_secs(60)).unwrap_or(Timestamp::MAX)
}

fn next_midnight(now: Timestamp) -> Timestamp {
    let day = now.to_zoned(TimeZone::UTC).date();
    day.tomorrow()
        .and_then(|day| day.to_zoned(TimeZone::UTC))
        .map_or_else(|_| now.checked_add(Duration::from_secs(86_400)).unwrap_or(Timestamp::MAX), |at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// However the answers to requests that were under way together overtake each other, the lowest one counts.
    #[test]
    fn answers_that_come_in_the_reverse_order_raise_nothing() {
        let now = at("2026-11-22T12:00:00Z");
        let gate = QuotaGate::new(Percent::new(5.0).unwrap());
        let quota = |remaining| Quota { limit: Some(60), remaining, resets_at: None };
        gate.take().saw(quota(11), now);
        let tickets: Vec<_> = (0..6).map(|_| gate.take()).collect();
        for (ticket, remaining) in tickets.into_iter().rev().zip(5..) {
            let mut ticket = ticket;
            assert_eq!(ticket.saw(quota(remaining), now).remaining, 5);
        }
        // More than was left when a request left is a reset, and the first to tell of it is believed.
        let (mut first, mut second) = (gate.take(), gate.take());
        assert_eq!(first.saw(quota(58), now).remaining, 58);
        assert_eq!(second.saw(quota(59), now).remaining, 58);
    }

    fn gate() -> QuotaGate {
        QuotaGate::new(Percent::new(5.0).unwrap())
    }

    fn quota(limit: Option<u64>, remaining: u64) -> Quota {
        Quota { limit, remaining, resets_at: Some(at("2026-03-02T00:00:00Z")) }
    }

    const NOW: &str = "2026-03-01T22:00:00Z";

    #[test]
    fn without_a_reading_everything_goes() {
        let gate = gate();
        let _under_way: Vec<_> = (0..100).map(|_| gate.take()).collect();
        assert_eq!(gate.ask(at(NOW)), Leave::Granted);
    }

    #[test]
    fn it_stops_exactly_at_the_reserve() {
        let gate = gate();
        gate.take().saw(quota(Some(1000), 52), at(NOW));
        assert_eq!(gate.ask(at(NOW)), Leave::Granted);
        let first = gate.take();
        assert_eq!(gate.ask(at(NOW)), Leave::Granted);
        let mut second = gate.take();
        // Two are left above the reserve and two are under way.
        assert_eq!(gate.ask(at(NOW)), Leave::AfterAnAnswer);
        second.saw(quota(Some(1000), 51), at(NOW));
        drop(second);
        assert_eq!(gate.ask(at(NOW)), Leave::AfterAnAnswer);
        // An answer that says nothing of the quota used some of it all the same.
        drop(first);
        assert!(matches!(gate.ask(at(NOW)), Leave::Exhausted { quota: Quota { remaining: 50, .. }, .. }));
    }

    #[test]
    fn an_unknown_limit_has_no_reserve() {
        let gate = gate();
        gate.take().saw(quota(None, 1), at(NOW));
        assert_eq!(gate.ask(at(NOW)), Leave::Granted);
        gate.take().saw(quota(None, 0), at(NOW));
        assert!(matches!(gate.ask(at(NOW)), Leave::Exhausted { .. }));
    }

    #[test]
    fn a_reading_is_forgotten_when_its_reset_has_passed() {
        let gate = gate();
        gate.take().saw(quota(Some(1000), 0), at(NOW));
        let Leave::Exhausted { until, .. } = gate.ask(at("2026-03-01T23:59:59Z")) else { panic!("not exhausted") };
        assert_eq!(until, at("2026-03-02T00:00:00Z"));
        assert_eq!(gate.ask(until), Leave::Granted);
    }

    #[test]
    fn an_answer_that_was_overtaken_does_not_raise_what_is_left_and_a_reset_does() {
        let gate = gate();
        let (mut a, mut b) = (gate.take(), gate.take());
        assert_eq!(b.saw(quota(Some(1000), 98), at(NOW)).remaining, 98);
        assert_eq!(a.saw(quota(Some(1000), 99), at(NOW)).remaining, 98);
        // Only of a request that left when less was known to be left does more mean a reset.
        assert_eq!(gate.take().saw(quota(Some(1000), 999), at(NOW)).remaining, 999);
    }

    #[test]
    fn reset_times_that_make_no_sense_are_replaced_by_midnight_and_late_ones_by_a_minute() {
        let now = at(NOW);
        let midnight = at("2026-03-02T00:00:00Z");
        assert_eq!(believed_until(None, now), midnight);
        assert_eq!(believed_until(Some(at("2026-03-01T12:00:00Z")), now), midnight);
        assert_eq!(believed_until(Some(at("2099-03-01T12:00:00Z")), now), midnight);
        assert_eq!(believed_until(Some(at("2026-03-01T21:58:00Z")), now), at("2026-03-01T22:01:00Z"));
        assert_eq!(believed_until(Some(at("2026-03-01T22:30:00Z")), now), at("2026-03-01T22:30:00Z"));
    }

    #[test]
    fn being_told_that_it_is_used_up_keeps_what_was_known() {
        let gate = gate();
        gate.take().saw(quota(Some(1000), 500), at(NOW));
        gate.exhausted(None, at(NOW));
        let Leave::Exhausted { quota, until } = gate.ask(at(NOW)) else { panic!("not exhausted") };
        assert_eq!((quota.limit, quota.remaining, until), (Some(1000), 0, at("2026-03-02T00:00:00Z")));
    }
}
