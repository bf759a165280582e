//! Live memberships as resources of their own: one row each (*draft-zollner-scim-group-membership*).

use crate::clock::Instant;
use crate::ids::{GroupId, MembershipId, TenantId, UserId};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

/// That one user is in one group.
#[derive(Clone, Debug, diesel::QueryableByName)]
pub struct MembershipRow {
    #[diesel(sql_type = SqlId)]
    pub id: MembershipId,
    #[diesel(sql_type = SqlId)]
    pub group_id: GroupId,
    #[diesel(sql_type = SqlId)]
    pub user_id: UserId,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub created_at: Instant,
}

/// The columns of a [`MembershipRow`], of the alias `r` of [`TABLE`].
pub const COLUMNS: &str = "r.id, r.group_id, r.user_id, r.created_at";

/// The live memberships of groups that are there (those of a large group that was deleted end a while later), with the columns that filters and orders name in every kind of resource.
pub const TABLE: &str = "(SELECT m.tenant_id, m.id, m.group_id, m.user_id, m.added_at AS created_at, m.added_at AS modified_at, \
                         CAST(NULL AS TEXT) AS external_id FROM memberships m WHERE m.ended_at IS NULL AND EXISTS (SELECT 1 \
                         FROM learner_groups g WHERE g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.deleted_at IS NULL))";

/// A live membership by its id.
pub fn find(
    db: &mut Db,
    tenant: TenantId,
    id: MembershipId,
) -> Result<Option<MembershipRow>, StoreError> {
    db.optional(
        Stmt::new(format!(
            "SELECT {COLUMNS} FROM {TABLE} r WHERE r.tenant_id = ? AND r.id = ?"
        ))
        .bind(tenant)
        .bind(id),
    )
}
