//! A proposal as the text of a configuration, every line explained. What is written here is read with the reader of
//! configurations before anybody gets it.

use super::literals::{toml_key, toml_text};
use super::proposal::{ExportForm, ExportPlace, MapLine, Proposal};

/// Comments begin here where the line leaves room.
const COMMENT: usize = 40;
/// Where a line with its comment would be longer than this, the comment stands above it.
const LONGEST: usize = 120;

/// The configuration. `kinds` are the systems that there are.
#[must_use]
pub fn config_text(proposal: &Proposal, kinds: &[&str]) -> String {
    let mut out = ConfigText::default();
    out.add_remark("headcount: how the people of an HR export become the accounts of an application.");
    out.add_remark(
        "Written by `headcount init`. Relative paths start from the folder of this file. A line that is switched off",
    );
    out.add_remark("with # shows a setting that has another default or none.");
    write_source(proposal, &mut out);
    write_lookup(proposal, &mut out);
    write_target(proposal, kinds, &mut out);
    out.open_table("match");
    let rules: Vec<String> = proposal
        .rules
        .iter()
        .map(|rule| format!("[{}]", rule.iter().map(|name| toml_text(name)).collect::<Vec<_>>().join(", ")))
        .collect();
    out.add_setting(
        "rules",
        &format!("[{}]", rules.join(", ")),
        "how a row finds its account; the first with exactly one answer wins",
    );
    write_map(proposal, &mut out);
    for (table, lines) in RUNNING {
        if *table == "passwords" && !proposal.blueprint.has_passwords() {
            continue;
        }
        out.open_table(table);
        for (key, value, comment) in *lines {
            let value = if *key == "path" { toml_text(&proposal.place.state) } else { (*value).to_owned() };
            match key.strip_prefix("# ") {
                Some(key) => out.add_switched_off(key, &value, comment),
                None => out.add_setting(key, &value, comment),
            }
        }
    }
    out.0
}

fn write_source(proposal: &Proposal, out: &mut ConfigText) {
    let place = &proposal.place;
    out.open_table("source");
    out.add_setting("path", &toml_text(&place.source), "a file, a list of files, or \"-\" for standard input");
    match &place.form {
        ExportForm::Text => {
            match place.delimiter {
                Some(delimiter) => {
                    out.add_setting("delimiter", &toml_text(&delimiter.to_string()), "what stands between two cells")
                }
                None => out.add_switched_off("delimiter", "\";\"", "by default a comma, for tsv a tab"),
            }
            write_encoding(place, out);
        }
        ExportForm::Workbook { sheet: Some(sheet) } => {
            out.add_setting("sheet", &toml_text(sheet), "the sheet of the workbook that has the people");
        }
        ExportForm::Workbook { sheet: None } => {
            out.add_switched_off(
                "sheet",
                "\"People\"",
                "a sheet of the workbook; by default the only one that can be seen",
            );
        }
        ExportForm::Objects => write_encoding(place, out),
    }
    if place.form != ExportForm::Objects {
        out.add_setting("header_row", &place.header_row.to_string(), "the line that names the columns");
    }
    match &proposal.include {
        Some((expression, why)) => out.add_setting("include", expression, why),
        None => out.add_switched_off(
            "include",
            "\"column != 'value'\"",
            "rows that count, an expression over the row's columns",
        ),
    }
    match &proposal.identity {
        Some((column, why)) => out.add_setting("identity", &toml_text(column), why),
        None => {
            out.add_remark(
                "No column is there and different for everybody. Name one that never changes for a person as soon",
            );
            out.add_remark("as there is one: without it somebody who is renamed looks like somebody else.");
            out.add_switched_off("identity", "\"employee_id\"", "the column that never changes for a person");
        }
    }
    out.add_setting("duplicates", "\"error\"", "two rows for one person: error, first, last");
    out.add_setting("blank", "\"ignore\"", "an empty cell: ignore (leave the account's value), clear, error");
}

fn write_encoding(place: &ExportPlace, out: &mut ConfigText) {
    match &place.encoding {
        Some(encoding) => out.add_setting("encoding", &toml_text(encoding), "how the letters are written in the file"),
        None => {
            out.add_switched_off("encoding", "\"windows-1252\"", "by default UTF-8, or what the byte order mark says")
        }
    }
}

fn write_lookup(proposal: &Proposal, out: &mut ConfigText) {
    if let Some(lookup) = &proposal.lookup {
        out.open_table(&format!("lookup.{}", lookup.name));
        out.add_setting("path", &toml_text(&lookup.path), "a table for the filter `lookup` in the templates below");
        out.add_setting("key", &toml_text(&lookup.key), "the column that is looked in");
    } else if proposal.blueprint.looks_up_teams() && proposal.lines.iter().any(|line| line.value.contains("'teams'")) {
        out.add_line("");
        out.add_remark("[lookup.teams]                        # a table that has the id of each team");
        out.add_switched_off("path", "\"teams.csv\"", "a file with a header: team_name,team_id");
        out.add_switched_off("key", "\"team_name\"", "the column that is looked in");
    }
}

fn write_target(proposal: &Proposal, kinds: &[&str], out: &mut ConfigText) {
    let blueprint = proposal.blueprint;
    out.open_table("target");
    out.add_setting("kind", &toml_text(blueprint.kind), &format!("the system: {}", kinds.join(", ")));
    let live = format!("the built-in simulated tenant; to go live \"{}\"", blueprint.address);
    out.add_setting("base_url", "\"sandbox\"", &live);
    out.add_setting("tenant", "\"trial\"", "a name for this tenant in plans, journal and reports");
    for (key, value, comment) in blueprint.to_go_live {
        out.add_switched_off(key, value, comment);
    }
}

fn write_map(proposal: &Proposal, out: &mut ConfigText) {
    out.open_table("map");
    out.add_remark("attribute = \"column\", \"{{ template }}\" or { table }");
    for missing in &proposal.missing {
        out.add_remark(&format!(
            ">>> FILL IN: {} is needed, and no column gives it. It wants {}:",
            missing.attribute, missing.what
        ));
        out.add_line(&format!("# {} = \"…\"", toml_key(&missing.attribute)));
    }
    for MapLine { key: name, value, comment, is_off } in &proposal.lines {
        if *is_off {
            out.add_switched_off(&toml_key(name), value, comment)
        } else {
            out.add_setting(&toml_key(name), value, comment)
        }
    }
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
struct ConfigText(String);

impl ConfigText {
    fn add_line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn add_remark(&mut self, remark: &str) {
        // A name from the export that stands in a remark must not end it.
        let remark: String = remark.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.add_line(&format!("# {remark}"));
    }

    fn open_table(&mut self, name: &str) {
        self.add_line(&format!("\n[{name}]"));
    }

    fn add_setting(&mut self, key: &str, value: &str, comment: &str) {
        self.add_explained(&format!("{key} = {value}"), comment);
    }

    fn add_switched_off(&mut self, key: &str, value: &str, comment: &str) {
        self.add_explained(&format!("# {key} = {value}"), comment);
    }

    fn add_explained(&mut self, line: &str, comment: &str) {
        let width = line.chars().count().max(COMMENT - 1);
        if width + 3 + comment.chars().count() > LONGEST {
            self.add_remark(&format!("{comment}:"));
            self.add_line(line);
        } else {
            let blanks = " ".repeat(width - line.chars().count());
            let comment: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            self.add_line(&format!("{line}{blanks} # {comment}"));
        }
    }
}
