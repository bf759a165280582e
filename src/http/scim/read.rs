//! `GET /Users/{id}`, `GET /Groups/{id}`. RFC 7644 §3.4.1, §3.14.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::auth::permission::Permission;
use crate::http::AppState;
use crate::http::guard::Provisioner;
use crate::scim::version::IfNoneMatch;
use crate::service::directory::{self, Call, Kind};
use crate::service::sync_log::Operation;
use crate::service::{Scope, ServiceError};

use super::asked::{asked, header_list, may, parts, refuse_filter};
use super::exchange;
use super::members;
use super::respond::{self, Reply};

/// `GET /Users/{id}`.
pub async fn get(
    kind: Kind,
    request: HttpRequest,
    who: Provisioner,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> HttpResponse {
    let Provisioner(scope) = who;
    let mut entry = exchange::entry(&request, &scope, Operation::Read, None);
    entry.resource(kind.name(), &id, None, None);
    if kind == Kind::Group {
        return members::get(entry, &request, &scope, &id, &state).await;
    }
    let result = read_one(kind, &request, &scope, &id, &state).await;
    exchange::finish(&state, &scope, entry, result)
}

async fn read_one(
    kind: Kind,
    request: &HttpRequest,
    scope: &Scope,
    id: &str,
    state: &AppState,
) -> Result<Reply, ServiceError> {
    may(scope, Permission::ScimRead)?;
    refuse_filter(request)?;
    let asked = asked(state, request, scope, kind)?;
    let parts = parts(&asked.resource_type, &asked.projection);
    let (reader, registry, base, wanted) = (
        scope.clone(),
        state.registry.clone(),
        asked.base.clone(),
        id.to_owned(),
    );
    let job = move |db: &mut crate::store::Db| {
        directory::get(
            db,
            &reader,
            Call {
                registry: &registry,
                base: &base,
                parts,
            },
            kind,
            &wanted,
        )
    };
    // a group's members may be many: those reads leave the worker
    let found = if parts.members && kind == Kind::Group {
        state.store.read(job).await?
    } else {
        state.store.read_short(job).await?
    };
    if let Some(condition) = header_list(request, &header::IF_NONE_MATCH)
        && IfNoneMatch::parse(&condition).matches(found.version)
    {
        let mut unchanged = Reply::empty(StatusCode::NOT_MODIFIED);
        unchanged.version = Some(found.version);
        return Ok(unchanged);
    }
    respond::resource(&asked.resource_type, &asked.projection, &asked.base, found)
}
