//! One token for all requests of a target. Whoever finds it missing or stale fetches a new one; everybody else who
//! needs it meanwhile waits for that one fetch and shares what comes of it, success or failure.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

use super::client::Client;
use crate::connectors::CallError;
use crate::model::Secret;

/// Where tokens come from.
pub trait TokenSource: Debug + Send + Sync {
    /// Fetches a token with one request.
    ///
    /// # Errors
    /// [`Trouble::Configuration`](crate::connectors::Trouble::Configuration) when the server does not accept the credentials, or answers with something else than
    /// a token; what keeps the answer from coming.
    fn fetch_token<'a>(&'a self, http: &'a Client) -> BoxFuture<'a, Result<GrantedToken, CallError>>;
}

/// What a [`TokenSource`] brings.
pub struct GrantedToken {
    pub token: Secret,
    /// None where the server does not say.
    pub life: Option<Duration>,
}

/// A token and its place in the sequence of tokens, by which a request says which one was refused.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: Secret,
    /// From 1.
    pub generation: u64,
}

/// Holds the current token.
#[derive(Debug, Default)]
pub struct TokenCell {
    state: Mutex<TokenState>,
    /// Held while fetching; keeps what the last fetch failed with.
    fetching: tokio::sync::Mutex<Option<CallError>>,
}

#[derive(Debug, Default)]
struct TokenState {
    token: Option<Token>,
    /// Fetches that ended, well or not.
    fetches: u64,
}

impl TokenCell {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The token as it is now, without waiting.
    pub fn current_token(&self) -> Option<Token> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).token.clone()
    }

    /// A token newer than the one of this generation, which was refused or is about to expire; any for 0. Where there is
    /// none, one caller fetches it for all who wait.
    ///
    /// # Errors
    /// What the fetch failed with.
    pub async fn get_newer_than<F, Fut>(&self, stale: u64, fetch: F) -> Result<Token, CallError>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Secret, CallError>>,
    {
        let (token, fetches) = self.look_at_token();
        if let Some(token) = token.filter(|token| token.generation > stale) {
            return Ok(token);
        }
        let mut failure = self.fetching.lock().await;
        let (token, fetches_now) = self.look_at_token();
        if let Some(token) = token.filter(|token| token.generation > stale) {
            return Ok(token);
        }
        // A fetch ended while this caller waited, and brought nothing: asking again at once would only fail again,
        // once for each who waits.
        if fetches_now != fetches
            && let Some(error) = &*failure
        {
            return Err(error.clone());
        }
        let fetched = fetch().await;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.fetches += 1;
        match fetched {
            Ok(secret) => {
                let generation = state.token.as_ref().map_or(0, |token| token.generation) + 1;
                let token = Token { secret, generation };
                state.token = Some(token.clone());
                *failure = None;
                Ok(token)
            }
            Err(error) => {
                *failure = Some(error.clone());
                Err(error)
            }
        }
    }

    fn look_at_token(&self) -> (Option<Token>, u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.token.clone(), state.fetches)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures::future::join_all;

    use super::*;
    use crate::connectors::Trouble;

    async fn fetch(count: &AtomicU64) -> Result<Secret, CallError> {
        let n = count.fetch_add(1, Ordering::Relaxed) + 1;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        Ok(Secret::new(format!("token-{n}")))
    }

    #[tokio::test]
    async fn a_hundred_who_need_a_token_share_one_fetch() {
        let (cell, count) = (TokenCell::new(), AtomicU64::new(0));
        let tokens = join_all((0..100).map(|_| cell.get_newer_than(0, || fetch(&count)))).await;
        assert!(tokens.iter().all(|token| token.as_ref().unwrap().generation == 1));
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn all_who_saw_the_same_stale_token_share_one_refresh() {
        let (cell, count) = (TokenCell::new(), AtomicU64::new(0));
        let first = cell.get_newer_than(0, || fetch(&count)).await.unwrap();
        let tokens = join_all((0..100).map(|_| cell.get_newer_than(first.generation, || fetch(&count)))).await;
        assert!(tokens.iter().all(|token| token.as_ref().unwrap().generation == 2));
        // One who was late with the same news gets the token that is there already.
        assert_eq!(cell.get_newer_than(first.generation, || fetch(&count)).await.unwrap().generation, 2);
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn who_waited_for_a_fetch_that_failed_shares_the_failure_and_the_next_tries_again() {
        let (cell, count) = (TokenCell::new(), AtomicU64::new(0));
        let fail = async || {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err(CallError::new(Trouble::Configuration, "wrong key"))
        };
        let results = join_all((0..100).map(|_| cell.get_newer_than(0, &fail))).await;
        assert!(results.iter().all(|result| result.as_ref().unwrap_err().message == "wrong key"));
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(cell.get_newer_than(0, || fetch(&count)).await.unwrap().generation, 1);
    }

    #[tokio::test]
    async fn a_fetch_that_is_given_up_does_not_block_the_next() {
        let (cell, count) = (TokenCell::new(), AtomicU64::new(0));
        {
            let never = cell.get_newer_than(0, std::future::pending);
            futures::pin_mut!(never);
            assert!(futures::poll!(never).is_pending());
        }
        assert_eq!(cell.get_newer_than(0, || fetch(&count)).await.unwrap().generation, 1);
    }
}
