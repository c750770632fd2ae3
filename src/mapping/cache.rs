//! What templates gave before, kept by the cells they gave it for. Most templates see few different cells (a status, a
//! team), and for those a look into a table replaces the engine. A cache is bounded, and gives up by itself where it
//! does not help.

use hashbrown::HashMap;

use super::problem::Invalid;
use crate::model::{Record, Value};

/// Results kept at most.
const ENTRIES: usize = 4096;
/// Calls after which a cache looks whether it helps.
const WINDOW: u32 = 2000;
/// One call in so many must be a hit.
const WORTHWHILE: u32 = 4;
/// Longer keys are not kept: texts of that length rarely repeat.
const KEY: usize = 512;

/// What an expression came to: a value, an empty cell, or why neither.
pub(super) type ReadOutcome = Result<Option<Value>, Box<Invalid>>;

/// The results of one expression.
#[derive(Default)]
pub(super) struct Cache {
    results: HashMap<Box<[u8]>, ReadOutcome>,
    calls: u32,
    hits: u32,
    off: bool,
}

impl Cache {
    /// Whether it is still worth asking.
    pub(super) fn is_on(&self) -> bool {
        !self.off
    }

    pub(super) fn get(&mut self, key: &[u8]) -> Option<&ReadOutcome> {
        if self.calls == WINDOW {
            if self.hits < WINDOW / WORTHWHILE {
                self.off = true;
                self.results = HashMap::new();
                return None;
            }
            (self.calls, self.hits) = (0, 0);
        }
        self.calls += 1;
        let found = self.results.get(key);
        self.hits += u32::from(found.is_some());
        found
    }

    pub(super) fn insert_outcome(&mut self, key: &[u8], outcome: &ReadOutcome) {
        if self.off || key.len() > KEY {
            return;
        }
        if self.results.len() == ENTRIES {
            self.results.clear();
        }
        self.results.insert(key.into(), outcome.clone());
    }
}

/// Writes the cells that an expression uses as one key. Lengths stand before all cells but the last, so that no two
/// rows that differ have one key.
pub(super) fn write_cache_key(row: &Record, columns: &[usize], key: &mut Vec<u8>) {
    key.clear();
    for (left, column) in (0..columns.len()).rev().zip(columns) {
        let cell = row.cell(*column).trim();
        if left > 0 {
            key.extend_from_slice(&cell.len().to_le_bytes());
        }
        key.extend_from_slice(cell.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(cache: &mut Cache, key: &str) -> bool {
        let found = cache.get(key.as_bytes()).is_some();
        if !found {
            cache.insert_outcome(key.as_bytes(), &Ok(Some(Value::text(key))));
        }
        found
    }

    #[test]
    fn what_repeats_is_found_and_what_never_repeats_is_given_up() {
        let mut cache = Cache::default();
        for n in 0..10_000 {
            assert_eq!(ask(&mut cache, &(n % 7).to_string()), n >= 7);
        }
        assert!(cache.is_on());
        let mut cache = Cache::default();
        for n in 0..=WINDOW {
            assert!(!ask(&mut cache, &n.to_string()));
        }
        assert!(!cache.is_on() && cache.results.is_empty());
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut cache = Cache::default();
        for n in 0..20_000 {
            // Every second call is a hit, so it stays on.
            ask(&mut cache, &n.to_string());
            ask(&mut cache, &n.to_string());
            assert!(cache.results.len() <= ENTRIES);
        }
        assert!(cache.is_on());
    }

    #[test]
    fn cells_that_only_share_their_concatenation_have_different_keys() {
        let of = |cells: [&str; 2]| {
            let mut row = Record::default();
            cells.iter().for_each(|cell| row.push(cell));
            let mut bytes = Vec::new();
            write_cache_key(&row, &[0, 1], &mut bytes);
            bytes
        };
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
        assert_eq!(of(["ab ", "c"]), of(["ab", " c"]));
    }
}
