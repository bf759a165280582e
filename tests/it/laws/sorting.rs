//! The pages of a sorted list, one after the other, are all resources in the order of their keys, ties by id: nobody twice, nobody
//! lost, the same total on every page (S-01 to S-11, P-01 to P-08).

use proptest::prelude::*;
use rollcall::ids::TenantId;
use rollcall::scim::filter::sort::Sort;
use rollcall::scim::message::SearchRequest;
use rollcall::service::Scope;
use rollcall::service::directory::{self, Kind};

use super::ground::{self, Ground, Known, NOW, call};
use super::people;

const SORTS: [&str; 12] = [
    "userName",
    "displayName",
    "title",
    "emails",
    "emails.type",
    "active",
    "meta.created",
    "meta.lastModified",
    "name.familyName",
    "externalId",
    "id",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
];

fn in_memory(by: &str, order: &str, known: &[Known]) -> Vec<String> {
    let sort = Sort::parse(ground::user_type(), by, Some(order))
        .unwrap_or_else(|error| panic!("{by}: {error}"));
    let mut keyed: Vec<_> = known
        .iter()
        .map(|one| (one.show(|subject| sort.key(subject)), &one.id))
        .collect();
    keyed.sort();
    if order == "descending" {
        keyed.reverse();
    }
    keyed.into_iter().map(|(_, id)| id.clone()).collect()
}

/// Total and ids of one page.
fn page(ground: &Ground, tenant: TenantId, query: &str) -> (i64, Vec<String>) {
    let scope = Scope::system(tenant, "law", NOW);
    let request = SearchRequest::from_query(query).expect("a valid query");
    let found = ground
        .store
        .read_blocking(move |db| directory::search(db, &scope, call(false), Kind::User, &request));
    let found = found.unwrap_or_else(|error| panic!("{query}: {error}"));
    (
        found.total,
        found
            .resources
            .into_iter()
            .map(|resource| resource.id)
            .collect(),
    )
}

#[test]
fn the_pages_of_a_sorted_list_are_everybody_once_in_order() {
    let ground = Ground::fresh();
    let sort = (
        prop::sample::select(&SORTS[..]),
        prop::sample::select(vec!["ascending", "descending"]),
        1..6_usize,
        any::<bool>(),
    );
    let input = (people::users(16), prop::collection::vec(sort, 6));
    ground::runner(24)
        .run(&input, |(users, sorts)| {
            let tenant = ground.tenant();
            let known = ground::populate(&ground, tenant, users);
            for (by, order, count, filtered) in sorts {
                let expected = in_memory(by, order, &known);
                // A filter that holds for everybody but that only the documents can tell.
                let filter = if filtered {
                    "&filter=not%20(nickName%20pr)"
                } else {
                    ""
                };
                let mut seen = Vec::new();
                for start in (1..=known.len() + count).step_by(count) {
                    let query = format!(
                        "sortBy={by}&sortOrder={order}&startIndex={start}&count={count}{filter}"
                    );
                    let (total, ids) = page(&ground, tenant, &query);
                    prop_assert_eq!(
                        total,
                        i64::try_from(known.len()).unwrap_or(-1),
                        "total of {}",
                        query
                    );
                    prop_assert!(ids.len() <= count, "{}", query);
                    seen.extend(ids);
                }
                prop_assert_eq!(
                    seen,
                    expected,
                    "sortBy={} {}, {} at a time{}",
                    by,
                    order,
                    count,
                    filter
                );
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
