//! Rows: the only importer of diesel. One text of queries for SQLite and PostgreSQL.
//!
//! `queries/` holds every statement, written once against [`Db`] and [`Stmt`](statement::Stmt); what the databases
//! spell differently is [`db::Dialect`]. Not here: any decision about the protocol or the domain.

pub mod backup;
mod bind;
pub mod condition;
pub mod custom_values;
pub mod db;
mod dialect;
pub mod error;
mod fields;
mod growth;
pub mod kind;
pub mod listing;
mod migrate;
pub mod placement;
mod pool;
mod postgres;
pub mod queries;
mod sole_server;
mod sqlite;
pub mod statement;
mod value_keys;
pub mod vault;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

pub use db::Db;
pub use error::{StoreError, TransactionError};
pub use fields::SqlId;
pub use sole_server::SoleServer;
pub use vault::Vault;

use crate::config::Sealing;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Connections to PostgreSQL; 16 to 32 is right for most machines.
    pub postgres_pool: u32,
    /// Connections that read SQLite beside the writer, one blocking thread each.
    pub readers: usize,
    /// Writes that may wait for SQLite's writer; beyond it a write is refused as busy.
    pub queue: usize,
    /// Where the key comes from that seals secrets.
    pub sealing: Sealing,
    /// How long a request waits for a blocking thread before it is refused as busy.
    pub wait: Duration,
    /// Accept a PostgreSQL that may lose acknowledged writes (`fsync` off); for tests.
    pub allow_unsafe: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            postgres_pool: 16,
            readers: 4,
            queue: 1000,
            sealing: Sealing::Default,
            wait: Duration::from_secs(10),
            allow_unsafe: false,
        }
    }
}

/// The database: hands transactions to closures. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    vault: Arc<Vault>,
    /// How many reads and PostgreSQL transactions may sit on blocking threads at a time.
    permits: Semaphore,
    wait: Duration,
    // Dropped after the engine, when no connection of ours has the file open.
    _temporary: Option<sqlite::TemporaryFile>,
}

enum Engine {
    Sqlite {
        writer: writer::Writer,
        readers: pool::Readers,
    },
    Postgres(pool::PostgresPool),
}

impl Store {
    /// Opens a database and migrates it: `sqlite://path` (made when missing), `sqlite://:memory:` (a private
    /// file that is removed with the store), `postgres://…` or `postgresql://…`. Blocks.
    pub fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let wait = options.wait;
        let (engine, vault, permits, temporary) = if let Some(path) = url.strip_prefix("sqlite://")
        {
            let temporary = if path == ":memory:" {
                Some(sqlite::TemporaryFile::new()?)
            } else {
                None
            };
            let path = temporary
                .as_ref()
                .map_or_else(|| path.to_owned(), |file| file.path().to_owned());
            let vault = Vault::open(&options.sealing, Some(&path))?;
            let mut conn = sqlite::prepare(&path)?;
            migrate::sqlite(&mut conn)?;
            let readers = pool::Readers::new(path, options.readers.max(1), Arc::clone(&vault));
            let writer = writer::Writer::start(
                Db::Sqlite(conn, Arc::clone(&vault)),
                readers.connect()?,
                options.queue.max(1),
            )?;
            (
                Engine::Sqlite { writer, readers },
                vault,
                options.readers.max(1),
                temporary,
            )
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let vault = Vault::open(&options.sealing, None)?;
            let mut conn = postgres::connect(url)?;
            if !options.allow_unsafe {
                postgres::check(&mut conn)?;
            }
            migrate::postgres(&mut conn)?;
            let size = options.postgres_pool.max(1);
            (
                Engine::Postgres(pool::PostgresPool::new(url, size, Arc::clone(&vault))?),
                vault,
                size as usize,
                None,
            )
        } else {
            return Err(StoreError::Unusable(
                "the database URL must start with sqlite://, postgres:// or postgresql://"
                    .to_owned(),
            ));
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                vault,
                permits: Semaphore::new(permits),
                wait,
                _temporary: temporary,
            }),
        })
    }

    /// Runs `job` as one write transaction; its error takes everything back. `Ok` means that it is on disk.
    ///
    /// `name` stands in the log when the job panics. The job may run more than once, each time in a fresh transaction.
    pub async fn write<T, E, F>(&self, name: &'static str, job: F) -> Result<T, E>
    where
        F: FnMut(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: TransactionError,
    {
        match &self.inner.engine {
            Engine::Sqlite { writer, .. } => {
                let (sender, receiver) = oneshot::channel();
                writer.submit(name, job, move |result| drop(sender.send(result)))?;
                receiver.await.unwrap_or_else(|_| {
                    Err(StoreError::Busy("the writer has stopped".to_owned()).into())
                })
            }
            Engine::Postgres(_) => {
                self.on_blocking_pool(move |store| store.write_blocking(name, job))
                    .await
            }
        }
    }

    /// Runs `job` as one read transaction on a blocking thread; all its statements see one snapshot.
    pub async fn read<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: FnMut(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: TransactionError,
    {
        self.on_blocking_pool(move |store| store.read_blocking(job))
            .await
    }

    /// Runs a short read: one row by its key, one page by an index. Each statement has its own snapshot. On SQLite it
    /// runs on the calling thread, which is cheaper than a hop to another; on PostgreSQL like [`Store::read`].
    pub async fn read_short<T, E, F>(&self, mut job: F) -> Result<T, E>
    where
        F: FnMut(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: TransactionError,
    {
        match &self.inner.engine {
            Engine::Sqlite { readers, .. } => readers.on_this_thread(&mut job),
            Engine::Postgres(_) => {
                self.on_blocking_pool(move |store| match &store.inner.engine {
                    Engine::Postgres(pool) => pool.read_loose(&mut job),
                    Engine::Sqlite { readers, .. } => readers.on_this_thread(&mut job),
                })
                .await
            }
        }
    }

    /// Runs a short read whose statements belong together: where [`Store::read_short`] does, in one snapshot.
    pub async fn read_short_at_once<T, E, F>(&self, mut job: F) -> Result<T, E>
    where
        F: FnMut(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: TransactionError,
    {
        match &self.inner.engine {
            Engine::Sqlite { readers, .. } => {
                readers.on_this_thread(&mut |db| pool::snapshot(db, &mut job))
            }
            Engine::Postgres(_) => self.read(job).await,
        }
    }

    /// [`Store::write`] for a thread that may block: the command line, workers and tests.
    pub fn write_blocking<T, E, F>(&self, name: &'static str, mut job: F) -> Result<T, E>
    where
        F: FnMut(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: TransactionError,
    {
        match &self.inner.engine {
            Engine::Sqlite { writer, .. } => {
                let (sender, receiver) = std::sync::mpsc::sync_channel(1);
                writer.submit(name, job, move |result| drop(sender.send(result)))?;
                receiver.recv().unwrap_or_else(|_| {
                    Err(StoreError::Busy("the writer has stopped".to_owned()).into())
                })
            }
            Engine::Postgres(pool) => pool.write(name, &mut job),
        }
    }

    /// [`Store::read`] for a thread that may block.
    pub fn read_blocking<T, E, F>(&self, mut job: F) -> Result<T, E>
    where
        F: FnMut(&mut Db) -> Result<T, E>,
        E: TransactionError,
    {
        match &self.inner.engine {
            Engine::Sqlite { readers, .. } => readers.run(&mut job),
            Engine::Postgres(pool) => pool.read(&mut job),
        }
    }

    /// Empties SQLite's write-ahead log into the file, so that no page of it keeps what was erased (B52); waits a few seconds
    /// for readers. PostgreSQL's old row versions go with VACUUM.
    pub fn empty_log(&self) -> Result<(), StoreError> {
        match &self.inner.engine {
            Engine::Sqlite { writer, .. } => writer.empty_log(),
            Engine::Postgres(_) => Ok(()),
        }
    }

    /// [`Self::empty_log`] beside the caller's thread; a failure is told to the server's log alone.
    pub async fn empty_log_soon(&self) {
        let store = self.clone();
        let emptied = tokio::task::spawn_blocking(move || store.empty_log()).await;
        if !matches!(emptied, Ok(Ok(()))) {
            log::warn!("the write-ahead log was not emptied after an erasure: {emptied:?}");
        }
    }

    /// Whether this is SQLite: a backup then is a copy of one file.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&str> {
        match &self.inner.engine {
            Engine::Sqlite { readers, .. } => Some(readers.path()),
            Engine::Postgres(_) => None,
        }
    }

    /// What seals the secrets of this database.
    #[must_use]
    pub fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.inner.vault)
    }

    async fn on_blocking_pool<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: FnOnce(&Self) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: TransactionError,
    {
        let stopped = || E::from(StoreError::Busy("the server is stopping".to_owned()));
        // C28: whoever would wait too long is told to come back
        let _permit = match self.inner.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout(self.inner.wait, self.inner.permits.acquire())
                .await
                .map_err(|_| StoreError::Busy("too many requests are waiting".to_owned()))?
                .map_err(|_| stopped())?,
        };
        let store = self.clone();
        match tokio::task::spawn_blocking(move || job(&store)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => {
                Err(StoreError::Panicked("a job on the blocking pool").into())
            }
            Err(_) => Err(stopped()),
        }
    }
}

#[cfg(test)]
mod search_tests;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
