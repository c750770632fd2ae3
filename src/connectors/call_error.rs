//! A call that failed: whose trouble it is, and whether it may have changed the account.

use jiff::Timestamp;

/// Whether the request that failed may have changed the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The target certainly did not do it.
    None,
    /// It may have: the answer was lost, or did not say.
    Unknown,
}

/// What kind of failure it is, which decides who must act.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The request for this account was refused; others may go on.
    Refused,
    /// There is no such account (any more).
    NotFound,
    /// The account exists already.
    Exists,
    /// Credentials, path, verb, header: no request will succeed until the configuration is mended.
    Configuration,
    /// The daily quota is used up to the reserve.
    Quota { resets_at: Option<Timestamp> },
    /// The target does not answer, or only with server errors, for longer than the retries allow.
    Unavailable,
    /// An answer whose shape nobody documented.
    Garbled,
    /// Somebody asked to stop before the request left.
    Stopped,
}

/// A failed call. The message carries what a person needs: what was asked, status, code, description, `trxid`; never a
/// secret.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    pub trouble: Trouble,
    pub effect: Effect,
    pub message: String,
    /// The system's own status code, or the HTTP status where it has none.
    pub code: Option<u32>,
    /// The server's transaction id.
    pub trxid: Option<String>,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl CallError {
    /// A failure without effect.
    pub fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self { trouble, effect: Effect::None, message: message.into(), code: None, trxid: None, hint: None }
    }

    /// Whether the server answered, and said that it failed; not that it asked for patience.
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        self.trouble == Trouble::Unavailable && self.code.is_some_and(|code| code != 429)
    }

    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
