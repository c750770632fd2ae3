//! One message over the wire. Knows why none arrived, and says so without the address: whoever has that can write to it.

use std::error::Error;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{StatusCode, Url};

use crate::connectors::http::{Network, NetworkError};

/// What takes a message there. There is one, [`MessageWire`], and what tests put in its place.
pub(super) trait Post: Send + Sync {
    /// Sends, and waits so long for the beginning of an answer; the rest of it is of no interest.
    fn post<'a>(
        &'a self,
        letter: WebhookMessage<'a>,
        limit: Duration,
    ) -> BoxFuture<'a, Result<WebhookAnswer, LostDelivery>>;
}

/// A message with its headers.
pub(super) struct WebhookMessage<'a> {
    pub url: &'a Url,
    pub body: &'a [u8],
    /// Name and value, where it is signed.
    pub signature: Option<(&'static str, String)>,
}

pub(super) type WebhookAnswer = (StatusCode, HeaderMap);

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LostDelivery {
    #[error("its host is not found")]
    Unknown,
    #[error("its host cannot be reached")]
    Unreachable,
    #[error("its certificate is not trusted")]
    Untrusted,
    #[error("it did not answer in time")]
    Late,
    #[error("the connection broke")]
    Broken,
}

/// The network.
pub(super) struct MessageWire(reqwest::Client);

impl MessageWire {
    /// # Errors
    /// The settings of the network, or a machine without certificates to trust.
    pub fn new(url: &Url, network: &Network) -> Result<Self, NetworkError> {
        let client = network.client_builder(url.scheme() == "https")?.build();
        client.map(Self).map_err(|_| NetworkError::Tls("install the system's CA certificates".to_owned()))
    }
}

impl Post for MessageWire {
    fn post<'a>(
        &'a self,
        letter: WebhookMessage<'a>,
        limit: Duration,
    ) -> BoxFuture<'a, Result<WebhookAnswer, LostDelivery>> {
        Box::pin(async move {
            let mut request = self
                .0
                .post(letter.url.clone())
                .timeout(limit)
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(letter.body.to_vec());
            if let Some((name, value)) = letter.signature {
                request = request.header(HeaderName::from_static(name), value);
            }
            let answer = request.send().await.map_err(|error| lost_delivery(&error))?;
            Ok((answer.status(), answer.headers().clone()))
        })
    }
}

fn lost_delivery(error: &reqwest::Error) -> LostDelivery {
    if error.is_timeout() {
        LostDelivery::Late
    } else if error.is_connect() {
        if is_of_tls(error) {
            LostDelivery::Untrusted
        } else if error.is_dns() {
            LostDelivery::Unknown
        } else {
            LostDelivery::Unreachable
        }
    } else {
        LostDelivery::Broken
    }
}

/// Whether TLS is among the causes. An [`std::io::Error`] names the source of what it wraps and skips what it wraps, so
/// that is looked into here.
fn is_of_tls(error: &(dyn Error + 'static)) -> bool {
    let mut links = std::iter::successors(Some(error), |&link| {
        let inner = link.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| link.source())
    });
    links.any(|link| link.is::<rustls::Error>())
}
