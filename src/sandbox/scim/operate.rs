//! What each operation does to the service, and what is answered truly.

use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::list::{self, AskedPage};
use super::refusal::ScimRefusal;
use super::tenant::{ScimAccount, ScimTenant};
use super::{Auth, Discovery, Etags, Patch, PatchAnswer, Scim, discovery, patch, resource};
use crate::sandbox::faults::Shift;
use crate::sandbox::host::{Draft, Host, SandboxCall};
use crate::sandbox::ledger::{LedgerOperation, Unrecorded, password_hash};
use crate::sandbox::reply::{self, FailedCall, SandboxReply};
use crate::sandbox::{CLIENT_ID, CLIENT_SECRET, TOKEN, oauth};

impl Host<Scim> {
    pub(super) fn refuse_call(&self, refusal: &ScimRefusal) -> SandboxReply {
        self.api.json_reply(refusal.status, reply::json_bytes(&refusal.error_body()))
    }

    pub(super) fn sign_in(&self, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        if self.api.behaviour.auth != Auth::ClientCredentials {
            return Ok(SandboxReply::unknown_path());
        }
        let request = (call.method, call.headers, &*call.body);
        let expires_in = self.api.behaviour.expires_in;
        Ok(oauth::sign_in(&self.api.client, expires_in, &self.tokens, &*self.clock, request))
    }

    pub(super) fn admit_call(&self, call: &SandboxCall<'_>) -> Result<(), FailedCall> {
        let admitted = match self.api.behaviour.auth {
            Auth::Bearer => oauth::bearer_token(call.headers) == Some(TOKEN),
            Auth::Basic => oauth::basic_credentials(call.headers)
                .is_some_and(|(user, password)| user == CLIENT_ID && password == CLIENT_SECRET),
            Auth::ClientCredentials => {
                self.tokens.check(oauth::bearer_token(call.headers), self.clock.elapsed()).is_ok()
            }
        };
        if admitted {
            return Ok(());
        }
        let refusal = ScimRefusal::new(StatusCode::UNAUTHORIZED, "the credentials are missing, wrong or expired");
        Err(oauth::add_challenge(self.refuse_call(&refusal)).into())
    }

    pub(super) fn show_config(&self) -> Result<SandboxReply, FailedCall> {
        let behaviour = &self.api.behaviour;
        self.check_discovery(behaviour.service_provider_config)?;
        Ok(self.api.json_reply(StatusCode::OK, reply::json_bytes(&discovery::service_config(behaviour, self.url()))))
    }

    pub(super) fn resource_types(&self, id: Option<&str>) -> Result<SandboxReply, FailedCall> {
        self.check_discovery(self.api.behaviour.resource_types)?;
        self.show_described(vec![discovery::resource_type(self.url())], id)
    }

    pub(super) fn show_schemas(&self, id: Option<&str>) -> Result<SandboxReply, FailedCall> {
        self.check_discovery(self.api.behaviour.schemas)?;
        self.show_described(discovery::all_schemas(self.url(), self.read().immutable()), id)
    }

    fn check_discovery(&self, discovery: Discovery) -> Result<(), FailedCall> {
        match discovery {
            Discovery::Present => Ok(()),
            Discovery::Missing => Err(SandboxReply::unknown_path().into()),
        }
    }

    fn show_described(&self, items: Vec<Value>, id: Option<&str>) -> Result<SandboxReply, FailedCall> {
        let Some(id) = id else { return Ok(self.api.json_reply(StatusCode::OK, list::of_all(&items))) };
        match items.into_iter().find(|item| item["id"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(id))) {
            Some(item) => Ok(self.api.json_reply(StatusCode::OK, reply::json_bytes(&item))),
            None => Err(self.refuse_call(&ScimRefusal::not_found(id)).into()),
        }
    }

    pub(super) fn list(&self, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        let refuse = |refusal| FailedCall::from(self.refuse_call(&refusal));
        let asked = AskedPage::read(call.query).map_err(refuse)?;
        let body = list::answer_list(&self.read(), &self.api.behaviour, &asked).map_err(refuse)?;
        Ok(self.api.json_reply(StatusCode::OK, body))
    }

    pub(super) fn show_user(&self, id: &str) -> Result<SandboxReply, FailedCall> {
        let tenant = self.read();
        self.resource_reply(&tenant, id, StatusCode::OK)
            .ok_or_else(|| self.refuse_call(&ScimRefusal::not_found(id)).into())
    }

    pub(super) fn create(&self, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        let refuse = |refusal| FailedCall::from(self.refuse_call(&refusal));
        let mut fields = self.call_object(call)?;
        let password = resource::take_password(&mut fields).map_err(refuse)?.as_deref().map(password_hash);
        let resource = resource::read(fields.clone()).map_err(refuse)?;
        let mut tenant = self.write();
        tenant.check_name(&resource, None).map_err(refuse)?;
        let id = tenant.next_id();
        let login_id = resource::user_name(&resource).to_owned();
        self.record_change(
            &mut tenant,
            Draft { op: LedgerOperation::Create, id: id.clone(), login_id, fields, password },
            call,
        )?;
        let reply = self.resource_reply(&tenant, &id, StatusCode::CREATED);
        let reply = reply.ok_or_else(|| self.refuse_call(&ScimRefusal::not_found(&id)))?;
        match HeaderValue::try_from(tenant.account_location(&id)) {
            Ok(location) => Ok(reply.with_header(LOCATION, location)),
            Err(_) => Ok(reply),
        }
    }

    pub(super) fn patch_user(&self, id: &str, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        if self.api.behaviour.patch != Patch::Supported {
            let refusal = ScimRefusal::new(StatusCode::NOT_IMPLEMENTED, "PATCH is not supported");
            return Err(self.refuse_call(&refusal).into());
        }
        let mut fields = self.call_object(call)?;
        let password =
            patch::take_password(&mut fields).map_err(|refusal| FailedCall::from(self.refuse_call(&refusal)))?;
        let reply = self.update(id, fields, password, call)?;
        match self.api.behaviour.patch_answer {
            PatchAnswer::Resource => Ok(reply),
            PatchAnswer::NoContent => Ok(SandboxReply { headers: reply.headers, ..no_content() }),
        }
    }

    pub(super) fn replace_user(&self, id: &str, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        let mut fields = self.call_object(call)?;
        // A replacement that could be taken for a list of operations would be read as one.
        fields.retain(|name, _| !name.eq_ignore_ascii_case("Operations"));
        let password =
            resource::take_password(&mut fields).map_err(|refusal| FailedCall::from(self.refuse_call(&refusal)))?;
        self.update(id, fields, password, call)
    }

    fn update(
        &self,
        id: &str,
        fields: Map<String, Value>,
        password: Option<String>,
        call: &SandboxCall<'_>,
    ) -> Result<SandboxReply, FailedCall> {
        let refuse = |refusal| FailedCall::from(self.refuse_call(&refusal));
        let mut tenant = self.write();
        let account = self.check_precondition(&tenant, id, call)?;
        let resource = ScimTenant::updated_resource(account, &fields).map_err(refuse)?;
        tenant.check_immutable(&account.resource, &resource).map_err(refuse)?;
        tenant.check_name(&resource, Some(id)).map_err(refuse)?;
        let login_id = resource::user_name(&account.resource).to_owned();
        let password = password.as_deref().map(password_hash);
        self.record_change(
            &mut tenant,
            Draft { op: LedgerOperation::Update, id: id.to_owned(), login_id, fields, password },
            call,
        )?;
        self.resource_reply(&tenant, id, StatusCode::OK)
            .ok_or_else(|| self.refuse_call(&ScimRefusal::not_found(id)).into())
    }

    pub(super) fn delete(&self, id: &str, call: &SandboxCall<'_>) -> Result<SandboxReply, FailedCall> {
        let mut tenant = self.write();
        let account = self.check_precondition(&tenant, id, call)?;
        let login_id = resource::user_name(&account.resource).to_owned();
        let draft =
            Draft { op: LedgerOperation::Delete, id: id.to_owned(), login_id, fields: Map::new(), password: None };
        self.record_change(&mut tenant, draft, call)?;
        Ok(no_content())
    }

    /// The user of that id, in the version that the client has seen where it says which.
    fn check_precondition<'a>(
        &self,
        tenant: &'a ScimTenant,
        id: &str,
        call: &SandboxCall<'_>,
    ) -> Result<&'a ScimAccount, FailedCall> {
        let account = tenant.get(id).ok_or_else(|| self.refuse_call(&ScimRefusal::not_found(id)))?;
        let wanted = call.header_text("if-match").filter(|_| self.api.behaviour.etags == Etags::Supported);
        let etag = ScimTenant::account_etag(account);
        let strong = |etag: &str| etag.trim().trim_start_matches("W/").to_owned();
        let holds = |wanted: &str| wanted.trim() == "*" || wanted.split(',').any(|one| strong(one) == strong(&etag));
        if wanted.is_none_or(holds) {
            return Ok(account);
        }
        let refusal = ScimRefusal::new(StatusCode::PRECONDITION_FAILED, format!("the resource is in version {etag}"));
        Err(self.refuse_call(&refusal).into())
    }

    /// Somebody else changes the service.
    pub(super) fn shift_list(&self, shift: Shift, trxid: &str) {
        let mut tenant = self.write();
        let of = |op, account: &ScimAccount, fields| Draft {
            op,
            id: account.id.clone(),
            login_id: resource::user_name(&account.resource).to_owned(),
            fields,
            password: None,
        };
        let drafts = match shift {
            Shift::Resort => {
                tenant.reverse_order();
                return;
            }
            Shift::Insert => {
                let id = tenant.next_id();
                let login_id = format!("outsider-{id}@example.com");
                let fields = into_object(json!({
                    "userName": login_id,
                    "name": { "givenName": "Somebody", "familyName": "Else" },
                    "active": true,
                }));
                vec![Draft { op: LedgerOperation::OutsideCreate, id, login_id, fields, password: None }]
            }
            Shift::Remove => tenant
                .first_account()
                .map(|account| of(LedgerOperation::OutsideRemove, account, Map::new()))
                .into_iter()
                .collect(),
            Shift::Status => {
                let toggled = |account: &ScimAccount| {
                    let active = account.resource.get("active") == Some(&Value::Bool(true));
                    let operation = json!({ "op": "replace", "path": "active", "value": !active });
                    let fields = json!({ "schemas": [patch::SCHEMA], "Operations": [operation] });
                    of(LedgerOperation::OutsideUpdate, account, into_object(fields))
                };
                tenant.first_account().map(toggled).into_iter().collect()
            }
            Shift::Renumber => {
                let again = |account: &ScimAccount| {
                    let create = of(LedgerOperation::OutsideCreate, account, account.resource.clone());
                    [of(LedgerOperation::OutsideRemove, account, Map::new()), Draft { id: tenant.next_id(), ..create }]
                };
                tenant.first_account().map(again).into_iter().flatten().collect()
            }
        };
        for draft in drafts {
            // Where it cannot be recorded it does not happen, and nobody was promised that it would.
            let _ = self.record_effect(&mut tenant, draft, trxid, true);
        }
    }

    /// The body of a write, which must be said to be JSON.
    fn call_object(&self, call: &SandboxCall<'_>) -> Result<Map<String, Value>, FailedCall> {
        let media = call.header_text("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_lowercase();
        if media != "application/scim+json" && media != "application/json" {
            let why = "Content-Type is neither application/scim+json nor application/json";
            return Err(self.refuse_call(&ScimRefusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why)).into());
        }
        match serde_json::from_slice(&call.body) {
            Ok(Value::Object(object)) => Ok(object),
            _ => Err(self
                .refuse_call(&ScimRefusal::bad_request("invalidSyntax", "the body is not a JSON object"))
                .into()),
        }
    }

    fn record_change(&self, tenant: &mut ScimTenant, draft: Draft, call: &SandboxCall<'_>) -> Result<(), FailedCall> {
        self.record_effect(tenant, draft, call.trxid, call.answered).map_err(|unrecorded| match unrecorded {
            Unrecorded::Shut => FailedCall::Cut,
            Unrecorded::Failed => {
                self.refuse_call(&ScimRefusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")).into()
            }
        })
    }

    /// A user as an answer, with its version.
    fn resource_reply(&self, tenant: &ScimTenant, id: &str, status: StatusCode) -> Option<SandboxReply> {
        let reply = self.api.json_reply(status, tenant.shown_user(id)?.to_vec());
        let etag = HeaderValue::try_from(ScimTenant::account_etag(tenant.get(id)?));
        match etag {
            Ok(etag) if self.api.behaviour.etags == Etags::Supported => Some(reply.with_header(ETAG, etag)),
            _ => Some(reply),
        }
    }
}

fn no_content() -> SandboxReply {
    SandboxReply::new(StatusCode::NO_CONTENT, "", Vec::new())
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
