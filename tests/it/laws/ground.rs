//! What every law stands on: a database behind a store, a tenant for each case, users put into it.

use std::sync::{Arc, LazyLock};

use proptest::test_runner::{Config, TestRunner};
use rollcall::clock::Instant;
use rollcall::ids::TenantId;
use rollcall::learning::plan::SubscriptionPlan;
use rollcall::scim::filter::eval::Subject;
use rollcall::scim::resource::Resource;
use rollcall::scim::schema::{Registry, ResourceType};
use rollcall::service::directory::{self, Call, Kind, Parts};
use rollcall::service::{Scope, ServiceError, tenants};
use rollcall::store::{Store, StoreOptions};
use serde_json::{Map, Value};

use crate::harness::database::Database;

pub static REGISTRY: LazyLock<Arc<Registry>> =
    LazyLock::new(|| Arc::new(Registry::builtin().expect("the schema files are valid")));

/// The moment around which everything happens.
pub const NOW: Instant = Instant(1_767_225_600_000);

/// A call that asks for everything or for the cheap parts only.
pub fn call(whole: bool) -> Call<'static> {
    Call {
        registry: &REGISTRY,
        base: "http://localhost/scim/v2",
        parts: Parts {
            members: whole,
            groups: whole,
            learner: whole,
            names: whole,
        },
    }
}

/// A runner of so many cases that leaves no files behind.
pub fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    })
}

/// A store on a database of its own.
pub struct Ground {
    pub store: Store,
    tenants: std::cell::Cell<u32>,
    // Dropped after the store, which has it open.
    _database: Database,
}

impl Ground {
    /// On the database of the suite.
    pub fn fresh() -> Self {
        Self::on(Database::fresh())
    }

    /// On SQLite, and on the server of the suite when there is one.
    pub fn each() -> Vec<Self> {
        let server = Database::can_be_shared().then(Database::fresh);
        std::iter::once(Database::file())
            .chain(server)
            .map(Self::on)
            .collect()
    }

    fn on(database: Database) -> Self {
        let options = StoreOptions {
            readers: 1,
            postgres_pool: 2,
            allow_unsafe: true,
            ..StoreOptions::default()
        };
        let store = Store::open(&database.url, options).expect("a fresh database opens");
        Self {
            store,
            tenants: std::cell::Cell::new(0),
            _database: database,
        }
    }

    /// A tenant that nobody else uses.
    pub fn tenant(&self) -> TenantId {
        let number = self.tenants.get() + 1;
        self.tenants.set(number);
        let made = self.store.write_blocking("tenant", move |db| {
            tenants::create(
                db,
                &format!("law {number}"),
                SubscriptionPlan::Business,
                "Europe/Berlin",
                NOW,
            )
        });
        made.expect("a tenant is made").id
    }
}

/// A user as it was put into the database.
pub struct Known {
    pub id: String,
    pub document: Map<String, Value>,
    pub at: Instant,
}

impl Known {
    /// Shows it to `look` as filters and sorts see it.
    pub fn show<T>(&self, look: impl FnOnce(&Subject<'_>) -> T) -> T {
        let resource = Resource::from_valid(self.document.clone());
        look(&Subject {
            resource: &resource,
            id: &self.id,
            resource_type: user_type(),
            created: self.at,
            modified: self.at,
            derived: &Map::new(),
        })
    }
}

/// The resource type of users.
pub fn user_type() -> &'static ResourceType {
    REGISTRY.resource_type("User").expect("there are users")
}

/// Creates users, each a second after the one before, two of a kind at the same instant; in the order of a list.
pub fn populate(ground: &Ground, tenant: TenantId, users: Vec<Value>) -> Vec<Known> {
    let made = ground.store.write_blocking("populate", move |db| {
        let mut known = Vec::new();
        for (position, user) in (0..).zip(&users) {
            let at = Instant(NOW.0 - 2_000 + position / 2 * 1_000);
            let scope = Scope::system(tenant, "law", at);
            let written = directory::create(db, &scope, call(false), Kind::User, user)?;
            let shown = written
                .resource
                .ok_or_else(|| ServiceError::not_found("shown", "user"))?;
            let mut document: Map<String, Value> = serde_json::from_str(&shown.body)
                .map_err(|error| ServiceError::Bug(error.into()))?;
            for name in ["schemas", "id", "meta"] {
                document.remove(name);
            }
            known.push(Known {
                id: written.id,
                document,
                at,
            });
        }
        Ok::<_, ServiceError>(known)
    });
    made.expect("generated users are valid")
}
