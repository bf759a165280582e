//! Enrollments, their cycles and reasons: listed, explained, withdrawn. Made by `queries::enroll` alone.

use crate::ids::{
    AssignmentId, CourseId, EnrollmentId, GroupId, LearnerId, MembershipId, ReasonId, RequestId,
    TenantId,
};
use crate::learning::assignment::{Due, Options};
use crate::learning::membership::EndCause;
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, SqlId, StoreError};

use super::events::By;

/// One enrollment with the newest of its cycles.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct EnrollmentRow {
    #[diesel(sql_type = SqlId)]
    pub id: EnrollmentId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub course_title: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub learner_name: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub withdrawn_at: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub withdrawn_by: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub withdrawn_cause: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub cycle_n: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub opened_at: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub opened_by: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub started_at: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub completed_at: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub progress_pct: Option<i64>,
}

const ENROLLMENT: &str = "SELECT e.id, e.learner_id, e.course_id, c.title AS course_title, l.display_name AS learner_name, e.created_at, \
     e.withdrawn_at, e.withdrawn_by, e.withdrawn_cause, y.n AS cycle_n, y.opened_at, y.opened_by, y.started_at, y.completed_at, y.progress_pct \
     FROM enrollments e \
     JOIN courses c ON c.tenant_id = e.tenant_id AND c.id = e.course_id \
     JOIN learners l ON l.tenant_id = e.tenant_id AND l.id = e.learner_id \
     LEFT JOIN enrollment_cycles y ON y.tenant_id = e.tenant_id AND y.enrollment_id = e.id \
     AND y.n = (SELECT max(z.n) FROM enrollment_cycles z WHERE z.tenant_id = e.tenant_id AND z.enrollment_id = e.id) \
     WHERE e.tenant_id = ?";

/// Finds an enrollment by its id.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    id: EnrollmentId,
) -> Result<Option<EnrollmentRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{ENROLLMENT} AND e.id = ?"))
            .bind(tenant)
            .bind(id),
    )
}

/// Finds the one enrollment of a learner in a course.
pub fn find_pair(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    course: CourseId,
) -> Result<Option<EnrollmentRow>, StoreError> {
    db.optional(
        Stmt::new(format!(
            "{ENROLLMENT} AND e.learner_id = ? AND e.course_id = ?"
        ))
        .bind(tenant)
        .bind(learner)
        .bind(course),
    )
}

/// Whose rows, and of which course; any where it is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairFilter {
    pub learner: Option<LearnerId>,
    pub course: Option<CourseId>,
}

/// A page of enrollments, in the order of their id.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    filter: PairFilter,
    down: bool,
    paging: &Paging,
) -> Result<Found<EnrollmentRow>, StoreError> {
    let mut list = Listing::of(ENROLLMENT, vec![tenant.into()])
        .counted_by("SELECT e.id FROM enrollments e WHERE e.tenant_id = ?");
    list.and_some("e.learner_id = ?", filter.learner);
    list.and_some("e.course_id = ?", filter.course);
    list.find(db, Order::id("e.id").down(down), paging)
}

/// Why somebody is enrolled, with the names and options of the moment it was recorded.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct ReasonRow {
    #[diesel(sql_type = SqlId)]
    pub id: ReasonId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub kind: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub group_id: Option<GroupId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub assignment_id: Option<AssignmentId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub membership_id: Option<MembershipId>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub required_since: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub recorded_at: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub ended_at: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub end_cause: Option<String>,
    #[diesel(sql_type = SqlId)]
    pub request_id: RequestId,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub group_name: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub course_title: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    mandatory: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    due_date: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    due_days: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    recert_months: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub actor: String,
    /// What the group is called today.
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub group_name_now: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub group_live: bool,
}

impl ReasonRow {
    /// The options of the moment the reason was recorded.
    #[must_use]
    pub fn snapshot(&self) -> Options {
        let due = Due::from_columns(self.due_date.as_deref(), self.due_days);
        Options::stored(self.mandatory, due, self.recert_months)
    }
}

/// Every reason of these enrollments, live and ended, oldest first.
pub fn reasons(
    db: &mut Db,
    tenant: TenantId,
    pairs: &[(LearnerId, CourseId)],
) -> Result<Vec<ReasonRow>, StoreError> {
    let mut rows = Vec::new();
    for chunk in pairs.chunks(200) {
        let stmt = Stmt::new(format!(
            "SELECT r.id, r.learner_id, r.course_id, r.kind, r.group_id, r.assignment_id, r.membership_id, r.required_since, r.recorded_at, \
             r.ended_at, r.end_cause, r.request_id, r.group_name, r.course_title, r.mandatory, r.due_date, r.due_days, r.recert_months, r.actor, \
             g.name AS group_name_now, (g.id IS NOT NULL AND g.deleted_at IS NULL) AS group_live \
             FROM enrollment_reasons r \
             LEFT JOIN learner_groups g ON g.tenant_id = r.tenant_id AND g.id = r.group_id \
             WHERE r.tenant_id = ? AND (r.learner_id, r.course_id) IN (VALUES {}) ORDER BY r.id",
            vec!["(?, ?)"; chunk.len()].join(", ")
        ))
        .bind(tenant)
        .binds(chunk.iter().flat_map(|(learner, course)| [Bind::from(*learner), Bind::from(*course)]));
        rows.extend(db.load::<ReasonRow>(stmt)?);
    }
    Ok(rows)
}

/// Withdraws an enrollment and ends its live reasons: the one un-enrollment there is, asked for by a person (4.13).
pub fn withdraw(
    db: &mut Db,
    tenant: TenantId,
    row: &EnrollmentRow,
    cause: &str,
    by: &By,
) -> Result<(), StoreError> {
    let latest = db.dialect().latest;
    db.execute(
        Stmt::new(format!(
            "UPDATE enrollment_reasons SET ended_at = {latest}(?, recorded_at), end_cause = ? \
             WHERE tenant_id = ? AND learner_id = ? AND course_id = ? AND ended_at IS NULL",
        ))
        .bind(by.at)
        .bind(EndCause::Withdrawn.as_str())
        .bind(tenant)
        .bind(row.learner_id)
        .bind(row.course_id),
    )?;
    db.execute(
        Stmt::new(
            "UPDATE enrollments SET withdrawn_at = ?, withdrawn_by = ?, withdrawn_cause = ? \
             WHERE tenant_id = ? AND learner_id = ? AND course_id = ?",
        )
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(cause)
        .bind(tenant)
        .bind(row.learner_id)
        .bind(row.course_id),
    )
    .map(drop)
}

/// Makes the one enrollment of a pair, or re-opens it, with a reason that is no obligation; returns whether anything changed.
pub fn enroll_by_hand(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    course: CourseId,
    kind: &'static str,
    by: &By,
) -> Result<bool, StoreError> {
    let new_id = db.dialect().new_id;
    let mut changed = db.execute(
        Stmt::new(
            "INSERT INTO enrollments (tenant_id, id, learner_id, course_id, created_at) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (tenant_id, learner_id, course_id) DO NOTHING",
        )
        .bind(tenant)
        .bind(EnrollmentId::new())
        .bind(learner)
        .bind(course)
        .bind(by.at),
    )?;
    changed += db.execute(
        Stmt::new(
            "UPDATE enrollments SET withdrawn_at = NULL, withdrawn_by = NULL, withdrawn_cause = NULL \
             WHERE tenant_id = ? AND learner_id = ? AND course_id = ? AND withdrawn_at IS NOT NULL",
        )
        .bind(tenant)
        .bind(learner)
        .bind(course),
    )?;
    changed += db.execute(
        Stmt::new(format!(
            "INSERT INTO enrollment_reasons (tenant_id, id, learner_id, course_id, kind, required_since, recorded_at, request_id, \
             course_title, mandatory, actor) \
             SELECT c.tenant_id, {new_id}, ?, c.id, ?, ?, ?, ?, c.title, ?, ? FROM courses c WHERE c.tenant_id = ? AND c.id = ? \
             AND NOT EXISTS (SELECT 1 FROM enrollment_reasons r WHERE r.tenant_id = c.tenant_id AND r.learner_id = ? \
                 AND r.course_id = c.id AND r.kind = ? AND r.ended_at IS NULL)"
        ))
        .bind(learner)
        .bind(kind)
        .bind(by.at)
        .bind(by.at)
        .bind(by.request)
        .bind(false)
        .bind(by.actor.as_str())
        .bind(tenant)
        .bind(course)
        .bind(learner)
        .bind(kind),
    )?;
    changed += db.execute(
        Stmt::new(
            "INSERT INTO enrollment_cycles (tenant_id, enrollment_id, n, opened_at, opened_by, progress_pct) \
             SELECT e.tenant_id, e.id, 1, ?, 'initial', 0 FROM enrollments e \
             WHERE e.tenant_id = ? AND e.learner_id = ? AND e.course_id = ? \
             AND NOT EXISTS (SELECT 1 FROM enrollment_cycles y WHERE y.tenant_id = e.tenant_id AND y.enrollment_id = e.id)",
        )
        .bind(by.at)
        .bind(tenant)
        .bind(learner)
        .bind(course),
    )?;
    Ok(changed > 0)
}
