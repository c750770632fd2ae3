//! How many requests a target takes for what it is asked to do, as a value, so that plans and estimates can count them
//! without sending any.

use std::time::Duration;

use super::listing::{Paging, count_requests};
use crate::model::{AttrId, AttrSet, MatchRule};

/// What the requests of a target cost, as far as the target knows at the moment.
#[derive(Clone, Debug)]
pub struct RequestCosts {
    /// Requests that connecting and signing in take, each time.
    pub connecting: u64,
    pub listing: ListingCost,
    pub lookup: LookupCost,
    /// An account is read before one of these attributes is updated, because what is sent depends on what is there.
    pub read_first: AttrSet,
    /// None where tokens do not expire, or nobody said when.
    pub token: Option<TokenLife>,
}

/// What a listing takes while nobody changes the accounts, without signing in.
#[derive(Clone, Copy, Debug)]
pub enum ListingCost {
    /// One request shows everybody.
    Whole,
    /// Each page once, and again those that prove that the list stood still. `announces` is whether pages say how many
    /// there are.
    Pages { paging: Paging, announces: bool },
    /// A directory, one request for each account, and the directory again.
    Details,
}

/// What looking people up takes.
#[derive(Clone, Copy, Debug)]
pub enum LookupCost {
    Listing(ListingCost),
    /// One request for each person and rule, or a listing where that takes less.
    Filters(ListingCost),
    /// One request for each person where every rule has this attribute, else a listing.
    ByAttribute(AttrId, ListingCost),
}

/// How long tokens live.
#[derive(Clone, Copy, Debug)]
pub struct TokenLife {
    /// From now until the present token is renewed.
    pub left: Duration,
    /// From one renewal to the next.
    pub lasts: Duration,
}

impl RequestCosts {
    /// Of a target that looks people up in listings, and needs one request to sign in.
    #[must_use]
    pub fn of_listing(listing: ListingCost) -> Self {
        let lookup = LookupCost::Listing(listing);
        Self { connecting: 1, listing, lookup, read_first: AttrSet::default(), token: None }
    }

    /// Requests for looking up so many people, each of whom can be asked for by all of the rules, where there are so
    /// many accounts.
    #[must_use]
    pub fn count_lookups(&self, rules: &[MatchRule], people: u64, accounts: u64) -> u64 {
        match self.lookup {
            LookupCost::Listing(listing) => listing.count_requests(accounts),
            LookupCost::Filters(listing) => {
                listing.count_requests(accounts).min(people.saturating_mul(rules.len() as u64))
            }
            LookupCost::ByAttribute(id, _) if rules.iter().all(|rule| rule.attributes.contains(&id)) => people,
            LookupCost::ByAttribute(_, listing) => listing.count_requests(accounts),
        }
    }

    /// Requests for an update of these attributes in addition to the one that writes.
    #[must_use]
    pub fn count_reads(&self, updated: &[AttrId]) -> u64 {
        u64::from(updated.iter().any(|id| self.read_first.contains(*id)))
    }

    /// How often the token has to be renewed within so long from now.
    #[must_use]
    pub fn count_renewals(&self, within: Duration) -> u64 {
        let Some(TokenLife { left, lasts }) = self.token else { return 0 };
        let Some(after) = within.checked_sub(left) else { return 0 };
        let again = after.as_nanos().checked_div(lasts.as_nanos()).unwrap_or(0);
        u64::try_from(again).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl ListingCost {
    /// Requests for listing so many accounts.
    #[must_use]
    pub fn count_requests(self, accounts: u64) -> u64 {
        match self {
            Self::Whole => 1,
            Self::Pages { paging, announces } => count_requests(paging, accounts, announces),
            Self::Details if accounts == 0 => 1,
            Self::Details => accounts.saturating_add(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attribute, Kind, Schema};

    #[test]
    fn people_are_asked_for_one_by_one_only_where_that_takes_less() {
        let schema = Schema::new(["login", "email"].map(|name| Attribute::new(name, Kind::Text)).into());
        let (login, email) = (AttrId(0), AttrId(1));
        let rules = [MatchRule::new(&schema, vec![login]), MatchRule::new(&schema, vec![email])];
        let costs = |lookup| RequestCosts { lookup, ..RequestCosts::of_listing(ListingCost::Details) };
        let filters = costs(LookupCost::Filters(ListingCost::Details));
        assert_eq!((filters.count_lookups(&rules, 3, 100), filters.count_lookups(&rules, 90, 100)), (6, 102));
        let by_login = costs(LookupCost::ByAttribute(login, ListingCost::Details));
        assert_eq!((by_login.count_lookups(&rules[..1], 3, 100), by_login.count_lookups(&rules, 3, 100)), (3, 102));
    }

    #[test]
    fn a_token_is_renewed_when_it_runs_out_and_as_often_as_it_lasts() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let mut costs = RequestCosts::of_listing(ListingCost::Whole);
        assert_eq!(costs.count_renewals(hours(9)), 0);
        costs.token = Some(TokenLife { left: hours(1), lasts: hours(2) });
        assert_eq!([0, 1, 2, 3, 9].map(|n| costs.count_renewals(hours(n))), [0, 1, 1, 2, 5]);
        costs.token = Some(TokenLife { left: hours(1), lasts: Duration::ZERO });
        assert_eq!(costs.count_renewals(hours(9)), 1);
    }
}
