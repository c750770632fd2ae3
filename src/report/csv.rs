//! A report for spreadsheets: one line for each change of an entry, and one for an entry without changes. No cell can
//! be taken for a formula: what begins like one gets an apostrophe before it.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::model::Value;
use crate::plan::{Action, Change, Finding};

use super::{Entries, Entry, Outcome};

const COLUMNS: [&str; 17] = [
    "seq",
    "action_or_finding",
    "key",
    "identity",
    "account",
    "file",
    "line",
    "match",
    "attribute",
    "from",
    "to",
    "held",
    "outcome",
    "message",
    "code",
    "trxid",
    "reason",
];

pub(super) fn write(entries: &mut Entries<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut table = ::csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    for entry in entries {
        let entry = entry?;
        let row = Row::of(&entry);
        if row.changes.is_empty() {
            row.write(None, &mut table)?;
        }
        for change in row.changes {
            row.write(Some(change), &mut table)?;
        }
    }
    table.flush()
}

/// What all lines of one entry have in common.
struct Row<'e> {
    seq: String,
    kind: &'static str,
    key: &'e str,
    identity: &'e str,
    account: &'e str,
    file: &'e str,
    line: String,
    matched: &'e str,
    changes: &'e [Change],
    held: &'static str,
    outcome: Option<&'e Outcome>,
    code: String,
    reason: Cow<'e, str>,
}

impl<'e> Row<'e> {
    fn of(entry: &'e Entry) -> Self {
        let source = match entry {
            Entry::Action { action, .. } => &action.source,
            Entry::Finding(finding) => &finding.source,
        };
        let (file, line) =
            source.as_ref().map_or(("", String::new()), |source| (source.file.as_str(), source.line.to_string()));
        match entry {
            Entry::Action { action, outcome } => Self {
                seq: action.seq.to_string(),
                kind: action.action.name(),
                key: &action.key,
                identity: action.identity.as_deref().unwrap_or_default(),
                account: action.account.as_ref().map_or("", |id| id.as_str()),
                file,
                line,
                matched: action.matched.as_deref().unwrap_or_default(),
                changes: &action.changes,
                held: if action.held { "true" } else { "false" },
                outcome: outcome.as_ref(),
                code: outcome.as_ref().and_then(|outcome| outcome.code).map(|c| c.to_string()).unwrap_or_default(),
                reason: reason(action),
            },
            Entry::Finding(finding) => {
                let Finding { finding: kind, key, identity, account, matched, source: _, changes, reason } = finding;
                Self {
                    seq: String::new(),
                    kind: kind.name(),
                    key,
                    identity: identity.as_deref().unwrap_or_default(),
                    account: account.as_ref().map_or("", |id| id.as_str()),
                    file,
                    line,
                    matched: matched.as_deref().unwrap_or_default(),
                    changes,
                    held: "",
                    outcome: None,
                    code: String::new(),
                    reason: Cow::Borrowed(reason),
                }
            }
        }
    }

    fn write(&self, change: Option<&Change>, table: &mut ::csv::Writer<&mut dyn Write>) -> io::Result<()> {
        let outcome = self.outcome;
        let cells: [Cow<'_, str>; COLUMNS.len()] = [
            self.seq.as_str().into(),
            self.kind.into(),
            self.key.into(),
            self.identity.into(),
            self.account.into(),
            self.file.into(),
            self.line.as_str().into(),
            self.matched.into(),
            change.map_or("", |change| &change.attribute).into(),
            change.and_then(|change| change.from.as_ref()).map(cell).unwrap_or_default(),
            change.map(|change| cell(&change.to)).unwrap_or_default(),
            self.held.into(),
            outcome.map_or("", |outcome| outcome.result.name()).into(),
            outcome.and_then(|outcome| outcome.message.as_deref()).unwrap_or_default().into(),
            self.code.as_str().into(),
            outcome.and_then(|outcome| outcome.trxid.as_deref()).unwrap_or_default().into(),
            self.reason.as_ref().into(),
        ];
        for cell in cells {
            table.write_field(no_formula(cell).as_bytes())?;
        }
        table.write_record(None::<&[u8]>)?;
        Ok(())
    }
}

/// Why, and what to beware of.
fn reason(action: &Action) -> Cow<'_, str> {
    match (&action.reason, action.warnings.as_slice()) {
        (reason, []) => Cow::Borrowed(reason.as_deref().unwrap_or_default()),
        (reason, warnings) => {
            let parts: Vec<&str> = reason.iter().chain(warnings).map(String::as_str).collect();
            Cow::Owned(parts.join("; "))
        }
    }
}

/// A value as a cell; what is empty or cleared is an empty cell.
fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        value => Cow::Owned(value.to_string()),
    }
}

/// Spreadsheets run a cell that begins with one of these, the full-width forms and a line break included.
fn no_formula(cell: Cow<'_, str>) -> Cow<'_, str> {
    const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(STARTS) { Cow::Owned(format!("'{cell}")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{rendered, rich};
    use crate::report::{Form, Style};

    #[test]
    fn a_cell_that_begins_like_a_formula_gets_an_apostrophe() {
        for start in ["=1+1", "+49 89 1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1"] {
            assert_eq!(no_formula(start.into()), format!("'{start}"));
        }
        assert_eq!(no_formula("a=1".into()), "a=1");
        assert_eq!(no_formula("".into()), "");
    }

    #[test]
    fn it_reads_like_this() {
        insta::assert_snapshot!(rendered(rich(), Form::Csv, &Style::default()), @r#"
        seq,action_or_finding,key,identity,account,file,line,match,attribute,from,to,held,outcome,message,code,trxid,reason
        1,create,ana.diaz,E-1,,hr.csv,2,,first_name,,Ana,false,applied,,,,
        1,create,ana.diaz,E-1,,hr.csv,2,,phone,,'+34 600 111,false,applied,,,,
        1,create,ana.diaz,E-1,,hr.csv,2,,password,,(generated),false,applied,,,,
        2,create,cy.o'neil,,,hr.csv,4,,first_name,,Cy,false,adopted,it was created meanwhile,,,
        3,update,bo.li,E-2,4711,hr.csv,3,login_id,first_name,Bo,李 Zoë,false,applied,,,,
        3,update,bo.li,E-2,4711,hr.csv,3,login_id,job_description,,"Lead | <b>Ops</b>
        2nd line",false,applied,,,,
        3,update,bo.li,E-2,4711,hr.csv,3,login_id,skill_attributes,"{""English"":80}","{""English"":100,""Spanish"":80}",false,applied,,,,
        4,update,fay.wong,,4712,hr.csv,7,login_id+email_id,last_name,Wang,Wong,false,failed,PATCH users/4712: email already exists,3111,7f-0a,
        5,reactivate,gus.ode,,4713,hr.csv,8,link,status,inactive,active,false,unknown,timed out after 30 s,,,
        6,deactivate,dee.ray,,4714,hr.csv,9,login_id,status,active,inactive,true,held,,,,the row says Terminated; has 2 open chats
        ,drift,hal.ito,,4715,hr.csv,11,login_id,email_id,hal@old.example,hal@new.example,,,,,,the API cannot change email_id
        ,invalid,'=E-9,,,hr.csv,12,,,,,,,,,,column `start`: `31.02.2026` is not a date
        ,absent,old.hand,,4716,,,,,,,,,,,,"without a row since 2026-11-20, 2 of 3 runs"
        "#);
    }
}
