//! The questions that an export leaves open. Enter takes the proposal; the end of the input, and three answers that
//! nobody understands, are no answer.

use std::io::{self, BufRead, Write};

use crate::app::init::SurveyedExport;
use crate::discovery::{Answers, Blueprint, Meaning, Sense, sense_of};
use crate::report::visible::{shortened, visible};

/// What is left open.
#[derive(Default)]
pub struct OpenQuestions {
    /// Columns that could be the identity, the proposed one first; none where there is nothing to choose.
    pub identities: Vec<(usize, String)>,
    pub status: String,
    /// Values of the status that may or may not mean that the account should rest, and how many rows have them.
    pub values: Vec<(String, u64)>,
    /// The system needs a team, and the export has none.
    pub needs_team: bool,
}

impl OpenQuestions {
    pub fn find(blueprint: &Blueprint, seen: &SurveyedExport) -> Self {
        let (recognised, census) = (&seen.recognised, &seen.census);
        let keys = recognised.identities.iter().zip(&census.identities).filter(|(_, keys)| census.is_key(keys));
        let keys: Vec<_> = keys.map(|(found, _)| (found.column, recognised.columns[found.column].clone())).collect();
        // A column that is called the number of the employee, and is one, is not worth a question.
        let is_certain = keys.first().is_some_and(|(column, _)| {
            let found = recognised.identities.iter().find(|found| found.column == *column);
            found.is_some_and(|found| found.is_named)
        });
        let values = census.values.get(&Meaning::Status).map(|values| {
            let open = |value: &&String| matches!(sense_of(value), Sense::Away | Sense::Unknown);
            values.counts.keys().filter(open).map(|value| (value.clone(), values.counts[value])).collect()
        });
        let has_team = [Meaning::Team, Meaning::Department].iter().any(|meaning| recognised.column(*meaning).is_some());
        Self {
            identities: if is_certain || keys.len() < 2 { Vec::new() } else { keys },
            status: recognised.name(Meaning::Status).unwrap_or_default().to_owned(),
            values: values.unwrap_or_default(),
            needs_team: blueprint.needs_team() && !has_team,
        }
    }
}

/// Somebody to ask.
pub struct Interview<'a> {
    pub input: &'a mut dyn BufRead,
    pub output: &'a mut dyn Write,
}

impl Interview<'_> {
    /// Asks everything that is open. None where a question was left without an answer.
    ///
    /// # Errors
    /// When a question cannot be written or an answer cannot be read.
    pub fn ask_questions(&mut self, open: &OpenQuestions) -> io::Result<Option<Answers>> {
        let mut answers = Answers::default();
        if !open.identities.is_empty() {
            writeln!(self.output, "\nWhich column never changes for a person, not even with a new name?")?;
            self.write_options(open.identities.iter().map(|(_, name)| name.clone()))?;
            let Some(chosen) =
                self.read_answer("Number, or Enter for 1", |text| parse_place(text, open.identities.len()))?
            else {
                return Ok(None);
            };
            answers.identity = Some(open.identities[chosen].0);
        }
        if !open.values.is_empty() {
            let status = visible(&open.status);
            writeln!(
                self.output,
                "\nNot every value of {status} is clear. Which of them mean that the account is inactive?"
            )?;
            self.write_options(open.values.iter().map(|(value, rows)| format!("{value} ({rows})")))?;
            let ask = "Numbers separated by spaces, or Enter for none";
            let Some(chosen) = self.read_answer(ask, |text| parse_places(text, open.values.len()))? else {
                return Ok(None);
            };
            answers.inactive = chosen.into_iter().map(|at| open.values[at].0.clone()).collect();
        }
        if open.needs_team {
            writeln!(self.output, "\nThe export has no team, and the system needs one. Which team do newcomers join?")?;
            let name = |text: &str| Some((!text.is_empty()).then(|| text.to_owned()));
            let Some(team) = self.read_answer("Its name, or Enter to fill it in later", name)? else { return Ok(None) };
            answers.team = team;
        }
        Ok(Some(answers))
    }

    /// Asks which of several sheets has the people; each comes with the number of its rows. None where nobody says.
    ///
    /// # Errors
    /// As [`Interview::ask_questions`].
    pub fn ask_sheet(&mut self, sheets: &[(String, u64)]) -> io::Result<Option<usize>> {
        writeln!(self.output, "\nThe workbook has several sheets. Which one has the people?")?;
        self.write_options(sheets.iter().map(|(name, rows)| format!("{name} ({rows})")))?;
        self.read_answer("Number, or Enter for 1", |text| parse_place(text, sheets.len()))
    }

    fn write_options(&mut self, options: impl Iterator<Item = String>) -> io::Result<()> {
        for (number, option) in (1..).zip(options) {
            writeln!(self.output, "  {number:>2}  {}", shortened(&option, 60))?;
        }
        Ok(())
    }

    fn read_answer<T>(&mut self, ask: &str, understand: impl Fn(&str) -> Option<T>) -> io::Result<Option<T>> {
        for _ in 0..3 {
            write!(self.output, "{ask}: ")?;
            self.output.flush()?;
            let mut line = Vec::new();
            if self.input.read_until(b'\n', &mut line)? == 0 {
                // The cursor still stands behind the question.
                writeln!(self.output)?;
                return Ok(None);
            }
            match std::str::from_utf8(&line).ok().and_then(|line| understand(line.trim())) {
                Some(answer) => return Ok(Some(answer)),
                None => writeln!(self.output, "That is not one of the answers.")?,
            }
        }
        Ok(None)
    }
}

/// The place of one of so many; the first where nothing is said.
fn parse_place(text: &str, of: usize) -> Option<usize> {
    if text.is_empty() {
        Some(0)
    } else {
        parse_places(text, of).filter(|chosen| chosen.len() == 1).map(|chosen| chosen[0])
    }
}

/// The places of some of so many.
fn parse_places(text: &str, of: usize) -> Option<Vec<usize>> {
    let numbers = text.split([' ', ',']).filter(|word| !word.is_empty());
    numbers.map(|word| word.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < of)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask_in_test(open: &OpenQuestions, typed: &str) -> (Option<Answers>, String) {
        let (mut input, mut output) = (typed.as_bytes(), Vec::new());
        let answers = Interview { input: &mut input, output: &mut output }.ask_questions(open).unwrap();
        (answers, String::from_utf8(output).unwrap())
    }

    fn open() -> OpenQuestions {
        OpenQuestions {
            identities: vec![(4, "sv".into()), (7, "badge".into())],
            status: "Status".into(),
            values: vec![("Elternzeit".into(), 2), ("Violet\u{1b}[2J".into(), 1)],
            needs_team: true,
        }
    }

    #[test]
    fn enter_takes_what_is_proposed() {
        let (answers, said) = ask_in_test(&open(), "\n\n\n");
        assert_eq!(answers, Some(Answers { identity: Some(4), ..Answers::default() }));
        assert!(said.contains("   1  sv") && said.contains("Elternzeit (2)") && !said.contains('\u{1b}'), "{said}");
    }

    #[test]
    fn answers_are_numbers_and_names() {
        let (answers, _) = ask_in_test(&open(), "2\n1, 2\nNight Shift\n");
        let answers = answers.unwrap();
        assert_eq!((answers.identity, answers.inactive.len()), (Some(7), 2));
        assert_eq!(answers.team.as_deref(), Some("Night Shift"));
    }

    #[test]
    fn what_is_not_understood_is_asked_again_and_no_answer_is_none() {
        assert!(ask_in_test(&open(), "3\n0\nx\n\n\n").0.is_none());
        assert!(ask_in_test(&open(), "1 2\n2\n\n\n").0.is_some_and(|answers| answers.identity == Some(7)));
        assert!(ask_in_test(&open(), "1\n").0.is_none());
    }

    #[test]
    fn the_sheet_is_asked_for_by_number() {
        let sheets = [("Employees".to_owned(), 40), ("Old\u{1b}[2J".to_owned(), 3)];
        let asked = |typed: &str| {
            let (mut input, mut output) = (typed.as_bytes(), Vec::new());
            let chosen = Interview { input: &mut input, output: &mut output }.ask_sheet(&sheets).unwrap();
            (chosen, String::from_utf8(output).unwrap())
        };
        assert_eq!((asked("\n").0, asked("2\n").0, asked("3\n2\n").0, asked("").0), (Some(0), Some(1), Some(1), None));
        let said = asked("\n").1;
        assert!(said.contains("1  Employees (40)") && !said.contains('\u{1b}'), "{said}");
    }

    #[test]
    fn nothing_is_asked_where_nothing_is_open() {
        assert_eq!(ask_in_test(&OpenQuestions::default(), ""), (Some(Answers::default()), String::new()));
    }
}
