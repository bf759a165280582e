//! Cycles and what they came to, written as sets (§2.7): the newest, closing, opening, progress, frozen outcomes.
//!
//! Not here: which completion closes a cycle (`service::completions`) and when one opens (`service::cycles`).

use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{CompletionId, CourseId, EnrollmentId, LearnerId, ReasonId, TenantId};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::events::By;
use super::memberships::padded;

/// Rows per statement with many columns.
const ROWS: usize = 200;

/// An enrollment with its newest cycle.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct CycleRow {
    #[diesel(sql_type = SqlId)]
    pub enrollment_id: EnrollmentId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = BigInt)]
    pub n: i64,
    #[diesel(sql_type = BigInt)]
    pub opened_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub completed_at: Option<i64>,
}

/// The newest cycles of these enrollments, locked against other writers in the one global order.
pub fn newest_cycles(
    db: &mut Db,
    tenant: TenantId,
    pairs: &[(LearnerId, CourseId)],
) -> Result<Vec<CycleRow>, StoreError> {
    let lock = if db.dialect().for_update.is_empty() {
        ""
    } else {
        "FOR UPDATE OF e"
    };
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut rows = Vec::new();
    for chunk in sorted.chunks(ROWS) {
        let stmt = Stmt::new(format!(
            "SELECT e.id AS enrollment_id, e.learner_id, e.course_id, y.n, y.opened_at, y.completed_at FROM enrollments e \
             JOIN enrollment_cycles y ON y.tenant_id = e.tenant_id AND y.enrollment_id = e.id \
             WHERE e.tenant_id = ? AND (e.learner_id, e.course_id) IN (VALUES {}) \
             AND y.n = (SELECT max(z.n) FROM enrollment_cycles z WHERE z.tenant_id = e.tenant_id AND z.enrollment_id = e.id) \
             ORDER BY e.learner_id, e.course_id {lock}",
            vec!["(?, ?)"; chunk.len()].join(", ")
        ))
        .once(chunk.len() != 1)
        .bind(tenant)
        .binds(chunk.iter().flat_map(|(learner, course)| [Bind::from(*learner), Bind::from(*course)]));
        rows.extend(db.load::<CycleRow>(stmt)?);
    }
    Ok(rows)
}

/// A cycle that a completion closes.
#[derive(Clone, Copy, Debug)]
pub struct Closing {
    pub enrollment: EnrollmentId,
    pub n: i64,
    pub completion: CompletionId,
}

/// Closes cycles at the instants of their completions and says so in the completions.
pub fn close_cycles(db: &mut Db, tenant: TenantId, list: &[Closing]) -> Result<(), StoreError> {
    for chunk in list.chunks(ROWS) {
        let values = vec!["(?, ?, ?)"; chunk.len()].join(", ");
        let binds = || {
            chunk.iter().flat_map(|one| {
                [
                    Bind::from(one.enrollment),
                    one.n.into(),
                    one.completion.into(),
                ]
            })
        };
        let once = chunk.len() != 1 && chunk.len() != ROWS;
        db.execute(
            Stmt::new(format!(
                "WITH v (enrollment_id, n, completion_id) AS (VALUES {values}) \
                 UPDATE enrollment_cycles SET progress_pct = 100, completed_at = (SELECT c.completed_at FROM v \
                 JOIN completions c ON c.tenant_id = enrollment_cycles.tenant_id AND c.id = v.completion_id \
                 WHERE v.enrollment_id = enrollment_cycles.enrollment_id) \
                 WHERE tenant_id = ? AND completed_at IS NULL AND (enrollment_id, n) IN (SELECT v.enrollment_id, v.n FROM v)"
            ))
            .once(once)
            .binds(binds())
            .bind(tenant),
        )?;
        db.execute(
            Stmt::new(format!(
                "WITH v (enrollment_id, n, completion_id) AS (VALUES {values}) \
                 UPDATE completions SET cycle_n = (SELECT v.n FROM v WHERE v.completion_id = completions.id) \
                 WHERE tenant_id = ? AND id IN (SELECT v.completion_id FROM v)"
            ))
            .once(once)
            .binds(binds())
            .bind(tenant),
        )?;
    }
    Ok(())
}

/// What a completed cycle meant to one obligation.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub reason: ReasonId,
    pub cycle_n: i64,
    pub completion: CompletionId,
    pub due: Option<NaiveDate>,
    pub on_time: bool,
}

/// Freezes outcomes.
pub fn insert_outcomes(
    db: &mut Db,
    tenant: TenantId,
    list: &[Outcome],
    at: Instant,
) -> Result<(), StoreError> {
    for chunk in list.chunks(ROWS) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO reason_outcomes (tenant_id, reason_id, cycle_n, completion_id, due_frozen, on_time, recorded_at) VALUES {} \
             ON CONFLICT (tenant_id, reason_id, cycle_n) DO NOTHING",
            vec!["(?, ?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ")
        ))
        .once(chunk.len() != 1 && chunk.len() != ROWS);
        for one in chunk {
            stmt = stmt
                .bind(tenant)
                .bind(one.reason)
                .bind(one.cycle_n)
                .bind(one.completion)
                .bind(one.due.map(|due| due.to_string()))
                .bind(one.on_time)
                .bind(at);
        }
        db.execute(stmt)?;
    }
    Ok(())
}

/// A frozen outcome as views show it.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct OutcomeRow {
    #[diesel(sql_type = SqlId)]
    pub reason_id: ReasonId,
    #[diesel(sql_type = BigInt)]
    pub cycle_n: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub due_frozen: Option<String>,
    #[diesel(sql_type = Bool)]
    pub on_time: bool,
}

/// The outcomes of these reasons.
pub fn outcomes(
    db: &mut Db,
    tenant: TenantId,
    reasons: &[ReasonId],
) -> Result<Vec<OutcomeRow>, StoreError> {
    let mut rows = Vec::new();
    for chunk in reasons.chunks(super::memberships::CHUNK) {
        let ids = padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT reason_id, cycle_n, due_frozen, on_time FROM reason_outcomes \
             WHERE tenant_id = ? AND reason_id IN ({}) ORDER BY reason_id, cycle_n",
            marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        rows.extend(db.load::<OutcomeRow>(stmt)?);
    }
    Ok(rows)
}

/// The enrollments of a learner, or the one in a course, whose last cycle is closed though every completion is void: they are to
/// be done again, whether or not anything obliges to them.
pub fn undone(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    course: Option<CourseId>,
    at: Instant,
) -> Result<Vec<Opening>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Undone {
        #[diesel(sql_type = SqlId)]
        id: EnrollmentId,
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let completions = "FROM completions c WHERE c.tenant_id = e.tenant_id AND c.learner_id = e.learner_id AND c.course_id = e.course_id";
    let mut stmt = Stmt::new(format!(
        "SELECT e.id, max(y.n) AS n FROM enrollments e \
         JOIN enrollment_cycles y ON y.tenant_id = e.tenant_id AND y.enrollment_id = e.id \
         WHERE e.tenant_id = ? AND e.learner_id = ?{} AND EXISTS (SELECT 1 {completions}) \
         AND NOT EXISTS (SELECT 1 {completions} AND c.voided_at IS NULL) \
         GROUP BY e.id HAVING count(*) = count(y.completed_at)",
        if course.is_some() {
            " AND e.course_id = ?"
        } else {
            ""
        }
    ))
    .bind(tenant)
    .bind(learner);
    if let Some(course) = course {
        stmt = stmt.bind(course);
    }
    let rows: Vec<Undone> = db.load(stmt)?;
    let opening = |row: Undone| Opening {
        enrollment: row.id,
        n: row.n + 1,
        at,
    };
    Ok(rows.into_iter().map(opening).collect())
}

/// A cycle to open.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    pub enrollment: EnrollmentId,
    pub n: i64,
    pub at: Instant,
}

/// Opens cycles, each with its event; a cycle that is there already stays as it is. Returns how many were opened.
pub fn open_cycles(
    db: &mut Db,
    tenant: TenantId,
    list: &[Opening],
    opened_by: &'static str,
    by: &By,
) -> Result<i64, StoreError> {
    let mut opened = 0;
    let new_id = db.dialect().new_id;
    for chunk in list.chunks(ROWS) {
        let once = chunk.len() != 1 && chunk.len() != ROWS;
        let mut stmt = Stmt::new(format!(
            "INSERT INTO enrollment_cycles (tenant_id, enrollment_id, n, opened_at, opened_by, progress_pct) VALUES {} \
             ON CONFLICT (tenant_id, enrollment_id, n) DO NOTHING",
            vec!["(?, ?, ?, ?, ?, 0)"; chunk.len()].join(", ")
        ))
        .once(once);
        for one in chunk {
            stmt = stmt
                .bind(tenant)
                .bind(one.enrollment)
                .bind(one.n)
                .bind(one.at)
                .bind(opened_by);
        }
        opened += db.execute(stmt)?;
        let ids: Vec<EnrollmentId> = chunk.iter().map(|one| one.enrollment).collect();
        let ids = padded(&ids);
        db.execute(
            Stmt::new(format!(
                "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) \
                 SELECT e.tenant_id, {new_id}, ?, ?, ?, 'enrollment', e.id, 'enrollment.cycle_opened', '{{}}' \
                 FROM enrollments e WHERE e.tenant_id = ? AND e.id IN ({})",
                marks(ids.len())
            ))
            .bind(by.at)
            .bind(by.actor.as_str())
            .bind(by.request)
            .bind(tenant)
            .binds(ids),
        )?;
    }
    Ok(i64::try_from(opened).unwrap_or(i64::MAX))
}

/// Learners with an obligation whose renewal window may have opened while no cycle is open: what the hourly job judges.
/// A month has at least 28 days, so the bound below is never too late.
pub fn renewal_candidates(
    db: &mut Db,
    tenant: TenantId,
    window_days: i64,
    now: Instant,
    after: Option<(LearnerId, CourseId)>,
    limit: i64,
) -> Result<Vec<(LearnerId, CourseId)>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Pair {
        #[diesel(sql_type = SqlId)]
        learner_id: LearnerId,
        #[diesel(sql_type = SqlId)]
        course_id: CourseId,
    }
    let page = if after.is_some() {
        " AND (r.learner_id, r.course_id) > (?, ?)"
    } else {
        ""
    };
    let mut stmt = Stmt::new(format!(
        "SELECT DISTINCT r.learner_id, r.course_id FROM enrollment_reasons r \
         JOIN assignments a ON a.tenant_id = r.tenant_id AND a.id = r.assignment_id \
         JOIN enrollments e ON e.tenant_id = r.tenant_id AND e.learner_id = r.learner_id AND e.course_id = r.course_id \
         JOIN enrollment_cycles y ON y.tenant_id = e.tenant_id AND y.enrollment_id = e.id \
         AND y.n = (SELECT max(z.n) FROM enrollment_cycles z WHERE z.tenant_id = e.tenant_id AND z.enrollment_id = e.id) \
         WHERE r.tenant_id = ? AND r.kind = 'group' AND r.ended_at IS NULL AND y.completed_at IS NOT NULL \
         AND EXISTS (SELECT 1 FROM assignment_versions v WHERE v.tenant_id = r.tenant_id AND v.assignment_id = r.assignment_id \
             AND v.recert_months IS NOT NULL \
             AND y.completed_at + (CASE WHEN v.recert_months * 14 > v.recert_months * 28 - ? THEN v.recert_months * 14 \
                 ELSE v.recert_months * 28 - ? END - 2) * 86400000 <= ?){page} \
         ORDER BY r.learner_id, r.course_id LIMIT ?"
    ))
    .bind(tenant)
    .bind(window_days)
    .bind(window_days)
    .bind(now);
    if let Some((learner, course)) = after {
        stmt = stmt.bind(learner).bind(course);
    }
    Ok(db
        .load::<Pair>(stmt.bind(limit))?
        .into_iter()
        .map(|row| (row.learner_id, row.course_id))
        .collect())
}

/// Notes progress in the open cycle, which begins with it; `false` when no cycle is open.
pub fn progress(
    db: &mut Db,
    tenant: TenantId,
    enrollment: EnrollmentId,
    n: i64,
    percent: i64,
    at: Instant,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE enrollment_cycles SET progress_pct = ?, started_at = COALESCE(started_at, ?) \
             WHERE tenant_id = ? AND enrollment_id = ? AND n = ? AND completed_at IS NULL",
        )
        .bind(percent)
        .bind(at)
        .bind(tenant)
        .bind(enrollment)
        .bind(n),
    )?;
    Ok(changed == 1)
}
