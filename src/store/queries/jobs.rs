//! Jobs: work that outlives its request, claimed with a lease, written on step by step.

use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::{AssignmentId, GroupId, JobId, LearnerId, MembershipId, RequestId, TenantId};
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::enroll::EnrollScope;
use super::events::By;

/// One job.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct JobRow {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    tenant: i64,
    #[diesel(sql_type = SqlId)]
    pub id: JobId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub kind: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub state: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub permission: String,
    /// What is to be done, as JSON.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub spec: String,
    /// Where the next step begins, as JSON.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub place: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub done: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub total: Option<i64>,
    /// What it did so far, as JSON.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub result: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub error: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub actor: String,
    #[diesel(sql_type = SqlId)]
    pub request_id: RequestId,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: Instant,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub modified_at: Instant,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    expires: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    leased: Option<i64>,
}

impl JobRow {
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        TenantId(self.tenant)
    }

    /// When it is forgotten.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        self.expires.map(Instant)
    }

    /// Whether somebody works on it.
    #[must_use]
    pub fn is_leased(&self, now: Instant) -> bool {
        self.leased.is_some_and(|until| until > now.0)
    }

    /// Who asked for it, as if all of it had been written at once.
    #[must_use]
    pub fn by(&self) -> By {
        By {
            actor: self.actor.clone(),
            request: self.request_id,
            at: self.created_at,
        }
    }
}

const COLUMNS: &str = "CAST(j.tenant_id AS BIGINT) AS tenant, j.id, j.kind, j.state, j.permission, j.spec, j.place, j.done, j.total, \
     j.result, j.error, j.actor, j.request_id, j.created_at, j.modified_at, j.expires_at AS expires, j.leased_until AS leased";

/// A job before it is stored.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    pub id: JobId,
    pub kind: &'a str,
    pub state: &'a str,
    pub permission: &'a str,
    /// What it is about.
    pub subject: Option<Uuid>,
    pub spec: String,
    pub place: String,
    pub total: Option<i64>,
    pub expires_at: Option<Instant>,
}

/// Stores a job.
pub fn insert(db: &mut Db, tenant: TenantId, new: &NewJob<'_>, by: &By) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "INSERT INTO jobs (tenant_id, id, kind, state, permission, subject_id, spec, place, done, total, result, actor, request_id, \
             created_at, modified_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, '{}', ?, ?, ?, ?, ?)",
        )
        .bind(tenant)
        .bind(new.id)
        .bind(new.kind)
        .bind(new.state)
        .bind(new.permission)
        .bind(new.subject)
        .bind(new.spec.as_str())
        .bind(new.place.as_str())
        .bind(new.total)
        .bind(by.actor.as_str())
        .bind(by.request)
        .bind(by.at)
        .bind(by.at)
        .bind(new.expires_at),
    )
    .map(drop)
}

/// The waiting job of a kind about a thing.
pub fn waiting_for(
    db: &mut Db,
    tenant: TenantId,
    kind: &str,
    subject: Uuid,
) -> Result<Option<JobRow>, StoreError> {
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM jobs j WHERE j.tenant_id = ? AND j.subject_id = ? AND j.state = 'waiting' AND j.kind = ? \
             ORDER BY j.id DESC LIMIT 1"
        ))
        .bind(tenant)
        .bind(subject)
        .bind(kind),
    )
}

/// One job of a tenant.
pub fn find(db: &mut Db, tenant: TenantId, id: JobId) -> Result<Option<JobRow>, StoreError> {
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM jobs j WHERE j.tenant_id = ? AND j.id = ?"
        ))
        .bind(tenant)
        .bind(id),
    )
}

/// One job, locked until the transaction ends.
pub fn find_for_update(
    db: &mut Db,
    tenant: TenantId,
    id: JobId,
) -> Result<Option<JobRow>, StoreError> {
    let lock = db.dialect().for_update;
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM jobs j WHERE j.tenant_id = ? AND j.id = ? {lock}"
        ))
        .bind(tenant)
        .bind(id),
    )
}

/// A page of the jobs that need one of these permissions, newest first.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    kind: Option<&'static str>,
    permissions: &[&'static str],
    paging: &Paging,
) -> Result<Found<JobRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM jobs j WHERE j.tenant_id = ?");
    let mut list = Listing::of(sql, vec![tenant.into()]);
    list.and_some("j.kind = ?", kind);
    list.one_of("j.permission", permissions);
    list.find(db, Order::id("j.id").down(true), paging)
}

/// The oldest waiting job that nobody else works on, locked when it is to be taken.
pub fn next(
    db: &mut Db,
    owner: Uuid,
    now: Instant,
    take: bool,
) -> Result<Option<JobRow>, StoreError> {
    let lock = if take { db.dialect().skip_locked } else { "" };
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM jobs j WHERE j.state = 'waiting' \
             AND (j.leased_until IS NULL OR j.leased_until < ? OR j.leased_by = ?) ORDER BY j.created_at, j.tenant_id, j.id LIMIT 1 {lock}"
        ))
        .bind(now)
        .bind(owner),
    )
}

/// Takes or keeps the lease of a job; `false` when somebody else has it.
pub fn lease(
    db: &mut Db,
    tenant: TenantId,
    id: JobId,
    owner: Uuid,
    now: Instant,
    until: Instant,
) -> Result<bool, StoreError> {
    let leased = db.execute(
        Stmt::new(
            "UPDATE jobs SET leased_by = ?, leased_until = ? WHERE tenant_id = ? AND id = ? \
             AND (leased_until IS NULL OR leased_until < ? OR leased_by = ?)",
        )
        .bind(owner)
        .bind(until)
        .bind(tenant)
        .bind(id)
        .bind(now)
        .bind(owner),
    )?;
    Ok(leased == 1)
}

/// Writes state, place, progress and result. A job that is no longer waiting gives its lease back.
pub fn save(db: &mut Db, job: &JobRow, now: Instant) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "UPDATE jobs SET state = ?, spec = ?, place = ?, done = ?, total = ?, result = ?, error = ?, modified_at = ?, expires_at = ?, \
             leased_by = CASE WHEN ? = 'waiting' THEN leased_by END, leased_until = CASE WHEN ? = 'waiting' THEN leased_until END \
             WHERE tenant_id = ? AND id = ?",
        )
        .bind(job.state.as_str())
        .bind(job.spec.as_str())
        .bind(job.place.as_str())
        .bind(job.done)
        .bind(job.total)
        .bind(job.result.as_str())
        .bind(job.error.as_deref())
        .bind(now)
        .bind(job.expires)
        .bind(job.state.as_str())
        .bind(job.state.as_str())
        .bind(job.tenant())
        .bind(job.id),
    )
    .map(drop)
}

impl JobRow {
    /// Sets when it is forgotten; [`save`] writes it.
    pub fn expire(&mut self, at: Option<Instant>) {
        self.expires = at.map(|at| at.0);
    }
}

#[derive(diesel::QueryableByName)]
struct OneLearner {
    #[diesel(sql_type = SqlId)]
    id: LearnerId,
}

#[derive(diesel::QueryableByName)]
struct OnePeriod {
    #[diesel(sql_type = SqlId)]
    id: MembershipId,
}

/// An assignment and its group.
#[derive(Clone, Copy, Debug, diesel::QueryableByName)]
pub struct Assigned {
    #[diesel(sql_type = SqlId)]
    pub id: AssignmentId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
}

/// The first live assignment within a scope, from an id on.
pub fn next_assignment(
    db: &mut Db,
    tenant: TenantId,
    scope: &EnrollScope,
    from: AssignmentId,
) -> Result<Option<Assigned>, StoreError> {
    let (condition, binds): (String, Vec<Bind>) = match scope {
        EnrollScope::Group(id) => (" AND a.group_id = ?".to_owned(), vec![(*id).into()]),
        EnrollScope::Course(id) => (" AND a.course_id = ?".to_owned(), vec![(*id).into()]),
        EnrollScope::Assignment(id) => (" AND a.id = ?".to_owned(), vec![(*id).into()]),
        EnrollScope::Assignments(ids) => {
            let ids = super::memberships::padded(ids);
            (format!(" AND a.id IN ({})", marks(ids.len())), ids)
        }
        _ => (String::new(), Vec::new()),
    };
    db.optional(
        Stmt::new(format!(
            "SELECT a.id, a.group_id FROM assignments a WHERE a.tenant_id = ? AND a.ended_at IS NULL AND a.id >= ?{condition} \
             ORDER BY a.id LIMIT 1"
        ))
        .bind(tenant)
        .bind(from)
        .binds(binds),
    )
}

/// The learner who is `count` live memberships of a group behind `after`; `None` when there are not so many.
pub fn member_after(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    after: LearnerId,
    count: i64,
) -> Result<Option<LearnerId>, StoreError> {
    let found: Option<OneLearner> = db.optional(
        Stmt::new(
            "SELECT m.learner_id AS id FROM memberships m WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL \
             AND m.learner_id > ? ORDER BY m.learner_id LIMIT 1 OFFSET ?",
        )
        .bind(tenant)
        .bind(group)
        .bind(after)
        .bind(count - 1),
    )?;
    Ok(found.map(|one| one.id))
}

/// How many live members of a group stand behind a learner.
pub fn members_after(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    after: LearnerId,
) -> Result<i64, StoreError> {
    db.number(
        Stmt::new(
            "SELECT count(*) AS n FROM memberships m WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL AND m.learner_id > ?",
        )
        .bind(tenant)
        .bind(group)
        .bind(after),
    )
}

/// Some live memberships of a group.
pub fn some_members(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    limit: i64,
) -> Result<Vec<MembershipId>, StoreError> {
    let rows: Vec<OnePeriod> = db.load(
        Stmt::new(
            "SELECT m.id FROM memberships m WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL ORDER BY m.learner_id LIMIT ?",
        )
        .bind(tenant)
        .bind(group)
        .bind(limit),
    )?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Ends some live reasons of an assignment that has ended; returns how many.
pub fn end_some_reasons(
    db: &mut Db,
    tenant: TenantId,
    assignment: AssignmentId,
    cause: &str,
    at: Instant,
    limit: i64,
) -> Result<i64, StoreError> {
    let latest = db.dialect().latest;
    let ended = db.execute(
        Stmt::new(format!(
            "UPDATE enrollment_reasons SET ended_at = {latest}(?, recorded_at), end_cause = ? WHERE tenant_id = ? AND id IN \
             (SELECT r.id FROM enrollment_reasons r WHERE r.tenant_id = ? AND r.assignment_id = ? AND r.ended_at IS NULL LIMIT ?)",
        ))
        .bind(at)
        .bind(cause)
        .bind(tenant)
        .bind(tenant)
        .bind(assignment)
        .bind(limit),
    )?;
    Ok(i64::try_from(ended).unwrap_or(i64::MAX))
}

/// Whether an assignment has more live reasons than this.
pub fn more_reasons_than(
    db: &mut Db,
    tenant: TenantId,
    assignment: AssignmentId,
    limit: i64,
) -> Result<bool, StoreError> {
    let counted = db.number(
        Stmt::new(
            "SELECT count(*) AS n FROM (SELECT 1 AS one FROM enrollment_reasons r WHERE r.tenant_id = ? AND r.assignment_id = ? \
             AND r.ended_at IS NULL LIMIT ?) s",
        )
        .bind(tenant)
        .bind(assignment)
        .bind(limit + 1),
    )?;
    Ok(counted > limit)
}

/// Jobs that are to be forgotten, imports with their rows first.
pub fn expired(db: &mut Db, now: Instant) -> Result<Option<JobRow>, StoreError> {
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM jobs j WHERE j.expires_at IS NOT NULL AND j.expires_at <= ? ORDER BY j.expires_at LIMIT 1"
        ))
        .bind(now),
    )
}

/// Forgets a job.
pub fn delete(db: &mut Db, tenant: TenantId, id: JobId) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("DELETE FROM jobs WHERE tenant_id = ? AND id = ?")
            .bind(tenant)
            .bind(id),
    )
    .map(drop)
}
