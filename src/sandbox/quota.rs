//! The daily quota and the rate limit of a tenant.
//!
//! Every request counts against the day, whatever becomes of it, but for those that are turned away: over the quota, or
//! over the rate. The day is that of UTC. Where the count is kept in a file, it is written ahead of what is used, so that
//! not every request writes: a process that is killed may find up to [`AHEAD`] requests more used than were, never fewer.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

const DAY: i64 = 86_400;

/// How far the file may be ahead of the count.
const AHEAD: u64 = 32;

/// What a tenant may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedQuota {
    /// Requests a day.
    pub per_day: u64,
    /// Requests in any one second of the clock, where the server has such a limit.
    pub per_second: Option<u32>,
    /// How `Rate-Limit-Reset` is written.
    pub reset: ResetFormat,
    pub others: OtherClients,
}

/// Who else uses up the day, out of sight of the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherClients {
    #[default]
    Nobody,
    /// Of all requests `percent` are theirs (less than 100), so many at a time, each time after one of the client's was
    /// answered.
    Share { percent: u32, at_once: u64 },
}

/// One day of a tenant, for whoever judges a client by what it used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// The client's requests that were let through.
    pub requests: u64,
    /// The client's requests that came when the day was used up.
    pub turned_away: u64,
    /// Requests of others.
    pub others: u64,
    /// The least that was left when a request of the client came.
    pub least: u64,
}

impl Default for SimulatedQuota {
    fn default() -> Self {
        Self { per_day: 10_000, per_second: None, reset: ResetFormat::EpochSeconds, others: OtherClients::Nobody }
    }
}

/// The forms that `Rate-Limit-Reset` may have; the reference only says "timestamp".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetFormat {
    EpochSeconds,
    EpochMillis,
    HttpDate,
    Rfc3339,
    /// Seconds from now.
    Delta,
}

impl ResetFormat {
    fn write(self, standing: &QuotaStanding) -> String {
        let at = Timestamp::from_second(standing.resets_at).unwrap_or(Timestamp::MAX);
        match self {
            Self::EpochSeconds => standing.resets_at.to_string(),
            Self::EpochMillis => at.as_millisecond().to_string(),
            // Only years beyond 9999 have no HTTP date.
            Self::HttpDate => {
                jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
            }
            Self::Rfc3339 => at.to_string(),
            Self::Delta => standing.seconds_left.to_string(),
        }
    }
}

/// How a tenant stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QuotaStanding {
    pub limit: u64,
    pub remaining: u64,
    /// Seconds since the epoch.
    pub resets_at: i64,
    pub seconds_left: i64,
}

/// Whether a request may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    Free,
    OverTheDay,
    TooFast,
}

/// Counts requests.
pub(super) struct Counter {
    quota: SimulatedQuota,
    count: Mutex<QuotaCount>,
}

#[derive(Default)]
struct QuotaCount {
    /// Days since the epoch.
    day: i64,
    used: u64,
    second: i64,
    in_second: u32,
    /// What stands in the file for this day.
    written: u64,
    file: Option<File>,
    /// The days on which anybody came, in this process.
    days: Vec<Day>,
    /// Hundredths of requests that others have still to send.
    owed: u64,
}

impl Counter {
    /// Goes on from what an earlier run left (the day and its count); writes to the file after each request.
    pub(super) fn new(quota: SimulatedQuota, earlier: Option<(i64, u64)>, file: Option<File>) -> Self {
        let (day, used) = earlier.unwrap_or((0, 0));
        Self { quota, count: Mutex::new(QuotaCount { day, used, written: used, file, ..QuotaCount::default() }) }
    }

    pub(super) fn spend_request(&self, now: Timestamp) -> (Passage, QuotaStanding) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let second = now.as_second();
        let day = second.div_euclid(DAY);
        if count.day != day || count.days.is_empty() {
            if count.day != day {
                (count.day, count.used, count.written) = (day, 0, 0);
            }
            count.days.push(Day { least: self.quota.per_day, ..Day::default() });
        }
        let left = self.quota.per_day.saturating_sub(count.used);
        if count.second != second {
            (count.second, count.in_second) = (second, 0);
        }
        let passage = if self.quota.per_second.is_some_and(|limit| count.in_second >= limit) {
            Passage::TooFast
        } else if count.used >= self.quota.per_day {
            count.change_today(|day| day.turned_away += 1);
            Passage::OverTheDay
        } else {
            count.change_today(|day| (day.requests, day.least) = (day.requests + 1, day.least.min(left)));
            count.in_second += 1;
            count.used += 1;
            if count.used > count.written {
                count.write(AHEAD);
            }
            Passage::Free
        };
        let resets_at = (day + 1) * DAY;
        let standing = QuotaStanding {
            limit: self.quota.per_day,
            remaining: self.quota.per_day - count.used.min(self.quota.per_day),
            resets_at,
            seconds_left: resets_at - second,
        };
        if let (Passage::Free, OtherClients::Share { percent, at_once }) = (passage, self.quota.others) {
            count.let_others_in(u64::from(percent.min(99)), at_once.max(1), self.quota.per_day);
        }
        (passage, standing)
    }

    /// The days on which anybody came, in this process; the first one first.
    pub(super) fn days(&self) -> Vec<Day> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner).days.clone()
    }

    /// Uses the day up, but for so many requests.
    pub(super) fn leave_remaining(&self, remaining: u64) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.used = self.quota.per_day.saturating_sub(remaining);
        count.write(0);
    }

    pub(super) fn write_reset(&self, standing: &QuotaStanding) -> String {
        self.quota.reset.write(standing)
    }

    pub(super) fn used_today(&self) -> u64 {
        self.count.lock().unwrap_or_else(PoisonError::into_inner).used
    }

    /// Leaves the exact count behind.
    pub(super) fn exhaust_day(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.write(0);
        count.file = None;
    }
}

impl QuotaCount {
    fn change_today(&mut self, change: impl FnOnce(&mut Day)) {
        if let Some(day) = self.days.last_mut() {
            change(day);
        }
    }

    /// Of a hundred requests `percent` are theirs; they come so many at once, as soon as so many are due.
    fn let_others_in(&mut self, percent: u64, at_once: u64, per_day: u64) {
        self.owed += percent;
        while self.owed >= at_once * (100 - percent) {
            self.owed -= at_once * (100 - percent);
            let theirs = at_once.min(per_day.saturating_sub(self.used));
            self.used += theirs;
            self.change_today(|day| day.others += theirs);
        }
    }

    /// Writes the count and so many more. Two numbers of fixed width in one write, so that what stands in the file is
    /// always whole.
    fn write(&mut self, more: u64) {
        self.written = self.used + more;
        let line = format!("{:010} {:020}\n", self.day, self.written);
        if let Some(file) = &mut self.file {
            // A count that cannot be kept costs a rehearsal nothing but exactness.
            let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(line.as_bytes()));
        }
    }
}

/// The day and its count, as [`Counter`] keeps them.
pub(super) fn parse(text: &str) -> Option<(i64, u64)> {
    let (day, used) = text.trim_end().split_once(' ')?;
    Some((day.parse().ok()?, used.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_is_used_up_and_begins_anew_at_midnight_utc() {
        let counter = Counter::new(SimulatedQuota { per_day: 2, ..SimulatedQuota::default() }, None, None);
        let late = at("2026-03-01T23:59:50Z");
        let standing = counter.spend_request(late).1;
        assert_eq!((standing.remaining, standing.seconds_left), (1, 10));
        assert_eq!(counter.spend_request(late).0, Passage::Free);
        assert_eq!(counter.spend_request(late).0, Passage::OverTheDay);
        assert_eq!(counter.spend_request(at("2026-03-02T00:00:00Z")).0, Passage::Free);
        assert_eq!(counter.used_today(), 1);
    }

    #[test]
    fn others_take_their_share_between_the_clients_requests() {
        let others = OtherClients::Share { percent: 30, at_once: 3 };
        let counter = Counter::new(SimulatedQuota { per_day: 100, others, ..SimulatedQuota::default() }, None, None);
        let now = at("2026-03-01T12:00:00Z");
        let left: Vec<u64> = (0..15).map(|_| counter.spend_request(now).1.remaining).collect();
        assert_eq!(left, [99, 98, 97, 96, 95, 94, 93, 89, 88, 87, 86, 85, 84, 83, 79]);
        while counter.spend_request(now).0 == Passage::Free {}
        assert_eq!(counter.days(), [Day { requests: 70, turned_away: 1, others: 30, least: 1 + 3 }]);
        counter.spend_request(at("2026-03-02T12:00:00Z"));
        assert_eq!(counter.days()[1], Day { requests: 1, turned_away: 0, others: 0, least: 100 });
    }

    #[test]
    fn the_rate_turns_away_without_counting() {
        let counter = Counter::new(SimulatedQuota { per_second: Some(1), ..SimulatedQuota::default() }, None, None);
        let now = at("2026-03-01T12:00:00Z");
        assert_eq!(counter.spend_request(now).0, Passage::Free);
        assert_eq!(counter.spend_request(now).0, Passage::TooFast);
        assert_eq!(counter.used_today(), 1);
        assert_eq!(counter.spend_request(at("2026-03-01T12:00:01Z")).0, Passage::Free);
    }

    #[test]
    fn the_reset_is_written_in_every_form() {
        let counter = Counter::new(SimulatedQuota::default(), None, None);
        let standing = counter.spend_request(at("2026-03-01T23:00:00Z")).1;
        let write = |format: ResetFormat| format.write(&standing);
        assert_eq!(write(ResetFormat::EpochSeconds), "1772409600");
        assert_eq!(write(ResetFormat::EpochMillis), "1772409600000");
        assert_eq!(write(ResetFormat::HttpDate), "Mon, 02 Mar 2026 00:00:00 GMT");
        assert_eq!(write(ResetFormat::Rfc3339), "2026-03-02T00:00:00Z");
        assert_eq!(write(ResetFormat::Delta), "3600");
    }

    #[test]
    fn the_file_is_never_behind_the_count_and_exact_in_the_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let kept = || parse(&std::fs::read_to_string(file.path()).unwrap()).unwrap();
        let counter = Counter::new(SimulatedQuota::default(), None, Some(file.reopen().unwrap()));
        let now = at("2026-03-01T12:00:00Z");
        for used in 1..=100 {
            counter.spend_request(now);
            assert!((used..=used + AHEAD).contains(&kept().1), "{used}");
        }
        counter.exhaust_day();
        assert_eq!(kept(), (20_513, 100));
        let counter = Counter::new(SimulatedQuota::default(), Some(kept()), None);
        assert_eq!(counter.spend_request(now).1.remaining, 10_000 - 101);
    }

    #[test]
    fn a_count_is_read_as_it_is_kept() {
        assert_eq!(parse("0000020513 00000000000000000042\n"), Some((20_513, 42)));
        assert_eq!(parse(""), None);
    }
}
