//! Courses: create, edit, publish, archive (§2.5). Publishing is one more `enroll(course)`.

use serde_json::json;

use crate::ids::CourseId;
use crate::learning::LearningError;
use crate::learning::course::{CourseStatus, line};
use crate::learning::event::{Entity, Event, EventType};
use crate::scim::fold::fold;
use crate::store::listing::{Found, Paging};
use crate::store::queries::courses as rows;
pub use crate::store::queries::courses::{CourseFilter, CourseOrder, CourseRow};
use crate::store::queries::{events, groups_learning};
use crate::store::{Db, StoreError};

use super::enroll::{self, Effects, EnrollScope, by};
use super::{Scope, ServiceError};

/// The fields of a course as a person sends them. For an edit, `None` leaves a field alone; blank text clears it.
#[derive(Clone, Debug, Default)]
pub struct CourseFields {
    pub title: Option<String>,
    pub code: Option<String>,
    pub status: Option<CourseStatus>,
    pub external_ref: Option<String>,
    pub locale: Option<String>,
}

fn optional(
    field: &'static str,
    text: Option<&str>,
    limit: usize,
) -> Result<Option<String>, LearningError> {
    match text {
        Some(text) if !text.trim().is_empty() => line(field, text, limit).map(Some),
        _ => Ok(None),
    }
}

/// The course of a code, ignoring case.
pub fn by_code(db: &mut Db, scope: &Scope, code: &str) -> Result<CourseId, ServiceError> {
    let row = rows::find_by_code(db, scope.tenant, &fold(code.trim()))?;
    let missing = || ServiceError::not_found("Course with", format!("code {code}"));
    row.map(|row| row.id).ok_or_else(missing)
}

fn code_taken(error: StoreError, row: &CourseRow) -> ServiceError {
    match error {
        StoreError::Conflict => LearningError::CourseCodeTaken {
            code: row.code.clone().unwrap_or_default(),
        }
        .into(),
        other => other.into(),
    }
}

/// Writes the fields that were sent into a row.
fn take(row: &mut CourseRow, fields: &CourseFields) -> Result<(), LearningError> {
    if let Some(title) = &fields.title {
        row.title = line("title", title, 200)?;
    }
    if fields.code.is_some() {
        row.code = optional("code", fields.code.as_deref(), 64)?;
        row.code_key = row.code.as_deref().map(fold);
    }
    if let Some(status) = fields.status {
        row.status = status.as_str().to_owned();
    }
    if fields.external_ref.is_some() {
        row.external_ref = optional("external_ref", fields.external_ref.as_deref(), 200)?;
    }
    if fields.locale.is_some() {
        row.locale = optional("locale", fields.locale.as_deref(), 35)?;
    }
    Ok(())
}

/// Creates a course; published unless said otherwise. Errors: title, code taken.
pub fn create(
    db: &mut Db,
    scope: &Scope,
    fields: &CourseFields,
) -> Result<CourseRow, ServiceError> {
    let title = line("title", fields.title.as_deref().unwrap_or_default(), 200)?;
    let mut row = rows::new_row(
        title,
        None,
        fields.status.unwrap_or(CourseStatus::Published),
        scope.now,
    );
    take(&mut row, fields)?;
    rows::insert(db, scope.tenant, &row).map_err(|error| code_taken(error, &row))?;
    event(db, scope, row.id, EventType::CourseCreated, shown(&row))?;
    Ok(row)
}

fn shown(row: &CourseRow) -> serde_json::Value {
    json!({"title": row.title, "code": row.code, "status": row.status, "external_ref": row.external_ref, "locale": row.locale})
}

fn event(
    db: &mut Db,
    scope: &Scope,
    id: CourseId,
    event_type: EventType,
    data: serde_json::Value,
) -> Result<(), ServiceError> {
    let event = Event {
        entity: Entity::Course,
        entity_id: id.0,
        event_type,
        data,
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}

/// Reads a course.
pub fn find(db: &mut Db, scope: &Scope, id: CourseId) -> Result<CourseRow, ServiceError> {
    rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Course", id))
}

/// Edits a course. When it becomes published, everything owed for it is enrolled. Errors: not found, stale, code taken.
pub fn edit(
    db: &mut Db,
    scope: &Scope,
    id: CourseId,
    expected: Option<i64>,
    fields: &CourseFields,
) -> Result<(CourseRow, Effects), ServiceError> {
    if fields.status == Some(CourseStatus::Published) {
        // Groups before courses, in the one global order: whoever joins meanwhile waits for us, or we see them.
        let groups = groups_learning::with_course(db, scope.tenant, id)?;
        groups_learning::lock(db, scope.tenant, &groups)?;
    }
    let before = rows::find_for_update(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("Course", id))?;
    if expected.is_some_and(|version| version != before.version) {
        return Err(ServiceError::Stale {
            current: before.version,
        });
    }
    let mut after = before.clone();
    take(&mut after, fields)?;
    if shown(&before) == shown(&after) {
        return Ok((before, Effects::default()));
    }
    after.version += 1;
    after.modified_at = scope.now.0;
    if !rows::update(db, scope.tenant, &after, before.version)
        .map_err(|error| code_taken(error, &after))?
    {
        return Err(ServiceError::Stale {
            current: before.version,
        });
    }
    event(
        db,
        scope,
        id,
        EventType::CourseUpdated,
        json!({"before": shown(&before), "after": shown(&after)}),
    )?;
    let published =
        after.status() == CourseStatus::Published && before.status() != CourseStatus::Published;
    let effects = if published {
        enroll::enroll(db, scope, &EnrollScope::Course(id))?
    } else {
        Effects::default()
    };
    Ok((after, effects))
}

/// One page of courses by id.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    filter: &CourseFilter,
    order: (CourseOrder, bool),
    paging: &Paging,
) -> Result<Found<CourseRow>, ServiceError> {
    Ok(rows::page(db, scope.tenant, filter, order, paging)?)
}
