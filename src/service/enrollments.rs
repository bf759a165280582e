//! Enrollments as people read them: listed, with their reasons; and the one explicit un-enrollment (4.13).

use serde_json::json;

use crate::ids::{CourseId, EnrollmentId, LearnerId};
use crate::learning::LearningError;
use crate::learning::course::line;
use crate::learning::event::{Entity, Event, EventType};
use crate::store::Db;
use crate::store::queries::enrollments::{self as rows, EnrollmentRow, ReasonRow};
use crate::store::queries::events;

use super::enroll::by;
use super::{Scope, ServiceError};

/// An enrollment with every reason, live and ended.
#[derive(Clone, Debug)]
pub struct EnrollmentView {
    pub row: EnrollmentRow,
    pub reasons: Vec<ReasonRow>,
}

/// Reads an enrollment with its reasons.
pub fn view(db: &mut Db, scope: &Scope, id: EnrollmentId) -> Result<EnrollmentView, ServiceError> {
    let row = rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Enrollment", id))?;
    let reasons = rows::reasons(db, scope.tenant, row.learner_id, row.course_id)?;
    Ok(EnrollmentView { row, reasons })
}

/// One page of enrollments by id.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    learner: Option<LearnerId>,
    course: Option<CourseId>,
    after: Option<EnrollmentId>,
    limit: i64,
) -> Result<Vec<EnrollmentRow>, ServiceError> {
    Ok(rows::page(db, scope.tenant, learner, course, after, limit)?)
}

/// Withdraws an enrollment for a stated reason. Every later `enroll` leaves it alone until there is a new cause (§7.4).
pub fn withdraw(db: &mut Db, scope: &Scope, id: EnrollmentId, why: &str) -> Result<EnrollmentView, ServiceError> {
    let why = line("reason", why, 500).map_err(|error: LearningError| ServiceError::from(error))?;
    let row = rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Enrollment", id))?;
    if row.withdrawn_at.is_none() {
        rows::withdraw(db, scope.tenant, &row, &why, &by(scope))?;
        let event = Event { entity: Entity::Enrollment, entity_id: id.0, event_type: EventType::EnrollmentWithdrawn, data: json!({"reason": why}) };
        events::insert(db, scope.tenant, &by(scope), &event)?;
    }
    view(db, scope, id)
}
