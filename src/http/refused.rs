//! Requests that end at the guard, in the sync log: an administrator must see that an identity provider comes with a
//! token that expired, was revoked or opens the other API (`idp-behavior.md` §17).
//!
//! Only tokens that we made are told of, for only they name a tenant; and only what the failure limit lets through.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::{HttpRequest, web};

use super::{AppState, sender};
use crate::auth::permission::Permissions;
use crate::auth::token::Claims;
use crate::clock::Instant;
use crate::ids::RequestId;
use crate::service::sync_log::{Operation, Outcome, SyncEntry};
use crate::service::{Actor, Scope, tokens};

/// Opens the entry of a request that will be refused.
pub fn entry(request: &HttpRequest, scope: &Scope) -> SyncEntry {
    let path = match request.query_string() {
        "" => request.path().to_owned(),
        query => format!("{}?{query}", request.path()),
    };
    let names_one = request.match_info().get("id").is_some();
    let operation = match *request.method() {
        Method::POST if request.path().ends_with("/Bulk") => Operation::Bulk,
        Method::POST if request.path().ends_with("/.search") => Operation::Probe,
        Method::POST => Operation::Create,
        Method::PUT => Operation::Replace,
        Method::PATCH => Operation::Patch,
        Method::DELETE => Operation::Delete,
        _ if names_one => Operation::Read,
        _ if request.query_string().contains("filter=") => Operation::Probe,
        _ => Operation::List,
    };
    SyncEntry::start(
        scope,
        operation,
        request.method().as_str(),
        &path,
        None,
        sender::of(request),
    )
}

/// Notes a request whose token is ours and opens nothing any more; in the background, for its answer tells nothing.
pub fn note(
    state: &web::Data<AppState>,
    request: &HttpRequest,
    claims: &Arc<Claims>,
    id: RequestId,
    now: Instant,
) {
    let scope = Scope {
        tenant: claims.tid,
        actor: Actor::Scim {
            jti: claims.jti.as_str().into(),
            label: claims.sub.as_str().into(),
        },
        permissions: Permissions::none(),
        request: id,
        now,
        connection: None,
    };
    let entry = entry(request, &scope);
    let (state, claims) = (state.clone(), Arc::clone(claims));
    actix_web::rt::spawn(async move {
        let record = state
            .store
            .read_short(move |db| tokens::refused(db, &claims))
            .await;
        match record {
            Ok(Some(token)) => {
                let mut entry = entry.finish(Outcome::Rejected, 401, None);
                entry.connection = token.connection;
                entry.detail = Some(token.why);
                state.log.log(scope.tenant, entry);
            }
            Ok(None) => {}
            Err(error) => log::warn!("a refused token was not noted: {error}"),
        }
    });
}
