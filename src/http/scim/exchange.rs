//! One SCIM request on its way through: who asks, what the log will say of it, its body within limits.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::http::error::{self, ScimFailure};
use crate::http::{AppState, Reached, sender};
use crate::scim::error::ScimErrorKind;
use crate::scim::message;
use crate::service::sync_log::{Operation, Outcome, SyncEntry};
use crate::service::{Scope, ServiceError};

use super::respond::Reply;

/// E1: a user, a PATCH of one, a search.
pub const BODY_LIMIT: usize = 2 << 20;
/// E1: a group; a PUT of 100,000 members fits.
pub const GROUP_BODY_LIMIT: usize = 8 << 20;

/// The address clients use for `/scim/v2`: configured, else that of the connection (B31); a `Host` anybody may send is
/// not believed (C-21).
#[must_use]
pub fn base(state: &AppState, request: &HttpRequest) -> Arc<str> {
    match request.conn_data::<Reached>() {
        Some(Reached(base)) => Arc::clone(base),
        None => {
            let here = request.app_config().local_addr();
            Reached::new(state.public_url.as_deref(), here).0
        }
    }
}

/// Reads and parses a JSON body: media type 415, size 413, syntax 400 (H-35..H-39, E1, E3).
pub async fn json(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<(Value, String), ScimFailure> {
    let bytes = body(request, payload, limit).await?;
    let value = message::parse_json(&bytes)?;
    Ok((value, String::from_utf8_lossy(&bytes).into_owned()))
}

async fn body(
    request: &HttpRequest,
    mut payload: web::Payload,
    limit: usize,
) -> Result<Vec<u8>, ScimFailure> {
    check_media_type(request)?;
    let too_large = || {
        ScimFailure::of(
            StatusCode::PAYLOAD_TOO_LARGE,
            None,
            format!("the body is larger than the limit of {limit} bytes"),
        )
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or(1024).min(limit));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            ScimFailure::of(
                StatusCode::BAD_REQUEST,
                Some(ScimErrorKind::InvalidSyntax),
                format!("the body broke off: {error}"),
            )
        })?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// H-35, H-36: JSON types only; a missing type is taken for SCIM's own. Compressed bodies are refused (H-39).
fn check_media_type(request: &HttpRequest) -> Result<(), ScimFailure> {
    let refused = |what: String| {
        Err(ScimFailure::of(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            None,
            what,
        ))
    };
    if let Some(encoding) = request.headers().get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return refused(
            "compressed request bodies are not taken; send the body as it is".to_owned(),
        );
    }
    let Some(content_type) = request.headers().get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let text = content_type.to_str().unwrap_or("?").to_ascii_lowercase();
    let (essence, parameters) = text.split_once(';').unwrap_or((&text, ""));
    let essence = essence.trim();
    if !(essence == "application/json"
        || essence == "text/json"
        || (essence.starts_with("application/") && essence.ends_with("+json")))
    {
        return refused(format!(
            "content type `{essence}` is not taken; send `application/scim+json`"
        ));
    }
    match parameters
        .split(';')
        .filter_map(|parameter| parameter.trim().strip_prefix("charset="))
        .next()
    {
        Some(charset) if !charset.trim_matches('"').eq_ignore_ascii_case("utf-8") => {
            refused(format!("charset `{charset}` is not taken; send UTF-8"))
        }
        _ => Ok(()),
    }
}

/// What the log knows of a request before its outcome.
pub fn entry(
    request: &HttpRequest,
    scope: &Scope,
    operation: Operation,
    request_body: Option<&str>,
) -> SyncEntry {
    let path = match request.query_string() {
        "" => request.path().to_owned(),
        query => format!("{}?{query}", request.path()),
    };
    SyncEntry::start(
        scope,
        operation,
        request.method().as_str(),
        &path,
        request_body,
        sender::of(request),
    )
}

/// Finishes a request that did not write: logs it in the background, answers.
pub fn finish(
    state: &AppState,
    scope: &Scope,
    entry: SyncEntry,
    result: Result<Reply, ServiceError>,
) -> HttpResponse {
    match result {
        Ok(reply) => {
            state.log.log(
                scope.tenant,
                entry.finish(Outcome::Success, reply.status.as_u16(), None),
            );
            reply.respond()
        }
        Err(error) => refuse(state, scope, entry, &error::scim(&error, scope.request)),
    }
}

/// Logs and answers a refusal.
pub fn refuse(
    state: &AppState,
    scope: &Scope,
    entry: SyncEntry,
    failure: &ScimFailure,
) -> HttpResponse {
    state.log.log(scope.tenant, refused(entry, failure));
    failure.respond()
}

/// Closes an entry with a refusal.
#[must_use]
pub fn refused(entry: SyncEntry, failure: &ScimFailure) -> SyncEntry {
    let outcome = if failure.status.is_server_error() {
        Outcome::Failed
    } else {
        Outcome::Rejected
    };
    let mut entry = entry.finish(outcome, failure.status.as_u16(), Some(&failure.body()));
    entry.scim_type = failure.scim_type.map(str::to_owned);
    entry.detail = Some(failure.detail.clone());
    entry
}
