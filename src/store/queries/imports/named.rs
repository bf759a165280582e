//! What rows name: groups, accounts, courses, and the memberships and assignments there are.

use diesel::QueryableByName;

use crate::ids::{ConnectionId, CourseId, GroupId, LearnerId, MembershipId, TenantId, UserId};
use crate::learning::group::Manager;
use crate::learning::learner::Facts;
use crate::store::queries::memberships::{CHUNK, facts, padded};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

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
