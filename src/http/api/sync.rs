//! `/sync/requests`: the inbound SCIM log (`rest-and-console.md` A7).

use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Answer, Call};
use super::need;
use super::page::{self, Page};
use crate::ids::{ConnectionId, RequestId};
use crate::service::sync_log::{self, Operation, Outcome, Query, SyncRequest};

/// What narrows the log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListRequests {
    /// One of these, between commas.
    #[param(inline, style = Form, explode = false)]
    pub outcome: Option<Vec<Outcome>>,
    /// One of these, between commas.
    #[param(inline, style = Form, explode = false)]
    pub operation: Option<Vec<Operation>>,
    /// `User` or `Group`.
    pub resource_type: Option<String>,
    /// What was done to this resource; reads of it are left out.
    pub resource_id: Option<String>,
    #[param(inline)]
    pub connection: Option<ConnectionId>,
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List what the identity providers sent, newest first, without bodies.
#[utoipa::path(get, path = "/sync/requests", tag = "Sync log", params(ListRequests), security(("token" = ["sync:read"])),
    responses((status = 200, description = "A page of requests.", body = Page<SyncRequest>)))]
pub async fn list(call: Call<need::SyncRead>) -> Answer {
    let asked: ListRequests = call.query()?;
    let limit = page::limit(asked.limit);
    let query = Query {
        outcomes: asked.outcome.unwrap_or_default(),
        operations: asked.operation.unwrap_or_default(),
        resource_type: asked.resource_type,
        resource_id: asked.resource_id,
        connection: asked.connection,
        after: call.after::<RequestId>(asked.cursor.as_deref())?,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let page = call
        .read(move |db, scope| sync_log::page(db, scope, &query))
        .await?;
    Ok(call.page_with(page.requests, page.next.map(|next| next.to_string())))
}

/// Read one request with its bodies.
#[utoipa::path(get, path = "/sync/requests/{id}", tag = "Sync log", params(("id" = RequestId, Path)), security(("token" = ["sync:read"])),
    responses((status = 200, description = "The request.", body = SyncRequest)))]
pub async fn get(call: Call<need::SyncRead>) -> Answer {
    let id: RequestId = call.id("request", "id")?;
    let found = call
        .read(move |db, scope| sync_log::find(db, scope, id))
        .await?;
    Ok(HttpResponse::Ok().json(found))
}
