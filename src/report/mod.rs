//! One record of a plan or a run becomes html, markdown, json, csv or text. Pure functions that write to a stream: a
//! record of a million entries is rendered in the memory of one.
//!
//! What stands in a record comes from an export, a server or a plan file and is never trusted: each form makes it
//! harmless for whoever reads that form (a terminal, a browser, a spreadsheet, a parser).

pub mod columns;
mod counts;
mod csv;
pub mod form;
mod html;
pub mod invocation;
mod json;
mod markdown;
pub mod next;
pub mod person;
pub mod record;
mod redact;
mod section;
pub mod summary;
mod text;
mod text_colors;
pub mod visible;
pub mod words;
mod wrapping;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod samples;

use std::io::{self, Write};

pub use form::{Extent, Form, LineBreaks, Style, UnknownForm};
pub use invocation::Invocation;
pub use next::{NextStep, next_steps, release_command};
pub use person::Explanation;
pub use record::{ActionOutcome, Entry, Head, OutcomeResult, PastRun, RecordKind, RunRecord, TakesBack};
pub use summary::{ProblemKind, Summary, SummaryProblem};

/// Writes a record in one form.
///
/// # Errors
/// Whatever writing fails with, and the first error of the record's stream; what was written by then stays written.
pub fn render(record: RunRecord<'_>, form: Form, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    // The forms write in small pieces; the stream beneath gets large ones.
    let mut out = io::BufWriter::new(out);
    let RunRecord { head, past, entries } = record;
    let mut entries = entries.map(|entry| entry.map(|entry| redact::redact_entry(entry, &style.redact)));
    match form {
        Form::Text => text::write(&head, &mut entries, style, &mut out)?,
        Form::Html => html::write(&head, &past, &mut entries, style, &mut out)?,
        Form::Markdown => markdown::write(&head, &mut entries, style, &mut out)?,
        Form::Json => json::write(&head, &mut entries, &mut out)?,
        Form::Csv => csv::write(&mut entries, &mut out)?,
    }
    out.flush()
}

/// The entries of a record on their way through a form.
type Entries<'a> = dyn Iterator<Item = io::Result<Entry>> + 'a;
