//! What lies beside a plan in its folder: what was found that needs no request, and what is worth remembering once
//! somebody executes the plan. Whoever makes a plan writes it, whoever executes one reads it.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::AccountId;

/// The files of a plan in its folder.
#[derive(Clone, Debug)]
pub struct PlanFiles {
    pub plan: PathBuf,
    pub findings: PathBuf,
    pub notes: PathBuf,
}

impl PlanFiles {
    #[must_use]
    pub fn within(dir: &Path) -> Self {
        Self { plan: dir.join("plan.jsonl"), findings: dir.join("findings.jsonl"), notes: dir.join("notes.jsonl") }
    }
}

/// One thing that a plan learnt. A plan that nobody executes leaves no trace in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learnt {
    Link {
        identity: String,
        account: AccountId,
    },
    /// The account has no row, and the listing and the source are good enough to say so.
    Absent {
        account: AccountId,
    },
}

/// What a plan learnt, from its notes: one JSON line each.
pub fn read_notes(notes: impl BufRead) -> impl Iterator<Item = io::Result<Learnt>> {
    notes.lines().map(|line| Ok(serde_json::from_str(&line?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_read_back_as_they_were_written() {
        let account = AccountId("4711".to_owned());
        let all = [Learnt::Link { identity: "E1".to_owned(), account: account.clone() }, Learnt::Absent { account }];
        let lines: Vec<String> = all.iter().map(|learnt| serde_json::to_string(learnt).unwrap()).collect();
        let read: Vec<Learnt> = read_notes(lines.join("\n").as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read, all);
        assert!(read_notes(&b"{\"link\":{}}\n"[..]).next().unwrap().is_err());
    }
}
