//! What becomes of a request after one try: it is done, it fails, or it is sent again, and what its failure says.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::super::instant::retry_after;
use super::super::message::{AnswerVerdict, HttpAnswer, HttpRequest, redirect_error};
use super::super::quota::{Leave, exhausted_error};
use super::super::retry::{Repeat, Tries, backoff_time};
use super::super::transport::{Loss, Proof};
use super::{Client, PATIENCE};
use crate::connectors::{CallError, Effect, Purpose, Trouble};
use crate::model::Secret;

/// What a 429 waits at least that asks for no time, or for none at all.
const BREATHER: Duration = Duration::from_secs(1);

/// What becomes of a request after one try.
pub(super) enum NextTry<T> {
    Done(T),
    Fail(CallError),
    /// Sent again, if there are repeats left, after this wait; else it fails so.
    Again(CallError, Wait),
}

pub(super) enum Wait {
    /// Backoff, paid for from the budget of all.
    Backoff,
    /// What the server asked for, which everybody waits for already.
    Asked,
}

impl Client {
    /// What an answer leads to.
    pub(super) fn weigh_answer<T>(
        &self,
        request: &HttpRequest<'_>,
        tries: &mut Tries,
        answer: &HttpAnswer,
        judge: &mut impl FnMut(&HttpAnswer) -> AnswerVerdict<T>,
    ) -> NextTry<T> {
        if answer.status.is_redirection() {
            // After 301 to 303 a client may go on with a GET, so the server may take the request for done.
            tries.lost |= answer.status.as_u16() < 304;
            return NextTry::Fail(redirect_error(answer));
        }
        let asked = retry_after(&answer.headers, self.clock.now());
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return self.slow_down(tries, asked);
        }
        let asked = asked.filter(|_| answer.status == StatusCode::SERVICE_UNAVAILABLE);
        if let Some(wait) = asked {
            self.pacer.hold_back(wait);
        }
        match judge(answer) {
            AnswerVerdict::Done(done) => {
                self.budget.give_back();
                NextTry::Done(done)
            }
            AnswerVerdict::Refused(error) | AnswerVerdict::Stale(error) => {
                self.budget.give_back();
                NextTry::Fail(error)
            }
            AnswerVerdict::ServerError(error) => {
                tries.lost = true;
                match request.repeat {
                    Repeat::Safe if asked.is_none_or(|wait| wait <= PATIENCE) => NextTry::Again(error, Wait::Backoff),
                    Repeat::Safe | Repeat::IfUnsent => NextTry::Fail(error),
                }
            }
        }
    }

    /// What 429 leads to: everybody slows down, or the quota is used up. The request was certainly not carried out.
    fn slow_down<T>(&self, tries: &Tries, asked: Option<Duration>) -> NextTry<T> {
        let now = self.clock.now();
        if let Some(wait) = asked.filter(|wait| *wait > PATIENCE) {
            self.quota.mark_exhausted(now.checked_add(wait).ok(), now);
        }
        if let Leave::Exhausted { quota, .. } = self.quota.ask_leave(now) {
            self.meter.saw_quota(quota);
            let error = exhausted_error(quota);
            return if self.rate.wait_for_quota { NextTry::Again(error, Wait::Asked) } else { NextTry::Fail(error) };
        }
        let asked = asked.filter(|wait| !wait.is_zero());
        self.pacer.hold_back(asked.unwrap_or_else(|| backoff_time(&*self.clock, tries.sent).max(BREATHER)));
        let error = CallError::new(Trouble::Unavailable, "the server keeps saying that there are too many requests")
            .with_hint("lower rate.requests_per_second");
        NextTry::Again(error, Wait::Asked)
    }

    /// What the lack of an answer leads to.
    pub(super) fn weigh_loss<T>(request: &HttpRequest<'_>, tries: &mut Tries, loss: &Loss) -> NextTry<T> {
        let error = CallError::new(Trouble::Unavailable, loss.message.clone());
        match loss.proves {
            Proof::Unsent => {
                NextTry::Again(error.with_hint("check target.base_url, network.proxy and the firewall"), Wait::Backoff)
            }
            Proof::Untrusted => NextTry::Fail(CallError { trouble: Trouble::Configuration, ..error }.with_hint(
                "check that target.base_url names the right host and port, and that its certificate is valid and \
                 trusted by this machine; network.ca_file names authorities that are trusted as well",
            )),
            Proof::TooLong => {
                tries.lost = true;
                NextTry::Fail(CallError { trouble: Trouble::Garbled, ..error })
            }
            Proof::Nothing => {
                tries.lost = true;
                match request.repeat {
                    Repeat::Safe => NextTry::Again(error, Wait::Backoff),
                    Repeat::IfUnsent => NextTry::Fail(error),
                }
            }
        }
    }

    /// Adds to an error what was asked and what came back, says what the request may have done, and takes secrets out.
    pub(super) fn settle_verdict(
        &self,
        request: &HttpRequest<'_>,
        tries: &Tries,
        error: CallError,
        answer: Option<&HttpAnswer>,
    ) -> CallError {
        let effect = match request.purpose {
            Purpose::Write if tries.lost => Effect::Unknown,
            Purpose::Write => error.effect,
            Purpose::Auth | Purpose::List | Purpose::Lookup => Effect::None,
        };
        let mut details = Vec::new();
        let trxid = error.trxid.or_else(|| self.transaction_id(&answer?.headers, request.secrets));
        if let Some(answer) = answer {
            details.push(format!("HTTP {}", answer.status.as_u16()));
        }
        if let Some(trxid) = &trxid {
            details.push(format!("trxid {trxid}"));
        }
        if tries.sent > 1 {
            details.push(format!("{} tries", tries.sent));
        }
        let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        let text = self.redactor.scrub_text(&error.message, request.secrets);
        let path = request.path.trim_start_matches('/');
        CallError {
            effect,
            message: format!("{} {path}: {text}{details}", request.method),
            code: error.code.or_else(|| answer.map(|answer| u32::from(answer.status.as_u16()))),
            trxid,
            ..error
        }
    }

    /// The server's name for the transaction, fit to be shown.
    pub(super) fn transaction_id(&self, headers: &HeaderMap, secrets: &[Secret]) -> Option<String> {
        let id = headers.get(self.transaction_header.as_ref()?)?.to_str().ok().filter(|id| !id.is_empty())?;
        Some(self.redactor.scrub_text(id, secrets))
    }
}
