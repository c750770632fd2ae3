//! Laws broken on purpose, one at a time, so that a test can prove that the simulation of `execute` notices. Outside of
//! tests `law_is_broken!(…)` is the word `false`, and nothing of this room exists.

/// Whether this law is broken on this thread: never, outside of tests.
#[cfg(not(test))]
macro_rules! law_is_broken {
    ($name:ident) => {
        false
    };
}

/// Whether this law is broken on this thread.
#[cfg(test)]
macro_rules! law_is_broken {
    ($name:ident) => {
        $crate::testing::broken_laws::is_broken($crate::testing::broken_laws::BrokenLaw::$name)
    };
}

/// What a broken executor does.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenLaw {
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
pub use active::{break_law, is_broken, password_for_try};

#[cfg(test)]
mod active {
    use std::cell::Cell;

    use super::BrokenLaw;
    use crate::model::Secret;

    thread_local! {
        static ACTIVE: Cell<Option<BrokenLaw>> = const { Cell::new(None) };
    }

    impl BrokenLaw {
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

    pub fn is_broken(law: BrokenLaw) -> bool {
        ACTIVE.get() == Some(law)
    }

    /// Breaks a law on this thread from now on; none keeps all of them.
    pub fn break_law(law: Option<BrokenLaw>) {
        ACTIVE.set(law);
    }

    /// The password that is sent at a try, counted from 0.
    pub fn password_for_try(secret: Secret, attempts: u32) -> Secret {
        if is_broken(BrokenLaw::AnotherPasswordForEachTry) && attempts > 0 {
            return Secret::new(format!("{}{attempts}", secret.expose()));
        }
        secret
    }
}
