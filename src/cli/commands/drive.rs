//! What `apply`, `sync` and `resume` share: a run from its first intent to its report.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use jiff::Timestamp;

use super::plan::seconds;
use super::references;
use crate::cli::app::App;
use crate::cli::args;
use crate::cli::ask::{Answer, apply_question, ask};
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::workbench::{Configured, Mapped, shown};
use crate::cli::{past, records};
use crate::clock::blocking;
use crate::config::Delivery;
use crate::execute::lifecycle::{Beginning, Left, begin, finish};
use crate::execute::passwords::{Promise, RunSecrets, deliver};
use crate::execute::{Executed, Execution, Halt, Mode, Selection, execute};
use crate::journal::paths::{make_private_dir, write_atomically};
use crate::journal::{Event, Journal, Memory, RunId, RunSecret, secret};
use crate::model::value::SECRET;
use crate::model::{AttrId, Secret, Value};
use crate::plan::Action;
use crate::plan::file::{Header, PlanReader};
use crate::plan::safety::Group;
use crate::report::summary::SummaryOutcome;
use crate::report::visible::visible;
use crate::report::{Extent, Form, Head, Problem, Style, Summary, render};
use crate::survey::{PlanFiles, References, source_secrets};

/// What a run is driven with.
pub struct Drive<'a> {
    pub app: &'a App,
    pub configured: &'a Configured,
    pub journal: &'a Journal,
    pub memory: &'a Memory,
    pub connected: &'a Connected,
    /// The source, where it is open already; a run needs it only for secrets that it holds.
    pub mapped: Option<&'a Mapped>,
    pub command: &'static str,
    pub started: Duration,
}

/// A plan that is about to be executed.
pub struct Planned<'a> {
    pub header: &'a Header,
    pub digest: &'a str,
    pub files: &'a PlanFiles,
    /// Until when the plan's listing counts as the present.
    pub fresh_until: Option<Timestamp>,
    /// Requests that were estimated, those of the planning included.
    pub estimated: u64,
}

/// Whether somebody with the right to say so wants the plan applied.
pub fn confirmed(app: &App, execution: &args::Execution, head: &Head) -> Result<bool, Failure> {
    if execution.yes {
        return Ok(true);
    }
    app.pause_progress();
    if !io::stdin().is_terminal() {
        return Err(Failure::new("usage", "nothing was applied: there is no terminal to ask")
            .hint("--yes applies without asking"));
    }
    let answer = blocking(|| ask(&apply_question(head), &mut io::stdin().lock(), &mut io::stderr()))
        .map_err(|error| Failure::new("usage", format!("the question could not be asked: {error}")))?;
    Ok(answer == Answer::Yes)
}

/// Secrets that the source holds, by the number of the action.
type SourceSecrets = HashMap<u64, Vec<(AttrId, Secret)>>;

pub fn read_plan(files: &PlanFiles) -> Result<PlanReader<io::BufReader<std::fs::File>>, Failure> {
    let file = std::fs::File::open(&files.plan)
        .map_err(|error| Failure::new("plan", format!("{}: {error}", files.plan.display())))?;
    Ok(PlanReader::new(io::BufReader::new(file))?)
}

impl Drive<'_> {
    /// Starts a run for a plan, and drives it to its end.
    pub async fn start(&self, plan: &Planned<'_>, execution: &args::Execution) -> Result<Exit, Failure> {
        let released = records::released(plan.header, &execution.approve)?;
        let selection = Selection { only: execution.only.clone(), limit: execution.limit };
        self.say_who_is_not_in_the_plan(plan.files, &selection)?;
        // Read before the run begins: a source that lost them must not leave a run behind that cannot go on.
        let from_source = self.secrets_of_source(plan.header, plan.files)?;
        let asked = self.refer(plan, &released, &selection).await?;
        let plan = &Planned { estimated: plan.estimated + asked, ..*plan };
        let beginning = Beginning {
            journal: self.journal,
            memory: self.memory,
            state: &self.configured.state,
            clock: &*self.app.clock,
            header: plan.header,
            digest: plan.digest,
            files: plan.files,
            command: self.command,
            approved: &execution.approve,
            selection: &selection,
            actions: plan.header.counts.actions.total(),
        };
        let (run, secret) = begin(&beginning).await?;
        self.run(run, plan, (secret, from_source), &released, &selection).await
    }

    /// Before the first write: whether the tenant has everything that the plan's actions refer to. Returns how many
    /// requests it took to know.
    async fn refer(&self, plan: &Planned<'_>, released: &[Group], selection: &Selection) -> Result<u64, Failure> {
        let mut taken = 0;
        let chosen = |action: &Action| {
            let is_held = action.held && !released.contains(&Group::of(action.action));
            selection.matches(action) && !is_held && selection.takes(&mut taken)
        };
        let references = References::of_plan(&plan.files.plan, &self.configured.schema, chosen)?;
        references::check(self.app, &references, &self.configured.schema, &*self.connected.target).await
    }

    /// Goes on with a run of the journal.
    pub async fn resume(&self, run: RunId, plan: &Planned<'_>) -> Result<Exit, Failure> {
        let state = self.journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
        let head = state.head();
        let released = records::released(plan.header, &head.approved)?;
        let selection = head.selection.clone().unwrap_or_default();
        let secret = match secret::load(&self.configured.state, run)? {
            Some(secret) => secret,
            // Destroyed only once everything that depends on it was delivered.
            None => secret::create(&self.configured.state, run, rand::random())?,
        };
        let from_source = self.secrets_of_source(plan.header, plan.files)?;
        let at = self.app.clock.now();
        self.journal.append(Event::RunResumed { run, at }).await?;
        self.run(run, plan, (secret, from_source), &released, &selection).await
    }

    async fn run(
        &self,
        run: RunId,
        plan: &Planned<'_>,
        (derived_from, from_source): (RunSecret, SourceSecrets),
        released: &[Group],
        selection: &Selection,
    ) -> Result<Exit, Failure> {
        let files = PlanFiles::within(&self.configured.state.run(run));
        let promise = self.promise(run)?;
        let lengths = promise.lengths(&self.configured.schema);
        let secrets = RunSecrets { derived_from, lengths, from_source };
        let monitor = self.app.monitor();
        let rate = &self.configured.settings.rate;
        let execution = Execution {
            run,
            plan: &files.plan,
            target: &*self.connected.target,
            rules: &self.configured.rules,
            journal: self.journal,
            memory: self.memory,
            secrets: &secrets,
            clock: &*self.app.clock,
            monitor: &*monitor,
            stop: &self.app.stop,
            released,
            selection,
            fresh_until: plan.fresh_until,
            concurrency: rate.concurrency,
            timeout: rate.timeout,
            mode: Mode::Everything,
        };
        let executed = execute(&execution).await?;
        // The passwords first: once the run has ended nobody would deliver them any more, so it does not end without.
        let delivered = self.deliver(run, &files, &secrets, &promise);
        let left = match &delivered {
            Ok(_) => finish(self.journal, self.memory, &*self.app.clock, run, plan.header, &executed).await?,
            Err(failure) => {
                let (at, why) = (self.app.clock.now(), failure.message.clone());
                self.journal.append(Event::RunPaused { run, at, why }).await?;
                Left::Paused
            }
        };
        if let Left::Ended(_) = left {
            secret::destroy(&self.configured.state, run)?;
        }
        let exit = if delivered.is_err() { Exit::Paused } else { exit_of(&executed, left) };
        let mut summary = self.summary(run, plan, &executed, exit);
        if let (Err(failure), None) = (&delivered, &summary.error) {
            summary.error = Some(failure.problem());
        }
        self.publish(run, plan.header, &summary, released.to_vec())?;
        match delivered {
            Ok(Some(path)) => self.app.say(&format!("Generated passwords: {}", shown(&path))),
            Ok(None) => {}
            Err(failure) => self.app.lament(&failure),
        }
        self.app.close(&summary);
        self.prune().await?;
        Ok(exit)
    }

    /// What holds for the run's generated passwords, from its beginning on.
    fn promise(&self, run: RunId) -> Result<Promise, Failure> {
        let Configured { state, settings, .. } = self.configured;
        let generated = settings.map.entries.iter().filter_map(|entry| match &entry.expression.value {
            crate::mapping::spec::Expression::Generate(generate) => {
                Some((entry.attribute.value.clone(), generate.length))
            }
            _ => None,
        });
        Ok(Promise::of(state, run, &settings.passwords.file, generated.collect())?)
    }

    /// Says which names of `--only` the plan has no action for: a misspelt name must not look like a person who needs
    /// nothing.
    fn say_who_is_not_in_the_plan(&self, files: &PlanFiles, selection: &Selection) -> Result<(), Failure> {
        let mut missing: Vec<Selection> =
            selection.only.iter().map(|name| Selection { only: vec![name.clone()], limit: None }).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut plan = read_plan(files)?;
        while let Some(action) = plan.next()? {
            missing.retain(|wanted| !wanted.matches(&action));
        }
        for name in missing.iter().flat_map(|wanted| &wanted.only) {
            self.app
                .monitor()
                .note(&format!("--only {}: nobody of this key, identity or account is to be changed", visible(name)));
        }
        Ok(())
    }

    /// The secrets that a plan only marks, read again from the source; nothing is opened where there are none.
    fn secrets_of_source(&self, header: &Header, files: &PlanFiles) -> Result<SourceSecrets, Failure> {
        let schema = &self.configured.schema;
        let mut wanted = HashMap::new();
        let mut plan = read_plan(files)?;
        while let Some(action) = plan.next()? {
            let marked = action.changes.iter().any(|change| {
                change.to == Value::text(SECRET) && schema.id(&change.attribute).is_some_and(|id| schema.get(id).secret)
            });
            if let (true, Some(source)) = (marked, &action.source) {
                wanted.insert((source.file.clone(), source.line), action.seq);
            }
        }
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let opened;
        let mapped = match self.mapped {
            Some(mapped) => mapped,
            None => {
                opened = self.configured.source(&*self.app.clock)?;
                &opened
            }
        };
        Ok(source_secrets(&mapped.source, &mapped.mapping, header, &wanted)?)
    }

    /// Delivers the passwords of a run that is left as it is: its accounts are there, and nobody will go on with it.
    pub fn deliver_of(&self, run: RunId) -> Result<(), Failure> {
        let state = &self.configured.state;
        let (Some(derived_from), Some(promise)) = (secret::load(state, run)?, Promise::load(state, run)?) else {
            // It sent nothing, or everything was delivered.
            return Ok(());
        };
        let lengths = promise.lengths(&self.configured.schema);
        let secrets = RunSecrets { derived_from, lengths, from_source: HashMap::new() };
        let files = PlanFiles::within(&state.run(run));
        if let Some(path) = self.deliver(run, &files, &secrets, &promise)? {
            self.app.say(&format!("Generated passwords: {}", shown(&path)));
        }
        Ok(())
    }

    fn deliver(
        &self,
        run: RunId,
        files: &PlanFiles,
        secrets: &RunSecrets,
        promise: &Promise,
    ) -> Result<Option<std::path::PathBuf>, Failure> {
        let passwords = &self.configured.settings.passwords;
        let Delivery::Recipient(recipient) = &passwords.deliver_to else { return Ok(None) };
        let state = self.journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
        Ok(deliver(recipient, &promise.file, &files.plan, &self.configured.schema, &state, secrets)?)
    }

    fn summary(&self, run: RunId, plan: &Planned<'_>, executed: &Executed, exit: Exit) -> Summary {
        let meter = Some(self.connected.target.meter());
        let requests = records::requests(meter, plan.estimated);
        let mut summary = records::plan_summary(plan.header, self.command, requests, records::quota(meter));
        summary.run = run.to_string();
        summary.applied = executed.applied;
        summary.held = executed.held;
        // An account that was left alone because it changed is not done, and must not look as if it were.
        summary.failed = executed.failed + executed.skipped;
        summary.unknown = executed.unknown;
        summary.exit_code = exit as u8;
        summary.elapsed_seconds = seconds(self.app.clock.elapsed().saturating_sub(self.started));
        summary.outcome = match exit {
            Exit::Paused => SummaryOutcome::Paused,
            Exit::Partial => SummaryOutcome::Partial,
            Exit::Held => SummaryOutcome::Held,
            Exit::Done if summary.planned.total() == 0 => SummaryOutcome::NoChanges,
            Exit::Done => SummaryOutcome::Complete,
            _ => SummaryOutcome::Failed,
        };
        summary.error = executed.halt.as_ref().map(problem);
        summary
    }

    /// Keeps the summary with the run, writes the reports, and shows what a person must know.
    fn publish(&self, run: RunId, header: &Header, summary: &Summary, released: Vec<Group>) -> Result<(), Failure> {
        let Configured { state, settings, .. } = self.configured;
        let head = records::head("run", header, summary.clone(), &released);
        write_atomically(&state.run_summary(run), 0o600, |out| Ok(serde_json::to_writer(out, &head)?))?;
        let record = || records::of_run(head.clone(), state, self.journal, run, released.clone());
        let mut written = Vec::new();
        let wanted = [(Form::Html, &settings.report.html), (Form::Markdown, &settings.report.markdown)];
        for (form, path) in wanted.into_iter().filter_map(|(form, path)| Some((form, path.as_ref()?))) {
            let path = std::path::PathBuf::from(path.to_string_lossy().replace("{run}", &run.to_string()));
            let style = Style { redact: settings.report.redact.clone(), ..Style::default() };
            let result = path.parent().map_or(Ok(()), make_parent).and_then(|()| {
                let record = record().map_err(|failure| io::Error::other(failure.message))?;
                let record = record.after(past::before(&head, &self.journal.runs(), state));
                write_atomically(&path, 0o600, |out| render(record, form, &style, out)).map_err(io::Error::other)
            });
            match result {
                Ok(()) => written.push(path),
                // The run itself is unharmed, and `report` writes it again.
                Err(error) => self.app.monitor().note(&format!(
                    "the report {} is not written: {error}; `headcount report {run} --as {form} -o FILE` writes it",
                    path.display()
                )),
            }
        }
        for (setting, wanted) in [
            ("report.metrics", settings.report.metrics.is_some()),
            ("report.webhook", settings.report.webhook.is_some()),
        ] {
            if wanted {
                self.app.monitor().note(&format!("{setting} is set, and this version does not serve it"));
            }
        }
        self.app.show(self.configured, record()?, Extent::Result)?;
        let written: Vec<String> = written.iter().map(|path| shown(path)).collect();
        match written.as_slice() {
            [] => {}
            [path] => self.app.say(&format!("The report is in {path}.")),
            paths => self.app.say(&format!("The reports are in {}.", paths.join(" and "))),
        }
        Ok(())
    }

    /// Forgets what is older than `journal.keep`.
    async fn prune(&self) -> Result<(), Failure> {
        let (state, keep, now) = (&self.configured.state, self.configured.settings.journal.keep, self.app.clock.now());
        for run in self.journal.prune(keep, now).await? {
            state.remove_run(run)?;
        }
        prune_plans(&state.path().join("plans"), keep);
        Ok(())
    }
}

/// Removes plans that were made longer ago than `keep`.
fn prune_plans(plans: &std::path::Path, keep: Duration) {
    let Ok(entries) = std::fs::read_dir(plans) else { return };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > keep) {
            // What cannot be removed now is tried again after the next run.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn make_parent(dir: &std::path::Path) -> io::Result<()> {
    if dir.as_os_str().is_empty() || dir.exists() {
        return Ok(());
    }
    // Reports hold names and mail addresses: a folder made for them is its owner's.
    make_private_dir(dir).map_err(io::Error::other)
}

fn exit_of(executed: &Executed, left: Left) -> Exit {
    match (&executed.halt, left) {
        (Some(_), Left::Ended(_)) => Exit::Failed,
        (Some(_), Left::Paused) => Exit::Paused,
        (None, _) if executed.failed + executed.skipped + executed.unknown > 0 => Exit::Partial,
        (None, _) if executed.held > 0 => Exit::Held,
        (None, _) => Exit::Done,
    }
}

fn problem(halt: &Halt) -> Problem {
    let (kind, error) = match halt {
        Halt::Signal => {
            return Problem {
                kind: "signal".to_owned(),
                message: halt.to_string(),
                hint: Some("`headcount resume` goes on where it stopped".to_owned()),
            };
        }
        Halt::Quota(error) => ("quota", error),
        Halt::Down(error) => ("target", error),
        Halt::Configuration(error) => ("configuration", error),
    };
    Problem { kind: kind.to_owned(), message: error.to_string(), hint: error.hint.clone() }
}
