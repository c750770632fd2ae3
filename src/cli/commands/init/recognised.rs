//! What was recognised and why, for a person at a terminal.

use super::interview::OpenQuestions;
use crate::app::init::SurveyedExport;
use crate::discovery::{Answers, Keys, Meaning, Proposal, Sense};
use crate::report::columns::{pad_text, text_width};
use crate::report::visible::{shortened, visible};
use crate::source::Form;

/// The columns of the table: a meaning and the name of a column.
const MEANING: usize = 12;
const NAME: usize = 24;
/// In less room than this the last column says nothing.
const NARROWEST: usize = 20;

/// What was seen, before anything is asked; `proposal` tells which columns are of use.
pub fn survey_lines(seen: &SurveyedExport, proposal: Option<&Proposal>, width: usize) -> Vec<String> {
    let mut lines = vec![describe_file(seen)];
    if !seen.sheets.is_empty() {
        let names: Vec<_> = seen.sheets.iter().map(|name| format!("\"{}\"", shortened(name, NAME))).collect();
        lines
            .extend(wrap_text(&format!("It is one of the sheets {}; --sheet names another.", names.join(", ")), width));
    }
    if let Some(product) = seen.recognised.product {
        lines.push(format!("Its columns are those of {}.", product.0));
    }
    if let Some(bad) = &seen.first_bad {
        let first =
            format!("{} cannot be read, the first on line {}: {}", count_rows(seen.bad), bad.place.line, bad.message);
        lines.push(visible(&first).into_owned());
    }
    lines.push(String::new());
    let (recognised, census) = (&seen.recognised, &seen.census);
    match census.identity() {
        Some(keys) => {
            let found = recognised.identities.iter().find(|found| found.column == keys.column);
            let why = found.map(|found| found.why.as_str()).unwrap_or_default();
            let why = format!("{why}; all {} different", census.rows);
            lines.push(table_row("identity", &recognised.columns[keys.column], &why, width));
        }
        None => {
            lines.push(table_row("identity", "-", "no column has a different value for every person", width));
            for keys in &census.identities {
                lines.push(table_row("", &recognised.columns[keys.column], &describe_flaws(keys, census.rows), width));
            }
        }
    }
    let is_used = |column: usize| proposal.is_some_and(|proposal| proposal.uses(&recognised.columns[column]));
    for found in recognised.found.iter().filter(|found| is_used(found.column)) {
        let why = match found.meaning {
            Meaning::Email | Meaning::Login => {
                let keys = if found.meaning == Meaning::Email { &census.email } else { &census.login };
                let repeated = keys.as_ref().map_or(0, |keys| keys.repeated);
                let unique = if repeated == 0 { "all different".to_owned() } else { format!("{repeated} repeated") };
                format!("{}, {unique}", found.why)
            }
            Meaning::Status | Meaning::Role => {
                describe_values(seen, found.meaning).unwrap_or_else(|| found.why.clone())
            }
            _ => found.why.clone(),
        };
        lines.push(table_row(found.meaning.name(), &recognised.columns[found.column], &why, width));
    }
    let unused = (0..recognised.columns.len()).filter(|at| !is_used(*at));
    let unused: Vec<_> = unused.map(|at| shortened(&recognised.columns[at], NAME)).collect();
    if !unused.is_empty() {
        lines.push(String::new());
        lines.extend(wrap_text(&format!("Not used: {}.", unused.join(", ")), width));
    }
    lines
}

/// What was made of it.
pub fn assumption_lines(proposal: &Proposal, open: &OpenQuestions, answers: &Answers) -> Vec<String> {
    let mut lines = Vec::new();
    let left: Vec<_> = open.values.iter().filter(|(value, _)| !answers.inactive.contains(value)).collect();
    if !left.is_empty() {
        let names: Vec<_> = left.iter().map(|(value, rows)| format!("{} ({rows})", shortened(value, NAME))).collect();
        lines.push(format!("Counted as people who keep their account: {}.", names.join(", ")));
    }
    if let Some(lookup) = &proposal.lookup {
        lines.push(format!("The ids of the teams are taken from {}.", visible(&lookup.path)));
    }
    lines
}

fn describe_file(seen: &SurveyedExport) -> String {
    let file = visible(&seen.file);
    let people = count_rows(seen.census.rows);
    let header = match seen.settings.header_row {
        1 => String::new(),
        line => format!(", names on line {line}"),
    };
    let form = match seen.guess.as_ref().map(|guess| &guess.form) {
        None => return format!("{file}: {people}"),
        Some(Form::Objects) => return format!("{file}: {people}, JSON Lines"),
        Some(Form::Workbook) => {
            let sheet = seen.settings.sheet.as_deref().map(|name| format!(", sheet \"{}\"", visible(name)));
            return format!("{file}{}: {people}{header}", sheet.unwrap_or_default());
        }
        Some(Form::Text(form)) => form,
    };
    let delimiter = match form.delimiter {
        b'\t' => "tabs".to_owned(),
        b',' => "commas".to_owned(),
        b';' => "semicolons".to_owned(),
        other => format!("\"{}\"", char::from(other)),
    };
    format!("{file}: {people}, {delimiter}, {}{header}", form.encoding_name)
}

/// The values of a column of choices, those that mean something first.
fn describe_values(seen: &SurveyedExport, meaning: Meaning) -> Option<String> {
    let values = seen.census.values.get(&meaning).filter(|values| !values.counts.is_empty())?;
    let list = |sense: Sense| {
        let of = values.that_are(sense).map(|(value, count)| format!("{} {count}", shortened(value, NAME)));
        of.collect::<Vec<_>>().join(", ")
    };
    if meaning != Meaning::Status {
        let all: Vec<_> =
            values.counts.iter().map(|(value, count)| format!("{} {count}", shortened(value, NAME))).collect();
        return Some(all.join(", "));
    }
    let senses = [
        ("in use", Sense::Active),
        ("left", Sense::Inactive),
        ("not yet here", Sense::NotYet),
        ("away", Sense::Away),
        ("unclear", Sense::Unknown),
    ];
    let parts = senses.into_iter().map(|(name, sense)| (name, list(sense))).filter(|(_, list)| !list.is_empty());
    Some(parts.map(|(name, list)| format!("{name}: {list}")).collect::<Vec<_>>().join("; "))
}

fn describe_flaws(keys: &Keys, rows: u64) -> String {
    let mut flaws = Vec::new();
    if keys.filled < rows {
        flaws.push(format!("{} empty", rows - keys.filled));
    }
    if keys.repeated > 0 {
        flaws.push(format!("{} repeated", keys.repeated));
    }
    flaws.join(", ")
}

/// A row of the table; what does not fit stands on lines of its own below the last column, or below the row where there is
/// no room for that column.
fn table_row(meaning: &str, name: &str, why: &str, width: usize) -> String {
    let name = shortened(name, NAME);
    let begin = format!("  {meaning:<MEANING$} {}  ", pad_text(&name, NAME));
    let indent = text_width(&begin);
    if width < indent + NARROWEST {
        let why = wrap_text(&visible(why), width.saturating_sub(6));
        return format!("  {meaning}: {name}\n      {}", why.join("\n      ")).trim_end().to_owned();
    }
    let why = wrap_text(&visible(why), width - indent);
    format!("{begin}{}", why.join(&format!("\n{}", " ".repeat(indent)))).trim_end().to_owned()
}

/// The text in lines of at most so many columns, broken between words.
pub fn wrap_text(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(line) + 1 + text_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn count_rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_table_where_there_is_room_and_two_lines_where_there_is_none() {
        let why = "261 of 261 are addresses, all different";
        assert_eq!(
            table_row("e-mail", "work_email", why, 66),
            "  e-mail       work_email                261 of 261 are addresses,\n                                         all different"
        );
        assert_eq!(
            table_row("e-mail", "work_email", why, 40),
            "  e-mail: work_email\n      261 of 261 are addresses, all\n      different"
        );
        assert_eq!(
            table_row("team", "所属", "a usual name", 64),
            "  team         所属                      a usual name"
        );
    }
}
