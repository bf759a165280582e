//! The background writer of the log: rows of reads and refusals, in batches.
//!
//! It never makes a request wait and never fails one: when its queue is full, or the database refuses a batch, rows are
//! dropped and counted. Writes do not come here; their rows commit with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::ids::TenantId;
use crate::store::queries::sync_log::{self, SyncRow};
use crate::store::{Store, StoreError};

use super::SyncEntry;

/// Rows that may wait.
const QUEUE: usize = 8_192;
/// Rows that make a batch before its time.
const BATCH: usize = 256;
/// How long a row waits at most for its batch.
const PERIOD: Duration = Duration::from_millis(200);

enum Message {
    Row(Box<SyncRow>),
    Flush(oneshot::Sender<()>),
}

/// A handle on the background writer. Cheap to clone; the writer ends when the last handle is gone.
#[derive(Clone, Debug)]
pub struct SyncLogger {
    queue: mpsc::Sender<Message>,
    dropped: Arc<AtomicU64>,
}

impl SyncLogger {
    /// Starts the writer. Must be called on a tokio runtime, which drives it.
    #[must_use]
    pub fn start(store: Store) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        tokio::spawn(run(store, messages, dropped.clone()));
        Self { queue, dropped }
    }

    /// Takes an entry; returns at once.
    pub fn log(&self, tenant: TenantId, entry: SyncEntry) {
        if self
            .queue
            .try_send(Message::Row(Box::new(entry.row(tenant))))
            .is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns when everything taken before is in the database (or was dropped).
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            // An error means that the writer is gone, and then nothing waits.
            let _ = flushed.await;
        }
    }

    /// How many rows were lost so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

async fn run(store: Store, mut messages: mpsc::Receiver<Message>, dropped: Arc<AtomicU64>) {
    let mut rows: Vec<SyncRow> = Vec::new();
    let mut waiting: Vec<oneshot::Sender<()>> = Vec::new();
    while let Some(first) = messages.recv().await {
        let deadline = tokio::time::sleep(PERIOD);
        tokio::pin!(deadline);
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Row(row) => rows.push(*row),
                Message::Flush(done) => waiting.push(done),
            }
            next = if rows.len() >= BATCH || !waiting.is_empty() {
                // Nobody waits any longer; what is there already comes along, up to a batch.
                if rows.len() >= BATCH {
                    None
                } else {
                    messages.try_recv().ok()
                }
            } else {
                tokio::select! {
                    message = messages.recv() => message,
                    () = &mut deadline => None,
                }
            };
        }
        write(&store, std::mem::take(&mut rows), &dropped).await;
        // Only when nothing is left before them in the queue have the flushes seen everything they asked for.
        for done in waiting.drain(..) {
            let _ = done.send(());
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
