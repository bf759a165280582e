//! Completions: recorded, voided, listed; what they close and freeze (4.11, §2.8). Nothing is ever overwritten.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::json;

use crate::clock::Instant;
use crate::ids::{CompletionId, CourseId, EnrollmentId, LearnerId, TenantId};
use crate::learning::calendar::end;
use crate::learning::completion::{CompletionSource, completed_at};
use crate::learning::course::line;
use crate::learning::event::{Entity, Event, EventType};
use crate::store::Db;
use crate::store::listing::{Found, Paging};
pub use crate::store::queries::completions::CompletionRow;
use crate::store::queries::completions::{self as rows, NewCompletion};
use crate::store::queries::cycles::{self as cycle_rows, Closing, Outcome};
use crate::store::queries::enrollments::PairFilter;
use crate::store::queries::events::By;
use crate::store::queries::{courses, enrollments, events, learners};

use super::enroll::by;
use super::obligations::{self, AsOf, Narrow};
use super::{Scope, ServiceError, cycles};

/// A completion as a person, a player or a connector reports it.
#[derive(Clone, Debug)]
pub struct Report {
    pub learner: LearnerId,
    pub course: CourseId,
    pub completed_at: Instant,
    pub source: CompletionSource,
    /// The source's own name for it: the same twice counts once.
    pub source_ref: Option<String>,
    /// Hundredths of a point.
    pub score: Option<i64>,
    pub evidence_ref: Option<String>,
}

/// What became of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is a new completion.
    Now(CompletionId),
    /// The source had reported it before.
    Before,
}

/// Records completions, whose learners and courses the caller has found. Set-based: a few statements for a thousand.
pub fn record(
    db: &mut Db,
    scope: &Scope,
    reports: &[Report],
) -> Result<Vec<Recorded>, ServiceError> {
    record_by(db, scope.tenant, reports, &by(scope)).map(|(recorded, _)| recorded)
}

/// [`record`] for who has no scope any more: the steps of an import. Also returns how many enrollments it made (§7.23).
pub fn record_by(
    db: &mut Db,
    tenant: TenantId,
    reports: &[Report],
    by: &By,
) -> Result<(Vec<Recorded>, i64), ServiceError> {
    let mut list = Vec::with_capacity(reports.len());
    for report in reports {
        list.push(NewCompletion {
            id: CompletionId::new(),
            learner: report.learner,
            course: report.course,
            completed_at: completed_at(report.completed_at, by.at)?,
            source: report.source.as_str().to_owned(),
            source_ref: report.source_ref.clone(),
            score: report.score,
            evidence_ref: report.evidence_ref.clone(),
        });
    }
    let inserted: HashSet<CompletionId> =
        rows::insert(db, tenant, &list, by)?.into_iter().collect();
    let fresh: Vec<&NewCompletion> = list
        .iter()
        .filter(|one| inserted.contains(&one.id))
        .collect();
    let mut enrolled = 0;
    if !fresh.is_empty() {
        let ids: Vec<CompletionId> = fresh.iter().map(|one| one.id).collect();
        enrolled = rows::ensure_enrollments(db, tenant, &ids, by)?;
        rows::recorded_events(db, tenant, &ids, by)?;
        close(db, tenant, by.at, &fresh)?;
    }
    let recorded = list
        .iter()
        .map(|one| {
            if inserted.contains(&one.id) {
                Recorded::Now(one.id)
            } else {
                Recorded::Before
            }
        })
        .collect();
    Ok((recorded, enrolled))
}

type Pair = (LearnerId, CourseId);

/// Closes the open cycles that new completions complete, and freezes what that meant to each live obligation.
fn close(
    db: &mut Db,
    tenant: TenantId,
    now: Instant,
    fresh: &[&NewCompletion],
) -> Result<(), ServiceError> {
    let mut latest: BTreeMap<Pair, &NewCompletion> = BTreeMap::new();
    let mut instants: HashMap<Pair, Vec<Instant>> = HashMap::new();
    for one in fresh {
        let pair = (one.learner, one.course);
        instants.entry(pair).or_default().push(one.completed_at);
        let newest = latest.entry(pair).or_insert(one);
        if one.completed_at > newest.completed_at {
            *newest = one;
        }
    }
    let pairs: Vec<Pair> = latest.keys().copied().collect();
    for chunk in pairs.chunks(200) {
        let open: HashMap<Pair, cycle_rows::CycleRow> =
            cycle_rows::newest_cycles(db, tenant, chunk)?
                .into_iter()
                .filter(|row| row.completed_at.is_none())
                .map(|row| ((row.learner_id, row.course_id), row))
                .collect();
        let gathered = obligations::gather(
            db,
            tenant,
            &Narrow::Pairs(chunk.to_vec()),
            AsOf::present(now),
        )?;
        // A completion from before the cycle closes it when nothing is left to do, as one earned before joining (§7.9).
        let unmet: HashSet<Pair> = gathered
            .judged()
            .filter(|judged| !judged.judgment.is_valid())
            .map(|judged| (judged.row.learner_id, judged.row.course_id))
            .collect();
        let mut closings = HashMap::new();
        for pair in chunk {
            if let (Some(cycle), Some(newest)) = (open.get(pair), latest.get(pair))
                && (newest.completed_at.0 >= cycle.opened_at || !unmet.contains(pair))
            {
                closings.insert(
                    *pair,
                    Closing {
                        enrollment: cycle.enrollment_id,
                        n: cycle.n,
                        completion: newest.id,
                    },
                );
            }
        }
        let mut outcomes = Vec::new();
        for row in gathered.rows() {
            let pair = (row.learner_id, row.course_id);
            let (Some(closing), Some(newest)) = (closings.get(&pair), latest.get(&pair)) else {
                continue;
            };
            let new = instants.get(&pair).map_or(&[][..], Vec::as_slice);
            let mut before = gathered.completions(pair).to_vec();
            for instant in new {
                if let Some(position) = before.iter().position(|one| one == instant) {
                    before.remove(position);
                }
            }
            let then = gathered.judge_with(row, &before, newest.completed_at);
            let due = then.judgment.due;
            outcomes.push(Outcome {
                reason: row.reason_id,
                cycle_n: closing.n,
                completion: newest.id,
                due,
                on_time: due.is_none_or(|due| newest.completed_at < end(due, gathered.policy.zone)),
            });
        }
        let closings: Vec<Closing> = closings.into_values().collect();
        cycle_rows::close_cycles(db, tenant, &closings)?;
        cycle_rows::insert_outcomes(db, tenant, &outcomes, now)?;
    }
    Ok(())
}

/// Refuses learners and courses that are not there. A learner who has left may still have earned something.
pub fn require(db: &mut Db, scope: &Scope, reports: &[Report]) -> Result<(), ServiceError> {
    let wanted: BTreeSet<LearnerId> = reports.iter().map(|report| report.learner).collect();
    let wanted: Vec<LearnerId> = wanted.into_iter().collect();
    let known: HashSet<LearnerId> = learners::known(db, scope.tenant, &wanted)?
        .into_iter()
        .collect();
    if let Some(stranger) = wanted.iter().find(|id| !known.contains(id)) {
        return Err(ServiceError::not_found("Learner", stranger));
    }
    let wanted: BTreeSet<CourseId> = reports.iter().map(|report| report.course).collect();
    let wanted: Vec<CourseId> = wanted.into_iter().collect();
    let known = courses::titles(db, scope.tenant, &wanted)?;
    if let Some(stranger) = wanted.iter().find(|id| !known.contains_key(id)) {
        return Err(ServiceError::not_found("Course", stranger));
    }
    Ok(())
}

/// Reads a completion.
pub fn find(db: &mut Db, scope: &Scope, id: CompletionId) -> Result<CompletionRow, ServiceError> {
    rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Completion", id))
}

/// One page of completions by id.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    filter: PairFilter,
    updated_since: Option<Instant>,
    down: bool,
    paging: &Paging,
) -> Result<Found<CompletionRow>, ServiceError> {
    Ok(rows::page(
        db,
        scope.tenant,
        filter,
        updated_since,
        down,
        paging,
    )?)
}

/// Voids a completion for a stated reason; the row stays. Whoever has something to do again gets a cycle for it.
pub fn void(
    db: &mut Db,
    scope: &Scope,
    id: CompletionId,
    why: &str,
) -> Result<CompletionRow, ServiceError> {
    let why = line("reason", why, 500)?;
    let row = find(db, scope, id)?;
    if rows::void(db, scope.tenant, id, &why, &by(scope))? {
        let event = Event {
            entity: Entity::Completion,
            entity_id: id.0,
            event_type: EventType::CompletionVoided,
            data: json!({"reason": why, "learner_id": row.learner_id, "course_id": row.course_id}),
        };
        events::insert(db, scope.tenant, &by(scope), &event)?;
        cycles::reopen(db, scope, row.learner_id, Some(row.course_id))?;
    }
    find(db, scope, id)
}

/// Notes how far a learner is; the cycle begins with it. Errors: not found, out of range, nothing open.
pub fn progress(
    db: &mut Db,
    scope: &Scope,
    id: EnrollmentId,
    percent: i64,
) -> Result<(), ServiceError> {
    if !(0..=100).contains(&percent) {
        return Err(ServiceError::invalid(
            "/progress_pct",
            "`progress_pct` is 0 to 100",
        ));
    }
    let row = enrollments::find(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("Enrollment", id))?;
    let n = row.cycle_n.unwrap_or_default();
    if row.progress_pct == Some(percent) && row.started_at.is_some() && row.completed_at.is_none() {
        return Ok(());
    }
    if !cycle_rows::progress(db, scope.tenant, id, n, percent, scope.now)? {
        return Err(ServiceError::invalid(
            "/progress_pct",
            "the course is completed and no renewal is open; restart it first",
        ));
    }
    let event = Event {
        entity: Entity::Enrollment,
        entity_id: id.0,
        event_type: EventType::EnrollmentProgressed,
        data: json!({"cycle": n, "before": row.progress_pct, "after": percent}),
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}
