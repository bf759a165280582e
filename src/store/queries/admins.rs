//! Console logins.

use diesel::sql_types::{BigInt, Text};

use crate::ids::{AdminId, TenantId};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

/// One login; the hash is a PHC string.
#[derive(Clone, diesel::QueryableByName)]
pub struct AdminRow {
    #[diesel(sql_type = SqlId)]
    pub id: AdminId,
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub password_hash: String,
    #[diesel(sql_type = Text)]
    pub role: String,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
}

/// Adds a login unless its e-mail is taken; says whether it was added.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    row: &AdminRow,
    email_key: &str,
) -> Result<bool, StoreError> {
    let stmt = Stmt::new(
        "INSERT INTO admins (tenant_id, id, email, email_key, password_hash, role, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, email_key) DO NOTHING",
    );
    let stmt = stmt
        .bind(tenant)
        .bind(row.id)
        .bind(row.email.as_str())
        .bind(email_key);
    Ok(db.execute(
        stmt.bind(row.password_hash.as_str())
            .bind(row.role.as_str())
            .bind(row.created_at),
    )? == 1)
}

/// The login of a folded e-mail.
pub fn find_by_key(
    db: &mut Db,
    tenant: TenantId,
    email_key: &str,
) -> Result<Option<AdminRow>, StoreError> {
    let stmt = Stmt::new(
        "SELECT id, email, password_hash, role, created_at FROM admins WHERE tenant_id = ? AND email_key = ?",
    );
    db.optional(stmt.bind(tenant).bind(email_key))
}
