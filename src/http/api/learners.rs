//! `/learners`: people, their approval, their accounts and groups.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::exchange::Call;
use crate::auth::permission::Permission;
use crate::clock::Instant;
use crate::http::AppState;
use crate::http::guard::ApiCaller;
use crate::ids::LearnerId;
use crate::learning::learner::Approval;
use crate::service::learners::{self, LearnerView};
use crate::service::learners::{LearnerFilter, LearnerRow};

fn show(row: &LearnerRow) -> Value {
    let facts = row.facts();
    json!({
        "id": row.id,
        "name": row.display_name,
        "email": row.email,
        "registration": facts.registration.as_str(),
        "approval": facts.approval.as_str(),
        "active": facts.active,
        "suspended": facts.suspended,
        "deleted_at": row.deleted_at.map(Instant),
        "registered_via": row.registered_via,
        "approved_by": row.approved_by,
        "approved_at": row.approved_at.map(Instant),
        "version": row.version,
        "created_at": Instant(row.created_at),
        "updated_at": Instant(row.modified_at),
    })
}

fn show_whole(view: &LearnerView) -> Value {
    let mut body = show(&view.row);
    body["accounts"] = view
        .accounts
        .iter()
        .map(|account| {
            json!({
                "id": account.id,
                "user_name": account.user_name,
                "external_id": account.external_id,
                "active": account.active,
                "ended_at": account.deleted_at.map(Instant),
            })
        })
        .collect();
    body["groups"] = view
        .memberships
        .iter()
        .map(|row| json!({"id": row.group_id, "name": row.group_name, "state": row.state().as_str(), "since": row.since()}))
        .collect();
    body
}

/// `GET /learners`
pub async fn list(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::LearnersRead,
        |call| async move {
            let parameters =
                call.parameters(&["approval", "active", "deleted", "q", "limit", "cursor"])?;
            let filter = LearnerFilter {
                approval: parameters.read("approval", Approval::parse)?,
                active: parameters.read("active", |text| text.parse().ok())?,
                include_deleted: parameters
                    .read("deleted", |text| (text == "include").then_some(()))?
                    .is_some(),
                name_part: parameters.text("q").map(str::to_owned),
            };
            let (limit, after) = (parameters.limit()?, parameters.cursor::<LearnerId>()?);
            let rows = call
                .read(move |db, scope| learners::list(db, scope, &filter, after, limit + 1))
                .await?;
            Ok(call.page(rows, limit, |row| row.id.to_string(), show))
        },
    )
    .await
}

/// `GET /learners/{id}`
pub async fn get(request: HttpRequest, who: ApiCaller, state: web::Data<AppState>) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::LearnersRead,
        |call| async move {
            call.parameters(&[])?;
            let id: LearnerId = call.id("Learner", "id")?;
            let view = call
                .read(move |db, scope| learners::view(db, scope, id))
                .await?;
            // Groups are no part of the learner's version, so the answer has no ETag.
            Ok(HttpResponse::Ok().json(show_whole(&view)))
        },
    )
    .await
}

/// `POST /learners/{id}/approve`: every waiting membership takes effect.
pub async fn approve(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::LearnersApprove,
        |call| async move {
            call.parameters(&[])?;
            let id: LearnerId = call.id("Learner", "id")?;
            let (row, effects) = call
                .write("approve learner", move |db, scope| {
                    learners::approve(db, scope, id)
                })
                .await?;
            let mut body = show(&row);
            body["enrollments_created"] = effects.enrollments.into();
            Ok(HttpResponse::Ok().json(body))
        },
    )
    .await
}

/// `POST /learners/{id}/reject`
pub async fn reject(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::LearnersApprove,
        |call| async move {
            call.parameters(&[])?;
            let id: LearnerId = call.id("Learner", "id")?;
            let row = call
                .write("reject learner", move |db, scope| {
                    learners::reject(db, scope, id)
                })
                .await?;
            Ok(HttpResponse::Ok().json(show(&row)))
        },
    )
    .await
}
