//! The plan that takes a run back: its actions from its own plan file, what came of them from the journal, and the
//! accounts as they are now. The source has no part in it; what the plan is bound to is the run.
//!
//! Accounts are read by their ids, or from a listing where that takes fewer requests. A listing may only ever say that
//! an account is as the run left it: an account that it shows otherwise, or not at all, is read by its id.

mod touched;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use self::touched::{AccountPlace, ListingSize, TouchedAccounts};
use super::decided_rows::{plan_requests, write_plan};
use super::draft_actions::DraftActions;
use super::estimate::{Estimate, referring_attributes};
use super::findings_writer::FindingsWriter;
use super::fingerprints::is_last_written;
use super::{ListingTimes, MadePlan, PlanFiles, PlanningError};
use crate::clock::{Clock, blocking};
use crate::config::Settings;
use crate::connectors::Connector;
use crate::journal::{Memory, RunId, RunState};
use crate::mapping::spec::On;
use crate::model::monitor::{Monitor, Phase};
use crate::model::{AttrSet, MatchRule, Schema};
use crate::plan::decide::Context;
use crate::plan::file::{ListingDigest, PlanHeader, PlanReader, SourceDigest, SourceFileDigest, VERSION};
use crate::plan::inverse::{CurrentAccount, PastOutcome, UndoneAction, decide_undone};
use crate::plan::safety::{self, judge_actions};
use crate::plan::{Action, Counts};

/// Everything that a rollback is made from.
pub struct RollbackInputs<'a> {
    pub settings: &'a Settings,
    pub schema: &'a Schema,
    pub rules: &'a [MatchRule],
    pub memory: &'a Memory,
    pub clock: &'a dyn Clock,
    pub monitor: &'a dyn Monitor,
    /// The target as plans name it.
    pub name: String,
    pub target: &'a dyn Connector,
    /// Where the plan and its findings are written; it exists and is private.
    pub dir: &'a Path,
    /// The run that is taken back, which has ended.
    pub run: &'a RunState,
    /// The plan that it executed, verified.
    pub plan: &'a Path,
}

/// Makes the plan.
///
/// # Errors
/// The target cannot be reached, or a file cannot be read or written. An account that cannot be taken back is a
/// finding, not an error.
pub async fn plan_rollback(inputs: &RollbackInputs<'_>) -> Result<MadePlan, PlanningError> {
    let id = RunId::new(inputs.clock.now(), inputs.clock.random());
    let (before, began) = (inputs.target.meter().sent_so_far(), inputs.clock.elapsed());
    let mut touched = blocking(|| TouchedAccounts::of_run(inputs))?;
    let measure = if touched.are_listed_sooner() {
        let measure = touched.list().await?;
        let doubtful = blocking(|| touched.not_as_left())?;
        touched.ask_for(doubtful).await?;
        measure
    } else {
        let everybody = touched.at.keys().cloned().collect();
        touched.ask_for(everybody).await?;
        None
    };
    inputs.monitor.ended(Phase::Listing);
    let took = inputs.clock.elapsed().saturating_sub(began);
    let after = inputs.target.meter().sent_so_far();
    let sent = after.list + after.lookup - before.list - before.lookup;
    let times = ListingTimes::new(inputs.clock.now(), sent, after.retried - before.retried, took);
    blocking(|| touched.plan(id, times, measure))
}

impl RollbackInputs<'_> {
    /// What it costs to apply the plan, before which somebody looks at it.
    fn new_estimate(&self, pace: Option<f64>) -> Estimate<'_> {
        let Self { schema, rules, settings, target, .. } = *self;
        Estimate { schema, rules, target: Some(target), rate: &settings.rate, pace, fresh_for: Duration::ZERO }
    }
}

impl TouchedAccounts<'_> {
    fn plan(
        mut self,
        id: RunId,
        times: ListingTimes,
        measured: Option<ListingSize>,
    ) -> Result<MadePlan, PlanningError> {
        let RollbackInputs { settings, schema, rules, run, .. } = *self.inputs;
        let mapped = |on| {
            let entries = settings.map.entries.iter().filter(move |entry| entry.on == on);
            entries.filter_map(|entry| schema.id(attribute_of(schema, &entry.attribute.value))).collect::<AttrSet>()
        };
        let (always, on_create) = (mapped(On::Always), mapped(On::Create));
        let ctx = Context { schema, policy: &settings.policy, rules, always, on_create };
        let mut findings = FindingsWriter::create(self.inputs.dir)?;
        let mut drafts = DraftActions::new().map_err(temporary_error)?;
        let name = run.run().to_string();
        let mut plan = open_plan(self.inputs.plan)?;
        while let Some(action) = plan.next()? {
            let undone = new_undone(self.inputs, &name, &action);
            if undone.past != PastOutcome::Nothing {
                self.decide_action(&ctx, &undone, &mut findings, &mut drafts)?;
            }
        }
        let found = findings.seal_findings()?;
        let planned = drafts.planned;
        let measured = measured.unwrap_or_else(|| ListingSize {
            accounts: self.at.len() as u64,
            in_scope: self.header.listing.in_scope + self.made,
        });
        // It creates nobody, so nobody can be doubled for want of a whole listing.
        let judgement = judge_actions(&settings.safety, safety::ListingExtent::Whole, measured.in_scope, &planned);
        let held = drafts.held_groups(&settings.target.tenant, &judgement.held);
        let is_free = |group| judgement.stopped.is_empty() && !held.contains_key(&group);
        let requests = plan_requests(&self.inputs.new_estimate(times.pace), &mut drafts, &times, is_free);
        let head = run.head();
        let [a, b] = settings.digest.0;
        let header = PlanHeader {
            headcount_plan: VERSION,
            plan: id.to_string(),
            created_at: times.at,
            tenant: settings.target.tenant.clone(),
            target: self.inputs.name.clone(),
            config_digest: format!("{a:016x}{b:016x}"),
            // The run stands where the export stands in other plans.
            source: SourceDigest {
                files: vec![SourceFileDigest {
                    path: format!("run {name}"),
                    digest: head.plan_digest.clone(),
                    rows: head.actions,
                }],
                ..SourceDigest::default()
            },
            listing: ListingDigest {
                accounts: measured.accounts,
                // Everybody whom the plan speaks of was asked for, and it speaks of nobody's absence.
                complete: true,
                in_scope: measured.in_scope,
                digest: self.digests.join("+"),
                notes: Vec::new(),
            },
            counts: Counts { actions: planned, findings: found },
            requests,
            held,
            stopped: judgement.stopped,
            against: None,
            rollback_of: Some(name),
        };
        let files = PlanFiles::in_dir(self.inputs.dir);
        let digest = write_plan(&files, &header, drafts).map_err(PlanningError::file_error(&files.plan))?;
        Ok(MadePlan { id, header, digest, files, listed_at: times.at, pace: times.pace })
    }

    /// Decides about one account.
    fn decide_action(
        &mut self,
        ctx: &Context<'_>,
        undone: &UndoneAction<'_>,
        findings: &mut FindingsWriter,
        drafts: &mut DraftActions,
    ) -> Result<(), PlanningError> {
        let account = match undone.account {
            Some(id) if undone.needs_account() => self.read_account(id)?,
            _ => None,
        };
        let now = match (&account, undone.account.and_then(|id| self.at.get(id))) {
            (Some(account), _) => CurrentAccount::There(account),
            (None, Some(AccountPlace::Unreadable(why))) => CurrentAccount::Unreadable(why),
            (None, _) => CurrentAccount::Gone,
        };
        let RollbackInputs { schema, memory, .. } = *self.inputs;
        let written = undone.action.identity.as_deref().map_or_else(Vec::new, |person| memory.fingerprints_of(person));
        let decision =
            decide_undone(ctx, &self.protect, undone, now, |id, value| is_last_written(schema, &written, id, value));
        if let Some(finding) = &decision.finding {
            findings.push(finding)?;
        }
        match &decision.action {
            Some(action) => {
                let takes = self.inputs.new_estimate(None).estimate_action(action);
                drafts.push(action, takes, referring_attributes(schema, action)).map_err(temporary_error)?;
            }
            None if decision.finding.is_none() => findings.count_unchanged(),
            None => {}
        }
        Ok(())
    }
}

/// An action of the run with what the journal knows of it.
fn new_undone<'a>(inputs: &'a RollbackInputs<'_>, run: &'a str, action: &'a Action) -> UndoneAction<'a> {
    let account = inputs.run.account_of(action.seq).or(action.account.as_ref());
    UndoneAction { run, action, past: inputs.run.past_outcome(inputs.schema, action), account }
}

/// A key of an object is mapped under the object's name and its own.
fn attribute_of<'n>(schema: &Schema, name: &'n str) -> &'n str {
    match name.split_once('.') {
        Some((object, _)) if schema.id(name).is_none() => object,
        _ => name,
    }
}

fn open_plan(plan: &Path) -> Result<PlanReader<BufReader<File>>, PlanningError> {
    let file = File::open(plan).map_err(PlanningError::file_error(plan))?;
    Ok(PlanReader::new(BufReader::new(file))?)
}

fn temporary_error(error: std::io::Error) -> PlanningError {
    PlanningError::File { path: "a temporary file".to_owned(), error }
}
