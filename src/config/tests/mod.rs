//! What a whole file comes to: its defaults, its errors as they are logged and shown, and what they must not show.

mod exports;
mod hidden;
mod shown;
mod values;

use std::path::Path;

use super::{ConfigError, Settings, parse};

/// The least that is a configuration.
const LEAST: &str = r#"[source]
path = "people.csv"
[target]
kind = "imichat"
base_url = "sandbox"
[match]
rules = [["login_id"]]
[map]
login_id = "login"
"#;

fn read(text: &str) -> Result<Settings, ConfigError> {
    parse(text, Path::new("/etc/headcount/config.toml"))
}

/// The settings of the least configuration and some more.
fn with(more: &str) -> Settings {
    read(&format!("{LEAST}{more}")).unwrap_or_else(|error| panic!("{error:#}"))
}

/// What is wrong with the least configuration and some more, in lines with their help, counted from the first of the
/// lines that were added.
fn wrong(more: &str) -> String {
    let error = read(&format!("{LEAST}{more}")).unwrap_err();
    lines(&error, LEAST.lines().count())
}

/// What is wrong once a text is replaced by another.
fn replaced(from: &str, to: &str) -> String {
    assert!(LEAST.contains(from), "{from}");
    lines(&read(&LEAST.replacen(from, to, 1)).unwrap_err(), 0)
}

fn lines(error: &ConfigError, before: usize) -> String {
    let line = |problem| {
        let place = error.position(problem).map(|(line, column)| format!("{}:{column}: ", line - before));
        let help = problem.help.as_ref().map(|help| format!(" ({help})"));
        format!("{}{}{}", place.unwrap_or_default(), problem.message, help.unwrap_or_default())
    };
    error.problems().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The error as a person sees it, without colours.
fn rendered(error: &ConfigError) -> String {
    let mut out = String::new();
    miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
        .with_width(120)
        .render_report(&mut out, error)
        .unwrap();
    out
}
