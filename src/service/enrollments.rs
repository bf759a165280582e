//! Enrollments as people read them: listed, with their reasons; and the one explicit un-enrollment (4.13).

use std::collections::HashMap;

use serde_json::json;

use crate::clock::Instant;
use crate::ids::{CourseId, EnrollmentId, LearnerId};
use crate::learning::LearningError;
use crate::learning::course::line;
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::obligation::{Cycle, LearnerView, Obligation, learner_view};
use crate::store::Db;
use crate::store::queries::enrollments as rows;
pub use crate::store::queries::enrollments::{EnrollmentRow, ReasonRow};
use crate::store::queries::events;

use super::enroll::by;
use super::{Scope, ServiceError, groups};

/// An enrollment with every reason, and what it comes to now.
#[derive(Clone, Debug)]
pub struct EnrollmentView {
    pub row: EnrollmentRow,
    pub reasons: Vec<ReasonRow>,
    pub now: LearnerView,
    /// The reason that sets the due date.
    pub due_set_by: Option<ReasonRow>,
}

/// Reads an enrollment with its reasons.
pub fn view(db: &mut Db, scope: &Scope, id: EnrollmentId) -> Result<EnrollmentView, ServiceError> {
    let row = rows::find(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("Enrollment", id))?;
    let missing = || ServiceError::not_found("Enrollment", id);
    views(db, scope, vec![row])?.pop().ok_or_else(missing)
}

/// Adds reasons and status to rows, in two statements.
fn views(
    db: &mut Db,
    scope: &Scope,
    rows: Vec<EnrollmentRow>,
) -> Result<Vec<EnrollmentView>, ServiceError> {
    let zone = groups::zone(db, scope)?;
    let pairs: Vec<_> = rows
        .iter()
        .map(|row| (row.learner_id, row.course_id))
        .collect();
    let mut reasons: HashMap<(LearnerId, CourseId), Vec<ReasonRow>> = HashMap::new();
    for reason in rows::reasons(db, scope.tenant, &pairs)? {
        reasons
            .entry((reason.learner_id, reason.course_id))
            .or_default()
            .push(reason);
    }
    let view = |row: EnrollmentRow| {
        let reasons = reasons
            .remove(&(row.learner_id, row.course_id))
            .unwrap_or_default();
        let live: Vec<&ReasonRow> = reasons
            .iter()
            .filter(|reason| reason.ended_at.is_none())
            .collect();
        let obligation = |reason: &&ReasonRow| Obligation {
            mandatory: reason.mandatory,
            due: reason.due(),
            required_since: Instant(reason.required_since),
        };
        let obligations: Vec<Obligation> = live.iter().map(obligation).collect();
        let cycle = Cycle {
            started: row.started_at.is_some(),
            completed: row.completed_at.is_some(),
        };
        let now = learner_view(
            &obligations,
            cycle,
            row.withdrawn_at.is_some(),
            scope.now,
            zone,
        );
        let due_set_by = now
            .due_set_by
            .and_then(|n| live.get(n))
            .map(|reason| (*reason).clone());
        EnrollmentView {
            row,
            now,
            due_set_by,
            reasons,
        }
    };
    Ok(rows.into_iter().map(view).collect())
}

/// One page of enrollments by id.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    learner: Option<LearnerId>,
    course: Option<CourseId>,
    after: Option<EnrollmentId>,
    limit: i64,
) -> Result<Vec<EnrollmentView>, ServiceError> {
    let page = rows::page(db, scope.tenant, learner, course, after, limit)?;
    views(db, scope, page)
}

/// Withdraws an enrollment for a stated reason. Every later `enroll` leaves it alone until there is a new cause (§7.4).
pub fn withdraw(
    db: &mut Db,
    scope: &Scope,
    id: EnrollmentId,
    why: &str,
) -> Result<EnrollmentView, ServiceError> {
    let why = line("reason", why, 500).map_err(|error: LearningError| ServiceError::from(error))?;
    let row = rows::find(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("Enrollment", id))?;
    if row.withdrawn_at.is_none() {
        rows::withdraw(db, scope.tenant, &row, &why, &by(scope))?;
        let event = Event {
            entity: Entity::Enrollment,
            entity_id: id.0,
            event_type: EventType::EnrollmentWithdrawn,
            data: json!({"reason": why}),
        };
        events::insert(db, scope.tenant, &by(scope), &event)?;
    }
    view(db, scope, id)
}
