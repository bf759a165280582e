//! `/Me`: the account a token was made for, processed directly. RFC 7644 §3.11; rows ME-*.
//!
//! The same handlers as `/Users/{id}`, with the rights of one's own account in place of the token's others; what
//! may be changed there stands in `own.rs`.

use actix_web::http::StatusCode;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::error::{self, ScimFailure};
use crate::http::guard::Provisioner;
use crate::service::directory::Kind;
use crate::service::sync_log::Operation;
use crate::service::{Scope, ServiceError, tokens};

use super::asked::may;
use super::own::Own;
use super::{exchange, read, write};

/// `GET /Me`.
pub async fn get(
    request: HttpRequest,
    who: Provisioner,
    state: web::Data<AppState>,
) -> HttpResponse {
    match own(&request, &who.0, &state).await {
        Ok((who, id)) => read::get(Kind::User, request, who, id, state).await,
        Err(error) => refuse(&request, &who.0, &state, Operation::Read, &error),
    }
}

/// `PUT /Me`.
pub async fn replace(
    request: HttpRequest,
    who: Provisioner,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    match own(&request, &who.0, &state).await {
        Ok((who, id)) => write::replace(Kind::User, request, who, id, payload, state).await,
        Err(error) => refuse(&request, &who.0, &state, Operation::Replace, &error),
    }
}

/// `PATCH /Me`.
pub async fn patch(
    request: HttpRequest,
    who: Provisioner,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    match own(&request, &who.0, &state).await {
        Ok((who, id)) => write::patch(Kind::User, request, who, id, payload, state).await,
        Err(error) => refuse(&request, &who.0, &state, Operation::Patch, &error),
    }
}

/// `DELETE /Me`: nobody ends their own account; the directory does.
pub async fn delete(
    request: HttpRequest,
    who: Provisioner,
    state: web::Data<AppState>,
) -> HttpResponse {
    let error = match own(&request, &who.0, &state).await {
        Ok(_) => ServiceError::Denied("delete the account it was made for".to_owned()),
        Err(error) => error,
    };
    refuse(&request, &who.0, &state, Operation::Delete, &error)
}

/// `POST /Me`: nobody registers themselves here (ME-07).
pub async fn create(
    request: HttpRequest,
    who: Provisioner,
    state: web::Data<AppState>,
) -> HttpResponse {
    let failure = ScimFailure::of(
        StatusCode::NOT_IMPLEMENTED,
        None,
        "creating one's own account is not supported; a provisioning client creates it at /Users",
    );
    let entry = exchange::entry(&request, &who.0, Operation::Create, None);
    exchange::refuse(&state, &who.0, entry, &failure)
}

/// Whose token this is, with the rights of one's own account.
async fn own(
    request: &HttpRequest,
    scope: &Scope,
    state: &AppState,
) -> Result<(Provisioner, web::Path<String>), ServiceError> {
    let asker = scope.clone();
    let account = state
        .store
        .read_short(move |db| tokens::account(db, &asker))
        .await?;
    // ME-06: a token of a program is nobody
    let id =
        account.ok_or_else(|| ServiceError::not_found("the account for this token at", "/Me"))?;
    may(scope, Permission::ScimMe)?;
    request.extensions_mut().insert(Own);
    let mut scope = scope.clone();
    scope.permissions = [Permission::ScimRead, Permission::ScimWrite]
        .into_iter()
        .collect();
    Ok((Provisioner(scope), web::Path::from(id.to_string())))
}

fn refuse(
    request: &HttpRequest,
    scope: &Scope,
    state: &AppState,
    operation: Operation,
    error: &ServiceError,
) -> HttpResponse {
    let entry = exchange::entry(request, scope, operation, None);
    exchange::refuse(state, scope, entry, &error::scim(error, scope.request))
}
