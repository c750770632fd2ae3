//! A proposal as the text of a configuration, every line explained. What is written here is read with the reader of
//! configurations before anybody gets it.

use std::fmt::Write;

use super::propose::{Kind, Line, Place, PlaceForm, Proposal};

/// Comments begin here where the line leaves room.
const COMMENT: usize = 40;
/// Where a line with its comment would be longer than this, the comment stands above it.
const LONGEST: usize = 120;

/// The configuration.
#[must_use]
pub fn config_text(proposal: &Proposal) -> String {
    let mut out = Text::default();
    out.remark("headcount: how the people of an HR export become the accounts of an application.");
    out.remark(
        "Written by `headcount init`. Relative paths start from the folder of this file. A line that is switched off",
    );
    out.remark("with # shows a setting that has another default or none.");
    source(proposal, &mut out);
    lookup(proposal, &mut out);
    target(proposal, &mut out);
    out.table("match");
    let rules: Vec<String> = proposal
        .rules
        .iter()
        .map(|rule| format!("[{}]", rule.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ")))
        .collect();
    out.on(
        "rules",
        &format!("[{}]", rules.join(", ")),
        "how a row finds its account; the first with exactly one answer wins",
    );
    map(proposal, &mut out);
    for (table, lines) in RUNNING {
        if *table == "passwords" && proposal.kind == Kind::Scim {
            continue;
        }
        out.table(table);
        for (key, value, comment) in *lines {
            let value = if *key == "path" { text(&proposal.place.state) } else { (*value).to_owned() };
            match key.strip_prefix("# ") {
                Some(key) => out.off(key, &value, comment),
                None => out.on(key, &value, comment),
            }
        }
    }
    out.0
}

/// A text as TOML has it.
pub(super) fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A column as a value of `[map]`: its name, unless that looks like a template.
pub(super) fn quoted(column: &str) -> String {
    if column.contains("{{") || column.contains("{%") {
        format!("{{ column = {} }}", text(column))
    } else {
        text(column)
    }
}

/// A text as a template has it.
pub(super) fn literal(value: &str) -> String {
    if value.contains('\'') && !value.contains(['"', '\\']) {
        return format!("\"{value}\"");
    }
    let escaped = value.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r");
    format!("'{escaped}'")
}

/// A column as a template names it.
pub(super) fn reference(column: &str) -> String {
    let mut letters = column.chars();
    let is_name = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name && !RESERVED.contains(&column.to_ascii_lowercase().as_str()) {
        column.to_owned()
    } else {
        format!("row[{}]", literal(column))
    }
}

/// Names that mean something else in a template.
const RESERVED: [&str; 18] = [
    "row",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "true",
    "false",
    "none",
    "loop",
    "self",
    "today",
    "range",
    "dict",
    "namespace",
];

fn source(proposal: &Proposal, out: &mut Text) {
    let place = &proposal.place;
    out.table("source");
    out.on("path", &text(&place.source), "a file, a list of files, or \"-\" for standard input");
    match &place.form {
        PlaceForm::Text => {
            match place.delimiter {
                Some(delimiter) => out.on("delimiter", &text(&delimiter.to_string()), "what stands between two cells"),
                None => out.off("delimiter", "\";\"", "by default a comma, for tsv a tab"),
            }
            encoding(place, out);
        }
        PlaceForm::Workbook { sheet: Some(sheet) } => {
            out.on("sheet", &text(sheet), "the sheet of the workbook that has the people");
        }
        PlaceForm::Workbook { sheet: None } => {
            out.off("sheet", "\"People\"", "a sheet of the workbook; by default the only one that can be seen");
        }
        PlaceForm::Objects => encoding(place, out),
    }
    if place.form != PlaceForm::Objects {
        out.on("header_row", &place.header_row.to_string(), "the line that names the columns");
    }
    match &proposal.include {
        Some((expression, why)) => out.on("include", expression, why),
        None => out.off("include", "\"column != 'value'\"", "rows that count, an expression over the row's columns"),
    }
    match &proposal.identity {
        Some((column, why)) => out.on("identity", &text(column), why),
        None => {
            out.remark(
                "No column is there and different for everybody. Name one that never changes for a person as soon",
            );
            out.remark("as there is one: without it somebody who is renamed looks like somebody else.");
            out.off("identity", "\"employee_id\"", "the column that never changes for a person");
        }
    }
    out.on("duplicates", "\"error\"", "two rows for one person: error, first, last");
    out.on("blank", "\"ignore\"", "an empty cell: ignore (leave the account's value), clear, error");
}

fn encoding(place: &Place, out: &mut Text) {
    match &place.encoding {
        Some(encoding) => out.on("encoding", &text(encoding), "how the letters are written in the file"),
        None => out.off("encoding", "\"windows-1252\"", "by default UTF-8, or what the byte order mark says"),
    }
}

fn lookup(proposal: &Proposal, out: &mut Text) {
    if let Some(lookup) = &proposal.lookup {
        out.table(&format!("lookup.{}", lookup.name));
        out.on("path", &text(&lookup.path), "a table for the filter `lookup` in the templates below");
        out.on("key", &text(&lookup.key), "the column that is looked in");
    } else if proposal.kind == Kind::Imichat && proposal.lines.iter().any(|line| line.value.contains("'teams'")) {
        out.line("");
        out.remark("[lookup.teams]                        # a table that has the id of each team");
        out.off("path", "\"teams.csv\"", "a file with a header: team_name,team_id");
        out.off("key", "\"team_name\"", "the column that is looked in");
    }
}

fn target(proposal: &Proposal, out: &mut Text) {
    out.table("target");
    out.on("kind", &text(proposal.kind.name()), "the system: imichat, brightpattern, scim");
    let (live, settings): (_, &[(&str, &str, &str)]) = match proposal.kind {
        Kind::Imichat => (
            "https://acme.imi.chat/v3.1",
            &[
                ("api_key", "{ env = \"IMICHAT_API_KEY\" }", "to go live: where the key is kept, never in clear"),
                ("domain", "\"acme.imi.chat\"", "to go live: the tenant's domain, part of signing in"),
                ("team_id", "\"1\"", "sent as the header `teamid`, where the tenant asks for one"),
            ],
        ),
        Kind::Brightpattern => (
            "https://acme.brightpattern.com/configapi/v2",
            &[
                ("client_id", "\"api.user\"", "to go live: the login of an API user"),
                ("client_secret", "{ env = \"BRIGHTPATTERN_CLIENT_SECRET\" }", "to go live: where its key is kept"),
                ("scope", "\"acme.brightpattern.com\"", "to go live: the contact center's domain"),
            ],
        ),
        Kind::Scim => (
            "https://acme.example.com/scim/v2",
            &[("token", "{ env = \"SCIM_TOKEN\" }", "to go live: where the bearer token is kept, never in clear")],
        ),
    };
    out.on("base_url", "\"sandbox\"", &format!("the built-in simulated tenant; to go live \"{live}\""));
    out.on("tenant", "\"trial\"", "a name for this tenant in plans, journal and reports");
    for (key, value, comment) in settings {
        out.off(key, value, comment);
    }
}

fn map(proposal: &Proposal, out: &mut Text) {
    out.table("map");
    out.remark("attribute = \"column\", \"{{ template }}\" or { table }");
    for missing in &proposal.missing {
        out.remark(&format!(
            ">>> FILL IN: {} is needed, and no column gives it. It wants {}:",
            missing.attribute, missing.what
        ));
        out.line(&format!("# {} = \"…\"", key(&missing.attribute)));
    }
    for Line { key: name, value, comment, is_off } in &proposal.lines {
        if *is_off { out.off(&key(name), value, comment) } else { out.on(&key(name), value, comment) }
    }
}

/// A key as TOML has it.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { name.to_owned() } else { text(name) }
}

/// The tables that are the same for every export: key, value, comment.
type Fixed = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

const RUNNING: &[Fixed] = &[
    (
        "policy",
        &[
            ("create", "true", "people without an account get one"),
            ("update", "true", "accounts that differ are changed"),
            ("leavers", "\"deactivate\"", "people whose row says inactive: deactivate, report"),
            ("absent", "\"report\"", "accounts without a row: ignore, report, deactivate"),
            ("absent_for", "{ runs = 3, days = 7 }", "how long an account must be without a row before that counts"),
            ("reactivate", "true", "inactive accounts of people who are back become active"),
            ("protect", "[\"admin*\", \"svc-*\"]", "patterns of names that are never touched, by any key"),
            ("inactive_newcomers", "\"skip\"", "leavers without an account: skip, create"),
        ],
    ),
    (
        "safety",
        &[
            ("max_create", "\"20%\"", "creates in one run: of the accounts in scope, or a number"),
            ("max_update", "\"30%\"", "updates in one run"),
            ("max_deactivate", "{ percent = 10, count = 50 }", "deactivations in one run; the smaller counts"),
            ("max_invalid", "\"5%\"", "rows that cannot be used; more, and nothing is done"),
            ("min_rows", "1", "fewer rows: the export is broken, and nothing is done"),
            ("max_row_drop", "\"20%\"", "fewer rows than in the last good run; more of a drop, and nothing is done"),
            ("on_exceed", "\"hold\"", "hold (that kind of action waits for --approve) or stop"),
            ("plan_max_age", "\"24h\"", "an older plan is not applied"),
        ],
    ),
    (
        "rate",
        &[
            ("requests_per_second", "5", "up to 1000000, and fractions; 0 for no limit"),
            ("burst", "5", "requests that may leave at once after a pause"),
            ("concurrency", "4", "requests under way at once, 1 to 256"),
            ("retries", "5", "repeats of a request that is safe to repeat"),
            ("timeout", "\"30s\"", "for one request, from connecting to the last byte"),
        ],
    ),
    (
        "journal",
        &[
            ("path", "", "a folder for this user alone: the journal, the lock, the last snapshot"),
            ("keep", "\"90d\"", "runs older than this are forgotten"),
        ],
    ),
    (
        "passwords",
        &[
            ("deliver_to", "\"discard\"", "nobody keeps the generated passwords; people reset theirs"),
            ("# deliver_to", "\"age1...\"", "or: encrypted for the owner of this age key (age-keygen)"),
            ("# file", "\"passwords.age\"", "where the encrypted passwords go"),
        ],
    ),
    (
        "report",
        &[
            ("# markdown", "\"reports/{run}.md\"", "a page to read or to attach; {run} stands for the run's name"),
            ("redact", "[\"password\"]", "attributes whose values no report shows"),
        ],
    ),
];

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn remark(&mut self, remark: &str) {
        // A name from the export that stands in a remark must not end it.
        let remark: String = remark.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.line(&format!("# {remark}"));
    }

    fn table(&mut self, name: &str) {
        self.line(&format!("\n[{name}]"));
    }

    fn on(&mut self, key: &str, value: &str, comment: &str) {
        self.explained(&format!("{key} = {value}"), comment);
    }

    fn off(&mut self, key: &str, value: &str, comment: &str) {
        self.explained(&format!("# {key} = {value}"), comment);
    }

    fn explained(&mut self, line: &str, comment: &str) {
        let width = line.chars().count().max(COMMENT - 1);
        if width + 3 + comment.chars().count() > LONGEST {
            self.remark(&format!("{comment}:"));
            self.line(line);
        } else {
            let blanks = " ".repeat(width - line.chars().count());
            let comment: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            self.line(&format!("{line}{blanks} # {comment}"));
        }
    }
}
