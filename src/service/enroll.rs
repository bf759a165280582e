//! `enroll`: writes what is owed within a scope; the only way a group enrolls anybody (§4). And why not.
//!
//! Every trigger is a call of [`enroll`] with another [`EnrollScope`], in the transaction of the change, once, at its
//! end. The reconciler is the same call with the widest scope, a dry run the same call rolled back.

use crate::ids::{CourseId, LearnerId};
use crate::learning::course::CourseStatus;
use crate::learning::owed::Blocker;
use crate::learning::plan::SubscriptionPlan;
use crate::store::Db;
use crate::store::queries::enroll::{self as rows, Predicates};
use crate::store::queries::events::By;
use crate::store::queries::{assignments, learners};

use super::jobs::book::{self, AT_ONCE, Work};
use super::{Scope, ServiceError};

pub use crate::learning::owed::Effects;
pub use crate::store::queries::enroll::EnrollScope;

/// More memberships than this are enrolled through their group, in one set.
pub const NAMED_AT_MOST: usize = 500;

/// Who writes, as rows hold it.
#[must_use]
pub fn by(scope: &Scope) -> By {
    By {
        actor: scope.actor.to_string(),
        request: scope.request,
        at: scope.now,
    }
}

/// Writes everything owed within `what`; a second call writes nothing.
///
/// What one transaction may not hold is left to a job that commits with the change (`service::jobs`); the effects then say so.
pub fn enroll(db: &mut Db, scope: &Scope, what: &EnrollScope) -> Result<Effects, ServiceError> {
    let wide = match what {
        EnrollScope::Group(_)
        | EnrollScope::Course(_)
        | EnrollScope::Assignment(_)
        | EnrollScope::Connection(_)
        | EnrollScope::Tenant => true,
        EnrollScope::Memberships(_)
        | EnrollScope::Learner(_)
        | EnrollScope::Learners(_)
        | EnrollScope::Assignments(_)
        | EnrollScope::Range { .. } => false,
    };
    if wide && rows::owes_more_than(db, scope.tenant, what, AT_ONCE)? {
        let total = match what {
            EnrollScope::Assignment(id) => Some(assignments::members(db, scope.tenant, *id)?),
            _ => None,
        };
        book::later(db, scope, &Work::Enroll(what.clone()), total)?;
        return Ok(Effects {
            deferred: true,
            ..Effects::default()
        });
    }
    Ok(rows::enroll(db, scope.tenant, what, &by(scope))?)
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
