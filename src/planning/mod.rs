//! Reads both sides and makes the plan: source → rows → facts, listing → accounts, reconcile, decide, judge, plan file.
//!
//! Nothing here writes to a target. The source is read once for the facts and, where something differs, once more for
//! those rows alone; the listing streams past page by page. What is kept between the two is in [`RowIndex`].

mod decided_rows;
mod draft_actions;
mod estimate;
mod explain;
mod explained_person;
mod findings_writer;
mod fingerprints;
mod last_listing;
mod listing;
mod notes_writer;
mod people_decisions;
mod person_search;
mod recorded_accounts;
mod references;
mod rollback;
mod row_check;
mod row_traces;
mod rows;
mod secrets;
pub mod spool;
mod watched_people;

pub use estimate::{Estimate, ToDo};
pub use explain::{PersonAnswer, explain_people};
pub use findings_writer::read_findings;
pub use fingerprints::fingerprint_value;
pub use last_listing::{AccountEdit, LastListing};
pub use person_search::PersonQuery;
pub use recorded_accounts::ACCOUNT;
pub use references::{CheckedReferences, ReferenceUsers, References, UnknownReference};
pub use rollback::{RollbackInputs, plan_rollback};
pub use row_check::{CheckedSource, check_rows};
pub use secrets::source_secrets;

pub use crate::plan::sidecar::PlanFiles;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, blocking};
use crate::config::{Duplicates, Settings};
use crate::connectors::{CallError, Connector, Sent};
use crate::journal::{Memory, RunId};
use crate::mapping::Mapping;
use crate::model::monitor::Monitor;
use crate::model::{AttrSet, MatchRule, Place, Schema};
use crate::plan::Policy;
use crate::plan::decide::Context;
use crate::plan::file::{PlanFileError, PlanHeader};
use crate::source::{Source, SourceError};

use self::watched_people::WatchedPeople;

/// Everything that a plan is made from.
pub struct PlanInputs<'a> {
    pub settings: &'a Settings,
    pub schema: &'a Schema,
    pub rules: &'a [MatchRule],
    pub source: &'a Source,
    pub mapping: &'a Mapping,
    /// What earlier runs remember: links, absences, fingerprints, the shape of the last good source.
    pub memory: &'a Memory,
    pub clock: &'a dyn Clock,
    pub monitor: &'a dyn Monitor,
    /// The target as it describes itself.
    pub target: String,
    pub accounts: Accounts<'a>,
    /// Where the plan, its findings and its notes are written; it exists and is private.
    pub dir: &'a Path,
    /// Where the listing is kept for later reading; none with recorded accounts.
    pub snapshot: Option<PathBuf>,
}

/// Where the accounts come from.
#[derive(Clone, Copy)]
pub enum Accounts<'a> {
    Live(&'a dyn Connector),
    /// An earlier `export`.
    Recorded(&'a Path),
    /// The last whole listing, with what is known to have changed since.
    Last(&'a LastListing),
}

/// A plan, made.
#[derive(Clone, Debug)]
pub struct MadePlan {
    pub id: RunId,
    pub header: PlanHeader,
    pub digest: String,
    pub files: PlanFiles,
    /// When the listing was complete: the accounts are known as of then.
    pub listed_at: Timestamp,
    /// Requests a second that the listing reached; none where that says nothing.
    pub pace: Option<f64>,
}

/// When the accounts were known, and what it took.
#[derive(Clone, Copy, Debug)]
struct ListingTimes {
    at: Timestamp,
    /// Without repeats.
    requests: u64,
    pace: Option<f64>,
}

/// Of fewer requests no pace follows.
const TELLING: u64 = 20;

/// Why there is no plan. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PlanningError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{0}")]
    Duplicates(Duplicated),
    #[error("the source changed while it was read: {0} is not what it was a moment ago")]
    SourceChanged(String),
    #[error("the run's plan: {0}")]
    Plan(#[from] PlanFileError),
    #[error(transparent)]
    Target(#[from] CallError),
    #[error("{file} is not an export of accounts: {message}")]
    Recorded { file: String, message: String },
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error(transparent)]
    Journal(#[from] crate::journal::JournalError),
}

impl PlanningError {
    fn file_error(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::File { path: path.display().to_string(), error }
    }
}

/// Rows that stand for one person, though `source.duplicates` says that there are none.
#[derive(Debug)]
pub struct Duplicated {
    /// Each with both places and what they have in common, at most [`Duplicated::SHOWN`].
    pub pairs: Vec<(String, String, String)>,
    pub total: u64,
}

impl Duplicated {
    pub const SHOWN: usize = 20;
}

impl std::fmt::Display for Duplicated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rows, stand) = if self.total == 1 { ("row", "stands") } else { ("rows", "stand") };
        write!(f, "{} {rows} {stand} for a person who has a row already:", self.total)?;
        for (first, second, what) in &self.pairs {
            write!(f, "\n  {first} and {second} have the same {what}")?;
        }
        let more = self.total - self.pairs.len() as u64;
        if more > 0 {
            write!(f, "\n  and {more} more")?;
        }
        Ok(())
    }
}

/// Makes the plan.
///
/// # Errors
/// Whatever makes the source unreadable, the target unreachable, or the files of the plan unwritable. A bad row or a
/// bad account is a finding, not an error.
pub async fn make_plan(inputs: &PlanInputs<'_>) -> Result<MadePlan, PlanningError> {
    make_plan_watching(inputs, &mut WatchedPeople::default()).await
}

/// As [`make_plan`]; and `watch` notes what becomes of the people that it watches.
async fn make_plan_watching(inputs: &PlanInputs<'_>, watch: &mut WatchedPeople) -> Result<MadePlan, PlanningError> {
    let started = inputs.clock.now();
    let id = RunId::new(started, inputs.clock.random());
    let mut findings = findings_writer::FindingsWriter::create(inputs.dir)?;
    let mut read = blocking(|| rows::read_rows(inputs, &mut findings))?;
    let before = inputs.sent_requests();
    let began = inputs.clock.elapsed();
    let accounts = listing::read_accounts(inputs, &mut read.index, &read.protect, watch).await?;
    let took = inputs.clock.elapsed().saturating_sub(began);
    let after = inputs.sent_requests();
    let times = ListingTimes::new(inputs.clock.now(), after.list - before.list, after.retried - before.retried, took);
    blocking(|| decided_rows::decide_plan(inputs, id, read, accounts, findings, times, watch))
}

impl ListingTimes {
    fn new(at: Timestamp, sent: u64, repeats: u64, took: Duration) -> Self {
        // A repeat of a sign-in is one too, and the sign-in itself is no part of the listing.
        let requests = sent.saturating_sub(repeats);
        // Numbers of requests are far from where a float is not exact enough.
        #[allow(clippy::cast_precision_loss)]
        let pace = (requests >= TELLING && !took.is_zero()).then(|| requests as f64 / took.as_secs_f64());
        Self { at, requests, pace }
    }
}

impl PlanInputs<'_> {
    fn sent_requests(&self) -> Sent {
        match self.accounts {
            Accounts::Live(target) => target.meter().sent_so_far(),
            Accounts::Recorded(_) | Accounts::Last(_) => Sent::default(),
        }
    }

    /// What it costs to execute the plan right after it is made.
    fn new_estimate(&self, pace: Option<f64>) -> Estimate<'_> {
        let target = match self.accounts {
            Accounts::Live(target) => Some(target),
            Accounts::Recorded(_) | Accounts::Last(_) => None,
        };
        let Self { schema, rules, settings, .. } = *self;
        Estimate { schema, rules, target, rate: &settings.rate, pace, fresh_for: settings.safety.fresh_for }
    }

    fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    fn duplicates(&self) -> Duplicates {
        self.settings.source.duplicates
    }

    /// Mapped with `on = "always"`, and mapped with `on = "create"`.
    fn mapped_attributes(&self) -> (AttrSet, AttrSet) {
        use crate::mapping::spec::On;
        let of = |on| self.mapping.attributes().iter().filter(|m| m.on == on).map(|m| m.attr).collect();
        (of(On::Always), of(On::Create))
    }

    fn decision_context(&self) -> Context<'_> {
        let (always, on_create) = self.mapped_attributes();
        Context { schema: self.schema, policy: self.policy(), rules: self.rules, always, on_create }
    }

    fn source_of(&self, place: Place) -> crate::plan::SourceLine {
        let file = self.source.files().get(usize::from(place.file)).map_or_else(String::new, |f| f.short.clone());
        crate::plan::SourceLine { file, line: place.line }
    }
}
