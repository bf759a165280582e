//! Migrations: embedded, run at start, under a lock so that many nodes may start at once. Requirement C24.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::{Pg, PgConnection};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::StoreError;

/// The schema's history, SQLite.
pub const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// The schema's history, PostgreSQL; the same versions.
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// How often a start tries again that met another process at the database: a minute, with the busy timeout between.
const TRIES: usize = 12;

/// Migrates SQLite in one exclusive transaction: a second process waits, then finds nothing to do.
pub fn sqlite(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut tries = 1;
    loop {
        match conn.exclusive_transaction(|conn| pending::<Sqlite, _>(conn, SQLITE)) {
            Err(error) if tries < TRIES && error.to_string().contains("locked") => tries += 1,
            other => return other.map_err(unusable),
        }
    }
}

/// Migrates PostgreSQL while it holds the one row of a lock table; advisory locks do not exist on all its relatives.
pub fn postgres(conn: &mut PgConnection) -> Result<(), StoreError> {
    let mut tries = 1;
    loop {
        // IF NOT EXISTS is not safe against a rival: the loser meets a unique key of the catalog, and tries again.
        let made = conn.batch_execute(
            "CREATE TABLE IF NOT EXISTS migration_lock (one INT4 NOT NULL PRIMARY KEY); \
             INSERT INTO migration_lock (one) VALUES (1) ON CONFLICT DO NOTHING",
        );
        match made {
            Ok(()) => break,
            Err(_) if tries < TRIES => {
                tries += 1;
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            Err(error) => return Err(unusable(error.into())),
        }
    }
    conn.transaction(|conn| {
        conn.batch_execute(
            "SET LOCAL lock_timeout='120s'; SET LOCAL statement_timeout=0; SELECT one FROM migration_lock FOR UPDATE",
        )?;
        pending::<Pg, _>(conn, POSTGRES)
    })
    .map_err(unusable)
}

fn unusable(error: AnyError) -> StoreError {
    StoreError::Unusable(format!("migration: {error}"))
}

/// Refuses a schema this binary does not know, then runs what is missing.
fn pending<DB, C>(conn: &mut C, source: EmbeddedMigrations) -> Result<(), AnyError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let known: Vec<Box<dyn Migration<DB>>> = source.migrations()?;
    let known: Vec<String> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    for applied in conn.applied_migrations()? {
        let applied = applied.to_string();
        if !known.contains(&applied) {
            let newest = known.iter().max().map_or("none", String::as_str);
            return Err(format!(
                "the schema is at version {applied}, newer than {newest}, the newest this binary knows; \
                 start the newer binary again or restore the backup made before its upgrade"
            )
            .into());
        }
    }
    for version in conn.run_pending_migrations(source)? {
        log::info!("migrated the database to version {version}");
    }
    Ok(())
}
