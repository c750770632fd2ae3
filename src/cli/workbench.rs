//! Everything that commands work with, opened in the order in which mistakes are cheapest: configuration, source,
//! mapping, journal, and only then the target.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::clock::Clock;
use crate::config::{ConfigError, LookupSettings, Problem, Settings};
use crate::connectors::Connector;
use crate::execute::lifecycle::tidy_state;
use crate::files::{make_private_dir, write_atomically};
use crate::journal::{Journal, Memory, Options, StateDir};
use crate::mapping::spec::On;
use crate::mapping::{Creates, Lookup, Lookups, Mapping, Options as MapOptions};
use crate::model::monitor::Monitor;
use crate::model::{Capabilities, MatchRule, Schema, text};
use crate::plan::Absent;
use crate::planning::{Accounts, PlanInputs};
use crate::source::{Source, read_table};

/// The settings, and what follows from them without reading anything else.
pub struct Configured {
    pub settings: Settings,
    pub schema: Schema,
    pub rules: Vec<MatchRule>,
    pub state: StateDir,
}

/// A configured source with its mapping.
pub struct Mapped {
    pub source: Source,
    pub mapping: Mapping,
    /// Where standard input is kept as long as it may be read again; gone with this value.
    _spool: tempfile::TempDir,
}

impl Configured {
    /// Reads the configuration and checks what it says against the kind's schema.
    pub fn load(config: &Path, state: Option<&Path>) -> Result<Self, Failure> {
        Self::of(crate::config::load(config)?, state)
    }

    /// What follows from settings that were read already.
    pub fn of(settings: Settings, state: Option<&Path>) -> Result<Self, Failure> {
        let schema = settings.target.settings.schema(&mapped(&settings));
        let rules = rules(&settings, &schema)?;
        let state = StateDir::new(state.map_or_else(|| settings.journal.path.clone(), Path::to_owned));
        Ok(Self { settings, schema, rules, state })
    }

    /// The target's name in plans and in the journal: the same from run to run, also for the sandbox, whose port is not.
    pub fn target_name(&self) -> String {
        let target = &self.settings.target;
        format!("{} {}", target.kind.name, target.base_url.value)
    }

    pub fn config_digest(&self) -> String {
        let [a, b] = self.settings.digest.0;
        format!("{a:016x}{b:016x}")
    }

    /// Opens the journal, and with it takes the lock; puts away what killed processes left.
    pub fn journal(&self, clock: &dyn Clock) -> Result<Journal, Failure> {
        let now = clock.now();
        let journal = Journal::open(self.state.path(), Options::new(now))?;
        tidy_state(&self.state, &journal, self.settings.journal.keep, now)?;
        Ok(journal)
    }

    /// What is remembered of this tenant.
    pub fn memory(&self, journal: &Journal) -> Memory {
        journal.memory(&format!("{}\n{}", self.settings.target.tenant, self.target_name()))
    }

    /// Opens the source and compiles the mapping for its columns. What can be read only once is kept below `folder`
    /// meanwhile.
    pub fn source_in(&self, clock: &dyn Clock, folder: &Path) -> Result<Mapped, Failure> {
        let spool = tempfile::Builder::new().prefix(".spool-").tempdir_in(folder).map_err(|error| {
            Failure::new("journal", format!("{}: no folder can be made in it: {error}", folder.display()))
                .hint("check the space and the permissions there")
        })?;
        let source = Source::open(&self.settings.source, spool.path())?;
        let lookups = self.settings.lookups.iter().map(|lookup| self.lookup(lookup)).collect::<Result<Lookups, _>>()?;
        let today = clock.now().to_zoned(jiff::tz::TimeZone::system()).date();
        let options = MapOptions {
            creates: if self.settings.policy.create { Creates::Possible } else { Creates::Never },
            table: table_of(&self.settings.text, "map"),
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
                Failure::from(error)
            })?;
        Ok(Mapped { source, mapping, _spool: spool })
    }

    /// As [`Configured::source_in`], in the state directory.
    pub fn source(&self, clock: &dyn Clock) -> Result<Mapped, Failure> {
        let plans = self.state.path().join("plans");
        make_private_dir(&plans)?;
        self.source_in(clock, &plans)
    }

    /// What a plan is made from in `dir`. Only what is listed now is kept for later.
    pub fn inputs<'a>(
        &'a self,
        mapped: &'a Mapped,
        memory: &'a Memory,
        (clock, monitor): (&'a dyn Clock, &'a dyn Monitor),
        accounts: Accounts<'a>,
        dir: &'a Path,
    ) -> PlanInputs<'a> {
        PlanInputs {
            settings: &self.settings,
            schema: &self.schema,
            rules: &self.rules,
            source: &mapped.source,
            mapping: &mapped.mapping,
            memory,
            clock,
            monitor,
            target: self.target_name(),
            accounts,
            dir,
            snapshot: matches!(accounts, Accounts::Live(_)).then(|| self.state.snapshot()),
        }
    }

    fn lookup(&self, lookup: &LookupSettings) -> Result<Lookup, Failure> {
        let (columns, records) = read_table(&lookup.path, None, None)?;
        let origin = shown(&lookup.path);
        let at = |error: crate::mapping::LookupError| {
            Failure::from(ConfigError::at(&self.settings, lookup.key.span.clone(), error.to_string(), None))
        };
        let mut table = Lookup::new(&lookup.name.value, &origin, &lookup.key.value, columns).map_err(at)?;
        for record in &records {
            table.insert(record).map_err(at)?;
        }
        Ok(table)
    }

    /// The configuration as the live target's own schema has it: what a server says of its attributes counts more than
    /// what a standard says of them.
    pub fn seen_by(self, target: &dyn Connector) -> Result<Self, Failure> {
        self.with_schema(target.schema().clone())
    }

    /// The configuration as the live target last saw it, for a plan that is made without asking it. What nobody has
    /// asked yet is as the standard has it.
    pub fn last_seen(self) -> Result<Self, Failure> {
        let learnt = std::fs::read(self.state.schema()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match learnt {
            Some(Learnt { target, attributes }) if target == self.target_name() => {
                let schema = self.schema.clone().with(&attributes);
                self.with_schema(schema)
            }
            _ => Ok(self),
        }
    }

    fn with_schema(self, schema: Schema) -> Result<Self, Failure> {
        let rules = rules(&self.settings, &schema)?;
        Ok(Self { schema, rules, ..self })
    }

    /// Keeps what the live target says of its attributes.
    pub fn remember_schema(&self, target: &dyn Connector) -> Result<(), Failure> {
        let attributes = target.schema().iter().map(|(_, a)| (a.name.clone(), a.capabilities())).collect();
        let learnt = Learnt { target: self.target_name(), attributes };
        make_private_dir(self.state.path())?;
        write_atomically(&self.state.schema(), 0o600, |out| Ok(serde_json::to_writer(out, &learnt)?))?;
        Ok(())
    }

    /// The names of everything that is mapped or matched, as the configuration writes them.
    pub fn mapped(&self) -> Vec<String> {
        mapped(&self.settings)
    }

    /// The names of what a listing must show of each account: what is compared or matched, and whether it is in use
    /// where that decides what becomes of it.
    pub fn compared(&self) -> Vec<String> {
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

    /// A folder for a plan that is being made; [`Configured::keep_plan`] gives it its name.
    pub fn new_plan_dir(&self, clock: &dyn Clock) -> Result<PathBuf, Failure> {
        let plans = self.state.path().join("plans");
        make_private_dir(&plans)?;
        let dir = plans.join(format!(".new-{:016x}", clock.random()));
        make_private_dir(&dir)?;
        Ok(dir)
    }

    pub fn keep_plan(&self, dir: &Path, plan: &str) -> Result<PathBuf, Failure> {
        let kept = self.state.plan(plan).ok_or_else(|| Failure::new("plan", "a plan without a name"))?;
        std::fs::rename(dir, &kept).map_err(|error| Failure::new("journal", format!("{}: {error}", kept.display())))?;
        Ok(kept)
    }
}

/// What a live target said of its attributes.
#[derive(Serialize, Deserialize)]
struct Learnt {
    target: String,
    attributes: BTreeMap<String, Capabilities>,
}

/// A path as people write it: relative where it lies below the working directory.
pub fn shown(path: &Path) -> String {
    let relative = std::env::current_dir().ok().and_then(|dir| path.strip_prefix(dir).ok().map(Path::to_owned));
    relative.unwrap_or_else(|| path.to_owned()).display().to_string()
}

fn mapped(settings: &Settings) -> Vec<String> {
    let mapped = settings.map.entries.iter().map(|entry| &entry.attribute.value);
    mapped.chain(settings.rules.iter().flatten().map(|name| &name.value)).cloned().collect()
}

/// The most match rules that a configuration can have.
const MOST_RULES: usize = 7;

fn rules(settings: &Settings, schema: &Schema) -> Result<Vec<MatchRule>, Failure> {
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
                        message: format!("{} is no attribute that the target shows", name.value),
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
fn table_of(text: &str, name: &str) -> std::ops::Range<usize> {
    let header = format!("[{name}]");
    text.find(&header).map_or(0..0, |at| at..at + header.len())
}
