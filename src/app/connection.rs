//! From settings to a tenant that can be asked: secrets are read here, and the built-in sandbox is started.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::{AppError, ErrorKind};
use super::quota_file::QuotaFile;
use super::session::{Notice, Session};
use super::workspace::Workspace;
use crate::clock::Clock;
use crate::connectors::http::ServerAccess;
use crate::connectors::{ConnectError, Connector, Link};
use crate::files::make_private_dir;
use crate::sandbox::{self, Sandbox};

/// A tenant that can be asked.
pub struct Connection {
    pub target: Box<dyn Connector>,
    sandbox: Option<Sandbox>,
    quota: QuotaFile,
}

impl Connection {
    /// To a tenant in memory.
    #[cfg(test)]
    pub fn to(target: impl Connector + 'static, quota: QuotaFile) -> Self {
        Self { target: Box::new(target), sandbox: None, quota }
    }

    /// Ends the sandbox, where there is one, so that its state is kept. What is left of the quota is kept as well: who
    /// comes next need not spend a request on learning that there is none left.
    pub async fn close(self) -> Result<(), AppError> {
        self.quota.keep_reading(self.target.meter());
        drop(self.target);
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await?;
        }
        Ok(())
    }

    /// As [`Connection::close`], after a use case: what went wrong first counts.
    pub(super) async fn close_after<T>(self, result: Result<T, AppError>) -> Result<T, AppError> {
        let closed = self.close().await;
        let value = result?;
        closed?;
        Ok(value)
    }

    /// As [`Connection::close`], after a plan or a run: how that ended is known, and stays so.
    pub(super) async fn close_after_end<T>(self, session: &Session, end: Result<T, AppError>) -> Result<T, AppError> {
        let closed = self.close().await;
        let end = end?;
        if let Err(error) = closed {
            session.notify(Notice::FailedBesides(&error));
        }
        Ok(end)
    }
}

impl Workspace {
    /// Connects to the target; starts the built-in sandbox where the settings ask for it.
    pub async fn connect_tenant(&self, session: &Session) -> Result<Connection, AppError> {
        self.connect_showing(Shown::Compared, session).await
    }

    /// As [`Workspace::connect_tenant`], for whoever wants to know everything of every account, whatever it costs.
    pub async fn connect_to_all(&self, session: &Session) -> Result<Connection, AppError> {
        self.connect_showing(Shown::Everything, session).await
    }

    async fn connect_showing(&self, shown: Shown, session: &Session) -> Result<Connection, AppError> {
        let Session { clock, stop, .. } = session;
        let settings = &self.settings.target;
        let sandbox =
            if settings.is_sandbox() { Some(self.start_sandbox(sandbox::Seed::Sample, clock).await?) } else { None };
        let base_url = sandbox.as_ref().map_or_else(|| settings.base_url.value.clone(), Sandbox::base_url);
        let shown = match shown {
            Shown::Compared => self.compared_names(),
            Shown::Everything => self.schema.iter().map(|(_, attribute)| attribute.name.clone()).collect(),
        };
        let link = Link {
            access: ServerAccess {
                base_url: &base_url,
                rate: &self.settings.rate,
                network: &self.settings.network,
                clock: clock.clone(),
                stop: stop.clone(),
            },
            mapped: &self.mapped_names(),
            shown: &shown,
            sandbox: sandbox.is_some().then_some(settings.kind.sandbox_login),
        };
        let target = settings.settings.connect(link).await?;
        self.remember_schema(&*target)?;
        let quota = self.quota_file(clock.clone());
        quota.recall_reading(&*target);
        Ok(Connection { target, sandbox, quota })
    }

    /// What earlier commands saw of this tenant's quota.
    pub fn quota_file(&self, clock: Arc<dyn Clock>) -> QuotaFile {
        let of = format!("{} {}", self.settings.target.tenant, self.target_name());
        QuotaFile { path: self.state.quota(), of, clock }
    }

    async fn start_sandbox(&self, seed: sandbox::Seed, clock: &Arc<dyn Clock>) -> Result<Sandbox, AppError> {
        make_private_dir(self.state.path())?;
        let options = sandbox::Options {
            seed,
            state: Some(self.kept_sandbox()),
            clock: clock.clone(),
            ..sandbox::Options::new((self.settings.target.kind.simulate)())
        };
        Ok(sandbox::start(options).await?)
    }

    /// Begins the built-in sandbox as a tenant that nobody is in, unless it was begun before.
    pub async fn prepare_empty_sandbox(&self, clock: &Arc<dyn Clock>) -> Result<(), AppError> {
        if !self.kept_sandbox().exists() {
            self.start_sandbox(sandbox::Seed::Empty, clock).await?.stop().await?;
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

impl From<ConnectError> for AppError {
    fn from(error: ConnectError) -> Self {
        let message = error.to_string();
        match error {
            ConnectError::Call(error) => error.into(),
            ConnectError::Missing { .. } => Self::new(ErrorKind::Configuration, message),
            ConnectError::Secret { setting, .. } => Self::new(ErrorKind::Configuration, message)
                .with_hint(format!("set target.{setting} to read the secret from another place")),
        }
    }
}
