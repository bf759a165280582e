//! Recorded tokens by `jti`. The token itself is never stored.

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{ConnectionId, TenantId, UserId};
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

/// One recorded token.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct TokenRow {
    #[diesel(sql_type = BigInt)]
    pub tenant_id: i64,
    #[diesel(sql_type = Text)]
    pub jti: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub label: String,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub connection_id: Option<ConnectionId>,
    #[diesel(sql_type = Text)]
    pub scopes: String,
    #[diesel(sql_type = Text)]
    pub created_by: String,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = BigInt)]
    pub expires_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub revoked_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub last_used_at: Option<i64>,
    /// The network it was last used from.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_used_ip: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_used_agent: Option<String>,
}

const COLUMNS: &str = "CAST(tenant_id AS BIGINT) AS tenant_id, jti, kind, label, connection_id, scopes, created_by, \
                       created_at, expires_at, revoked_at, last_used_at, last_used_ip, last_used_agent";

/// Records a token.
pub fn insert(db: &mut Db, row: &TokenRow) -> Result<(), StoreError> {
    let stmt = Stmt::new(
        "INSERT INTO tokens (tenant_id, jti, kind, label, connection_id, scopes, created_by, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let stmt = stmt
        .bind(row.tenant_id)
        .bind(row.jti.as_str())
        .bind(row.kind.as_str())
        .bind(row.label.as_str());
    let stmt = stmt
        .bind(row.connection_id)
        .bind(row.scopes.as_str())
        .bind(row.created_by.as_str());
    db.execute(stmt.bind(row.created_at).bind(row.expires_at))?;
    Ok(())
}

/// The token of a `jti` in its tenant.
pub fn find(db: &mut Db, tenant: TenantId, jti: &str) -> Result<Option<TokenRow>, StoreError> {
    let stmt = Stmt::new(format!(
        "SELECT {COLUMNS} FROM tokens WHERE tenant_id = ? AND jti = ?"
    ));
    db.optional(stmt.bind(tenant).bind(jti))
}

/// The tokens of a `jti` in any tenant, for the operator's command line.
pub fn find_anywhere(db: &mut Db, jti: &str) -> Result<Vec<TokenRow>, StoreError> {
    db.load(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM tokens WHERE jti = ? ORDER BY tenant_id"
        ))
        .bind(jti),
    )
}

/// A tenant's tokens, oldest first, revoked and expired ones included.
pub fn list(db: &mut Db, tenant: TenantId) -> Result<Vec<TokenRow>, StoreError> {
    let stmt = Stmt::new(format!(
        "SELECT {COLUMNS} FROM tokens WHERE tenant_id = ? ORDER BY created_at, jti"
    ));
    db.load(stmt.bind(tenant))
}

/// A page of a tenant's tokens by `jti`, revoked and expired ones included.
pub fn page(db: &mut Db, tenant: TenantId, paging: &Paging) -> Result<Found<TokenRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM tokens WHERE tenant_id = ?");
    Listing::of(sql, vec![tenant.into()]).find(db, Order::unique("jti"), paging)
}

/// Takes a token back; says whether it was live.
pub fn revoke(db: &mut Db, tenant: TenantId, jti: &str, now: Instant) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "UPDATE tokens SET revoked_at = ? WHERE tenant_id = ? AND jti = ? AND revoked_at IS NULL",
    );
    Ok(db.execute(stmt.bind(now).bind(tenant).bind(jti))? == 1)
}

/// Says whose account a token is for.
pub fn set_user(db: &mut Db, tenant: TenantId, jti: &str, user: UserId) -> Result<(), StoreError> {
    let stmt = Stmt::new("UPDATE tokens SET user_id = ? WHERE tenant_id = ? AND jti = ?");
    db.execute(stmt.bind(user).bind(tenant).bind(jti))?;
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Whose {
    #[diesel(sql_type = SqlId)]
    user_id: UserId,
}

/// The live account a token is for.
pub fn user_of(db: &mut Db, tenant: TenantId, jti: &str) -> Result<Option<UserId>, StoreError> {
    let stmt = Stmt::new(
        "SELECT u.id AS user_id FROM tokens t JOIN users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id \
         WHERE t.tenant_id = ? AND t.jti = ? AND u.deleted_at IS NULL",
    );
    let found: Option<Whose> = db.optional(stmt.bind(tenant).bind(jti))?;
    Ok(found.map(|found| found.user_id))
}

/// When and from where a token was used.
#[derive(Clone, Debug)]
pub struct Use {
    pub at: Instant,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// Notes that a token was used.
pub fn touch(db: &mut Db, tenant: TenantId, jti: &str, used: &Use) -> Result<(), StoreError> {
    let stmt = Stmt::new(
        "UPDATE tokens SET last_used_at = ?, last_used_ip = ?, last_used_agent = ? WHERE tenant_id = ? AND jti = ?",
    );
    let stmt = stmt
        .bind(used.at)
        .bind(used.ip.as_deref())
        .bind(used.user_agent.as_deref());
    db.execute(stmt.bind(tenant).bind(jti))?;
    Ok(())
}
