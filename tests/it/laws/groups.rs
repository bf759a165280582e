//! Law 2 for groups, and for what users and groups say of each other: `members` and `groups` are rows of a third table, so a
//! filter on them takes another way through the database than any attribute that is stored with its resource.

use proptest::prelude::*;
use rollcall::ids::TenantId;
use rollcall::scim::filter::eval::Subject;
use rollcall::scim::filter::{Filter, eval};
use rollcall::scim::message::SearchRequest;
use rollcall::scim::resource::Resource;
use rollcall::scim::switches::Switches;
use rollcall::service::directory::{self, Kind};
use rollcall::service::{Scope, ServiceError};
use serde_json::{Map, Value, json};

use super::ground::{self, Ground, NOW, call};

const EXTENSION: &str = "urn:rollcall:params:scim:schemas:extension:group:2.0:Group";

/// A group to be created: name, color, description, numbers of its members.
type Wanted = (
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Vec<usize>,
);

/// How many users there are.
const USERS: usize = 6;

fn group() -> impl Strategy<Value = Wanted> {
    (
        prop::sample::select(vec![
            "Warehouse",
            "Sales",
            "Straße",
            "Night_1",
            "100%",
            "Ａda",
            "Day",
        ]),
        prop::option::of(prop::sample::select(vec!["#FF0000", "#00ff00"])),
        prop::option::of(prop::sample::select(vec!["people", "People of the night"])),
        prop::collection::vec(0..USERS, 0..4),
    )
}

fn groups() -> impl Strategy<Value = Vec<Wanted>> {
    prop::collection::vec(group(), 1..7).prop_map(|groups| {
        let mut names = std::collections::HashSet::new();
        groups
            .into_iter()
            .filter(|group| names.insert(group.0))
            .collect()
    })
}

/// A filter in which `@n` stands for the id of the n-th resource of the other kind.
fn filter(own: &'static [&'static str], link: &'static str) -> impl Strategy<Value = String> {
    let operator = || prop::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "le"]);
    let word = prop::sample::select(vec![
        "sales", "STRASSE", "n", "%", "_", "people", "#ff0000", "",
    ]);
    let other = || (0..USERS).prop_map(|number| format!("@{number}"));
    let leaf = prop_oneof![
        3 => (prop::sample::select(own), operator(), word).prop_map(|(path, op, word)| format!("{path} {op} \"{word}\"")),
        2 => (other(), prop::sample::select(vec!["eq", "ne"])).prop_map(move |(id, op)| format!("{link} {op} \"{id}\"")),
        2 => (other(), prop::sample::select(vec!["eq", "ne", "sw"])).prop_map(move |(id, op)| format!("{link}.value {op} \"{id}\"")),
        2 => (other(), other()).prop_map(move |(a, b)| format!("{link}[value eq \"{a}\" or value eq \"{b}\"]")),
        1 => other().prop_map(move |id| format!("{link}[not (value eq \"{id}\")]")),
        1 => Just(format!("{link} pr")),
        1 => Just("externalId pr".to_owned()),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
            inner.prop_map(|one| format!("not ({one})")),
        ]
    })
}

/// Makes users and groups; their ids in the order of creation.
fn populate(ground: &Ground, tenant: TenantId, groups: Vec<Wanted>) -> (Vec<String>, Vec<String>) {
    let made = ground.store.write_blocking("populate", move |db| {
        let scope = Scope::system(tenant, "law", NOW);
        let mut create = |kind, body: Value| {
            directory::create(db, &scope, call(false), kind, &body).map(|written| written.id)
        };
        let users: Vec<String> = (0..USERS)
            .map(|number| create(Kind::User, json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("n{number}") })))
            .collect::<Result<_, _>>()?;
        let groups: Vec<String> = groups
            .iter()
            .map(|(name, color, description, members)| {
                let members: Vec<Value> = members.iter().filter_map(|number| users.get(*number)).map(|id| json!({ "value": id })).collect();
                create(Kind::Group, json!({
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", EXTENSION], "displayName": name, "members": members,
                    EXTENSION: { "color": color, "description": description },
                }))
            })
            .collect::<Result<_, _>>()?;
        Ok::<_, ServiceError>((users, groups))
    });
    made.expect("generated resources are valid")
}

/// Ids and bodies of what a search finds.
fn found(
    ground: &Ground,
    tenant: TenantId,
    kind: Kind,
    filter: Option<&str>,
) -> Vec<(String, String)> {
    let scope = Scope::system(tenant, "law", NOW);
    let mut request = SearchRequest::from_query("count=1000").expect("valid");
    request.filter = filter.map(str::to_owned);
    let page = ground
        .store
        .read_blocking(move |db| directory::search(db, &scope, call(true), kind, &request))
        .unwrap_or_else(|error| panic!("{filter:?}: {error}"));
    assert_eq!(
        usize::try_from(page.total).ok(),
        Some(page.resources.len()),
        "{filter:?}"
    );
    page.resources
        .into_iter()
        .map(|resource| (resource.id, resource.body))
        .collect()
}

/// Whether the filter holds for a resource as clients see it.
fn holds(kind: Kind, filter: &str, id: &str, body: &str) -> bool {
    let resource_type = kind
        .resource_type(&ground::REGISTRY)
        .expect("both kinds are there");
    let checked = Filter::parse(filter)
        .and_then(|parsed| parsed.check(resource_type, &Switches::default()))
        .unwrap_or_else(|error| panic!("{filter}: {error}"));
    let mut document: Map<String, Value> = serde_json::from_str(body).expect("a response is JSON");
    for name in ["schemas", "id", "meta"] {
        document.remove(name);
    }
    let derived = ["members", "groups"]
        .into_iter()
        .filter_map(|name| document.remove(name).map(|value| (name.to_owned(), value)))
        .collect();
    eval::matches(
        &checked,
        &Subject {
            resource: &Resource::from_valid(document),
            id,
            resource_type,
            created: NOW,
            modified: NOW,
            derived: &derived,
        },
    )
}

#[test]
fn groups_and_members_are_found_by_each_other_exactly_where_the_filter_holds() {
    let ground = Ground::fresh();
    let of_groups = filter(
        &[
            "displayName",
            "urn:rollcall:params:scim:schemas:extension:group:2.0:Group:color",
            "urn:rollcall:params:scim:schemas:extension:group:2.0:Group:description",
        ],
        "members",
    );
    let of_users = filter(&["userName", "groups.display"], "groups");
    let input = (
        groups(),
        prop::collection::vec(of_groups, 12),
        prop::collection::vec(of_users, 12),
    );
    ground::runner(24)
        .run(&input, |(wanted, of_groups, of_users)| {
            let tenant = ground.tenant();
            let (users, groups) = populate(&ground, tenant, wanted);
            for (kind, filters, others) in [
                (Kind::Group, of_groups, &users),
                (Kind::User, of_users, &groups),
            ] {
                let all = found(&ground, tenant, kind, None);
                for mut filter in filters {
                    for number in 0..USERS {
                        let id = others
                            .get(number)
                            .map_or("01890000-0000-7000-8000-000000000000", String::as_str);
                        filter = filter.replace(&format!("@{number}"), id);
                    }
                    let expected: Vec<&String> = all
                        .iter()
                        .filter(|(id, body)| holds(kind, &filter, id, body))
                        .map(|(id, _)| id)
                        .collect();
                    let hits = found(&ground, tenant, kind, Some(&filter));
                    let ids: Vec<&String> = hits.iter().map(|(id, _)| id).collect();
                    prop_assert_eq!(ids, expected, "filter {}", filter);
                }
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
