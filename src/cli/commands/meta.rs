//! `headcount schema`, `headcount completions` and `headcount man`: about the program itself.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;

use crate::app::{AppError, ErrorKind};
use crate::cli::args::Cli;
use crate::cli::exit::Exit;
use crate::cli::output::{Out, output_error};
use crate::config::reference;

pub fn print_schema() -> Result<u8, AppError> {
    print_bytes(reference::json_schema().as_bytes())
}

pub fn print_completions(shell: clap_complete::Shell) -> Result<u8, AppError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "headcount", &mut text);
    print_bytes(&text)
}

pub fn write_man(out: Option<&Path>) -> Result<u8, AppError> {
    match out {
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(output_error)?;
            print_bytes(&text)
        }
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
                .map_err(|error| AppError::new(ErrorKind::Output, format!("{}: {error}", dir.display())))?;
            Ok(Exit::Done as u8)
        }
    }
}

fn print_bytes(text: &[u8]) -> Result<u8, AppError> {
    let mut out = Out::stdout();
    out.write_all(text).and_then(|()| out.flush()).map_err(output_error)?;
    Ok(Exit::Done as u8)
}
