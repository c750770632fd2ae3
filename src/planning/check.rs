//! The rows alone, without any account: what `check` says of a source.

use std::path::PathBuf;

use super::{Inputs, PlanFiles, SurveyError, findings, rows};
use crate::clock::blocking;
use crate::plan::action::Planned;
use crate::plan::safety::{Listed, Measure, judge};

/// A source whose every row was mapped.
#[derive(Clone, Debug)]
pub struct Checked {
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
/// As [`super::survey`], of the source.
pub fn check_rows(inputs: &Inputs<'_>) -> Result<Checked, SurveyError> {
    let mut findings = findings::Findings::create(inputs.dir)?;
    let read = blocking(|| rows::read(inputs, &mut findings))?;
    let found = findings.finish()?;
    let measure = Measure {
        listed: Listed::Whole,
        in_scope: 0,
        rows: read.included,
        invalid: found.invalid,
        last_rows: inputs.memory.source_shape().map(|shape| shape.rows),
    };
    Ok(Checked {
        included: read.included,
        invalid: found.invalid,
        stopped: judge(&inputs.settings.safety, &measure, &Planned::default()).stopped,
        findings: PlanFiles::within(inputs.dir).findings,
    })
}
