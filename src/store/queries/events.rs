//! The audit trail: append-only rows of who did what, because of which request (§2.11).

use diesel::QueryableByName;
use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::{EventId, RequestId, TenantId};
use crate::learning::event::Event;
use crate::store::statement::{Bind, Stmt};
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

/// Where a page of events begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Newest first, before an event.
    Before(Option<EventId>),
    /// Oldest first, behind an event.
    After(Option<EventId>),
}

/// A page of events.
pub fn page(
    db: &mut Db,
    tenant: TenantId,
    filter: &EventFilter,
    from: From,
    limit: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    let (order, before, after) = match from {
        From::Before(id) => ("DESC", id, None),
        From::After(id) => ("ASC", None, id),
    };
    let mut conditions = String::new();
    let mut binds: Vec<Bind> = vec![tenant.into()];
    let mut narrow = |condition: &str, bind: Option<Bind<'static>>| {
        if let Some(bind) = bind {
            conditions.push_str(condition);
            binds.push(bind);
        }
    };
    narrow(" AND id < ?", before.map(Into::into));
    narrow(" AND id > ?", after.map(Into::into));
    narrow(" AND entity_id = ?", filter.entity_id.map(Into::into));
    narrow(" AND actor = ?", filter.actor.clone().map(Into::into));
    narrow(" AND entity = ?", filter.entity.clone().map(Into::into));
    narrow(
        " AND event_type = ?",
        filter.event_type.clone().map(Into::into),
    );
    narrow(" AND at >= ?", filter.since.map(Into::into));
    narrow(" AND at < ?", filter.until.map(Into::into));
    db.load(
        Stmt::new(format!(
            "SELECT id, at, actor, request_id, event_type, data, entity, entity_id FROM events \
             WHERE tenant_id = ?{conditions} ORDER BY id {order} LIMIT ?"
        ))
        .binds(binds)
        .bind(limit),
    )
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
