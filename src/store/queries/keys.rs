//! Signing keys of access tokens.

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::store::statement::Stmt;
use crate::store::{Db, StoreError};

/// One key pair; `secret` is PKCS#8 and `public` 32 bytes, both base64.
#[derive(Clone, diesel::QueryableByName)]
pub struct KeyRow {
    #[diesel(sql_type = Text)]
    pub kid: String,
    #[diesel(sql_type = Text)]
    pub algorithm: String,
    #[diesel(sql_type = Text)]
    pub secret: String,
    #[diesel(sql_type = Text)]
    pub public: String,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub retired_at: Option<i64>,
}

const COLUMNS: &str = "kid, algorithm, secret, public, created_at, retired_at";

/// Adds a key.
pub fn insert(db: &mut Db, row: &KeyRow) -> Result<(), StoreError> {
    let stmt = Stmt::new(
        "INSERT INTO signing_keys (kid, algorithm, secret, public, created_at, retired_at) VALUES (?, ?, ?, ?, ?, ?)",
    );
    let stmt = stmt
        .bind(row.kid.as_str())
        .bind(row.algorithm.as_str())
        .bind(row.secret.as_str());
    db.execute(
        stmt.bind(row.public.as_str())
            .bind(row.created_at)
            .bind(row.retired_at),
    )?;
    Ok(())
}

/// The key that signs: the newest that is not retired.
pub fn active(db: &mut Db) -> Result<Option<KeyRow>, StoreError> {
    db.optional(Stmt::new(format!(
        "SELECT {COLUMNS} FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1"
    )))
}

/// All keys, retired ones included: they verify until what they signed has expired.
pub fn all(db: &mut Db) -> Result<Vec<KeyRow>, StoreError> {
    db.load(Stmt::new(format!(
        "SELECT {COLUMNS} FROM signing_keys ORDER BY created_at, kid"
    )))
}
