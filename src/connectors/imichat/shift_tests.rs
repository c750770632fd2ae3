//! Listings of tenants that change while they are read.

use super::{NAMES, PAGING};
use crate::connectors::imichat::PAGE_SIZE;
use crate::connectors::imichat::schema::at;
use crate::connectors::listing::shifting::{self, Person, Reading, Seeded, Shift, World};
use crate::connectors::listing::{Chance, PageAnswer, PageFacts, PageRequest, PageWalk, ShownPage, count_requests};
use crate::model::Account;

/// What a server says of its pages.
#[derive(Clone, Copy, Debug)]
enum Says {
    Pages,
    Next,
    Nothing,
}

struct Pages {
    walk: PageWalk,
    says: Says,
}

impl Reading for Pages {
    type Ask = PageRequest;
    type Answer = PageAnswer;

    fn begin(chance: Chance, random: &mut Seeded) -> Self {
        Self {
            walk: PageWalk::new(PAGING, NAMES, chance),
            says: [Says::Pages, Says::Pages, Says::Next, Says::Nothing][random.below(4)],
        }
    }

    fn step(&mut self) -> Option<PageRequest> {
        self.walk.next_request()
    }

    fn answer(&self, tenant: &[Person], request: &PageRequest) -> PageAnswer {
        let PageRequest::Number(page) = request else { panic!("{request:?} is no page number") };
        let size = PAGE_SIZE as u64;
        let pages = (tenant.len() as u64).div_ceil(size);
        if *page > pages && matches!(self.says, Says::Nothing) {
            return PageAnswer::Past;
        }
        let skipped = usize::try_from((page - 1) * size).unwrap();
        let records = tenant.iter().skip(skipped).take(PAGE_SIZE).map(|person| Some(person.account(at::LOGIN_ID)));
        let facts = match self.says {
            Says::Pages => PageFacts { more: Some(*page < pages), pages: Some(pages), ..PageFacts::default() },
            Says::Next => PageFacts { more: Some(*page < pages), ..PageFacts::default() },
            Says::Nothing => PageFacts::default(),
        };
        PageAnswer::Page(ShownPage { records: records.collect(), facts })
    }

    fn read(&mut self, request: PageRequest, answer: PageAnswer) -> Vec<Account> {
        // The tenant of the judge has one attribute.
        let as_judged = |account: Account| {
            let login = account.values.get(at::LOGIN_ID).cloned().unwrap();
            Account { values: [(shifting::LOGIN, login)].into_iter().collect(), ..account }
        };
        self.walk.take_answer(request, answer).into_iter().map(as_judged).collect()
    }

    fn gives_up(&self) -> bool {
        self.walk.gives_up()
    }

    fn finish(self) -> (bool, Vec<String>) {
        self.walk.finish_reading()
    }
}

const SHIFTS: &[Shift] =
    &[Shift::InsertFront, Shift::InsertBack, Shift::Resort, Shift::Remove, Shift::Shrink, Shift::Status];

#[test]
fn ten_thousand_listings_that_shift_double_nobody_and_take_no_access_away_wrongly() {
    let (came, harmed) = shifting::run::<Pages>(0..10_000, World { shifts: SHIFTS, accounts: 150 });
    assert!(harmed.is_empty(), "seeds {harmed:?}: {came:?}");
    // Nothing is proven by listings that nothing happens to, or that nothing is done about.
    assert!(came.shifted > 7_000 && came.doubles_if_believed > 500, "{came:?}");
    assert!(came.complete > 8_000 && came.creates > 5_000 && came.deactivations > 50_000, "{came:?}");
}

#[test]
fn a_listing_of_many_pages_that_shifts_is_found_out_as_well() {
    let (came, harmed) = shifting::run::<Pages>(0..100, World { shifts: SHIFTS, accounts: 4_000 });
    assert!(harmed.is_empty(), "seeds {harmed:?}: {came:?}");
}

/// What is not proven, so that it stays known: others who come in the neighbourhood of those who go.
#[test]
fn of_those_who_come_anywhere_while_others_go_most_are_found_out() {
    let shifts = &[Shift::InsertAnywhere, Shift::Remove];
    let (came, harmed) = shifting::run::<Pages>(0..500, World { shifts, accounts: 1_000 });
    assert!(came.doubles * 4 < came.doubles_if_believed && harmed.len() < 10, "{harmed:?} {came:?}");
    assert_eq!(came.wrong_deactivations, 0);
}

#[test]
fn what_a_listing_takes_is_what_it_was_reckoned_to_take() {
    for accounts in [0, 1, 9, 10, 11, 25, 230, 1_000, 1_187, 2_001] {
        for (says, announced) in [(Says::Pages, true), (Says::Next, false), (Says::Nothing, false)] {
            let tenant: Vec<Person> = Person::many(accounts);
            let mut pages = Pages { walk: PageWalk::new(PAGING, NAMES, Chance::Another), says };
            let (mut shown, mut requests) = (0, 0);
            while let Some(page) = pages.step() {
                let answer = pages.answer(&tenant, &page);
                shown += pages.read(page, answer).len() as u64;
                requests += 1;
            }
            assert_eq!(pages.walk.finish_reading(), (true, vec![]));
            assert_eq!(shown, accounts);
            let reckoned = count_requests(PAGING, accounts, announced);
            // A link that says that a page is the last saves asking for the one after it.
            assert!(requests <= reckoned && reckoned <= requests + 2, "{accounts} {says:?}: {requests} {reckoned}");
        }
    }
}
