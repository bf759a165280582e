//! Connections: the configured provisioning clients of a tenant.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{ConnectionId, TenantId};
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

/// One connection; `switches` is JSON.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct ConnectionRow {
    #[diesel(sql_type = SqlId)]
    pub id: ConnectionId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub idp: String,
    #[diesel(sql_type = Text)]
    pub mode: String,
    #[diesel(sql_type = Text)]
    pub approve: String,
    #[diesel(sql_type = Bool)]
    pub lock_groups: bool,
    #[diesel(sql_type = Text)]
    pub switches: String,
    /// How many enrollments its requests may cause within an hour before it is put on observation; any number when absent.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub effect_brake: Option<i64>,
    /// What its requests caused before does not count any more.
    #[diesel(sql_type = BigInt)]
    pub live_since: i64,
    /// JSON too: what of a resource the client may read and write.
    #[diesel(sql_type = Text)]
    pub attributes: String,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
}

const COLUMNS: &str = "id, name, idp, mode, approve, lock_groups, switches, attributes, effect_brake, live_since, \
     created_at";

/// Adds a connection unless its name is taken; says whether it was added.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    row: &ConnectionRow,
    name_key: &str,
) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "INSERT INTO connections (tenant_id, id, name, name_key, idp, mode, approve, lock_groups, switches, attributes, \
         effect_brake, live_since, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (tenant_id, name_key) DO NOTHING",
    );
    let stmt = stmt
        .bind(tenant)
        .bind(row.id)
        .bind(row.name.as_str())
        .bind(name_key)
        .bind(row.idp.as_str());
    let stmt = stmt
        .bind(row.mode.as_str())
        .bind(row.approve.as_str())
        .bind(row.lock_groups);
    let stmt = stmt
        .bind(row.switches.as_str())
        .bind(row.attributes.as_str())
        .bind(row.effect_brake)
        .bind(row.live_since);
    Ok(db.execute(stmt.bind(row.created_at))? == 1)
}

/// The connection of an id.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Option<ConnectionRow>, StoreError> {
    let stmt = Stmt::new(format!(
        "SELECT {COLUMNS} FROM connections WHERE tenant_id = ? AND id = ?"
    ));
    db.optional(stmt.bind(tenant).bind(id))
}

/// The connection of a folded name.
pub fn find_by_key(
    db: &mut Db,
    tenant: TenantId,
    name_key: &str,
) -> Result<Option<ConnectionRow>, StoreError> {
    let stmt = Stmt::new(format!(
        "SELECT {COLUMNS} FROM connections WHERE tenant_id = ? AND name_key = ?"
    ));
    db.optional(stmt.bind(tenant).bind(name_key))
}

/// A page of a tenant's connections, oldest first.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    paging: &Paging,
) -> Result<Found<ConnectionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM connections WHERE tenant_id = ?");
    Listing::of(sql, vec![tenant.into()]).find(db, Order::id("id"), paging)
}

/// Writes what people may change. Errors: `Conflict` when the name is taken.
pub fn update(
    db: &mut Db,
    tenant: TenantId,
    row: &ConnectionRow,
    name_key: &str,
) -> Result<(), StoreError> {
    let stmt = Stmt::new(
        "UPDATE connections SET name = ?, name_key = ?, mode = ?, approve = ?, lock_groups = ?, switches = ?, attributes = ?, \
         effect_brake = ?, live_since = ? \
         WHERE tenant_id = ? AND id = ?",
    );
    let stmt = stmt
        .bind(row.name.as_str())
        .bind(name_key)
        .bind(row.mode.as_str())
        .bind(row.approve.as_str())
        .bind(row.lock_groups)
        .bind(row.switches.as_str())
        .bind(row.attributes.as_str())
        .bind(row.effect_brake)
        .bind(row.live_since);
    db.execute(stmt.bind(tenant).bind(row.id)).map(drop)
}

/// What a connection may cause within an hour, and what it has.
#[derive(Clone, Copy, Debug, diesel::QueryableByName)]
pub struct Brake {
    #[diesel(sql_type = BigInt)]
    pub effect_brake: i64,
    #[diesel(sql_type = BigInt)]
    pub caused: i64,
}

/// How a live connection stands to its brake; `None` for one without.
pub fn brake(
    db: &mut Db,
    tenant: TenantId,
    id: ConnectionId,
    since: Instant,
) -> Result<Option<Brake>, StoreError> {
    let stmt = Stmt::new(
        "SELECT k.effect_brake, CAST(COALESCE((SELECT sum(s.enrollments) FROM sync_requests s WHERE s.tenant_id = k.tenant_id \
         AND s.connection_id = k.id AND s.enrollments > 0 AND s.at >= ? AND s.at > k.live_since), 0) AS BIGINT) AS caused \
         FROM connections k WHERE k.tenant_id = ? AND k.id = ? AND k.mode = 'live' AND k.effect_brake IS NOT NULL",
    );
    db.optional(stmt.bind(since).bind(tenant).bind(id))
}

/// Puts a connection on observation.
pub fn observe(db: &mut Db, tenant: TenantId, id: ConnectionId) -> Result<(), StoreError> {
    let stmt = Stmt::new("UPDATE connections SET mode = 'observe' WHERE tenant_id = ? AND id = ?");
    db.execute(stmt.bind(tenant).bind(id)).map(drop)
}
