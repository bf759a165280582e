//! What is forgotten after a time (SE-14): the bodies of the sync log, and the profile of an account that has ended. Both are
//! kept for the tenant's `payload_retention_days`.
//!
//! Not here: the person. A learner and their completions outlive every account.

use crate::clock::Instant;
use crate::store::Db;
use crate::store::queries::retention;

use super::{Scope, ServiceError, settings};

const DAY: i64 = 24 * 60 * 60 * 1000;
/// Requests of the last hour may still be on their way into the log.
const SETTLED: i64 = 60 * 60 * 1000;

/// Forgets the next of what is old enough. Says whether there may be more.
pub fn forget(db: &mut Db, scope: &Scope) -> Result<bool, ServiceError> {
    let days = settings::read(db, scope)?.settings.payload_retention_days;
    let kept = (i64::from(days) * DAY).max(SETTLED);
    let until = Instant(scope.now.0.saturating_sub(kept));
    let more_bodies = retention::empty_bodies(db, scope.tenant, until)?;
    let more_accounts = retention::empty_accounts(db, scope.tenant, until)?;
    Ok(more_bodies || more_accounts)
}
