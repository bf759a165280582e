//! Assignments of courses to groups, and the versions of their options (§2.6).

use crate::clock::Instant;
use crate::ids::{AssignmentId, CourseId, GroupId, TenantId};
use crate::learning::assignment::{Due, Options};
use crate::learning::membership::EndCause;
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

use super::events::By;

/// A live assignment with its course's title.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct AssignmentRow {
    #[diesel(sql_type = SqlId)]
    pub id: AssignmentId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub course_title: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub course_status: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub mandatory: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    due_date: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    due_days: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub recert_months: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub created_by: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub modified_at: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    enrolling_done: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    enrolling_total: Option<i64>,
}

impl AssignmentRow {
    /// How many of how many members a job has looked at, while one enrolls them (§4 "Size").
    #[must_use]
    pub fn enrolling(&self) -> Option<(i64, Option<i64>)> {
        Some((self.enrolling_done?, self.enrolling_total))
    }

    /// When the course is to be completed.
    #[must_use]
    pub fn due(&self) -> Due {
        Due::from_columns(self.due_date.as_deref(), self.due_days)
    }
}

const ASSIGNMENT: &str = "SELECT a.id, a.group_id, a.course_id, c.title AS course_title, c.status AS course_status, a.mandatory, \
     a.due_date, a.due_days, a.recert_months, a.version, a.created_by, a.created_at, a.modified_at, \
     (SELECT max(j.done) FROM jobs j WHERE j.tenant_id = a.tenant_id AND j.subject_id = a.id AND j.state = 'waiting' AND j.kind = 'enroll') \
     AS enrolling_done, \
     (SELECT max(j.total) FROM jobs j WHERE j.tenant_id = a.tenant_id AND j.subject_id = a.id AND j.state = 'waiting' AND j.kind = 'enroll') \
     AS enrolling_total FROM assignments a JOIN courses c ON c.tenant_id = a.tenant_id AND c.id = a.course_id \
     WHERE a.tenant_id = ? AND a.ended_at IS NULL";

/// Inserts an assignment and its version 1; `Conflict` when the group has the course already.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    id: AssignmentId,
    group: GroupId,
    course: CourseId,
    options: Options,
    by: &By,
) -> Result<(), StoreError> {
    let (due_date, due_days) = options.due.columns();
    db.execute(
        Stmt::new(
            "INSERT INTO assignments (tenant_id, id, group_id, course_id, mandatory, due_date, due_days, recert_months, version, \
             created_by, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
        )
        .bind(tenant)
        .bind(id)
        .bind(group)
        .bind(course)
        .bind(options.mandatory)
        .bind(due_date)
        .bind(due_days)
        .bind(options.recert_months())
        .bind(by.actor.as_str())
        .bind(by.at)
        .bind(by.at),
    )?;
    insert_version(db, tenant, id, 1, options, false, by)
}

/// Changes the options of a live assignment to a new version; `false` when it has changed since `before`.
pub fn update(
    db: &mut Db,
    tenant: TenantId,
    id: AssignmentId,
    before: i64,
    options: Options,
    future_only: bool,
    by: &By,
) -> Result<bool, StoreError> {
    let (due_date, due_days) = options.due.columns();
    let changed = db.execute(
        Stmt::new(
            "UPDATE assignments SET mandatory = ?, due_date = ?, due_days = ?, recert_months = ?, version = version + 1, modified_at = ? \
             WHERE tenant_id = ? AND id = ? AND version = ? AND ended_at IS NULL",
        )
        .bind(options.mandatory)
        .bind(due_date)
        .bind(due_days)
        .bind(options.recert_months())
        .bind(by.at)
        .bind(tenant)
        .bind(id)
        .bind(before),
    )?;
    if changed == 1 {
        insert_version(db, tenant, id, before + 1, options, future_only, by)?;
    }
    Ok(changed == 1)
}

fn insert_version(
    db: &mut Db,
    tenant: TenantId,
    id: AssignmentId,
    version: i64,
    options: Options,
    future_only: bool,
    by: &By,
) -> Result<(), StoreError> {
    let (due_date, due_days) = options.due.columns();
    db.execute(
        Stmt::new(
            "INSERT INTO assignment_versions (tenant_id, assignment_id, version, valid_from, mandatory, due_date, due_days, recert_months, \
             future_only, changed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(tenant)
        .bind(id)
        .bind(version)
        .bind(by.at)
        .bind(options.mandatory)
        .bind(due_date)
        .bind(due_days)
        .bind(options.recert_months())
        .bind(future_only)
        .bind(by.actor.as_str()),
    )
    .map(drop)
}

/// Finds a live assignment.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    id: AssignmentId,
) -> Result<Option<AssignmentRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{ASSIGNMENT} AND a.id = ?"))
            .bind(tenant)
            .bind(id),
    )
}

/// A page of a group's live assignments, in the order of their id.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    paging: &Paging,
) -> Result<Found<AssignmentRow>, StoreError> {
    let sql = format!("{ASSIGNMENT} AND a.group_id = ?");
    Listing::of(sql, vec![tenant.into(), group.into()]).find(db, Order::id("a.id"), paging)
}

/// A page of the assignments a group had at an instant, with the options of then, in the order of their id.
pub fn page_as_of(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    at: Instant,
    paging: &Paging,
) -> Result<Found<AssignmentRow>, StoreError> {
    let sql = "SELECT a.id, a.group_id, a.course_id, c.title AS course_title, c.status AS course_status, v.mandatory, v.due_date, v.due_days, \
         v.recert_months, v.version, a.created_by, a.created_at, v.valid_from AS modified_at, CAST(NULL AS BIGINT) AS enrolling_done, \
         CAST(NULL AS BIGINT) AS enrolling_total FROM assignments a CROSS JOIN assignment_versions v CROSS JOIN courses c \
         WHERE a.tenant_id = ? AND a.group_id = ? AND a.created_at <= ? AND (a.ended_at IS NULL OR a.ended_at > ?) \
         AND v.tenant_id = a.tenant_id AND v.assignment_id = a.id AND v.version = (SELECT max(w.version) FROM assignment_versions w \
             WHERE w.tenant_id = a.tenant_id AND w.assignment_id = a.id AND w.valid_from <= ?) \
         AND c.tenant_id = a.tenant_id AND c.id = a.course_id";
    let binds = vec![tenant.into(), group.into(), at.into(), at.into(), at.into()];
    Listing::of(sql, binds).find(db, Order::id("a.id"), paging)
}

#[derive(diesel::QueryableByName)]
struct GroupCount {
    #[diesel(sql_type = SqlId)]
    group_id: GroupId,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// How many live assignments these groups have; a group without any is absent.
pub fn counts(
    db: &mut Db,
    tenant: TenantId,
    groups: &[GroupId],
) -> Result<std::collections::HashMap<GroupId, i64>, StoreError> {
    let mut counts = std::collections::HashMap::with_capacity(groups.len());
    for chunk in groups.chunks(super::memberships::CHUNK) {
        let ids = super::memberships::padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT group_id, count(*) AS n FROM assignments \
             WHERE tenant_id = ? AND group_id IN ({}) AND ended_at IS NULL GROUP BY group_id",
            crate::store::statement::marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        let rows: Vec<GroupCount> = db.load(stmt)?;
        counts.extend(rows.into_iter().map(|row| (row.group_id, row.n)));
    }
    Ok(counts)
}

/// How many live members the group of an assignment has.
pub fn members(db: &mut Db, tenant: TenantId, id: AssignmentId) -> Result<i64, StoreError> {
    db.number(
        Stmt::new(
            "SELECT count(*) AS n FROM assignments a JOIN memberships m ON m.tenant_id = a.tenant_id AND m.group_id = a.group_id \
             AND m.ended_at IS NULL WHERE a.tenant_id = ? AND a.id = ?",
        )
        .bind(tenant)
        .bind(id),
    )
}

/// Ends one assignment alone; its reasons are the caller's. `false` when it was not live.
pub fn end_alone(
    db: &mut Db,
    tenant: TenantId,
    id: AssignmentId,
    at: Instant,
) -> Result<bool, StoreError> {
    let latest = db.dialect().latest;
    let ended = db.execute(
        Stmt::new(format!("UPDATE assignments SET ended_at = {latest}(?, created_at) WHERE tenant_id = ? AND id = ? AND ended_at IS NULL"))
            .bind(at)
            .bind(tenant)
            .bind(id),
    )?;
    Ok(ended == 1)
}

/// Ends one assignment and its reasons; nobody is un-enrolled (S-12). `false` when it was not live.
pub fn end(
    db: &mut Db,
    tenant: TenantId,
    id: AssignmentId,
    at: Instant,
) -> Result<bool, StoreError> {
    let latest = db.dialect().latest;
    db.execute(
        Stmt::new(format!(
            "UPDATE enrollment_reasons SET ended_at = {latest}(?, recorded_at), end_cause = ? \
             WHERE tenant_id = ? AND assignment_id = ? AND ended_at IS NULL"
        ))
        .bind(at)
        .bind(EndCause::AssignmentRemoved.as_str())
        .bind(tenant)
        .bind(id),
    )?;
    end_alone(db, tenant, id, at)
}

/// Ends every assignment of a group; its reasons end with the group.
pub fn end_of_group(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    at: Instant,
) -> Result<i64, StoreError> {
    let latest = db.dialect().latest;
    let ended = db.execute(
        Stmt::new(format!("UPDATE assignments SET ended_at = {latest}(?, created_at) WHERE tenant_id = ? AND group_id = ? AND ended_at IS NULL"))
            .bind(at)
            .bind(tenant)
            .bind(group),
    )?;
    Ok(i64::try_from(ended).unwrap_or(i64::MAX))
}
