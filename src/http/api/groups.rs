//! `/groups`, their members and assignments (`rest-and-console.md` A2, A3).

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::exchange::{Call, Failure, Fields, created, wrong};
use crate::auth::permission::Permission;
use crate::clock::Instant;
use crate::http::AppState;
use crate::http::guard::ApiCaller;
use crate::ids::{CourseId, GroupId, LearnerId};
use crate::learning::assignment::{Due, Options};
use crate::learning::group::Origin;
use crate::learning::membership::{Source, State};
use crate::service::assignments::AssignmentRow;
use crate::service::groups::MemberRow;
use crate::service::groups::{
    self, AddOutcome, GroupFields, GroupQuery, GroupView, IfIneligible, LearnerRef,
};
use crate::service::{ServiceError, assignments};

/// How many learners one request may name.
const LEARNERS: usize = 1000;

fn show(view: &GroupView) -> Value {
    let row = &view.row;
    let manager = row.manager();
    let locked: &[&str] = if manager.as_ref().is_some_and(|manager| manager.locks) {
        &["name", "members"]
    } else {
        &[]
    };
    json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "color": row.color,
        "origin": row.origin,
        "managed_by": manager.map(|manager| json!({"id": manager.id, "name": manager.name})),
        "locked_fields": locked,
        "external_id": row.external_id,
        "counts": {"active": view.counts.active, "pending": view.counts.pending, "dormant": view.counts.dormant, "courses": view.courses},
        "frozen": view.frozen,
        "version": row.version,
        "created_at": Instant(row.created_at),
        "updated_at": Instant(row.modified_at),
    })
}

/// `GET /groups`
pub async fn list(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::GroupsRead,
        |call| async move {
            let parameters =
                call.parameters(&["q", "origin", "connection_id", "limit", "cursor"])?;
            let query = GroupQuery {
                q: parameters.text("q").map(str::to_owned),
                origin: parameters.read("origin", Origin::parse)?,
                connection: parameters.read("connection_id", |text| text.parse().ok())?,
            };
            let (limit, after) = (parameters.limit()?, parameters.cursor::<String>()?);
            let rows = call
                .read(move |db, scope| groups::list(db, scope, &query, after.as_deref(), limit + 1))
                .await?;
            Ok(call.page(rows, limit, |view| view.row.name_key.clone(), show))
        },
    )
    .await
}

fn fields(fields: &Fields) -> Result<GroupFields, Failure> {
    Ok(GroupFields {
        name: fields.text("name")?,
        description: fields.text("description")?,
        color: fields.text("color")?,
    })
}

const FIELDS: &[&str] = &["name", "description", "color"];

/// `POST /groups`
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
        Permission::GroupsWrite,
        |call| async move {
            let fields = fields(&call.body(&body, FIELDS)?)?;
            let view = call
                .write("create group", move |db, scope| {
                    let row = groups::create(db, scope, &fields, Origin::Rest)?;
                    groups::view(db, scope, row.id)
                })
                .await?;
            Ok(created(
                &format!("/api/v1/groups/{}", view.row.id),
                view.row.version,
                &show(&view),
            ))
        },
    )
    .await
}

/// `GET /groups/{id}`
pub async fn get(request: HttpRequest, who: ApiCaller, state: web::Data<AppState>) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::GroupsRead,
        |call| async move {
            call.parameters(&[])?;
            let id: GroupId = call.id("Group", "id")?;
            let view = call
                .read(move |db, scope| groups::view(db, scope, id))
                .await?;
            Ok(call.resource(view.row.version, &show(&view)))
        },
    )
    .await
}

/// `PATCH /groups/{id}`
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
        Permission::GroupsWrite,
        |call| async move {
            let id: GroupId = call.id("Group", "id")?;
            let fields = fields(&call.body(&body, FIELDS)?)?;
            let expected = call.expected();
            let view = call
                .write("edit group", move |db, scope| {
                    groups::edit(db, scope, id, expected, &fields)?;
                    groups::view(db, scope, id)
                })
                .await?;
            Ok(HttpResponse::Ok()
                .insert_header(("etag", format!("\"{}\"", view.row.version)))
                .json(show(&view)))
        },
    )
    .await
}

/// `DELETE /groups/{id}`
pub async fn delete(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::GroupsWrite,
        |call| async move {
            call.parameters(&[])?;
            let id: GroupId = call.id("Group", "id")?;
            let expected = call.expected();
            call.write("delete group", move |db, scope| {
                groups::delete(db, scope, id, expected)
            })
            .await?;
            Ok(HttpResponse::NoContent().finish())
        },
    )
    .await
}

/// `POST /groups/{id}/release`
pub async fn release(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::GroupsWrite,
        |call| async move {
            call.parameters(&[])?;
            let id: GroupId = call.id("Group", "id")?;
            let view = call
                .write("release group", move |db, scope| {
                    groups::release(db, scope, id)?;
                    groups::view(db, scope, id)
                })
                .await?;
            Ok(HttpResponse::Ok()
                .insert_header(("etag", format!("\"{}\"", view.row.version)))
                .json(show(&view)))
        },
    )
    .await
}

fn show_member(row: &MemberRow) -> Value {
    json!({
        "learner_id": row.learner_id,
        "user_id": row.user_id,
        "name": row.display_name,
        "email": row.email,
        "state": row.state().as_str(),
        "waiting_for": row.facts().not_addable().map(|blocker| blocker.code().to_owned()),
        "source": row.source,
        "added_by": row.added_by,
        "added_at": row.since(),
        "request_id": row.request_id,
    })
}

/// `GET /groups/{id}/members`
pub async fn members(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::GroupsRead,
        |call| async move {
            let id: GroupId = call.id("Group", "id")?;
            let parameters = call.parameters(&["state", "source", "limit", "cursor"])?;
            let (of_state, source) = (
                parameters.read("state", State::parse)?,
                parameters.read("source", Source::parse)?,
            );
            let (limit, after) = (parameters.limit()?, parameters.cursor::<LearnerId>()?);
            let rows = call
                .read(move |db, scope| {
                    groups::members(db, scope, id, of_state, source, after, limit + 1)
                })
                .await?;
            Ok(call.page(rows, limit, |row| row.learner_id.to_string(), show_member))
        },
    )
    .await
}

/// Reads `{"learners":[{"id"}|{"external_id"}|{"user_name"}]}`.
fn references(fields: &Fields) -> Result<Vec<LearnerRef>, Failure> {
    let list = fields
        .value("learners")
        .and_then(Value::as_array)
        .ok_or_else(|| wrong("/learners", "`learners` must be a list"))?;
    if list.is_empty() || list.len() > LEARNERS {
        return Err(wrong(
            "/learners",
            format!("`learners` names 1 to {LEARNERS} learners"),
        ));
    }
    list.iter()
        .enumerate()
        .map(|(n, one)| {
            let refused = || {
                wrong(
                    format!("/learners/{n}"),
                    "a learner is named by one of `id`, `external_id`, `user_name`",
                )
            };
            let object = one
                .as_object()
                .filter(|object| object.len() == 1)
                .ok_or_else(refused)?;
            let (name, text) = object
                .iter()
                .next()
                .and_then(|(name, value)| Some((name.as_str(), value.as_str()?)))
                .ok_or_else(refused)?;
            match name {
                "id" => text.parse().map(LearnerRef::Id).map_err(|_| refused()),
                "external_id" => Ok(LearnerRef::ExternalId(text.to_owned())),
                "user_name" => Ok(LearnerRef::UserName(text.to_owned())),
                _ => Err(refused()),
            }
        })
        .collect()
}

/// `POST /groups/{id}/members`
pub async fn add_members(
    request: HttpRequest,
    who: ApiCaller,
    body: web::Bytes,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::MembersWrite,
        |call| async move {
            let id: GroupId = call.id("Group", "id")?;
            let fields = call.body(&body, &["learners", "mode", "on_ineligible"])?;
            let refs = references(&fields)?;
            let partial = fields.read("mode", |mode| {
                ["all_or_nothing", "partial"]
                    .iter()
                    .position(|known| *known == mode)
            })? == Some(1);
            let pend = fields.read("on_ineligible", |what| {
                ["error", "pend"].iter().position(|known| *known == what)
            })? == Some(1);
            let how = match (pend, partial) {
                (true, _) => IfIneligible::Pend,
                (false, true) => IfIneligible::Skip,
                (false, false) => IfIneligible::Refuse,
            };
            let (results, outcome) = call
                .write("add members", move |db, scope| {
                    groups::add_members(db, scope, id, &refs, how, Source::Rest)
                })
                .await?;
            let warnings: Vec<Value> = outcome
                .notes
                .iter()
                .map(|note| json!({"code": note.code, "path": note.path}))
                .collect();
            let results: Vec<Value> = results
                .iter()
                .map(|result| match &result.outcome {
                    AddOutcome::Added => json!({"learner_id": result.learner, "outcome": "added"}),
                    AddOutcome::NoOp => json!({"learner_id": result.learner, "outcome": "no_op"}),
                    AddOutcome::Pended => {
                        json!({"learner_id": result.learner, "outcome": "pended"})
                    }
                    AddOutcome::Refused(code) => {
                        json!({"learner_id": result.learner, "outcome": "error", "code": code})
                    }
                })
                .collect();
            let whole = if outcome.added == 0 {
                "no_op"
            } else {
                "success"
            };
            Ok(HttpResponse::Ok().json(json!({
                "outcome": whole,
                "results": results,
                "enrollments_created": outcome.effects.enrollments,
                "warnings": warnings,
            })))
        },
    )
    .await
}

/// `DELETE /groups/{id}/members/{learner}`
pub async fn remove_member(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::MembersWrite,
        |call| async move {
            call.parameters(&[])?;
            let id: GroupId = call.id("Group", "id")?;
            let learner: LearnerId = call.id("Member", "learner")?;
            call.write("remove member", move |db, scope| {
                groups::remove_member(db, scope, id, learner)
            })
            .await?;
            Ok(HttpResponse::NoContent().finish())
        },
    )
    .await
}

pub(super) fn show_assignment(row: &AssignmentRow) -> Value {
    json!({
        "id": row.id,
        "group_id": row.group_id,
        "course": {"id": row.course_id, "title": row.course_title, "status": row.course_status},
        "mandatory": row.mandatory,
        "due": row.due().to_json(),
        "recert_months": row.recert_months,
        "version": row.version,
        "enrolling": row.enrolling().map(|(done, total)| json!({"done": done, "total": total})),
        "created_at": Instant(row.created_at),
        "updated_at": Instant(row.modified_at),
    })
}

/// `GET /groups/{id}/assignments`
pub async fn list_assignments(
    request: HttpRequest,
    who: ApiCaller,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(
        request,
        who,
        state,
        Permission::GroupsRead,
        |call| async move {
            let id: GroupId = call.id("Group", "id")?;
            let parameters = call.parameters(&["limit", "cursor"])?;
            let (limit, after) = (parameters.limit()?, parameters.cursor()?);
            let rows = call
                .read(move |db, scope| assignments::list(db, scope, id, after, limit + 1))
                .await?;
            Ok(call.page(rows, limit, |row| row.id.to_string(), show_assignment))
        },
    )
    .await
}

/// Reads the compliance options over those that are there.
pub(super) fn options(fields: &Fields, before: Option<&AssignmentRow>) -> Result<Options, Failure> {
    let mandatory = fields
        .boolean("mandatory")?
        .or(before.map(|row| row.mandatory))
        .unwrap_or(false);
    let due = match fields.value("due") {
        Some(value) => {
            Due::from_json(value).map_err(|error| Failure::from(ServiceError::from(error)))?
        }
        None => before.map_or(Due::None, AssignmentRow::due),
    };
    let months = fields
        .number("recert_months")?
        .unwrap_or_else(|| before.and_then(|row| row.recert_months));
    Options::new(mandatory, due, months).map_err(|error| ServiceError::from(error).into())
}

/// `POST /groups/{id}/assignments`
pub async fn assign(
    request: HttpRequest,
    who: ApiCaller,
    body: web::Bytes,
    state: web::Data<AppState>,
) -> HttpResponse {
    Call::answer(request, who, state, Permission::AssignmentsWrite, |call| async move {
        let id: GroupId = call.id("Group", "id")?;
        let fields = call.body(&body, &["course_id", "mandatory", "due", "recert_months"])?;
        let course: CourseId = fields
            .read("course_id", |text| text.parse().ok())?
            .ok_or_else(|| wrong("/course_id", "`course_id` is missing"))?;
        let options = options(&fields, None)?;
        let (assigned, pending) = call
            .write("assign course", move |db, scope| {
                let assigned = assignments::assign(db, scope, id, course, options)?;
                Ok((assigned, groups::view(db, scope, id)?.counts.pending))
            })
            .await?;
        let mut body = show_assignment(&assigned.row);
        let made = assigned.effects.enrollments;
        body["enrollment"] = json!({"created": made, "kept": assigned.effects.reasons - made, "pending": pending});
        body["warnings"] = assigned.warnings.iter().map(|code| json!({"code": code})).collect();
        Ok(created(&format!("/api/v1/assignments/{}", assigned.row.id), assigned.row.version, &body))
    })
    .await
}
