//! `headcount init`: from an export that nobody has described yet to a configuration and its first dry run.
//!
//! Nothing is taken silently: what was recognised is shown with the reason, what is left open is asked on a terminal, and
//! without one nothing is written unless `--yes` takes the proposals. A file that is there is written over only where
//! somebody has said so. What is written was read before with the reader of configurations, and compiled for the columns
//! of the export; the dry run at the end is that of `plan`.

mod interview;
mod recognised;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use super::plan::close_plan;
use crate::app::init::{ConfigDraft, Existing, SurveyedExport, survey_export, write_config_file, write_config_text};
use crate::app::plan::make_first_plan;
use crate::app::workspace::display_path;
use crate::app::{AppError, ErrorKind};
use crate::cli::args::InitArgs;
use crate::cli::ask::{YesOrNo, ask_yes_or_no};
use crate::cli::exit::Exit;
use crate::cli::output::{To, choose_width};
use crate::cli::terminal::{LogFile, Terminal};
use crate::clock::blocking;
use crate::connectors::{KINDS, find_kind};
use crate::discovery::{Answers, Meaning, Proposal};
use crate::report::columns::Fitted;
use crate::report::visible::visible;

use interview::{Interview, OpenQuestions};

pub async fn run_init(terminal: &Arc<Terminal>, args: &InitArgs) -> Result<u8, AppError> {
    let config = &terminal.global.config;
    let can_ask = io::stdin().is_terminal();
    let is_there = config.symlink_metadata().is_ok();
    // Said before anything is read: with a large export the answer would come late.
    if is_there && !args.force && (args.yes || !can_ask) {
        let message = format!("{} exists already, and nothing was written", display_path(config));
        return Err(AppError::new(ErrorKind::Declined, message)
            .with_hint("--force overwrites it, -c FILE writes to another file"));
    }
    let width = choose_width(std::env::var("COLUMNS").ok().as_deref(), To::Stdout.columns());
    let choose = |sheets: &[SurveyedExport]| if args.yes || !can_ask { Ok(0) } else { ask_sheet(sheets, width) };
    let survey = survey_export(&args.export, args.sheet.as_deref(), choose)?;
    let blueprint = find_kind(&args.kind).unwrap_or(KINDS[0]).blueprint;
    let draft = ConfigDraft::new(blueprint, &survey, config, &args.export);
    let begin = draft.propose_config(&Answers::default());
    for line in recognised::survey_lines(&survey, begin.as_ref(), width) {
        terminal.say(&line);
    }
    if begin.is_none() {
        return Err(nobody_error(&survey));
    }
    if !args.yes && !can_ask {
        return Err(AppError::new(ErrorKind::Declined, "nothing was written: there is no terminal to ask")
            .with_hint("--yes accepts the proposals"));
    }
    let open = OpenQuestions::find(blueprint, &survey);
    let answers = if args.yes { Answers::default() } else { ask_all(&open, width)? };
    let proposal = draft.propose_config(&answers).ok_or_else(|| nobody_error(&survey))?;
    let session = terminal.session();
    let text = write_config_text(&session, &proposal, config, terminal.global.state.as_deref())?;
    if is_there && !args.force && !may_overwrite(config)? {
        terminal.say("Nothing was written.");
        return Ok(Exit::Done as u8);
    }
    write_config_file(config, &text, if is_there { Existing::Replace } else { Existing::Keep })?;
    let say = |text: &str| recognised::wrap_text(text, width).iter().for_each(|line| terminal.say(line));
    terminal.say("");
    recognised::assumption_lines(&proposal, &open, &answers).iter().for_each(|text| say(text));
    if !proposal.missing.is_empty() {
        return Err(incomplete_error(config, &proposal));
    }
    let file = display_path(config);
    say(&format!("{file} is written. In an empty simulated tenant it would do this:"));
    terminal.say("");
    let workspace = terminal.begin_work(LogFile::InState)?;
    let exit = close_plan(terminal, make_first_plan(&session, workspace).await?, None, false);
    terminal.say("");
    say(&format!(
        "No real system was contacted. Read {file}, set base_url and where the key is kept, then plan \
        again."
    ));
    Ok(exit)
}

fn ask_all(open: &OpenQuestions, width: usize) -> Result<Answers, AppError> {
    let answers = blocking(|| {
        let (mut input, mut output) = (io::stdin().lock(), io::stderr());
        Interview { input: &mut input, output: &mut Fitted::new(width, &mut output) }.ask_questions(open)
    });
    answers.map_err(unasked_error)?.ok_or_else(unanswered_error)
}

fn unanswered_error() -> AppError {
    AppError::new(ErrorKind::Declined, "nothing was written: a question has no answer")
        .with_hint("--yes accepts the proposals")
}

/// Which of several sheets it is.
fn ask_sheet(sheets: &[SurveyedExport], width: usize) -> Result<usize, AppError> {
    let names: Vec<_> =
        sheets.iter().map(|seen| (seen.settings.sheet.clone().unwrap_or_default(), seen.census.rows)).collect();
    let chosen = blocking(|| {
        let (mut input, mut output) = (io::stdin().lock(), io::stderr());
        Interview { input: &mut input, output: &mut Fitted::new(width, &mut output) }.ask_sheet(&names)
    });
    chosen.map_err(unasked_error)?.ok_or_else(unanswered_error)
}

fn may_overwrite(config: &Path) -> Result<bool, AppError> {
    let question = format!("\n{} exists already. Overwrite it?", visible(&display_path(config)));
    let answer = blocking(|| ask_yes_or_no(&question, &mut io::stdin().lock(), &mut io::stderr()));
    Ok(answer.map_err(unasked_error)? == YesOrNo::Yes)
}

fn unasked_error(error: io::Error) -> AppError {
    AppError::new(ErrorKind::Declined, format!("the question could not be asked: {error}"))
}

/// Nothing in the export tells one person from another.
fn nobody_error(seen: &SurveyedExport) -> AppError {
    let names: Vec<_> = seen.recognised.columns.iter().map(|name| visible(name)).collect();
    let message = format!("no column tells people apart: {}", names.join(", "));
    let wanted = [Meaning::Email, Meaning::Login].map(Meaning::name).join(" or a ");
    AppError::new(ErrorKind::Source, message).with_hint(format!(
        "the export needs a column with an {wanted}, or a number that is different for everybody; map columns with \
         other names by hand, see docs/mapping.md"
    ))
}

fn incomplete_error(config: &Path, proposal: &Proposal) -> AppError {
    let names: Vec<&str> = proposal.missing.iter().map(|missing| missing.attribute.as_str()).collect();
    let (what, them) = if names.len() == 1 { ("1 line", "it") } else { ("some lines", "them") };
    let message = format!(
        "{} is written, but {what} must be filled in, because no column gives it: {}",
        display_path(config),
        names.join(", ")
    );
    AppError::new(ErrorKind::Configuration, message)
        .with_hint(format!("look for FILL IN in the file, complete {them}, then `headcount plan`"))
}
