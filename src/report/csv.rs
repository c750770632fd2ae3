//! A report for spreadsheets: one line for each change of an entry, and one for an entry without changes. No cell can
//! be taken for a formula: what begins like one gets an apostrophe before it.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::model::Value;
use crate::plan::Change;

use super::record::EntryFacts;
use super::{Entries, Entry};

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
        let facts = entry.facts();
        if facts.changes.is_empty() {
            write_row(&entry, &facts, None, &mut table)?;
        }
        for change in facts.changes {
            write_row(&entry, &facts, Some(change), &mut table)?;
        }
    }
    table.flush()
}

fn write_row(
    entry: &Entry,
    facts: &EntryFacts<'_>,
    change: Option<&Change>,
    table: &mut ::csv::Writer<&mut dyn Write>,
) -> io::Result<()> {
    let EntryFacts { kind, key, identity, account, matched, source, outcome, reason, warnings, .. } = facts;
    let (seq, held) = match entry {
        Entry::Action { action, .. } => (action.seq.to_string(), action.held.to_string()),
        Entry::Finding(_) => (String::new(), String::new()),
    };
    // Why, and what to beware of.
    let reasons: Vec<&str> = reason.iter().copied().chain(warnings.iter().map(String::as_str)).collect();
    let cells: [Cow<'_, str>; COLUMNS.len()] = [
        seq.into(),
        (*kind).into(),
        (*key).into(),
        identity.unwrap_or_default().into(),
        account.unwrap_or_default().into(),
        source.map_or("", |source| &source.file).into(),
        source.map(|source| source.line.to_string()).unwrap_or_default().into(),
        matched.unwrap_or_default().into(),
        change.map_or("", |change| &change.attribute).into(),
        change.and_then(|change| change.from.as_ref()).map(value_cell).unwrap_or_default(),
        change.map(|change| value_cell(&change.to)).unwrap_or_default(),
        held.into(),
        outcome.map_or("", |outcome| outcome.result.name()).into(),
        outcome.and_then(|outcome| outcome.message.as_deref()).unwrap_or_default().into(),
        outcome.and_then(|outcome| outcome.code).map(|code| code.to_string()).unwrap_or_default().into(),
        outcome.and_then(|outcome| outcome.trxid.as_deref()).unwrap_or_default().into(),
        reasons.join("; ").into(),
    ];
    for cell in cells {
        table.write_field(no_formula(cell).as_bytes())?;
    }
    table.write_record(None::<&[u8]>)?;
    Ok(())
}

/// A value as a cell; what is empty or cleared is an empty cell.
fn value_cell(value: &Value) -> Cow<'_, str> {
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
