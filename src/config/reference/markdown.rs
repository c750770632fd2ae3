//! The reference for people, as Markdown. A heading for each setting, so that each can be linked to.

use std::fmt::Write as _;

use super::templates::{FILTERS, USUAL};
use crate::config::sections::{ConfigSection, KindKeys, SectionKeys, all_sections};
use crate::settings::{Otherwise, Setting, TableRule, ValueKind, Word, Zero, secret_settings};

/// Columns of the text, but for what cannot be broken.
const WIDTH: usize = 120;

/// `docs/configuration.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = ReferencePage(String::from("# The configuration\n\n"));
    page.add_block(include_str!("introduction.md"));
    page.add_contents();
    for section in all_sections() {
        page.add_section(section);
    }
    page.add_secrets();
    page.0
}

struct ReferencePage(String);

impl ReferencePage {
    /// Text that is broken into lines already.
    fn add_block(&mut self, text: &str) {
        let _ = writeln!(self.0, "{}\n", text.trim_end());
    }

    fn add_paragraph(&mut self, text: &str) {
        write_wrapped(text, "", "", &mut self.0);
        self.0.push('\n');
    }

    fn add_item(&mut self, text: &str) {
        write_wrapped(text, "- ", "  ", &mut self.0);
    }

    fn add_heading(&mut self, level: usize, text: &str) {
        let _ = writeln!(self.0, "{} {text}\n", "#".repeat(level));
    }

    fn add_example(&mut self, toml: &str) {
        let _ = writeln!(self.0, "```toml\n{}```\n", aligned_comments(toml));
    }

    fn add_contents(&mut self) {
        for section in all_sections() {
            let link = |prefix: &str, setting: &Setting| {
                format!("[`{}`](#{})", setting.name, anchor_of(&format!("{prefix}.{}", setting.name)))
            };
            let links = |prefix: &str, settings: &[Setting]| {
                settings.iter().map(|setting| link(prefix, setting)).collect::<Vec<_>>().join(", ")
            };
            let title = title_of(section);
            let needed = if section.missing.is_some() { ", needed" } else { "" };
            let head = format!("[`{title}`](#{}){needed}", anchor_of(&title));
            match &section.keys {
                SectionKeys::These(settings) => self.add_item(&format!("{head}: {}", links(section.name, settings))),
                SectionKeys::Named(settings) => self.add_item(&format!("{head}: {}", links("lookup.NAME", settings))),
                SectionKeys::Attributes(settings) => self.add_item(&format!(
                    "{head}: {}; [templates](#templates) and [filters](#filters)",
                    links("map.ATTRIBUTE", settings)
                )),
                SectionKeys::OfKinds { common, kinds } => {
                    let of = |kind: &KindKeys| {
                        format!("[those of {0}](#{1})", kind.kind.system, anchor_of(kind.kind.system))
                    };
                    let kinds: Vec<_> = kinds.iter().map(of).collect();
                    self.add_item(&format!("{head}: {}; {}", links(section.name, common), kinds.join(", ")));
                }
            }
        }
        self.add_item("[Secrets](#secrets)");
        self.0.push('\n');
    }

    fn add_section(&mut self, section: &ConfigSection) {
        self.add_heading(2, &format!("`{}`", title_of(section)));
        let needed = if section.missing.is_some() { "Required." } else { "Optional." };
        self.add_paragraph(&format!("{} {needed}", section.says));
        self.add_example(section.example);
        if !section.more.is_empty() {
            if section.more.contains('\n') { self.add_block(section.more) } else { self.add_paragraph(section.more) }
        }
        match &section.keys {
            SectionKeys::These(settings) => self.add_settings(3, section.name, settings),
            SectionKeys::Named(settings) => self.add_settings(3, &format!("{}.NAME", section.name), settings),
            SectionKeys::Attributes(settings) => {
                self.add_settings(3, &format!("{}.ATTRIBUTE", section.name), settings);
                self.add_templates();
            }
            SectionKeys::OfKinds { common, kinds } => {
                self.add_settings(3, section.name, common);
                for kind in kinds {
                    self.add_kind(section, kind);
                }
            }
        }
    }

    fn add_kind(&mut self, section: &ConfigSection, kind: &KindKeys) {
        self.add_heading(3, kind.kind.system);
        self.add_paragraph(&format!(
            "`kind = \"{}\"` also has these settings. {}",
            kind.kind.name,
            ways_to_sign_in(kind.kind.ways)
        ));
        self.add_example(kind.kind.example);
        for setting in &kind.settings {
            self.add_setting(4, section.name, setting, Some(kind));
        }
    }

    fn add_settings(&mut self, level: usize, prefix: &str, settings: &[Setting]) {
        settings.iter().for_each(|setting| self.add_setting(level, prefix, setting, None));
    }

    fn add_setting(&mut self, level: usize, prefix: &str, setting: &Setting, kind: Option<&KindKeys>) {
        self.add_heading(level, &format!("`{prefix}.{}`", setting.name));
        self.add_paragraph(setting.says);
        let words = match &setting.takes {
            ValueKind::Choice(words) => words.as_slice(),
            takes => words_in_list(takes),
        };
        if !words.is_empty() {
            for word in words {
                let quoted = format!("\"{}\"", word.name);
                let is_default = matches!(setting.otherwise, Otherwise::Default(toml) if toml == quoted);
                let default = if is_default { " (default)" } else { "" };
                self.add_item(&format!("`{quoted}`{default}: {}", word.says));
            }
            self.0.push('\n');
        }
        let said = facts_of(setting, kind);
        if !said.is_empty() {
            self.add_paragraph(&said);
        }
        let inner = inner_settings(&setting.takes);
        if !inner.is_empty() {
            inner.iter().for_each(|setting| self.add_inner(setting));
            self.0.push('\n');
        }
    }

    /// A setting of a table within a setting.
    fn add_inner(&mut self, setting: &Setting) {
        let needed = if setting.otherwise.is_needed() { ", needed" } else { "" };
        let otherwise = if needed.is_empty() { otherwise_said(setting, None) } else { String::new() };
        let said = [setting.says.to_owned(), takes_said(&setting.takes), otherwise];
        let said: Vec<_> = said.into_iter().filter(|said| !said.is_empty()).collect();
        self.add_item(&format!("`{}`{needed}: {}", setting.name, said.join(" ")));
        for word in words_in_list(&setting.takes) {
            write_wrapped(&format!("`\"{}\"`: {}", word.name, word.says), "  - ", "    ", &mut self.0);
        }
    }

    fn add_templates(&mut self) {
        self.add_heading(3, "Templates");
        self.add_block(include_str!("templates.md"));
        self.add_heading(3, "Filters");
        let usual = USUAL.map(|name| format!("`{name}`")).join(", ");
        self.add_paragraph(&format!(
            "A filter comes after `|` and works on the text before it; several filters work one after the other. \
             These come with headcount; the usual ones of minijinja are {usual}."
        ));
        self.0.push_str("| filter | makes | example |\n|---|---|---|\n");
        for filter in &FILTERS {
            let (from, to) = filter.example;
            let _ = writeln!(self.0, "| `{}` | {} | `{from}` → `{to}` |", filter.call, filter.says);
        }
        self.0.push('\n');
        self.add_paragraph(
            "Dates are read as exports write them: `2024-03-01`, with or without a time; `1.3.2024`; `25/03/2024` and \
             `3/25/2024`; `1 Mar 2024`, `March 1, 2024`. What could be two different days, such as `03/04/2024`, makes the \
             row invalid. The function `today()` gives the day of the run, by the clock of the machine, as `2024-03-01`.",
        );
    }

    fn add_secrets(&mut self) {
        self.add_heading(2, "Secrets");
        self.add_block(include_str!("secrets.md"));
        secret_settings().iter().for_each(|setting| {
            let said = format!("`{}`: {} {}", setting.name, setting.says, takes_said(&setting.takes));
            self.add_item(&said);
        });
        self.0.push('\n');
        self.0.push_str(
            "```toml\n[target]\nkind     = \"imichat\"\nbase_url = \"https://acme.imi.chat/v3.1\"\ndomain   = \
             \"acme.imi.chat\"\napi_key  = { command = [\"pass\", \"show\", \"imichat\"] }   # or { env = \"IMICHAT_API_KEY\" }, \
             or { file = \"imichat.key\" }\n```\n",
        );
    }
}

fn title_of(section: &ConfigSection) -> String {
    match &section.keys {
        SectionKeys::Named(_) => format!("[{}.NAME]", section.name),
        _ => format!("[{}]", section.name),
    }
}

/// Names in a sentence.
fn listed_names(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        all => all.concat(),
    }
}

/// How the settings of a kind sign in.
fn ways_to_sign_in(ways: &[&[&str]]) -> String {
    match ways {
        [way] => format!("To sign in, {} are needed, unless `base_url` is `\"sandbox\"`.", listed_names(way)),
        ways => {
            let ways: Vec<_> = ways.iter().map(|way| listed_names(way)).collect();
            format!(
                "There are several ways to sign in, and exactly one is needed, unless `base_url` is `\"sandbox\"`: \
                 {}.",
                ways.join("; ")
            )
        }
    }
}

/// The words of which a list takes some.
fn words_in_list(takes: &ValueKind) -> &[Word] {
    match takes {
        ValueKind::List { of, .. } => match &**of {
            ValueKind::Choice(words) => words,
            _ => &[],
        },
        _ => &[],
    }
}

/// What a setting takes and what counts without it, in a sentence or two; the text that editors show has it too.
pub(super) fn facts_of(setting: &Setting, kind: Option<&KindKeys>) -> String {
    let has_words = matches!(&setting.takes, ValueKind::Choice(_));
    let takes = if has_words { String::new() } else { takes_said(&setting.takes) };
    let otherwise = otherwise_said(setting, kind);
    let first = setting.otherwise.is_needed() || otherwise.starts_with("**");
    let parts = if first { [otherwise, takes] } else { [takes, otherwise] };
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn otherwise_said(setting: &Setting, kind: Option<&KindKeys>) -> String {
    match setting.otherwise {
        // The words of a choice mark it themselves.
        Otherwise::Default(_) if matches!(setting.takes, ValueKind::Choice(_)) => String::new(),
        Otherwise::Default(toml) => format!("Default: `{toml}`."),
        Otherwise::Without(what) => format!("Without it, {what}."),
        Otherwise::Needed(_) => "**Needed.**".to_owned(),
        Otherwise::OneOf(names) => format!("Exactly one of {} is needed.", listed_names(names)),
        Otherwise::ToSignIn(_) => {
            let ways = kind.map_or(&[][..], |kind| kind.kind.ways);
            let way = ways.iter().find(|way| way.contains(&setting.name)).copied().unwrap_or_default();
            let others: Vec<_> = way.iter().copied().filter(|name| *name != setting.name).collect();
            match others.as_slice() {
                _ if ways.len() == 1 => "**Needed**, unless `base_url` is `\"sandbox\"`.".to_owned(),
                [] => "It signs in by itself.".to_owned(),
                others => format!("It signs in together with {}.", listed_names(others)),
            }
        }
    }
}

/// A sentence on what is taken.
fn takes_said(takes: &ValueKind) -> String {
    format!("Takes {}.", said_of(takes))
}

fn said_of(takes: &ValueKind) -> String {
    match takes {
        ValueKind::Boolean => "`true` or `false`".to_owned(),
        ValueKind::True => "`true`".to_owned(),
        ValueKind::Integer(range) if *range.end() == i64::MAX => format!("a whole number, at least {}", range.start()),
        ValueKind::Integer(range) => format!("a whole number, {} to {}", range.start(), range.end()),
        ValueKind::Number { range, zero } => {
            let or = if *zero == Zero::Allowed { ", or 0" } else { "" };
            format!("a number, {} to {}{or}", range.start(), range.end())
        }
        ValueKind::Text(form) => with_code(form.said),
        ValueKind::Choice(words) => {
            words.iter().map(|word| format!("`\"{}\"`", word.name)).collect::<Vec<_>>().join(", ")
        }
        ValueKind::List { said, .. } | ValueKind::Table { said, .. } | ValueKind::Any { said, .. } => with_code(said),
        ValueKind::Secret(variable) => format!("[a secret](#secrets) such as `{{ env = \"{variable}\" }}`"),
        ValueKind::Literal => "a string, `true`, `false`, a number, or a list or table of them".to_owned(),
    }
}

/// The settings of the table that is taken, where they need words of their own.
fn inner_settings(takes: &ValueKind) -> &[Setting] {
    match takes {
        ValueKind::Table { settings, rule: TableRule::Free, .. } => settings,
        ValueKind::Any { of, .. } => of.iter().map(inner_settings).find(|settings| !settings.is_empty()).unwrap_or(&[]),
        _ => &[],
    }
}

/// The text of a message, with what stands in quotes, braces and brackets as code.
fn with_code(text: &str) -> String {
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
fn anchor_of(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// The comments of an example below each other, one blank line's worth behind the longest line.
fn aligned_comments(toml: &str) -> String {
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
fn write_wrapped(text: &str, first: &str, rest: &str, out: &mut String) {
    out.push_str(first);
    let mut column = first.len();
    let mut begins = true;
    for word in words_of(text) {
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
fn words_of(text: &str) -> Vec<&str> {
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
