//! When a request is repeated: only what is safe, not at once, not for ever, and not by everybody at the same time.
//!
//! The wait is full-jitter exponential backoff: uniform between nothing and 0.5 s · 2ⁿ, at most 30 s. Beside the limit
//! for each request there is one for all of them together, a bucket of repeats: it starts full, each repeat takes one,
//! each request that gets through gives a tenth back. The bucket holds as many as all requests that can be under way
//! may use for themselves (ten at least), so a short outage is ridden out, while a server that stays down sees one
//! repeat for every ten successes and not a multiple of the traffic.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Rate;
use crate::clock::Clock;

const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(30);
/// Tenths of a repeat that a repeat takes.
const ONE: u64 = 10;

/// Which failures a request survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Doing it twice is doing it once: reading, setting values, deleting.
    Safe,
    /// Doing it twice is not doing it once: repeated only when it certainly was not carried out (no connection came
    /// about, or 429).
    IfUnsent,
}

/// What happened so far to one request over all its repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// How often it was sent.
    pub sent: u32,
    /// Once it may have been carried out although nobody said so.
    pub lost: bool,
}

/// A uniformly distributed wait before the `n`th repeat (from 1).
pub fn backoff_time(clock: &dyn Clock, n: u32) -> Duration {
    let most = BASE.saturating_mul(1 << (n.max(1) - 1).min(16)).min(CAP);
    // The high half of the random number as a fraction of 2^32.
    let fraction = clock.random() >> 32;
    let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(u64::try_from((u128::from(nanos) * u128::from(fraction)) >> 32).unwrap_or(nanos))
}

/// The repeats that all requests together have left.
#[derive(Debug)]
pub struct Budget {
    /// In tenths.
    left: AtomicU64,
    most: u64,
}

impl Budget {
    pub fn new(rate: &Rate) -> Self {
        let repeats = (rate.concurrency as u64).saturating_mul(u64::from(rate.retries)).max(10);
        let most = repeats.saturating_mul(ONE);
        Self { left: AtomicU64::new(most), most }
    }

    /// Takes one repeat, if there is one.
    pub fn take_retry(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(ONE)).is_ok()
    }

    /// A request got through.
    pub fn give_back(&self) {
        let _full = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            if left < self.most { Some(left + 1) } else { None }
        });
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::testing::rate;
    use super::*;
    use crate::clock::TestClock;

    #[test]
    fn the_wait_doubles_up_to_its_cap_and_uses_the_whole_range() {
        let clock = TestClock::new(Timestamp::UNIX_EPOCH, 7);
        for (n, most) in [(1, 500), (2, 1000), (3, 2000), (7, 30_000), (40, 30_000)] {
            let most = Duration::from_millis(most);
            let waits: Vec<_> = (0..500).map(|_| backoff_time(&*clock, n)).collect();
            assert!(waits.iter().all(|wait| *wait < most), "{n}");
            assert!(waits.iter().any(|wait| *wait < most / 10), "{n}");
            assert!(waits.iter().any(|wait| *wait > most * 9 / 10), "{n}");
        }
    }

    #[test]
    fn the_budget_runs_out_and_ten_successes_buy_one_repeat() {
        let budget = Budget::new(&Rate { concurrency: 4, retries: 5, ..rate() });
        assert_eq!((0..100).filter(|_| budget.take_retry()).count(), 20);
        (0..9).for_each(|_| budget.give_back());
        assert!(!budget.take_retry());
        budget.give_back();
        assert!(budget.take_retry() && !budget.take_retry());
    }

    #[test]
    fn a_full_budget_does_not_grow() {
        let budget = Budget::new(&Rate { concurrency: 1, retries: 1, ..rate() });
        (0..1000).for_each(|_| budget.give_back());
        assert_eq!((0..100).filter(|_| budget.take_retry()).count(), 10);
    }
}
