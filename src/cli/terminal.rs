//! The terminal, or whatever stands in its place: what is printed, asked and heard. Everything that a use case says on its
//! way comes through here.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures::future::BoxFuture;

use super::args::{Global, LogFormat};
use super::ask::{YesOrNo, ask_yes_or_no, consent_question};
use super::exit::Exit;
use super::notices::describe_notice;
use super::output::{Out, StdoutFormat, To, choose_width, output_error, write_summary_json};
use super::progress::{LogWriter, Progress, Show};
use super::signals::{SignalOrigin, Signals};
use crate::app::run_notice::{NoticeSettings, notify_machines};
use crate::app::{AppError, ConsentQuestion, ConsentReply, ErrorKind, Interaction, Notice, RunEnd, Session, Workspace};
use crate::clock::{Clock, Stop, SystemClock};
use crate::model::monitor::Monitor;
use crate::report::columns::fit_line;
use crate::report::visible::visible;
use crate::report::{Extent, Form, Head, LineBreaks, RunRecord, Style, Summary, render};

pub struct Terminal {
    pub global: Global,
    pub clock: Arc<dyn Clock>,
    pub stop: Arc<Stop>,
    /// What the configuration says, once it was read.
    configured: OnceLock<ConfiguredNames>,
    /// How a run ended, or why there was none, for the machines that are to be notified.
    ended: Mutex<Option<(Head, Option<ErrorKind>)>>,
    /// The exit code of the summary, once that was told.
    told: OnceLock<u8>,
    progress: Progress,
    /// Whether a question waits for its answer.
    is_asking: Arc<AtomicBool>,
    /// Whether something was shown that the next report must stand apart from.
    has_shown: AtomicBool,
}

/// What of a configuration is needed after its workspace is gone.
pub struct ConfiguredNames {
    pub tenant: String,
    pub target: String,
    pub notices: NoticeSettings,
}

/// Where the log goes besides standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFile {
    None,
    InState,
}

impl Terminal {
    pub fn new(global: Global) -> Self {
        let clock: Arc<dyn Clock> = SystemClock::new();
        let is_quiet = global.quiet || global.no_progress;
        let show = Show::choose(is_quiet, io::stderr().is_terminal(), std::env::var_os("TERM").as_deref());
        let progress = Progress::start(show, clock.clone());
        Self::with_progress(global, clock, progress)
    }

    /// In a test: nobody hears it.
    #[cfg(test)]
    pub fn unheard(global: Global) -> Self {
        Self::with_progress(global, SystemClock::new(), Progress::unheard())
    }

    fn with_progress(global: Global, clock: Arc<dyn Clock>, progress: Progress) -> Self {
        Self {
            global,
            clock,
            stop: Arc::default(),
            configured: OnceLock::new(),
            ended: Mutex::default(),
            told: OnceLock::new(),
            progress,
            is_asking: Arc::default(),
            has_shown: AtomicBool::new(false),
        }
    }

    /// What use cases work with here.
    pub fn session(self: &Arc<Self>) -> Session {
        Session {
            clock: self.clock.clone(),
            stop: self.stop.clone(),
            monitor: self.monitor(),
            interaction: Arc::clone(self) as _,
            invocation: self.global.invocation(),
        }
    }

    pub fn monitor(&self) -> Arc<dyn Monitor> {
        self.progress.monitor()
    }

    /// Takes the bars away, so that something can be printed or asked.
    pub fn pause_progress(&self) {
        self.progress.finish();
    }

    /// Reads the configuration.
    pub fn open_workspace(&self) -> Result<Workspace, AppError> {
        let workspace = Workspace::load(&self.global.config, self.global.state.as_deref())?;
        self.configured.get_or_init(|| ConfiguredNames {
            tenant: workspace.settings.target.tenant.clone(),
            target: workspace.target_name(),
            notices: NoticeSettings::from(&workspace.settings),
        });
        Ok(workspace)
    }

    /// Reads the configuration, starts the log, and listens for signals.
    pub fn begin_work(&self, log: LogFile) -> Result<Workspace, AppError> {
        let workspace = self.open_workspace()?;
        self.start_log(Some(&workspace).filter(|_| log == LogFile::InState))?;
        self.listen_for_signals();
        Ok(workspace)
    }

    pub fn configured(&self) -> Option<&ConfiguredNames> {
        self.configured.get()
    }

    /// Starts the log: to standard error, and to a file in the state directory where there is one.
    pub fn start_log(&self, workspace: Option<&Workspace>) -> Result<(), AppError> {
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
        let colour = self.has_colour(io::stderr().is_terminal());
        let writer: LogWriter = self.progress.log_writer();
        let to_person = fmt::layer().with_writer(writer).with_ansi(colour).with_target(false);
        let to_person = match self.global.log_format {
            LogFormat::Text => to_person.without_time().boxed(),
            LogFormat::Json => to_person.json().boxed(),
        };
        let to_file = match workspace {
            None => None,
            Some(workspace) => {
                let file = workspace.open_log_file()?;
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

    pub fn has_colour(&self, is_terminal: bool) -> bool {
        let variable = |name: &str| std::env::var_os(name);
        self.global.color.decide(is_terminal, variable("NO_COLOR").as_deref(), variable("TERM").as_deref())
    }

    /// How reports for people look here, with every entry.
    pub fn report_style(&self, to: To) -> Style {
        Style {
            color: self.has_colour(to.is_terminal()),
            width: fitting_width(to),
            lines: if to.is_terminal() { LineBreaks::Fitted } else { LineBreaks::Whole },
            redact: self.configured.get().map(|known| known.notices.report.redact.clone()).unwrap_or_default(),
            invocation: self.global.invocation(),
            ..Style::default()
        }
    }

    /// A line for people, or several.
    pub fn say(&self, text: &str) {
        if !self.global.quiet {
            self.say_even_if_quiet(text);
        }
    }

    /// The same for people who want to know no more than what went wrong.
    pub fn say_even_if_quiet(&self, text: &str) {
        self.pause_progress();
        let mut out = self.people_out();
        let to = if self.global.format == StdoutFormat::Json { To::Stderr } else { To::Stdout };
        // A reader that has gone misses a line; there is nobody left to tell.
        let _ = writeln!(out, "{}", fit_text(to, text)).and_then(|()| out.flush());
    }

    /// The last words of a command for a script: the summary. There is one; what comes after it is not told.
    pub fn close_with(&self, summary: &Summary) -> u8 {
        self.pause_progress();
        let is_first = self.told.set(summary.exit_code).is_ok();
        if is_first && self.global.format == StdoutFormat::Json {
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
        summary.exit_code
    }

    /// The same for a run.
    pub fn close_run(&self, end: RunEnd) -> u8 {
        let exit = self.close_with(&end.head.summary);
        self.keep_end(end.head, None);
        exit
    }

    /// The exit code that the summary says, where one was told.
    pub fn told_exit(&self) -> Option<u8> {
        self.told.get().copied()
    }

    /// Keeps how a run ended for [`Terminal::notify_end`].
    pub fn keep_end(&self, head: Head, error: Option<ErrorKind>) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some((head, error));
    }

    pub fn take_end(&self) -> Option<(Head, Option<ErrorKind>)> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notifies the machines that wait for the end of a run.
    pub async fn notify_end(self: &Arc<Self>) {
        if let (Some(configured), Some((head, error))) = (self.configured.get(), self.take_end()) {
            notify_machines(&self.session(), &configured.notices, head, error).await;
        }
    }

    /// Prints an object for a script.
    pub fn print_json(&self, object: &serde_json::Value) -> Result<(), AppError> {
        self.pause_progress();
        let mut out = Out::stdout();
        writeln!(out, "{object}").and_then(|()| out.flush()).map_err(output_error)
    }

    /// Says what went wrong, on standard error.
    pub fn print_error(&self, error: &AppError) {
        self.pause_progress();
        let mut out = Out::to(io::stderr());
        let _ = match &error.pointing {
            Some(diagnostic) => {
                let theme = if self.has_colour(io::stderr().is_terminal()) {
                    miette::GraphicalTheme::unicode()
                } else {
                    miette::GraphicalTheme::unicode_nocolor()
                };
                let mut text = String::new();
                let handler = miette::GraphicalReportHandler::new_themed(theme)
                    .with_links(false)
                    .with_width(fitting_width(To::Stderr));
                match handler.render_report(&mut text, diagnostic.as_ref()) {
                    Ok(()) => write!(out, "{text}"),
                    Err(_) => writeln!(out, "error: {}", error.message),
                }
            }
            None => {
                let hint = error.hint.as_ref().map(|hint| self.global.invocation().complete_commands(hint));
                let hint = hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
                writeln!(out, "{}", fit_text(To::Stderr, &format!("error: {}{hint}", error.message)))
            }
        }
        .and_then(|()| out.flush());
    }

    fn people_out(&self) -> Out {
        if self.is_apart() { Out::to(io::stderr()) } else { Out::stdout() }
    }

    /// Whether people are told on standard error: where standard output is a script's, and where it is to stay empty.
    fn is_apart(&self) -> bool {
        self.global.format == StdoutFormat::Json || self.global.quiet
    }

    /// Listens for Ctrl-C and SIGTERM from here on: the first asks everything to stop, the second ends the process.
    pub fn listen_for_signals(&self) {
        let Some(mut signals) = Signals::start() else { return };
        let stop = self.stop.clone();
        let (monitor, progress, is_asking) = (self.monitor(), self.progress.clone(), Arc::clone(&self.is_asking));
        tokio::spawn(async move {
            while let Some(origin) = signals.next().await {
                if origin == SignalOrigin::Keyboard {
                    progress.show_interrupt();
                }
                if stop.is_requested() {
                    // The journal holds every intent; nothing has to be tidied up.
                    std::process::exit(i32::from(Exit::Paused as u8));
                }
                if !is_asking.load(Ordering::Relaxed) {
                    monitor.note("stopping: requests under way finish; a second signal stops at once");
                }
                stop.request();
            }
        });
    }
}

impl Interaction for Terminal {
    /// On standard output, or on standard error where that belongs to a script. Of each kind as many entries as a person
    /// reads to that extent; all of them with `-v`. With `-q` only a record of something that went wrong is shown.
    fn show_record(&self, record: RunRecord<'_>, extent: Extent) -> Result<(), AppError> {
        if self.global.quiet && record.head.summary.outcome.is_as_wanted() {
            return Ok(());
        }
        self.pause_progress();
        let mut out = self.people_out();
        let style = self.report_style(if self.is_apart() { To::Stderr } else { To::Stdout });
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
            .and_then(|()| render(record, Form::Text, &style, &mut out))
            .and_then(|()| out.flush())
            .map_err(|error| AppError::new(ErrorKind::Output, format!("the report cannot be written: {error}")))
    }

    fn receive(&self, notice: Notice<'_>) {
        match notice {
            Notice::FailedBesides(error) => self.print_error(error),
            Notice::NobodyChosen(name) => self
                .monitor()
                .note(&format!("--only {}: the plan changes nobody with this key, identity or account", visible(name))),
            notice => self.say(&describe_notice(notice)),
        }
    }

    /// Ctrl-C is an answer too: nothing began, so there is nothing to wait for.
    fn ask_consent<'a>(&'a self, question: &'a ConsentQuestion<'a>) -> BoxFuture<'a, Result<ConsentReply, AppError>> {
        Box::pin(async move {
            self.pause_progress();
            if !io::stdin().is_terminal() {
                return Err(AppError::new(ErrorKind::Declined, "nothing was applied: there is no terminal to ask")
                    .with_hint("--yes applies without asking"));
            }
            let text = consent_question(question);
            let unasked = |error: &dyn std::fmt::Display| {
                AppError::new(ErrorKind::Declined, format!("the question could not be asked: {error}"))
            };
            let _waiting = WaitingQuestion::begin(&self.is_asking);
            // On a thread that is left behind: nobody can take the reader away from a terminal.
            let asked =
                tokio::task::spawn_blocking(move || ask_yes_or_no(&text, &mut io::stdin().lock(), &mut io::stderr()));
            tokio::select! {
                answer = asked => match answer.map_err(|error| unasked(&error))?.map_err(|error| unasked(&error))? {
                    YesOrNo::Yes => Ok(ConsentReply::Yes),
                    YesOrNo::No => Ok(ConsentReply::No),
                },
                () = self.stop.wait_requested() => {
                    // The cursor still stands behind the question; a terminal that is gone has no lines.
                    let _ = writeln!(Out::to(io::stderr()));
                    Ok(ConsentReply::Interrupted)
                }
            }
        })
    }
}

/// A question waits for its answer as long as this lives: a signal is an answer then, and needs no words.
struct WaitingQuestion(Arc<AtomicBool>);

impl WaitingQuestion {
    fn begin(is_asking: &Arc<AtomicBool>) -> Self {
        is_asking.store(true, Ordering::Relaxed);
        Self(Arc::clone(is_asking))
    }
}

impl Drop for WaitingQuestion {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn fitting_width(to: To) -> usize {
    choose_width(std::env::var("COLUMNS").ok().as_deref(), to.columns())
}

/// A text as it is, or on a terminal in lines that fit it.
fn fit_text(to: To, text: &str) -> String {
    if !to.is_terminal() {
        return text.to_owned();
    }
    let columns = fitting_width(to);
    text.split('\n').map(|line| fit_line(line, columns)).collect::<Vec<_>>().join("\n")
}
