//! Secrets that the source holds. A plan has only their mark, so execution reads the rows again, from a
//! source that is still the one that the plan was made from.

use std::collections::HashMap;

use super::PlanningError;
use crate::mapping::Mapping;
use crate::model::{AttrId, Record, Secret, Value, Wanted};
use crate::plan::SourceLine as Place;
use crate::plan::file::PlanHeader;
use crate::source::{RowShape, Source};

/// The secret values of the rows that `wanted` names, by the number given with each.
///
/// # Errors
/// A source that cannot be read, or is not the one of the plan any more.
pub fn source_secrets(
    source: &Source,
    mapping: &Mapping,
    header: &PlanHeader,
    wanted: &HashMap<(String, u32), u64>,
) -> Result<HashMap<u64, Vec<(AttrId, Secret)>>, PlanningError> {
    let mut secrets = HashMap::new();
    let mut scratch = mapping.scratch();
    let mut record = Record::default();
    let mut rows = source.rows()?;
    while let Some(shape) = rows.next_into(&mut record)? {
        let Some(file) = source.files().get(usize::from(record.place.file)) else { continue };
        let place = Place { file: file.short.clone(), line: record.place.line };
        let Some(seq) = wanted.get(&(place.file, place.line)).filter(|_| shape == RowShape::Good) else { continue };
        if let Ok(desired) = mapping.map(&record, &mut scratch) {
            let values = desired.values.into_iter().filter_map(|(id, wanted)| match wanted {
                Wanted::Set(Value::Secret(secret)) => Some((id, secret)),
                _ => None,
            });
            secrets.insert(*seq, values.collect());
        }
    }
    for (planned, now) in header.source.files.iter().zip(rows.digests()) {
        if planned.digest != now.digest {
            return Err(PlanningError::SourceChanged(now.path));
        }
    }
    Ok(secrets)
}
