//! What a deleted group had: itself, its courses, its members (§7.14).

use diesel::QueryableByName;

use crate::clock::Instant;
use crate::ids::{ConnectionId, CourseId, GroupId, TenantId};
use crate::learning::assignment::Due;
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

use super::events::By;

/// A group that is or was.
#[derive(Clone, Debug, QueryableByName)]
pub struct PastGroup {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub description: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub color: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub deleted_at: Option<i64>,
}

/// Finds a group, deleted ones included.
pub fn find(db: &mut Db, tenant: TenantId, id: GroupId) -> Result<Option<PastGroup>, StoreError> {
    db.optional(
        Stmt::new("SELECT name, description, color, deleted_at FROM learner_groups WHERE tenant_id = ? AND id = ?")
            .bind(tenant)
            .bind(id),
    )
}

/// The newest of a connection's groups that were deleted since an instant, had this name or external id, and courses: what a
/// group that it makes now may be.
pub fn deleted_like(
    db: &mut Db,
    tenant: TenantId,
    connection: ConnectionId,
    (name_key, external_id): (&str, Option<&str>),
    since: Instant,
) -> Result<Option<GroupId>, StoreError> {
    #[derive(QueryableByName)]
    struct Group {
        #[diesel(sql_type = SqlId)]
        id: GroupId,
    }
    let of_these = "g.managed_by = ? AND g.deleted_at >= ? \
         AND EXISTS (SELECT 1 FROM assignments a WHERE a.tenant_id = g.tenant_id AND a.group_id = g.id AND a.ended_at = g.deleted_at)";
    let sql = format!(
        "SELECT d.id FROM (\
         SELECT g.id, g.deleted_at FROM learner_groups g WHERE g.tenant_id = ? AND g.name_key = ? AND g.deleted_at IS NOT NULL AND {of_these} \
         UNION ALL SELECT g.id, g.deleted_at FROM learner_groups g WHERE g.tenant_id = ? AND g.external_id = ? \
            AND g.deleted_at IS NOT NULL AND {of_these}) d ORDER BY d.deleted_at DESC LIMIT 1"
    );
    let stmt = Stmt::new(sql)
        .bind(tenant)
        .bind(name_key.to_owned())
        .bind(connection)
        .bind(since)
        .bind(tenant)
        .bind(external_id.map(str::to_owned))
        .bind(connection)
        .bind(since);
    Ok(db.optional::<Group>(stmt)?.map(|row| row.id))
}

/// A course that a deleted group had to the last, with its options.
#[derive(Clone, Debug, QueryableByName)]
pub struct PastAssignment {
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub course_title: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub mandatory: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    due_date: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    due_days: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub recert_months: Option<i64>,
}

impl PastAssignment {
    /// When the course was to be completed.
    #[must_use]
    pub fn due(&self) -> Due {
        Due::from_columns(self.due_date.as_deref(), self.due_days)
    }
}

/// The courses that a group had when it was deleted.
pub fn assignments(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    deleted_at: Instant,
) -> Result<Vec<PastAssignment>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT a.course_id, c.title AS course_title, a.mandatory, a.due_date, a.due_days, a.recert_months \
             FROM assignments a CROSS JOIN courses c WHERE a.tenant_id = ? AND a.group_id = ? AND a.ended_at = ? \
             AND c.tenant_id = a.tenant_id AND c.id = a.course_id ORDER BY a.id",
        )
        .bind(tenant)
        .bind(group)
        .bind(deleted_at),
    )
}

/// Opens a membership in another group for whoever was in the deleted one to the last and has an account; returns how many.
pub fn rejoin(
    db: &mut Db,
    tenant: TenantId,
    (from, to): (GroupId, GroupId),
    by: &By,
) -> Result<i64, StoreError> {
    let new_id = db.dialect().new_id;
    let mut joined = 0;
    // A job may still be ending the members of a large group.
    for which in [
        "m.ended_at IS NOT NULL AND m.end_cause = 'group_deleted'",
        "m.ended_at IS NULL",
    ] {
        joined += db.execute(
            Stmt::new(format!(
                "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, added_by, added_at, request_id) \
                 SELECT m.tenant_id, {new_id}, ?, m.learner_id, u.id, 'rest', ?, ?, ? FROM memberships m CROSS JOIN users u \
                 WHERE m.tenant_id = ? AND m.group_id = ? AND {which} AND u.tenant_id = m.tenant_id AND u.id = (SELECT x.id FROM users x \
                     WHERE x.tenant_id = m.tenant_id AND x.learner_id = m.learner_id AND x.deleted_at IS NULL ORDER BY x.id LIMIT 1) \
                 ON CONFLICT (tenant_id, group_id, learner_id) WHERE ended_at IS NULL DO NOTHING"
            ))
            .bind(to)
            .bind(by.actor.as_str())
            .bind(by.at)
            .bind(by.request)
            .bind(tenant)
            .bind(from),
        )?;
    }
    Ok(i64::try_from(joined).unwrap_or(i64::MAX))
}
