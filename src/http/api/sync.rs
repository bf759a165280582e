//! `/sync/requests`: the inbound SCIM log (`rest-and-console.md` A7).

use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Answer, Call};
use super::need;
use super::page::{Page, PageQuery};
use crate::clock::Instant;
use crate::ids::{ConnectionId, RequestId};
use crate::service::listing::Place;
use crate::service::sync_log::{self, Operation, Outcome, Query, Session, SyncRequest};

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
    #[param(minimum = 100, maximum = 599)]
    pub http_status: Option<i64>,
    #[param(inline)]
    pub since: Option<Instant>,
    /// Before this instant.
    #[param(inline)]
    pub until: Option<Instant>,
    /// The name of an attribute that changed, such as `userName`.
    pub changed: Option<String>,
    /// Part of the request's or the response's body, as it is written: such as the id of a user, who is then also found
    /// inside a group's members.
    #[param(min_length = 3)]
    pub q: Option<String>,
    /// Hide reads and what changed nothing, which is most of the traffic.
    pub quiet: Option<bool>,
}

/// List what the identity providers sent, newest first, without bodies; with `Accept: application/x-ndjson` one per line.
#[utoipa::path(get, path = "/sync/requests", tag = "Sync log", params(ListRequests, PageQuery), security(("token" = ["sync:read"])),
    responses((status = 200, description = "A page of requests.", body = Page<SyncRequest>)))]
pub async fn list(call: Call<need::SyncRead>) -> Answer {
    let (asked, page): (ListRequests, _) = call.listed()?;
    let list = call.list(page, "")?;
    let query = Query {
        outcomes: asked.outcome.unwrap_or_default(),
        operations: asked.operation.unwrap_or_default(),
        resource_type: asked.resource_type,
        resource_id: asked.resource_id,
        connection: asked.connection,
        http_status: asked.http_status,
        since: asked.since,
        until: asked.until,
        changed: asked.changed,
        text: asked.q,
        quiet: asked.quiet.unwrap_or(false),
    };
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| sync_log::page(db, scope, &query, &paging))
        .await?;
    let page = call.cut(found, &list, |one: &SyncRequest| Place::id(one.id.0));
    Ok(call.lines_or_page(page))
}

/// Read one request with its bodies.
#[utoipa::path(get, path = "/sync/requests/{id}", tag = "Sync log", params(("id" = RequestId, Path)), security(("token" = ["sync:read"])),
    responses((status = 200, description = "The request.", body = SyncRequest)))]
pub async fn get(call: Call<need::SyncRead>) -> Answer {
    let id: RequestId = call.id("request", "id")?;
    let found = call
        .read(move |db, scope| sync_log::find(db, scope, id))
        .await?;
    Ok(call.shown(None, &found))
}

/// What narrows the sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListSessions {
    #[param(inline)]
    pub connection: Option<ConnectionId>,
}

/// List sessions, the latest first: the calls of a connection with less than a minute between one and the next. Their requests are
/// those of the connection from `began_at` to `ended_at`.
#[utoipa::path(get, path = "/sync/sessions", tag = "Sync log", params(ListSessions, PageQuery), security(("token" = ["sync:read"])),
    responses((status = 200, description = "A page of sessions.", body = Page<Session>)))]
pub async fn sessions(call: Call<need::SyncRead>) -> Answer {
    let (asked, page): (ListSessions, _) = call.listed()?;
    let list = call.list(page, "")?;
    let paging = list.paging.clone();
    let found = call
        .read(move |db, scope| sync_log::sessions(db, scope, asked.connection, &paging))
        .await?;
    let page = call.cut(found, &list, |one: &Session| {
        Place::id(one.last_request_id.0)
    });
    Ok(call.send(page.info, page.rows))
}
