//! Tells a webhook how a run ended. It is tried again for a while, and no longer: whoever waits for the run's exit code
//! does not wait for a server that hangs.
//!
//! The law kept here: nothing but https leaves, loopback aside; no redirect is followed; the address is a secret, and no
//! error names any part of it.

use std::time::Duration;

use reqwest::{StatusCode, Url};

use super::FinishedRun;
use super::message::{SIGNATURE, message_body, sign_body, summary_occasions};
use super::wire::{LostDelivery, MessageWire, Post, WebhookMessage};
use crate::clock::{Clock, Stop, blocking};
use crate::config::{Occasion, WebhookSettings};
use crate::connectors::http::{Network, NetworkError, retry_after};
use crate::model::Secret;
use crate::report::Invocation;
use crate::settings::{SecretError, SecretSource};

/// From the first look at where the address is kept to the last answer.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The same, where somebody wants the process to end: schedulers kill what takes longer than some ten seconds.
pub const PATIENCE_WHEN_STOPPED: Duration = Duration::from_secs(5);
/// For one message and its answer.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Before the second attempt, half of it at least; it doubles from one to the next.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Why a webhook was not told.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("where its address is kept: {0}")]
    Url(SecretError),
    #[error("where its key is kept: {0}")]
    Key(SecretError),
    #[error("its address {0}")]
    Address(&'static str),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("it answered {0}, and redirects are not followed: use the final address")]
    Redirected(StatusCode),
    #[error("it answered {0}")]
    Refused(StatusCode),
    #[error("it answered {status} ({attempts} attempts)")]
    Failing { status: StatusCode, attempts: u32 },
    #[error("{why} ({attempts} attempts)")]
    Lost { why: LostDelivery, attempts: u32 },
    #[error("the command was stopped")]
    Stopped,
}

/// Tells the webhook, where the run came to something that it wants to be told of. Takes [`PATIENCE`] at most.
///
/// # Errors
/// What kept the message from arriving, after as many attempts as there was time for.
pub async fn send_webhook(
    settings: &WebhookSettings,
    network: &Network,
    over: &FinishedRun,
    called: &Invocation,
    clock: &dyn Clock,
    stop: &Stop,
) -> Result<(), WebhookError> {
    let occasions = summary_occasions(&over.head.summary);
    if !settings.on.iter().any(|wanted| occasions.contains(wanted)) {
        return Ok(());
    }
    if stop.is_requested() {
        // There was one wish to stop, and the run has followed it; a message about it is short enough to be sent.
        return send(settings, network, over, &occasions, called, clock, PATIENCE_WHEN_STOPPED).await;
    }
    tokio::select! {
        biased;
        told = send(settings, network, over, &occasions, called, clock, PATIENCE) => told,
        () = stop.wait_requested() => Err(WebhookError::Stopped),
    }
}

async fn send(
    settings: &WebhookSettings,
    network: &Network,
    over: &FinishedRun,
    occasions: &[Occasion],
    called: &Invocation,
    clock: &dyn Clock,
    patience: Duration,
) -> Result<(), WebhookError> {
    let deadline = clock.elapsed() + patience;
    let left = || deadline.saturating_sub(clock.elapsed());
    let secret = |source: &SecretSource| blocking(|| source.resolve_within(left()));
    let url = check_url(&secret(&settings.url).map_err(WebhookError::Url)?)?;
    let key = settings.secret.as_ref().map(secret).transpose().map_err(WebhookError::Key)?;
    let post = MessageWire::new(&url, network)?;
    let body = message_body(over, occasions, clock.random(), called);
    deliver_message(&post, &url, key.as_ref(), &body, clock, deadline).await
}

/// The address, if anything may be sent there.
fn check_url(text: &Secret) -> Result<Url, WebhookError> {
    let url = Url::parse(text.expose().trim()).map_err(|_| WebhookError::Address("is no URL"))?;
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return Err(WebhookError::Address("names no host"));
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = bare.parse::<std::net::IpAddr>().map_or(bare == "localhost", |ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        _ => Err(WebhookError::Address("must begin with https: nothing leaves this machine unencrypted")),
    }
}

/// Sends until the message is taken, or is refused for good, or the time is over. Each attempt is signed anew.
async fn deliver_message(
    post: &dyn Post,
    url: &Url,
    key: Option<&Secret>,
    body: &[u8],
    clock: &dyn Clock,
    deadline: Duration,
) -> Result<(), WebhookError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let limit = deadline.saturating_sub(clock.elapsed()).min(ATTEMPT);
        let signature = key.map(|key| (SIGNATURE, sign_body(key, clock.now(), body)));
        let answer = post.post(WebhookMessage { url, body, signature }, limit).await;
        let (asked, error) = match answer {
            Ok((status, _)) if status.is_success() => return Ok(()),
            Ok((status, _)) if status.is_redirection() => return Err(WebhookError::Redirected(status)),
            Ok((status, _)) if !is_passing(status) => return Err(WebhookError::Refused(status)),
            Ok((status, headers)) => (retry_after(&headers, clock.now()), WebhookError::Failing { status, attempts }),
            Err(why) => (None, WebhookError::Lost { why, attempts }),
        };
        let pause = asked.unwrap_or_default().max(backoff_time(attempts, clock.random()));
        if clock.elapsed().saturating_add(pause) >= deadline {
            return Err(error);
        }
        clock.sleep(pause).await;
    }
}

/// Whether what a server says now it may not say in a moment.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

/// Between half a pause and a whole one.
fn backoff_time(attempts: u32, random: u64) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << (attempts - 1).min(8)).min(LONGEST_PAUSE);
    let half = pause / 2;
    let share = u32::try_from(random % 1001).unwrap_or_default();
    half + half * share / 1000
}

#[cfg(test)]
mod tests;
