//! Extensions and waivers (§2.9): what a person, or the system at an edit, grants beside the terms.

use chrono::NaiveDate;
use serde_json::json;

use crate::ids::{CourseId, EnrollmentId, ExceptionId, LearnerId, ReasonId};
use crate::learning::calendar::local_date;
use crate::learning::course::line;
use crate::learning::event::{Entity, Event, EventType};
use crate::store::Db;
use crate::store::queries::exceptions::{self as rows, NewException};
use crate::store::queries::{enrollments, events};

use super::enroll::by;
use super::enrollments::EnrollmentView;
use super::{Scope, ServiceError, obligations};

/// What is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Another due date.
    Extension(NaiveDate),
    /// Not required, until the end of a day or for good.
    Waiver(Option<NaiveDate>),
}

/// Grants an exception on an enrollment: for one of its reasons, or whatever the reason.
pub fn grant(
    db: &mut Db,
    scope: &Scope,
    id: EnrollmentId,
    grant: Grant,
    reason: Option<ReasonId>,
    why: &str,
) -> Result<EnrollmentView, ServiceError> {
    let why = line("reason", why, 500)?;
    let view = super::enrollments::view(db, scope, id)?;
    if let Some(reason) = reason
        && !view.reasons.iter().any(|one| one.row.id == reason)
    {
        return Err(ServiceError::invalid(
            "/reason_id",
            "the enrollment has no such reason",
        ));
    }
    let today = local_date(scope.now, obligations::policy(db, scope.tenant)?.zone);
    let (kind, until, event_type) = match grant {
        Grant::Extension(due) => {
            if due < today {
                return Err(ServiceError::invalid("/due", "`due` is not before today"));
            }
            ("extension", Some(due), EventType::ExtensionGranted)
        }
        Grant::Waiver(until) => {
            if until.is_some_and(|until| until < today) {
                return Err(ServiceError::invalid(
                    "/until",
                    "`until` is not before today",
                ));
            }
            ("waiver", until, EventType::WaiverGranted)
        }
    };
    let exception = NewException {
        id: ExceptionId::new(),
        kind,
        learner: view.row.learner_id,
        course: view.row.course_id,
        reason,
        until: until.map(|until| until.to_string()),
        why: &why,
    };
    rows::insert(db, scope.tenant, &[exception], &by(scope))?;
    let data = json!({"until": until, "reason_id": reason, "reason": why});
    event(db, scope, id, event_type, data)?;
    super::enrollments::view(db, scope, id)
}

fn event(
    db: &mut Db,
    scope: &Scope,
    id: EnrollmentId,
    event_type: EventType,
    data: serde_json::Value,
) -> Result<(), ServiceError> {
    let event = Event {
        entity: Entity::Enrollment,
        entity_id: id.0,
        event_type,
        data,
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}

/// Takes an exception of an enrollment back. Errors: there is none in force.
pub fn revoke(
    db: &mut Db,
    scope: &Scope,
    id: EnrollmentId,
    exception: ExceptionId,
) -> Result<EnrollmentView, ServiceError> {
    let row = enrollments::find(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("Enrollment", id))?;
    if !rows::revoke(
        db,
        scope.tenant,
        exception,
        row.learner_id,
        row.course_id,
        &by(scope),
    )? {
        return Err(ServiceError::not_found("Exception", exception));
    }
    let data = json!({"exception_id": exception});
    event(db, scope, id, EventType::ExceptionRevoked, data)?;
    super::enrollments::view(db, scope, id)
}

/// More time for many at once, granted by the system when an edit would make them late (§6.5).
pub fn extend_all(
    db: &mut Db,
    scope: &Scope,
    list: &[(LearnerId, CourseId, ReasonId)],
    due: NaiveDate,
    why: &str,
) -> Result<(), ServiceError> {
    let exceptions: Vec<NewException<'_>> = list
        .iter()
        .map(|(learner, course, reason)| NewException {
            id: ExceptionId::new(),
            kind: "extension",
            learner: *learner,
            course: *course,
            reason: Some(*reason),
            until: Some(due.to_string()),
            why,
        })
        .collect();
    Ok(rows::insert(db, scope.tenant, &exceptions, &by(scope))?)
}
