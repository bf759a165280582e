//! OAuth 2.0 clients as use cases: a connection has secrets, and fetches short-lived tokens with them. RFC 6749 §4.4;
//! requirements B12, B14; row AU-03.
//!
//! The client's id is its connection's. Not here: HTTP Basic, forms, the RFC's error bodies.

use zeroize::Zeroizing;

use crate::auth::client_secret;
use crate::auth::permission::{Permissions, TokenKind};
use crate::clock::Instant;
use crate::ids::{ClientSecretId, ConnectionId, TenantId};
pub use crate::store::queries::client_secrets::ClientSecretRow;
use crate::store::queries::{client_secrets as rows, connections};
use crate::store::{Db, StoreError, TransactionError};

use super::ServiceError;
use super::tokens::{self, Minted, NewToken};

/// How long a fetched token lives, in milliseconds (E19).
pub const TOKEN_LIFETIME: i64 = 3600 * 1000;
/// Tokens that one secret may fetch in a minute (B12).
pub const FETCHES_PER_MINUTE: i64 = 10;
/// How long a fetched token is remembered after it has expired, in milliseconds: as long as somebody may ask about it.
const REMEMBERED: i64 = 30 * 24 * 3600 * 1000;
/// Who made a fetched token, as rows hold it; the index of expired ones names it too.
const CREATED_BY: &str = "oauth";

/// A secret that was just made; the only time it can be seen.
pub struct Made {
    pub client_id: ConnectionId,
    pub secret: Zeroizing<String>,
    pub id: ClientSecretId,
}

/// Why no token is given.
#[derive(Debug)]
pub enum Refused {
    /// No such client, or another secret, or one that was taken back: nobody is told which.
    Client,
    /// The scope goes beyond what the secret may have, or is none.
    Scope(String),
    /// Too many tokens in this minute; seconds to its end.
    TooMany(u64),
    Failed(ServiceError),
}

impl<E: Into<ServiceError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl TransactionError for Refused {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Failed(error) => error.store_error(),
            Self::Client | Self::Scope(_) | Self::TooMany(_) => None,
        }
    }
}

/// Makes a secret for a connection. Errors: scopes that are none of SCIM, a life that is none.
pub fn create(
    db: &mut Db,
    tenant: TenantId,
    connection: ConnectionId,
    permissions: Permissions,
    lifetime: i64,
    now: Instant,
) -> Result<Made, ServiceError> {
    if permissions.and(TokenKind::Scim.permissions()) != permissions || permissions.is_empty() {
        return Err(ServiceError::invalid(
            "/scopes",
            "a client has scopes of the SCIM API, at least one",
        ));
    }
    if !(1000..=10 * tokens::LIFETIME).contains(&lifetime) {
        return Err(ServiceError::invalid(
            "/expires",
            "a secret holds at least a second and at most ten years",
        ));
    }
    let secret = client_secret::random()?;
    let code = client_secret::code(&connection.to_string(), &secret)
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("a new secret is none")))?;
    let row = ClientSecretRow {
        tenant_id: tenant.0,
        id: ClientSecretId::new(),
        connection_id: connection,
        code,
        scopes: permissions.to_string(),
        created_at: now.0,
        expires_at: now.plus_millis(lifetime).0,
        revoked_at: None,
        minute: 0,
        fetched: 0,
    };
    rows::insert(db, &row)?;
    Ok(Made {
        client_id: connection,
        secret,
        id: row.id,
    })
}

/// Gives a token to who knows a client's secret, with the scopes asked for, else with all the secret has.
pub fn fetch(
    db: &mut Db,
    client_id: &str,
    secret: &str,
    scope: Option<&str>,
    now: Instant,
) -> Result<(Minted, Permissions), Refused> {
    let Some(code) = client_secret::code(client_id, secret) else {
        return Err(Refused::Client);
    };
    let row = rows::find_by_code(db, &code)?.filter(|row| {
        row.connection_id.to_string() == client_id
            && row.revoked_at.is_none()
            && row.expires_at > now.0
    });
    let Some(row) = row else {
        return Err(Refused::Client);
    };
    let permissions = asked(Permissions::read(&row.scopes), scope)?;
    let tenant = TenantId(row.tenant_id);
    let Some(connection) = connections::find(db, tenant, row.connection_id)? else {
        return Err(Refused::Client);
    };
    let minute = now.0.div_euclid(60_000);
    if !rows::count(db, &row, minute, FETCHES_PER_MINUTE)? {
        let left = (minute + 1) * 60_000 - now.0;
        return Err(Refused::TooMany(
            u64::try_from(left).unwrap_or(0).div_ceil(1000).max(1),
        ));
    }
    let before = now.plus_millis(-REMEMBERED);
    rows::forget_expired(db, tenant, row.connection_id, before)?;
    let new = NewToken {
        label: connection.name,
        permissions,
        lifetime: TOKEN_LIFETIME.min(row.expires_at - now.0).max(1000),
        connection: Some(row.connection_id),
        created_by: CREATED_BY.to_owned(),
        ..NewToken::of(tenant, TokenKind::Scim)
    };
    Ok((tokens::create(db, &new, now)?, permissions))
}

fn asked(has: Permissions, scope: Option<&str>) -> Result<Permissions, Refused> {
    let Some(scope) = scope.filter(|scope| !scope.trim().is_empty()) else {
        return Ok(has);
    };
    let names: Vec<&str> = scope.split_ascii_whitespace().collect();
    let wanted =
        Permissions::parse(&names.join(",")).map_err(|error| Refused::Scope(error.to_string()))?;
    if wanted.and(has) == wanted {
        Ok(wanted)
    } else {
        Err(Refused::Scope(format!("this client may have: {has}")))
    }
}

/// A tenant's secrets, oldest first.
pub fn list(db: &mut Db, tenant: TenantId) -> Result<Vec<ClientSecretRow>, ServiceError> {
    Ok(rows::list(db, tenant)?)
}

/// Takes a secret back. Tokens that it fetched live on for an hour at most. Errors: there is no such secret, or no more.
pub fn revoke(
    db: &mut Db,
    tenant: TenantId,
    id: ClientSecretId,
    now: Instant,
) -> Result<(), ServiceError> {
    if rows::revoke(db, tenant, id, now)? {
        Ok(())
    } else {
        Err(ServiceError::not_found("client secret", id))
    }
}
