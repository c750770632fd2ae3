//! The access tokens that a tenant has given out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// Why a token does not admit a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    Missing,
    Unknown,
    Expired,
}

/// How long a token is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenLife {
    /// No end where this is `None`.
    pub time: Option<Duration>,
    /// So many requests, where there is such an end.
    pub requests: Option<u32>,
}

#[derive(Default)]
pub(super) struct Tokens {
    life: TokenLife,
    given: RwLock<HashMap<String, GivenToken>>,
    /// Tokens of an earlier generation have expired.
    generation: AtomicU64,
}

struct GivenToken {
    at: Duration,
    generation: u64,
    used: AtomicU32,
}

impl Tokens {
    pub(super) fn new(life: TokenLife) -> Self {
        Self { life, ..Self::default() }
    }

    pub(super) fn life(&self) -> TokenLife {
        self.life
    }

    pub(super) fn give_token(&self, token: String, now: Duration) {
        let generation = self.generation.load(Ordering::Acquire);
        let token_state = GivenToken { at: now, generation, used: AtomicU32::new(0) };
        self.given.write().unwrap_or_else(PoisonError::into_inner).insert(token, token_state);
    }

    /// Uses a token for one request.
    pub(super) fn check(&self, token: Option<&str>, now: Duration) -> Result<(), Denied> {
        let token = token.filter(|token| !token.is_empty()).ok_or(Denied::Missing)?;
        let given = self.given.read().unwrap_or_else(PoisonError::into_inner);
        let token = given.get(token).ok_or(Denied::Unknown)?;
        let stale = self.life.time.is_some_and(|life| now.saturating_sub(token.at) >= life);
        let worn = self.life.requests.is_some_and(|limit| token.used.fetch_add(1, Ordering::Relaxed) >= limit);
        if stale || worn || token.generation < self.generation.load(Ordering::Acquire) {
            return Err(Denied::Expired);
        }
        Ok(())
    }

    pub(super) fn expire_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    fn tokens(life: TokenLife) -> Tokens {
        let tokens = Tokens::new(life);
        tokens.give_token("t".into(), START);
        tokens
    }

    #[test]
    fn a_token_is_good_until_its_time_or_its_requests_are_over() {
        let timed = tokens(TokenLife { time: Some(Duration::from_secs(60)), requests: None });
        assert_eq!(timed.check(Some("t"), Duration::from_secs(59)), Ok(()));
        assert_eq!(timed.check(Some("t"), Duration::from_secs(60)), Err(Denied::Expired));
        let counted = tokens(TokenLife { time: None, requests: Some(1) });
        assert_eq!(counted.check(Some("t"), START), Ok(()));
        assert_eq!(counted.check(Some("t"), START), Err(Denied::Expired));
    }

    #[test]
    fn only_tokens_given_later_outlive_the_expiry_of_all() {
        let tokens = tokens(TokenLife::default());
        tokens.expire_all();
        tokens.give_token("u".into(), START);
        assert_eq!(tokens.check(Some("t"), START), Err(Denied::Expired));
        assert_eq!(tokens.check(Some("u"), START), Ok(()));
    }

    #[test]
    fn no_token_and_an_unknown_one_are_told_apart() {
        let tokens = tokens(TokenLife::default());
        assert_eq!(tokens.check(None, START), Err(Denied::Missing));
        assert_eq!(tokens.check(Some("x"), START), Err(Denied::Unknown));
    }
}
