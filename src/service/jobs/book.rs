//! The book of jobs: what is to be done, who may look at it. Not here: doing it (`jobs::run`).

use chrono::NaiveDate;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::permission::Permission;
use crate::clock::Instant;
use crate::ids::{AssignmentId, ConnectionId, GroupId, JobId, LearnerId, TenantId};
use crate::learning::owed::Effects;
use crate::store::Db;
use crate::store::listing::{Found, Paging};
pub use crate::store::queries::enroll::EnrollScope;
use crate::store::queries::events::By;
pub use crate::store::queries::jobs::JobRow;
use crate::store::queries::jobs::{self as rows, NewJob};

use super::super::{Scope, ServiceError};

crate::learning::spelled! {
    /// What a job does.
    Kind {
        /// Writes what is owed within a scope.
        Enroll = "enroll",
        /// Ends the memberships of a deleted group.
        EndGroup = "end_group",
        /// Ends the reasons of a removed assignment.
        EndAssignment = "end_assignment",
        /// Approves learners.
        Approve = "approve",
        /// Looks for what else names a person who was erased.
        Erase = "erase",
        /// Plans or commits a CSV file.
        Import = "import",
    }
}

crate::learning::spelled! {
    /// Where a job stands.
    State {
        /// To be worked on.
        Waiting = "waiting",
        /// An import that is planned and waits for its commit.
        Ready = "ready",
        Done = "done",
        Failed = "failed",
        Canceled = "canceled",
    }
}

crate::learning::spelled! {
    /// Where a job stands, as people see it.
    Shown {
        Waiting = "waiting",
        Running = "running",
        /// An import that is planned and waits for its commit.
        Ready = "ready",
        Done = "done",
        Failed = "failed",
        Canceled = "canceled",
    }
}

/// How long a finished job can be looked at.
pub const KEPT: i64 = 7 * 24 * 60 * 60 * 1000;

/// As many rows are written in the transaction of the change; more are a job's. Small enough to hold SQLite's one writer for
/// less than a tenth of a second.
pub const AT_ONCE: i64 = 2000;

/// What a job that is not an import is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// What is owed within a scope, due no earlier than a day where one is named (§7.15).
    Enroll(EnrollScope, Option<NaiveDate>),
    EndGroup(GroupId),
    EndAssignment(AssignmentId),
    /// Everybody pending, of one connection or of all; or these.
    ApprovePending(Option<ConnectionId>),
    Approve(Vec<LearnerId>),
    Erase(LearnerId),
}

impl Work {
    const fn kind(&self) -> Kind {
        match self {
            Self::Enroll(..) => Kind::Enroll,
            Self::EndGroup(_) => Kind::EndGroup,
            Self::EndAssignment(_) => Kind::EndAssignment,
            Self::ApprovePending(_) | Self::Approve(_) => Kind::Approve,
            Self::Erase(_) => Kind::Erase,
        }
    }

    fn spec(&self) -> Value {
        match self {
            Self::Enroll(scope, floor) => {
                let mut spec = match scope {
                    EnrollScope::Group(id) => json!({"group": id}),
                    EnrollScope::Course(id) => json!({"course": id}),
                    EnrollScope::Assignment(id) => json!({"assignment": id}),
                    EnrollScope::Assignments(ids) => json!({"assignments": ids}),
                    // The relation has the other predicates; a job goes through every assignment for them.
                    _ => json!({}),
                };
                if let (Some(floor), Some(spec)) = (floor, spec.as_object_mut()) {
                    spec.insert("due_floor".to_owned(), floor.to_string().into());
                }
                spec
            }
            Self::EndGroup(id) => json!({"group": id}),
            Self::EndAssignment(id) => json!({"assignment": id}),
            Self::ApprovePending(connection) => json!({"connection": connection}),
            Self::Approve(learners) => json!({"learners": learners}),
            Self::Erase(learner) => json!({"learner": learner}),
        }
    }

    fn subject(&self) -> Option<Uuid> {
        match self {
            Self::Enroll(EnrollScope::Group(id), _) | Self::EndGroup(id) => Some(id.0),
            Self::Enroll(EnrollScope::Course(id), _) => Some(id.0),
            Self::Enroll(EnrollScope::Assignment(id), _) | Self::EndAssignment(id) => Some(id.0),
            Self::Enroll(EnrollScope::Assignments(_), _) => None,
            // One sweep over everything serves whoever asked for it.
            Self::Enroll(..) => Some(Uuid::nil()),
            Self::ApprovePending(_) | Self::Approve(_) => None,
            Self::Erase(id) => Some(id.0),
        }
    }

    fn permission(&self) -> Permission {
        match self {
            Self::Enroll(..) | Self::EndAssignment(_) => Permission::AssignmentsWrite,
            Self::EndGroup(_) => Permission::GroupsWrite,
            Self::ApprovePending(_) | Self::Approve(_) => Permission::LearnersApprove,
            Self::Erase(_) => Permission::SettingsAdmin,
        }
    }

    /// Reads a stored job back. Errors: a bug when its words are not ours.
    pub fn of(job: &JobRow) -> Result<Self, ServiceError> {
        let spec: Value = read(&job.spec)?;
        let id = |name: &str| {
            spec.get(name)
                .and_then(Value::as_str)
                .and_then(|text| Uuid::parse_str(text).ok())
        };
        let missing = || ServiceError::Bug(anyhow::anyhow!("job {} names nothing", job.id));
        Ok(match Kind::parse(&job.kind) {
            Some(Kind::Enroll) => {
                let named = (id("group"), id("course"), id("assignment"));
                let scope = match (named, spec.get("assignments")) {
                    (_, Some(list)) => {
                        EnrollScope::Assignments(serde_json::from_value(list.clone()).map_err(bug)?)
                    }
                    ((Some(id), _, _), _) => EnrollScope::Group(GroupId(id)),
                    ((_, Some(id), _), _) => EnrollScope::Course(crate::ids::CourseId(id)),
                    ((_, _, Some(id)), _) => EnrollScope::Assignment(AssignmentId(id)),
                    _ => EnrollScope::Tenant,
                };
                let floor = spec.get("due_floor").and_then(Value::as_str);
                Self::Enroll(scope, floor.and_then(|day| day.parse().ok()))
            }
            Some(Kind::EndGroup) => Self::EndGroup(GroupId(id("group").ok_or_else(missing)?)),
            Some(Kind::EndAssignment) => {
                Self::EndAssignment(AssignmentId(id("assignment").ok_or_else(missing)?))
            }
            Some(Kind::Approve) => match spec.get("learners") {
                Some(list) => Self::Approve(serde_json::from_value(list.clone()).map_err(bug)?),
                None => Self::ApprovePending(id("connection").map(ConnectionId)),
            },
            Some(Kind::Erase) => Self::Erase(LearnerId(id("learner").ok_or_else(missing)?)),
            Some(Kind::Import) | None => return Err(missing()),
        })
    }
}

/// Reads JSON that we have written.
pub fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, ServiceError> {
    serde_json::from_str(text).map_err(bug)
}

fn bug(error: serde_json::Error) -> ServiceError {
    ServiceError::Bug(anyhow::Error::new(error).context("reading a job"))
}

/// Adds to what a job did so far.
pub fn add(job: &mut JobRow, effects: Effects) -> Result<(), ServiceError> {
    let mut result: Value = read(&job.result)?;
    for (name, more) in [
        ("enrollments", effects.enrollments),
        ("reasons", effects.reasons),
        ("cycles", effects.cycles),
    ] {
        let before = result[name].as_i64().unwrap_or(0);
        result[name] = (before + more).into();
    }
    job.result = result.to_string();
    Ok(())
}

/// Leaves work to a job, in the transaction of the change that owes it. The same sweep is not left twice.
pub fn later(
    db: &mut Db,
    tenant: TenantId,
    work: &Work,
    total: Option<i64>,
    by: &By,
) -> Result<JobId, ServiceError> {
    // One with a floor of its own is another sweep.
    if let Work::Enroll(_, None) = work
        && let Some(subject) = work.subject()
        && let Some(waiting) = rows::waiting_for(db, tenant, work.kind().as_str(), subject)?
        && waiting.done == 0
        && waiting.place == "{}"
    {
        return Ok(waiting.id);
    }
    let id = JobId::new();
    let new = NewJob {
        id,
        kind: work.kind().as_str(),
        state: State::Waiting.as_str(),
        permission: work.permission().as_str(),
        subject: work.subject(),
        spec: work.spec().to_string(),
        place: "{}".to_owned(),
        total,
        expires_at: None,
    };
    rows::insert(db, tenant, &new, by)?;
    Ok(id)
}

/// Whether this scope may look at a job.
fn may_see(scope: &Scope, job: &JobRow) -> bool {
    Permission::parse(&job.permission).is_some_and(|needed| scope.permissions.contains(needed))
}

/// Reads a job. Errors: not found, also for one whose subject the scope may not write.
pub fn find(db: &mut Db, scope: &Scope, id: JobId) -> Result<JobRow, ServiceError> {
    rows::find(db, scope.tenant, id)?
        .filter(|job| may_see(scope, job))
        .ok_or_else(|| ServiceError::not_found("Job", id))
}

/// A page of the jobs the scope may see, newest first.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    kind: Option<Kind>,
    paging: &Paging,
) -> Result<Found<JobRow>, ServiceError> {
    let kind = kind.map(Kind::as_str);
    let may_see: Vec<&str> = scope.permissions.iter().map(Permission::as_str).collect();
    Ok(rows::page(db, scope.tenant, kind, &may_see, paging)?)
}

/// Where a job stands, as people see it.
#[must_use]
pub fn shown(job: &JobRow, now: Instant) -> Shown {
    match State::parse(&job.state) {
        Some(State::Waiting) if job.is_leased(now) || job.done > 0 => Shown::Running,
        Some(State::Waiting) => Shown::Waiting,
        Some(State::Ready) => Shown::Ready,
        Some(State::Done) => Shown::Done,
        Some(State::Canceled) => Shown::Canceled,
        Some(State::Failed) | None => Shown::Failed,
    }
}
