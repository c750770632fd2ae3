//! From settings to a tenant that can be asked: secrets are read here, and the built-in sandbox is started.

use std::path::PathBuf;
use std::sync::Arc;

use super::failure::Failure;
use super::quota::QuotaFile;
use super::workbench::Configured;
use crate::clock::{Clock, Stop};
use crate::config::{KindSettings, SecretSource};
use crate::connectors::{Connector, brightpattern, imichat, scim};
use crate::files::make_private_dir;
use crate::model::Secret;
use crate::sandbox::{self, Sandbox};

/// A tenant that can be asked.
pub struct Connected {
    pub target: Box<dyn Connector>,
    sandbox: Option<Sandbox>,
    quota: QuotaFile,
}

impl Connected {
    /// To a tenant in memory.
    #[cfg(test)]
    pub fn to(target: impl Connector + 'static, quota: QuotaFile) -> Self {
        Self { target: Box::new(target), sandbox: None, quota }
    }

    /// Ends the sandbox, where there is one, so that its state is kept. What is left of the quota is kept as well: who
    /// comes next need not spend a request on learning that there is none left.
    pub async fn close(self) -> Result<(), Failure> {
        self.quota.keep(self.target.meter());
        drop(self.target);
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await?;
        }
        Ok(())
    }
}

impl Configured {
    /// Connects to the target; starts the built-in sandbox where the settings ask for it.
    pub async fn connect(&self, clock: Arc<dyn Clock>, stop: &Arc<Stop>) -> Result<Connected, Failure> {
        self.connect_showing(Shown::Compared, clock, stop).await
    }

    /// As [`Configured::connect`], for whoever wants to know everything of every account, whatever it costs.
    pub async fn connect_to_all(&self, clock: Arc<dyn Clock>, stop: &Arc<Stop>) -> Result<Connected, Failure> {
        self.connect_showing(Shown::Everything, clock, stop).await
    }

    async fn connect_showing(
        &self,
        shown: Shown,
        clock: Arc<dyn Clock>,
        stop: &Arc<Stop>,
    ) -> Result<Connected, Failure> {
        let settings = &self.settings.target;
        let sandbox = if settings.is_sandbox() {
            Some(self.sandbox_from(sandbox::Seed::Sample, clock.clone()).await?)
        } else {
            None
        };
        let base_url = sandbox.as_ref().map_or_else(|| settings.base_url.value.clone(), Sandbox::base_url);
        let at = At { base_url: &base_url, sandbox: sandbox.is_some(), clock: clock.clone(), stop: stop.clone() };
        let target = match &settings.kind {
            KindSettings::Imichat(kind) => self.imichat(kind, at)?,
            KindSettings::Brightpattern(kind) => self.brightpattern(kind, at, shown)?,
            KindSettings::Scim(kind) => self.scim(kind, at).await?,
        };
        self.remember_schema(&*target)?;
        let quota = self.quota_file(clock);
        quota.recall(&*target);
        Ok(Connected { target, sandbox, quota })
    }

    /// What earlier commands saw of this tenant's quota.
    pub fn quota_file(&self, clock: Arc<dyn Clock>) -> QuotaFile {
        let of = format!("{} {}", self.settings.target.tenant, self.target_name());
        QuotaFile { path: self.state.quota(), of, clock }
    }

    async fn sandbox_from(&self, seed: sandbox::Seed, clock: Arc<dyn Clock>) -> Result<Sandbox, Failure> {
        make_private_dir(self.state.path())?;
        let options = sandbox::Options {
            kind: self.settings.target.kind.name().parse()?,
            seed,
            state: Some(self.kept_sandbox()),
            clock,
            ..sandbox::Options::default()
        };
        Ok(sandbox::start(options).await?)
    }

    /// Begins the built-in sandbox as a tenant that nobody is in, unless it was begun before.
    pub async fn empty_sandbox(&self, clock: Arc<dyn Clock>) -> Result<(), Failure> {
        if !self.kept_sandbox().exists() {
            self.sandbox_from(sandbox::Seed::Empty, clock).await?.stop().await?;
        }
        Ok(())
    }

    fn kept_sandbox(&self) -> PathBuf {
        self.state.path().join("sandbox.json")
    }

    fn imichat(&self, kind: &imichat::ImichatSettings, at: At<'_>) -> Result<Box<dyn Connector>, Failure> {
        let (key, domain) = if at.sandbox {
            (Secret::new(sandbox::API_KEY), sandbox::DOMAIN.to_owned())
        } else {
            (resolve("api_key", kind.api_key.as_ref())?, given("domain", kind.domain.as_ref())?)
        };
        let target = imichat::connect(kind, at.base_url, &self.settings.rate, at.clock, at.stop, &key, &domain)?;
        Ok(Box::new(target))
    }

    fn brightpattern(
        &self,
        kind: &brightpattern::BrightpatternSettings,
        at: At<'_>,
        shown: Shown,
    ) -> Result<Box<dyn Connector>, Failure> {
        let login = if at.sandbox {
            brightpattern::Login {
                client_id: sandbox::CLIENT_ID.to_owned(),
                client_secret: Secret::new(sandbox::CLIENT_SECRET),
                scope: sandbox::DOMAIN.to_owned(),
            }
        } else {
            brightpattern::Login {
                client_id: given("client_id", kind.client_id.as_ref())?,
                client_secret: resolve("client_secret", kind.client_secret.as_ref())?,
                scope: given("scope", kind.scope.as_ref())?,
            }
        };
        let rate = &self.settings.rate;
        let needed = match shown {
            Shown::Compared => self.compared(),
            Shown::Everything => self.schema.iter().map(|(_, attribute)| attribute.name.clone()).collect(),
        };
        Ok(Box::new(brightpattern::connect(at.base_url, rate, at.clock, at.stop, login, &needed)?))
    }

    async fn scim(&self, kind: &scim::ScimSettings, at: At<'_>) -> Result<Box<dyn Connector>, Failure> {
        let login = match &kind.credentials {
            Some(credentials) if !at.sandbox => match credentials {
                scim::Credentials::Bearer { token } => scim::Login::Bearer(resolve("token", Some(token))?),
                scim::Credentials::Basic { username, password } => {
                    scim::Login::Basic { username: username.clone(), password: resolve("password", Some(password))? }
                }
                scim::Credentials::ClientCredentials { token_url, client_id, client_secret, scope } => {
                    scim::Login::ClientCredentials {
                        token_url: token_url.clone(),
                        client_id: client_id.clone(),
                        client_secret: resolve("client_secret", Some(client_secret))?,
                        scope: scope.clone(),
                    }
                }
            },
            _ => scim::Login::Bearer(Secret::new(sandbox::TOKEN)),
        };
        let rate = &self.settings.rate;
        Ok(scim::connect(kind, at.base_url, rate, at.clock, at.stop, login, &self.mapped()).await?)
    }
}

/// What a listing must show of every account.
#[derive(Clone, Copy)]
enum Shown {
    /// What the configuration compares.
    Compared,
    Everything,
}

/// Where a tenant is, and what every connection needs.
struct At<'a> {
    base_url: &'a str,
    sandbox: bool,
    clock: Arc<dyn Clock>,
    stop: Arc<Stop>,
}

fn resolve(name: &str, secret: Option<&SecretSource>) -> Result<Secret, Failure> {
    let secret = secret.ok_or_else(|| missing(name))?;
    secret.resolve().map_err(|error| {
        Failure::new("configuration", format!("target.{name}: {error}"))
            .hint(format!("the secret is read from there each time; target.{name} may name another place"))
    })
}

fn given(name: &str, value: Option<&String>) -> Result<String, Failure> {
    value.cloned().ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Failure {
    Failure::new("configuration", format!("target.{name} is missing"))
}
