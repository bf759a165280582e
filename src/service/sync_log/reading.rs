//! Reading the log: a page of it, newest first, and one request with its bodies.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::Instant;
use crate::ids::{ConnectionId, RequestId};
use crate::scim::quirks::guess;
use crate::store::Db;
use crate::store::listing::{Found, Paging};
use crate::store::queries::sync_log::{self, SyncFilter, SyncRow};

use super::super::{Scope, ServiceError};
use super::{Operation, Outcome};

/// Which requests a page shows; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// One of these; empty: any.
    pub outcomes: Vec<Outcome>,
    /// One of these; empty: any.
    pub operations: Vec<Operation>,
    /// `User` or `Group`.
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub connection: Option<ConnectionId>,
    pub http_status: Option<i64>,
    pub since: Option<Instant>,
    pub until: Option<Instant>,
    /// The name of an attribute that changed.
    pub changed: Option<String>,
    /// Part of the request's or the response's body.
    pub text: Option<String>,
    /// Neither reads nor what changed nothing.
    pub quiet: bool,
}

/// One request as it is shown; the members are those of `rest-and-console.md` A7.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SyncRequest {
    pub id: RequestId,
    pub at: Instant,
    pub connection_id: Option<ConnectionId>,
    pub token_hint: String,
    pub method: String,
    pub path: String,
    pub operation: String,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub resource_label: Option<String>,
    pub external_id: Option<String>,
    pub outcome: String,
    pub http_status: i64,
    pub scim_type: Option<String>,
    pub detail: Option<String>,
    pub duration_ms: f64,
    pub effects: Effects,
    /// What was ignored or rewritten on the way in.
    #[schema(value_type = Vec<Object>)]
    pub warnings: Box<RawValue>,
    /// Before and after of each changed attribute.
    #[schema(value_type = Object)]
    pub diff: Box<RawValue>,
    pub client: Client,
    /// Which identity provider seems to have sent it; nothing is decided by it.
    pub idp_guess: Option<String>,
    /// The trace of its `traceparent`.
    pub trace_id: Option<String>,
    /// Only when one request is read: the first of those that it repeats, if it is a retry of one that went wrong within a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt_of: Option<RequestId>,
    /// Only when one request is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_body: Option<String>,
}

/// What a request caused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = SyncEffects)]
pub struct Effects {
    pub members_added: i64,
    pub members_ended: i64,
    pub enrollments: i64,
}

/// Who sent a request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SyncClient)]
pub struct Client {
    pub user_agent: Option<String>,
    /// The network it came from, such as `203.0.113.0/24`; behind a proxy, the proxy's.
    pub ip: Option<String>,
}

/// How long after a request another one counts as its retry, in milliseconds.
const RETRIED: i64 = 24 * 3600 * 1000;

impl TryFrom<SyncRow> for SyncRequest {
    type Error = ServiceError;

    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of one request are far below 2^52"
    )]
    fn try_from(row: SyncRow) -> Result<Self, ServiceError> {
        let raw =
            |text| RawValue::from_string(text).map_err(|error| ServiceError::Bug(error.into()));
        let idp = guess(row.user_agent.as_deref(), &row.path);
        Ok(Self {
            id: row.id,
            at: Instant(row.at),
            connection_id: row.connection_id,
            token_hint: row.token_hint,
            method: row.method.into_owned(),
            path: row.path,
            operation: row.operation.into_owned(),
            resource_type: row.resource_type.map(Cow::into_owned),
            resource_id: row.resource_id,
            resource_label: row.resource_label,
            external_id: row.external_id,
            outcome: row.outcome.into_owned(),
            http_status: row.http_status,
            scim_type: row.scim_type,
            detail: row.detail,
            duration_ms: row.duration_us as f64 / 1000.0,
            effects: Effects {
                members_added: row.members_added,
                members_ended: row.members_ended,
                enrollments: row.enrollments,
            },
            warnings: raw(row.notes.into_owned())?,
            diff: raw(row.changes.into_owned())?,
            client: Client {
                user_agent: row.user_agent,
                ip: row.client_ip,
            },
            idp_guess: idp.map(str::to_owned),
            trace_id: row.trace_id,
            attempt_of: None,
            request_body: row.request_body,
            response_body: row.response_body,
        })
    }
}

/// A page of the tenant's log, newest first, without bodies.
///
/// What was done to one resource is found by `resource_id`; reads of it are not, because every one of them would cost an
/// index a place of its own.
pub fn page(
    db: &mut Db,
    scope: &Scope,
    query: &Query,
    paging: &Paging,
) -> Result<Found<SyncRequest>, ServiceError> {
    let asks_for_reads = query.operations.iter().any(|operation| operation.reads());
    let filter = SyncFilter {
        outcomes: query.outcomes.iter().map(|one| one.as_str()).collect(),
        operations: query.operations.iter().map(|one| one.as_str()).collect(),
        only_trouble: !query.outcomes.is_empty()
            && query.outcomes.iter().all(|outcome| outcome.is_trouble()),
        only_changes: query.resource_id.is_some()
            || (!query.operations.is_empty() && !asks_for_reads)
            || query.quiet,
        no_no_ops: query.quiet,
        resource_type: query.resource_type.clone(),
        resource_id: query.resource_id.clone(),
        connection: query.connection,
        http_status: query.http_status,
        since: query.since,
        until: query.until,
        // As it stands in the JSON: a name before its colon.
        changed: query
            .changed
            .as_deref()
            .map(|name| format!("\"{}\":", name.replace('"', ""))),
        text: query.text.clone(),
    };
    let found = sync_log::page(db, scope.tenant, &filter, paging)?;
    found.then(|rows| rows.into_iter().map(SyncRequest::try_from).collect())
}

/// One request with its bodies.
pub fn find(db: &mut Db, scope: &Scope, id: RequestId) -> Result<SyncRequest, ServiceError> {
    let row = sync_log::find(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("request", id))?;
    let since = Instant(row.at).plus_millis(-RETRIED);
    let attempt_of = sync_log::first_attempt(db, &row, since)?;
    Ok(SyncRequest {
        attempt_of,
        ..SyncRequest::try_from(row)?
    })
}
