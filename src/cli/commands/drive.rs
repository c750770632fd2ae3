//! What `apply`, `sync` and `resume` share: a run from its first intent to its report.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use jiff::Timestamp;

use super::references;
use crate::cli::app::App;
use crate::cli::args;
use crate::cli::ask::{Answer, apply_question, ask};
use crate::cli::connect::Connected;
use crate::cli::failure::{Exit, Failure};
use crate::cli::records;
use crate::cli::workbench::{Configured, Mapped, shown};
use crate::config::Delivery;
use crate::execute::lifecycle::{self, RunBeginning, RunFinish, begin_run, finish_run};
use crate::execute::passwords::{PasswordPromise, RunSecrets, deliver_passwords};
use crate::execute::{ExecutionInputs, ExecutionResult, Mode, execute_run};
use crate::journal::{Event, Journal, Memory, RunId, RunSecret, secret};
use crate::model::value::SECRET;
use crate::model::{AttrId, Secret, Value};
use crate::plan::action::ActionCounts as Counts;
use crate::plan::file::{PlanHeader, PlanReader};
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, Selection, selected_actions};
use crate::planning::{PlanFiles, References, source_secrets};
use crate::report::visible::visible;
use crate::report::{Head, RecordKind};
use crate::testing::failpoints::{self, Failpoint};

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
    pub header: &'a PlanHeader,
    pub digest: &'a str,
    pub files: &'a PlanFiles,
    /// Until when the plan's listing counts as the present.
    pub fresh_until: Option<Timestamp>,
    /// Requests a second that the listing reached.
    pub pace: Option<f64>,
    /// Requests that it took to get so far, repeats left out: signing in, and the listing where this command made it.
    pub spent: u64,
}

/// Why actions of a plan are not for a run that begins: words behind their number.
pub const NOT_CHOSEN: &str = "left out (--only, --limit)";

/// Whether somebody with the right to say so wants that much of the plan done; of the rest the question says `why_not`.
/// Ctrl-C is an answer too: nothing began, so there is nothing to wait for.
pub async fn confirmed(
    app: &App,
    execution: &args::Execution,
    head: &Head,
    files: &PlanFiles,
    is_to_do: impl FnMut(&Action) -> bool + Send,
    why_not: &str,
) -> Result<bool, Failure> {
    if execution.yes {
        return Ok(true);
    }
    app.pause_progress();
    if !io::stdin().is_terminal() {
        return Err(Failure::new("usage", "nothing was applied: there is no terminal to ask")
            .hint("--yes applies without asking"));
    }
    let question = apply_question(head, &count(files, is_to_do)?, why_not);
    let unasked =
        |error: &dyn std::fmt::Display| Failure::new("usage", format!("the question could not be asked: {error}"));
    let _asking = app.asking();
    // On a thread that is left behind: nobody can take the reader away from a terminal.
    let asked = tokio::task::spawn_blocking(move || ask(&question, &mut io::stdin().lock(), &mut io::stderr()));
    tokio::select! {
        answer = asked => {
            let answer = answer.map_err(|error| unasked(&error))?.map_err(|error| unasked(&error))?;
            Ok(answer == Answer::Yes)
        }
        () = app.stop.wait_requested() => {
            // The cursor still stands behind the question.
            app.end_line();
            Err(Failure::new("signal", "stopped before anything was changed").exit(Exit::Paused))
        }
    }
}

/// The actions of a plan that are to be done, by kind.
fn count(files: &PlanFiles, mut is_to_do: impl FnMut(&Action) -> bool) -> Result<Counts, Failure> {
    let mut to_do = Counts::default();
    let mut plan = read_plan(files)?;
    while let Some(action) = plan.next()? {
        *to_do.count_mut(action.action) += u64::from(is_to_do(&action));
    }
    Ok(to_do)
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
        let estimated = self.estimated(plan, asked + self.whole(plan, &released, &selection)?.count_requests());
        let beginning = RunBeginning {
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
            actions: plan.header.counts.actions.count_all(),
        };
        let (run, secret) = begin_run(&beginning).await?;
        self.run(run, plan, estimated, (secret, from_source), &released, &selection).await
    }

    /// Before the first write: whether the tenant has everything that the plan's actions refer to. Returns how many
    /// requests it took to know.
    async fn refer(&self, plan: &Planned<'_>, released: &[ActionGroup], selection: &Selection) -> Result<u64, Failure> {
        let references =
            References::of_plan(&plan.files.plan, &self.configured.schema, selected_actions(released, selection))?;
        references::check(self.app, &references, &self.configured.schema, &*self.connected.target).await
    }

    /// Goes on with a run of the journal.
    pub async fn resume(&self, run: RunId, plan: &Planned<'_>) -> Result<Exit, Failure> {
        let state = self.journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
        let head = state.head();
        let released = records::released(plan.header, &head.approved)?;
        let selection = head.selection.clone().unwrap_or_default();
        let secret = match secret::load_secret(&self.configured.state, run)? {
            Some(secret) => secret,
            None => {
                self.needs_no_secret(run)?;
                secret::create(&self.configured.state, run, rand::random())?
            }
        };
        let from_source = self.secrets_of_source(plan.header, plan.files)?;
        let to_come = self.left(&state, plan, &released, &selection)?.0.count_requests();
        let estimated = self.estimated(plan, to_come);
        lifecycle::resume_run(self.journal, self.memory, &self.configured.state, &*self.app.clock, &state).await?;
        self.run(run, plan, estimated, (secret, from_source), &released, &selection).await
    }

    async fn run(
        &self,
        run: RunId,
        plan: &Planned<'_>,
        estimated: u64,
        (derived_from, from_source): (RunSecret, SourceSecrets),
        released: &[ActionGroup],
        selection: &Selection,
    ) -> Result<Exit, Failure> {
        let files = PlanFiles::in_dir(&self.configured.state.run(run));
        let promise = self.promise(run)?;
        let lengths = promise.lengths_by_attribute(&self.configured.schema);
        let secrets = RunSecrets { derived_from, lengths, from_source };
        let monitor = self.app.monitor();
        let rate = &self.configured.settings.rate;
        let execution = ExecutionInputs {
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
        let executed = execute_run(&execution).await.map_err(|error| unfinished(error.into()))?;
        failpoints::reach(Failpoint::Executed);
        // The passwords first: once the run has ended nobody would deliver them any more, so it does not end without.
        let delivered = self.deliver(run, &files, &secrets, &promise);
        failpoints::reach(Failpoint::Delivered);
        let left = match &delivered {
            Ok(_) => finish_run(self.journal, self.memory, &*self.app.clock, run, plan.header, &executed)
                .await
                .map_err(|error| unfinished(error.into()))?,
            Err(failure) => {
                let (at, why) = (self.app.clock.now(), failure.message.clone());
                let paused = self.journal.append(Event::RunPaused { run, at, why }).await;
                paused.map_err(|error| unfinished(error.into()))?;
                failpoints::reach(Failpoint::RunPaused);
                RunFinish::Paused
            }
        };
        if let RunFinish::Ended(_) = left
            && let Err(error) = secret::destroy_secret(&self.configured.state, run)
        {
            // Everything was delivered, and nothing will be derived from it any more.
            self.app.monitor().note(&format!("the run has ended, and its secret is still there: {error}"));
        }
        let exit = if delivered.is_err() { Exit::Paused } else { exit_of(&executed, left) };
        let mut summary = self.summary(run, plan, estimated, &executed, exit);
        if exit == Exit::Paused {
            summary.forecast = self.forecast(run, plan, released, selection);
        }
        if let (Err(failure), None) = (&delivered, &summary.error) {
            summary.error = Some(failure.problem());
        }
        self.publish(run, plan.header, &summary, released.to_vec());
        failpoints::reach(Failpoint::Published);
        match delivered {
            Ok(Some(path)) => self.app.say(&format!("Generated passwords: {}", shown(&path))),
            Ok(None) => {}
            Err(failure) => self.app.lament(&failure),
        }
        self.app.close(&summary);
        let accounts = plan.header.rollback_of.is_none().then_some(plan.header.listing.accounts);
        self.app.over(records::head(RecordKind::Run, plan.header, summary, released), accounts);
        if let Err(failure) = self.prune().await {
            // What is done is done, and what was not forgotten now is forgotten after the next run.
            self.app.monitor().note(&format!("what is older than journal.keep is still kept: {}", failure.message));
        }
        Ok(exit)
    }

    /// What holds for the run's generated passwords, from its beginning on.
    fn promise(&self, run: RunId) -> Result<PasswordPromise, Failure> {
        let Configured { state, settings, .. } = self.configured;
        let generated = settings.map.entries.iter().filter_map(|entry| match &entry.expression.value {
            crate::mapping::spec::Expression::Generate(generate) => {
                Some((entry.attribute.value.clone(), generate.length))
            }
            _ => None,
        });
        Ok(PasswordPromise::keep_promise(state, run, &settings.passwords.file, generated.collect())?)
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
            missing.retain(|wanted| !wanted.names_action(&action));
        }
        for name in missing.iter().flat_map(|wanted| &wanted.only) {
            self.app
                .monitor()
                .note(&format!("--only {}: nobody of this key, identity or account is to be changed", visible(name)));
        }
        Ok(())
    }

    /// The secrets that a plan only marks, read again from the source; nothing is opened where there are none.
    fn secrets_of_source(&self, header: &PlanHeader, files: &PlanFiles) -> Result<SourceSecrets, Failure> {
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
        let (derived_from, promise) =
            match (secret::load_secret(state, run)?, PasswordPromise::load_promise(state, run)?) {
                (Some(derived_from), Some(promise)) => (derived_from, promise),
                // What is promised is promised before the first request: it sent nothing.
                (Some(_), None) => return Ok(()),
                (None, _) => return self.needs_no_secret(run),
            };
        let lengths = promise.lengths_by_attribute(&self.configured.schema);
        let secrets = RunSecrets { derived_from, lengths, from_source: HashMap::new() };
        let files = PlanFiles::in_dir(&state.run(run));
        if let Some(path) = self.deliver(run, &files, &secrets, &promise)? {
            self.app.say(&format!("Generated passwords: {}", shown(&path)));
        }
        Ok(())
    }

    /// A secret is kept until its run has ended. One that is gone before was lost, and with it every password that is
    /// not delivered yet; that does not matter only where none is generated.
    fn needs_no_secret(&self, run: RunId) -> Result<(), Failure> {
        let state = &self.configured.state;
        match PasswordPromise::load_promise(state, run)? {
            Some(promise) if !promise.lengths.is_empty() => {
                let why = format!("{}: it is not there", state.run_secret(run).display());
                Err(records::damaged_run(state, run, &why))
            }
            _ => Ok(()),
        }
    }

    fn deliver(
        &self,
        run: RunId,
        files: &PlanFiles,
        secrets: &RunSecrets,
        promise: &PasswordPromise,
    ) -> Result<Option<std::path::PathBuf>, Failure> {
        let passwords = &self.configured.settings.passwords;
        let Delivery::Recipient(recipient) = &passwords.deliver_to else { return Ok(None) };
        let state = self.journal.run(run)?.ok_or_else(|| records::no_run(&run.to_string()))?;
        Ok(deliver_passwords(recipient, &promise.file, &files.plan, &self.configured.schema, &state, secrets)?)
    }
}

/// What goes wrong once requests may have left is no failure before anything was changed: the run can be resumed.
fn unfinished(failure: Failure) -> Failure {
    if failure.exit == Exit::Failed { failure.exit(Exit::Paused) } else { failure }
}

fn exit_of(executed: &ExecutionResult, left: RunFinish) -> Exit {
    match (&executed.halt, left) {
        (Some(_), RunFinish::Ended(_)) => Exit::Failed,
        (Some(_), RunFinish::Paused) => Exit::Paused,
        (None, _) if executed.failed + executed.skipped + executed.unknown > 0 => Exit::Partial,
        (None, _) if executed.held > 0 => Exit::Held,
        (None, _) => Exit::Done,
    }
}
