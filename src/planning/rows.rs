//! The first pass over the source: every row becomes facts in the index, or a finding. Rows are mapped on all cores
//! and entered in the order of the file.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::findings_writer::FindingsWriter;
use super::fingerprints::{has_unsettled, write_only};
use super::row_traces::{traces_of_cells, traces_of_row};
use super::{Duplicated, PlanInputs, PlanningError};
use crate::mapping::Scratch;
use crate::model::monitor::Phase;
use crate::model::{AttrSet, KeyHash, Place, Record};
use crate::plan::decide::no_key;
use crate::plan::duplicates::{DuplicateDecision, decide_duplicate};
use crate::plan::protect::ProtectPatterns;
use crate::plan::unusable::{RowTraces, UnusableRows, why_cut};
use crate::plan::{Finding, FindingKind};
use crate::reconcile::{Added, RowFacts, RowFlags, RowIndex, compared_attributes};
use crate::source::{FileDigest, RowShape, SourceError};

/// The source, read once.
pub(super) struct SourceRead {
    pub index: RowIndex,
    pub unusable: UnusableRows,
    /// Rows that `source.include` lets through, the invalid ones among them.
    pub included: u64,
    pub files: Vec<FileDigest>,
    /// `policy.protect`, for what comes after the rows.
    pub protect: ProtectPatterns,
}

/// Rows that go through the threads together.
const BATCH: usize = 512;

struct Batch {
    number: u64,
    items: Vec<Item>,
}

enum Item {
    Row(Record),
    /// A row of the wrong shape, with the cells that could be read.
    Bad(Record, String),
}

/// What mapping made of a row.
enum MappedRow {
    Excluded,
    Invalid { place: Place, identity: String, reason: String, traces: RowTraces },
    Good { facts: RowFacts, place: Place, link: Option<KeyHash>, flags: RowFlags },
}

pub(super) fn read_rows(inputs: &PlanInputs<'_>, findings: &mut FindingsWriter) -> Result<SourceRead, PlanningError> {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let (to_map, work) = sync_channel::<Batch>(workers * 2);
    let (mapped, results) = sync_channel::<(u64, Vec<MappedRow>)>(workers * 2);
    let (used, reuse) = sync_channel::<Vec<Item>>(workers * 8);
    // Gone with the last worker: a reader that nobody reads for any more must not wait for one.
    let work = Arc::new(Mutex::new(work));
    let shared = MapperInputs::new(inputs);
    let taken = thread::scope(|scope| -> Result<_, PlanningError> {
        let reader = scope.spawn(move || read_batches(inputs, &to_map, &reuse));
        for _ in 0..workers {
            let (mapped, used, work, shared) = (mapped.clone(), used.clone(), Arc::clone(&work), &shared);
            scope.spawn(move || map_batches(shared, &work, &mapped, &used));
        }
        drop((mapped, used, work));
        let mut intake = Intake::new(inputs);
        let taken = intake.take_all(&results, findings);
        // The reader stops by itself once nobody takes what it reads.
        drop(results);
        let files = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        taken?;
        inputs.monitor.ended(Phase::Reading);
        Ok((intake, files?))
    });
    let (intake, files) = taken?;
    intake.finish_rows(files, shared.protected)
}

/// Reads the source in batches, until its end or until nobody listens any more.
fn read_batches(
    inputs: &PlanInputs<'_>,
    to_map: &SyncSender<Batch>,
    reuse: &Receiver<Vec<Item>>,
) -> Result<Vec<FileDigest>, SourceError> {
    let mut rows = inputs.source.rows()?;
    let was_terminated = inputs.memory.source_shape().and_then(|shape| shape.terminated);
    let mut number = 0;
    loop {
        let mut items = reuse.try_recv().unwrap_or_default();
        let mut count = 0;
        while count < BATCH {
            if count == items.len() {
                items.push(Item::Row(Record::default()));
            }
            let Item::Row(record) = &mut items[count] else {
                items[count] = Item::Row(Record::default());
                continue;
            };
            match rows.next_into(record)? {
                None => break,
                Some(RowShape::Good) => {
                    if let Some(why) = why_cut(was_terminated, rows.last_is_unterminated()) {
                        let record = std::mem::take(record);
                        items[count] = Item::Bad(record, why.to_owned());
                    }
                }
                Some(RowShape::Bad(problem)) => {
                    let record = std::mem::take(record);
                    items[count] = Item::Bad(record, problem.message);
                }
            }
            count += 1;
        }
        items.truncate(count);
        let last = count < BATCH;
        if count > 0 && to_map.send(Batch { number, items }).is_err() {
            return Ok(Vec::new());
        }
        if last {
            return Ok(rows.digests());
        }
        number += 1;
    }
}

/// What every worker needs.
struct MapperInputs<'a> {
    inputs: &'a PlanInputs<'a>,
    compared: AttrSet,
    write_only: AttrSet,
    protected: ProtectPatterns,
}

impl<'a> MapperInputs<'a> {
    fn new(inputs: &'a PlanInputs<'a>) -> Self {
        let (always, _) = inputs.mapped_attributes();
        Self {
            inputs,
            compared: compared_attributes(inputs.schema, always),
            write_only: write_only(inputs.schema, always),
            protected: ProtectPatterns::new(&inputs.policy().protect),
        }
    }
}

fn map_batches(
    shared: &MapperInputs<'_>,
    work: &Mutex<Receiver<Batch>>,
    mapped: &SyncSender<(u64, Vec<MappedRow>)>,
    used: &SyncSender<Vec<Item>>,
) {
    let mut mapper = Mapper { shared, scratch: shared.inputs.mapping.scratch(), bytes: Vec::new() };
    loop {
        // The lock is held only to take the next batch.
        let batch = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Batch { number, items }) = batch else { return };
        let rows = items.iter().map(|item| mapper.map_item(item)).collect();
        // A full channel of used batches only means that the reader allocates a new one.
        let _ = used.try_send(items);
        if mapped.send((number, rows)).is_err() {
            return;
        }
    }
}

struct Mapper<'a> {
    shared: &'a MapperInputs<'a>,
    scratch: Scratch,
    bytes: Vec<u8>,
}

impl Mapper<'_> {
    fn map_item(&mut self, item: &Item) -> MappedRow {
        let record = match item {
            Item::Row(record) => record,
            Item::Bad(record, reason) => {
                let identity = self.shared.inputs.mapping.identity(record).to_owned();
                let traces = traces_of_cells(self.shared.inputs, record);
                return MappedRow::Invalid { place: record.place, identity, reason: reason.clone(), traces };
            }
        };
        let PlanInputs { mapping, schema, rules, memory, .. } = *self.shared.inputs;
        let invalid = |reason: String| MappedRow::Invalid {
            place: record.place,
            identity: mapping.identity(record).to_owned(),
            reason,
            traces: traces_of_row(self.shared.inputs, record),
        };
        match mapping.includes(record, &mut self.scratch) {
            Ok(true) => {}
            Ok(false) => return MappedRow::Excluded,
            Err(reason) => return invalid(reason.to_string()),
        }
        let desired = match mapping.map(record, &mut self.scratch) {
            Ok(desired) => desired,
            Err(reasons) => {
                return invalid(reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
            }
        };
        let facts = RowFacts::of_row(schema, rules, self.shared.compared, &desired, &mut self.bytes);
        if desired.identity.is_empty() && facts.keys.iter().all(Option::is_none) {
            // Nothing tells two such rows apart, and they are not one person for that.
            return invalid(no_key(rules));
        }
        let (mut link, mut written) = (None, Vec::new());
        if !desired.identity.is_empty() {
            link = memory.link_of(&desired.identity).map(|account| KeyHash::of_text(account.as_str()));
            if self.shared.write_only != AttrSet::default() {
                written = memory.fingerprints_of(&desired.identity);
            }
        }
        let flags = RowFlags {
            protected: self.shared.protected.matches_row(self.shared.inputs.rules, &desired),
            unsettled: has_unsettled(schema, self.shared.write_only, &written, &desired),
        };
        MappedRow::Good { facts, place: desired.place, link, flags }
    }
}

/// Puts mapped rows into the index, in the order of the file.
struct Intake<'a> {
    inputs: &'a PlanInputs<'a>,
    index: RowIndex,
    unusable: UnusableRows,
    included: u64,
    read: u64,
    duplicated: Duplicated,
}

impl<'a> Intake<'a> {
    fn new(inputs: &'a PlanInputs<'a>) -> Self {
        Self {
            inputs,
            index: RowIndex::new(inputs.rules.to_vec()),
            unusable: UnusableRows::new(inputs.rules.len()),
            included: 0,
            read: 0,
            duplicated: Duplicated { pairs: Vec::new(), total: 0 },
        }
    }

    fn take_all(
        &mut self,
        results: &Receiver<(u64, Vec<MappedRow>)>,
        findings: &mut FindingsWriter,
    ) -> Result<(), PlanningError> {
        let mut early: HashMap<u64, Vec<MappedRow>> = HashMap::new();
        let mut next = 0;
        for (number, rows) in results {
            early.insert(number, rows);
            while let Some(rows) = early.remove(&next) {
                next += 1;
                self.read += rows.len() as u64;
                for row in rows {
                    self.take_row(row, findings)?;
                }
                self.inputs.monitor.rows_read(self.read, None);
            }
        }
        Ok(())
    }

    fn take_row(&mut self, row: MappedRow, findings: &mut FindingsWriter) -> Result<(), PlanningError> {
        match row {
            MappedRow::Excluded => Ok(()),
            MappedRow::Invalid { place, identity, reason, traces } => {
                self.included += 1;
                self.unusable.add_row(place, &traces);
                let source = self.inputs.source_of(place);
                findings.push(&Finding {
                    finding: FindingKind::Invalid,
                    key: if identity.is_empty() { source.to_string() } else { identity.clone() },
                    identity: (!identity.is_empty()).then_some(identity),
                    account: None,
                    matched: None,
                    source: Some(source),
                    changes: Vec::new(),
                    reason,
                })
            }
            MappedRow::Good { facts, place, link, flags } => {
                self.included += 1;
                let added = self.index.add(&facts, place, link, flags);
                self.judge_added(added, place);
                Ok(())
            }
        }
    }

    fn judge_added(&mut self, added: Added, place: Place) {
        // The row that was added is the last one.
        let row = u32::try_from(self.index.len() - 1).unwrap_or(u32::MAX);
        match decide_duplicate(self.inputs.duplicates(), self.inputs.rules, row, added) {
            DuplicateDecision::Keep => {}
            DuplicateDecision::LeaveOut { row, counts } => {
                self.index.drop_row(row, counts);
            }
            DuplicateDecision::Refuse { earlier, common } => self.add_duplicate(earlier, place, common),
        }
    }

    fn add_duplicate(&mut self, first: Place, second: Place, what: String) {
        self.duplicated.total += 1;
        if self.duplicated.pairs.len() < Duplicated::SHOWN {
            let [first, second] = [first, second].map(|place| self.inputs.source_of(place).to_string());
            self.duplicated.pairs.push((first, second, what));
        }
    }

    fn finish_rows(self, files: Vec<FileDigest>, protect: ProtectPatterns) -> Result<SourceRead, PlanningError> {
        if self.duplicated.total > 0 {
            return Err(PlanningError::Duplicates(self.duplicated));
        }
        Ok(SourceRead { index: self.index, unusable: self.unusable, included: self.included, files, protect })
    }
}
