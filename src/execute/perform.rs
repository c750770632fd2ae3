//! One action: the account is what the plan saw, the intent is durable, the request leaves, the outcome is written.

use std::sync::atomic::Ordering;

use super::engine::{Broken, Ended, Engine, written};
use super::lost::unknown;
use super::request::{By, Lost, Made, Request};
use super::{ExecuteError, Halt, Mode};
use crate::connectors::{CallError, Effect, Trouble};
use crate::journal::{Outcome, Step};
use crate::model::{Account, AccountId, AttrId, Attributes, Kind, Schema, Value, normal};
use crate::plan::{ActionKind, seen};
use crate::reconcile::compare::has_all;
use crate::testing::failpoints::{self, Failpoint};

/// Answers lost in a row that count as a target that is down.
const SILENT: u32 = 5;

impl Engine<'_> {
    /// Performs an action from the request's step on.
    pub(super) async fn perform(&self, request: Request) -> Result<Ended, Broken> {
        self.may_send()?;
        match (request.action.action, request.step) {
            (ActionKind::Create, Step::First) => self.create(request).await,
            (_, Step::FollowUp) => self.follow_up(request).await,
            (_, Step::First) => self.change(request).await,
        }
    }

    async fn create(&self, request: Request) -> Result<Ended, Broken> {
        let values = match self.with_secrets(&request) {
            Ok(values) => values,
            Err(message) => return self.refuse(&request, message).await,
        };
        self.intend(&request).await?;
        failpoints::reach_kind(Failpoint::SendDue, request.kind());
        let answer = self.execution.target.create(&values).await;
        failpoints::reach_kind(Failpoint::Answered, request.kind());
        match answer {
            Ok(account) => {
                self.answered();
                self.write(&request, Outcome::Applied { account: Some(account.clone()) }).await?;
                self.created(request, Made { account, by: By::Us }).await
            }
            Err(error) => self.failed(request.sent(), error).await,
        }
    }

    /// What comes after a create that is known to have happened.
    pub(super) async fn created(&self, request: Request, made: Made) -> Result<Ended, Broken> {
        // A run that is only settled leaves the second half to the next plan.
        if request.steps.then.is_empty() || self.execution.mode == Mode::SettleOnly {
            self.learn(&request.action, &made.account, &written(&request.steps, made.by));
            return Ok(Ended::Applied(ActionKind::Create));
        }
        self.may_send()?;
        self.follow_up(request.then(made)).await
    }

    async fn follow_up(&self, request: Request) -> Result<Ended, Broken> {
        let account = account_of(&request)?;
        let values = match self.with_secrets(&request) {
            Ok(values) => values,
            Err(message) => return self.refuse(&request, message).await,
        };
        self.intend(&request).await?;
        failpoints::reach_kind(Failpoint::SendDue, request.kind());
        let answer = self.execution.target.update(&account, &values).await;
        failpoints::reach_kind(Failpoint::Answered, request.kind());
        match answer {
            Ok(()) => {
                self.answered();
                self.write(&request, Outcome::Applied { account: None }).await?;
                Ok(self.applied(&request, &account))
            }
            Err(error) => self.failed(request.sent(), error).await,
        }
    }

    /// An update, a (de)activation or a deletion of an account that exists.
    async fn change(&self, request: Request) -> Result<Ended, Broken> {
        let account = account_of(&request)?;
        if let Some(message) = self.changed_meanwhile(&request, &account).await? {
            if request.attempts > 0 && request.has_unseen(self.schema) {
                // Nobody can see whether it was done, so it was not left alone for certain.
                return self.refuse(&request, format!("{message}; what was sent before may have been done")).await;
            }
            self.write(&request, Outcome::Skipped { message }).await?;
            return Ok(Ended::Skipped);
        }
        let values = match self.with_secrets(&request) {
            Ok(values) => values,
            Err(message) => return self.refuse(&request, message).await,
        };
        self.intend(&request).await?;
        failpoints::reach_kind(Failpoint::SendDue, request.kind());
        let answer = if request.deletes() {
            self.execution.target.delete(&account).await
        } else {
            self.execution.target.update(&account, &values).await
        };
        failpoints::reach_kind(Failpoint::Answered, request.kind());
        match answer {
            Ok(()) => {
                self.answered();
                self.write(&request, Outcome::Applied { account: None }).await?;
                Ok(self.applied(&request, &account))
            }
            Err(error) => self.failed(request.sent(), error).await,
        }
    }

    /// Why the account is not the one that the plan saw; none where it is. An account that has no row is read once more
    /// however fresh the listing is, because nothing else speaks for what is about to be done to it.
    async fn changed_meanwhile(&self, request: &Request, id: &AccountId) -> Result<Option<String>, Broken> {
        let fresh = self.execution.fresh_until.is_some_and(|until| self.execution.clock.now() <= until);
        if (fresh && request.action.source.is_some()) || law_is_broken!(StaleOverwritten) {
            return Ok(None);
        }
        failpoints::reach_kind(Failpoint::ReadDue, request.kind());
        let read = self.execution.target.get(id).await;
        failpoints::reach_kind(Failpoint::Read, request.kind());
        let now = match read {
            Ok(account) => {
                self.answered();
                account
            }
            Err(error) if error.trouble == Trouble::NotFound => None,
            Err(error) => {
                let error = self.readable(error)?;
                return Ok(Some(format!("its present state could not be read: {error}")));
            }
        };
        let Some(now) = now else {
            // A deletion that was sent before may have arrived after all; to send it again does no harm.
            let ours = request.deletes() && request.attempts > 0;
            return Ok((!ours).then(|| "the account vanished since the plan".to_owned()));
        };
        if let Some(reason) = &now.protected {
            return Ok(Some(format!("the account is protected now: {reason}")));
        }
        if let Some(message) = self.renamed(request, &now) {
            return Ok(Some(message));
        }
        Ok(self.differs(request, &now)?)
    }

    /// Whether the account has lost the name by which the plan found it: then it may be another person's by now.
    fn renamed(&self, request: &Request, now: &Account) -> Option<String> {
        let rule = self.execution.rules.first()?;
        let [id] = rule.attributes[..] else { return None };
        let attribute = self.schema.get(id);
        if request.action.matched.as_ref() != Some(&rule.label) || attribute.kind != Kind::Text {
            return None;
        }
        let (key, shown) = (request.action.key.trim(), now.values.get(id)?.as_str()?.trim());
        let same = normal::same(attribute, &Value::text(key), &Value::text(shown));
        (!same).then(|| format!("renamed since the plan: {} was {key} and is {shown}", attribute.name))
    }

    fn differs(&self, request: &Request, now: &Account) -> Result<Option<String>, ExecuteError> {
        let (then, at_present) = (request.action.active, self.schema.is_active(&now.values));
        if let (Some(then), Some(at_present)) = (then, at_present)
            && then != at_present
        {
            let done = if then { "deactivated" } else { "reactivated" };
            return Ok(Some(format!("changed since the plan: somebody else {done} the account")));
        }
        let seen = seen(self.schema, &request.action).map_err(ExecuteError::Foreign)?;
        let Err(difference) = has_exactly(self.schema, now, &seen) else { return Ok(None) };
        if !request.deletes() && has_all(self.schema, now, request.values().iter()).is_ok() {
            // What was sent before may have arrived after all; to send it again does no harm.
            let ours = request.attempts > 0;
            return Ok((!ours).then(|| "changed since the plan: somebody else made the same change".to_owned()));
        }
        Ok(Some(format!("changed since the plan: {difference}")))
    }

    /// Writes what an error means for a step that was sent.
    async fn failed(&self, request: Request, error: CallError) -> Result<Ended, Broken> {
        let exists = request.creates() && error.trouble == Trouble::Exists;
        if error.effect == Effect::None && !exists {
            return self.refused(request, error).await;
        }
        self.write(&request, unknown(&error, exists)).await?;
        if exists {
            self.answered();
        } else if self.silent.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT {
            return Err(Broken::Halt(Halt::Down(error)));
        }
        let since = self.execution.clock.elapsed();
        Ok(Ended::Lost(Box::new(Lost { request, exists, open: false, since })))
    }

    /// The target certainly did not do it.
    async fn refused(&self, request: Request, error: CallError) -> Result<Ended, Broken> {
        match error.trouble {
            Trouble::Quota { .. } | Trouble::Unavailable | Trouble::Configuration | Trouble::Stopped => {
                self.write(&request, Outcome::NotThere).await?;
                Err(halted(error))
            }
            Trouble::NotFound if request.deletes() => {
                self.answered();
                let account = account_of(&request)?;
                self.write(&request, Outcome::Adopted { account }).await?;
                Ok(Ended::Applied(ActionKind::Delete))
            }
            Trouble::Refused | Trouble::NotFound | Trouble::Garbled | Trouble::Exists => {
                self.answered();
                let result = Outcome::Failed { message: error.message, code: error.code, trxid: error.trxid };
                self.give_up(&request, result).await
            }
        }
    }

    /// A step that cannot even be sent.
    async fn refuse(&self, request: &Request, message: String) -> Result<Ended, Broken> {
        self.give_up(request, Outcome::Failed { message, code: None, trxid: None }).await
    }

    /// Writes that a step failed for good.
    pub(super) async fn give_up(&self, request: &Request, result: Outcome) -> Result<Ended, Broken> {
        self.write(request, result).await?;
        if let Some(made) = &request.made {
            // The account is there all the same, without its second half.
            let first = if made.by == By::Us { &[&request.steps.first][..] } else { &[] };
            self.learn(&request.action, &made.account, first);
        }
        Ok(Ended::Failed)
    }

    /// Notes what is worth remembering of an action whose last step is applied.
    pub(super) fn applied(&self, request: &Request, account: &AccountId) -> Ended {
        let by = request.made.as_ref().map_or(By::Us, |made| made.by);
        self.learn(&request.action, account, &written(&request.steps, by));
        Ended::Applied(request.action.action)
    }

    /// What the step sends, secrets included.
    fn with_secrets(&self, request: &Request) -> Result<Attributes, String> {
        let mut values = request.values().clone();
        for (id, value) in request.values().iter() {
            if matches!(value, Value::Generated | Value::Secret(_)) {
                let secret = self.execution.secrets.secret(&request.action, id)?;
                #[cfg(test)]
                let secret = crate::testing::broken_laws::password_for_try(secret, request.attempts);
                values.set(id, Value::Secret(secret));
            }
        }
        Ok(values)
    }

    fn answered(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }
}

impl Engine<'_> {
    /// An error of reading one account that leaves the others alone: the answer was a refusal, or the server is there
    /// and fails for this account. Where it fails for one after the other it is down, and whatever else happens stops
    /// the run.
    pub(super) fn readable(&self, error: CallError) -> Result<CallError, Broken> {
        match error.trouble {
            Trouble::Refused | Trouble::Garbled | Trouble::Exists | Trouble::NotFound => Ok(error),
            Trouble::Unavailable
                if error.is_server_error() && self.silent.fetch_add(1, Ordering::Relaxed) + 1 < SILENT =>
            {
                Ok(error)
            }
            Trouble::Quota { .. } | Trouble::Unavailable | Trouble::Configuration | Trouble::Stopped => {
                Err(halted(error))
            }
        }
    }
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

/// The account that a step changes. Only a plan that this program did not make has none.
pub(super) fn account_of(request: &Request) -> Result<AccountId, ExecuteError> {
    request.account().cloned().ok_or_else(|| ExecuteError::NoAccount(request.seq()))
}

/// Whether an account still has the values that the plan saw, no more keys and no fewer.
fn has_exactly(schema: &Schema, account: &Account, seen: &[(AttrId, Value)]) -> Result<(), String> {
    for (id, before) in seen {
        let attribute = schema.get(*id);
        if !attribute.comparable() {
            continue;
        }
        let now = account.values.get(*id).unwrap_or(&Value::Null);
        if !normal::same(attribute, before, now) {
            return Err(format!("{} was {before} and is {now}", attribute.name));
        }
    }
    Ok(())
}
