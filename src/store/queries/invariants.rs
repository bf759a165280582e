//! What must hold in every database, as queries for the rows where it does not (§11; `rollcall check`).
//!
//! Each is one statement over one tenant. What a waiting job is still to write is no breach: the job's row says so. Not
//! here: what only a computation can tell (`service::check`), which reads its rows by [`keys`].

use crate::clock::Instant;
use crate::ids::{EventId, LearnerId, TenantId};
use crate::store::db::Number;
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, SqlId, StoreError};
use uuid::Uuid;

mod directory;
mod learning;

/// How many broken rows a finding names.
pub const NAMED: i64 = 5;

/// An invariant.
pub struct Invariant {
    /// The rule of the document, if it has one, and what must hold.
    pub name: &'static str,
    /// What a broken row means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    pub breach: Breach,
}

/// How broken rows are found. Each `?` is the tenant.
pub enum Breach {
    /// Rows, each with the `id` of what is broken: a learner, an enrollment, whatever `of` says.
    Rows { of: &'static str, sql: &'static str },
    /// A number that should be 0.
    Number(&'static str),
}

/// Every invariant that one statement can judge.
pub fn all() -> impl Iterator<Item = &'static Invariant> {
    learning::ALL.iter().chain(directory::ALL)
}

/// The rows that break an invariant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Broken {
    pub rows: i64,
    /// Some of them.
    pub ids: Vec<Uuid>,
}

#[derive(diesel::QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlId)]
    id: EventId,
}

/// Looks for the broken rows of one invariant.
pub fn broken(db: &mut Db, tenant: TenantId, invariant: &Invariant) -> Result<Broken, StoreError> {
    let stmt = |sql: String| {
        let binds = std::iter::repeat_n(Bind::from(tenant), sql.matches('?').count());
        Stmt::new(sql).binds(binds).once(true)
    };
    let sql = match invariant.breach {
        Breach::Number(sql) => {
            return Ok(Broken {
                rows: db.number(stmt(sql.to_owned()))?,
                ids: Vec::new(),
            });
        }
        Breach::Rows { sql, .. } => sql,
    };
    let rows = db
        .optional::<Number>(stmt(format!("SELECT count(*) AS n FROM ({sql}) d")))?
        .map_or(0, |row| row.n);
    if rows == 0 {
        return Ok(Broken::default());
    }
    let some: Vec<Id> = db.load(stmt(format!(
        "SELECT d.id FROM ({sql}) d ORDER BY d.id LIMIT {NAMED}"
    )))?;
    Ok(Broken {
        rows,
        ids: some.into_iter().map(|row| row.id.0).collect(),
    })
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
    /// The document a SCIM client reads back, with the columns it is also kept in; of accounts.
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub doc: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub external_id: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Bool>)]
    pub active: Option<bool>,
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
            "SELECT id, user_name AS text, user_name_key AS key, CASE WHEN deleted_at IS NULL THEN doc END AS doc, external_id, active \
             FROM users WHERE tenant_id = ?"
        }
        KeyTable::Groups => {
            "SELECT id, name AS text, name_key AS key, NULL AS doc, external_id, (deleted_at IS NULL) AS active FROM learner_groups WHERE tenant_id = ?"
        }
        KeyTable::Courses => {
            "SELECT id, code AS text, COALESCE(code_key, '') AS key, NULL AS doc, external_ref AS external_id, \
             (status = 'published') AS active FROM courses WHERE tenant_id = ? AND code IS NOT NULL"
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

#[derive(diesel::QueryableByName)]
struct Obliged {
    #[diesel(sql_type = SqlId)]
    learner_id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// How many obligations the learners after one id and up to another have; who has none is absent.
pub fn obliged(
    db: &mut Db,
    tenant: TenantId,
    (after, upto): (Option<LearnerId>, LearnerId),
    now: Instant,
) -> Result<Vec<(LearnerId, i64)>, StoreError> {
    let rows: Vec<Obliged> = db.load(
        Stmt::new(
            "SELECT r.learner_id, count(*) AS n FROM enrollment_reasons r WHERE r.tenant_id = ? AND r.learner_id > ? AND r.learner_id <= ? \
             AND r.kind = 'group' AND r.ended_at IS NULL AND r.recorded_at <= ? GROUP BY r.learner_id",
        )
        .bind(tenant)
        .bind(after.unwrap_or(LearnerId(Uuid::nil())))
        .bind(upto)
        .bind(now)
        .once(true),
    )?;
    Ok(rows
        .into_iter()
        .map(|row| (row.learner_id, row.n))
        .collect())
}

/// The numbers of all tenants.
pub fn tenants(db: &mut Db) -> Result<Vec<TenantId>, StoreError> {
    let rows: Vec<crate::store::db::Number> = db.load(Stmt::new(
        "SELECT CAST(tenant_id AS BIGINT) AS n FROM tenants ORDER BY tenant_id",
    ))?;
    Ok(rows.into_iter().map(|row| TenantId(row.n)).collect())
}
