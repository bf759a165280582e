//! SCIM resources as use cases: create, get, replace, patch, delete, search. RFC 7644 §3.3–3.6.
//!
//! Each write walks the same steps inside its one transaction: lock the row, check the version, let the engine compute the new
//! document, bind it to columns, write memberships, call `enroll` once. The caller records the sync log in the same transaction.
//! Not here: HTTP, projection, the answer's bytes beyond [`document`].

pub mod bindings;
mod custom;
pub mod document;
mod groups;
mod members;
mod memberships;
mod references;
mod rights;
mod search;
mod shown_group;
mod shown_user;
mod types;
mod users;

use serde_json::Value;

use crate::ids::{GroupId, UserId};
use crate::scim::patch::CompiledPatch;
use crate::scim::version::IfMatch;
use crate::store::Db;

use super::{Scope, ServiceError, groups as learner_groups};
use types::id_of;

pub use members::{MEMBERS_AT_A_TIME, MemberView, member_ids, members_text};
pub use search::{Found, MAX_SKIP, is_short, search, search_all};
pub use types::{Call, Kind, Parts, Resource, Written};
pub use users::end_learner;

/// What is not found where there never were groups is refused for the plan's sake (§7.15).
fn with_plan<T>(
    db: &mut Db,
    scope: &Scope,
    kind: Kind,
    job: impl FnOnce(&mut Db) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    let done = job(db);
    if matches!(kind, Kind::Group | Kind::Membership)
        && matches!(done, Err(ServiceError::NotFound { .. }))
    {
        learner_groups::require_plan_or_past(db, scope)?;
    }
    done
}

/// Creates a resource from a request body. Errors: `invalidValue`, `invalidSyntax`, 409 `uniqueness`, plan.
pub fn create(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    kind: Kind,
    body: &Value,
) -> Result<Written, ServiceError> {
    match kind {
        Kind::User => users::create(db, scope, call, body),
        Kind::Group => groups::create(db, scope, call, body),
        Kind::Membership => {
            learner_groups::require_plan_or_past(db, scope)?;
            memberships::create(db, scope, call, body)
        }
        Kind::Other(_) => custom::create(db, scope, call, kind, body),
    }
}

/// Reads one resource. Errors: not found.
pub fn get(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    kind: Kind,
    id: &str,
) -> Result<Resource, ServiceError> {
    with_plan(db, scope, kind, |db| match kind {
        Kind::User => users::get(db, scope, call, id_of::<UserId>(kind, id)?),
        Kind::Group => groups::get(db, scope, call, id_of::<GroupId>(kind, id)?),
        Kind::Membership => memberships::get(db, scope, call, id_of(kind, id)?),
        Kind::Other(_) => custom::get(db, scope, call, (kind, id_of(kind, id)?)),
    })
}

/// Replaces a resource (PUT). Errors: not found, stale, the engine's, 409 `uniqueness`.
pub fn replace(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    (kind, id): (Kind, &str),
    body: &Value,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    with_plan(db, scope, kind, |db| match kind {
        Kind::User => users::replace(db, scope, call, id_of(kind, id)?, body, expected),
        Kind::Group => groups::replace(db, scope, call, id_of(kind, id)?, body, expected),
        Kind::Membership => Err(memberships::unchangeable()),
        Kind::Other(_) => {
            custom::replace(db, scope, call, (kind, id_of(kind, id)?), body, expected)
        }
    })
}

/// Modifies a resource (PATCH): all operations or none. Errors as `replace`, and `noTarget`, `mutability`.
pub fn patch(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    (kind, id): (Kind, &str),
    patch: &CompiledPatch,
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    with_plan(db, scope, kind, |db| match kind {
        Kind::User => users::patch(db, scope, call, id_of(kind, id)?, patch, expected),
        Kind::Group => groups::patch(db, scope, call, id_of(kind, id)?, patch, expected),
        Kind::Membership => Err(memberships::unchangeable()),
        Kind::Other(_) => custom::patch(db, scope, call, (kind, id_of(kind, id)?), patch, expected),
    })
}

/// Deletes a resource. Errors: not found, stale.
pub fn delete(
    db: &mut Db,
    scope: &Scope,
    call: Call<'_>,
    (kind, id): (Kind, &str),
    expected: &IfMatch,
) -> Result<Written, ServiceError> {
    with_plan(db, scope, kind, |db| match kind {
        Kind::User => users::delete(db, scope, id_of(kind, id)?, expected),
        Kind::Group => groups::delete(db, scope, id_of(kind, id)?, expected),
        Kind::Membership => memberships::delete(db, scope, call, id_of(kind, id)?, expected),
        Kind::Other(_) => custom::delete(db, scope, (kind, id_of(kind, id)?), expected),
    })
}
