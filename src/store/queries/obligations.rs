//! Everything the status of obligations depends on, read as sets: reasons, terms, completions, exceptions, absences.
//!
//! One statement per table for a group, a learner, a course, a page of learners; never one per person. What they come
//! to is computed by `learning::obligation`. Not here: writing any of it.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{
    AssignmentId, CompletionId, CourseId, EnrollmentId, ExceptionId, GroupId, LearnerId, ReasonId,
    TenantId,
};
use crate::learning::assignment::{Due, Options};
use crate::learning::learner::Facts;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::memberships::facts;

/// Whose obligations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Narrow {
    Group(GroupId),
    /// These groups', at most a page of them.
    Groups(Vec<GroupId>),
    Learner(LearnerId),
    Assignment(AssignmentId),
    Course(CourseId),
    /// These enrollments, at most a few hundred.
    Pairs(Vec<(LearnerId, CourseId)>),
    /// These learners', at most a page of them.
    People(Vec<LearnerId>),
    /// The learners after one id and up to another: a page of the tenant.
    Learners(Option<LearnerId>, LearnerId),
}

/// At which instant, and by whose knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    pub at: Instant,
    /// What was recorded later is left out.
    pub known_then: bool,
    /// The instant lies before the present: what has ended since counts.
    pub past: bool,
}

impl AsOf {
    /// The present.
    #[must_use]
    pub const fn present(now: Instant) -> Self {
        Self {
            at: now,
            known_then: false,
            past: false,
        }
    }
}

impl Narrow {
    /// The condition on reasons `r`, to be appended, and its binds.
    fn condition(&self, tenant: TenantId) -> (String, Vec<Bind<'_>>) {
        match self {
            Self::Group(id) => (" AND r.group_id = ?".to_owned(), vec![(*id).into()]),
            Self::Groups(groups) => {
                let ids = super::memberships::padded(groups);
                (format!(" AND r.group_id IN ({})", marks(ids.len())), ids)
            }
            Self::Learner(id) => (" AND r.learner_id = ?".to_owned(), vec![(*id).into()]),
            Self::Assignment(id) => (" AND r.assignment_id = ?".to_owned(), vec![(*id).into()]),
            Self::Course(id) => (
                " AND r.assignment_id IN (SELECT a.id FROM assignments a WHERE a.tenant_id = ? AND a.course_id = ? AND a.ended_at IS NULL)"
                    .to_owned(),
                vec![tenant.into(), (*id).into()],
            ),
            Self::Pairs(pairs) => (
                format!(" AND (r.learner_id, r.course_id) IN (VALUES {})", vec!["(?, ?)"; pairs.len()].join(", ")),
                pairs.iter().flat_map(|(learner, course)| [Bind::from(*learner), Bind::from(*course)]).collect(),
            ),
            Self::People(learners) => {
                let ids = super::memberships::padded(learners);
                (format!(" AND r.learner_id IN ({})", marks(ids.len())), ids)
            }
            Self::Learners(None, upto) => (" AND r.learner_id <= ?".to_owned(), vec![(*upto).into()]),
            Self::Learners(Some(after), upto) => {
                (" AND r.learner_id > ? AND r.learner_id <= ?".to_owned(), vec![(*after).into(), (*upto).into()])
            }
        }
    }

    /// The obligations in force: present ones, and those that have ended since the instant.
    fn reasons(&self, tenant: TenantId, as_of: AsOf) -> Vec<(String, Vec<Bind<'_>>)> {
        let (condition, binds) = self.condition(tenant);
        let mut live = vec![Bind::from(tenant), as_of.at.into()];
        live.extend(binds.iter().cloned());
        let mut texts = vec![(
            format!(
                "r.tenant_id = ? AND r.kind = 'group' AND r.ended_at IS NULL AND r.recorded_at <= ?{condition}"
            ),
            live,
        )];
        if as_of.past {
            let mut ended = vec![Bind::from(tenant), as_of.at.into(), as_of.at.into()];
            ended.extend(binds);
            texts.push((
                format!(
                    "r.tenant_id = ? AND r.kind = 'group' AND r.ended_at IS NOT NULL AND r.ended_at > ? AND r.recorded_at <= ?{condition}"
                ),
                ended,
            ));
        }
        texts
    }

    /// The pairs of learner and course in question, each once, as a table to join.
    fn pairs(&self, tenant: TenantId, as_of: AsOf) -> (String, Vec<Bind<'_>>) {
        let mut sql = Vec::new();
        let mut binds = Vec::new();
        for (condition, more) in self.reasons(tenant, as_of) {
            sql.push(format!(
                "SELECT r.learner_id, r.course_id FROM enrollment_reasons r WHERE {condition}"
            ));
            binds.extend(more);
        }
        (
            format!(
                "(SELECT DISTINCT learner_id, course_id FROM ({}) d) p",
                sql.join(" UNION ALL ")
            ),
            binds,
        )
    }
}

/// One obligation with its learner's present facts and the newest cycle of its enrollment.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct ObligationRow {
    #[diesel(sql_type = SqlId)]
    pub reason_id: ReasonId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = SqlId)]
    pub assignment_id: AssignmentId,
    #[diesel(sql_type = BigInt)]
    pub required_since: i64,
    #[diesel(sql_type = BigInt)]
    pub recorded_at: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub due_floor: Option<String>,
    #[diesel(sql_type = SqlId)]
    pub enrollment_id: EnrollmentId,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cycle_n: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cycle_opened_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cycle_started_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cycle_completed_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub progress_pct: Option<i64>,
    #[diesel(sql_type = Text)]
    registration: String,
    #[diesel(sql_type = Text)]
    approval: String,
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Bool)]
    suspended: bool,
    #[diesel(sql_type = Bool)]
    deleted: bool,
}

impl ObligationRow {
    /// The learner's facts at present.
    #[must_use]
    pub fn facts(&self) -> Facts {
        facts(
            &self.registration,
            &self.approval,
            self.active,
            self.suspended,
            self.deleted,
        )
    }

    /// Whether a cycle was open at an instant.
    #[must_use]
    pub fn is_open(&self, at: Instant) -> bool {
        self.cycle_n.is_some() && self.cycle_completed_at.is_none_or(|done| done > at.0)
    }
}

/// The obligations in force, in no order.
pub fn obligations(
    db: &mut Db,
    tenant: TenantId,
    narrow: &Narrow,
    as_of: AsOf,
) -> Result<Vec<ObligationRow>, StoreError> {
    let mut rows = Vec::new();
    for (condition, binds) in narrow.reasons(tenant, as_of) {
        let stmt = Stmt::new(format!(
            "SELECT r.id AS reason_id, r.learner_id, r.course_id, r.group_id, r.assignment_id, r.required_since, r.recorded_at, r.due_floor, \
             e.id AS enrollment_id, y.n AS cycle_n, y.opened_at AS cycle_opened_at, y.started_at AS cycle_started_at, \
             y.completed_at AS cycle_completed_at, y.progress_pct, \
             l.registration, l.approval, l.active, l.suspended, (l.deleted_at IS NOT NULL) AS deleted \
             FROM enrollment_reasons r \
             JOIN enrollments e ON e.tenant_id = r.tenant_id AND e.learner_id = r.learner_id AND e.course_id = r.course_id \
             JOIN learners l ON l.tenant_id = r.tenant_id AND l.id = r.learner_id \
             LEFT JOIN enrollment_cycles y ON y.tenant_id = e.tenant_id AND y.enrollment_id = e.id \
             AND y.n = (SELECT max(z.n) FROM enrollment_cycles z WHERE z.tenant_id = e.tenant_id AND z.enrollment_id = e.id AND z.opened_at <= ?) \
             WHERE {condition}"
        ))
        .once(matches!(narrow, Narrow::Pairs(_)))
        .bind(as_of.at)
        .binds(binds);
        rows.extend(db.load::<ObligationRow>(stmt)?);
    }
    Ok(rows)
}

/// Options of an assignment from an instant on.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct VersionRow {
    #[diesel(sql_type = SqlId)]
    pub assignment_id: AssignmentId,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = BigInt)]
    pub valid_from: i64,
    #[diesel(sql_type = Bool)]
    pub future_only: bool,
    #[diesel(sql_type = Text)]
    pub changed_by: String,
    #[diesel(sql_type = Bool)]
    pub mandatory: bool,
    #[diesel(sql_type = Nullable<Text>)]
    due_date: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    due_days: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    recert_months: Option<i64>,
}

impl VersionRow {
    /// The options of this version.
    #[must_use]
    pub fn options(&self) -> Options {
        let due = Due::from_columns(self.due_date.as_deref(), self.due_days);
        Options::stored(self.mandatory, due, self.recert_months)
    }
}

/// The versions of these assignments, live or ended, oldest first.
pub fn versions(
    db: &mut Db,
    tenant: TenantId,
    assignments: &[AssignmentId],
) -> Result<Vec<VersionRow>, StoreError> {
    let mut rows = Vec::new();
    for chunk in assignments.chunks(super::memberships::CHUNK) {
        let ids = super::memberships::padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT assignment_id, version, valid_from, future_only, changed_by, mandatory, due_date, due_days, recert_months \
             FROM assignment_versions WHERE tenant_id = ? AND assignment_id IN ({}) ORDER BY assignment_id, version",
            marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        rows.extend(db.load::<VersionRow>(stmt)?);
    }
    Ok(rows)
}

/// A completion as far as a status depends on it.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct CompletedRow {
    #[diesel(sql_type = SqlId)]
    pub id: CompletionId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = BigInt)]
    pub completed_at: i64,
}

/// What of a table is in force at an instant: `recorded` and `ended` are its columns.
fn in_force(as_of: AsOf, recorded: &str, ended: &str) -> (String, Vec<Bind<'static>>) {
    if as_of.known_then {
        (
            format!("x.{recorded} <= ? AND (x.{ended} IS NULL OR x.{ended} > ?)"),
            vec![as_of.at.into(), as_of.at.into()],
        )
    } else {
        (format!("x.{ended} IS NULL"), Vec::new())
    }
}

/// The completions that count at an instant, oldest first.
pub fn completions(
    db: &mut Db,
    tenant: TenantId,
    narrow: &Narrow,
    as_of: AsOf,
) -> Result<Vec<CompletedRow>, StoreError> {
    let (pairs, binds) = narrow.pairs(tenant, as_of);
    let (known, more) = in_force(as_of, "recorded_at", "voided_at");
    db.load(
        Stmt::new(format!(
            "SELECT x.id, x.learner_id, x.course_id, x.completed_at FROM {pairs} CROSS JOIN completions x \
             WHERE x.tenant_id = ? AND x.learner_id = p.learner_id AND x.course_id = p.course_id AND x.completed_at <= ? AND {known} \
             ORDER BY x.completed_at, x.id"
        ))
        .once(matches!(narrow, Narrow::Pairs(_)))
        .binds(binds)
        .bind(tenant)
        .bind(as_of.at)
        .binds(more),
    )
}

/// An extension or a waiver.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct ExceptionRow {
    #[diesel(sql_type = SqlId)]
    pub id: ExceptionId,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub reason_id: Option<ReasonId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub until: Option<String>,
    #[diesel(sql_type = Text)]
    pub why: String,
    #[diesel(sql_type = BigInt)]
    pub granted_at: i64,
    #[diesel(sql_type = Text)]
    pub granted_by: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub revoked_at: Option<i64>,
}

/// The exceptions in force at an instant, oldest first.
pub fn exceptions(
    db: &mut Db,
    tenant: TenantId,
    narrow: &Narrow,
    as_of: AsOf,
) -> Result<Vec<ExceptionRow>, StoreError> {
    let (pairs, binds) = narrow.pairs(tenant, as_of);
    // What was granted later did not exist then, whoever asks.
    let (known, more) = in_force(
        AsOf {
            known_then: true,
            ..as_of
        },
        "granted_at",
        "revoked_at",
    );
    db.load(
        Stmt::new(format!(
            "SELECT x.id, x.kind, x.learner_id, x.course_id, x.reason_id, x.until, x.why, x.granted_at, x.granted_by, x.revoked_at \
             FROM {pairs} CROSS JOIN exceptions x \
             WHERE x.tenant_id = ? AND x.learner_id = p.learner_id AND x.course_id = p.course_id AND {known} \
             ORDER BY x.granted_at, x.id"
        ))
        .once(matches!(narrow, Narrow::Pairs(_)))
        .binds(binds)
        .bind(tenant)
        .binds(more),
    )
}

/// What the facts of a learner were until an instant.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct PeriodRow {
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = BigInt)]
    pub began_at: i64,
    #[diesel(sql_type = BigInt)]
    pub ended_at: i64,
    #[diesel(sql_type = Bool)]
    pub initial: bool,
    #[diesel(sql_type = Text)]
    registration: String,
    #[diesel(sql_type = Text)]
    approval: String,
    #[diesel(sql_type = Bool)]
    active: bool,
    #[diesel(sql_type = Bool)]
    suspended: bool,
    #[diesel(sql_type = Bool)]
    deleted: bool,
}

impl PeriodRow {
    /// The facts of that time.
    #[must_use]
    pub fn facts(&self) -> Facts {
        facts(
            &self.registration,
            &self.approval,
            self.active,
            self.suspended,
            self.deleted,
        )
    }
}

/// The periods of the learners in question, oldest first. The present needs only those in which somebody was away, and all
/// of who is away now.
pub fn periods(
    db: &mut Db,
    tenant: TenantId,
    narrow: &Narrow,
    as_of: AsOf,
) -> Result<Vec<PeriodRow>, StoreError> {
    let (pairs, binds) = narrow.pairs(tenant, as_of);
    let away = if as_of.past {
        ""
    } else {
        " AND (x.suspended OR NOT x.active OR EXISTS (SELECT 1 FROM learners l WHERE l.tenant_id = x.tenant_id \
         AND l.id = x.learner_id AND (l.suspended OR NOT l.active)))"
    };
    db.load(
        Stmt::new(format!(
            "SELECT x.learner_id, x.began_at, x.ended_at, x.initial, x.registration, x.approval, x.active, x.suspended, x.deleted \
             FROM (SELECT DISTINCT p.learner_id FROM {pairs}) q CROSS JOIN learner_periods x \
             WHERE x.tenant_id = ? AND x.learner_id = q.learner_id{away} ORDER BY x.learner_id, x.ended_at"
        ))
        .once(matches!(narrow, Narrow::Pairs(_)))
        .binds(binds)
        .bind(tenant),
    )
}

#[derive(diesel::QueryableByName)]
struct Last {
    #[diesel(sql_type = SqlId)]
    id: LearnerId,
}

/// Where a page of so many learners after one ends; `None` when nobody is left.
pub fn page_end(
    db: &mut Db,
    tenant: TenantId,
    after: Option<LearnerId>,
    learners: i64,
) -> Result<Option<LearnerId>, StoreError> {
    let page = if after.is_some() { " AND id > ?" } else { "" };
    let mut binds = vec![Bind::from(tenant)];
    binds.extend(after.map(Bind::from));
    let rows: Vec<Last> = db.load(
        Stmt::new(format!(
            "SELECT id FROM (SELECT id FROM learners WHERE tenant_id = ?{page} ORDER BY id LIMIT ?) d ORDER BY id DESC LIMIT 1"
        ))
        .binds(binds)
        .bind(learners),
    )?;
    Ok(rows.into_iter().next().map(|row| row.id))
}
