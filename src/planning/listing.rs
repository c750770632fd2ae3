//! The accounts stream past the rows, and are kept on disk in case one must be looked at again.

use std::path::PathBuf;

use futures::StreamExt;
use jiff::Timestamp;

use super::last::{self, Last};
use super::recorded::Recorded;
use super::spool::{Spool, SpoolWriter};
use super::watch::Watch;
use super::{Accounts, Inputs, SurveyError, drafts};
use crate::clock::blocking;
use crate::connectors::{Connector, Listed};
use crate::model::monitor::Phase;
use crate::plan::file::ListingDigest;
use crate::plan::protect::ProtectPatterns;
use crate::reconcile::RowIndex;

/// Where accounts can be read again by the position under which the index knows them.
pub(super) enum Seen {
    Live { spool: Spool, snapshot: Option<(PathBuf, PathBuf)> },
    Recorded(Recorded),
}

pub(super) async fn read(
    inputs: &Inputs<'_>,
    index: &mut RowIndex,
    watch: &mut Watch,
) -> Result<(ListingDigest, Seen), SurveyError> {
    let protect = ProtectPatterns::new(&inputs.policy().protect);
    let read = match inputs.accounts {
        Accounts::Live(target) => live(inputs, target, index, &protect).await,
        Accounts::Recorded(path) => blocking(|| Recorded::read(inputs, path, index, &protect)),
        Accounts::Last(last) => blocking(|| again(inputs, last, index, &protect, watch)),
    };
    inputs.monitor.ended(Phase::Listing);
    read
}

async fn live(
    inputs: &Inputs<'_>,
    target: &dyn Connector,
    index: &mut RowIndex,
    protect: &ProtectPatterns,
) -> Result<(ListingDigest, Seen), SurveyError> {
    // An unfinished listing never takes the place of the last whole one.
    let (path, snapshot) = match &inputs.snapshot {
        Some(last) => {
            let path = last.with_extension("new");
            (path.clone(), Some((path, last.clone())))
        }
        None => (inputs.dir.join("listing.jsonl"), None),
    };
    let file = drafts::create_private(&path).map_err(SurveyError::file(&path))?;
    let mut spool = SpoolWriter::new(file);
    let mut digest = ListingDigest::default();
    let mut count = 0;
    let mut pages_seen = 0;
    let mut listing = target.list();
    while let Some(piece) = listing.next().await {
        match piece? {
            Listed::Page { accounts, pages } => {
                for account in &accounts {
                    let at = spool.push(inputs.schema, account).map_err(SurveyError::file(&path))?;
                    index.observe(inputs.schema, account, at);
                    digest.in_scope += u64::from(protect.is_in_scope(inputs.rules, account));
                }
                count += accounts.len() as u64;
                pages_seen += 1;
                inputs.monitor.pages_listed(count, pages_seen, pages);
            }
            Listed::Again { .. } => {
                index.forget_accounts();
                spool = spool.restart().map_err(SurveyError::file(&path))?;
                (digest.in_scope, count, pages_seen) = (0, 0, 0);
            }
            Listed::End { complete, notes } => {
                digest.complete = complete;
                digest.notes = notes;
            }
        }
    }
    digest.accounts = count;
    let (hash, spool) = spool.finish().map_err(SurveyError::file(&path))?;
    digest.digest = hash;
    Ok((digest, Seen::Live { spool, snapshot }))
}

/// The accounts of the last listing, as they are known to be by now, on their way past the rows once more.
fn again(
    inputs: &Inputs<'_>,
    last: &Last,
    index: &mut RowIndex,
    protect: &ProtectPatterns,
    watch: &mut Watch,
) -> Result<(ListingDigest, Seen), SurveyError> {
    let temporary = |error| SurveyError::File { path: "a temporary file".to_owned(), error };
    let mut spool = SpoolWriter::new(tempfile::tempfile().map_err(temporary)?);
    let mut digest = ListingDigest { complete: last.is_there(), ..ListingDigest::default() };
    last.each(inputs.schema, &mut |account| {
        let at = spool.push(inputs.schema, account).map_err(temporary)?;
        watch.listed(account, at);
        index.observe(inputs.schema, account, at);
        digest.in_scope += u64::from(protect.is_in_scope(inputs.rules, account));
        digest.accounts += 1;
        Ok(())
    })?;
    let (hash, spool) = spool.finish().map_err(temporary)?;
    digest.digest = hash;
    Ok((digest, Seen::Live { spool, snapshot: None }))
}

impl Seen {
    /// Everything about the listing is done: it becomes the last snapshot where it is whole.
    pub fn keep(self, inputs: &Inputs<'_>, listing: &ListingDigest, at: Timestamp) -> Result<(), SurveyError> {
        if let Self::Live { snapshot: Some((new, last)), spool } = self {
            drop(spool);
            if listing.complete {
                std::fs::rename(&new, &last).map_err(SurveyError::file(&last))?;
                last::describe(inputs, &last, listing, at)?;
            } else {
                std::fs::remove_file(&new).map_err(SurveyError::file(&new))?;
            }
        }
        Ok(())
    }
}
