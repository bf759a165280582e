//! Connections as use cases: which provisioning client a tenant has, and how it is treated.

use serde_json::json;

use crate::clock::Instant;
use crate::ids::{ConnectionId, TenantId};
use crate::learning::event::{Entity, Event, EventType};
use crate::scim::fold::fold;
use crate::scim::quirks::Client;
use crate::scim::rights::AttributeRights;
use crate::scim::switches::Switches;
use crate::store::listing::{Found, Paging};
pub use crate::store::queries::connections::ConnectionRow;
use crate::store::queries::{connections, events, groups_learning};
use crate::store::{Db, StoreError};

use super::enroll::{self, Effects, EnrollScope, by};
use super::scope::Connection;
use super::{Scope, ServiceError};

/// What a connection's name says when nobody said more: `Okta production` is Okta.
#[must_use]
pub fn client_of_name(name: &str) -> Client {
    let name = fold(name);
    if name.contains("okta") {
        Client::Okta
    } else if name.contains("entra") || name.contains("azure") {
        Client::Entra
    } else {
        Client::Generic
    }
}

/// Whether the directory owns name and members of the groups it makes, unless somebody says otherwise.
#[must_use]
pub const fn locks_groups(client: Client) -> bool {
    matches!(client, Client::Okta | Client::Entra)
}

/// The tolerances of a new connection.
#[must_use]
pub fn switches(client: Client) -> Switches {
    Switches {
        replace_creates: matches!(client, Client::Entra),
        ..Switches::default()
    }
}

/// The connection as a request needs it.
pub fn from_row(row: ConnectionRow) -> Result<Connection, ServiceError> {
    let broken =
        |what: &str| ServiceError::Bug(anyhow::anyhow!("connection {} has {what}", row.id));
    let client = Client::parse(&row.idp).ok_or_else(|| broken("an unknown identity provider"))?;
    let switches: Switches =
        serde_json::from_str(&row.switches).map_err(|_| broken("switches that are not JSON"))?;
    let rights: AttributeRights = serde_json::from_str(&row.attributes)
        .map_err(|_| broken("attribute rights that are not JSON"))?;
    Ok(Connection {
        id: row.id,
        client,
        live: row.mode == "live",
        paused: row.mode == "paused",
        brakes: row.effect_brake.is_some(),
        approves: match row.approve.as_str() {
            "auto" => Some(true),
            "manual" => Some(false),
            _ => None,
        },
        switches,
        rights,
        name: row.name,
    })
}

/// The connection of an id.
pub fn find(db: &mut Db, tenant: TenantId, id: ConnectionId) -> Result<Connection, ServiceError> {
    let row = connections::find(db, tenant, id)?;
    from_row(row.ok_or_else(|| ServiceError::not_found("connection", id))?)
}

/// How many enrollments the requests of a connection may cause within an hour, unless somebody says otherwise (§7.16).
pub const EFFECT_BRAKE: i64 = 500;

/// The connection of tokens that name none: of no identity provider but of whoever holds the token. It has no brake.
pub const UNNAMED: &str = "default";

/// Makes a connection, live and approving. Its name is unique in the tenant, ignoring case.
pub fn create(
    db: &mut Db,
    tenant: TenantId,
    name: &str,
    client: Client,
    now: Instant,
) -> Result<Connection, ServiceError> {
    let name = checked_name(name)?;
    let switches = serde_json::to_string(&switches(client))
        .map_err(|error| ServiceError::Bug(error.into()))?;
    let row = ConnectionRow {
        id: ConnectionId::new(),
        idp: client.name().to_owned(),
        mode: "live".to_owned(),
        approve: "inherit".to_owned(),
        lock_groups: locks_groups(client),
        switches,
        effect_brake: (fold(&name) != UNNAMED).then_some(EFFECT_BRAKE),
        name,
        live_since: 0,
        attributes: "{}".to_owned(),
        created_at: now.0,
    };
    if !connections::insert(db, tenant, &row, &fold(&row.name))? {
        return Err(taken(&row.name));
    }
    from_row(row)
}

/// The connection of a name, made when there is none.
pub fn find_or_create(
    db: &mut Db,
    tenant: TenantId,
    name: &str,
    client: Client,
    now: Instant,
) -> Result<Connection, ServiceError> {
    match connections::find_by_key(db, tenant, &fold(name.trim()))? {
        Some(row) => from_row(row),
        None => create(db, tenant, name, client, now),
    }
}

/// What changes in a connection; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFields {
    pub name: Option<String>,
    pub mode: Option<String>,
    pub approve: Option<String>,
    pub lock_groups: Option<bool>,
    pub switches: Option<Switches>,
    /// `Some(None)`: no brake.
    pub effect_brake: Option<Option<i64>>,
    pub attributes: Option<AttributeRights>,
}

/// One page of a tenant's connections, oldest first.
pub fn list(
    db: &mut Db,
    scope: &Scope,
    paging: &Paging,
) -> Result<Found<ConnectionRow>, ServiceError> {
    Ok(connections::page(db, scope.tenant, paging)?)
}

/// A connection as people see it.
pub fn row(db: &mut Db, scope: &Scope, id: ConnectionId) -> Result<ConnectionRow, ServiceError> {
    connections::find(db, scope.tenant, id)?
        .ok_or_else(|| ServiceError::not_found("connection", id))
}

/// Makes a connection with the defaults of its identity provider, where the fields do not say otherwise.
pub fn add(
    db: &mut Db,
    scope: &Scope,
    client: Client,
    fields: &ConnectionFields,
) -> Result<ConnectionRow, ServiceError> {
    let name = fields.name.as_deref().unwrap_or_default();
    let id = create(db, scope.tenant, name, client, scope.now)?.id;
    let before = row(db, scope, id)?;
    write(db, scope, &before, fields)?;
    let after = row(db, scope, id)?;
    event(db, scope, id, EventType::ConnectionCreated, shown(&after))?;
    Ok(after)
}

/// Changes a connection. Going live enrolls whoever is owed something because of it.
pub fn edit(
    db: &mut Db,
    scope: &Scope,
    id: ConnectionId,
    fields: &ConnectionFields,
) -> Result<(ConnectionRow, Effects), ServiceError> {
    if fields.mode.as_deref() == Some("live") {
        // Whoever pushes meanwhile waits for us, or we see what they wrote.
        groups_learning::lock_all(db, scope.tenant)?;
    }
    let before = row(db, scope, id)?;
    write(db, scope, &before, fields)?;
    let after = row(db, scope, id)?;
    if shown(&before) != shown(&after) {
        let data = json!({"before": shown(&before), "after": shown(&after)});
        event(db, scope, id, EventType::ConnectionUpdated, data)?;
    }
    let effects = if before.mode != "live" && after.mode == "live" {
        enroll::enroll(db, scope, &EnrollScope::Connection(id))?
    } else {
        Effects::default()
    };
    Ok((after, effects))
}

fn write(
    db: &mut Db,
    scope: &Scope,
    before: &ConnectionRow,
    fields: &ConnectionFields,
) -> Result<(), ServiceError> {
    let mut after = before.clone();
    if let Some(name) = &fields.name {
        after.name = checked_name(name)?;
    }
    if let Some(mode) = &fields.mode {
        after.mode.clone_from(mode);
    }
    if let Some(approve) = &fields.approve {
        after.approve.clone_from(approve);
    }
    if let Some(lock) = fields.lock_groups {
        after.lock_groups = lock;
    }
    if let Some(switches) = &fields.switches {
        after.switches =
            serde_json::to_string(switches).map_err(|error| ServiceError::Bug(error.into()))?;
    }
    if let Some(brake) = fields.effect_brake {
        after.effect_brake = brake;
    }
    if before.mode != "live" && after.mode == "live" {
        after.live_since = scope.now.0;
    }
    if let Some(rights) = &fields.attributes {
        after.attributes =
            serde_json::to_string(rights).map_err(|error| ServiceError::Bug(error.into()))?;
    }
    connections::update(db, scope.tenant, &after, &fold(&after.name)).map_err(|error| match error {
        StoreError::Conflict => taken(&after.name),
        other => other.into(),
    })
}

fn shown(row: &ConnectionRow) -> serde_json::Value {
    let switches: serde_json::Value = serde_json::from_str(&row.switches).unwrap_or_default();
    let attributes: serde_json::Value = serde_json::from_str(&row.attributes).unwrap_or_default();
    json!({"name": row.name, "idp": row.idp, "mode": row.mode, "approve": row.approve,
        "lock_groups": row.lock_groups, "switches": switches, "attributes": attributes,
        "effect_brake": row.effect_brake})
}

fn event(
    db: &mut Db,
    scope: &Scope,
    id: ConnectionId,
    event_type: EventType,
    data: serde_json::Value,
) -> Result<(), ServiceError> {
    let event = Event {
        entity: Entity::Connection,
        entity_id: id.0,
        event_type,
        data,
    };
    Ok(events::insert(db, scope.tenant, &by(scope), &event)?)
}

fn taken(name: &str) -> ServiceError {
    ServiceError::Taken {
        attribute: "connection",
        detail: format!("there is a connection `{name}` already"),
    }
}

fn checked_name(name: &str) -> Result<String, ServiceError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(ServiceError::invalid(
            "/name",
            "a connection's name has 1 to 100 printable characters",
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entra_creates_on_replace_and_both_directories_lock_their_groups() {
        assert!(switches(Client::Entra).replace_creates && !switches(Client::Okta).replace_creates);
        assert!(
            locks_groups(Client::Entra)
                && locks_groups(Client::Okta)
                && !locks_groups(Client::Generic)
        );
    }

    #[test]
    fn a_name_says_who_it_is_when_it_can() {
        assert_eq!(client_of_name("OKTA production"), Client::Okta);
        assert_eq!(client_of_name("Microsoft Entra ID"), Client::Entra);
        assert_eq!(client_of_name("HR"), Client::Generic);
    }
}
