//! The rows of imported files, and what rows name: each statement for a thousand rows at a time, never for one.

use diesel::QueryableByName;
use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::{
    AssignmentId, ConnectionId, CourseId, GroupId, JobId, LearnerId, MembershipId, TenantId, UserId,
};
use crate::learning::group::Manager;
use crate::learning::learner::Facts;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::events::By;
use super::memberships::{CHUNK, facts, padded};

/// How many rows one statement inserts: a fixed number, so that its text is prepared once.
const BLOCK: usize = 100;

/// `(?, ?), (?, ?)`: so many rows of so many values.
fn tuples(rows: usize, values: usize) -> String {
    vec![format!("({})", marks(values)); rows].join(", ")
}

/// One row of a file.
#[derive(Clone, Debug, QueryableByName)]
pub struct ImportRow {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub line: i64,
    /// What stood in the file, as a JSON list.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub cells: String,
    /// What was read, as JSON.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub fields: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub outcome: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub code: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub detail: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub group_id: Option<GroupId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub learner_id: Option<LearnerId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub user_id: Option<UserId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    pub course_id: Option<CourseId>,
    /// The row assigns the course to the group.
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub assigns: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub due_date: Option<String>,
}

const COLUMNS: &str = "r.line, r.cells, r.fields, r.outcome, r.code, r.detail, r.group_id, r.learner_id, r.user_id, r.course_id, \
     r.assigns, r.due_date";

/// Stores rows; of those that are stored already, what becomes of them.
pub fn put(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    rows: &[ImportRow],
) -> Result<(), StoreError> {
    for block in rows.chunks(BLOCK) {
        let mut stmt = Stmt::new(format!(
            "INSERT INTO import_rows (tenant_id, import_id, line, cells, fields, outcome, code, detail, group_id, learner_id, user_id, \
             course_id, assigns, due_date) VALUES {} ON CONFLICT (tenant_id, import_id, line) DO UPDATE SET outcome = excluded.outcome, \
             code = excluded.code, detail = excluded.detail, group_id = excluded.group_id, learner_id = excluded.learner_id, \
             user_id = excluded.user_id, course_id = excluded.course_id, assigns = excluded.assigns, due_date = excluded.due_date",
            tuples(block.len(), 14)
        ))
        .once(block.len() != BLOCK);
        for row in block {
            stmt = stmt
                .bind(tenant)
                .bind(import)
                .bind(row.line)
                .bind(row.cells.as_str())
                .bind(row.fields.as_str())
                .bind(row.outcome.as_str())
                .bind(row.code.as_deref())
                .bind(row.detail.as_deref())
                .bind(row.group_id)
                .bind(row.learner_id)
                .bind(row.user_id)
                .bind(row.course_id)
                .bind(row.assigns)
                .bind(row.due_date.as_deref());
        }
        db.execute(stmt)?;
    }
    Ok(())
}

/// The next rows behind a line; of one outcome if one is named.
pub fn after(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    outcome: Option<&str>,
    line: i64,
    limit: i64,
) -> Result<Vec<ImportRow>, StoreError> {
    let condition = if outcome.is_some() {
        " AND r.outcome = ?"
    } else {
        ""
    };
    let mut stmt = Stmt::new(format!(
        "SELECT {COLUMNS} FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ?{condition} AND r.line > ? ORDER BY r.line LIMIT ?"
    ))
    .bind(tenant)
    .bind(import);
    if let Some(outcome) = outcome {
        stmt = stmt.bind(outcome);
    }
    db.load(stmt.bind(line).bind(limit))
}

/// The first rows that change something.
pub fn changing(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    limit: i64,
) -> Result<Vec<ImportRow>, StoreError> {
    db.load(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.outcome NOT IN ('staged', 'no_op', 'error') \
             ORDER BY r.line LIMIT ?"
        ))
        .bind(tenant)
        .bind(import)
        .bind(limit),
    )
}

/// How many rows have an outcome.
#[derive(Clone, Debug, QueryableByName)]
pub struct OutcomeCount {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub outcome: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub n: i64,
}

/// The rows of a file by outcome.
pub fn outcomes(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
) -> Result<Vec<OutcomeCount>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT r.outcome, count(*) AS n FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? GROUP BY r.outcome ORDER BY r.outcome",
        )
        .bind(tenant)
        .bind(import),
    )
}

/// Rows of these lines that say what an earlier one says of the same learner in the same group become `no_op`.
pub fn mark_twins(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    (after, upto): (i64, i64),
) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "UPDATE import_rows SET outcome = CASE WHEN assigns THEN 'assigned' ELSE 'no_op' END, code = 'duplicate_row' WHERE tenant_id = ? AND import_id = ? AND line > ? AND line <= ? \
             AND outcome IN ('added', 'pended', 'removed') AND EXISTS (SELECT 1 FROM import_rows e WHERE e.tenant_id = import_rows.tenant_id \
             AND e.import_id = import_rows.import_id AND e.group_id = import_rows.group_id AND e.learner_id = import_rows.learner_id \
             AND e.outcome = import_rows.outcome AND e.line < import_rows.line)",
        )
        .bind(tenant)
        .bind(import)
        .bind(after)
        .bind(upto),
    )
    .map(drop)
}

/// Deletes the first rows of a file; returns how many.
pub fn delete_some(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    limit: i64,
) -> Result<usize, StoreError> {
    db.execute(
        Stmt::new(
            "DELETE FROM import_rows WHERE tenant_id = ? AND import_id = ? AND line IN \
             (SELECT r.line FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? ORDER BY r.line LIMIT ?)",
        )
        .bind(tenant)
        .bind(import)
        .bind(tenant)
        .bind(import)
        .bind(limit),
    )
}

/// A group that a row names.
#[derive(Clone, Debug, QueryableByName)]
pub struct NamedGroup {
    #[diesel(sql_type = SqlId)]
    pub id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name_key: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlId>)]
    managed_by: Option<ConnectionId>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    manager_name: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Bool>)]
    manager_locks: Option<bool>,
}

impl NamedGroup {
    /// The connection that manages it.
    #[must_use]
    pub fn manager(&self) -> Option<Manager> {
        Some(Manager {
            id: self.managed_by?,
            name: self.manager_name.clone()?,
            locks: self.manager_locks?,
        })
    }
}

/// The live groups of these folded names and these ids.
pub fn groups(
    db: &mut Db,
    tenant: TenantId,
    keys: &[&str],
    ids: &[GroupId],
) -> Result<Vec<NamedGroup>, StoreError> {
    const GROUP: &str = "SELECT g.id, g.name_key, g.managed_by, k.name AS manager_name, k.lock_groups AS manager_locks FROM learner_groups g \
         LEFT JOIN connections k ON k.tenant_id = g.tenant_id AND k.id = g.managed_by WHERE g.tenant_id = ? AND g.deleted_at IS NULL";
    let mut found = Vec::new();
    for chunk in keys.chunks(CHUNK) {
        let binds = padded(chunk);
        let sql = format!("{GROUP} AND g.name_key IN ({})", marks(binds.len()));
        found.extend(db.load::<NamedGroup>(Stmt::new(sql).bind(tenant).binds(binds))?);
    }
    for chunk in ids.chunks(CHUNK) {
        let binds = padded(chunk);
        let sql = format!("{GROUP} AND g.id IN ({})", marks(binds.len()));
        found.extend(db.load::<NamedGroup>(Stmt::new(sql).bind(tenant).binds(binds))?);
    }
    Ok(found)
}

/// An account that a row names, by what it was named.
#[derive(Clone, Debug, QueryableByName)]
pub struct NamedAccount {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub key: Option<String>,
    #[diesel(sql_type = SqlId)]
    pub id: UserId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    registration: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    approval: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    active: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    suspended: bool,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    deleted: bool,
}

impl NamedAccount {
    /// The facts of the learner.
    #[must_use]
    pub fn facts(&self) -> Facts {
        facts(
            &self.registration,
            &self.approval,
            self.active,
            self.suspended,
            self.deleted,
        )
    }
}

/// What accounts are looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    LearnerId,
    ExternalId,
    /// Folded.
    UserName,
    /// Folded.
    Email,
}

/// The number under which e-mail addresses stand in `user_values`.
const EMAILS: i64 = 1;

/// The live accounts that these values name.
pub fn accounts(
    db: &mut Db,
    tenant: TenantId,
    by: Label,
    values: &[Bind],
) -> Result<Vec<NamedAccount>, StoreError> {
    let facts = "u.id, u.learner_id, l.registration, l.approval, l.active, l.suspended, (l.deleted_at IS NOT NULL) AS deleted";
    let mut found = Vec::new();
    for chunk in values.chunks(CHUNK) {
        let mut binds = chunk.to_vec();
        if let Some(last) = chunk.last() {
            let length = [1, 16, 256]
                .into_iter()
                .find(|length| chunk.len() <= *length);
            binds.resize(length.unwrap_or(CHUNK), last.clone());
        }
        let marks = marks(binds.len());
        let learner = "l.tenant_id = u.tenant_id AND l.id = u.learner_id AND u.deleted_at IS NULL";
        let sql = match by {
            Label::Email => format!(
                "SELECT v.value_key AS key, {facts} FROM user_values v CROSS JOIN users u CROSS JOIN learners l \
                 WHERE v.tenant_id = ? AND v.attr = {EMAILS} AND v.value_key IN ({marks}) \
                 AND u.tenant_id = v.tenant_id AND u.id = v.user_id AND {learner}"
            ),
            Label::UserName => format!(
                "SELECT u.user_name_key AS key, {facts} FROM users u CROSS JOIN learners l \
                 WHERE u.tenant_id = ? AND u.user_name_key IN ({marks}) AND {learner}"
            ),
            Label::ExternalId => format!(
                "SELECT u.external_id AS key, {facts} FROM users u CROSS JOIN learners l \
                 WHERE u.tenant_id = ? AND u.external_id IN ({marks}) AND u.external_id IS NOT NULL AND {learner}"
            ),
            Label::LearnerId => format!(
                "SELECT CAST(NULL AS TEXT) AS key, {facts} FROM users u CROSS JOIN learners l \
                 WHERE u.tenant_id = ? AND u.learner_id IN ({marks}) AND {learner}"
            ),
        };
        found.extend(db.load::<NamedAccount>(Stmt::new(sql).bind(tenant).binds(binds))?);
    }
    Ok(found)
}

/// A course that a row names.
#[derive(Clone, Debug, QueryableByName)]
pub struct NamedCourse {
    #[diesel(sql_type = SqlId)]
    pub id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub code_key: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub title: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub status: String,
}

/// The courses of these folded codes.
pub fn courses(
    db: &mut Db,
    tenant: TenantId,
    keys: &[&str],
) -> Result<Vec<NamedCourse>, StoreError> {
    let mut found = Vec::new();
    for chunk in keys.chunks(CHUNK) {
        let binds = padded(chunk);
        let sql = format!(
            "SELECT c.id, c.code_key, c.title, c.status FROM courses c WHERE c.tenant_id = ? AND c.code_key IN ({}) AND c.code_key IS NOT NULL",
            marks(binds.len())
        );
        found.extend(db.load::<NamedCourse>(Stmt::new(sql).bind(tenant).binds(binds))?);
    }
    Ok(found)
}

/// A live membership.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct LivePair {
    #[diesel(sql_type = SqlId)]
    pub id: MembershipId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
}

/// The live memberships of these learners.
pub fn memberships(
    db: &mut Db,
    tenant: TenantId,
    learners: &[LearnerId],
) -> Result<Vec<LivePair>, StoreError> {
    let mut found = Vec::new();
    for chunk in learners.chunks(CHUNK) {
        let binds = padded(chunk);
        let sql = format!(
            "SELECT m.id, m.group_id, m.learner_id FROM memberships m WHERE m.tenant_id = ? AND m.learner_id IN ({}) AND m.ended_at IS NULL",
            marks(binds.len())
        );
        found.extend(db.load::<LivePair>(Stmt::new(sql).bind(tenant).binds(binds))?);
    }
    Ok(found)
}

/// A live assignment with its options.
#[derive(Clone, Debug, QueryableByName)]
pub struct LiveAssignment {
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = SqlId)]
    pub course_id: CourseId,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    pub mandatory: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub due_date: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub due_days: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    pub recert_months: Option<i64>,
}

/// The live assignments of these groups.
pub fn assignments(
    db: &mut Db,
    tenant: TenantId,
    groups: &[GroupId],
) -> Result<Vec<LiveAssignment>, StoreError> {
    let mut found = Vec::new();
    for chunk in groups.chunks(CHUNK) {
        let binds = padded(chunk);
        let sql = format!(
            "SELECT a.group_id, a.course_id, a.mandatory, a.due_date, a.due_days, a.recert_months FROM assignments a \
             WHERE a.tenant_id = ? AND a.group_id IN ({}) AND a.ended_at IS NULL",
            marks(binds.len())
        );
        found.extend(db.load::<LiveAssignment>(Stmt::new(sql).bind(tenant).binds(binds))?);
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct OnePeriod {
    #[diesel(sql_type = SqlId)]
    id: MembershipId,
}

/// Opens the memberships that rows of these lines ask for; returns the new periods.
pub fn join(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    (after, upto): (i64, i64),
    by: &By,
) -> Result<Vec<MembershipId>, StoreError> {
    let stmt = Stmt::new(format!(
        "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, added_by, added_at, request_id) \
         SELECT u.tenant_id, {new_id}, r.group_id, u.learner_id, u.id, 'import', ?, ?, ? \
         FROM import_rows r CROSS JOIN users u WHERE r.tenant_id = ? AND r.import_id = ? AND r.line > ? AND r.line <= ? \
         AND r.outcome IN ('added', 'pended') AND u.tenant_id = r.tenant_id AND u.id = r.user_id AND u.deleted_at IS NULL \
         ON CONFLICT (tenant_id, group_id, learner_id) WHERE ended_at IS NULL DO NOTHING RETURNING id",
        new_id = db.dialect().new_id,
    ))
    .bind(by.actor.as_str())
    .bind(by.at)
    .bind(by.request)
    .bind(tenant)
    .bind(import)
    .bind(after)
    .bind(upto);
    let rows: Vec<OnePeriod> = db.load(stmt)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
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
        super::counters::add(db, tenant, "groups", first.id.0, count)?;
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
    pub user: super::users::NewUser,
    pub display_name: String,
    pub email: Option<String>,
    pub active: bool,
    pub values: Vec<super::values::ValueRow>,
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
    approved: bool,
    by: &By,
) -> Result<std::collections::HashSet<UserId>, StoreError> {
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
                .bind(super::users::shortened(user.display_name_key.as_deref()))
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
            vec!["(?, ?, 'registered', ?, ?, ?, ?, ?, 'import', ?, ?, 1, ?, ?)"; block.len()].join(", ")
        ))
        .once(block.len() != BLOCK);
        for person in block {
            stmt = stmt
                .bind(tenant)
                .bind(person.user.learner_id)
                .bind(if approved { "approved" } else { "pending" })
                .bind(person.active)
                .bind(false)
                .bind(person.display_name.as_str())
                .bind(person.email.as_deref())
                .bind(approved.then(|| by.actor.clone()))
                .bind(approved.then_some(by.at))
                .bind(by.at)
                .bind(by.at);
        }
        db.execute(stmt)?;
    }
    let values: Vec<(UserId, &super::values::ValueRow)> = new
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
    if let Some(first) = made.iter().next() {
        let count = i64::try_from(made.len()).unwrap_or(i64::MAX);
        super::counters::add(db, tenant, "users", first.0, count)?;
    }
    Ok(made)
}

/// What the rows of a plan would enroll.
#[derive(Clone, Copy, Debug, Default, QueryableByName)]
pub struct Foreseen {
    /// (learner, course) pairs that would be owed.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub pairs: i64,
    /// Of those, how many are enrolled.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub enrolled: i64,
    /// Of those, how many were withdrawn.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub withdrawn: i64,
    /// New ones that are late from the start.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub late: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub learners: i64,
}

/// What committing the rows would enroll: the owed relation (§4) over the memberships and assignments that the rows would make.
/// They are new, so none of them has a reason yet. `today` is the tenant's date.
pub fn foresee(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    today: &str,
) -> Result<Foreseen, StoreError> {
    let live = "(k.id IS NULL OR k.mode = 'live')";
    let stmt = Stmt::new(format!(
        "WITH pm AS (SELECT DISTINCT r.group_id, r.learner_id FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.outcome = 'added'), \
         pa AS (SELECT r.group_id, r.course_id, min(r.due_date) AS due_date FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.assigns \
             GROUP BY r.group_id, r.course_id), \
         pairs AS ( \
             SELECT pm.learner_id, a.course_id, a.due_date FROM pm \
                 CROSS JOIN assignments a LEFT JOIN learner_groups g ON g.tenant_id = a.tenant_id AND g.id = pm.group_id \
                 LEFT JOIN connections k ON k.tenant_id = a.tenant_id AND k.id = g.managed_by \
                 WHERE a.tenant_id = ? AND a.group_id = pm.group_id AND a.ended_at IS NULL AND {live} \
             UNION ALL SELECT pm.learner_id, pa.course_id, pa.due_date FROM pm JOIN pa ON pa.group_id = pm.group_id \
                 LEFT JOIN learner_groups g ON g.tenant_id = ? AND g.id = pm.group_id \
                 LEFT JOIN connections k ON k.tenant_id = g.tenant_id AND k.id = g.managed_by WHERE {live} \
             UNION ALL SELECT m.learner_id, pa.course_id, pa.due_date FROM pa \
                 CROSS JOIN memberships m JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id \
                 LEFT JOIN connections k ON k.tenant_id = m.tenant_id AND k.id = COALESCE(g.managed_by, m.connection_id) \
                 WHERE m.tenant_id = ? AND m.group_id = pa.group_id AND m.ended_at IS NULL AND {live}), \
         owed AS (SELECT pairs.learner_id, pairs.course_id, min(pairs.due_date) AS due_date FROM pairs \
             CROSS JOIN learners l CROSS JOIN courses c \
             WHERE l.tenant_id = ? AND l.id = pairs.learner_id AND l.deleted_at IS NULL AND l.registration = 'registered' \
             AND l.approval = 'approved' AND l.active AND NOT l.suspended \
             AND c.tenant_id = ? AND c.id = pairs.course_id AND c.status = 'published' GROUP BY pairs.learner_id, pairs.course_id) \
         SELECT count(*) AS pairs, count(e.id) AS enrolled, count(e.withdrawn_at) AS withdrawn, \
         count(CASE WHEN e.id IS NULL AND owed.due_date < ? THEN 1 END) AS late, count(DISTINCT owed.learner_id) AS learners \
         FROM owed LEFT JOIN enrollments e ON e.tenant_id = ? AND e.learner_id = owed.learner_id AND e.course_id = owed.course_id"
    ))
    .binds([tenant.into(), import.into(), tenant.into(), import.into()] as [Bind; 4])
    .binds([tenant, tenant, tenant, tenant, tenant])
    .bind(today)
    .bind(tenant);
    Ok(db.optional(stmt)?.unwrap_or_default())
}

/// A group or an assignment that a plan depends on, by its id.
#[derive(Clone, Debug, QueryableByName)]
pub struct StateLine {
    #[diesel(sql_type = SqlId)]
    pub id: GroupId,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub version: i64,
}

/// The versions of the groups that rows name, and of their assignments: what the plan was made on.
pub fn state(db: &mut Db, tenant: TenantId, import: JobId) -> Result<Vec<StateLine>, StoreError> {
    let named = "(SELECT DISTINCT r.group_id FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.group_id IS NOT NULL)";
    let mut lines: Vec<StateLine> = db.load(
        Stmt::new(format!(
            "SELECT g.id, g.version FROM learner_groups g WHERE g.tenant_id = ? AND g.id IN {named} AND g.deleted_at IS NULL ORDER BY g.id"
        ))
        .bind(tenant)
        .bind(tenant)
        .bind(import),
    )?;
    lines.extend(db.load::<StateLine>(
        Stmt::new(format!(
            "SELECT a.id, a.version FROM assignments a WHERE a.tenant_id = ? AND a.group_id IN {named} AND a.ended_at IS NULL ORDER BY a.id"
        ))
        .bind(tenant)
        .bind(tenant)
        .bind(import),
    )?);
    Ok(lines)
}

/// Members of the named groups whom no row names: those whom `sync` would end. At most `limit`.
pub fn strangers(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
    limit: i64,
) -> Result<Vec<LivePair>, StoreError> {
    db.load(
        Stmt::new(format!(
            "SELECT m.id, m.group_id, m.learner_id {STRANGERS} LIMIT ?"
        ))
        .bind(tenant)
        .bind(import)
        .bind(tenant)
        .bind(limit),
    )
}

const STRANGERS: &str = "FROM (SELECT DISTINCT r.tenant_id, r.import_id, r.group_id FROM import_rows r \
     WHERE r.tenant_id = ? AND r.import_id = ? AND r.group_id IS NOT NULL AND r.outcome <> 'error') n \
     CROSS JOIN memberships m WHERE m.tenant_id = ? AND m.group_id = n.group_id AND m.ended_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM import_rows r WHERE r.tenant_id = n.tenant_id AND r.import_id = n.import_id \
         AND r.group_id = n.group_id AND r.learner_id = m.learner_id AND r.outcome <> 'error')";

/// How many members of the named groups no row names, and how many members those groups have.
pub fn count_strangers(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
) -> Result<(i64, i64), StoreError> {
    let strangers = db.number(
        Stmt::new(format!("SELECT count(*) AS n {STRANGERS}"))
            .bind(tenant)
            .bind(import)
            .bind(tenant),
    )?;
    let members = db.number(
        Stmt::new(
            "SELECT count(*) AS n FROM memberships m WHERE m.tenant_id = ? AND m.ended_at IS NULL AND m.group_id IN \
             (SELECT DISTINCT r.group_id FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? AND r.group_id IS NOT NULL)",
        )
        .bind(tenant)
        .bind(tenant)
        .bind(import),
    )?;
    Ok((strangers, members))
}

/// How many assignments and how many people the rows of a plan are about.
pub fn count_distinct(
    db: &mut Db,
    tenant: TenantId,
    import: JobId,
) -> Result<(i64, i64), StoreError> {
    let assignments = db.number(
        Stmt::new(
            "SELECT count(*) AS n FROM (SELECT DISTINCT r.group_id, r.course_id FROM import_rows r \
             WHERE r.tenant_id = ? AND r.import_id = ? AND r.assigns) d",
        )
        .bind(tenant)
        .bind(import),
    )?;
    let learners = db.number(
        Stmt::new(
            "SELECT count(DISTINCT r.learner_id) AS n FROM import_rows r WHERE r.tenant_id = ? AND r.import_id = ? \
             AND r.outcome IN ('added', 'pended', 'removed', 'created', 'recorded')",
        )
        .bind(tenant)
        .bind(import),
    )?;
    Ok((assignments, learners))
}
