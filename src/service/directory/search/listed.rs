//! What a list needs of each kind of row: to be judged, to be shown.

use crate::ids::TenantId;
use crate::scim::filter::sort::SortKey;
use crate::store::Db;
use crate::store::queries::groups_directory::GroupRow;
use crate::store::queries::search::Listed;
use crate::store::queries::users::UserRow;

use super::super::super::{Scope, ServiceError};
use super::super::types::{Call, Resource};
use super::super::{shown_group, shown_user};
use super::judge::Judge;

/// A row of a list.
pub(super) trait Shown: Listed {
    /// The verdicts on a batch: `None` for a row that does not match, else its key.
    fn judged(
        judge: &Judge<'_>,
        db: &mut Db,
        tenant: TenantId,
        batch: &[Self],
    ) -> Result<Vec<Option<SortKey>>, ServiceError>;

    /// The resources of a page.
    fn shown(
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        rows: &[Self],
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
        batch
            .iter()
            .map(|row| judge.group(db, tenant, row))
            .collect()
    }

    fn shown(
        db: &mut Db,
        scope: &Scope,
        call: Call<'_>,
        rows: &[Self],
    ) -> Result<Vec<Resource>, ServiceError> {
        let mut resources = Vec::with_capacity(rows.len());
        for row in rows {
            let members = if call.parts.members {
                shown_group::members_of(db, scope, call, row.id)?
            } else {
                None
            };
            resources.push(shown_group::render(call, row, members)?);
        }
        Ok(resources)
    }
}
