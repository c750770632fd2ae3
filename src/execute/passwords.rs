//! Generated passwords: derived when a request is made, delivered encrypted when the run pauses or ends, kept nowhere.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ExecuteError, Secrets};
use crate::journal::paths::{FileError, write_atomically};
use crate::journal::{RunId, RunSecret, RunState, StateDir, Step, StepState, sealed, secret};
use crate::model::{AttrId, Schema, Secret, Value};
use crate::plan::file::{PlanReader, restore_secrets};
use crate::plan::{Action, ActionKind};

/// Secrets of one run: generated ones from the run's secret, the others as they were read from the source.
pub struct RunSecrets {
    pub derived_from: RunSecret,
    /// How long a generated value is, for each attribute that has one.
    pub lengths: HashMap<AttrId, usize>,
    /// Values that the source holds, by the action's number.
    pub from_source: HashMap<u64, Vec<(AttrId, Secret)>>,
}

impl Secrets for RunSecrets {
    fn secret(&self, action: &Action, attribute: AttrId) -> Result<Secret, String> {
        if let Some((_, secret)) =
            self.from_source.get(&action.seq).into_iter().flatten().find(|(id, _)| *id == attribute)
        {
            return Ok(secret.clone());
        }
        match self.lengths.get(&attribute) {
            Some(length) => Ok(secret::password(&self.derived_from, person(action), *length)),
            None => Err("the source has no value for a secret attribute of this person".to_owned()),
        }
    }
}

/// What a person's passwords are derived from: the name that never changes, where there is one.
fn person(action: &Action) -> &str {
    action.identity.as_deref().unwrap_or(&action.key)
}

/// What is settled of a run's generated passwords before the first is sent, and kept as long as the run: a password
/// follows from its length too, and a configuration may change while a run is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Where they are delivered: one file for each run, also where the run is paused in between.
    pub file: PathBuf,
    /// How long a generated value is, by the name of its attribute.
    pub lengths: BTreeMap<String, usize>,
}

impl Promise {
    /// The run's promise: the one that was kept when it began, or, where it begins now, this one. In the file's name
    /// `{run}` is the run; a name without it gets the run's name where there is such a file already.
    ///
    /// # Errors
    /// A promise that cannot be read or kept.
    pub fn of(state: &StateDir, run: RunId, file: &Path, lengths: BTreeMap<String, usize>) -> Result<Self, FileError> {
        if let Some(kept) = Self::load(state, run)? {
            return Ok(kept);
        }
        let promise = Self { file: free_name(file, run), lengths };
        sealed::write(&state.run_passwords(run), &promise)?;
        Ok(promise)
    }

    /// What was kept when the run began; none where it never got so far, and then it sent nothing either.
    ///
    /// # Errors
    /// The file cannot be read, or is not what was written.
    pub fn load(state: &StateDir, run: RunId) -> Result<Option<Self>, FileError> {
        sealed::read(&state.run_passwords(run))
    }

    /// The lengths as [`RunSecrets`] wants them.
    #[must_use]
    pub fn lengths(&self, schema: &Schema) -> HashMap<AttrId, usize> {
        self.lengths.iter().filter_map(|(name, length)| Some((schema.id(name)?, *length))).collect()
    }
}

/// Why generated passwords could not be delivered. The run's secret is kept, so they can be delivered later.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("the recipient of generated passwords is none: {0}")]
    Recipient(String),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Plan(#[from] ExecuteError),
}

/// Writes the generated passwords of all accounts that the run made, encrypted for the recipient, as a CSV of `key`,
/// `identity`, `account`, `attribute` and `value`. What a run wrote when it paused is replaced by the whole. Gives the
/// file, or none where the run generated nothing.
///
/// # Errors
/// A file that cannot be written.
pub fn deliver(
    recipient: &str,
    file: &Path,
    plan: &Path,
    schema: &Schema,
    state: &RunState,
    secrets: &RunSecrets,
) -> Result<Option<PathBuf>, DeliveryError> {
    let recipient = age::x25519::Recipient::from_str(recipient).map_err(|e| DeliveryError::Recipient(e.to_owned()))?;
    let mut reader =
        PlanReader::new(BufReader::new(File::open(plan).map_err(ExecuteError::from)?)).map_err(ExecuteError::from)?;
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut values = Vec::new();
    while let Some(mut action) = reader.next().map_err(ExecuteError::from)? {
        let made = action.action == ActionKind::Create && state.step(action.seq, Step::First) == StepState::Applied;
        if !made {
            continue;
        }
        restore_secrets(schema, &mut action);
        let account = state.account(action.seq).map(ToString::to_string).unwrap_or_default();
        for change in action.changes.iter().filter(|change| change.to == Value::Generated) {
            let Some(id) = schema.id(&change.attribute) else { continue };
            let Ok(value) = secrets.secret(&action, id) else { continue };
            let identity = action.identity.clone().unwrap_or_default();
            rows.push([action.key.clone(), identity, account.clone(), change.attribute.clone()]);
            values.push(value);
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    write_atomically(file, 0o600, |out| {
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .map_err(io::Error::other)?;
        let mut table = csv::Writer::from_writer(encryptor.wrap_output(out)?);
        table.write_record(["key", "identity", "account", "attribute", "value"])?;
        for (row, value) in rows.iter().zip(&values) {
            table.write_record(row.iter().map(String::as_str).chain([value.expose()]))?;
        }
        let mut encrypted = table.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        encrypted.flush()?;
        encrypted.finish().map(drop)
    })?;
    Ok(Some(file.to_owned()))
}

/// A name that no earlier run's file has.
fn free_name(file: &Path, run: RunId) -> PathBuf {
    let text = file.to_string_lossy();
    if text.contains("{run}") {
        return PathBuf::from(text.replace("{run}", &run.to_string()));
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    if file.exists() { file.with_file_name(format!("{stem}-{run}{extension}")) } else { file.to_owned() }
}
