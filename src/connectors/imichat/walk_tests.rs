//! Listings by page number, through servers that make their pages in many ways.

use super::{NAMES, PAGING};
use crate::connectors::imichat::schema::at;
use crate::connectors::listing::{
    Chance, MOST_PAGES, PageAnswer, PageFacts, PageRequest, PageWalk, SeenAccounts, ShownPage,
};
use crate::model::{Account, AccountId, Attributes, Value};

fn number(request: &PageRequest) -> u64 {
    match request {
        PageRequest::Number(page) => *page,
        other => panic!("{other:?} is no page number"),
    }
}

/// The next page to ask for.
fn next(walk: &mut PageWalk) -> Option<u64> {
    walk.next_request().map(|request| number(&request))
}

fn new_walk(chance: Chance) -> PageWalk {
    PageWalk::new(PAGING, NAMES, chance)
}

fn account(id: u64) -> Option<Account> {
    let values: Attributes = [(at::LOGIN_ID, Value::text(format!("user{id}")))].into_iter().collect();
    Some(Account { id: AccountId(id.to_string()), values, protected: None })
}

fn users(ids: impl IntoIterator<Item = u64>) -> Vec<Option<Account>> {
    ids.into_iter().map(account).collect()
}

/// The users of one page of a list of `total`.
fn page_of(page: u64, total: u64) -> Vec<Option<Account>> {
    users(((page - 1) * 10..(page * 10).min(total)).map(|n| n + 1))
}

fn with(records: Vec<Option<Account>>, next: Option<bool>, pages: Option<u64>) -> PageAnswer {
    PageAnswer::Page(ShownPage { records, facts: PageFacts { more: next, pages, ..PageFacts::default() } })
}

struct Result {
    shown: usize,
    asked: u64,
    complete: bool,
    notes: Vec<String>,
}

/// Walks through a server that answers as the function says.
fn walk(server: impl Fn(u64) -> PageAnswer) -> Result {
    let mut walk = new_walk(Chance::Last);
    let (mut shown, mut asked) = (0, 0);
    while let Some(page) = next(&mut walk) {
        asked += 1;
        shown += walk.take_answer(PageRequest::Number(page), server(page)).len();
    }
    let (complete, notes) = walk.finish_reading();
    Result { shown, asked, complete, notes }
}

#[track_caller]
fn complete(result: &Result, shown: usize, asked: u64) {
    assert_eq!((result.shown, result.asked, result.complete), (shown, asked, true), "{:?}", result.notes);
}

#[track_caller]
fn incomplete(result: &Result, shown: usize, asked: u64, note: &str) {
    assert_eq!((result.shown, result.asked, result.complete), (shown, asked, false), "{:?}", result.notes);
    assert!(result.notes.iter().any(|text| text.contains(note)), "{:?}", result.notes);
}

#[test]
fn without_links_a_short_page_ends_the_list() {
    // Page 4 was tried to find the end, and those that were read before it was known are read again.
    complete(&walk(|page| with(page_of(page, 25), None, None)), 25, 4 + 3);
}

#[test]
fn without_links_an_empty_page_ends_the_list() {
    complete(&walk(|page| with(if page > 2 { Vec::new() } else { page_of(page, 20) }, None, None)), 20, 4 + 2);
}

#[test]
fn without_links_a_page_that_is_not_found_ends_the_list() {
    complete(&walk(|page| if page > 2 { PageAnswer::Past } else { with(page_of(page, 20), None, None) }), 20, 4 + 2);
}

#[test]
fn a_tenant_without_users_is_complete_with_none() {
    complete(&walk(|_| PageAnswer::Past), 0, 1);
    complete(&walk(|_| with(Vec::new(), None, None)), 0, 1);
    complete(&walk(|_| with(Vec::new(), Some(false), Some(0))), 0, 1);
    complete(&walk(|_| with(Vec::new(), None, Some(1))), 0, 1);
}

#[test]
fn the_number_of_pages_ends_the_list_even_after_a_full_page() {
    complete(&walk(|page| with(page_of(page, 30), None, Some(3))), 30, 3 + 2);
}

#[test]
fn a_short_page_in_the_middle_is_not_the_end_when_links_go_on() {
    let short = |page: u64| users((page * 10..page * 10 + 10).skip(usize::from(page == 2)));
    complete(&walk(|page| with(short(page), None, Some(4))), 39, 4 + 2);
    complete(&walk(|page| with(short(page), Some(page < 4), None)), 39, 4 + 3);
}

#[test]
fn the_last_link_ends_the_list_even_after_a_full_page() {
    complete(&walk(|page| with(page_of(page, 30), Some(page < 3), None)), 30, 4 + 3);
}

#[test]
fn a_link_that_leads_nowhere_is_followed_once() {
    complete(&walk(|page| with(if page > 3 { Vec::new() } else { page_of(page, 30) }, Some(true), Some(3))), 30, 4 + 2);
}

#[test]
fn a_last_page_that_is_repeated_and_links_on_for_ever_is_not_followed_for_ever() {
    incomplete(&walk(|page| with(page_of(page.min(3), 25), Some(true), Some(3))), 25, 4, "ignore the page number");
    incomplete(&walk(|_| with(page_of(1, 3), Some(true), Some(1))), 3, 2, "ignore the page number");
}

#[test]
fn known_pages_are_asked_for_without_waiting_for_each_other_once_the_last_is_read() {
    let read = |page| with(page_of(page, 50), None, Some(5));
    let mut walk = new_walk(Chance::Another);
    for page in [1, 5] {
        assert_eq!((next(&mut walk), next(&mut walk)), (Some(page), None));
        assert_eq!(walk.take_answer(PageRequest::Number(page), read(page)).len(), 10);
    }
    assert_eq!((0..5).filter_map(|_| next(&mut walk)).collect::<Vec<_>>(), [2, 3, 4]);
    for page in [3, 4] {
        assert_eq!(walk.take_answer(PageRequest::Number(page), read(page)).len(), 10);
    }
    assert_eq!(next(&mut walk), None, "nothing is read again before everything was read");
    assert_eq!(walk.take_answer(PageRequest::Number(2), read(2)).len(), 10);
    let again: Vec<u64> = (0..5).filter_map(|_| next(&mut walk)).collect();
    assert_eq!(again.iter().copied().collect::<std::collections::BTreeSet<_>>(), [1, 5].into());
    for page in again {
        assert_eq!(walk.take_answer(PageRequest::Number(page), read(page)).len(), 0);
    }
    assert_eq!((next(&mut walk), walk.finish_reading()), (None, (true, vec![])));
}

/// Walks through a list that has so many accounts for the first two requests, and so many after them.
fn walk_through(before: u64, after: u64) -> Result {
    let asked = std::cell::Cell::new(0);
    walk(|page| {
        asked.set(asked.get() + 1);
        let total = if asked.get() <= 2 { before } else { after };
        with(page_of(page, total), None, Some(total.div_ceil(10)))
    })
}

#[test]
fn a_list_that_grows_at_its_end_is_read_to_its_new_end() {
    complete(&walk_through(40, 45), 45, 5 + 2);
    complete(&walk_through(44, 49), 49, 5 + 2);
    complete(&walk_through(44, 55), 55, 6 + 2);
}

#[test]
fn a_list_that_shrinks_is_not_complete() {
    incomplete(&walk_through(45, 40), 45, 5, "shrank from 5 to 4");
    incomplete(&walk_through(45, 44), 45, 5 + 1, "page 5 does not show everybody that it showed before");
    let gone = |page| if page > 4 { PageAnswer::Past } else { with(page_of(page, 40), None, Some(9)) };
    incomplete(&walk(gone), 40, 6, "fewer pages than the server said");
}

#[test]
fn a_list_that_shifted_is_given_up_at_once_where_it_can_be_read_again() {
    let shifted = |chance, records| {
        let mut walk = new_walk(chance);
        for page in [1, 9] {
            assert_eq!(next(&mut walk), Some(page));
            walk.take_answer(PageRequest::Number(page), with(page_of(page, 90), None, Some(9)));
        }
        assert_eq!(next(&mut walk), Some(2));
        walk.take_answer(PageRequest::Number(2), with(records, None, Some(9)));
        (walk.gives_up(), next(&mut walk).is_some())
    };
    assert_eq!(shifted(Chance::Another, page_of(2, 90)), (false, true));
    assert_eq!(shifted(Chance::Another, users(10..20)), (true, false));
    assert_eq!(shifted(Chance::Last, users(10..20)), (false, true));
    // Reading it again would not make users of what are none.
    let mut records = users(10..19);
    records.push(None);
    assert_eq!(shifted(Chance::Another, records), (false, true));
}

#[test]
fn an_account_shown_twice_means_that_another_may_have_been_missed() {
    let server = |page| with(if page == 1 { page_of(1, 10) } else { users(10..15) }, None, None);
    incomplete(&walk(server), 14, 2, "1 accounts were shown twice");
}

#[test]
fn a_server_that_ignores_the_page_number_is_noticed_at_once() {
    incomplete(&walk(|_| with(page_of(1, 10), None, None)), 10, 2, "ignore the page number");
    incomplete(&walk(|_| with(page_of(1, 10), None, Some(5000))), 10, 2, "ignore the page number");
    incomplete(&walk(|_| with(page_of(1, 10), Some(true), None)), 10, 2, "ignore the page number");
}

#[test]
fn records_that_are_no_users_are_left_out_and_said() {
    let server = |_| {
        let mut records = page_of(1, 5);
        records.extend([None, None]);
        with(records, None, None)
    };
    incomplete(&walk(server), 5, 1, "2 records are no users");
}

#[test]
fn a_record_that_is_no_user_when_its_page_is_read_once_more_is_said_as_well() {
    let last_page_read = std::cell::Cell::new(0);
    let server = |page| {
        let mut records = page_of(page, 25);
        if page == 3 {
            records.extend((last_page_read.get() > 0).then_some(None));
            last_page_read.set(last_page_read.get() + 1);
        }
        with(records, None, Some(3))
    };
    // The first page need not be read once more any more.
    incomplete(&walk(server), 25, 3 + 1, "1 records are no users");
    assert_eq!(last_page_read.get(), 2);
}

#[test]
fn a_full_page_of_what_is_no_user_is_not_the_end() {
    let server = |page| with(if page == 2 { vec![None; 10] } else { page_of(page, 25) }, None, None);
    incomplete(&walk(server), 15, 4, "10 records are no users");
}

#[test]
fn a_list_without_end_is_given_up() {
    incomplete(&walk(|page| with(page_of(page, u64::MAX / 2), None, Some(MOST_PAGES + 1))), 10, 1, "does not end");
    incomplete(&walk(|page| with(page_of(page, u64::MAX / 2), None, None)), 210, 21, "does not end");
}

#[test]
fn an_account_without_a_login_is_left_out_and_the_listing_is_not_complete() {
    let mut records = users(1..=3);
    records.push(Some(Account { id: AccountId("4".to_owned()), values: Attributes::new(), protected: None }));
    let result = walk(|_| with(records.clone(), None, None));
    incomplete(&result, 3, 1, "1 records are no users with an id and a login");
}

#[test]
fn ids_are_the_same_only_where_they_are_written_the_same() {
    let mut seen = SeenAccounts::new(NAMES);
    let mut first = |id: &str| seen.is_new_id(&AccountId(id.to_owned()));
    assert!(["7", "007", "+7", "0", "00", "-7", "a7", "99999999999999999999"].map(&mut first).iter().all(|new| *new));
    assert!(["7", "007", "+7", "0", "99999999999999999999"].map(&mut first).iter().all(|new| !new));
}
