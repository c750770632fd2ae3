//! What every use case works with, and how it speaks to whoever started it: it shows a plan, asks before a run begins, and
//! says what it wrote. It knows no terminal; a program without anybody to ask uses [`Unattended`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;

use super::error::{AppError, ErrorKind};
use crate::clock::{Clock, Stop, SystemClock};
use crate::model::monitor::{Monitor, Silent};
use crate::plan::action::ActionCounts;
use crate::report::summary::QuotaSummary;
use crate::report::{Extent, Head, Invocation, RunRecord};

/// What is said of a use case that was stopped before its first write.
pub(super) const NOTHING_CHANGED: &str = "stopped before anything was changed";

/// The time, the wish to stop, and those who listen.
#[derive(Clone)]
pub struct Session {
    pub clock: Arc<dyn Clock>,
    /// Whoever requests it ends the use case early: before a run nothing is changed, during a run it pauses.
    pub stop: Arc<Stop>,
    /// Is notified of progress and of warnings.
    pub monitor: Arc<dyn Monitor>,
    pub interaction: Arc<dyn Interaction>,
    /// How reports and notes write the commands that they advise.
    pub invocation: Invocation,
}

impl Session {
    /// For a program: nobody is asked, nothing is shown.
    #[must_use]
    pub fn unattended() -> Self {
        Self {
            clock: SystemClock::new(),
            stop: Arc::default(),
            monitor: Arc::new(Silent),
            interaction: Arc::new(Unattended),
            invocation: Invocation::default(),
        }
    }

    pub(super) fn note(&self, text: &str) {
        self.monitor.note(text);
    }

    pub(super) fn notify(&self, notice: Notice<'_>) {
        self.interaction.receive(notice);
    }

    pub(super) fn show_record(&self, record: RunRecord<'_>, extent: Extent) -> Result<(), AppError> {
        self.interaction.show_record(record, extent)
    }

    /// What `work` comes to; once a stop is requested it is given up. It writes nothing to a target.
    pub(super) async fn until_stopped<T, E: Into<AppError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
        message: &str,
    ) -> Result<T, AppError> {
        tokio::select! {
            result = work => result.map_err(Into::into),
            () = self.stop.wait_requested() => Err(AppError::new(ErrorKind::Signal, message)),
        }
    }

    /// Returns once the plan was agreed to.
    ///
    /// # Errors
    /// Nobody agreed.
    pub(super) async fn require_consent(&self, question: &ConsentQuestion<'_>) -> Result<(), AppError> {
        match self.interaction.ask_consent(question).await? {
            ConsentReply::Yes => Ok(()),
            ConsentReply::No => Err(AppError::new(ErrorKind::Declined, "nothing was applied")),
            ConsentReply::Interrupted => Err(AppError::new(ErrorKind::Signal, NOTHING_CHANGED)),
        }
    }
}

/// Whoever started a use case. None of its answers but the consent changes what is done.
pub trait Interaction: Send + Sync {
    /// Shows a plan before it is executed or instead of that, or a run after it.
    ///
    /// # Errors
    /// Whatever keeps the record from being read or shown.
    fn show_record(&self, record: RunRecord<'_>, extent: Extent) -> Result<(), AppError>;

    /// Is notified of something that happened besides.
    fn receive(&self, notice: Notice<'_>);

    /// Asks whether a plan may be executed.
    ///
    /// # Errors
    /// Why the question cannot be asked.
    fn ask_consent<'a>(&'a self, question: &'a ConsentQuestion<'a>) -> BoxFuture<'a, Result<ConsentReply, AppError>>;
}

/// What may happen beside the outcome of a use case.
#[derive(Clone, Copy)]
pub enum Notice<'a> {
    /// The generated passwords are in this file, encrypted.
    PasswordsDelivered(&'a Path),
    /// The rows that somebody has to fix are in this file.
    ErrorSheetWritten(&'a Path),
    ReportsWritten(&'a [PathBuf]),
    /// The plan changes nobody of this key, identity or account, though the choice of actions names it.
    NobodyChosen(&'a str),
    /// The tenant let us in and showed its first page.
    TenantAnswered(&'a TenantAnswer),
    /// Something failed that does not change how the run ended.
    FailedBesides(&'a AppError),
}

/// A tenant that was signed in to.
#[derive(Clone, Debug)]
pub struct TenantAnswer {
    /// The target as it describes itself.
    pub target: String,
    pub first_page: FirstPage,
    pub quota: Option<QuotaSummary>,
}

/// What the first page of accounts shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPage {
    /// So many accounts; and so many pages in all, where that is said.
    Accounts {
        accounts: usize,
        pages: Option<u64>,
    },
    NoAccounts,
    /// One page alone cannot shift, so nothing is to be said of it.
    Unclear,
}

/// Whether somebody agreed to the changes already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    /// [`Interaction::ask_consent`] is asked, after it was shown what will be done.
    AskFirst,
}

/// What the consent is for.
pub struct ConsentQuestion<'a> {
    pub head: &'a Head,
    /// Actions that will be executed, by kind.
    pub to_do: ActionCounts,
    pub left_out: LeftOut,
}

/// Why actions of a plan that are not held will not be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    NotChosen,
    /// Done already by the run that goes on, or not chosen.
    DoneOrNotChosen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentReply {
    Yes,
    No,
    /// The wish to stop came instead of an answer.
    Interrupted,
}

/// Shows nothing and agrees to nothing: a request says by [`Consent::Given`] what it agrees to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unattended;

impl Interaction for Unattended {
    fn show_record(&self, _record: RunRecord<'_>, _extent: Extent) -> Result<(), AppError> {
        Ok(())
    }
    fn receive(&self, _notice: Notice<'_>) {}
    fn ask_consent<'a>(&'a self, _question: &'a ConsentQuestion<'a>) -> BoxFuture<'a, Result<ConsentReply, AppError>> {
        Box::pin(std::future::ready(Ok(ConsentReply::No)))
    }
}
