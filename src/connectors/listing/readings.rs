//! Reading a listing again. A listing that shifted while it was read proves nothing, and is read from its beginning, a
//! bounded number of times; the last time it is read to its end, whatever shows, because those who are found in it are
//! there all the same.

use crate::connectors::Listed;

/// How often a listing is read at most.
const READINGS: u32 = 3;

/// Whether a listing that shifts can be read once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    Another,
    Last,
}

/// The readings of one listing.
#[derive(Debug, Default)]
pub struct Readings {
    /// Why each reading but the present one was given up.
    given_up: Vec<String>,
}

impl Readings {
    pub fn next_chance(&self) -> Chance {
        if self.given_up.len() as u32 + 1 < READINGS { Chance::Another } else { Chance::Last }
    }

    /// What was shown so far is void.
    pub fn begin_again(&mut self, why: String) -> Listed {
        self.given_up.push(why.clone());
        Listed::Again { why }
    }

    /// The end of the last reading, which knows of those before it.
    pub fn end_listing(&self, complete: bool, mut notes: Vec<String>) -> Listed {
        if let Some(first) = self.given_up.first() {
            let times = self.given_up.len() + 1;
            notes.push(match complete {
                true => format!("the list shifted while it was read, so it was read {times} times (at first: {first})"),
                false => format!("the list was read {times} times and shifted every time"),
            });
        }
        Listed::End { complete, notes }
    }
}
