//! Driving a job: step after step, each a transaction of its own, until it is over or somebody else has it.

use std::sync::Arc;
use std::time::Instant as Stopwatch;

use crate::clock::Clock;
use crate::ids::{JobId, TenantId};
use crate::service::ServiceError;
use crate::service::imports::survey;
use crate::store::Store;

use super::run::{self, Pace, Runner, Step, Tools};

/// Steps through a job on a runtime, as workers and requests do.
pub async fn drive(
    store: &Store,
    clock: &Clock,
    tools: &Arc<Tools>,
    runner: Runner,
    (tenant, id): (TenantId, JobId),
) -> Result<(), ServiceError> {
    let mut pace = pace_of(store);
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
            Ok((Step::Survey, _)) => {
                let seen = store
                    .read(move |db| survey::look(db, tenant, id, now))
                    .await?;
                store
                    .write("plan", move |db| survey::note(db, tenant, id, &seen, now))
                    .await?;
                return Ok(());
            }
            Ok((Step::Erased, _)) => {
                store.empty_log_soon().await;
                return Ok(());
            }
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

fn pace_of(store: &Store) -> Pace {
    match store.sqlite_path() {
        Some(_) => Pace::new(),
        None => Pace::beside_others(),
    }
}

/// The same for a thread that may block: the command line. `told` hears after each step.
pub fn drive_blocking(
    store: &Store,
    clock: &Clock,
    tools: &Tools,
    runner: Runner,
    (tenant, id): (TenantId, JobId),
    mut told: impl FnMut(),
) -> Result<Step, ServiceError> {
    let mut pace = pace_of(store);
    loop {
        let (now, size) = (clock.now(), pace.rows());
        let begun = Stopwatch::now();
        // The writer's thread needs what it is given for as long as it wants.
        let tools = Tools {
            registry: Arc::clone(&tools.registry),
        };
        let step = store.write_blocking("job", move |db| {
            run::step(db, &tools, runner, (tenant, id), now, size)
        })?;
        told();
        match step {
            Step::More => pace.learn(begun.elapsed()),
            Step::Survey => {
                let seen = store.read_blocking(move |db| survey::look(db, tenant, id, now))?;
                store.write_blocking("plan", move |db| survey::note(db, tenant, id, &seen, now))?;
                return Ok(Step::Over);
            }
            Step::Erased => {
                store.empty_log()?;
                return Ok(Step::Over);
            }
            Step::Over | Step::Taken => return Ok(step),
        }
    }
}
