//! A server for one test: in this process, on a free port, with a database of its own and a clock that stands still.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall::app::{Running, spawn};
use rollcall::auth::permission::{Permissions, TokenKind};
use rollcall::clock::{Clock, Instant};
use rollcall::config::Config;
use rollcall::ids::{ConnectionId, RequestId, TenantId, UserId};
use rollcall::learning::plan::SubscriptionPlan;
use rollcall::scim::quirks;
use rollcall::scim::switches::Switches;
use rollcall::service::tokens::NewToken;
use rollcall::service::{Scope, ServiceError, check, connections, tenants, tokens};
use rollcall::store::Db;
use rollcall::store::queries::{self, connections::ConnectionRow};
use rollcall::store::statement::Stmt;
use rollcall::worker::reconcile;
use serde_json::Value;

use super::client::Client;
use super::database::Database;
use super::plans;

/// Where the clock of a test stands when the test does not care.
const NOON: &str = "2026-03-02T09:00:00Z";

/// The server, one tenant in it and that tenant's tokens.
pub struct TestApp {
    pub clock: Clock,
    pub tenant: TenantId,
    running: Option<Running>,
    config: Config,
    url: String,
    tokens: [String; 2],
    scim: Client,
    api: Client,
    database: Database,
}

impl TestApp {
    /// A tenant on the business plan; its SCIM token belongs to no connection.
    pub fn new() -> Self {
        Self::with(None)
    }

    /// The SCIM token belongs to a connection of kind Okta.
    pub fn with_okta() -> Self {
        Self::with(Some("okta"))
    }

    /// The SCIM token belongs to a connection of kind Entra.
    pub fn with_entra() -> Self {
        Self::with(Some("entra"))
    }

    /// A tenant in this time zone whose story begins at this instant; its SCIM token belongs to a connection of kind Okta.
    pub fn in_zone(zone: &'static str, begins: &str) -> Self {
        Self::started(begins, zone, None, Some("okta"))
    }

    fn with(connection: Option<&str>) -> Self {
        Self::started(NOON, "UTC", None, connection)
    }

    /// The server is configured otherwise.
    pub fn configured(change: impl FnOnce(&mut Config)) -> Self {
        Self::started_with(NOON, "UTC", None, change)
    }

    /// The server knows the schema files of a folder, too.
    pub fn with_folder(folder: &Path) -> Self {
        Self::started(NOON, "UTC", Some(folder.to_owned()), None)
    }

    /// The server knows the schema files of a folder beside its own; its clock starts at `now`.
    pub fn with_schemas(folder: &str, now: &str) -> Self {
        Self::started(now, "UTC", Some(folder.into()), None)
    }

    /// Memberships are resources of their own on this server, too.
    pub fn with_group_memberships() -> Self {
        Self::started_with(NOON, "UTC", None, |config| config.group_memberships = true)
    }

    /// Clients call the server by this address.
    pub fn at_address(url: &str) -> Self {
        Self::started_with(NOON, "UTC", None, |config| {
            config.public_url = Some(url.to_owned());
        })
    }

    fn started(
        now: &str,
        zone: &'static str,
        schemas: Option<PathBuf>,
        connection: Option<&str>,
    ) -> Self {
        Self::started_with(now, zone, connection, |config| config.schemas = schemas)
    }

    fn started_with(
        now: &str,
        zone: &'static str,
        connection: Option<&str>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        plans::listen();
        let database = Database::fresh();
        let clock = Clock::frozen(Instant::parse(now).expect("an instant"));
        let mut config = Config {
            database: database.url.clone(),
            postgres_pool: 8,
            allow_unsafe_database: true,
            ..Config::throw_away()
        };
        change(&mut config);
        let running = spawn(config.clone(), clock.clone()).expect("the server starts");
        let url = running.url.clone();
        let nobody = Client::new(&url, "", None);
        let mut app = Self {
            clock,
            tenant: TenantId(0),
            config,
            tokens: [String::new(), String::new()],
            url,
            scim: nobody.clone(),
            api: nobody,
            running: Some(running),
            database,
        };
        app.tenant = app.new_tenant("acme", zone);
        app.tokens = [
            app.token("scim", None, connection),
            app.token("api", None, None),
        ];
        app.connect();
        app
    }

    fn connect(&mut self) {
        self.scim = self.client("/scim/v2", Some(&self.tokens[0]));
        self.api = self.client("/api/v1", Some(&self.tokens[1]));
    }

    /// Stops the server and starts it on the same database with other schema files, or without.
    pub fn restart(&mut self, schemas: Option<&Path>) {
        self.try_restart(schemas).expect("the server starts");
    }

    /// [`TestApp::restart`] that hands out why the server would not start.
    pub fn try_restart(&mut self, schemas: Option<&Path>) -> Result<(), String> {
        if let Some(running) = self.running.take() {
            running.stop().expect("the server ends well");
        }
        self.config.schemas = schemas.map(Path::to_owned);
        let running =
            spawn(self.config.clone(), self.clock.clone()).map_err(|error| format!("{error:#}"))?;
        self.url.clone_from(&running.url);
        self.running = Some(running);
        self.connect();
        Ok(())
    }

    /// The tenant's SCIM client.
    pub fn scim(&self) -> Client {
        self.scim.clone()
    }

    /// The tenant's REST client.
    pub fn api(&self) -> Client {
        self.api.clone()
    }

    /// The address of the SCIM face, with which every `meta.location` begins.
    pub fn scim_base(&self) -> String {
        format!("{}/scim/v2", self.url)
    }

    /// Any client of this server.
    pub fn client(&self, base: &str, token: Option<&str>) -> Client {
        Client::new(&self.url, base, token)
    }

    /// A token of the tenant: kind `scim` or `api`, all scopes unless some are named, of a connection if one is named.
    pub fn token(&self, kind: &str, scopes: Option<&str>, connection: Option<&str>) -> String {
        self.token_of(self.tenant, kind, scopes, connection)
    }

    /// A token for a person: it opens `/Me` and nothing else.
    pub fn token_for(&self, user: &str) -> String {
        let (tenant, now) = (self.tenant, self.clock.now());
        let user: UserId = user.parse().expect("an id");
        self.write(move |db| {
            let mut new = NewToken::of(tenant, TokenKind::Scim);
            new.permissions = Permissions::parse("scim:me").expect("a scope");
            Ok(tokens::create_for(db, &new, user, now)?.token)
        })
    }

    /// A SCIM client of a connection with these tolerances.
    pub fn scim_with(&self, name: &str, switches: Switches) -> Client {
        let (tenant, now, named) = (self.tenant, self.clock.now(), name.to_owned());
        self.write(move |db| {
            let row = ConnectionRow {
                id: ConnectionId::new(),
                name: named.clone(),
                idp: "generic".to_owned(),
                mode: "live".to_owned(),
                approve: "inherit".to_owned(),
                lock_groups: false,
                switches: serde_json::to_string(&switches).expect("switches are JSON"),
                effect_brake: None,
                live_since: now.0,
                attributes: "{}".to_owned(),
                created_at: now.0,
            };
            Ok(queries::connections::insert(db, tenant, &row, &named)?)
        });
        self.client("/scim/v2", Some(&self.token("scim", None, Some(name))))
    }

    /// Makes `count` users at once, in the store: `crowd1@acme.test` …, each with a title.
    pub fn crowd(&self, count: i64) {
        let (tenant, now) = (self.tenant, self.clock.now());
        self.write(move |db| {
            let new_id = db.dialect().new_id;
            let learners = Stmt::new(format!(
                "INSERT INTO learners (tenant_id, id, registration, approval, active, suspended, display_name, email, registered_via, \
                 version, created_at, modified_at) \
                 WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
                 SELECT ?, {new_id}, 'registered', 'approved', TRUE, FALSE, 'Crowd', 'crowd' || CAST(i AS TEXT) || '@acme.test', 'scim', \
                 1, CAST(? AS BIGINT), CAST(? AS BIGINT) FROM n"
            ))
            .once(true);
            let (at, connection) = (now.0, None::<ConnectionId>);
            db.execute(learners.bind(count).bind(tenant).bind(at).bind(at))?;
            let users = Stmt::new(format!(
                "INSERT INTO users (tenant_id, id, learner_id, connection_id, user_name, user_name_key, active, version, created_at, \
                 modified_at, doc) \
                 SELECT l.tenant_id, {new_id}, l.id, ?, l.email, l.email, TRUE, 1, l.created_at, l.created_at, \
                 '{{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"' || l.email || \
                 '\",\"title\":\"Engineer\",\"active\":true}}' \
                 FROM learners l WHERE l.tenant_id = ? AND l.display_name = 'Crowd'"
            ))
            .once(true);
            db.execute(users.bind(connection).bind(tenant))?;
            queries::counters::add(db, tenant, "users", RequestId::new().0, count)?;
            Ok(())
        });
    }

    /// SCIM and REST clients of another tenant of the same server.
    pub fn other_tenant(&self) -> (Client, Client) {
        let tenant = self.new_tenant("other", "UTC");
        let client = |base, kind| self.client(base, Some(&self.token_of(tenant, kind, None, None)));
        (client("/scim/v2", "scim"), client("/api/v1", "api"))
    }

    /// All that the database of this server holds, as text.
    pub fn everything_at_rest(&self) -> String {
        self.database.everything()
    }

    /// Ends the server's connections to the database, where it has some that can be ended.
    pub fn drop_connections(&self) {
        self.database.drop_connections();
    }

    /// Every row of a tenant in every table, but when its tokens were last used.
    pub fn rows_of(&self, tenant: TenantId) -> Vec<String> {
        self.database.rows_of(tenant.0)
    }

    /// Runs a statement on the database, past the server.
    pub fn execute(&self, sql: &str) {
        self.database.execute(sql);
    }

    /// Takes a token back, and lets the time pass after which every node must know.
    pub fn revoke(&self, token: &str) {
        let (tenant, id, now) = (self.tenant, jti(token), self.clock.now());
        self.write(move |db| tokens::revoke(db, tenant, &id, now));
        self.clock.advance_millis(tokens::RECHECK + 1);
    }

    /// A tenant whose plan does not include groups.
    pub fn on_starter() -> Self {
        let app = Self::new();
        let (tenant, now) = (app.tenant, app.clock.now());
        app.write(move |db| {
            let scope = rollcall::service::Scope::system(tenant, "test", now);
            tenants::set_plan(db, &scope, SubscriptionPlan::Starter).map(drop)
        });
        app
    }

    fn new_tenant(&self, name: &'static str, zone: &'static str) -> TenantId {
        let now = self.clock.now();
        self.write(move |db| {
            Ok(tenants::create(db, name, SubscriptionPlan::Business, zone, now)?.id)
        })
    }

    /// Moves the clock to an instant.
    pub fn at(&self, instant: &str) {
        let to = Instant::parse(instant).expect("an instant");
        self.clock.advance_millis(to.0 - self.clock.now().0);
    }

    /// One round of the hourly job.
    pub fn reconcile(&self) {
        let running = self.running.as_ref().expect("the server runs");
        let (store, clock) = (running.state.store.clone(), self.clock.clone());
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(reconcile::once(&store, &clock))
            .expect("the reconciler finishes its round");
    }

    /// Changes the tenant's plan, as the command line does.
    pub fn set_plan(&self, plan: SubscriptionPlan) {
        let scope = self.system();
        self.write(move |db| tenants::set_plan(db, &scope, plan).map(drop));
    }

    /// People who come through a connection wait for an approval.
    pub fn approve_by_hand(&self, connection: &'static str) {
        let tenant = self.tenant;
        self.write(move |db| {
            let sql =
                "UPDATE connections SET approve = 'manual' WHERE tenant_id = ? AND name_key = ?";
            Ok(db.execute(Stmt::new(sql).bind(tenant).bind(connection))?)
        });
    }

    /// The scope of the server's own work in the tenant, now.
    pub fn system(&self) -> Scope {
        Scope::system(self.tenant, "test", self.clock.now())
    }

    /// Every invariant holds.
    #[track_caller]
    pub fn check(&self) {
        let now = self.clock.now();
        let findings = self.write(move |db| check::all(db, now));
        assert!(findings.is_empty(), "{findings:?}");
    }

    fn token_of(
        &self,
        tenant: TenantId,
        kind: &str,
        scopes: Option<&str>,
        connection: Option<&str>,
    ) -> String {
        let now = self.clock.now();
        let mut new = NewToken::of(tenant, TokenKind::parse(kind).expect("a kind"));
        if let Some(scopes) = scopes {
            new.permissions = Permissions::parse(scopes).expect("scopes");
        }
        let connection = connection.map(str::to_owned);
        self.write(move |db| {
            let mut new = new.clone();
            if let Some(name) = &connection {
                let client = quirks::Client::parse(name).unwrap_or_default();
                new.connection =
                    Some(connections::find_or_create(db, tenant, name, client, now)?.id);
            }
            Ok(tokens::create(db, &new, now)?.token)
        })
    }

    /// A token that lives so many milliseconds.
    pub fn short_token(&self, kind: &str, lifetime: i64) -> String {
        let (tenant, now) = (self.tenant, self.clock.now());
        let mut new = NewToken::of(tenant, TokenKind::parse(kind).expect("a kind"));
        new.lifetime = lifetime;
        self.write(move |db| Ok(tokens::create(db, &new, now)?.token))
    }

    /// Waits until something that happens behind an answer has happened.
    #[track_caller]
    pub fn settle(&self, done: impl Fn() -> bool) {
        let started = std::time::Instant::now();
        while !done() {
            assert!(started.elapsed().as_secs() < 60, "it never happens");
            std::thread::yield_now();
        }
    }

    /// Work of the test's own on the database.
    pub fn write<T: Send + 'static>(
        &self,
        job: impl FnMut(&mut Db) -> Result<T, ServiceError> + Send + 'static,
    ) -> T {
        let running = self.running.as_ref().expect("the server runs");
        running
            .state
            .store
            .write_blocking("test", job)
            .expect("the test's own write")
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let stopped = running.stop();
            assert!(
                stopped.is_ok() || std::thread::panicking(),
                "the server ends well: {stopped:?}"
            );
            plans::check(&self.database.url);
        }
    }
}

/// The `jti` of a token.
pub fn jti(token: &str) -> String {
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    claims["jti"].as_str().expect("a jti").to_owned()
}
