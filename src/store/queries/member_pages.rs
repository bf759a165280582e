//! Members as lists show them: of a group, of a learner; today and as of an instant.

use diesel::QueryableByName;

use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId, MembershipId, RequestId, TenantId, UserId};
use crate::learning::learner::Facts;
use crate::learning::membership::{Source, State};
use crate::store::statement::{Bind, Stmt};
use crate::store::{Db, SqlId, StoreError};

use super::memberships::facts;

/// A live membership with what a list shows.
#[derive(Debug, Clone, QueryableByName)]
pub struct MemberRow {
    #[diesel(sql_type = SqlId)]
    pub id: MembershipId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub group_name: String,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub display_name: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub source: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub added_by: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub added_at: i64,
    #[diesel(sql_type = SqlId)]
    pub request_id: RequestId,
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

impl MemberRow {
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

    /// The state of the membership.
    #[must_use]
    pub fn state(&self) -> State {
        State::of(self.facts())
    }

    /// When the period began.
    #[must_use]
    pub const fn since(&self) -> Instant {
        Instant(self.added_at)
    }
}

/// A live membership of a live group, to be narrowed.
pub(super) const MEMBER: &str = "SELECT m.id, m.group_id, g.name AS group_name, m.learner_id, m.user_id, l.display_name, l.email, m.source, m.added_by, \
     m.added_at, m.request_id, l.registration, l.approval, l.active, l.suspended, (l.deleted_at IS NOT NULL) AS deleted \
     FROM memberships m JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id \
     JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL";

/// The condition on the learner that makes a membership be in a state.
const fn state_condition(state: State) -> &'static str {
    match state {
        State::Pending => {
            " AND (l.registration <> 'registered' OR l.approval <> 'approved' OR l.deleted_at IS NOT NULL)"
        }
        State::Active => {
            " AND l.registration = 'registered' AND l.approval = 'approved' AND l.deleted_at IS NULL AND l.active AND NOT l.suspended"
        }
        State::Dormant => {
            " AND l.registration = 'registered' AND l.approval = 'approved' AND l.deleted_at IS NULL AND (l.suspended OR NOT l.active)"
        }
    }
}

/// What a page of members is narrowed to; all conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct MemberFilter {
    pub state: Option<State>,
    pub source: Option<Source>,
    /// Part of the name, exactly as written.
    pub name_part: Option<String>,
}

/// One page of a group's live members, in the order of their learner's id.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    filter: &MemberFilter,
    after: Option<LearnerId>,
    limit: i64,
) -> Result<Vec<MemberRow>, StoreError> {
    let mut sql =
        format!("{MEMBER} WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL");
    let mut binds: Vec<Bind> = vec![tenant.into(), group.into()];
    if let Some(after) = after {
        sql.push_str(" AND m.learner_id > ?");
        binds.push(after.into());
    }
    if let Some(source) = filter.source {
        sql.push_str(" AND m.source = ?");
        binds.push(source.as_str().into());
    }
    if let Some(part) = &filter.name_part {
        let position = db.dialect().position;
        sql.push_str(&format!(" AND {position}(l.display_name, ?) > 0"));
        binds.push(part.as_str().into());
    }
    sql.push_str(filter.state.map_or("", state_condition));
    sql.push_str(" ORDER BY m.learner_id LIMIT ?");
    db.load(Stmt::new(sql).binds(binds).bind(limit))
}

/// One page of who was a member of a group at an instant, with the facts of that time, in the order of their learner's id.
pub fn page_as_of(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    filter: &MemberFilter,
    at: Instant,
    after: Option<LearnerId>,
    limit: i64,
) -> Result<Vec<MemberRow>, StoreError> {
    let mut conditions = String::new();
    let mut narrow: Vec<Bind> = vec![after.unwrap_or(LearnerId(uuid::Uuid::nil())).into()];
    if let Some(source) = filter.source {
        conditions.push_str(" AND m.source = ?");
        narrow.push(source.as_str().into());
    }
    // Each half by its own index; of the facts, the first period that ends behind the instant, or what they are today.
    let half = |ended: &str| {
        format!(
            "SELECT m.tenant_id, m.id, m.group_id, m.learner_id, m.user_id, m.source, m.added_by, m.added_at, m.request_id \
             FROM memberships m WHERE m.tenant_id = ? AND m.group_id = ? AND {ended} AND m.added_at <= ? AND m.learner_id > ?{conditions}"
        )
    };
    let mut rest = String::new();
    let mut last: Vec<Bind> = Vec::new();
    if let Some(part) = &filter.name_part {
        let position = db.dialect().position;
        rest.push_str(&format!(" AND {position}(l.display_name, ?) > 0"));
        last.push(part.as_str().into());
    }
    rest.push_str(filter.state.map_or("", state_condition));
    let sql = format!(
        "SELECT l.id, l.group_id, l.group_name, l.learner_id, l.user_id, l.display_name, l.email, l.source, l.added_by, l.added_at, \
         l.request_id, l.registration, l.approval, l.active, l.suspended, (l.deleted_at IS NOT NULL) AS deleted \
         FROM (SELECT m.*, g.name AS group_name, p.display_name, p.email, \
             COALESCE(x.registration, p.registration) AS registration, COALESCE(x.approval, p.approval) AS approval, \
             COALESCE(x.active, p.active) AS active, COALESCE(x.suspended, p.suspended) AS suspended, \
             CASE WHEN x.deleted IS NULL THEN p.deleted_at WHEN x.deleted THEN p.created_at END AS deleted_at \
             FROM ({live} UNION ALL {over}) m CROSS JOIN learners p CROSS JOIN learner_groups g \
             LEFT JOIN learner_periods x ON x.tenant_id = m.tenant_id AND x.learner_id = m.learner_id \
             AND x.ended_at = (SELECT min(y.ended_at) FROM learner_periods y WHERE y.tenant_id = m.tenant_id \
                 AND y.learner_id = m.learner_id AND y.ended_at > ?) \
             WHERE p.tenant_id = m.tenant_id AND p.id = m.learner_id AND g.tenant_id = m.tenant_id AND g.id = m.group_id) l \
         WHERE true{rest} ORDER BY l.learner_id LIMIT ?",
        live = half("m.ended_at IS NULL"),
        over = half("m.ended_at IS NOT NULL AND m.ended_at > ?"),
    );
    let stmt = Stmt::new(sql)
        .bind(tenant)
        .bind(group)
        .bind(at)
        .binds(narrow.iter().cloned())
        .bind(tenant)
        .bind(group)
        .bind(at)
        .bind(at)
        .binds(narrow)
        .bind(at)
        .binds(last);
    db.load(stmt.bind(limit))
}

/// A learner's live memberships.
pub fn of_learner(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Vec<MemberRow>, StoreError> {
    db.load(
        Stmt::new(format!("{MEMBER} WHERE m.tenant_id = ? AND m.learner_id = ? AND m.ended_at IS NULL ORDER BY m.id"))
            .bind(tenant)
            .bind(learner),
    )
}

/// One learner's live membership of a group.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    learner: LearnerId,
) -> Result<Option<MemberRow>, StoreError> {
    db.optional(
        Stmt::new(format!("{MEMBER} WHERE m.tenant_id = ? AND m.group_id = ? AND m.learner_id = ? AND m.ended_at IS NULL"))
            .bind(tenant)
            .bind(group)
            .bind(learner),
    )
}
