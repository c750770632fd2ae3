//! What holds for any text whatever, read as a configuration. The fuzzer looks for one for which it does not.

use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::{ConfigError, parse};

/// What nobody may read. Seeds have it where a secret stands in clear.
const PLANTED: &str = "hunter2";
/// The settings of `[target]` that are secrets.
const SECRETS: [&str; 5] = ["api_key", "client_secret", "token", "password", "api-key"];

/// Reads the text: it is a configuration, the same one each time, or every problem has its place in the file and can be
/// shown, and nothing that is shown holds a secret.
pub fn any_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = Path::new("config.toml");
    match parse(text, file) {
        Ok(settings) => {
            let again = parse(text, file).map(|again| again.digest);
            assert_eq!(again.ok(), Some(settings.digest));
            // A line end is no part of what decides about a plan, unless a value has it.
            let _ = format!("{settings:?}");
        }
        Err(error) => {
            let shown = shown(&error);
            every_problem_has_its_place(text, &error);
            if stands_in_clear(text) {
                for shown in shown {
                    assert!(!shown.contains(PLANTED), "a secret is shown:\n{shown}");
                }
            }
        }
    }
}

/// The error in every form in which somebody may see it.
fn shown(error: &ConfigError) -> [String; 4] {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut rendered = String::new();
    assert!(handler.render_report(&mut rendered, error).is_ok(), "the error cannot be shown");
    [rendered, format!("{error:#}"), format!("{error:?}"), error.text().to_owned()]
}

fn every_problem_has_its_place(text: &str, error: &ConfigError) {
    assert!(!error.problems().is_empty());
    // Places in what is shown are places in the file.
    assert_eq!(error.text().len(), text.len());
    let breaks = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
    assert_eq!(breaks(error.text()), breaks(text));
    for problem in error.problems() {
        assert!(!problem.message.is_empty());
        let Some(span) = &problem.span else { continue };
        assert!(error.text().get(span.clone()).is_some() && text.get(span.clone()).is_some(), "{span:?}");
        let position = error.position(problem);
        let lines = text.matches('\n').count() + 1;
        assert!(position.is_some_and(|(line, column)| (1..=lines).contains(&line) && column > 0), "{position:?}");
    }
}

/// Whether the planted secret stands in the text once and as a secret: as the value of a secret's setting where the
/// text is TOML, on the line of one where it is none.
fn stands_in_clear(text: &str) -> bool {
    if text.matches(PLANTED).count() != 1 {
        return false;
    }
    match text.parse::<toml::Table>() {
        Ok(root) => {
            let table = |name: &str| root.get(name).and_then(toml::Value::as_table);
            let holds =
                |table: &toml::Table, names: &[&str]| names.iter().any(|name| table.get(*name).is_some_and(planted));
            table("target").is_some_and(|target| holds(target, &SECRETS))
                || table("report").is_some_and(|report| holds(report, &["webhook"]))
        }
        Err(_) => text.lines().any(|line| {
            let value = SECRETS.iter().find_map(|name| line.trim_start().strip_prefix(name));
            value.is_some_and(|rest| rest.trim_start().trim_start_matches(['=', ' ', '"', '\'']).starts_with(PLANTED))
        }),
    }
}

/// A table names where a secret is, and that may be shown.
fn planted(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => text.contains(PLANTED),
        toml::Value::Array(list) => list.iter().any(planted),
        _ => false,
    }
}
