//! The audit trail as people read it: who did what, because of which request (A2). Nothing here writes.

use crate::ids::EventId;
use crate::store::Db;
use crate::store::queries::events;
pub use crate::store::queries::events::{AuditRow, EventFilter};

use super::{Scope, ServiceError};

/// One page of events, newest first, before the one where the page before ended.
pub fn page(
    db: &mut Db,
    scope: &Scope,
    filter: &EventFilter,
    before: Option<EventId>,
    limit: i64,
) -> Result<Vec<AuditRow>, ServiceError> {
    Ok(events::page(db, scope.tenant, filter, before, limit)?)
}
