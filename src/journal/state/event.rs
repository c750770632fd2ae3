//! What the journal records.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RunId;
use crate::model::{AccountId, CommandName};

/// Messages, reasons and transaction ids are cut to so many bytes.
pub const MESSAGE_BYTES: usize = 300;

/// How the message of [`Outcome::ExistsAlready`] begins.
pub const EXISTS_ALREADY: &str = "exists already: ";

/// The message of [`Outcome::NeverLearnt`].
pub const NEVER_LEARNT: &str = "what came of it could not be looked up; it is planned anew";

/// One record of the journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    RunStarted {
        run: RunId,
        at: Timestamp,
        head: Box<RunHead>,
    },
    /// A request is about to leave. `attempt` counts from 1 for each step of each action.
    Intent {
        run: RunId,
        at: Timestamp,
        seq: u64,
        step: Step,
        attempt: u32,
    },
    /// What came of it, or why nothing was sent.
    Outcome {
        run: RunId,
        at: Timestamp,
        seq: u64,
        step: Step,
        result: Outcome,
    },
    RunPaused {
        run: RunId,
        at: Timestamp,
        why: String,
    },
    /// After a pause, or after the process that ran it was killed.
    RunResumed {
        run: RunId,
        at: Timestamp,
    },
    RunEnded {
        run: RunId,
        at: Timestamp,
        outcome: Ending,
    },
}

/// What a run executes, and what it is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHead {
    pub tenant: String,
    /// The kind and the address, as the target describes itself.
    pub target: String,
    /// The plan's id.
    pub plan: String,
    pub plan_digest: String,
    /// `apply` or `sync`.
    pub command: CommandName,
    /// How many actions the plan has; they are numbered from 1.
    pub actions: u64,
    /// The hashes that released held actions.
    pub approved: Vec<String>,
    /// None: every action that is not held.
    pub selection: Option<super::Selection>,
    pub source_digest: String,
    pub config_digest: String,
}

/// Which of an action's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The action's own request.
    First,
    /// The update after a create, for what a create cannot carry.
    FollowUp,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target did it. The account is given where the action did not know it: a create.
    Applied { account: Option<AccountId> },
    /// It was so already: the account exists and is as it was wanted.
    Adopted { account: AccountId },
    /// Refused by the target, or before anything was sent (a secret that is missing).
    Failed { message: String, code: Option<u32>, trxid: Option<String> },
    /// Given up with its run, before its outcome could be looked up. The target may have done it.
    NeverLearnt,
    /// Left alone, nothing was sent: the account changed since the plan, or vanished.
    Skipped { message: String },
    /// The answer was lost; the target may have done it.
    Unknown { message: String },
    /// A create was refused because the account exists. Who made it is unknown.
    ExistsAlready { message: String },
    /// The effect is certainly not there (a lookup proved it, or the request never left), so it may be sent again.
    NotThere,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Nothing failed, nothing is unknown. Actions that were held or not selected are still pending.
    Complete,
    /// Finished; some actions failed or are of unknown outcome.
    Partial,
    /// Given up: nothing more could succeed.
    Failed,
    /// What was left of it was planned anew.
    Superseded,
}

impl Event {
    #[must_use]
    pub fn run(&self) -> RunId {
        match self {
            Self::RunStarted { run, .. }
            | Self::Intent { run, .. }
            | Self::Outcome { run, .. }
            | Self::RunPaused { run, .. }
            | Self::RunResumed { run, .. }
            | Self::RunEnded { run, .. } => *run,
        }
    }

    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::RunStarted { at, .. }
            | Self::Intent { at, .. }
            | Self::Outcome { at, .. }
            | Self::RunPaused { at, .. }
            | Self::RunResumed { at, .. }
            | Self::RunEnded { at, .. } => *at,
        }
    }

    /// The action it is about; none for what concerns the whole run.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Intent { seq, .. } | Self::Outcome { seq, .. } => Some(*seq),
            _ => None,
        }
    }

    /// The event's name in messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "run started",
            Self::Intent { .. } => "intent",
            Self::Outcome { .. } => "outcome",
            Self::RunPaused { .. } => "run paused",
            Self::RunResumed { .. } => "run resumed",
            Self::RunEnded { .. } => "run ended",
        }
    }

    /// The event with its free texts cut to [`MESSAGE_BYTES`], as it is kept: so a live run and its replay agree.
    #[must_use]
    pub fn bound_texts(mut self) -> Self {
        match &mut self {
            Self::Outcome { result: Outcome::Failed { message, trxid, .. }, .. } => {
                cut_text(message);
                if let Some(trxid) = trxid {
                    cut_text(trxid);
                }
            }
            Self::Outcome {
                result: Outcome::Skipped { message } | Outcome::Unknown { message } | Outcome::ExistsAlready { message },
                ..
            } => cut_text(message),
            Self::RunPaused { why, .. } => cut_text(why),
            _ => {}
        }
        self
    }
}

fn cut_text(text: &mut String) {
    if text.len() > MESSAGE_BYTES {
        let mut end = MESSAGE_BYTES - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
}

impl Step {
    pub const BOTH: [Self; 2] = [Self::First, Self::FollowUp];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "request",
            Self::FollowUp => "follow-up",
        })
    }
}

impl Ending {
    pub const ALL: [Self; 4] = [Self::Complete, Self::Partial, Self::Failed, Self::Superseded];
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters_and_short_ones_are_not() {
        let event = |why: &str| Event::RunPaused {
            run: RunId::new(Timestamp::UNIX_EPOCH, 0),
            at: Timestamp::UNIX_EPOCH,
            why: why.to_owned(),
        };
        let fits = "x".repeat(MESSAGE_BYTES);
        assert_eq!(event(&fits).bound_texts(), event(&fits));
        let Event::RunPaused { why, .. } = event(&"é".repeat(MESSAGE_BYTES)).bound_texts() else { unreachable!() };
        assert!(why.ends_with("é…") && why.len() <= MESSAGE_BYTES && why.len() > MESSAGE_BYTES - 3, "{}", why.len());
    }
}
