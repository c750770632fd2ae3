//! The first pass over the source: every row becomes facts in the index, or a finding. Rows are mapped on all cores
//! and entered in the order of the file.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::findings::Findings;
use super::written::{unsettled, write_only};
use super::{Duplicated, Inputs, SurveyError};
use crate::config::Duplicates;
use crate::mapping::Scratch;
use crate::model::monitor::Phase;
use crate::model::{AttrSet, Desired, KeyHash, Place, Record};
use crate::plan::{Finding, FindingKind};
use crate::reconcile::{Added, Found, RowFacts, RowFlags, RowIndex, compared};
use crate::source::{FileDigest, RowShape, SourceError};

/// The source, read once.
pub(super) struct Read {
    pub index: RowIndex,
    /// Rows that `source.include` lets through, the invalid ones among them.
    pub included: u64,
    pub files: Vec<FileDigest>,
}

/// Rows that go through the threads together.
const BATCH: usize = 512;

struct Batch {
    number: u64,
    items: Vec<Item>,
}

enum Item {
    Row(Record),
    /// A row of the wrong shape.
    Bad(Place, String),
}

/// What mapping made of a row.
enum Mapped {
    Excluded,
    Invalid { place: Place, identity: String, reason: String },
    Good { facts: RowFacts, place: Place, link: Option<KeyHash>, flags: RowFlags },
}

pub(super) fn read(inputs: &Inputs<'_>, findings: &mut Findings) -> Result<Read, SurveyError> {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let (to_map, work) = sync_channel::<Batch>(workers * 2);
    let (mapped, results) = sync_channel::<(u64, Vec<Mapped>)>(workers * 2);
    let (used, reuse) = sync_channel::<Vec<Item>>(workers * 8);
    let work = Mutex::new(work);
    let shared = Shared::new(inputs);
    thread::scope(|scope| {
        let reader = scope.spawn(move || feed(inputs, &to_map, &reuse));
        for _ in 0..workers {
            let (mapped, used, work, shared) = (mapped.clone(), used.clone(), &work, &shared);
            scope.spawn(move || map_batches(shared, work, &mapped, &used));
        }
        drop((mapped, used));
        let mut intake = Intake::new(inputs);
        let taken = intake.take_all(&results, findings);
        // The reader stops by itself once nobody takes what it reads.
        drop(results);
        let files = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        taken?;
        inputs.monitor.ended(Phase::Reading);
        intake.finish(files?)
    })
}

/// Reads the source in batches, until its end or until nobody listens any more.
fn feed(
    inputs: &Inputs<'_>,
    to_map: &SyncSender<Batch>,
    reuse: &Receiver<Vec<Item>>,
) -> Result<Vec<FileDigest>, SourceError> {
    let mut rows = inputs.source.rows()?;
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
                Some(RowShape::Good) => {}
                Some(RowShape::Bad(problem)) => items[count] = Item::Bad(problem.place, problem.message),
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
struct Shared<'a> {
    inputs: &'a Inputs<'a>,
    compared: AttrSet,
    write_only: AttrSet,
    protected: Protect,
}

impl<'a> Shared<'a> {
    fn new(inputs: &'a Inputs<'a>) -> Self {
        let (always, _) = inputs.mapped();
        Self {
            inputs,
            compared: compared(inputs.schema, always),
            write_only: write_only(inputs.schema, always),
            protected: Protect::new(&inputs.policy().protect),
        }
    }
}

fn map_batches(
    shared: &Shared<'_>,
    work: &Mutex<Receiver<Batch>>,
    mapped: &SyncSender<(u64, Vec<Mapped>)>,
    used: &SyncSender<Vec<Item>>,
) {
    let mut mapper = Mapper { shared, scratch: shared.inputs.mapping.scratch(), bytes: Vec::new() };
    loop {
        // The lock is held only to take the next batch.
        let batch = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Batch { number, items }) = batch else { return };
        let rows = items.iter().map(|item| mapper.map(item)).collect();
        // A full channel of used batches only means that the reader allocates a new one.
        let _ = used.try_send(items);
        if mapped.send((number, rows)).is_err() {
            return;
        }
    }
}

struct Mapper<'a> {
    shared: &'a Shared<'a>,
    scratch: Scratch,
    bytes: Vec<u8>,
}

impl Mapper<'_> {
    fn map(&mut self, item: &Item) -> Mapped {
        let record = match item {
            Item::Row(record) => record,
            Item::Bad(place, reason) => {
                return Mapped::Invalid { place: *place, identity: String::new(), reason: reason.clone() };
            }
        };
        let Inputs { mapping, schema, rules, memory, .. } = *self.shared.inputs;
        let invalid = |reason: String| Mapped::Invalid {
            place: record.place,
            identity: mapping.identity(record).to_owned(),
            reason,
        };
        match mapping.includes(record, &mut self.scratch) {
            Ok(true) => {}
            Ok(false) => return Mapped::Excluded,
            Err(reason) => return invalid(reason.to_string()),
        }
        let desired = match mapping.map(record, &mut self.scratch) {
            Ok(desired) => desired,
            Err(reasons) => {
                return invalid(reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
            }
        };
        let facts = RowFacts::of(schema, rules, self.shared.compared, &desired, &mut self.bytes);
        let (mut link, mut written) = (None, Vec::new());
        if !desired.identity.is_empty() {
            link = memory.link(&desired.identity).map(|account| KeyHash::of_text(account.as_str()));
            if self.shared.write_only != AttrSet::default() {
                written = memory.fingerprints(&desired.identity);
            }
        }
        let flags = RowFlags {
            protected: self.shared.protected.matches_row(self.shared.inputs, &desired),
            unsettled: unsettled(schema, self.shared.write_only, &written, &desired),
        };
        Mapped::Good { facts, place: desired.place, link, flags }
    }
}

/// Puts mapped rows into the index, in the order of the file.
struct Intake<'a> {
    inputs: &'a Inputs<'a>,
    index: RowIndex,
    included: u64,
    read: u64,
    duplicated: Duplicated,
}

impl<'a> Intake<'a> {
    fn new(inputs: &'a Inputs<'a>) -> Self {
        Self {
            inputs,
            index: RowIndex::new(inputs.rules.to_vec()),
            included: 0,
            read: 0,
            duplicated: Duplicated { pairs: Vec::new(), total: 0 },
        }
    }

    fn take_all(&mut self, results: &Receiver<(u64, Vec<Mapped>)>, findings: &mut Findings) -> Result<(), SurveyError> {
        let mut early: HashMap<u64, Vec<Mapped>> = HashMap::new();
        let mut next = 0;
        for (number, rows) in results {
            early.insert(number, rows);
            while let Some(rows) = early.remove(&next) {
                next += 1;
                self.read += rows.len() as u64;
                for row in rows {
                    self.take(row, findings)?;
                }
                self.inputs.monitor.rows_read(self.read, None);
            }
        }
        Ok(())
    }

    fn take(&mut self, row: Mapped, findings: &mut Findings) -> Result<(), SurveyError> {
        match row {
            Mapped::Excluded => Ok(()),
            Mapped::Invalid { place, identity, reason } => {
                self.included += 1;
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
            Mapped::Good { facts, place, link, flags } => {
                self.included += 1;
                let added = self.index.add(&facts, place, link, flags);
                self.judge(added, place);
                Ok(())
            }
        }
    }

    fn judge(&mut self, added: Added, place: Place) {
        // The row that was added is the last one.
        let row = u32::try_from(self.index.len() - 1).unwrap_or(u32::MAX);
        match added {
            Added::New => {}
            Added::SameIdentity { row: earlier, place: other } => match self.inputs.duplicates() {
                Duplicates::Error => self.duplicate(other, place, "identity".to_owned()),
                Duplicates::First => {
                    self.index.drop_row(row, earlier);
                }
                Duplicates::Last => {
                    self.index.drop_row(earlier, row);
                }
            },
            Added::SameKey { place: other, by, .. } => {
                if self.inputs.duplicates() == Duplicates::Error {
                    let what = match by {
                        Found::Link => "account".to_owned(),
                        Found::Rule(rule) => self.inputs.rules[rule].label.clone(),
                    };
                    self.duplicate(other, place, what);
                }
            }
        }
    }

    fn duplicate(&mut self, first: Place, second: Place, what: String) {
        self.duplicated.total += 1;
        if self.duplicated.pairs.len() < Duplicated::SHOWN {
            let [first, second] = [first, second].map(|place| self.inputs.source_of(place).to_string());
            self.duplicated.pairs.push((first, second, what));
        }
    }

    fn finish(self, files: Vec<FileDigest>) -> Result<Read, SurveyError> {
        if self.duplicated.total > 0 {
            return Err(SurveyError::Duplicates(self.duplicated));
        }
        Ok(Read { index: self.index, included: self.included, files })
    }
}

/// `policy.protect`.
pub(super) struct Protect {
    patterns: globset::GlobSet,
}

impl Protect {
    pub fn new(patterns: &[String]) -> Self {
        let mut set = globset::GlobSetBuilder::new();
        for pattern in patterns {
            // The configuration was checked, so every pattern is one.
            if let Ok(glob) = globset::GlobBuilder::new(pattern).case_insensitive(true).build() {
                set.add(glob);
            }
        }
        Self { patterns: set.build().unwrap_or_default() }
    }

    fn matches_row(&self, inputs: &Inputs<'_>, desired: &Desired) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        self.patterns.is_match(&desired.identity)
            || keys(inputs)
                .any(|id| desired.value(id).is_some_and(|value| self.patterns.is_match(value.to_string().trim())))
    }

    pub fn matches_account(&self, inputs: &Inputs<'_>, account: &crate::model::Account) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        self.patterns.is_match(account.id.as_str())
            || keys(inputs)
                .any(|id| account.values.get(id).is_some_and(|value| self.patterns.is_match(value.to_string().trim())))
    }
}

/// Every attribute that takes part in a match rule.
fn keys<'a>(inputs: &'a Inputs<'_>) -> impl Iterator<Item = crate::model::AttrId> + 'a {
    inputs.rules.iter().flat_map(|rule| rule.attributes.iter().copied())
}
