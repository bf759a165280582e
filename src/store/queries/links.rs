//! Links: two learners who are one person (§7.13, §8). Whose accounts went to whom, and what is carried over with them.
//!
//! Nothing of the past is rewritten: a period, a reason, an enrollment stay with the learner they were written for. What lasts
//! is ended there and begun anew with the other, by statements over sets.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{
    CompletionId, CourseId, LearnerId, LinkId, MembershipId, RequestId, TenantId, UserId,
};
use crate::learning::completion::CompletionSource;
use crate::store::statement::{Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::events::By;
use super::memberships::padded;

/// A link that holds.
#[derive(Clone, Debug, QueryableByName)]
pub struct LinkRow {
    #[diesel(sql_type = SqlId)]
    pub id: LinkId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub linked_id: LearnerId,
    /// The accounts that came with it, JSON.
    #[diesel(sql_type = Text)]
    accounts: String,
    #[diesel(sql_type = Text)]
    pub why: String,
    #[diesel(sql_type = BigInt)]
    pub linked_at: i64,
    #[diesel(sql_type = Text)]
    pub linked_by: String,
    #[diesel(sql_type = SqlId)]
    pub request_id: RequestId,
}

impl LinkRow {
    /// The accounts that came with it.
    #[must_use]
    pub fn accounts(&self) -> Vec<UserId> {
        serde_json::from_str(&self.accounts).unwrap_or_default()
    }
}

const LINK: &str = "SELECT k.id, k.learner_id, k.linked_id, k.accounts, k.why, k.linked_at, k.linked_by, k.request_id \
     FROM learner_links k WHERE k.tenant_id = ? AND k.ended_at IS NULL";

/// The link that gave a learner's accounts away.
pub fn of_linked(
    db: &mut Db,
    tenant: TenantId,
    linked: LearnerId,
) -> Result<Option<LinkRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{LINK} AND k.linked_id = ?"))
            .bind(tenant)
            .bind(linked),
    )
}

/// The links that gave a learner the accounts of others, oldest first.
pub fn of_learner(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Vec<LinkRow>, StoreError> {
    db.load(
        Stmt::new(format!("{LINK} AND k.learner_id = ? ORDER BY k.id"))
            .bind(tenant)
            .bind(learner),
    )
}

/// Writes a link.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    (id, learner, linked): (LinkId, LearnerId, LearnerId),
    accounts: &[UserId],
    why: &str,
    by: &By,
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "INSERT INTO learner_links (tenant_id, id, learner_id, linked_id, accounts, why, linked_at, linked_by, request_id) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(tenant)
        .bind(id)
        .bind(learner)
        .bind(linked)
        .bind(serde_json::to_string(accounts).unwrap_or_default())
        .bind(why)
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(by.request),
    )
    .map(drop)
}

/// Ends a link.
pub fn end(db: &mut Db, tenant: TenantId, id: LinkId, by: &By) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "UPDATE learner_links SET ended_at = ?, ended_by = ? WHERE tenant_id = ? AND id = ?",
        )
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(tenant)
        .bind(id),
    )
    .map(drop)
}

#[derive(QueryableByName)]
struct Account {
    #[diesel(sql_type = SqlId)]
    id: UserId,
}

/// Gives a learner's accounts, ended ones included, to another; returns them.
pub fn move_accounts(
    db: &mut Db,
    tenant: TenantId,
    from: LearnerId,
    to: LearnerId,
) -> Result<Vec<UserId>, StoreError> {
    let rows: Vec<Account> = db.load(
        Stmt::new(
            "UPDATE users SET learner_id = ? WHERE tenant_id = ? AND learner_id = ? RETURNING id",
        )
        .bind(to)
        .bind(tenant)
        .bind(from),
    )?;
    let mut ids: Vec<UserId> = rows.into_iter().map(|row| row.id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Gives these of a learner's accounts to another; returns those that were there.
pub fn return_accounts(
    db: &mut Db,
    tenant: TenantId,
    accounts: &[UserId],
    from: LearnerId,
    to: LearnerId,
) -> Result<Vec<UserId>, StoreError> {
    let mut moved = Vec::with_capacity(accounts.len());
    for chunk in accounts.chunks(super::memberships::CHUNK) {
        let ids = padded(chunk);
        let stmt = Stmt::new(format!(
            "UPDATE users SET learner_id = ? WHERE tenant_id = ? AND id IN ({}) AND learner_id = ? RETURNING id",
            marks(ids.len())
        ))
        .bind(to)
        .bind(tenant)
        .binds(ids)
        .bind(from);
        moved.extend(db.load::<Account>(stmt)?.into_iter().map(|row| row.id));
    }
    Ok(moved)
}

#[derive(QueryableByName)]
struct Period {
    #[diesel(sql_type = SqlId)]
    id: MembershipId,
}

const BEGIN: &str = "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, connection_id, added_by, added_at, request_id) \
     SELECT m.tenant_id,";
const BEGUN: &str =
    "ON CONFLICT (tenant_id, group_id, learner_id) WHERE ended_at IS NULL DO NOTHING RETURNING id";

/// Begins a period for one learner in every group that another is in through one of their accounts: written by whom the other's was.
pub fn begin_like(
    db: &mut Db,
    tenant: TenantId,
    from: LearnerId,
    to: LearnerId,
    accounts: Option<&[UserId]>,
    by: &By,
) -> Result<i64, StoreError> {
    let ids = accounts.map(padded);
    let only = ids.as_ref().map_or_else(String::new, |ids| {
        format!("AND m.user_id IN ({}) ", marks(ids.len()))
    });
    let stmt = Stmt::new(format!(
        "{BEGIN} {new_id}, m.group_id, ?, m.user_id, m.source, m.connection_id, m.added_by, ?, ? FROM memberships m \
         WHERE m.tenant_id = ? AND m.learner_id = ? AND m.ended_at IS NULL {only}{BEGUN}",
        new_id = db.dialect().new_id,
    ))
    .bind(to)
    .bind(by.at)
    .bind(by.request)
    .bind(tenant)
    .bind(from)
    .binds(ids.unwrap_or_default());
    let begun: Vec<Period> = db.load(stmt)?;
    Ok(i64::try_from(begun.len()).unwrap_or(i64::MAX))
}

/// Begins a period for a learner in every group that they left by a request and that another is in: where both had been.
pub fn begin_again(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    (request, other): (RequestId, LearnerId),
    by: &By,
) -> Result<i64, StoreError> {
    let stmt = Stmt::new(format!(
        "{BEGIN} {new_id}, m.group_id, m.learner_id, m.user_id, m.source, m.connection_id, m.added_by, ?, ? FROM memberships m \
         CROSS JOIN users u WHERE m.tenant_id = ? AND m.ended_request_id = ? AND m.learner_id = ? AND m.end_cause = 'linked' \
         AND u.tenant_id = m.tenant_id AND u.id = m.user_id AND u.learner_id = m.learner_id AND u.deleted_at IS NULL \
         AND EXISTS (SELECT 1 FROM memberships o WHERE o.tenant_id = m.tenant_id AND o.group_id = m.group_id AND o.learner_id = ? \
         AND o.ended_at IS NULL) {BEGUN}",
        new_id = db.dialect().new_id,
    ))
    .bind(by.at)
    .bind(by.request)
    .bind(tenant)
    .bind(request)
    .bind(learner)
    .bind(other);
    let begun: Vec<Period> = db.load(stmt)?;
    Ok(i64::try_from(begun.len()).unwrap_or(i64::MAX))
}

/// The live periods of a learner through these accounts.
pub fn through(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    accounts: &[UserId],
) -> Result<Vec<MembershipId>, StoreError> {
    let ids = padded(accounts);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Period> = db.load(
        Stmt::new(format!(
            "SELECT m.id FROM memberships m WHERE m.tenant_id = ? AND m.learner_id = ? AND m.ended_at IS NULL AND m.user_id IN ({})",
            marks(ids.len())
        ))
        .bind(tenant)
        .bind(learner)
        .binds(ids),
    )?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The reasons that a request wrote for one learner take over the clock of those it ended for another: the same assignment, the
/// same person.
pub fn carry_clocks(
    db: &mut Db,
    tenant: TenantId,
    from: LearnerId,
    to: LearnerId,
    request: RequestId,
) -> Result<(), StoreError> {
    let earlier = |column: &str| {
        format!(
            "(SELECT {column} FROM enrollment_reasons p JOIN memberships m ON m.tenant_id = p.tenant_id AND m.id = p.membership_id \
             WHERE p.tenant_id = enrollment_reasons.tenant_id AND p.learner_id = ? AND p.course_id = enrollment_reasons.course_id \
             AND (p.assignment_id = enrollment_reasons.assignment_id) IS TRUE AND p.end_cause <> 'withdrawn' AND m.ended_request_id = ?)"
        )
    };
    db.execute(
        Stmt::new(format!(
            "UPDATE enrollment_reasons SET required_since = {since}, due_floor = COALESCE(due_floor, {floor}) \
             WHERE tenant_id = ? AND learner_id = ? AND request_id = ? AND kind = 'group' AND required_since > {since}",
            since = earlier("min(p.required_since)"),
            floor = earlier("max(p.due_floor)"),
        ))
        .bind(from)
        .bind(request)
        .bind(from)
        .bind(request)
        .bind(tenant)
        .bind(to)
        .bind(request)
        .bind(from)
        .bind(request),
    )
    .map(drop)
}

/// Enrolls a learner where another is enrolled for a reason that is no group's, and copies the reason. Who was withdrawn stays so.
/// Returns how many enrollments were made.
pub fn copy_other_reasons(
    db: &mut Db,
    tenant: TenantId,
    from: LearnerId,
    to: LearnerId,
    by: &By,
) -> Result<i64, StoreError> {
    let new_id = db.dialect().new_id;
    let theirs = "FROM enrollment_reasons r JOIN enrollments o ON o.tenant_id = r.tenant_id AND o.learner_id = r.learner_id \
         AND o.course_id = r.course_id AND o.withdrawn_at IS NULL \
         WHERE r.tenant_id = ? AND r.learner_id = ? AND r.kind <> 'group' AND r.ended_at IS NULL";
    let made = db.execute(
        Stmt::new(format!(
            "INSERT INTO enrollments (tenant_id, id, learner_id, course_id, created_at) \
             SELECT s.tenant_id, {new_id}, ?, s.course_id, ? FROM (SELECT DISTINCT r.tenant_id, r.course_id {theirs}) s \
             WHERE true ON CONFLICT (tenant_id, learner_id, course_id) DO NOTHING"
        ))
        .bind(to)
        .bind(by.at)
        .bind(tenant)
        .bind(from),
    )?;
    let new = "FROM enrollments e WHERE e.tenant_id = ? AND e.learner_id = ? AND NOT EXISTS \
         (SELECT 1 FROM enrollment_cycles y WHERE y.tenant_id = e.tenant_id AND y.enrollment_id = e.id)";
    db.execute(
        Stmt::new(format!(
            "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) \
             SELECT e.tenant_id, {new_id}, ?, ?, ?, 'enrollment', e.id, 'enrollment.created', '{{}}' {new}"
        ))
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(by.request)
        .bind(tenant)
        .bind(to),
    )?;
    db.execute(
        Stmt::new(format!(
            "INSERT INTO enrollment_cycles (tenant_id, enrollment_id, n, opened_at, opened_by, progress_pct) \
             SELECT e.tenant_id, e.id, 1, ?, 'initial', 0 {new}"
        ))
        .bind(by.at)
        .bind(tenant)
        .bind(to),
    )?;
    db.execute(
        Stmt::new(format!(
            "INSERT INTO enrollment_reasons (tenant_id, id, learner_id, course_id, kind, required_since, recorded_at, request_id, \
             course_title, mandatory, actor) \
             SELECT s.tenant_id, {new_id}, ?, s.course_id, s.kind, s.required_since, ?, ?, s.course_title, s.mandatory, s.actor \
             FROM (SELECT r.tenant_id, r.course_id, r.kind, r.required_since, r.course_title, r.mandatory, r.actor {theirs}) s \
             WHERE EXISTS (SELECT 1 FROM enrollments e WHERE e.tenant_id = s.tenant_id AND e.learner_id = ? AND e.course_id = s.course_id \
             AND e.withdrawn_at IS NULL) AND NOT EXISTS (SELECT 1 FROM enrollment_reasons q WHERE q.tenant_id = s.tenant_id \
             AND q.learner_id = ? AND q.course_id = s.course_id AND q.kind = s.kind AND q.ended_at IS NULL)"
        ))
        .bind(to)
        .bind(by.at)
        .bind(by.request)
        .bind(tenant)
        .bind(from)
        .bind(to)
        .bind(to),
    )?;
    Ok(i64::try_from(made).unwrap_or(i64::MAX))
}

/// What was begun goes on: an open cycle of one learner is as far as the other's of the same course.
pub fn carry_progress(
    db: &mut Db,
    tenant: TenantId,
    from: LearnerId,
    to: LearnerId,
) -> Result<(), StoreError> {
    let latest = db.dialect().latest;
    db.execute(
        Stmt::new(format!(
            "UPDATE enrollment_cycles SET progress_pct = s.progress, started_at = s.started FROM \
             (SELECT ky.enrollment_id, ky.n, {latest}(ky.progress_pct, oy.progress_pct) AS progress, \
             CASE WHEN ky.started_at IS NULL OR oy.started_at < ky.started_at THEN oy.started_at ELSE ky.started_at END AS started \
             FROM enrollments o JOIN enrollment_cycles oy ON oy.tenant_id = o.tenant_id AND oy.enrollment_id = o.id \
             JOIN enrollments k ON k.tenant_id = o.tenant_id AND k.learner_id = ? AND k.course_id = o.course_id \
             JOIN enrollment_cycles ky ON ky.tenant_id = k.tenant_id AND ky.enrollment_id = k.id \
             WHERE o.tenant_id = ? AND o.learner_id = ? AND oy.completed_at IS NULL AND oy.started_at IS NOT NULL \
             AND ky.completed_at IS NULL) s \
             WHERE enrollment_cycles.tenant_id = ? AND enrollment_cycles.enrollment_id = s.enrollment_id AND enrollment_cycles.n = s.n"
        ))
        .bind(to)
        .bind(tenant)
        .bind(from)
        .bind(tenant),
    )
    .map(drop)
}

/// Grants one learner what is granted to another and not revoked; what was granted for one reason goes to the reason of the same
/// assignment, if there is one.
pub fn copy_exceptions(
    db: &mut Db,
    tenant: TenantId,
    from: LearnerId,
    to: LearnerId,
    by: &By,
) -> Result<(), StoreError> {
    let new_id = db.dialect().new_id;
    db.execute(
        Stmt::new(format!(
            "INSERT INTO exceptions (tenant_id, id, kind, learner_id, course_id, reason_id, until, why, granted_at, granted_by, request_id) \
             SELECT x.tenant_id, {new_id}, x.kind, ?, x.course_id, r.id, x.until, x.why, ?, x.granted_by, ? FROM exceptions x \
             LEFT JOIN enrollment_reasons p ON p.tenant_id = x.tenant_id AND p.id = x.reason_id \
             LEFT JOIN enrollment_reasons r ON r.tenant_id = x.tenant_id AND r.learner_id = ? AND r.course_id = x.course_id \
             AND r.ended_at IS NULL AND (r.assignment_id = p.assignment_id) IS TRUE \
             WHERE x.tenant_id = ? AND x.learner_id = ? AND x.revoked_at IS NULL AND (x.reason_id IS NULL OR r.id IS NOT NULL)"
        ))
        .bind(to)
        .bind(by.at)
        .bind(by.request)
        .bind(to)
        .bind(tenant)
        .bind(from),
    )
    .map(drop)
}

/// Revokes what a request granted a learner.
pub fn revoke_exceptions(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    request: RequestId,
    by: &By,
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "UPDATE exceptions SET revoked_at = ?, revoked_by = ? WHERE tenant_id = ? AND learner_id = ? AND request_id = ? \
             AND revoked_at IS NULL",
        )
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(tenant)
        .bind(learner)
        .bind(request),
    )
    .map(drop)
}

/// A completion that counts, to be recorded for somebody else.
#[derive(Clone, Debug, QueryableByName)]
pub struct Earned {
    #[diesel(sql_type = SqlId)]
    pub id: CompletionId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = BigInt)]
    completed_at: i64,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub source_ref: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub score: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub evidence_ref: Option<String>,
}

impl Earned {
    /// When.
    #[must_use]
    pub const fn completed_at(&self) -> Instant {
        Instant(self.completed_at)
    }

    /// Who says so.
    #[must_use]
    pub fn source(&self) -> Option<CompletionSource> {
        CompletionSource::parse(&self.source).ok()
    }
}

/// The completions of a learner that are not void.
pub fn earned(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Vec<Earned>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT c.id, c.course_id, c.completed_at, c.source, c.source_ref, c.score, c.evidence_ref FROM completions c \
             WHERE c.tenant_id = ? AND c.learner_id = ? AND c.voided_at IS NULL ORDER BY c.completed_at, c.id",
        )
        .bind(tenant)
        .bind(learner),
    )
}

/// Voids every completion of a learner, or those that a request recorded.
pub fn void(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    recorded_by: Option<RequestId>,
    why: &str,
    by: &By,
) -> Result<i64, StoreError> {
    let mut stmt = Stmt::new(format!(
        "UPDATE completions SET voided_at = ?, voided_by = ?, void_reason = ? WHERE tenant_id = ? AND learner_id = ? AND voided_at IS NULL{}",
        if recorded_by.is_some() { " AND request_id = ?" } else { "" }
    ))
    .bind(by.at)
    .bind(by.actor.as_str())
    .bind(why)
    .bind(tenant)
    .bind(learner);
    if let Some(request) = recorded_by {
        stmt = stmt.bind(request);
    }
    Ok(i64::try_from(db.execute(stmt)?).unwrap_or(i64::MAX))
}

/// Lets a learner's completions count again that were voided with these words.
pub fn restore(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
    why: &str,
) -> Result<i64, StoreError> {
    let restored = db.execute(
        Stmt::new(
            "UPDATE completions SET voided_at = NULL, voided_by = NULL, void_reason = NULL \
             WHERE tenant_id = ? AND learner_id = ? AND void_reason = ?",
        )
        .bind(tenant)
        .bind(learner)
        .bind(why),
    )?;
    Ok(i64::try_from(restored).unwrap_or(i64::MAX))
}
