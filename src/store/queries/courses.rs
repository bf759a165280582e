//! Courses (§2.5).

use crate::clock::Instant;
use crate::ids::{CourseId, TenantId};
use crate::learning::course::CourseStatus;
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, SqlId, StoreError};

/// One course.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct CourseRow {
    #[diesel(sql_type = SqlId)]
    pub id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub title: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub code: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub code_key: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub status: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub external_ref: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub locale: Option<String>,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub modified_at: i64,
}

impl CourseRow {
    /// The status; the table's CHECK admits no other spelling.
    #[must_use]
    pub fn status(&self) -> CourseStatus {
        CourseStatus::parse(&self.status).unwrap_or(CourseStatus::Draft)
    }
}

const COURSE: &str = "SELECT id, title, code, code_key, status, external_ref, locale, version, created_at, modified_at FROM courses WHERE tenant_id = ?";

/// Inserts a course; `Conflict` when its code is taken.
pub fn insert(db: &mut Db, tenant: TenantId, row: &CourseRow) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "INSERT INTO courses (tenant_id, id, title, code, code_key, status, external_ref, locale, version, created_at, modified_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(tenant)
        .bind(row.id)
        .bind(row.title.as_str())
        .bind(row.code.clone())
        .bind(row.code_key.clone())
        .bind(row.status.as_str())
        .bind(row.external_ref.clone())
        .bind(row.locale.clone())
        .bind(row.version)
        .bind(row.created_at)
        .bind(row.modified_at),
    )
    .map(drop)
}

/// Writes a course whose version was read as `before`; `false` when it has changed since.
pub fn update(
    db: &mut Db,
    tenant: TenantId,
    row: &CourseRow,
    before: i64,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE courses SET title = ?, code = ?, code_key = ?, status = ?, external_ref = ?, locale = ?, version = ?, modified_at = ? \
             WHERE tenant_id = ? AND id = ? AND version = ?",
        )
        .bind(row.title.as_str())
        .bind(row.code.clone())
        .bind(row.code_key.clone())
        .bind(row.status.as_str())
        .bind(row.external_ref.clone())
        .bind(row.locale.clone())
        .bind(row.version)
        .bind(row.modified_at)
        .bind(tenant)
        .bind(row.id)
        .bind(before),
    )?;
    Ok(changed == 1)
}

/// Finds a course.
pub fn find(db: &mut Db, tenant: TenantId, id: CourseId) -> Result<Option<CourseRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{COURSE} AND id = ?"))
            .bind(tenant)
            .bind(id),
    )
}

/// Finds a course and locks it against other writers.
pub fn find_for_update(
    db: &mut Db,
    tenant: TenantId,
    id: CourseId,
) -> Result<Option<CourseRow>, StoreError> {
    let lock = db.dialect().for_update;
    db.optional(
        Stmt::new(format!("{COURSE} AND id = ? {lock}"))
            .bind(tenant)
            .bind(id),
    )
}

/// Finds a course by the folded form of its code.
pub fn find_by_code(
    db: &mut Db,
    tenant: TenantId,
    code_key: &str,
) -> Result<Option<CourseRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{COURSE} AND code_key = ?"))
            .bind(tenant)
            .bind(code_key),
    )
}

/// One page of courses, in the order of their id.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    status: Option<CourseStatus>,
    external_ref: Option<&str>,
    after: Option<CourseId>,
    limit: i64,
) -> Result<Vec<CourseRow>, StoreError> {
    let mut sql = COURSE.to_owned();
    let mut binds: Vec<Bind> = vec![tenant.into()];
    if let Some(status) = status {
        sql.push_str(" AND status = ?");
        binds.push(status.as_str().into());
    }
    if let Some(external_ref) = external_ref {
        sql.push_str(" AND external_ref = ?");
        binds.push(external_ref.into());
    }
    if let Some(after) = after {
        sql.push_str(" AND id > ?");
        binds.push(after.into());
    }
    sql.push_str(" ORDER BY id LIMIT ?");
    db.load(Stmt::new(sql).binds(binds).bind(limit))
}

/// A new row of version 1.
#[must_use]
pub fn new_row(
    title: String,
    code: Option<(String, String)>,
    status: CourseStatus,
    now: Instant,
) -> CourseRow {
    let (code, code_key) = code.unzip();
    CourseRow {
        id: CourseId::new(),
        title,
        code,
        code_key,
        status: status.as_str().to_owned(),
        external_ref: None,
        locale: None,
        version: 1,
        created_at: now.0,
        modified_at: now.0,
    }
}

#[derive(diesel::QueryableByName)]
struct Titled {
    #[diesel(sql_type = SqlId)]
    id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    title: String,
}

/// The titles of these courses.
pub fn titles(
    db: &mut Db,
    tenant: TenantId,
    courses: &[CourseId],
) -> Result<std::collections::HashMap<CourseId, String>, StoreError> {
    let mut found = std::collections::HashMap::with_capacity(courses.len());
    for chunk in courses.chunks(super::memberships::CHUNK) {
        let ids = super::memberships::padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT id, title FROM courses WHERE tenant_id = ? AND id IN ({})",
            crate::store::statement::marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        found.extend(
            db.load::<Titled>(stmt)?
                .into_iter()
                .map(|row| (row.id, row.title)),
        );
    }
    Ok(found)
}
