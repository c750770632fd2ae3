//! What must hold at every moment and in the end, whatever happens. The judge knows the plan, what is durable and what
//! the tenant's ledger says; it does not ask the executor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;

use super::people::{Person, Plan};
use super::tenant::{Ask, Asked, Effect, Tenant, text};
use super::world::World;
use crate::execute::lifecycle::RunFinish;
use crate::execute::{ExecutionResult, Mode, Secrets};
use crate::journal::state::ActionState;
use crate::journal::store::Simulated;
use crate::journal::{Ending, RunState, Step, StepState};
use crate::model::Percent;
use crate::model::monitor::{Done, Monitor};
use crate::plan::ActionKind;
use crate::plan::action::ActionCounts;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    AtMostOneCreate,
    /// In the end everybody is as the plan wants, or is listed as failed, skipped or held.
    NobodyIsLost,
    /// The password that is delivered is the one that the account has.
    PasswordsAreAsTold,
    IntentBeforeRequest,
    OutcomeBeforeBelief,
    RetryAfterIsKept,
    ReserveIsKept,
    AccessIsTakenLast,
    HeldIsNotSent,
    OthersAreNotOverwritten,
    /// What is counted is what the ledger has.
    CountsAreTheLedgers,
    /// A run is complete only if it is.
    ExitIsHonest,
    /// The journal takes everything that the executor says of its run.
    JournalAgrees,
    /// A process ends, and after enough of them the run does.
    ItEnds,
}

/// A law that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    pub invariant: Invariant,
    pub how: String,
}

/// The judge of one process.
pub struct Judge {
    pub world: World,
    pub tenant: Arc<Tenant>,
    pub disk: Arc<Simulated>,
    pub plan: Arc<Plan>,
    pub reserve: Percent,
    pub mode: Mode,
    pub state: Mutex<Known>,
}

/// What the process was told.
#[derive(Default)]
pub struct Known {
    /// Before this moment the server wants to hear nothing.
    not_before: Duration,
    /// On this day so many requests were left.
    left: Option<(u64, u64)>,
    under_way: u64,
}

/// A request on its way.
pub struct Trip {
    day: u64,
}

impl Judge {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run<T>(&self, look: impl FnOnce(&RunState) -> T) -> Option<T> {
        self.disk.history(|history| history.unfinished().map(look))
    }

    /// A request leaves.
    pub fn departs(&self, asked: &Asked) -> Trip {
        self.world.tell(|| format!("{} leaves", super::network::name(asked)));
        let (now, day) = (self.world.now(), self.world.day());
        {
            let known = &mut *self.known();
            if now < known.not_before {
                let early = known.not_before - now;
                self.world.judge(Invariant::RetryAfterIsKept, || format!("a request leaves {early:?} too early"));
            }
            if let Some((of, left)) = known.left
                && of == day
                && left < self.reserve.of(self.tenant.limit) + known.under_way + 1
            {
                let under_way = known.under_way;
                let how = || format!("a request leaves though {left} are left and {under_way} are under way");
                self.world.judge(Invariant::ReserveIsKept, how);
            }
            known.under_way += 1;
        }
        if let Some((person, step)) = self.concerns(asked) {
            self.may_leave(person, step);
        }
        Trip { day }
    }

    /// Its answer is there, or will never be.
    pub fn returns(&self, trip: Trip, headers: Option<&HeaderMap>) {
        let number = |name: &str| headers?.get(name)?.to_str().ok()?.parse::<u64>().ok();
        let known = &mut *self.known();
        known.under_way -= 1;
        if let Some(seconds) = number("retry-after").filter(|seconds| *seconds <= 300) {
            known.not_before = known.not_before.max(self.world.now() + Duration::from_secs(seconds));
        }
        // Of a request that left before midnight nobody knows which day's quota its answer is about.
        if trip.day == self.world.day()
            && let Some(left) = number("rate-limit-remaining")
        {
            known.left = Some(match known.left {
                Some((day, before)) if day == trip.day => (day, left.min(before)),
                _ => (trip.day, left),
            });
        }
    }

    /// Whom a request changes, and which step of the action it is.
    fn concerns(&self, asked: &Asked) -> Option<(&Person, Step)> {
        match &asked.ask {
            Ask::Create(fields) => {
                Some((self.plan.people.iter().find(|person| person.login == text(fields, "login_id"))?, Step::First))
            }
            Ask::Update { id, .. } => {
                if let Some(person) = self.plan.people.iter().find(|person| person.account == Some(*id)) {
                    return Some((person, Step::First));
                }
                let fields = self.tenant.account(*id)?;
                let of = |person: &&Person| person.login.eq_ignore_ascii_case(text(&fields, "login_id"));
                Some((self.plan.people.iter().find(of)?, Step::FollowUp))
            }
            _ => None,
        }
    }

    fn may_leave(&self, person: &Person, step: Step) {
        let Person { seq, login, .. } = person;
        let open = self.run(|run| run.step_state(*seq, step) == StepState::Open).unwrap_or_default();
        if !open {
            self.world.judge(Invariant::IntentBeforeRequest, || format!("{login} has no durable intent ({step})"));
        }
        if person.held {
            self.world.judge(Invariant::HeldIsNotSent, || format!("{login} waits for an approval"));
        }
        if person.kind.takes_away() {
            let waits = |person: &&Person| {
                !person.held && !person.kind.takes_away() && self.action(person).first == StepState::Pending
            };
            if let Some(waiting) = self.plan.people.iter().find(waits) {
                let how = || format!("{login} loses access before {} is reached", waiting.login);
                self.world.judge(Invariant::AccessIsTakenLast, how);
            }
        }
    }

    fn action(&self, person: &Person) -> ActionState {
        let never = ActionState { first: StepState::Pending, follow_up: StepState::Pending };
        self.run(|run| run.action(person.seq)).unwrap_or(never)
    }

    /// A process ended by itself.
    pub fn process_ended(&self, executed: &ExecutionResult, state: &RunState) {
        let counted = executed.applied.count_all() + executed.failed + executed.skipped + executed.unknown;
        let chosen = self.plan.people.iter().filter(|person| !person.held).count() as u64;
        if counted + executed.pending != chosen || executed.held + chosen != self.plan.people.len() as u64 {
            self.world.judge(Invariant::CountsAreTheLedgers, || format!("of {chosen}: {executed:?}"));
        }
        if self.mode == Mode::SettleOnly {
            return;
        }
        let mut applied = ActionCounts::default();
        let (mut failed, mut skipped) = (0, 0);
        for person in self.plan.people.iter().filter(|person| !person.held) {
            match person.stands(state.action(person.seq)) {
                Stands::Done => *applied.count_mut(person.kind) += 1,
                Stands::Failed => failed += 1,
                Stands::Skipped => skipped += 1,
                Stands::Undecided => {}
            }
        }
        if (applied, failed, skipped) != (executed.applied, executed.failed, executed.skipped) {
            let how = || format!("{executed:?}, but the journal has {applied:?}, {failed} failed, {skipped} skipped");
            self.world.judge(Invariant::CountsAreTheLedgers, how);
        }
    }

    /// The run ended, or was paused.
    pub fn run_left(&self, left: RunFinish, executed: &ExecutionResult, state: &RunState) {
        let open = self.plan.people.iter().filter(|person| !person.held);
        let open = open.filter(|person| person.stands(state.action(person.seq)) == Stands::Undecided).count();
        let honest = match left {
            RunFinish::Ended(Ending::Complete) => {
                let all = |person: &Person| person.stands(state.action(person.seq)) == Stands::Done;
                self.plan.people.iter().filter(|person| !person.held).all(all)
            }
            RunFinish::Ended(Ending::Partial) => open == 0 && executed.failed + executed.skipped > 0,
            RunFinish::Ended(_) => executed.applied.count_all() == 0,
            RunFinish::Paused => executed.halt.is_some() || executed.unknown > 0,
        };
        if !honest {
            self.world.judge(Invariant::ExitIsHonest, || format!("{left:?} with {open} open: {executed:?}"));
        }
    }

    /// Everything is over: the ledger against the journal and what people were told.
    pub fn in_the_end(&self, state: &RunState, secrets: &dyn Secrets) {
        let ledger = self.tenant.ledger();
        for person in &self.plan.people {
            let (kind, login) = (person.kind, &person.login);
            let standing = state.action(person.seq);
            let wrong = |invariant, what: &str| {
                let shown = self.tenant.of_login(login);
                self.world.judge(invariant, || format!("{kind} of {login} is {standing:?}, {what}: {shown:?}"));
            };
            let mut created = ledger.iter().filter_map(|effect| match effect {
                Effect::Created { id, login: of, password } if of == login => Some((*id, password)),
                _ => None,
            });
            let made = created.next();
            if created.next().is_some() {
                wrong(Invariant::AtMostOneCreate, "and there are two");
            }
            let account = person.account.or(state.account_of(person.seq).and_then(|id| id.as_str().parse().ok()));
            let updates =
                ledger.iter().filter(|effect| matches!(effect, Effect::Updated { id, .. } if Some(*id) == account));
            let updates = updates.count();
            if person.held && (made.is_some() || updates > 0) {
                wrong(Invariant::HeldIsNotSent, "though it was held");
                continue;
            }
            if person.held {
                continue;
            }
            if person.stands(standing) == Stands::Undecided {
                wrong(Invariant::NobodyIsLost, "and nobody says so");
            }
            if kind == ActionKind::Create {
                if (standing.first == StepState::Applied) != made.is_some() {
                    wrong(Invariant::CountsAreTheLedgers, "and the ledger says otherwise");
                }
                if let (StepState::Applied, Some((id, password))) = (standing.first, made) {
                    let told = self.plan.password(person, secrets);
                    if told != *password || Some(id) != account {
                        wrong(Invariant::PasswordsAreAsTold, "with another password than was told");
                    }
                }
            } else if standing.first.is_done() != (updates > 0)
                // Of what the API hides nobody knows whether a lost request did it before another one was refused.
                && !(standing.first == StepState::Failed && person.is_hidden())
            {
                wrong(Invariant::CountsAreTheLedgers, "and the ledger says otherwise");
            }
            if person.stands(standing) == Stands::Done
                && !account.and_then(|id| self.tenant.account(id)).is_some_and(|fields| person.wants(&fields))
            {
                wrong(Invariant::NobodyIsLost, "and is not so");
            }
            let second_half = kind == ActionKind::Create && standing.follow_up.is_done();
            let failed_unseen = standing.follow_up == StepState::Failed && person.is_hidden();
            if second_half != (kind == ActionKind::Create && updates > 0) && !failed_unseen {
                wrong(Invariant::CountsAreTheLedgers, "and the ledger says otherwise of its second half");
            }
        }
    }
}

/// What is known of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    Done,
    Failed,
    Skipped,
    Undecided,
}

impl Person {
    pub fn stands(&self, state: ActionState) -> Stands {
        match state.first {
            StepState::Failed => Stands::Failed,
            StepState::Skipped => Stands::Skipped,
            first if !first.is_done() => Stands::Undecided,
            _ if !self.has_second_half() => Stands::Done,
            _ => match state.follow_up {
                follow_up if follow_up.is_done() => Stands::Done,
                StepState::Failed | StepState::Skipped => Stands::Failed,
                _ => Stands::Undecided,
            },
        }
    }
}

/// A monitor that holds what it is told against what is durable.
impl Monitor for Judge {
    fn rows_read(&self, _rows: u64, _total: Option<u64>) {}
    fn pages_listed(&self, _accounts: u64, _pages: u64, _of: Option<u64>) {}

    fn actions_done(&self, told: &Done) {
        let decided = |person: &&Person| person.stands(self.action(person)) != Stands::Undecided;
        let durable = self.plan.people.iter().filter(decided).count() as u64;
        // A run that is only settled leaves second halves to the next plan, and counts the first.
        if self.mode == Mode::Everything && told.done - told.unknown > durable {
            let how = || format!("{} are said to be decided, and {durable} are durable", told.done - told.unknown);
            self.world.judge(Invariant::OutcomeBeforeBelief, how);
        }
    }

    fn note(&self, text: &str) {
        self.world.tell(|| format!("note: {text}"));
    }

    fn waiting(&self, why: &str, seconds: u64) {
        self.world.tell(|| format!("waits {seconds} s: {why}"));
    }
}
