//! Requests to one target: admitted one by one, sent, judged, repeated where that is safe.
//!
//! A request waits for a place among those under way, then for its turn. Whoever has the turn waits until the server
//! may be spoken to again, until the quota allows it, and until the rate allows it, and leaves. Repeats queue up like
//! everybody else. What an answer means is for the target to judge; what the transport, a redirect, 429 and
//! `Retry-After` mean is the same everywhere and decided here.

mod outcome;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tracing::{debug, info, trace};

use self::outcome::{NextTry, Wait};
use super::address::Address;
use super::message::{AnswerVerdict, HttpAnswer, HttpRequest};
use super::pace::Pacer;
use super::quota::{Leave, QuotaGate, Ticket, exhausted_error};
use super::redact::SecretRedactor;
use super::retry::{Budget, Tries, backoff_time};
use super::transport::{HttpWire, Loss, Transport};
use super::{Network, Rate};
use crate::clock::{Clock, Stop};
use crate::connectors::{CallError, Meter, Quota, Trouble};
use crate::model::Secret;

/// How a target's answers tell what is left of its quota.
pub type ReadQuota = fn(&HeaderMap, Timestamp) -> Option<Quota>;

/// Waits longer than this are not slept through: a 429 that asks for one is a used-up quota, anything else a target
/// that is down.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a server is reached, whatever system it is.
#[derive(Clone)]
pub struct ServerAccess<'a> {
    pub base_url: &'a str,
    pub rate: &'a Rate,
    pub network: &'a Network,
    pub clock: Arc<dyn Clock>,
    /// Once it is requested nothing is sent and nothing is waited for any more.
    pub stop: Arc<Stop>,
}

/// What a [`Client`] is made from.
pub struct ClientSettings<'a> {
    pub access: ServerAccess<'a>,
    /// Headers, of requests and answers, whose values are secret.
    pub secret_headers: Vec<HeaderName>,
    /// The header by which the server names a transaction.
    pub transaction_header: Option<HeaderName>,
    pub read_quota: Option<ReadQuota>,
}

impl<'a> ClientSettings<'a> {
    /// For requests whose `Authorization` is secret, to a server that names no transactions and has no quota.
    #[must_use]
    pub fn new(access: ServerAccess<'a>) -> Self {
        Self { access, secret_headers: vec![AUTHORIZATION], transaction_header: None, read_quota: None }
    }
}

/// Speaks HTTP with one target.
pub struct Client {
    address: Address,
    transport: Box<dyn Transport>,
    rate: Rate,
    clock: Arc<dyn Clock>,
    stop: Arc<Stop>,
    secret_headers: Vec<HeaderName>,
    transaction_header: Option<HeaderName>,
    read_quota: Option<ReadQuota>,
    meter: Meter,
    redactor: SecretRedactor,
    permits: Semaphore,
    turn: Mutex<()>,
    pacer: Pacer,
    quota: QuotaGate,
    budget: Budget,
}

fn stopped_error() -> CallError {
    CallError::new(Trouble::Stopped, "not sent: the run is being stopped")
}

impl Client {
    /// # Errors
    /// [`Trouble::Configuration`] for a base address that is none or not safe, and where no TLS can be set up.
    pub fn new(settings: ClientSettings<'_>) -> Result<Self, CallError> {
        let address = Address::parse(settings.access.base_url)?;
        let wire = HttpWire::new(&address, settings.access.rate, settings.access.network)?;
        Ok(Self::with_address(settings, address, Box::new(wire)))
    }

    /// A client without a network.
    #[cfg(test)]
    pub fn over_transport(settings: ClientSettings<'_>, transport: Box<dyn Transport>) -> Result<Self, CallError> {
        let address = Address::parse(settings.access.base_url)?;
        Ok(Self::with_address(settings, address, transport))
    }

    fn with_address(settings: ClientSettings<'_>, address: Address, transport: Box<dyn Transport>) -> Self {
        let ServerAccess { rate, clock, stop, .. } = settings.access;
        let rate = rate.clone();
        Self {
            transport,
            address,
            secret_headers: settings.secret_headers,
            transaction_header: settings.transaction_header,
            read_quota: settings.read_quota,
            meter: Meter::default(),
            redactor: SecretRedactor::default(),
            permits: Semaphore::new(rate.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            turn: Mutex::new(()),
            pacer: Pacer::new(&rate, Arc::clone(&clock)),
            quota: QuotaGate::new(rate.daily_reserve),
            budget: Budget::new(&rate),
            rate,
            clock,
            stop,
        }
    }

    /// The base address, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.address.as_str()
    }

    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// What an earlier process saw of the quota.
    pub fn recall_quota(&self, quota: Quota, others_at_once: u64) {
        if self.quota.recall_quota(quota, others_at_once, self.clock.now()) {
            self.meter.saw_quota(quota);
        }
    }

    /// Requests under way at once, at most.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.rate.concurrency.max(1)
    }

    /// The clock that everything here goes by.
    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// From now on no error or log line shows this secret of the configuration.
    pub fn redact_secret(&self, secret: Secret) {
        self.redactor.keep_secret(secret);
    }

    /// From now on no error or log line shows this token. Of tokens the last few are remembered.
    pub fn redact_token(&self, token: Secret) {
        self.redactor.keep_token(token);
    }

    /// Sends a request until it is judged done or refused, or no repeat is left. `stamp` puts the headers on at the last
    /// moment, so that a token fetched meanwhile is used. `tries` goes on counting over several calls for one request.
    ///
    /// # Errors
    /// What the answer was judged to be, or what kept it from coming. The effect is unknown for a
    /// [`crate::connectors::Purpose::Write`] that may have been carried out at any of the tries.
    pub async fn send<T>(
        &self,
        request: &HttpRequest<'_>,
        tries: &mut Tries,
        mut stamp: impl FnMut(&mut HeaderMap) + Send,
        mut judge: impl FnMut(&HttpAnswer) -> AnswerVerdict<T> + Send,
    ) -> Result<T, CallError> {
        let url = self.address.join_path(request.path)?;
        loop {
            let (permit, mut ticket) =
                self.admit_request().await.map_err(|error| self.settle_verdict(request, tries, error, None))?;
            self.meter.count_request(request.purpose);
            if tries.sent > 0 {
                self.meter.count_retry();
            }
            tries.sent += 1;
            let answer = self.try_request(request, &url, tries.sent, &mut stamp).await;
            if let (Ok(answer), Some(read)) = (&answer, self.read_quota) {
                match read(&answer.headers, self.clock.now()) {
                    Some(quota) => {
                        self.meter.saw_quota(ticket.saw_quota(quota, self.clock.now()));
                        self.meter.saw_others(self.quota.others());
                    }
                    None if answer.status.is_success() => ticket.saw_nothing(),
                    None => {}
                }
            }
            drop(ticket);
            let next = match &answer {
                Ok(answer) => self.weigh_answer(request, tries, answer, &mut judge),
                Err(loss) => Self::weigh_loss(request, tries, loss),
            };
            // Not earlier: whoever gets this place must know what the answer asked of everybody.
            drop(permit);
            let answer = answer.as_ref().ok();
            match next {
                NextTry::Done(done) => return Ok(done),
                NextTry::Fail(error) => return Err(self.settle_verdict(request, tries, error, answer)),
                NextTry::Again(error, wait) => {
                    let paid = tries.sent <= self.rate.retries
                        && match wait {
                            Wait::Backoff => self.budget.take_retry(),
                            Wait::Asked => true,
                        };
                    if !paid {
                        return Err(self.settle_verdict(request, tries, error, answer));
                    }
                    if let Wait::Backoff = wait {
                        let rest = self.wait_or_stop(backoff_time(&*self.clock, tries.sent)).await;
                        rest.map_err(|error| self.settle_verdict(request, tries, error, None))?;
                    }
                }
            }
        }
    }

    /// Waits until a request may leave.
    async fn admit_request(&self) -> Result<(SemaphorePermit<'_>, Ticket<'_>), CallError> {
        let permit = self.permits.acquire().await.map_err(|_| {
            // The semaphore is never closed; if it were, nothing could be sent.
            CallError::new(Trouble::Unavailable, "no request can be sent any more")
        })?;
        let _turn = self.turn.lock().await;
        loop {
            if self.stop.is_requested() {
                return Err(stopped_error());
            }
            let held = self.pacer.held_back();
            if held > PATIENCE {
                return Err(CallError::new(
                    Trouble::Unavailable,
                    format!("{} asks to wait another {held:.0?}", self.address.host),
                ));
            }
            match self.quota.ask_leave(self.clock.now()) {
                Leave::Granted => {}
                Leave::AfterAnAnswer => {
                    self.quota.wait_for_answer().await;
                    continue;
                }
                Leave::Exhausted { quota, until } if self.rate.wait_for_quota => {
                    let wait = until.duration_since(self.clock.now());
                    let wait = Duration::try_from(wait).unwrap_or_default() + Duration::from_secs(1);
                    info!(remaining = quota.remaining, %until, "the daily quota is used up to its reserve: waiting");
                    self.wait_or_stop(wait).await?;
                    continue;
                }
                Leave::Exhausted { quota, .. } => return Err(exhausted_error(quota)),
            }
            match self.pacer.try_pass() {
                Ok(()) => return Ok((permit, self.quota.take_ticket())),
                Err(wait) => self.wait_or_stop(wait).await?,
            }
        }
    }

    /// Sleeps, unless somebody wants to stop.
    async fn wait_or_stop(&self, time: Duration) -> Result<(), CallError> {
        tokio::select! {
            biased;
            () = self.stop.wait_requested() => Err(stopped_error()),
            () = self.clock.sleep(time) => Ok(()),
        }
    }

    /// One try.
    async fn try_request(
        &self,
        request: &HttpRequest<'_>,
        url: &Url,
        attempt: u32,
        stamp: &mut (impl FnMut(&mut HeaderMap) + Send),
    ) -> Result<HttpAnswer, Loss> {
        let mut message = reqwest::Request::new(request.method.clone(), url.clone());
        if let Some(body) = &request.body {
            message.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *message.body_mut() = Some(body.clone().into());
        }
        stamp(message.headers_mut());
        self.mark_secrets(message.headers_mut());
        trace!(method = %request.method, path = request.path, headers = ?message.headers(), "sending");
        let start = self.clock.elapsed();
        let result = self.transport.exchange_messages(message, url).await;
        let elapsed_ms = u64::try_from(self.clock.elapsed().saturating_sub(start).as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok((status, mut headers, body)) => {
                self.mark_secrets(&mut headers);
                debug!(
                    method = %request.method,
                    path = request.path,
                    status = status.as_u16(),
                    elapsed_ms,
                    attempt,
                    trxid = self.transaction_id(&headers, request.secrets).as_deref(),
                    "answered"
                );
                Ok(HttpAnswer { status, headers, body })
            }
            Err(loss) => {
                debug!(
                    method = %request.method,
                    path = request.path,
                    elapsed_ms,
                    attempt,
                    error = %self.redactor.scrub_text(&loss.message, request.secrets),
                    "not answered"
                );
                Err(loss)
            }
        }
    }

    fn mark_secrets(&self, headers: &mut HeaderMap) {
        for name in &self.secret_headers {
            if let Some(value) = headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
    }
}

#[cfg(test)]
mod tests;
