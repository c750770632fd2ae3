//! Actions before their order, their numbers and what is held are known: on disk, with a small entry each in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::model::{AttrId, Digest};
use crate::plan::action::ActionCounts;
use crate::plan::cost::{ActionRequests, Cost, CostSum};
use crate::plan::file::HeldGroup;
use crate::plan::safety::{ActionGroup, Exceeded, approval_hash};
use crate::plan::{Action, ActionKind};

/// Actions, as they were decided.
pub(super) struct DraftActions {
    out: BufWriter<File>,
    at: u64,
    entries: Vec<DraftEntry>,
    line: Vec<u8>,
    pub planned: ActionCounts,
    /// What the actions of each group refer to.
    referred: BTreeSet<(ActionGroup, AttrId)>,
}

struct DraftEntry {
    kind: ActionKind,
    key: Box<str>,
    at: u64,
    length: u32,
    takes: ActionRequests,
    /// Of what an approval is given for.
    digest: Digest,
}

impl DraftActions {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            out: BufWriter::new(tempfile::tempfile()?),
            at: 0,
            entries: Vec::new(),
            line: Vec::new(),
            planned: ActionCounts::default(),
            referred: BTreeSet::new(),
        })
    }

    /// Adds an action that takes so much and refers to these.
    pub fn push(&mut self, action: &Action, takes: ActionRequests, referred: BTreeSet<AttrId>) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, action)?;
        self.out.write_all(&self.line)?;
        let length = u32::try_from(self.line.len()).map_err(io::Error::other)?;
        self.entries.push(DraftEntry {
            kind: action.action,
            key: action.key.as_str().into(),
            at: self.at,
            length,
            takes,
            digest: approval_digest(action)?,
        });
        self.at += u64::from(length);
        *self.planned.count_mut(action.action) += 1;
        self.referred.extend(referred.into_iter().map(|id| (ActionGroup::of_kind(action.action), id)));
        Ok(())
    }

    /// What is held, with the hash that releases it.
    pub fn held_groups(&self, tenant: &str, exceeded: &[Exceeded]) -> BTreeMap<ActionGroup, HeldGroup> {
        exceeded
            .iter()
            .map(|Exceeded { group, count, limit }| {
                let digests = self.entries.iter().filter(|e| ActionGroup::of_kind(e.kind) == *group).map(|e| e.digest);
                let approve = approval_hash(tenant, *group, digests);
                (*group, HeldGroup { count: *count, limit: *limit, approve })
            })
            .collect()
    }

    /// Puts the actions in the order of execution: what takes access away comes last.
    pub fn sort_actions(&mut self) {
        self.entries.sort_by(|a, b| {
            (a.kind.takes_away(), a.kind, &a.key, a.digest.0).cmp(&(b.kind.takes_away(), b.kind, &b.key, b.digest.0))
        });
    }

    /// What the actions of the groups that `is_free` take in their order, of which so many requests leave while the
    /// listing is fresh.
    pub fn sum_cost(&self, fresh: u64, is_free: impl Fn(ActionGroup) -> bool) -> Cost {
        let mut adding = CostSum::new(fresh);
        for entry in self.entries.iter().filter(|entry| is_free(ActionGroup::of_kind(entry.kind))) {
            adding.add(entry.takes);
        }
        let referred = self.referred.iter().filter(|(group, _)| is_free(*group)).map(|(_, id)| id);
        let asked = referred.collect::<BTreeSet<_>>().len() as u64;
        Cost { lookup: asked, ..Cost::default() } + adding.cost()
    }

    /// The actions, as they were sorted.
    pub fn into_actions(self) -> io::Result<impl Iterator<Item = io::Result<Action>>> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut input = BufReader::new(file);
        let mut line = Vec::new();
        Ok(self.entries.into_iter().map(move |entry| {
            input.seek(SeekFrom::Start(entry.at))?;
            line.resize(entry.length as usize, 0);
            input.read_exact(&mut line)?;
            Ok(serde_json::from_slice(&line)?)
        }))
    }
}

/// The digest of what an approval is given for: whose account, and what becomes of it. Where the row stands, how long
/// somebody is absent, how many chats are open changes from run to run, and makes no other action of it.
fn approval_digest(action: &Action) -> io::Result<Digest> {
    let Action { action: kind, key, identity, account, changes, .. } = action;
    Ok(Digest::of(&serde_json::to_vec(&(kind, key, identity, account, changes))?))
}

/// A new file that only its owner can read; an old one of the name is replaced.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
