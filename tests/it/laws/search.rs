//! Law 2: for random users and a random filter, the ids that the database finds are the ids for which the filter holds in memory,
//! in the same order, with the same total. Runs on the database of the suite (`TEST_DATABASE_URL`, else SQLite).

use proptest::prelude::*;
use rollcall::ids::TenantId;
use rollcall::scim::filter::{Filter, eval};
use rollcall::scim::message::SearchRequest;
use rollcall::scim::switches::Switches;
use rollcall::service::Scope;
use rollcall::service::directory::{self, Kind};

use super::ground::{self, Ground, Known, NOW, call};
use super::people;

/// In the order of a list without `sortBy`: by creation.
fn in_memory(filter: &str, known: &[Known]) -> Vec<String> {
    let parsed = Filter::parse(filter)
        .and_then(|parsed| parsed.check(ground::user_type(), &Switches::default()));
    let checked = parsed.unwrap_or_else(|error| panic!("{filter}: {error}"));
    known
        .iter()
        .filter(|one| one.show(|subject| eval::matches(&checked, subject)))
        .map(|one| one.id.clone())
        .collect()
}

fn found(ground: &Ground, tenant: TenantId, filter: &str) -> (i64, Vec<String>) {
    let scope = Scope::system(tenant, "law", NOW);
    let mut request = SearchRequest::from_query("count=1000").expect("valid");
    request.filter = Some(filter.to_owned());
    let page = ground
        .store
        .read_blocking(move |db| directory::search(db, &scope, call(false), Kind::User, &request));
    let page = page.unwrap_or_else(|error| panic!("{filter}: {error}"));
    (
        page.total,
        page.resources
            .into_iter()
            .map(|resource| resource.id)
            .collect(),
    )
}

// F-62
#[test]
fn the_database_finds_exactly_those_for_whom_the_filter_holds() {
    let ground = Ground::fresh();
    let input = (
        people::users(14),
        prop::collection::vec(people::filter(), 24),
    );
    ground::runner(24)
        .run(&input, |(users, filters)| {
            let tenant = ground.tenant();
            let known = ground::populate(&ground, tenant, users);
            for filter in filters {
                let expected = in_memory(&filter, &known);
                let (total, ids) = found(&ground, tenant, &filter);
                prop_assert_eq!(&ids, &expected, "filter {}", filter);
                prop_assert_eq!(
                    total,
                    i64::try_from(expected.len()).unwrap_or(-1),
                    "total of {}",
                    filter
                );
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
