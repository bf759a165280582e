//! `rollcall client …`: the secrets with which connections fetch short-lived tokens.

use crate::app;
use crate::auth::permission::{Permissions, TokenKind};
use crate::config::Config;
use crate::scim::quirks;
use crate::service::clients::{self, ClientSecretRow};
use crate::service::{connections, tenants};

use super::commands::{ended, existing, now, print, print_all};
use super::{Client, Ended};

/// Runs one of the commands.
pub fn client(config: &Config, command: Client) -> Result<(), Ended> {
    match command {
        Client::Create {
            tenant,
            connection,
            scopes,
            expires,
            idp,
        } => {
            let permissions = match scopes {
                Some(scopes) => {
                    Permissions::parse(&scopes).map_err(|error| Ended::Usage(error.to_string()))?
                }
                None => TokenKind::Scim.default_permissions(),
            };
            let lifetime = i64::try_from(expires.as_millis()).unwrap_or(i64::MAX);
            let (store, now) = (app::open(config)?, now());
            let create = move |db: &mut _| {
                let tenant = tenants::find(db, &tenant)?.id;
                let client = idp.map_or_else(
                    || connections::client_of_name(&connection),
                    quirks::Client::from,
                );
                let connection = connections::find_or_create(db, tenant, &connection, client, now)?;
                clients::create(db, tenant, connection.id, permissions, lifetime, now)
            };
            let made = store
                .write_blocking("create client secret", create)
                .map_err(ended)?;
            print(&format!("{}\t{}", made.client_id, made.secret.as_str()));
        }
        Client::List { tenant } => {
            let heading = "TENANT\tCLIENT ID\tSECRET\tEXPIRES\tSTATE\tSCOPES";
            print_all(config, tenant.as_deref(), heading, clients::list, line)?;
        }
        Client::Revoke { tenant, id } => {
            let (store, now) = (existing(config)?, now());
            store.write_blocking("revoke client secret", move |db| {
                let tenant = tenants::find(db, &tenant)?.id;
                clients::revoke(db, tenant, id, now)
            })?;
            print("revoked");
        }
    }
    Ok(())
}

fn line(tenant: &str, row: &ClientSecretRow) -> String {
    let state = if row.revoked_at.is_some() {
        "revoked"
    } else if row.expires_at <= now().0 {
        "expired"
    } else {
        "live"
    };
    let expires = crate::clock::Instant(row.expires_at);
    format!(
        "{tenant}\t{}\t{}\t{expires}\t{state}\t{}",
        row.connection_id, row.id, row.scopes
    )
}
