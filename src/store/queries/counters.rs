//! Counters a list's `totalResults` reads: `counters`, in sixteen shards, so that parallel creates rarely meet.

use uuid::Uuid;

use crate::ids::TenantId;
use crate::store::statement::Stmt;
use crate::store::{Db, StoreError};

/// Adds to a counter, in the shard of the id that is made or ended.
pub fn add(
    db: &mut Db,
    tenant: TenantId,
    name: &str,
    id: Uuid,
    delta: i64,
) -> Result<(), StoreError> {
    let shard = i64::from(id.as_bytes()[15] & 15);
    db.execute(
        Stmt::new(
            "INSERT INTO counters (tenant_id, name, shard, value) VALUES (?, ?, ?, ?) \
             ON CONFLICT (tenant_id, name, shard) DO UPDATE SET value = counters.value + excluded.value",
        )
        .bind(tenant)
        .bind(name)
        .bind(shard)
        .bind(delta),
    )?;
    Ok(())
}

/// What a counter stands at.
pub fn sum(db: &mut Db, tenant: TenantId, name: &str) -> Result<i64, StoreError> {
    db.number(
        Stmt::new("SELECT CAST(coalesce(sum(value), 0) AS BIGINT) AS n FROM counters WHERE tenant_id = ? AND name = ?")
            .bind(tenant)
            .bind(name),
    )
}
