//! Enrollments as people read them: listed, with their reasons; made by hand, restarted, and the one explicit un-enrollment (4.13).

use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use crate::clock::Instant;
use crate::ids::{AssignmentId, CourseId, EnrollmentId, LearnerId, ReasonId};
use crate::learning::LearningError;
use crate::learning::assignment::Options;
use crate::learning::course::{CourseStatus, line};
use crate::learning::error::Ineligible;
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::obligation::Judgment;
use crate::learning::owed::Blocker;
use crate::learning::standing::{Cycle, Standing, merge};
use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::queries::cycles::{self as cycle_rows, OutcomeRow};
use crate::store::queries::enrollments as rows;
pub use crate::store::queries::enrollments::{EnrollmentRow, PairFilter, ReasonRow};
pub use crate::store::queries::obligations::ExceptionRow;
use crate::store::queries::obligations::{VersionRow, versions};
use crate::store::queries::{courses, events, learners};

use super::enroll::by;
use super::obligations::{self, AsOf, Narrow, options_in_force};
use super::{Scope, ServiceError, cycles};

/// Why somebody is enrolled, and how that stands.
#[derive(Clone, Debug)]
pub struct ReasonView {
    pub row: ReasonRow,
    /// In force now; of an ended reason, when it ended.
    pub options: Options,
    /// How the obligation stands; `None` when it has ended or never was one.
    pub judgment: Option<Judgment>,
    /// What its completed cycles meant, frozen.
    pub outcomes: Vec<OutcomeRow>,
}

/// An enrollment with every reason, and what it comes to now.
#[derive(Clone, Debug)]
pub struct EnrollmentView {
    pub row: EnrollmentRow,
    pub reasons: Vec<ReasonView>,
    pub exceptions: Vec<ExceptionRow>,
    pub now: Standing,
    /// The reasons that set due date, validity and status, by position.
    pub due_set_by: Option<usize>,
    pub valid_set_by: Option<usize>,
    pub status_set_by: Option<usize>,
}

fn missing(id: EnrollmentId) -> ServiceError {
    ServiceError::not_found("Enrollment", id)
}

/// Reads an enrollment with its reasons.
pub fn view(db: &mut Db, scope: &Scope, id: EnrollmentId) -> Result<EnrollmentView, ServiceError> {
    let row = rows::find(db, scope.tenant, id)?.ok_or_else(|| missing(id))?;
    views(db, scope, vec![row])?
        .pop()
        .ok_or_else(|| missing(id))
}

/// Adds reasons and status to rows, a few statements for a page of them.
pub(super) fn views(
    db: &mut Db,
    scope: &Scope,
    rows: Vec<EnrollmentRow>,
) -> Result<Vec<EnrollmentView>, ServiceError> {
    let pairs: Vec<_> = rows
        .iter()
        .map(|row| (row.learner_id, row.course_id))
        .collect();
    let mut reasons: HashMap<(LearnerId, CourseId), Vec<ReasonRow>> = HashMap::new();
    let mut assignments: BTreeSet<AssignmentId> = BTreeSet::new();
    let mut ids: Vec<ReasonId> = Vec::new();
    for reason in rows::reasons(db, scope.tenant, &pairs)? {
        assignments.extend(reason.assignment_id);
        ids.push(reason.id);
        reasons
            .entry((reason.learner_id, reason.course_id))
            .or_default()
            .push(reason);
    }
    let assignments: Vec<AssignmentId> = assignments.into_iter().collect();
    let mut terms: HashMap<AssignmentId, Vec<VersionRow>> = HashMap::new();
    for version in versions(db, scope.tenant, &assignments)? {
        terms
            .entry(version.assignment_id)
            .or_default()
            .push(version);
    }
    let mut outcomes: HashMap<ReasonId, Vec<OutcomeRow>> = HashMap::new();
    for outcome in cycle_rows::outcomes(db, scope.tenant, &ids)? {
        outcomes.entry(outcome.reason_id).or_default().push(outcome);
    }
    let mut judgments: HashMap<ReasonId, Judgment> = HashMap::new();
    let mut exceptions: HashMap<(LearnerId, CourseId), Vec<ExceptionRow>> = HashMap::new();
    for chunk in pairs.chunks(200) {
        let narrow = Narrow::Pairs(chunk.to_vec());
        let gathered = obligations::gather(db, scope.tenant, &narrow, AsOf::present(scope.now))?;
        judgments.extend(
            gathered
                .judged()
                .map(|judged| (judged.row.reason_id, judged.judgment)),
        );
        exceptions.extend(
            chunk
                .iter()
                .map(|pair| (*pair, gathered.exceptions(*pair).to_vec())),
        );
    }
    let mut view = |row: EnrollmentRow| {
        let pair = (row.learner_id, row.course_id);
        let reasons: Vec<ReasonView> = reasons
            .remove(&pair)
            .unwrap_or_default()
            .into_iter()
            .map(|row| {
                let until = row.ended_at.map_or(scope.now, Instant).min(scope.now);
                let options = row.assignment_id.and_then(|id| terms.get(&id)).map_or_else(
                    || row.snapshot(),
                    |versions| options_in_force(versions, Instant(row.recorded_at), until),
                );
                ReasonView {
                    options,
                    judgment: judgments.remove(&row.id),
                    outcomes: outcomes.remove(&row.id).unwrap_or_default(),
                    row,
                }
            })
            .collect();
        let (positions, obliging): (Vec<usize>, Vec<(bool, Judgment)>) = reasons
            .iter()
            .enumerate()
            .filter_map(|(n, reason)| {
                Some((n, (reason.options.mandatory, reason.judgment.clone()?)))
            })
            .unzip();
        let cycle = Cycle {
            started: row.started_at.is_some(),
            completed: row.completed_at.is_some(),
        };
        let now = merge(&obliging, cycle, row.withdrawn_at.is_some());
        let position = |n: Option<usize>| n.and_then(|n| positions.get(n).copied());
        EnrollmentView {
            exceptions: exceptions.remove(&pair).unwrap_or_default(),
            due_set_by: position(now.due_set_by),
            valid_set_by: position(now.valid_set_by),
            status_set_by: position(now.status_set_by),
            row,
            now,
            reasons,
        }
    };
    Ok(rows.into_iter().map(&mut view).collect())
}

/// One page of enrollments by id.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    filter: PairFilter,
    down: bool,
    paging: &Paging,
) -> Result<Found<EnrollmentView>, ServiceError> {
    rows::page(db, scope.tenant, filter, down, paging)?.then(|rows| views(db, scope, rows))
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

/// Enrolls one learner in one course because a person asks: no group, no obligation. Re-opens what was withdrawn.
pub fn enroll_by_hand(
    db: &mut Db,
    scope: &Scope,
    learner: LearnerId,
    course: CourseId,
) -> Result<(EnrollmentView, bool), ServiceError> {
    let person = learners::find_for_update(db, scope.tenant, learner)?
        .ok_or_else(|| ServiceError::not_found("Learner", learner))?;
    let found = courses::find(db, scope.tenant, course)?
        .ok_or_else(|| ServiceError::not_found("Course", course))?;
    let facts = person.facts();
    let blocker = facts
        .not_addable()
        .or_else(|| (!facts.works()).then_some(Blocker::Dormant));
    if let Some(blocker) = blocker {
        return Err(LearningError::NotEligible(vec![Ineligible {
            index: 0,
            learner: Some(learner),
            blocker: Some(blocker),
        }])
        .into());
    }
    if found.status() != CourseStatus::Published {
        return Err(LearningError::CourseNotPublished {
            status: found.status(),
        }
        .into());
    }
    let before = rows::find_pair(db, scope.tenant, learner, course)?;
    let changed = rows::enroll_by_hand(db, scope.tenant, learner, course, "manual", &by(scope))?;
    let row = rows::find_pair(db, scope.tenant, learner, course)?
        .ok_or_else(|| ServiceError::not_found("Enrollment", learner))?;
    if changed {
        let event_type = match before {
            None => EventType::EnrollmentCreated,
            Some(_) => EventType::EnrollmentReopened,
        };
        event(db, scope, row.id, event_type, json!({"by_hand": true}))?;
    }
    Ok((view(db, scope, row.id)?, changed))
}

/// Withdraws an enrollment for a stated reason. Every later `enroll` leaves it alone until there is a new cause (§7.4).
pub fn withdraw(
    db: &mut Db,
    scope: &Scope,
    id: EnrollmentId,
    why: &str,
) -> Result<EnrollmentView, ServiceError> {
    let why = line("reason", why, 500).map_err(|error: LearningError| ServiceError::from(error))?;
    let row = rows::find(db, scope.tenant, id)?.ok_or_else(|| missing(id))?;
    if row.withdrawn_at.is_none() {
        rows::withdraw(db, scope.tenant, &row, &why, &by(scope))?;
        let data = json!({"reason": why});
        event(db, scope, id, EventType::EnrollmentWithdrawn, data)?;
    }
    view(db, scope, id)
}

/// Begins the course again for a stated reason: a new cycle, which takes nothing from the ones before (§7.22).
pub fn restart(
    db: &mut Db,
    scope: &Scope,
    id: EnrollmentId,
    why: &str,
) -> Result<EnrollmentView, ServiceError> {
    let why = line("reason", why, 500)?;
    let row = rows::find(db, scope.tenant, id)?.ok_or_else(|| missing(id))?;
    if row.withdrawn_at.is_some() {
        return Err(ServiceError::invalid(
            "/id",
            "the enrollment is withdrawn; enroll again first",
        ));
    }
    if cycles::restart(db, scope, (row.learner_id, row.course_id))?.is_none() {
        return Err(ServiceError::invalid(
            "/id",
            "a cycle is open already; complete it first",
        ));
    }
    event(
        db,
        scope,
        id,
        EventType::EnrollmentRestarted,
        json!({"reason": why}),
    )?;
    view(db, scope, id)
}
