//! Discovery: `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas`. RFC 7644 §4; what is published is what is enforced (SH-10).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use crate::http::AppState;
use crate::http::error::{self, ScimFailure};
use crate::http::guard::Provisioner;
use crate::scim::message;
use crate::scim::version::{IfNoneMatch, Version};
use crate::service::directory::Kind;
use crate::service::groups;

use super::asked::header_list;
use super::exchange;
use super::respond::Reply;

/// DC-04: a document with a tag made of its text, so that it is sent again only when it has changed.
fn answer(request: &HttpRequest, body: String) -> HttpResponse {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let version = Version(i64::try_from(hasher.finish() >> 1).unwrap_or(i64::MAX));
    let known = header_list(request, &header::IF_NONE_MATCH)
        .is_some_and(|tags| IfNoneMatch::parse(&tags).matches(version));
    let mut reply = if known {
        Reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        Reply::ok(body)
    };
    reply.version = Some(version);
    reply.cacheable = true;
    reply.respond()
}

fn document(request: &HttpRequest, body: &Value) -> HttpResponse {
    answer(request, body.to_string())
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

/// `GET /ServiceProviderConfig`: public (SP-04). Who brings a token reads what its connection is offered (SP-02), everybody
/// else the defaults.
pub async fn service_provider_config(
    request: HttpRequest,
    who: Option<Provisioner>,
    state: web::Data<AppState>,
) -> HttpResponse {
    if let Some(refused) = refuse_filter(&request) {
        return refused;
    }
    let offered = who.map(|Provisioner(scope)| scope.switches());
    let base = exchange::base(&state, &request);
    document(
        &request,
        &message::service_provider_config(&base, &offered.unwrap_or_default()),
    )
}

/// Whether the tenant's plan offers groups; what it does not include is not advertised (§7.15).
async fn offers_groups(state: &AppState, who: Provisioner) -> Result<bool, HttpResponse> {
    let Provisioner(scope) = who;
    let request = scope.request;
    let answer = state
        .store
        .read(move |db| groups::offers_groups(db, &scope))
        .await;
    answer.map_err(|error| error::scim(&error, request).respond())
}

/// Whether a resource type is there for tenants with groups only.
fn is_of_groups(name: &str) -> bool {
    [Kind::Group.name(), Kind::Membership.name()].contains(&name)
}

/// `GET /ResourceTypes`.
pub async fn resource_types(
    request: HttpRequest,
    who: Provisioner,
    state: web::Data<AppState>,
) -> HttpResponse {
    if let Some(refused) = refuse_filter(&request) {
        return refused;
    }
    let with_groups = match offers_groups(&state, who).await {
        Ok(offered) => offered,
        Err(failed) => return failed,
    };
    let base = exchange::base(&state, &request);
    let all: Vec<String> = state
        .registry
        .resource_types
        .iter()
        .filter(|one| with_groups || !is_of_groups(one.name))
        .map(|one| state.registry.resource_type_json(one, &base).to_string())
        .collect();
    listed(&request, &all)
}

/// `GET /ResourceTypes/{id}`.
pub async fn resource_type(
    request: HttpRequest,
    who: Provisioner,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> HttpResponse {
    if let Some(refused) = refuse_filter(&request) {
        return refused;
    }
    let found = match state.registry.resource_type(&id) {
        Some(found) if is_of_groups(found.name) => match offers_groups(&state, who).await {
            Ok(offered) => offered.then_some(found),
            Err(failed) => return failed,
        },
        found => found,
    };
    match found {
        Some(found) => document(
            &request,
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
    listed(&request, &all)
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
            &request,
            &state
                .registry
                .schema_json(found, &exchange::base(&state, &request)),
        ),
        None => not_found("Schema", &urn),
    }
}

fn listed(request: &HttpRequest, all: &[String]) -> HttpResponse {
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let body = message::list_response(total, &message::Page::Index(1), all);
    answer(request, body)
}
