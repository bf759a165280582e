//! Learner groups as people manage them: create, edit, release, delete (S-04, S-14, S-15). Not here: their members
//! (`group_members`).
//!
//! Every write needs a plan that includes groups; a directory's writes come through `directory` and share
//! [`apply_members`] and [`end_group`]. Nothing here un-enrolls anybody.

use serde_json::json;

use crate::ids::{GroupId, LearnerId};
use crate::learning::error::LearningError;
use crate::learning::event::{Entity, Event, EventType};
use crate::learning::figures::Tally;
use crate::learning::group::{self, Color, Description, GroupName, Origin, Writer};
use crate::learning::membership::EndCause;
use crate::learning::plan::SubscriptionPlan;
use crate::scim::fold::fold;
use crate::store::listing::Paging;
pub use crate::store::queries::groups_learning::GroupOrder;
use crate::store::queries::groups_learning::{self as rows, GroupFilter, GroupRow, NewGroup};
use crate::store::queries::memberships::{self, StateCounts, Which};
use crate::store::queries::{assignments, events, jobs, resource_values};
use crate::store::{Db, StoreError};

use super::enroll::by;
use super::jobs::book::{self, AT_ONCE, Work};
use super::{Actor, Scope, ServiceError};

pub(super) use super::members::tell;
pub use super::members::{MembersOutcome, apply_members};

/// Refuses with `PlanRequired` when the tenant's plan does not include groups (S-02, §7.15).
pub fn require_plan(db: &mut Db, scope: &Scope) -> Result<(), ServiceError> {
    let plan = rows::plan(db, scope.tenant)?.unwrap_or(SubscriptionPlan::Starter);
    if plan.includes_groups() {
        Ok(())
    } else {
        Err(ServiceError::PlanRequired {
            current: plan.to_string(),
        })
    }
}

/// Whether the directory offers groups: the plan includes them.
pub fn offers_groups(db: &mut Db, scope: &Scope) -> Result<bool, ServiceError> {
    Ok(rows::plan(db, scope.tenant)?.is_some_and(SubscriptionPlan::includes_groups))
}

/// Whether the tenant has a group.
pub fn any(db: &mut Db, scope: &Scope) -> Result<bool, ServiceError> {
    let by_name = (GroupOrder::Name, false);
    let first = Paging::first(1);
    let page = rows::page(db, scope.tenant, &GroupFilter::default(), by_name, &first)?;
    Ok(!page.rows.is_empty())
}

/// Refuses a directory that asks for groups where there never were any and the plan does not include them (§7.15).
/// Groups from before a downgrade stay readable and take members.
pub fn require_plan_or_past(db: &mut Db, scope: &Scope) -> Result<(), ServiceError> {
    if rows::any(db, scope.tenant)? {
        Ok(())
    } else {
        require_plan(db, scope)
    }
}

/// The tenant's time zone: where its calendar dates are.
pub fn zone(db: &mut Db, scope: &Scope) -> Result<chrono_tz::Tz, ServiceError> {
    let settings = rows::settings(db, scope.tenant)?;
    Ok(settings
        .and_then(|settings| settings.time_zone.parse().ok())
        .unwrap_or(chrono_tz::UTC))
}

/// Who the scope's actor is to the rule of locked groups.
pub(super) fn writer(scope: &Scope) -> Writer {
    if matches!(scope.actor, Actor::Scim { .. }) {
        Writer::Connection
    } else {
        Writer::Person
    }
}

/// The fields of a group as a person sends them. For an edit, `None` leaves a field alone; blank text clears it.
#[derive(Clone, Debug, Default)]
pub struct GroupFields {
    pub name: Option<String>,
    pub description: Option<String>,
    pub color: Option<String>,
}

fn description(text: &str) -> Result<Option<String>, LearningError> {
    let description = Description::parse(text)?;
    Ok((!description.is_blank()).then(|| description.to_string()))
}

fn color(text: &str) -> Result<Option<String>, LearningError> {
    if text.trim().is_empty() {
        Ok(None)
    } else {
        Color::parse(text).map(|color| Some(color.to_string()))
    }
}

fn name_taken(error: StoreError, name: &str) -> ServiceError {
    match error {
        StoreError::Conflict => LearningError::GroupNameTaken {
            name: name.to_owned(),
        }
        .into(),
        other => other.into(),
    }
}

/// Creates a group (S-04). Errors: plan, name, color, name taken.
pub fn create(
    db: &mut Db,
    scope: &Scope,
    fields: &GroupFields,
    origin: Origin,
) -> Result<GroupRow, ServiceError> {
    rows::share_tenant(db, scope.tenant)?;
    require_plan(db, scope)?;
    let name = GroupName::parse(fields.name.as_deref().unwrap_or_default())?;
    let description = fields
        .description
        .as_deref()
        .map(description)
        .transpose()?
        .flatten();
    let color = fields.color.as_deref().map(color).transpose()?.flatten();
    let id = GroupId::new();
    let new = NewGroup {
        id,
        name: name.as_str(),
        name_key: &fold(name.as_str()),
        description: description.as_deref(),
        color: color.as_deref(),
        origin: origin.as_str(),
        doc: "{}",
        at: scope.now,
    };
    rows::insert(db, scope.tenant, &new).map_err(|error| name_taken(error, name.as_str()))?;
    let data = json!({"name": name.as_str(), "description": description, "color": color, "origin": origin.as_str()});
    event(db, scope, id, EventType::GroupCreated, data)?;
    find(db, scope, id)
}

/// Says in the audit trail what became of a group.
pub(super) fn event(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    event_type: EventType,
    data: serde_json::Value,
) -> Result<(), ServiceError> {
    let event = Event {
        entity: Entity::Group,
        entity_id: id.0,
        event_type,
        data,
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}

/// Reads a live group.
pub fn find(db: &mut Db, scope: &Scope, id: GroupId) -> Result<GroupRow, ServiceError> {
    rows::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Group", id))
}

/// Locks a live group and checks the version the client expects.
pub(super) fn locked(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    expected: Option<i64>,
) -> Result<GroupRow, ServiceError> {
    let row = rows::find_for_update(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("Group", id))?;
    match expected {
        Some(version) if version != row.version => Err(ServiceError::Stale {
            current: row.version,
        }),
        _ => Ok(row),
    }
}

/// Edits name, description, color (S-14). The same values change nothing. Errors: plan, lock, stale, name taken.
pub fn edit(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    expected: Option<i64>,
    fields: &GroupFields,
) -> Result<GroupRow, ServiceError> {
    require_plan(db, scope)?;
    let before = locked(db, scope, id, expected)?;
    let mut after = before.clone();
    if let Some(text) = &fields.name {
        let name = GroupName::parse(text)?;
        if name.as_str() != before.name {
            group::may_write_name_and_members(before.manager().as_ref(), writer(scope))?;
            after.name_key = fold(name.as_str());
            after.name = name.into_string();
        }
    }
    if let Some(text) = &fields.description {
        after.description = description(text)?;
    }
    if let Some(text) = &fields.color {
        after.color = color(text)?;
    }
    let shown = |row: &GroupRow| json!({"name": row.name, "description": row.description, "color": row.color});
    if shown(&before) == shown(&after) {
        return Ok(before);
    }
    if !rows::update(db, scope.tenant, &after, scope.now)
        .map_err(|error| name_taken(error, &after.name))?
    {
        return Err(ServiceError::Stale {
            current: before.version,
        });
    }
    event(
        db,
        scope,
        id,
        EventType::GroupUpdated,
        json!({"before": shown(&before), "after": shown(&after)}),
    )?;
    find(db, scope, id)
}

/// Takes a group from its connection: from now on the last writer wins (§2.3).
pub fn release(db: &mut Db, scope: &Scope, id: GroupId) -> Result<GroupRow, ServiceError> {
    require_plan(db, scope)?;
    let before = locked(db, scope, id, None)?;
    if before.managed_by.is_some() {
        rows::release(db, scope.tenant, id, scope.now)?;
        event(
            db,
            scope,
            id,
            EventType::GroupReleased,
            json!({"before": {"managed_by": before.managed_by}}),
        )?;
    }
    find(db, scope, id)
}

/// What deleting a group took away, and what it never takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    pub memberships: i64,
}

/// Deletes a group for a person (S-15). Errors: plan, not found, stale.
pub fn delete(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    expected: Option<i64>,
) -> Result<Deleted, ServiceError> {
    require_plan(db, scope)?;
    locked(db, scope, id, expected)?;
    Ok(Deleted {
        memberships: end_group(db, scope, id)?,
    })
}

/// Ends a group's reasons, memberships and assignments and the group itself; enrollments and learners stay (4.8).
pub fn end_group(db: &mut Db, scope: &Scope, id: GroupId) -> Result<i64, ServiceError> {
    let members = jobs::members_after(db, scope.tenant, id, LearnerId(uuid::Uuid::nil()))?;
    let ended = if members > AT_ONCE {
        // The group is gone at once; a job ends what hangs on it.
        book::later(
            db,
            scope.tenant,
            &Work::EndGroup(id),
            Some(members),
            &by(scope),
        )?;
        members
    } else {
        let cause = EndCause::GroupDeleted;
        memberships::end(db, scope.tenant, Which::Group(id), cause, &by(scope))?.count
    };
    let courses = assignments::end_of_group(db, scope.tenant, id, scope.now)?;
    rows::end(db, scope.tenant, id, scope.now)?;
    resource_values::remove_all(db, scope.tenant, id.0)?;
    event(
        db,
        scope,
        id,
        EventType::GroupDeleted,
        json!({"memberships": ended, "assignments": courses, "enrollments_removed": 0}),
    )?;
    Ok(ended)
}

/// A group with its numbers.
#[derive(Clone, Debug)]
pub struct GroupView {
    pub row: GroupRow,
    pub counts: StateCounts,
    pub courses: i64,
    /// How its members' mandatory courses stand, where that was asked and is quick to say.
    pub compliance: Option<Tally>,
    /// The plan no longer includes groups: read-only.
    pub frozen: bool,
}

/// Reads a group with its numbers.
pub fn view(db: &mut Db, scope: &Scope, id: GroupId) -> Result<GroupView, ServiceError> {
    let row = find(db, scope, id)?;
    let frozen = !rows::plan(db, scope.tenant)?.is_some_and(SubscriptionPlan::includes_groups);
    let missing = || ServiceError::not_found("Group", id);
    with_numbers(db, scope, vec![row], frozen)?
        .pop()
        .ok_or_else(missing)
}

/// Adds the numbers to a page of groups, in two statements.
pub(super) fn with_numbers(
    db: &mut Db,
    scope: &Scope,
    rows: Vec<GroupRow>,
    frozen: bool,
) -> Result<Vec<GroupView>, ServiceError> {
    let ids: Vec<GroupId> = rows.iter().map(|row| row.id).collect();
    let counts = memberships::state_counts(db, scope.tenant, &ids)?;
    let courses = assignments::counts(db, scope.tenant, &ids)?;
    Ok(rows
        .into_iter()
        .map(|row| GroupView {
            counts: counts.get(&row.id).copied().unwrap_or_default(),
            courses: courses.get(&row.id).copied().unwrap_or_default(),
            compliance: None,
            row,
            frozen,
        })
        .collect())
}
