//! Reads whole lists of accounts: in pages ([`list_pages`]), or as a directory with one request for each account
//! ([`list_details`]). The order of the requests and the proof that a list is whole stand here, once; the folder of a
//! system says how it is asked and what its answers mean.

mod details;
mod order;
mod readings;
mod seen;
#[cfg(test)]
pub(super) mod shifting;
mod stream;
mod walk;

pub(super) use details::{DetailedList, DirectoryEntry, DirectoryExtent, list_details};
#[cfg(test)]
pub(super) use order::MOST_PAGES;
pub(super) use order::{PageFacts, PageRequest, Paging, count_requests};
#[cfg(any(test, fuzzing))]
pub(super) use readings::Chance;
pub(super) use seen::AccountNames;
#[cfg(test)]
pub(super) use seen::SeenAccounts;
pub(super) use stream::{PagedList, list_pages};
#[cfg(any(test, fuzzing))]
pub(super) use walk::PageWalk;
pub(super) use walk::{PageAnswer, ReadingFacts, ShownPage};
