//! How far a run is, for people: bars on a terminal, a plain line every few seconds elsewhere (a log, a mail from cron).
//! Nothing here can stop a run: what cannot be written is not said.

mod bars;
mod lines;

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::MultiProgress;
use tracing_subscriber::fmt::MakeWriter;

use super::output::To;
use crate::clock::Clock;
use crate::model::{Done, Monitor, Phase};
use crate::report::visible::visible;
use crate::report::words::elapsed_text;

pub use bars::Bars;
pub use lines::ProgressLines;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    Bars,
    Lines,
    /// Only warnings.
    Nothing,
}

impl Show {
    /// `is_quiet` is `-q` or `--no-progress`; the terminal is that of standard error, `term` the variable `TERM`. A dumb
    /// terminal cannot move its cursor, so nothing can be drawn over.
    #[must_use]
    pub fn choose(is_quiet: bool, is_terminal: bool, term: Option<&OsStr>) -> Self {
        match (is_quiet, is_terminal && term.is_none_or(|term| term != "dumb")) {
            (true, _) => Self::Nothing,
            (false, true) => Self::Bars,
            (false, false) => Self::Lines,
        }
    }
}

/// The progress of one command, on standard error.
#[derive(Clone)]
pub struct Progress {
    kind: ProgressKind,
    log: LogWriter,
}

#[derive(Clone)]
enum ProgressKind {
    Bars(Arc<Bars>),
    Lines(Arc<ProgressLines>),
    Nothing(Arc<WarningsOnly>),
}

impl Progress {
    #[must_use]
    pub fn start(show: Show, clock: Arc<dyn Clock>) -> Self {
        match show {
            Show::Bars => {
                let columns = || To::Stderr.columns().unwrap_or(80);
                let bars = Bars::new(indicatif::ProgressDrawTarget::stderr(), columns);
                Self { log: bars.log_writer(), kind: ProgressKind::Bars(Arc::new(bars)) }
            }
            Show::Lines => {
                let log = LogWriter::to(io::stderr());
                Self { kind: ProgressKind::Lines(Arc::new(ProgressLines::new(clock, log.clone()))), log }
            }
            Show::Nothing => {
                let log = LogWriter::to(io::stderr());
                Self { kind: ProgressKind::Nothing(Arc::new(WarningsOnly::new(log.clone()))), log }
            }
        }
    }

    /// In a test: nobody hears it.
    #[cfg(test)]
    pub fn unheard() -> Self {
        let log = LogWriter::to(io::sink());
        Self { kind: ProgressKind::Nothing(Arc::new(WarningsOnly::new(log.clone()))), log }
    }

    #[must_use]
    pub fn monitor(&self) -> Arc<dyn Monitor> {
        match &self.kind {
            ProgressKind::Bars(bars) => Arc::clone(bars) as _,
            ProgressKind::Lines(lines) => Arc::clone(lines) as _,
            ProgressKind::Nothing(quiet) => Arc::clone(quiet) as _,
        }
    }

    /// Where everything else that goes to standard error must be written while progress is shown: tracing's lines, and
    /// what the command itself says.
    #[must_use]
    pub fn log_writer(&self) -> LogWriter {
        self.log.clone()
    }

    /// Somebody typed Ctrl-C, and a terminal that shows what is typed shows `^C`.
    pub fn show_interrupt(&self) {
        if let ProgressKind::Bars(bars) = &self.kind
            && io::stdin().is_terminal()
        {
            bars.wipe_interrupt(&mut io::stderr());
        }
    }

    /// Takes the bars away, or says the last numbers; to be called before a question is asked or a result is printed.
    pub fn finish(&self) {
        match &self.kind {
            ProgressKind::Bars(bars) => bars.finish(),
            ProgressKind::Lines(lines) => lines.finish(),
            ProgressKind::Nothing(_) => {}
        }
    }
}

/// Says warnings and nothing else.
pub struct WarningsOnly {
    log: LogWriter,
}

impl WarningsOnly {
    #[must_use]
    pub fn new(log: LogWriter) -> Self {
        Self { log }
    }
}

impl Monitor for WarningsOnly {
    fn rows_read(&self, _rows: u64, _total: Option<u64>) {}
    fn pages_listed(&self, _accounts: u64, _pages: u64, _of: Option<u64>) {}
    fn actions_done(&self, _progress: &Done) {}
    fn note(&self, text: &str) {
        self.log.write_line(&warning_line(text));
    }
    fn waiting(&self, _why: &str, _seconds: u64) {}
}

/// Writes whole lines beside the bars without tearing them: above them while they are shown, plainly otherwise. Made for
/// tracing, which writes one event at a time. It never fails: a terminal that is gone is no reason to stop a run.
#[derive(Clone)]
pub struct LogWriter {
    bars: Option<MultiProgress>,
    to: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl LogWriter {
    pub fn to(stream: impl Write + Send + 'static) -> Self {
        Self { bars: None, to: Arc::new(Mutex::new(Box::new(stream))) }
    }

    fn beside_bars(bars: MultiProgress) -> Self {
        Self { bars: Some(bars), ..Self::to(io::stderr()) }
    }

    fn write_line(&self, text: &str) {
        let _ = self.clone().write_all(format!("{text}\n").as_bytes());
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.bars {
            // Not `suspend`, which panics when the terminal is gone.
            Some(bars) if !bars.is_hidden() => {
                let text = String::from_utf8_lossy(bytes);
                let _ = bars.println(text.strip_suffix('\n').unwrap_or(&text));
            }
            _ => {
                let _ = self.to.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes);
            }
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        let _ = self.to.lock().unwrap_or_else(PoisonError::into_inner).flush();
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for LogWriter {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Reading => "reading",
        Phase::Listing => "listing",
        Phase::Executing => "executing",
    }
}

fn warning_line(text: &str) -> String {
    format!("warning: {}", visible(text))
}

fn waiting_line(why: &str, seconds: u64) -> String {
    let time = match seconds {
        0..60 => format!("{seconds} s"),
        // Seconds of a wait stay far below 2^53.
        _ => elapsed_text(seconds as f64),
    };
    format!("waiting {time}: {}", visible(why))
}

/// What went wrong and what is left, where there is anything to say: `2 failed, 3 retries, quota left 4880`.
fn describe_troubles(done: &Done) -> String {
    let Done { failed, unknown, retries, quota_left, .. } = *done;
    let counts = [(failed, "failed"), (unknown, "unknown"), (retries, "retries")];
    let some = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    some.chain(quota_left.map(|left| format!("quota left {left}"))).collect::<Vec<_>>().join(", ")
}

/// Steps a second, once there is something to tell it from.
fn steps_per_second(steps: u64, time: Duration) -> Option<f64> {
    // Counts stay far below 2^53.
    let rate = steps as f64 / time.as_secs_f64();
    (rate.is_finite() && rate > 0.0).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::progress::lines::tests::Page;

    #[test]
    fn bars_need_a_terminal_and_quiet_wins() {
        let xterm = Some(OsStr::new("xterm"));
        assert_eq!(Show::choose(false, true, xterm), Show::Bars);
        assert_eq!(Show::choose(false, true, Some(OsStr::new("dumb"))), Show::Lines);
        assert_eq!(Show::choose(false, false, xterm), Show::Lines);
        assert_eq!(Show::choose(true, true, xterm), Show::Nothing);
    }

    #[test]
    fn quiet_still_says_warnings_and_shows_no_escape_sequence() {
        let page = Page::default();
        let quiet = WarningsOnly::new(LogWriter::to(page.clone()));
        quiet.rows_read(5, None);
        quiet.waiting("429", 30);
        quiet.note("odd\x1b[2J\nname");
        assert_eq!(page.text(), "warning: odd\\u{1b}[2J\\nname\n");
    }

    #[test]
    fn tracing_can_write_through_it() {
        let page = Page::default();
        let subscriber = tracing_subscriber::fmt().with_writer(LogWriter::to(page.clone())).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, || tracing::warn!("token refreshed"));
        assert!(page.text().ends_with("token refreshed\n"), "{}", page.text());
    }

    #[test]
    fn a_wait_reads_in_units_that_fit() {
        assert_eq!(waiting_line("the server asked for it", 30), "waiting 30 s: the server asked for it");
        assert_eq!(waiting_line("quota", 7500), "waiting 2 h 5 min: quota");
    }
}
