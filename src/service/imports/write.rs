//! Writing what classified rows ask for: each kind of thing as a set, then one `enroll` for the new memberships and assignments.

use std::collections::BTreeMap;

use serde_json::json;

use crate::ids::{AssignmentId, GroupId, JobId, LearnerId, TenantId};
use crate::learning::event::EventType;
use crate::learning::learner::{RegisteredVia, Registration};
use crate::learning::membership::EndCause;
use crate::service::enroll::{self, Effects, EnrollScope};
use crate::service::{ServiceError, completions, members};
use crate::store::Db;
use crate::store::queries::events::By;
use crate::store::queries::groups_learning;
use crate::store::queries::imports::{self as rows, Admitted, Joined, NewEvent};
use crate::store::queries::memberships::{self, Left, Which};

use super::classify::Classified;

/// Writes a chunk of rows, those behind one line up to another.
pub fn write(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    done: &Classified,
    lines: (i64, i64),
    approved: bool,
    by: &By,
) -> Result<Effects, ServiceError> {
    let mut events: Vec<NewEvent> = Vec::new();
    rows::put(db, tenant, import, &done.rows)?;
    if !done.new_groups.is_empty() {
        groups_learning::share_tenant(db, tenant)?;
        rows::insert_groups(db, tenant, &done.new_groups, by)?;
        events.extend(done.new_groups.iter().map(|group| NewEvent {
            entity: "group",
            entity_id: group.id.0,
            event_type: "group.created",
            data: json!({"name": group.name, "description": group.description, "color": group.color, "origin": "import"})
                .to_string(),
        }));
    }
    if !done.people.is_empty() {
        let how = Admitted {
            registration: Registration::Registered,
            approved,
            via: RegisteredVia::Import,
        };
        let made = rows::insert_people(db, tenant, &done.people, how, by)?;
        events.extend(
            done.people
                .iter()
                .filter(|person| made.contains(&person.user.id))
                .map(|person| NewEvent {
                    entity: "learner",
                    entity_id: person.user.learner_id.0,
                    event_type: "learner.created",
                    data: json!({"user_id": person.user.id, "registered_via": "import"})
                        .to_string(),
                }),
        );
    }
    let mut effects = Effects::default();
    if !done.new_assignments.is_empty() {
        let new: Vec<rows::NewAssignment> = done
            .new_assignments
            .iter()
            .map(|(new, _)| new.clone())
            .collect();
        rows::insert_assignments(db, tenant, &new, by)?;
        events.extend(done.new_assignments.iter().map(|(new, title)| NewEvent {
            entity: "assignment",
            entity_id: new.id.0,
            event_type: "assignment.created",
            data: json!({"group_id": new.group, "course_id": new.course, "course": title, "options": {
                "mandatory": new.mandatory, "due_date": new.due_date, "due_days": new.due_days, "recert_months": new.recert_months}})
            .to_string(),
        }));
    }
    rows::insert_events(db, tenant, &events, by)?;
    let cause = EndCause::MemberRemoved;
    let ended = memberships::end(db, tenant, Which::Periods(&done.ends), cause, by)?;
    let mut joined = Vec::new();
    if !done.touched.is_empty() {
        joined = rows::join(db, tenant, import, lines, by)?;
        let touched: Vec<GroupId> = done.touched.iter().copied().collect();
        rows::touch(db, tenant, &touched, by.at)?;
        for some in joined.chunks(enroll::NAMED_AT_MOST) {
            let what = EnrollScope::Memberships(some.iter().map(|one| one.id).collect());
            effects += enroll::enroll_by(db, tenant, &what, by)?;
        }
    }
    tell(db, tenant, &joined, &ended.named, by)?;
    if !done.new_assignments.is_empty() {
        let ids: Vec<AssignmentId> = done.new_assignments.iter().map(|(new, _)| new.id).collect();
        effects += enroll::enroll_by(db, tenant, &EnrollScope::Assignments(ids), by)?;
    }
    if !done.reports.is_empty() {
        let (_, enrolled) = completions::record_by(db, tenant, &done.reports, by)?;
        effects.enrollments += enrolled;
        effects.reasons += enrolled;
        effects.cycles += enrolled;
    }
    Ok(effects)
}

/// Says in the audit trail who joined and who left, group by group.
pub fn tell(
    db: &mut Db,
    tenant: TenantId,
    joined: &[Joined],
    left: &[Left],
    by: &By,
) -> Result<(), ServiceError> {
    let mut groups: BTreeMap<GroupId, (Vec<LearnerId>, Vec<LearnerId>)> = BTreeMap::new();
    for one in joined {
        groups
            .entry(one.group_id)
            .or_default()
            .0
            .push(one.learner_id);
    }
    for one in left {
        groups
            .entry(one.group_id)
            .or_default()
            .1
            .push(one.learner_id);
    }
    let event = |(group, (joined, left)): (&GroupId, &(Vec<LearnerId>, Vec<LearnerId>))| NewEvent {
        entity: "group",
        entity_id: group.0,
        event_type: EventType::MembersChanged.as_str(),
        data: members::told(joined, left, i64::try_from(left.len()).unwrap_or(i64::MAX))
            .to_string(),
    };
    let events: Vec<NewEvent> = groups.iter().map(event).collect();
    Ok(rows::insert_events(db, tenant, &events, by)?)
}
