//! The audit trail as people read it: who did what, because of which request (A2). Nothing here writes.

use crate::store::Db;
use crate::store::queries::events;
pub use crate::store::queries::events::{AuditRow, EventFilter, From};

use super::{Scope, ServiceError};

/// One page of events.
pub fn page(
    db: &mut Db,
    scope: &Scope,
    filter: &EventFilter,
    from: From,
    limit: i64,
) -> Result<Vec<AuditRow>, ServiceError> {
    Ok(events::page(db, scope.tenant, filter, from, limit)?)
}
