//! Tokens as people manage them: page, make, rotate, take back; each change leaves an event (A8, B4, B6, B47).
//!
//! Nobody hands out more than they have: a token of the REST API mints REST tokens with its own scopes at most.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use uuid::Uuid;

use crate::auth::permission::{Permissions, TokenKind};
use crate::clock::Instant;
use crate::learning::event::{Entity, Event, EventType};
use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::queries::tokens::{self as rows, TokenRow};
use crate::store::queries::{connections, events};

use super::super::enroll::by;
use super::super::{Scope, ServiceError};
use super::{Minted, NewToken, create};

/// One page of the tenant's tokens by `jti`.
pub fn page(db: &mut Db, scope: &Scope, paging: &Paging) -> Result<Found<TokenRow>, ServiceError> {
    Ok(rows::page(db, scope.tenant, paging)?)
}

/// A token of the tenant.
pub fn find(db: &mut Db, scope: &Scope, jti: &str) -> Result<TokenRow, ServiceError> {
    rows::find(db, scope.tenant, jti)?.ok_or_else(|| ServiceError::not_found("token", jti))
}

/// Makes a token for the scope's tenant. Errors: scopes beyond the caller's own, an unknown connection.
pub fn mint(
    db: &mut Db,
    scope: &Scope,
    new: &NewToken,
) -> Result<(Minted, TokenRow), ServiceError> {
    may_give(scope, new.kind, new.permissions)?;
    if let Some(id) = new.connection
        && connections::find(db, scope.tenant, id)?.is_none()
    {
        return Err(ServiceError::invalid(
            "/connection_id",
            "there is no such connection",
        ));
    }
    if new.kind == TokenKind::Api && new.connection.is_some() {
        return Err(ServiceError::invalid(
            "/connection_id",
            "only a token of kind `scim` belongs to a connection",
        ));
    }
    let new = NewToken {
        tenant: scope.tenant,
        created_by: scope.actor.to_string(),
        ..new.clone()
    };
    let minted = create(db, &new, scope.now)?;
    let row = find(db, scope, &minted.jti)?;
    event(db, scope, &row, EventType::TokenCreated, json!({}))?;
    Ok((minted, row))
}

/// Makes a second token like one that is live; both work until the old one is taken back.
pub fn rotate(db: &mut Db, scope: &Scope, jti: &str) -> Result<(Minted, TokenRow), ServiceError> {
    let old = find(db, scope, jti)?;
    if old.revoked_at.is_some() || old.expires_at <= scope.now.0 {
        return Err(ServiceError::invalid(
            "/jti",
            "this token works no more; make a new one",
        ));
    }
    let kind = TokenKind::parse(&old.kind)
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("token {jti} has an unknown kind")))?;
    let new = NewToken {
        tenant: scope.tenant,
        kind,
        label: old.label.clone(),
        permissions: Permissions::read(&old.scopes),
        lifetime: old.expires_at - old.created_at,
        connection: old.connection_id,
        created_by: scope.actor.to_string(),
    };
    may_give(scope, new.kind, new.permissions)?;
    let minted = create(db, &new, scope.now)?;
    let row = find(db, scope, &minted.jti)?;
    event(
        db,
        scope,
        &row,
        EventType::TokenRotated,
        json!({"from": super::hint(jti)}),
    )?;
    Ok((minted, row))
}

/// Takes a token back. A second time finds nothing (A1: repeated DELETE → 404). The caller tells its gate.
pub fn revoke(db: &mut Db, scope: &Scope, jti: &str) -> Result<(), ServiceError> {
    let row = find(db, scope, jti)?;
    if !rows::revoke(db, scope.tenant, jti, scope.now)? {
        return Err(ServiceError::not_found("token", jti));
    }
    event(db, scope, &row, EventType::TokenRevoked, json!({}))
}

fn may_give(scope: &Scope, kind: TokenKind, wanted: Permissions) -> Result<(), ServiceError> {
    let beyond: Permissions = wanted
        .iter()
        .filter(|one| kind == TokenKind::Api && !scope.permissions.contains(*one))
        .collect();
    if beyond.is_empty() {
        return Ok(());
    }
    Err(ServiceError::Denied(format!(
        "give out scopes that it does not have itself: {beyond}"
    )))
}

/// The id under which events know a token: its `jti` is 128 random bits.
#[must_use]
pub fn entity_id(jti: &str) -> Uuid {
    URL_SAFE_NO_PAD
        .decode(jti)
        .ok()
        .and_then(|bytes| Uuid::from_slice(&bytes).ok())
        .unwrap_or_default()
}

fn event(
    db: &mut Db,
    scope: &Scope,
    row: &TokenRow,
    event_type: EventType,
    more: serde_json::Value,
) -> Result<(), ServiceError> {
    let mut data = json!({
        "hint": super::hint(&row.jti), "kind": row.kind, "label": row.label, "scopes": row.scopes,
        "expires_at": Instant(row.expires_at),
    });
    if let (Some(data), serde_json::Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    let event = Event {
        entity: Entity::Token,
        entity_id: entity_id(&row.jti),
        event_type,
        data,
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}
