//! A run from its first intent to its report: what `apply`, `sync` and `resume` share.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::error::{Aftermath, AppError, ErrorKind};
use super::estimates::{remaining_work, whole_work};
use super::published_reports::{Publication, prune_history};
use super::reference_check::check_references;
use super::run_driver::RunDriver;
use super::run_secrets::{NoSecrets, SourceSecrets};
use super::session::Notice;
use super::stored_records::{find_run, open_plan, release_groups};
use super::summaries::{
    count_requests, count_spent, exit_code_of, read_quota, report_head, round_seconds, summarise_plan,
};
use super::workspace::Workspace;
use crate::execute::lifecycle::{self, RunBeginning, RunFinish, begin_run, finish_run};
use crate::execute::passwords::RunSecrets;
use crate::execute::{ExecutionInputs, ExecutionResult, Halt, Mode, Secrets, execute_run};
use crate::journal::{Event, RunId, RunSecret, secret};
use crate::model::value::SECRET;
use crate::model::{CommandName, Value};
use crate::plan::action::ActionCounts;
use crate::plan::file::PlanHeader;
use crate::plan::safety::ActionGroup;
use crate::plan::{Action, Cost, Forecast, Selection, selected_actions};
use crate::planning::{Estimate, PlanFiles, References, ToDo};
use crate::report::summary::SummaryOutcome;
use crate::report::{Head, RecordKind, Summary, SummaryProblem};
use crate::testing::failpoints::{self, Failpoint};

/// Which actions of a plan are executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionChoice {
    /// Only these people, by key, identity or account; everybody where it is empty.
    pub only: Vec<String>,
    /// Only so many actions, the first ones.
    pub limit: Option<u64>,
    /// The hashes of held kinds of actions that are released.
    pub approve: Vec<String>,
}

impl ActionChoice {
    pub(super) fn to_selection(&self) -> Selection {
        Selection { only: self.only.clone(), limit: self.limit }
    }
}

/// How a run ended, or a plan that no run may follow.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// What a report says above its entries; the summary is in it.
    pub head: Head,
}

/// A plan that is about to be executed.
pub struct ReadyPlan<'a> {
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

/// A run that is in the journal, with what its actions need.
struct BegunRun<'a> {
    run: RunId,
    released: &'a [ActionGroup],
    selection: &'a Selection,
    secret: RunSecret,
    from_source: SourceSecrets,
    estimated: u64,
}

/// What one reading of a plan tells before its run begins.
struct PlanScan {
    cost: Cost,
    /// Names of the choice that no action has.
    nobody: Vec<String>,
    /// Where the secrets stand that the plan only marks, with the numbers of their actions.
    marked: HashMap<(String, u32), u64>,
    /// What the actions that are to be sent whole refer to.
    references: References,
}

/// The actions of a plan that are to be done, by kind.
pub fn count_actions(files: &PlanFiles, mut is_to_do: impl FnMut(&Action) -> bool) -> Result<ActionCounts, AppError> {
    let mut to_do = ActionCounts::default();
    let mut plan = open_plan(&files.plan)?;
    while let Some(action) = plan.next()? {
        *to_do.count_mut(action.action) += u64::from(is_to_do(&action));
    }
    Ok(to_do)
}

impl RunDriver<'_> {
    /// Starts a run for a plan, and drives it to its end.
    pub async fn begin_run(&self, plan: &ReadyPlan<'_>, choice: &ActionChoice) -> Result<RunEnd, AppError> {
        let released = release_groups(plan.header, &choice.approve)?;
        let selection = choice.to_selection();
        let scan = self.scan_plan(plan, &selection.only, whole_work(selected_actions(&released, &selection)))?;
        // A misspelt name must not look like a person who needs nothing.
        scan.nobody.iter().for_each(|name| self.session.notify(Notice::NobodyChosen(name)));
        // Read before the run begins: a source that lost them must not leave a run behind that cannot go on.
        let from_source = self.read_source_secrets(plan.header, &scan.marked)?;
        // Before the first write: whether the tenant has everything that the plan's actions refer to.
        let schema = &self.workspace.schema;
        let asked = check_references(self.session, &scan.references, schema, &*self.connection.target).await?;
        let estimated = self.estimate_command(plan, asked + scan.cost.count_requests());
        let beginning = RunBeginning {
            journal: self.journal,
            memory: self.memory,
            state: &self.workspace.state,
            clock: &*self.session.clock,
            header: plan.header,
            digest: plan.digest,
            files: plan.files,
            command: self.command,
            approved: &choice.approve,
            selection: &selection,
            actions: plan.header.counts.actions.count_all(),
        };
        let (run, secret) = begin_run(&beginning).await?;
        let (released, selection) = (&released, &selection);
        self.execute_run(plan, BegunRun { run, released, selection, secret, from_source, estimated }).await
    }

    /// Goes on with a run of the journal.
    pub async fn resume_run(&self, run: RunId, plan: &ReadyPlan<'_>) -> Result<RunEnd, AppError> {
        let state = find_run(self.journal, run)?;
        let head = state.head();
        let released = release_groups(plan.header, &head.approved)?;
        let selection = head.selection.clone().unwrap_or_default();
        let secret = match secret::load_secret(&self.workspace.state, run)? {
            Some(secret) => secret,
            None => {
                self.require_no_secret(run)?;
                secret::create(&self.workspace.state, run, rand::random())?
            }
        };
        let scan = self.scan_plan(plan, &[], remaining_work(self.estimate(plan), &state, &released, &selection))?;
        let from_source = self.read_source_secrets(plan.header, &scan.marked)?;
        let estimated = self.estimate_command(plan, scan.cost.count_requests());
        let Workspace { state: dir, .. } = self.workspace;
        lifecycle::resume_run(self.journal, self.memory, dir, &*self.session.clock, &state).await?;
        let (released, selection) = (&released, &selection);
        self.execute_run(plan, BegunRun { run, released, selection, secret, from_source, estimated }).await
    }

    async fn execute_run(&self, plan: &ReadyPlan<'_>, begun: BegunRun<'_>) -> Result<RunEnd, AppError> {
        let BegunRun { run, released, selection, secret, from_source, estimated } = begun;
        let files = PlanFiles::in_dir(&self.workspace.state.run(run));
        let promise = self.promise_passwords(run)?;
        let lengths = promise.lengths_by_attribute(&self.workspace.schema);
        let secrets = RunSecrets { derived_from: secret, lengths, from_source };
        let mut execution = self.execution(run, &files, &secrets, selection);
        (execution.released, execution.fresh_until) = (released, plan.fresh_until);
        let executed = execute_run(&execution).await.map_err(|error| after_requests(error.into()))?;
        failpoints::reach(Failpoint::Executed);
        // The passwords first: once the run has ended nobody would deliver them any more, so it does not end without.
        let delivered = self.deliver_passwords(run, &files, &secrets, &promise);
        failpoints::reach(Failpoint::Delivered);
        let left = match &delivered {
            Ok(_) => finish_run(self.journal, self.memory, &*self.session.clock, run, plan.header, &executed)
                .await
                .map_err(|error| after_requests(error.into()))?,
            Err(error) => {
                self.pause_run(run, error.message.clone()).await.map_err(after_requests)?;
                RunFinish::Paused
            }
        };
        if let RunFinish::Ended(_) = left
            && let Err(error) = crate::journal::secret::destroy_secret(&self.workspace.state, run)
        {
            // Everything was delivered, and nothing will be derived from it any more.
            self.session.note(&format!("the run has ended, but its secret could not be deleted: {error}"));
        }
        let mut summary = self.summarise_run(run, plan, estimated, &executed);
        summary.outcome = match &delivered {
            Ok(_) => run_outcome(&executed, left, summary.planned.count_all()),
            Err(_) => SummaryOutcome::Paused,
        };
        summary.exit_code = exit_code_of(summary.outcome);
        if summary.outcome == SummaryOutcome::Paused {
            summary.forecast = self.forecast_rest(run, plan, released, selection);
        }
        if let (Err(error), None) = (&delivered, &summary.error) {
            summary.error = Some(error.to_problem());
        }
        let mut head = report_head(RecordKind::Run, plan.header, summary, released);
        // A plan that was read and applied in part is gone on with; a sync would make another that nobody has read.
        let is_kept = self.workspace.state.plan(&plan.header.plan).is_some_and(|dir| dir.exists());
        head.rest = (self.command == CommandName::Apply && is_kept).then(|| plan.header.plan.clone());
        let publication = Publication {
            session: self.session,
            workspace: self.workspace,
            journal: self.journal,
            source: self.source,
            header: plan.header,
            run,
        };
        publication.publish_run(&head, released.to_vec());
        failpoints::reach(Failpoint::Published);
        match &delivered {
            Ok(Some(path)) => self.session.notify(Notice::PasswordsDelivered(path)),
            Ok(None) => {}
            Err(error) => self.session.notify(Notice::FailedBesides(error)),
        }
        if let Err(error) = prune_history(self.workspace, self.journal, &*self.session.clock).await {
            // What is done is done, and what was not forgotten now is forgotten after the next run.
            self.session.note(&format!("what is older than journal.keep was not deleted: {}", error.message));
        }
        Ok(RunEnd { head })
    }

    /// An execution of all of a run's plan.
    fn execution<'e>(
        &'e self,
        run: RunId,
        files: &'e PlanFiles,
        secrets: &'e dyn Secrets,
        selection: &'e Selection,
    ) -> ExecutionInputs<'e> {
        let rate = &self.workspace.settings.rate;
        ExecutionInputs {
            run,
            plan: &files.plan,
            target: &*self.connection.target,
            rules: &self.workspace.rules,
            journal: self.journal,
            memory: self.memory,
            secrets,
            clock: &*self.session.clock,
            monitor: &*self.session.monitor,
            stop: &self.session.stop,
            released: &[],
            selection,
            fresh_until: None,
            concurrency: rate.concurrency,
            timeout: rate.timeout,
            mode: Mode::Everything,
        }
    }

    /// Looks up what an earlier process left open in a run; nothing that writes is sent.
    pub async fn look_up_open(&self, run: RunId, files: &PlanFiles) -> Result<ExecutionResult, AppError> {
        let selection = Selection::default();
        let execution = self.execution(run, files, &NoSecrets, &selection);
        Ok(execute_run(&ExecutionInputs { mode: Mode::SettleOnly, ..execution }).await?)
    }

    pub async fn pause_run(&self, run: RunId, why: String) -> Result<(), AppError> {
        self.journal.append(Event::RunPaused { run, at: self.session.clock.now(), why }).await?;
        failpoints::reach(Failpoint::RunPaused);
        Ok(())
    }

    fn summarise_run(&self, run: RunId, plan: &ReadyPlan<'_>, estimated: u64, executed: &ExecutionResult) -> Summary {
        let meter = self.connection.target.meter();
        let requests = count_requests(meter, estimated);
        let mut summary = summarise_plan(plan.header, self.command, requests, read_quota(meter));
        summary.run = run.to_string();
        summary.applied = executed.applied;
        summary.held = executed.held;
        // An account that was left alone because it changed is not done, and must not look as if it were.
        summary.failed = executed.failed + executed.skipped;
        summary.unknown = executed.unknown;
        summary.elapsed_seconds = round_seconds(self.session.clock.elapsed().saturating_sub(self.started));
        summary.error = executed.halt.as_ref().map(halt_problem);
        summary
    }

    /// Reads a plan once, for what has to be known of it before its run begins.
    fn scan_plan(
        &self,
        plan: &ReadyPlan<'_>,
        only: &[String],
        mut work: impl FnMut(&Action) -> ToDo,
    ) -> Result<PlanScan, AppError> {
        let schema = &self.workspace.schema;
        let mut nobody: Vec<Selection> =
            only.iter().map(|name| Selection { only: vec![name.clone()], limit: None }).collect();
        let (mut marked, mut references) = (HashMap::new(), References::default());
        let (cost, _) = self.estimate(plan).over_plan(&plan.files.plan, |action| {
            nobody.retain(|wanted| !wanted.names_action(action));
            let is_marked = action.changes.iter().any(|change| {
                change.to == Value::text(SECRET) && schema.id(&change.attribute).is_some_and(|id| schema.get(id).secret)
            });
            if let (true, Some(source)) = (is_marked, &action.source) {
                marked.insert((source.file.clone(), source.line), action.seq);
            }
            let to_do = work(action);
            if to_do == ToDo::Whole {
                references.add_action(schema, action);
            }
            to_do
        })?;
        let nobody = nobody.into_iter().flat_map(|wanted| wanted.only).collect();
        Ok(PlanScan { cost, nobody, marked, references })
    }

    /// Requests of the whole command, of which so many follow the connection and the planning. Where none do, nobody
    /// signs in for them.
    fn estimate_command(&self, plan: &ReadyPlan<'_>, to_come: u64) -> u64 {
        if to_come > 0 { plan.spent + to_come } else { count_spent(self.connection.target.meter()) }
    }

    /// How many days what is left of a run takes; none where nobody can say. Its end is reported in any case.
    fn forecast_rest(
        &self,
        run: RunId,
        plan: &ReadyPlan<'_>,
        released: &[ActionGroup],
        selection: &Selection,
    ) -> Option<Forecast> {
        let state = self.journal.run(run).ok()??;
        let estimate = self.estimate(plan);
        estimate.over_plan(&plan.files.plan, remaining_work(estimate, &state, released, selection)).ok()?.1
    }

    fn estimate(&self, plan: &ReadyPlan<'_>) -> Estimate<'_> {
        let fresh_for = plan.fresh_until.map(|until| until.duration_since(self.session.clock.now()));
        let fresh_for = fresh_for.and_then(|time| Duration::try_from(time).ok()).unwrap_or_default();
        let target = Some(&*self.connection.target);
        let Workspace { schema, rules, settings, .. } = self.workspace;
        Estimate { schema, rules, target, rate: &settings.rate, pace: plan.pace, fresh_for }
    }
}

/// What goes wrong once requests may have left is no failure before anything was changed: the run can be resumed.
fn after_requests(error: AppError) -> AppError {
    AppError { aftermath: Aftermath::Resumable, ..error }
}

fn run_outcome(executed: &ExecutionResult, left: RunFinish, planned: u64) -> SummaryOutcome {
    match (&executed.halt, left) {
        (Some(_), RunFinish::Ended(_)) => SummaryOutcome::Failed,
        (Some(_), RunFinish::Paused) => SummaryOutcome::Paused,
        (None, _) if executed.failed + executed.skipped + executed.unknown > 0 => SummaryOutcome::Partial,
        (None, _) if executed.held > 0 => SummaryOutcome::Held,
        (None, _) if planned == 0 => SummaryOutcome::NoChanges,
        (None, _) => SummaryOutcome::Complete,
    }
}

fn halt_problem(halt: &Halt) -> SummaryProblem {
    let (kind, hint) = match halt {
        Halt::Signal => (ErrorKind::Signal, Some("`headcount resume` continues where it stopped".to_owned())),
        Halt::Quota(error) => (ErrorKind::Quota, error.hint.clone()),
        Halt::Down(error) => (ErrorKind::Target, error.hint.clone()),
        Halt::Configuration(error) => (ErrorKind::Configuration, error.hint.clone()),
    };
    AppError { hint, ..AppError::new(kind, halt.to_string()) }.to_problem()
}
