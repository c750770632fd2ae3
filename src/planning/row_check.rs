//! The rows alone, without any account: what `check` says of a source.

use std::path::PathBuf;

use super::{PlanFiles, PlanInputs, PlanningError, findings_writer, rows};
use crate::clock::blocking;
use crate::plan::action::ActionCounts;
use crate::plan::safety::{ListingExtent, Measure, judge_plan};

/// A source whose every row was mapped.
#[derive(Clone, Debug)]
pub struct CheckedSource {
    /// Rows that `source.include` lets through.
    pub included: u64,
    pub invalid: u64,
    /// Safety rules that would stop every run with this source.
    pub stopped: Vec<String>,
    /// The file with a finding for each row that cannot be used.
    pub findings: PathBuf,
}

/// Maps every row and enters it; no account is looked at.
///
/// # Errors
/// As [`super::make_plan`], of the source.
pub fn check_rows(inputs: &PlanInputs<'_>) -> Result<CheckedSource, PlanningError> {
    let mut findings = findings_writer::FindingsWriter::create(inputs.dir)?;
    let read = blocking(|| rows::read_rows(inputs, &mut findings))?;
    let found = findings.seal_findings()?;
    let measure = Measure {
        listed: ListingExtent::Whole,
        in_scope: 0,
        rows: read.included,
        invalid: found.invalid,
        last_rows: inputs.memory.source_shape().map(|shape| shape.rows),
    };
    Ok(CheckedSource {
        included: read.included,
        invalid: found.invalid,
        stopped: judge_plan(&inputs.settings.safety, &measure, &ActionCounts::default()).stopped,
        findings: PlanFiles::in_dir(inputs.dir).findings,
    })
}
