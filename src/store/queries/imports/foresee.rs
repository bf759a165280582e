//! What committing the rows of a plan would come to, and what the plan was made on.

use diesel::QueryableByName;

use crate::ids::{GroupId, JobId, TenantId};
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, SqlId, StoreError};

use super::LivePair;

/// What the rows of a plan would enroll.
#[derive(Clone, Copy, Debug, Default, QueryableByName)]
pub struct Foreseen {
    /// (learner, course) pairs that would be owed.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub pairs: i64,
    /// Of those, how many are enrolled.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub enrolled: i64,
    /// Of those, how many were withdrawn.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub withdrawn: i64,
    /// New ones that are late from the start.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub late: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub learners: i64,
}

/// What committing the rows would enroll: the owed relation (§4) over the memberships and assignments that the rows would make.
/// They are new, so none of them has a reason yet. `today` is the tenant's date.
pub fn foresee(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    today: &str,
) -> Result<Foreseen, StoreError> {
    let live = "(k.id IS NULL OR k.mode = 'live')";
    let stmt = Stmt::new(format!(
        "WITH pm AS (SELECT DISTINCT r.group_id, r.learner_id FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.outcome = 'added'), \
         pa AS (SELECT r.group_id, r.course_id, min(r.due_date) AS due_date FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.assigns \
             GROUP BY r.group_id, r.course_id), \
         pairs AS ( \
             SELECT pm.learner_id, a.course_id, a.due_date FROM pm \
                 CROSS JOIN assignments a LEFT JOIN learner_groups g ON g.tenant_id = a.tenant_id AND g.id = pm.group_id \
                 LEFT JOIN connections k ON k.tenant_id = a.tenant_id AND k.id = g.managed_by \
                 WHERE a.tenant_id = ? AND a.group_id = pm.group_id AND a.ended_at IS NULL AND {live} \
             UNION ALL SELECT pm.learner_id, pa.course_id, pa.due_date FROM pm JOIN pa ON pa.group_id = pm.group_id \
                 LEFT JOIN learner_groups g ON g.tenant_id = ? AND g.id = pm.group_id \
                 LEFT JOIN connections k ON k.tenant_id = g.tenant_id AND k.id = g.managed_by WHERE {live} \
             UNION ALL SELECT m.learner_id, pa.course_id, pa.due_date FROM pa \
                 CROSS JOIN memberships m JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id \
                 LEFT JOIN connections k ON k.tenant_id = m.tenant_id AND k.id = COALESCE(g.managed_by, m.connection_id) \
                 WHERE m.tenant_id = ? AND m.group_id = pa.group_id AND m.ended_at IS NULL AND {live}), \
         owed AS (SELECT pairs.learner_id, pairs.course_id, min(pairs.due_date) AS due_date FROM pairs \
             CROSS JOIN learners l CROSS JOIN courses c \
             WHERE l.tenant_id = ? AND l.id = pairs.learner_id AND l.deleted_at IS NULL AND l.registration = 'registered' \
             AND l.approval = 'approved' AND l.active AND NOT l.suspended \
             AND c.tenant_id = ? AND c.id = pairs.course_id AND c.status = 'published' GROUP BY pairs.learner_id, pairs.course_id) \
         SELECT count(*) AS pairs, count(e.id) AS enrolled, count(e.withdrawn_at) AS withdrawn, \
         count(CASE WHEN e.id IS NULL AND owed.due_date < ? THEN 1 END) AS late, count(DISTINCT owed.learner_id) AS learners \
         FROM owed LEFT JOIN enrollments e ON e.tenant_id = ? AND e.learner_id = owed.learner_id AND e.course_id = owed.course_id"
    ))
    .binds([tenant.into(), import.into(), tenant.into(), import.into()] as [Bind; 4])
    .binds([tenant, tenant, tenant, tenant, tenant])
    .bind(today)
    .bind(tenant);
    Ok(db.optional(stmt)?.unwrap_or_default())
}

/// A group or an assignment that a plan depends on, by its id.
#[derive(Clone, Debug, QueryableByName)]
pub struct StateLine {
    #[diesel(sql_type = SqlId)]
    pub id: GroupId,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
}

/// The versions of the groups that rows name, and of their assignments: what the plan was made on.
pub fn state(db: &mut Db, tenant: TenantId, import: JobId) -> Result<Vec<StateLine>, StoreError> {
    let named = "(SELECT DISTINCT r.group_id FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.group_id IS NOT NULL)";
    let mut lines: Vec<StateLine> = db.load(
        Stmt::new(format!(
            "SELECT g.id, g.version FROM learner_groups g WHERE g.tenant_id = ? AND g.id IN {named} AND g.deleted_at IS NULL ORDER BY g.id"
        ))
        .bind(tenant)
        .bind(tenant)
        .bind(import),
    )?;
    lines.extend(db.load::<StateLine>(
        Stmt::new(format!(
            "SELECT a.id, a.version FROM assignments a WHERE a.tenant_id = ? AND a.group_id IN {named} AND a.ended_at IS NULL ORDER BY a.id"
        ))
        .bind(tenant)
        .bind(tenant)
        .bind(import),
    )?);
    Ok(lines)
}

/// Members of the named groups whom no row names: those whom `sync` would end. At most `limit`.
pub fn strangers(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    limit: i64,
) -> Result<Vec<LivePair>, StoreError> {
    db.load(
        Stmt::new(format!(
            "SELECT m.id, m.group_id, m.learner_id {STRANGERS} LIMIT ?"
        ))
        .bind(tenant)
        .bind(import)
        .bind(tenant)
        .bind(limit),
    )
}

const STRANGERS: &str = "FROM (SELECT DISTINCT r.tenant_id, r.import_id, r.group_id FROM import_rows r \
     WHERE r.tenant_id = ? AND r.import_id = ? AND r.group_id IS NOT NULL AND r.outcome <> 'error') n \
     CROSS JOIN memberships m WHERE m.tenant_id = ? AND m.group_id = n.group_id AND m.ended_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM import_rows r WHERE r.tenant_id = n.tenant_id AND r.import_id = n.import_id \
         AND r.group_id = n.group_id AND r.learner_id = m.learner_id AND r.outcome <> 'error')";

/// How many members of the named groups no row names, and how many members those groups have.
pub fn count_strangers(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
) -> Result<(i64, i64), StoreError> {
    let strangers = db.number(
        Stmt::new(format!("SELECT count(*) AS n {STRANGERS}"))
            .bind(tenant)
            .bind(import)
            .bind(tenant),
    )?;
    let members = db.number(
        Stmt::new(
            "SELECT count(*) AS n FROM memberships m WHERE m.tenant_id = ? AND m.ended_at IS NULL AND m.group_id IN \
             (SELECT DISTINCT r.group_id FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.group_id IS NOT NULL)",
        )
        .bind(tenant)
        .bind(tenant)
        .bind(import),
    )?;
    Ok((strangers, members))
}

/// How many assignments and how many people the rows of a plan are about.
pub fn count_distinct(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
) -> Result<(i64, i64), StoreError> {
    let assignments = db.number(
        Stmt::new(
            "SELECT count(*) AS n FROM (SELECT DISTINCT r.group_id, r.course_id FROM import_rows r \
             WHERE r.tenant_id = ? AND r.import_id = ? AND r.assigns) d",
        )
        .bind(tenant)
        .bind(import),
    )?;
    let learners = db.number(
        Stmt::new(
            "SELECT count(DISTINCT r.learner_id) AS n FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? \
             AND r.outcome IN ('added', 'pended', 'removed', 'created', 'recorded')",
        )
        .bind(tenant)
        .bind(import),
    )?;
    Ok((assignments, learners))
}

/// The (learner, course) pairs of completions that would be recorded, and how many of them are enrolled.
pub fn foresee_completions(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
) -> Result<(i64, i64), StoreError> {
    #[derive(QueryableByName)]
    struct Pairs {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        pairs: i64,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        enrolled: i64,
    }
    let stmt = Stmt::new(
        "SELECT count(*) AS pairs, count(e.id) AS enrolled FROM (SELECT DISTINCT r.learner_id, r.course_id FROM import_rows r \
         WHERE r.tenant_id = ? AND r.import_id = ? AND r.outcome = 'recorded') p \
         LEFT JOIN enrollments e ON e.tenant_id = ? AND e.learner_id = p.learner_id AND e.course_id = p.course_id",
    )
    .bind(tenant)
    .bind(import)
    .bind(tenant);
    Ok(db
        .optional::<Pairs>(stmt)?
        .map_or((0, 0), |row| (row.pairs, row.enrolled)))
}
