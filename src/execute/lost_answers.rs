//! Requests whose answer was lost. Each is looked up before anything is sent again, and an outcome that cannot be
//! learnt stays unknown.

use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::engine::{EndedAction, Engine, Interruption};
use super::request::{LostRequest, MadeAccount, MadeBy, StepRequest, account_of, unknown_outcome};
use super::{ExecuteError, Halt, Mode};
use crate::connectors::{CallError, Trouble};
use crate::journal::{Event, JournalError, Outcome, Step};
use crate::model::{Account, Attributes, Value};
use crate::reconcile::compare::has_all;
use crate::testing::failpoints::{self, Failpoint};

/// A process sends a step so often, if each time its answer is lost and its effect is not there.
const TRIES: u32 = 2;

/// A look that costs more than one in so many of the requests that are left for the day is not taken twice.
const DEAR: u64 = 10;

/// What a lookup says of a lost request.
enum LookupResult {
    Ended(EndedAction),
    /// The effect is not there, or cannot be seen and does no harm twice.
    NotThere(Box<LostRequest>),
    /// Nobody can say; it stays unknown.
    Nothing,
}

/// Whether a request that was given up may still be on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transit {
    Possible,
    Over,
}

impl Engine<'_> {
    /// Settles lost requests: looks up, and sends again what is certainly not there.
    pub(super) async fn settle_lost(&self, mut lost: Vec<LostRequest>) -> Result<(), Interruption> {
        while !lost.is_empty() {
            let mut lost_again = Vec::new();
            let missing = self.look_up(lost, &mut lost_again).await?;
            if self.execution.mode == Mode::SettleOnly {
                for one in missing {
                    self.write_outcome(&one.request, Outcome::NotThere).await?;
                    self.found_again();
                }
                lost = lost_again;
                continue;
            }
            let mut again = Vec::new();
            for one in missing {
                if one.request.tries < TRIES {
                    again.push(one);
                } else if !one.request.has_unseen(self.schema) {
                    let message = "the request got no answer and had no effect, although it was sent several times";
                    let result = Outcome::Failed { message: message.to_owned(), code: None, trxid: None };
                    let ended = self.give_up(&one.request, result).await?;
                    self.found_again();
                    self.count_ended(ended, &mut lost_again).await?;
                }
            }
            self.send_again(again, &mut lost_again).await?;
            lost = lost_again;
        }
        Ok(())
    }

    async fn send_again(&self, missing: Vec<LostRequest>, lost: &mut Vec<LostRequest>) -> Result<(), Interruption> {
        let mut under_way = stream::iter(missing)
            .map(|one| async move {
                self.may_send()?;
                self.write_outcome(&one.request, Outcome::NotThere).await?;
                self.found_again();
                self.perform_action(one.request).await
            })
            .buffer_unordered(self.execution.concurrency.max(1));
        let mut broken = None;
        while let Some(ended) = under_way.next().await {
            match ended {
                Ok(ended) => self.count_ended(ended, lost).await?,
                Err(error) => self.keep_graver(&mut broken, error),
            }
        }
        broken.map_or(Ok(()), Err)
    }

    /// Gives back what is certainly not there. Follow-ups that are lost in turn are added to `lost`.
    async fn look_up(
        &self,
        sought: Vec<LostRequest>,
        lost: &mut Vec<LostRequest>,
    ) -> Result<Vec<LostRequest>, Interruption> {
        if law_is_broken!(CreateRepeatedBlindly) {
            return Ok(sought);
        }
        let over = sought.iter().all(|one| self.rest_of(one.since).is_zero());
        if over || self.must_look_only_once(&sought)? {
            self.let_land(&sought).await?;
            failpoints::reach(Failpoint::WaitOver);
            return self.look_once(sought, Transit::Over, lost).await;
        }
        let missing = self.look_once(sought, Transit::Possible, lost).await?;
        if law_is_broken!(NotThereBelievedAtOnce) {
            return Ok(missing);
        }
        // A request that was given up may still be on its way: only after its time is "not there" certain.
        if missing.is_empty() {
            return Ok(missing);
        }
        self.let_land(&missing).await?;
        failpoints::reach(Failpoint::WaitOver);
        self.look_once(missing, Transit::Over, lost).await
    }

    /// Waits until none of the requests can land any more.
    async fn let_land(&self, sought: &[LostRequest]) -> Result<(), Interruption> {
        let Some(latest) = sought.iter().map(|one| one.since).max() else { return Ok(()) };
        let wait = self.rest_of(latest);
        if wait.is_zero() {
            return Ok(());
        }
        self.execution.monitor.waiting("a request without an answer may still arrive", wait.as_secs() + 1);
        tokio::select! {
            biased;
            () = self.execution.stop.wait_requested() => Err(Interruption::Halt(Halt::Signal)),
            () = self.execution.clock.sleep(wait) => Ok(()),
        }
    }

    /// How long a request that was given up then may still land. The time of its intent would say nothing: after it a
    /// request waits for its turn, for the pace, and for as long as the server asks. So of a request that an earlier
    /// process left open it counts from the beginning of this one.
    fn rest_of(&self, since: Duration) -> Duration {
        (since + self.execution.timeout).saturating_sub(self.execution.clock.elapsed())
    }

    /// Whether looking twice could use up so much of the day's quota that nothing is left to go on with. What a look
    /// brings is kept nowhere, so such a run would begin every day anew and never end.
    fn must_look_only_once(&self, sought: &[LostRequest]) -> Result<bool, ExecuteError> {
        let Some(quota) = self.execution.target.meter().quota() else { return Ok(false) };
        let creates = sought.iter().filter(|one| one.request.creates_account()).count();
        let listing = match creates {
            0 => 0,
            _ => self.execution.target.costs().listing.count_requests(self.open_plan()?.header.listing.accounts),
        };
        let look = listing.saturating_add((sought.len() - creates) as u64);
        Ok(look.saturating_mul(DEAR) > quota.remaining)
    }

    async fn look_once(
        &self,
        sought: Vec<LostRequest>,
        transit: Transit,
        lost: &mut Vec<LostRequest>,
    ) -> Result<Vec<LostRequest>, Interruption> {
        let (creates, changes): (Vec<_>, Vec<_>) = sought.into_iter().partition(|one| one.request.creates_account());
        let mut missing = Vec::new();
        for one in changes {
            self.may_send()?;
            let learnt = self.look_up_change(one).await?;
            self.take_result(learnt, &mut missing, lost).await?;
        }
        if creates.is_empty() {
            return Ok(missing);
        }
        self.may_send()?;
        let wanted: Vec<Attributes> = creates.iter().map(|one| one.request.steps.first.clone()).collect();
        failpoints::reach_kind(Failpoint::LookupDue, "create");
        let found = self.execution.target.find(self.execution.rules, &wanted).await;
        failpoints::reach_kind(Failpoint::LookedUp, "create");
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let error = self.take_read_error(error)?;
                for one in creates {
                    self.note_unlearnt(&one, &error).await?;
                }
                return Ok(missing);
            }
        };
        for (one, accounts) in creates.into_iter().zip(found) {
            let learnt = self.judge_create(one, &accounts, transit).await?;
            self.take_result(learnt, &mut missing, lost).await?;
        }
        Ok(missing)
    }

    async fn take_result(
        &self,
        learnt: LookupResult,
        missing: &mut Vec<LostRequest>,
        lost: &mut Vec<LostRequest>,
    ) -> Result<(), Interruption> {
        match learnt {
            LookupResult::Ended(ended) => {
                self.found_again();
                self.count_ended(ended, lost).await?;
            }
            LookupResult::NotThere(one) => missing.push(*one),
            LookupResult::Nothing => {}
        }
        Ok(())
    }

    async fn judge_create(
        &self,
        one: LostRequest,
        accounts: &[Account],
        transit: Transit,
    ) -> Result<LookupResult, Interruption> {
        let wanted = &one.request.steps.first;
        let differences: Vec<_> =
            accounts.iter().map(|account| has_all(self.schema, account, wanted.iter()).err()).collect();
        let alike = |difference: &Option<_>| difference.is_none() || law_is_broken!(AdoptedWithoutComparing);
        let mut equal = accounts.iter().zip(&differences).filter(|(_, difference)| alike(difference));
        let message = match (equal.next(), equal.next()) {
            (Some((account, _)), None) => {
                // A refusal says that the account is there, not who made it.
                let ours = !one.exists || self.may_have_landed(&one.request)?;
                let by = if ours { MadeBy::Us } else { MadeBy::SomebodyElse };
                match &account.protected {
                    Some(reason) if !ours => {
                        format!("account {} exists already and is protected: {reason}", account.id)
                    }
                    _ => return self.continue_made(one.request, MadeAccount { account: account.id.clone(), by }).await,
                }
            }
            (Some(_), Some(_)) => {
                let ids: Vec<_> = accounts.iter().map(|account| account.id.as_str()).collect();
                format!("several accounts exist already: {}", ids.join(", "))
            }
            (None, _) => match (accounts.first(), differences.into_iter().flatten().next()) {
                (Some(account), Some(difference)) => format!(
                    "account {} exists already with another {}: {} instead of {}",
                    account.id,
                    self.schema.name(difference.attribute),
                    difference.from.unwrap_or(Value::Null),
                    difference.to
                ),
                _ if one.exists && transit == Transit::Over => {
                    "the target says that it exists already, but does not show it".to_owned()
                }
                _ => return Ok(LookupResult::NotThere(Box::new(one))),
            },
        };
        let result = Outcome::Failed { message, code: None, trxid: None };
        Ok(LookupResult::Ended(self.give_up(&one.request, result).await?))
    }

    async fn continue_made(&self, request: StepRequest, made: MadeAccount) -> Result<LookupResult, Interruption> {
        let account = made.account.clone();
        let result = match made.by {
            MadeBy::Us => Outcome::Applied { account: Some(account) },
            MadeBy::SomebodyElse => Outcome::Adopted { account },
        };
        self.write_outcome(&request, result).await?;
        match self.continue_created(request, made).await {
            Ok(ended) => Ok(LookupResult::Ended(ended)),
            Err(broken) => {
                // The create is settled all the same.
                self.found_again();
                Err(broken)
            }
        }
    }

    /// Whether an earlier attempt of a create that is refused now may have made the account: its answer was lost, or
    /// the process that sent it died.
    fn may_have_landed(&self, request: &StepRequest) -> Result<bool, JournalError> {
        if request.attempts <= 1 {
            return Ok(false);
        }
        let mut open = false;
        for event in self.execution.journal.events_of(self.execution.run) {
            match event? {
                Event::Intent { seq, step: Step::First, .. } if seq == request.seq() => open = true,
                Event::Outcome { seq, step: Step::First, result, .. } if seq == request.seq() => {
                    if matches!(result, Outcome::Unknown { .. }) {
                        return Ok(true);
                    }
                    open = false;
                }
                Event::RunResumed { .. } if open => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    /// An update, follow-up or deletion: the account itself says whether it happened.
    async fn look_up_change(&self, one: LostRequest) -> Result<LookupResult, Interruption> {
        let request = &one.request;
        let id = account_of(request)?;
        failpoints::reach_kind(Failpoint::LookupDue, request.kind_name());
        let account = self.execution.target.get(&id).await;
        failpoints::reach_kind(Failpoint::LookedUp, request.kind_name());
        let account = match account {
            Ok(account) => account,
            Err(error) if error.trouble == Trouble::NotFound => None,
            Err(error) => {
                let error = self.take_read_error(error)?;
                self.note_unlearnt(&one, &error).await?;
                return Ok(LookupResult::Nothing);
            }
        };
        let happened = match &account {
            None if !request.deletes_account() => {
                let message = "the account vanished since the plan".to_owned();
                let result = Outcome::Failed { message, code: None, trxid: None };
                return Ok(LookupResult::Ended(self.give_up(request, result).await?));
            }
            None => true,
            Some(account) => {
                let has_all = || has_all(self.schema, account, request.sent_values().iter()).is_ok();
                !request.deletes_account() && !request.has_unseen(self.schema) && has_all()
            }
        };
        if !happened {
            return Ok(LookupResult::NotThere(Box::new(one)));
        }
        self.write_outcome(request, Outcome::Applied { account: None }).await?;
        Ok(LookupResult::Ended(self.note_applied(request, &id)))
    }

    /// Nothing could be learnt of this one; others go on.
    async fn note_unlearnt(&self, one: &LostRequest, error: &CallError) -> Result<(), Interruption> {
        let (key, action) = (&one.request.action.key, one.request.action.action);
        self.execution.monitor.note(&format!("the outcome of the {action} of {key} cannot be looked up: {error}"));
        if one.open {
            // A run that ends has an outcome for every intent.
            self.write_outcome(&one.request, unknown_outcome(error, false)).await?;
        }
        Ok(())
    }
}
