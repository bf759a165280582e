//! Assignments: a course to a group with its compliance options (S-09 to S-12). Removing one un-enrolls nobody.

use serde_json::json;

use crate::ids::{AssignmentId, CourseId, GroupId};
use crate::learning::LearningError;
use crate::learning::assignment::Options;
use crate::learning::calendar::local_date;
use crate::learning::event::{Entity, Event, EventType};
use crate::store::queries::assignments as rows;
pub use crate::store::queries::assignments::AssignmentRow;
use crate::store::queries::{courses, events, groups_learning, jobs};
use crate::store::{Db, StoreError};

use super::enroll::{self, Effects, EnrollScope, by};
use super::jobs::book::{self, AT_ONCE, Work};
use super::{Scope, ServiceError, groups};

/// An assignment that was made or changed, with what it caused.
#[derive(Clone, Debug)]
pub struct Assigned {
    pub row: AssignmentRow,
    pub effects: Effects,
    /// Codes of what an admin should know: `due_date_in_past`.
    pub warnings: Vec<&'static str>,
}

/// Assigns a course to a group and enrolls every member who is owed it, at once (S-10). Errors: plan, not published, assigned already.
pub fn assign(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    course: CourseId,
    options: Options,
) -> Result<Assigned, ServiceError> {
    groups::require_plan(db, scope)?;
    groups_learning::find_for_update(db, scope.tenant, group)?
        .ok_or_else(|| ServiceError::not_found("Group", group))?;
    let found = courses::find_for_update(db, scope.tenant, course)?
        .ok_or_else(|| ServiceError::not_found("Course", course))?;
    found.status().assignable()?;
    let id = AssignmentId::new();
    rows::insert(db, scope.tenant, id, group, course, options, &by(scope)).map_err(|error| {
        match error {
            StoreError::Conflict => LearningError::AlreadyAssigned.into(),
            other => ServiceError::from(other),
        }
    })?;
    let data = json!({"group_id": group, "course_id": course, "course": found.title, "options": shown(options)});
    event(db, scope, id, EventType::AssignmentCreated, data)?;
    let effects = enroll::enroll(db, scope, &EnrollScope::Assignment(id))?;
    Ok(Assigned {
        row: find(db, scope, id)?,
        effects,
        warnings: warnings(db, scope, options)?,
    })
}

fn shown(options: Options) -> serde_json::Value {
    json!({"mandatory": options.mandatory, "due": options.due.to_json(), "recert_months": options.recert_months()})
}

fn event(
    db: &mut Db,
    scope: &Scope,
    id: AssignmentId,
    event_type: EventType,
    data: serde_json::Value,
) -> Result<(), ServiceError> {
    let event = Event {
        entity: Entity::Assignment,
        entity_id: id.0,
        event_type,
        data,
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}

fn warnings(
    db: &mut Db,
    scope: &Scope,
    options: Options,
) -> Result<Vec<&'static str>, ServiceError> {
    Ok(
        if options
            .due
            .is_past(local_date(scope.now, groups::zone(db, scope)?))
        {
            vec!["due_date_in_past"]
        } else {
            Vec::new()
        },
    )
}

/// Reads a live assignment.
pub fn find(db: &mut Db, scope: &Scope, id: AssignmentId) -> Result<AssignmentRow, ServiceError> {
    rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Assignment", id))
}

/// Changes the options; statuses follow because they are computed (4.10). Errors: plan, not found, stale.
pub fn edit(
    db: &mut Db,
    scope: &Scope,
    id: AssignmentId,
    expected: Option<i64>,
    options: Options,
) -> Result<Assigned, ServiceError> {
    groups::require_plan(db, scope)?;
    let before = find(db, scope, id)?;
    if expected.is_some_and(|version| version != before.version) {
        return Err(ServiceError::Stale {
            current: before.version,
        });
    }
    let old = json!({"mandatory": before.mandatory, "due": before.due().to_json(), "recert_months": before.recert_months});
    if old == shown(options) {
        return Ok(Assigned {
            row: before,
            effects: Effects::default(),
            warnings: Vec::new(),
        });
    }
    if !rows::update(db, scope.tenant, id, before.version, options, scope.now)? {
        return Err(ServiceError::Stale {
            current: before.version,
        });
    }
    event(
        db,
        scope,
        id,
        EventType::AssignmentUpdated,
        json!({"before": old, "after": shown(options)}),
    )?;
    Ok(Assigned {
        row: find(db, scope, id)?,
        effects: Effects::default(),
        warnings: warnings(db, scope, options)?,
    })
}

/// Removes an assignment: its reasons end, enrollments stay (S-12). Errors: plan, not found.
pub fn remove(db: &mut Db, scope: &Scope, id: AssignmentId) -> Result<(), ServiceError> {
    groups::require_plan(db, scope)?;
    let row = find(db, scope, id)?;
    groups_learning::lock(db, scope.tenant, &[row.group_id])?;
    let large = jobs::more_reasons_than(db, scope.tenant, id, AT_ONCE)?;
    let ended = if large {
        book::later(db, scope, &Work::EndAssignment(id), None)?;
        rows::end_alone(db, scope.tenant, id, scope.now)?
    } else {
        rows::end(db, scope.tenant, id, scope.now)?
    };
    if !ended {
        return Err(ServiceError::not_found("Assignment", id));
    }
    event(
        db,
        scope,
        id,
        EventType::AssignmentRemoved,
        json!({"group_id": row.group_id, "course_id": row.course_id, "enrollments_removed": 0}),
    )
}

/// One page of a group's assignments by id.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    after: Option<AssignmentId>,
    limit: i64,
) -> Result<Vec<AssignmentRow>, ServiceError> {
    groups::find(db, scope, group)?;
    Ok(rows::page(db, scope.tenant, group, after, limit)?)
}
