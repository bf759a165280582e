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

/// How often a start tries again that met another one making the lock table.
const TRIES: usize = 12;

/// Migrates SQLite in one exclusive transaction: a second process waits, then finds nothing to do.
pub fn sqlite(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    super::sqlite::patiently(|| {
        conn.exclusive_transaction(|conn| pending::<Sqlite, _>(conn, SQLITE))
    })
    .map_err(unusable)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::{Db, OneText};
    use crate::store::statement::Stmt;
    use crate::store::testing::fresh_postgres;
    use crate::store::{Store, StoreOptions, Vault};

    fn versions<DB: diesel::backend::Backend>(source: &EmbeddedMigrations) -> Vec<String>
    where
        EmbeddedMigrations: MigrationSource<DB>,
    {
        let migrations: Vec<Box<dyn Migration<DB>>> =
            source.migrations().expect("they are embedded");
        migrations
            .iter()
            .map(|migration| migration.name().to_string())
            .collect()
    }

    /// `table.column` of all our tables.
    fn columns(db: &mut Db) -> Vec<String> {
        let sql = match db {
            Db::Sqlite(..) => {
                "SELECT m.name || '.' || c.name AS t FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' \
                 AND m.name NOT LIKE '!_!_%' ESCAPE '!' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1"
            }
            Db::Postgres(..) => {
                "SELECT table_name || '.' || column_name AS t FROM information_schema.columns WHERE table_schema = 'public' \
                 AND table_name NOT LIKE '!_!_%' ESCAPE '!' AND table_name <> 'migration_lock' ORDER BY 1"
            }
        };
        let mut found: Vec<String> = db
            .load::<OneText>(Stmt::new(sql))
            .expect("it reads")
            .into_iter()
            .map(|row| row.t)
            .collect();
        found.sort();
        found
    }

    fn temporary() -> (crate::store::sqlite::TemporaryFile, SqliteConnection) {
        let file = crate::store::sqlite::TemporaryFile::new().expect("a temporary file");
        let conn = crate::store::sqlite::connect(file.path()).expect("it opens");
        (file, conn)
    }

    #[test]
    fn both_histories_have_the_same_versions() {
        assert_eq!(versions::<Sqlite>(&SQLITE), versions::<Pg>(&POSTGRES));
    }

    #[test]
    fn sqlite_goes_up_down_and_up_again() {
        let (_file, mut conn) = temporary();
        sqlite(&mut conn).expect("up");
        let first = columns(&mut Db::Sqlite(
            crate::store::sqlite::connect(_file.path()).expect("it opens"),
            Vault::none(),
        ));
        conn.revert_all_migrations(SQLITE).expect("down");
        let mut db = Db::Sqlite(conn, Vault::none());
        assert!(columns(&mut db).is_empty());
        let Db::Sqlite(mut conn, _) = db else { return };
        sqlite(&mut conn).expect("up again");
        assert_eq!(columns(&mut Db::Sqlite(conn, Vault::none())), first);
    }

    #[test]
    fn postgres_goes_up_down_and_up_again_with_the_columns_of_sqlite() {
        let Some((url, _)) = fresh_postgres() else {
            return;
        };
        let mut conn = crate::store::postgres::connect(&url).expect("it opens");
        postgres(&mut conn).expect("up");
        conn.revert_all_migrations(POSTGRES).expect("down");
        postgres(&mut conn).expect("up again");
        let (_file, mut other) = temporary();
        sqlite(&mut other).expect("up");
        assert_eq!(
            columns(&mut Db::Postgres(conn, Vault::none())),
            columns(&mut Db::Sqlite(other, Vault::none()))
        );
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let (file, mut conn) = temporary();
        sqlite(&mut conn).expect("up");
        conn.batch_execute(
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')",
        )
        .expect("it inserts");
        let error = sqlite(&mut conn).expect_err("newer");
        assert!(error.to_string().contains("newer"), "{error}");
        assert!(
            Store::open(
                &format!("sqlite://{}", file.path()),
                StoreOptions::default()
            )
            .is_err()
        );
    }

    #[test]
    fn first_starts_that_meet_at_one_file_wait_for_each_other() {
        for _ in 0..20 {
            let file = crate::store::sqlite::TemporaryFile::new().expect("a temporary file");
            let line = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        line.wait();
                        crate::store::sqlite::prepare(file.path()).expect("it opens")
                    });
                }
            });
        }
    }

    #[test]
    fn many_processes_may_start_at_once() {
        let file = crate::store::sqlite::TemporaryFile::new().expect("a temporary file");
        let mut urls = vec![format!("sqlite://{}", file.path())];
        urls.extend(fresh_postgres().map(|(url, _)| url));
        for url in urls {
            let starts: Vec<_> = (0..6)
                .map(|_| {
                    let url = url.clone();
                    let options = StoreOptions {
                        postgres_pool: 1,
                        allow_unsafe: true,
                        ..StoreOptions::default()
                    };
                    std::thread::spawn(move || Store::open(&url, options).map(drop))
                })
                .collect();
            for start in starts {
                start
                    .join()
                    .expect("no panic")
                    .unwrap_or_else(|error| panic!("{url}: {error}"));
            }
        }
    }
}
