//! The rows of imported files as they are stored.

use diesel::QueryableByName;

use crate::ids::{CourseId, GroupId, JobId, LearnerId, TenantId, UserId};
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

use super::{BLOCK, tuples};

/// One row of a file.
#[derive(Clone, Debug, QueryableByName)]
pub struct ImportRow {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub line: i64,
    /// What stood in the file, as a JSON list.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub cells: String,
    /// What was read, as JSON.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub fields: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub outcome: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub code: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub detail: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub group_id: Option<GroupId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub learner_id: Option<LearnerId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub user_id: Option<UserId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub course_id: Option<CourseId>,
    /// The row assigns the course to the group.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub assigns: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub due_date: Option<String>,
}

const COLUMNS: &str = "r.line, r.cells, r.fields, r.outcome, r.code, r.detail, r.group_id, r.learner_id, r.user_id, r.course_id, \
     r.assigns, r.due_date";

/// Stores rows; of those that are stored already, what becomes of them.
pub fn put(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    rows: &[ImportRow],
) -> Result<(), StoreError> {
    for block in rows.chunks(BLOCK) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO import_rows (tenant_id, import_id, line, cells, fields, outcome, code, detail, group_id, learner_id, user_id, \
             course_id, assigns, due_date) VALUES {} ON CONFLICT (tenant_id, import_id, line) DO UPDATE SET outcome = excluded.outcome, \
             code = excluded.code, detail = excluded.detail, group_id = excluded.group_id, learner_id = excluded.learner_id, \
             user_id = excluded.user_id, course_id = excluded.course_id, assigns = excluded.assigns, due_date = excluded.due_date",
            tuples(block.len(), 14)
        ))
        .once(block.len() != BLOCK);
        for row in block {
            stmt = stmt
                .bind(tenant)
                .bind(import)
                .bind(row.line)
                .bind(row.cells.as_str())
                .bind(row.fields.as_str())
                .bind(row.outcome.as_str())
                .bind(row.code.as_deref())
                .bind(row.detail.as_deref())
                .bind(row.group_id)
                .bind(row.learner_id)
                .bind(row.user_id)
                .bind(row.course_id)
                .bind(row.assigns)
                .bind(row.due_date.as_deref());
        }
        db.execute(stmt)?;
    }
    Ok(())
}

/// A page of the rows in the order of the file; of these outcomes if any are named.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    outcomes: &[&'static str],
    paging: &Paging,
) -> Result<Found<ImportRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ?");
    let mut list = Listing::of(sql, vec![tenant.into(), import.into()]);
    list.and_one_of("r.outcome", outcomes);
    list.find(db, Order::unique_number("r.line"), paging)
}

/// The first rows that change something.
pub fn changing(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    limit: i64,
) -> Result<Vec<ImportRow>, StoreError> {
    db.load(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.outcome NOT IN ('staged', 'no_op', 'error') \
             ORDER BY r.line LIMIT ?"
        ))
        .bind(tenant)
        .bind(import)
        .bind(limit),
    )
}

/// How many rows have an outcome.
#[derive(Clone, Debug, QueryableByName)]
pub struct OutcomeCount {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub outcome: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub n: i64,
}

/// The rows of a file by outcome.
pub fn outcomes(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
) -> Result<Vec<OutcomeCount>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT r.outcome, count(*) AS n FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? GROUP BY r.outcome ORDER BY r.outcome",
        )
        .bind(tenant)
        .bind(import),
    )
}

/// Rows of these lines that say what an earlier one says of the same learner in the same group become `no_op`.
pub fn mark_twins(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    (after, upto): (i64, i64),
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "UPDATE import_rows SET outcome = CASE WHEN assigns THEN 'assigned' ELSE 'no_op' END, code = 'duplicate_row' WHERE tenant_id = ? AND import_id = ? AND line > ? AND line <= ? \
             AND outcome IN ('added', 'pended', 'removed') AND EXISTS (SELECT 1 FROM import_rows e WHERE e.tenant_id = import_rows.tenant_id \
             AND e.import_id = import_rows.import_id AND e.group_id = import_rows.group_id AND e.learner_id = import_rows.learner_id \
             AND e.outcome = import_rows.outcome AND e.line < import_rows.line)",
        )
        .bind(tenant)
        .bind(import)
        .bind(after)
        .bind(upto),
    )
    .map(drop)
}

/// Deletes the first rows of a file; returns how many.
pub fn delete_some(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    limit: i64,
) -> Result<usize, StoreError> {
    db.execute(
        Stmt::new(
            "DELETE FROM import_rows WHERE tenant_id = ? AND import_id = ? AND line IN \
             (SELECT r.line FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? ORDER BY r.line LIMIT ?)",
        )
        .bind(tenant)
        .bind(import)
        .bind(tenant)
        .bind(import)
        .bind(limit),
    )
}
