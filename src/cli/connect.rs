//! From settings to a tenant that can be asked: secrets are read here, and the built-in sandbox is started.

use std::path::PathBuf;
use std::sync::Arc;

use super::failure::Failure;
use super::quota::QuotaFile;
use super::workbench::Configured;
use crate::clock::{Clock, Stop};
use crate::connectors::{ConnectError, Connector, Link};
use crate::files::make_private_dir;
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
        let shown = match shown {
            Shown::Compared => self.compared(),
            Shown::Everything => self.schema.iter().map(|(_, attribute)| attribute.name.clone()).collect(),
        };
        let link = Link {
            base_url: &base_url,
            rate: &self.settings.rate,
            clock: clock.clone(),
            stop: stop.clone(),
            mapped: &self.mapped(),
            shown: &shown,
            sandbox: sandbox.is_some().then_some(settings.kind.sandbox_login),
        };
        let target = settings.settings.connect(link).await?;
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
            seed,
            state: Some(self.kept_sandbox()),
            clock,
            ..sandbox::Options::new((self.settings.target.kind.simulate)())
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
}

/// What a listing must show of every account.
#[derive(Clone, Copy)]
enum Shown {
    /// What the configuration compares.
    Compared,
    Everything,
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let message = error.to_string();
        match error {
            ConnectError::Call(error) => error.into(),
            ConnectError::Missing { .. } => Self::new("configuration", message),
            ConnectError::Secret { setting, .. } => Self::new("configuration", message)
                .hint(format!("the secret is read from there each time; target.{setting} may name another place")),
        }
    }
}
