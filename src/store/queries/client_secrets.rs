//! Secrets with which connections fetch tokens, by their codes. RFC 6749 §4.4.

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{ClientSecretId, ConnectionId, TenantId};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

/// One recorded secret.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct ClientSecretRow {
    #[diesel(sql_type = BigInt)]
    pub tenant_id: i64,
    #[diesel(sql_type = SqlId)]
    pub id: ClientSecretId,
    #[diesel(sql_type = SqlId)]
    pub connection_id: ConnectionId,
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = Text)]
    pub scopes: String,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = BigInt)]
    pub expires_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub revoked_at: Option<i64>,
    /// The last minute in which a token was fetched, and how many in it.
    #[diesel(sql_type = BigInt)]
    pub minute: i64,
    #[diesel(sql_type = BigInt)]
    pub fetched: i64,
}

const COLUMNS: &str = "CAST(tenant_id AS BIGINT) AS tenant_id, id, connection_id, code, scopes, created_at, expires_at, \
                       revoked_at, minute, fetched";

/// Records a secret.
pub fn insert(db: &mut Db, row: &ClientSecretRow) -> Result<(), StoreError> {
    let stmt = Stmt::new(
        "INSERT INTO client_secrets (tenant_id, id, connection_id, code, scopes, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    let stmt = stmt
        .bind(row.tenant_id)
        .bind(row.id)
        .bind(row.connection_id)
        .bind(row.code.as_str());
    db.execute(
        stmt.bind(row.scopes.as_str())
            .bind(row.created_at)
            .bind(row.expires_at),
    )?;
    Ok(())
}

/// The secret of a code, in whichever tenant: the secret says which.
pub fn find_by_code(db: &mut Db, code: &str) -> Result<Option<ClientSecretRow>, StoreError> {
    let stmt = Stmt::new(format!(
        "SELECT {COLUMNS} FROM client_secrets WHERE code = ?"
    ));
    db.optional(stmt.bind(code))
}

/// A tenant's secrets, oldest first, revoked and expired ones included.
pub fn list(db: &mut Db, tenant: TenantId) -> Result<Vec<ClientSecretRow>, StoreError> {
    let stmt = Stmt::new(format!(
        "SELECT {COLUMNS} FROM client_secrets WHERE tenant_id = ? ORDER BY id"
    ));
    db.load(stmt.bind(tenant))
}

/// Counts a token that is fetched, in this minute or as the first of a new one. Says whether it is one of `most`.
pub fn count(
    db: &mut Db,
    row: &ClientSecretRow,
    minute: i64,
    most: i64,
) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "UPDATE client_secrets SET fetched = CASE WHEN minute = ? THEN fetched + 1 ELSE 1 END, minute = ? \
         WHERE tenant_id = ? AND id = ? AND (minute <> ? OR fetched < ?)",
    );
    let stmt = stmt.bind(minute).bind(minute).bind(row.tenant_id);
    Ok(db.execute(stmt.bind(row.id).bind(minute).bind(most))? == 1)
}

/// Takes a secret back; says whether it was live.
pub fn revoke(
    db: &mut Db,
    tenant: TenantId,
    id: ClientSecretId,
    now: Instant,
) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "UPDATE client_secrets SET revoked_at = ? WHERE tenant_id = ? AND id = ? AND revoked_at IS NULL",
    );
    Ok(db.execute(stmt.bind(now).bind(tenant).bind(id))? == 1)
}

/// Forgets the tokens that a connection fetched and that expired before an instant.
pub fn forget_expired(
    db: &mut Db,
    tenant: TenantId,
    connection: ConnectionId,
    before: Instant,
) -> Result<(), StoreError> {
    let stmt = Stmt::new(
        "DELETE FROM tokens WHERE tenant_id = ? AND connection_id = ? AND expires_at < ? AND created_by = 'oauth'",
    );
    db.execute(stmt.bind(tenant).bind(connection).bind(before))?;
    Ok(())
}
