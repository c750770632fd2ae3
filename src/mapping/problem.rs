//! What can be wrong: with the configuration, before any row is read, and with one row.

use std::fmt;
use std::ops::Range;

/// How many characters of a value a message shows.
const SHOWN: usize = 80;

/// Something wrong in `[map]` or `[source]`, and the bytes of the configuration file that say it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MapError {
    pub span: Range<usize>,
    pub message: String,
    /// What would be right, where that is known.
    pub help: Option<String>,
}

impl MapError {
    pub(super) fn new(span: &Range<usize>, message: impl Into<String>) -> Self {
        Self { span: span.clone(), message: message.into(), help: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Suggests the name that was probably meant, where there is one.
    pub(super) fn with_nearest(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(name) => self.with_help(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

/// Why one value of a row cannot be used. File and line stand in the row's [`crate::model::Place`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// The column, where the expression uses exactly one.
    pub column: Option<String>,
    /// None for what concerns the whole row: its identity, `source.include`.
    pub attribute: Option<String>,
    /// The value as it stands in the row or as a template made it, cut to 80 characters; never a secret.
    pub value: Option<String>,
    pub reason: String,
}

impl Invalid {
    pub(super) fn new(attribute: Option<&str>, column: Option<&str>, reason: impl Into<String>) -> Self {
        Self {
            column: column.map(str::to_owned),
            attribute: attribute.map(str::to_owned),
            value: None,
            reason: reason.into(),
        }
    }

    pub(super) fn with_value(mut self, value: &str) -> Self {
        self.value = Some(shorten_value(value));
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(attribute) = &self.attribute {
            write!(f, "{attribute}: ")?;
        }
        f.write_str(&self.reason)?;
        if let Some(value) = &self.value
            // A reason that quotes the value itself says it once.
            && !self.reason.contains(&format!("\"{value}\""))
        {
            write!(f, ": \"{value}\"")?;
        }
        if let Some(column) = &self.column {
            write!(f, " (column {column})")?;
        }
        Ok(())
    }
}

/// A value as a message shows it: at most 80 characters, line breaks and other control characters as blanks.
pub(super) fn shorten_value(value: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let mut chars = value.chars();
    let mut shown: String = chars.by_ref().take(SHOWN).map(visible).collect();
    if chars.next().is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_and_stays_on_one_line() {
        let shown = shorten_value(&"x\n".repeat(100));
        assert_eq!(shown.chars().count(), 80);
        assert!(shown.starts_with("x x x") && shown.ends_with('…'));
        assert_eq!(shorten_value("short"), "short");
    }

    #[test]
    fn a_message_says_attribute_reason_value_and_column() {
        let invalid =
            Invalid::new(Some("login_using_email"), Some("by_mail"), "neither true nor false").with_value("maybe");
        assert_eq!(invalid.to_string(), "login_using_email: neither true nor false: \"maybe\" (column by_mail)");
        let quoted = Invalid::new(Some("privileges"), Some("team"), "no team \"X\" in lookup teams").with_value("X");
        assert_eq!(quoted.to_string(), "privileges: no team \"X\" in lookup teams (column team)");
    }
}
