//! Who is in a group: lists, counts, one membership.

use std::collections::HashMap;

use diesel::QueryableByName;

use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId, MembershipId, RequestId, TenantId, UserId};
use crate::learning::learner::Facts;
use crate::learning::membership::{Source, State};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::accounts::facts;
use super::{CHUNK, padded};

/// One live member: the two names they go by.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Live {
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
}

/// Every live member of a group. Only a replacement of all members reads this, to find what differs.
pub fn live(db: &mut Db, tenant: TenantId, group: GroupId) -> Result<Vec<Live>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT learner_id, user_id FROM memberships WHERE tenant_id = ? AND group_id = ? AND ended_at IS NULL \
             ORDER BY learner_id",
        )
        .bind(tenant)
        .bind(group),
    )
}

/// One live member with what a SCIM client may filter members by.
#[derive(Debug, Clone, QueryableByName)]
pub struct Named {
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub display_name: String,
}

/// Every live member of a group with their name. Only a removal by a filter reads this.
pub fn live_named(db: &mut Db, tenant: TenantId, group: GroupId) -> Result<Vec<Named>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT m.user_id, l.display_name FROM memberships m \
             JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id \
             WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL",
        )
        .bind(tenant)
        .bind(group),
    )
}

/// How many live memberships a group has.
pub fn count(db: &mut Db, tenant: TenantId, group: GroupId) -> Result<i64, StoreError> {
    db.number(
        Stmt::new("SELECT count(*) AS n FROM memberships WHERE tenant_id = ? AND group_id = ? AND ended_at IS NULL")
            .bind(tenant)
            .bind(group),
    )
}

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

const MEMBER: &str = "SELECT m.id, m.group_id, g.name AS group_name, m.learner_id, m.user_id, l.display_name, l.email, m.source, m.added_by, \
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

/// One page of a group's live members, in the order of their learner's id.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    state: Option<State>,
    source: Option<Source>,
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
    if let Some(source) = source {
        sql.push_str(" AND m.source = ?");
        binds.push(source.as_str().into());
    }
    sql.push_str(state.map_or("", state_condition));
    sql.push_str(" ORDER BY m.learner_id LIMIT ?");
    db.load(Stmt::new(sql).binds(binds).bind(limit))
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

/// One period of membership, live or ended, as an explanation tells it.
#[derive(Debug, Clone, QueryableByName)]
pub struct PeriodRow {
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub added_by: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub added_at: i64,
    #[diesel(sql_type = SqlId)]
    pub request_id: RequestId,
}

/// Finds a period by its id.
pub fn period(
    db: &mut Db,
    tenant: TenantId,
    id: MembershipId,
) -> Result<Option<PeriodRow>, StoreError> {
    db.optional(
        Stmt::new("SELECT group_id, added_by, added_at, request_id FROM memberships WHERE tenant_id = ? AND id = ?")
            .bind(tenant)
            .bind(id),
    )
}

/// How many members of a group are in each state.
#[derive(Debug, Clone, Copy, Default, QueryableByName)]
pub struct StateCounts {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub pending: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub active: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub dormant: i64,
}

#[derive(QueryableByName)]
struct GroupCounts {
    #[diesel(sql_type = SqlId)]
    group_id: GroupId,
    #[diesel(embed)]
    counts: StateCounts,
}

/// Counts the live members of these groups by state, in one statement for a page of them; a group without any is absent.
pub fn state_counts(
    db: &mut Db,
    tenant: TenantId,
    groups: &[GroupId],
) -> Result<HashMap<GroupId, StateCounts>, StoreError> {
    let addable =
        "l.registration = 'registered' AND l.approval = 'approved' AND l.deleted_at IS NULL";
    let mut counts = HashMap::with_capacity(groups.len());
    for chunk in groups.chunks(CHUNK) {
        let ids = padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT m.group_id, count(CASE WHEN NOT ({addable}) THEN 1 END) AS pending, \
             count(CASE WHEN {addable} AND l.active AND NOT l.suspended THEN 1 END) AS active, \
             count(CASE WHEN {addable} AND (l.suspended OR NOT l.active) THEN 1 END) AS dormant \
             FROM memberships m JOIN learners l ON l.tenant_id = m.tenant_id AND l.id = m.learner_id \
             WHERE m.tenant_id = ? AND m.group_id IN ({}) AND m.ended_at IS NULL GROUP BY m.group_id",
            marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids);
        let rows: Vec<GroupCounts> = db.load(stmt)?;
        counts.extend(rows.into_iter().map(|row| (row.group_id, row.counts)));
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }

    #[test]
    fn nobody_walks_a_tenants_memberships() {
        let (group, learner) = (GroupId::new(), LearnerId::new());
        let one = |column: &str| {
            format!(
                "SELECT m.id FROM memberships m WHERE m.tenant_id = ? AND m.ended_at IS NULL AND m.{column} = ?"
            )
        };
        let named = "SELECT m.id FROM memberships m WHERE m.tenant_id = ? AND m.ended_at IS NULL AND m.group_id = ? \
             AND m.learner_id IN (SELECT u.learner_id FROM users u WHERE u.tenant_id = ? AND u.id IN (?, ?))";
        let tenant = TenantId(1);
        let page = format!(
            "{MEMBER} WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL ORDER BY m.learner_id LIMIT 10"
        );
        for (sql, binds, index) in [
            (
                one("learner_id"),
                vec![Bind::from(tenant), learner.into()],
                "memberships_learner",
            ),
            (
                one("group_id"),
                vec![tenant.into(), group.into()],
                "AND group_id=?",
            ),
            (
                named.to_owned(),
                vec![
                    tenant.into(),
                    group.into(),
                    tenant.into(),
                    learner.into(),
                    learner.into(),
                ],
                "group_id=? AND learner_id=?",
            ),
            (
                page,
                vec![tenant.into(), group.into()],
                "memberships_live (tenant_id=? AND group_id=?",
            ),
        ] {
            let stmt = Stmt::new(sql).binds(binds);
            let steps: Vec<Step> = testing::write(&testing::sqlite(), move |db| {
                db.load(stmt.explained(db.dialect().explain))
            });
            assert!(
                steps.iter().any(|step| step.detail.contains(index)),
                "{index}: {:#?}",
                steps.iter().map(|s| &s.detail).collect::<Vec<_>>()
            );
        }
    }
}
