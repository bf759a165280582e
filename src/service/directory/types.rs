//! The words of the directory: kinds, resources, what a write did; and the checks every write makes.

use serde_json::Value;

use crate::clock::Instant;
use crate::scim::message::Note;
use crate::scim::schema::{Registry, ResourceType};
use crate::scim::version::{IfMatch, Version};

use super::super::enroll::Effects;
use super::super::error::Refusal;
use super::super::scope::Connection;
use super::super::{Scope, ServiceError};

pub use crate::store::placement::Kind;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    pub members: bool,
    pub groups: bool,
    /// The learner extension, which is returned on request only.
    pub learner: bool,
    /// Names of members and managers, which are returned on request only: a client that compares what it wrote with
    /// what it reads takes a name it did not write for a difference.
    pub names: bool,
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
    /// Paths of the attributes the request named, in the schema's spelling (M-28).
    pub named: Vec<String>,
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
pub(super) fn id_of<T: std::str::FromStr>(kind: Kind, text: &str) -> Result<T, ServiceError> {
    text.parse()
        .map_err(|_| ServiceError::not_found(kind.name(), text))
}

/// The precondition of a write (ET-06); checked under the row's lock, so check and write are one step (ET-10).
///
/// A connection may want one on every write (ET-12).
pub(super) fn check_version(
    scope: &Scope,
    expected: &IfMatch,
    current: i64,
) -> Result<(), ServiceError> {
    let demanded = |connection: &Connection| connection.switches.require_if_match;
    if expected.is_absent() && scope.connection.as_deref().is_some_and(demanded) {
        return Err(ServiceError::Refused(Refusal::PreconditionRequired));
    }
    if expected.allows(Version(current)) {
        Ok(())
    } else {
        Err(ServiceError::Stale { current })
    }
}

/// The instant of a change: never at or before the last one (C23).
pub(super) fn next_modified(now: Instant, last: Instant) -> Instant {
    Instant(now.0.max(last.0.saturating_add(1)))
}

/// The definition of a kind.
pub(super) fn definition(call: Call<'_>, kind: Kind) -> Result<&ResourceType, ServiceError> {
    kind.resource_type(call.registry)
        .map(AsRef::as_ref)
        .ok_or_else(|| ServiceError::Bug(anyhow::anyhow!("the registry has no {}", kind.name())))
}
