//! Lists and searches of one kind and of every kind. RFC 7644 §3.4.2, §3.4.3.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::error::{self, ScimFailure};
use crate::http::guard::Provisioner;
use crate::scim::message::{self, SearchRequest};
use crate::scim::project::Projection;
use crate::service::directory::{self, Call, Kind, Parts};
use crate::service::sync_log::Operation;
use crate::service::{Scope, ServiceError};

use super::asked::{may, parts, resource_type};
use super::exchange::{self, BODY_LIMIT};
use super::respond::{self, Reply};

/// The body of a search, read only for who may read (AU-02).
async fn allowed_body(
    request: &HttpRequest,
    scope: &Scope,
    payload: web::Payload,
) -> Result<(Value, String), ScimFailure> {
    may(scope, Permission::ScimRead).map_err(|error| error::scim(&error, scope.request))?;
    exchange::json(request, payload, BODY_LIMIT).await
}

/// `GET /Users`.
pub async fn list(
    kind: Kind,
    request: HttpRequest,
    who: Provisioner,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let search = SearchRequest::from_query(request.query_string());
    let operation = match &search {
        Ok(search) if search.filter.is_some() => Operation::Probe,
        _ => Operation::Read,
    };
    let mut entry = exchange::entry(&request, &scope, operation, None);
    entry.resource_type = Some(kind.name().to_owned());
    let result = match search {
        Ok(search) => search_page(kind, &request, &scope, search, &state).await,
        Err(error) => Err(error.into()),
    };
    exchange::finish(&state, &scope, entry, result)
}

/// `POST /Users/.search` (RFC 7644 §3.4.3): answers as the GET would.
pub async fn search(
    kind: Kind,
    request: HttpRequest,
    who: Provisioner,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let parsed = allowed_body(&request, &scope, payload).await;
    let mut entry = exchange::entry(
        &request,
        &scope,
        Operation::Probe,
        parsed.as_ref().ok().map(|(_, text)| text.as_str()),
    );
    entry.resource_type = Some(kind.name().to_owned());
    let result = match parsed {
        Err(failure) => return exchange::refuse(&state, &scope, entry, &failure),
        Ok((body, _)) => match SearchRequest::from_body(&body, &scope.switches()) {
            Ok(search) => search_page(kind, &request, &scope, search, &state).await,
            Err(error) => Err(error.into()),
        },
    };
    exchange::finish(&state, &scope, entry, result)
}

/// `GET /`.
pub async fn list_all(
    request: HttpRequest,
    who: Provisioner,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let entry = exchange::entry(&request, &scope, Operation::Probe, None);
    let result = match SearchRequest::from_query(request.query_string()) {
        Ok(search) => search_everything(&request, &scope, search, &state).await,
        Err(error) => Err(error.into()),
    };
    exchange::finish(&state, &scope, entry, result)
}

/// `POST /.search` at the root.
pub async fn search_all(
    request: HttpRequest,
    who: Provisioner,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let parsed = allowed_body(&request, &scope, payload).await;
    let entry = exchange::entry(
        &request,
        &scope,
        Operation::Probe,
        parsed.as_ref().ok().map(|(_, text)| text.as_str()),
    );
    let result = match parsed {
        Err(failure) => return exchange::refuse(&state, &scope, entry, &failure),
        Ok((body, _)) => match SearchRequest::from_body(&body, &scope.switches()) {
            Ok(search) => search_everything(&request, &scope, search, &state).await,
            Err(error) => Err(error.into()),
        },
    };
    exchange::finish(&state, &scope, entry, result)
}

async fn search_everything(
    request: &HttpRequest,
    scope: &Scope,
    search: SearchRequest,
    state: &AppState,
) -> Result<Reply, ServiceError> {
    may(scope, Permission::ScimRead)?;
    let search = search.offered(&scope.switches())?;
    let (attributes, excluded) = (
        search.attributes.as_deref(),
        search.excluded_attributes.as_deref(),
    );
    let mut views = Vec::new();
    let mut wanted = Parts::default();
    for resource_type in &state.registry.resource_types {
        if request.method() != Method::POST
            && let Some(rights) = scope.rights()
        {
            rights.check_url(resource_type, search.filter.as_deref())?;
        }
        let view = Projection::parse(resource_type, attributes, excluded)?
            .within(resource_type, scope.rights());
        let of_type = parts(resource_type, &view);
        // Only groups have members, only users have groups and a learner.
        match Kind::of(resource_type) {
            Kind::User => {
                wanted.groups = of_type.groups;
                wanted.learner = of_type.learner;
            }
            Kind::Group => wanted.members = of_type.members,
            Kind::Membership | Kind::Other(_) => {}
        }
        views.push((Kind::of(resource_type), resource_type, view));
    }
    let (reader, registry, asked, base) = (
        scope.clone(),
        state.registry.clone(),
        search.clone(),
        exchange::base(state, request),
    );
    let found = state
        .store
        .read(move |db| {
            directory::search_all(
                db,
                &reader,
                Call {
                    registry: &registry,
                    base: &base,
                    parts: wanted,
                },
                &asked,
            )
        })
        .await?;
    let mut resources = Vec::with_capacity(found.resources.len());
    for resource in found.resources {
        let view = views.iter().find(|(kind, ..)| *kind == resource.kind);
        if let Some((_, resource_type, view)) = view {
            resources.push(respond::projected(resource_type, view, resource.body)?);
        }
    }
    Ok(Reply::ok(message::list_response(
        found.total,
        &found.page,
        &resources,
    )))
}

async fn search_page(
    kind: Kind,
    request: &HttpRequest,
    scope: &Scope,
    search: SearchRequest,
    state: &AppState,
) -> Result<Reply, ServiceError> {
    may(scope, Permission::ScimRead)?;
    let search = search.offered(&scope.switches())?;
    let resource_type = resource_type(state, kind)?;
    if request.method() != Method::POST
        && let Some(rights) = scope.rights()
    {
        rights.check_url(&resource_type, search.filter.as_deref())?;
    }
    let projection = Projection::parse(
        &resource_type,
        search.attributes.as_deref(),
        search.excluded_attributes.as_deref(),
    )?
    .within(&resource_type, scope.rights());
    let (base, parts) = (
        exchange::base(state, request),
        parts(&resource_type, &projection),
    );
    let (reader, registry, asked, address) = (
        scope.clone(),
        state.registry.clone(),
        search.clone(),
        base.clone(),
    );
    let is_short = directory::is_short(kind, &search);
    let job = move |db: &mut crate::store::Db| {
        directory::search(
            db,
            &reader,
            Call {
                registry: &registry,
                base: &address,
                parts,
            },
            kind,
            &asked,
        )
    };
    let found = if is_short {
        state.store.read_short_at_once(job).await?
    } else {
        state.store.read(job).await?
    };
    let mut resources = Vec::with_capacity(found.resources.len());
    for resource in found.resources {
        resources.push(respond::projected(
            &resource_type,
            &projection,
            resource.body,
        )?);
    }
    Ok(Reply::ok(message::list_response(
        found.total,
        &found.page,
        &resources,
    )))
}
