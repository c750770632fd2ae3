//! The command line, as INTERFACE words: names here are fixed, because other programs rely on them.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::output::{ColorChoice, StdoutFormat};
use crate::app::CommandName;
use crate::connectors::KINDS;
use crate::report::Invocation;

/// Keeps an application's user accounts in step with an HR export.
#[derive(Debug, Parser)]
#[command(name = "headcount", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const DEFAULT_CONFIG: &str = "config.toml";

#[derive(Debug, Args)]
pub struct Global {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = DEFAULT_CONFIG, global = true)]
    pub config: PathBuf,
    /// The state directory (default: journal.path of the configuration)
    #[arg(long, value_name = "DIR", global = true)]
    pub state: Option<PathBuf>,
    /// What goes to standard output: text for people, or one summary object
    #[arg(long, value_enum, default_value_t = StdoutFormat::Text, global = true)]
    pub format: StdoutFormat,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more; twice: every request
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
    /// The form of log lines on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
    /// When to colour
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, global = true)]
    pub color: ColorChoice,
    /// No progress bars or lines
    #[arg(long, global = true)]
    pub no_progress: bool,
}

impl Global {
    /// How another command is called so that it reads the same configuration and the same state.
    #[must_use]
    pub fn invocation(&self) -> Invocation {
        let config = Some(self.config.as_path()).filter(|config| *config != Path::new(DEFAULT_CONFIG));
        Invocation::new(config, self.state.as_deref())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at an export, write a configuration for it, and make its first dry run
    Init(InitArgs),
    /// Check the configuration and every row of the source, without touching the target
    Check(CheckArgs),
    /// The dry run: show every difference, and write the plan
    Plan(PlanArgs),
    /// Execute exactly one plan
    Apply(ApplyArgs),
    /// Plan and apply in one unattended run
    Sync(SyncArgs),
    /// Continue an interrupted or paused run
    Resume(ResumeArgs),
    /// List the runs in the journal
    Runs,
    /// Show one run with every account it touched
    Show(ShowArgs),
    /// Render a run or a plan again
    Report(ReportArgs),
    /// One person, end to end: the row, the account, what would be done and why, what was done before
    Explain(ExplainArgs),
    /// Make the plan that takes back what a run changed
    Rollback(RollbackArgs),
    /// Write the target's accounts as CSV
    Export(ExportArgs),
    /// Serve a simulated tenant on loopback
    Sandbox(SandboxArgs),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// Print shell completions
    Completions { shell: clap_complete::Shell },
    /// Print the manual page, or write one for each command into a folder
    Man {
        /// Write the pages of all commands into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct InitArgs {
    /// The export of the HR system
    pub export: PathBuf,
    /// The system that has the accounts
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS.map(|kind| kind.name)), default_value = KINDS[0].name)]
    pub kind: String,
    /// The sheet that has the people, where the export is a workbook of several
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// Take every proposal, ask nothing
    #[arg(long)]
    pub yes: bool,
    /// Write over a configuration that is there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Also sign in, read one page, check referenced teams, print the quota
    #[arg(long)]
    pub online: bool,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Where to write the plan
    #[arg(short, long, value_name = "PLAN")]
    pub output: Option<PathBuf>,
    /// Compare with an earlier export of accounts instead of the live tenant; costs no request
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Exit with 3 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// What `apply`, `sync` and `resume` have in common.
#[derive(Clone, Debug, Args)]
pub struct ExecutionArgs {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Only these people: by key, identity or account
    #[arg(long, value_name = "KEY", num_args = 1..)]
    pub only: Vec<String>,
    /// Only the first N actions, as a canary
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Release the held actions of this hash
    #[arg(long, value_name = "HASH")]
    pub approve: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A plan file, or the name of a plan in the state directory
    pub plan: PathBuf,
    #[command(flatten)]
    pub execution: ExecutionArgs,
}

#[derive(Debug, Args)]
pub struct SyncArgs {
    #[command(flatten)]
    pub execution: ExecutionArgs,
}

#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run to continue (default: the one that has not ended)
    pub run: Option<String>,
    #[command(flatten)]
    pub execution: ExecutionArgs,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The run's name; `last` is the last one
    pub run: String,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A run's name, a plan's name, or a plan file; `last` is the last run
    #[arg(value_name = "RUN|PLAN")]
    pub of: String,
    /// text, html, markdown, json or csv
    #[arg(long = "as", value_name = "FORM", default_value = "text")]
    pub form: String,
    /// Where to write it (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The identity, the login, the e-mail address, the account's id, or any other key that finds an account
    #[arg(required_unless_present = "line")]
    pub key: Option<String>,
    /// Whoever stands on this line of the export; with the file's name where there are several
    #[arg(long, value_name = "[FILE:]N", conflicts_with = "key")]
    pub line: Option<String>,
    /// Ask the tenant about this person, instead of relying on the last listing alone
    #[arg(long)]
    pub online: bool,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The run's name; `last` is the last one
    pub run: String,
    /// Where to write the plan
    #[arg(short, long, value_name = "PLAN")]
    pub output: Option<PathBuf>,
    /// Exit with 3 when there is something to take back
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Where to write it (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SandboxArgs {
    #[arg(
        long,
        default_value = KINDS[0].name,
        help = format!("The system to simulate: {}", KINDS.map(|kind| kind.name).join(", "))
    )]
    pub kind: String,
    /// The port on 127.0.0.1 (default: any free one)
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The accounts to start with (default: those of the sample tenant)
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// A script of faults
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Keep the tenant in this file between runs
    #[arg(long, value_name = "FILE")]
    pub keep: Option<PathBuf>,
    /// Requests a day (imichat)
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub quota: u64,
    /// Milliseconds that every answer takes
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
}

impl Command {
    /// The command's name, as summaries have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Check(_) => "check",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Sync(_) => "sync",
            Self::Resume(_) => "resume",
            Self::Runs => "runs",
            Self::Show(_) => "show",
            Self::Report(_) => "report",
            Self::Explain(_) => "explain",
            Self::Rollback(_) => "rollback",
            Self::Export(_) => "export",
            Self::Sandbox(_) => "sandbox",
            Self::Schema => "schema",
            Self::Completions { .. } => "completions",
            Self::Man { .. } => "man",
        }
    }

    #[must_use]
    pub fn facts(&self) -> CommandFacts {
        CommandFacts {
            changes_accounts: matches!(self, Self::Apply(_) | Self::Sync(_) | Self::Resume(_)),
            summary_name: CommandName::from_name(self.name()),
        }
    }
}

/// What is known of a command without its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandFacts {
    pub changes_accounts: bool,
    /// The name in its summary; none where it ends without one.
    pub summary_name: Option<CommandName>,
}
