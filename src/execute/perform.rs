//! One action: the account is what the plan saw, the intent is durable, the request leaves, the outcome is written.

use std::sync::atomic::Ordering;

use super::{Broken, Ended, Engine, ExecuteError, Halt, Lost, SILENT};
use crate::journal::{Note, Outcome, Step};
use crate::model::{Account, AccountId, Attributes, Value};
use crate::plan::{Action, ActionKind, seen, steps};
use crate::reconcile::compare::has_all;
use crate::survey::fingerprint;
use crate::target::{CallError, Effect, Trouble};

impl Engine<'_> {
    /// Performs an action from the given step on. `attempts` is how often the step was sent before; `account` is known
    /// where an earlier process created it.
    pub(super) async fn perform(
        &self,
        action: Action,
        from: Step,
        attempts: u32,
        account: Option<AccountId>,
    ) -> Result<Ended, Broken> {
        if self.execution.stop.is_requested() {
            return Err(Broken::Halt(Halt::Signal));
        }
        match (action.action, from) {
            (ActionKind::Create, Step::First) => self.create(action, attempts).await,
            (ActionKind::Create, Step::FollowUp) => match account {
                Some(account) => self.follow_up(action, &account, attempts).await,
                None => Err(missing_account(&action)),
            },
            _ => self.change(action, attempts).await,
        }
    }

    async fn create(&self, action: Action, attempts: u32) -> Result<Ended, Broken> {
        let mut values = steps(self.schema, &action).map_err(ExecuteError::Foreign)?.first;
        if let Err(message) = self.fill_secrets(&action, &mut values) {
            return Ok(self.refuse(&action, Step::First, message).await?);
        }
        self.intend(action.seq, Step::First, attempts + 1).await?;
        match self.execution.target.create(&values).await {
            Ok(account) => {
                self.answered();
                let result = Outcome::Applied { account: Some(account.clone()) };
                self.write(action.seq, Step::First, result).await?;
                self.created(action, &account).await
            }
            Err(error) => self.failed(action, Step::First, attempts + 1, error).await,
        }
    }

    /// What comes after a create that is known to have happened.
    pub(super) async fn created(&self, action: Action, account: &AccountId) -> Result<Ended, Broken> {
        let then = steps(self.schema, &action).map_err(ExecuteError::Foreign)?.then;
        if then.is_empty() {
            return Ok(self.applied(action, account));
        }
        if self.execution.stop.is_requested() {
            return Err(Broken::Halt(Halt::Signal));
        }
        self.follow_up(action, account, 0).await
    }

    async fn follow_up(&self, action: Action, account: &AccountId, attempts: u32) -> Result<Ended, Broken> {
        let mut values = steps(self.schema, &action).map_err(ExecuteError::Foreign)?.then;
        if let Err(message) = self.fill_secrets(&action, &mut values) {
            return Ok(self.refuse(&action, Step::FollowUp, message).await?);
        }
        self.intend(action.seq, Step::FollowUp, attempts + 1).await?;
        match self.execution.target.update(account, &values).await {
            Ok(()) => {
                self.answered();
                self.write(action.seq, Step::FollowUp, Outcome::Applied { account: None }).await?;
                Ok(self.applied(action, account))
            }
            Err(error) => {
                // A create that the target took without its second half must be found again by whoever settles it.
                let action = Action { account: Some(account.clone()), ..action };
                self.failed(action, Step::FollowUp, attempts + 1, error).await
            }
        }
    }

    /// An update, a (de)activation or a deletion of an account that exists.
    async fn change(&self, action: Action, attempts: u32) -> Result<Ended, Broken> {
        let Some(account) = action.account.clone() else { return Err(missing_account(&action)) };
        if let Some(reason) = self.changed_meanwhile(&action, &account).await? {
            let message = reason;
            self.write(action.seq, Step::First, Outcome::Skipped { message }).await?;
            return Ok(Ended::Skipped);
        }
        let mut values = steps(self.schema, &action).map_err(ExecuteError::Foreign)?.first;
        if let Err(message) = self.fill_secrets(&action, &mut values) {
            return Ok(self.refuse(&action, Step::First, message).await?);
        }
        if self.execution.stop.is_requested() {
            return Err(Broken::Halt(Halt::Signal));
        }
        self.intend(action.seq, Step::First, attempts + 1).await?;
        let answer = if action.action == ActionKind::Delete {
            self.execution.target.delete(&account).await
        } else {
            self.execution.target.update(&account, &values).await
        };
        match answer {
            Ok(()) => {
                self.answered();
                self.write(action.seq, Step::First, Outcome::Applied { account: None }).await?;
                Ok(self.applied(action, &account))
            }
            Err(error) => self.failed(action, Step::First, attempts + 1, error).await,
        }
    }

    /// Why the account is not the one that the plan saw; none where it is. An account that has no row is read once more
    /// however fresh the listing is, because nothing else speaks for what is about to be done to it.
    async fn changed_meanwhile(&self, action: &Action, id: &AccountId) -> Result<Option<String>, Broken> {
        let fresh = self.execution.fresh_until.is_some_and(|until| self.execution.clock.now() <= until);
        if fresh && action.source.is_some() {
            return Ok(None);
        }
        let now = match self.execution.target.get(id).await {
            Ok(account) => {
                self.answered();
                account
            }
            Err(error) if matches!(error.trouble, Trouble::Refused | Trouble::Garbled | Trouble::NotFound) => {
                return Ok(Some(format!("its present state could not be read: {error}")));
            }
            // The server is there and fails for this account; where it does so for one after the other, it is down.
            Err(error) if error.is_server_error() && self.silent.fetch_add(1, Ordering::Relaxed) + 1 < SILENT => {
                return Ok(Some(format!("its present state could not be read: {error}")));
            }
            Err(error) => return Err(halted(error)),
        };
        let Some(now) = now else { return Ok(Some("the account vanished since the plan".to_owned())) };
        if let Some(reason) = &now.protected {
            return Ok(Some(format!("the account is protected now: {reason}")));
        }
        self.differs(action, &now).map_err(Broken::from)
    }

    fn differs(&self, action: &Action, now: &Account) -> Result<Option<String>, ExecuteError> {
        let seen = seen(self.schema, action).map_err(ExecuteError::Foreign)?;
        let Err(difference) = has_exactly(self.schema, now, &seen) else { return Ok(None) };
        let wanted = steps(self.schema, action).map_err(ExecuteError::Foreign)?.first;
        if action.action != ActionKind::Delete && has_all(self.schema, now, wanted.iter()).is_ok() {
            return Ok(Some("changed since the plan: somebody else made the same change".to_owned()));
        }
        Ok(Some(format!("changed since the plan: {difference}")))
    }

    /// Writes what an error means for a step whose intent is written.
    async fn failed(&self, action: Action, step: Step, attempts: u32, error: CallError) -> Result<Ended, Broken> {
        let seq = action.seq;
        if error.effect == Effect::None {
            match error.trouble {
                Trouble::Quota { .. } | Trouble::Unavailable | Trouble::Configuration | Trouble::Stopped => {
                    self.write(seq, step, Outcome::NotThere).await?;
                    return Err(halted(error));
                }
                Trouble::Exists => {}
                Trouble::NotFound if action.action == ActionKind::Delete => {
                    self.answered();
                    let account = action.account.clone().ok_or_else(|| missing_account(&action))?;
                    self.write(seq, step, Outcome::Adopted { account: account.clone() }).await?;
                    return Ok(self.applied(action, &account));
                }
                Trouble::Refused | Trouble::NotFound | Trouble::Garbled => {
                    self.answered();
                    self.write(seq, step, failure(error)).await?;
                    return Ok(Ended::Failed);
                }
            }
        }
        let exists = error.trouble == Trouble::Exists;
        if exists {
            self.answered();
        }
        self.write(seq, step, Outcome::Unknown { message: error.to_string() }).await?;
        if !exists && self.silent.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT {
            return Err(Broken::Halt(Halt::Down(error)));
        }
        let since = self.execution.clock.elapsed();
        Ok(Ended::Lost(Box::new(Lost { action, step, exists, attempts, since })))
    }

    /// An action that cannot even be sent.
    async fn refuse(&self, action: &Action, step: Step, message: String) -> Result<Ended, ExecuteError> {
        self.write(action.seq, step, Outcome::Failed { message, code: None, trxid: None }).await?;
        Ok(Ended::Failed)
    }

    /// Notes what is worth remembering of an applied action.
    pub(super) fn applied(&self, action: Action, account: &AccountId) -> Ended {
        if let Some(identity) = &action.identity {
            let mut learnt = self.lock_learnt();
            if action.action == ActionKind::Create {
                learnt.push(Note::Link { identity: identity.clone(), account: account.clone() });
            }
            let sent = action.changes.iter().map(|change| (&change.attribute, &change.to)).chain(&action.also);
            let prints: Vec<(String, u64)> = sent
                .filter_map(|(name, value)| {
                    let id = self.schema.id(name).filter(|id| self.schema.get(*id).write_only())?;
                    Some((name.clone(), fingerprint(self.schema, id, value)))
                })
                .collect();
            if !prints.is_empty() {
                // What other write-only attributes had stays known.
                let mut attributes = self.execution.memory.fingerprints(identity);
                attributes.retain(|(name, _)| prints.iter().all(|(new, _)| new != name));
                attributes.extend(prints);
                learnt.push(Note::Fingerprint { identity: identity.clone(), attributes });
            }
        }
        Ended::Applied(Box::new(action))
    }

    fn fill_secrets(&self, action: &Action, values: &mut Attributes) -> Result<(), String> {
        let wanted: Vec<_> = values
            .iter()
            .filter(|(_, value)| matches!(value, Value::Generated | Value::Secret(_)))
            .map(|(id, _)| id)
            .collect();
        for id in wanted {
            let secret = self.execution.secrets.secret(action, id)?;
            values.set(id, Value::Secret(secret));
        }
        Ok(())
    }

    fn answered(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }
}

/// The outcome of a request that was refused.
pub(super) fn failure(error: CallError) -> Outcome {
    Outcome::Failed { message: error.message, code: error.code, trxid: error.trxid }
}

/// Why nothing more can be sent.
pub(super) fn halted(error: CallError) -> Broken {
    Broken::Halt(match error.trouble {
        Trouble::Quota { .. } => Halt::Quota(error),
        Trouble::Configuration => Halt::Configuration(error),
        Trouble::Stopped => Halt::Signal,
        _ => Halt::Down(error),
    })
}

fn missing_account(action: &Action) -> Broken {
    Broken::Error(ExecuteError::Foreign(format!("account of action {}", action.seq)))
}

/// Whether an account still has the values that the plan saw, no more keys and no fewer.
fn has_exactly(
    schema: &crate::model::Schema,
    account: &Account,
    seen: &[(crate::model::AttrId, Value)],
) -> Result<(), String> {
    for (id, before) in seen {
        let attribute = schema.get(*id);
        if !attribute.comparable() {
            continue;
        }
        let now = account.values.get(*id).unwrap_or(&Value::Null);
        if !crate::model::normal::same(attribute, before, now) {
            return Err(format!("{} was {before} and is {now}", attribute.name));
        }
    }
    Ok(())
}
