//! Discovery: `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas`. RFC 7644 §4; what is published is what is enforced (SH-10).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use crate::http::AppState;
use crate::http::error::ScimFailure;
use crate::http::guard::Provisioner;
use crate::scim::message;

use super::exchange;
use super::respond::Reply;

fn document(body: &Value) -> HttpResponse {
    let mut reply = Reply::ok(body.to_string());
    reply.cacheable = true;
    reply.respond()
}

/// DC-02: a filter is refused, so that nobody believes it was applied.
fn refuse_filter(request: &HttpRequest) -> Option<HttpResponse> {
    let has_filter = request.query_string().split('&').any(|pair| {
        pair.split('=')
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("filter"))
    });
    has_filter.then(|| {
        ScimFailure::of(
            StatusCode::FORBIDDEN,
            None,
            "discovery documents take no filter; read them whole",
        )
        .respond()
    })
}

fn not_found(what: &str, id: &str) -> HttpResponse {
    ScimFailure::of(
        StatusCode::NOT_FOUND,
        None,
        format!("{what} {id} not found"),
    )
    .respond()
}

/// `GET /ServiceProviderConfig`: public (SP-04).
pub async fn service_provider_config(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> HttpResponse {
    if let Some(refused) = refuse_filter(&request) {
        return refused;
    }
    document(&message::service_provider_config(&exchange::base(
        &state, &request,
    )))
}

/// `GET /ResourceTypes`.
pub async fn resource_types(
    request: HttpRequest,
    _: Provisioner,
    state: web::Data<AppState>,
) -> HttpResponse {
    if let Some(refused) = refuse_filter(&request) {
        return refused;
    }
    let base = exchange::base(&state, &request);
    let all: Vec<String> = state
        .registry
        .resource_types
        .iter()
        .map(|one| state.registry.resource_type_json(one, &base).to_string())
        .collect();
    listed(&all)
}

/// `GET /ResourceTypes/{id}`.
pub async fn resource_type(
    request: HttpRequest,
    _: Provisioner,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> HttpResponse {
    if let Some(refused) = refuse_filter(&request) {
        return refused;
    }
    match state.registry.resource_type(&id) {
        Some(found) => document(
            &state
                .registry
                .resource_type_json(found, &exchange::base(&state, &request)),
        ),
        None => not_found("ResourceType", &id),
    }
}

/// `GET /Schemas`.
pub async fn schemas(
    request: HttpRequest,
    _: Provisioner,
    state: web::Data<AppState>,
) -> HttpResponse {
    if let Some(refused) = refuse_filter(&request) {
        return refused;
    }
    let base = exchange::base(&state, &request);
    let all: Vec<String> = state
        .registry
        .schemas
        .iter()
        .map(|one| state.registry.schema_json(one, &base).to_string())
        .collect();
    listed(&all)
}

/// `GET /Schemas/{urn}`.
pub async fn schema(
    request: HttpRequest,
    _: Provisioner,
    urn: web::Path<String>,
    state: web::Data<AppState>,
) -> HttpResponse {
    if let Some(refused) = refuse_filter(&request) {
        return refused;
    }
    match state.registry.schema(&urn) {
        Some(found) => document(
            &state
                .registry
                .schema_json(found, &exchange::base(&state, &request)),
        ),
        None => not_found("Schema", &urn),
    }
}

fn listed(all: &[String]) -> HttpResponse {
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let mut reply = Reply::ok(message::list_response(total, &message::Page::Index(1), all));
    reply.cacheable = true;
    reply.respond()
}
