//! The reference for people, as Markdown. A heading for each setting, so that each can be linked to.

use std::fmt::Write as _;

use super::templates::{FILTERS, USUAL};
use super::{Keys, Kind, Otherwise, Presence, Rule, SECRET, SECTIONS, Section, Setting, Takes, Zero};

/// Columns of the text, but for what cannot be broken.
const WIDTH: usize = 120;

/// `docs/configuration.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = Page(String::from("# The configuration\n\n"));
    page.block(include_str!("introduction.md"));
    page.contents();
    for section in SECTIONS {
        page.section(section);
    }
    page.secrets();
    page.0
}

struct Page(String);

impl Page {
    /// Text that is broken into lines already.
    fn block(&mut self, text: &str) {
        let _ = writeln!(self.0, "{}\n", text.trim_end());
    }

    fn paragraph(&mut self, text: &str) {
        wrapped(text, "", "", &mut self.0);
        self.0.push('\n');
    }

    fn item(&mut self, text: &str) {
        wrapped(text, "- ", "  ", &mut self.0);
    }

    fn heading(&mut self, level: usize, text: &str) {
        let _ = writeln!(self.0, "{} {text}\n", "#".repeat(level));
    }

    fn example(&mut self, toml: &str) {
        let _ = writeln!(self.0, "```toml\n{}```\n", aligned(toml));
    }

    fn contents(&mut self) {
        for section in SECTIONS {
            let link = |prefix: &str, setting: &Setting| {
                format!("[`{}`](#{})", setting.name, anchor(&format!("{prefix}.{}", setting.name)))
            };
            let links = |prefix: &str, settings: &[Setting]| {
                settings.iter().map(|setting| link(prefix, setting)).collect::<Vec<_>>().join(", ")
            };
            let title = title(section);
            let needed = if section.presence == Presence::Needed { ", needed" } else { "" };
            let head = format!("[`{title}`](#{}){needed}", anchor(&title));
            match section.keys {
                Keys::These(settings) => self.item(&format!("{head}: {}", links(section.name, settings))),
                Keys::Named(settings) => self.item(&format!("{head}: {}", links("lookup.NAME", settings))),
                Keys::Attributes(settings) => self.item(&format!(
                    "{head}: {}; [templates](#templates) and [filters](#filters)",
                    links("map.ATTRIBUTE", settings)
                )),
                Keys::OfKinds { common, kinds } => {
                    let of = |kind: &Kind| format!("[those of {}](#{})", kind.system, anchor(kind.system));
                    let kinds: Vec<_> = kinds.iter().map(of).collect();
                    self.item(&format!("{head}: {}; {}", links(section.name, common), kinds.join(", ")));
                }
            }
        }
        self.item("[Secrets](#secrets)");
        self.0.push('\n');
    }

    fn section(&mut self, section: &Section) {
        self.heading(2, &format!("`{}`", title(section)));
        let needed = match section.presence {
            Presence::Needed => "It has to be there.",
            Presence::Optional => "It may be left out.",
        };
        self.paragraph(&format!("{} {needed}", section.says));
        self.example(section.example);
        if !section.more.is_empty() {
            if section.more.contains('\n') { self.block(section.more) } else { self.paragraph(section.more) }
        }
        match section.keys {
            Keys::These(settings) => self.settings(3, section.name, settings),
            Keys::Named(settings) => self.settings(3, &format!("{}.NAME", section.name), settings),
            Keys::Attributes(settings) => {
                self.settings(3, &format!("{}.ATTRIBUTE", section.name), settings);
                self.templates();
            }
            Keys::OfKinds { common, kinds } => {
                self.settings(3, section.name, common);
                for kind in kinds {
                    self.kind(section, kind);
                }
            }
        }
    }

    fn kind(&mut self, section: &Section, kind: &'static Kind) {
        self.heading(3, kind.system);
        self.paragraph(&format!("`kind = \"{}\"` has these settings besides. {}", kind.name, ways(kind)));
        self.example(kind.example);
        for setting in kind.settings {
            self.setting(4, section.name, setting, Some(kind));
        }
    }

    fn settings(&mut self, level: usize, prefix: &str, settings: &[Setting]) {
        settings.iter().for_each(|setting| self.setting(level, prefix, setting, None));
    }

    fn setting(&mut self, level: usize, prefix: &str, setting: &Setting, kind: Option<&'static Kind>) {
        self.heading(level, &format!("`{prefix}.{}`", setting.name));
        self.paragraph(setting.says);
        let words = match &setting.takes {
            Takes::Choice(words) => *words,
            Takes::List { of: Takes::Choice(words), .. } => words,
            _ => &[],
        };
        if !words.is_empty() {
            for word in words {
                let quoted = format!("\"{}\"", word.name);
                let is_default = matches!(setting.otherwise, Otherwise::Default(toml) if toml == quoted);
                let default = if is_default { " (default)" } else { "" };
                self.item(&format!("`{quoted}`{default}: {}", word.says));
            }
            self.0.push('\n');
        }
        let said = facts(setting, kind);
        if !said.is_empty() {
            self.paragraph(&said);
        }
        let inner = inner(&setting.takes);
        if !inner.is_empty() {
            inner.iter().for_each(|setting| self.inner(setting));
            self.0.push('\n');
        }
    }

    /// A setting of a table within a setting.
    fn inner(&mut self, setting: &Setting) {
        let needed = if setting.otherwise == Otherwise::Needed { ", needed" } else { "" };
        let otherwise = if needed.is_empty() { otherwise(setting, None) } else { String::new() };
        let said = [setting.says.to_owned(), takes(&setting.takes), otherwise];
        let said: Vec<_> = said.into_iter().filter(|said| !said.is_empty()).collect();
        self.item(&format!("`{}`{needed}: {}", setting.name, said.join(" ")));
        if let Takes::List { of: Takes::Choice(words), .. } = &setting.takes {
            for word in *words {
                wrapped(&format!("`\"{}\"`: {}", word.name, word.says), "  - ", "    ", &mut self.0);
            }
        }
    }

    fn templates(&mut self) {
        self.heading(3, "Templates");
        self.block(include_str!("templates.md"));
        self.heading(3, "Filters");
        let usual = USUAL.map(|name| format!("`{name}`")).join(", ");
        self.paragraph(&format!(
            "A filter stands behind `|` and works on the text in front of it; several work one after the other. These come \
             with headcount; of those of minijinja the usual ones are {usual}."
        ));
        self.0.push_str("| filter | makes | example |\n|---|---|---|\n");
        for filter in &FILTERS {
            let (from, to) = filter.example;
            let _ = writeln!(self.0, "| `{}` | {} | `{from}` → `{to}` |", filter.call, filter.says);
        }
        self.0.push('\n');
        self.paragraph(
            "Dates are read as exports write them: `2024-03-01`, with or without a time; `1.3.2024`; `25/03/2024` and \
             `3/25/2024`; `1 Mar 2024`, `March 1, 2024`. What could be two different days, such as `03/04/2024`, makes the \
             row invalid. The function `today()` gives the day of the run, by the clock of the machine, as `2024-03-01`.",
        );
    }

    fn secrets(&mut self) {
        self.heading(2, "Secrets");
        self.block(include_str!("secrets.md"));
        SECRET.iter().for_each(|setting| {
            let said = format!("`{}`: {} {}", setting.name, setting.says, takes(&setting.takes));
            self.item(&said);
        });
        self.0.push('\n');
        self.0.push_str(
            "```toml\n[target]\nkind     = \"imichat\"\nbase_url = \"https://acme.imi.chat/v3.1\"\ndomain   = \
             \"acme.imi.chat\"\napi_key  = { command = [\"pass\", \"show\", \"imichat\"] }   # or { env = \"IMICHAT_API_KEY\" }, \
             or { file = \"imichat.key\" }\n```\n",
        );
    }
}

fn title(section: &Section) -> String {
    match section.keys {
        Keys::Named(_) => format!("[{}.NAME]", section.name),
        _ => format!("[{}]", section.name),
    }
}

/// Names in a sentence.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        all => all.concat(),
    }
}

/// How the settings of a kind sign in.
fn ways(kind: &Kind) -> String {
    match kind.ways {
        [way] => format!("To sign in, {} are needed, unless `base_url` is `\"sandbox\"`.", listed(way)),
        ways => {
            let ways: Vec<_> = ways.iter().map(|way| listed(way)).collect();
            format!(
                "There are several ways to sign in, of which exactly one is needed, unless `base_url` is `\"sandbox\"`: {}.",
                ways.join("; ")
            )
        }
    }
}

/// What a setting takes and what counts without it, in a sentence or two; the text that editors show has it too.
pub(super) fn facts(setting: &Setting, kind: Option<&'static Kind>) -> String {
    let has_words = matches!(&setting.takes, Takes::Choice(_));
    let takes = if has_words { String::new() } else { takes(&setting.takes) };
    let otherwise = otherwise(setting, kind);
    let first = setting.otherwise == Otherwise::Needed || otherwise.starts_with("**");
    let parts = if first { [otherwise, takes] } else { [takes, otherwise] };
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn otherwise(setting: &Setting, kind: Option<&'static Kind>) -> String {
    match setting.otherwise {
        // The words of a choice mark it themselves.
        Otherwise::Default(_) if matches!(setting.takes, Takes::Choice(_)) => String::new(),
        Otherwise::Default(toml) => format!("Default: `{toml}`."),
        Otherwise::Without(what) => format!("Without it, {what}."),
        Otherwise::Needed => "**Needed.**".to_owned(),
        Otherwise::OneOf(names) => format!("Exactly one of {} is needed.", listed(names)),
        Otherwise::ToSignIn => {
            let way = |kind: &'static Kind| kind.ways.iter().find(|way| way.contains(&setting.name));
            let others: Vec<_> = kind.and_then(way).into_iter().flat_map(|way| way.iter().copied()).collect();
            let others: Vec<_> = others.into_iter().filter(|name| *name != setting.name).collect();
            match others.as_slice() {
                _ if kind.is_some_and(|kind| kind.ways.len() == 1) => {
                    "**Needed**, unless `base_url` is `\"sandbox\"`.".to_owned()
                }
                [] => "It signs in by itself.".to_owned(),
                others => format!("It signs in together with {}.", listed(others)),
            }
        }
    }
}

/// A sentence on what is taken.
fn takes(takes: &Takes) -> String {
    format!("Takes {}.", said(takes))
}

fn said(takes: &Takes) -> String {
    match takes {
        Takes::Boolean => "`true` or `false`".to_owned(),
        Takes::True => "`true`".to_owned(),
        Takes::Integer(range) if *range.end() == i64::MAX => format!("a whole number, at least {}", range.start()),
        Takes::Integer(range) => format!("a whole number, {} to {}", range.start(), range.end()),
        Takes::Number { range, zero } => {
            let or = if *zero == Zero::Allowed { ", or 0" } else { "" };
            format!("a number, {} to {}{or}", range.start(), range.end())
        }
        Takes::Text(form) => coded(form.said),
        Takes::Choice(words) => words.iter().map(|word| format!("`\"{}\"`", word.name)).collect::<Vec<_>>().join(", "),
        Takes::List { said, .. } | Takes::Table { said, .. } | Takes::Any { said, .. } => coded(said),
        Takes::Secret(variable) => format!("[a secret](#secrets) such as `{{ env = \"{variable}\" }}`"),
        Takes::Literal => "a string, `true`, `false`, a number, or a list or table of them".to_owned(),
    }
}

/// The settings of the table that is taken, where they need words of their own.
fn inner(takes: &Takes) -> &'static [Setting] {
    match takes {
        Takes::Table { settings, rule: Rule::Free, .. } => settings,
        Takes::Any { of, .. } => of.iter().map(inner).find(|settings| !settings.is_empty()).unwrap_or(&[]),
        _ => &[],
    }
}

/// The text of a message, with what stands in quotes, braces and brackets as code.
fn coded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut depth, mut quoted) = (0_usize, false);
    for c in text.chars() {
        let was_code = depth > 0 || quoted;
        match c {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_code = depth > 0 || quoted;
        if is_code && !was_code {
            out.push('`');
        }
        out.push(c);
        if was_code && !is_code {
            out.push('`');
        }
    }
    out
}

/// The name that a heading can be linked by, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// The comments of an example below each other, one blank line's worth behind the longest line.
fn aligned(toml: &str) -> String {
    let parts = || toml.lines().map(|line| line.split_once("   # ").unwrap_or((line, "")));
    let longest =
        parts().filter(|(_, comment)| !comment.is_empty()).map(|(line, _)| line.trim_end().chars().count()).max();
    let mut out = String::with_capacity(toml.len());
    for (line, comment) in parts() {
        let line = line.trim_end();
        let _ = match comment {
            "" => writeln!(out, "{line}"),
            comment => writeln!(out, "{line:width$}   # {}", comment.trim_start(), width = longest.unwrap_or(0)),
        };
    }
    out
}

/// Breaks a text between words, and never within code.
fn wrapped(text: &str, first: &str, rest: &str, out: &mut String) {
    out.push_str(first);
    let mut column = first.len();
    let mut begins = true;
    for word in words(text) {
        let width = word.chars().count();
        if !begins && column + 1 + width > WIDTH {
            let _ = write!(out, "\n{rest}");
            column = rest.len();
            begins = true;
        }
        if !begins {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        begins = false;
    }
    out.push('\n');
}

/// The words of a text; what stands in backticks is one.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut start, mut in_code) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '`' => in_code = !in_code,
            ' ' | '\n' if !in_code => {
                words.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&text[start..]);
    words.into_iter().filter(|word| !word.is_empty()).collect()
}
