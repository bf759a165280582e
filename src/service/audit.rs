//! The audit trail as people read it: who did what, because of which request (A2). Nothing here writes.

use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::queries::events;
pub use crate::store::queries::events::{AuditRow, EventFilter};

use super::{Scope, ServiceError};

/// A page of events; `down`: newest first.
pub fn page(
    db: &mut Db,
    scope: &Scope,
    filter: &EventFilter,
    down: bool,
    paging: &Paging,
) -> Result<Found<AuditRow>, ServiceError> {
    Ok(events::page(db, scope.tenant, filter, down, paging)?)
}
