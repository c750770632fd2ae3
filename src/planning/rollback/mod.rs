//! The plan that takes a run back: its actions from its own plan file, what came of them from the journal, and the
//! accounts as they are now. The source has no part in it; what the plan is bound to is the run.
//!
//! Accounts are read by their ids, or from a listing where that takes fewer requests. A listing may only ever say that
//! an account is as the run left it: whatever it shows otherwise, or not at all, is asked for by its id.

mod touched;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use self::touched::{Measured, Seen, Touched};
use super::drafts::Drafts;
use super::estimate::{Estimate, referred};
use super::findings::Findings;
use super::settle::{requests, write_plan};
use super::written::remembered;
use super::{Gathered, PlanFiles, SurveyError, Surveyed};
use crate::clock::{Clock, blocking};
use crate::config::Settings;
use crate::connectors::Connector;
use crate::journal::{Memory, RunId, RunState, Step, StepState};
use crate::mapping::spec::On;
use crate::model::monitor::{Monitor, Phase};
use crate::model::{AttrSet, MatchRule, Schema};
use crate::plan::decide::Context;
use crate::plan::file::{FileDigest, Header, ListingDigest, PlanReader, SourceDigest, VERSION};
use crate::plan::inverse::{Now, Past, Undone, decide_undone};
use crate::plan::safety::{self, judge_actions};
use crate::plan::steps::follow_up;
use crate::plan::{Action, ActionKind, Counts};

/// How the journal says that an ended run never learnt what came of an action.
pub const NEVER_LEARNT: &str = "what came of it could not be looked up; it is planned anew";

/// Everything that a rollback is made from.
pub struct Rollback<'a> {
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
pub async fn rollback(inputs: &Rollback<'_>) -> Result<Surveyed, SurveyError> {
    let id = RunId::new(inputs.clock.now(), inputs.clock.random());
    let (before, began) = (inputs.target.meter().sent_so_far(), inputs.clock.elapsed());
    let mut touched = blocking(|| Touched::of(inputs))?;
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
    let gathered = Gathered::new(inputs.clock.now(), sent, after.retried - before.retried, took);
    blocking(|| touched.plan(id, gathered, measure))
}

impl Rollback<'_> {
    /// What it costs to apply the plan, before which somebody looks at it.
    fn estimate(&self, pace: Option<f64>) -> Estimate<'_> {
        let Self { schema, rules, settings, target, .. } = *self;
        Estimate { schema, rules, target: Some(target), rate: &settings.rate, pace, fresh_for: Duration::ZERO }
    }
}

impl Touched<'_> {
    fn plan(mut self, id: RunId, gathered: Gathered, measured: Option<Measured>) -> Result<Surveyed, SurveyError> {
        let Rollback { settings, schema, rules, run, .. } = *self.inputs;
        let mapped = |on| {
            let entries = settings.map.entries.iter().filter(move |entry| entry.on == on);
            entries.filter_map(|entry| schema.id(attribute_of(schema, &entry.attribute.value))).collect::<AttrSet>()
        };
        let (always, on_create) = (mapped(On::Always), mapped(On::Create));
        let ctx = Context { schema, policy: &settings.policy, rules, always, on_create };
        let mut findings = Findings::create(self.inputs.dir)?;
        let mut drafts = Drafts::new().map_err(temporary)?;
        let name = run.run().to_string();
        let mut plan = reader(self.inputs.plan)?;
        while let Some(action) = plan.next()? {
            let undone = undone(self.inputs, &name, &action);
            if undone.past != Past::Nothing {
                self.take(&ctx, &undone, &mut findings, &mut drafts)?;
            }
        }
        let found = findings.finish()?;
        let planned = drafts.planned;
        let measured = measured.unwrap_or_else(|| Measured {
            accounts: self.at.len() as u64,
            in_scope: self.header.listing.in_scope + self.made,
        });
        // It creates nobody, so nobody can be doubled for want of a whole listing.
        let judgement = judge_actions(&settings.safety, safety::Listed::Whole, measured.in_scope, &planned);
        let held = drafts.held(&settings.target.tenant, &judgement.held);
        let is_free = |group| judgement.stopped.is_empty() && !held.contains_key(&group);
        let requests = requests(&self.inputs.estimate(gathered.pace), &mut drafts, &gathered, is_free);
        let head = run.head();
        let [a, b] = settings.digest.0;
        let header = Header {
            headcount_plan: VERSION,
            plan: id.to_string(),
            created_at: gathered.at,
            tenant: settings.target.tenant.clone(),
            target: self.inputs.name.clone(),
            config_digest: format!("{a:016x}{b:016x}"),
            // The run stands where the export stands in other plans.
            source: SourceDigest {
                files: vec![FileDigest {
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
        let files = PlanFiles::within(self.inputs.dir);
        let digest = write_plan(&files, &header, drafts).map_err(SurveyError::file(&files.plan))?;
        Ok(Surveyed { id, header, digest, files, listed_at: gathered.at, pace: gathered.pace })
    }

    /// Decides about one account.
    fn take(
        &mut self,
        ctx: &Context<'_>,
        undone: &Undone<'_>,
        findings: &mut Findings,
        drafts: &mut Drafts,
    ) -> Result<(), SurveyError> {
        let account = match undone.account {
            Some(id) if undone.needs_account() => self.account(id)?,
            _ => None,
        };
        let now = match (&account, undone.account.and_then(|id| self.at.get(id))) {
            (Some(account), _) => Now::There(account),
            (None, Some(Seen::Unreadable(why))) => Now::Unreadable(why),
            (None, _) => Now::Gone,
        };
        let Rollback { schema, memory, .. } = *self.inputs;
        let written = undone.action.identity.as_deref().map_or_else(Vec::new, |person| memory.fingerprints_of(person));
        let decision =
            decide_undone(ctx, &self.protect, undone, now, |id, value| remembered(schema, &written, id, value));
        if let Some(finding) = &decision.finding {
            findings.push(finding)?;
        }
        match &decision.action {
            Some(action) => {
                let takes = self.inputs.estimate(None).takes(action);
                drafts.push(action, takes, referred(schema, action)).map_err(temporary)?;
            }
            None if decision.finding.is_none() => findings.unchanged(),
            None => {}
        }
        Ok(())
    }
}

/// An action of the run with what the journal knows of it.
fn undone<'a>(inputs: &'a Rollback<'_>, run: &'a str, action: &'a Action) -> Undone<'a> {
    let account = inputs.run.account_of(action.seq).or(action.account.as_ref());
    Undone { run, action, past: past(inputs, action), account }
}

fn past(inputs: &Rollback<'_>, action: &Action) -> Past {
    let steps = inputs.run.action(action.seq);
    let creates = action.action == ActionKind::Create;
    match steps.first {
        StepState::Pending | StepState::NotThere | StepState::Skipped => Past::Nothing,
        StepState::Open | StepState::Unknown => Past::Unknown,
        StepState::Failed => {
            let remark = inputs.run.remark_of(action.seq, Step::First);
            if remark.is_some_and(|remark| remark.message == NEVER_LEARNT) { Past::Unknown } else { Past::Nothing }
        }
        StepState::Adopted if creates => Past::Adopted,
        // Who was to be deleted was gone already.
        StepState::Adopted => Past::Nothing,
        StepState::Applied => {
            let has_follow_up =
                creates && action.changes.iter().any(|change| follow_up(inputs.schema, &change.attribute));
            if has_follow_up && !steps.follow_up.is_done() { Past::AppliedInPart } else { Past::Applied }
        }
    }
}

/// A key of an object is mapped under the object's name and its own.
fn attribute_of<'n>(schema: &Schema, name: &'n str) -> &'n str {
    match name.split_once('.') {
        Some((object, _)) if schema.id(name).is_none() => object,
        _ => name,
    }
}

fn reader(plan: &Path) -> Result<PlanReader<BufReader<File>>, SurveyError> {
    let file = File::open(plan).map_err(SurveyError::file(plan))?;
    Ok(PlanReader::new(BufReader::new(file))?)
}

fn temporary(error: std::io::Error) -> SurveyError {
    SurveyError::File { path: "a temporary file".to_owned(), error }
}
