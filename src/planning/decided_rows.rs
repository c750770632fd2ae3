//! Every account was seen: rows that differ are read once more, decided, ordered, judged and written as a plan.

use std::collections::HashMap;
use std::io::BufWriter;

use jiff::Timestamp;

use super::draft_actions::{DraftActions, create_private};
use super::estimate::{Estimate, referring_attributes};
use super::findings_writer::FindingsWriter;
use super::fingerprints::is_last_written;
use super::listing::ListedAccounts;
use super::notes_writer::NotesWriter;
use super::row_traces::traces_of_row;
use super::rows::SourceRead;
use super::spool::Spool;
use super::watched_people::WatchedPeople;
use super::{Accounts, ListingTimes, MadePlan, PlanFiles, PlanInputs, PlanningError};
use crate::journal::RunId;
use crate::mapping::Scratch;
use crate::model::{Account, Desired, Place, Record};
use crate::plan::Counts;
use crate::plan::absence::{AbsenceRule, SourceCondition};
use crate::plan::cost::Cost;
use crate::plan::decide::{Context, Decision, RowCase, decide_row, has_key};
use crate::plan::file::{ListingDigest, PlanHeader, PlanRequests, PlanWriter, SourceDigest, SourceFileDigest, VERSION};
use crate::plan::protect::ProtectPatterns;
use crate::plan::safety::{ActionGroup, ListingExtent, Measure, judge_plan};
use crate::plan::sidecar::PlanNote;
use crate::plan::unusable::UnusableRows;
use crate::reconcile::{RowVerdict, Settled, Settlement};
use crate::source::RowShape;

pub(super) fn decide_plan(
    inputs: &PlanInputs<'_>,
    id: RunId,
    read: SourceRead,
    (listing, seen): (ListingDigest, ListedAccounts),
    findings: FindingsWriter,
    times: ListingTimes,
    watch: &mut WatchedPeople,
) -> Result<MadePlan, PlanningError> {
    let now = times.at;
    let settled = read.index.settle_rows();
    let complete = listing.complete;
    let last = inputs.memory.source_shape();
    let shape = SourceCondition {
        columns: inputs.source.columns().names(),
        ends_within_row: read.files.iter().any(|file| file.ends_within_row),
        is_unterminated: read.files.iter().any(|file| file.ends_without_newline),
        last_columns: last.as_ref().map(|last| last.columns.as_slice()),
        was_terminated: last.as_ref().and_then(|last| last.terminated),
    };
    let protect = read.protect;
    let mut unusable = read.unusable;
    let mut settler = RowDecider::new(inputs, seen, &settled, &protect, findings)?;
    settler.watch = std::mem::take(watch);
    settler.watch.note_unclaimed(&settled.unclaimed);
    settler.decide_rows(&settled.verdicts, &read.files, &mut unusable)?;
    let measure = Measure {
        listed: if complete { ListingExtent::Whole } else { ListingExtent::InPart },
        in_scope: listing.in_scope,
        rows: read.included,
        invalid: settler.findings.counts.invalid,
        last_rows: last.as_ref().map(|last| last.rows),
    };
    let source_of = |place: Place| inputs.source_of(place);
    let safety = (&inputs.settings.safety, &measure);
    let rule = AbsenceRule::new(inputs.decision_context(), &protect, &unusable, &source_of, (&listing, &shape), safety);
    if let Some(rule) = rule {
        settler.decide_absences(&settled.unclaimed, &rule, now)?;
    }
    let RowDecider { seen, findings, mut drafts, notes, watch: watched, .. } = settler;
    *watch = watched;
    notes.seal_notes()?;
    let found = findings.seal_findings()?;
    seen.keep_snapshot(inputs, &listing, now)?;

    let planned = drafts.planned;
    let judgement = judge_plan(&inputs.settings.safety, &measure, &planned);
    let held = drafts.held_groups(&inputs.settings.target.tenant, &judgement.held);
    let is_free = |group| judgement.stopped.is_empty() && !held.contains_key(&group);
    let requests = plan_requests(&inputs.new_estimate(times.pace), &mut drafts, &times, is_free);
    let header = PlanHeader {
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
                .map(|f| SourceFileDigest { path: f.path, digest: f.digest, rows: f.rows })
                .collect(),
            columns: inputs.source.columns().names().to_vec(),
            included: read.included,
            unterminated: shape.is_unterminated,
            notes: shape.find_oddity().into_iter().collect(),
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
    let files = PlanFiles::in_dir(inputs.dir);
    let digest = write_plan(&files, &header, drafts).map_err(PlanningError::file_error(&files.plan))?;
    Ok(MadePlan { id, header, digest, files, listed_at: now, pace: times.pace })
}

/// Puts the actions in their order, and adds what they cost to what the plan has cost.
pub(super) fn plan_requests(
    estimate: &Estimate<'_>,
    drafts: &mut DraftActions,
    times: &ListingTimes,
    is_free: impl Fn(ActionGroup) -> bool,
) -> PlanRequests {
    drafts.sort_actions();
    let (writing, _) = estimate.over_days(drafts.sum_cost(estimate.fresh_requests(), is_free));
    let connecting = estimate.target.map_or(0, |target| target.costs().connecting);
    let listing = Cost { auth: connecting, list: times.requests, ..Cost::default() };
    (listing + writing).into()
}

/// The configuration's digest as plans carry it.
fn config_digest(inputs: &PlanInputs<'_>) -> String {
    let [a, b] = inputs.settings.digest.0;
    format!("{a:016x}{b:016x}")
}

pub(super) fn write_plan(files: &PlanFiles, header: &PlanHeader, drafts: DraftActions) -> std::io::Result<String> {
    let file = create_private(&files.plan)?;
    let mut writer = PlanWriter::new(BufWriter::new(file), header)?;
    for action in drafts.into_actions()? {
        let mut action = action?;
        action.held = !header.stopped.is_empty() || header.held.contains_key(&ActionGroup::of_kind(action.action));
        writer.write_action(action)?;
    }
    let (out, digest) = writer.seal_plan()?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(digest)
}

/// Everything that is known when the last account was seen, and what is made of it.
pub(super) struct RowDecider<'a> {
    inputs: &'a PlanInputs<'a>,
    ctx: Context<'a>,
    protect: &'a ProtectPatterns,
    seen: ListedAccounts,
    /// For recorded accounts: where the ones that are needed were copied to.
    picked: Option<(HashMap<u64, u64>, Spool)>,
    findings: FindingsWriter,
    drafts: DraftActions,
    notes: NotesWriter,
    scratch: Scratch,
    watch: WatchedPeople,
}

impl<'a> RowDecider<'a> {
    fn new(
        inputs: &'a PlanInputs<'a>,
        seen: ListedAccounts,
        settled: &Settled,
        protect: &'a ProtectPatterns,
        findings: FindingsWriter,
    ) -> Result<Self, PlanningError> {
        let picked = match &seen {
            ListedAccounts::Live { .. } => None,
            ListedAccounts::Recorded(recorded) => {
                let mut wanted: Vec<u64> =
                    needed_accounts(&settled.verdicts).chain(settled.unclaimed.iter().copied()).collect();
                wanted.sort_unstable();
                wanted.dedup();
                Some(recorded.pick_accounts(inputs.schema, &wanted)?)
            }
        };
        let temporary = |error| PlanningError::File { path: "a temporary file".to_owned(), error };
        Ok(Self {
            inputs,
            ctx: inputs.decision_context(),
            seen,
            picked,
            protect,
            findings,
            drafts: DraftActions::new().map_err(temporary)?,
            notes: NotesWriter::create(inputs.dir)?,
            scratch: inputs.mapping.scratch(),
            watch: WatchedPeople::default(),
        })
    }

    /// The second pass: only rows that something must be said of are mapped again.
    fn decide_rows(
        &mut self,
        verdicts: &[Settlement],
        files: &[crate::source::FileDigest],
        unusable: &mut UnusableRows,
    ) -> Result<(), PlanningError> {
        let mut waiting = verdicts.iter().peekable();
        let mut rows = self.inputs.source.rows()?;
        let mut record = Record::default();
        if !verdicts.iter().any(|settlement| self.needs_row(settlement)) {
            for _ in verdicts {
                self.findings.count_unchanged();
            }
            return Ok(());
        }
        while let Some(shape) = rows.next_into(&mut record)? {
            let Some(settlement) = waiting.next_if(|s| shape == RowShape::Good && s.place == record.place) else {
                continue;
            };
            if !self.needs_row(settlement) {
                self.findings.count_unchanged();
                continue;
            }
            let changed = || PlanningError::SourceChanged(self.inputs.source_of(record.place).to_string());
            let desired = self.inputs.mapping.map(&record, &mut self.scratch).map_err(|_| changed())?;
            if settlement.verdict == RowVerdict::Missing && !has_key(&self.ctx, &desired) {
                unusable.add_row(settlement.place, &traces_of_row(self.inputs, &record));
            }
            self.decide_row(settlement, &desired)?;
        }
        for (before, after) in files.iter().zip(rows.digests()) {
            if *before != after {
                return Err(PlanningError::SourceChanged(after.path));
            }
        }
        Ok(())
    }

    /// Whether anything but "unchanged" is to be said or remembered of a row.
    fn needs_row(&self, settlement: &Settlement) -> bool {
        match settlement.verdict {
            _ if self.watch.is_watched(settlement) => true,
            // The link from its identity to the account is still to be remembered, where there is an identity.
            RowVerdict::Equal { .. } => {
                let has_identity = self.inputs.settings.map.identity.is_some();
                has_identity && !settlement.linked && matches!(self.inputs.accounts, Accounts::Live(_))
            }
            _ => true,
        }
    }

    fn decide_row(&mut self, settlement: &Settlement, desired: &Desired) -> Result<(), PlanningError> {
        let PlanInputs { schema, mapping, memory, .. } = *self.inputs;
        let verdict = &settlement.verdict;
        let accounts =
            verdict.found_accounts().iter().map(|at| self.read_account(*at)).collect::<Result<Vec<_>, _>>()?;
        let is_compared = matches!(verdict, RowVerdict::Matched { .. }) && !desired.identity.is_empty();
        let written = if is_compared { memory.fingerprints_of(&desired.identity) } else { Vec::new() };
        let case = RowCase {
            settlement,
            desired,
            source: self.inputs.source_of(settlement.place),
            other: verdict.other_row().map(|place| self.inputs.source_of(place)),
            accounts: &accounts,
            missing: &if *verdict == RowVerdict::Missing { mapping.missing_required(desired) } else { Vec::new() },
        };
        let decided =
            decide_row(&self.ctx, self.protect, &case, |id, value| is_last_written(schema, &written, id, value));
        if let Some(account) = decided.link {
            self.notes.push(&PlanNote::Link { identity: desired.identity.clone(), account })?;
        }
        self.take_decision(decided.decision)?;
        if self.watch.is_watched(settlement) {
            self.watch.note_row(settlement.clone(), desired.clone(), accounts, decided.comparison);
        }
        Ok(())
    }

    /// Accounts without a row.
    fn decide_absences(
        &mut self,
        accounts: &[u64],
        rule: &AbsenceRule<'_>,
        now: Timestamp,
    ) -> Result<(), PlanningError> {
        for at in accounts {
            let account = self.read_account(*at)?;
            let before = self.inputs.memory.absence_of(&account.id);
            let (runs, days) = before.map_or((0, 0), |absence| (absence.runs, whole_days(absence.since, now)));
            let decided = rule.decide_account(&account, runs, days);
            if decided.is_certain {
                self.notes.push(&PlanNote::Absent { account: account.id })?;
            }
            self.take_decision(decided.decision)?;
        }
        Ok(())
    }

    fn take_decision(&mut self, decision: Decision) -> Result<(), PlanningError> {
        if decision == Decision::default() {
            self.findings.count_unchanged();
        }
        if let Some(finding) = &decision.finding {
            self.findings.push(finding)?;
        }
        if let Some(action) = &decision.action {
            let temporary = |error| PlanningError::File { path: "a temporary file".to_owned(), error };
            let takes = self.inputs.new_estimate(None).estimate_action(action);
            self.drafts.push(action, takes, referring_attributes(self.inputs.schema, action)).map_err(temporary)?;
        }
        Ok(())
    }

    fn read_account(&mut self, at: u64) -> Result<Account, PlanningError> {
        let read = match (&mut self.picked, &mut self.seen) {
            (Some((positions, spool)), _) => match positions.get(&at) {
                Some(at) => spool.read(self.inputs.schema, *at),
                None => Err(std::io::Error::other("an account that was not copied")),
            },
            (None, ListedAccounts::Live { spool, .. }) => spool.read(self.inputs.schema, at),
            (None, ListedAccounts::Recorded(_)) => Err(std::io::Error::other("accounts that were not copied")),
        };
        read.map_err(|error| PlanningError::File { path: "the listing".to_owned(), error })
    }
}

/// The accounts that must be looked at again for these verdicts.
fn needed_accounts(verdicts: &[Settlement]) -> impl Iterator<Item = u64> {
    let verdicts = verdicts.iter().map(|settlement| &settlement.verdict);
    verdicts
        .filter(|verdict| !matches!(verdict, RowVerdict::Equal { .. }))
        .flat_map(|verdict| verdict.found_accounts())
        .copied()
}

fn whole_days(since: Timestamp, now: Timestamp) -> u32 {
    let hours = now.duration_since(since).as_hours();
    u32::try_from(hours / 24).unwrap_or(0)
}
