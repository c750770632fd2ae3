//! What the caller knows of a row, the result of adding it, and its verdict once every account was seen.

use crate::model::Place;

/// What the caller knows of a row beyond its facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowFlags {
    /// A pattern of `policy.protect` matches one of its keys.
    pub protected: bool,
    /// A write-only attribute differs from what was last written: a digest cannot settle this row.
    pub unsettled: bool,
}

/// What came of adding a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    New,
    /// An earlier row has the same identity.
    SameIdentity {
        row: u32,
        place: Place,
    },
    /// An earlier row of another identity has the same key under a rule, or is linked to the same account: both are in
    /// conflict.
    SameKey {
        row: u32,
        place: Place,
        by: FoundBy,
    },
}

/// How an account was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// By the remembered link from the row's identity.
    Link,
    /// By the rule of this index.
    Rule(usize),
}

/// What became of one row once every account was seen.
#[derive(Clone, Debug, PartialEq)]
pub enum RowVerdict {
    /// Another row of the same person counts instead.
    Dropped { other: Place },
    /// No account.
    Missing,
    /// One account, and it is what the row wants.
    Equal { account: u64, found: FoundBy },
    /// One account that may differ.
    Matched { account: u64, found: FoundBy },
    /// Several accounts, and no rule that tells them apart.
    Ambiguous { accounts: Vec<u64> },
    /// The account is claimed by another row too.
    Claimed { account: u64, other: Place },
    /// Another row has the same key, or is linked to the same account.
    SameKey { other: Place, by: FoundBy },
}

impl RowVerdict {
    /// The accounts that it names.
    #[must_use]
    pub fn found_accounts(&self) -> &[u64] {
        match self {
            Self::Equal { account, .. } | Self::Matched { account, .. } | Self::Claimed { account, .. } => {
                std::slice::from_ref(account)
            }
            Self::Ambiguous { accounts } => accounts,
            Self::Dropped { .. } | Self::Missing | Self::SameKey { .. } => &[],
        }
    }

    /// The other row that it names.
    #[must_use]
    pub fn other_row(&self) -> Option<Place> {
        match self {
            Self::Dropped { other } | Self::Claimed { other, .. } | Self::SameKey { other, .. } => Some(*other),
            Self::Missing | Self::Equal { .. } | Self::Matched { .. } | Self::Ambiguous { .. } => None,
        }
    }
}

/// All verdicts.
pub struct Settled {
    /// In the order in which the rows were added.
    pub verdicts: Vec<Settlement>,
    /// The positions of accounts without a row, in the order in which they were seen.
    pub unclaimed: Vec<u64>,
}

/// One row's verdict, and what was known of the row.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    pub place: Place,
    pub protected: bool,
    /// The remembered link is there and names the account that was found.
    pub linked: bool,
    pub verdict: RowVerdict,
}
