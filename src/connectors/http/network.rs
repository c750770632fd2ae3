//! What stands between this machine and the internet: a proxy, certificates of one's own. All HTTP clients are prepared
//! here, so that none leaves another way.

use std::io;
use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder, Identity, Proxy, redirect, retry};

use crate::connectors::{CallError, Trouble};
use crate::settings::{SecretError, SecretSource};

/// `[network]`: the way to the target and to the webhook.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    pub proxy: Option<ProxyChoice>,
    /// Certificates (PEM) of authorities that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// A certificate (PEM) that identifies this client, with those that signed it.
    pub client_cert: Option<PathBuf>,
    /// Its private key (PEM).
    pub client_key: Option<SecretSource>,
}

/// Which proxy requests go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyChoice {
    /// The one that `HTTPS_PROXY` names, but for the hosts of `NO_PROXY`.
    Environment,
    /// The one at this address.
    Address(String),
}

/// Why no request can leave.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("network.{setting}: {} cannot be read: {source}", path.display())]
    Unreadable { setting: &'static str, path: PathBuf, source: io::Error },
    #[error("network.ca_file: {} has no certificate", path.display())]
    NoCertificate { path: PathBuf },
    #[error("network.ca_file: a certificate in {} cannot be read: {why}", path.display())]
    BadCertificate { path: PathBuf, why: String },
    #[error("network.client_key: {0}")]
    Key(SecretError),
    #[error("network.client_cert and network.client_key do not make an identity: {0}")]
    Identity(String),
    #[error("network.proxy: {0}")]
    Proxy(String),
    #[error("no HTTPS client can be set up: {0}")]
    Tls(String),
}

impl Network {
    /// A client that follows no redirect, repeats nothing by itself, and goes no other way than these settings say.
    /// A server on this machine that is spoken to without TLS needs neither proxy nor certificates, so that a machine
    /// without any can still rehearse.
    ///
    /// # Errors
    /// Files that cannot be read or do not hold what they should.
    pub fn client_builder(&self, https: bool) -> Result<ClientBuilder, NetworkError> {
        // Fails only when a provider is installed already, and then that one serves.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let builder = ClientBuilder::new()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .https_only(https)
            .user_agent(concat!("headcount/", env!("CARGO_PKG_VERSION")));
        if !https {
            return Ok(builder.no_proxy().tls_certs_only([]));
        }
        self.identify(self.trust_authorities(self.choose_proxy(builder)?)?)
    }

    /// How messages name the proxy that requests go through.
    pub fn describe_proxy(&self) -> Option<String> {
        match self.proxy.as_ref()? {
            ProxyChoice::Environment => Some("the proxy that HTTPS_PROXY and NO_PROXY choose".to_owned()),
            ProxyChoice::Address(url) => Some(format!("the proxy {url}")),
        }
    }

    fn choose_proxy(&self, builder: ClientBuilder) -> Result<ClientBuilder, NetworkError> {
        Ok(match &self.proxy {
            None => builder.no_proxy(),
            // What a client does that is told nothing of proxies.
            Some(ProxyChoice::Environment) => builder,
            Some(ProxyChoice::Address(url)) => {
                builder.proxy(Proxy::all(url).map_err(|error| NetworkError::Proxy(error.to_string()))?)
            }
        })
    }

    fn trust_authorities(&self, builder: ClientBuilder) -> Result<ClientBuilder, NetworkError> {
        let Some(path) = &self.ca_file else { return Ok(builder) };
        let pem = read_setting("ca_file", path)?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .map_err(|error| NetworkError::BadCertificate { path: path.clone(), why: error.to_string() })?;
        if certificates.is_empty() {
            return Err(NetworkError::NoCertificate { path: path.clone() });
        }
        Ok(builder.tls_certs_merge(certificates))
    }

    fn identify(&self, builder: ClientBuilder) -> Result<ClientBuilder, NetworkError> {
        let (Some(path), Some(key)) = (&self.client_cert, &self.client_key) else { return Ok(builder) };
        let mut pem = read_setting("client_cert", path)?;
        pem.push(b'\n');
        pem.extend(key.resolve().map_err(NetworkError::Key)?.expose().as_bytes());
        let identity = Identity::from_pem(&pem).map_err(|error| NetworkError::Identity(cause_of(&error)))?;
        Ok(builder.identity(identity))
    }
}

impl From<NetworkError> for CallError {
    fn from(error: NetworkError) -> Self {
        let hint = match &error {
            NetworkError::Tls(_) => "install the system's CA certificates",
            NetworkError::NoCertificate { .. } | NetworkError::BadCertificate { .. } => {
                "it needs PEM: blocks that begin with -----BEGIN CERTIFICATE-----"
            }
            NetworkError::Identity(_) => {
                "client_cert needs certificates in PEM, client_key their private key in PEM without a passphrase"
            }
            _ => "correct [network] in the configuration",
        };
        Self::new(Trouble::Configuration, error.to_string()).with_hint(hint)
    }
}

fn read_setting(setting: &'static str, path: &Path) -> Result<Vec<u8>, NetworkError> {
    std::fs::read(path).map_err(|source| NetworkError::Unreadable { setting, path: path.to_owned(), source })
}

/// What is behind an error that only says who noticed.
fn cause_of(error: &reqwest::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
