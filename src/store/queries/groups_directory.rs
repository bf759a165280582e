//! Groups as the directory writes them: `learner_groups`. Members are in `memberships`.

use crate::clock::Instant;
use crate::ids::{ConnectionId, GroupId, TenantId};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

/// A group that has not ended.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct GroupRow {
    #[diesel(sql_type = SqlId)]
    pub id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub description: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub color: Option<String>,
    /// The connection that made it and may lock it.
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub managed_by: Option<ConnectionId>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: Instant,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub modified_at: Instant,
    /// What no column holds.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub doc: String,
}

/// The columns of a [`GroupRow`], of the table alias `r`.
pub const COLUMNS: &str = "r.id, r.name, r.external_id, r.description, r.color, r.managed_by, r.version, r.created_at, \
                           r.modified_at, r.doc";

/// A group to be made.
#[derive(Clone, Debug)]
pub struct NewGroup<'a> {
    pub row: &'a GroupRow,
    pub name_key: String,
    /// `console`, `rest`, `import` or `scim`.
    pub origin: &'static str,
}

/// Makes a group. [`StoreError::Conflict`] when the name is taken; the transaction stays usable.
pub fn insert(db: &mut Db, tenant: TenantId, group: &NewGroup<'_>) -> Result<(), StoreError> {
    let row = group.row;
    let inserted = db.execute(
        Stmt::new(
            "INSERT INTO learner_groups (tenant_id, id, name, name_key, external_id, description, color, origin, managed_by, \
             version, created_at, modified_at, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(row.id)
        .bind(row.name.as_str())
        .bind(group.name_key.as_str())
        .bind(row.external_id.as_deref())
        .bind(row.description.as_deref())
        .bind(row.color.as_deref())
        .bind(group.origin)
        .bind(row.managed_by)
        .bind(row.version)
        .bind(row.created_at)
        .bind(row.modified_at)
        .bind(row.doc.as_str()),
    )?;
    if inserted == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

/// A group by its id.
pub fn find(db: &mut Db, tenant: TenantId, id: GroupId) -> Result<Option<GroupRow>, StoreError> {
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM learner_groups r WHERE r.tenant_id = ? AND r.id = ? AND r.deleted_at IS NULL"
        ))
        .bind(tenant)
        .bind(id),
    )
}

/// A group by its id, locked against other writers until the transaction ends.
pub fn find_for_update(
    db: &mut Db,
    tenant: TenantId,
    id: GroupId,
) -> Result<Option<GroupRow>, StoreError> {
    let lock = db.dialect().for_update;
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM learner_groups r WHERE r.tenant_id = ? AND r.id = ? AND r.deleted_at IS NULL {lock}"
        ))
        .bind(tenant)
        .bind(id),
    )
}

/// Groups by their ids (at most a page of them), in no order; ended ones are left out.
pub fn find_all(
    db: &mut Db,
    tenant: TenantId,
    ids: &[GroupId],
) -> Result<Vec<GroupRow>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    db.load(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM learner_groups r WHERE r.tenant_id = ? AND r.id IN ({}) AND r.deleted_at IS NULL",
            marks(ids.len())
        ))
        .once(ids.len() > 16)
        .bind(tenant)
        .binds(ids.iter().map(|id| Bind::from(*id))),
    )
}

/// The group with this folded name.
pub fn find_by_name(
    db: &mut Db,
    tenant: TenantId,
    key: &str,
) -> Result<Option<GroupRow>, StoreError> {
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM learner_groups r WHERE r.tenant_id = ? AND r.name_key = ? AND r.deleted_at IS NULL"
        ))
        .bind(tenant)
        .bind(key),
    )
}

/// Writes a row over the version before its own; `false` when another version is there.
/// [`StoreError::Conflict`] when the new name is taken; the transaction must then end.
pub fn replace(
    db: &mut Db,
    tenant: TenantId,
    row: &GroupRow,
    name_key: &str,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE learner_groups SET name = ?, name_key = ?, external_id = ?, description = ?, color = ?, managed_by = ?, \
             version = ?, modified_at = ?, doc = ? WHERE tenant_id = ? AND id = ? AND version = ? AND deleted_at IS NULL",
        )
        .bind(row.name.as_str())
        .bind(name_key)
        .bind(row.external_id.as_deref())
        .bind(row.description.as_deref())
        .bind(row.color.as_deref())
        .bind(row.managed_by)
        .bind(row.version)
        .bind(row.modified_at)
        .bind(row.doc.as_str())
        .bind(tenant)
        .bind(row.id)
        .bind(row.version - 1),
    )?;
    Ok(changed == 1)
}

/// Moves a group's version and time alone: its members changed.
pub fn touch(
    db: &mut Db,
    tenant: TenantId,
    id: GroupId,
    version: i64,
    at: Instant,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE learner_groups SET version = ?, modified_at = ? \
             WHERE tenant_id = ? AND id = ? AND version = ? AND deleted_at IS NULL",
        )
        .bind(version)
        .bind(at)
        .bind(tenant)
        .bind(id)
        .bind(version - 1),
    )?;
    Ok(changed == 1)
}

/// Ends a group: from now on it is not found, and its name is free.
pub fn end(db: &mut Db, tenant: TenantId, id: GroupId, at: Instant) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new("UPDATE learner_groups SET deleted_at = ? WHERE tenant_id = ? AND id = ? AND deleted_at IS NULL")
            .bind(at)
            .bind(tenant)
            .bind(id),
    )?;
    Ok(changed == 1)
}
