//! Time and chance: what will happen is a list of moments in order, and time goes on when nobody has anything left to do
//! at this one. Everything that is random comes from one seed, so a seed is a whole history.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::judge::{Invariant, Violation};
use crate::clock::Clock;

/// When every history begins: 3 a.m.
const START: &str = "2026-11-22T03:00:00Z";
pub const DAY: Duration = Duration::from_secs(86_400);
const START_OF_DAY: Duration = Duration::from_secs(3 * 3600);

/// The moment, and the number that keeps those of one moment in the order in which they were asked for.
type Moment = (Duration, u64);
type Event = Box<dyn FnOnce() + Send>;

/// One history under way.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    now: Duration,
    moments: u64,
    to_come: BTreeMap<Moment, Event>,
    dice: u64,
    digest: blake3::Hasher,
    told: Option<Vec<String>>,
    /// After so many events the process dies.
    fuse: Option<u64>,
    process: Process,
    violation: Option<Violation>,
}

/// The process of headcount that runs in this world.
#[derive(Default)]
struct Process {
    over: Option<Over>,
    waker: Option<Waker>,
}

/// Why a process is stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Died,
    /// A law was broken, so there is nothing more to learn.
    Judged,
}

impl World {
    /// `told` keeps what happens in words.
    pub fn new(seed: u64, told: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: Duration::ZERO,
            moments: 0,
            to_come: BTreeMap::new(),
            dice: seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1),
            digest: blake3::Hasher::new(),
            told: told.then(Vec::new),
            fuse: None,
            process: Process::default(),
            violation: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Duration {
        self.state().now
    }

    pub fn time(&self) -> Timestamp {
        START.parse::<Timestamp>().unwrap() + self.now()
    }

    /// The number of the day, by the clock on the wall.
    pub fn day(&self) -> u64 {
        (self.now() + START_OF_DAY).as_secs() / DAY.as_secs()
    }

    /// How long this day still lasts.
    pub fn rest_of_day(&self) -> Duration {
        let passed = (self.now() + START_OF_DAY).as_nanos() % DAY.as_nanos();
        Duration::from_nanos(u64::try_from(DAY.as_nanos() - passed).unwrap())
    }

    pub fn random(&self) -> u64 {
        let state = &mut *self.state();
        // SplitMix64.
        state.dice = state.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&self, n: u64) -> u64 {
        self.random() % n.max(1)
    }

    pub fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn up_to(&self, most: Duration) -> Duration {
        Duration::from_millis(self.below(u64::try_from(most.as_millis()).unwrap()))
    }

    /// Something happens after this time.
    pub fn after(&self, time: Duration, event: impl FnOnce() + Send + 'static) -> Moment {
        let state = &mut *self.state();
        state.moments += 1;
        let moment = (state.now + time, state.moments);
        state.to_come.insert(moment, Box::new(event));
        moment
    }

    /// It does not happen after all.
    fn never(&self, moment: Moment) {
        self.state().to_come.remove(&moment);
    }

    /// The next event happens. Called whenever nobody has anything left to do.
    pub fn go_on(&self) {
        let next = {
            let state = &mut *self.state();
            if state.process.over.is_some() {
                return;
            }
            if let Some(fuse) = &mut state.fuse {
                *fuse = fuse.saturating_sub(1);
                if *fuse == 0 {
                    state.stop(Over::Died);
                    return;
                }
            }
            let next = state.to_come.pop_first();
            if let Some(((at, _), _)) = &next {
                state.now = state.now.max(*at);
            }
            next
        };
        match next {
            Some((_, event)) => event(),
            None => self.judge(Invariant::ItEnds, || "everybody waits and nothing will happen".to_owned()),
        }
        // Not every event is one that somebody in the process waits for, and this is called again only if something is
        // to be done before.
        if let Some(waker) = &self.state().process.waker {
            waker.wake_by_ref();
        }
    }

    /// Time passes while no process runs: what is on its way arrives.
    pub fn pass(&self, time: Duration) {
        let until = self.now() + time;
        loop {
            let next = {
                let state = &mut *self.state();
                match state.to_come.first_key_value() {
                    Some(((at, _), _)) if *at <= until => {
                        state.now = state.now.max(*at);
                        state.to_come.pop_first()
                    }
                    _ => {
                        state.now = until;
                        None
                    }
                }
            };
            match next {
                Some((_, event)) => event(),
                None => return,
            }
        }
    }

    /// A process begins; it dies after so many events, where it does.
    pub fn begin(&self, fuse: Option<u64>) {
        let state = &mut *self.state();
        state.fuse = fuse;
        state.process = Process::default();
    }

    /// Whether the process is stopped from outside.
    pub fn over(&self, context: &Context<'_>) -> Option<Over> {
        let process = &mut self.state().process;
        process.waker = Some(context.waker().clone());
        process.over
    }

    /// Notes what happens, so that two histories can be told apart.
    pub fn tell(&self, what: impl FnOnce() -> String) {
        let state = &mut *self.state();
        let line = format!("{:>12.3} {}", state.now.as_secs_f64(), what());
        state.digest.update(line.as_bytes()).update(b"\n");
        if let Some(told) = &mut state.told {
            told.push(line);
        }
    }

    /// A law is broken; the first counts.
    pub fn judge(&self, invariant: Invariant, how: impl FnOnce() -> String) {
        let how = how();
        self.tell(|| format!("BROKEN {invariant:?}: {how}"));
        let state = &mut *self.state();
        state.violation.get_or_insert(Violation { invariant, how });
        state.stop(Over::Judged);
    }

    pub fn violation(&self) -> Option<Violation> {
        self.state().violation.clone()
    }

    pub fn digest(&self) -> blake3::Hash {
        self.state().digest.finalize()
    }

    pub fn told(&self) -> Vec<String> {
        self.state().told.clone().unwrap_or_default()
    }

    pub fn sleep(&self, time: Duration) -> Sleep {
        let slept = Arc::new(Mutex::new(Slept::default()));
        let shared = Arc::clone(&slept);
        let moment = self.after(time, move || {
            let slept = &mut *shared.lock().unwrap_or_else(PoisonError::into_inner);
            slept.over = true;
            if let Some(waker) = slept.waker.take() {
                waker.wake();
            }
        });
        Sleep { world: self.clone(), slept, moment }
    }
}

impl State {
    fn stop(&mut self, over: Over) {
        self.process.over.get_or_insert(over);
        if let Some(waker) = self.process.waker.take() {
            waker.wake();
        }
    }
}

#[derive(Default)]
struct Slept {
    over: bool,
    waker: Option<Waker>,
}

/// Waits for a moment; forgotten when it is dropped.
pub struct Sleep {
    world: World,
    slept: Arc<Mutex<Slept>>,
    moment: Moment,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let slept = &mut *self.slept.lock().unwrap_or_else(PoisonError::into_inner);
        if slept.over {
            return Poll::Ready(());
        }
        slept.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.world.never(self.moment);
    }
}

/// The clock of one process. What it counts from is another in each, as on a machine.
pub struct ProcessClock {
    world: World,
    base: Duration,
}

impl ProcessClock {
    pub fn new(world: &World) -> Arc<Self> {
        Arc::new(Self { world: world.clone(), base: world.up_to(DAY) })
    }
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        self.world.time()
    }
    fn elapsed(&self) -> Duration {
        self.base + self.world.now()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.world.sleep(time))
    }
    fn random(&self) -> u64 {
        self.world.random()
    }
}
