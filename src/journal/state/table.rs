//! The two tables: what may follow what for a step, and for a run.

use std::fmt;

use super::{Ending, Outcome};

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepState {
    /// Nothing was sent.
    Pending,
    /// An intent is written and no outcome. In the journal of a process that is gone this counts as unknown.
    Open,
    Applied,
    Adopted,
    Failed,
    Skipped,
    /// The answer was lost: it is looked up before anything is sent again.
    Unknown,
    /// The effect is certainly not there; it may be sent again.
    NotThere,
}

/// What can happen to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    Intent,
    Applied,
    Adopted,
    Failed,
    Skipped,
    Unknown,
    NotThere,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Running,
    /// Sends nothing; may still learn what came of what it sent.
    Paused,
    Ended(Ending),
}

/// The table of a step: where `happens` leads from `from`; none where it is illegal.
///
/// `Skipped` says that nothing was sent, so it cannot follow an intent. A lost answer is settled by `Applied`,
/// `Adopted`, `Failed` or `NotThere`, never by sending again.
#[must_use]
pub fn next(from: StepState, happens: Move) -> Option<StepState> {
    use StepState::{NotThere, Open, Pending, Unknown};
    match (from, happens) {
        (Pending | NotThere, Move::Intent) => Some(Open),
        (Pending | NotThere, Move::Skipped) => Some(StepState::Skipped),
        (Pending | NotThere | Open | Unknown, Move::Failed) => Some(StepState::Failed),
        (Open | Unknown, Move::Applied) => Some(StepState::Applied),
        (Open | Unknown, Move::Adopted) => Some(StepState::Adopted),
        (Open | Unknown, Move::NotThere) => Some(NotThere),
        (Open, Move::Unknown) => Some(Unknown),
        _ => None,
    }
}

impl Phase {
    /// An intent may be written only while the run runs.
    #[must_use]
    pub fn may_send(self) -> bool {
        self == Self::Running
    }

    /// An outcome may be written until the run has ended: what was under way at a pause comes in after it, and a
    /// paused run's unknowns are settled before it is superseded.
    #[must_use]
    pub fn may_learn(self) -> bool {
        !matches!(self, Self::Ended(_))
    }

    #[must_use]
    pub fn may_pause(self) -> bool {
        self == Self::Running
    }

    /// A run that was killed is still running as far as the journal knows; it is resumed like a paused one.
    #[must_use]
    pub fn may_resume(self) -> bool {
        !matches!(self, Self::Ended(_))
    }

    /// A paused run can only be superseded: every other ending follows from running.
    #[must_use]
    pub fn may_end(self, ending: Ending) -> bool {
        match self {
            Self::Running => true,
            Self::Paused => ending == Ending::Superseded,
            Self::Ended(_) => false,
        }
    }
}

impl Ending {
    /// Whether a run with a step in this state may end so. No run ends with an intent whose outcome is not written:
    /// where it could not be learnt, that is the outcome. What may be sent again is not left behind by a run that
    /// counts as finished, and a complete run has no failure and nothing unknown.
    #[must_use]
    pub fn allows_state(self, state: StepState) -> bool {
        match state {
            StepState::Pending | StepState::Applied | StepState::Adopted | StepState::Skipped => true,
            StepState::Open => false,
            StepState::Failed | StepState::Unknown => self != Self::Complete,
            StepState::NotThere => matches!(self, Self::Failed | Self::Superseded),
        }
    }
}

impl StepState {
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Open,
        Self::Applied,
        Self::Adopted,
        Self::Failed,
        Self::Skipped,
        Self::Unknown,
        Self::NotThere,
    ];

    /// The target has it, by this run or before it.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Applied | Self::Adopted)
    }

    /// Nothing more can happen to it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Applied | Self::Adopted | Self::Failed | Self::Skipped)
    }

    /// It was sent and nobody knows what came of it: a lookup has to tell.
    #[must_use]
    pub fn is_undecided(self) -> bool {
        matches!(self, Self::Open | Self::Unknown)
    }

    /// An intent may be written for it.
    #[must_use]
    pub fn may_be_sent(self) -> bool {
        next(self, Move::Intent).is_some()
    }

    /// Three bits: its place in [`StepState::ALL`].
    pub(super) fn bits(self) -> u8 {
        self as u8
    }

    pub(super) fn of_bits(bits: u8) -> Self {
        Self::ALL[usize::from(bits & 7)]
    }
}

impl Move {
    pub const ALL: [Self; 7] =
        [Self::Intent, Self::Applied, Self::Adopted, Self::Failed, Self::Skipped, Self::Unknown, Self::NotThere];
}

impl From<&Outcome> for Move {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Applied { .. } => Self::Applied,
            Outcome::Adopted { .. } => Self::Adopted,
            Outcome::Failed { .. } | Outcome::NeverLearnt => Self::Failed,
            Outcome::Skipped { .. } => Self::Skipped,
            Outcome::Unknown { .. } | Outcome::ExistsAlready { .. } => Self::Unknown,
            Outcome::NotThere => Self::NotThere,
        }
    }
}

impl fmt::Display for StepState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Open => "under way",
            Self::Applied => "applied",
            Self::Adopted => "adopted",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::NotThere => "to be sent again",
        })
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intent => "intent",
            Self::Applied => "applied",
            Self::Adopted => "adopted",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::NotThere => "not there",
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Paused => f.write_str("paused"),
            Self::Ended(ending) => write!(f, "ended ({ending})"),
        }
    }
}
