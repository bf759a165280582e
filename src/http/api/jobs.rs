//! `/jobs`: how far work is that outlives its request (A1 "Long work"); and the approval of many.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::exchange::{Call, wrong};
use crate::auth::permission::Permission;
use crate::clock::Instant;
use crate::http::AppState;
use crate::http::guard::ApiCaller;
use crate::ids::{ConnectionId, JobId, LearnerId};
use crate::service::jobs::book::{self, JobRow, Kind, shown_state};
use crate::service::learners::{self, Approvals};

/// How many learners one request names at most.
const LEARNERS: usize = 100_000;

/// A job as it is shown.
pub(super) fn show(job: &JobRow, now: Instant) -> Value {
    let result: Value = serde_json::from_str(&job.result).unwrap_or_default();
    let over = matches!(shown_state(job, now), "done" | "failed" | "canceled");
    json!({
        "id": job.id,
        "kind": job.kind,
        "state": shown_state(job, now),
        "done": job.done,
        "total": job.total,
        "result": result,
        "result_url": (job.kind == Kind::Import.as_str()).then(|| format!("/api/v1/imports/{}", job.id)),
        "error": job.error,
        "by": job.actor,
        "created_at": job.created_at,
        "updated_at": job.modified_at,
        "finished_at": over.then_some(job.modified_at),
    })
}

/// `202` with the address of the job.
pub(super) fn accepted(job: JobId, body: &Value) -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header(("location", format!("/api/v1/jobs/{job}")))
        .json(body)
}

/// `GET /jobs`: those this token may see, newest first.
pub async fn list(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer_any(request, who, state, |call| async move {
        let parameters = call.parameters(&["kind", "limit", "cursor"])?;
        let kind = parameters.read("kind", Kind::parse)?;
        let (limit, before) = (parameters.limit()?, parameters.cursor::<JobId>()?);
        let rows = call
            .read(move |db, scope| book::list(db, scope, kind, before, limit + 1))
            .await?;
        let now = call.scope.now;
        Ok(call.page(rows, limit, |job| job.id.to_string(), |job| show(job, now)))
    })
    .await
}

/// `GET /jobs/{id}`
pub async fn get(request: HttpRequest, who: ApiCaller, state: web::Data<AppState>) -> HttpResponse {
    Call::answer_any(request, who, state, |call| async move {
        call.parameters(&[])?;
        let id: JobId = call.id("Job", "id")?;
        let job = call
            .read(move |db, scope| book::find(db, scope, id))
            .await?;
        Ok(HttpResponse::Ok().json(show(&job, call.scope.now)))
    })
    .await
}

/// `POST /learners:approve`: those who are named, or everybody who waits.
pub async fn approve(
    request: HttpRequest,
    who: ApiCaller,
    body: web::Bytes,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::LearnersApprove,
        |call| async move {
            let fields = call.body(&body, &["learners", "connection_id", "all_pending"])?;
            let whom = match (fields.value("learners"), fields.boolean("all_pending")?) {
                (Some(list), None) => {
                    let ids: Vec<LearnerId> =
                        serde_json::from_value(list.clone()).map_err(|error| {
                            wrong("/learners", format!("`learners` is a list of ids: {error}"))
                        })?;
                    if ids.len() > LEARNERS {
                        return Err(wrong("/learners", format!("at most {LEARNERS} at a time")));
                    }
                    Approvals::These(ids)
                }
                (None, Some(true)) => Approvals::Pending(
                    fields.read("connection_id", |text| text.parse::<ConnectionId>().ok())?,
                ),
                _ => {
                    return Err(wrong(
                        "/learners",
                        "name `learners`, or say `\"all_pending\": true`",
                    ));
                }
            };
            let done = call
                .write("approve learners", move |db, scope| {
                    learners::approve_many(db, scope, &whom)
                })
                .await?;
            let answer = json!({
                "approved": done.approved,
                "enrollments_created": done.effects.enrollments,
                "job": done.job,
            });
            Ok(match done.job {
                Some(job) => accepted(job, &answer),
                None => HttpResponse::Ok().json(answer),
            })
        },
    )
    .await
}
