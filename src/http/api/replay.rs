//! `/sync/simulate`, `/sync/requests/{id}/replay`, `/sync/requests:replay`: SCIM requests run for show or again
//! (`rest-and-console.md` A2, A7).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::call::{Answer, Body, Call};
use super::members::Warning;
use super::need::{self, Need};
use super::reply::Reply;
use crate::http::error;
use crate::http::scim::{bulk, exchange};
use crate::ids::{ConnectionId, RequestId};
use crate::scim::schema::Registry;
use crate::service::bulk::Done;
use crate::service::directory::{self, Parts};
use crate::service::replay::{self, Ran, ScimRequest};
use crate::service::sync_log::SyncEntry;
use crate::service::{Scope, ServiceError};
use crate::store::Db;

/// How a SCIM request writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ScimMethod {
    Post,
    Put,
    Patch,
    Delete,
}

impl ScimMethod {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A SCIM request to try.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedRequest {
    pub method: ScimMethod,
    /// `/Users`, `/Groups/{id}`; with `/scim/v2` before it or without.
    #[schema(min_length = 1, max_length = 2048)]
    pub path: String,
    /// As the identity provider would send it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub body: Option<Value>,
}

/// SCIM requests to try, one after the other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"requests": [{"method": "POST", "path": "/Users", "body": {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "cleo@example.com"}}]}))]
pub struct Simulate {
    /// As a client of this connection; of none unless told.
    #[serde(default)]
    pub connection_id: Option<ConnectionId>,
    #[schema(min_items = 1, max_items = 100)]
    pub requests: Vec<SimulatedRequest>,
}

/// What became of one SCIM request.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScimResult {
    pub method: String,
    pub path: String,
    /// `success`, `no_op` or `error`.
    pub outcome: String,
    /// What its client would be answered.
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// Why not, after `error`; a code and a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub members_added: i64,
    pub members_ended: i64,
    pub enrollments_created: i64,
    pub warnings: Vec<Warning>,
}

fn shown(ran: &Ran, done: &Done, request: RequestId) -> ScimResult {
    let operation = ran.plan.request.operations.get(done.index);
    let place = done.place.as_ref();
    let mut result = ScimResult {
        method: operation.map(|one| one.method.clone()).unwrap_or_default(),
        path: operation.map(|one| one.path.clone()).unwrap_or_default(),
        outcome: "success".to_owned(),
        status: bulk::success(operation).as_u16(),
        scim_type: None,
        code: None,
        detail: None,
        resource_type: place.map(|(kind, _)| kind.name().to_owned()),
        resource_id: place.map(|(_, id)| id.clone()),
        members_added: 0,
        members_ended: 0,
        enrollments_created: 0,
        warnings: Vec::new(),
    };
    match &done.result {
        Ok(written) => {
            if !written.changed {
                "no_op".clone_into(&mut result.outcome);
            }
            result.members_added = written.members_added;
            result.members_ended = written.members_ended;
            result.enrollments_created = written.effects.enrollments;
            let warning = |note: &crate::scim::message::Note| Warning {
                code: note.code.to_owned(),
                path: Some(note.path.clone()),
            };
            result.warnings = written.notes.iter().map(warning).collect();
        }
        Err(error) => {
            let failure = error::scim(error, request);
            "error".clone_into(&mut result.outcome);
            result.status = failure.status.as_u16();
            result.scim_type = failure.scim_type.map(str::to_owned);
            result.code = Some(error::told(error, request).code.to_owned());
            result.detail = Some(failure.detail);
        }
    }
    result
}

/// What a use case of the directory needs beside its scope.
struct Directory {
    registry: Arc<Registry>,
    base: Arc<str>,
}

impl Directory {
    fn of<N: Need>(call: &Call<N>) -> Self {
        Self {
            registry: call.state.registry.clone(),
            base: exchange::base(&call.state, &call.request),
        }
    }

    fn call(&self) -> directory::Call<'_> {
        directory::Call {
            registry: &self.registry,
            base: &self.base,
            parts: Parts {
                members: false,
                groups: false,
                learner: false,
                names: false,
            },
        }
    }
}

/// What became of the requests, and what to know of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Simulated {
    pub results: Vec<ScimResult>,
}

/// Run SCIM requests without effect: what they would do to the directory and to enrollments. `response.body.results` tells what
/// each would be answered.
#[utoipa::path(post, path = "/sync/simulate", tag = "Sync log", request_body = Simulate, security(("token" = ["sync:replay"])),
    responses((status = 200, description = "The plan.", body = crate::service::dry_run::Plan)))]
pub async fn simulate(call: Call<need::SyncReplay>, body: Body) -> Answer {
    let asked: Simulate = body.read()?;
    let requests: Vec<ScimRequest> = asked
        .requests
        .into_iter()
        .map(|one| ScimRequest {
            method: one.method.as_str().to_owned(),
            path: one.path,
            body: one.body.unwrap_or_default(),
        })
        .collect();
    let directory = Directory::of(&call);
    // It always is one; a value that is none is refused all the same.
    call.is_dry_run()?;
    call.rehearse("simulate", move |db, scope| {
        let acting = replay::on_behalf(db, scope, asked.connection_id, "simulated")?;
        let ran = replay::run(db, &acting, directory.call(), &requests)?;
        let results = ran.done.iter().map(|one| shown(&ran, one, scope.request));
        Reply::ok(&Simulated {
            results: results.collect(),
        })
    })
    .await
}

/// How a request is run again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct ReplayOne {
    /// Also when what it wrote has been written since; needs `settings:admin`.
    #[serde(default)]
    pub force: bool,
}

/// Which requests are run again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"requests": ["0199a2c9-0000-7000-8000-000000000001"], "stop_on_failure": true}))]
pub struct ReplayMany {
    /// They run in the order in which they came.
    #[schema(min_items = 1, max_items = 100)]
    pub requests: Vec<RequestId>,
    #[serde(default)]
    pub stop_on_failure: bool,
    /// Also when what they wrote has been written since; needs `settings:admin`.
    #[serde(default)]
    pub force: bool,
}

/// One request that was run again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// The new request in the log; null when it was not run.
    pub request_id: Option<RequestId>,
    pub replay_of: RequestId,
    #[serde(flatten)]
    pub result: ScimResult,
}

/// What became of the requests that were run again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayResults {
    pub results: Vec<Replayed>,
}

fn closed(entry: SyncEntry, scope: &Scope, ran: &Ran) -> SyncEntry {
    match ran.done.first() {
        Some(done) => bulk::closed(&ran.plan, entry, scope, done),
        None => entry,
    }
}

fn one_again(
    db: &mut Db,
    scope: &Scope,
    call: directory::Call<'_>,
    (id, force): (RequestId, bool),
) -> Result<Replayed, ServiceError> {
    let (made, ran) = replay::again(db, scope, call, (id, force), &closed)?;
    let result = ran.done.first().map(|done| shown(&ran, done, made));
    Ok(Replayed {
        request_id: Some(made),
        replay_of: id,
        result: result
            .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("a replay has run no operation")))?,
    })
}

/// Run a request again that was rejected, has failed or was skipped in part, against what is there today; `?dry_run=true` shows
/// first what it would do. Nothing is sent to the identity provider.
#[utoipa::path(post, path = "/sync/requests/{id}/replay", tag = "Sync log", params(("id" = RequestId, Path)), request_body = ReplayOne,
    security(("token" = ["sync:replay"])),
    responses((status = 200, description = "What became of it.", body = ReplayResults),
        (status = 409, description = "`superseded`, `not_replayable`")))]
pub async fn replay_one(call: Call<need::SyncReplay>, body: Body) -> Answer {
    let id: RequestId = call.id("request", "id")?;
    let asked: ReplayOne = body.read()?;
    let directory = Directory::of(&call);
    call.change("replay request", move |db, scope| {
        let one = one_again(db, scope, directory.call(), (id, asked.force))?;
        Reply::ok(&ReplayResults { results: vec![one] })
    })
    .await
}

/// Run several requests again, in the order in which they came. One that may not run again is told with its code and stops the
/// others only with `stop_on_failure`.
#[utoipa::path(post, path = "/sync/requests:replay", tag = "Sync log", request_body = ReplayMany, security(("token" = ["sync:replay"])),
    responses((status = 200, description = "What became of each.", body = ReplayResults)))]
pub async fn replay_many(call: Call<need::SyncReplay>, body: Body) -> Answer {
    let mut asked: ReplayMany = body.read()?;
    asked.requests.sort_unstable();
    asked.requests.dedup();
    let directory = Directory::of(&call);
    call.change("replay requests", move |db, scope| {
        let mut results = Vec::new();
        for id in asked.requests.iter().copied() {
            let tried =
                db.savepoint(|db| one_again(db, scope, directory.call(), (id, asked.force)));
            let one = match tried {
                Err(
                    error @ (ServiceError::Retry
                    | ServiceError::Unavailable(_)
                    | ServiceError::Denied(_)
                    | ServiceError::Bug(_)),
                ) => return Err(error),
                Err(error) => not_run(id, &error, scope.request),
                Ok(one) => one,
            };
            let failed = one.result.outcome == "error";
            results.push(one);
            if failed && asked.stop_on_failure {
                break;
            }
        }
        Reply::ok(&ReplayResults { results })
    })
    .await
}

fn not_run(id: RequestId, error: &ServiceError, request: RequestId) -> Replayed {
    let told = error::told(error, request);
    Replayed {
        request_id: None,
        replay_of: id,
        result: ScimResult {
            method: String::new(),
            path: String::new(),
            outcome: "error".to_owned(),
            status: told.status.as_u16(),
            scim_type: None,
            code: Some(told.code.to_owned()),
            detail: Some(told.detail),
            resource_type: None,
            resource_id: None,
            members_added: 0,
            members_ended: 0,
            enrollments_created: 0,
            warnings: Vec::new(),
        },
    }
}
