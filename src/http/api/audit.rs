//! `GET /audit-events`: who did what, immutable (`rest-and-console.md` A2).

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::call::{Answer, Call};
use super::need;
use super::page::{Cut, Page, PageQuery};
use crate::clock::Instant;
use crate::ids::{EventId, RequestId};
use crate::service::audit::{self, AuditRow, EventFilter};
use crate::service::listing::Place;

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    pub id: EventId,
    pub at: Instant,
    /// `scim:Okta`, `api:HR script`, `system:reconciler`.
    pub actor: String,
    /// The request that caused it.
    pub request_id: RequestId,
    pub entity: String,
    pub entity_id: Uuid,
    pub r#type: String,
    /// What changed, as before and after, or the facts of a creation.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

impl From<&AuditRow> for AuditEvent {
    fn from(row: &AuditRow) -> Self {
        Self {
            id: row.event.id,
            at: Instant(row.event.at),
            actor: row.event.actor.clone(),
            request_id: row.event.request_id,
            entity: row.entity.clone(),
            entity_id: row.entity_id.0,
            r#type: row.event.event_type.clone(),
            data: serde_json::from_str(&row.event.data).unwrap_or_default(),
        }
    }
}

/// What narrows the trail.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListEvents {
    pub actor: Option<String>,
    /// `group`, `course`, `assignment`, `learner`, `enrollment`, `token`, `connection`, …
    pub entity: Option<String>,
    pub entity_id: Option<Uuid>,
    /// Such as `group.created`.
    pub r#type: Option<String>,
    #[param(inline)]
    pub since: Option<Instant>,
    #[param(inline)]
    pub until: Option<Instant>,
}

/// List events, newest first; with `Accept: application/x-ndjson` one per line.
#[utoipa::path(get, path = "/audit-events", tag = "Audit", params(ListEvents, PageQuery), security(("token" = ["audit:read"])),
    responses((status = 200, description = "A page of events.", body = Page<AuditEvent>)))]
pub async fn list(call: Call<need::AuditRead>) -> Answer {
    let (asked, page): (ListEvents, _) = call.listed()?;
    let list = call.list(page, "")?;
    let filter = EventFilter {
        actor: asked.actor,
        entity: asked.entity,
        entity_id: asked.entity_id,
        event_type: asked.r#type,
        since: asked.since,
        until: asked.until,
    };
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| audit::page(db, scope, &filter, true, &paging))
        .await?;
    let page = call.cut(found, &list, |row| Place::id(row.event.id.0));
    Ok(call.lines_or_page(Cut {
        rows: page.rows.iter().map(AuditEvent::from).collect(),
        info: page.info,
    }))
}
