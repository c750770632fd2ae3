//! What a plan does and says of a few people, read from its files.

use std::fs::File;
use std::io::BufReader;

use super::{MadePlan, PlanningError, findings_writer};
use crate::model::AccountId;
use crate::plan::decide::Decision;
use crate::plan::file::PlanReader;
use crate::plan::{Action, Finding, SourceLine};

/// What a plan does and says of a few people.
pub(super) struct PeopleDecisions {
    actions: Vec<Action>,
    findings: Vec<Finding>,
}

impl PeopleDecisions {
    pub fn read(
        made: &MadePlan,
        is_one: impl Fn(Option<&SourceLine>, Option<&AccountId>) -> bool,
    ) -> Result<Self, PlanningError> {
        let file = File::open(&made.files.plan).map_err(PlanningError::file_error(&made.files.plan))?;
        let mut reader = PlanReader::new(BufReader::new(file))?;
        let mut actions = Vec::new();
        while let Some(action) = reader.next()? {
            if is_one(action.source.as_ref(), action.account.as_ref()) {
                actions.push(action);
            }
        }
        let path = &made.files.findings;
        let mut findings = Vec::new();
        for finding in findings_writer::read_findings(path).map_err(PlanningError::file_error(path))? {
            let finding = finding.map_err(PlanningError::file_error(path))?;
            if is_one(finding.source.as_ref(), finding.account.as_ref()) {
                findings.push(finding);
            }
        }
        Ok(Self { actions, findings })
    }

    pub fn of_row(&self, source: &SourceLine) -> Decision {
        self.find_decision(|at, _| at == Some(source))
    }

    pub fn of_account(&self, id: &AccountId) -> Decision {
        self.find_decision(|at, account| at.is_none() && account == Some(id))
    }

    fn find_decision(&self, is_it: impl Fn(Option<&SourceLine>, Option<&AccountId>) -> bool) -> Decision {
        Decision {
            action: self.actions.iter().find(|a| is_it(a.source.as_ref(), a.account.as_ref())).cloned(),
            finding: self.findings.iter().find(|f| is_it(f.source.as_ref(), f.account.as_ref())).cloned(),
        }
    }
}
