//! The secrets of a run: those that its plan only marks, those that it generates, and how these are delivered.

use std::collections::HashMap;
use std::path::PathBuf;

use super::error::AppError;
use super::run_driver::RunDriver;
use super::session::Notice;
use super::stored_records::{damaged_run_error, find_run};
use super::workspace::Workspace;
use crate::config::Delivery;
use crate::execute::Secrets;
use crate::execute::passwords::{PasswordPromise, RunSecrets, deliver_passwords};
use crate::journal::{RunId, RunState, secret};
use crate::mapping::spec::Expression;
use crate::model::{AttrId, Secret};
use crate::plan::Action;
use crate::plan::file::PlanHeader;
use crate::planning::{PlanFiles, source_secrets};

/// Secrets that the source holds, by the number of the action.
pub(super) type SourceSecrets = HashMap<u64, Vec<(AttrId, Secret)>>;

impl RunDriver<'_> {
    /// What holds for the run's generated passwords, from its beginning on.
    pub(super) fn promise_passwords(&self, run: RunId) -> Result<PasswordPromise, AppError> {
        let Workspace { state, settings, .. } = self.workspace;
        let generated = settings.map.entries.iter().filter_map(|entry| match &entry.expression.value {
            Expression::Generate(generate) => Some((entry.attribute.value.clone(), generate.length)),
            _ => None,
        });
        Ok(PasswordPromise::keep_promise(state, run, &settings.passwords.file, generated.collect())?)
    }

    /// The secrets that a plan only marks, read again from the source; nothing is opened where there are none.
    pub(super) fn read_source_secrets(
        &self,
        header: &PlanHeader,
        marked: &HashMap<(String, u32), u64>,
    ) -> Result<SourceSecrets, AppError> {
        if marked.is_empty() {
            return Ok(HashMap::new());
        }
        let opened;
        let open = match self.source {
            Some(source) => source,
            None => {
                opened = self.workspace.open_source(&*self.session.clock)?;
                &opened
            }
        };
        Ok(source_secrets(&open.source, &open.mapping, header, marked)?)
    }

    /// Delivers the passwords of a run that is left as it is: its accounts are there, and nobody will go on with it.
    pub fn deliver_left_passwords(&self, run: RunId) -> Result<(), AppError> {
        let state = &self.workspace.state;
        let (derived_from, promise) =
            match (secret::load_secret(state, run)?, PasswordPromise::load_promise(state, run)?) {
                (Some(derived_from), Some(promise)) => (derived_from, promise),
                // What is promised is promised before the first request: it sent nothing.
                (Some(_), None) => return Ok(()),
                (None, _) => return self.require_no_secret(run),
            };
        let lengths = promise.lengths_by_attribute(&self.workspace.schema);
        let secrets = RunSecrets { derived_from, lengths, from_source: HashMap::new() };
        let files = PlanFiles::in_dir(&state.run(run));
        if let Some(path) = self.deliver_passwords(run, &files, &secrets, &promise)? {
            self.session.notify(Notice::PasswordsDelivered(&path));
        }
        Ok(())
    }

    /// A secret is kept until its run has ended. One that is gone before was lost, and with it every password that is
    /// not delivered yet; that does not matter only where none is generated.
    pub(super) fn require_no_secret(&self, run: RunId) -> Result<(), AppError> {
        let state = &self.workspace.state;
        match PasswordPromise::load_promise(state, run)? {
            Some(promise) if !promise.lengths.is_empty() => {
                let why = format!("{}: it is not there", state.run_secret(run).display());
                Err(damaged_run_error(state, run, &why))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn deliver_passwords(
        &self,
        run: RunId,
        files: &PlanFiles,
        secrets: &RunSecrets,
        promise: &PasswordPromise,
    ) -> Result<Option<PathBuf>, AppError> {
        let passwords = &self.workspace.settings.passwords;
        let Delivery::Recipient(recipient) = &passwords.deliver_to else { return Ok(None) };
        let state: RunState = find_run(self.journal, run)?;
        Ok(deliver_passwords(recipient, &promise.file, &files.plan, &self.workspace.schema, &state, secrets)?)
    }
}

/// A lookup sends nothing that needs a secret.
pub(super) struct NoSecrets;

impl Secrets for NoSecrets {
    fn find_secret(&self, _action: &Action, _attribute: AttrId) -> Result<Secret, String> {
        Err("nothing is sent while unknown outcomes are looked up".to_owned())
    }
}
