//! The plan that takes a run back: its actions from its own plan file, what came of them from the journal, and the
//! accounts as they are now. The source has no part in it; what the plan is bound to is the run.
//!
//! Accounts are read by their ids, or from a listing where that takes fewer requests. A listing may only ever say that
//! an account is as the run left it: whatever it shows otherwise, or not at all, is asked for by its id.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::drafts::Drafts;
use super::estimate::{Estimate, referred};
use super::findings::Findings;
use super::protect::Protect;
use super::settle::{requests, write_plan};
use super::spool::{Spool, SpoolWriter};
use super::written::remembered;
use super::{Gathered, PlanFiles, SurveyError, Surveyed};
use crate::clock::{Clock, blocking};
use crate::config::Settings;
use crate::journal::{Memory, RunId, RunState, Step, StepState};
use crate::mapping::spec::On;
use crate::model::monitor::{Monitor, Phase};
use crate::model::{Account, AccountId, AttrSet, MatchRule, Schema};
use crate::plan::decide::Context;
use crate::plan::file::{FileDigest, Header, ListingDigest, PlanReader, SourceDigest, VERSION};
use crate::plan::inverse::{Now, Past, Undone, inverse};
use crate::plan::safety::{self, judge_actions};
use crate::plan::steps::follow_up;
use crate::plan::{Action, ActionKind, Counts, Finding, FindingKind};
use crate::target::{CallError, Listed, Target, Trouble};

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
    pub target: &'a dyn Target,
    /// Where the plan and its findings are written; it exists and is private.
    pub dir: &'a Path,
    /// The run that is taken back, which has ended.
    pub run: &'a RunState,
    /// The plan that it executed, verified.
    pub plan: &'a Path,
}

/// Server errors in a row that count as a target that is down.
const SILENT: u32 = 5;

/// Makes the plan.
///
/// # Errors
/// The target cannot be reached, or a file cannot be read or written. An account that cannot be taken back is a
/// finding, not an error.
pub async fn rollback(inputs: &Rollback<'_>) -> Result<Surveyed, SurveyError> {
    let id = RunId::new(inputs.clock.now(), inputs.clock.random());
    let (before, began) = (inputs.target.meter().sent(), inputs.clock.elapsed());
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
    let after = inputs.target.meter().sent();
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

/// Where an account can be read again.
#[derive(Clone, Debug)]
enum Seen {
    NotYet,
    /// In that spool, at that position.
    At(usize, u64),
    Gone,
    Unreadable(String),
}

/// What a complete listing came to.
struct Measured {
    accounts: u64,
    in_scope: u64,
}

/// The accounts that the run touched, as they are read.
struct Touched<'a> {
    inputs: &'a Rollback<'a>,
    /// The header of the run's plan.
    header: Header,
    at: HashMap<AccountId, Seen>,
    /// Accounts that the run made.
    made: u64,
    spools: Vec<Spool>,
    digests: Vec<String>,
    protect: Protect,
}

impl<'a> Touched<'a> {
    fn of(inputs: &'a Rollback<'a>) -> Result<Self, SurveyError> {
        let mut plan = reader(inputs.plan)?;
        let mut touched = Self {
            inputs,
            header: plan.header.clone(),
            at: HashMap::new(),
            made: 0,
            spools: Vec::new(),
            digests: Vec::new(),
            protect: Protect::new(&inputs.settings.policy.protect),
        };
        while let Some(action) = plan.next()? {
            let undone = undone(inputs, "", &action);
            if let (true, Some(account)) = (undone.needs_account(), undone.account) {
                touched.made += u64::from(action.action == ActionKind::Create);
                touched.at.insert(account.clone(), Seen::NotYet);
            }
        }
        Ok(touched)
    }

    fn are_listed_sooner(&self) -> bool {
        let accounts = self.header.listing.accounts + self.made;
        self.inputs.target.listing_cost(accounts) < self.at.len() as u64
    }

    /// Reads a listing for whom the run touched. What it came to counts only where it was complete.
    async fn list(&mut self) -> Result<Option<Measured>, SurveyError> {
        let (mut measured, mut is_complete, mut pages_seen) = (Measured { accounts: 0, in_scope: 0 }, false, 0);
        let mut spool = writer()?;
        let mut listing = self.inputs.target.list();
        while let Some(piece) = listing.next().await {
            match piece? {
                Listed::Page { accounts, pages } => {
                    for account in &accounts {
                        measured.accounts += 1;
                        measured.in_scope += u64::from(self.protection(account, None).is_none());
                        if self.at.contains_key(&account.id) {
                            self.keep(&mut spool, account)?;
                        }
                    }
                    pages_seen += 1;
                    self.inputs.monitor.pages_listed(measured.accounts, pages_seen, pages);
                }
                // Who was shown is there all the same; only the count begins anew.
                Listed::Again { .. } => (measured, pages_seen) = (Measured { accounts: 0, in_scope: 0 }, 0),
                Listed::End { complete, .. } => is_complete = complete,
            }
        }
        self.close(spool)?;
        Ok(is_complete.then_some(measured))
    }

    /// Reads accounts by their ids.
    async fn ask_for(&mut self, ids: Vec<AccountId>) -> Result<(), SurveyError> {
        let target = self.inputs.target;
        let mut answers = stream::iter(ids)
            .map(|id| async move {
                let answer = target.get(&id).await;
                (id, answer)
            })
            .buffer_unordered(self.inputs.settings.rate.concurrency.max(1));
        let mut spool = writer()?;
        let (mut done, mut silent) = (0, 0);
        while let Some((id, answer)) = answers.next().await {
            let is_silent = matches!(&answer, Err(error) if error.trouble == Trouble::Unavailable);
            silent = if is_silent { silent + 1 } else { 0 };
            let seen = match answer {
                Ok(Some(account)) => {
                    self.keep(&mut spool, &account)?;
                    None
                }
                Ok(None) => Some(Seen::Gone),
                Err(error) if error.trouble == Trouble::NotFound => Some(Seen::Gone),
                Err(error) => Some(Seen::Unreadable(alone(error, silent)?)),
            };
            if let Some(seen) = seen {
                self.at.insert(id, seen);
            }
            done += 1;
            self.inputs.monitor.pages_listed(done, 1, None);
        }
        self.close(spool)
    }

    fn keep(&mut self, spool: &mut SpoolWriter, account: &Account) -> Result<(), SurveyError> {
        let at = spool.push(self.inputs.schema, account).map_err(temporary)?;
        self.at.insert(account.id.clone(), Seen::At(self.spools.len(), at));
        Ok(())
    }

    fn close(&mut self, spool: SpoolWriter) -> Result<(), SurveyError> {
        let (digest, spool) = spool.finish().map_err(temporary)?;
        self.digests.push(digest);
        self.spools.push(spool);
        Ok(())
    }

    fn account(&mut self, id: &AccountId) -> Result<Option<Account>, SurveyError> {
        match self.at.get(id) {
            Some(Seen::At(spool, at)) => self.spools[*spool].read(self.inputs.schema, *at).map(Some).map_err(temporary),
            _ => Ok(None),
        }
    }

    /// Whom a listing did not show, or not as the run left them: it may be older than what it shows, and need not show
    /// everything of everybody.
    fn not_as_left(&mut self) -> Result<Vec<AccountId>, SurveyError> {
        let mut doubtful = Vec::new();
        let mut plan = reader(self.inputs.plan)?;
        while let Some(action) = plan.next()? {
            let undone = undone(self.inputs, "", &action);
            if let (true, Some(id)) = (undone.needs_account(), undone.account) {
                let account = self.account(id)?;
                if account.is_none_or(|account| undone.changed_since(self.inputs.schema, &account).is_some()) {
                    doubtful.push(id.clone());
                }
            }
        }
        Ok(doubtful)
    }

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
        if let Some(reason) = account.as_ref().and_then(|account| self.protection(account, Some(undone.action))) {
            return findings.push(&Finding {
                finding: FindingKind::Protected,
                key: undone.action.key.clone(),
                identity: undone.action.identity.clone(),
                account: undone.account.cloned(),
                matched: None,
                source: None,
                changes: Vec::new(),
                reason,
            });
        }
        let now = match (&account, undone.account.and_then(|id| self.at.get(id))) {
            (Some(account), _) => Now::There(account),
            (None, Some(Seen::Unreadable(why))) => Now::Unreadable(why),
            (None, _) => Now::Gone,
        };
        let Rollback { schema, memory, .. } = *self.inputs;
        let written = undone.action.identity.as_deref().map_or_else(Vec::new, |person| memory.fingerprints(person));
        let decision = inverse(ctx, undone, now, |id, value| remembered(schema, &written, id, value));
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

    /// Why an account is never touched, where it is not.
    fn protection(&self, account: &Account, action: Option<&Action>) -> Option<String> {
        let protect = &self.protect;
        let by_name = |action: &Action| {
            protect.matches_name(&action.key)
                || action.identity.as_deref().is_some_and(|name| protect.matches_name(name))
        };
        account.protected.clone().or_else(|| {
            let is_named = protect.matches_account(self.inputs.rules, account) || action.is_some_and(by_name);
            is_named.then(|| "a pattern of policy.protect matches the account".to_owned())
        })
    }
}

/// An action of the run with what the journal knows of it.
fn undone<'a>(inputs: &'a Rollback<'_>, run: &'a str, action: &'a Action) -> Undone<'a> {
    let account = inputs.run.account(action.seq).or(action.account.as_ref());
    Undone { run, action, past: past(inputs, action), account }
}

fn past(inputs: &Rollback<'_>, action: &Action) -> Past {
    let steps = inputs.run.action(action.seq);
    let creates = action.action == ActionKind::Create;
    match steps.first {
        StepState::Pending | StepState::NotThere | StepState::Skipped => Past::Nothing,
        StepState::Open | StepState::Unknown => Past::Unknown,
        StepState::Failed => {
            let remark = inputs.run.remark(action.seq, Step::First);
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

/// The message of an error that concerns one account alone.
fn alone(error: CallError, silent: u32) -> Result<String, CallError> {
    match error.trouble {
        Trouble::Refused | Trouble::Garbled | Trouble::Exists | Trouble::NotFound => Ok(error.message),
        Trouble::Unavailable if error.is_server_error() && silent < SILENT => Ok(error.message),
        _ => Err(error),
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

fn writer() -> Result<SpoolWriter, SurveyError> {
    Ok(SpoolWriter::new(tempfile::tempfile().map_err(temporary)?))
}

fn temporary(error: std::io::Error) -> SurveyError {
    SurveyError::File { path: "a temporary file".to_owned(), error }
}
