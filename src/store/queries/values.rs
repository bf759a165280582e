//! The searchable values beside a user's document: `user_values`. What stands in them is `store::placement`.

use crate::ids::{TenantId, UserId};
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, StoreError};

/// One value of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueRow {
    /// The number of the attribute.
    pub attr: i64,
    /// The comparison key; empty for an element without a value.
    pub value_key: String,
    /// The place among the attribute's elements.
    pub ord: i64,
    pub type_key: Option<String>,
    pub is_primary: bool,
}

/// How many rows one statement inserts.
const CHUNK: usize = 100;

/// Makes these the values of a user.
pub fn replace_all(
    db: &mut Db,
    tenant: TenantId,
    user: UserId,
    rows: &[ValueRow],
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("DELETE FROM user_values WHERE tenant_id = ? AND user_id = ?")
            .bind(tenant)
            .bind(user),
    )?;
    insert_all(db, tenant, user, rows)
}

/// Adds the values of a user who has none: one who was just made.
pub fn insert_all(
    db: &mut Db,
    tenant: TenantId,
    user: UserId,
    rows: &[ValueRow],
) -> Result<(), StoreError> {
    for chunk in rows.chunks(CHUNK) {
        let tuples = vec!["(?, ?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ");
        let mut stmt = Stmt::new(format!(
            "INSERT INTO user_values (tenant_id, attr, value_key, user_id, ord, type_key, is_primary) VALUES {tuples}"
        ))
        .once(chunk.len() > 16);
        for row in chunk {
            stmt = stmt.binds([
                Bind::from(tenant),
                Bind::from(row.attr),
                Bind::from(row.value_key.as_str()),
                Bind::from(user),
                Bind::from(row.ord),
                Bind::from(row.type_key.as_deref()),
                Bind::from(row.is_primary),
            ]);
        }
        db.execute(stmt)?;
    }
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Holder {
    #[diesel(sql_type = crate::store::SqlId)]
    user_id: UserId,
}

/// The users that hold this key under an attribute.
pub fn holders(
    db: &mut Db,
    tenant: TenantId,
    attr: i64,
    key: &str,
) -> Result<Vec<UserId>, StoreError> {
    let rows: Vec<Holder> = db.load(
        Stmt::new("SELECT v.user_id FROM user_values v WHERE v.tenant_id = ? AND v.attr = ? AND v.value_key = ?")
            .bind(tenant)
            .bind(attr)
            .bind(key),
    )?;
    Ok(rows.into_iter().map(|row| row.user_id).collect())
}
