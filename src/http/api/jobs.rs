//! `/jobs`: how far work is that outlives its request (A1 "Long work"); and the approval of many.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Body, Call};
use super::members::LearnerRef;
use super::need;
use super::page::{Page, PageQuery};
use super::problem::Failure;
use super::reply::Reply;
use crate::clock::Instant;
use crate::ids::{ConnectionId, JobId, LearnerId};
use crate::service::ServiceError;
use crate::service::approvals::{self, Approvals};
use crate::service::group_members;
use crate::service::jobs::book::{self, JobRow, Kind, Shown};
use crate::service::listing::Place;

/// Work that outlives its request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Job {
    pub id: JobId,
    pub kind: Kind,
    pub state: Shown,
    /// How many rows or members are done.
    pub done: i64,
    /// Of how many, where that is known beforehand.
    pub total: Option<i64>,
    /// What it did so far.
    #[schema(value_type = Object)]
    pub result: Value,
    /// Where more of it stands.
    pub result_url: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who asked for it.
    pub by: String,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub finished_at: Option<Instant>,
}

impl Job {
    pub(super) fn of(job: &JobRow, now: Instant) -> Self {
        let kind = Kind::parse(&job.kind).unwrap_or(Kind::Enroll);
        let state = book::shown(job, now);
        let over = matches!(state, Shown::Done | Shown::Failed | Shown::Canceled);
        Self {
            id: job.id,
            kind,
            state,
            done: job.done,
            total: job.total,
            result: serde_json::from_str(&job.result).unwrap_or_default(),
            result_url: (kind == Kind::Import).then(|| format!("/api/v1/imports/{}", job.id)),
            error: job.error.clone(),
            by: job.actor.clone(),
            created_at: job.created_at,
            updated_at: job.modified_at,
            finished_at: over.then_some(job.modified_at),
        }
    }
}

/// What narrows a list of jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListJobs {
    #[param(inline)]
    pub kind: Option<Kind>,
}

/// List the jobs this token may see, newest first.
#[utoipa::path(get, path = "/jobs", tag = "Jobs", params(ListJobs, PageQuery), security(("token" = [])),
    responses((status = 200, description = "A page of jobs.", body = Page<Job>)))]
pub async fn list(call: Call<need::Token>) -> Answer {
    let (asked, page): (ListJobs, _) = call.listed()?;
    let list = call.list(page, "")?;
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| book::list(db, scope, asked.kind, &paging))
        .await?;
    let now = call.scope.now;
    let place = |job: &JobRow| Place::id(job.id.0);
    Ok(call.page(found, &list, place, |job| Job::of(job, now)))
}

/// Read a job: how far it is.
#[utoipa::path(get, path = "/jobs/{id}", tag = "Jobs", params(("id" = JobId, Path)), security(("token" = [])),
    responses((status = 200, description = "The job.", body = Job)))]
pub async fn get(call: Call<need::Token>) -> Answer {
    let id: JobId = call.id("Job", "id")?;
    let job = call
        .read(move |db, scope| book::find(db, scope, id))
        .await?;
    Ok(call.shown(None, &Job::of(&job, call.scope.now)))
}

/// A learner by the id alone, or named in any way.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Whom {
    Id(LearnerId),
    Named(LearnerRef),
}

/// How many learners a request may name otherwise than by their ids.
const NAMED: usize = 1000;

/// Whom to approve: `learners`, or `all_pending` of one connection or of all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"all_pending": true}))]
pub struct Approve {
    #[serde(default)]
    #[schema(nullable = false, min_items = 1, max_items = 50000)]
    pub learners: Option<Vec<Whom>>,
    #[serde(default)]
    pub all_pending: bool,
    #[serde(default)]
    pub connection_id: Option<ConnectionId>,
}

/// What an approval of many did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Approved {
    pub approved: i64,
    pub enrollments_created: i64,
    /// The job that approves them, when there are many.
    pub job: Option<JobId>,
}

/// Approve many learners: every waiting membership takes effect. More than some thousand are approved by a job.
#[utoipa::path(post, path = "/learners:approve", tag = "Learners", request_body = Approve, security(("token" = ["learners:approve"])),
    responses((status = 200, description = "They are approved.", body = Approved), (status = 202, description = "A job approves them.", body = Approved)))]
pub async fn approve(call: Call<need::LearnersApprove>, body: Body) -> Answer {
    let asked: Approve = body.read()?;
    let (mut ids, mut named) = (Vec::new(), Vec::new());
    let pending = match (asked.learners, asked.all_pending) {
        (Some(all), false) if asked.connection_id.is_none() => {
            for (n, one) in all.into_iter().enumerate() {
                match one {
                    Whom::Id(id) => ids.push(id),
                    Whom::Named(one) => named.push(one.read(&format!("/learners/{n}"))?),
                }
            }
            None
        }
        (None, true) => Some(Approvals::Pending(asked.connection_id)),
        _ => {
            return Err(ServiceError::invalid(
                "/learners",
                "name `learners`, or say `\"all_pending\": true`, with a `connection_id` or without",
            )
            .into());
        }
    };
    if named.len() > NAMED {
        let most = format!("at most {NAMED} learners are named otherwise than by their ids");
        return Err(Failure::field("/learners", most));
    }
    call.change("approve learners", move |db, scope| {
        let whom = match &pending {
            Some(pending) => pending.clone(),
            None => {
                let mut all = ids.clone();
                all.extend(group_members::named(db, scope, &named)?);
                Approvals::These(all)
            }
        };
        let done = approvals::approve_many(db, scope, &whom)?;
        let answer = Approved {
            approved: done.approved,
            enrollments_created: done.effects.enrollments,
            job: done.job,
        };
        Ok(match done.job {
            Some(job) => Reply {
                status: 202,
                location: Some(format!("/api/v1/jobs/{job}")),
                ..Reply::ok(&answer)?
            },
            None => Reply::ok(&answer)?,
        })
    })
    .await
}
