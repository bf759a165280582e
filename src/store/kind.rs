//! Which kind of resource a row is of: users and groups, which the server knows, and what operators declare.

use std::borrow::Cow;

use crate::scim::schema::{Registry, ResourceType};

/// Which kind of resource. Users and groups have tables of their own; every other type is data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    User,
    Group,
    /// That one user is in one group: a live row of `memberships`, where the server offers it.
    Membership,
    /// A type that an operator's schemas declare, by its name: rows of `resources`.
    Other(&'static str),
}

impl Kind {
    /// The kind of a type.
    #[must_use]
    pub fn of(resource_type: &ResourceType) -> Self {
        match resource_type.name {
            "User" => Self::User,
            "Group" => Self::Group,
            "GroupMembership" => Self::Membership,
            other => Self::Other(other),
        }
    }

    /// Every kind there is, in the order of the registry.
    pub fn all(registry: &Registry) -> impl Iterator<Item = Self> {
        registry.resource_types.iter().map(|one| Self::of(one))
    }

    /// The resource type's name, as in `meta.resourceType`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Membership => "GroupMembership",
            Self::Other(name) => name,
        }
    }

    /// Its definition. The loader refuses schema files without users and groups.
    #[must_use]
    pub fn resource_type(self, registry: &Registry) -> Option<&std::sync::Arc<ResourceType>> {
        registry.resource_type(self.name())
    }

    /// The name of the counter of all of them; memberships are counted when somebody asks.
    #[must_use]
    pub fn counter(self) -> Option<Cow<'static, str>> {
        match self {
            Self::User => Some("users".into()),
            Self::Group => Some("groups".into()),
            Self::Membership => None,
            Self::Other(name) => Some(format!("resources {name}").into()),
        }
    }
}
