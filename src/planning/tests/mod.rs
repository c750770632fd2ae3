//! Plans made from real files and a tenant in memory.

mod absences;
mod applied;
mod cut;
mod findings;
mod limits;
mod rollback;
mod sources;

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::clock::TestClock;
use crate::connectors::fake::{self, EMAIL, Fake, LOGIN, NAME, ROLE, SKILLS, STATUS};
use crate::journal::{Journal, Note, store::SourceShape};
use crate::mapping::{Creates, Lookups, Options};
use crate::model::{AccountId, Silent, Value, cell};
use crate::plan::file::{PlanReader, verify_plan};
use crate::plan::safety::ActionGroup;
use crate::plan::sidecar::{PlanNote, read_notes};
use crate::plan::{Action, ActionKind, Finding, FindingKind};

const START: &str = "2026-11-22T03:00:00Z";
const HEADER: &str = "id,login,email,name,title,status,skills\n";

/// A tenant, what is remembered of it, and a configuration.
struct Office {
    dir: TempDir,
    clock: Arc<TestClock>,
    target: Fake,
    journal: Journal,
    /// Lines of `[source]`, `[policy]` and `[safety]`.
    source: String,
    policy: String,
    safety: String,
    /// More lines of `[map]`.
    map: String,
    identity: bool,
}

/// A plan and all that stands beside it.
#[derive(Debug)]
struct Made {
    surveyed: MadePlan,
    actions: Vec<Action>,
    findings: Vec<Finding>,
    notes: Vec<PlanNote>,
}

impl Office {
    fn new() -> Self {
        Self::with_schema(fake::schema())
    }

    fn with_schema(schema: Schema) -> Self {
        let clock = TestClock::new(START.parse().unwrap(), 3);
        Self {
            dir: tempfile::tempdir().unwrap(),
            target: Fake::with_schema(&clock, schema),
            clock,
            journal: Journal::in_memory(),
            source: String::new(),
            policy: String::new(),
            map: String::new(),
            safety: "max_create = 1000\nmax_update = 1000\nmax_deactivate = 1000\nmax_invalid = \"100%\"\n".into(),
            identity: true,
        }
    }

    fn policy(self, policy: &str) -> Self {
        Self { policy: policy.into(), ..self }
    }

    fn source(self, source: &str) -> Self {
        Self { source: source.into(), ..self }
    }

    fn safety(self, safety: &str) -> Self {
        Self { safety: safety.into(), ..self }
    }

    fn account(&self, login: &str, name: &str, status: &str) -> AccountId {
        let email = format!("{login}@x.org");
        self.target.has(
            &[(LOGIN, login), (EMAIL, &email), (NAME, name), (STATUS, status)]
                .map(|(id, text)| (id, Value::text(text))),
        )
    }

    fn memory(&self) -> Memory {
        self.journal.memory("test")
    }

    fn settings(&self) -> Settings {
        let identity = if self.identity { "identity = \"id\"\n" } else { "" };
        let Self { source, policy, safety, map, .. } = self;
        let text = format!(
            r#"
[source]
path = "hr.csv"
{identity}{source}
[target]
kind = "imichat"
base_url = "sandbox"
tenant = "acme"
[match]
rules = [["login"], ["email"]]
[map]
login = "login"
email = "email"
name = "name"
title = {{ column = "title", on = "create" }}
status = "{{{{ 'inactive' if status == 'left' else 'active' }}}}"
skills = {{ column = "skills", parse = "pairs" }}
password = {{ generate = {{ length = 12 }} }}
{map}
[policy]
{policy}
[safety]
{safety}
"#
        );
        crate::config::parse(&text, &self.dir.path().join("config.toml")).unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Makes a plan from this export against the live tenant.
    fn survey(&self, csv: &str) -> Made {
        self.try_survey(csv).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_survey(&self, csv: &(impl AsRef<[u8]> + ?Sized)) -> Result<Made, PlanningError> {
        self.survey_against(csv, Accounts::Live(&self.target), &self.target)
    }

    fn survey_against(
        &self,
        csv: impl AsRef<[u8]>,
        accounts: Accounts<'_>,
        schema: &Fake,
    ) -> Result<Made, PlanningError> {
        std::fs::write(self.dir.path().join("hr.csv"), csv).unwrap();
        let settings = self.settings();
        let schema = schema.schema();
        let rules = fake::rules(schema);
        let source = Source::open(&settings.source, self.dir.path())?;
        let options = Options { creates: Creates::Possible, table: 0..0 };
        let lookups: Lookups = std::iter::empty().collect();
        let today = jiff::civil::date(2026, 11, 22);
        let mapping = Mapping::compile(&settings.map, schema, source.columns(), lookups, today, &options).unwrap();
        let memory = self.memory();
        let inputs = PlanInputs {
            settings: &settings,
            schema,
            rules: &rules,
            source: &source,
            mapping: &mapping,
            memory: &memory,
            clock: &*self.clock,
            monitor: &Silent,
            target: "fake".into(),
            accounts,
            dir: self.dir.path(),
            snapshot: matches!(accounts, Accounts::Live(_)).then(|| self.dir.path().join("last.jsonl")),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let surveyed = runtime.block_on(make_plan(&inputs))?;
        Ok(read(surveyed))
    }

    /// What the program remembers once the plan is executed.
    fn learn(&self, made: &Made) {
        let memory = self.memory();
        let now = self.clock.now();
        let absent: Vec<&AccountId> = made
            .notes
            .iter()
            .filter_map(|n| if let PlanNote::Absent { account } = n { Some(account) } else { None })
            .collect();
        let mut notes: Vec<Note> = memory
            .all_absences()
            .filter(|(account, _)| !absent.contains(&account))
            .map(|(account, _)| Note::Present { account })
            .collect();
        for learnt in &made.notes {
            notes.push(match learnt.clone() {
                PlanNote::Link { identity, account } => Note::Link { identity, account },
                PlanNote::Absent { account } => {
                    let before = memory.absence_of(&account);
                    let first_seen_absent = before.map_or(now, |before| before.since);
                    Note::Absence { account, first_seen_absent, runs: before.map_or(0, |before| before.runs) + 1 }
                }
            });
        }
        let source = &made.surveyed.header.source;
        notes.push(Note::Shape(SourceShape {
            columns: source.columns.clone(),
            rows: source.included,
            terminated: Some(!source.unterminated),
            at: now,
        }));
        now_or_never(memory.remember_notes(notes)).unwrap();
    }

    /// Writes all accounts as `export` does.
    fn export(&self) -> PathBuf {
        let path = self.dir.path().join("accounts.csv");
        let mut writer = csv::Writer::from_path(&path).unwrap();
        let schema = self.target.schema();
        let readable: Vec<_> = schema.iter().filter(|(_, attribute)| attribute.read).collect();
        let names = readable.iter().map(|(_, attribute)| attribute.name.as_str());
        writer.write_record(std::iter::once("account").chain(names)).unwrap();
        for account in self.target.shown() {
            let mut cells = vec![account.id.0.clone()];
            for (id, attribute) in &readable {
                cells.push(cell::render(&attribute.kind, account.values.get(*id).unwrap_or(&Value::Null)));
            }
            writer.write_record(cells).unwrap();
        }
        writer.flush().unwrap();
        path
    }

    fn days(&self, days: u64) {
        self.clock.advance(std::time::Duration::from_secs(days * 86_400));
    }
}

/// The journal in memory never waits.
fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("it is ready at once")
}

fn read(surveyed: MadePlan) -> Made {
    let open = || std::io::BufReader::new(std::fs::File::open(&surveyed.files.plan).unwrap());
    let (header, digest) = verify_plan(open()).expect("the plan is whole");
    assert_eq!((&header, &digest), (&surveyed.header, &surveyed.digest));
    let mut reader = PlanReader::new(open()).unwrap();
    let mut actions = Vec::new();
    while let Some(action) = reader.next().unwrap() {
        actions.push(action);
    }
    let findings: Vec<Finding> = read_findings(&surveyed.files.findings).unwrap().map(Result::unwrap).collect();
    let notes = read_notes(std::io::BufReader::new(std::fs::File::open(&surveyed.files.notes).unwrap()))
        .map(Result::unwrap)
        .collect();
    for kind in FindingKind::ALL.into_iter().filter(|kind| *kind != FindingKind::Unchanged) {
        let count = findings.iter().filter(|finding| finding.finding == kind).count() as u64;
        assert_eq!(header.counts.findings.get(kind), count, "{kind:?}");
    }
    for kind in ActionKind::ALL {
        let count = actions.iter().filter(|action| action.action == kind).count() as u64;
        assert_eq!(header.counts.actions.get(kind), count, "{kind:?}");
    }
    let free = actions.iter().filter(|action| !action.held).map(|action| action.requests);
    assert_eq!(header.requests.write + header.requests.lookup, free.sum::<u64>());
    Made { surveyed, actions, findings, notes }
}

impl Made {
    /// The actions as `kind key: attribute,…`.
    fn actions(&self) -> Vec<String> {
        self.actions
            .iter()
            .map(|action| {
                let names: Vec<_> = action.changes.iter().map(|change| change.attribute.as_str()).collect();
                format!("{} {}: {}", action.action, action.key, names.join(","))
            })
            .collect()
    }

    /// The findings as `kind key: reason`, in no order.
    fn findings(&self) -> Vec<String> {
        let mut findings: Vec<_> =
            self.findings.iter().map(|f| format!("{} {}: {}", f.finding.as_str(), f.key, f.reason)).collect();
        findings.sort();
        findings
    }

    fn unchanged(&self) -> u64 {
        self.surveyed.header.counts.findings.unchanged
    }

    fn absent_notes(&self) -> usize {
        self.notes.iter().filter(|note| matches!(note, PlanNote::Absent { .. })).count()
    }
}

fn csv(rows: &[&str]) -> String {
    format!("{HEADER}{}\n", rows.join("\n"))
}
