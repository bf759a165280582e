//! The runner of jobs: looks for one that waits, does it step by step, forgets old ones. Any number of nodes may run it.

use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use crate::clock::Clock;
use crate::ids::{JobId, TenantId};
use crate::service::ServiceError;
use crate::service::jobs::run::{self, Pace, Runner, Step, Tools};
use crate::store::Store;

/// How long it sleeps when nothing waits.
const PERIOD: Duration = Duration::from_millis(250);

/// How many rounds without work lie between two looks at what is to be forgotten: about a minute.
const ROUNDS: u32 = 240;

/// Runs for ever.
pub async fn run(store: Store, clock: Clock, tools: Arc<Tools>) {
    let runner = Runner::new();
    let mut round = 0;
    loop {
        match once(&store, &clock, &tools, runner).await {
            Ok(true) => {}
            Ok(false) => {
                if round == 0
                    && let Err(error) = forget(&store, &clock).await
                {
                    log::warn!("old jobs were not forgotten: {error}");
                }
                round = (round + 1) % ROUNDS;
                tokio::time::sleep(PERIOD).await;
            }
            Err(error) => {
                log::error!("the runner of jobs is held up: {error}");
                tokio::time::sleep(PERIOD * 4).await;
            }
        }
    }
}

/// Does one job as far as it goes; `false` when none waits.
pub async fn once(
    store: &Store,
    clock: &Clock,
    tools: &Arc<Tools>,
    runner: Runner,
) -> Result<bool, ServiceError> {
    let now = clock.now();
    // A look first: on SQLite the writer is not asked for nothing.
    if store
        .read_short(move |db| run::waits(db, runner, now))
        .await?
    {
        let claimed = store
            .write("claim a job", move |db| run::claim(db, runner, now))
            .await?;
        if let Some((tenant, id)) = claimed {
            drive(store, clock, tools, runner, (tenant, id)).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Steps through a job until it is over or somebody else has it.
pub async fn drive(
    store: &Store,
    clock: &Clock,
    tools: &Arc<Tools>,
    runner: Runner,
    (tenant, id): (TenantId, JobId),
) -> Result<(), ServiceError> {
    let mut pace = Pace::new();
    loop {
        let (now, size, tools) = (clock.now(), pace.rows(), Arc::clone(tools));
        let step = store
            .write("job", move |db| {
                let begun = Stopwatch::now();
                let step = run::step(db, &tools, runner, (tenant, id), now, size)?;
                Ok::<_, ServiceError>((step, begun.elapsed()))
            })
            .await;
        match step {
            Ok((Step::More, took)) => pace.learn(took),
            Ok((Step::Over | Step::Taken, _)) => return Ok(()),
            Err(error @ (ServiceError::Unavailable(_) | ServiceError::Retry)) => return Err(error),
            Err(error) => {
                log::error!("job {id} of tenant {tenant} failed: {error}");
                let why = run::excuse(&error);
                return store
                    .write("give up a job", move |db| {
                        run::fail(db, tenant, id, &why, now)
                    })
                    .await;
            }
        }
    }
}

/// Deletes what was kept long enough, a piece at a time.
async fn forget(store: &Store, clock: &Clock) -> Result<(), ServiceError> {
    let now = clock.now();
    while store
        .write("forget old jobs", move |db| run::forget(db, now))
        .await?
    {}
    Ok(())
}
