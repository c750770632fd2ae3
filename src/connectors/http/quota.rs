//! The tenant's daily quota, of which a reserve is left for others.
//!
//! What is left is the server's last reading less the requests under way, which it may not have counted yet. A request
//! leaves only while that is above the reserve. The reserve is a share of the limit; where the server does not say the
//! limit, nothing is held in reserve, because a share of something unknown is unknown, and only zero stops the run.
//!
//! Others use the same quota, and what they take between two answers no answer can tell beforehand. What they took lately
//! between two answers is therefore left to them on top of the reserve, up to a hundredth of the limit, so that no
//! request arrives once the reserve is reached.
//!
//! A reading is believed until its reset time has passed; where that is unknown, or makes no sense, until the next
//! midnight UTC. After it requests leave one by one until an answer says what is left now: by the server's clock the day
//! may not be over.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Notify;

use crate::connectors::{CallError, Others, Quota, Trouble};
use crate::model::Percent;

/// A server's clock may be off by this much.
const SKEW: Duration = Duration::from_secs(300);
/// A daily quota that resets later than this is a misread header.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// Decides for each request whether the quota allows it.
#[derive(Debug)]
pub struct QuotaGate {
    reserve: Percent,
    state: Mutex<GateState>,
    answered: Notify,
}

/// What others took counts for so many answers.
const LATELY: u64 = 64;

#[derive(Debug, Default)]
struct GateState {
    reading: Option<QuotaReading>,
    /// There was a reading, and it has run out.
    unsure: bool,
    under_way: u64,
    /// Requests that left so far, and those of them that came to an end.
    left: u64,
    ended: u64,
    others: OthersWatch,
}

/// What others take of the quota, as far as the answers prove it.
#[derive(Debug, Default)]
struct OthersWatch {
    /// What was left, and how many of our requests had ended, when the counting began.
    since: Option<(u64, u64)>,
    /// What others have taken since, at least.
    taken: u64,
    /// By which answer it was seen that they had taken so many more.
    lately: VecDeque<(u64, u64)>,
}

impl OthersWatch {
    /// So many are left. Of those that are gone as many may be ours as have left since the counting began.
    fn saw_remaining(&mut self, remaining: u64, left: u64, ended: u64) {
        let (before, ended_before) = *self.since.get_or_insert((remaining, ended));
        let taken = before.saturating_sub(remaining).saturating_sub(left.saturating_sub(ended_before));
        if taken > self.taken {
            self.lately.push_back((ended, taken - self.taken));
            self.taken = taken;
        }
        while self.lately.front().is_some_and(|(at, _)| at + LATELY < ended) {
            self.lately.pop_front();
        }
    }

    /// The most that they took between two answers lately.
    fn at_once(&self) -> u64 {
        self.lately.iter().map(|(_, taken)| *taken).max().unwrap_or(0)
    }
}

#[derive(Debug)]
struct QuotaReading {
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
    pub fn ask_leave(&self, now: Timestamp) -> Leave {
        let mut state = self.lock_state();
        if state.reading.as_ref().is_some_and(|reading| reading.until <= now) {
            (state.reading, state.unsure, state.others) = (None, true, OthersWatch::default());
        }
        let Some(reading) = &state.reading else {
            return if state.unsure && state.under_way > 0 { Leave::AfterAnAnswer } else { Leave::Granted };
        };
        let theirs = state.others.at_once();
        let limit = reading.quota.limit.filter(|_| !law_is_broken!(ReserveIgnored));
        let kept = kept_back(self.reserve, limit, theirs);
        let Some(free) = reading.quota.remaining.checked_sub(kept).filter(|free| *free > 0) else {
            return Leave::Exhausted { quota: reading.quota, until: reading.until };
        };
        // While a request is under way others may take so many again.
        if free <= state.under_way.saturating_mul(theirs.saturating_add(1)) {
            Leave::AfterAnAnswer
        } else {
            Leave::Granted
        }
    }

    /// A request leaves.
    pub fn take_ticket(&self) -> Ticket<'_> {
        let mut state = self.lock_state();
        state.under_way += 1;
        state.left += 1;
        let known = state.reading.as_ref().map(|reading| reading.quota.remaining);
        Ticket { gate: self, known, told: false }
    }

    /// Waits until a request under way was answered. For one caller at a time.
    pub async fn wait_for_answer(&self) {
        self.answered.notified().await;
    }

    /// An earlier process saw this, and that others took so many at once. Returns whether it still counts: not once its
    /// reset time has passed, and not where there was none.
    pub fn recall_quota(&self, quota: Quota, at_once: u64, now: Timestamp) -> bool {
        let mut state = self.lock_state();
        let Some(until) = quota.resets_at.filter(|at| *at > now) else { return false };
        let until = believed_until(Some(until), now);
        state.reading.get_or_insert(QuotaReading { quota, until });
        state.others.lately.push_back((0, at_once));
        true
    }

    /// What others were seen to take since the last reset.
    pub fn others(&self) -> Others {
        let state = self.lock_state();
        Others { taken: state.others.taken, at_once: state.others.at_once() }
    }

    /// The server refused a request because the quota is used up.
    pub fn mark_exhausted(&self, resets_at: Option<Timestamp>, now: Timestamp) {
        let mut state = self.lock_state();
        let before = state.reading.as_ref().map(|reading| reading.quota);
        let quota = Quota {
            limit: before.and_then(|quota| quota.limit),
            remaining: 0,
            resets_at: resets_at.or(before.and_then(|quota| quota.resets_at)),
        };
        state.reading = Some(QuotaReading { quota, until: believed_until(quota.resets_at, now) });
    }

    fn lock_state(&self) -> std::sync::MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    /// The answer to this request said what is left. Returns the reading that counts now.
    pub fn saw_quota(&mut self, quota: Quota, now: Timestamp) -> Quota {
        self.told = true;
        let mut guard = self.gate.lock_state();
        let state = &mut *guard;
        let mut quota = quota;
        let mut reset = true;
        if let Some(before) = &state.reading
            && now < before.until
        {
            quota.limit = quota.limit.or(before.quota.limit);
            // Answers overtake each other, so of two readings the lower one is the later one: unless more is left than
            // when the request left, which only a reset can be, and this is the first answer to tell of it.
            let above = |remaining: u64| self.known.is_some_and(|known| remaining > known);
            if !above(quota.remaining) || above(before.quota.remaining) {
                reset = false;
                if before.quota.remaining < quota.remaining {
                    // With its reset time: the server may have asked for another wait than until the end of the day.
                    quota = Quota { limit: quota.limit, ..before.quota };
                }
            }
        }
        if reset {
            state.others = OthersWatch::default();
        }
        state.ended += 1;
        state.others.saw_remaining(quota.remaining, state.left, state.ended);
        state.reading = Some(QuotaReading { quota, until: believed_until(quota.resets_at, now) });
        state.unsure = false;
        quota
    }

    /// The server did what was asked, and its answer said nothing of a quota: there is none to wait for.
    pub fn saw_nothing(&mut self) {
        self.gate.lock_state().unsure = false;
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.lock_state();
        state.under_way = state.under_way.saturating_sub(1);
        if !self.told {
            state.ended += 1;
            if let Some(reading) = &mut state.reading {
                reading.quota.remaining = reading.quota.remaining.saturating_sub(1);
            }
        }
        drop(state);
        self.gate.answered.notify_one();
    }
}

/// What is kept back of a quota: the reserve, and what others lately took between two answers, up to a hundredth of the
/// limit. Who keeps nothing in reserve leaves nothing to others either.
#[must_use]
pub fn kept_back(reserve: Percent, limit: Option<u64>, others_at_once: u64) -> u64 {
    let Some(limit) = limit else { return 0 };
    match reserve.of(limit) {
        0 => 0,
        reserve => reserve.saturating_add(others_at_once.min(limit / 100)),
    }
}

/// The error that a used-up quota is.
pub fn exhausted_error(quota: Quota) -> CallError {
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
        Ok(ahead) if ahead.is_zero() => by_every_clock(at),
        Ok(ahead) if ahead <= LONGEST => at,
        // The reset is due by this machine's clock and not by the server's.
        Err(_) if by_every_clock(at) > now => by_every_clock(at),
        Ok(_) | Err(_) => next_midnight(now),
    }
}

/// When a moment is over, however far the server's clock is behind. To ask earlier would cost a request each time.
fn by_every_clock(at: Timestamp) -> Timestamp {
    at.checked_add(SKEW).unwrap_or(Timestamp::MAX)
}

fn next_midnight(now: Timestamp) -> Timestamp {
    let day = now.to_zoned(TimeZone::UTC).date();
    day.tomorrow()
        .and_then(|day| day.to_zoned(TimeZone::UTC))
        .map_or_else(|_| now.checked_add(Duration::from_secs(86_400)).unwrap_or(Timestamp::MAX), |at| at.timestamp())
}

#[cfg(test)]
#[path = "quota_tests.rs"]
mod tests;
