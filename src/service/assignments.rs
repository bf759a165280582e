//! Assignments: a course to a group with its compliance options (S-09 to S-12). Removing one un-enrolls nobody.

use chrono::NaiveDate;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::clock::Instant;
use crate::ids::{AssignmentId, CourseId, GroupId, LearnerId, ReasonId};
use crate::learning::LearningError;
use crate::learning::assignment::Options;
use crate::learning::calendar::{add_days, local_date};
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::obligation::Status;
use crate::store::listing::{Found, Paging};
use crate::store::queries::assignments as rows;
pub use crate::store::queries::assignments::AssignmentRow;
use crate::store::queries::{courses, events, groups_learning, jobs};
use crate::store::{Db, StoreError};

use super::enroll::{self, Effects, EnrollScope, by};
use super::jobs::book::{self, AT_ONCE, Work};
use super::obligations::{self, AsOf, Narrow};
use super::{Scope, ServiceError, cycles, exceptions, groups};

/// An assignment that was made or changed, with what it caused.
#[derive(Clone, Debug)]
pub struct Assigned {
    pub row: AssignmentRow,
    pub effects: Effects,
    /// Codes of what an admin should know: `due_date_in_past`.
    pub warnings: Vec<&'static str>,
    /// What an edit means for the members of today.
    pub impact: Impact,
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
        impact: Impact::default(),
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

/// How an edit is meant (§6.4, §6.5).
#[derive(Clone, Debug, Default)]
pub struct EditHow {
    /// Present obligations keep their terms, but for `mandatory`.
    pub future_only: bool,
    /// Certificates may lapse by it.
    pub confirmed: bool,
    /// The token of the impact that was shown.
    pub impact_token: Option<String>,
}

/// What an edit means for the members of today.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    /// Obligations that become overdue at once.
    pub becomes_overdue: i64,
    /// Certificates that would lapse at once; each gets time until the end of `renew_by`.
    pub becomes_expired: Vec<(LearnerId, ReasonId)>,
    pub renew_by: Option<NaiveDate>,
}

/// Judges the present obligations under other options.
fn impact(
    db: &mut Db,
    scope: &Scope,
    id: AssignmentId,
    options: Options,
) -> Result<Impact, ServiceError> {
    let narrow = Narrow::Assignment(id);
    let gathered = obligations::gather(db, scope.tenant, &narrow, AsOf::present(scope.now))?;
    let mut impact = Impact::default();
    for before in gathered.judged() {
        let after = gathered.judge_under(before.row, options).judgment.status;
        let before_status = before.judgment.status;
        if after == Status::Overdue && before_status != Status::Overdue {
            impact.becomes_overdue += 1;
        }
        if after == Status::Expired && before_status != Status::Expired {
            impact
                .becomes_expired
                .push((before.row.learner_id, before.row.reason_id));
        }
    }
    impact.becomes_expired.sort_unstable();
    if !impact.becomes_expired.is_empty() {
        let days = obligations::settings(db, scope.tenant)?.renewal_window_days;
        let today = local_date(scope.now, gathered.policy.zone);
        impact.renew_by = Some(add_days(today, days));
    }
    Ok(impact)
}

/// Names an impact: whoever sends it back has seen it.
fn token(id: AssignmentId, version: i64, options: Options, impact: &Impact) -> String {
    let people: Vec<String> = impact
        .becomes_expired
        .iter()
        .map(|(_, reason)| reason.to_string())
        .collect();
    let facts = json!([id, version, shown(options), people]).to_string();
    Sha256::digest(facts.as_bytes())
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Changes the options; statuses follow because they are computed (4.10). Certificates that would lapse by it need a
/// confirmation and get time to be renewed. Errors: plan, not found, stale, impact not confirmed.
pub fn edit(
    db: &mut Db,
    scope: &Scope,
    id: AssignmentId,
    expected: Option<i64>,
    options: Options,
    how: &EditHow,
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
            impact: Impact::default(),
        });
    }
    let impact = if how.future_only {
        Impact::default()
    } else {
        impact(db, scope, id, options)?
    };
    if !impact.becomes_expired.is_empty() && !how.confirmed {
        let token = token(id, before.version, options, &impact);
        if how.impact_token.as_deref() != Some(token.as_str()) {
            let learners = impact.becomes_expired.iter().map(|(learner, _)| *learner);
            return Err(LearningError::ImpactUnconfirmed {
                learners: learners.collect(),
                token,
            }
            .into());
        }
    }
    let updated = rows::update(
        db,
        scope.tenant,
        id,
        before.version,
        options,
        how.future_only,
        &by(scope),
    )?;
    if !updated {
        return Err(ServiceError::Stale {
            current: before.version,
        });
    }
    if let Some(due) = impact.renew_by {
        let list: Vec<_> = impact
            .becomes_expired
            .iter()
            .map(|(learner, reason)| (*learner, before.course_id, *reason))
            .collect();
        exceptions::extend_all(
            db,
            scope,
            &list,
            due,
            "the recertification period was changed",
        )?;
    }
    event(
        db,
        scope,
        id,
        EventType::AssignmentUpdated,
        json!({"before": old, "after": shown(options), "apply_to": if how.future_only { "future" } else { "all" },
            "becomes_overdue": impact.becomes_overdue, "extended": impact.becomes_expired.len()}),
    )?;
    if !how.future_only {
        cycles::open_due(db, scope.tenant, &Narrow::Assignment(id), &by(scope))?;
    }
    Ok(Assigned {
        row: find(db, scope, id)?,
        effects: Effects::default(),
        warnings: warnings(db, scope, options)?,
        impact,
    })
}

/// Removes an assignment: its reasons end, enrollments stay (S-12). Errors: plan, not found.
pub fn remove(db: &mut Db, scope: &Scope, id: AssignmentId) -> Result<(), ServiceError> {
    groups::require_plan(db, scope)?;
    let row = find(db, scope, id)?;
    groups_learning::lock(db, scope.tenant, &[row.group_id])?;
    let large = jobs::more_reasons_than(db, scope.tenant, id, AT_ONCE)?;
    let ended = if large {
        book::later(db, scope.tenant, &Work::EndAssignment(id), None, &by(scope))?;
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

/// One page of a group's assignments by id; of those it had at an instant, on the terms of then, if one is named.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    group: GroupId,
    as_of: Option<Instant>,
    paging: &Paging,
) -> Result<Found<AssignmentRow>, ServiceError> {
    groups::find(db, scope, group)?;
    Ok(match as_of {
        None => rows::page(db, scope.tenant, group, paging)?,
        Some(at) => rows::page_as_of(db, scope.tenant, group, at, paging)?,
    })
}
