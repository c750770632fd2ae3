//! What may be done, and how much of it at once: `[policy]` and `[safety]` as data.

use std::time::Duration;

use crate::model::Percent;

/// `[policy]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub create: bool,
    pub update: bool,
    pub leavers: Leavers,
    pub absent: Absent,
    pub absent_for: AbsentFor,
    pub reactivate: bool,
    /// Patterns (`admin*`) over every key of a row or an account; what matches is never touched.
    pub protect: Vec<String>,
    pub inactive_newcomers: InactiveNewcomers,
}

/// A person whose row says inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leavers {
    Deactivate,
    Report,
}

/// An account without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Ignore,
    Report,
    Deactivate,
    Delete,
}

/// What two rows for one person mean: `source.duplicates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    Error,
    First,
    Last,
}

/// A row that says inactive and has no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InactiveNewcomers {
    Skip,
    Create,
}

/// How long an account must be without a row before that counts: both must be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsentFor {
    /// Runs in a row, this one included.
    pub runs: u32,
    pub days: u32,
}

/// A limit on one kind of action: a share of the accounts in scope, a number, or both (the smaller counts). With
/// neither there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SafetyLimit {
    pub percent: Option<Percent>,
    pub count: Option<u64>,
}

/// `[safety]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Safety {
    pub max_create: SafetyLimit,
    pub max_update: SafetyLimit,
    pub max_deactivate: SafetyLimit,
    /// Of the rows that count.
    pub max_invalid: SafetyLimit,
    pub min_rows: u64,
    pub max_row_drop: SafetyLimit,
    pub on_exceed: OnExceed,
    pub plan_max_age: Duration,
    /// How long a listing counts as the account's present value, so that an update needs no read before it.
    pub fresh_for: Duration,
    /// An unfinished run that is older is not gone on with: the rest is planned anew, from a new listing.
    pub run_max_age: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExceed {
    Hold,
    Stop,
}
