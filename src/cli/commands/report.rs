//! `headcount report` and `headcount show`: a plan or a run, rendered again.

use std::io::Write;
use std::sync::Arc;

use crate::app::history::show_run;
use crate::app::report::{PastComparison, open_report};
use crate::app::{AppError, ErrorKind};
use crate::cli::args::{ReportArgs, ShowArgs};
use crate::cli::exit::Exit;
use crate::cli::output::{Out, StdoutFormat, To, output_error};
use crate::cli::terminal::Terminal;
use crate::files::write_atomically;
use crate::report::{Form, RunRecord, UnknownForm, render};

pub fn run_report(terminal: &Arc<Terminal>, args: &ReportArgs) -> Result<u8, AppError> {
    let unknown = |error: UnknownForm| AppError::new(ErrorKind::Usage, error.to_string());
    let form: Form = args.form.parse().map_err(unknown)?;
    let workspace = terminal.open_workspace()?;
    // Only this form compares.
    let comparison = if form == Form::Html { PastComparison::WithEarlierRuns } else { PastComparison::None };
    let record = open_report(&terminal.session(), &workspace, &args.of, comparison)?;
    let Some(path) = &args.output else { return print_record(terminal, record, form) };
    let style = terminal.report_style(To::File);
    write_atomically(path, 0o600, |out| render(record, form, &style, out)).map_err(|error| {
        AppError::new(ErrorKind::Output, error.to_string()).with_hint("use -o to name a file that can be written")
    })?;
    Ok(Exit::Done as u8)
}

pub fn run_show(terminal: &Arc<Terminal>, args: &ShowArgs) -> Result<u8, AppError> {
    let workspace = terminal.open_workspace()?;
    let record = show_run(&terminal.session(), &workspace, &args.run)?;
    print_record(terminal, record, if terminal.global.format == StdoutFormat::Json { Form::Json } else { Form::Text })
}

fn print_record(terminal: &Terminal, record: RunRecord<'_>, form: Form) -> Result<u8, AppError> {
    let mut out = Out::stdout();
    let style = terminal.report_style(To::Stdout);
    render(record, form, &style, &mut out).and_then(|()| out.flush()).map_err(output_error)?;
    Ok(Exit::Done as u8)
}
