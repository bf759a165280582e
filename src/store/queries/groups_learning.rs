//! Learner groups as the domain sees them: name, description, color, who manages them; and the tenant's plan.
//!
//! Not here: filters and pages of the SCIM resource (`queries::groups`), members (`queries::memberships`).

use crate::clock::Instant;
use crate::ids::{ConnectionId, CourseId, GroupId, LearnerId, TenantId};
use crate::learning::group::Manager;
use crate::learning::plan::SubscriptionPlan;
use crate::store::db::OneText;
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

use super::counters;

/// One live group with the connection that manages it.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct GroupRow {
    #[diesel(sql_type = SqlId)]
    pub id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name_key: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub description: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub color: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub origin: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub managed_by: Option<ConnectionId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    manager_name: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Bool>)]
    manager_locks: Option<bool>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub modified_at: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub doc: String,
}

impl GroupRow {
    /// The connection that manages the group.
    #[must_use]
    pub fn manager(&self) -> Option<Manager> {
        Some(Manager {
            id: self.managed_by?,
            name: self.manager_name.clone()?,
            locks: self.manager_locks?,
        })
    }
}

const GROUP: &str = "SELECT g.id, g.name, g.name_key, g.external_id, g.description, g.color, g.origin, g.managed_by, \
     k.name AS manager_name, k.lock_groups AS manager_locks, g.version, g.created_at, g.modified_at, g.doc \
     FROM learner_groups g LEFT JOIN connections k ON k.tenant_id = g.tenant_id AND k.id = g.managed_by \
     WHERE g.tenant_id = ? AND g.deleted_at IS NULL";

/// A group before it is stored.
#[derive(Debug, Clone)]
pub struct NewGroup<'a> {
    pub id: GroupId,
    pub name: &'a str,
    pub name_key: &'a str,
    pub description: Option<&'a str>,
    pub color: Option<&'a str>,
    pub origin: &'a str,
    pub doc: &'a str,
    pub at: Instant,
}

/// Inserts a group that nobody manages; `Conflict` when its name is taken.
pub fn insert(db: &mut Db, tenant: TenantId, new: &NewGroup<'_>) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "INSERT INTO learner_groups (tenant_id, id, name, name_key, description, color, origin, version, created_at, modified_at, doc) \
             VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
        )
        .bind(tenant)
        .bind(new.id)
        .bind(new.name)
        .bind(new.name_key)
        .bind(new.description)
        .bind(new.color)
        .bind(new.origin)
        .bind(new.at)
        .bind(new.at)
        .bind(new.doc),
    )?;
    counters::add(db, tenant, "groups", new.id.0, 1)
}

/// Writes name, description, color and document at once; `false` when the version is no longer `row.version`.
pub fn update(
    db: &mut Db,
    tenant: TenantId,
    row: &GroupRow,
    at: Instant,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE learner_groups SET name = ?, name_key = ?, description = ?, color = ?, doc = ?, version = version + 1, modified_at = ? \
             WHERE tenant_id = ? AND id = ? AND version = ? AND deleted_at IS NULL",
        )
        .bind(row.name.as_str())
        .bind(row.name_key.as_str())
        .bind(row.description.clone())
        .bind(row.color.clone())
        .bind(row.doc.as_str())
        .bind(at)
        .bind(tenant)
        .bind(row.id)
        .bind(row.version),
    )?;
    Ok(changed == 1)
}

/// Makes a new version without changing a column: its members have changed.
pub fn touch(db: &mut Db, tenant: TenantId, id: GroupId, at: Instant) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE learner_groups SET version = version + 1, modified_at = ? WHERE tenant_id = ? AND id = ?")
            .bind(at)
            .bind(tenant)
            .bind(id),
    )
    .map(drop)
}

/// Makes a new version of every group a learner is in, just before their memberships end.
pub fn touch_of_learner(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    at: Instant,
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "UPDATE learner_groups SET version = version + 1, modified_at = ? WHERE tenant_id = ? AND id IN \
             (SELECT m.group_id FROM memberships m WHERE m.tenant_id = ? AND m.learner_id = ? AND m.ended_at IS NULL)",
        )
        .bind(at)
        .bind(tenant)
        .bind(tenant)
        .bind(learner),
    )
    .map(drop)
}

/// Gives a managed group back: from now on the last writer wins.
pub fn release(db: &mut Db, tenant: TenantId, id: GroupId, at: Instant) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("UPDATE learner_groups SET managed_by = NULL, version = version + 1, modified_at = ? WHERE tenant_id = ? AND id = ?")
            .bind(at)
            .bind(tenant)
            .bind(id),
    )
    .map(drop)
}

/// Ends a group; its name is free again. The row stays, because history refers to it.
pub fn end(db: &mut Db, tenant: TenantId, id: GroupId, at: Instant) -> Result<bool, StoreError> {
    let ended = db.execute(
        Stmt::new(
            "UPDATE learner_groups SET deleted_at = ?, modified_at = ?, version = version + 1 \
             WHERE tenant_id = ? AND id = ? AND deleted_at IS NULL",
        )
        .bind(at)
        .bind(at)
        .bind(tenant)
        .bind(id),
    )?;
    if ended == 1 {
        counters::add(db, tenant, "groups", id.0, -1)?;
    }
    Ok(ended == 1)
}

/// Finds a live group.
pub fn find(db: &mut Db, tenant: TenantId, id: GroupId) -> Result<Option<GroupRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{GROUP} AND g.id = ?"))
            .bind(tenant)
            .bind(id),
    )
}

/// Locks groups against other writers, in the one global order; `ids` need not be sorted.
pub fn lock(db: &mut Db, tenant: TenantId, ids: &[GroupId]) -> Result<(), StoreError> {
    let lock = db.dialect().for_update;
    if lock.is_empty() {
        return Ok(());
    }
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    for chunk in sorted.chunks(super::memberships::CHUNK) {
        let ids = super::memberships::padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT g.version AS n FROM learner_groups g WHERE g.tenant_id = ? AND g.id IN ({}) ORDER BY g.id {lock}",
            crate::store::statement::marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        db.load::<crate::store::db::Number>(stmt)?;
    }
    Ok(())
}

/// Locks every live group and the tenant itself: until the end nobody writes members, and nobody makes a group (who does
/// holds [`share_tenant`]). Groups that were made while we waited are locked in the second round.
pub fn lock_all(db: &mut Db, tenant: TenantId) -> Result<(), StoreError> {
    let lock = db.dialect().for_update;
    if lock.is_empty() {
        return Ok(());
    }
    let groups = Stmt::new(format!(
        "SELECT g.version AS n FROM learner_groups g WHERE g.tenant_id = ? AND g.deleted_at IS NULL ORDER BY g.id {lock}"
    ))
    .bind(tenant);
    db.load::<crate::store::db::Number>(groups.clone())?;
    let itself = Stmt::new(format!(
        "SELECT CAST(t.tenant_id AS BIGINT) AS n FROM tenants t WHERE t.tenant_id = ? {lock}"
    ));
    db.load::<crate::store::db::Number>(itself.bind(tenant))?;
    db.load::<crate::store::db::Number>(groups).map(drop)
}

/// Keeps the plan and the connections as they are until the end: for who makes a group, which nobody can lock before.
pub fn share_tenant(db: &mut Db, tenant: TenantId) -> Result<(), StoreError> {
    let lock = db.dialect().for_share;
    if lock.is_empty() {
        return Ok(());
    }
    let itself = Stmt::new(format!(
        "SELECT CAST(t.tenant_id AS BIGINT) AS n FROM tenants t WHERE t.tenant_id = ? {lock}"
    ));
    db.load::<crate::store::db::Number>(itself.bind(tenant))
        .map(drop)
}

/// Locks a live group and reads it as it is then.
pub fn find_for_update(
    db: &mut Db,
    tenant: TenantId,
    id: GroupId,
) -> Result<Option<GroupRow>, StoreError> {
    lock(db, tenant, &[id])?;
    find(db, tenant, id)
}

/// The groups that a course is assigned to.
pub fn with_course(
    db: &mut Db,
    tenant: TenantId,
    course: CourseId,
) -> Result<Vec<GroupId>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Group {
        #[diesel(sql_type = SqlId)]
        id: GroupId,
    }
    let rows: Vec<Group> = db.load(
        Stmt::new("SELECT group_id AS id FROM assignments WHERE tenant_id = ? AND course_id = ? AND ended_at IS NULL")
            .bind(tenant)
            .bind(course),
    )?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Which of these ids are live groups: a SCIM client may send a group as a member (§7.7).
pub fn known(db: &mut Db, tenant: TenantId, ids: &[GroupId]) -> Result<Vec<GroupId>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Group {
        #[diesel(sql_type = SqlId)]
        id: GroupId,
    }
    let mut known = Vec::new();
    for chunk in ids.chunks(super::memberships::CHUNK) {
        let ids = super::memberships::padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT id FROM learner_groups WHERE tenant_id = ? AND id IN ({}) AND deleted_at IS NULL",
            crate::store::statement::marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        known.extend(db.load::<Group>(stmt)?.into_iter().map(|row| row.id));
    }
    Ok(known)
}

/// What a list of groups is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct GroupFilter {
    /// Folded part of the name.
    pub name_part: Option<String>,
    pub origin: Option<&'static str>,
    pub managed_by: Option<ConnectionId>,
    pub color: Option<String>,
    pub updated_since: Option<Instant>,
}

/// What a list of groups is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupOrder {
    #[default]
    Name,
    Created,
    Updated,
    /// Present members, in whatever state.
    Members,
}

/// A page of live groups.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    filter: &GroupFilter,
    (order, down): (GroupOrder, bool),
    paging: &Paging,
) -> Result<Found<GroupRow>, StoreError> {
    let mut list = Listing::of(GROUP, vec![tenant.into()]).counted_by(
        "SELECT g.id FROM learner_groups g WHERE g.tenant_id = ? AND g.deleted_at IS NULL",
    );
    list.and_contains(db.dialect(), "g.name_key", filter.name_part.as_deref());
    list.and_some("g.origin = ?", filter.origin);
    list.and_some("g.managed_by = ?", filter.managed_by);
    list.and_some("g.color = ?", filter.color.clone());
    list.and_some("g.modified_at >= ?", filter.updated_since);
    let order = match order {
        GroupOrder::Name => Order::unique("g.name_key"),
        GroupOrder::Created => Order::number("g.created_at", "g.id"),
        GroupOrder::Updated => Order::number("g.modified_at", "g.id"),
        GroupOrder::Members => Order::number(MEMBERS, "g.id"),
    };
    list.find(db, order.down(down), paging)
}

/// How many present members a group `g` has.
const MEMBERS: &str = "(SELECT CAST(count(*) AS BIGINT) FROM memberships m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id AND m.ended_at IS NULL)";

/// Whether the tenant ever had a group.
pub fn any(db: &mut Db, tenant: TenantId) -> Result<bool, StoreError> {
    let found = db.number(
        Stmt::new("SELECT count(*) AS n FROM (SELECT g.id FROM learner_groups g WHERE g.tenant_id = ? LIMIT 1) d")
            .bind(tenant),
    )?;
    Ok(found > 0)
}

/// The tenant's plan; `None` when there is no such tenant.
pub fn plan(db: &mut Db, tenant: TenantId) -> Result<Option<SubscriptionPlan>, StoreError> {
    let row: Option<OneText> =
        db.optional(Stmt::new("SELECT plan AS t FROM tenants WHERE tenant_id = ?").bind(tenant))?;
    Ok(row.and_then(|row| SubscriptionPlan::parse(&row.t)))
}

/// The tenant's time zone and settings.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct TenantSettings {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub time_zone: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub settings: String,
}

/// Reads the tenant's time zone and settings.
pub fn settings(db: &mut Db, tenant: TenantId) -> Result<Option<TenantSettings>, StoreError> {
    db.optional(
        Stmt::new("SELECT time_zone, settings FROM tenants WHERE tenant_id = ?").bind(tenant),
    )
}

#[derive(diesel::QueryableByName)]
struct Named {
    #[diesel(sql_type = SqlId)]
    id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// What these groups are called, ended ones included.
pub fn names(
    db: &mut Db,
    tenant: TenantId,
    groups: &[GroupId],
) -> Result<std::collections::HashMap<GroupId, String>, StoreError> {
    let mut found = std::collections::HashMap::with_capacity(groups.len());
    for chunk in groups.chunks(super::memberships::CHUNK) {
        let ids = super::memberships::padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT id, name FROM learner_groups WHERE tenant_id = ? AND id IN ({})",
            crate::store::statement::marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        found.extend(
            db.load::<Named>(stmt)?
                .into_iter()
                .map(|row| (row.id, row.name)),
        );
    }
    Ok(found)
}
