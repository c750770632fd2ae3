//! Laws broken on purpose, one at a time, so that a test can prove that the simulation of `execute` notices. Outside of
//! tests `mutant!(…)` is the word `false`, and nothing of this room exists.

/// Whether this law is broken on this thread: never, outside of tests.
#[cfg(not(test))]
macro_rules! mutant {
    ($name:ident) => {
        false
    };
}

/// Whether this law is broken on this thread.
#[cfg(test)]
macro_rules! mutant {
    ($name:ident) => {
        $crate::mutant::is($crate::mutant::Mutant::$name)
    };
}

/// What a broken executor does.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Sends while the intent is still on its way to the disk.
    IntentNotAwaited,
    /// Believes an outcome while it is still on its way to the disk.
    OutcomeNotAwaited,
    /// Goes on after the journal could not be written.
    JournalFailureIgnored,
    /// Sends a create whose answer was lost again without looking.
    CreateRepeatedBlindly,
    /// Takes the first "not there" for certain, while the request may still be on its way.
    NotThereBelievedAtOnce,
    /// Takes whoever has the login for the person that was wanted.
    AdoptedWithoutComparing,
    /// Generates another password for each try.
    AnotherPasswordForEachTry,
    /// Overwrites what somebody else changed since the plan.
    StaleOverwritten,
    /// Executes what waits for an approval.
    HeldExecuted,
    /// Takes access away before it gives access.
    DeactivationsFirst,
    /// Uses the quota to its end.
    ReserveIgnored,
    /// Comes back after half the time that the server asked for.
    RetryAfterUndercut,
}

#[cfg(test)]
pub use active::{breaks, is, password};

#[cfg(test)]
mod active {
    use std::cell::Cell;

    use super::Mutant;
    use crate::model::Secret;

    thread_local! {
        static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    impl Mutant {
        pub const ALL: [Self; 12] = [
            Self::IntentNotAwaited,
            Self::OutcomeNotAwaited,
            Self::JournalFailureIgnored,
            Self::CreateRepeatedBlindly,
            Self::NotThereBelievedAtOnce,
            Self::AdoptedWithoutComparing,
            Self::AnotherPasswordForEachTry,
            Self::StaleOverwritten,
            Self::HeldExecuted,
            Self::DeactivationsFirst,
            Self::ReserveIgnored,
            Self::RetryAfterUndercut,
        ];
    }

    pub fn is(mutant: Mutant) -> bool {
        ACTIVE.get() == Some(mutant)
    }

    /// Breaks a law on this thread from now on; none keeps all of them.
    pub fn breaks(mutant: Option<Mutant>) {
        ACTIVE.set(mutant);
    }

    /// The password that is sent at a try, counted from 0.
    pub fn password(secret: Secret, attempts: u32) -> Secret {
        if is(Mutant::AnotherPasswordForEachTry) && attempts > 0 {
            return Secret::new(format!("{}{attempts}", secret.expose()));
        }
        secret
    }
}
