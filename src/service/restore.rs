//! A deleted group made again from what it was: a new id, nobody manages it, the same settings and courses, the members who
//! are still here (§7.14, §10). Through the ordinary paths, so eligibility and plan rules apply.

use serde_json::json;

use crate::clock::Instant;
use crate::ids::{CourseId, GroupId};
use crate::learning::assignment::Options;
use crate::learning::error::LearningError;
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::group::Origin;
use crate::store::Db;
use crate::store::queries::{events, restore as rows};

use super::enroll::{Effects, by};
use super::groups::{self, GroupFields};
use super::{Scope, ServiceError, assignments};

/// How a group is made again.
#[derive(Clone, Debug)]
pub struct How {
    /// What it is called now; as it was unless told.
    pub name: Option<String>,
    /// Its members join again.
    pub members: bool,
    /// The group that takes its courses, instead of a new one.
    pub into: Option<GroupId>,
}

/// A course that could not be assigned again.
#[derive(Clone, Debug)]
pub struct Left {
    pub course: CourseId,
    pub title: String,
    pub code: &'static str,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Restored {
    pub group: GroupId,
    pub members: i64,
    pub assignments: i64,
    pub effects: Effects,
    pub left: Vec<Left>,
}

/// Makes a deleted group again. Errors: plan, not found, not deleted, name taken.
pub fn restore(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    how: &How,
) -> Result<Restored, ServiceError> {
    groups::require_plan(db, scope)?;
    let past =
        rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Group", id))?;
    let Some(deleted_at) = past.deleted_at else {
        return Err(ServiceError::invalid("", "the group is not deleted"));
    };
    let group = match how.into {
        Some(group) => groups::locked(db, scope, group, None)?.id,
        None => {
            let fields = GroupFields {
                name: Some(how.name.clone().unwrap_or(past.name)),
                description: past.description,
                color: past.color,
            };
            groups::create(db, scope, &fields, Origin::Rest)?.id
        }
    };
    // A group that is there has the members it has.
    let members = if how.members && how.into.is_none() {
        rows::rejoin(db, scope.tenant, (id, group), &by(scope))?
    } else {
        0
    };
    let event = Event {
        entity: Entity::Group,
        entity_id: group.0,
        event_type: EventType::GroupRestored,
        data: json!({"from": id, "deleted_at": Instant(deleted_at), "memberships": members}),
    };
    events::insert(db, scope.tenant, &by(scope), &event)?;
    let mut restored = Restored {
        group,
        members,
        assignments: 0,
        effects: Effects::default(),
        left: Vec::new(),
    };
    // Each enrolls the members of now, at once or by a job.
    for past in rows::assignments(db, scope.tenant, id, Instant(deleted_at))? {
        let options = Options::new(past.mandatory, past.due(), past.recert_months)?;
        match db.savepoint(|db| assignments::assign(db, scope, group, past.course_id, options)) {
            Ok(assigned) => {
                restored.assignments += 1;
                restored.effects += assigned.effects;
            }
            Err(ServiceError::Learning(
                error @ (LearningError::CourseNotPublished { .. } | LearningError::AlreadyAssigned),
            )) => {
                restored.left.push(Left {
                    course: past.course_id,
                    title: past.course_title,
                    code: error.code(),
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(restored)
}
