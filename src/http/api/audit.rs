//! `GET /audit-events`: who did what, immutable (`rest-and-console.md` A2).

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::call::{Answer, Call};
use super::need;
use super::page::{self, Page};
use crate::clock::Instant;
use crate::ids::{EventId, RequestId};
use crate::service::audit::{self, AuditRow, EventFilter};

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
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List events, newest first; with `Accept: application/x-ndjson` one per line.
#[utoipa::path(get, path = "/audit-events", tag = "Audit", params(ListEvents), security(("token" = ["audit:read"])),
    responses((status = 200, description = "A page of events.", body = Page<AuditEvent>)))]
pub async fn list(call: Call<need::AuditRead>) -> Answer {
    let asked: ListEvents = call.query()?;
    let filter = EventFilter {
        actor: asked.actor,
        entity: asked.entity,
        entity_id: asked.entity_id,
        event_type: asked.r#type,
        since: asked.since,
        until: asked.until,
    };
    let (limit, before) = (
        page::limit(asked.limit),
        call.after::<EventId>(asked.cursor.as_deref())?,
    );
    let rows = call
        .read(move |db, scope| {
            audit::page(db, scope, &filter, audit::From::Before(before), limit + 1)
        })
        .await?;
    let lines = call
        .request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|kind| kind.as_bytes() == b"application/x-ndjson");
    if !lines {
        return Ok(call.page(
            rows,
            limit,
            |row| row.event.id.to_string(),
            |row| AuditEvent::from(row),
        ));
    }
    let mut body = String::new();
    for row in rows
        .iter()
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
    {
        body.push_str(&serde_json::to_string(&AuditEvent::from(row)).unwrap_or_default());
        body.push('\n');
    }
    let paged = call.page(
        rows,
        limit,
        |row| row.event.id.to_string(),
        |row| AuditEvent::from(row),
    );
    let mut answer = HttpResponse::Ok();
    if let Some(next) = paged.headers().get(header::LINK) {
        answer.insert_header((header::LINK, next.clone()));
    }
    Ok(answer.content_type("application/x-ndjson").body(body))
}
