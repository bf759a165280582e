//! What must hold in every database, as queries that count the rows where it does not (§11; `rollcall check`).
//!
//! Not here: folded keys, which are recomputed in Rust (`service::check` reads them through [`keys`]).

use crate::ids::{EventId, TenantId};
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, SqlId, StoreError};
use uuid::Uuid;

/// An invariant: its name, what a broken row means, and the query that counts broken rows of one tenant.
pub struct Invariant {
    pub name: &'static str,
    pub meaning: &'static str,
    sql: &'static str,
}

/// Every invariant that one statement can count. Each `?` is the tenant.
pub const ALL: &[Invariant] = &[
    Invariant {
        name: "I-1 one enrollment per learner and course",
        meaning: "a learner has two enrollments in one course",
        sql: "SELECT count(*) AS n FROM (SELECT learner_id FROM enrollments WHERE tenant_id = ? GROUP BY learner_id, course_id HAVING count(*) > 1) d",
    },
    Invariant {
        name: "I-1 one open cycle per enrollment",
        meaning: "an enrollment has two open cycles",
        sql: "SELECT count(*) AS n FROM (SELECT enrollment_id FROM enrollment_cycles WHERE tenant_id = ? AND completed_at IS NULL \
              GROUP BY enrollment_id HAVING count(*) > 1) d",
    },
    Invariant {
        name: "every enrollment has a cycle",
        meaning: "an enrollment was never opened",
        sql: "SELECT count(*) AS n FROM enrollments e WHERE e.tenant_id = ? AND NOT EXISTS \
              (SELECT 1 FROM enrollment_cycles y WHERE y.tenant_id = e.tenant_id AND y.enrollment_id = e.id)",
    },
    Invariant {
        name: "every enrollment has a reason",
        meaning: "nobody can say why the learner is enrolled",
        sql: "SELECT count(*) AS n FROM enrollments e WHERE e.tenant_id = ? AND NOT EXISTS \
              (SELECT 1 FROM enrollment_reasons r WHERE r.tenant_id = e.tenant_id AND r.learner_id = e.learner_id AND r.course_id = e.course_id)",
    },
    Invariant {
        name: "every reason has its enrollment",
        meaning: "a reason was written without the enrollment it explains",
        sql: "SELECT count(*) AS n FROM enrollment_reasons r WHERE r.tenant_id = ? AND NOT EXISTS \
              (SELECT 1 FROM enrollments e WHERE e.tenant_id = r.tenant_id AND e.learner_id = r.learner_id AND e.course_id = r.course_id)",
    },
    Invariant {
        name: "a withdrawn enrollment has no live reason",
        meaning: "somebody withdrawn is still obliged",
        sql: "SELECT count(*) AS n FROM enrollments e WHERE e.tenant_id = ? AND e.withdrawn_at IS NOT NULL AND EXISTS \
              (SELECT 1 FROM enrollment_reasons r WHERE r.tenant_id = e.tenant_id AND r.learner_id = e.learner_id \
              AND r.course_id = e.course_id AND r.ended_at IS NULL)",
    },
    Invariant {
        name: "a live group reason has a live membership and assignment",
        meaning: "an obligation outlives its cause",
        sql: "SELECT count(*) AS n FROM enrollment_reasons r \
              LEFT JOIN memberships m ON m.tenant_id = r.tenant_id AND m.id = r.membership_id AND m.ended_at IS NULL \
              LEFT JOIN assignments a ON a.tenant_id = r.tenant_id AND a.id = r.assignment_id AND a.ended_at IS NULL \
              WHERE r.tenant_id = ? AND r.kind = 'group' AND r.ended_at IS NULL AND (m.id IS NULL OR a.id IS NULL)",
    },
    Invariant {
        name: "a live membership has both ends",
        meaning: "a membership of a group, learner or account that is gone",
        sql: "SELECT count(*) AS n FROM memberships m \
              LEFT JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL \
              LEFT JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id AND l.deleted_at IS NULL \
              LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id AND u.learner_id = m.learner_id AND u.deleted_at IS NULL \
              WHERE m.tenant_id = ? AND m.ended_at IS NULL AND (g.id IS NULL OR l.id IS NULL OR u.id IS NULL)",
    },
    Invariant {
        name: "I-5 one live membership per group and learner",
        meaning: "a learner is in one group twice",
        sql: "SELECT count(*) AS n FROM (SELECT learner_id FROM memberships WHERE tenant_id = ? AND ended_at IS NULL \
              GROUP BY group_id, learner_id HAVING count(*) > 1) d",
    },
    Invariant {
        name: "a live assignment has a live group",
        meaning: "a course is assigned to a group that is gone",
        sql: "SELECT count(*) AS n FROM assignments a WHERE a.tenant_id = ? AND a.ended_at IS NULL AND NOT EXISTS \
              (SELECT 1 FROM learner_groups g WHERE g.tenant_id = a.tenant_id AND g.id = a.group_id AND g.deleted_at IS NULL)",
    },
    Invariant {
        name: "an assignment's version is its newest version row",
        meaning: "the history of an assignment's options has a hole",
        sql: "SELECT count(*) AS n FROM assignments a WHERE a.tenant_id = ? AND a.version <> COALESCE((SELECT max(v.version) \
              FROM assignment_versions v WHERE v.tenant_id = a.tenant_id AND v.assignment_id = a.id), 0)",
    },
    Invariant {
        name: "every account names its learner",
        meaning: "an account without a person, or a live account of a person who has ended",
        sql: "SELECT count(*) AS n FROM users u LEFT JOIN learners l ON l.tenant_id = u.tenant_id AND l.id = u.learner_id \
              WHERE u.tenant_id = ? AND (l.id IS NULL OR (u.deleted_at IS NULL AND l.deleted_at IS NOT NULL))",
    },
    Invariant {
        name: "searchable values belong to live accounts",
        meaning: "a filter may find an account that is gone",
        sql: "SELECT count(*) AS n FROM user_values v WHERE v.tenant_id = ? AND NOT EXISTS \
              (SELECT 1 FROM users u WHERE u.tenant_id = v.tenant_id AND u.id = v.user_id AND u.deleted_at IS NULL)",
    },
    Invariant {
        name: "versions are positive (users)",
        meaning: "an ETag could repeat",
        sql: "SELECT count(*) AS n FROM users WHERE tenant_id = ? AND version < 1",
    },
    Invariant {
        name: "versions are positive (groups)",
        meaning: "an ETag could repeat",
        sql: "SELECT count(*) AS n FROM learner_groups WHERE tenant_id = ? AND version < 1",
    },
    Invariant {
        name: "the counter of users is right",
        meaning: "totalResults would lie",
        sql: "SELECT abs(CAST((SELECT COALESCE(sum(value), 0) FROM counters WHERE tenant_id = ? AND name = 'users') AS BIGINT) \
              - (SELECT count(*) FROM users WHERE tenant_id = ? AND deleted_at IS NULL)) AS n",
    },
    Invariant {
        name: "the counter of groups is right",
        meaning: "totalResults would lie",
        sql: "SELECT abs(CAST((SELECT COALESCE(sum(value), 0) FROM counters WHERE tenant_id = ? AND name = 'groups') AS BIGINT) \
              - (SELECT count(*) FROM learner_groups WHERE tenant_id = ? AND deleted_at IS NULL)) AS n",
    },
];

/// Counts the broken rows of one invariant.
pub fn broken(db: &mut Db, tenant: TenantId, invariant: &Invariant) -> Result<i64, StoreError> {
    let binds = std::iter::repeat_n(Bind::from(tenant), invariant.sql.matches('?').count());
    db.number(Stmt::new(invariant.sql).binds(binds).once(true))
}

/// A row with a text and the folded key stored beside it. The id is of whatever kind the table holds.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct KeyRow {
    #[diesel(sql_type = SqlId)]
    pub id: EventId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub text: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub key: String,
}

/// The tables whose folded keys can be recomputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTable {
    Users,
    Groups,
    Courses,
}

impl KeyTable {
    /// Every such table.
    pub const ALL: &'static [Self] = &[Self::Users, Self::Groups, Self::Courses];

    /// What a message calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "userName of users",
            Self::Groups => "name of groups",
            Self::Courses => "code of courses",
        }
    }
}

/// A thousand texts with their keys, in the order of the id.
pub fn keys(
    db: &mut Db,
    tenant: TenantId,
    table: KeyTable,
    after: Option<Uuid>,
) -> Result<Vec<KeyRow>, StoreError> {
    let select = match table {
        KeyTable::Users => {
            "SELECT id, user_name AS text, user_name_key AS key FROM users WHERE tenant_id = ?"
        }
        KeyTable::Groups => {
            "SELECT id, name AS text, name_key AS key FROM learner_groups WHERE tenant_id = ?"
        }
        KeyTable::Courses => {
            "SELECT id, code AS text, COALESCE(code_key, '') AS key FROM courses WHERE tenant_id = ? AND code IS NOT NULL"
        }
    };
    let mut stmt = Stmt::new(format!(
        "{select}{} ORDER BY id LIMIT 1000",
        if after.is_some() { " AND id > ?" } else { "" }
    ))
    .bind(tenant);
    if let Some(after) = after {
        stmt = stmt.bind(after);
    }
    db.load(stmt)
}

/// The numbers of all tenants.
pub fn tenants(db: &mut Db) -> Result<Vec<TenantId>, StoreError> {
    let rows: Vec<crate::store::db::Number> = db.load(Stmt::new(
        "SELECT CAST(tenant_id AS BIGINT) AS n FROM tenants ORDER BY tenant_id",
    ))?;
    Ok(rows.into_iter().map(|row| TenantId(row.n)).collect())
}
