//! Databases for unit tests: SQLite always, PostgreSQL when `TEST_DATABASE_URL` names a server.

use super::db::Db;
use super::{Store, StoreError, StoreOptions};

/// A private SQLite store.
pub fn sqlite() -> Store {
    Store::open(
        "sqlite://:memory:",
        StoreOptions {
            readers: 2,
            ..StoreOptions::default()
        },
    )
    .expect("a temporary store opens")
}

/// How SQLite spells what the databases spell differently.
pub const fn sqlite_dialect() -> &'static super::db::Dialect {
    &super::sqlite::DIALECT
}

/// A PostgreSQL store in a fresh database of the test server; `None` when there is none.
/// The database stays behind: the test server is thrown away as a whole.
pub fn postgres() -> Option<Store> {
    let (url, _) = fresh_postgres()?;
    let options = StoreOptions {
        postgres_pool: 8,
        allow_unsafe: true,
        ..StoreOptions::default()
    };
    Some(Store::open(&url, options).expect("the test database opens"))
}

/// The URL and name of a fresh, empty database.
#[allow(clippy::disallowed_methods, reason = "a test has no configuration")]
pub fn fresh_postgres() -> Option<(String, String)> {
    let server = std::env::var("TEST_DATABASE_URL").ok()?;
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    let mut admin =
        Db::Postgres(super::postgres::connect(&server).expect("TEST_DATABASE_URL answers"));
    admin
        .batch(&format!("CREATE DATABASE {name}"))
        .expect("a test database is made");
    let (base, query) = server
        .split_once('?')
        .map_or((server.as_str(), String::new()), |(base, query)| {
            (base, format!("?{query}"))
        });
    let slash = base.rfind('/').expect("the URL has a path");
    Some((format!("{}/{name}{query}", &base[..slash]), name))
}

/// Runs a test on every database there is.
pub fn on_both(test: impl Fn(&Store)) {
    test(&sqlite());
    if let Some(store) = postgres() {
        test(&store);
    }
}

/// A write transaction of a test.
pub fn write<T: Send + 'static>(
    store: &Store,
    job: impl FnMut(&mut Db) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store
        .write_blocking("test", job)
        .expect("the test's write commits")
}
