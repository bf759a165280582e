//! The background writer of the log: rows of reads and refusals, in batches.
//!
//! It never makes a request wait and never fails one: when too many rows wait, or the database refuses a batch, rows are
//! dropped and counted. Writes do not come here; their rows commit with them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::ids::TenantId;
use crate::store::queries::sync_log::{self, SyncRow};
use crate::store::{Store, StoreError};

use super::SyncEntry;

/// Rows that may wait.
const QUEUE: usize = 16_384;
/// Rows that make a batch before its time, and the most in one: what the writer takes in some milliseconds. Fewer would
/// make more commits, and with each of them every reader of SQLite forgets its pages.
const BATCH: usize = 4_096;
/// How long a row waits at most for its batch.
const PERIOD: Duration = Duration::from_millis(200);

/// A handle on the background writer. Cheap to clone; the writer ends when the last handle is gone.
#[derive(Clone, Debug)]
pub struct SyncLogger {
    shared: Arc<Shared>,
    /// Never sent through; it tells the writer that the last handle is gone.
    _alive: Arc<oneshot::Sender<()>>,
}

/// What waits, and the bell that wakes the writer: at the first row, at a full batch, at a flush.
#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    bell: Notify,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    rows: Vec<SyncRow>,
    flushes: Vec<oneshot::Sender<()>>,
    /// Nobody will come for them any more.
    closed: bool,
}

impl SyncLogger {
    /// Starts the writer. Must be called on a tokio runtime, which drives it.
    #[must_use]
    pub fn start(store: Store) -> Self {
        let shared = Arc::new(Shared::default());
        let (alive, ended) = oneshot::channel();
        tokio::spawn(run(store, Arc::clone(&shared), ended));
        Self {
            shared,
            _alive: Arc::new(alive),
        }
    }

    /// Takes an entry; returns at once.
    pub fn log(&self, tenant: TenantId, entry: SyncEntry) {
        let row = entry.row(tenant);
        let mut waiting = self.shared.waiting();
        if waiting.rows.len() >= QUEUE {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.rows.push(row);
        if waiting.rows.len() == 1 || waiting.rows.len() == BATCH {
            self.shared.bell.notify_one();
        }
    }

    /// Returns when everything taken before is in the database (or was dropped).
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        {
            let mut waiting = self.shared.waiting();
            if waiting.closed {
                return;
            }
            waiting.flushes.push(done);
        }
        self.shared.bell.notify_one();
        // An error means that the writer is gone, and then nothing waits.
        let _ = flushed.await;
    }

    /// How many rows were lost so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        let waiting = self.waiting();
        waiting.rows.is_empty() && waiting.flushes.is_empty()
    }

    /// Whether somebody waits for the rows, or they are enough for a batch.
    fn is_urgent(&self) -> bool {
        let waiting = self.waiting();
        waiting.rows.len() >= BATCH || !waiting.flushes.is_empty()
    }

    /// The oldest rows, at most a batch of them, and whoever waits for the last one of these.
    fn take(&self) -> (Vec<SyncRow>, Vec<oneshot::Sender<()>>) {
        let mut waiting = self.waiting();
        if waiting.rows.len() > BATCH {
            (waiting.rows.drain(..BATCH).collect(), Vec::new())
        } else {
            let rows = std::mem::take(&mut waiting.rows);
            (rows, std::mem::take(&mut waiting.flushes))
        }
    }
}

/// Closes the door behind the writer, however it ends.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.closed = true;
        waiting.flushes.clear();
    }
}

async fn run(store: Store, shared: Arc<Shared>, ended: oneshot::Receiver<()>) {
    let _closing = Closing(Arc::clone(&shared));
    tokio::pin!(ended);
    let mut is_last = false;
    while !is_last {
        while shared.is_empty() && !is_last {
            tokio::select! {
                () = shared.bell.notified() => {}
                _ = &mut ended => is_last = true,
            }
        }
        let deadline = tokio::time::sleep(PERIOD);
        tokio::pin!(deadline);
        while !shared.is_urgent() && !is_last {
            tokio::select! {
                () = shared.bell.notified() => {}
                () = &mut deadline => break,
                _ = &mut ended => is_last = true,
            }
        }
        while !shared.is_empty() {
            let (rows, flushes) = shared.take();
            write(&store, rows, &shared.dropped).await;
            for done in flushes {
                let _ = done.send(());
            }
            if !is_last && !shared.is_urgent() {
                break;
            }
        }
    }
}

async fn write(store: &Store, rows: Vec<SyncRow>, dropped: &AtomicU64) {
    if rows.is_empty() {
        return;
    }
    let count = rows.len() as u64;
    let result: Result<usize, StoreError> = store
        .write("sync log", move |db| sync_log::insert(db, &rows))
        .await;
    if let Err(error) = result {
        dropped.fetch_add(count, Ordering::Relaxed);
        log::error!("{count} rows of the sync log were lost: {error}");
    }
}
