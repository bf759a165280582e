//! What is kept for a time only: bodies of the sync log and the documents of accounts that have ended. Rows SE-14, B43.

use diesel::sql_types::BigInt;

use crate::clock::Instant;
use crate::ids::{RequestId, TenantId, UserId};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::suggestions;

/// Rows per statement, so that none holds up the others for long (C32).
const ROWS: usize = 500;

#[derive(diesel::QueryableByName)]
struct Logged {
    #[diesel(sql_type = SqlId)]
    id: RequestId,
    #[diesel(sql_type = BigInt)]
    at: i64,
}

#[derive(diesel::QueryableByName)]
struct Ended {
    #[diesel(sql_type = SqlId)]
    id: UserId,
}

/// Empties the bodies of the next requests before `until`; how far it came is on record, so nothing is looked at twice.
/// Says whether there may be more.
pub fn empty_bodies(db: &mut Db, tenant: TenantId, until: Instant) -> Result<bool, StoreError> {
    let rows: Vec<Logged> = db.load(
        Stmt::new(
            "SELECT id, at FROM sync_requests WHERE tenant_id = ? AND id > COALESCE((SELECT upto FROM retention \
             WHERE tenant_id = ? AND what = 'sync_bodies'), ?) ORDER BY id LIMIT ?",
        )
        .bind(tenant)
        .bind(tenant)
        .bind(uuid::Uuid::nil())
        .bind(i64::try_from(ROWS).unwrap_or(i64::MAX)),
    )?;
    let old: Vec<RequestId> = rows
        .iter()
        .take_while(|row| row.at < until.0)
        .map(|row| row.id)
        .collect();
    let Some(last) = old.last() else {
        return Ok(false);
    };
    db.execute(
        Stmt::new(format!(
            "UPDATE sync_requests SET request_body = NULL, response_body = NULL WHERE tenant_id = ? AND id IN ({})",
            marks(old.len())
        ))
        .once(old.len() != ROWS)
        .bind(tenant)
        .binds(old.iter().map(|id| Bind::from(*id))),
    )?;
    db.execute(
        Stmt::new(
            "INSERT INTO retention (tenant_id, what, upto) VALUES (?, 'sync_bodies', ?) \
             ON CONFLICT (tenant_id, what) DO UPDATE SET upto = excluded.upto",
        )
        .bind(tenant)
        .bind(*last),
    )?;
    Ok(old.len() == ROWS)
}

/// Empties the next accounts that ended before `until`, and what the sync log says of them. An account keeps its ids, so that
/// its learner's history stays whole and a person who comes back is known (`learning-domain.md` §8). Says whether there may be
/// more.
pub fn empty_accounts(db: &mut Db, tenant: TenantId, until: Instant) -> Result<bool, StoreError> {
    let ended: Vec<Ended> = db.load(
        Stmt::new(
            "SELECT id FROM users WHERE tenant_id = ? AND deleted_at < ? AND deleted_at IS NOT NULL AND user_name_key <> '' \
             ORDER BY deleted_at LIMIT ?",
        )
        .bind(tenant)
        .bind(until)
        .bind(i64::try_from(ROWS).unwrap_or(i64::MAX)),
    )?;
    if ended.is_empty() {
        return Ok(false);
    }
    let some = || marks(ended.len());
    let once = ended.len() != ROWS;
    db.execute(
        Stmt::new(format!(
            "UPDATE users SET user_name = '', user_name_key = '', display_name_key = NULL, doc = '{{}}' \
             WHERE tenant_id = ? AND id IN ({})",
            some()
        ))
        .once(once)
        .bind(tenant)
        .binds(ended.iter().map(|one| Bind::from(one.id))),
    )?;
    let ids: Vec<UserId> = ended.iter().map(|one| one.id).collect();
    suggestions::forget(db, tenant, &ids)?;
    empty_log_of(db, tenant, &ids)?;
    Ok(ended.len() == ROWS)
}

/// Empties what the log says of these accounts, at most a thousand.
pub fn empty_log_of(db: &mut Db, tenant: TenantId, accounts: &[UserId]) -> Result<(), StoreError> {
    // a read keeps nothing but the id, and the index leaves it out
    db.execute(
        Stmt::new(format!(
            "UPDATE sync_requests SET resource_label = NULL, changes = '{{}}', notes = '[]', request_body = NULL, \
             response_body = NULL WHERE tenant_id = ? AND resource_id IN ({}) \
             AND operation <> 'read' AND operation <> 'probe' AND operation <> 'list'",
            marks(accounts.len())
        ))
        .once(accounts.len() != ROWS)
        .bind(tenant)
        .binds(accounts.iter().map(|id| Bind::from(id.to_string()))),
    )
    .map(drop)
}
