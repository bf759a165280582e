//! Answers kept for `Idempotency-Key` (`rest-and-console.md` A1).

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::clock::Instant;
use crate::ids::TenantId;
use crate::store::statement::Stmt;
use crate::store::{Db, StoreError};

/// A kept answer and the digest of the request it answers.
#[derive(Clone, Debug, PartialEq, Eq, diesel::QueryableByName)]
pub struct KeptRow {
    #[diesel(sql_type = Text)]
    pub request_hash: String,
    #[diesel(sql_type = BigInt)]
    pub status: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub location: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub version: Option<i64>,
    #[diesel(sql_type = Text)]
    pub media_type: String,
    #[diesel(sql_type = Text)]
    pub body: String,
}

/// Whose key.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    pub tenant: TenantId,
    pub jti: &'a str,
    pub key: &'a str,
}

/// The answer kept for a key since an instant.
pub fn find(db: &mut Db, key: Key<'_>, since: Instant) -> Result<Option<KeptRow>, StoreError> {
    db.optional(
        Stmt::new(
            "SELECT request_hash, status, location, version, media_type, body FROM idempotency_keys \
             WHERE tenant_id = ? AND jti = ? AND idempotency_key = ? AND created_at >= ?",
        )
        .bind(key.tenant)
        .bind(key.jti)
        .bind(key.key)
        .bind(since),
    )
}

/// Claims a key, and takes it over when what is kept is older than `since`. Says whether it was free. On PostgreSQL
/// this waits for a transaction that holds the same key.
pub fn claim(
    db: &mut Db,
    key: Key<'_>,
    hash: &str,
    now: Instant,
    since: Instant,
) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "INSERT INTO idempotency_keys (tenant_id, jti, idempotency_key, request_hash, status, media_type, body, created_at) \
         VALUES (?, ?, ?, ?, 0, '', '', ?) \
         ON CONFLICT (tenant_id, jti, idempotency_key) DO UPDATE SET \
         request_hash = excluded.request_hash, status = 0, location = NULL, version = NULL, media_type = '', body = '', \
         created_at = excluded.created_at WHERE idempotency_keys.created_at < ?",
    );
    let stmt = stmt
        .bind(key.tenant)
        .bind(key.jti)
        .bind(key.key)
        .bind(hash)
        .bind(now)
        .bind(since);
    Ok(db.execute(stmt)? == 1)
}

/// Writes the answer beside its key.
pub fn keep(db: &mut Db, key: Key<'_>, row: &KeptRow) -> Result<(), StoreError> {
    let stmt = Stmt::new(
        "UPDATE idempotency_keys SET status = ?, location = ?, version = ?, media_type = ?, body = ? \
         WHERE tenant_id = ? AND jti = ? AND idempotency_key = ?",
    );
    let stmt = stmt
        .bind(row.status)
        .bind(row.location.clone())
        .bind(row.version)
        .bind(row.media_type.as_str())
        .bind(row.body.as_str());
    db.execute(stmt.bind(key.tenant).bind(key.jti).bind(key.key))
        .map(drop)
}

/// Removes some of what is older than `since`; says how many.
pub fn forget(db: &mut Db, since: Instant, limit: i64) -> Result<usize, StoreError> {
    db.execute(
        Stmt::new(
            "DELETE FROM idempotency_keys WHERE (tenant_id, jti, idempotency_key) IN \
             (SELECT k.tenant_id, k.jti, k.idempotency_key FROM idempotency_keys k WHERE k.created_at < ? \
              ORDER BY k.created_at LIMIT ?)",
        )
        .bind(since)
        .bind(limit),
    )
}
