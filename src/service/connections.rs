//! Connections as use cases: which provisioning client a tenant has, and how it is treated.

use crate::clock::Instant;
use crate::ids::{ConnectionId, TenantId};
use crate::scim::fold::fold;
use crate::scim::quirks::Client;
use crate::scim::switches::Switches;
use crate::store::Db;
use crate::store::queries::connections::{self, ConnectionRow};

use super::ServiceError;
use super::scope::Connection;

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
    Ok(Connection {
        id: row.id,
        client,
        live: row.mode == "live",
        approves: row.approve != "manual",
        switches,
        name: row.name,
    })
}

/// The connection of an id.
pub fn find(db: &mut Db, tenant: TenantId, id: ConnectionId) -> Result<Connection, ServiceError> {
    let row = connections::find(db, tenant, id)?;
    from_row(row.ok_or_else(|| ServiceError::not_found("connection", id))?)
}

/// Makes a connection, live and approving. Its name is unique in the tenant, ignoring case.
pub fn create(
    db: &mut Db,
    tenant: TenantId,
    name: &str,
    client: Client,
    now: Instant,
) -> Result<Connection, ServiceError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(ServiceError::invalid(
            "/name",
            "a connection's name has 1 to 100 printable characters",
        ));
    }
    let switches = serde_json::to_string(&switches(client))
        .map_err(|error| ServiceError::Bug(error.into()))?;
    let row = ConnectionRow {
        id: ConnectionId::new(),
        name: name.to_owned(),
        idp: client.name().to_owned(),
        mode: "live".to_owned(),
        approve: "inherit".to_owned(),
        lock_groups: locks_groups(client),
        switches,
        created_at: now.0,
    };
    if !connections::insert(db, tenant, &row, &fold(name))? {
        return Err(ServiceError::Taken {
            attribute: "connection",
            detail: format!("there is a connection `{name}` already"),
        });
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
