//! Memberships as SCIM shows them: the groups of some users, the members of a group.

use crate::ids::{GroupId, TenantId, UserId};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::memberships::padded;

/// A user's group.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct GroupOfUser {
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name: String,
}

/// The live memberships of these users (at most a page of them), by user and group.
pub fn groups_of(
    db: &mut Db,
    tenant: TenantId,
    users: &[UserId],
) -> Result<Vec<GroupOfUser>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let ids = padded(users);
    let mut groups: Vec<GroupOfUser> = db.load(
        Stmt::new(format!(
            "SELECT m.user_id, m.group_id, g.name FROM memberships m \
             JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL \
             WHERE m.tenant_id = ? AND m.user_id IN ({}) AND m.ended_at IS NULL",
            marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids),
    )?;
    groups.sort_unstable_by_key(|group| (group.user_id, group.group_id));
    Ok(groups)
}

/// A member as the group shows it.
#[derive(Debug, diesel::QueryableByName)]
pub struct Member {
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub user_name: String,
}

/// The next members of a group in the order of their ids, after `after`; pending ones included.
pub fn members_after(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<Member>, StoreError> {
    let after = after.unwrap_or(UserId(uuid::Uuid::nil()));
    db.load(
        Stmt::new(
            "SELECT m.user_id, u.user_name FROM memberships m JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id \
             WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL AND m.user_id > ? ORDER BY m.user_id LIMIT ?",
        )
        .bind(tenant)
        .bind(group)
        .bind(after)
        .bind(limit),
    )
}

#[derive(Debug, diesel::QueryableByName)]
struct MemberId {
    #[diesel(sql_type = SqlId)]
    user_id: UserId,
}

/// The member that a group's list begins with.
#[derive(Debug, diesel::QueryableByName)]
pub struct FirstMember {
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub user_name: String,
}

/// The first member of each of these groups that has any, however many it has.
pub fn first_members(
    db: &mut Db,
    tenant: TenantId,
    groups: &[GroupId],
) -> Result<Vec<FirstMember>, StoreError> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let ids = padded(groups);
    db.load(
        Stmt::new(format!(
            "SELECT g.id AS group_id, u.id AS user_id, u.user_name FROM learner_groups g CROSS JOIN users u \
             WHERE g.tenant_id = ? AND g.id IN ({}) AND u.tenant_id = g.tenant_id AND u.id = (SELECT m.user_id FROM memberships m \
             WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id AND m.ended_at IS NULL ORDER BY m.user_id LIMIT 1)",
            marks(ids.len())
        ))
        .bind(tenant)
        .binds(ids),
    )
}

/// The ids alone, from one index, in their order.
pub fn member_ids_after(
    db: &mut Db,
    tenant: TenantId,
    group: GroupId,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<UserId>, StoreError> {
    let after = after.unwrap_or(UserId(uuid::Uuid::nil()));
    let rows: Vec<MemberId> = db.load(
        Stmt::new(
            "SELECT m.user_id FROM memberships m \
             WHERE m.tenant_id = ? AND m.group_id = ? AND m.ended_at IS NULL AND m.user_id > ? ORDER BY m.user_id LIMIT ?",
        )
        .bind(tenant)
        .bind(group)
        .bind(after)
        .bind(limit),
    )?;
    Ok(rows.into_iter().map(|row| row.user_id).collect())
}

/// The names of some users, at most a batch, in no order; those whose account has ended are told, too.
pub fn names_of(
    db: &mut Db,
    tenant: TenantId,
    users: &[UserId],
) -> Result<Vec<Member>, StoreError> {
    db.load(
        Stmt::new(format!(
            "SELECT u.id AS user_id, u.user_name FROM users u WHERE u.tenant_id = ? AND u.id IN ({})",
            marks(users.len())
        ))
        .bind(tenant)
        .binds(users.iter().map(|id| Bind::from(*id))),
    )
}
