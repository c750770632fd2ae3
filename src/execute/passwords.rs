//! Generated passwords: derived when a request is made, delivered encrypted when the run pauses or ends, kept nowhere.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ExecuteError, Secrets};
use crate::files::sealed;
use crate::files::{FileError, write_atomically};
use crate::journal::{RunId, RunSecret, RunState, StateDir, Step, StepState, secret};
use crate::model::value::GENERATED;
use crate::model::{AttrId, Schema, Secret, Value};
use crate::plan::file::{PlanReader, restore_secrets};
use crate::plan::{Action, ActionKind, Change};

/// Secrets of one run: generated ones from the run's secret, the others as they were read from the source.
pub struct RunSecrets {
    pub derived_from: RunSecret,
    /// How long a generated value is, for each attribute that has one.
    pub lengths: HashMap<AttrId, usize>,
    /// Values that the source holds, by the action's number.
    pub from_source: HashMap<u64, Vec<(AttrId, Secret)>>,
}

impl Secrets for RunSecrets {
    fn find_secret(&self, action: &Action, attribute: AttrId) -> Result<Secret, String> {
        if let Some((_, secret)) =
            self.from_source.get(&action.seq).into_iter().flatten().find(|(id, _)| *id == attribute)
        {
            return Ok(secret.clone());
        }
        match self.lengths.get(&attribute) {
            Some(length) => Ok(secret::derive_password(&self.derived_from, derivation_name(action), *length)),
            None => Err("the source has no value for a secret attribute of this person".to_owned()),
        }
    }
}

/// What a person's passwords are derived from: the name that never changes, where there is one.
fn derivation_name(action: &Action) -> &str {
    action.identity.as_deref().unwrap_or(&action.key)
}

/// What is settled of a run's generated passwords before the first is sent, and kept as long as the run: a password
/// follows from its length too, and a configuration may change while a run is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordPromise {
    /// Where they are delivered: one file for each run, also where the run is paused in between.
    pub file: PathBuf,
    /// How long a generated value is, by the name of its attribute.
    pub lengths: BTreeMap<String, usize>,
}

impl PasswordPromise {
    /// The run's promise: the one that was kept when it began, or, where it begins now, this one. In the file's name
    /// `{run}` is the run; a name without it gets the run's name where there is such a file already.
    ///
    /// # Errors
    /// A promise that cannot be read or kept.
    pub fn keep_promise(
        state: &StateDir,
        run: RunId,
        file: &Path,
        lengths: BTreeMap<String, usize>,
    ) -> Result<Self, FileError> {
        if let Some(kept) = Self::load_promise(state, run)? {
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
    pub fn load_promise(state: &StateDir, run: RunId) -> Result<Option<Self>, FileError> {
        sealed::read(&state.run_passwords(run))
    }

    /// The lengths as [`RunSecrets`] wants them.
    #[must_use]
    pub fn lengths_by_attribute(&self, schema: &Schema) -> HashMap<AttrId, usize> {
        self.lengths.iter().filter_map(|(name, length)| Some((schema.id(name)?, *length))).collect()
    }
}

/// Why generated passwords could not be delivered. The run's secret is kept, so they can be delivered later.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("the recipient of generated passwords is not valid: {0}")]
    Recipient(String),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Plan(#[from] ExecuteError),
    #[error("the {attribute} of {key} cannot be generated again: {why}; use the configuration that the run began with")]
    Lost { key: String, attribute: String, why: String },
}

/// Writes the generated passwords of all accounts that the run made, encrypted for the recipient, as a CSV of `key`,
/// `identity`, `account`, `attribute` and `value`. What a run wrote when it paused is replaced by the whole. Gives the
/// file, or none where the run generated nothing.
///
/// # Errors
/// A file that cannot be written; a password that was sent and cannot be derived, because nobody else knows it.
pub fn deliver_passwords(
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
        let made =
            action.action == ActionKind::Create && state.step_state(action.seq, Step::First) == StepState::Applied;
        if !made {
            continue;
        }
        restore_secrets(schema, &mut action);
        let account = state.account_of(action.seq).map(ToString::to_string).unwrap_or_default();
        for change in action.changes.iter().filter(|change| was_generated(schema, change)) {
            let known = schema.id(&change.attribute).ok_or_else(|| "the target has no such attribute now".to_owned());
            let value = known.and_then(|id| secrets.find_secret(&action, id)).map_err(|why| DeliveryError::Lost {
                key: action.key.clone(),
                attribute: change.attribute.clone(),
                why,
            })?;
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

/// Whether the value of a change was made by the run. Of an attribute that the schema does not have any more only the
/// plan's mark can tell.
fn was_generated(schema: &Schema, change: &Change) -> bool {
    let is_marked = || schema.id(&change.attribute).is_none() && change.to.as_str() == Some(GENERATED);
    change.to == Value::Generated || is_marked()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Event, Outcome, RunHead};
    use crate::model::{Attribute, Kind};
    use crate::plan::file::{PlanHeader, PlanWriter};

    /// Delivers what a run generated that made one account, where the target has these attributes.
    fn delivered(schema: &Schema, lengths: HashMap<AttrId, usize>) -> Result<Option<PathBuf>, DeliveryError> {
        let (dir, at) = (tempfile::tempdir().unwrap(), "2026-11-22T03:00:00Z".parse().unwrap());
        let plan = dir.path().join("plan.jsonl");
        let change = |name: &str, to| Change { attribute: name.to_owned(), from: None, to };
        let changes = vec![change("login", Value::text(GENERATED)), change("password", Value::Generated)];
        let header = PlanHeader::new("p", at, "acme", "fake");
        let mut writer = PlanWriter::new(File::create(&plan).unwrap(), &header).unwrap();
        writer.write_action(Action { changes, ..Action::new(ActionKind::Create, "ana") }).unwrap();
        writer.seal_plan().unwrap();
        let (run, head) = (RunId::new(at, 1), Box::new(RunHead { actions: 1, ..RunHead::default() }));
        let mut state = RunState::from_start(&Event::RunStarted { run, at, head }).unwrap();
        state.apply(&Event::Intent { run, at, seq: 1, step: Step::First, attempt: 1 }).unwrap();
        let result = Outcome::Applied { account: None };
        state.apply(&Event::Outcome { run, at, seq: 1, step: Step::First, result }).unwrap();
        let secrets = RunSecrets { derived_from: RunSecret::of_bytes([7; 32]), lengths, from_source: HashMap::new() };
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        deliver_passwords(&recipient, &dir.path().join("passwords.age"), &plan, schema, &state, &secrets)
    }

    fn schema(names: &[&str]) -> Schema {
        let attribute = |name: &&str| {
            let attribute = Attribute::new(name, Kind::Text);
            if *name == "password" { attribute.secret() } else { attribute }
        };
        Schema::new(names.iter().map(attribute).collect())
    }

    #[test]
    fn a_password_that_was_sent_and_cannot_be_derived_is_no_password_less() {
        let (whole, password) = (schema(&["login", "password"]), AttrId(1));
        let length = HashMap::from([(password, 20)]);
        assert!(delivered(&whole, length.clone()).unwrap().is_some());
        for (schema, lengths) in [(schema(&["login"]), length), (whole, HashMap::new())] {
            let error = delivered(&schema, lengths).unwrap_err();
            assert!(
                matches!(&error, DeliveryError::Lost { key, attribute, .. } if key == "ana" && attribute == "password")
            );
        }
    }
}
