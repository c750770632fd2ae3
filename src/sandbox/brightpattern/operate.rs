//! What each operation does to the contact center, and what is answered truly.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::{self, BrightpatternRefusal};
use super::tenant::{BrightpatternAccount, BrightpatternTenant};
use super::{Brightpattern, Created};
use crate::sandbox::faults::Shift;
use crate::sandbox::host::{Draft, Host, SandboxApi, SandboxCall};
use crate::sandbox::ledger::{LedgerOperation, Unrecorded, password_hash};
use crate::sandbox::oauth;
use crate::sandbox::reply::{self, FailedCall, SandboxReply};

impl Host<Brightpattern> {
    pub(super) fn refuse_call(&self, refusal: &BrightpatternRefusal) -> SandboxReply {
        self.api.error_reply(refusal.status, refusal.status.as_u16().into(), &refusal.why)
    }

    pub(super) fn sign_in(&self, call: &SandboxCall<'_>) -> SandboxReply {
        let request = (call.method, call.headers, &*call.body);
        oauth::sign_in(&self.api.client, self.api.behaviour.expires_in, &self.tokens, &*self.clock, request)
    }

    pub(super) fn admit_call(&self, call: &SandboxCall<'_>) -> Result<(), FailedCall> {
        self.tokens.check(oauth::bearer_token(call.headers), self.clock.elapsed()).map_err(|_| {
            let refusal =
                BrightpatternRefusal::new(StatusCode::UNAUTHORIZED, "the access token is missing, wrong or expired");
            oauth::add_challenge(self.refuse_call(&refusal)).into()
        })
    }

    pub(super) fn show_directory(&self) -> SandboxReply {
        SandboxReply::from_json(StatusCode::OK, self.read().directory_json())
    }

    pub(super) fn show_teams(&self) -> SandboxReply {
        let tenant = self.read();
        let teams: Vec<Value> = tenant.team_names().into_iter().map(|name| json!({ "name": name })).collect();
        SandboxReply::from_json(StatusCode::OK, reply::json_bytes(&teams))
    }

    pub(super) fn show_user(&self, login: &str) -> Result<SandboxReply, FailedCall> {
        match self.read().shown_user(login) {
            Some(shown) => Ok(SandboxReply::from_json(StatusCode::OK, shown.to_vec())),
            None => Err(self.refuse_call(&BrightpatternRefusal::unknown_reference("user", login)).into()),
        }
    }

    pub(super) fn create(&self, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        let refuse = |refusal: BrightpatternRefusal| self.refuse_call(&refusal);
        let mut fields = self.call_object(call)?;
        let password = body::take_password(&mut fields).map_err(refuse)?;
        let password = password.ok_or_else(|| refuse(BrightpatternRefusal::bad_request("password is missing")))?;
        let mut tenant = self.write();
        let login = tenant.check_create(&fields).map_err(refuse)?.login_id;
        let password = Some(password_hash(&password));
        let draft = Draft { op: LedgerOperation::Create, id: login.clone(), login_id: login.clone(), fields, password };
        self.record_change(&mut tenant, draft, call)?;
        Ok(self.done_reply(tenant.shown_last()))
    }

    pub(super) fn update(&self, login: &str, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        let refuse = |refusal: BrightpatternRefusal| self.refuse_call(&refusal);
        let mut fields = self.call_object(call)?;
        let password = body::take_password(&mut fields).map_err(refuse)?.as_deref().map(password_hash);
        let mut tenant = self.write();
        let login = tenant.check_update(login, &fields).map_err(refuse)?.login_id.clone();
        let draft = Draft { op: LedgerOperation::Update, id: login.clone(), login_id: login.clone(), fields, password };
        self.record_change(&mut tenant, draft, call)?;
        Ok(self.done_reply(tenant.shown_user(&login)))
    }

    pub(super) fn delete(&self, login: &str, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        let mut tenant = self.write();
        let known = tenant.get(login).map(|account| account.login_id.clone());
        let login = known.ok_or_else(|| self.refuse_call(&BrightpatternRefusal::unknown_reference("user", login)))?;
        let draft = Draft {
            op: LedgerOperation::Delete,
            id: login.clone(),
            login_id: login,
            fields: Map::new(),
            password: None,
        };
        self.record_change(&mut tenant, draft, call)?;
        Ok(SandboxReply::from_text(StatusCode::OK, "OK"))
    }

    /// Somebody else changes the contact center.
    pub(super) fn shift_directory(&self, shift: Shift, trxid: &str) {
        let mut tenant = self.write();
        let of = |op, account: &BrightpatternAccount, fields| Draft {
            op,
            id: account.login_id.clone(),
            login_id: account.login_id.clone(),
            fields,
            password: None,
        };
        let draft = match shift {
            Shift::Resort => {
                tenant.reverse_order();
                return;
            }
            // A user's login is its id.
            Shift::Renumber => return,
            Shift::Insert => {
                let free = (1..).map(|n| format!("outsider-{n}")).find(|login| tenant.get(login).is_none());
                let team = tenant.team_names().first().map_or("Everybody", |team| team).to_owned();
                free.map(|login_id| Draft {
                    op: LedgerOperation::OutsideCreate,
                    fields: into_object(json!({
                        "loginId": login_id, "team": team, "firstName": "Somebody", "lastName": "Else",
                    })),
                    id: login_id.clone(),
                    login_id,
                    password: None,
                })
            }
            Shift::Remove => {
                tenant.first_account().map(|account| of(LedgerOperation::OutsideRemove, account, Map::new()))
            }
            Shift::Status => tenant.first_account().map(|account| {
                of(LedgerOperation::OutsideUpdate, account, into_object(json!({ "disabled": !account.disabled })))
            }),
        };
        if let Some(draft) = draft {
            // Where it cannot be recorded it does not happen, and nobody was promised that it would.
            let _ = self.record_effect(&mut tenant, draft, trxid, true);
        }
    }

    /// The body of a write, which must be said to be JSON.
    fn call_object(&self, call: &SandboxCall<'_>) -> Result<Map<String, Value>, FailedCall> {
        let media = call.header_text("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            let refusal =
                BrightpatternRefusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type is not application/json");
            return Err(self.refuse_call(&refusal).into());
        }
        body::read_object(&call.body).map_err(|refusal| self.refuse_call(&refusal).into())
    }

    fn record_change(
        &self,
        tenant: &mut BrightpatternTenant,
        draft: Draft,
        call: &SandboxCall<'_>,
    ) -> Result<(), FailedCall> {
        self.record_effect(tenant, draft, call.trxid, call.answered).map_err(|unrecorded| match unrecorded {
            Unrecorded::Shut => FailedCall::Cut,
            Unrecorded::Failed => self
                .refuse_call(&BrightpatternRefusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"))
                .into(),
        })
    }

    fn done_reply(&self, shown: Option<&[u8]>) -> SandboxReply {
        match (self.api.behaviour.created, shown) {
            (Created::User, Some(shown)) => SandboxReply::from_json(StatusCode::OK, shown.to_vec()),
            _ => SandboxReply::from_text(StatusCode::OK, "OK"),
        }
    }
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
