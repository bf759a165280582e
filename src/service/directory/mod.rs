//! SCIM resources as use cases: create, get, replace, patch, delete, search. RFC 7644 §3.3–3.6.
//!
//! Each write walks the same steps inside its one transaction: lock the row, check the version, let the engine compute the new
//! document, bind it to columns, write memberships, call `enroll` once. The caller records the sync log in the same transaction.
//! Not here: HTTP, projection, the answer's bytes beyond [`document`].

pub mod bindings;
mod derived;
pub mod document;
mod groups;
mod search;
mod users;

use serde_json::Value;

use crate::clock::Instant;
use crate::ids::{GroupId, UserId};
use crate::scim::message::Note;
use crate::scim::patch::CompiledPatch;
use crate::scim::schema::{Registry, ResourceType};
use crate::scim::version::{IfMatch, Version};
use crate::store::Db;

use super::enroll::Effects;
use super::{Scope, ServiceError};

pub use search::{Found, search};

/// Which kind of resource; Users and Groups are data to the HTTP layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    User,
    Group,
}

impl Kind {
    /// The resource type's name, as in `meta.resourceType`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Its definition. The loader refuses schema files without both types.
    #[must_use]
    pub fn resource_type(self, registry: &Registry) -> Option<&std::sync::Arc<ResourceType>> {
        registry.resource_type(self.name())
    }
}

/// One resource, whole: every attribute it has, in one JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub kind: Kind,
    pub id: String,
    pub version: Version,
    pub modified: Instant,
    /// `userName` or `displayName`: what an admin calls it.
    pub label: String,
    pub external_id: Option<String>,
    /// The document as bytes of the response, `meta` included, `members` where they were asked for.
    pub body: String,
}

/// Which parts of a resource cost extra to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    pub members: bool,
    pub groups: bool,
    /// The learner extension, which is returned on request only.
    pub learner: bool,
}

/// What a write did.
#[derive(Clone, Debug)]
pub struct Written {
    /// The resource afterwards; `None` when it is gone or the caller did not ask for it.
    pub resource: Option<Resource>,
    pub id: String,
    pub version: Version,
    pub label: String,
    pub external_id: Option<String>,
    /// Whether anything but the log changed.
    pub changed: bool,
    pub members_added: i64,
    pub members_ended: i64,
    pub effects: Effects,
    pub notes: Vec<Note>,
    /// Before and after of each changed attribute, for the log.
    pub changes: Value,
}

/// What every call needs beside the scope.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub registry: &'a Registry,
    /// `https://host/scim/v2`, for `meta.location` and `$ref`.
    pub base: &'a str,
    pub parts: Parts,
}

/// The id of a path segment; one that has not our form names nothing (H-14).
fn id_of<T: std::str::FromStr>(kind: Kind, text: &str) -> Result<T, ServiceError> {
    text.parse().map_err(|_| ServiceError::not_found(kind.name(), text))
}

/// Creates a resource from a request body. Errors: `invalidValue`, `invalidSyntax`, 409 `uniqueness`, plan.
pub fn create(db: &mut Db, scope: &Scope, call: Call<'_>, kind: Kind, body: &Value) -> Result<Written, ServiceError> {
    match kind {
        Kind::User => users::create(db, scope, call, body),
        Kind::Group => groups::create(db, scope, call, body),
    }
}

/// Reads one resource. Errors: not found.
pub fn get(db: &mut Db, scope: &Scope, call: Call<'_>, kind: Kind, id: &str) -> Result<Resource, ServiceError> {
    match kind {
        Kind::User => users::get(db, scope, call, id_of::<UserId>(kind, id)?),
        Kind::Group => groups::get(db, scope, call, id_of::<GroupId>(kind, id)?),
    }
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
    match kind {
        Kind::User => users::replace(db, scope, call, id_of(kind, id)?, body, expected),
        Kind::Group => groups::replace(db, scope, call, id_of(kind, id)?, body, expected),
    }
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
    match kind {
        Kind::User => users::patch(db, scope, call, id_of(kind, id)?, patch, expected),
        Kind::Group => groups::patch(db, scope, call, id_of(kind, id)?, patch, expected),
    }
}

/// Deletes a resource. Errors: not found, stale.
pub fn delete(db: &mut Db, scope: &Scope, (kind, id): (Kind, &str), expected: &IfMatch) -> Result<Written, ServiceError> {
    match kind {
        Kind::User => users::delete(db, scope, id_of(kind, id)?, expected),
        Kind::Group => groups::delete(db, scope, id_of(kind, id)?, expected),
    }
}

/// The precondition of a write (ET-06); checked under the row's lock, so check and write are one step (ET-10).
fn check_version(expected: &IfMatch, current: i64) -> Result<(), ServiceError> {
    if expected.allows(Version(current)) { Ok(()) } else { Err(ServiceError::Stale { current }) }
}

/// The instant of a change: never at or before the last one (C23).
fn next_modified(now: Instant, last: Instant) -> Instant {
    Instant(now.0.max(last.0.saturating_add(1)))
}
