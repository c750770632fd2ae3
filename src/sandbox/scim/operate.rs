//! What each operation does to the service, and what is answered truly.

use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::list::{self, Asked};
use super::refusal::Refusal;
use super::tenant::{Account, Tenant};
use super::{Auth, Discovery, Etags, Patch, PatchAnswer, Scim, discovery, patch, resource};
use crate::sandbox::faults::Shift;
use crate::sandbox::host::{Call, Draft, Host};
use crate::sandbox::ledger::{Op, Unrecorded, password_hash};
use crate::sandbox::reply::{self, Failed, Reply};
use crate::sandbox::{CLIENT_ID, CLIENT_SECRET, TOKEN, oauth};

impl Host<Scim> {
    pub(super) fn refuse(&self, refusal: &Refusal) -> Reply {
        self.api.json(refusal.status, reply::json(&refusal.body()))
    }

    pub(super) fn sign_in(&self, call: &Call<'_>) -> Result<Reply, Failed> {
        if self.api.behaviour.auth != Auth::ClientCredentials {
            return Ok(Reply::nowhere());
        }
        let request = (call.method, call.headers, &*call.body);
        let expires_in = self.api.behaviour.expires_in;
        Ok(oauth::sign_in(&self.api.client, expires_in, &self.tokens, &*self.clock, request))
    }

    pub(super) fn admit(&self, call: &Call<'_>) -> Result<(), Failed> {
        let admitted = match self.api.behaviour.auth {
            Auth::Bearer => oauth::bearer(call.headers) == Some(TOKEN),
            Auth::Basic => oauth::basic(call.headers)
                .is_some_and(|(user, password)| user == CLIENT_ID && password == CLIENT_SECRET),
            Auth::ClientCredentials => self.tokens.check(oauth::bearer(call.headers), self.clock.elapsed()).is_ok(),
        };
        if admitted {
            return Ok(());
        }
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "the credentials are missing, wrong or expired");
        Err(oauth::challenge(self.refuse(&refusal)).into())
    }

    pub(super) fn config(&self) -> Result<Reply, Failed> {
        let behaviour = &self.api.behaviour;
        self.described(behaviour.service_provider_config)?;
        Ok(self.api.json(StatusCode::OK, reply::json(&discovery::config(behaviour, self.url()))))
    }

    pub(super) fn resource_types(&self, id: Option<&str>) -> Result<Reply, Failed> {
        self.described(self.api.behaviour.resource_types)?;
        self.describe(vec![discovery::resource_type(self.url())], id)
    }

    pub(super) fn schemas(&self, id: Option<&str>) -> Result<Reply, Failed> {
        self.described(self.api.behaviour.schemas)?;
        self.describe(discovery::schemas(self.url(), self.read().immutable()), id)
    }

    fn described(&self, discovery: Discovery) -> Result<(), Failed> {
        match discovery {
            Discovery::Present => Ok(()),
            Discovery::Missing => Err(Reply::nowhere().into()),
        }
    }

    fn describe(&self, items: Vec<Value>, id: Option<&str>) -> Result<Reply, Failed> {
        let Some(id) = id else { return Ok(self.api.json(StatusCode::OK, list::of_all(&items))) };
        match items.into_iter().find(|item| item["id"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(id))) {
            Some(item) => Ok(self.api.json(StatusCode::OK, reply::json(&item))),
            None => Err(self.refuse(&Refusal::not_found(id)).into()),
        }
    }

    pub(super) fn list(&self, call: &Call<'_>) -> Result<Reply, Failed> {
        let refuse = |refusal| Failed::from(self.refuse(&refusal));
        let asked = Asked::read(call.query).map_err(refuse)?;
        let body = list::answer(&self.read(), &self.api.behaviour, &asked).map_err(refuse)?;
        Ok(self.api.json(StatusCode::OK, body))
    }

    pub(super) fn show(&self, id: &str) -> Result<Reply, Failed> {
        let tenant = self.read();
        self.resource(&tenant, id, StatusCode::OK).ok_or_else(|| self.refuse(&Refusal::not_found(id)).into())
    }

    pub(super) fn create(&self, call: &Call<'_>) -> Result<Reply, Failed> {
        let refuse = |refusal| Failed::from(self.refuse(&refusal));
        let mut fields = self.object(call)?;
        let password = resource::take_password(&mut fields).map_err(refuse)?.as_deref().map(password_hash);
        let resource = resource::read(fields.clone()).map_err(refuse)?;
        let mut tenant = self.write();
        tenant.check_name(&resource, None).map_err(refuse)?;
        let id = tenant.next_id();
        let login_id = resource::user_name(&resource).to_owned();
        self.note(&mut tenant, Draft { op: Op::Create, id: id.clone(), login_id, fields, password }, call)?;
        let reply = self.resource(&tenant, &id, StatusCode::CREATED);
        let reply = reply.ok_or_else(|| self.refuse(&Refusal::not_found(&id)))?;
        match HeaderValue::try_from(tenant.location(&id)) {
            Ok(location) => Ok(reply.with(LOCATION, location)),
            Err(_) => Ok(reply),
        }
    }

    pub(super) fn patch(&self, id: &str, call: &Call<'_>) -> Result<Reply, Failed> {
        if self.api.behaviour.patch != Patch::Supported {
            let refusal = Refusal::new(StatusCode::NOT_IMPLEMENTED, "PATCH is not supported");
            return Err(self.refuse(&refusal).into());
        }
        let mut fields = self.object(call)?;
        let password = patch::take_password(&mut fields).map_err(|refusal| Failed::from(self.refuse(&refusal)))?;
        let reply = self.update(id, fields, password, call)?;
        match self.api.behaviour.patch_answer {
            PatchAnswer::Resource => Ok(reply),
            PatchAnswer::NoContent => Ok(Reply { headers: reply.headers, ..no_content() }),
        }
    }

    pub(super) fn replace(&self, id: &str, call: &Call<'_>) -> Result<Reply, Failed> {
        let mut fields = self.object(call)?;
        // A replacement that could be taken for a list of operations would be read as one.
        fields.retain(|name, _| !name.eq_ignore_ascii_case("Operations"));
        let password = resource::take_password(&mut fields).map_err(|refusal| Failed::from(self.refuse(&refusal)))?;
        self.update(id, fields, password, call)
    }

    fn update(
        &self,
        id: &str,
        fields: Map<String, Value>,
        password: Option<String>,
        call: &Call<'_>,
    ) -> Result<Reply, Failed> {
        let refuse = |refusal| Failed::from(self.refuse(&refusal));
        let mut tenant = self.write();
        let account = self.precondition(&tenant, id, call)?;
        let resource = Tenant::updated(account, &fields).map_err(refuse)?;
        tenant.check_immutable(&account.resource, &resource).map_err(refuse)?;
        tenant.check_name(&resource, Some(id)).map_err(refuse)?;
        let login_id = resource::user_name(&account.resource).to_owned();
        let password = password.as_deref().map(password_hash);
        self.note(&mut tenant, Draft { op: Op::Update, id: id.to_owned(), login_id, fields, password }, call)?;
        self.resource(&tenant, id, StatusCode::OK).ok_or_else(|| self.refuse(&Refusal::not_found(id)).into())
    }

    pub(super) fn delete(&self, id: &str, call: &Call<'_>) -> Result<Reply, Failed> {
        let mut tenant = self.write();
        let account = self.precondition(&tenant, id, call)?;
        let login_id = resource::user_name(&account.resource).to_owned();
        let draft = Draft { op: Op::Delete, id: id.to_owned(), login_id, fields: Map::new(), password: None };
        self.note(&mut tenant, draft, call)?;
        Ok(no_content())
    }

    /// The user of that id, in the version that the client has seen where it says which.
    fn precondition<'a>(&self, tenant: &'a Tenant, id: &str, call: &Call<'_>) -> Result<&'a Account, Failed> {
        let account = tenant.get(id).ok_or_else(|| self.refuse(&Refusal::not_found(id)))?;
        let wanted = call.header("if-match").filter(|_| self.api.behaviour.etags == Etags::Supported);
        let etag = Tenant::etag(account);
        let strong = |etag: &str| etag.trim().trim_start_matches("W/").to_owned();
        let holds = |wanted: &str| wanted.trim() == "*" || wanted.split(',').any(|one| strong(one) == strong(&etag));
        if wanted.is_none_or(holds) {
            return Ok(account);
        }
        let refusal = Refusal::new(StatusCode::PRECONDITION_FAILED, format!("the resource is in version {etag}"));
        Err(self.refuse(&refusal).into())
    }

    /// Somebody else changes the service.
    pub(super) fn shift_list(&self, shift: Shift, trxid: &str) {
        let mut tenant = self.write();
        let of = |op, account: &Account, fields| Draft {
            op,
            id: account.id.clone(),
            login_id: resource::user_name(&account.resource).to_owned(),
            fields,
            password: None,
        };
        let drafts = match shift {
            Shift::Resort => {
                tenant.reverse();
                return;
            }
            Shift::Insert => {
                let id = tenant.next_id();
                let login_id = format!("outsider-{id}@example.com");
                let fields = object(json!({
                    "userName": login_id,
                    "name": { "givenName": "Somebody", "familyName": "Else" },
                    "active": true,
                }));
                vec![Draft { op: Op::OutsideCreate, id, login_id, fields, password: None }]
            }
            Shift::Remove => {
                tenant.first().map(|account| of(Op::OutsideRemove, account, Map::new())).into_iter().collect()
            }
            Shift::Status => {
                let toggled = |account: &Account| {
                    let active = account.resource.get("active") == Some(&Value::Bool(true));
                    let operation = json!({ "op": "replace", "path": "active", "value": !active });
                    let fields = json!({ "schemas": [patch::SCHEMA], "Operations": [operation] });
                    of(Op::OutsideUpdate, account, object(fields))
                };
                tenant.first().map(toggled).into_iter().collect()
            }
            Shift::Renumber => {
                let again = |account: &Account| {
                    let create = of(Op::OutsideCreate, account, account.resource.clone());
                    [of(Op::OutsideRemove, account, Map::new()), Draft { id: tenant.next_id(), ..create }]
                };
                tenant.first().map(again).into_iter().flatten().collect()
            }
        };
        for draft in drafts {
            // Where it cannot be recorded it does not happen, and nobody was promised that it would.
            let _ = self.record(&mut tenant, draft, trxid, true);
        }
    }

    /// The body of a write, which must be said to be JSON.
    fn object(&self, call: &Call<'_>) -> Result<Map<String, Value>, Failed> {
        let media = call.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_lowercase();
        if media != "application/scim+json" && media != "application/json" {
            let why = "Content-Type is neither application/scim+json nor application/json";
            return Err(self.refuse(&Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why)).into());
        }
        match serde_json::from_slice(&call.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(self.refuse(&Refusal::bad("invalidSyntax", "the body is not a JSON object")).into()),
        }
    }

    fn note(&self, tenant: &mut Tenant, draft: Draft, call: &Call<'_>) -> Result<(), Failed> {
        self.record(tenant, draft, call.trxid, call.answered).map_err(|unrecorded| match unrecorded {
            Unrecorded::Shut => Failed::Cut,
            Unrecorded::Failed => {
                self.refuse(&Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")).into()
            }
        })
    }

    /// A user as an answer, with its version.
    fn resource(&self, tenant: &Tenant, id: &str, status: StatusCode) -> Option<Reply> {
        let reply = self.api.json(status, tenant.shown(id)?.to_vec());
        let etag = HeaderValue::try_from(Tenant::etag(tenant.get(id)?));
        match etag {
            Ok(etag) if self.api.behaviour.etags == Etags::Supported => Some(reply.with(ETAG, etag)),
            _ => Some(reply),
        }
    }
}

fn no_content() -> Reply {
    Reply::new(StatusCode::NO_CONTENT, "", Vec::new())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
