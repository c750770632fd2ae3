//! Everything that commands work with, opened in the order in which mistakes are cheapest: configuration, source,
//! mapping, journal, and only then the target.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{AppError, ErrorKind};
use super::session::Session;
use crate::clock::Clock;
use crate::config::{ConfigError, LookupSettings, Problem, Settings};
use crate::connectors::Connector;
use crate::execute::lifecycle::tidy_state;
use crate::files::{make_private_dir, write_atomically};
use crate::journal::{Journal, Memory, Options, StateDir};
use crate::mapping::spec::On;
use crate::mapping::{Creates, Lookup, Lookups, Mapping, Options as MapOptions};
use crate::model::{Capabilities, MatchRule, Schema, text};
use crate::plan::Absent;
use crate::planning::{Accounts, PlanInputs};
use crate::source::{Source, read_table};

/// The settings, and what follows from them without reading anything else.
pub struct Workspace {
    pub settings: Settings,
    pub schema: Schema,
    pub rules: Vec<MatchRule>,
    pub state: StateDir,
}

/// A configured source with its mapping.
pub struct OpenSource {
    pub source: Source,
    pub mapping: Mapping,
    /// Where standard input is kept as long as it may be read again; gone with this value.
    _spool: tempfile::TempDir,
}

impl Workspace {
    /// Reads the configuration and checks what it says against the kind's schema. `state` replaces `journal.path`.
    ///
    /// # Errors
    /// A configuration that cannot be read or used.
    pub fn load(config: &Path, state: Option<&Path>) -> Result<Self, AppError> {
        Self::from_settings(crate::config::load(config)?, state)
    }

    /// What follows from settings that were read already.
    pub fn from_settings(settings: Settings, state: Option<&Path>) -> Result<Self, AppError> {
        let schema = settings.target.settings.schema(&mapped_names(&settings));
        let rules = read_match_rules(&settings, &schema)?;
        let state = StateDir::new(state.map_or_else(|| settings.journal.path.clone(), Path::to_owned));
        Ok(Self { settings, schema, rules, state })
    }

    /// The target's name in plans and in the journal: the same from run to run, also for the sandbox, whose port is not.
    pub fn target_name(&self) -> String {
        let target = &self.settings.target;
        format!("{} {}", target.kind.name, target.base_url.value)
    }

    /// Whether what was kept for that tenant and target is this one's.
    pub(super) fn is_for(&self, tenant: &str, target: &str) -> bool {
        tenant == self.settings.target.tenant && target == self.target_name()
    }

    pub fn config_digest(&self) -> String {
        let [a, b] = self.settings.digest.0;
        format!("{a:016x}{b:016x}")
    }

    /// Opens the journal, and with it takes the lock; puts away what killed processes left.
    pub fn open_journal(&self, clock: &dyn Clock) -> Result<Journal, AppError> {
        let now = clock.now();
        let journal = Journal::open(self.state.path(), Options::new(now))?;
        tidy_state(&self.state, &journal, self.settings.journal.keep, now)?;
        Ok(journal)
    }

    /// Opens the journal for reading; where there is none, none is made.
    pub fn open_history(&self, clock: &dyn Clock) -> Result<Journal, AppError> {
        self.require_history()?;
        self.open_journal(clock)
    }

    /// Whether there may have been a run.
    pub fn require_history(&self) -> Result<(), AppError> {
        if self.state.path().exists() { Ok(()) } else { Err(no_runs()) }
    }

    /// Opens the log in the state directory, to write behind what is there.
    pub fn open_log_file(&self) -> Result<File, AppError> {
        let path = self.state.log();
        make_private_dir(self.state.path())?;
        make_private_dir(&self.state.path().join("log"))?;
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let failed = |error| AppError::new(ErrorKind::Journal, format!("{}: {error}", path.display()));
        options.open(&path).map_err(failed)
    }

    /// What is remembered of this tenant.
    pub fn tenant_memory(&self, journal: &Journal) -> Memory {
        journal.memory(&format!("{}\n{}", self.settings.target.tenant, self.target_name()))
    }

    /// Opens the source and compiles the mapping for its columns. What can be read only once is kept below `folder`
    /// meanwhile.
    pub fn open_source_in(&self, clock: &dyn Clock, folder: &Path) -> Result<OpenSource, AppError> {
        let spool = tempfile::Builder::new().prefix(".spool-").tempdir_in(folder).map_err(|error| {
            AppError::new(ErrorKind::Journal, format!("{}: no folder can be made in it: {error}", folder.display()))
                .with_hint("check the free space and the permissions there")
        })?;
        let source = Source::open(&self.settings.source, spool.path())?;
        let lookups =
            self.settings.lookups.iter().map(|lookup| self.read_lookup(lookup)).collect::<Result<Lookups, _>>()?;
        let today = clock.now().to_zoned(jiff::tz::TimeZone::system()).date();
        let options = MapOptions {
            creates: if self.settings.policy.create { Creates::Possible } else { Creates::Never },
            table: find_table(&self.settings.text, "map"),
        };
        let map = &self.settings.map;
        let mapping =
            Mapping::compile(map, &self.schema, source.columns(), lookups, today, &options).map_err(|errors| {
                let problems: Vec<Problem> = errors
                    .into_iter()
                    .map(|error| Problem { message: error.message, span: Some(error.span), help: error.help })
                    .collect();
                let mut error = ConfigError::all(&self.settings, problems.clone());
                for entry in &map.entries {
                    let secret = self.schema.id(&entry.attribute.value).is_some_and(|id| self.schema.get(id).secret);
                    let blamed = problems.iter().filter_map(|problem| problem.span.as_ref());
                    // A secret that stands in the file in clear is not shown again by the message that says so.
                    if secret
                        && blamed.into_iter().any(|span| {
                            span.start <= entry.expression.span.end && entry.expression.span.start <= span.end
                        })
                    {
                        error = error.hiding(&entry.expression.span);
                    }
                }
                AppError::from(error)
            })?;
        Ok(OpenSource { source, mapping, _spool: spool })
    }

    /// As [`Workspace::open_source_in`], in the state directory.
    pub fn open_source(&self, clock: &dyn Clock) -> Result<OpenSource, AppError> {
        let plans = self.state.path().join("plans");
        make_private_dir(&plans)?;
        self.open_source_in(clock, &plans)
    }

    /// What a plan is made from in `dir`. Only what is listed now is kept for later.
    pub fn planning_inputs<'a>(
        &'a self,
        source: &'a OpenSource,
        memory: &'a Memory,
        session: &'a Session,
        accounts: Accounts<'a>,
        dir: &'a Path,
    ) -> PlanInputs<'a> {
        PlanInputs {
            settings: &self.settings,
            schema: &self.schema,
            rules: &self.rules,
            source: &source.source,
            mapping: &source.mapping,
            memory,
            clock: &*session.clock,
            monitor: &*session.monitor,
            target: self.target_name(),
            accounts,
            dir,
            snapshot: matches!(accounts, Accounts::Live(_)).then(|| self.state.snapshot()),
        }
    }

    fn read_lookup(&self, lookup: &LookupSettings) -> Result<Lookup, AppError> {
        let (columns, records) = read_table(&lookup.path, None, None)?;
        let origin = display_path(&lookup.path);
        let at = |error: crate::mapping::LookupError| {
            AppError::from(ConfigError::at(&self.settings, lookup.key.span.clone(), error.to_string(), None))
        };
        let mut table = Lookup::new(&lookup.name.value, &origin, &lookup.key.value, columns).map_err(at)?;
        for record in &records {
            table.insert(record).map_err(at)?;
        }
        Ok(table)
    }

    /// The configuration as the live target's own schema has it: what a server says of its attributes counts more than
    /// what a standard says of them.
    pub fn with_live_schema(self, target: &dyn Connector) -> Result<Self, AppError> {
        self.with_schema(target.schema().clone())
    }

    /// The configuration as the live target last saw it, for a plan that is made without asking it. What nobody has
    /// asked yet is as the standard has it.
    pub fn with_last_schema(self) -> Result<Self, AppError> {
        let learnt = std::fs::read(self.state.schema()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match learnt {
            Some(LearntSchema { target, attributes }) if target == self.target_name() => {
                let schema = self.schema.clone().with(&attributes);
                self.with_schema(schema)
            }
            _ => Ok(self),
        }
    }

    fn with_schema(self, schema: Schema) -> Result<Self, AppError> {
        let rules = read_match_rules(&self.settings, &schema)?;
        Ok(Self { schema, rules, ..self })
    }

    /// Keeps what the live target says of its attributes.
    pub fn remember_schema(&self, target: &dyn Connector) -> Result<(), AppError> {
        let attributes = target.schema().iter().map(|(_, a)| (a.name.clone(), a.capabilities())).collect();
        let learnt = LearntSchema { target: self.target_name(), attributes };
        make_private_dir(self.state.path())?;
        write_atomically(&self.state.schema(), 0o600, |out| Ok(serde_json::to_writer(out, &learnt)?))?;
        Ok(())
    }

    /// The names of everything that is mapped or matched, as the configuration writes them.
    pub fn mapped_names(&self) -> Vec<String> {
        mapped_names(&self.settings)
    }

    /// The names of what a listing must show of each account: what is compared or matched, and whether it is in use
    /// where that decides what becomes of it.
    pub fn compared_names(&self) -> Vec<String> {
        let settings = &self.settings;
        let always = settings.map.entries.iter().filter(|entry| entry.on == On::Always);
        let mut names: Vec<String> = always.map(|entry| entry.attribute.value.clone()).collect();
        names.extend(settings.rules.iter().flatten().map(|name| name.value.clone()));
        if settings.policy.absent == Absent::Deactivate
            && let Some(lifecycle) = &self.schema.lifecycle
        {
            names.push(self.schema.name(lifecycle.attribute).to_owned());
        }
        names
    }

    /// A folder for a plan that is being made; [`Workspace::keep_plan_dir`] gives it its name.
    pub fn new_plan_dir(&self, clock: &dyn Clock) -> Result<PathBuf, AppError> {
        let plans = self.state.path().join("plans");
        make_private_dir(&plans)?;
        let dir = plans.join(format!(".new-{:016x}", clock.random()));
        make_private_dir(&dir)?;
        Ok(dir)
    }

    pub fn keep_plan_dir(&self, dir: &Path, plan: &str) -> Result<PathBuf, AppError> {
        let kept = self.state.plan(plan).ok_or_else(|| AppError::new(ErrorKind::Plan, "a plan without a name"))?;
        std::fs::rename(dir, &kept)
            .map_err(|error| AppError::new(ErrorKind::Journal, format!("{}: {error}", kept.display())))?;
        Ok(kept)
    }
}

pub(super) fn no_runs() -> AppError {
    AppError::new(ErrorKind::Journal, "there are no runs yet").with_hint("`headcount sync` makes one")
}

/// What a live target said of its attributes.
#[derive(Serialize, Deserialize)]
struct LearntSchema {
    target: String,
    attributes: BTreeMap<String, Capabilities>,
}

/// A path as people write it: relative where it lies below the working directory.
pub fn display_path(path: &Path) -> String {
    let relative = std::env::current_dir().ok().and_then(|dir| path.strip_prefix(dir).ok().map(Path::to_owned));
    relative.unwrap_or_else(|| path.to_owned()).display().to_string()
}

/// Makes the folder that a report is to lie in.
pub(super) fn make_report_folder(report: &Path) -> std::io::Result<()> {
    match report.parent() {
        // Reports hold names and mail addresses: a folder made for them is its owner's.
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            make_private_dir(folder).map_err(std::io::Error::other)
        }
        _ => Ok(()),
    }
}

fn mapped_names(settings: &Settings) -> Vec<String> {
    let mapped = settings.map.entries.iter().map(|entry| &entry.attribute.value);
    mapped.chain(settings.rules.iter().flatten().map(|name| &name.value)).cloned().collect()
}

/// The most match rules that a configuration can have.
const MOST_RULES: usize = 7;

fn read_match_rules(settings: &Settings, schema: &Schema) -> Result<Vec<MatchRule>, AppError> {
    let mut problems = Vec::new();
    let mut rules = Vec::new();
    for rule in &settings.rules {
        let mut attributes = Vec::new();
        for name in rule {
            let known = schema.id(&name.value).filter(|id| schema.get(*id).comparable());
            let mapped = settings.map.entries.iter().any(|entry| entry.attribute.value == name.value);
            let problem = match known {
                Some(id) if mapped => {
                    attributes.push(id);
                    continue;
                }
                Some(_) => Problem {
                    message: format!("the match rule names {}, which [map] does not map", name.value),
                    span: Some(name.span.clone()),
                    help: Some(format!(
                        "map it, with on = \"never\" if it is only used to find accounts: {} = {{ column = \"…\", on = \"never\" }}",
                        name.value
                    )),
                },
                None => {
                    let readable = schema.iter().filter(|(_, a)| a.comparable()).map(|(_, a)| a.name.as_str());
                    let nearest = text::nearest(&name.value, readable);
                    Problem {
                        message: format!("{} is not an attribute that the target shows", name.value),
                        span: Some(name.span.clone()),
                        help: nearest.map(|nearest| format!("did you mean {nearest}?")),
                    }
                }
            };
            problems.push(problem);
        }
        rules.push(MatchRule::new(schema, attributes));
    }
    if rules.len() > MOST_RULES {
        let span = settings.rules.get(MOST_RULES).and_then(|rule| rule.first()).map(|name| name.span.clone());
        let message = format!("more than {MOST_RULES} match rules");
        problems.push(Problem { message, span, help: None });
    }
    if problems.is_empty() { Ok(rules) } else { Err(ConfigError::all(settings, problems).into()) }
}

/// Where `[name]` stands in the configuration; its beginning where it is written in another way.
fn find_table(text: &str, name: &str) -> std::ops::Range<usize> {
    let header = format!("[{name}]");
    text.find(&header).map_or(0..0, |at| at..at + header.len())
}
