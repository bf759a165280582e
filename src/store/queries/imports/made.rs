//! What rows make: memberships, groups, assignments, people, with their events.

use diesel::QueryableByName;
use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::{
    AssignmentId, CourseId, GroupId, JobId, LearnerId, MembershipId, TenantId, UserId,
};
use crate::learning::learner::{RegisteredVia, Registration};
use crate::store::queries::events::By;
use crate::store::queries::memberships::{CHUNK, padded};
use crate::store::queries::suggestions::{self, Known};
use crate::store::queries::{counters, users, values};
use crate::store::statement::{Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::{BLOCK, tuples};

/// A period that a row has opened.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Joined {
    #[diesel(sql_type = SqlId)]
    pub id: MembershipId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
}

/// Opens the memberships that rows of these lines ask for; returns the new periods.
pub fn join(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    (after, upto): (i64, i64),
    by: &By,
) -> Result<Vec<Joined>, StoreError> {
    let stmt = Stmt::new(format!(
        "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, added_by, added_at, request_id) \
         SELECT u.tenant_id, {new_id}, r.group_id, u.learner_id, u.id, 'import', ?, ?, ? \
         FROM import_rows r CROSS JOIN users u WHERE r.tenant_id = ? AND r.import_id = ? AND r.line > ? AND r.line <= ? \
         AND r.outcome IN ('added', 'pended') AND u.tenant_id = r.tenant_id AND u.id = r.user_id AND u.deleted_at IS NULL \
         ON CONFLICT (tenant_id, group_id, learner_id) WHERE ended_at IS NULL DO NOTHING RETURNING id, group_id, learner_id",
        new_id = db.dialect().new_id,
    ))
    .bind(by.actor.as_str())
    .bind(by.at)
    .bind(by.request)
    .bind(tenant)
    .bind(import)
    .bind(after)
    .bind(upto);
    db.load(stmt)
}

/// Makes a new version of groups whose members have changed.
pub fn touch(
    db: &mut Db,
    tenant: TenantId,
    groups: &[GroupId],
    at: Instant,
) -> Result<(), StoreError> {
    for chunk in groups.chunks(CHUNK) {
        let binds = padded(chunk);
        let sql = format!(
            "UPDATE learner_groups SET version = version + 1, modified_at = ? WHERE tenant_id = ? AND id IN ({})",
            marks(binds.len())
        );
        db.execute(Stmt::new(sql).bind(at).bind(tenant).binds(binds))?;
    }
    Ok(())
}

/// A group to be made.
#[derive(Clone, Debug)]
pub struct NewGroup {
    pub id: GroupId,
    pub name: String,
    pub name_key: String,
    pub description: Option<String>,
    pub color: Option<String>,
}

/// Makes groups, with an event each; those whose names are taken meanwhile are left out. Returns how many were made.
pub fn insert_groups(
    db: &mut Db,
    tenant: TenantId,
    groups: &[NewGroup],
    by: &By,
) -> Result<usize, StoreError> {
    let mut made = 0;
    for block in groups.chunks(BLOCK) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO learner_groups (tenant_id, id, name, name_key, description, color, origin, version, created_at, modified_at, doc) \
             VALUES {}",
            vec!["(?, ?, ?, ?, ?, ?, 'import', 1, ?, ?, '{}')"; block.len()].join(", ")
        ))
        .once(block.len() != BLOCK);
        for group in block {
            stmt = stmt
                .bind(tenant)
                .bind(group.id)
                .bind(group.name.as_str())
                .bind(group.name_key.as_str())
                .bind(group.description.as_deref())
                .bind(group.color.as_deref())
                .bind(by.at)
                .bind(by.at);
        }
        made += db.execute(stmt)?;
    }
    if let Some(first) = groups.first() {
        let count = i64::try_from(made).unwrap_or(i64::MAX);
        counters::add(db, tenant, "groups", first.id.0, count)?;
    }
    Ok(made)
}

/// An event of many that are alike.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub entity: &'static str,
    pub entity_id: Uuid,
    pub event_type: &'static str,
    pub data: String,
}

/// Appends events.
pub fn insert_events(
    db: &mut Db,
    tenant: TenantId,
    events: &[NewEvent],
    by: &By,
) -> Result<(), StoreError> {
    for block in events.chunks(BLOCK) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) VALUES {}",
            tuples(block.len(), 9)
        ))
        .once(block.len() != BLOCK);
        for event in block {
            stmt = stmt
                .bind(tenant)
                .bind(crate::ids::EventId::new())
                .bind(by.at)
                .bind(by.actor.as_str())
                .bind(by.request)
                .bind(event.entity)
                .bind(event.entity_id)
                .bind(event.event_type)
                .bind(event.data.as_str());
        }
        db.execute(stmt)?;
    }
    Ok(())
}

/// An assignment to be made.
#[derive(Clone, Debug)]
pub struct NewAssignment {
    pub id: AssignmentId,
    pub group: GroupId,
    pub course: CourseId,
    pub mandatory: bool,
    pub due_date: Option<String>,
    pub due_days: Option<i64>,
    pub recert_months: Option<i64>,
}

/// Makes assignments and their versions 1.
pub fn insert_assignments(
    db: &mut Db,
    tenant: TenantId,
    assignments: &[NewAssignment],
    by: &By,
) -> Result<(), StoreError> {
    for block in assignments.chunks(BLOCK) {
        let once = block.len() != BLOCK;
        let mut stmt = Stmt::new(format!(
            "INSERT INTO assignments (tenant_id, id, group_id, course_id, mandatory, due_date, due_days, recert_months, version, created_by, \
             created_at, modified_at) VALUES {}",
            vec!["(?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)"; block.len()].join(", ")
        ))
        .once(once);
        let mut versions = Stmt::new(format!(
            "INSERT INTO assignment_versions (tenant_id, assignment_id, version, valid_from, mandatory, due_date, due_days, recert_months) \
             VALUES {}",
            vec!["(?, ?, 1, ?, ?, ?, ?, ?)"; block.len()].join(", ")
        ))
        .once(once);
        for one in block {
            stmt = stmt
                .bind(tenant)
                .bind(one.id)
                .bind(one.group)
                .bind(one.course)
                .bind(one.mandatory)
                .bind(one.due_date.as_deref())
                .bind(one.due_days)
                .bind(one.recert_months)
                .bind(by.actor.as_str())
                .bind(by.at)
                .bind(by.at);
            versions = versions
                .bind(tenant)
                .bind(one.id)
                .bind(by.at)
                .bind(one.mandatory)
                .bind(one.due_date.as_deref())
                .bind(one.due_days)
                .bind(one.recert_months);
        }
        db.execute(stmt)?;
        db.execute(versions)?;
    }
    Ok(())
}

/// A person to be made, with an account.
#[derive(Clone, Debug)]
pub struct NewPerson {
    pub user: users::NewUser,
    pub display_name: String,
    pub email: Option<String>,
    pub active: bool,
    pub values: Vec<values::ValueRow>,
}

/// How people come in.
#[derive(Clone, Copy, Debug)]
pub struct Admitted {
    pub registration: Registration,
    pub approved: bool,
    pub via: RegisteredVia,
}

#[derive(QueryableByName)]
struct OneUser {
    #[diesel(sql_type = SqlId)]
    id: UserId,
}

/// Makes people with accounts; those whose user names are taken are left out. Returns who was made.
pub fn insert_people(
    db: &mut Db,
    tenant: TenantId,
    people: &[NewPerson],
    how: Admitted,
    by: &By,
) -> Result<std::collections::HashSet<UserId>, StoreError> {
    let approved = how.approved;
    let mut made = std::collections::HashSet::with_capacity(people.len());
    for block in people.chunks(BLOCK) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO users (tenant_id, id, learner_id, user_name, user_name_key, external_id, display_name_key, active, version, \
             created_at, modified_at, doc) VALUES {} ON CONFLICT DO NOTHING RETURNING id",
            vec!["(?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)"; block.len()].join(", ")
        ))
        .once(block.len() != BLOCK);
        for person in block {
            let user = &person.user;
            stmt = stmt
                .bind(tenant)
                .bind(user.id)
                .bind(user.learner_id)
                .bind(user.user_name.as_str())
                .bind(user.user_name_key.as_str())
                .bind(user.external_id.as_deref())
                .bind(users::shortened(user.display_name_key.as_deref()))
                .bind(user.active)
                .bind(by.at)
                .bind(by.at)
                .bind(user.doc.as_str());
        }
        let rows: Vec<OneUser> = db.load(stmt)?;
        made.extend(rows.into_iter().map(|row| row.id));
    }
    let new: Vec<&NewPerson> = people
        .iter()
        .filter(|person| made.contains(&person.user.id))
        .collect();
    for block in new.chunks(BLOCK) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO learners (tenant_id, id, registration, approval, active, suspended, display_name, email, registered_via, approved_by, \
             approved_at, version, created_at, modified_at) VALUES {}",
            vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)"; block.len()].join(", ")
        ))
        .once(block.len() != BLOCK);
        for person in block {
            stmt = stmt
                .bind(tenant)
                .bind(person.user.learner_id)
                .bind(how.registration.as_str())
                .bind(if approved { "approved" } else { "pending" })
                .bind(person.active)
                .bind(false)
                .bind(person.display_name.as_str())
                .bind(person.email.as_deref())
                .bind(how.via.as_str())
                .bind(approved.then(|| by.actor.clone()))
                .bind(approved.then_some(by.at))
                .bind(by.at)
                .bind(by.at);
        }
        db.execute(stmt)?;
    }
    let values: Vec<(UserId, &values::ValueRow)> = new
        .iter()
        .flat_map(|person| person.values.iter().map(|value| (person.user.id, value)))
        .collect();
    for block in values.chunks(BLOCK) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO user_values (tenant_id, attr, value_key, user_id, ord, type_key, is_primary) VALUES {}",
            tuples(block.len(), 7)
        ))
        .once(block.len() != BLOCK);
        for (user, value) in block {
            stmt = stmt
                .bind(tenant)
                .bind(value.attr)
                .bind(value.value_key.as_str())
                .bind(*user)
                .bind(value.ord)
                .bind(value.type_key.as_deref())
                .bind(value.is_primary);
        }
        db.execute(stmt)?;
    }
    let known: Vec<Known> = new
        .iter()
        .map(|person| Known::new(&person.user, &person.values))
        .collect();
    let found = suggestions::matches(db, tenant, &known)?;
    suggestions::insert(db, tenant, &found, by)?;
    if let Some(first) = made.iter().next() {
        let count = i64::try_from(made.len()).unwrap_or(i64::MAX);
        counters::add(db, tenant, "users", first.0, count)?;
    }
    Ok(made)
}
