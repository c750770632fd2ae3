//! `headcount init`: from an export that nobody has described yet to a configuration and its first dry run.
//!
//! Nothing is taken silently: what was recognised is shown with the reason, what is left open is asked on a terminal, and
//! without one nothing is written unless `--yes` takes the proposals. A file that is there is written over only where
//! somebody has said so. What is written was read before with the reader of configurations, and compiled for the columns
//! of the export; the dry run at the end is that of `plan`.

mod interview;
mod look;
mod neighbours;
mod show;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::plan;
use crate::cli::app::App;
use crate::cli::args::InitArgs;
use crate::cli::ask::{Answer, ask};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{To, width};
use crate::cli::workbench::{Configured, shown};
use crate::clock::blocking;
use crate::connectors::{KINDS, find_kind};
use crate::discovery::{Answers, ExportForm, ExportPlace, Meaning, Proposal, config_text, propose};
use crate::report::columns::Fitted;
use crate::report::visible::visible;
use crate::source::Form;

use interview::{Interview, Open};
use look::Seen;

pub async fn run(app: &App, args: &InitArgs) -> Result<Exit, Failure> {
    let config = &app.global.config;
    let can_ask = io::stdin().is_terminal();
    let is_there = config.symlink_metadata().is_ok();
    // Said before anything is read: with a large export the answer would come late.
    if is_there && !args.force && (args.yes || !can_ask) {
        return Err(Failure::new("usage", format!("{} is there already, and nothing was written", shown(config)))
            .hint("--force writes over it, -c FILE writes to another file"));
    }
    let width = width(std::env::var("COLUMNS").ok().as_deref(), To::Stdout.columns());
    let choose = |sheets: &[Seen]| if args.yes || !can_ask { Ok(0) } else { chosen(sheets, width) };
    let seen = look::look(&args.export, args.sheet.as_deref(), choose)?;
    let blueprint = find_kind(&args.kind).unwrap_or(KINDS[0]).blueprint;
    let place = place(&seen, config, &args.export);
    let lookup = neighbours::lookup(&seen, &folder_of(config), &args.export);
    let proposed =
        |answers: &Answers| propose(blueprint, &seen.recognised, &seen.census, &place, lookup.clone(), answers);
    let begin = proposed(&Answers::default());
    for line in show::lines(&seen, begin.as_ref(), width) {
        app.say(&line);
    }
    if begin.is_none() {
        return Err(nobody(&seen));
    }
    if !args.yes && !can_ask {
        return Err(
            Failure::new("usage", "nothing was written: there is no terminal to ask").hint("--yes takes the proposals")
        );
    }
    let open = Open::of(blueprint, &seen);
    let answers = if args.yes { Answers::default() } else { interviewed(&open, width)? };
    let proposal = proposed(&answers).ok_or_else(|| nobody(&seen))?;
    let text = config_text(&proposal, &KINDS.map(|kind| kind.name));
    checked(app, &text, &proposal)?;
    if is_there && !args.force && !may_overwrite(config)? {
        app.say("Nothing was written.");
        return Ok(Exit::Done);
    }
    write(config, &text, is_there)?;
    let say = |text: &str| show::wrapped(text, width).iter().for_each(|line| app.say(line));
    app.say("");
    show::taken(&proposal, &open, &answers).iter().for_each(|text| say(text));
    if !proposal.missing.is_empty() {
        return Err(unfinished(config, &proposal));
    }
    let file = shown(config);
    say(&format!("{file} is written. In an empty simulated tenant it would do this:"));
    app.say("");
    let configured = app.configured()?;
    configured.empty_sandbox(app.clock.clone()).await?;
    let exit = plan::dry_run(app).await?;
    app.say("");
    say(&format!("No system was touched. Read {file}; then set base_url and where the key is kept, and plan again."));
    Ok(exit)
}

fn interviewed(open: &Open, width: usize) -> Result<Answers, Failure> {
    let answers = blocking(|| {
        let (mut input, mut output) = (io::stdin().lock(), io::stderr());
        Interview { input: &mut input, output: &mut Fitted::new(width, &mut output) }.hold(open)
    });
    answers.map_err(unasked)?.ok_or_else(unanswered)
}

fn unanswered() -> Failure {
    Failure::new("usage", "nothing was written: a question has no answer").hint("--yes takes the proposals")
}

/// Which of several sheets it is.
fn chosen(sheets: &[Seen], width: usize) -> Result<usize, Failure> {
    let names: Vec<_> =
        sheets.iter().map(|seen| (seen.settings.sheet.clone().unwrap_or_default(), seen.census.rows)).collect();
    let chosen = blocking(|| {
        let (mut input, mut output) = (io::stdin().lock(), io::stderr());
        Interview { input: &mut input, output: &mut Fitted::new(width, &mut output) }.sheet(&names)
    });
    chosen.map_err(unasked)?.ok_or_else(unanswered)
}

fn may_overwrite(config: &Path) -> Result<bool, Failure> {
    let question = format!("\n{} is there already. Write over it?", visible(&shown(config)));
    let answer = blocking(|| ask(&question, &mut io::stdin().lock(), &mut io::stderr()));
    Ok(answer.map_err(unasked)? == Answer::Yes)
}

fn unasked(error: io::Error) -> Failure {
    Failure::new("usage", format!("the question could not be asked: {error}"))
}

/// How the configuration is to name the file, and to read it.
fn place(seen: &Seen, config: &Path, export: &Path) -> ExportPlace {
    let export = std::path::absolute(export).unwrap_or_else(|_| export.to_owned());
    let folder = folder_of(config);
    let source = export.strip_prefix(&folder).unwrap_or(&export);
    let (form, delimiter) = match seen.guess.as_ref().map(|guess| &guess.form) {
        Some(Form::Workbook) => (ExportForm::Workbook { sheet: seen.settings.sheet.clone() }, None),
        Some(Form::Objects) => (ExportForm::Objects, None),
        Some(Form::Text(text)) => {
            (ExportForm::Text, Some(text.delimiter).filter(|delimiter| *delimiter != text.usual_delimiter))
        }
        None => (ExportForm::Text, None),
    };
    let stem = config.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    ExportPlace {
        source: source.to_string_lossy().into_owned(),
        form,
        delimiter: delimiter.map(char::from),
        encoding: seen.settings.encoding.as_ref().map(|label| label.to_lowercase()),
        header_row: seen.settings.header_row,
        // Two configurations of one folder have two journals.
        state: if stem == "config" { ".headcount".to_owned() } else { format!(".headcount-{stem}") },
    }
}

fn folder_of(config: &Path) -> PathBuf {
    let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
    config.parent().map(Path::to_owned).unwrap_or_default()
}

/// Reads the text with the reader of configurations and compiles it for the export. Where an attribute is to be filled
/// in, nobody can be created yet; everything else has to be right all the same.
fn checked(app: &App, text: &str, proposal: &Proposal) -> Result<(), Failure> {
    let settings = crate::config::parse(text, &app.global.config)?;
    let mut configured = Configured::of(settings, app.global.state.as_deref())?;
    configured.settings.policy.create = proposal.missing.is_empty();
    let folder =
        tempfile::tempdir().map_err(|error| Failure::new("system", format!("no temporary folder: {error}")))?;
    configured.source_in(&*app.clock, folder.path())?;
    Ok(())
}

/// Writes the file whole or not at all, and never over one that came there meanwhile.
fn write(config: &Path, text: &str, may_replace: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::new("output", format!("{} cannot be written: {error}", shown(config)))
            .hint("-c FILE names another file")
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.prefix(".config-").tempfile_in(folder_of(config)).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    let kept = if may_replace { file.persist(config) } else { file.persist_noclobber(config) };
    kept.map(drop).map_err(|error| failed(error.error))
}

/// Nothing in the export tells one person from another.
fn nobody(seen: &Seen) -> Failure {
    let names: Vec<_> = seen.recognised.columns.iter().map(|name| visible(name)).collect();
    let message = format!("no column tells people apart, so there is nothing to begin with: {}", names.join(", "));
    let wanted = [Meaning::Email, Meaning::Login].map(Meaning::name).join(" or a ");
    Failure::new("source", message).hint(format!(
        "the export needs a column with an {wanted}, or a number that is different for everybody; columns with other \
         names are mapped by hand, as docs/mapping.md shows"
    ))
}

fn unfinished(config: &Path, proposal: &Proposal) -> Failure {
    let names: Vec<&str> = proposal.missing.iter().map(|missing| missing.attribute.as_str()).collect();
    let (what, them) = if names.len() == 1 { ("1 line", "it") } else { ("some lines", "them") };
    let message = format!(
        "{} is written, but {what} must be filled in, because no column gives it: {}",
        shown(config),
        names.join(", ")
    );
    Failure::new("configuration", message)
        .hint(format!("look for FILL IN in the file, complete {them}, then `headcount plan`"))
}
