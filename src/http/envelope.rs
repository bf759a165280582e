//! What stands around every answer: request id, safe headers, one log line, a count, and a SCIM body even after a panic (C33, A26).
//! While the server goes away it also ends the connection behind the answer (C16).

use std::panic::AssertUnwindSafe;
use std::time::Instant as Stopwatch;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use futures_util::FutureExt as _;

use super::error::{ScimFailure, Told};
use super::sender::{TRACE_PARENT, Trace};
use super::{AppState, compress, tidy};
use crate::ids::RequestId;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CLIENTS_ID: HeaderName = HeaderName::from_static("x-client-request-id");
const NO_SNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

/// The longest request target, in bytes (E5).
const MAX_TARGET: usize = 16 << 10;

/// The middleware. The id is made here; guards read it from the request's extensions.
pub async fn wrap(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    tidy::path(&mut request);
    let packs = compress::accepts_gzip(request.headers());
    let id = RequestId::new();
    request.extensions_mut().insert(id);
    let clients = request.headers().get(REQUEST_ID).and_then(clients_id);
    let trace = Trace::of(request.headers());
    let started = Stopwatch::now();
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let state = request.app_data::<web::Data<AppState>>().cloned();
    let _counted = state.as_ref().map(|state| state.metrics.enter());
    let length = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let outcome = if length > MAX_TARGET {
        Ok(Ok(request
            .into_response(target_too_long(&path, length, id))
            .map_into_right_body()))
    } else {
        AssertUnwindSafe(next.call(request))
            .catch_unwind()
            .await
            .map(|done| done.map(ServiceResponse::map_into_left_body))
    };
    let dress = |headers: &mut HeaderMap, status: StatusCode| {
        let mut text = uuid::Uuid::encode_buffer();
        if let Ok(value) = HeaderValue::from_str(id.0.as_hyphenated().encode_lower(&mut text)) {
            headers.insert(REQUEST_ID, value);
        }
        if let Some(theirs) = clients.clone() {
            headers.insert(CLIENTS_ID, theirs);
        }
        if let Some(trace) = &trace
            && let Ok(value) = HeaderValue::from_str(&trace.answer(id))
        {
            headers.insert(TRACE_PARENT, value);
        }
        headers.insert(NO_SNIFF, HeaderValue::from_static("nosniff"));
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        );
        if let Some(state) = &state {
            state.metrics.count(status.as_u16());
            if state.metrics.is_draining() {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
        }
        let (status, took) = (status.as_u16(), started.elapsed().as_micros());
        let named = |name: &str, theirs: Option<&str>| {
            theirs.map_or_else(String::new, |theirs| format!(", {name} {theirs}"))
        };
        log::info!(
            "{method} {path} answered {status} in {took} µs [request {id}{}{}]",
            named(
                "client_request_id",
                clients.as_ref().and_then(|theirs| theirs.to_str().ok())
            ),
            named("trace", trace.as_ref().map(|trace| trace.id.as_str())),
        );
    };
    // a request that ended in a panic or an error is gone: its answer travels as an error that brings its response
    let mut answer = match outcome {
        Ok(Ok(response)) => {
            let mut response = response.map_into_boxed_body();
            if packs {
                response = compress::packed(response);
            }
            let status = response.status();
            dress(response.headers_mut(), status);
            return Ok(response);
        }
        Ok(Err(error)) => readable(error.error_response(), &path, id),
        Err(_) => {
            log::error!("a handler panicked on {method} {path} [request {id}]");
            let detail = format!("the server made a mistake; request {id} is in its log");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, detail, &path, id)
        }
    };
    let status = answer.status();
    dress(answer.headers_mut(), status);
    Err(InternalError::from_response("answered", answer).into())
}

/// The id a client gave its request, if it is 1 to 64 harmless characters (C31). Ours names the rows of the log all the
/// same: a client may send its own twice.
fn clients_id(theirs: &HeaderValue) -> Option<HeaderValue> {
    let bytes = theirs.as_bytes();
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    ((1..=64).contains(&bytes.len()) && bytes.iter().all(harmless)).then(|| theirs.clone())
}

/// E5: longer requests belong into a body.
fn target_too_long(path: &str, length: usize, id: RequestId) -> HttpResponse {
    let detail = format!(
        "the request target has {length} bytes and may have {MAX_TARGET}; long filters go to .search"
    );
    refusal(StatusCode::URI_TOO_LONG, detail, path, id)
}

/// A refusal in the shape of the API it is about. The path decides about the shape alone, never about rights (A3).
fn refusal(status: StatusCode, detail: String, path: &str, id: RequestId) -> HttpResponse {
    if !path.starts_with("/api/") {
        return ScimFailure::of(status, None, detail).respond();
    }
    let code = match status {
        StatusCode::URI_TOO_LONG => "uri_too_long",
        status if status.is_server_error() => "internal_error",
        _ => "bad_request",
    };
    let told = Told {
        status,
        code,
        detail,
        more: serde_json::Map::new(),
    };
    told.respond(Some(id))
}

/// What was refused before any handler ran. Guards bring their own body; the rest gets a SCIM one (H-16).
fn readable(answer: HttpResponse, path: &str, id: RequestId) -> HttpResponse {
    if answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().ends_with(b"json"))
    {
        return answer;
    }
    let status = answer.status();
    let detail = if status.is_server_error() {
        "the server made a mistake"
    } else {
        "the request cannot be read"
    };
    refusal(status, detail.to_owned(), path, id)
}
