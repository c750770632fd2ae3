//! The accounts stream past the rows, and are kept on disk in case one must be looked at again.

use std::path::PathBuf;

use futures::StreamExt;
use jiff::Timestamp;

use super::last_listing::{self, LastListing};
use super::recorded_accounts::RecordedAccounts;
use super::spool::{Spool, SpoolWriter};
use super::watched_people::WatchedPeople;
use super::{Accounts, PlanInputs, PlanningError, draft_actions};
use crate::clock::blocking;
use crate::connectors::{Connector, Listed};
use crate::model::monitor::Phase;
use crate::plan::file::ListingDigest;
use crate::plan::protect::ProtectPatterns;
use crate::reconcile::RowIndex;

/// Where accounts can be read again by the position under which the index knows them.
pub(super) enum ListedAccounts {
    Live { spool: Spool, snapshot: Option<(PathBuf, PathBuf)> },
    Recorded(RecordedAccounts),
}

pub(super) async fn read_accounts(
    inputs: &PlanInputs<'_>,
    index: &mut RowIndex,
    protect: &ProtectPatterns,
    watch: &mut WatchedPeople,
) -> Result<(ListingDigest, ListedAccounts), PlanningError> {
    let read = match inputs.accounts {
        Accounts::Live(target) => read_live(inputs, target, index, protect).await,
        Accounts::Recorded(path) => blocking(|| RecordedAccounts::read(inputs, path, index, protect))
            .map(|(digest, recorded)| (digest, ListedAccounts::Recorded(recorded))),
        Accounts::Last(last) => blocking(|| read_again(inputs, last, index, protect, watch)),
    };
    inputs.monitor.ended(Phase::Listing);
    read
}

async fn read_live(
    inputs: &PlanInputs<'_>,
    target: &dyn Connector,
    index: &mut RowIndex,
    protect: &ProtectPatterns,
) -> Result<(ListingDigest, ListedAccounts), PlanningError> {
    // An unfinished listing never takes the place of the last whole one.
    let (path, snapshot) = match &inputs.snapshot {
        Some(last) => {
            let path = last.with_extension("new");
            (path.clone(), Some((path, last.clone())))
        }
        None => (inputs.dir.join("listing.jsonl"), None),
    };
    let file = draft_actions::create_private(&path).map_err(PlanningError::file_error(&path))?;
    let mut spool = SpoolWriter::new(file);
    let mut digest = ListingDigest::default();
    let mut count = 0;
    let mut pages_seen = 0;
    let mut listing = target.list();
    while let Some(piece) = listing.next().await {
        match piece? {
            Listed::Page { accounts, pages } => {
                for account in &accounts {
                    let at = spool.push(inputs.schema, account).map_err(PlanningError::file_error(&path))?;
                    index.observe_account(inputs.schema, account, at);
                    digest.in_scope += u64::from(protect.is_in_scope(inputs.rules, account));
                }
                count += accounts.len() as u64;
                pages_seen += 1;
                inputs.monitor.pages_listed(count, pages_seen, pages);
            }
            Listed::Again { .. } => {
                index.forget_accounts();
                spool = spool.empty_file().map_err(PlanningError::file_error(&path))?;
                (digest.in_scope, count, pages_seen) = (0, 0, 0);
            }
            Listed::End { complete, notes } => {
                digest.complete = complete;
                digest.notes = notes;
            }
        }
    }
    digest.accounts = count;
    let (hash, spool) = spool.finish_spool().map_err(PlanningError::file_error(&path))?;
    digest.digest = hash;
    Ok((digest, ListedAccounts::Live { spool, snapshot }))
}

/// The accounts of the last listing, as they are known to be by now, on their way past the rows once more.
fn read_again(
    inputs: &PlanInputs<'_>,
    last: &LastListing,
    index: &mut RowIndex,
    protect: &ProtectPatterns,
    watch: &mut WatchedPeople,
) -> Result<(ListingDigest, ListedAccounts), PlanningError> {
    let temporary = |error| PlanningError::File { path: "a temporary file".to_owned(), error };
    let mut spool = SpoolWriter::new(tempfile::tempfile().map_err(temporary)?);
    let mut digest = ListingDigest { complete: last.is_there(), ..ListingDigest::default() };
    last.each_account(inputs.schema, &mut |account| {
        let at = spool.push(inputs.schema, account).map_err(temporary)?;
        watch.note_account(account, at);
        index.observe_account(inputs.schema, account, at);
        digest.in_scope += u64::from(protect.is_in_scope(inputs.rules, account));
        digest.accounts += 1;
        Ok(())
    })?;
    let (hash, spool) = spool.finish_spool().map_err(temporary)?;
    digest.digest = hash;
    Ok((digest, ListedAccounts::Live { spool, snapshot: None }))
}

impl ListedAccounts {
    /// Everything about the listing is done: it becomes the last snapshot where it is whole.
    pub fn keep_snapshot(
        self,
        inputs: &PlanInputs<'_>,
        listing: &ListingDigest,
        at: Timestamp,
    ) -> Result<(), PlanningError> {
        if let Self::Live { snapshot: Some((new, last)), spool } = self {
            drop(spool);
            if listing.complete {
                std::fs::rename(&new, &last).map_err(PlanningError::file_error(&last))?;
                last_listing::write_description(inputs, &last, listing, at)?;
            } else {
                std::fs::remove_file(&new).map_err(PlanningError::file_error(&new))?;
            }
        }
        Ok(())
    }
}
