//! Access tokens as use cases: made, recorded by `jti`, listed, taken back, and asked about on every request.
//!
//! [`Gate`] is what stands between a token and its row: signatures are verified once, rows asked at most every
//! [`RECHECK`] milliseconds, so a revocation on another node is seen within that time and one on this node at once (B5).

mod gate;
pub mod manage;
pub mod signing_keys;

use std::fmt;
use std::sync::Arc;

use crate::auth::permission::{Permissions, TokenKind};
use crate::auth::rate::Meter;
use crate::auth::token::{self, AUDIENCE, Claims, ISSUER, KeyError, TokenError};
use crate::clock::Instant;
use crate::ids::{ConnectionId, RequestId, TenantId, UserId};
use crate::scim::fold::fold;
use crate::store::Db;
use crate::store::queries::connections as connection_rows;
use crate::store::queries::tokens;
use crate::store::queries::users;

use super::scope::{Actor, Connection};
use super::{Scope, ServiceError, connections};

/// How long a token lives when nobody says otherwise, in milliseconds: a year.
pub const LIFETIME: i64 = 365 * 24 * 3600 * 1000;
/// How old a row's last use may grow before it is written again, in milliseconds.
const TOUCH: i64 = 5 * 60 * 1000;

pub use crate::store::queries::tokens::{TokenRow, Use};
pub use signing_keys::{derived, key_ring, prepare_keys};

pub use gate::{Answer, CACHED, Epoch, Gate, RECHECK};

impl From<KeyError> for ServiceError {
    fn from(error: KeyError) -> Self {
        Self::Bug(error.into())
    }
}

/// What a new token is to be.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub tenant: TenantId,
    pub kind: TokenKind,
    pub label: String,
    pub permissions: Permissions,
    /// Milliseconds from now to its end.
    pub lifetime: i64,
    pub connection: Option<ConnectionId>,
    pub created_by: String,
}

impl NewToken {
    /// A token with everything its kind can do, for a year.
    #[must_use]
    pub fn of(tenant: TenantId, kind: TokenKind) -> Self {
        Self {
            tenant,
            kind,
            label: kind.as_str().to_owned(),
            permissions: kind.default_permissions(),
            lifetime: LIFETIME,
            connection: None,
            created_by: "system:cli".to_owned(),
        }
    }
}

/// A token just made; the only place where it is ever seen.
pub struct Minted {
    pub token: String,
    pub jti: String,
    pub expires_at: Instant,
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted")
            .field("jti", &self.jti)
            .finish_non_exhaustive()
    }
}

/// Makes and records a token.
pub fn create(db: &mut Db, new: &NewToken, now: Instant) -> Result<Minted, ServiceError> {
    let permissions = new.permissions.and(new.kind.permissions());
    if permissions != new.permissions || permissions.is_empty() {
        return Err(ServiceError::invalid(
            "/scopes",
            format!(
                "a token of kind `{0}` carries scopes of the {0} API, at least one",
                new.kind
            ),
        ));
    }
    let label = new.label.trim();
    if label.is_empty() || label.chars().count() > 100 || label.chars().any(char::is_control) {
        return Err(ServiceError::invalid(
            "/label",
            "a token's label has 1 to 100 printable characters",
        ));
    }
    if !(1000..=10 * LIFETIME).contains(&new.lifetime) {
        return Err(ServiceError::invalid(
            "/expires",
            "a token lives at least a second and at most ten years",
        ));
    }
    let expires_at = now.plus_millis(new.lifetime);
    let seconds = now.0.div_euclid(1000);
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: label.to_owned(),
        jti: token::random_id()?,
        tid: new.tenant,
        kind: new.kind,
        scope: permissions.to_string(),
        iat: seconds,
        nbf: seconds,
        exp: expires_at.0.div_euclid(1000),
    };
    let token = signing_keys::signing_key(db, now)?.sign(&claims)?;
    let row = TokenRow {
        tenant_id: new.tenant.0,
        jti: claims.jti.clone(),
        kind: new.kind.as_str().to_owned(),
        label: label.to_owned(),
        connection_id: new.connection,
        scopes: claims.scope.clone(),
        created_by: new.created_by.clone(),
        created_at: now.0,
        expires_at: expires_at.0,
        revoked_at: None,
        last_used_at: None,
        last_used_ip: None,
        last_used_agent: None,
    };
    tokens::insert(db, &row)?;
    Ok(Minted {
        token,
        jti: claims.jti,
        expires_at,
    })
}

/// Makes and records a token for a person: it opens `/Me` and nothing else unless more is asked for.
pub fn create_for(
    db: &mut Db,
    new: &NewToken,
    user: UserId,
    now: Instant,
) -> Result<Minted, ServiceError> {
    if new.kind != TokenKind::Scim {
        return Err(ServiceError::invalid(
            "/user",
            "a token for a person is of kind `scim`",
        ));
    }
    if users::find(db, new.tenant, user)?.is_none() {
        return Err(ServiceError::not_found("User", user));
    }
    let minted = create(db, new, now)?;
    tokens::set_user(db, new.tenant, &minted.jti, user)?;
    Ok(minted)
}

/// The account of an id or a userName, for the command line.
pub fn person(db: &mut Db, tenant: TenantId, named: &str) -> Result<UserId, ServiceError> {
    let found = match named.parse::<UserId>() {
        Ok(id) => users::find(db, tenant, id)?,
        Err(_) => users::find_by_user_name(db, tenant, &fold(named))?,
    };
    let row = found.ok_or_else(|| ServiceError::not_found("User", named))?;
    Ok(row.id)
}

/// The account the caller's token was made for, while it lasts (ME-06).
pub fn account(db: &mut Db, scope: &Scope) -> Result<Option<UserId>, ServiceError> {
    let (Actor::Scim { jti, .. } | Actor::Api { jti, .. }) = &scope.actor else {
        return Ok(None);
    };
    Ok(tokens::user_of(db, scope.tenant, jti)?)
}

/// What the sync log says of a request that brought a token we made and do not take any more.
#[derive(Clone, Debug)]
pub struct RefusedToken {
    pub label: String,
    pub connection: Option<ConnectionId>,
    /// What happened to the token, and when.
    pub why: String,
}

/// The record of a token that is refused; `None` where there is none: then nobody is concerned.
pub fn refused(db: &mut Db, claims: &Claims) -> Result<Option<RefusedToken>, ServiceError> {
    let row = tokens::find(db, claims.tid, &claims.jti)?;
    Ok(row
        .filter(|row| row.kind == claims.kind.as_str())
        .map(|row| {
            let why = match row.revoked_at {
                Some(at) => format!("the token was revoked at {}", Instant(at)),
                None => format!("the token expired at {}", Instant(row.expires_at)),
            };
            RefusedToken {
                label: row.label,
                connection: row.connection_id,
                why,
            }
        }))
}

/// A recorded token, as lists show it.
#[derive(Clone, Debug)]
pub struct Token {
    pub tenant: TenantId,
    pub jti: String,
    pub kind: String,
    pub label: String,
    pub scopes: Permissions,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub revoked_at: Option<Instant>,
    pub last_used_at: Option<Instant>,
}

/// The last characters of a `jti`: enough to tell tokens apart in lists and logs.
#[must_use]
pub fn hint(jti: &str) -> String {
    let start = jti.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    jti.get(start..).unwrap_or_default().to_owned()
}

/// A tenant's tokens, oldest first.
pub fn list(db: &mut Db, tenant: TenantId) -> Result<Vec<Token>, ServiceError> {
    let rows = tokens::list(db, tenant)?;
    Ok(rows
        .into_iter()
        .map(|row| Token {
            tenant,
            jti: row.jti,
            kind: row.kind,
            label: row.label,
            scopes: Permissions::read(&row.scopes),
            created_at: Instant(row.created_at),
            expires_at: Instant(row.expires_at),
            revoked_at: row.revoked_at.map(Instant),
            last_used_at: row.last_used_at.map(Instant),
        })
        .collect())
}

/// Takes a tenant's token back. Taking it back again changes nothing. The caller tells its [`Gate`].
pub fn revoke(db: &mut Db, tenant: TenantId, jti: &str, now: Instant) -> Result<(), ServiceError> {
    if tokens::find(db, tenant, jti)?.is_none() {
        return Err(ServiceError::not_found("token", jti));
    }
    tokens::revoke(db, tenant, jti, now)?;
    Ok(())
}

/// Takes a token back whatever its tenant: the operator's command line.
pub fn revoke_anywhere(db: &mut Db, jti: &str, now: Instant) -> Result<(), ServiceError> {
    let found = tokens::find_anywhere(db, jti)?;
    if found.is_empty() {
        return Err(ServiceError::not_found("token", jti));
    }
    for row in found {
        tokens::revoke(db, TenantId(row.tenant_id), jti, now)?;
    }
    Ok(())
}

/// Notes that a token was used, to the minute or so.
pub fn touch(db: &mut Db, tenant: TenantId, jti: &str, used: &Use) -> Result<(), ServiceError> {
    Ok(tokens::touch(db, tenant, jti, used)?)
}

/// What a good token opens.
#[derive(Clone, Debug)]
pub struct Grant {
    pub tenant: TenantId,
    pub jti: Arc<str>,
    pub kind: TokenKind,
    pub label: Arc<str>,
    pub permissions: Permissions,
    pub connection: Option<Arc<Connection>>,
    /// Whether its last use should be written again.
    pub touch: bool,
    /// What it has used up on this node.
    pub meter: Arc<Meter>,
}

impl Grant {
    /// The scope of one request made with it.
    #[must_use]
    pub fn scope(&self, request: RequestId, now: Instant) -> Scope {
        let (jti, label) = (Arc::clone(&self.jti), Arc::clone(&self.label));
        Scope {
            tenant: self.tenant,
            actor: match self.kind {
                TokenKind::Scim => Actor::Scim { jti, label },
                TokenKind::Api => Actor::Api { jti, label },
            },
            permissions: self.permissions,
            request,
            now,
            connection: self.connection.clone(),
        }
    }
}

/// Asks the row of a verified token: whether it was recorded, for this tenant and kind, and not taken back.
///
/// The outer error is the database's; the inner one is the answer.
pub fn grant(
    db: &mut Db,
    claims: &Claims,
    now: Instant,
) -> Result<Result<Grant, TokenError>, ServiceError> {
    let Some(row) = tokens::find(db, claims.tid, &claims.jti)? else {
        return Ok(Err(TokenError::Unrecorded));
    };
    if row.kind != claims.kind.as_str() {
        return Ok(Err(TokenError::Unrecorded));
    }
    if row.revoked_at.is_some() {
        return Ok(Err(TokenError::Revoked));
    }
    if now.0 >= row.expires_at.saturating_add(token::LEEWAY * 1000) {
        return Ok(Err(TokenError::Expired));
    }
    let connection = match row.connection_id {
        // A token whose connection is gone opens nothing: its writes would belong to nobody.
        Some(id) => match connection_rows::find(db, claims.tid, id)? {
            Some(row) => Some(connections::from_row(row)?),
            None => return Ok(Err(TokenError::Revoked)),
        },
        None => None,
    };
    Ok(Ok(Grant {
        tenant: claims.tid,
        permissions: claims.permissions().and(Permissions::read(&row.scopes)),
        kind: claims.kind,
        label: row.label.into(),
        jti: row.jti.into(),
        connection: connection.map(Arc::new),
        touch: row.last_used_at.is_none_or(|at| now.0 - at > TOUCH),
        meter: Arc::default(),
    }))
}

#[cfg(test)]
mod tests;
