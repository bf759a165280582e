//! Tenants: one row per customer organization.

use diesel::sql_types::{BigInt, Text};

use crate::ids::TenantId;
use crate::store::statement::Stmt;
use crate::store::{Db, StoreError};

/// One tenant.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct TenantRow {
    #[diesel(sql_type = BigInt)]
    pub tenant_id: i64,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub plan: String,
    #[diesel(sql_type = Text)]
    pub time_zone: String,
    #[diesel(sql_type = Text)]
    pub settings: String,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
}

impl TenantRow {
    /// The tenant's number.
    #[must_use]
    pub const fn id(&self) -> TenantId {
        TenantId(self.tenant_id)
    }
}

const COLUMNS: &str =
    "CAST(tenant_id AS BIGINT) AS tenant_id, name, plan, time_zone, settings, created_at";

/// The number the next tenant gets. Two that ask at once meet at the primary key.
pub fn next_id(db: &mut Db) -> Result<TenantId, StoreError> {
    Ok(TenantId(db.number(Stmt::new(
        "SELECT CAST(COALESCE(MAX(tenant_id), 0) + 1 AS BIGINT) AS n FROM tenants",
    ))?))
}

/// Adds a tenant unless its name is taken; says whether it was added.
pub fn insert(db: &mut Db, row: &TenantRow, name_key: &str) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "INSERT INTO tenants (tenant_id, name, name_key, plan, time_zone, settings, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name_key) DO NOTHING",
    );
    let stmt = stmt
        .bind(row.tenant_id)
        .bind(row.name.as_str())
        .bind(name_key)
        .bind(row.plan.as_str());
    let stmt = stmt
        .bind(row.time_zone.as_str())
        .bind(row.settings.as_str())
        .bind(row.created_at);
    Ok(db.execute(stmt)? == 1)
}

/// All tenants by number.
pub fn list(db: &mut Db) -> Result<Vec<TenantRow>, StoreError> {
    db.load(Stmt::new(format!(
        "SELECT {COLUMNS} FROM tenants ORDER BY tenant_id"
    )))
}

/// The tenant of a folded name.
pub fn find_by_key(db: &mut Db, name_key: &str) -> Result<Option<TenantRow>, StoreError> {
    db.optional(
        Stmt::new(format!("SELECT {COLUMNS} FROM tenants WHERE name_key = ?")).bind(name_key),
    )
}

/// The tenant of a number.
pub fn find(db: &mut Db, tenant: TenantId) -> Result<Option<TenantRow>, StoreError> {
    db.optional(
        Stmt::new(format!("SELECT {COLUMNS} FROM tenants WHERE tenant_id = ?")).bind(tenant),
    )
}

/// How many there are; 0 is a database that was never used.
pub fn count(db: &mut Db) -> Result<i64, StoreError> {
    db.number(Stmt::new(
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM tenants",
    ))
}

/// Writes time zone and settings.
pub fn set_settings(
    db: &mut Db,
    tenant: TenantId,
    time_zone: &str,
    settings: &str,
) -> Result<(), StoreError> {
    let stmt = Stmt::new("UPDATE tenants SET time_zone = ?, settings = ? WHERE tenant_id = ?");
    db.execute(stmt.bind(time_zone).bind(settings).bind(tenant))
        .map(drop)
}

/// Changes the plan; says whether there is such a tenant.
pub fn set_plan(db: &mut Db, tenant: TenantId, plan: &str) -> Result<bool, StoreError> {
    Ok(db.execute(
        Stmt::new("UPDATE tenants SET plan = ? WHERE tenant_id = ?")
            .bind(plan)
            .bind(tenant),
    )? == 1)
}
