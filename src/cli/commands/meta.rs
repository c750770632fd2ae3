//! `headcount schema`, `headcount completions` and `headcount man`: about the program itself.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;

use super::runs::output;
use crate::cli::args::Cli;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Out;
use crate::config::reference;

pub fn schema() -> Result<Exit, Failure> {
    print(reference::json_schema().as_bytes())
}

pub fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "headcount", &mut text);
    print(&text)
}

pub fn man(out: Option<&Path>) -> Result<Exit, Failure> {
    match out {
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(output)?;
            print(&text)
        }
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
                .map_err(|error| Failure::new("output", format!("{}: {error}", dir.display())))?;
            Ok(Exit::Done)
        }
    }
}

fn print(text: &[u8]) -> Result<Exit, Failure> {
    let mut out = Out::stdout();
    out.write_all(text).and_then(|()| out.flush()).map_err(output)?;
    Ok(Exit::Done)
}
