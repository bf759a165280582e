//! What one request wrote, read back by its id inside its transaction (dry runs).
//!
//! Rows carry the request's id but no index over it: ids are UUID v7, so everything a request wrote stands behind the
//! id that marks its beginning, and the primary key finds it.

use uuid::Uuid;

use crate::ids::{CourseId, GroupId, LearnerId, RequestId, TenantId};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

/// A request, and the least id it can have given out.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub tenant: TenantId,
    pub request: RequestId,
    pub since: Uuid,
}

/// How far the clocks of this process and of the database may differ, in milliseconds.
const SKEW: u64 = 10_000;

#[derive(diesel::QueryableByName)]
struct FreshId {
    #[diesel(sql_type = SqlId)]
    id: RequestId,
}

/// An id that is less than every id made from now on, here or by the database.
pub fn floor(db: &mut Db) -> Result<Uuid, StoreError> {
    let text = format!("SELECT {} AS id", db.dialect().new_id);
    let theirs = db.optional::<FreshId>(Stmt::new(text))?;
    let millis = |id: Uuid| id.as_u64_pair().0 >> 16;
    let ours = millis(Uuid::now_v7());
    let least = theirs
        .map_or(ours, |row| millis(row.id.0).min(ours))
        .saturating_sub(SKEW);
    Ok(Uuid::from_u64_pair(least << 16, 0))
}

/// An id that is no greater than any that the database makes from now on. SQLite's are made in this process and never step
/// back; a server's clock may, by a little.
pub fn least(db: &mut Db) -> Result<Uuid, StoreError> {
    let text = format!("SELECT {} AS id", db.dialect().new_id);
    let now = db.optional::<FreshId>(Stmt::new(text))?;
    let millis = now.map_or(0, |row| row.id.0.as_u64_pair().0 >> 16);
    let back = if db.dialect().many_rows_at_once {
        1000
    } else {
        0
    };
    Ok(Uuid::from_u64_pair(millis.saturating_sub(back) << 16, 0))
}

/// The numbers of what a request wrote.
#[derive(Clone, Copy, Debug, Default, diesel::QueryableByName)]
pub struct Counts {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub added: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub pending: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub ended: i64,
    /// Enrollments made or opened again.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub enrollments: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub withdrawn: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub cycles: i64,
    /// Learner and course of the reasons written.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub pairs: i64,
    /// Of these, mandatory, due before today and never completed.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub overdue: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub learners: i64,
}

const WAITING: &str =
    "(l.deleted_at IS NOT NULL OR l.registration <> 'registered' OR l.approval <> 'approved')";

/// Counts what a request wrote; `today` is the tenant's calendar date.
pub fn counts(db: &mut Db, written: &Written, today: &str) -> Result<Counts, StoreError> {
    // Each set once and by its key: a planner that sees DISTINCT and count together prefers an index over the whole tenant.
    let sql = format!(
        "WITH begun AS MATERIALIZED (SELECT m.learner_id, {WAITING} AS waiting \
            FROM memberships m CROSS JOIN learners l \
            WHERE m.tenant_id = ? AND m.id >= ? AND m.request_id = ? AND m.ended_at IS NULL \
            AND l.tenant_id = m.tenant_id AND l.id = m.learner_id), \
         ended AS MATERIALIZED (SELECT m.learner_id FROM memberships m WHERE m.tenant_id = ? AND m.ended_request_id = ?), \
         told AS MATERIALIZED (SELECT e.entity, e.entity_id, e.event_type FROM events e \
            WHERE e.tenant_id = ? AND e.id >= ? AND e.request_id = ?), \
         owed AS MATERIALIZED (SELECT r.learner_id, r.course_id, \
                (r.mandatory AND r.due_date IS NOT NULL AND r.due_date < ? AND NOT EXISTS (SELECT 1 FROM enrollments e \
                    JOIN enrollment_cycles y ON y.tenant_id = e.tenant_id AND y.enrollment_id = e.id \
                    WHERE e.tenant_id = r.tenant_id AND e.learner_id = r.learner_id AND e.course_id = r.course_id \
                    AND y.completed_at IS NOT NULL)) AS overdue \
            FROM enrollment_reasons r WHERE r.tenant_id = ? AND r.id >= ? AND r.request_id = ?) \
         SELECT (SELECT count(*) FROM begun) AS added, (SELECT count(*) FROM begun WHERE waiting) AS pending, \
         (SELECT count(*) FROM ended) AS ended, \
         (SELECT count(*) FROM told WHERE event_type IN ('enrollment.created', 'enrollment.reopened')) AS enrollments, \
         (SELECT count(*) FROM told WHERE event_type = 'enrollment.withdrawn') AS withdrawn, \
         (SELECT count(*) FROM told WHERE event_type IN ('enrollment.created', 'enrollment.cycle_opened')) AS cycles, \
         (SELECT count(*) FROM (SELECT DISTINCT learner_id, course_id FROM owed) p) AS pairs, \
         (SELECT count(*) FROM (SELECT DISTINCT learner_id, course_id FROM owed WHERE overdue) o) AS overdue, \
         (SELECT count(*) FROM (SELECT learner_id FROM begun UNION SELECT learner_id FROM ended \
            UNION SELECT learner_id FROM owed UNION SELECT entity_id FROM told WHERE entity = 'learner') a) AS learners"
    );
    let three = |stmt: Stmt<'static>| {
        stmt.bind(written.tenant)
            .bind(written.since)
            .bind(written.request)
    };
    let stmt = three(Stmt::new(sql))
        .bind(written.tenant)
        .bind(written.request);
    let stmt = three(three(stmt).bind(today.to_owned()));
    Ok(db.optional(stmt)?.unwrap_or_default())
}

/// A learner and a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, diesel::QueryableByName)]
struct Pair {
    #[diesel(sql_type = SqlId)]
    learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    course_id: CourseId,
}

/// Whose obligations a request may have made worse, and in which course: it gave a clock of before, or terms with a date
/// that has passed, or touched completions, exceptions or cycles.
pub fn worse(
    db: &mut Db,
    written: &Written,
    today: &str,
    limit: i64,
) -> Result<Vec<(LearnerId, CourseId)>, StoreError> {
    let sql = "WITH told AS MATERIALIZED (SELECT e.entity, e.entity_id FROM events e \
            WHERE e.tenant_id = ? AND e.id >= ? AND e.request_id = ?) \
         SELECT p.learner_id, p.course_id FROM (\
         SELECT r.learner_id, r.course_id FROM enrollment_reasons r WHERE r.tenant_id = ? AND r.id >= ? AND r.request_id = ? \
            AND (r.required_since < r.recorded_at OR r.due_date < ?) \
         UNION SELECT c.learner_id, c.course_id FROM told CROSS JOIN completions c \
            WHERE told.entity = 'completion' AND c.tenant_id = ? AND c.id = told.entity_id \
         UNION SELECT e.learner_id, e.course_id FROM told CROSS JOIN enrollments e \
            WHERE told.entity = 'enrollment' AND e.tenant_id = ? AND e.id = told.entity_id) p LIMIT ?";
    let mut stmt = Stmt::new(sql);
    for _ in 0..2 {
        stmt = stmt
            .bind(written.tenant)
            .bind(written.since)
            .bind(written.request);
    }
    stmt = stmt.bind(today.to_owned());
    for _ in 0..2 {
        stmt = stmt.bind(written.tenant);
    }
    let pairs: Vec<Pair> = db.load(stmt.bind(limit))?;
    Ok(pairs
        .into_iter()
        .map(|pair| (pair.learner_id, pair.course_id))
        .collect())
}

/// One membership that began or ended.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct Member {
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub learner_name: String,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub group_name: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub ended: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub waiting: bool,
}

/// The memberships a request began and ended.
pub fn members(db: &mut Db, written: &Written, limit: i64) -> Result<Vec<Member>, StoreError> {
    let read = |ended: bool| {
        let condition = if ended {
            "m.ended_request_id = ?"
        } else {
            "m.id >= ? AND m.request_id = ? AND m.ended_at IS NULL"
        };
        Stmt::new(format!(
            "SELECT m.learner_id, l.display_name AS learner_name, m.group_id, g.name AS group_name, \
             (m.ended_at IS NOT NULL) AS ended, {WAITING} AS waiting \
             FROM memberships m JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id \
             JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id \
             WHERE m.tenant_id = ? AND {condition} ORDER BY m.id LIMIT ?"
        ))
        .bind(written.tenant)
    };
    let begun = read(false)
        .bind(written.since)
        .bind(written.request)
        .bind(limit);
    let mut list: Vec<Member> = db.load(begun)?;
    list.extend(db.load::<Member>(read(true).bind(written.request).bind(limit))?);
    Ok(list)
}

/// Why somebody is or stays enrolled.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct Reason {
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub learner_name: String,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub course_title: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub group_name: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub due_date: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub due_days: Option<i64>,
    /// Whether the enrollment itself is of this request.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub created: bool,
}

/// The reasons a request wrote.
pub fn reasons(db: &mut Db, written: &Written, limit: i64) -> Result<Vec<Reason>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT r.learner_id, l.display_name AS learner_name, r.course_id, r.course_title, r.group_name, r.due_date, \
             CAST(r.due_days AS BIGINT) AS due_days, \
             EXISTS (SELECT 1 FROM events v WHERE v.tenant_id = e.tenant_id AND v.entity_id = e.id AND v.id >= ? \
                AND v.request_id = r.request_id AND v.event_type IN ('enrollment.created', 'enrollment.reopened')) AS created \
             FROM enrollment_reasons r JOIN learners l ON l.tenant_id = r.tenant_id AND l.id = r.learner_id \
             JOIN enrollments e ON e.tenant_id = r.tenant_id AND e.learner_id = r.learner_id AND e.course_id = r.course_id \
             WHERE r.tenant_id = ? AND r.id >= ? AND r.request_id = ? ORDER BY r.id LIMIT ?",
        )
        .bind(written.since)
        .bind(written.tenant)
        .bind(written.since)
        .bind(written.request)
        .bind(limit),
    )
}

/// One event that is told in its own words.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct Told {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub entity: String,
    #[diesel(sql_type = SqlId)]
    pub entity_id: RequestId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub event_type: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub data: String,
}

/// The events of a request, but for those that its reasons and its memberships tell.
pub fn events(db: &mut Db, written: &Written, limit: i64) -> Result<Vec<Told>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT e.entity, e.entity_id, e.event_type, e.data FROM events e \
             WHERE e.tenant_id = ? AND e.id >= ? AND e.request_id = ? \
             AND e.event_type NOT IN ('enrollment.created', 'group.members_changed') \
             ORDER BY e.id LIMIT ?",
        )
        .bind(written.tenant)
        .bind(written.since)
        .bind(written.request)
        .bind(limit),
    )
}
