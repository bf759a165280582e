//! Connections at hand: SQLite's readers and PostgreSQL's pool, and how a transaction runs on each.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use diesel::r2d2::{ManageConnection, Pool};

use super::db::Db;
use super::error::{StoreError, TransactionError};
use super::statement::Stmt;
use super::vault::Vault;
use super::{postgres, sqlite};

/// How often a PostgreSQL transaction is run again after a deadlock or serialization failure.
const RERUNS: u32 = 5;
/// How long a caller waits for a connection of the pool.
const CHECKOUT: Duration = Duration::from_secs(2);

/// SQLite's read connections: a few for the blocking pool, and one per thread for short reads.
pub struct Readers {
    shared: Arc<Shared>,
    keep: usize,
    idle: Mutex<Vec<Db>>,
}

/// What a thread's connection holds on to weakly, to see that its store is gone.
struct Shared {
    path: String,
    vault: Arc<Vault>,
}

thread_local! {
    static LOCAL: RefCell<Vec<(Weak<Shared>, Db)>> = const { RefCell::new(Vec::new()) };
}

impl Readers {
    pub fn new(path: String, keep: usize, vault: Arc<Vault>) -> Self {
        Self {
            shared: Arc::new(Shared { path, vault }),
            keep,
            idle: Mutex::new(Vec::new()),
        }
    }

    pub fn path(&self) -> &str {
        &self.shared.path
    }

    /// Runs a read transaction on one of the shared connections.
    pub fn run<T, E: From<StoreError>>(
        &self,
        job: &mut dyn FnMut(&mut Db) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut db = match idle {
            Some(db) => db,
            None => self.connect()?,
        };
        let result = snapshot(&mut db, job);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.keep {
            idle.push(db);
        }
        result
    }

    /// Runs statements on this thread's own connection, without a transaction around them.
    pub fn on_this_thread<T, E: From<StoreError>>(
        &self,
        job: &mut dyn FnMut(&mut Db) -> Result<T, E>,
    ) -> Result<T, E> {
        // The connection is out of the list while it is used: a read inside the read finds another, a panic drops it.
        let own = LOCAL.with_borrow_mut(|list| {
            list.retain(|(store, _)| store.strong_count() > 0);
            let position = list
                .iter()
                .position(|(store, _)| std::ptr::eq(store.as_ptr(), Arc::as_ptr(&self.shared)));
            position.map(|position| list.swap_remove(position).1)
        });
        let mut db = match own {
            Some(db) => db,
            None => self.connect()?,
        };
        let result = job(&mut db);
        LOCAL.with_borrow_mut(|list| list.push((Arc::downgrade(&self.shared), db)));
        result
    }

    /// One more connection that only reads.
    pub fn connect(&self) -> Result<Db, StoreError> {
        let mut db = Db::Sqlite(
            sqlite::connect(&self.shared.path)?,
            Arc::clone(&self.shared.vault),
        );
        // Every commit of another connection empties a reader's cache: a large one would only take memory.
        db.batch("PRAGMA query_only=ON; PRAGMA cache_size=-4000")?;
        Ok(db)
    }
}

/// Runs a job that only reads in a transaction of its own.
pub(super) fn snapshot<T, E: From<StoreError>>(
    db: &mut Db,
    job: &mut dyn FnMut(&mut Db) -> Result<T, E>,
) -> Result<T, E> {
    db.execute(Stmt::new("BEGIN"))?;
    let result = job(db);
    // Nothing was written, so there is nothing to commit.
    let ended = db.execute(Stmt::new("ROLLBACK"));
    let value = result?;
    ended?;
    Ok(value)
}

/// One connection of the pool, and whether it may be used again.
pub struct Session {
    db: Db,
    broken: bool,
}

/// Makes the pool's connections.
pub struct Manager {
    url: String,
    vault: Arc<Vault>,
}

impl ManageConnection for Manager {
    type Connection = Session;
    type Error = StoreError;

    fn connect(&self) -> Result<Session, StoreError> {
        Ok(Session {
            db: Db::Postgres(postgres::connect(&self.url)?, Arc::clone(&self.vault)),
            broken: false,
        })
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), StoreError> {
        session.db.batch("SELECT 1")
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        session.broken
    }
}

/// PostgreSQL's connections.
pub struct PostgresPool {
    pool: Pool<Manager>,
}

impl PostgresPool {
    pub fn new(url: &str, size: u32, vault: Arc<Vault>) -> Result<Self, StoreError> {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(CHECKOUT)
            // A dead connection shows when its transaction begins; asking before costs every transaction a round trip.
            .test_on_check_out(false)
            .build(Manager {
                url: url.to_owned(),
                vault,
            })
            .map_err(|error| StoreError::Unusable(format!("PostgreSQL: {error}")))?;
        Ok(Self { pool })
    }

    /// Runs a write transaction, again when it met another one.
    pub fn write<T, E: TransactionError>(
        &self,
        name: &'static str,
        job: &mut dyn FnMut(&mut Db) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut runs = 0;
        loop {
            let result = self.transaction(
                "BEGIN ISOLATION LEVEL READ COMMITTED",
                "SELECT 1; COMMIT",
                &mut *job,
            );
            match result {
                Err(error)
                    if runs < RERUNS && matches!(error.store_error(), Some(StoreError::Retry)) =>
                {
                    runs += 1;
                    log::debug!("the write `{name}` met another one; run {runs} more");
                    std::thread::sleep(jitter(runs));
                }
                other => return other,
            }
        }
    }

    /// Runs a read transaction with one snapshot.
    pub fn read<T, E: TransactionError>(
        &self,
        job: &mut dyn FnMut(&mut Db) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            "COMMIT",
            job,
        )
    }

    /// Runs statements without a transaction around them: two round trips less.
    pub fn read_loose<T, E: TransactionError>(
        &self,
        job: &mut dyn FnMut(&mut Db) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction("", "", job)
    }

    /// One transaction on one connection. The `SELECT 1` before a write's COMMIT fails in a transaction that an
    /// error swallowed by the job has already doomed; COMMIT alone would take it back and report success.
    fn transaction<T, E: TransactionError>(
        &self,
        begin: &'static str,
        commit: &'static str,
        job: &mut dyn FnMut(&mut Db) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut stale = 0;
        let mut session = loop {
            let mut session = self
                .pool
                .get()
                .map_err(|error| StoreError::Busy(format!("no connection was free: {error}")))?;
            if begin.is_empty() {
                break session;
            }
            match session.db.batch(begin) {
                Ok(()) => break session,
                Err(error) => {
                    session.broken = true;
                    stale += 1;
                    if stale > self.pool.max_size() {
                        return Err(error.into());
                    }
                }
            }
        };
        let result = match catch_unwind(AssertUnwindSafe(|| job(&mut session.db))) {
            Ok(result) => result,
            Err(panic) => {
                session.broken = true;
                drop(session);
                resume_unwind(panic);
            }
        };
        let ended = match &result {
            // Without a transaction there is nothing to end, and PostgreSQL takes an empty statement for an error.
            Ok(_) if commit.is_empty() => Ok(()),
            Ok(_) => session.db.batch(commit),
            Err(_) if begin.is_empty() => session.db.batch("SELECT 1"),
            Err(_) => session.db.batch("ROLLBACK"),
        };
        if ended.is_err() {
            session.broken = true;
        }
        let value = result?;
        ended?;
        Ok(value)
    }
}

/// A pause that grows with the runs and differs between rivals: up to 10, 20, 40 … milliseconds.
fn jitter(runs: u32) -> Duration {
    let random = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
    Duration::from_micros((10_000 << runs.min(6)) * random / 512 + 1_000)
}
