//! What is wrong with a configuration: every problem with its place, ready to be logged line by line or shown with the
//! lines it is about. The text that is kept for showing has every secret in clear blotted out.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use super::redact;
use super::settings::Settings;
pub use crate::settings::Problem;

/// Everything that is wrong with one configuration file, in the order of the file; what has no place stands at the end.
///
/// `Display` gives one line for each problem, `config.toml:12:9: message`; `{:#}` adds what would be right. As a
/// [`Diagnostic`] it shows the lines themselves.
#[derive(Clone, Debug)]
pub struct ConfigError {
    source: NamedSource<String>,
    problems: Vec<Problem>,
}

impl ConfigError {
    /// A problem that a later stage finds with settings that were read without one.
    #[must_use]
    pub fn at(settings: &Settings, span: Range<usize>, message: impl Into<String>, help: Option<String>) -> Self {
        Self::all(settings, vec![Problem { message: message.into(), span: Some(span), help }])
    }

    /// As [`ConfigError::at`], for all that a later stage found.
    #[must_use]
    pub fn all(settings: &Settings, problems: Vec<Problem>) -> Self {
        Self::new(&settings.file, &settings.text, problems)
    }

    pub(super) fn new(file: &Path, text: &str, mut problems: Vec<Problem>) -> Self {
        let text = redact::hide_in_comments(text);
        for problem in &mut problems {
            // A renderer refuses a span beyond the text, and then shows nothing at all.
            problem.span = problem.span.take().map(|span| clip_span(&text, &span));
        }
        problems.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
        Self { source: NamedSource::new(file.display().to_string(), text), problems }
    }

    /// Blots out a part of the file that must not be shown, a secret in clear.
    #[must_use]
    pub fn hiding(self, secret: &Range<usize>) -> Self {
        let text = redact::hide_spans(self.text(), std::slice::from_ref(secret));
        let name = self.file().to_owned();
        Self { source: NamedSource::new(name, text), problems: self.problems }
    }

    /// The file as it was named.
    #[must_use]
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// The text that may be shown; places in it are those of the file.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.inner()
    }

    /// At least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Line and column of a problem, both from 1, the column in characters.
    #[must_use]
    pub fn position(&self, problem: &Problem) -> Option<(usize, usize)> {
        let before = self.text().get(..problem.span.as_ref()?.start)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(self.file())?;
            if let Some((line, column)) = self.position(problem) {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {}", problem.message)?;
            if let (true, Some(help)) = (f.alternate(), &problem.help) {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// One problem is shown with its help beneath; of several, each has its help at its place, because a list of helps
/// beneath would leave the reader to find out which belongs where.
impl Diagnostic for ConfigError {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problems.iter().any(|problem| problem.span.is_some()).then_some(&self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let several = self.problems.len() > 1;
        Some(Box::new(self.problems.iter().filter_map(move |problem| {
            let help = problem.help.clone().filter(|_| several);
            Some(LabeledSpan::new_with_span(help, problem.span.clone()?))
        })))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let helps: Vec<&str> = match self.problems.as_slice() {
            [only] => only.help.as_deref().into_iter().collect(),
            several => several.iter().filter(|p| p.span.is_none()).filter_map(|p| p.help.as_deref()).collect(),
        };
        (!helps.is_empty()).then(|| Box::new(helps.join("\n")) as Box<dyn fmt::Display>)
    }
}

/// The part of a span that lies within the text, at the borders of characters.
fn clip_span(text: &str, span: &Range<usize>) -> Range<usize> {
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, problems: &[(&str, Option<Range<usize>>)]) -> ConfigError {
        let problems = problems
            .iter()
            .map(|(message, span)| Problem {
                message: (*message).into(),
                span: span.clone(),
                help: Some("mend it".into()),
            })
            .collect();
        ConfigError::new(Path::new("config.toml"), text, problems)
    }

    #[test]
    fn problems_are_told_in_the_order_of_the_file_with_line_and_column() {
        let error = error("é = 1\nbb = 2\n", &[("nowhere", None), ("second", Some(8..10)), ("first", Some(5..6))]);
        assert_eq!(error.to_string(), "config.toml:1:5: first\nconfig.toml:2:2: second\nconfig.toml: nowhere");
        assert!(format!("{error:#}").starts_with("config.toml:1:5: first (mend it)\n"));
    }

    #[test]
    fn a_span_that_does_not_fit_the_text_is_cut_to_it() {
        let text = "é = 1";
        assert_eq!(clip_span(text, &(1..99)), 0..6);
        assert_eq!(clip_span(text, &(99..120)), 6..6);
        assert_eq!(error(text, &[("end", Some(99..120))]).to_string(), "config.toml:1:6: end");
    }

    #[test]
    fn what_is_hidden_is_not_in_the_text_and_moves_nothing() {
        let error = error("a = \"hunter2\"\nb = 1\n", &[("b", Some(14..15))]).hiding(&(4..13));
        assert_eq!(error.text(), "a = \"*******\"\nb = 1\n");
        assert_eq!(error.to_string(), "config.toml:2:1: b");
    }
}
