//! Jobs that a command leaves behind, done before it ends.

use std::sync::Arc;

use super::Ended;
use crate::clock::Clock;
use crate::scim::schema::Registry;
use crate::service::jobs::drive::drive_blocking;
use crate::service::jobs::run::{self, Runner, Tools};
use crate::store::Store;

/// What jobs need here: accounts made from a file have no attribute of an operator's own.
pub(super) fn tools() -> Result<Tools, Ended> {
    Ok(Tools {
        registry: Arc::new(Registry::builtin()?),
    })
}

/// Does what a change has left to jobs: on the command line nobody comes after us.
pub(super) fn finish_jobs(store: &Store, tools: &Tools) -> Result<(), Ended> {
    let runner = Runner::new();
    loop {
        let now = Clock::system().now();
        let claimed = store.write_blocking("claim a job", move |db| run::claim(db, runner, now))?;
        let Some(job) = claimed else { return Ok(()) };
        drive_blocking(store, &Clock::system(), tools, runner, job, || {})?;
    }
}
