//! Who is in a group: lists, counts, one membership.

use std::collections::HashMap;

use diesel::QueryableByName;

use crate::ids::{GroupId, LearnerId, MembershipId, RequestId, TenantId, UserId};
use crate::scim::filter::CheckedFilter;
use crate::store::condition::{Exactness, lower_member};
use crate::store::statement::{Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

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
    pub user_name: String,
}

/// The live members of a group that a filter on `members` may mean, with their names, and whether it means all of these.
pub fn meant(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    filter: &CheckedFilter,
) -> Result<(Vec<Named>, bool), StoreError> {
    let condition = lower_member(filter, tenant, db.dialect());
    let stmt = Stmt::new(format!(
        "SELECT m.user_id, u.user_name FROM memberships m JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id \
         WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL AND {}",
        condition.sql
    ))
    .once(condition.tests > 1)
    .bind(tenant)
    .bind(group)
    .binds(condition.binds);
    Ok((db.load(stmt)?, condition.exactness == Exactness::Exact))
}

/// How many live memberships a group has.
pub fn count(db: &mut Db, tenant: TenantId, group: GroupId) -> Result<i64, StoreError> {
    db.number(
        Stmt::new("SELECT count(*) AS n FROM memberships WHERE tenant_id = ? AND group_id = ? AND ended_at IS NULL")
            .bind(tenant)
            .bind(group),
    )
}

/// Which of these learners are in a group.
pub fn present(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    learners: &[LearnerId],
) -> Result<Vec<LearnerId>, StoreError> {
    #[derive(QueryableByName)]
    struct Present {
        #[diesel(sql_type = SqlId)]
        learner_id: LearnerId,
    }
    let mut found = Vec::new();
    for chunk in learners.chunks(CHUNK) {
        let ids = padded(chunk);
        let stmt = Stmt::new(format!(
            "SELECT m.learner_id FROM memberships m WHERE m.tenant_id = ? AND m.group_id = ? AND m.learner_id IN ({}) AND m.ended_at IS NULL",
            marks(ids.len())
        ))
        .bind(tenant)
        .bind(group)
        .binds(ids);
        let rows = db.load::<Present>(stmt)?;
        found.extend(rows.into_iter().map(|row| row.learner_id));
    }
    Ok(found)
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
    use crate::store::queries::member_pages::MEMBER;
    use crate::store::statement::Bind;
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
