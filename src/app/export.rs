//! The target's accounts as a table for other programs. Values stand in it as they are; nothing is
//! neutralised for spreadsheets. It is written whole or not at all: half a tenant looks like a whole smaller one.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::Path;

use futures::StreamExt;

use super::error::{AppError, ErrorKind};
use super::session::Session;
use super::workspace::Workspace;
use crate::connectors::{Connector, Listed};
use crate::files::{FileError, write_atomically};
use crate::model::monitor::Phase;
use crate::model::{Account, AttrId, Schema, cell};
use crate::planning::ACCOUNT;
use crate::report::visible::visible;

/// All accounts of a tenant as a table, in a file without a name that is gone with the process.
pub struct ExportedAccounts {
    pub table: BufReader<File>,
    pub accounts: u64,
}

impl ExportedAccounts {
    /// Writes the table into a file, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_file(&mut self, path: &Path) -> Result<(), FileError> {
        write_atomically(path, 0o600, |out| io::copy(&mut self.table, out)).map(drop)
    }
}

/// Lists everybody, with everything that can be read of them.
///
/// # Errors
/// The target cannot be listed, or its listing is not complete.
pub async fn export_accounts(session: &Session, workspace: &Workspace) -> Result<ExportedAccounts, AppError> {
    let connection = workspace.connect_to_all(session).await?;
    let exported = session.until_stopped(list_accounts(session, &*connection.target), "stopped; nothing was written");
    let exported = exported.await;
    connection.close_after(exported).await
}

async fn list_accounts(session: &Session, target: &dyn Connector) -> Result<ExportedAccounts, AppError> {
    let temporary =
        |error: io::Error| AppError::new(ErrorKind::System, format!("a temporary file cannot be written: {error}"));
    let begin = || {
        let file = tempfile::tempfile().map_err(temporary)?;
        AccountTable::new(target.schema(), BufWriter::new(file)).map_err(temporary)
    };
    let mut table = begin()?;
    let (mut accounts, mut pages_seen) = (0, 0);
    let mut is_complete = false;
    let mut why = Vec::new();
    let mut listing = target.list();
    while let Some(piece) = listing.next().await {
        match piece? {
            Listed::Page { accounts: page, pages } => {
                for account in &page {
                    table.write_account(account).map_err(temporary)?;
                }
                accounts += page.len() as u64;
                pages_seen += 1;
                session.monitor.pages_listed(accounts, pages_seen, pages);
            }
            Listed::Again { .. } => (table, accounts, pages_seen) = (begin()?, 0, 0),
            Listed::End { complete, notes } => (is_complete, why) = (complete, notes),
        }
    }
    session.monitor.ended(Phase::Listing);
    let why: Vec<_> = why.iter().map(|note| visible(note)).collect();
    if !is_complete {
        let message = format!("the listing is not complete, so nothing was written: {}", why.join("; "));
        return Err(
            AppError::new(ErrorKind::Target, message).with_hint("try again when nobody else is changing accounts")
        );
    }
    why.iter().for_each(|note| session.note(note));
    let mut file = table.into_file().map_err(temporary)?;
    file.rewind().map_err(temporary)?;
    Ok(ExportedAccounts { table: BufReader::new(file), accounts })
}

/// A table of accounts under way: the account's id, then a column for each attribute that can be read.
struct AccountTable<'s, W: Write> {
    schema: &'s Schema,
    columns: Vec<AttrId>,
    out: csv::Writer<W>,
}

impl<'s, W: Write> AccountTable<'s, W> {
    fn new(schema: &'s Schema, out: W) -> io::Result<Self> {
        let columns: Vec<AttrId> =
            schema.iter().filter(|(_, attribute)| attribute.read && !attribute.secret).map(|(id, _)| id).collect();
        let mut out = csv::Writer::from_writer(out);
        let names = columns.iter().map(|id| schema.name(*id));
        out.write_record([ACCOUNT].into_iter().chain(names))?;
        Ok(Self { schema, columns, out })
    }

    fn write_account(&mut self, account: &Account) -> io::Result<()> {
        self.out.write_field(account.id.as_str())?;
        for id in &self.columns {
            match account.values.get(*id) {
                Some(value) => self.out.write_field(cell::render(&self.schema.get(*id).kind, value))?,
                None => self.out.write_field("")?,
            }
        }
        self.out.write_record(None::<&[u8]>)?;
        Ok(())
    }
}

impl AccountTable<'_, BufWriter<File>> {
    fn into_file(self) -> io::Result<File> {
        let out = self.out.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Attribute, Kind, Value};

    fn table(accounts: &[(&str, &[(&str, &str)])]) -> String {
        let schema = Schema::new(vec![
            Attribute::new("login", Kind::Text),
            Attribute::new("password", Kind::Text).secret(),
            Attribute::new("chats", Kind::Int).allows("R").live(),
            Attribute::new("privileges", Kind::Json).allows("C"),
            Attribute::new("skills", Kind::Map(Box::new(Kind::Any))),
            Attribute::new("roles", Kind::List(Box::new(Kind::Text))),
        ]);
        let mut table = AccountTable::new(&schema, Vec::new()).unwrap();
        for (id, values) in accounts {
            let values = values
                .iter()
                .map(|(name, json)| (schema.id(name).unwrap(), serde_json::from_str::<Value>(json).unwrap()))
                .collect();
            table.write_account(&Account { id: AccountId((*id).to_owned()), values, protected: None }).unwrap();
        }
        String::from_utf8(table.out.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn there_is_a_column_for_each_attribute_that_can_be_read_and_is_no_secret() {
        assert_eq!(table(&[]), "account,login,chats,skills,roles\n");
    }

    #[test]
    fn cells_are_what_a_mapping_reads() {
        let values: &[_] = &[
            ("login", "\"ana\""),
            ("chats", "3"),
            ("skills", r#"{"English":100,"Spanish":80}"#),
            ("roles", r#"["Agent","Supervisor"]"#),
        ];
        let text = table(&[("7", values), ("8", &[("skills", r#"{"a":{"b":1}}"#)])]);
        let rows: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(rows, ["7,ana,3,English:100;Spanish:80,Agent|Supervisor", r#"8,,,"{""a"":{""b"":1}}","#]);
    }

    #[test]
    fn values_are_kept_as_they_are_whatever_a_spreadsheet_makes_of_them() {
        let text = table(&[("1", &[("login", "\"=1+1\"")]), ("2", &[("login", "\" a\\nb,\\\"c\\\" \"")])]);
        assert!(text.contains("1,=1+1,"), "{text}");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.records().nth(1).unwrap().unwrap()[1].to_owned(), " a\nb,\"c\" ");
    }
}
