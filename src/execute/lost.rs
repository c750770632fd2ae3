//! Requests whose answer was lost. Each is looked up before anything is sent again, and what cannot be learnt is
//! listed as unknown.

use std::sync::atomic::Ordering;

use futures::stream::{FuturesUnordered, StreamExt};

use super::perform::{failure, halted};
use super::{Broken, Ended, Engine, ExecuteError, Lost, Mode, SILENT};
use crate::journal::{Outcome, Step, StepState};
use crate::model::{Account, Attributes};
use crate::plan::{ActionKind, steps};
use crate::reconcile::compare::has_all;
use crate::target::Trouble;

/// What a lookup says of a lost request.
enum Learnt {
    Settled(Ended),
    /// The effect is not there, and cannot come any more.
    NotThere(Box<Lost>),
}

impl Engine<'_> {
    /// Settles lost requests: looks up, and sends once more what is certainly not there. What is lost again after that
    /// stays unknown until the next process.
    pub(super) async fn settle(&self, mut lost: Vec<Lost>) -> Result<(), Broken> {
        let mut sent_again = false;
        while !lost.is_empty() {
            let again = self.look_up(lost).await?;
            lost = Vec::new();
            if sent_again {
                // The second loss in a row: the request does not get through, and a third would not either.
                for one in again {
                    let message = "sent twice without an answer and without an effect".to_owned();
                    let result = Outcome::Failed { message, code: None, trxid: None };
                    self.write(one.action.seq, one.step, result).await?;
                    self.ended(Ended::Failed, &mut lost).await?;
                }
                return Ok(());
            }
            if self.execution.mode == Mode::SettleOnly {
                for one in again {
                    self.write(one.action.seq, one.step, Outcome::NotThere).await?;
                }
                return Ok(());
            }
            sent_again = true;
            let mut under_way: FuturesUnordered<_> = Vec::into_iter(again)
                .map(|one| async move {
                    self.write(one.action.seq, one.step, Outcome::NotThere).await?;
                    let account = one.action.account.clone();
                    self.perform(one.action, one.step, one.attempts, account).await
                })
                .collect();
            let mut broken = None;
            while let Some(ended) = under_way.next().await {
                match ended {
                    Ok(ended) => self.ended(ended, &mut lost).await?,
                    Err(error) => broken = Some(super::worse(broken, error)),
                }
            }
            if let Some(broken) = broken {
                return Err(broken);
            }
        }
        Ok(())
    }

    async fn look_up(&self, lost: Vec<Lost>) -> Result<Vec<Lost>, Broken> {
        let (creates, others): (Vec<_>, Vec<_>) =
            lost.into_iter().partition(|one| one.action.action == ActionKind::Create && one.step == Step::First);
        let mut again = Vec::new();
        for one in others {
            if let Learnt::NotThere(one) = self.look_up_change(one).await? {
                again.push(*one);
            }
        }
        if creates.is_empty() {
            return Ok(again);
        }
        let missing = self.look_up_creates(creates, false).await?;
        if missing.is_empty() {
            return Ok(again);
        }
        // A request that was given up may still be on its way: only after its time is "not there" certain.
        let clock = self.execution.clock;
        let latest = missing.iter().map(|one| one.since).max().unwrap_or_default();
        let wait = (latest + self.execution.timeout).saturating_sub(clock.elapsed());
        if !wait.is_zero() {
            self.execution.monitor.waiting("a create without an answer may still arrive", wait.as_secs() + 1);
            tokio::select! {
                () = clock.sleep(wait) => {}
                () = self.execution.stop.requested() => return Err(Broken::Halt(super::Halt::Signal)),
            }
        }
        again.extend(self.look_up_creates(missing, true).await?);
        Ok(again)
    }

    /// Looks all creates up at once; gives back those that are not there.
    async fn look_up_creates(&self, lost: Vec<Lost>, certain: bool) -> Result<Vec<Lost>, Broken> {
        let mut sought = Vec::with_capacity(lost.len());
        for one in &lost {
            let wanted = steps(self.schema, &one.action).map_err(ExecuteError::Foreign)?.first;
            sought.push(wanted.iter().map(|(id, value)| (id, value.clone())).collect::<Attributes>());
        }
        let found = self.execution.target.find(self.execution.rules, &sought).await.map_err(halted)?;
        let mut missing = Vec::new();
        for ((one, accounts), wanted) in lost.into_iter().zip(found).zip(sought) {
            let learnt = self.judge_create(one, &accounts, &wanted, certain).await?;
            match learnt {
                Learnt::NotThere(one) => missing.push(*one),
                Learnt::Settled(ended) => {
                    // A follow-up that was lost in turn stays unknown, and is looked at by the next process.
                    self.ended(ended, &mut Vec::new()).await?;
                }
            }
        }
        Ok(missing)
    }

    async fn judge_create(
        &self,
        one: Lost,
        accounts: &[Account],
        wanted: &Attributes,
        certain: bool,
    ) -> Result<Learnt, Broken> {
        let seq = one.action.seq;
        let conflict = |message: String| Outcome::Failed { message, code: None, trxid: None };
        let result = match accounts {
            [] if one.exists && certain => {
                conflict("the target says that it exists already, but does not show it".to_owned())
            }
            [] => return Ok(Learnt::NotThere(Box::new(one))),
            [account] => match has_all(self.schema, account, wanted.iter()) {
                Ok(()) => {
                    let id = account.id.clone();
                    // A refusal with "exists" of the first attempt says that somebody else made the account.
                    let result = if one.exists && one.attempts <= 1 {
                        Outcome::Adopted { account: id.clone() }
                    } else {
                        Outcome::Applied { account: Some(id.clone()) }
                    };
                    self.write(seq, Step::First, result).await?;
                    return Ok(Learnt::Settled(self.created(one.action, &id).await?));
                }
                Err(difference) => conflict(format!(
                    "account {} exists already with another {}: {} instead of {}",
                    account.id,
                    self.schema.name(difference.attribute),
                    difference.from.unwrap_or(crate::model::Value::Null),
                    difference.to
                )),
            },
            several => {
                let ids: Vec<_> = several.iter().map(|account| account.id.as_str()).collect();
                conflict(format!("several accounts exist already: {}", ids.join(", ")))
            }
        };
        self.write(seq, Step::First, result).await?;
        Ok(Learnt::Settled(Ended::Failed))
    }

    /// An update, follow-up or deletion: the account itself says whether it happened.
    async fn look_up_change(&self, one: Lost) -> Result<Learnt, Broken> {
        let seq = one.action.seq;
        let Some(id) = one.action.account.clone().or_else(|| self.account_of(seq)) else {
            return Err(ExecuteError::Foreign(format!("account of action {seq}")).into());
        };
        let account = match self.execution.target.get(&id).await {
            Ok(account) => account,
            Err(error) if matches!(error.trouble, Trouble::Refused | Trouble::Garbled) => {
                self.write(seq, one.step, failure(error)).await?;
                return self.settled(Ended::Failed).await;
            }
            // The server is there and fails for this account: what came of the request stays unknown, and others go on.
            Err(error) if error.is_server_error() && self.silent.fetch_add(1, Ordering::Relaxed) + 1 < SILENT => {
                let state = self.execution.journal.run(self.execution.run)?;
                if state.is_some_and(|state| state.step(seq, one.step) == StepState::Open) {
                    self.write(seq, one.step, Outcome::Unknown { message: error.to_string() }).await?;
                }
                return Ok(Learnt::Settled(Ended::Skipped));
            }
            Err(error) => return Err(halted(error)),
        };
        self.silent.store(0, Ordering::Relaxed);
        let deleting = one.action.action == ActionKind::Delete;
        let steps = steps(self.schema, &one.action).map_err(ExecuteError::Foreign)?;
        let wanted = if one.step == Step::First { &steps.first } else { &steps.then };
        let happened = match &account {
            None => deleting,
            Some(account) => !deleting && has_all(self.schema, account, wanted.iter()).is_ok(),
        };
        if happened {
            self.write(seq, one.step, Outcome::Applied { account: None }).await?;
            let ended = self.applied(one.action, &id);
            return self.settled(ended).await;
        }
        if account.is_none() {
            let message = "the account vanished since the plan".to_owned();
            self.write(seq, one.step, Outcome::Failed { message, code: None, trxid: None }).await?;
            return self.settled(Ended::Failed).await;
        }
        Ok(Learnt::NotThere(Box::new(Lost { action: crate::plan::Action { account: Some(id), ..one.action }, ..one })))
    }

    async fn settled(&self, ended: Ended) -> Result<Learnt, Broken> {
        self.ended(ended, &mut Vec::new()).await?;
        Ok(Learnt::Settled(Ended::Skipped))
    }

    /// The account that an earlier step of this run made.
    fn account_of(&self, seq: u64) -> Option<crate::model::AccountId> {
        let state = self.execution.journal.run(self.execution.run).ok().flatten()?;
        state.account(seq).cloned()
    }
}
