//! `enroll`: writes what is owed within a scope; the only way a group enrolls anybody (§4). And why not.
//!
//! Every trigger is a call of [`enroll`] with another [`EnrollScope`], in the transaction of the change, once, at its
//! end. The reconciler is the same call with the widest scope, a dry run the same call rolled back.

use chrono::NaiveDate;

use crate::ids::{CourseId, LearnerId, TenantId};
use crate::learning::course::CourseStatus;
use crate::learning::owed::Blocker;
use crate::learning::plan::SubscriptionPlan;
use crate::learning::settings::Settings;
use crate::store::queries::enroll::{self as rows, Predicates, Terms};
use crate::store::queries::events::By;
use crate::store::queries::{assignments, groups_learning, learners};
use crate::store::{Db, StoreError};

use super::connections;
use super::jobs::book::{self, AT_ONCE, Work};
use super::obligations::Narrow;
use super::scope::Connection;
use super::{Scope, ServiceError, cycles};

pub use super::scope::by;

pub use crate::learning::owed::Effects;
pub use crate::store::queries::enroll::EnrollScope;

/// More memberships than this are enrolled through their group, in one set.
pub const NAMED_AT_MOST: usize = 500;

/// Writes everything owed within `what`; a second call writes nothing.
///
/// What one transaction may not hold is left to a job that commits with the change (`service::jobs`); the effects then say so.
pub fn enroll(db: &mut Db, scope: &Scope, what: &EnrollScope) -> Result<Effects, ServiceError> {
    let connection = scope.connection.clone();
    match connection.filter(|one| one.live && one.effect_brake.is_some()) {
        None => enroll_with(db, scope, what, None),
        Some(connection) => braked(db, scope, what, &connection),
    }
}

/// [`enroll`] for a connection with a brake: what would bring it over its number of an hour is held instead, and the
/// connection observes from then on (§7.16).
fn braked(
    db: &mut Db,
    scope: &Scope,
    what: &EnrollScope,
    connection: &Connection,
) -> Result<Effects, ServiceError> {
    /// Why the savepoint is taken back.
    enum Not {
        Held,
        Failed(ServiceError),
    }
    impl From<StoreError> for Not {
        fn from(error: StoreError) -> Self {
            Self::Failed(error.into())
        }
    }
    impl From<ServiceError> for Not {
        fn from(error: ServiceError) -> Self {
            Self::Failed(error)
        }
    }
    let done = db.savepoint(|db| {
        let effects = enroll_with(db, scope, what, None)?;
        // What is left to a job is more than any one transaction holds.
        let caused = if effects.deferred {
            AT_ONCE
        } else {
            effects.enrollments
        };
        if caused > 0 && !connections::may_cause(db, scope, connection, caused)? {
            return Err(Not::Held);
        }
        Ok(effects)
    });
    match done {
        Ok(effects) => Ok(effects),
        Err(Not::Failed(error)) => Err(error),
        Err(Not::Held) => {
            connections::brake(db, scope, connection)?;
            Ok(Effects::default())
        }
    }
}

/// [`enroll`] with due dates no earlier than a day: what a plan that comes back owes (§7.15).
pub fn enroll_with(
    db: &mut Db,
    scope: &Scope,
    what: &EnrollScope,
    due_floor: Option<NaiveDate>,
) -> Result<Effects, ServiceError> {
    now_or_later(db, scope.tenant, what, due_floor, &by(scope))
}

/// [`enroll`] for who has no scope any more: the steps of a job.
pub fn enroll_by(
    db: &mut Db,
    tenant: TenantId,
    what: &EnrollScope,
    by: &By,
) -> Result<Effects, ServiceError> {
    now_or_later(db, tenant, what, None, by)
}

/// [`enroll_by`] with due dates no earlier than a day.
pub fn enroll_from(
    db: &mut Db,
    tenant: TenantId,
    what: &EnrollScope,
    due_floor: Option<NaiveDate>,
    by: &By,
) -> Result<Effects, ServiceError> {
    now_or_later(db, tenant, what, due_floor, by)
}

fn now_or_later(
    db: &mut Db,
    tenant: TenantId,
    what: &EnrollScope,
    due_floor: Option<NaiveDate>,
    by: &By,
) -> Result<Effects, ServiceError> {
    let wide = match what {
        EnrollScope::Group(_)
        | EnrollScope::Course(_)
        | EnrollScope::Assignment(_)
        | EnrollScope::Assignments(_)
        | EnrollScope::Connection(_)
        | EnrollScope::Tenant => true,
        EnrollScope::Memberships(_)
        | EnrollScope::Learner(_)
        | EnrollScope::Learners(_)
        | EnrollScope::Range { .. } => false,
    };
    if wide && rows::owes_more_than(db, tenant, what, AT_ONCE)? {
        let total = match what {
            EnrollScope::Assignment(id) => Some(assignments::members(db, tenant, *id)?),
            _ => None,
        };
        book::later(
            db,
            tenant,
            &Work::Enroll(what.clone(), due_floor),
            total,
            by,
        )?;
        return Ok(Effects {
            deferred: true,
            ..Effects::default()
        });
    }
    write(db, tenant, what, due_floor, by)
}

fn write(
    db: &mut Db,
    tenant: TenantId,
    what: &EnrollScope,
    due_floor: Option<NaiveDate>,
    by: &By,
) -> Result<Effects, ServiceError> {
    let terms = |db: &mut Db| {
        let settings = groups_learning::settings(db, tenant)?
            .map(|row| Settings::parse(&row.settings))
            .unwrap_or_default();
        Ok(Terms {
            rejoin_resume_days: settings.rejoin_resume_days,
            due_floor,
        })
    };
    let (mut effects, closed) = rows::enroll(db, tenant, what, terms, by)?;
    // Enrolled before and done: a cycle opens where no valid completion stands.
    let whole = match what {
        EnrollScope::Group(id) => Some(Narrow::Group(*id)),
        EnrollScope::Assignment(id) => Some(Narrow::Assignment(*id)),
        EnrollScope::Course(id) => Some(Narrow::Course(*id)),
        _ => None,
    };
    match whole {
        Some(narrow) if closed.len() > NAMED_AT_MOST => {
            effects.cycles += cycles::open_due(db, tenant, &narrow, by)?;
        }
        _ => {
            for chunk in closed.chunks(NAMED_AT_MOST) {
                let narrow = Narrow::Pairs(chunk.to_vec());
                effects.cycles += cycles::open_due(db, tenant, &narrow, by)?;
            }
        }
    }
    Ok(effects)
}

/// Why a learner is or is not enrolled in a course through one membership.
#[derive(Clone, Debug)]
pub struct Checked {
    pub through: Predicates,
    pub blocker: Blocker,
}

/// The predicates of §4 read one by one, for every membership through which the course could be owed. Empty: no membership.
pub fn explain(
    db: &mut Db,
    scope: &Scope,
    learner: LearnerId,
    course: CourseId,
) -> Result<Vec<Checked>, ServiceError> {
    let person = learners::find(db, scope.tenant, learner)?
        .ok_or_else(|| ServiceError::not_found("Learner", learner))?;
    let facts = person.facts();
    let rows = rows::predicates(db, scope.tenant, learner, course)?;
    Ok(rows
        .into_iter()
        .map(|through| {
            let blocker = if let (true, Some(cause)) = (through.recorded, &through.end_cause) {
                Blocker::Ended(cause.clone())
            } else if through.recorded {
                Blocker::Enrolled
            } else if let Some(blocker) = facts.not_addable() {
                blocker
            } else if !facts.works() {
                Blocker::Dormant
            } else if CourseStatus::parse(&through.course_status) != Some(CourseStatus::Published) {
                Blocker::CourseNotPublished
            } else if !SubscriptionPlan::parse(&through.plan)
                .is_some_and(SubscriptionPlan::includes_groups)
            {
                Blocker::ParkedPlan
            } else {
                Blocker::ConnectionObserving
            };
            Checked { through, blocker }
        })
        .collect())
}
