//! `enroll`: writes what is owed within a scope; the only way a group enrolls anybody (§4). And why not.
//!
//! Every trigger is a call of [`enroll`] with another [`EnrollScope`], in the transaction of the change, once, at its
//! end. The reconciler is the same call with the widest scope, a dry run the same call rolled back.

use chrono::NaiveDate;
use serde_json::json;

use crate::ids::{ConnectionId, CourseId, LearnerId, TenantId};
use crate::learning::calendar::local_date;
use crate::learning::course::CourseStatus;
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::owed::Blocker;
use crate::learning::plan::SubscriptionPlan;
use crate::learning::settings::Settings;
use crate::store::queries::enroll::{self as rows, Predicates, Terms};
use crate::store::queries::events::By;
use crate::store::queries::{assignments, connections, events, groups_learning, learners};
use crate::store::{Db, StoreError};

use super::jobs::book::{self, AT_ONCE, Work};
use super::obligations::Narrow;
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
    enroll_with(db, scope, what, None)
}

/// [`enroll`] with due dates no earlier than a day: what a plan that comes back owes (§7.15).
pub fn enroll_with(
    db: &mut Db,
    scope: &Scope,
    what: &EnrollScope,
    due_floor: Option<NaiveDate>,
) -> Result<Effects, ServiceError> {
    let work = Enrolling {
        tenant: scope.tenant,
        what,
        due_floor,
        pushed_by: scope
            .connection
            .as_ref()
            .filter(|connection| connection.brakes)
            .map(|connection| connection.id),
        by: &by(scope),
    };
    work.now_or_later(db)
}

/// [`enroll`] for who has no scope any more: the steps of a job.
pub fn enroll_by(
    db: &mut Db,
    tenant: TenantId,
    what: &EnrollScope,
    by: &By,
) -> Result<Effects, ServiceError> {
    enroll_from(db, tenant, what, None, by)
}

/// [`enroll_by`] with due dates no earlier than a day.
pub fn enroll_from(
    db: &mut Db,
    tenant: TenantId,
    what: &EnrollScope,
    due_floor: Option<NaiveDate>,
    by: &By,
) -> Result<Effects, ServiceError> {
    let work = Enrolling {
        tenant,
        what,
        due_floor,
        pushed_by: None,
        by,
    };
    work.now_or_later(db)
}

/// What is to be enrolled, for whom.
struct Enrolling<'a> {
    tenant: TenantId,
    what: &'a EnrollScope,
    due_floor: Option<NaiveDate>,
    /// The connection whose request causes it, which has a brake.
    pushed_by: Option<ConnectionId>,
    by: &'a By,
}

impl Enrolling<'_> {
    fn now_or_later(&self, db: &mut Db) -> Result<Effects, ServiceError> {
        let (tenant, what) = (self.tenant, self.what);
        if !self.is_wide() || !rows::owes_more_than(db, tenant, what, AT_ONCE)? {
            return self.write(db);
        }
        if let Some(connection) = self.pushed_by
            && brakes(db, tenant, connection, AT_ONCE, self.by)?
        {
            return self.held(db);
        }
        let total = match what {
            EnrollScope::Assignment(id) => Some(assignments::members(db, tenant, *id)?),
            _ => None,
        };
        let work = Work::Enroll(what.clone(), self.due_floor);
        book::later(db, tenant, &work, total, self.by)?;
        Ok(Effects {
            deferred: true,
            ..Effects::default()
        })
    }

    const fn is_wide(&self) -> bool {
        match self.what {
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
        }
    }

    /// Now that the connection observes: what is owed without it.
    fn held(&self, db: &mut Db) -> Result<Effects, ServiceError> {
        let rest = Enrolling {
            pushed_by: None,
            ..*self
        };
        let mut effects = rest.now_or_later(db)?;
        effects.held = true;
        Ok(effects)
    }

    fn write(&self, db: &mut Db) -> Result<Effects, ServiceError> {
        let (tenant, what, by) = (self.tenant, self.what, self.by);
        let terms = |db: &mut Db, new: i64| {
            if let Some(connection) = self.pushed_by
                && brakes(db, tenant, connection, new, by)?
            {
                return Ok(None);
            }
            let row = groups_learning::settings(db, tenant)?;
            let zone = row.as_ref().and_then(|row| row.time_zone.parse().ok());
            let settings = row
                .map(|row| Settings::parse(&row.settings))
                .unwrap_or_default();
            let joining = matches!(what, EnrollScope::Memberships(_) | EnrollScope::Group(_));
            let at_once = joining && settings.late_joiner_grace_days == 0;
            Ok(Some(Terms {
                rejoin_resume_days: settings.rejoin_resume_days,
                due_floor: self.due_floor,
                today: at_once.then(|| local_date(by.at, zone.unwrap_or(chrono_tz::UTC))),
            }))
        };
        let Some((mut effects, closed)) = rows::enroll(db, tenant, what, terms, by)? else {
            return self.held(db);
        };
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
}

/// Puts a connection on observation whose requests would have caused more new enrollments within an hour than its brake
/// allows (§7.16); says whether it did.
fn brakes(
    db: &mut Db,
    tenant: TenantId,
    connection: ConnectionId,
    new: i64,
    by: &By,
) -> Result<bool, StoreError> {
    let since = by.at.plus_millis(-HOUR);
    let Some(brake) = connections::brake(db, tenant, connection, since)? else {
        return Ok(false);
    };
    let would_be = brake.caused.saturating_add(new);
    if would_be <= brake.effect_brake {
        return Ok(false);
    }
    connections::observe(db, tenant, connection)?;
    let event = Event {
        entity: Entity::Connection,
        entity_id: connection.0,
        event_type: EventType::ConnectionBraked,
        data: json!({"before": {"mode": "live"}, "after": {"mode": "observe"}, "effect_brake": brake.effect_brake,
            "enrollments_within_an_hour": would_be}),
    };
    events::insert(db, tenant, by, &event)?;
    Ok(true)
}

const HOUR: i64 = 60 * 60 * 1000;

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
            } else if !through.connection_live {
                Blocker::ConnectionObserving
            } else {
                Blocker::JobRunning
            };
            Checked { through, blocker }
        })
        .collect())
}
