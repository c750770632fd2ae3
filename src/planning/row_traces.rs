//! What a row that cannot be used still shows of its person.

use super::PlanInputs;
use crate::model::{Record, Value};
use crate::plan::unusable::RowTraces;

/// The traces of a row whose cells stand under their columns.
pub(super) fn traces_of_row(inputs: &PlanInputs<'_>, record: &Record) -> RowTraces {
    let mut traces = RowTraces::default();
    let identity = inputs.mapping.identity(record);
    if let Some(account) = (!identity.is_empty()).then(|| inputs.memory.link_of(identity)).flatten() {
        traces.add_account(&account);
    }
    let values = inputs.mapping.usable_values(record);
    traces.add_values(&inputs.decision_context(), |id| values.get(id));
    traces
}

/// The traces of a row with too few or too many cells: any of them may stand under a wrong column, so that each may be the
/// identity, and each may be a key. A row without cells shows nothing.
pub(super) fn traces_of_cells(inputs: &PlanInputs<'_>, record: &Record) -> RowTraces {
    if record.is_empty() {
        return RowTraces::default();
    }
    let mut traces = traces_of_row(inputs, record);
    if traces.is_empty() {
        return traces;
    }
    for cell in record.cells().map(str::trim).filter(|cell| !cell.is_empty()) {
        if let Some(account) = inputs.memory.link_of(cell) {
            traces.add_account(&account);
        }
        let value = Value::text(cell);
        traces.add_values(&inputs.decision_context(), |_| Some(&value));
    }
    traces
}
