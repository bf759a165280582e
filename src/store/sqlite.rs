//! SQLite: how a connection is opened and what the dialect is.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

use super::db::Dialect;
use super::error::StoreError;

pub const DIALECT: Dialect = Dialect {
    new_id: "new_id()",
    for_update: "",
    explain: "EXPLAIN QUERY PLAN",
    position: "instr",
};

diesel::define_sql_function! {
    /// A fresh UUID v7, for ids made inside set-based statements.
    fn new_id() -> diesel::sql_types::Binary;
}

/// Opens one connection with the settings of requirement C2.
pub fn connect(path: &str) -> Result<SqliteConnection, StoreError> {
    let mut conn = SqliteConnection::establish(path)
        .map_err(|error| StoreError::Unusable(format!("{path}: {error}")))?;
    conn.set_prepared_statement_cache_size(diesel::connection::CacheSize::Unbounded);
    conn.batch_execute(
        "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
         PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=1000; \
         PRAGMA cell_size_check=ON; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;",
    )
    .map_err(|error| StoreError::Unusable(format!("{path}: {error}")))?;
    new_id_utils::register_nondeterministic_impl(&mut conn, || {
        uuid::Uuid::now_v7().into_bytes().to_vec()
    })?;
    Ok(conn)
}
