//! What happened, as people read it: the timeline of a group, the full record of a learner (§10). Ended ones included.

use crate::ids::{GroupId, LearnerId};
use crate::store::Db;
use crate::store::listing::{Found, Paging};
pub use crate::store::queries::timeline::Entry;
use crate::store::queries::{restore, timeline as rows};

use super::{Scope, ServiceError, learners};

/// One page of what happened to a group, newest first; a deleted one still tells.
pub fn of_group(
    db: &mut Db,
    scope: &Scope,
    id: GroupId,
    paging: &Paging,
) -> Result<Found<Entry>, ServiceError> {
    restore::find(db, scope.tenant, id)?.ok_or_else(|| ServiceError::not_found("Group", id))?;
    Ok(rows::of_group(db, scope.tenant, id, paging)?)
}

/// One page of everything on record of a learner, newest first; of a former one, too.
pub fn of_learner(
    db: &mut Db,
    scope: &Scope,
    id: LearnerId,
    paging: &Paging,
) -> Result<Found<Entry>, ServiceError> {
    learners::find(db, scope, id)?;
    Ok(rows::of_learner(db, scope.tenant, id, paging)?)
}
