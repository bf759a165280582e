//! Law 2: for random users and a random filter, the ids that the database finds are the ids for which the filter holds in memory,
//! in the same order, with the same total. Runs on the database of the suite (`TEST_DATABASE_URL`, else SQLite).

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rollcall::clock::Instant;
use rollcall::ids::TenantId;
use rollcall::scim::filter::Filter;
use rollcall::scim::filter::eval::{self, Subject};
use rollcall::scim::message::SearchRequest;
use rollcall::scim::resource::Resource;
use rollcall::scim::schema::Registry;
use rollcall::scim::switches::Switches;
use rollcall::service::directory::{self, Call, Kind, Parts};
use rollcall::service::{Scope, ServiceError};
use rollcall::store::Store;
use serde_json::{Map, Value};

use super::people;
use crate::harness::database;

static REGISTRY: LazyLock<Arc<Registry>> = LazyLock::new(|| Arc::new(Registry::builtin().expect("the schema files are valid")));

const BASE: &str = "http://localhost/scim/v2";
const NOTHING_MORE: Parts = Parts { members: false, groups: false };

struct Known {
    id: String,
    document: Map<String, Value>,
    created: Instant,
    modified: Instant,
}

fn call() -> Call<'static> {
    Call { registry: &REGISTRY, base: BASE, parts: NOTHING_MORE }
}

/// Creates the users in a tenant of their own, at instants of their own; those whose name is taken are left out.
fn populate(store: &Store, tenant: TenantId, users: Vec<Value>) -> Vec<Known> {
    let mut known = Vec::new();
    for (position, user) in users.into_iter().enumerate() {
        let now = Instant(1_767_225_600_000 - 2_000 + i64::try_from(position).unwrap_or(0) * 1_000);
        let scope = Scope::system(tenant, "law", now);
        let created = store.write_blocking("create", move |db| directory::create(db, &scope, call(), Kind::User, &user));
        let written = match created {
            Ok(written) => written,
            Err(ServiceError::Taken { .. }) => continue,
            Err(error) => panic!("a generated user is refused: {error}"),
        };
        let body = written.resource.expect("a created user is shown").body;
        let mut document: Map<String, Value> = serde_json::from_str(&body).expect("a response is JSON");
        for name in ["schemas", "id", "meta"] {
            document.remove(name);
        }
        known.push(Known { id: written.id, document, created: now, modified: now });
    }
    known
}

/// In the order of a list without `sortBy`: by creation.
fn in_memory(filter: &str, known: &[Known]) -> Vec<String> {
    let user = REGISTRY.resource_type("User").expect("there are users");
    let checked = Filter::parse(filter).and_then(|parsed| parsed.check(user, &Switches::default())).expect("a generated filter is valid");
    let derived = Map::new();
    let holds = |one: &&Known| {
        let resource = Resource::from_valid(one.document.clone());
        eval::matches(
            &checked,
            &Subject { resource: &resource, id: &one.id, resource_type: user, created: one.created, modified: one.modified, derived: &derived },
        )
    };
    known.iter().filter(holds).map(|one| one.id.clone()).collect()
}

fn found(store: &Store, tenant: TenantId, filter: &str) -> (i64, Vec<String>) {
    let scope = Scope::system(tenant, "law", Instant(1_767_225_600_000));
    let mut request = SearchRequest::from_query("count=1000").expect("valid");
    request.filter = Some(filter.to_owned());
    let page = store.read_blocking(move |db| directory::search(db, &scope, call(), Kind::User, &request)).expect("the search runs");
    (page.total, page.resources.into_iter().map(|resource| resource.id).collect())
}

#[test]
fn the_database_finds_exactly_those_for_whom_the_filter_holds() {
    let database = database::fresh();
    let store = database.store();
    let mut next = 0;
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let input = (prop::collection::vec(people::user(), 1..14), prop::collection::vec(people::filter(), 24));
    runner
        .run(&input, |(users, filters)| {
            next += 1;
            let tenant = database.tenant(&format!("law {next}"));
            let known = populate(&store, tenant, users);
            for filter in filters {
                let expected = in_memory(&filter, &known);
                let (total, ids) = found(&store, tenant, &filter);
                prop_assert_eq!(&ids, &expected, "filter {}", filter);
                prop_assert_eq!(total, i64::try_from(expected.len()).unwrap_or(-1), "total of {}", filter);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
