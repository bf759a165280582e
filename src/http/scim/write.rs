//! `POST`, `PUT`, `PATCH` and `DELETE` of a resource. RFC 7644 §3.3, §3.5, §3.6.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde_json::Value;

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::error::{self, ScimFailure};
use crate::http::guard::Provisioner;
use crate::scim::message::SearchRequest;
use crate::scim::patch::{self, PatchRequest};
use crate::scim::quirks;
use crate::scim::version::IfMatch;
use crate::service::directory::{self, Call, Kind, MEMBERS_AT_A_TIME, Parts, Written};
use crate::service::sync_log::{self, Operation, Outcome, SyncEntry};
use crate::service::{Scope, ServiceError};

use super::asked::{asked, header_list, may, offered, parts, resource_type};
use super::exchange::{self, BODY_LIMIT, GROUP_BODY_LIMIT};
use super::members::{self, Sending};
use super::own::{self, Own};
use super::respond::{self, Reply};

const fn limit(kind: Kind) -> usize {
    match kind {
        Kind::User | Kind::Membership | Kind::Other(_) => BODY_LIMIT,
        Kind::Group => GROUP_BODY_LIMIT,
    }
}

/// The body of a write, read only for who may write (AU-02).
async fn allowed_body(
    kind: Kind,
    request: &HttpRequest,
    scope: &Scope,
    payload: web::Payload,
) -> Result<(Value, String), ScimFailure> {
    may(scope, Permission::ScimWrite).map_err(|error| error::scim(&error, scope.request))?;
    exchange::json(request, payload, limit(kind)).await
}

/// `POST /Users`.
pub async fn create(
    kind: Kind,
    request: HttpRequest,
    who: Provisioner,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let (body, text) = match allowed_body(kind, &request, &scope, payload).await {
        Ok(parsed) => parsed,
        Err(failure) => {
            return exchange::refuse(
                &state,
                &scope,
                exchange::entry(&request, &scope, Operation::Create, None),
                &failure,
            );
        }
    };
    let mut entry = exchange::entry(&request, &scope, Operation::Create, Some(&text));
    entry.resource_type = Some(kind.name().to_owned());
    let body = Arc::new(body);
    let done = write(
        kind,
        &request,
        &scope,
        &state,
        entry.clone(),
        true,
        move |db, scope, call| {
            Ok((
                StatusCode::CREATED,
                directory::create(db, scope, call, kind, &body)?,
            ))
        },
    );
    answer(&state, &scope, entry, done.await)
}

/// `PUT /Users/{id}`.
pub async fn replace(
    kind: Kind,
    request: HttpRequest,
    who: Provisioner,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let (body, text) = match allowed_body(kind, &request, &scope, payload).await {
        Ok(parsed) => parsed,
        Err(failure) => {
            return exchange::refuse(
                &state,
                &scope,
                exchange::entry(&request, &scope, Operation::Replace, None),
                &failure,
            );
        }
    };
    let mut entry = exchange::entry(&request, &scope, Operation::Replace, Some(&text));
    entry.resource(kind.name(), &id, None, None);
    let (body, expected, id) = (
        Arc::new(body),
        IfMatch::parse(
            header_list(&request, &header::IF_MATCH).as_deref(),
            header_list(&request, &header::IF_NONE_MATCH).as_deref(),
        ),
        id.into_inner(),
    );
    let done = write(
        kind,
        &request,
        &scope,
        &state,
        entry.clone(),
        true,
        move |db, scope, call| {
            Ok((
                StatusCode::OK,
                directory::replace(db, scope, call, (kind, &id), &body, &expected)?,
            ))
        },
    );
    answer(&state, &scope, entry, done.await)
}

/// `PATCH /Users/{id}`. Groups answer 204 unless a projection or `Prefer` asks for the resource (PA-10).
pub async fn patch(
    kind: Kind,
    request: HttpRequest,
    who: Provisioner,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    if let Err(error) = offered(scope.switches().patch, "PATCH") {
        let entry = exchange::entry(&request, &scope, Operation::Patch, None);
        return exchange::refuse(&state, &scope, entry, &error::scim(&error, scope.request));
    }
    let (mut body, text) = match allowed_body(kind, &request, &scope, payload).await {
        Ok(parsed) => parsed,
        Err(failure) => {
            return exchange::refuse(
                &state,
                &scope,
                exchange::entry(&request, &scope, Operation::Patch, None),
                &failure,
            );
        }
    };
    let mut entry = exchange::entry(&request, &scope, Operation::Patch, Some(&text));
    entry.resource(kind.name(), &id, None, None);
    let rewrites = quirks::rewrite_patch(quirks_client(&scope), &mut body);
    let switches = scope.switches();
    let expected = IfMatch::parse(
        header_list(&request, &header::IF_MATCH).as_deref(),
        header_list(&request, &header::IF_NONE_MATCH).as_deref(),
    );
    let compiled = PatchRequest::parse(body, &switches)
        .map_err(ServiceError::from)
        .and_then(|parsed| Ok((resource_type(&state, kind)?, parsed)))
        .and_then(|(resource_type, parsed)| {
            Ok(patch::compile(&parsed, &resource_type, &switches)?)
        });
    let compiled = match compiled {
        Ok(compiled) => Arc::new(compiled),
        Err(error) => {
            let error = said_first(kind, &scope, &id, &state, &expected)
                .await
                .unwrap_or(error);
            return exchange::refuse(&state, &scope, entry, &error::scim(&error, scope.request));
        }
    };
    let prefer = request
        .headers()
        .get("prefer")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let shaped = SearchRequest::from_query(request.query_string())
        .is_ok_and(|search| search.attributes.is_some() || search.excluded_attributes.is_some());
    let full = shaped
        || (prefer.contains("return=representation"))
        || (kind != Kind::Group && !prefer.contains("return=minimal"));
    let id = id.into_inner();
    let done = write(
        kind,
        &request,
        &scope,
        &state,
        entry.clone(),
        full,
        move |db, scope, call| {
            let mut written = directory::patch(db, scope, call, (kind, &id), &compiled, &expected)?;
            written.notes.splice(0..0, rewrites.iter().cloned());
            Ok((
                if full {
                    StatusCode::OK
                } else {
                    StatusCode::NO_CONTENT
                },
                written,
            ))
        },
    );
    answer(&state, &scope, entry, done.await)
}

/// What is wrong with the target of a PATCH before what its operations mean: 404, then 412 (H-15, D-02).
async fn said_first(
    kind: Kind,
    scope: &Scope,
    id: &str,
    state: &AppState,
    expected: &IfMatch,
) -> Option<ServiceError> {
    let (reader, registry, wanted) = (scope.clone(), state.registry.clone(), id.to_owned());
    let found = state.store.read_short(move |db| {
        let call = Call {
            registry: &registry,
            base: "",
            parts: Parts::default(),
        };
        directory::get(db, &reader, call, kind, &wanted)
    });
    match found.await {
        Err(missing @ ServiceError::NotFound { .. }) => Some(missing),
        Ok(found) if !expected.allows(found.version) => Some(ServiceError::Stale {
            current: found.version.0,
        }),
        _ => None,
    }
}

/// `DELETE /Users/{id}`.
pub async fn delete(
    kind: Kind,
    request: HttpRequest,
    who: Provisioner,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let mut entry = exchange::entry(&request, &scope, Operation::Delete, None);
    entry.resource(kind.name(), &id, None, None);
    let (expected, id) = (
        IfMatch::parse(
            header_list(&request, &header::IF_MATCH).as_deref(),
            header_list(&request, &header::IF_NONE_MATCH).as_deref(),
        ),
        id.into_inner(),
    );
    let done = write(
        kind,
        &request,
        &scope,
        &state,
        entry.clone(),
        false,
        move |db, scope, call| {
            Ok((
                StatusCode::NO_CONTENT,
                directory::delete(db, scope, call, (kind, &id), &expected)?,
            ))
        },
    );
    answer(&state, &scope, entry, done.await)
}

fn quirks_client(scope: &Scope) -> quirks::Client {
    scope
        .connection
        .as_ref()
        .map_or(quirks::Client::Generic, |connection| connection.client)
}

/// Runs one write and its log row in one transaction. The members of a large group are left to be sent.
async fn write<J>(
    kind: Kind,
    request: &HttpRequest,
    scope: &Scope,
    state: &web::Data<AppState>,
    entry: SyncEntry,
    shows: bool,
    job: J,
) -> Result<(Reply, Option<Sending>), ServiceError>
where
    J: Fn(&mut crate::store::Db, &Scope, Call<'_>) -> Result<(StatusCode, Written), ServiceError>
        + Send
        + 'static,
{
    may(scope, Permission::ScimWrite)?;
    let asked = asked(state, request, scope, kind)?;
    let mut parts = parts(&asked.resource_type, &asked.projection);
    let shows_members = parts.members && shows && kind == Kind::Group;
    parts.members = false;
    parts.groups &= shows;
    parts.learner &= shows;
    let (who, registry, base) = (scope.clone(), state.registry.clone(), asked.base.clone());
    let self_service = request.extensions().get::<Own>().is_some();
    let (mut reply, view, ids) = state
        .store
        .write("scim write", move |db| {
            let scope = &who;
            let (status, mut written) = job(
                db,
                scope,
                Call {
                    registry: &registry,
                    base: &asked.base,
                    parts,
                },
            )?;
            if self_service {
                own::check(&written.changes)?;
            }
            let mut view = None;
            let mut ids = Vec::new();
            let mut reply = match written.resource.take() {
                Some(resource) if shows => {
                    let raw = asked.projection.is_raw();
                    let supplied = (!raw).then(|| {
                        asked
                            .projection
                            .clone()
                            .with_supplied(&asked.resource_type, &written.named)
                            .within(&asked.resource_type, scope.rights())
                    });
                    let projection = supplied.as_ref().unwrap_or(&asked.projection);
                    let rt = &asked.resource_type;
                    let mut reply = respond::resource(rt, projection, &asked.base, resource)?;
                    if shows_members {
                        let parts = members::view(rt, projection);
                        ids = directory::member_ids(db, scope, &written.id)?;
                        if ids.len() <= MEMBERS_AT_A_TIME {
                            let all = std::mem::take(&mut ids);
                            let text =
                                directory::members_text(db, scope, &asked.base, parts, &all)?;
                            reply.body = reply.body.map(|body| members::with_members(body, &text));
                        } else {
                            view = Some(parts);
                        }
                    }
                    reply.with_status(status)
                }
                _ => Reply::empty(status),
            };
            if status != StatusCode::NO_CONTENT || request_keeps_resource(&written) {
                reply.version = Some(written.version);
                reply.location = Some(format!(
                    "{}{}/{}",
                    asked.base, asked.resource_type.endpoint, written.id
                ));
            }
            sync_log::record(db, scope, logged(entry.clone(), kind, written, &reply))?;
            Ok::<_, ServiceError>((reply, view, ids))
        })
        .await?;
    let sending = view.map(|view| {
        let head = reply.body.take().unwrap_or_default();
        Sending::new(state, scope, base, view, (head, ids))
    });
    Ok((reply, sending))
}

/// After a DELETE there is nothing to point at.
const fn request_keeps_resource(written: &Written) -> bool {
    written.version.0 > 0
}

pub(super) fn logged(
    mut entry: SyncEntry,
    kind: Kind,
    written: Written,
    reply: &Reply,
) -> SyncEntry {
    entry.resource(
        kind.name(),
        &written.id,
        Some(&written.label),
        written.external_id.as_deref(),
    );
    entry.members_added = written.members_added;
    entry.members_ended = written.members_ended;
    entry.enrollments = written.effects.enrollments;
    entry.notes = written.notes;
    entry.changes = written.changes;
    let skipped = entry
        .notes
        .iter()
        .any(|note| matches!(note.code, "unknown_member" | "nested_group_ignored"));
    let noted = |code: &str| entry.notes.iter().any(|note| note.code == code);
    let outcome = if skipped {
        Outcome::Partial
    } else if written.changed {
        if noted("parked_plan") {
            Outcome::Parked
        } else if noted("connection_observing") {
            Outcome::Held
        } else {
            Outcome::Success
        }
    } else {
        Outcome::NoOp
    };
    entry.finish(outcome, reply.status.as_u16(), reply.body.as_deref())
}

fn answer(
    state: &AppState,
    scope: &Scope,
    entry: SyncEntry,
    done: Result<(Reply, Option<Sending>), ServiceError>,
) -> HttpResponse {
    match done {
        Ok((reply, None)) => reply.respond(),
        Ok((reply, Some(sending))) => sending.respond(reply),
        Err(error) => {
            let failure: ScimFailure = error::scim(&error, scope.request);
            exchange::refuse(state, scope, entry, &failure)
        }
    }
}
