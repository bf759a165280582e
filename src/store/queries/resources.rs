//! Resources of types that an operator's schemas declare: `resources`.

use crate::clock::Instant;
use crate::ids::{ResourceId, TenantId};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

/// A resource.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct ResourceRow {
    #[diesel(sql_type = SqlId)]
    pub id: ResourceId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub resource_type: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: Instant,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub modified_at: Instant,
    /// The stored document.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub doc: String,
}

/// The columns of a [`ResourceRow`], of the table alias `r`.
pub const COLUMNS: &str =
    "r.id, r.resource_type, r.external_id, r.version, r.created_at, r.modified_at, r.doc";

/// Makes a resource.
pub fn insert(db: &mut Db, tenant: TenantId, row: &ResourceRow) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "INSERT INTO resources (tenant_id, resource_type, id, external_id, version, created_at, modified_at, doc) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(tenant)
        .bind(row.resource_type.as_str())
        .bind(row.id)
        .bind(row.external_id.as_deref())
        .bind(row.version)
        .bind(row.created_at)
        .bind(row.modified_at)
        .bind(row.doc.as_str()),
    )?;
    Ok(())
}

/// A resource by its id.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    resource_type: &str,
    id: ResourceId,
) -> Result<Option<ResourceRow>, StoreError> {
    db.optional(by_id(tenant, resource_type, id, ""))
}

/// A resource by its id, locked against other writers until the transaction ends.
pub fn find_for_update(
    db: &mut Db,
    tenant: TenantId,
    resource_type: &str,
    id: ResourceId,
) -> Result<Option<ResourceRow>, StoreError> {
    let lock = db.dialect().for_update;
    db.optional(by_id(tenant, resource_type, id, lock))
}

fn by_id<'a>(tenant: TenantId, resource_type: &'a str, id: ResourceId, lock: &str) -> Stmt<'a> {
    Stmt::new(format!(
        "SELECT {COLUMNS} FROM resources r WHERE r.tenant_id = ? AND r.id = ? AND r.resource_type = ? {lock}"
    ))
    .bind(tenant)
    .bind(id)
    .bind(resource_type)
}

/// Writes a row over the version before its own; `false` when another version is there.
pub fn replace(db: &mut Db, tenant: TenantId, row: &ResourceRow) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE resources SET external_id = ?, version = ?, modified_at = ?, doc = ? \
             WHERE tenant_id = ? AND id = ? AND version = ?",
        )
        .bind(row.external_id.as_deref())
        .bind(row.version)
        .bind(row.modified_at)
        .bind(row.doc.as_str())
        .bind(tenant)
        .bind(row.id)
        .bind(row.version - 1),
    )?;
    Ok(changed == 1)
}

/// Removes a resource.
pub fn delete(db: &mut Db, tenant: TenantId, id: ResourceId) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("DELETE FROM resources WHERE tenant_id = ? AND id = ?")
            .bind(tenant)
            .bind(id),
    )?;
    Ok(())
}
