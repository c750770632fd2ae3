//! A person as text: first what would be done and why, then what that rests on, then what was done before.

use std::io::{self, Write};

use super::{Candidate, Explanation, Listing, PersonHistory, Touched};
use crate::plan::person::{
    AccountMatch, AttributeStanding, MappedAttribute, Person, PersonDecision, PersonHold, PersonRow, SourceCell,
};
use crate::plan::{ActionKind, Change, FindingKind, SourceLine};
use crate::report::columns::{Fitted, pad_text, text_width};
use crate::report::text_colors::{CYAN, GREEN, RED, TextColors, YELLOW};
use crate::report::visible::{shortened, visible};
use crate::report::words::{LONGEST_MESSAGE, LONGEST_NAME, change_text, moment_text, outcome_text, shown_value};
use crate::report::wrapping::wrap_at;
use crate::report::{OutcomeResult, Style};

/// In less room than this a value says nothing, whatever the terminal's width.
const NARROWEST: usize = 16;

/// No colour at all, and the faint one.
const PLAIN: u8 = 0;
const DIM: u8 = 2;

pub(super) fn write(explanation: &Explanation, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let page = PersonPage { style, colors: TextColors(style.color) };
    let mut out = Fitted::new(style.width, out);
    match &explanation.person {
        Some(person) => page.write_person(person, explanation, &mut out)?,
        None if !explanation.candidates.is_empty() => page.write_candidates(explanation, &mut out)?,
        None => page.write_not_found(explanation, &mut out)?,
    }
    page.write_listing(explanation, &mut out)?;
    out.flush()
}

struct PersonPage<'s> {
    style: &'s Style,
    colors: TextColors,
}

impl PersonPage<'_> {
    fn write_person(&self, known: &PersonHistory, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        let PersonHistory { person, history } = known;
        let word = self.colors.paint_color(decision_color(person.decision), &decision_text(person));
        writeln!(out, "{}: {word}", self.colors.paint_bold(&shortened(&person.key, LONGEST_NAME)))?;
        self.write_paragraph(2, &person.because, out)?;
        self.write_decision(person, out)?;

        self.write_heading("The row", out)?;
        match &person.row {
            Some(row) => self.write_row(row, out)?,
            None => writeln!(out, "  none: nobody in the export has this account")?,
        }
        self.write_heading("The account", out)?;
        self.write_account(person, explanation, out)?;
        if !person.attributes.is_empty() {
            self.write_heading("Each attribute, and where its value comes from", out)?;
            let widest = person.attributes.iter().map(|attribute| text_width(&attribute.attribute)).max();
            let column = widest.unwrap_or_default().min(28);
            person.attributes.iter().try_for_each(|attribute| self.write_attribute(attribute, column, out))?;
        } else if let Some(account) = &person.account {
            self.write_heading("What the application shows", out)?;
            for (name, value) in &account.values {
                let room = self.style.width.saturating_sub(text_width(name) + 4).max(NARROWEST);
                writeln!(out, "  {}: {}", shortened(name, LONGEST_NAME), shown_value(value, room))?;
            }
        }
        self.write_heading("What runs did", out)?;
        if history.is_empty() {
            writeln!(out, "  nothing, as far as the journal goes back")?;
        }
        history.iter().try_for_each(|touched| self.write_run_change(touched, out))
    }

    /// What would be done, what of it waits, what else is to be said.
    fn write_decision(&self, person: &Person, out: &mut dyn Write) -> io::Result<()> {
        if let Some(action) = &person.action {
            // Of a new account every attribute is new, and they all stand below.
            if action.account.is_some() {
                self.write_changes(&action.changes, 4, out)?;
            }
            for warning in &action.warnings {
                let text = format!("warning: {}", shortened(warning, LONGEST_MESSAGE));
                writeln!(out, "  {}", self.colors.paint_color(YELLOW, &text))?;
            }
        }
        if let Some(finding) = person.finding.as_ref().filter(|finding| !finding.changes.is_empty()) {
            writeln!(out, "  {}: {}", finding.finding.as_str(), shortened(&finding.reason, LONGEST_MESSAGE))?;
            self.write_changes(&finding.changes, 4, out)?;
        }
        for stopped in &person.stopped {
            let text = format!("held, with everything else: {stopped}");
            self.write_painted(YELLOW, 2, &text, out)?;
        }
        let Some(PersonHold { kind, count, limit, setting, approve }) = &person.held else { return Ok(()) };
        let text =
            format!("held: {count} to {kind}, and {setting} allows {limit}; look at all of them, then release them:");
        self.write_painted(YELLOW, 2, &text, out)?;
        let command = self.style.invocation.whole_command(&format!("sync --approve {}", visible(approve)));
        writeln!(out, "    {command}")
    }

    fn write_row(&self, row: &PersonRow, out: &mut dyn Write) -> io::Result<()> {
        let identity =
            row.identity.as_deref().map(|identity| format!(", identity {}", shortened(identity, LONGEST_NAME)));
        writeln!(out, "  {}{}", source_place(&row.source), identity.unwrap_or_default())?;
        if let Some(problem) = &row.problem {
            self.write_paragraph(2, &format!("cannot be used: {}", shortened(problem, LONGEST_MESSAGE)), out)?;
        }
        if !row.included {
            let cells = self.cells_text(&row.include_cells);
            let cells = if cells.is_empty() { cells } else { format!(", where {cells}") };
            self.write_paragraph(2, &format!("left out by source.include{cells}"), out)?;
        }
        Ok(())
    }

    fn write_account(&self, person: &Person, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        let AccountMatch { by, remembered, rules, candidates } = &person.matching;
        match &person.account {
            Some(account) => {
                let active = match account.active {
                    Some(true) => ", active",
                    Some(false) => ", inactive",
                    None => "",
                };
                writeln!(out, "  {}{active}{}", shortened(account.id.as_str(), LONGEST_NAME), found_by(person))?;
                if let Some(why) = &account.protected {
                    writeln!(out, "  never touched: {}", shortened(why, LONGEST_MESSAGE))?;
                }
            }
            None if !candidates.is_empty() => {
                let ids: Vec<_> = candidates.iter().map(|id| visible(id.as_str())).collect();
                self.write_paragraph(2, &format!("one of several: {}", ids.join(", ")), out)?;
            }
            None if explanation.listing.listed_at.is_none() && !explanation.listing.online => {
                writeln!(out, "  not known: no account was listed yet")?;
            }
            None if person.row.as_ref().is_some_and(|row| !row.included) => {
                return writeln!(out, "  not looked for");
            }
            None => writeln!(out, "  none was found")?,
        }
        if by.is_none() && person.row.is_some() {
            for rule in rules {
                let key = rule.key.as_deref().map_or("the row has no value".into(), |key| shortened(key, LONGEST_NAME));
                writeln!(out, "  looked for by {}: {key}", shortened(&rule.rule, LONGEST_NAME))?;
            }
        }
        match remembered {
            Some(id) if by.as_deref() != Some("link") => {
                let id = shortened(id.as_str(), LONGEST_NAME);
                writeln!(out, "  remembered for this identity: account {id}")
            }
            _ => Ok(()),
        }
    }

    fn write_attribute(&self, attribute: &MappedAttribute, column: usize, out: &mut dyn Write) -> io::Result<()> {
        let MappedAttribute { attribute: name, expression, cells, wanted, has, standing, problems, .. } = attribute;
        let (sign, paint, remark) = match standing {
            AttributeStanding::Same => (".", PLAIN, ""),
            AttributeStanding::Differs => ("~", CYAN, ""),
            AttributeStanding::Drift => ("=", YELLOW, "the application cannot change it"),
            AttributeStanding::New => ("+", GREEN, ""),
            AttributeStanding::Kept => (" ", PLAIN, "the cell is empty, so nothing is written"),
            AttributeStanding::OnCreate => (" ", PLAIN, "only sent when an account is made"),
            AttributeStanding::MatchOnly => (" ", PLAIN, "only used to find the account"),
            AttributeStanding::Unseen => (" ", PLAIN, "the application does not show it; nothing new to write"),
            AttributeStanding::NotCompared => (" ", PLAIN, ""),
            AttributeStanding::Invalid => ("!", RED, "cannot be used"),
        };
        let name = shortened(name, LONGEST_NAME);
        let room = self.style.width.saturating_sub(column.max(text_width(&name)) + 6).max(NARROWEST);
        let differs = matches!(standing, AttributeStanding::Differs | AttributeStanding::Drift);
        let value = match (wanted, has) {
            (Some(to), Some(from)) if differs => {
                change_text(&Change { attribute: String::new(), from: Some(from.clone()), to: to.clone() }, room)
            }
            (Some(value), _) => shown_value(value, room).into_owned(),
            (None, Some(value)) => shown_value(value, room).into_owned(),
            (None, None) => "–".to_owned(),
        };
        let sign = if paint == PLAIN { sign.to_owned() } else { self.colors.paint_color(paint, sign) };
        writeln!(out, "{sign} {}  {value}", pad_text(&name, column))?;
        if !remark.is_empty() {
            writeln!(out, "      {remark}")?;
        }
        for problem in problems {
            self.write_painted(RED, 6, &shortened(problem, LONGEST_MESSAGE), out)?;
        }
        let cells = self.cells_text(cells);
        let room = self.style.width.saturating_sub("      from ".len()).max(NARROWEST);
        let plain = attribute.cells.iter().map(|cell| cell.column.as_str()).eq([expression.trim_matches('"')]);
        if plain {
            return writeln!(out, "      {}", self.colors.paint_dim(&format!("from {}", shortened(&cells, room))));
        }
        writeln!(out, "      {}", self.colors.paint_dim(&format!("from {}", shortened(expression, room))))?;
        if cells.is_empty() {
            return Ok(());
        }
        writeln!(out, "      {}", self.colors.paint_dim(&format!("where {}", shortened(&cells, room))))
    }

    fn cells_text(&self, cells: &[SourceCell]) -> String {
        let said = |cell: &SourceCell| {
            let value = shortened(&cell.value, self.style.width.max(NARROWEST));
            format!("{} = \"{value}\"", shortened(&cell.column, LONGEST_NAME))
        };
        cells.iter().map(said).collect::<Vec<_>>().join(", ")
    }

    fn write_run_change(&self, touched: &Touched, out: &mut dyn Write) -> io::Result<()> {
        let Touched { run, command, started_at, action, outcome: came } = touched;
        let at = moment_text(came.at.unwrap_or(*started_at));
        let result = self.colors.paint_color(color_of(came.result), came.result.name());
        writeln!(out, "  {at}  {} {result}", action.action.as_str())?;
        writeln!(out, "    {}", self.colors.paint_dim(&format!("{command} {}", visible(run))))?;
        self.write_changes(&action.changes, 4, out)?;
        match outcome_text(came) {
            Some(text) => self.write_paragraph(4, &text, out),
            None => Ok(()),
        }
    }

    fn write_changes(&self, changes: &[Change], indent: usize, out: &mut dyn Write) -> io::Result<()> {
        for change in changes {
            let name = shortened(&change.attribute, LONGEST_NAME);
            let room = self.style.width.saturating_sub(text_width(&name) + indent + 2).max(NARROWEST);
            writeln!(out, "{:indent$}{name}: {}", "", change_text(change, room))?;
        }
        Ok(())
    }

    fn write_candidates(&self, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "Several go by \"{}\":", shortened(&explanation.asked, LONGEST_NAME))?;
        for candidate in &explanation.candidates {
            let Candidate { key, identity, source, account, decision } = candidate;
            let identity =
                identity.as_deref().map(|identity| format!("identity {}", shortened(identity, LONGEST_NAME)));
            let account = account.as_ref().map(|id| format!("account {}", shortened(id.as_str(), LONGEST_NAME)));
            let place = source.as_ref().map(source_place);
            let facts: Vec<_> = place.into_iter().chain(identity).chain(account).collect();
            writeln!(out, "  {}: {} ({})", shortened(key, LONGEST_NAME), decision.name(), facts.join(", "))?;
        }
        let line = explanation.candidates.iter().find_map(|candidate| candidate.source.as_ref());
        match line {
            Some(source) => {
                let command = self.style.invocation.whole_command(&format!("explain --line {}", source_place(source)));
                writeln!(out, "\nAsk for one of them by its identity, its account or its line:\n    {command}")
            }
            None => writeln!(out, "\nAsk for one of them by its account."),
        }
    }

    fn write_not_found(&self, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        let asked = shortened(&explanation.asked, LONGEST_NAME);
        let accounts = match (explanation.listing.online, explanation.listing.listed_at) {
            (true, _) => "nor in the application",
            (false, Some(_)) => "nor in the last listing of the accounts",
            (false, None) => "and no account was listed yet",
        };
        self.write_paragraph(0, &format!("Nobody goes by \"{asked}\", neither in the export {accounts}."), out)?;
        if !explanation.nearest.is_empty() {
            let names: Vec<_> = explanation.nearest.iter().map(|name| shortened(name, LONGEST_NAME)).collect();
            self.write_paragraph(0, &format!("The nearest names are {}.", names.join(", ")), out)?;
        }
        Ok(())
    }

    /// As of when all this holds.
    fn write_listing(&self, explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        let Listing { listed_at, age_seconds, changed_since, online, requests, .. } = &explanation.listing;
        writeln!(out)?;
        let mut text = match (listed_at, age_seconds) {
            (Some(at), Some(age)) => {
                format!("The accounts are as they were listed on {}, {} ago", moment_text(*at), age_text(*age))
            }
            _ => "No accounts were listed yet".to_owned(),
        };
        match changed_since {
            0 => {}
            1 => text.push_str("; what runs changed on 1 account since then is included"),
            count => text.push_str(&format!("; what runs changed on {count} accounts since then is included")),
        }
        let tenant = visible(&explanation.tenant);
        if *online {
            let requests = if *requests == 1 { "1 request".to_owned() } else { format!("{requests} requests") };
            text.push_str(&format!(". {tenant} was asked about this person just now ({requests})."));
        } else {
            text.push_str(&format!(". {tenant} was not asked: --online does that."));
        }
        self.write_painted(DIM, 0, &text, out)?;
        explanation.notes.iter().try_for_each(|note| {
            let note = self.style.invocation.complete_commands(note);
            self.write_paragraph(0, &format!("note: {}", shortened(&note, LONGEST_MESSAGE)), out)
        })
    }

    fn write_heading(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{}", self.colors.paint_bold(text))
    }

    fn write_paragraph(&self, indent: usize, text: &str, out: &mut dyn Write) -> io::Result<()> {
        self.write_painted(PLAIN, indent, text, out)
    }

    /// A text, broken between words so that it fits.
    fn write_painted(&self, code: u8, indent: usize, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let paint = |line: &str| if code == PLAIN { line.to_owned() } else { self.colors.paint_color(code, line) };
        let room = self.style.width.saturating_sub(indent);
        let lines = wrap_at(" ", &visible(text), room);
        lines.iter().try_for_each(|line| writeln!(out, "{:indent$}{}", "", paint(line)))
    }
}

/// What becomes of the person, in the fewest words.
fn decision_text(person: &Person) -> String {
    let is_waiting = person.held.is_some() || (person.action.is_some() && !person.stopped.is_empty());
    format!("{}{}", person.decision.name(), if is_waiting { ", held" } else { "" })
}

/// How the account was found, in words.
fn found_by(person: &Person) -> String {
    let AccountMatch { by, rules, .. } = &person.matching;
    match by.as_deref() {
        None => String::new(),
        Some("link") => ", remembered for this identity from an earlier run".to_owned(),
        Some(by) => {
            let key = rules.iter().find(|rule| rule.rule == by).and_then(|rule| rule.key.as_deref());
            let key = key.map(|key| format!(" {}", shortened(key, LONGEST_NAME))).unwrap_or_default();
            format!(", found by {}{key}", shortened(by, LONGEST_NAME))
        }
    }
}

fn source_place(source: &SourceLine) -> String {
    format!("{}:{}", shortened(&source.file, LONGEST_NAME), source.line)
}

/// A length of time as people say how old something is.
fn age_text(seconds: u64) -> String {
    let counted = |count: u64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match seconds {
        0..60 => counted(seconds, "second"),
        60..3600 => counted(seconds / 60, "minute"),
        3600..172_800 => counted(seconds / 3600, "hour"),
        _ => counted(seconds / 86_400, "day"),
    }
}

fn decision_color(decision: PersonDecision) -> u8 {
    match decision {
        PersonDecision::Action(ActionKind::Create | ActionKind::Reactivate) => GREEN,
        PersonDecision::Action(ActionKind::Update) => CYAN,
        PersonDecision::Action(ActionKind::Deactivate | ActionKind::Delete)
        | PersonDecision::Found(FindingKind::Drift | FindingKind::Absent) => YELLOW,
        PersonDecision::Found(FindingKind::Invalid | FindingKind::Conflict) => RED,
        _ => DIM,
    }
}

fn color_of(result: OutcomeResult) -> u8 {
    match result {
        OutcomeResult::Applied | OutcomeResult::Adopted => GREEN,
        OutcomeResult::Failed | OutcomeResult::Unknown => RED,
        OutcomeResult::Skipped | OutcomeResult::Held | OutcomeResult::Pending => YELLOW,
    }
}
