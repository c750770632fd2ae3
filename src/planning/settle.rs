//! Every account was seen: rows that differ are read once more, decided, ordered, judged and written as a plan.

use std::collections::HashMap;
use std::io::BufWriter;

use jiff::Timestamp;

use super::drafts::{Drafts, create_private};
use super::estimate::{Estimate, referred};
use super::findings::Findings;
use super::listing::Seen;
use super::notes::Notes;
use super::protect::Protect;
use super::rows::Read;
use super::spool::Spool;
use super::unusable::{Traces, Unusable};
use super::watch::{self, Watch};
use super::written::remembered;
use super::{Accounts, Gathered, Inputs, PlanFiles, SurveyError, Surveyed};
use crate::connectors::Connector;
use crate::journal::RunId;
use crate::mapping::Scratch;
use crate::model::{Account, Desired, Record, Value};
use crate::plan::beside::Learnt;
use crate::plan::cost::Cost;
use crate::plan::decide::{Context, Decision, about_row, known, newcomer};
use crate::plan::file::{FileDigest, Header, ListingDigest, PlanRequests, PlanWriter, SourceDigest, VERSION};
use crate::plan::safety::{Group, Listed, Measure, judge};
use crate::plan::{Counts, Finding, FindingKind, Source};
use crate::reconcile::{Found, Settled, Settlement, Verdict, compare};
use crate::source::RowShape;

pub(super) fn settle(
    inputs: &Inputs<'_>,
    id: RunId,
    read: Read,
    (listing, seen): (ListingDigest, Seen),
    findings: Findings,
    gathered: Gathered,
    watch: &mut Watch,
) -> Result<Surveyed, SurveyError> {
    let now = gathered.at;
    let settled = read.index.settle();
    let complete = listing.complete;
    let mut settler = Settler::new(inputs, seen, &settled, read.unusable, findings, now)?;
    settler.unterminated = read.files.iter().any(|file| file.ends_without_newline);
    settler.cut = read.files.iter().any(|file| file.ends_within_row);
    settler.watch = std::mem::take(watch);
    settler.watch.unclaimed(&settled.unclaimed);
    settler.rows(&settled.verdicts, &read.files)?;
    let measure = Measure {
        listed: if complete { Listed::Whole } else { Listed::InPart },
        in_scope: listing.in_scope,
        rows: read.included,
        invalid: settler.findings.counts.invalid,
        last_rows: inputs.memory.shape().map(|shape| shape.rows),
    };
    settler.unclaimed(&settled.unclaimed, &listing, &measure)?;
    let Settler { seen, findings, mut drafts, notes, unterminated, watch: watched, .. } = settler;
    *watch = watched;
    notes.finish()?;
    let found = findings.finish()?;
    seen.keep(inputs, &listing, now)?;

    let planned = drafts.planned;
    let judgement = judge(&inputs.settings.safety, &measure, &planned);
    let held = drafts.held(&inputs.settings.target.tenant, &judgement.held);
    let is_free = |group| judgement.stopped.is_empty() && !held.contains_key(&group);
    let requests = requests(&inputs.estimate(gathered.pace), &mut drafts, &gathered, is_free);
    let header = Header {
        headcount_plan: VERSION,
        plan: id.to_string(),
        created_at: now,
        tenant: inputs.settings.target.tenant.clone(),
        target: inputs.target.clone(),
        config_digest: config_digest(inputs),
        source: SourceDigest {
            files: read
                .files
                .into_iter()
                .map(|f| FileDigest { path: f.path, digest: f.digest, rows: f.rows })
                .collect(),
            columns: inputs.source.columns().names().to_vec(),
            included: read.included,
            unterminated,
            notes: unlike_before(inputs, unterminated).into_iter().collect(),
        },
        listing,
        counts: Counts { actions: planned, findings: found },
        requests,
        held,
        stopped: judgement.stopped,
        against: match inputs.accounts {
            Accounts::Live(_) | Accounts::Last(_) => None,
            Accounts::Recorded(path) => Some(path.display().to_string()),
        },
        rollback_of: None,
    };
    let files = PlanFiles::within(inputs.dir);
    let digest = write_plan(&files, &header, drafts).map_err(SurveyError::file(&files.plan))?;
    Ok(Surveyed { id, header, digest, files, listed_at: now, pace: gathered.pace })
}

/// Puts the actions in their order, and says what they take beside what the plan has taken.
pub(super) fn requests(
    estimate: &Estimate<'_>,
    drafts: &mut Drafts,
    gathered: &Gathered,
    is_free: impl Fn(Group) -> bool,
) -> PlanRequests {
    drafts.sort();
    let (writing, _) = estimate.over_days(drafts.cost(estimate.fresh(), is_free));
    let connecting = estimate.target.map_or(0, Connector::connecting_cost);
    let listing = Cost { auth: connecting, list: gathered.requests, ..Cost::default() };
    (listing + writing).into()
}

/// What is to be said of a source whose last row is not ended, unless that is its habit.
fn unlike_before(inputs: &Inputs<'_>, unterminated: bool) -> Option<String> {
    let before = inputs.memory.shape().and_then(|shape| shape.terminated);
    (unterminated && before != Some(false)).then(|| {
        "the last row of the source has no line break at its end: if the file was cut short there, the row is not whole"
            .to_owned()
    })
}

/// The configuration's digest as plans carry it.
fn config_digest(inputs: &Inputs<'_>) -> String {
    let [a, b] = inputs.settings.digest.0;
    format!("{a:016x}{b:016x}")
}

pub(super) fn write_plan(files: &PlanFiles, header: &Header, drafts: Drafts) -> std::io::Result<String> {
    let file = create_private(&files.plan)?;
    let mut writer = PlanWriter::new(BufWriter::new(file), header)?;
    for action in drafts.into_actions()? {
        let mut action = action?;
        action.held = !header.stopped.is_empty() || header.held.contains_key(&Group::of(action.action));
        writer.action(action)?;
    }
    let (out, digest) = writer.finish()?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(digest)
}

/// Everything that is known when the last account was seen, and what is made of it.
pub(super) struct Settler<'a> {
    pub inputs: &'a Inputs<'a>,
    pub ctx: Context<'a>,
    seen: Seen,
    /// For recorded accounts: where the ones that are needed were copied to.
    picked: Option<(HashMap<u64, u64>, Spool)>,
    pub protect: Protect,
    pub unusable: Unusable,
    pub findings: Findings,
    drafts: Drafts,
    pub notes: Notes,
    scratch: Scratch,
    pub now: Timestamp,
    /// The last row of some file has no line break at its end.
    pub unterminated: bool,
    /// Some file ends within a row.
    pub cut: bool,
    pub watch: Watch,
}

impl<'a> Settler<'a> {
    fn new(
        inputs: &'a Inputs<'a>,
        seen: Seen,
        settled: &Settled,
        unusable: Unusable,
        findings: Findings,
        now: Timestamp,
    ) -> Result<Self, SurveyError> {
        let picked = match &seen {
            Seen::Live { .. } => None,
            Seen::Recorded(recorded) => {
                let mut wanted: Vec<u64> =
                    settled.verdicts.iter().flat_map(accounts_of).chain(settled.unclaimed.iter().copied()).collect();
                wanted.sort_unstable();
                wanted.dedup();
                Some(recorded.pick(inputs.schema, &wanted)?)
            }
        };
        let temporary = |error| SurveyError::File { path: "a temporary file".to_owned(), error };
        Ok(Self {
            inputs,
            ctx: inputs.context(),
            seen,
            picked,
            protect: Protect::new(&inputs.policy().protect),
            unusable,
            findings,
            drafts: Drafts::new().map_err(temporary)?,
            notes: Notes::create(inputs.dir)?,
            scratch: inputs.mapping.scratch(),
            now,
            unterminated: false,
            cut: false,
            watch: Watch::default(),
        })
    }

    /// The second pass: only rows that something must be said of are mapped again.
    fn rows(&mut self, verdicts: &[Settlement], files: &[crate::source::FileDigest]) -> Result<(), SurveyError> {
        let mut waiting = verdicts.iter().peekable();
        let mut rows = self.inputs.source.rows()?;
        let mut record = Record::default();
        if !verdicts.iter().any(|settlement| self.needs_row(settlement)) {
            for _ in verdicts {
                self.findings.unchanged();
            }
            return Ok(());
        }
        while let Some(shape) = rows.next_into(&mut record)? {
            let Some(settlement) = waiting.next_if(|s| shape == RowShape::Good && s.place == record.place) else {
                continue;
            };
            if !self.needs_row(settlement) {
                self.findings.unchanged();
                continue;
            }
            let changed = || SurveyError::SourceChanged(self.inputs.source_of(record.place).to_string());
            let desired = self.inputs.mapping.map(&record, &mut self.scratch).map_err(|_| changed())?;
            if settlement.verdict == Verdict::Missing && !self.has_key(&desired) {
                self.unusable.add(settlement.place, &Traces::of(self.inputs, &record));
            }
            if self.watch.watches(settlement) {
                let accounts = watch::accounts_of(&settlement.verdict);
                let accounts = accounts.into_iter().map(|at| self.account(at)).collect::<Result<_, _>>()?;
                self.watch.note(settlement.clone(), desired.clone(), accounts);
            }
            self.row(settlement, &desired)?;
        }
        for (before, after) in files.iter().zip(rows.digests()) {
            if *before != after {
                return Err(SurveyError::SourceChanged(after.path));
            }
        }
        Ok(())
    }

    /// Whether anything but "unchanged" is to be said or remembered of a row.
    fn needs_row(&self, settlement: &Settlement) -> bool {
        match settlement.verdict {
            _ if self.watch.watches(settlement) => true,
            // The link from its identity to the account is still to be remembered, where there is an identity.
            Verdict::Equal { .. } => {
                let has_identity = self.inputs.settings.map.identity.is_some();
                has_identity && !settlement.linked && matches!(self.inputs.accounts, Accounts::Live(_))
            }
            _ => true,
        }
    }

    fn row(&mut self, settlement: &Settlement, desired: &Desired) -> Result<(), SurveyError> {
        let source = self.inputs.source_of(settlement.place);
        let say = |settler: &mut Self, kind, reason: String| {
            let finding = about_row(&settler.ctx, kind, desired, source.clone(), reason);
            settler.findings.push(&finding)
        };
        match &settlement.verdict {
            Verdict::Dropped { other } => {
                let other = self.inputs.source_of(*other);
                let reason = format!("{other} is the row that counts for this person (source.duplicates)");
                return say(self, FindingKind::Skipped, reason);
            }
            Verdict::Equal { account, .. } => {
                self.findings.unchanged();
                let account = self.account(*account)?;
                return self.link(desired, &account);
            }
            _ if settlement.protected => {
                let reason = "a pattern of policy.protect matches the row".to_owned();
                return say(self, FindingKind::Protected, reason);
            }
            _ => {}
        }
        match &settlement.verdict {
            Verdict::SameKey { other, by } => {
                let what = match by {
                    Found::Link => "remembered account".to_owned(),
                    Found::Rule(_) => self.found_by(*by),
                };
                let reason = format!("{source} and {} have the same {what}", self.inputs.source_of(*other));
                say(self, FindingKind::Conflict, reason)
            }
            Verdict::Ambiguous { accounts } => {
                let ids =
                    accounts.iter().map(|at| Ok(self.account(*at)?.id.0)).collect::<Result<Vec<_>, SurveyError>>()?;
                let reason = format!("several accounts match this row: {}", ids.join(", "));
                say(self, FindingKind::Conflict, reason)
            }
            Verdict::Claimed { account, other } => {
                let id = self.account(*account)?.id;
                let reason = format!("{source} and {} both match account {id}", self.inputs.source_of(*other));
                let finding = about_row(&self.ctx, FindingKind::Conflict, desired, source, reason);
                self.findings.push(&Finding { account: Some(id), ..finding })
            }
            Verdict::Missing => {
                let missing = self.inputs.mapping.missing_required(desired);
                let decision = newcomer(&self.ctx, desired, source, &missing);
                self.take(decision)
            }
            Verdict::Matched { account, found } => {
                let account = self.account(*account)?;
                self.matched(desired, source, &account, *found, settlement.linked)
            }
            Verdict::Dropped { .. } | Verdict::Equal { .. } => Ok(()),
        }
    }

    fn matched(
        &mut self,
        desired: &Desired,
        source: Source,
        account: &Account,
        found: Found,
        linked: bool,
    ) -> Result<(), SurveyError> {
        let matched = self.found_by(found);
        if let Some(reason) = self.protection(account) {
            return self.findings.push(&Finding {
                account: Some(account.id.clone()),
                matched: Some(matched),
                ..about_row(&self.ctx, FindingKind::Protected, desired, source, reason)
            });
        }
        if !linked {
            self.link(desired, account)?;
        }
        let written =
            if desired.identity.is_empty() { Vec::new() } else { self.inputs.memory.fingerprints(&desired.identity) };
        let schema = self.inputs.schema;
        let always = self.ctx.always;
        let comparison = compare(
            schema,
            desired,
            account,
            |id| always.contains(id),
            |id, value: &Value| remembered(schema, &written, id, value),
        );
        self.watch.compared(desired.place, &comparison);
        if comparison.is_equal() {
            self.findings.unchanged();
            return Ok(());
        }
        let decision = known(&self.ctx, desired, source, account, &matched, comparison);
        self.take(decision)
    }

    /// Whether a row has a value for any match rule.
    fn has_key(&self, desired: &Desired) -> bool {
        let rules = self.inputs.rules.iter();
        let mut scratch = Vec::new();
        rules.into_iter().any(|rule| rule.key(self.inputs.schema, |id| desired.value(id), &mut scratch).is_some())
    }

    pub fn take(&mut self, decision: Decision) -> Result<(), SurveyError> {
        if let Some(finding) = &decision.finding {
            self.findings.push(finding)?;
        }
        if let Some(action) = &decision.action {
            let temporary = |error| SurveyError::File { path: "a temporary file".to_owned(), error };
            let takes = self.inputs.estimate(None).takes(action);
            self.drafts.push(action, takes, referred(self.inputs.schema, action)).map_err(temporary)?;
        }
        Ok(())
    }

    fn link(&mut self, desired: &Desired, account: &Account) -> Result<(), SurveyError> {
        if desired.identity.is_empty() {
            return Ok(());
        }
        self.notes.push(&Learnt::Link { identity: desired.identity.clone(), account: account.id.clone() })
    }

    pub fn protection(&self, account: &Account) -> Option<String> {
        account.protected.clone().or_else(|| {
            self.protect
                .matches_account(self.inputs.rules, account)
                .then(|| "a pattern of policy.protect matches the account".to_owned())
        })
    }

    fn found_by(&self, found: Found) -> String {
        match found {
            Found::Link => "link".to_owned(),
            Found::Rule(rule) => self.inputs.rules[rule].label.clone(),
        }
    }

    pub fn account(&mut self, at: u64) -> Result<Account, SurveyError> {
        let read = match (&mut self.picked, &mut self.seen) {
            (Some((positions, spool)), _) => match positions.get(&at) {
                Some(at) => spool.read(self.inputs.schema, *at),
                None => Err(std::io::Error::other("an account that was not copied")),
            },
            (None, Seen::Live { spool, .. }) => spool.read(self.inputs.schema, at),
            (None, Seen::Recorded(_)) => Err(std::io::Error::other("accounts that were not copied")),
        };
        read.map_err(|error| SurveyError::File { path: "the listing".to_owned(), error })
    }
}

/// The accounts that must be looked at again for a verdict.
fn accounts_of(settlement: &Settlement) -> Vec<u64> {
    match &settlement.verdict {
        Verdict::Matched { account, .. } | Verdict::Claimed { account, .. } => vec![*account],
        Verdict::Ambiguous { accounts } => accounts.clone(),
        _ => Vec::new(),
    }
}
