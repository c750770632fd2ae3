//! Listings by place and with cursors, through servers that make their pages in many ways.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{NAMES, choose_paging};
use crate::connectors::listing::{Chance, PageAnswer, PageRequest, PageWalk};
use crate::connectors::scim::page::read_page;
use crate::connectors::scim::schema::make_layout;

fn new_walk(page_size: u64, cursors: bool, chance: Chance) -> PageWalk {
    PageWalk::new(choose_paging(page_size, cursors), NAMES, chance)
}

/// A server's way of making pages.
#[derive(Clone, Copy, Debug, Default)]
struct Habits {
    accounts: u64,
    /// The most that a page has.
    clamp: Option<u64>,
    ignores_start: bool,
    ignores_count: bool,
    /// What it announces, where that is not the truth.
    total: Option<Option<u64>>,
    /// Every page leaves this many out that it should have.
    hides: u64,
    cursors: bool,
}

impl Habits {
    fn page(self, ask: &PageRequest) -> PageAnswer {
        let (start, count) = match ask {
            PageRequest::Places { start, count } => (*start, *count),
            PageRequest::Cursor { cursor, count } if self.cursors => {
                (cursor.as_ref().map_or(1, |cursor| cursor.parse().unwrap()), *count)
            }
            PageRequest::Cursor { count, .. } => (1, *count),
            PageRequest::Number(_) => panic!("{ask:?}"),
        };
        let start = if self.ignores_start { 1 } else { start };
        let count = if self.ignores_count { u64::MAX } else { count.min(self.clamp.unwrap_or(u64::MAX)) };
        let end = start.saturating_add(count).min(self.accounts + 1);
        let end = if end > start + self.hides { end - self.hides } else { end };
        let resources: Vec<Json> = (start..end).map(|n| json!({"id": n})).collect();
        let mut list = json!({"Resources": resources, "itemsPerPage": resources.len()});
        if let Some(total) = self.total.unwrap_or(Some(self.accounts)) {
            list["totalResults"] = json!(total);
        }
        if self.cursors && end <= self.accounts {
            list["nextCursor"] = json!(end.to_string());
        }
        PageAnswer::Page(read_page(&make_layout(&[]), &list).unwrap_or_default())
    }
}

/// Reads a listing with so many pages under way at once, answered last first: accounts shown, requests, whether it is
/// complete, notes.
fn walk(habits: Habits, page_size: u64, at_once: usize) -> (u64, u64, bool, Vec<String>) {
    let mut walk = new_walk(page_size, habits.cursors, Chance::Last);
    let (mut shown, mut requests, mut under_way) = (0, 0, Vec::new());
    loop {
        while under_way.len() < at_once {
            let Some(ask) = walk.next_request() else { break };
            under_way.push(ask);
        }
        let Some(ask) = under_way.pop() else { break };
        requests += 1;
        assert!(requests < 1000, "a listing ends");
        shown += walk.take_answer(ask.clone(), habits.page(&ask)).len() as u64;
    }
    let (complete, notes) = walk.finish_reading();
    (shown, requests, complete, notes)
}

#[test]
fn a_listing_of_full_pages_takes_its_pages_and_two_of_them_once_more() {
    for (accounts, requests) in [(0, 1), (7, 1), (25, 3 + 2), (30, 3 + 2)] {
        let (shown, sent, complete, notes) = walk(Habits { accounts, ..Habits::default() }, 10, 4);
        assert_eq!((shown, sent, complete), (accounts, requests, true), "{notes:?}");
    }
}

#[test]
fn one_full_page_is_believed_to_be_all_when_there_is_no_other() {
    assert_eq!(walk(Habits { accounts: 10, ..Habits::default() }, 10, 4), (10, 2, true, vec![]));
}

#[test]
fn a_total_that_counts_only_the_page_is_found_out() {
    let habits = Habits { accounts: 35, total: Some(Some(10)), ..Habits::default() };
    let (shown, _, complete, notes) = walk(habits, 10, 4);
    assert_eq!((shown, complete), (35, false));
    assert!(notes[0].contains("announces 10 accounts and shows 35"), "{notes:?}");
}

#[test]
fn a_total_beyond_all_counting_is_found_out_as_well() {
    let page = |id: u64| read_page(&make_layout(&[]), &json!({"Resources": [{"id": id}], "totalResults": u64::MAX}));
    let mut walk = new_walk(2, false, Chance::Last);
    for id in 1..4 {
        let ask = walk.next_request().unwrap();
        assert_eq!(walk.take_answer(ask, PageAnswer::Page(page(id).unwrap())).len(), 1);
    }
    let (complete, notes) = walk.finish_reading();
    assert!(!complete && notes.concat().contains(&format!("announces {} accounts", u64::MAX)), "{notes:?}");
}

#[test]
fn a_server_that_ignores_the_page_is_found_out_and_not_asked_for_ever() {
    for at_once in [1, 8] {
        let (shown, requests, complete, notes) =
            walk(Habits { accounts: 1000, ignores_start: true, ..Habits::default() }, 10, at_once);
        assert!(!complete && shown == 10 && requests <= 1 + at_once as u64, "{requests}");
        assert!(notes[0].contains("ignore which page"), "{notes:?}");
    }
}

#[test]
fn a_server_that_ignores_the_count_shows_everybody_at_once() {
    assert_eq!(walk(Habits { accounts: 35, ignores_count: true, ..Habits::default() }, 10, 4), (35, 2, true, vec![]));
}

#[test]
fn nor_does_it_matter_that_such_a_server_shows_what_another_page_was_asked_for() {
    for at_once in [1, 4] {
        let habits = Habits { accounts: 3, ignores_count: true, hides: 2, ..Habits::default() };
        let (shown, _, complete, notes) = walk(habits, 1, at_once);
        assert_eq!((shown, complete), (3, true), "{notes:?}");
    }
}

#[test]
fn what_a_page_leaves_out_is_asked_for_again() {
    let (shown, _, complete, notes) = walk(Habits { accounts: 50, hides: 2, ..Habits::default() }, 10, 4);
    assert_eq!((shown, complete), (50, true), "{notes:?}");
}

#[test]
fn without_a_total_one_page_leads_to_the_next_until_one_is_empty() {
    let habits = Habits { accounts: 35, clamp: Some(7), total: Some(None), ..Habits::default() };
    assert_eq!(walk(habits, 10, 4), (35, 6 + 5, true, vec![]));
}

#[test]
fn cursors_lead_to_everybody_and_pages_make_up_for_cursors_that_do_not_come() {
    assert_eq!(walk(Habits { accounts: 35, cursors: true, ..Habits::default() }, 10, 4), (35, 4, true, vec![]));
    let mut walk = new_walk(10, true, Chance::Last);
    assert_eq!(walk.next_request(), Some(PageRequest::Cursor { cursor: None, count: 10 }));
    let habits = Habits { accounts: 35, ..Habits::default() };
    walk.take_answer(
        PageRequest::Cursor { cursor: None, count: 10 },
        habits.page(&PageRequest::Places { start: 1, count: 10 }),
    );
    assert_eq!(walk.next_request(), Some(PageRequest::Places { start: 31, count: 10 }));
    assert_eq!(walk.announced_pages(), Some(4));
}

fn page(list: Json) -> PageAnswer {
    PageAnswer::Page(read_page(&make_layout(&[]), &list).unwrap())
}

/// Reads these pages in turn.
fn read(cursors: bool, pages: Vec<Json>) -> (u64, bool, Vec<String>) {
    let mut walk = new_walk(2, cursors, Chance::Last);
    let (mut shown, mut pages) = (0, pages.into_iter());
    let mut answered: Vec<(PageRequest, Json)> = Vec::new();
    while let Some(ask) = walk.next_request() {
        // What is asked for once more is answered as before.
        let list = match answered.iter().find(|(before, _)| *before == ask) {
            Some((_, list)) => list.clone(),
            None => pages.next().unwrap_or_else(|| panic!("{ask:?}")),
        };
        answered.push((ask.clone(), list.clone()));
        shown += walk.take_answer(ask, page(list)).len() as u64;
    }
    let (complete, notes) = walk.finish_reading();
    (shown, complete, notes)
}

#[test]
fn a_cursor_that_leads_to_itself_is_not_followed() {
    let (_, complete, notes) = read(
        true,
        vec![
            json!({"Resources": [{"id": 1}], "nextCursor": "a"}),
            json!({"Resources": [{"id": 2}], "nextCursor": "a"}),
        ],
    );
    assert!(!complete && notes[0].contains("leads to itself"), "{notes:?}");
}

#[test]
fn a_list_that_changes_while_it_is_read_is_not_complete() {
    let first = json!({"totalResults": 4, "Resources": [{"id": 1}, {"id": 2}]});
    let (shown, complete, notes) =
        read(false, vec![first.clone(), json!({"totalResults": 5, "Resources": [{"id": 3}, {"id": 4}]})]);
    assert!(shown == 4 && !complete && notes[0].contains("changed from 4"), "{notes:?}");
    let (shown, complete, notes) =
        read(false, vec![first, json!({"totalResults": 4, "Resources": [{"id": 2}, {"id": 3}]})]);
    assert!(shown == 3 && !complete && notes[0].contains("1 accounts were shown twice"), "{notes:?}");
}

#[test]
fn one_name_with_two_ids_is_said_and_names_that_differ_in_case_are_two() {
    let people = |name: &str| {
        vec![
            json!({"totalResults": 3, "Resources": [{"id": 1, "userName": "ana"}, {"id": 2}]}),
            json!({"totalResults": 3, "Resources": [{"id": 3, "userName": name}]}),
        ]
    };
    let (shown, complete, notes) = read(false, people("ana"));
    assert!(shown == 3 && !complete && notes[0].contains("1 names were shown with two ids"), "{notes:?}");
    assert_eq!(read(false, people("ANA")), (3, true, vec![]));
}

#[test]
fn an_empty_list_may_come_without_resources_and_one_that_announces_people_may_not() {
    assert_eq!(read(false, vec![json!({"totalResults": 0})]), (0, true, vec![]));
    let (_, complete, notes) = read(false, vec![json!({"totalResults": "3"})]);
    assert!(!complete && notes[0].contains("announces 3 accounts and shows 0"), "{notes:?}");
}

#[test]
fn a_record_without_an_id_is_counted_and_said() {
    let pages = vec![json!({"totalResults": 2, "Resources": [{"id": 1}, {}]}), json!({"totalResults": 2})];
    let (shown, complete, notes) = read(false, pages);
    assert!(shown == 1 && !complete && notes.len() == 1, "{notes:?}");
}

#[test]
fn a_record_that_appears_without_an_id_when_its_page_is_read_once_more_is_counted_and_said() {
    let first = json!({"Resources": [{"id": 1}, {"id": 2}]});
    let mut walk = new_walk(2, false, Chance::Last);
    let mut answers = [first.clone(), json!({"Resources": [{"id": 3}]}), json!({"Resources": []}), first]
        .into_iter()
        .chain([json!({"Resources": [{"id": 3}, {}]})]);
    while let Some(ask) = walk.next_request() {
        walk.take_answer(ask, page(answers.next().unwrap()));
    }
    assert_eq!(answers.next(), None, "every page was asked for");
    let (complete, notes) = walk.finish_reading();
    assert!(!complete && notes[0].contains("1 records are no users with an id"), "{notes:?}");
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_half_until_it_cannot_be_smaller() {
    let mut walk = new_walk(3, false, Chance::Last);
    for count in [3, 2, 1] {
        let ask = walk.next_request().unwrap();
        assert_eq!(ask, PageRequest::Places { start: 1, count });
        assert!(walk.take_answer(ask, PageAnswer::TooLarge).is_empty());
    }
    assert_eq!(walk.next_request(), None);
    assert!(!walk.finish_reading().0);
}

#[test]
fn a_later_page_that_is_too_large_is_asked_for_in_parts_that_are_the_whole_of_it() {
    // A page in the middle, and the last one: of ten accounts the server sends at most three there.
    for large in [11, 31] {
        let mut walk = new_walk(10, false, Chance::Last);
        let (habits, mut shown) = (Habits { accounts: 40, ..Habits::default() }, 0);
        while let Some(ask) = walk.next_request() {
            let is_large = matches!(ask, PageRequest::Places { start, count } if (large..large + 10).contains(&start) && count > 3);
            let read = if is_large { PageAnswer::TooLarge } else { habits.page(&ask) };
            shown += walk.take_answer(ask, read).len();
        }
        assert_eq!((shown, walk.finish_reading()), (40, (true, vec![])), "the page from {large} on");
    }
}

#[test]
fn the_first_page_after_a_smaller_one_was_asked_for_is_still_the_first() {
    let mut walk = new_walk(4, false, Chance::Last);
    let ask = walk.next_request().unwrap();
    walk.take_answer(ask, PageAnswer::TooLarge);
    let habits = Habits { accounts: 6, ..Habits::default() };
    while let Some(ask) = walk.next_request() {
        let read = habits.page(&ask);
        walk.take_answer(ask, read);
    }
    assert_eq!(walk.finish_reading(), (true, vec![]));
}

#[test]
fn what_is_no_list_is_none() {
    for list in [json!({}), json!([]), json!("x"), json!({"detail": "no"})] {
        assert!(read_page(&make_layout(&[]), &list).is_none(), "{list}");
    }
}

proptest! {
    #[test]
    fn every_account_is_shown_once_however_the_server_makes_its_pages(
        accounts in 0u64..120, clamp in prop::option::of(1u64..20), ignores_count: bool, cursors: bool,
        hides in 0u64..3, page_size in 1u64..30, at_once in 1usize..6,
    ) {
        let habits = Habits { accounts, clamp, ignores_count, cursors, hides, ..Habits::default() };
        let (shown, _, complete, notes) = walk(habits, page_size, at_once);
        prop_assert_eq!((shown, complete), (accounts, true), "{:?}", notes);
    }
}
