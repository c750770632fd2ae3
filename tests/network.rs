//! What a company network puts between a machine and the internet: a proxy, an authority of its own, a server that asks
//! for a client certificate. Everything is on loopback, and behind it stands the sandbox.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use headcount::sandbox::scim::ScimBehaviour;
use headcount::sandbox::{self, Options, Sandbox, TOKEN};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A folder with a configuration and the certificates that it names.
struct Office {
    dir: TempDir,
    _sandbox: Sandbox,
    server: SocketAddr,
}

/// A certificate with its key, both in PEM.
struct Certified {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn new_authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn certify(authority: &Authority, name: &str) -> Certified {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    Certified { certificate: params.signed_by(&key, authority).unwrap(), key }
}

/// Who has to show a certificate to the server.
enum Clients {
    Anybody,
    CertifiedBy(Box<Authority>),
}

impl Office {
    /// A sandbox behind a server that speaks TLS with a certificate of its own authority, `ca.pem`.
    async fn open(clients: Clients) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = sandbox::start(Options::new(Arc::new(ScimBehaviour::default()))).await.unwrap();
        let authority = new_authority("Acme CA");
        fs::write(dir.path().join("ca.pem"), authority.pem()).unwrap();
        let Certified { certificate, key } = certify(&authority, "localhost");
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = match clients {
            Clients::Anybody => config.with_no_client_auth(),
            Clients::CertifiedBy(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der().clone()).unwrap();
                let provider = Arc::new(rustls::crypto::ring::default_provider());
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let server = serve_tls(TlsAcceptor::from(Arc::new(config)), sandbox.address()).await;
        Self { dir, _sandbox: sandbox, server }
    }

    /// Signs in, with this `[network]`, as `check --online` does: exit code, and what was said.
    async fn check_online(&self, network: &str, env: &[(&str, &str)]) -> (Option<i32>, String) {
        let text = format!(
            "[source]\npath = \"hr.csv\"\nidentity = \"id\"\n[target]\nkind = \"scim\"\n\
             base_url = \"https://localhost:{}/scim/v2\"\ntoken = {{ env = \"TOKEN\" }}\n\
             [match]\nrules = [[\"userName\"]]\n[map]\nuserName = \"id\"\nexternalId = \"id\"\n\
             [rate]\nrequests_per_second = 0\nretries = 0\n[network]\n{network}\n",
            self.server.port()
        );
        fs::write(self.dir.path().join("config.toml"), text).unwrap();
        fs::write(self.dir.path().join("hr.csv"), "id\nana\n").unwrap();
        let mut command = assert_cmd::Command::cargo_bin("headcount").unwrap();
        command.current_dir(self.dir.path()).args(["check", "--online", "--no-progress"]).env("TOKEN", TOKEN);
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        command.envs(env.iter().copied());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Decrypts, and passes everything on to the sandbox.
async fn serve_tls(acceptor: TlsAcceptor, sandbox: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust this server, or is not trusted by it, hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut inner = TcpStream::connect(sandbox).await.unwrap();
                let _ended = copy_bidirectional(&mut stream, &mut inner).await;
            });
        }
    });
    address
}

/// A proxy that takes `CONNECT`, and what it was asked for.
struct ConnectProxy {
    address: SocketAddr,
    tunnels: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// `login` is what a head must contain, where it insists on one.
    async fn start(login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tunnels, heads) = <(Arc<AtomicUsize>, Arc<Mutex<Vec<String>>>)>::default();
        let proxy = Self { address, tunnels: Arc::clone(&tunnels), heads: Arc::clone(&heads) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tunnels, heads) = (Arc::clone(&tunnels), Arc::clone(&heads));
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap() > 0 {}
                    heads.lock().unwrap().push(head.clone());
                    if login.is_some_and(|login| !head.contains(login)) {
                        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
                        stream.write_all(refusal).await.unwrap();
                        return;
                    }
                    let to = head.split_whitespace().nth(1).unwrap().to_owned();
                    let mut inner = TcpStream::connect(to).await.unwrap();
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    tunnels.fetch_add(1, Ordering::Relaxed);
                    let _ended = copy_bidirectional(&mut stream, &mut inner).await;
                });
            }
        });
        proxy
    }

    fn tunnels(&self) -> usize {
        self.tunnels.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_the_companys_own_is_trusted_when_it_is_named() {
    let office = Office::open(Clients::Anybody).await;
    let (code, said) = office.check_online("", &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no trusted connection to localhost") && said.contains("network.ca_file"), "{said}");
    let (code, said) = office.check_online("ca_file = \"ca.pem\"", &[]).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_goes_through_the_proxy_that_is_named() {
    let office = Office::open(Clients::Anybody).await;
    let proxy = ConnectProxy::start(None).await;
    let network = format!("ca_file = \"ca.pem\"\nproxy = \"http://{}\"", proxy.address);
    let (code, said) = office.check_online(&network, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(proxy.tunnels() > 0, "the proxy saw nothing");
    let wanted = format!("CONNECT localhost:{} HTTP/1.1\r\n", office.server.port());
    assert!(proxy.heads.lock().unwrap().iter().all(|head| head.starts_with(&wanted)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_names_a_proxy_only_when_the_configuration_says_so() {
    let office = Office::open(Clients::Anybody).await;
    let proxy = ConnectProxy::start(Some("Basic bWU6d29yZA==")).await;
    let with_login = format!("http://me:word@{}", proxy.address);
    let env = [("HTTPS_PROXY", &*with_login)];
    let (code, said) = office.check_online("ca_file = \"ca.pem\"", &env).await;
    assert_eq!((code, proxy.tunnels()), (Some(0), 0), "{said}");
    let network = "ca_file = \"ca.pem\"\nproxy = \"environment\"";
    let (code, said) = office.check_online(network, &env).await;
    assert_eq!(code, Some(0), "{said}");
    let tunnels = proxy.tunnels();
    assert!(tunnels > 0, "the proxy saw nothing");
    let (code, said) = office.check_online(network, &[("HTTPS_PROXY", &with_login), ("NO_PROXY", "localhost")]).await;
    assert_eq!((code, proxy.tunnels()), (Some(0), tunnels), "{said}");
    let without_login = format!("http://{}", proxy.address);
    let (code, said) = office.check_online(network, &[("HTTPS_PROXY", &without_login)]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("through the proxy that HTTPS_PROXY") && said.contains("authorization"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_there_is_named() {
    let office = Office::open(Clients::Anybody).await;
    let (code, said) = office.check_online("ca_file = \"ca.pem\"\nproxy = \"http://127.0.0.1:1\"", &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("through the proxy http://127.0.0.1:1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_certificate_gets_it() {
    let clients = new_authority("Acme clients");
    let Certified { certificate, key } = certify(&clients, "headcount");
    let office = Office::open(Clients::CertifiedBy(Box::new(clients))).await;
    fs::write(office.path().join("hr.pem"), certificate.pem()).unwrap();
    fs::write(office.path().join("hr.key"), key.serialize_pem()).unwrap();
    let (code, said) = office.check_online("ca_file = \"ca.pem\"", &[]).await;
    assert_eq!(code, Some(1), "{said}");
    let identity = "ca_file = \"ca.pem\"\nclient_cert = \"hr.pem\"\nclient_key = { file = \"hr.key\" }";
    let (code, said) = office.check_online(identity, &[]).await;
    assert_eq!(code, Some(0), "{said}");
    let from_variable = identity.replace("{ file = \"hr.key\" }", "{ env = \"HR_KEY\" }");
    let (code, said) = office.check_online(&from_variable, &[("HR_KEY", &key.serialize_pem())]).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_hold_something_else_are_named() {
    let office = Office::open(Clients::Anybody).await;
    fs::write(office.path().join("notes.txt"), "no certificate").unwrap();
    let half = "client_cert = \"notes.txt\"";
    for (network, expected) in [
        ("ca_file = \"none.pem\"", "network.ca_file: "),
        ("ca_file = \"notes.txt\"", "has no certificate"),
        ("client_cert = \"ca.pem\"\nclient_key = { file = \"notes.txt\" }", "do not make an identity"),
        (half, "is only half of an identity"),
        ("proxy = \"http://me:word@proxy:3128\"", "must not contain a login"),
    ] {
        let (code, said) = office.check_online(network, &[]).await;
        assert_eq!(code, Some(1), "{network}: {said}");
        assert!(said.contains(expected) && !said.contains("word"), "{network}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_goes_the_same_way() {
    let office = Office::open(Clients::Anybody).await;
    let proxy = ConnectProxy::start(None).await;
    // The target cannot be signed in to, which the webhook is told of; what answers it is no webhook.
    let network = format!(
        "ca_file = \"ca.pem\"\nproxy = \"http://{}\"\n[report]\nwebhook = {{ url = {{ env = \"HOOK\" }} }}",
        proxy.address
    );
    let (code, _) = office.check_online(&network, &[]).await;
    assert_eq!(code, Some(0));
    let tunnels = proxy.tunnels();
    let hook = format!("https://localhost:{}/hook", office.server.port());
    let mut command = assert_cmd::Command::cargo_bin("headcount").unwrap();
    command.current_dir(office.path()).args(["sync", "--yes", "--no-progress", "--format", "json"]);
    command.env("TOKEN", "no token").env("HOOK", hook);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["outcome"], "failed", "{summary}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the webhook") && said.contains("404"), "{said}");
    assert!(proxy.tunnels() > tunnels);
}
