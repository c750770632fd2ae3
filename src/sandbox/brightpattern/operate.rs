//! What each operation does to the contact center, and what is answered truly.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::{self, Refusal};
use super::tenant::{Account, Tenant};
use super::{Brightpattern, Created};
use crate::sandbox::faults::Shift;
use crate::sandbox::host::{Api, Call, Draft, Host};
use crate::sandbox::ledger::{Op, Unrecorded, password_hash};
use crate::sandbox::oauth;
use crate::sandbox::reply::{self, Failed, Reply};

impl Host<Brightpattern> {
    pub(super) fn refuse(&self, refusal: &Refusal) -> Reply {
        self.api.error(refusal.status, refusal.status.as_u16().into(), &refusal.why)
    }

    pub(super) fn sign_in(&self, call: &Call<'_>) -> Reply {
        let request = (call.method, call.headers, &*call.body);
        oauth::sign_in(&self.api.client, self.api.behaviour.expires_in, &self.tokens, &*self.clock, request)
    }

    pub(super) fn admit(&self, call: &Call<'_>) -> Result<(), Failed> {
        self.tokens.check(oauth::bearer(call.headers), self.clock.elapsed()).map_err(|_| {
            let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "the access token is missing, wrong or expired");
            oauth::challenge(self.refuse(&refusal)).into()
        })
    }

    pub(super) fn directory(&self) -> Reply {
        Reply::json(StatusCode::OK, self.read().directory())
    }

    pub(super) fn teams(&self) -> Reply {
        let tenant = self.read();
        let teams: Vec<Value> = tenant.teams().into_iter().map(|name| json!({ "name": name })).collect();
        Reply::json(StatusCode::OK, reply::json(&teams))
    }

    pub(super) fn show(&self, login: &str) -> Result<Reply, Failed> {
        match self.read().shown(login) {
            Some(shown) => Ok(Reply::json(StatusCode::OK, shown.to_vec())),
            None => Err(self.refuse(&Refusal::unknown("user", login)).into()),
        }
    }

    pub(super) fn create(&self, call: &Call<'_>) -> Result<Reply, Failed> {
        let refuse = |refusal: Refusal| self.refuse(&refusal);
        let mut fields = self.object(call)?;
        let password = body::take_password(&mut fields).map_err(refuse)?;
        let password = password.ok_or_else(|| refuse(Refusal::bad("password is missing")))?;
        let mut tenant = self.write();
        let login = tenant.check_create(&fields).map_err(refuse)?.login_id;
        let password = Some(password_hash(&password));
        let draft = Draft { op: Op::Create, id: login.clone(), login_id: login.clone(), fields, password };
        self.note(&mut tenant, draft, call)?;
        Ok(self.done(tenant.shown_last()))
    }

    pub(super) fn update(&self, login: &str, call: &Call<'_>) -> Result<Reply, Failed> {
        let refuse = |refusal: Refusal| self.refuse(&refusal);
        let mut fields = self.object(call)?;
        let password = body::take_password(&mut fields).map_err(refuse)?.as_deref().map(password_hash);
        let mut tenant = self.write();
        let login = tenant.check_update(login, &fields).map_err(refuse)?.login_id.clone();
        let draft = Draft { op: Op::Update, id: login.clone(), login_id: login.clone(), fields, password };
        self.note(&mut tenant, draft, call)?;
        Ok(self.done(tenant.shown(&login)))
    }

    pub(super) fn delete(&self, login: &str, call: &Call<'_>) -> Result<Reply, Failed> {
        let mut tenant = self.write();
        let known = tenant.get(login).map(|account| account.login_id.clone());
        let login = known.ok_or_else(|| self.refuse(&Refusal::unknown("user", login)))?;
        let draft = Draft { op: Op::Delete, id: login.clone(), login_id: login, fields: Map::new(), password: None };
        self.note(&mut tenant, draft, call)?;
        Ok(Reply::text(StatusCode::OK, "OK"))
    }

    /// Somebody else changes the contact center.
    pub(super) fn shift_directory(&self, shift: Shift, trxid: &str) {
        let mut tenant = self.write();
        let of = |op, account: &Account, fields| Draft {
            op,
            id: account.login_id.clone(),
            login_id: account.login_id.clone(),
            fields,
            password: None,
        };
        let draft = match shift {
            Shift::Resort => {
                tenant.reverse();
                return;
            }
            // A user's login is its id.
            Shift::Renumber => return,
            Shift::Insert => {
                let free = (1..).map(|n| format!("outsider-{n}")).find(|login| tenant.get(login).is_none());
                let team = tenant.teams().first().map_or("Everybody", |team| team).to_owned();
                free.map(|login_id| Draft {
                    op: Op::OutsideCreate,
                    fields: object(json!({
                        "loginId": login_id, "team": team, "firstName": "Somebody", "lastName": "Else",
                    })),
                    id: login_id.clone(),
                    login_id,
                    password: None,
                })
            }
            Shift::Remove => tenant.first().map(|account| of(Op::OutsideRemove, account, Map::new())),
            Shift::Status => tenant
                .first()
                .map(|account| of(Op::OutsideUpdate, account, object(json!({ "disabled": !account.disabled })))),
        };
        if let Some(draft) = draft {
            // Where it cannot be recorded it does not happen, and nobody was promised that it would.
            let _ = self.record(&mut tenant, draft, trxid, true);
        }
    }

    /// The body of a write, which must be said to be JSON.
    fn object(&self, call: &Call<'_>) -> Result<Map<String, Value>, Failed> {
        let media = call.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            let refusal = Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type is not application/json");
            return Err(self.refuse(&refusal).into());
        }
        body::object(&call.body).map_err(|refusal| self.refuse(&refusal).into())
    }

    fn note(&self, tenant: &mut Tenant, draft: Draft, call: &Call<'_>) -> Result<(), Failed> {
        self.record(tenant, draft, call.trxid, call.answered).map_err(|unrecorded| match unrecorded {
            Unrecorded::Shut => Failed::Cut,
            Unrecorded::Failed => {
                self.refuse(&Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")).into()
            }
        })
    }

    fn done(&self, shown: Option<&[u8]>) -> Reply {
        match (self.api.behaviour.created, shown) {
            (Created::User, Some(shown)) => Reply::json(StatusCode::OK, shown.to_vec()),
            _ => Reply::text(StatusCode::OK, "OK"),
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
