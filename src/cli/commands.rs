//! What each command does: opens the database, runs one use case, prints the result.

use std::io::{BufRead as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use super::{Admin, Ended, Idp, Key, Kind, Plan, Role, Tenant, Token};
use crate::app;
use crate::auth::password;
use crate::auth::permission::{Permission, Permissions, TokenKind};
use crate::clock::{Clock, Instant};
use crate::config::Config;
use crate::ids::TenantId;
use crate::learning::plan::SubscriptionPlan;
use crate::scim::quirks::Client;
use crate::service::tenants::FirstStart;
use crate::service::tokens::NewToken;
use crate::service::tokens::signing_keys;
use crate::service::{Scope, ServiceError, admins, check as checks, connections, tenants, tokens};
use crate::store::{Db, Store, backup as copies};

impl From<Plan> for SubscriptionPlan {
    fn from(plan: Plan) -> Self {
        match plan {
            Plan::Starter => Self::Starter,
            Plan::Professional => Self::Professional,
            Plan::Business => Self::Business,
        }
    }
}

impl From<Kind> for TokenKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Scim => Self::Scim,
            Kind::Api => Self::Api,
        }
    }
}

impl From<Idp> for Client {
    fn from(idp: Idp) -> Self {
        match idp {
            Idp::Okta => Self::Okta,
            Idp::Entra => Self::Entra,
            Idp::Generic => Self::Generic,
        }
    }
}

impl From<Role> for admins::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Manager => Self::Manager,
            Role::Auditor => Self::Auditor,
            Role::It => Self::It,
        }
    }
}

/// A value a person gave wrongly is a mistake of usage, whichever layer noticed.
pub(super) fn ended(error: ServiceError) -> Ended {
    match error {
        ServiceError::Invalid { detail, .. } => Ended::Usage(detail),
        other => Ended::Failed(other.into()),
    }
}

/// Prints lines to standard output; a reader that went away is no failure.
pub(super) fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a heading, and a line for each of the things that a tenant, or every tenant, has.
pub(super) fn print_all<T>(
    config: &Config,
    tenant: Option<&str>,
    heading: &str,
    list: impl Fn(&mut Db, TenantId) -> Result<Vec<T>, ServiceError>,
    line: impl Fn(&str, &T) -> String,
) -> Result<(), Ended> {
    let lines = existing(config)?.read_blocking(|db| {
        let tenants = match tenant {
            Some(name) => vec![tenants::find(db, name)?],
            None => tenants::list(db)?,
        };
        let mut lines = Vec::new();
        for tenant in tenants {
            lines.extend(
                list(db, tenant.id)?
                    .iter()
                    .map(|one| line(&tenant.name, one)),
            );
        }
        Ok::<_, ServiceError>(lines)
    })?;
    print(heading);
    lines.iter().for_each(|line| print(line));
    Ok(())
}

pub(super) fn now() -> Instant {
    Clock::system().now()
}

/// Opens a database for a command that only reads: a mistyped name is no reason to make an empty one.
pub(super) fn existing(config: &Config) -> Result<Store, Ended> {
    if let Some(file) =
        copies::sqlite_file(&config.database).filter(|file| !Path::new(file).exists())
    {
        return Err(Ended::Failed(anyhow::anyhow!(
            "there is no database {file}; `rollcall migrate` makes one"
        )));
    }
    Ok(app::open(config)?)
}

/// `rollcall serve`.
pub fn serve(config: &Config) -> Result<(), Ended> {
    let registry = app::registry(config)?;
    let store = app::open(config)?;
    // At once, not when the address is bound: whatever happens then, nobody could ever see them again.
    if let Some((first, password)) = first_start(&store)? {
        print(&welcome(&first, &password));
    }
    app::serve(config, Clock::system(), (registry, store), |url| {
        print(&format!("listening on {url}"))
    })?;
    Ok(())
}

/// Makes tenant, owner and tokens on a database that nobody has used; the password is hashed outside the transaction.
fn first_start(store: &Store) -> Result<Option<(FirstStart, String)>, Ended> {
    if !store.read_blocking(tenants::is_empty)? {
        return Ok(None);
    }
    let password = password::random()?;
    let hash = password::hash(&password)?;
    let now = now();
    let first = store.write_blocking("first start", move |db| {
        tenants::first_start(db, &hash, now)
    })?;
    Ok(first.map(|first| (first, password)))
}

fn welcome(first: &FirstStart, password: &str) -> String {
    format!(
        "First start: tenant `{}` on the {} plan. These credentials are shown this once:\n\
         \n\
         owner       {}\n\
         password    {password}\n\
         SCIM token  {}\n\
         API token   {}\n",
        first.tenant.name,
        first.tenant.plan.as_str(),
        first.email,
        first.scim_token,
        first.api_token,
    )
}

/// `rollcall tenant …`.
pub fn tenant(config: &Config, command: Tenant) -> Result<(), Ended> {
    let store = if matches!(command, Tenant::List) {
        existing(config)?
    } else {
        app::open(config)?
    };
    let now = now();
    match command {
        Tenant::Create {
            name,
            plan,
            time_zone,
        } => {
            let create = move |db: &mut _| tenants::create(db, &name, plan.into(), &time_zone, now);
            let made = store
                .write_blocking("create tenant", create)
                .map_err(ended)?;
            print(&format!(
                "{}\t{}\t{}\t{}",
                made.id,
                made.name,
                made.plan.as_str(),
                made.time_zone
            ));
        }
        Tenant::List => {
            for tenant in store.read_blocking(tenants::list)? {
                print(&format!(
                    "{}\t{}\t{}\t{}",
                    tenant.id,
                    tenant.name,
                    tenant.plan.as_str(),
                    tenant.time_zone
                ));
            }
        }
        Tenant::SetPlan { name, plan } => {
            let plan = SubscriptionPlan::from(plan);
            let change = move |db: &mut _| {
                let tenant = tenants::find(db, &name)?;
                let effects = tenants::set_plan(db, &Scope::system(tenant.id, "cli", now), plan)?;
                Ok::<_, ServiceError>((tenant.name, effects))
            };
            let (name, effects) = store.write_blocking("set plan", change)?;
            if effects.deferred {
                super::jobs::finish_jobs(&store, &super::jobs::tools()?)?;
            }
            print(&format!(
                "{name} is on the {} plan; {} enrollments made",
                plan.as_str(),
                effects.enrollments
            ));
        }
    }
    Ok(())
}

/// `rollcall token …`.
pub fn token(config: &Config, command: Token) -> Result<(), Ended> {
    match command {
        Token::Create {
            tenant,
            kind,
            scopes,
            expires,
            connection,
            idp,
            user,
            label,
        } => {
            let kind = TokenKind::from(kind);
            let permissions = match scopes {
                Some(scopes) => {
                    Permissions::parse(&scopes).map_err(|error| Ended::Usage(error.to_string()))?
                }
                None if user.is_some() => Permissions::none().with(Permission::ScimMe),
                None => kind.default_permissions(),
            };
            if kind == TokenKind::Api && (connection.is_some() || user.is_some()) {
                return Err(Ended::Usage(
                    "--connection and --user belong to tokens of kind scim".to_owned(),
                ));
            }
            let lifetime = i64::try_from(expires.as_millis()).unwrap_or(i64::MAX);
            let (store, now) = (app::open(config)?, now());
            let create = move |db: &mut _| {
                let tenant = tenants::find(db, &tenant)?.id;
                let connection = match (kind, &connection) {
                    (TokenKind::Api, _) => None,
                    (TokenKind::Scim, name) => {
                        let name = name.as_deref().unwrap_or(connections::UNNAMED);
                        let client =
                            idp.map_or_else(|| connections::client_of_name(name), Client::from);
                        Some(connections::find_or_create(db, tenant, name, client, now)?)
                    }
                };
                let default_label = connection
                    .as_ref()
                    .map_or(kind.as_str(), |connection| connection.name.as_str());
                let new = NewToken {
                    label: label.as_deref().unwrap_or(default_label).to_owned(),
                    permissions,
                    lifetime,
                    connection: connection.as_ref().map(|connection| connection.id),
                    ..NewToken::of(tenant, kind)
                };
                match &user {
                    None => tokens::create(db, &new, now),
                    Some(user) => {
                        let user = tokens::person(db, tenant, user)?;
                        tokens::create_for(db, &new, user, now)
                    }
                }
            };
            let minted = store
                .write_blocking("create token", create)
                .map_err(ended)?;
            print(&minted.token);
        }
        Token::List { tenant } => {
            let heading = "TENANT\tKIND\tLABEL\tJTI\tEXPIRES\tLAST USED\tSTATE\tSCOPES";
            print_all(config, tenant.as_deref(), heading, tokens::list, token_line)?;
        }
        Token::Revoke { jti } => {
            let (store, now) = (app::open(config)?, now());
            store.write_blocking("revoke token", move |db| {
                tokens::revoke_anywhere(db, &jti, now)
            })?;
            print("revoked");
        }
    }
    Ok(())
}

fn token_line(tenant: &str, token: &tokens::Token) -> String {
    let state = if token.revoked_at.is_some() {
        "revoked"
    } else if token.expires_at <= now() {
        "expired"
    } else {
        "live"
    };
    let used = token
        .last_used_at
        .map_or_else(|| "never".to_owned(), |at| at.to_string());
    let (kind, label, jti) = (&token.kind, &token.label, &token.jti);
    format!(
        "{tenant}\t{kind}\t{label}\t{jti}\t{}\t{used}\t{state}\t{}",
        token.expires_at, token.scopes
    )
}

/// `rollcall admin create`.
pub fn admin(config: &Config, command: Admin) -> Result<(), Ended> {
    let Admin::Create {
        tenant,
        email,
        role,
        password_stdin,
    } = command;
    let password = if password_stdin {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("the password cannot be read")?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        password::random()?
    };
    let hash = password::hash(&password).map_err(|error| match error {
        password::PasswordError::Length(_) => Ended::Usage(error.to_string()),
        password::PasswordError::Unavailable(_) => Ended::Failed(error.into()),
    })?;
    let (store, now) = (app::open(config)?, now());
    let address = email.clone();
    let create = move |db: &mut _| {
        let tenant = tenants::find(db, &tenant)?.id;
        admins::create(db, tenant, &address, &hash, role.into(), now)
    };
    store
        .write_blocking("create admin", create)
        .map_err(ended)?;
    print(&if password_stdin {
        email
    } else {
        format!("{email}\t{password}")
    });
    Ok(())
}

/// `rollcall key …`.
pub fn key(config: &Config, command: Key) -> Result<(), Ended> {
    let store = existing(config)?;
    match command {
        Key::List => {
            print("KID\tCREATED\tSTATE\tSECRET");
            for key in store.read_blocking(signing_keys::listed)? {
                let secret = match &key.broken {
                    Some(why) => why.as_str(),
                    None if key.unsealed => "not sealed",
                    None => "sealed",
                };
                print(&format!(
                    "{}\t{}\t{}\t{secret}",
                    key.kid, key.created_at, key.state
                ));
            }
        }
        Key::Rotate => {
            let now = now();
            let done = store.write_blocking("rotate the signing key", move |db| {
                signing_keys::rotate(db, now)
            })?;
            print(&format!(
                "{} signs from now on; {} retired, {} removed",
                done.kid, done.retired, done.removed
            ));
        }
        Key::Rekey => {
            let vault = store.vault();
            if !vault.seals() {
                return Err(Ended::Usage(
                    "there is no sealing key; name one in ROLLCALL_SEALING_KEY or in the file of --sealing-key-file"
                        .to_owned(),
                ));
            }
            // Both keys open until nothing is sealed under the old one, so that a crash in between loses nothing.
            if vault.has_file() {
                vault.add_key()?;
            }
            let sealed = store.write_blocking("seal again", signing_keys::seal_all)?;
            let lost = store
                .read_blocking(signing_keys::listed)?
                .iter()
                .filter(|key| key.broken.is_some())
                .count();
            if vault.has_file() && lost == 0 {
                vault.drop_old_keys()?;
            }
            print(&format!(
                "{sealed} secrets are sealed under the key {}",
                vault.ids().first().map_or("", String::as_str)
            ));
        }
    }
    Ok(())
}

/// `rollcall migrate`.
pub fn migrate(config: &Config) -> Result<(), Ended> {
    app::open(config)?;
    print("the database is up to date");
    Ok(())
}

/// `rollcall check`.
pub fn check(config: &Config) -> Result<(), Ended> {
    let store = existing(config)?;
    let (tenants, findings) = store.read_blocking(|db| {
        Ok::<_, ServiceError>((tenants::list(db)?.len(), checks::all(db, now())?))
    })?;
    for finding in &findings {
        print(&finding.to_string());
    }
    if !findings.is_empty() {
        return Err(Ended::Failed(anyhow::anyhow!(
            "{} invariants are broken",
            findings.len()
        )));
    }
    print(&format!("{tenants} tenants checked, nothing found"));
    Ok(())
}

/// The file of a SQLite database, for commands that copy one.
fn sqlite_file(config: &Config) -> Result<&str, Ended> {
    copies::sqlite_file(&config.database).ok_or_else(|| {
        Ended::Usage(
            "PostgreSQL has tools of its own for this: pg_dump to back up, pg_restore to restore"
                .to_owned(),
        )
    })
}

/// `rollcall backup FILE`.
pub fn backup(config: &Config, file: &Path) -> Result<(), Ended> {
    copies::backup(sqlite_file(config)?, file)?;
    print(&format!("{} is a verified copy", file.display()));
    Ok(())
}

/// `rollcall restore FILE`.
pub fn restore(config: &Config, file: &Path) -> Result<(), Ended> {
    let database = sqlite_file(config)?;
    let kept = copies::restore(file, database)?;
    print(&format!("{database} is now the copy {}", file.display()));
    if let Some(kept) = kept {
        print(&format!("what was there is kept as {}", kept.display()));
    }
    let store = app::open(config)?;
    let now = now();
    // A copy does not bring its sealing key along (C25); tokens need only the public part.
    let lost = store.read_blocking(signing_keys::listed)?;
    if lost
        .iter()
        .any(|key| key.state == "active" && key.broken.is_some())
    {
        store.write_blocking("replace the signing key", move |db| {
            signing_keys::rotate(db, now)
        })?;
        print(
            "the sealing key of the copy is not here: tokens are signed with a new key from now on, those issued stay valid",
        );
    }
    Ok(())
}
