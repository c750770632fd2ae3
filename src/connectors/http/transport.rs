//! One request over the wire and its answer, read to the end within bounds. Knows what a failure proves: that nothing
//! was sent, that the other side's identity could not be established, or nothing at all.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::header::HeaderMap;
use reqwest::{StatusCode, Url};

use super::address::{Address, name_host};
use super::{Network, NetworkError, Rate};
use crate::connectors::CallError;
use crate::testing::failpoints::{self, Failpoint};

/// Longer answers are refused. A page of a listing has a few kilobytes, a directory of 100,000 people some 20 MiB.
pub const LONGEST_BODY: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Common servers hang up after five idle seconds. A create that crosses with the hanging up is of unknown outcome, so
/// this side hangs up first.
const IDLE: Duration = Duration::from_secs(4);

/// What takes a request there and brings its answer back. There is one, [`Wire`], and what tests put in its place.
pub trait Transport: Send + Sync {
    /// Sends, and reads the answer to its end. Of the address only the host is ever named.
    fn exchange_messages<'a>(
        &'a self,
        request: reqwest::Request,
        url: &'a Url,
    ) -> BoxFuture<'a, Result<Received, Loss>>;
}

/// An answer as it came in.
pub type Received = (StatusCode, HeaderMap, Bytes);

/// The network.
pub struct HttpWire {
    client: reqwest::Client,
    timeout: Duration,
    /// What follows the host where messages say what could not be reached.
    via: String,
}

/// A request that brought no answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Loss {
    pub proves: Proof,
    pub message: String,
}

/// What a loss proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// No connection came about, so the request was not sent.
    Unsent,
    /// The other side's certificate was refused, or it does not speak TLS; nothing was sent.
    Untrusted,
    /// The answer is longer than [`LONGEST_BODY`].
    TooLong,
    /// It may have been carried out.
    Nothing,
}

impl HttpWire {
    /// # Errors
    /// [`Trouble::Configuration`](crate::connectors::Trouble::Configuration) where no TLS can be set up.
    pub fn new(address: &Address, rate: &Rate, network: &Network) -> Result<Self, CallError> {
        let via = network.describe_proxy().filter(|_| address.https);
        let via = via.map_or_else(String::new, |proxy| format!(" through {proxy}"));
        Ok(Self { client: build(address, rate, network)?, timeout: rate.timeout, via })
    }
}

impl Transport for HttpWire {
    fn exchange_messages<'a>(
        &'a self,
        request: reqwest::Request,
        url: &'a Url,
    ) -> BoxFuture<'a, Result<Received, Loss>> {
        Box::pin(self.send_and_receive(request, url))
    }
}

fn build(address: &Address, rate: &Rate, network: &Network) -> Result<reqwest::Client, CallError> {
    let builder = network
        .client_builder(address.https)?
        .gzip(true)
        .connect_timeout(CONNECT_TIMEOUT.min(rate.timeout))
        .timeout(rate.timeout)
        .pool_max_idle_per_host(rate.concurrency.max(1))
        .pool_idle_timeout(IDLE);
    Ok(builder.build().map_err(|error| NetworkError::Tls(innermost_cause(&error)))?)
}

impl HttpWire {
    async fn send_and_receive(&self, request: reqwest::Request, url: &Url) -> Result<Received, Loss> {
        let lost =
            |error: reqwest::Error| classify_loss(&error, &format!("{}{}", name_host(url), self.via), self.timeout);
        let method = request.method().clone();
        failpoints::reach_kind(Failpoint::RequestLeaves, method.as_str());
        let mut response = self.client.execute(request).await.map_err(lost)?;
        failpoints::reach_kind(Failpoint::AnswerBegins, method.as_str());
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let Some(first) = response.chunk().await.map_err(lost)? else { return Ok((status, headers, Bytes::new())) };
        // Most answers arrive in one piece, which then needs no copy.
        let Some(second) = response.chunk().await.map_err(lost)? else { return Ok((status, headers, first)) };
        let mut body = BytesMut::from(&first[..]);
        body.extend_from_slice(&second);
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > LONGEST_BODY {
                let message = format!("an answer longer than {} MiB", LONGEST_BODY >> 20);
                return Err(Loss { proves: Proof::TooLong, message });
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, headers, body.freeze()))
    }
}

fn classify_loss(error: &reqwest::Error, host: &str, timeout: Duration) -> Loss {
    let cause = innermost_cause(error);
    if error.is_connect() {
        if let Some(tls) = tls_failure(error) {
            return Loss { proves: Proof::Untrusted, message: format!("no trusted connection to {host}: {tls}") };
        }
        let message = if error.is_dns() {
            format!("cannot find {host}: {cause}")
        } else {
            format!("cannot reach {host}: {cause}")
        };
        return Loss { proves: Proof::Unsent, message };
    }
    if error.is_builder() {
        return Loss { proves: Proof::Untrusted, message: format!("the request cannot be made: {cause}") };
    }
    let message = if error.is_timeout() {
        format!("no answer from {host} within {timeout:?}")
    } else {
        format!("the connection to {host} broke: {cause}")
    };
    Loss { proves: Proof::Nothing, message }
}

fn tls_failure(error: &(dyn Error + 'static)) -> Option<String> {
    cause_chain(error).find_map(|link| link.downcast_ref::<rustls::Error>()).map(ToString::to_string)
}

/// The last link of the chain, which says what happened; the others say who noticed.
fn innermost_cause(error: &(dyn Error + 'static)) -> String {
    cause_chain(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The error and its causes. An [`std::io::Error`] names the source of what it wraps and skips what it wraps, so that
/// is looked into here.
fn cause_chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&link| {
        let inner = link.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| link.source())
    })
}
