//! `headcount check`: what is wrong with the configuration and the rows; with `--online` with the tenant too.

use std::sync::Arc;

use crate::app::AppError;
use crate::app::check::{check_source, check_tenant, summarise_check};
use crate::cli::args::CheckArgs;
use crate::cli::terminal::{LogFile, Terminal};
use crate::report::visible::visible;

pub async fn run_check(terminal: &Arc<Terminal>, args: &CheckArgs) -> Result<u8, AppError> {
    let workspace = terminal.begin_work(LogFile::None)?;
    let session = terminal.session();
    let source = check_source(&session, &workspace)?;
    for (place, reason) in &source.problems {
        terminal.say(&format!("{place}: {}", visible(reason)));
    }
    for stop in &source.stopped {
        terminal.say_even_if_quiet(&format!("stops every run: {stop}"));
    }
    let rows = match source.included {
        1 => "1 row counts".to_owned(),
        rows => format!("{rows} rows count"),
    };
    let unusable = match source.invalid {
        0 => String::new(),
        invalid => format!(", {invalid} of them cannot be used"),
    };
    terminal.say(&format!("The configuration is right. {rows}{unusable}."));
    let tenant = if args.online { Some(check_tenant(&session, &workspace, &source).await?) } else { None };
    Ok(terminal.close_with(&summarise_check(&session, &workspace, &source, tenant.as_ref())))
}
