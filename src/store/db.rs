//! `Db`: one open connection of either database. Every query function takes it and hands it a [`Stmt`].

use std::sync::Arc;

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::deserialize::QueryableByName;
use diesel::pg::{Pg, PgConnection};
use diesel::sqlite::{Sqlite, SqliteConnection};

pub use super::dialect::{Dialect, Number, OneText};
use super::error::StoreError;
use super::statement::Stmt;
use super::vault::Vault;
use super::{postgres, sqlite};

/// A connection, inside a transaction while a use case runs.
#[allow(
    clippy::large_enum_variant,
    reason = "there are as many as connections, and they do not move"
)]
pub enum Db {
    Sqlite(SqliteConnection, Arc<Vault>),
    Postgres(PgConnection, Arc<Vault>),
}

/// A row that both databases can give.
pub trait Row: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static {}
impl<T: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static> Row for T {}

impl Db {
    /// The database's dialect.
    #[must_use]
    pub const fn dialect(&self) -> &'static Dialect {
        match self {
            Self::Sqlite(..) => &sqlite::DIALECT,
            Self::Postgres(..) => &postgres::DIALECT,
        }
    }

    /// What seals the secrets of this database.
    #[must_use]
    pub fn vault(&self) -> Arc<Vault> {
        match self {
            Self::Sqlite(_, vault) | Self::Postgres(_, vault) => Arc::clone(vault),
        }
    }

    /// Runs a statement and reads all its rows.
    pub fn load<R: Row>(&mut self, stmt: Stmt) -> Result<Vec<R>, StoreError> {
        stmt.trace();
        Ok(match self {
            Self::Sqlite(conn, _) => stmt.load(conn)?,
            Self::Postgres(conn, _) => stmt.load(conn)?,
        })
    }

    /// Runs a statement that finds at most one row; more than one is a bug in the statement.
    pub fn optional<R: Row>(&mut self, stmt: Stmt) -> Result<Option<R>, StoreError> {
        Ok(self.load(stmt)?.pop())
    }

    /// Runs a statement and returns how many rows it changed.
    pub fn execute(&mut self, stmt: Stmt) -> Result<usize, StoreError> {
        stmt.trace();
        Ok(match self {
            Self::Sqlite(conn, _) => stmt.execute(conn)?,
            Self::Postgres(conn, _) => stmt.execute(conn)?,
        })
    }

    /// Reads the one number of a statement, 0 when it finds no row.
    pub fn number(&mut self, stmt: Stmt) -> Result<i64, StoreError> {
        Ok(self.optional::<Number>(stmt)?.map_or(0, |row| row.n))
    }

    /// Runs statements without binds, separated by `;`. For migrations, transactions and settings.
    pub fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(conn, _) => conn.batch_execute(sql)?,
            Self::Postgres(conn, _) => conn.batch_execute(sql)?,
        }
        Ok(())
    }

    /// Runs `job` in a savepoint: its error takes back what it did and nothing else (bulk operations, dry runs).
    pub fn savepoint<T, E: From<StoreError>>(
        &mut self,
        job: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.batch("SAVEPOINT nested")?;
        match job(self) {
            Ok(value) => {
                self.batch("RELEASE SAVEPOINT nested")?;
                Ok(value)
            }
            Err(error) => {
                self.batch("ROLLBACK TO SAVEPOINT nested; RELEASE SAVEPOINT nested")?;
                Err(error)
            }
        }
    }
}
