//! Courses (§2.5).

use crate::clock::Instant;
use crate::ids::{CourseId, TenantId};
use crate::learning::course::CourseStatus;
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::Stmt;
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

/// What a list of courses is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct CourseFilter {
    /// One of these; empty: any.
    pub statuses: Vec<CourseStatus>,
    pub external_ref: Option<String>,
    /// Part of the title, exactly as written.
    pub title_part: Option<String>,
    pub updated_since: Option<Instant>,
}

/// What a list of courses is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CourseOrder {
    /// Their id, which tells when they were made.
    #[default]
    Created,
    Updated,
    Title,
}

/// A page of courses. There are few: only the order of ids has an index.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    filter: &CourseFilter,
    (order, down): (CourseOrder, bool),
    paging: &Paging,
) -> Result<Found<CourseRow>, StoreError> {
    let mut list = Listing::of(COURSE, vec![tenant.into()]);
    let statuses: Vec<&str> = filter.statuses.iter().map(|one| one.as_str()).collect();
    list.and_one_of("status", &statuses);
    list.and_some("external_ref = ?", filter.external_ref.clone());
    list.and_contains(db.dialect(), "title", filter.title_part.as_deref());
    list.and_some("modified_at >= ?", filter.updated_since);
    let order = match order {
        CourseOrder::Created => Order::id("id"),
        CourseOrder::Updated => Order::number("modified_at", "id"),
        CourseOrder::Title => Order::text("title", "id"),
    };
    list.find(db, order.down(down), paging)
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
