//! `headcount report`: a run or a plan, rendered again.

use std::io::Write;
use std::path::Path;

use super::apply::find;
use super::runs::{history, named, output, record};
use crate::cli::app::App;
use crate::cli::args::ReportArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Out, To};
use crate::cli::{past, records};
use crate::files::write_atomically;
use crate::report::{Form, RecordKind, render};

pub fn run(app: &App, args: &ReportArgs) -> Result<Exit, Failure> {
    let form: Form = args
        .form
        .parse()
        .map_err(|error: crate::report::UnknownForm| Failure::new("usage", error.to_string()).exit(Exit::Usage))?;
    let configured = app.configured()?;
    let path = Path::new(&args.of);
    let is_plan = path.exists() || configured.state.plan(&args.of).is_some_and(|dir| dir.exists());
    let record = if is_plan {
        let files = find(&configured, path);
        let (header, _) = records::verified(&files.plan)?;
        let requests = records::requests(None, header.requests.total);
        let mut head =
            records::head(RecordKind::Plan, &header, records::plan_summary(&header, "plan", requests, None), &[]);
        // Only this form compares; the others need no journal, and so no lock.
        let past = if form == Form::Html { past::of_plan(app, &configured, &mut head) } else { Vec::new() };
        records::of_plan(head, &files)?.with_past(past)
    } else {
        let journal = history(app, &configured)?;
        let record = record(&configured, &journal, named(&journal, &args.of)?)?;
        let past = past::before(&record.head, &journal.runs(), &configured.state);
        record.with_past(past)
    };
    let style = app.style(&configured, if args.output.is_none() { To::Stdout } else { To::File });
    match &args.output {
        Some(path) => write_atomically(path, 0o600, |out| render(record, form, &style, out))
            .map_err(|error| Failure::new("output", error.to_string()).hint("-o names a file that can be written"))?,
        None => {
            let mut out = Out::stdout();
            render(record, form, &style, &mut out).and_then(|()| out.flush()).map_err(output)?;
        }
    }
    Ok(Exit::Done)
}
