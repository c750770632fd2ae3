//! A tenant in memory, for tests of the engine: it keeps a ledger of what really happened to its accounts, remembers
//! every request that reached it, and fails on demand in all the ways that a real one does.

mod attributes;
mod events;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};

pub use self::attributes::{
    CUSTOM, EMAIL, LOGIN, NAME, PASSWORD, PRIVILEGES, ROLE, SKILLS, STATUS, TITLE, rules, schema,
};
pub use self::events::{Call, Entry, Fault, Op, Points};
use self::state::{Effected, State, number, password, started, text};
use super::listing::Paging;
use super::{
    CallError, Connector, Effect, Listed, ListingCost, Meter, Purpose, Quota, RequestCosts, Trouble, find_by_listing,
};
use crate::clock::{Clock, TestClock};
use crate::model::{Account, AccountId, AttrId, Attributes, MatchRule, Schema, Value};

/// The tenant.
pub struct Fake {
    schema: Schema,
    clock: Arc<TestClock>,
    meter: Meter,
    pub points: Points,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub fn new(clock: &Arc<TestClock>) -> Self {
        Self::with_schema(clock, schema())
    }

    pub fn with_schema(clock: &Arc<TestClock>, schema: Schema) -> Self {
        let clock = Arc::clone(clock);
        Self { schema, clock, meter: Meter::default(), points: Points::default(), state: Arc::default() }
    }

    /// Another connection to the same tenant.
    pub fn connect(&self) -> Self {
        let (schema, clock, points) = (self.schema.clone(), Arc::clone(&self.clock), self.points.clone());
        Self { schema, clock, points, meter: Meter::default(), state: Arc::clone(&self.state) }
    }

    /// Another tenant of the same accounts and the same past, with nothing wrong in its future.
    pub fn fork(&self, clock: &Arc<TestClock>) -> Self {
        let fork = Self::with_schema(clock, self.schema.clone());
        {
            let (from, mut to) = (self.state(), fork.state());
            (to.accounts, to.last, to.lax) = (from.accounts.clone(), from.last, from.lax);
            (to.ledger, to.calls) = (from.ledger.clone(), from.calls.clone());
        }
        fork
    }

    /// Adds an account that was always there; not in the ledger. An account is active where its values do not say.
    pub fn has(&self, values: &[(AttrId, Value)]) -> AccountId {
        let values = values.iter().cloned().collect();
        let mut state = self.state();
        state.last += 1;
        let id = state.last;
        state.accounts.insert(id, started(&self.schema, values));
        AccountId(id.to_string())
    }

    /// Somebody else changes an account.
    pub fn meddle(&self, id: &AccountId, attribute: AttrId, value: Value) {
        if let Some(values) = self.state().accounts.get_mut(&number(id)) {
            values.set(attribute, value);
        }
    }

    /// Somebody else removes an account.
    pub fn remove(&self, id: &AccountId) {
        self.state().accounts.remove(&number(id));
    }

    /// The next request of this kind, about this login or account, goes wrong so.
    pub fn fault(&self, op: Op, whom: &str, fault: Fault) {
        self.state().faults.push((op, Some(whom.to_owned()), fault));
    }

    /// The next request of this kind goes wrong so.
    pub fn fault_any(&self, op: Op, fault: Fault) {
        self.state().faults.push((op, None, fault));
    }

    /// Asked about every request that nothing else is scripted for.
    pub fn chaos(&self, chaos: impl FnMut(Op) -> Option<Fault> + Send + 'static) {
        self.state().chaos = Some(Box::new(chaos));
    }

    pub fn calm(&self) {
        self.state().chaos = None;
    }

    /// Told of every request that arrives, before anything else.
    pub fn watch(&self, watch: impl Fn(&Call) + Send + 'static) {
        self.state().watch = Some(Box::new(watch));
    }

    /// Lets a login be used twice from now on.
    pub fn allow_twins(&self) {
        self.state().lax = true;
    }

    /// Lists in another order from now on.
    pub fn shuffle(&self, order: u64) {
        self.state().order = order;
    }

    /// Listings do not prove themselves complete, for this reason.
    pub fn incomplete(&self, why: &str) {
        self.state().incomplete = Some(why.to_owned());
    }

    /// The next listing shows these, and then that it shifted and is read again.
    pub fn shifts_after(&self, shown: Vec<Account>) {
        self.state().shifting = shown;
    }

    /// So many requests are left for the day; none: as many as anybody likes.
    pub fn budget(&self, requests: Option<u64>) {
        self.state().budget = requests;
    }

    pub fn ledger(&self) -> Vec<Entry> {
        self.state().ledger.clone()
    }

    /// The logins that were created, as often as they were, in alphabetical order.
    pub fn created(&self) -> Vec<String> {
        let login = |entry: &Entry| if let Entry::Created { login, .. } = entry { Some(login.clone()) } else { None };
        let mut created: Vec<String> = self.state().ledger.iter().filter_map(login).collect();
        created.sort();
        created
    }

    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many requests of this kind arrived.
    pub fn count(&self, op: Op) -> usize {
        self.state().calls.iter().filter(|call| call.op == op).count()
    }

    /// Every account with all that it has, passwords and what the API hides included, by login.
    pub fn accounts(&self) -> BTreeMap<String, Attributes> {
        let state = &*self.state();
        state.accounts.values().map(|values| (text(values, LOGIN), values.clone())).collect()
    }

    /// Every account as the API shows it.
    pub fn shown(&self) -> Vec<Account> {
        let state = &*self.state();
        state.accounts.iter().map(|(id, values)| self.show(*id, values)).collect()
    }

    /// What an account has of an attribute; null where it has nothing.
    pub fn value(&self, id: &AccountId, attribute: AttrId) -> Value {
        let state = &*self.state();
        state.accounts.get(&number(id)).and_then(|values| values.get(attribute)).cloned().unwrap_or(Value::Null)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, id: u64, values: &Attributes) -> Account {
        let seen = values.iter().filter(|(id, _)| self.schema.get(*id).read).map(|(id, v)| (id, v.clone())).collect();
        let protected = self.schema.protection(values).map(str::to_owned);
        Account { id: AccountId(id.to_string()), values: seen, protected }
    }

    /// A request arrives: what was late before it has its effect, and this one may go wrong.
    fn arrive(
        &self,
        op: Op,
        purpose: Purpose,
        whom: &str,
        password: Option<String>,
    ) -> Result<Option<Fault>, CallError> {
        self.points.pass();
        let now = self.clock.elapsed();
        let state = &mut *self.state();
        if let Some(budget) = &mut state.budget {
            if *budget == 0 {
                return Err(CallError::new(Trouble::Quota { resets_at: None }, "the quota is used up"));
            }
            *budget -= 1;
            self.meter.saw_quota(Quota { limit: None, remaining: *budget, resets_at: None });
        }
        self.meter.count_request(purpose);
        let (landed, late): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.late).into_iter().partition(|(at, _)| *at <= now);
        state.late = late;
        for (_, effected) in landed {
            // Nobody listens to the answer any more.
            let _ = state.effect(&self.schema, effected);
        }
        let call = Call { op, whom: whom.to_owned(), password };
        if let Some(watch) = &state.watch {
            watch(&call);
        }
        state.calls.push(call);
        let scripted = state
            .faults
            .iter()
            .position(|(on, about, _)| *on == op && about.as_deref().is_none_or(|about| about == whom));
        let fault = match scripted {
            Some(at) => Some(state.faults.remove(at).2),
            None => state.chaos.as_mut().and_then(|chaos| chaos(op)),
        };
        let refuse = |trouble, message: &str| Err(CallError::new(trouble, message));
        match fault {
            Some(Fault::Refused) => {
                refuse(Trouble::Refused, "refused").map_err(|error| CallError { code: Some(2001), ..error })
            }
            Some(Fault::Exists) => refuse(Trouble::Exists, "it exists"),
            Some(Fault::Unavailable) => refuse(Trouble::Unavailable, "the server is unavailable"),
            Some(Fault::Quota) => refuse(Trouble::Quota { resets_at: None }, "the quota is used up"),
            Some(Fault::Configuration) => refuse(Trouble::Configuration, "the key is wrong"),
            Some(Fault::Garbled) => refuse(Trouble::Garbled, "no such answer is known"),
            fault => Ok(fault),
        }
    }

    async fn write(
        &self,
        op: Op,
        whom: &str,
        password: Option<String>,
        what: Effected,
    ) -> Result<AccountId, CallError> {
        let fault = self.arrive(op, Purpose::Write, whom, password)?;
        // Others go on meanwhile, as on a network.
        tokio::task::yield_now().await;
        let lost = || CallError::new(Trouble::Unavailable, "no answer").with_effect(Effect::Unknown);
        let done = match fault {
            None => self.state().effect(&self.schema, what),
            Some(Fault::LostAfter) => self.state().effect(&self.schema, what).and_then(|_| Err(lost())),
            Some(Fault::Late(after)) => {
                self.state().late.push((self.clock.elapsed() + after, what));
                Err(lost())
            }
            Some(_) => Err(lost()),
        };
        self.points.pass();
        done
    }

    async fn read(&self, op: Op, purpose: Purpose, whom: &str) -> Result<(), CallError> {
        let fault = self.arrive(op, purpose, whom, None)?;
        tokio::task::yield_now().await;
        match fault {
            None => Ok(()),
            // A lost answer to a question has no effect, and the target has tried often enough.
            Some(_) => Err(CallError::new(Trouble::Unavailable, "no answer")),
        }
    }
}

impl Connector for Fake {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn describe(&self) -> String {
        "fake memory".to_owned()
    }

    fn sign_in(&self) -> BoxFuture<'_, Result<(), CallError>> {
        Box::pin(async { Ok(()) })
    }

    fn list(&self) -> BoxStream<'_, Result<Listed, CallError>> {
        let pages = async move {
            let mut pages = match self.read(Op::List, Purpose::List, "").await {
                Ok(()) => Vec::new(),
                Err(error) => return stream::iter(vec![Err(error)]),
            };
            let mut accounts = self.shown();
            let mut state = self.state();
            shuffle(&mut accounts, state.order);
            let shifting = std::mem::take(&mut state.shifting);
            if !shifting.is_empty() {
                pages.push(Ok(Listed::Page { accounts: shifting, pages: None }));
                pages.push(Ok(Listed::Again { why: "the list shifted".to_owned() }));
            }
            let total = Some(accounts.len().div_ceil(PAGE) as u64);
            pages.extend(accounts.chunks(PAGE).map(|page| Ok(Listed::Page { accounts: page.to_vec(), pages: total })));
            let notes = state.incomplete.clone();
            pages.push(Ok(Listed::End { complete: notes.is_none(), notes: notes.into_iter().collect() }));
            stream::iter(pages)
        };
        Box::pin(futures::StreamExt::flatten(stream::once(pages)))
    }

    fn get<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<Option<Account>, CallError>> {
        Box::pin(async move {
            self.read(Op::Get, Purpose::Lookup, id.as_str()).await?;
            let state = self.state();
            Ok(state.accounts.get(&number(id)).map(|values| self.show(number(id), values)))
        })
    }

    fn find<'a>(
        &'a self,
        rules: &'a [MatchRule],
        sought: &'a [Attributes],
    ) -> BoxFuture<'a, Result<Vec<Vec<Account>>, CallError>> {
        Box::pin(async move {
            self.read(Op::Find, Purpose::Lookup, "").await?;
            find_by_listing(self.schema(), self.list(), rules, sought).await
        })
    }

    fn create<'a>(&'a self, values: &'a Attributes) -> BoxFuture<'a, Result<AccountId, CallError>> {
        Box::pin(async move {
            self.write(Op::Create, &text(values, LOGIN), password(values), Effected::Create(values.clone())).await
        })
    }

    fn update<'a>(&'a self, id: &'a AccountId, values: &'a Attributes) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(async move {
            let what = Effected::Update(id.clone(), values.clone());
            self.write(Op::Update, id.as_str(), None, what).await.map(|_| ())
        })
    }

    fn delete<'a>(&'a self, id: &'a AccountId) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(
            async move { self.write(Op::Delete, id.as_str(), None, Effected::Delete(id.clone())).await.map(|_| ()) },
        )
    }

    fn costs(&self) -> RequestCosts {
        let paging = Paging::Cursors { page_size: PAGE as u64 };
        RequestCosts::of_listing(ListingCost::Pages { paging, announces: true })
    }

    fn meter(&self) -> &Meter {
        &self.meter
    }
}

/// Accounts on a page.
const PAGE: usize = 3;

fn shuffle(accounts: &mut [Account], order: u64) {
    if order != 0 {
        accounts.sort_by_key(|account| {
            number(&account.id).wrapping_add(order).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17)
        });
    }
}
