//! The forms that a report can take, and what a reader may choose of their looks.

use std::fmt;
use std::str::FromStr;

use super::Invocation;
use crate::model::text::nearest;

/// What a report is rendered as.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people at a terminal.
    Text,
    /// For a browser: one file that needs nothing else.
    Html,
    /// For a pull request or a ticket.
    Markdown,
    /// For programs: one object.
    Json,
    /// For spreadsheets: a line for each change.
    Csv,
}

impl Form {
    pub const ALL: [Self; 5] = [Self::Text, Self::Html, Self::Markdown, Self::Json, Self::Csv];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(name: &str) -> Result<Self, UnknownForm> {
        let names = || Self::ALL.into_iter().map(Self::name);
        Self::ALL.into_iter().find(|form| form.name() == name).ok_or_else(|| {
            let meant = nearest(name, names()).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            let known = names().collect::<Vec<_>>().join(", ");
            UnknownForm(format!("no report can be rendered as `{}`: the forms are {known}{meant}", name.escape_debug()))
        })
    }
}

/// A form that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownForm(String);

/// How much a text says of the entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Every entry with its values.
    #[default]
    Whole,
    /// Before a run: of what is about to be done, a line each.
    Preview,
    /// After a run: what was not done, all of it and with its values, and the findings that ask for somebody's hand.
    /// What was done is counted.
    Result,
}

/// What becomes of lines of text that are longer than there are columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineBreaks {
    /// They stay whole, so that they can be searched: in a file, in a log.
    #[default]
    Whole,
    /// They are broken between words: a terminal would break them anywhere.
    Fitted,
}

/// What a reader may choose. Colour, width and limit matter to people only; json and csv are always whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Text: whether signs and headings are coloured. They mean the same without.
    pub color: bool,
    /// Text: columns of the terminal; long values are shortened to fit.
    pub width: usize,
    /// Text: what becomes of lines that are longer all the same.
    pub lines: LineBreaks,
    /// Text: how much is said of the entries.
    pub extent: Extent,
    /// Text: how many entries of each kind are shown (what was not done in a run is always shown); markdown: how many
    /// changes, failures and findings. The rest are counted. What failed or is unknown is counted apart, so that a thousand successes never hide it. None: text
    /// shows all, markdown the first 50 of each, and no more than fits a comment on GitHub.
    pub limit: Option<usize>,
    /// Attributes whose values read `(redacted)`, in every form; with a dot for a key inside an object. Keys,
    /// identities and account ids name a person and are always shown.
    pub redact: Vec<String>,
    /// Text, html and markdown: how the commands that are hinted at are called.
    pub invocation: Invocation,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
            lines: LineBreaks::Whole,
            extent: Extent::Whole,
            limit: None,
            redact: Vec::new(),
            invocation: Invocation::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_found_by_its_name() {
        for form in Form::ALL {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
    }

    #[test]
    fn an_unknown_form_says_which_there_are_and_which_was_meant() {
        let error = |name: &str| name.parse::<Form>().unwrap_err().to_string();
        assert_eq!(
            error("sarif"),
            "no report can be rendered as `sarif`: the forms are text, html, markdown, json, csv"
        );
        assert!(error("markdwn").ends_with("did you mean `markdown`?"));
        assert!(!error("\x1b[2J").contains('\x1b'));
    }
}
