//! The audit trail: append-only rows of who did what, because of which request (§2.11).

use diesel::QueryableByName;
use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::{EventId, RequestId, TenantId};
use crate::learning::event::Event;
use crate::store::listing::{Found, Listing, Order, Paging};
use crate::store::statement::Stmt;
use crate::store::{Db, SqlId, StoreError};

/// Who writes, when, because of which request.
#[derive(Clone, Debug)]
pub struct By {
    pub actor: String,
    pub request: RequestId,
    pub at: Instant,
}

/// One stored event.
#[derive(Debug, Clone, QueryableByName)]
pub struct EventRow {
    #[diesel(sql_type = SqlId)]
    pub id: EventId,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub at: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub actor: String,
    #[diesel(sql_type = SqlId)]
    pub request_id: RequestId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub event_type: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub data: String,
}

/// Appends one event.
pub fn insert(db: &mut Db, tenant: TenantId, by: &By, event: &Event) -> Result<(), StoreError> {
    let stmt = Stmt::new(
        "INSERT INTO events (tenant_id, id, at, actor, request_id, entity, entity_id, event_type, data) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(tenant)
    .bind(EventId::new())
    .bind(by.at)
    .bind(by.actor.as_str())
    .bind(by.request)
    .bind(event.entity.as_str())
    .bind(event.entity_id)
    .bind(event.event_type.as_str())
    .bind(event.data.to_string());
    db.execute(stmt).map(drop)
}

/// What a page of events is narrowed to; all conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub actor: Option<String>,
    pub entity: Option<String>,
    pub entity_id: Option<Uuid>,
    pub event_type: Option<String>,
    pub since: Option<Instant>,
    pub until: Option<Instant>,
}

/// One event with the thing it is about.
#[derive(Debug, Clone, QueryableByName)]
pub struct AuditRow {
    #[diesel(embed)]
    pub event: EventRow,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub entity: String,
    #[diesel(sql_type = SqlId)]
    pub entity_id: EventId,
}

/// A page of events by id, which is nearly the order they happened in; `down`: newest first.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    filter: &EventFilter,
    down: bool,
    paging: &Paging,
) -> Result<Found<AuditRow>, StoreError> {
    let sql = "SELECT id, at, actor, request_id, event_type, data, entity, entity_id FROM events WHERE tenant_id = ?";
    let mut list = Listing::of(sql, vec![tenant.into()]);
    list.and_some("entity_id = ?", filter.entity_id);
    list.and_some("actor = ?", filter.actor.clone());
    list.and_some("entity = ?", filter.entity.clone());
    list.and_some("event_type = ?", filter.event_type.clone());
    list.and_some("at >= ?", filter.since);
    list.and_some("at < ?", filter.until);
    list.find(db, Order::id("id").down(down), paging)
}

/// The newest events of one entity.
pub fn of_entity(
    db: &mut Db,
    tenant: TenantId,
    entity: Uuid,
    limit: i64,
) -> Result<Vec<EventRow>, StoreError> {
    db.load(
        Stmt::new(
            "SELECT id, at, actor, request_id, event_type, data FROM events \
             WHERE tenant_id = ? AND entity_id = ? ORDER BY id DESC LIMIT ?",
        )
        .bind(tenant)
        .bind(entity)
        .bind(limit),
    )
}
