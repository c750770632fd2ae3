//! `headcount explain`: one person, as text or as an object.

use std::io::Write;
use std::sync::Arc;

use crate::app::explain::{Evidence, ExplainRequest, PersonQuery, explain_one};
use crate::app::{AppError, ErrorKind};
use crate::cli::args::ExplainArgs;
use crate::cli::exit::Exit;
use crate::cli::output::{Out, StdoutFormat, To, output_error};
use crate::cli::terminal::{LogFile, Terminal};
use crate::report::person::{write_json, write_text};

pub async fn run_explain(terminal: &Arc<Terminal>, args: &ExplainArgs) -> Result<u8, AppError> {
    let evidence = if args.online { Evidence::Tenant } else { Evidence::LastListing };
    let request = ExplainRequest { whom: read_name(args)?, evidence };
    let workspace = terminal.begin_work(LogFile::None)?;
    let explanation = explain_one(&terminal.session(), workspace, &request).await?;
    terminal.pause_progress();
    let mut out = Out::stdout();
    let style = terminal.report_style(To::Stdout);
    match terminal.global.format {
        StdoutFormat::Json => write_json(&explanation, &style, &mut out),
        StdoutFormat::Text => write_text(&explanation, &style, &mut out),
    }
    .and_then(|()| out.flush())
    .map_err(output_error)?;
    Ok(if explanation.person.is_some() { Exit::Done } else { Exit::Failed } as u8)
}

fn read_name(args: &ExplainArgs) -> Result<PersonQuery, AppError> {
    let Some(line) = &args.line else { return Ok(PersonQuery::Key(args.key.clone().unwrap_or_default())) };
    let (file, number) = match line.rsplit_once(':') {
        Some((file, number)) => (Some(file.to_owned()), number),
        None => (None, line.as_str()),
    };
    match number.trim().parse() {
        Ok(line) if line > 0 => Ok(PersonQuery::Line { file, line }),
        _ => Err(AppError::new(ErrorKind::Usage, format!("--line {line}: this is not a line number"))
            .with_hint("`headcount explain --line 12`, or --line FILE:12 where there are several files")),
    }
}
