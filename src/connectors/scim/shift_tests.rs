//! Listings of services that change while they are read.

use super::{NAMES, choose_paging};
use crate::connectors::listing::shifting::{self, Person, Reading, Seeded, Shift, World};
use crate::connectors::listing::{Chance, PageAnswer, PageFacts, PageRequest, PageWalk, ShownPage};
use crate::connectors::scim::schema::USER_NAME;
use crate::model::Account;

struct Pages {
    walk: PageWalk,
    /// Whether pages say how many accounts there are.
    announces: bool,
    /// The most that a page has.
    clamp: u64,
}

impl Reading for Pages {
    type Ask = PageRequest;
    type Answer = PageAnswer;

    fn begin(chance: Chance, random: &mut Seeded) -> Self {
        let clamp = [5, 10, 20][random.below(3)];
        Self { walk: PageWalk::new(choose_paging(20, false), NAMES, chance), announces: !random.one_in(4), clamp }
    }

    fn step(&mut self) -> Option<PageRequest> {
        self.walk.next_request()
    }

    fn answer(&self, tenant: &[Person], ask: &PageRequest) -> PageAnswer {
        let PageRequest::Places { start, count } = *ask else { panic!("nobody announced cursors") };
        let (skipped, taken) = (usize::try_from(start - 1).unwrap(), usize::try_from(count.min(self.clamp)).unwrap());
        let shown = tenant.iter().skip(skipped).take(taken);
        PageAnswer::Page(ShownPage {
            records: shown.map(|person| Some(person.account(USER_NAME))).collect(),
            facts: PageFacts { total: self.announces.then_some(tenant.len() as u64), ..PageFacts::default() },
        })
    }

    fn read(&mut self, ask: PageRequest, answer: PageAnswer) -> Vec<Account> {
        let as_judged = |account: Account| {
            let login = account.values.get(USER_NAME).cloned().unwrap();
            Account { values: [(shifting::LOGIN, login)].into_iter().collect(), ..account }
        };
        self.walk.take_answer(ask, answer).into_iter().map(as_judged).collect()
    }

    fn gives_up(&self) -> bool {
        self.walk.gives_up()
    }

    fn finish(self) -> (bool, Vec<String>) {
        self.walk.finish_reading()
    }
}

const SHIFTS: &[Shift] = &[
    Shift::InsertFront,
    Shift::InsertBack,
    Shift::Resort,
    Shift::Remove,
    Shift::Shrink,
    Shift::Status,
    Shift::Renumber,
];

#[test]
fn ten_thousand_listings_that_shift_double_nobody_and_take_no_access_away_wrongly() {
    let (came, harmed) = shifting::run::<Pages>(0..10_000, World { shifts: SHIFTS, accounts: 150 });
    assert!(harmed.is_empty(), "seeds {harmed:?}: {came:?}");
    assert!(came.shifted > 7_000 && came.doubles_if_believed > 400, "{came:?}");
    assert!(came.complete > 8_000 && came.creates > 5_000 && came.deactivations > 50_000, "{came:?}");
}
