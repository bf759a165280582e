//! Who acts, where, with which rights, when: the first parameter of every use case. Cheap to clone: every request does.

use std::sync::Arc;

use crate::auth::permission::Permissions;
use crate::clock::Instant;
use crate::ids::{ConnectionId, RequestId, TenantId};
use crate::scim::quirks::Client;
use crate::scim::rights::AttributeRights;
use crate::scim::switches::Switches;
use crate::store::queries::events::By;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A provisioning client, by its token.
    Scim { jti: Arc<str>, label: Arc<str> },
    /// A REST client, by its token.
    Api { jti: Arc<str>, label: Arc<str> },
    /// The server itself: workers and the command line.
    System(&'static str),
}

/// As it stands in rows and events: `scim:Okta`, `api:HR script`, `system:reconciler`.
impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scim { label, .. } => write!(f, "scim:{label}"),
            Self::Api { label, .. } => write!(f, "api:{label}"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}

/// A configured provisioning client, as far as a request needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub name: String,
    pub client: Client,
    /// `false` while the connection observes: nothing is owed for what it writes.
    pub live: bool,
    /// `true`: its requests are refused for the time being.
    pub paused: bool,
    /// Whether what its requests cause is counted (§7.16).
    pub brakes: bool,
    /// Whether an account it creates counts as approved.
    pub approves: Option<bool>,
    pub switches: Switches,
    pub rights: AttributeRights,
}

/// Tenant, actor, rights and time of one request.
#[derive(Clone, Debug)]
pub struct Scope {
    pub tenant: TenantId,
    pub actor: Actor,
    pub permissions: Permissions,
    pub request: RequestId,
    pub now: Instant,
    /// The provisioning client's connection; `None` outside SCIM and for tokens without one.
    pub connection: Option<Arc<Connection>>,
}

/// Who writes, as rows hold it.
#[must_use]
pub fn by(scope: &Scope) -> By {
    By {
        actor: scope.actor.to_string(),
        request: scope.request,
        at: scope.now,
    }
}

impl Scope {
    /// A scope for the server's own work in a tenant.
    #[must_use]
    pub fn system(tenant: TenantId, name: &'static str, now: Instant) -> Self {
        Self {
            tenant,
            actor: Actor::System(name),
            permissions: Permissions::all(),
            request: RequestId::new(),
            now,
            connection: None,
        }
    }

    /// What the client may do with which attributes, where anything is restricted (AU-06).
    #[must_use]
    pub fn rights(&self) -> Option<&AttributeRights> {
        let rights = self
            .connection
            .as_ref()
            .map(|connection| &connection.rights);
        rights.filter(|rights| !rights.is_open())
    }

    /// The tolerance switches in force: the connection's, else the product's default.
    #[must_use]
    pub fn switches(&self) -> Switches {
        self.connection
            .as_ref()
            .map_or_else(Switches::default, |connection| connection.switches.clone())
    }
}
