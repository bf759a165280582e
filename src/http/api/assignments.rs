//! `/assignments/{id}`: read, edit, remove. Removing never un-enrolls (S-12).

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::exchange::Call;
use super::groups::{options, show_assignment};
use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::guard::ApiCaller;
use crate::ids::AssignmentId;
use crate::service::assignments;

/// `GET /assignments/{id}`
pub async fn get(request: HttpRequest, who: ApiCaller, state: web::Data<AppState>) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::GroupsRead,
        |call| async move {
            call.parameters(&[])?;
            let id: AssignmentId = call.id("Assignment", "id")?;
            let row = call
                .read(move |db, scope| assignments::find(db, scope, id))
                .await?;
            Ok(call.resource(row.version, &show_assignment(&row)))
        },
    )
    .await
}

/// `PATCH /assignments/{id}`
pub async fn edit(
    request: HttpRequest,
    who: ApiCaller,
    body: web::Bytes,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::AssignmentsWrite,
        |call| async move {
            let id: AssignmentId = call.id("Assignment", "id")?;
            let fields = call.body(&body, &["mandatory", "due", "recert_months"])?;
            let before = call
                .read(move |db, scope| assignments::find(db, scope, id))
                .await?;
            let options = options(&fields, Some(&before))?;
            // The options were merged with the version just read, so that version is what the write expects.
            let expected = call.expected().or(Some(before.version));
            let edited = call
                .write("edit assignment", move |db, scope| {
                    assignments::edit(db, scope, id, expected, options)
                })
                .await?;
            let mut body = show_assignment(&edited.row);
            body["warnings"] = edited
                .warnings
                .iter()
                .map(|code| json!({"code": code}))
                .collect();
            Ok(HttpResponse::Ok()
                .insert_header(("etag", format!("\"{}\"", edited.row.version)))
                .json(body))
        },
    )
    .await
}

/// `DELETE /assignments/{id}`
pub async fn remove(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::AssignmentsWrite,
        |call| async move {
            call.parameters(&[])?;
            let id: AssignmentId = call.id("Assignment", "id")?;
            call.write("remove assignment", move |db, scope| {
                assignments::remove(db, scope, id)
            })
            .await?;
            Ok(HttpResponse::NoContent().finish())
        },
    )
    .await
}
