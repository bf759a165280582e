//! `/enrollments`: one per learner and course, with the reasons why; and the only un-enrollment.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::exchange::Call;
use crate::auth::permission::Permission;
use crate::clock::Instant;
use crate::http::AppState;
use crate::http::guard::ApiCaller;
use crate::ids::{CourseId, EnrollmentId, LearnerId};
use crate::service::enroll;
use crate::service::enrollments::{self, EnrollmentView, ReasonView};

fn show_reason(reason: &ReasonView) -> Value {
    let row = &reason.row;
    json!({
        "id": row.id,
        "kind": row.kind,
        "group": row.group_id.map(|id| json!({"id": id, "name": row.group_name, "name_now": row.group_name_now, "live": row.group_live})),
        "assignment_id": row.assignment_id,
        "membership_id": row.membership_id,
        "mandatory": reason.options.mandatory,
        "due": reason.options.due.to_json(),
        "recert_months": reason.options.recert_months(),
        "since": Instant(row.required_since),
        "ended_at": row.ended_at.map(Instant),
        "end_cause": row.end_cause,
        "request_id": row.request_id,
        "by": row.actor,
        "standing": reason.judgment.as_ref().map(|judgment| json!({
            "status": judgment.status.as_str(),
            "in_grace": judgment.in_grace,
            "due": judgment.due,
            "valid_until": judgment.valid_until,
            "adjustments": judgment.adjustments.iter()
                .map(|one| json!({"kind": one.kind, "from": one.from, "to": one.to}))
                .collect::<Vec<_>>(),
        })),
        "outcomes": reason.outcomes.iter()
            .map(|one| json!({"cycle": one.cycle_n, "due": one.due_frozen, "on_time": one.on_time}))
            .collect::<Vec<_>>(),
    })
}

/// An enrollment in the learner's view.
pub(super) fn show(view: &EnrollmentView) -> Value {
    let row = &view.row;
    let set_by = |position: Option<usize>| {
        position
            .and_then(|n| view.reasons.get(n))
            .map(|reason| json!({"group": reason.row.group_name, "assignment_id": reason.row.assignment_id}))
    };
    json!({
        "id": row.id,
        "learner_id": row.learner_id,
        "learner_name": row.learner_name,
        "course_id": row.course_id,
        "course_title": row.course_title,
        "status": view.now.status.as_str(),
        "status_set_by": set_by(view.status_set_by),
        "in_grace": view.now.in_grace,
        "obligation": view.reasons.iter().any(|reason| reason.judgment.is_some()),
        "mandatory": view.now.mandatory,
        "due": view.now.due,
        "due_set_by": set_by(view.due_set_by),
        "valid_until": view.now.valid_until,
        "valid_until_set_by": set_by(view.valid_set_by),
        "cycle": row.cycle_n.map(|n| json!({
            "n": n,
            "opened_at": row.opened_at.map(Instant),
            "opened_by": row.opened_by,
            "started_at": row.started_at.map(Instant),
            "completed_at": row.completed_at.map(Instant),
            "progress_pct": row.progress_pct,
        })),
        "reasons": view.reasons.iter().map(show_reason).collect::<Vec<_>>(),
        "exceptions": view.exceptions.iter().map(|one| json!({
            "id": one.id,
            "kind": one.kind,
            "reason_id": one.reason_id,
            "until": one.until,
            "why": one.why,
            "granted_at": Instant(one.granted_at),
            "granted_by": one.granted_by,
        })).collect::<Vec<_>>(),
        "created_at": Instant(row.created_at),
        "withdrawn_at": row.withdrawn_at.map(Instant),
        "withdrawn_cause": row.withdrawn_cause,
    })
}

/// `GET /enrollments`
pub async fn list(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::EnrollmentsRead,
        |call| async move {
            let parameters = call.parameters(&["learner_id", "course_id", "limit", "cursor"])?;
            let learner: Option<LearnerId> =
                parameters.read("learner_id", |text| text.parse().ok())?;
            let course: Option<CourseId> =
                parameters.read("course_id", |text| text.parse().ok())?;
            let (limit, after) = (parameters.limit()?, parameters.cursor::<EnrollmentId>()?);
            let rows = call
                .read(move |db, scope| {
                    enrollments::list(db, scope, learner, course, after, limit + 1)
                })
                .await?;
            Ok(call.page(rows, limit, |view| view.row.id.to_string(), show))
        },
    )
    .await
}

/// `GET /enrollments/{id}`
pub async fn get(request: HttpRequest, who: ApiCaller, state: web::Data<AppState>) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::EnrollmentsRead,
        |call| async move {
            call.parameters(&[])?;
            let id: EnrollmentId = call.id("Enrollment", "id")?;
            let view = call
                .read(move |db, scope| enrollments::view(db, scope, id))
                .await?;
            Ok(HttpResponse::Ok().json(show(&view)))
        },
    )
    .await
}

/// `POST /enrollments/{id}/withdraw` with `{"reason"}`: a person un-enrolls.
pub async fn withdraw(
    request: HttpRequest,
    who: ApiCaller,
    body: web::Bytes,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::EnrollmentsWrite,
        |call| async move {
            let id: EnrollmentId = call.id("Enrollment", "id")?;
            let why = call
                .body(&body, &["reason"])?
                .text("reason")?
                .unwrap_or_default();
            let view = call
                .write("withdraw enrollment", move |db, scope| {
                    enrollments::withdraw(db, scope, id, &why)
                })
                .await?;
            Ok(HttpResponse::Ok().json(show(&view)))
        },
    )
    .await
}

/// `GET /explain?learner=&course=`: the predicates of every membership through which the course could be owed.
pub async fn explain(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::EnrollmentsRead,
        |call| async move {
            let parameters = call.parameters(&["learner", "course"])?;
            let missing = |name| super::exchange::wrong("query", format!("`{name}` is missing"));
            let learner: LearnerId = parameters
                .read("learner", |text| text.parse().ok())?
                .ok_or_else(|| missing("learner"))?;
            let course: CourseId = parameters
                .read("course", |text| text.parse().ok())?
                .ok_or_else(|| missing("course"))?;
            let checked = call
                .read(move |db, scope| enroll::explain(db, scope, learner, course))
                .await?;
            let shown: Vec<Value> = checked
                .iter()
                .map(|one| {
                    json!({
                        "group": {"id": one.through.group_id, "name": one.through.group_name},
                        "assignment_id": one.through.assignment_id,
                        "membership_id": one.through.membership_id,
                        "code": one.blocker.code(),
                        "detail": one.blocker.sentence(),
                    })
                })
                .collect();
            let enrolled = checked
                .iter()
                .any(|one| one.blocker == crate::learning::owed::Blocker::Enrolled);
            let blocker = if enrolled {
                Value::Null
            } else {
                json!({"code": checked.first().map_or("no_membership", |one| one.blocker.code())})
            };
            Ok(HttpResponse::Ok()
                .json(json!({"enrolled": enrolled, "first_blocker": blocker, "checked": shown})))
        },
    )
    .await
}
