//! The name of a run.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a run, such as `20261122T171233Z-3f9a1c`: the second it started (UTC) and six random digits. Ordered by
/// time. Kept as one number: the seconds since 1970 above 24 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u64);

/// A text that is not the name of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a run; names look like 20261122T171233Z-3f9a1c")]
pub struct NotARunId(pub String);

const FORMAT: &str = "%Y%m%dT%H%M%SZ";
const SALT_BITS: u32 = 24;
const SALT: u64 = (1 << SALT_BITS) - 1;

impl RunId {
    /// A name from the clock's time and one of its random numbers. A time before 1970 counts as 1970.
    #[must_use]
    pub fn new(at: Timestamp, random: u64) -> Self {
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        Self((seconds << SALT_BITS) | (random & SALT))
    }

    /// The number that stands for the name; [`RunId::from_number`] gives the name back.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// None where the number stands for no time that a calendar has.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        timestamp_of(number).map(|_| Self(number))
    }

    /// The second in which the run started.
    #[must_use]
    pub fn start_time(self) -> Timestamp {
        timestamp_of(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

fn timestamp_of(number: u64) -> Option<Timestamp> {
    i64::try_from(number >> SALT_BITS).ok().and_then(|second| Timestamp::from_second(second).ok())
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:06x}", self.start_time().strftime(FORMAT), self.0 & SALT)
    }
}

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<Self, NotARunId> {
        let parse = || {
            let (time, salt) = text.split_once('-')?;
            let at = DateTime::strptime(FORMAT, time).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
            let run = Self::new(at, u64::from_str_radix(salt, 16).ok()?);
            // Only the one spelling that Display gives is the name: it is also the name of a folder.
            (run.to_string() == text).then_some(run)
        };
        parse().ok_or_else(|| NotARunId(text.to_owned()))
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_shows_its_time_and_reads_back() {
        let run = RunId::new(at("2026-11-22T17:12:33.9Z"), 0xffff_ffff_ff3f_9a1c);
        assert_eq!(run.to_string(), "20261122T171233Z-3f9a1c");
        assert_eq!("20261122T171233Z-3f9a1c".parse(), Ok(run));
        assert_eq!(RunId::from_number(run.number()), Some(run));
        assert_eq!(run.start_time(), at("2026-11-22T17:12:33Z"));
        assert_eq!(serde_json::to_string(&run).unwrap(), "\"20261122T171233Z-3f9a1c\"");
        assert_eq!(serde_json::from_str::<RunId>("\"20261122T171233Z-3f9a1c\"").unwrap(), run);
    }

    #[test]
    fn a_later_run_sorts_after_an_earlier_one() {
        let early = RunId::new(at("2026-11-22T17:12:33Z"), u64::MAX);
        let late = RunId::new(at("2026-11-22T17:12:34Z"), 0);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn nothing_but_the_one_spelling_is_a_name() {
        for text in [
            "",
            "..",
            "20261122T171233Z",
            "20261122T171233Z-3f9a1",
            "20261122T171233Z-3F9A1C",
            "20261122T171233Z-+f9a1c",
            "20261122T171233Z-03f9a1c",
            "20261322T171233Z-3f9a1c",
            " 20261122T171233Z-3f9a1c",
            "20261122T171233Z-3f9a1c/..",
        ] {
            assert_eq!(text.parse::<RunId>(), Err(NotARunId(text.to_owned())), "{text}");
        }
        assert_eq!(RunId::from_number(u64::MAX), None);
    }
}
