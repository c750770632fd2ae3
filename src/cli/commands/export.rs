//! `headcount export`: the target's accounts as a table for other programs. Values stand in it as they are; nothing is
//! neutralised for spreadsheets. It is written whole or not at all: half a tenant looks like a whole smaller one.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};

use futures::StreamExt;

use super::plan::close_after;
use crate::cli::app::App;
use crate::cli::args::ExportArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Out;
use crate::cli::workbench::shown;
use crate::connectors::{Connector, Listed};
use crate::files::write_atomically;
use crate::model::monitor::Phase;
use crate::model::{Account, AttrId, Schema, cell};
use crate::planning::ACCOUNT;
use crate::report::visible::visible;

pub async fn run(app: &App, args: &ExportArgs) -> Result<Exit, Failure> {
    let configured = app.configured()?;
    app.start_log(None)?;
    app.listen_for_signals();
    let connected = configured.connect_to_all(app.clock.clone(), &app.stop).await?;
    let exported = tokio::select! {
        exported = export(app, &*connected.target) => exported,
        () = app.stop.wait_requested() => Err(Failure::new("signal", "stopped; nothing was written").exit(Exit::Paused)),
    };
    let (mut table, accounts) = close_after(connected, exported).await?;
    app.pause_progress();
    match &args.output {
        Some(path) => {
            write_atomically(path, 0o600, |out| io::copy(&mut table, out)).map_err(|error| {
                Failure::new("output", error.to_string()).hint("-o names a file that can be written")
            })?;
            app.say(&format!("{accounts} accounts are in {}.", shown(path)));
        }
        None => {
            let mut out = Out::stdout();
            io::copy(&mut table, &mut out).and_then(|_| out.flush()).map_err(super::runs::output)?;
        }
    }
    Ok(Exit::Done)
}

/// Lists everybody into a file without a name, which is gone with the process; gives it back at its beginning, and how
/// many accounts are in it.
async fn export(app: &App, target: &dyn Connector) -> Result<(BufReader<File>, u64), Failure> {
    let temporary = |error: io::Error| Failure::new("system", format!("a temporary file cannot be written: {error}"));
    let begin = || {
        let file = tempfile::tempfile().map_err(temporary)?;
        Table::new(target.schema(), BufWriter::new(file)).map_err(temporary)
    };
    let monitor = app.monitor();
    let mut table = begin()?;
    let (mut accounts, mut pages_seen) = (0, 0);
    let mut is_complete = false;
    let mut why = Vec::new();
    let mut listing = target.list();
    while let Some(piece) = listing.next().await {
        match piece? {
            Listed::Page { accounts: page, pages } => {
                for account in &page {
                    table.write(account).map_err(temporary)?;
                }
                accounts += page.len() as u64;
                pages_seen += 1;
                monitor.pages_listed(accounts, pages_seen, pages);
            }
            Listed::Again { .. } => (table, accounts, pages_seen) = (begin()?, 0, 0),
            Listed::End { complete, notes } => (is_complete, why) = (complete, notes),
        }
    }
    monitor.ended(Phase::Listing);
    let why: Vec<_> = why.iter().map(|note| visible(note)).collect();
    if !is_complete {
        let message = format!("the listing is not complete, so nothing was written: {}", why.join("; "));
        return Err(Failure::new("target", message).hint("try again when nobody else is changing accounts"));
    }
    for note in why {
        monitor.note(&note);
    }
    let mut file = table.finish().map_err(temporary)?;
    file.rewind().map_err(temporary)?;
    Ok((BufReader::new(file), accounts))
}

/// A table of accounts under way: the account's id, then a column for each attribute that can be read.
struct Table<'s, W: Write> {
    schema: &'s Schema,
    columns: Vec<AttrId>,
    out: csv::Writer<W>,
}

impl<'s, W: Write> Table<'s, W> {
    fn new(schema: &'s Schema, out: W) -> io::Result<Self> {
        let columns: Vec<AttrId> =
            schema.iter().filter(|(_, attribute)| attribute.read && !attribute.secret).map(|(id, _)| id).collect();
        let mut out = csv::Writer::from_writer(out);
        let names = columns.iter().map(|id| schema.name(*id));
        out.write_record([ACCOUNT].into_iter().chain(names))?;
        Ok(Self { schema, columns, out })
    }

    fn write(&mut self, account: &Account) -> io::Result<()> {
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

impl Table<'_, BufWriter<File>> {
    fn finish(self) -> io::Result<File> {
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
        let mut table = Table::new(&schema, Vec::new()).unwrap();
        for (id, values) in accounts {
            let values = values
                .iter()
                .map(|(name, json)| (schema.id(name).unwrap(), serde_json::from_str::<Value>(json).unwrap()))
                .collect();
            table.write(&Account { id: AccountId((*id).to_owned()), values, protected: None }).unwrap();
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
