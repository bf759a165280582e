//! SQLite's one writer: a thread that commits many jobs at once (group commit).
//!
//! It drains the jobs that wait into one transaction, each in a savepoint of its own, so that a failed or panicking
//! job takes back only what it did itself. Answers leave after the commit: an acknowledged write is on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use super::db::Db;
use super::error::{StoreError, TransactionError};
use super::statement::Stmt;

/// How many jobs share one commit at most.
const BATCH: usize = 256;

/// The writer's thread and the queue in front of it.
pub struct Writer {
    queue: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
}

/// What the writer is asked for.
enum Message {
    Job(Box<dyn Job>),
    /// To take the whole log into the database and cut it off; nobody's write waits for it to be asked.
    EmptyLog(SyncSender<Result<(), StoreError>>),
}

/// One waiting write, whatever its types.
trait Job: Send {
    fn name(&self) -> &'static str;
    /// Runs it; whether its changes are to stay.
    fn run(&mut self, db: &mut Db) -> bool;
    /// Gives the caller the result, or `failed` in place of a success that did not last.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

struct Task<T, E, F, A> {
    name: &'static str,
    job: F,
    answer: A,
    result: Option<Result<T, E>>,
}

impl<T, E, F, A> Job for Task<T, E, F, A>
where
    F: FnMut(&mut Db) -> Result<T, E> + Send,
    T: Send,
    E: TransactionError,
    A: FnOnce(Result<T, E>) + Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, db: &mut Db) -> bool {
        let result = (self.job)(db);
        let lasting = result.is_ok();
        self.result = Some(result);
        lasting
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        let name = self.name;
        let result = match (self.result, failed) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(failed)) => Err(failed.into()),
            (Some(result), None) => result,
            (None, None) => Err(StoreError::Panicked(name).into()),
        };
        (self.answer)(result);
    }
}

impl Writer {
    /// Starts the thread that owns the write connection, and the connection that [stays](Watcher) at the newest state.
    pub fn start(mut db: Db, watcher: Db, queue: usize) -> Result<Self, StoreError> {
        let (sender, receiver) = sync_channel(queue);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || write_all(&mut db, Watcher::new(watcher), &receiver))
            .map_err(|error| {
                StoreError::Unusable(format!("the writer thread did not start: {error}"))
            })?;
        Ok(Self {
            queue: Some(sender),
            thread: Some(thread),
        })
    }

    /// Puts a job in the queue; `answer` is called on the writer's thread once its fate is known.
    pub fn submit<T, E, F, A>(
        &self,
        name: &'static str,
        job: F,
        answer: A,
    ) -> Result<(), StoreError>
    where
        F: FnMut(&mut Db) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: TransactionError,
        A: FnOnce(Result<T, E>) + Send + 'static,
    {
        let stopped = || StoreError::Busy("the writer has stopped".to_owned());
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue
            .try_send(Message::Job(Box::new(Task {
                name,
                job,
                answer,
                result: None,
            })))
            .map_err(|error| match error {
                TrySendError::Full(_) => StoreError::Busy("too many writes are waiting".to_owned()),
                TrySendError::Disconnected(_) => stopped(),
            })
    }
}

impl Writer {
    /// Empties the log into the database; waits a few seconds for readers. For a thread that may block.
    pub fn empty_log(&self) -> Result<(), StoreError> {
        let stopped = || StoreError::Busy("the writer has stopped".to_owned());
        let (done, emptied) = sync_channel(1);
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(Message::EmptyLog(done)).map_err(|_| stopped())?;
        emptied.recv().map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The last store may be dropped by a job, on the writer's own thread.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                log::error!("the writer's thread ended in a panic");
            }
        }
    }
}

/// A reader that looks at the newest state between two commits. SQLite counts who reads a state: the first to come and the
/// last to go make a system call, under a lock of the whole process. With one always there, a short read makes none.
/// It is away while the writer commits, so that the log can be taken into the database and begin anew.
struct Watcher {
    db: Db,
    is_there: bool,
}

impl Watcher {
    const fn new(db: Db) -> Self {
        Self {
            db,
            is_there: false,
        }
    }

    fn come(&mut self) {
        let looked = self.db.execute(Stmt::new("BEGIN")).and_then(|_| {
            self.is_there = true;
            self.db.number(Stmt::new(
                "SELECT COUNT(*) AS n FROM tenants WHERE tenant_id = 0",
            ))
        });
        if let Err(error) = looked {
            log::warn!("nobody watches the newest state: {error}");
            self.go();
        }
    }

    fn go(&mut self) {
        if std::mem::take(&mut self.is_there)
            && let Err(error) = self.db.execute(Stmt::new("COMMIT"))
        {
            log::warn!("the newest state is watched too long: {error}");
        }
    }
}

fn write_all(db: &mut Db, mut watcher: Watcher, queue: &Receiver<Message>) {
    const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
    let mut jobs: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
    let mut emptying = Vec::new();
    watcher.come();
    while let Ok(first) = queue.recv() {
        for message in std::iter::once(first).chain(queue.try_iter().take(BATCH - 1)) {
            match message {
                Message::Job(job) => jobs.push(job),
                Message::EmptyLog(done) => emptying.push(done),
            }
        }
        if !jobs.is_empty() {
            write_together(db, &mut watcher, &mut jobs);
        }
        watcher.go();
        for done in emptying.drain(..) {
            // who asked may have stopped waiting
            let _ = done.send(db.batch(EMPTY_LOG));
        }
        watcher.come();
    }
    drop(watcher);
    if let Err(error) = db.batch(EMPTY_LOG) {
        log::warn!("the last checkpoint failed: {error}");
    }
}

/// Commits all jobs and answers them.
fn write_together(db: &mut Db, watcher: &mut Watcher, jobs: &mut Vec<Box<dyn Job>>) {
    let outcome = commit_together(db, watcher, jobs);
    if let Err(error) = &outcome {
        log::warn!("{} writes were not committed: {error}", jobs.len());
        // Already rolled back where SQLite did so itself; the error then says that there is no transaction.
        drop(db.batch("ROLLBACK"));
    }
    for job in jobs.drain(..) {
        // A job never outlives its answer: dropping the caller's closure may panic like running it.
        let answered = catch_unwind(AssertUnwindSafe(|| {
            job.answer(outcome.as_ref().err().map(not_committed))
        }));
        if answered.is_err() {
            log::error!("answering a write panicked");
        }
    }
}

/// Runs a job; whether its changes are to stay.
fn run(db: &mut Db, job: &mut dyn Job) -> bool {
    let name = job.name();
    catch_unwind(AssertUnwindSafe(|| job.run(db))).unwrap_or_else(|_| {
        log::error!("the write `{name}` panicked and was taken back");
        false
    })
}

/// One transaction for all jobs. An error means that none of them is on disk.
fn commit_together(
    db: &mut Db,
    watcher: &mut Watcher,
    jobs: &mut [Box<dyn Job>],
) -> Result<(), StoreError> {
    db.execute(Stmt::new("BEGIN IMMEDIATE"))?;
    // Alone it needs no savepoint, in which SQLite would keep a copy of every page it changes.
    if let [job] = jobs {
        let end = if run(db, job.as_mut()) {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        watcher.go();
        db.execute(Stmt::new(end))?;
        return Ok(());
    }
    for job in jobs.iter_mut() {
        db.execute(Stmt::new("SAVEPOINT job"))?;
        // Fails when SQLite has rolled back the whole transaction (a full disk): then the batch is lost, not mixed.
        if !run(db, job.as_mut()) {
            db.execute(Stmt::new("ROLLBACK TO job"))?;
        }
        db.execute(Stmt::new("RELEASE job"))?;
    }
    watcher.go();
    db.execute(Stmt::new("COMMIT"))?;
    Ok(())
}

/// What a caller hears whose job went well in a batch that did not.
fn not_committed(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy(why) => StoreError::Busy(why.clone()),
        other => StoreError::Unusable(format!("the write was not committed: {other}")),
    }
}
