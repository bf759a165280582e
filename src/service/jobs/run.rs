//! Doing jobs: one step is one transaction, which writes its part and where the next one begins.
//!
//! So a crash between two steps loses nothing, and whoever finds the job next goes on where it stands. Every step leaves the
//! writer to others; how much one step does is the runner's to choose.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::{AssignmentId, JobId, LearnerId, TenantId};
use crate::learning::membership::EndCause;
use crate::learning::owed::Effects;
use crate::scim::schema::Registry;
use crate::store::Db;
use crate::store::queries::enroll::EnrollScope;
use crate::store::queries::jobs as rows;
use crate::store::queries::memberships::{self, Which};
use crate::store::queries::{groups_learning, imports as import_rows, learners};

use super::super::enroll::{enroll_by, enroll_from};
use super::super::imports::steps::Left;
use super::super::{ServiceError, erasure, imports};
use super::book::{self, JobRow, KEPT, Kind, State, Work};

/// How long a step may take before another runner thinks that this one is dead.
const LEASE: i64 = 5 * 1000;

/// How many rows one step names, one by one.
const NAMED: i64 = 1000;

/// How many assignments one step looks at, when they have few members each.
const ASSIGNMENTS: usize = 50;

/// Who runs jobs: one per process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runner(Uuid);

impl Runner {
    #[allow(clippy::new_without_default, reason = "a runner is not a value")]
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

/// What a step left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to do.
    More,
    /// A plan's rows are classified: they are to be summed up beside the writer.
    Survey,
    /// The job is over, or waits for a person.
    Over,
    /// The same, and what it erased must not stay in the database's own log.
    Erased,
    /// Somebody else works on it.
    Taken,
}

/// How many rows a step takes, so that it holds the writer for about 40 ms.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    rows: i64,
    aim: Duration,
    least: i64,
}

impl Pace {
    /// A step is short where every other writer waits behind it, as on SQLite.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rows: 250,
            aim: Duration::from_millis(40),
            least: 50,
        }
    }

    /// Where nobody waits but who changes the same group, as on PostgreSQL, a step is as long as its fixed cost deserves.
    #[must_use]
    pub const fn beside_others() -> Self {
        Self {
            rows: 1000,
            aim: Duration::from_millis(400),
            least: 250,
        }
    }

    /// The rows of the next step.
    #[must_use]
    pub const fn rows(self) -> i64 {
        self.rows
    }

    /// Learns from what a step took.
    pub fn learn(&mut self, took: Duration) {
        if took > self.aim * 2 {
            self.rows /= 2;
        } else if took < self.aim / 2 {
            self.rows += self.rows / 4;
        }
        self.rows = self.rows.clamp(self.least, 4000);
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

/// What steps need beside the database.
pub struct Tools {
    pub registry: Arc<Registry>,
}

/// Whether a job waits that nobody else works on.
pub fn waits(db: &mut Db, runner: Runner, now: Instant) -> Result<bool, ServiceError> {
    Ok(rows::next(db, runner.0, now, false)?.is_some())
}

/// Takes the oldest job that waits and that nobody else works on.
pub fn claim(
    db: &mut Db,
    runner: Runner,
    now: Instant,
) -> Result<Option<(TenantId, JobId)>, ServiceError> {
    let Some(job) = rows::next(db, runner.0, now, true)? else {
        return Ok(None);
    };
    rows::lease(
        db,
        job.tenant(),
        job.id,
        runner.0,
        now,
        now.plus_millis(LEASE),
    )?;
    Ok(Some((job.tenant(), job.id)))
}

/// Takes a job in the transaction that lets it wait, so that nobody else does.
pub fn hold(
    db: &mut Db,
    runner: Runner,
    tenant: TenantId,
    id: JobId,
    now: Instant,
) -> Result<(), ServiceError> {
    rows::lease(db, tenant, id, runner.0, now, now.plus_millis(LEASE))?;
    Ok(())
}

/// Takes a waiting job and reads it; `None` when somebody else has it or it is over.
pub fn take(
    db: &mut Db,
    runner: Runner,
    tenant: TenantId,
    id: JobId,
    now: Instant,
) -> Result<Result<JobRow, Step>, ServiceError> {
    if !rows::lease(db, tenant, id, runner.0, now, now.plus_millis(LEASE))? {
        return Ok(Err(Step::Taken));
    }
    Ok(match rows::find(db, tenant, id)? {
        Some(job) if job.state == State::Waiting.as_str() => Ok(job),
        _ => Err(Step::Over),
    })
}

/// Writes what a step has changed; a job that is over is kept for a while.
pub fn put(db: &mut Db, job: &mut JobRow, over: bool, now: Instant) -> Result<Step, ServiceError> {
    if over {
        State::Done.as_str().clone_into(&mut job.state);
        job.expire(Some(now.plus_millis(KEPT)));
    }
    rows::save(db, job, now)?;
    Ok(if over { Step::Over } else { Step::More })
}

/// One step of a job.
pub fn step(
    db: &mut Db,
    tools: &Tools,
    runner: Runner,
    (tenant, id): (TenantId, JobId),
    now: Instant,
    size: i64,
) -> Result<Step, ServiceError> {
    let mut job = match take(db, runner, tenant, id, now)? {
        Ok(job) => job,
        Err(step) => return Ok(step),
    };
    // statements of these name each row
    let named = size.min(NAMED);
    if job.kind == Kind::Import.as_str() {
        return Ok(
            match imports::steps::step(db, &tools.registry, &mut job, now, named)? {
                Left::More => put(db, &mut job, false, now)?,
                Left::Over => put(db, &mut job, true, now)?,
                Left::Survey => {
                    put(db, &mut job, false, now)?;
                    Step::Survey
                }
            },
        );
    }
    let over = match Work::of(&job)? {
        Work::Enroll(scope, floor) => enroll_some(db, &mut job, &scope, floor, size)?,
        Work::EndGroup(group) => {
            let some = rows::some_members(db, tenant, group, size)?;
            let by = job.by();
            job.done += memberships::end(
                db,
                tenant,
                Which::Periods(&some),
                EndCause::GroupDeleted,
                &by,
            )?
            .count;
            i64::try_from(some.len()).unwrap_or(i64::MAX) < size
        }
        Work::EndAssignment(assignment) => {
            let cause = EndCause::AssignmentRemoved.as_str();
            let at = job.created_at;
            let ended = rows::end_some_reasons(db, tenant, assignment, cause, at, size)?;
            job.done += ended;
            ended < size
        }
        Work::ApprovePending(connection) => {
            let place: Place = book::read(&job.place)?;
            let after = place.learner.unwrap_or(LearnerId(Uuid::nil()));
            let some = learners::pending(db, tenant, connection, after, named)?;
            approve(db, &mut job, &some)?;
            if let Some(last) = some.last() {
                job.place = Place {
                    assignment: None,
                    learner: Some(*last),
                }
                .text();
            }
            i64::try_from(some.len()).unwrap_or(i64::MAX) < named
        }
        Work::Erase(learner) => erasure::sweep::step(db, &mut job, learner, now, size)?,
        Work::Approve(all) => {
            let from = usize::try_from(job.done)
                .unwrap_or(usize::MAX)
                .min(all.len());
            let some: Vec<LearnerId> = all
                .into_iter()
                .skip(from)
                .take(usize::try_from(named).unwrap_or(usize::MAX))
                .collect();
            approve(db, &mut job, &some)?;
            i64::try_from(some.len()).unwrap_or(i64::MAX) < named
        }
    };
    let erased = over && job.kind == Kind::Erase.as_str();
    let step = put(db, &mut job, over, now)?;
    Ok(if erased { Step::Erased } else { step })
}

/// Where the next step of an enroll begins.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Place {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assignment: Option<AssignmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learner: Option<LearnerId>,
}

impl Place {
    fn text(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }
}

/// Enrolls about `size` members, assignment by assignment, learner by learner; `true` when none is left.
fn enroll_some(
    db: &mut Db,
    job: &mut JobRow,
    scope: &EnrollScope,
    due_floor: Option<NaiveDate>,
    size: i64,
) -> Result<bool, ServiceError> {
    let (tenant, by) = (job.tenant(), job.by());
    let mut place: Place = book::read(&job.place)?;
    let mut effects = Effects::default();
    let mut left = size;
    let mut over = false;
    for _ in 0..ASSIGNMENTS {
        let from = place.assignment.unwrap_or(AssignmentId(Uuid::nil()));
        let Some(next) = rows::next_assignment(db, tenant, scope, from)? else {
            over = true;
            break;
        };
        if place.assignment != Some(next.id) {
            place.learner = None;
        }
        let after = place.learner.unwrap_or(LearnerId(Uuid::nil()));
        // As an assignment does: whoever joins meanwhile is enrolled by their own joining.
        groups_learning::lock(db, tenant, &[next.group_id])?;
        let upto = rows::member_after(db, tenant, next.group_id, after, left)?;
        let looked = match upto {
            Some(_) => left,
            None => rows::members_after(db, tenant, next.group_id, after)?,
        };
        if looked > 0 {
            let range = EnrollScope::Range {
                assignment: next.id,
                after,
                upto: upto.unwrap_or(LearnerId(Uuid::max())),
            };
            effects += enroll_from(db, tenant, &range, due_floor, &by)?;
        }
        job.done += looked;
        left -= looked;
        place = match upto {
            Some(_) => Place {
                assignment: Some(next.id),
                learner: upto,
            },
            None => Place {
                assignment: Some(AssignmentId(Uuid::from_u128(
                    next.id.0.as_u128().saturating_add(1),
                ))),
                learner: None,
            },
        };
        if left <= 0 {
            break;
        }
    }
    job.place = place.text();
    book::add(job, effects)?;
    Ok(over)
}

/// Approves these learners, whoever of them is not, and writes what they are owed (4.4).
fn approve(db: &mut Db, job: &mut JobRow, some: &[LearnerId]) -> Result<(), ServiceError> {
    let (tenant, by) = (job.tenant(), job.by());
    let approved = learners::approve_all(db, tenant, some, &by)?;
    let effects = enroll_by(db, tenant, &EnrollScope::Learners(approved.clone()), &by)?;
    job.done += i64::try_from(some.len()).unwrap_or(i64::MAX);
    let mut result: serde_json::Value = book::read(&job.result)?;
    let before = result["approved"].as_i64().unwrap_or(0);
    result["approved"] = (before + i64::try_from(approved.len()).unwrap_or(i64::MAX)).into();
    job.result = result.to_string();
    book::add(job, effects)
}

/// Gives up a job that cannot be done.
pub fn fail(
    db: &mut Db,
    tenant: TenantId,
    id: JobId,
    why: &str,
    now: Instant,
) -> Result<(), ServiceError> {
    if let Some(mut job) = rows::find_for_update(db, tenant, id)?
        && job.state == State::Waiting.as_str()
    {
        State::Failed.as_str().clone_into(&mut job.state);
        job.error = Some(why.to_owned());
        job.expire(Some(now.plus_millis(KEPT)));
        rows::save(db, &job, now)?;
    }
    Ok(())
}

/// What a job that failed tells whoever asks; a mistake of ours stands in the log.
#[must_use]
pub fn excuse(error: &ServiceError) -> String {
    match error {
        ServiceError::Bug(_) => "the server made a mistake; its log says which".to_owned(),
        told => told.to_string(),
    }
}

/// Forgets one job that was kept long enough; `false` when there is none.
pub fn forget(db: &mut Db, now: Instant) -> Result<bool, ServiceError> {
    let Some(job) = rows::expired(db, now)? else {
        return Ok(false);
    };
    // An import's rows first, a piece at a time.
    let some = import_rows::delete_some(db, job.tenant(), job.id, 1000)?;
    if some < 1000 {
        rows::delete(db, job.tenant(), job.id)?;
    }
    Ok(true)
}
