//! The accounts: `users`.

use std::borrow::Cow;
use std::sync::LazyLock;

use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::clock::Instant;
use crate::ids::{ConnectionId, GroupId, LearnerId, TenantId, UserId};
use crate::store::placement::cut;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

use super::membership_views::GroupOfUser;
use super::values;

/// An account that has not ended.
#[derive(Clone, Debug, diesel::Queryable, diesel::QueryableByName)]
pub struct UserRow {
    #[diesel(sql_type = SqlId)]
    pub id: UserId,
    #[diesel(sql_type = SqlId)]
    pub learner_id: LearnerId,
    #[diesel(sql_type = Nullable<SqlId>)]
    pub connection_id: Option<ConnectionId>,
    #[diesel(sql_type = Text)]
    pub user_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    /// `None` when unassigned.
    #[diesel(sql_type = Nullable<Bool>)]
    pub active: Option<bool>,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    #[diesel(sql_type = BigInt)]
    pub created_at: Instant,
    #[diesel(sql_type = BigInt)]
    pub modified_at: Instant,
    /// The stored document.
    #[diesel(sql_type = Text)]
    pub doc: String,
}

/// The columns of a [`UserRow`], of the table alias `r`.
pub const COLUMNS: &str = "r.id, r.learner_id, r.connection_id, r.user_name, r.external_id, r.active, r.version, r.created_at, \
                           r.modified_at, r.doc";
/// Their types.
type UserColumns = (
    SqlId,
    SqlId,
    Nullable<SqlId>,
    Text,
    Nullable<Text>,
    Nullable<Bool>,
    BigInt,
    BigInt,
    BigInt,
    Text,
);

/// An account to be made, at version 1.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: UserId,
    pub learner_id: LearnerId,
    pub connection_id: Option<ConnectionId>,
    pub user_name: String,
    pub user_name_key: String,
    pub external_id: Option<String>,
    pub display_name_key: Option<String>,
    pub active: Option<bool>,
    pub created_at: Instant,
    pub doc: String,
}

/// Makes an account. [`StoreError::Conflict`] when the name is taken; the transaction stays usable.
pub fn insert(db: &mut Db, tenant: TenantId, user: &NewUser) -> Result<(), StoreError> {
    let inserted = db.execute(
        Stmt::new(
            "INSERT INTO users (tenant_id, id, learner_id, connection_id, user_name, user_name_key, external_id, \
             display_name_key, active, version, created_at, modified_at, doc) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(user.id)
        .bind(user.learner_id)
        .bind(user.connection_id)
        .bind(user.user_name.as_str())
        .bind(user.user_name_key.as_str())
        .bind(user.external_id.as_deref())
        .bind(shortened(user.display_name_key.as_deref()))
        .bind(user.active)
        .bind(user.created_at)
        .bind(user.created_at)
        .bind(user.doc.as_str()),
    )?;
    if inserted == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

pub(super) fn shortened(key: Option<&str>) -> Option<String> {
    key.map(|key| cut(key.to_owned()).0)
}

/// An account by its id.
pub fn find(db: &mut Db, tenant: TenantId, id: UserId) -> Result<Option<UserRow>, StoreError> {
    db.optional(
        Stmt::new(format!("SELECT {COLUMNS} FROM users r WHERE r.tenant_id = ? AND r.id = ? AND r.deleted_at IS NULL"))
            .bind(tenant)
            .bind(id),
    )
}

/// One row of an account with its groups: the account, and one of them.
type InGroup = (UserRow, Option<GroupId>, Option<String>);

/// An account by its id and the groups it is in, by their ids: one statement, so one round trip and one moment.
pub fn find_with_groups(
    db: &mut Db,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<(UserRow, Vec<GroupOfUser>)>, StoreError> {
    with_groups(db, tenant, id, "")
}

/// The same, the account locked against other writers until the transaction ends.
pub fn find_with_groups_for_update(
    db: &mut Db,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<(UserRow, Vec<GroupOfUser>)>, StoreError> {
    let lock = db.dialect().for_update;
    if lock.is_empty() {
        with_groups(db, tenant, id, "")
    } else {
        with_groups(db, tenant, id, &format!("{lock} OF r"))
    }
}

/// What most requests of an identity provider ask for, so its text is made once.
static WITH_GROUPS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {COLUMNS}, g.id, g.name FROM users r \
         LEFT JOIN memberships m ON m.tenant_id = r.tenant_id AND m.user_id = r.id AND m.ended_at IS NULL \
         LEFT JOIN learner_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL \
         WHERE r.tenant_id = ? AND r.id = ? AND r.deleted_at IS NULL"
    )
});

fn with_groups(
    db: &mut Db,
    tenant: TenantId,
    id: UserId,
    lock: &str,
) -> Result<Option<(UserRow, Vec<GroupOfUser>)>, StoreError> {
    let text: Cow<'static, str> = match lock {
        "" => Cow::Borrowed(WITH_GROUPS.as_str()),
        lock => Cow::Owned(format!("{} {lock}", *WITH_GROUPS)),
    };
    let stmt = Stmt::new(text).bind(tenant).bind(id);
    let rows: Vec<InGroup> =
        db.load_ordered(stmt.ordered::<(UserColumns, Nullable<SqlId>, Nullable<Text>)>())?;
    let mut groups = Vec::new();
    let mut found = None;
    for (user, group_id, group_name) in rows {
        if let (Some(group_id), Some(name)) = (group_id, group_name) {
            groups.push(GroupOfUser {
                user_id: id,
                group_id,
                name,
            });
        }
        found = Some(user);
    }
    groups.sort_unstable_by_key(|group| group.group_id);
    Ok(found.map(|user| (user, groups)))
}

/// An account by its id, locked against other writers until the transaction ends.
pub fn find_for_update(
    db: &mut Db,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<UserRow>, StoreError> {
    let lock = db.dialect().for_update;
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM users r WHERE r.tenant_id = ? AND r.id = ? AND r.deleted_at IS NULL {lock}"
        ))
        .bind(tenant)
        .bind(id),
    )
}

/// Accounts by their ids (at most a page of them), in no order; ended ones are left out.
pub fn find_all(db: &mut Db, tenant: TenantId, ids: &[UserId]) -> Result<Vec<UserRow>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    db.load(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM users r WHERE r.tenant_id = ? AND r.id IN ({}) AND r.deleted_at IS NULL",
            marks(ids.len())
        ))
        .once(ids.len() > 16)
        .bind(tenant)
        .binds(ids.iter().map(|id| Bind::from(*id))),
    )
}

/// The account with this folded `userName`.
pub fn find_by_user_name(
    db: &mut Db,
    tenant: TenantId,
    key: &str,
) -> Result<Option<UserRow>, StoreError> {
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM users r WHERE r.tenant_id = ? AND r.user_name_key = ? AND r.deleted_at IS NULL"
        ))
        .bind(tenant)
        .bind(key),
    )
}

/// The accounts of a learner that have not ended.
pub fn of_learner(
    db: &mut Db,
    tenant: TenantId,
    learner: LearnerId,
) -> Result<Vec<UserRow>, StoreError> {
    db.load(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM users r WHERE r.tenant_id = ? AND r.learner_id = ? AND r.deleted_at IS NULL ORDER BY r.id"
        ))
        .bind(tenant)
        .bind(learner),
    )
}

/// Writes a row over the version before its own; `false` when another version is there.
/// [`StoreError::Conflict`] when the new name is taken; the transaction must then end.
pub fn replace(
    db: &mut Db,
    tenant: TenantId,
    row: &UserRow,
    user_name_key: &str,
    display_name_key: Option<&str>,
) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE users SET user_name = ?, user_name_key = ?, external_id = ?, display_name_key = ?, active = ?, version = ?, \
             modified_at = ?, doc = ? WHERE tenant_id = ? AND id = ? AND version = ? AND deleted_at IS NULL",
        )
        .bind(row.user_name.as_str())
        .bind(user_name_key)
        .bind(row.external_id.as_deref())
        .bind(shortened(display_name_key))
        .bind(row.active)
        .bind(row.version)
        .bind(row.modified_at)
        .bind(row.doc.as_str())
        .bind(tenant)
        .bind(row.id)
        .bind(row.version - 1),
    )?;
    Ok(changed == 1)
}

/// Ends an account: from now on it is not found, neither by its values, and its name is free.
pub fn end(db: &mut Db, tenant: TenantId, id: UserId, at: Instant) -> Result<bool, StoreError> {
    let changed = db.execute(
        Stmt::new(
            "UPDATE users SET deleted_at = ? WHERE tenant_id = ? AND id = ? AND deleted_at IS NULL",
        )
        .bind(at)
        .bind(tenant)
        .bind(id),
    )?;
    values::replace_all(db, tenant, id, &[])?;
    Ok(changed == 1)
}

/// The learner of the last account, ended or not, that had this `externalId` on this connection.
pub fn learner_of_external_id(
    db: &mut Db,
    tenant: TenantId,
    connection: ConnectionId,
    external_id: &str,
) -> Result<Option<LearnerId>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlId)]
        learner_id: LearnerId,
    }
    let found: Option<Found> = db.optional(
        Stmt::new(
            "SELECT learner_id FROM users WHERE tenant_id = ? AND external_id = ? AND connection_id = ? \
             ORDER BY created_at DESC, id DESC LIMIT 1",
        )
        .bind(tenant)
        .bind(external_id)
        .bind(connection),
    )?;
    Ok(found.map(|found| found.learner_id))
}
