//! What every command has at hand: the clock, the output, the progress, the log, and the wish to stop.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::args::{Global, LogFormat};
use super::failure::{Exit, Failure};
use super::notify::Wanted;
use super::output::{Format, Out, To, width, write_summary_json};
use super::progress::{LogWriter, Progress, Show};
use super::workbench::Configured;
use crate::clock::{Clock, Stop, SystemClock};
use crate::files::make_private_dir;
use crate::model::monitor::Monitor;
use crate::notify::FinishedRun;
use crate::report::columns::fit_line;
use crate::report::{Extent, Head, LineBreaks, RunRecord, Style, Summary, render};

pub struct App {
    pub global: Global,
    pub clock: Arc<dyn Clock>,
    pub stop: Arc<Stop>,
    /// The tenant of the configuration, once that was read.
    pub tenant: OnceLock<String>,
    /// Who wants to be told how a run ended, once the configuration was read.
    pub wanted: OnceLock<Wanted>,
    /// The run, once it is over.
    over: Mutex<Option<FinishedRun>>,
    /// The exit code of the summary, once that was told.
    told: OnceLock<u8>,
    progress: Progress,
    /// Whether a question waits for its answer.
    is_asking: Arc<AtomicBool>,
    /// Whether something was shown that the next report must stand apart from.
    has_shown: AtomicBool,
}

impl App {
    pub fn new(global: Global) -> Self {
        let clock: Arc<dyn Clock> = SystemClock::new();
        let is_quiet = global.quiet || global.no_progress;
        let show = Show::choose(is_quiet, io::stderr().is_terminal(), std::env::var_os("TERM").as_deref());
        let progress = Progress::start(show, clock.clone());
        let has_shown = AtomicBool::new(false);
        let (tenant, wanted) = (OnceLock::new(), OnceLock::new());
        let (over, told) = (Mutex::default(), OnceLock::new());
        let is_asking = Arc::default();
        Self { global, clock, stop: Arc::default(), tenant, wanted, over, told, progress, is_asking, has_shown }
    }

    /// In a test: with its clock, and with nobody to hear.
    #[cfg(test)]
    pub fn unheard(global: Global, clock: Arc<dyn Clock>) -> Self {
        Self { clock, progress: Progress::unheard(), ..Self::new(global) }
    }

    pub fn monitor(&self) -> Arc<dyn Monitor> {
        self.progress.monitor()
    }

    /// Takes the bars away, so that something can be printed or asked.
    pub fn pause_progress(&self) {
        self.progress.finish();
    }

    pub fn configured(&self) -> Result<Configured, Failure> {
        let configured = Configured::load(&self.global.config, self.global.state.as_deref())?;
        self.tenant.get_or_init(|| configured.settings.target.tenant.clone());
        let report = || configured.settings.report.clone();
        self.wanted.get_or_init(|| Wanted { report: report(), target: configured.target_name() });
        Ok(configured)
    }

    /// Starts the log: to standard error, and to a file in the state directory where there is one.
    pub fn start_log(&self, configured: Option<&Configured>) -> Result<(), Failure> {
        use tracing_subscriber::layer::SubscriberExt;
        use tracing_subscriber::util::SubscriberInitExt;
        use tracing_subscriber::{EnvFilter, Layer, fmt};
        let level = match (self.global.quiet, self.global.verbose) {
            (true, _) => "headcount=error",
            (false, 0) => "headcount=warn",
            (false, 1) => "headcount=info",
            (false, 2) => "headcount=debug",
            (false, _) => "headcount=trace",
        };
        let colour = self.colour(io::stderr().is_terminal());
        let writer: LogWriter = self.progress.log_writer();
        let to_person = fmt::layer().with_writer(writer).with_ansi(colour).with_target(false);
        let to_person = match self.global.log_format {
            LogFormat::Text => to_person.without_time().boxed(),
            LogFormat::Json => to_person.json().boxed(),
        };
        let to_file = match configured {
            None => None,
            Some(configured) => {
                let path = configured.state.log();
                make_private_dir(configured.state.path())?;
                make_private_dir(&configured.state.path().join("log"))?;
                let mut options = std::fs::OpenOptions::new();
                options.create(true).append(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options
                    .open(&path)
                    .map_err(|error| Failure::new("journal", format!("{}: {error}", path.display())))?;
                let layer = fmt::layer().with_writer(std::sync::Mutex::new(file)).with_ansi(false);
                let layer = match self.global.log_format {
                    LogFormat::Text => layer.boxed(),
                    LogFormat::Json => layer.json().boxed(),
                };
                Some(layer.with_filter(EnvFilter::new("headcount=debug")))
            }
        };
        // A second log in one process (a test that calls the library twice) keeps the first.
        let _ =
            tracing_subscriber::registry().with(to_person.with_filter(EnvFilter::new(level))).with(to_file).try_init();
        Ok(())
    }

    pub fn colour(&self, is_terminal: bool) -> bool {
        let variable = |name: &str| std::env::var_os(name);
        self.global.color.decide(is_terminal, variable("NO_COLOR").as_deref(), variable("TERM").as_deref())
    }

    /// How reports for people look here, with every entry.
    pub fn style(&self, configured: &Configured, to: To) -> Style {
        let columns = std::env::var("COLUMNS").ok();
        Style {
            color: self.colour(to.is_terminal()),
            width: width(columns.as_deref(), to.columns()),
            lines: if to.is_terminal() { LineBreaks::Fitted } else { LineBreaks::Whole },
            redact: configured.settings.report.redact.clone(),
            invocation: self.global.invocation(),
            ..Style::default()
        }
    }

    /// Shows a record to a person: on standard output, or on standard error where that belongs to a script.
    /// Of each kind as many entries as a person reads to that extent; all of them with `-v`. With `-q` only a record of
    /// something that went wrong is shown.
    pub fn show(&self, configured: &Configured, record: RunRecord<'_>, extent: Extent) -> Result<(), Failure> {
        if self.global.quiet && record.head.summary.outcome.is_as_wanted() {
            return Ok(());
        }
        self.pause_progress();
        let mut out = self.people();
        let style = self.style(configured, if self.is_apart() { To::Stderr } else { To::Stdout });
        let style = if self.global.verbose > 0 {
            style
        } else {
            let limit = match extent {
                Extent::Whole => 20,
                Extent::Preview => 3,
                Extent::Result => 10,
            };
            Style { extent, limit: Some(limit), ..style }
        };
        let gap = if self.has_shown.swap(true, Ordering::Relaxed) { "\n" } else { "" };
        write!(out, "{gap}")
            .and_then(|()| render(record, crate::report::Form::Text, &style, &mut out))
            .and_then(|()| out.flush())
            .map_err(|error| Failure::new("output", format!("the report cannot be written: {error}")))
    }

    /// A question waits for its answer as long as what is returned lives: a signal is an answer then, and needs no words.
    pub fn asking(&self) -> Asking {
        self.is_asking.store(true, Ordering::Relaxed);
        Asking(Arc::clone(&self.is_asking))
    }

    /// Ends a line that a question began.
    pub fn end_line(&self) {
        // A terminal that is gone has no lines.
        let _ = writeln!(Out::to(io::stderr()));
    }

    /// A line for people, or several.
    pub fn say(&self, text: &str) {
        if !self.global.quiet {
            self.say_at_least(text);
        }
    }

    /// The same for people who want to know no more than what went wrong.
    pub fn say_at_least(&self, text: &str) {
        self.pause_progress();
        let mut out = self.people();
        let to = if self.global.format == Format::Json { To::Stderr } else { To::Stdout };
        // A reader that has gone misses a line; there is nobody left to tell.
        let _ = writeln!(out, "{}", fitting(to, text)).and_then(|()| out.flush());
    }

    /// The last words of a command for a script: the summary. There is one; what is told after it is not told.
    pub fn close(&self, summary: &Summary) {
        self.pause_progress();
        let is_first = self.told.set(summary.exit_code).is_ok();
        if is_first && self.global.format == Format::Json {
            let mut summary = summary.clone();
            if let Some(hint) = summary.error.as_mut().and_then(|problem| problem.hint.as_mut()) {
                *hint = self.global.invocation().complete_commands(hint);
            }
            let mut out = Out::stdout();
            // A script that has closed its end does not want it; one that waits for it must not wait without a reason.
            if let Err(error) = write_summary_json(&summary, &mut out).and_then(|()| out.flush()) {
                self.monitor().note(&format!("the summary cannot be written to standard output: {error}"));
            }
        }
    }

    /// The exit code that the summary says, where one was told.
    pub fn told(&self) -> Option<u8> {
        self.told.get().copied()
    }

    /// Keeps what is told of a run once the command ends; `accounts` are those of its listing.
    pub fn over(&self, head: Head, accounts: Option<u64>) {
        let over = FinishedRun { head, accounts, at: self.clock.now() };
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(over);
    }

    pub fn take_over(&self) -> Option<FinishedRun> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Prints an object for a script.
    pub fn print_json(&self, object: &serde_json::Value) -> Result<(), Failure> {
        self.pause_progress();
        let mut out = Out::stdout();
        writeln!(out, "{object}").and_then(|()| out.flush()).map_err(super::commands::runs::output)
    }

    /// Says what went wrong, on standard error.
    pub fn lament(&self, failure: &Failure) {
        self.pause_progress();
        let mut out = Out::to(io::stderr());
        let _ = match &failure.pointing {
            Some(diagnostic) => {
                let theme = if self.colour(io::stderr().is_terminal()) {
                    miette::GraphicalTheme::unicode()
                } else {
                    miette::GraphicalTheme::unicode_nocolor()
                };
                let mut text = String::new();
                let columns = width(std::env::var("COLUMNS").ok().as_deref(), To::Stderr.columns());
                let handler = miette::GraphicalReportHandler::new_themed(theme).with_links(false).with_width(columns);
                match handler.render_report(&mut text, diagnostic.as_ref()) {
                    Ok(()) => write!(out, "{text}"),
                    Err(_) => writeln!(out, "error: {}", failure.message),
                }
            }
            None => {
                let hint = failure.hint.as_ref().map(|hint| self.global.invocation().complete_commands(hint));
                let hint = hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
                writeln!(out, "{}", fitting(To::Stderr, &format!("error: {}{hint}", failure.message)))
            }
        }
        .and_then(|()| out.flush());
    }

    fn people(&self) -> Out {
        if self.is_apart() { Out::to(io::stderr()) } else { Out::stdout() }
    }

    /// Whether people are told on standard error: where standard output is a script's, and where it is to stay empty.
    fn is_apart(&self) -> bool {
        self.global.format == Format::Json || self.global.quiet
    }

    /// Listens for Ctrl-C and SIGTERM from here on: the first asks everything to stop, the second ends the process.
    pub fn listen_for_signals(&self) {
        let Some(mut signals) = Signals::listen() else { return };
        let stop = self.stop.clone();
        let (monitor, progress, is_asking) = (self.monitor(), self.progress.clone(), Arc::clone(&self.is_asking));
        tokio::spawn(async move {
            while let Some(origin) = signals.next().await {
                if origin == Origin::Keyboard {
                    progress.typed();
                }
                if stop.is_requested() {
                    // The journal holds every intent; nothing has to be tidied up.
                    std::process::exit(i32::from(Exit::Paused as u8));
                }
                if !is_asking.load(Ordering::Relaxed) {
                    monitor.note("stopping: requests under way finish; once more stops at once");
                }
                stop.request();
            }
        });
    }
}

/// A question that waits for its answer.
pub struct Asking(Arc<AtomicBool>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// A text as it is, or on a terminal in lines that fit it.
fn fitting(to: To, text: &str) -> String {
    if !to.is_terminal() {
        return text.to_owned();
    }
    let columns = width(std::env::var("COLUMNS").ok().as_deref(), to.columns());
    text.split('\n').map(|line| fit_line(line, columns)).collect::<Vec<_>>().join("\n")
}

/// Who probably sent a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Ctrl-C, which a terminal shows as `^C`.
    Keyboard,
    Elsewhere,
}

/// The signals that ask to stop. Listened for once and for all, so that one that comes while another is dealt with is
/// not missed.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// None where they cannot be listened for; they end the process then, as they always did.
    fn listen() -> Option<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let (interrupt, terminate) = (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
            Some(Self { interrupt, terminate })
        }
        #[cfg(not(unix))]
        Some(Self {})
    }

    /// Waits for the next one; none where none can come any more.
    async fn next(&mut self) -> Option<Origin> {
        #[cfg(unix)]
        {
            tokio::select! {
                got = self.interrupt.recv() => got.map(|()| Origin::Keyboard),
                got = self.terminate.recv() => got.map(|()| Origin::Elsewhere),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.ok().map(|()| Origin::Elsewhere)
    }
}
