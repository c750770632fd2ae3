//! `headcount export`: the accounts of the target, into a file or onto standard output.

use std::io::{self, Write};
use std::sync::Arc;

use crate::app::export::export_accounts;
use crate::app::workspace::display_path;
use crate::app::{AppError, ErrorKind};
use crate::cli::args::ExportArgs;
use crate::cli::exit::Exit;
use crate::cli::output::{Out, output_error};
use crate::cli::terminal::{LogFile, Terminal};

pub async fn run_export(terminal: &Arc<Terminal>, args: &ExportArgs) -> Result<u8, AppError> {
    let workspace = terminal.begin_work(LogFile::None)?;
    let mut exported = export_accounts(&terminal.session(), &workspace).await?;
    terminal.pause_progress();
    match &args.output {
        Some(path) => {
            exported.write_file(path).map_err(|error| {
                AppError::new(ErrorKind::Output, error.to_string()).with_hint(
                    "use -o to name a file that can be \
                    written",
                )
            })?;
            terminal.say(&format!("{} accounts are in {}.", exported.accounts, display_path(path)));
        }
        None => {
            let mut out = Out::stdout();
            io::copy(&mut exported.table, &mut out).and_then(|_| out.flush()).map_err(output_error)?;
        }
    }
    Ok(Exit::Done as u8)
}
