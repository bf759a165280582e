//! Completions, written as sets (§2.8). Append-only: a correction voids.
//!
//! Not here: what a completion is worth (`learning::completion`) and which cycle it closes (`service::completions`).

use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{CompletionId, CourseId, LearnerId, TenantId};
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::enrollments::PairFilter;
use super::events::By;
use super::memberships::padded;

/// Rows per statement with many columns.
const ROWS: usize = 200;

/// A completion before it is stored.
#[derive(Clone, Debug)]
pub struct NewCompletion {
    pub id: CompletionId,
    pub learner: LearnerId,
    pub course: CourseId,
    pub completed_at: Instant,
    pub source: String,
    pub source_ref: Option<String>,
    /// Hundredths.
    pub score: Option<i64>,
    pub evidence_ref: Option<String>,
}

#[derive(diesel::QueryableByName)]
struct Inserted {
    #[diesel(sql_type = SqlId)]
    id: CompletionId,
}

/// Inserts completions; returns the ids of those that were not there by their source and its reference.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    list: &[NewCompletion],
    by: &By,
) -> Result<Vec<CompletionId>, StoreError> {
    let mut inserted = Vec::with_capacity(list.len());
    for chunk in list.chunks(ROWS) {
        let row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let mut stmt = Stmt::new(format!(
            "INSERT INTO completions (tenant_id, id, learner_id, course_id, completed_at, source, source_ref, score, evidence_ref, \
             recorded_at, recorded_by, request_id) VALUES {} \
             ON CONFLICT (tenant_id, learner_id, course_id, source, source_ref) WHERE source_ref IS NOT NULL DO NOTHING RETURNING id",
            vec![row; chunk.len()].join(", ")
        ))
        .once(chunk.len() != ROWS && chunk.len() != 1);
        for one in chunk {
            stmt = stmt
                .bind(tenant)
                .bind(one.id)
                .bind(one.learner)
                .bind(one.course)
                .bind(one.completed_at)
                .bind(one.source.as_str())
                .bind(one.source_ref.clone())
                .bind(one.score)
                .bind(one.evidence_ref.clone())
                .bind(by.at)
                .bind(by.actor.as_str())
                .bind(by.request);
        }
        inserted.extend(db.load::<Inserted>(stmt)?.into_iter().map(|row| row.id));
    }
    Ok(inserted)
}

/// What is on record of a learner's course already, voided completions included.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct OnRecord {
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = BigInt)]
    pub completed_at: i64,
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub source_ref: Option<String>,
}

/// The completions of these learners in these courses.
pub fn on_record(
    db: &mut Db,
    tenant: TenantId,
    pairs: &[(LearnerId, CourseId)],
) -> Result<Vec<OnRecord>, StoreError> {
    let mut rows = Vec::new();
    for chunk in pairs.chunks(ROWS) {
        let stmt = Stmt::new(format!(
            "SELECT c.learner_id, c.course_id, c.completed_at, c.source, c.source_ref FROM completions c \
             WHERE c.tenant_id = ? AND (c.learner_id, c.course_id) IN (VALUES {})",
            vec!["(?, ?)"; chunk.len()].join(", ")
        ))
        .once(chunk.len() != ROWS)
        .bind(tenant)
        .binds(chunk.iter().flat_map(|(learner, course)| [Bind::from(*learner), Bind::from(*course)]));
        rows.extend(db.load::<OnRecord>(stmt)?);
    }
    Ok(rows)
}

/// Makes what a completion needs around it: an enrollment, a reason for it and a cycle, where there is none (§7.23).
/// Returns how many enrollments were made.
pub fn ensure_enrollments(
    db: &mut Db,
    tenant: TenantId,
    completions: &[CompletionId],
    by: &By,
) -> Result<i64, StoreError> {
    let new_id = db.dialect().new_id;
    let mut made = 0;
    for chunk in completions.chunks(super::memberships::CHUNK) {
        let ids = padded(chunk);
        let within = format!("c.tenant_id = ? AND c.id IN ({})", marks(ids.len()));
        let bind = |stmt: Stmt<'static>| stmt.bind(tenant).binds(ids.iter().cloned());
        made += db.execute(bind(
            Stmt::new(format!(
                "INSERT INTO enrollments (tenant_id, id, learner_id, course_id, created_at) \
                 SELECT p.tenant_id, {new_id}, p.learner_id, p.course_id, ? \
                 FROM (SELECT DISTINCT c.tenant_id, c.learner_id, c.course_id FROM completions c WHERE {within}) p \
                 WHERE true ON CONFLICT (tenant_id, learner_id, course_id) DO NOTHING"
            ))
            .bind(by.at),
        ))?;
        let new = "FROM (SELECT c.tenant_id, c.learner_id, c.course_id, min(c.completed_at) AS at FROM completions c WHERE ";
        let group = " GROUP BY c.tenant_id, c.learner_id, c.course_id) p \
             JOIN enrollments e ON e.tenant_id = p.tenant_id AND e.learner_id = p.learner_id AND e.course_id = p.course_id";
        let no_cycle = "NOT EXISTS (SELECT 1 FROM enrollment_cycles y WHERE y.tenant_id = e.tenant_id AND y.enrollment_id = e.id)";
        db.execute(
            bind(
                Stmt::new(format!(
                    "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) \
                     SELECT e.tenant_id, {new_id}, ?, ?, ?, 'enrollment', e.id, 'enrollment.created', '{{}}' {new}{within}{group} WHERE {no_cycle}"
                ))
                .bind(by.at)
                .bind(by.actor.clone())
                .bind(by.request),
            ),
        )?;
        db.execute(
            bind(
                Stmt::new(format!(
                    "INSERT INTO enrollment_reasons (tenant_id, id, learner_id, course_id, kind, required_since, recorded_at, request_id, \
                     course_title, mandatory, actor) \
                     SELECT e.tenant_id, {new_id}, e.learner_id, e.course_id, 'import', p.at, ?, ?, k.title, ?, ? {new}{within}{group} \
                     JOIN courses k ON k.tenant_id = e.tenant_id AND k.id = e.course_id WHERE {no_cycle}"
                ))
                .bind(by.at)
                .bind(by.request)
                .bind(false)
                .bind(by.actor.clone()),
            ),
        )?;
        db.execute(bind(Stmt::new(format!(
            "INSERT INTO enrollment_cycles (tenant_id, enrollment_id, n, opened_at, opened_by, progress_pct) \
             SELECT e.tenant_id, e.id, 1, p.at, 'initial', 0 {new}{within}{group} WHERE {no_cycle}"
        ))))?;
    }
    Ok(i64::try_from(made).unwrap_or(i64::MAX))
}

/// One completion as people read it.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct CompletionRow {
    #[diesel(sql_type = SqlId)]
    pub id: CompletionId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = Text)]
    pub learner_name: String,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = Text)]
    pub course_title: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub cycle_n: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub completed_at: i64,
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub source_ref: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub score: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub evidence_ref: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub recorded_at: i64,
    #[diesel(sql_type = Text)]
    pub recorded_by: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub voided_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub voided_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub void_reason: Option<String>,
    /// The learner's last account has ended.
    #[diesel(sql_type = Bool)]
    pub former: bool,
}

/// The statement that reads completions as people see them, with more columns in front.
pub(super) fn select(more: &str) -> String {
    format!(
        "SELECT {more}c.id, c.learner_id, l.display_name AS learner_name, c.course_id, k.title AS course_title, c.cycle_n, \
         c.completed_at, c.source, c.source_ref, c.score, c.evidence_ref, c.recorded_at, c.recorded_by, c.voided_at, c.voided_by, \
         c.void_reason, (l.deleted_at IS NOT NULL) AS former FROM completions c \
         CROSS JOIN learners l CROSS JOIN courses k WHERE l.tenant_id = c.tenant_id AND l.id = c.learner_id \
         AND k.tenant_id = c.tenant_id AND k.id = c.course_id AND c.tenant_id = ?"
    )
}

/// Finds a completion.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    id: CompletionId,
) -> Result<Option<CompletionRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{} AND c.id = ?", select("")))
            .bind(tenant)
            .bind(id),
    )
}

/// One page of completions, in the order of their id.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    filter: PairFilter,
    updated_since: Option<Instant>,
    down: bool,
    paging: &Paging,
) -> Result<Found<CompletionRow>, StoreError> {
    let mut list = Listing::of(select(""), vec![tenant.into()])
        .counted_by("SELECT c.id FROM completions c WHERE c.tenant_id = ?");
    list.and_some("c.learner_id = ?", filter.learner);
    list.and_some("c.course_id = ?", filter.course);
    if let Some(since) = updated_since {
        list.and("(c.recorded_at >= ?", since);
        list.or("c.voided_at >= ?)", since);
    }
    list.find(db, Order::id("c.id").down(down), paging)
}

/// Voids a completion; `false` when it was void already.
pub fn void(
    db: &mut Db,
    tenant: TenantId,
    id: CompletionId,
    why: &str,
    by: &By,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE completions SET voided_at = ?, voided_by = ?, void_reason = ? WHERE tenant_id = ? AND id = ? AND voided_at IS NULL",
        )
        .bind(by.at)
        .bind(by.actor.as_str())
        .bind(why)
        .bind(tenant)
        .bind(id),
    )?;
    Ok(changed == 1)
}

/// One event per completion that was recorded.
pub fn recorded_events(
    db: &mut Db,
    tenant: TenantId,
    completions: &[CompletionId],
    by: &By,
) -> Result<(), StoreError> {
    let new_id = db.dialect().new_id;
    for chunk in completions.chunks(super::memberships::CHUNK) {
        let ids = padded(chunk);
        db.execute(
            Stmt::new(format!(
                "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) \
                 SELECT c.tenant_id, {new_id}, ?, ?, ?, 'completion', c.id, 'completion.recorded', '{{}}' \
                 FROM completions c WHERE c.tenant_id = ? AND c.id IN ({})",
                marks(ids.len())
            ))
            .bind(by.at)
            .bind(by.actor.as_str())
            .bind(by.request)
            .bind(tenant)
            .binds(ids),
        )?;
    }
    Ok(())
}
