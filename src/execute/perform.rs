//! One action: the account is what the plan saw, the intent is durable, the request leaves, the outcome is written.

use std::sync::atomic::Ordering;

use super::engine::{EndedAction, Engine, Interruption, written_values};
use super::request::{LostRequest, MadeAccount, MadeBy, StepRequest, account_of, unknown_outcome};
use super::{ExecuteError, Halt, Mode};
use crate::connectors::{CallError, Effect, Trouble};
use crate::journal::{Outcome, Step};
use crate::model::{Account, AccountId, AttrId, Attributes, Kind, Schema, Value, normal};
use crate::plan::{ActionKind, seen_values};
use crate::reconcile::compare::has_all;
use crate::testing::failpoints::{self, Failpoint};

/// Answers lost in a row that count as a target that is down.
const SILENT: u32 = 5;

impl Engine<'_> {
    /// Performs an action from the request's step on.
    pub(super) async fn perform_action(&self, request: StepRequest) -> Result<EndedAction, Interruption> {
        self.may_send()?;
        match (request.action.action, request.step) {
            (ActionKind::Create, Step::First) => self.create_account(request).await,
            (_, Step::FollowUp) => self.send_follow_up(request).await,
            (_, Step::First) => self.change_account(request).await,
        }
    }

    async fn create_account(&self, request: StepRequest) -> Result<EndedAction, Interruption> {
        let values = match self.with_secrets(&request) {
            Ok(values) => values,
            Err(message) => return self.give_up_unsent(&request, message).await,
        };
        self.write_intent(&request).await?;
        failpoints::reach_kind(Failpoint::SendDue, request.kind_name());
        let answer = self.execution.target.create(&values).await;
        failpoints::reach_kind(Failpoint::Answered, request.kind_name());
        match answer {
            Ok(account) => {
                self.note_answer();
                self.write_outcome(&request, Outcome::Applied { account: Some(account.clone()) }).await?;
                self.continue_created(request, MadeAccount { account, by: MadeBy::Us }).await
            }
            Err(error) => self.take_error(request.count_try(), error).await,
        }
    }

    /// What comes after a create that is known to have happened.
    pub(super) async fn continue_created(
        &self,
        request: StepRequest,
        made: MadeAccount,
    ) -> Result<EndedAction, Interruption> {
        // A run that is only settled leaves the second half to the next plan.
        if request.steps.then.is_empty() || self.execution.mode == Mode::SettleOnly {
            self.learn_action(&request.action, &made.account, &written_values(&request.steps, made.by));
            return Ok(EndedAction::Applied(ActionKind::Create));
        }
        self.may_send()?;
        self.send_follow_up(request.into_follow_up(made)).await
    }

    async fn send_follow_up(&self, request: StepRequest) -> Result<EndedAction, Interruption> {
        let account = account_of(&request)?;
        let values = match self.with_secrets(&request) {
            Ok(values) => values,
            Err(message) => return self.give_up_unsent(&request, message).await,
        };
        self.write_intent(&request).await?;
        failpoints::reach_kind(Failpoint::SendDue, request.kind_name());
        let answer = self.execution.target.update(&account, &values).await;
        failpoints::reach_kind(Failpoint::Answered, request.kind_name());
        match answer {
            Ok(()) => {
                self.note_answer();
                self.write_outcome(&request, Outcome::Applied { account: None }).await?;
                Ok(self.note_applied(&request, &account))
            }
            Err(error) => self.take_error(request.count_try(), error).await,
        }
    }

    /// An update, a (de)activation or a deletion of an account that exists.
    async fn change_account(&self, request: StepRequest) -> Result<EndedAction, Interruption> {
        let account = account_of(&request)?;
        if let Some(message) = self.changed_meanwhile(&request, &account).await? {
            if request.attempts > 0 && request.has_unseen(self.schema) {
                // Nobody can see whether it was done, so it was not left alone for certain.
                return self
                    .give_up_unsent(&request, format!("{message}; an earlier attempt may have succeeded"))
                    .await;
            }
            self.write_outcome(&request, Outcome::Skipped { message }).await?;
            return Ok(EndedAction::Skipped);
        }
        let values = match self.with_secrets(&request) {
            Ok(values) => values,
            Err(message) => return self.give_up_unsent(&request, message).await,
        };
        self.write_intent(&request).await?;
        failpoints::reach_kind(Failpoint::SendDue, request.kind_name());
        let answer = if request.deletes_account() {
            self.execution.target.delete(&account).await
        } else {
            self.execution.target.update(&account, &values).await
        };
        failpoints::reach_kind(Failpoint::Answered, request.kind_name());
        match answer {
            Ok(()) => {
                self.note_answer();
                self.write_outcome(&request, Outcome::Applied { account: None }).await?;
                Ok(self.note_applied(&request, &account))
            }
            Err(error) => self.take_error(request.count_try(), error).await,
        }
    }

    /// Why the account is not the one that the plan saw; none where it is. An account that has no row is read once more
    /// however fresh the listing is, because nothing else speaks for what is about to be done to it.
    async fn changed_meanwhile(&self, request: &StepRequest, id: &AccountId) -> Result<Option<String>, Interruption> {
        let fresh = self.execution.fresh_until.is_some_and(|until| self.execution.clock.now() <= until);
        if (fresh && request.action.source.is_some()) || law_is_broken!(StaleOverwritten) {
            return Ok(None);
        }
        failpoints::reach_kind(Failpoint::ReadDue, request.kind_name());
        let read = self.execution.target.get(id).await;
        failpoints::reach_kind(Failpoint::Read, request.kind_name());
        let now = match read {
            Ok(account) => {
                self.note_answer();
                account
            }
            Err(error) if error.trouble == Trouble::NotFound => None,
            Err(error) => {
                let error = self.take_read_error(error)?;
                return Ok(Some(format!("its present state could not be read: {error}")));
            }
        };
        let Some(now) = now else {
            // A deletion that was sent before may have arrived after all; to send it again does no harm.
            let ours = request.deletes_account() && request.attempts > 0;
            return Ok((!ours).then(|| "the account vanished since the plan".to_owned()));
        };
        if let Some(reason) = &now.protected {
            return Ok(Some(format!("the account is protected now: {reason}")));
        }
        if let Some(message) = self.find_rename(request, &now) {
            return Ok(Some(message));
        }
        Ok(self.find_difference(request, &now)?)
    }

    /// Whether the account has lost the name by which the plan found it: then it may be another person's by now.
    fn find_rename(&self, request: &StepRequest, now: &Account) -> Option<String> {
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

    fn find_difference(&self, request: &StepRequest, now: &Account) -> Result<Option<String>, ExecuteError> {
        let (then, at_present) = (request.action.active, self.schema.is_active(&now.values));
        if let (Some(then), Some(at_present)) = (then, at_present)
            && then != at_present
        {
            let done = if then { "deactivated" } else { "reactivated" };
            return Ok(Some(format!("changed since the plan: somebody else {done} the account")));
        }
        let seen = seen_values(self.schema, &request.action).map_err(ExecuteError::Foreign)?;
        let Err(difference) = has_exactly(self.schema, now, &seen) else { return Ok(None) };
        if !request.deletes_account() && has_all(self.schema, now, request.sent_values().iter()).is_ok() {
            // What was sent before may have arrived after all; to send it again does no harm.
            let ours = request.attempts > 0;
            return Ok((!ours).then(|| "changed since the plan: somebody else made the same change".to_owned()));
        }
        Ok(Some(format!("changed since the plan: {difference}")))
    }

    /// Writes what an error means for a step that was sent.
    async fn take_error(&self, request: StepRequest, error: CallError) -> Result<EndedAction, Interruption> {
        let exists = request.creates_account() && error.trouble == Trouble::Exists;
        if error.effect == Effect::None && !exists {
            return self.take_refusal(request, error).await;
        }
        self.write_outcome(&request, unknown_outcome(&error, exists)).await?;
        if exists {
            self.note_answer();
        } else if self.silent.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT {
            return Err(Interruption::Halt(Halt::Down(error)));
        }
        let since = self.execution.clock.elapsed();
        Ok(EndedAction::Lost(Box::new(LostRequest { request, exists, open: false, since })))
    }

    /// The target certainly did not do it.
    async fn take_refusal(&self, request: StepRequest, error: CallError) -> Result<EndedAction, Interruption> {
        match error.trouble {
            Trouble::Quota { .. } | Trouble::Unavailable | Trouble::Configuration | Trouble::Stopped => {
                self.write_outcome(&request, Outcome::NotThere).await?;
                Err(halt_for(error))
            }
            Trouble::NotFound if request.deletes_account() => {
                self.note_answer();
                let account = account_of(&request)?;
                self.write_outcome(&request, Outcome::Adopted { account }).await?;
                Ok(EndedAction::Applied(ActionKind::Delete))
            }
            Trouble::Refused | Trouble::NotFound | Trouble::Garbled | Trouble::Exists => {
                self.note_answer();
                let result = Outcome::Failed { message: error.message, code: error.code, trxid: error.trxid };
                self.give_up(&request, result).await
            }
        }
    }

    /// A step that cannot even be sent.
    async fn give_up_unsent(&self, request: &StepRequest, message: String) -> Result<EndedAction, Interruption> {
        self.give_up(request, Outcome::Failed { message, code: None, trxid: None }).await
    }

    /// Writes that a step failed for good.
    pub(super) async fn give_up(&self, request: &StepRequest, result: Outcome) -> Result<EndedAction, Interruption> {
        self.write_outcome(request, result).await?;
        if let Some(made) = &request.made {
            // The account is there all the same, without its second half.
            let first = if made.by == MadeBy::Us { &[&request.steps.first][..] } else { &[] };
            self.learn_action(&request.action, &made.account, first);
        }
        Ok(EndedAction::Failed)
    }

    /// Notes what is worth remembering of an action whose last step is applied.
    pub(super) fn note_applied(&self, request: &StepRequest, account: &AccountId) -> EndedAction {
        let by = request.made.as_ref().map_or(MadeBy::Us, |made| made.by);
        self.learn_action(&request.action, account, &written_values(&request.steps, by));
        EndedAction::Applied(request.action.action)
    }

    /// What the step sends, secrets included.
    fn with_secrets(&self, request: &StepRequest) -> Result<Attributes, String> {
        let mut values = request.sent_values().clone();
        for (id, value) in request.sent_values().iter() {
            if matches!(value, Value::Generated | Value::Secret(_)) {
                let secret = self.execution.secrets.find_secret(&request.action, id)?;
                #[cfg(test)]
                let secret = crate::testing::broken_laws::password_for_try(secret, request.attempts);
                values.set(id, Value::Secret(secret));
            }
        }
        Ok(values)
    }

    fn note_answer(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }
}

impl Engine<'_> {
    /// An error of reading one account that leaves the others alone: the answer was a refusal, or the server is there
    /// and fails for this account. Where it fails for one after the other it is down, and whatever else happens stops
    /// the run.
    pub(super) fn take_read_error(&self, error: CallError) -> Result<CallError, Interruption> {
        match error.trouble {
            Trouble::Refused | Trouble::Garbled | Trouble::Exists | Trouble::NotFound => Ok(error),
            Trouble::Unavailable
                if error.is_server_error() && self.silent.fetch_add(1, Ordering::Relaxed) + 1 < SILENT =>
            {
                Ok(error)
            }
            Trouble::Quota { .. } | Trouble::Unavailable | Trouble::Configuration | Trouble::Stopped => {
                Err(halt_for(error))
            }
        }
    }
}

/// Why nothing more can be sent.
pub(super) fn halt_for(error: CallError) -> Interruption {
    Interruption::Halt(match error.trouble {
        Trouble::Quota { .. } => Halt::Quota(error),
        Trouble::Configuration => Halt::Configuration(error),
        Trouble::Stopped => Halt::Signal,
        _ => Halt::Down(error),
    })
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
