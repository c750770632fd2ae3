//! Accounts from an earlier export: a table with the account's id and a column for each readable attribute.

use std::collections::HashMap;
use std::path::Path;

use super::spool::{Spool, SpoolWriter};
use super::{PlanInputs, PlanningError};
use crate::config::{Duplicates, SourceSettings};
use crate::model::{Account, AccountId, AttrId, Kind, Record, Schema, Value, cell};
use crate::plan::file::ListingDigest;
use crate::plan::protect::ProtectPatterns;
use crate::reconcile::RowIndex;
use crate::source::{RowShape, Source};

/// The column of an export that holds the account's id.
pub const ACCOUNT: &str = "account";

/// An export, and how its columns read.
pub(super) struct RecordedAccounts {
    source: Source,
    account: usize,
    columns: Vec<(usize, AttrId, Kind)>,
    file: String,
}

impl RecordedAccounts {
    /// Shows every account of the export to the index; its position is the number of its row.
    pub fn read(
        inputs: &PlanInputs<'_>,
        path: &Path,
        index: &mut RowIndex,
        protect: &ProtectPatterns,
    ) -> Result<(ListingDigest, Self), PlanningError> {
        let recorded = Self::open(inputs, path)?;
        let mut digest = ListingDigest { complete: true, ..ListingDigest::default() };
        recorded.each_account(inputs.schema, |at, account| {
            index.observe_account(inputs.schema, account, at);
            digest.in_scope += u64::from(protect.is_in_scope(inputs.rules, account));
            digest.accounts += 1;
            if digest.accounts.is_multiple_of(10_000) {
                inputs.monitor.pages_listed(digest.accounts, digest.accounts / 10_000, None);
            }
            Ok(())
        })?;
        Ok((digest, recorded))
    }

    fn open(inputs: &PlanInputs<'_>, path: &Path) -> Result<Self, PlanningError> {
        let settings = SourceSettings {
            paths: vec![path.to_owned()],
            format: None,
            delimiter: None,
            encoding: None,
            sheet: None,
            header_row: 1,
            duplicates: Duplicates::Error,
            trailer: None,
            manifest: None,
        };
        let source = Source::open(&settings, inputs.dir)?;
        let file = path.display().to_string();
        let Some(account) = source.columns().position(ACCOUNT) else {
            let message = format!("it has no column \"{ACCOUNT}\" with the accounts' ids");
            return Err(PlanningError::Recorded { file, message });
        };
        let columns: Vec<_> = inputs
            .schema
            .iter()
            .filter(|(_, attribute)| attribute.read)
            .filter_map(|(id, attribute)| {
                Some((source.columns().position(&attribute.name)?, id, attribute.kind.clone()))
            })
            .collect();
        let (always, _) = inputs.mapped_attributes();
        let needed = always.into_iter().chain(inputs.rules.iter().flat_map(|rule| rule.attributes.iter().copied()));
        for id in needed {
            if inputs.schema.get(id).read && columns.iter().all(|(_, have, _)| *have != id) {
                let message = format!("it has no column \"{}\"", inputs.schema.name(id));
                return Err(PlanningError::Recorded { file, message });
            }
        }
        Ok(Self { source, account, columns, file })
    }

    fn each_account(
        &self,
        schema: &Schema,
        mut take: impl FnMut(u64, &Account) -> Result<(), PlanningError>,
    ) -> Result<(), PlanningError> {
        let mut rows = self.source.rows()?;
        let mut record = Record::default();
        let mut at = 0;
        let mut account = Account { id: AccountId(String::new()), values: Default::default(), protected: None };
        while let Some(shape) = rows.next_into(&mut record)? {
            let bad = match shape {
                RowShape::Bad(problem) => Some(problem.message),
                RowShape::Good if record.cell(self.account).trim().is_empty() => {
                    Some(format!("the column \"{ACCOUNT}\" is empty"))
                }
                RowShape::Good => None,
            };
            if let Some(message) = bad {
                let message = format!("line {}: {message}", record.place.line);
                return Err(PlanningError::Recorded { file: self.file.clone(), message });
            }
            account.id.0.clear();
            account.id.0.push_str(record.cell(self.account).trim());
            account.values.clear();
            for (column, id, kind) in &self.columns {
                match cell::parse(kind, record.cell(*column)) {
                    Value::Null => {}
                    value => account.values.set(*id, value),
                }
            }
            account.protected = schema.protection(&account.values).map(str::to_owned);
            take(at, &account)?;
            at += 1;
        }
        Ok(())
    }

    /// The accounts at these positions, which are sorted, to be read in any order.
    pub fn pick_accounts(&self, schema: &Schema, wanted: &[u64]) -> Result<(HashMap<u64, u64>, Spool), PlanningError> {
        let error = |error| PlanningError::File { path: "a temporary file".to_owned(), error };
        let mut spool = SpoolWriter::new(tempfile::tempfile().map_err(error)?);
        let mut positions = HashMap::with_capacity(wanted.len());
        let mut wanted = wanted.iter().copied().peekable();
        self.each_account(schema, |at, account| {
            if wanted.next_if_eq(&at).is_some() {
                positions.insert(at, spool.push(schema, account).map_err(error)?);
            }
            Ok(())
        })?;
        let (_, spool) = spool.finish_spool().map_err(error)?;
        Ok((positions, spool))
    }
}
