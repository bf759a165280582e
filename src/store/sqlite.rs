//! SQLite: how a connection is opened and what the dialect is.

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, RunQueryDsl};

use super::dialect::{Dialect, Number, OneText};
use super::error::StoreError;
use super::statement::Stmt;

pub const DIALECT: Dialect = Dialect {
    new_id: "new_id()",
    for_update: "",
    for_key_share: "",
    for_share: "",
    skip_locked: "",
    latest: "max",
    explain: "EXPLAIN QUERY PLAN",
    among: ("IN (", ")"),
    plans_once: false,
    position: "instr",
    many_rows_at_once: false,
    excerpt_head: "''",
    excerpt: |path| {
        let steps: String = path.iter().map(|name| format!(".\"{name}\"")).collect();
        format!("COALESCE(r.doc -> '${steps}', '')")
    },
    id_text: |id| {
        let part = |from, length| format!("substr(lower(hex({id})), {from}, {length})");
        format!(
            "({} || '-' || {} || '-' || {} || '-' || {} || '-' || {})",
            part(1, 8),
            part(9, 4),
            part(13, 4),
            part(17, 4),
            part(21, 12)
        )
    },
};

diesel::define_sql_function! {
    /// A fresh UUID v7, for ids made inside set-based statements.
    fn new_id() -> diesel::sql_types::Binary;
}

/// How long a start waits for another process at the same file.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Runs `step` until no other process holds the file, for a minute at most. SQLite waits by itself where a transaction
/// begins, but answers "locked" at once where one grows from reading to writing, as the change of the journal mode and
/// an exclusive transaction do: there the wait is ours.
pub fn patiently<T, E: std::fmt::Display>(mut step: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let begun = std::time::Instant::now();
    loop {
        match step() {
            Err(error) if begun.elapsed() < PATIENCE && error.to_string().contains("locked") => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

/// Makes the file when it is missing and has it write ahead, which it remembers: opens the first connection of a store.
pub fn prepare(path: &str) -> Result<SqliteConnection, StoreError> {
    create_file(path)?;
    let mut conn = connect(path)?;
    patiently(|| conn.batch_execute("PRAGMA journal_mode=WAL"))
        .map_err(|error| StoreError::Unusable(format!("{path}: {error}")))?;
    check(&mut conn)?;
    Ok(conn)
}

/// Opens one connection with the settings of requirement C2, but for the journal mode, which the file remembers.
pub fn connect(path: &str) -> Result<SqliteConnection, StoreError> {
    let mut conn = SqliteConnection::establish(path)
        .map_err(|error| StoreError::Unusable(format!("{path}: {error}")))?;
    conn.set_prepared_statement_cache_size(diesel::connection::CacheSize::Unbounded);
    conn.batch_execute(
        "PRAGMA busy_timeout=5000; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
         PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=1000; \
         PRAGMA cell_size_check=ON; PRAGMA secure_delete=ON; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;",
    )
    .map_err(|error| StoreError::Unusable(format!("{path}: {error}")))?;
    new_id_utils::register_nondeterministic_impl(&conn, || {
        uuid::Uuid::now_v7().into_bytes().to_vec()
    })?;
    Ok(conn)
}

/// Makes the file when it is missing, readable by its owner only.
fn create_file(path: &str) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| StoreError::Unusable(format!("{path}: {error}")))
}

/// Reads back what durability depends on: the library's version and the settings of requirement C2.
fn check(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut text = |sql: &'static str| -> Result<String, StoreError> {
        let rows: Vec<OneText> = Stmt::new(sql).load(conn)?;
        Ok(rows.into_iter().next().map(|row| row.t).unwrap_or_default())
    };
    let version = text("SELECT sqlite_version() AS t")?;
    let parts: Vec<u32> = version
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    if parts < OLDEST.to_vec() {
        return Err(StoreError::Unusable(format!(
            "SQLite {version} is older than 3.51.3, which fixes lost writes"
        )));
    }
    let journal = text("SELECT journal_mode AS t FROM pragma_journal_mode")?;
    if journal != "wal" {
        return Err(StoreError::Unusable(format!(
            "the journal mode is {journal}, not wal; the file system may not allow it"
        )));
    }
    let rows: Vec<Number> =
        Stmt::new("SELECT synchronous AS n FROM pragma_synchronous").load(conn)?;
    if rows.first().map(|row| row.n) != Some(2) {
        return Err(StoreError::Unusable("synchronous is not FULL".to_owned()));
    }
    Ok(())
}

/// The oldest library that may be used.
const OLDEST: [u32; 3] = [3, 51, 3];

/// A database file in a directory of its own, removed when dropped.
pub struct TemporaryFile {
    directory: std::path::PathBuf,
    path: String,
}

impl TemporaryFile {
    pub fn new() -> Result<Self, StoreError> {
        let directory = std::env::temp_dir().join(format!("rollcall-{}", uuid::Uuid::now_v7()));
        let unusable = |why: &dyn std::fmt::Display| {
            StoreError::Unusable(format!("a temporary database: {why}"))
        };
        std::fs::create_dir(&directory).map_err(|error| unusable(&error))?;
        let path = directory
            .join("rollcall.db")
            .to_str()
            .ok_or_else(|| unusable(&"its path is not UTF-8"))?
            .to_owned();
        Ok(Self { directory, path })
    }

    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            log::warn!("the temporary database stays behind: {error}");
        }
    }
}
