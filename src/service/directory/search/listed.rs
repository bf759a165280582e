//! What a list needs of each kind of row: to be judged, to be shown.

use crate::ids::TenantId;
use crate::scim::filter::sort::SortKey;
use crate::store::Db;
use crate::store::queries::group_memberships::MembershipRow;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::resources::ResourceRow;
use crate::store::queries::search::Listed;
use crate::store::queries::users::UserRow;

use super::super::super::{Scope, ServiceError};
use super::super::types::{Call, Resource};
use super::super::{custom, memberships, shown_group, shown_user};
use super::judge::Judge;

/// How long a page of groups with members may get, in bytes: then it ends early (P-02), but never before its first group.
const PAGE_LENGTH: usize = 16 << 20;

/// A row of a list.
pub(super) trait Shown: Listed {
    /// The verdicts on a batch: `None` for a row that does not match, else its key.
    fn judged(
        judge: &Judge<'_>,
        db: &mut Db,
        tenant: TenantId,
        batch: &[Self],
    ) -> Result<Vec<Option<SortKey>>, ServiceError>;

    /// The resources of a page: of all rows, or of as many as a page may be long, from its start or, `back`, from its end.
    fn shown(
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        rows: &[Self],
        back: bool,
    ) -> Result<Vec<Resource>, ServiceError>;
}

impl Shown for UserRow {
    fn judged(
        judge: &Judge<'_>,
        db: &mut Db,
        tenant: TenantId,
        batch: &[Self],
    ) -> Result<Vec<Option<SortKey>>, ServiceError> {
        judge.users(db, tenant, batch)
    }

    fn shown(
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        rows: &[Self],
        _back: bool,
    ) -> Result<Vec<Resource>, ServiceError> {
        shown_user::render_all(db, scope, call, rows)
    }
}

impl Shown for GroupRow {
    fn judged(
        judge: &Judge<'_>,
        db: &mut Db,
        tenant: TenantId,
        batch: &[Self],
    ) -> Result<Vec<Option<SortKey>>, ServiceError> {
        judge.groups(db, tenant, batch)
    }

    fn shown(
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        rows: &[Self],
        back: bool,
    ) -> Result<Vec<Resource>, ServiceError> {
        let mut resources = Vec::with_capacity(rows.len());
        let mut length = 0;
        let mut ordered: Vec<&Self> = rows.iter().collect();
        if back {
            ordered.reverse();
        }
        for row in ordered {
            let members = if call.parts.members {
                shown_group::members_of(db, scope, call, row.id)?
            } else {
                None
            };
            let resource = shown_group::render(call, row, members)?;
            length += resource.body.len();
            if length > PAGE_LENGTH && !resources.is_empty() {
                break;
            }
            resources.push(resource);
        }
        if back {
            resources.reverse();
        }
        Ok(resources)
    }
}

impl Shown for MembershipRow {
    fn judged(
        judge: &Judge<'_>,
        _: &mut Db,
        _: TenantId,
        batch: &[Self],
    ) -> Result<Vec<Option<SortKey>>, ServiceError> {
        Ok(batch.iter().map(|row| judge.membership(row)).collect())
    }

    fn shown(
        _: &mut Db,
        _: &Scope,
        call: Call<'_>,
        rows: &[Self],
        _: bool,
    ) -> Result<Vec<Resource>, ServiceError> {
        rows.iter()
            .map(|row| memberships::render(call, row))
            .collect()
    }
}

impl Shown for ResourceRow {
    fn judged(
        judge: &Judge<'_>,
        _: &mut Db,
        _: TenantId,
        batch: &[Self],
    ) -> Result<Vec<Option<SortKey>>, ServiceError> {
        batch.iter().map(|row| judge.custom(row)).collect()
    }

    fn shown(
        _: &mut Db,
        _: &Scope,
        call: Call<'_>,
        rows: &[Self],
        _: bool,
    ) -> Result<Vec<Resource>, ServiceError> {
        rows.iter().map(|row| custom::render(call, row)).collect()
    }
}
