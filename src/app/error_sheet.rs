//! The error sheet of a plan or a run (`report.errors`): rows that were invalid, in conflict, or failed, as they stand in
//! the source, for whoever fixes them.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;

use super::session::Session;
use super::workspace::{OpenSource, Workspace, make_report_folder};
use crate::files::write_atomically;
use crate::model::Place;
use crate::plan::file::PlanHeader;
use crate::plan::{self, Finding, FindingKind};
use crate::report::{ActionOutcome, Entry, OutcomeResult, RunRecord};
use crate::source::{Complaint, SheetForm, Source};

/// Writes the sheet where one is asked for and there is something to write; its path. `name` stands for `{run}`.
///
/// What goes wrong is a note: the plan or the run itself is unharmed.
pub fn write_error_sheet(
    session: &Session,
    workspace: &Workspace,
    source: Option<&OpenSource>,
    header: &PlanHeader,
    record: RunRecord<'_>,
    name: &str,
) -> Option<PathBuf> {
    let path = workspace.settings.report.errors.as_deref()?;
    // What a rollback does comes from a run, and no row of the source is to blame.
    if header.rollback_of.is_some() {
        return None;
    }
    let path = PathBuf::from(path.to_string_lossy().replace("{run}", name));
    match write_sheet_to(session, workspace, source, header, record, path.clone()) {
        Ok(written) => written,
        Err(error) => {
            session.note(&format!("the error sheet {} is not written: {error}", path.display()));
            None
        }
    }
}

fn write_sheet_to(
    session: &Session,
    workspace: &Workspace,
    source: Option<&OpenSource>,
    header: &PlanHeader,
    record: RunRecord<'_>,
    path: PathBuf,
) -> io::Result<Option<PathBuf>> {
    let wrong = collect_complaints(record)?;
    let of_earlier = match path.extension() {
        Some(_) => path.exists(),
        None => ["csv", "tsv", "xlsx", "jsonl"].iter().any(|extension| path.with_extension(extension).exists()),
    };
    if wrong.is_empty() && !of_earlier {
        return Ok(None);
    }
    let opened;
    let source = match source {
        Some(open) => &open.source,
        None => {
            opened = workspace.open_source(&*session.clock).map_err(io::Error::other)?;
            &opened.source
        }
    };
    let path = match path.extension() {
        Some(_) => path,
        None => path.with_extension(source.own_extension()),
    };
    // A sheet that is there already is of an earlier run, and must not be taken for this one's.
    if wrong.is_empty() && !path.exists() {
        return Ok(None);
    }
    let form = SheetForm::of_extension(&path.extension().unwrap_or_default().to_string_lossy());
    let wrong = by_place(source, wrong);
    let digests = header.source.files.iter().map(|file| file.digest.as_str());
    make_report_folder(&path)?;
    // The rows hold whatever the source holds, passwords included.
    write_atomically(&path, 0o600, |out| source.write_errors(&wrong, digests, form, out)).map_err(io::Error::other)?;
    Ok((!wrong.is_empty()).then_some(path))
}

/// What is said of each row; of one that more than one thing is said of, all of it.
fn collect_complaints(record: RunRecord<'_>) -> io::Result<HashMap<(String, u32), Complaint>> {
    let mut complaints: HashMap<(String, u32), Complaint> = HashMap::new();
    for entry in record.entries {
        let Some((source, complaint)) = complaint_of(entry?) else { continue };
        let said = complaints.entry((source.file, source.line)).or_default();
        for (said, more) in [(&mut said.error, complaint.error), (&mut said.hint, complaint.hint)] {
            if !said.is_empty() {
                said.push_str("; ");
            }
            said.push_str(&more);
        }
    }
    Ok(complaints)
}

fn complaint_of(entry: Entry) -> Option<(plan::SourceLine, Complaint)> {
    let (source, error, hint) = match entry {
        Entry::Finding(Finding { finding: FindingKind::Invalid, source, reason, .. }) => {
            (source?, reason, "correct the cell; until then this person is left as they are")
        }
        Entry::Finding(Finding { finding: FindingKind::Conflict, source, reason, .. }) => {
            (source?, reason, "only one row can belong to an account: correct or remove one of them")
        }
        Entry::Action { action, outcome: Some(ActionOutcome { result: OutcomeResult::Failed, message, code, .. }) } => {
            let error = match (message, code) {
                (Some(message), Some(code)) if !message.contains(&code.to_string()) => format!("{message} ({code})"),
                (Some(message), _) => message,
                (None, code) => format!("refused{}", code.map(|code| format!(" ({code})")).unwrap_or_default()),
            };
            (action.source?, error, "the target refused this: correct the row, or have it corrected in the target")
        }
        _ => return None,
    };
    Some((source, Complaint { error, hint: hint.to_owned() }))
}

fn by_place(source: &Source, wrong: HashMap<(String, u32), Complaint>) -> BTreeMap<Place, Complaint> {
    let position = |file: &str| source.files().iter().position(|name| name.short == file);
    wrong
        .into_iter()
        .filter_map(|((file, line), complaint)| {
            let file = u16::try_from(position(&file)?).ok()?;
            Some((Place { file, line }, complaint))
        })
        .collect()
}
