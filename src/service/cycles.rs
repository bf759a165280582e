//! Cycles that open because time has passed: recertification (4.12), and what a learner needs after a return.
//!
//! Never while a cycle is open, never for somebody dormant or pending, never under a plan without groups. Which statuses
//! a learner has never depends on whether this ran (I-9).

use std::collections::BTreeMap;

use crate::clock::Instant;
use crate::ids::{CourseId, EnrollmentId, LearnerId, TenantId};
use crate::learning::calendar::start;
use crate::learning::membership::State;
use crate::learning::obligation::Status;
use crate::learning::plan::SubscriptionPlan;
use crate::store::Db;
use crate::store::queries::cycles::{self as rows, Opening};
use crate::store::queries::events::By;
use crate::store::queries::groups_learning;

use super::obligations::{self, AsOf, Narrow};
use super::scope::by;
use super::{Scope, ServiceError};

/// A job that runs every hour is in time when it comes this late; then a cycle says when its window began.
const IN_TIME: i64 = 2 * 60 * 60 * 1000;

/// Opens the next cycle of every enrollment in a scope that has something to do and no open cycle; returns how many.
pub fn open_due(
    db: &mut Db,
    tenant: TenantId,
    narrow: &Narrow,
    by: &By,
) -> Result<i64, ServiceError> {
    let now = by.at;
    if !groups_learning::plan(db, tenant)?.is_some_and(SubscriptionPlan::includes_groups) {
        return Ok(0);
    }
    let gathered = obligations::gather(db, tenant, narrow, AsOf::present(now))?;
    let zone = gathered.policy.zone;
    let mut openings: BTreeMap<EnrollmentId, Opening> = BTreeMap::new();
    for judged in gathered.judged() {
        let (row, judgment) = (judged.row, &judged.judgment);
        let Some(n) = row.cycle_n else { continue };
        let needed = !matches!(judgment.status, Status::Compliant | Status::Waived);
        if row.is_open(now) || judged.state() != State::Active || !needed {
            continue;
        }
        let window = judgment.renewable_from.map_or(now, |day| start(day, zone));
        let late = now.0.saturating_sub(window.0) > IN_TIME;
        let at = if late { now } else { window };
        let opening = openings.entry(row.enrollment_id).or_insert(Opening {
            enrollment: row.enrollment_id,
            n: n + 1,
            at,
        });
        opening.at = opening.at.min(at);
    }
    let openings: Vec<Opening> = openings.into_values().collect();
    Ok(rows::open_cycles(
        db,
        tenant,
        &openings,
        "recertification",
        by,
    )?)
}

/// After completions were voided: opens a cycle for whatever is to be done again, because an obligation says so or because no
/// completion is left. Of a learner's enrollment in one course, or all.
pub fn reopen(
    db: &mut Db,
    scope: &Scope,
    learner: LearnerId,
    course: Option<CourseId>,
) -> Result<i64, ServiceError> {
    let narrow = match course {
        Some(course) => Narrow::Pairs(vec![(learner, course)]),
        None => Narrow::Learner(learner),
    };
    let by = by(scope);
    let due = open_due(db, scope.tenant, &narrow, &by)?;
    let undone = rows::undone(db, scope.tenant, learner, course, scope.now)?;
    Ok(due + rows::open_cycles(db, scope.tenant, &undone, "restart", &by)?)
}

/// How many enrollments one round of the hourly job judges in a transaction.
pub const ROUND: i64 = 500;

/// One round of the hourly job: judges the next enrollments whose renewal window may have opened. Returns where the next
/// round begins, `None` when nothing is left, and how many cycles were opened.
pub fn renewals(
    db: &mut Db,
    scope: &Scope,
    after: Option<(LearnerId, CourseId)>,
) -> Result<(Option<(LearnerId, CourseId)>, i64), ServiceError> {
    if !groups_learning::plan(db, scope.tenant)?.is_some_and(SubscriptionPlan::includes_groups) {
        return Ok((None, 0));
    }
    let window = i64::from(obligations::settings(db, scope.tenant)?.renewal_window_days);
    let pairs = rows::renewal_candidates(db, scope.tenant, window, scope.now, after, ROUND)?;
    let Some(last) = pairs.last().copied() else {
        return Ok((None, 0));
    };
    let opened = open_due(db, scope.tenant, &Narrow::Pairs(pairs), &by(scope))?;
    Ok((Some(last), opened))
}

/// The instant of a restart by a person: a new cycle after the newest, which must be completed. `None` when one is open.
pub fn restart(
    db: &mut Db,
    scope: &Scope,
    pair: (LearnerId, CourseId),
) -> Result<Option<Instant>, ServiceError> {
    let Some(newest) = rows::newest_cycles(db, scope.tenant, &[pair])?.pop() else {
        return Ok(None);
    };
    if newest.completed_at.is_none() {
        return Ok(None);
    }
    let opening = Opening {
        enrollment: newest.enrollment_id,
        n: newest.n + 1,
        at: scope.now,
    };
    rows::open_cycles(db, scope.tenant, &[opening], "restart", &by(scope))?;
    Ok(Some(scope.now))
}
