//! The last whole listing, which every plan leaves in the state directory, and what is known to have changed since: what
//! runs did after it, and what a question to the tenant came to. It answers questions about single people without a
//! request. It is used only where its description file fits: the same tenant, and the same accounts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::spool::Spool;
use super::{PlanInputs, PlanningError, draft_actions};
use crate::journal::state::{Event, Outcome, Phase, Step};
use crate::journal::{Journal, RunId, RunOverview, StateDir};
use crate::model::{Account, AccountId, Attributes, Schema};
use crate::plan::file::{ListingDigest, PlanReader};
use crate::plan::steps::split_steps;
use crate::plan::{Action, ActionKind};

/// The last listing; none at all where there is none yet.
#[derive(Clone, Debug, Default)]
pub struct LastListing {
    listing: Option<(PathBuf, Timestamp)>,
    /// What became of accounts since, in its order.
    edits: BTreeMap<AccountId, Vec<AccountEdit>>,
    changed_by_runs: usize,
    /// Whether the tenant was asked about the people in question.
    is_asked: bool,
    /// Runs that may have changed something since, but what is unknown.
    pub doubts: Vec<String>,
}

/// Something that became of an account since it was listed.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountEdit {
    /// It has these values now; where there was no account before, it was made with them.
    Set(Attributes),
    /// This is the whole of it.
    Now(Account),
    Gone,
}

/// The description file of a kept listing.
#[derive(Serialize, Deserialize)]
struct ListingDescription {
    tenant: String,
    target: String,
    listed_at: Timestamp,
    accounts: u64,
    digest: String,
}

/// Writes the description file of a kept listing: whose it is, and of when.
pub(super) fn write_description(
    inputs: &PlanInputs<'_>,
    listing: &Path,
    digest: &ListingDigest,
    at: Timestamp,
) -> Result<(), PlanningError> {
    let path = description_path(listing);
    let description = ListingDescription {
        tenant: inputs.settings.target.tenant.clone(),
        target: inputs.target.clone(),
        listed_at: at,
        accounts: digest.accounts,
        digest: digest.digest.clone(),
    };
    // Not renamed into its place: half a description fits nothing, and then the listing is not believed.
    let write = || {
        let mut file = draft_actions::create_private(&path)?;
        file.write_all(&serde_json::to_vec(&description)?)
    };
    write().map_err(PlanningError::file_error(&path))
}

fn description_path(listing: &Path) -> PathBuf {
    listing.with_extension("json")
}

impl LastListing {
    /// The last listing of this tenant, and what the runs of the journal did since. Where there is none, or one that
    /// cannot be believed, it is empty.
    ///
    /// # Errors
    /// A listing that cannot be read.
    pub fn open(
        state: &StateDir,
        journal: &Journal,
        schema: &Schema,
        tenant: &str,
        target: &str,
    ) -> Result<Self, PlanningError> {
        let path = state.snapshot();
        let described: Option<ListingDescription> =
            std::fs::read(description_path(&path)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(said) = described.filter(|said| said.tenant == tenant && said.target == target) else {
            return Ok(Self::default());
        };
        if !path.exists()
            || Spool::file_digest(&path).map_err(PlanningError::file_error(&path))? != (said.accounts, said.digest)
        {
            return Ok(Self::default());
        }
        let mut last = Self { listing: Some((path, said.listed_at)), ..Self::default() };
        for run in journal.runs() {
            let is_before = matches!(run.phase, Phase::Ended(_)) && run.phase_since < said.listed_at;
            if is_before || run.head.tenant != tenant || run.head.target != target {
                continue;
            }
            if let Err(why) = last.take_run(state, journal, schema, &run, said.listed_at) {
                last.doubts.push(format!("what the run {} changed since the listing is not known: {why}", run.run));
            }
        }
        last.changed_by_runs = last.edits.len();
        Ok(last)
    }

    /// Notes that the tenant was asked about the people in question: who is not among the edits is not there.
    pub fn note_question(&mut self) {
        self.is_asked = true;
    }

    /// Whether anything is known of the accounts of the people in question.
    #[must_use]
    pub fn knows_accounts(&self) -> bool {
        self.is_there() || self.is_asked
    }

    /// Whether there is a listing.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.listing.is_some()
    }

    /// When it was complete.
    #[must_use]
    pub fn listed_at(&self) -> Option<Timestamp> {
        self.listing.as_ref().map(|(_, at)| *at)
    }

    /// How many things are known that happened since.
    #[must_use]
    pub fn count_edits(&self) -> usize {
        self.edits.values().map(Vec::len).sum()
    }

    /// Accounts that runs changed since.
    #[must_use]
    pub fn changed_by_runs(&self) -> usize {
        self.changed_by_runs
    }

    /// Adds what is known of an account now.
    pub fn add_edit(&mut self, account: AccountId, edit: AccountEdit) {
        self.edits.entry(account).or_default().push(edit);
    }

    /// Every account as it is known to be by now.
    ///
    /// # Errors
    /// A listing that cannot be read, and what `take` gives.
    pub fn each_account(
        &self,
        schema: &Schema,
        take: &mut dyn FnMut(&Account) -> Result<(), PlanningError>,
    ) -> Result<(), PlanningError> {
        let mut edits = self.edits.clone();
        if let Some((path, _)) = &self.listing {
            let mut spool = Spool::open(path).map_err(PlanningError::file_error(path))?;
            while let Some(account) = spool.next(schema).map_err(PlanningError::file_error(path))? {
                match edits.remove(&account.id) {
                    None => take(&account)?,
                    Some(edits) => apply_edits(schema, Some(account), &edits).iter().try_for_each(&mut *take)?,
                }
            }
        }
        // Who was not listed was made since.
        for (id, edits) in edits {
            let made = matches!(edits.first(), Some(AccountEdit::Set(values)) if !values.is_empty());
            let before = made.then(|| new_account(schema, id));
            apply_edits(schema, before, &edits).iter().try_for_each(&mut *take)?;
        }
        Ok(())
    }

    fn take_run(
        &mut self,
        state: &StateDir,
        journal: &Journal,
        schema: &Schema,
        run: &RunOverview,
        listed_at: Timestamp,
    ) -> Result<(), String> {
        let mut done: BTreeMap<(u64, Step), Option<AccountId>> = BTreeMap::new();
        for event in journal.events_of(run.run) {
            if let Event::Outcome { at, seq, step, result, .. } = event.map_err(|error| error.to_string())?
                && at >= listed_at
            {
                match result {
                    Outcome::Applied { account } => done.insert((seq, step), account),
                    Outcome::Adopted { account } => done.insert((seq, step), Some(account)),
                    _ => None,
                };
            }
        }
        if done.is_empty() {
            return Ok(());
        }
        for action in run_actions(state, run.run)? {
            let account = |step| done.get(&(action.seq, step)).map(|made| made.clone().or(action.account.clone()));
            let Some(Some(id)) = account(Step::First) else { continue };
            if action.action == ActionKind::Delete {
                self.add_edit(id, AccountEdit::Gone);
                continue;
            }
            let steps = split_steps(schema, &action).map_err(|name| format!("the tenant has no attribute {name}"))?;
            self.add_edit(id.clone(), AccountEdit::Set(readable_values(schema, &steps.first)));
            if done.contains_key(&(action.seq, Step::FollowUp)) {
                self.add_edit(id, AccountEdit::Set(readable_values(schema, &steps.then)));
            }
        }
        Ok(())
    }
}

/// The account after all that became of it; none where it is gone.
fn apply_edits(schema: &Schema, before: Option<Account>, edits: &[AccountEdit]) -> Option<Account> {
    let mut account = before;
    for edit in edits {
        match edit {
            AccountEdit::Now(now) => account = Some(now.clone()),
            AccountEdit::Gone => account = None,
            AccountEdit::Set(values) => {
                if let Some(account) = &mut account {
                    for (id, value) in values.iter() {
                        account.values.set(id, value.clone());
                    }
                    account.protected =
                        schema.protection(&account.values).map(str::to_owned).or(account.protected.take());
                }
            }
        }
    }
    account
}

/// An account as it is when it has just been made and nothing was said of it: in use.
fn new_account(schema: &Schema, id: AccountId) -> Account {
    let active = schema.lifecycle.iter().map(|lifecycle| (lifecycle.attribute, lifecycle.active.clone()));
    Account { id, values: active.collect(), protected: None }
}

fn readable_values(schema: &Schema, values: &Attributes) -> Attributes {
    values.iter().filter(|(id, _)| schema.get(*id).read).map(|(id, value)| (id, value.clone())).collect()
}

fn run_actions(state: &StateDir, run: RunId) -> Result<Vec<Action>, String> {
    let path = state.run_plan(run);
    let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let said = |error: crate::plan::file::PlanFileError| format!("{}: {error}", path.display());
    let mut reader = PlanReader::new(BufReader::new(file)).map_err(said)?;
    let mut actions = Vec::new();
    while let Some(action) = reader.next().map_err(said)? {
        actions.push(action);
    }
    Ok(actions)
}
