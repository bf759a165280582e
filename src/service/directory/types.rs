//! The words of the directory: kinds, resources, what a write did; and the checks every write makes.

use serde_json::Value;

use crate::clock::Instant;
use crate::scim::message::Note;
use crate::scim::schema::{Registry, ResourceType};
use crate::scim::version::{IfMatch, Version};

use super::super::ServiceError;
use super::super::enroll::Effects;

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
pub(super) fn check_version(expected: &IfMatch, current: i64) -> Result<(), ServiceError> {
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
