//! Tenants in memory whose lists shift while they are read, and a judge who knows the truth: what a sync would do on the
//! strength of the listing, and whether that would be right.
//!
//! Requests are under way at once, are carried out in any order and answered in any other; between any two of these
//! moments somebody else may change the list. Everything follows from a seed.

use std::collections::{BTreeMap, BTreeSet};

use super::readings::{Chance, Readings};
use crate::connectors::Listed;
use crate::model::{
    Account, AccountId, AttrId, AttrSet, Attribute, Attributes, Desired, Kind, MatchRule, Place, Schema, Value, Wanted,
};
use crate::reconcile::{RowFacts, RowFlags, RowIndex, RowVerdict, compared_attributes};

/// The attribute that accounts are found by.
pub(in crate::connectors) const LOGIN: AttrId = AttrId(0);

/// Splitmix64.
pub(in crate::connectors) struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connectors) enum Shift {
    InsertFront,
    InsertBack,
    InsertAnywhere,
    Resort,
    Remove,
    /// Several are removed: the end of the list, or anybody.
    Shrink,
    /// Somebody becomes active or inactive, which moves them to the front where the list is sorted by what changed last.
    Status,
    /// An account goes and comes back in its place with another id.
    Renumber,
}

/// The shifts that a tenant can have, and how it keeps its list.
#[derive(Clone, Copy)]
pub(in crate::connectors) struct World {
    pub shifts: &'static [Shift],
    pub accounts: usize,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::connectors) struct Person {
    pub id: u64,
    pub login: u64,
    active: bool,
}

impl Person {
    pub fn many(count: u64) -> Vec<Self> {
        (1..=count).map(|n| Self { id: n, login: n, active: true }).collect()
    }

    pub fn account(self, login: AttrId) -> Account {
        let values: Attributes = [(login, Value::text(format!("user{}", self.login)))].into_iter().collect();
        Account { id: AccountId(self.id.to_string()), values, protected: None }
    }
}

/// A tenant, and everybody who changes it.
pub(in crate::connectors) struct Tenant {
    pub list: Vec<Person>,
    last: u64,
    pub random: Seeded,
    moves_whoever_changes: bool,
    shifts: &'static [Shift],
    /// Shifts that are still to come in this reading, and moments that it is thought to have.
    left: usize,
    moments: usize,
    pub shifted: usize,
    /// Ids that were there once.
    gone: BTreeSet<u64>,
}

impl Tenant {
    fn new(seed: u64, world: World) -> Self {
        let mut random = Seeded(seed);
        let accounts = random.below(world.accounts + 1);
        let list = Person::many(accounts as u64);
        let moves_whoever_changes = random.one_in(2);
        let last = accounts as u64;
        let shifts = world.shifts;
        Self {
            list,
            last,
            random,
            moves_whoever_changes,
            shifts,
            left: 0,
            moments: 1,
            shifted: 0,
            gone: BTreeSet::new(),
        }
    }

    /// Whatever happens between two moments of a reading.
    fn pass(&mut self) {
        while self.left > 0 && self.random.one_in(self.moments) {
            self.left -= 1;
            let shift = self.shifts[self.random.below(self.shifts.len())];
            self.shift(shift);
        }
        self.moments = self.moments.saturating_sub(1).max(1);
    }

    fn shift(&mut self, shift: Shift) {
        self.shifted += 1;
        let at = self.random.below(self.list.len());
        match shift {
            Shift::InsertFront => self.insert(0),
            Shift::InsertBack => self.insert(self.list.len()),
            Shift::InsertAnywhere => self.insert(at),
            Shift::Resort => match self.random.below(3) {
                0 => self.list.reverse(),
                1 => self.list.rotate_left(at),
                _ => (1..self.list.len()).for_each(|n| self.list.swap(n, self.random.below(n + 1))),
            },
            _ if self.list.is_empty() => {}
            Shift::Remove => self.remove(at),
            Shift::Shrink => {
                let gone = 1 + self.random.below(25);
                if self.random.one_in(2) {
                    (0..gone.min(self.list.len())).for_each(|_| self.remove(self.list.len() - 1));
                } else {
                    (0..gone.min(self.list.len())).for_each(|_| {
                        let at = self.random.below(self.list.len());
                        self.remove(at);
                    });
                }
            }
            Shift::Status => {
                self.list[at].active = !self.list[at].active;
                if self.moves_whoever_changes {
                    self.list[..=at].rotate_right(1);
                }
            }
            Shift::Renumber => {
                self.last += 1;
                self.gone.insert(self.list[at].id);
                self.list[at].id = self.last;
            }
        }
    }

    fn remove(&mut self, at: usize) {
        let person = self.list.remove(at);
        self.gone.insert(person.id);
    }

    fn insert(&mut self, at: usize) {
        self.last += 1;
        // Logins of rows stay below this.
        let login = 1_000_000 + self.last;
        self.list.insert(at, Person { id: self.last, login, active: true });
    }
}

/// A reading of a listing, as a target does it.
pub(in crate::connectors) trait Reading: Sized {
    type Ask: Clone;
    type Answer;
    fn begin(chance: Chance, random: &mut Seeded) -> Self;
    fn step(&mut self) -> Option<Self::Ask>;
    /// What the tenant answers at this moment.
    fn answer(&self, tenant: &[Person], ask: &Self::Ask) -> Self::Answer;
    fn read(&mut self, ask: Self::Ask, answer: Self::Answer) -> Vec<Account>;
    fn gives_up(&self) -> bool;
    fn finish(self) -> (bool, Vec<String>);
}

/// What came of one listing and of acting on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::connectors) struct Came {
    pub listings: u64,
    pub shifted: u64,
    pub complete: u64,
    /// Readings that were begun anew.
    pub again: u64,
    pub requests: u64,
    /// Accounts that were there all the time and that a complete listing did not show.
    pub missed: u64,
    pub doubles: u64,
    pub wrong_deactivations: u64,
    pub creates: u64,
    pub deactivations: u64,
    /// Doubles, had every listing been believed.
    pub doubles_if_believed: u64,
}

impl Came {
    fn add(&mut self, other: &Self) {
        self.listings += other.listings;
        self.shifted += other.shifted;
        self.complete += other.complete;
        self.again += other.again;
        self.requests += other.requests;
        self.missed += other.missed;
        self.doubles += other.doubles;
        self.wrong_deactivations += other.wrong_deactivations;
        self.creates += other.creates;
        self.deactivations += other.deactivations;
        self.doubles_if_believed += other.doubles_if_believed;
    }

    /// Whether something was done that must not be.
    pub fn harm(&self) -> bool {
        (self.missed, self.doubles, self.wrong_deactivations) != (0, 0, 0)
    }
}

/// Lists the tenants of all these seeds and acts on the listings; says which seeds came to harm.
pub(in crate::connectors) fn run<R: Reading>(seeds: std::ops::Range<u64>, world: World) -> (Came, Vec<u64>) {
    let threads = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads)
            .map(|lane| {
                let seeds = seeds.clone();
                scope.spawn(move || {
                    let (mut all, mut harmed) = (Came::default(), Vec::new());
                    for seed in seeds.filter(|seed| seed % threads == lane) {
                        let came = sync::<R>(seed, world);
                        if came.harm() {
                            harmed.push(seed);
                        }
                        all.add(&came);
                    }
                    (all, harmed)
                })
            })
            .collect();
        let (mut all, mut harmed) = (Came::default(), Vec::new());
        for lane in lanes {
            let (came, seeds) = lane.join().unwrap();
            all.add(&came);
            harmed.extend(seeds);
        }
        (all, harmed)
    })
}

/// One listing, and what is done on its strength.
pub(in crate::connectors) fn sync<R: Reading>(seed: u64, world: World) -> Came {
    let mut tenant = Tenant::new(seed, world);
    // Most people have a row, some have none, and some rows have no account yet.
    let mut rows: BTreeSet<u64> =
        tenant.list.iter().map(|person| person.login).filter(|login| !login.is_multiple_of(7)).collect();
    rows.extend((900_000..900_000 + tenant.random.next() % 4).collect::<Vec<_>>());
    let mut came = Came { listings: 1, ..Came::default() };
    let (shown, complete, stable) = list::<R>(&mut tenant, &mut came);
    came.shifted = u64::from(tenant.shifted > 0);
    came.complete = u64::from(complete);

    let schema = Schema::new(vec![Attribute::new("login", Kind::Text)]);
    let rules = vec![MatchRule::new(&schema, vec![LOGIN])];
    let mut index = RowIndex::new(rules.clone());
    for (line, login) in (2u32..).zip(&rows) {
        let values = [(LOGIN, Wanted::Set(Value::text(format!("user{login}"))))].into_iter().collect();
        let desired = Desired { identity: login.to_string(), place: Place::default(), values };
        let compared = compared_attributes(&schema, AttrSet::default());
        let facts = RowFacts::of_row(&schema, &rules, compared, &desired, &mut Vec::new());
        index.add(&facts, Place { file: 0, line }, None, RowFlags::default());
    }
    for (at, account) in (0u64..).zip(shown.values()) {
        index.observe_account(&schema, account, at);
    }
    let settled = index.settle_rows();
    let there: BTreeMap<u64, &Person> = tenant.list.iter().map(|person| (person.id, person)).collect();
    let logins: BTreeSet<u64> = tenant.list.iter().map(|person| person.login).collect();
    let shown: Vec<&Account> = shown.values().collect();
    let rows: Vec<u64> = rows.into_iter().collect();
    for settlement in settled.verdicts.iter().filter(|settlement| settlement.verdict == RowVerdict::Missing) {
        let login = rows[settlement.place.line as usize - 2];
        let double = u64::from(logins.contains(&login));
        came.doubles_if_believed += double;
        if complete {
            came.creates += 1;
            came.doubles += double;
        }
    }
    if complete {
        let ids: BTreeSet<&str> = shown.iter().map(|account| account.id.as_str()).collect();
        came.missed = stable.iter().filter(|id| !ids.contains(id.to_string().as_str())).count() as u64;
        for at in &settled.unclaimed {
            // The account is read once more before access is taken away for an absence.
            let id = shown[usize::try_from(*at).unwrap()].id.as_str();
            if let Some(person) = there.get(&id.parse().unwrap())
                && person.active
            {
                came.deactivations += 1;
                came.wrong_deactivations += u64::from(rows.binary_search(&person.login).is_ok());
            }
        }
    }
    came
}

/// Reads the listing as often as it takes: who was shown, whether it is complete, and who was there all the time.
fn list<R: Reading>(tenant: &mut Tenant, came: &mut Came) -> (BTreeMap<AccountId, Account>, bool, Vec<u64>) {
    let at_once = 1 + tenant.random.below(8);
    let mut readings = Readings::default();
    loop {
        // From nobody to a storm, and calm after it as a rule.
        let most = [0, 1, 2, 3, 6, 12][tenant.random.below(6)];
        tenant.left = if came.again == 0 || tenant.random.one_in(3) { most } else { 0 };
        tenant.moments = tenant.list.len() / 4 + 4;
        let mut reading = R::begin(readings.next_chance(), &mut tenant.random);
        let there: Vec<u64> = tenant.list.iter().map(|person| person.id).collect();
        let mut shown = BTreeMap::new();
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        loop {
            tenant.pass();
            while asked.len() + answered.len() < at_once {
                let Some(ask) = reading.step() else { break };
                came.requests += 1;
                assert!(came.requests < 10_000, "a listing ends");
                asked.push(ask);
            }
            if !asked.is_empty() && (answered.is_empty() || tenant.random.one_in(2)) {
                let ask = asked.swap_remove(tenant.random.below(asked.len()));
                let answer = reading.answer(&tenant.list, &ask);
                answered.push((ask, answer));
            } else if !answered.is_empty() {
                let (ask, answer) = answered.swap_remove(tenant.random.below(answered.len()));
                for account in reading.read(ask, answer) {
                    let before = shown.insert(account.id.clone(), account);
                    assert!(before.is_none(), "nobody is shown twice");
                }
            } else {
                break;
            }
        }
        if reading.gives_up() {
            assert!(matches!(readings.begin_again(reading.finish().1.join("; ")), Listed::Again { .. }));
            came.again += 1;
            continue;
        }
        let (complete, notes) = reading.finish();
        assert!(complete || !notes.is_empty(), "it is said why");
        let stable = there.into_iter().filter(|id| !tenant.gone.contains(id)).collect();
        return (shown, complete, stable);
    }
}
