//! Identifiers: UUID v7 newtypes, one per kind of thing, and the small tenant number.
//!
//! Not here: how they are stored (`store::fields`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a new id: a UUID v7, so ids sort by creation.
            #[allow(clippy::new_without_default, reason = "a fresh id is not a default value")]
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            /// Accepts the hyphenated lower-case form only, so one resource has one address.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let id = Uuid::try_parse(text)?;
                let mut canonical = Uuid::encode_buffer();
                if id.as_hyphenated().encode_lower(&mut canonical) == text { Ok(Self(id)) } else { Uuid::try_parse("").map(Self) }
            }
        }
    )*};
}

ids! {
    /// A person who learns; outlives every account.
    LearnerId,
    /// A SCIM user account.
    UserId,
    /// A learner group.
    GroupId,
    /// One period of membership of a learner in a group.
    MembershipId,
    /// A course.
    CourseId,
    /// A group × course assignment.
    AssignmentId,
    /// The one enrollment of a learner in a course.
    EnrollmentId,
    /// Why somebody is enrolled.
    ReasonId,
    /// A configured provisioning client of a tenant.
    ConnectionId,
    /// A secret with which a connection fetches tokens.
    ClientSecretId,
    /// One inbound request; the key of its sync-log row.
    RequestId,
    /// An event of the audit trail.
    EventId,
    /// A console login.
    AdminId,
    /// A completion of a course by a learner.
    CompletionId,
    /// An extension or a waiver.
    ExceptionId,
    /// Two learners who are one person.
    LinkId,
    /// Two learners who may be one person.
    SuggestionId,
    /// Work that outlives its request, imports among it.
    JobId,
    /// A resource of a type that an operator declared.
    ResourceId,
}

/// The number of a tenant; leads every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(pub i64);

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
