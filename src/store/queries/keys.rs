//! Signing keys of access tokens. Their secrets are sealed here and opened here: nobody above sees a sealed one (B42).

use diesel::sql_types::{BigInt, Nullable, Text};
use zeroize::Zeroizing;

use crate::clock::Instant;
use crate::store::statement::Stmt;
use crate::store::{Db, StoreError, vault};

/// One key pair, opened.
pub struct KeyRow {
    pub kid: String,
    pub algorithm: String,
    /// PKCS#8 in base64.
    pub secret: Zeroizing<String>,
    /// 32 bytes in base64.
    pub public: String,
    pub created_at: i64,
    pub retired_at: Option<i64>,
}

/// One key pair as it is stored.
#[derive(Clone, diesel::QueryableByName)]
pub struct StoredKey {
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
    #[diesel(sql_type = Nullable<BigInt>)]
    pub removed_at: Option<i64>,
}

const COLUMNS: &str = "kid, algorithm, secret, public, created_at, retired_at, removed_at";

/// What a key's secret is sealed with: keys belong to no tenant.
const fn place(kid: &str) -> [&str; 2] {
    ["signing_keys", kid]
}

impl StoredKey {
    /// Opens the secret. Errors: its sealing key is not here, or it was changed.
    pub fn open(self, db: &Db) -> Result<KeyRow, StoreError> {
        let secret = db.vault().open_secret(&place(&self.kid), &self.secret)?;
        Ok(KeyRow {
            kid: self.kid,
            algorithm: self.algorithm,
            secret,
            public: self.public,
            created_at: self.created_at,
            retired_at: self.retired_at,
        })
    }

    /// Whether the secret is sealed at all.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        vault::sealed_by(&self.secret).is_some()
    }

    /// Whether the secret is sealed as it should be now.
    #[must_use]
    pub fn is_current(&self, db: &Db) -> bool {
        db.vault().is_current(&self.secret)
    }
}

/// Adds a key, sealed.
pub fn insert(db: &mut Db, row: &KeyRow) -> Result<(), StoreError> {
    let sealed = db.vault().seal(&place(&row.kid), &row.secret)?;
    let stmt = Stmt::new(
        "INSERT INTO signing_keys (kid, algorithm, secret, public, created_at, retired_at) VALUES (?, ?, ?, ?, ?, ?)",
    );
    let stmt = stmt
        .bind(row.kid.as_str())
        .bind(row.algorithm.as_str())
        .bind(sealed);
    db.execute(
        stmt.bind(row.public.as_str())
            .bind(row.created_at)
            .bind(row.retired_at),
    )?;
    Ok(())
}

/// The key that signs: the newest that is not retired.
pub fn active(db: &mut Db) -> Result<Option<KeyRow>, StoreError> {
    let stored: Option<StoredKey> = db.optional(Stmt::new(format!(
        "SELECT {COLUMNS} FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1"
    )))?;
    stored.map(|stored| stored.open(db)).transpose()
}

/// All keys as they are stored, oldest first, retired ones included: they verify until what they signed has expired.
pub fn all(db: &mut Db) -> Result<Vec<StoredKey>, StoreError> {
    db.load(Stmt::new(format!(
        "SELECT {COLUMNS} FROM signing_keys ORDER BY created_at, kid"
    )))
}

/// Retires every key but one.
pub fn retire_others(db: &mut Db, kid: &str, now: Instant) -> Result<usize, StoreError> {
    let stmt =
        Stmt::new("UPDATE signing_keys SET retired_at = ? WHERE retired_at IS NULL AND kid <> ?");
    db.execute(stmt.bind(now).bind(kid))
}

/// Takes retired keys out of use that can have signed nothing that is still valid at `now`: every token made before
/// they were retired has expired or was revoked.
pub fn remove_spent(db: &mut Db, now: Instant) -> Result<usize, StoreError> {
    let stmt = Stmt::new(
        "UPDATE signing_keys SET removed_at = ? WHERE retired_at IS NOT NULL AND removed_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM tokens t WHERE t.created_at <= signing_keys.retired_at AND t.expires_at > ? AND t.revoked_at IS NULL)",
    )
    .once(true);
    db.execute(stmt.bind(now).bind(now))
}

/// Seals a key's secret again, with the key that seals now. Errors: the secret does not open.
pub fn reseal(db: &mut Db, stored: &StoredKey) -> Result<(), StoreError> {
    let vault = db.vault();
    let secret = vault.open_secret(&place(&stored.kid), &stored.secret)?;
    let sealed = vault.seal(&place(&stored.kid), &secret)?;
    let stmt = Stmt::new("UPDATE signing_keys SET secret = ? WHERE kid = ?");
    db.execute(stmt.bind(sealed).bind(stored.kid.as_str()))?;
    Ok(())
}

/// Makes SQLite overwrite with zeros what this connection changes or deletes from here on: a secret that was stored
/// unsealed must not stay in the file.
pub fn overwrite(db: &mut Db, on: bool) -> Result<(), StoreError> {
    match db {
        Db::Sqlite(..) if on => db.batch("PRAGMA secure_delete=ON"),
        Db::Sqlite(..) => db.batch("PRAGMA secure_delete=OFF"),
        Db::Postgres(..) => Ok(()),
    }
}
