//! `/courses`: the catalog.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::exchange::{Call, Failure, Fields, created};
use crate::auth::permission::Permission;
use crate::clock::Instant;
use crate::http::AppState;
use crate::http::guard::ApiCaller;
use crate::ids::CourseId;
use crate::learning::course::CourseStatus;
use crate::service::courses::CourseRow;
use crate::service::courses::{self, CourseFields};

fn show(row: &CourseRow) -> Value {
    json!({
        "id": row.id,
        "title": row.title,
        "code": row.code,
        "status": row.status,
        "external_ref": row.external_ref,
        "locale": row.locale,
        "version": row.version,
        "created_at": Instant(row.created_at),
        "updated_at": Instant(row.modified_at),
    })
}

const FIELDS: &[&str] = &["title", "code", "status", "external_ref", "locale"];

fn fields(fields: &Fields) -> Result<CourseFields, Failure> {
    Ok(CourseFields {
        title: fields.text("title")?,
        code: fields.text("code")?,
        status: fields.read("status", CourseStatus::parse)?,
        external_ref: fields.text("external_ref")?,
        locale: fields.text("locale")?,
    })
}

/// `GET /courses`
pub async fn list(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::CoursesRead,
        |call| async move {
            let parameters = call.parameters(&["status", "external_ref", "limit", "cursor"])?;
            let status = parameters.read("status", CourseStatus::parse)?;
            let external_ref = parameters.text("external_ref").map(str::to_owned);
            let (limit, after) = (parameters.limit()?, parameters.cursor::<CourseId>()?);
            let rows = call
                .read(move |db, scope| {
                    courses::list(db, scope, status, external_ref.as_deref(), after, limit + 1)
                })
                .await?;
            Ok(call.page(rows, limit, |row| row.id.to_string(), show))
        },
    )
    .await
}

/// `POST /courses`
pub async fn create(
    request: HttpRequest,
    who: ApiCaller,
    body: web::Bytes,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::CoursesWrite,
        |call| async move {
            let fields = fields(&call.body(&body, FIELDS)?)?;
            let row = call
                .write("create course", move |db, scope| {
                    courses::create(db, scope, &fields)
                })
                .await?;
            Ok(created(
                &format!("/api/v1/courses/{}", row.id),
                row.version,
                &show(&row),
            ))
        },
    )
    .await
}

/// `GET /courses/{id}`
pub async fn get(request: HttpRequest, who: ApiCaller, state: web::Data<AppState>) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::CoursesRead,
        |call| async move {
            call.parameters(&[])?;
            let id: CourseId = call.id("Course", "id")?;
            let row = call
                .read(move |db, scope| courses::find(db, scope, id))
                .await?;
            Ok(call.resource(row.version, &show(&row)))
        },
    )
    .await
}

/// `PATCH /courses/{id}`; publishing enrolls whoever was waiting for it.
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
        Permission::CoursesWrite,
        |call| async move {
            let id: CourseId = call.id("Course", "id")?;
            let fields = fields(&call.body(&body, FIELDS)?)?;
            let expected = call.expected();
            let (row, effects) = call
                .write("edit course", move |db, scope| {
                    courses::edit(db, scope, id, expected, &fields)
                })
                .await?;
            let mut body = show(&row);
            body["enrollments_created"] = effects.enrollments.into();
            Ok(HttpResponse::Ok()
                .insert_header(("etag", format!("\"{}\"", row.version)))
                .json(body))
        },
    )
    .await
}
