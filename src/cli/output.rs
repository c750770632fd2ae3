//! Where results go: standard output, which may be a terminal, a file, or a program that has stopped reading; and what
//! the reader of it wants to see.

use std::ffi::OsStr;
use std::io::{self, BufWriter, IsTerminal, Write};

use clap::ValueEnum;

use crate::app::{AppError, ErrorKind};
use crate::report::Summary;

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StdoutFormat {
    /// For people.
    #[default]
    Text,
    /// One summary object on standard output.
    Json,
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// Where a terminal shows it and `NO_COLOR` is not set.
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    /// Whether to colour what goes to a stream. What the person says on the command line counts more than the
    /// environment: `no_color` and `term` are the variables `NO_COLOR` and `TERM`.
    #[must_use]
    pub fn decide(self, is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let is_refused = no_color.is_some_and(|value| !value.is_empty());
                let is_dumb = term.is_some_and(|term| term == "dumb");
                is_terminal && !is_refused && !is_dumb
            }
        }
    }
}

/// The stream that something is shown on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Stdout,
    Stderr,
    File,
}

impl To {
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
            Self::File => false,
        }
    }

    /// How wide it is, where it is a terminal that says so.
    #[must_use]
    pub fn columns(self) -> Option<usize> {
        let size = match self {
            Self::Stdout => terminal_size::terminal_size_of(io::stdout()),
            Self::Stderr => terminal_size::terminal_size_of(io::stderr()),
            Self::File => None,
        };
        size.map(|(terminal_size::Width(columns), _)| usize::from(columns))
    }
}

/// The columns that a report may use: what the person says in `COLUMNS`, else what the terminal says, else 100, which
/// reads well in most windows.
#[must_use]
pub fn choose_width(columns: Option<&str>, terminal: Option<usize>) -> usize {
    let asked = columns.and_then(|columns| columns.trim().parse().ok());
    [asked, terminal].into_iter().flatten().find(|columns| (20..=1000).contains(columns)).unwrap_or(100)
}

/// Writes the summary as one line of JSON.
///
/// # Errors
/// Whatever writing fails with.
pub fn write_summary_json(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, summary)?;
    out.write_all(b"\n")
}

pub fn output_error(error: io::Error) -> AppError {
    AppError::new(ErrorKind::Output, format!("the output cannot be written: {error}"))
}

/// Buffered output that ends quietly: when the reader closes its end (`headcount show RUN | head`), what is written from
/// then on is dropped, because a run must not stop, or fail, for want of a reader.
pub struct Out {
    to: BufWriter<QuietWriter<Box<dyn Write + Send>>>,
}

impl Out {
    #[must_use]
    pub fn stdout() -> Self {
        Self::to(io::stdout())
    }

    pub fn to(stream: impl Write + Send + 'static) -> Self {
        Self { to: BufWriter::new(QuietWriter { to: Box::new(stream), is_closed: false }) }
    }

    /// Whether the reader has gone; known after the first write that reached it in vain.
    #[cfg(test)]
    fn is_closed(&self) -> bool {
        self.to.get_ref().is_closed
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

struct QuietWriter<W> {
    to: W,
    is_closed: bool,
}

impl<W> QuietWriter<W> {
    fn ignore_gone_reader<T>(&mut self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(instead)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for QuietWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let result = self.to.write(bytes);
        self.ignore_gone_reader(result, bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let result = self.to.flush();
        self.ignore_gone_reader(result, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes some bytes, then fails.
    struct Failing(usize, io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(self.1.into());
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_goes_ends_the_output_quietly() {
        let mut out = Out::to(Failing(10, io::ErrorKind::BrokenPipe));
        assert!(!out.is_closed());
        for _ in 0..10_000 {
            writeln!(out, "a line of a report").unwrap();
        }
        out.flush().unwrap();
        assert!(out.is_closed());
    }

    #[test]
    fn any_other_failure_is_an_error() {
        let mut out = Out::to(Failing(10, io::ErrorKind::StorageFull));
        write!(out, "more than ten bytes").unwrap();
        assert_eq!(out.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(!out.is_closed());
    }

    #[test]
    fn colour_follows_the_person_then_the_environment_then_the_terminal() {
        let set = Some(OsStr::new("1"));
        let empty = Some(OsStr::new(""));
        assert!(ColorChoice::Always.decide(false, set, Some(OsStr::new("dumb"))));
        assert!(!ColorChoice::Never.decide(true, None, None));
        assert!(ColorChoice::Auto.decide(true, None, Some(OsStr::new("xterm"))));
        assert!(ColorChoice::Auto.decide(true, empty, None));
        assert!(!ColorChoice::Auto.decide(true, set, None));
        assert!(!ColorChoice::Auto.decide(true, None, Some(OsStr::new("dumb"))));
        assert!(!ColorChoice::Auto.decide(false, None, None));
    }

    #[test]
    fn a_width_that_cannot_be_is_not_believed() {
        let asked = |columns| choose_width(columns, None);
        assert_eq!([Some("80"), Some("0"), Some("x"), Some("99999999"), None].map(asked), [80, 100, 100, 100, 100]);
    }

    #[test]
    fn the_terminal_is_as_wide_as_it_says_unless_the_person_says_otherwise() {
        assert_eq!(choose_width(None, Some(80)), 80);
        assert_eq!(choose_width(Some("x"), Some(80)), 80);
        assert_eq!(choose_width(Some("120"), Some(80)), 120);
        assert_eq!(choose_width(None, Some(0)), 100);
    }

    #[test]
    fn a_summary_is_one_line_of_json_that_reads_back() {
        let text = r#"{"headcount_summary":1,"command":"plan","run":"p-1","tenant":"a\nb","outcome":"no_changes","planned":{"create":0,"update":0,"deactivate":0,"reactivate":0,"delete":0},"found":{"unchanged":1,"drift":0,"conflict":0,"invalid":0,"skipped":0,"absent":0,"protected":0},"applied":{"create":0,"update":0,"deactivate":0,"reactivate":0,"delete":0},"held":0,"failed":0,"unknown":0,"requests":{"auth":1,"list":1,"lookup":0,"write":0,"retried":0,"total":2,"estimated":2},"quota":null,"elapsed_seconds":0.5,"exit_code":0}"#;
        let summary: Summary = serde_json::from_str(text).unwrap();
        let mut out = Vec::new();
        write_summary_json(&summary, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("{text}\n"));
    }
}
