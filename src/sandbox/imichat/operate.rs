//! What each operation does to the tenant, and what is answered truly.

use axum::http::StatusCode;
use axum::http::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::account::{ImichatAccount, Status};
use super::reply::{ImichatFailedCall, success_reply};
use super::wire::{self, Code, ImichatRefusal};
use super::{Imichat, ListShape, PageLinks, PastTheEnd, body};
use crate::sandbox::faults::Shift;
use crate::sandbox::host::{Draft, Host, SandboxCall};
use crate::sandbox::ledger::{LedgerOperation, password_hash};
use crate::sandbox::reply::SandboxReply;

impl Host<Imichat> {
    pub(super) fn give_token(&self, call: &SandboxCall<'_>) -> Result<SandboxReply, ImichatFailedCall> {
        match call.header_text("auth_code") {
            None => Err(Code::HeaderMissing.into()),
            Some(code) if code != self.api.auth_code => Err(Code::InvalidToken.into()),
            Some(_) => {
                let token = format!("{:016x}{:016x}", self.clock.random(), self.clock.random());
                // The token is hexadecimal, so it can always be a header.
                let value = HeaderValue::try_from(token.as_str()).unwrap_or(HeaderValue::from_static(""));
                self.tokens.give_token(token, self.clock.elapsed());
                Ok(success_reply(Code::SignedIn, b"null").with_header(HeaderName::from_static("access_token"), value))
            }
        }
    }

    pub(super) fn check_headers(&self, call: &SandboxCall<'_>) -> Result<(), ImichatFailedCall> {
        self.tokens.check(call.header_text("access_token"), self.clock.elapsed())?;
        match call.header_text("teamid") {
            None => Ok(()),
            Some(team) => {
                let tenant = self.read();
                let known = team.trim().parse().is_ok_and(|team| tenant.knows_team(team));
                if known { Ok(()) } else { Err(Code::TeamNotFound.into()) }
            }
        }
    }

    pub(super) fn list(&self, query: Option<&str>) -> Result<SandboxReply, ImichatFailedCall> {
        let page = page_number(query)?;
        let mut body = Vec::with_capacity(6 * 1024);
        wire::open_envelope(Code::Retrieved as u32, Code::Retrieved.description(), &mut body);
        let in_object = self.api.behaviour.list == ListShape::Users;
        body.extend_from_slice(if in_object { b"{\"users\":[" } else { b"[" });
        let pages = {
            let tenant = self.read();
            if tenant.write_page(page, &mut body).is_none() && self.api.behaviour.past_the_end == PastTheEnd::NotFound {
                return Err(Code::UserNotFound.into());
            }
            tenant.page_count()
        };
        body.push(b']');
        if in_object {
            self.write_links(page, pages, &mut body);
            body.push(b'}');
        }
        body.push(b'}');
        Ok(SandboxReply::from_json(StatusCode::OK, body))
    }

    fn write_links(&self, page: u64, pages: u64, body: &mut Vec<u8>) {
        let next = if page < pages { format!("\"{}/users/?page={}\"", self.url(), page + 1) } else { "null".into() };
        let links = match self.api.behaviour.links {
            PageLinks::NextAndPages => format!(",\"links\":{{\"next\":{next},\"pages\":{pages}}}"),
            PageLinks::Next => format!(",\"links\":{{\"next\":{next}}}"),
            PageLinks::Pages => format!(",\"links\":{{\"pages\":{pages}}}"),
            PageLinks::Absent => return,
        };
        body.extend_from_slice(links.as_bytes());
    }

    pub(super) fn show_user(&self, id: &str) -> Result<SandboxReply, ImichatFailedCall> {
        let tenant = self.read();
        let shown = id.parse().ok().and_then(|id| tenant.shown_user(id)).ok_or(Code::UserNotFound)?;
        Ok(success_reply(Code::Retrieved, shown))
    }

    pub(super) fn create(&self, call: &SandboxCall<'_>) -> Result<SandboxReply, ImichatFailedCall> {
        let mut fields = body::read_object(&call.body)?;
        let password = Some(password_hash(&body::take_password(&mut fields)?));
        let mut tenant = self.write();
        let login_id = tenant.check_create(&fields)?.login_id.unwrap_or_default();
        let id = tenant.next_id();
        let draft = Draft { op: LedgerOperation::Create, id: id.to_string(), login_id, fields, password };
        self.record_effect(&mut tenant, draft, call.trxid, call.answered)?;
        Ok(success_reply(Code::Created, tenant.shown_user(id).unwrap_or(b"null")))
    }

    pub(super) fn update(&self, id: &str, call: &SandboxCall<'_>) -> Result<SandboxReply, ImichatFailedCall> {
        let fields = body::read_object(&call.body)?;
        let id: u64 = id.parse().map_err(|_| Code::UserNotFound)?;
        let mut tenant = self.write();
        tenant.check_update(id, &fields)?;
        let login_id = tenant.get(id).map(|account| account.login_id.clone()).unwrap_or_default();
        let draft = Draft { op: LedgerOperation::Update, id: id.to_string(), login_id, fields, password: None };
        self.record_effect(&mut tenant, draft, call.trxid, call.answered)?;
        Ok(success_reply(Code::Updated, tenant.shown_user(id).unwrap_or(b"null")))
    }

    /// Somebody else changes the tenant.
    pub(super) fn shift_list(&self, shift: Shift, trxid: &str) {
        let mut tenant = self.write();
        let of = |op, account: &ImichatAccount, fields| Draft {
            op,
            id: account.id.to_string(),
            login_id: account.login_id.clone(),
            fields,
            password: None,
        };
        let draft = match shift {
            Shift::Resort => {
                tenant.reverse_order();
                return;
            }
            // An id is for ever in this API.
            Shift::Renumber => return,
            Shift::Insert => {
                let id = tenant.next_id();
                let login_id = format!("outsider-{id}");
                let fields = into_object(json!({
                    "login_id": login_id,
                    "email_id": format!("{login_id}@example.com"),
                    "first_name": "Somebody",
                    "last_name": "Else",
                }));
                Some(Draft { op: LedgerOperation::OutsideCreate, id: id.to_string(), login_id, fields, password: None })
            }
            Shift::Remove => {
                tenant.first_account().map(|account| of(LedgerOperation::OutsideRemove, account, Map::new()))
            }
            Shift::Status => tenant.first_account().map(|account| {
                let status = if account.status == Status::Active { "inactive" } else { "active" };
                of(LedgerOperation::OutsideUpdate, account, into_object(json!({ "status": status })))
            }),
        };
        if let Some(draft) = draft {
            // Where it cannot be recorded it does not happen, and nobody was promised that it would.
            let _ = self.record_effect(&mut tenant, draft, trxid, true);
        }
    }
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// The page asked for; the first where none is.
pub(super) fn page_number(query: Option<&str>) -> Result<u64, ImichatRefusal> {
    let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("page="));
    match asked.map(str::parse::<u64>) {
        None => Ok(1),
        Some(Ok(page)) if page > 0 => Ok(page),
        Some(_) => Err(ImichatRefusal::with_detail("page is not a number from 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_number_from_one() {
        assert_eq!(page_number(None), Ok(1));
        assert_eq!(page_number(Some("a=b&page=12")), Ok(12));
        for wrong in ["page=0", "page=-1", "page=x", "page="] {
            assert_eq!(page_number(Some(wrong)).unwrap_err().code, Code::RequestInvalid);
        }
    }
}
