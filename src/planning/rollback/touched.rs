//! The accounts that a run touched, as they are now: read by their ids, or from a listing where that takes fewer requests.
//! A listing may only ever say that an account is as the run left it.

use std::collections::HashMap;

use futures::stream::{self, StreamExt};

use super::{RollbackInputs, new_undone, open_plan, temporary_error};
use crate::connectors::{CallError, Listed, Trouble};
use crate::model::{Account, AccountId};
use crate::plan::ActionKind;
use crate::plan::file::PlanHeader;
use crate::plan::protect::ProtectPatterns;
use crate::planning::PlanningError;
use crate::planning::spool::{Spool, SpoolWriter};

/// Server errors in a row that count as a target that is down.
const SILENT: u32 = 5;

/// Where an account can be read again.
#[derive(Clone, Debug)]
pub(super) enum AccountPlace {
    NotYet,
    /// In that spool, at that position.
    At(usize, u64),
    Gone,
    Unreadable(String),
}

/// What a complete listing came to.
pub(super) struct ListingSize {
    pub accounts: u64,
    pub in_scope: u64,
}

/// The accounts that the run touched, as they are read.
pub(super) struct TouchedAccounts<'a> {
    pub inputs: &'a RollbackInputs<'a>,
    /// The header of the run's plan.
    pub header: PlanHeader,
    pub at: HashMap<AccountId, AccountPlace>,
    /// Accounts that the run made.
    pub made: u64,
    spools: Vec<Spool>,
    pub digests: Vec<String>,
    pub protect: ProtectPatterns,
}

impl<'a> TouchedAccounts<'a> {
    pub fn of_run(inputs: &'a RollbackInputs<'a>) -> Result<Self, PlanningError> {
        let mut plan = open_plan(inputs.plan)?;
        let mut touched = Self {
            inputs,
            header: plan.header.clone(),
            at: HashMap::new(),
            made: 0,
            spools: Vec::new(),
            digests: Vec::new(),
            protect: ProtectPatterns::new(&inputs.settings.policy.protect),
        };
        while let Some(action) = plan.next()? {
            let undone = new_undone(inputs, "", &action);
            if let (true, Some(account)) = (undone.needs_account(), undone.account) {
                touched.made += u64::from(action.action == ActionKind::Create);
                touched.at.insert(account.clone(), AccountPlace::NotYet);
            }
        }
        Ok(touched)
    }

    pub fn are_listed_sooner(&self) -> bool {
        let accounts = self.header.listing.accounts + self.made;
        self.inputs.target.costs().listing.count_requests(accounts) < self.at.len() as u64
    }

    /// Reads a listing for whom the run touched. What it came to counts only where it was complete.
    pub async fn list(&mut self) -> Result<Option<ListingSize>, PlanningError> {
        let (mut measured, mut is_complete, mut pages_seen) = (ListingSize { accounts: 0, in_scope: 0 }, false, 0);
        let mut spool = new_spool()?;
        let mut listing = self.inputs.target.list();
        while let Some(piece) = listing.next().await {
            match piece? {
                Listed::Page { accounts, pages } => {
                    for account in &accounts {
                        measured.accounts += 1;
                        measured.in_scope += u64::from(self.protect.is_in_scope(self.inputs.rules, account));
                        if self.at.contains_key(&account.id) {
                            self.keep_account(&mut spool, account)?;
                        }
                    }
                    pages_seen += 1;
                    self.inputs.monitor.pages_listed(measured.accounts, pages_seen, pages);
                }
                // Who was shown is there all the same; only the count begins anew.
                Listed::Again { .. } => (measured, pages_seen) = (ListingSize { accounts: 0, in_scope: 0 }, 0),
                Listed::End { complete, .. } => is_complete = complete,
            }
        }
        self.close(spool)?;
        Ok(is_complete.then_some(measured))
    }

    /// Reads accounts by their ids.
    pub async fn ask_for(&mut self, ids: Vec<AccountId>) -> Result<(), PlanningError> {
        let target = self.inputs.target;
        let mut answers = stream::iter(ids)
            .map(|id| async move {
                let answer = target.get(&id).await;
                (id, answer)
            })
            .buffer_unordered(self.inputs.settings.rate.concurrency.max(1));
        let mut spool = new_spool()?;
        let (mut done, mut silent) = (0, 0);
        while let Some((id, answer)) = answers.next().await {
            let is_silent = matches!(&answer, Err(error) if error.trouble == Trouble::Unavailable);
            silent = if is_silent { silent + 1 } else { 0 };
            let seen = match answer {
                Ok(Some(account)) => {
                    self.keep_account(&mut spool, &account)?;
                    None
                }
                Ok(None) => Some(AccountPlace::Gone),
                Err(error) if error.trouble == Trouble::NotFound => Some(AccountPlace::Gone),
                Err(error) => Some(AccountPlace::Unreadable(account_message(error, silent)?)),
            };
            if let Some(seen) = seen {
                self.at.insert(id, seen);
            }
            done += 1;
            self.inputs.monitor.pages_listed(done, 1, None);
        }
        self.close(spool)
    }

    fn keep_account(&mut self, spool: &mut SpoolWriter, account: &Account) -> Result<(), PlanningError> {
        let at = spool.push(self.inputs.schema, account).map_err(temporary_error)?;
        self.at.insert(account.id.clone(), AccountPlace::At(self.spools.len(), at));
        Ok(())
    }

    fn close(&mut self, spool: SpoolWriter) -> Result<(), PlanningError> {
        let (digest, spool) = spool.finish_spool().map_err(temporary_error)?;
        self.digests.push(digest);
        self.spools.push(spool);
        Ok(())
    }

    pub fn read_account(&mut self, id: &AccountId) -> Result<Option<Account>, PlanningError> {
        match self.at.get(id) {
            Some(AccountPlace::At(spool, at)) => {
                self.spools[*spool].read(self.inputs.schema, *at).map(Some).map_err(temporary_error)
            }
            _ => Ok(None),
        }
    }

    /// Whom a listing did not show, or not as the run left them: it may be older than what it shows, and need not show
    /// everything of everybody.
    pub fn not_as_left(&mut self) -> Result<Vec<AccountId>, PlanningError> {
        let mut doubtful = Vec::new();
        let mut plan = open_plan(self.inputs.plan)?;
        while let Some(action) = plan.next()? {
            let undone = new_undone(self.inputs, "", &action);
            if let (true, Some(id)) = (undone.needs_account(), undone.account) {
                let account = self.read_account(id)?;
                if account.is_none_or(|account| undone.changed_since(self.inputs.schema, &account).is_some()) {
                    doubtful.push(id.clone());
                }
            }
        }
        Ok(doubtful)
    }
}

/// The message of an error that concerns one account alone.
fn account_message(error: CallError, silent: u32) -> Result<String, CallError> {
    match error.trouble {
        Trouble::Refused | Trouble::Garbled | Trouble::Exists | Trouble::NotFound => Ok(error.message),
        Trouble::Unavailable if error.is_server_error() && silent < SILENT => Ok(error.message),
        _ => Err(error),
    }
}

fn new_spool() -> Result<SpoolWriter, PlanningError> {
    Ok(SpoolWriter::new(tempfile::tempfile().map_err(temporary_error)?))
}
