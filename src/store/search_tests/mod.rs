//! What the database selects is what `eval` selects (F-62), in the right order, by the right index; on both databases.

mod excerpts;
mod filters;
mod pages;
mod plans;
mod rows;

use serde_json::{Map, Value, json};

use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId, MembershipId, RequestId, TenantId, UserId};
use crate::scim::filter::sort::{Sort, SortKey, SortOrder};
use crate::scim::filter::{CheckedFilter, Filter, Subject, eval};
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::scim::schema::{Registry, ResourceType};
use crate::scim::switches::Switches;
use crate::store::custom_values;
use crate::store::placement::{self, Kind, sort_column};
use crate::store::queries::groups_directory::{self, GroupRow, NewGroup};
use crate::store::queries::search::{Found, Listed, Order, Page, Search, page_statements, search};
use crate::store::queries::users::{self, NewUser, UserRow};
use crate::store::queries::{counters, resource_values, values};
use crate::store::statement::Stmt;
use crate::store::testing::{on_both, write};
use crate::store::{Db, Store, StoreError};

const TENANT: TenantId = TenantId(1);
const OTHER: TenantId = TenantId(2);

fn resource_type(kind: Kind) -> ResourceType {
    let mut registry = Registry::builtin().expect("the schemas load");
    let file = include_str!("../../../tests/fixtures/schemas/employee.json");
    registry.add("employee.json", file).expect("it loads");
    let name = if kind == Kind::User { "User" } else { "Group" };
    ResourceType::clone(registry.resource_type(name).expect("a built-in type"))
}

fn checked(kind: Kind, text: &str) -> CheckedFilter {
    let filter = Filter::parse(text).expect("it parses");
    filter
        .check(&resource_type(kind), &Switches::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

const CUSTOM: &str = "urn:example:params:scim:schemas:extension:employee:1.0:User";

fn user_id(number: u8) -> UserId {
    UserId(uuid::Uuid::from_bytes([number; 16]))
}

fn group_id(number: u8) -> GroupId {
    GroupId(uuid::Uuid::from_bytes([0x80 + number; 16]))
}

fn people() -> Vec<Value> {
    let ent = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    vec![
        json!({"userName": "Ada@x.test", "externalId": "E1", "active": true, "displayName": "Ada Lovelace", "title": "Director",
            "emails": [{"value": "Ada@x.test", "type": "work", "primary": true}, {"value": "ada@home.test", "type": "Home"}],
            "photos": [{"value": "https://x.test/A.png", "type": "photo"}],
            ent: {"employeeNumber": "N-1", "manager": {"value": "Boss"}, "department": "Engines"},
            CUSTOM: {"site": "Aachen", "badgeNumber": "B1", "grade": 7, "contractor": false, "hiredAt": "2020-05-01T00:00:00.000Z",
                "skills": ["Welding", "Go"], "quota": 0.5, "certificates": [
                    {"value": "First aid", "issuer": "Red Cross", "level": 1}, {"value": "Crane", "issuer": "TÜV", "level": 3, "primary": true}]}}),
        json!({"userName": "bob", "active": false, "displayName": "Bob%_", "emails": [{"value": "bob@x.test", "display": "B"}],
            "phoneNumbers": [{"type": "fax"}, {"value": "+49 1", "type": "work"}], ent: {"department": "Sales"},
            CUSTOM: {"site": "berlin", "badgeNumber": "b1", "grade": -2, "contractor": true, "skills": ["go"], "homepage": "https://x.test/Bob",
                "certificates": [{"value": "First aid", "issuer": "TÜV", "level": 2}]}}),
        json!({"userName": "Straße", "externalId": "e1", "displayName": "Zoë \u{D7FF}x", "roles": [{"value": "Admin", "primary": true}]}),
        json!({"userName": "dora", "active": true, "externalId": "E9", "name": {"familyName": "Long"}}),
        json!({"userName": "eve", "active": true, "displayName": format!("{}needle", "y".repeat(600)), "title": "needle",
            "emails": [{"value": format!("{}NEEDLE", "z".repeat(600)), "type": "work"}],
            "x509Certificates": [{"value": "QUJD"}], CUSTOM: {"site": format!("{}needle", "s".repeat(600))}}),
    ]
}

/// Users 1 to 5 (the fifth, whose keys are cut, only when asked), three groups; 1 and 2 are in group 1, 1 in group 2.
fn fill(store: &Store, with_cut_keys: bool) {
    write(store, move |db| {
        let people = people();
        let count = if with_cut_keys {
            people.len()
        } else {
            people.len() - 1
        };
        for (number, person) in (1_u8..).zip(people.into_iter().take(count)) {
            for tenant in [TENANT, OTHER] {
                make_user(db, tenant, number, &person)?;
            }
        }
        for (number, name) in [(1_u8, "Welders"), (2, "élan"), (3, "Empty")] {
            let row = GroupRow {
                id: group_id(number),
                name: name.to_owned(),
                external_id: (number == 1).then(|| "G1".to_owned()),
                description: None,
                color: None,
                managed_by: None,
                version: 1,
                created_at: Instant(5000 - i64::from(number)),
                modified_at: Instant(5000),
                doc: "{}".to_owned(),
            };
            groups_directory::insert(
                db,
                TENANT,
                &NewGroup {
                    row: &row,
                    name_key: fold(name),
                    origin: "scim",
                },
            )?;
            counters::add(db, TENANT, "groups", row.id.0, 1)?;
        }
        for (group, user, ended) in [
            (1, 1, None),
            (1, 2, None),
            (2, 1, None),
            (2, 2, Some(7_i64)),
        ] {
            db.execute(
                Stmt::new(
                    "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, added_by, added_at, request_id, \
                     ended_at) VALUES (?, ?, ?, ?, ?, 'scim', 'test', 1, ?, ?)",
                )
                .bind(TENANT)
                .bind(MembershipId::new())
                .bind(group_id(group))
                .bind(LearnerId(user_id(user).0))
                .bind(user_id(user))
                .bind(RequestId::new())
                .bind(ended),
            )?;
        }
        Ok(())
    });
}

fn make_user(db: &mut Db, tenant: TenantId, number: u8, person: &Value) -> Result<(), StoreError> {
    let resource = Resource::from_valid(person.as_object().cloned().unwrap_or_default());
    let id = user_id(number);
    db.execute(
        Stmt::new(
            "INSERT INTO learners (tenant_id, id, registration, approval, active, suspended, display_name, registered_via, version, \
             created_at, modified_at) VALUES (?, ?, 'registered', 'approved', ?, ?, 'x', 'scim', 1, 1, 1)",
        )
        .bind(tenant)
        .bind(LearnerId(id.0))
        .bind(true)
        .bind(false),
    )?;
    let user = NewUser {
        id,
        learner_id: LearnerId(id.0),
        connection_id: None,
        user_name: resource
            .text("userName", None)
            .unwrap_or_default()
            .to_owned(),
        user_name_key: fold(resource.text("userName", None).unwrap_or_default()),
        external_id: resource.text("externalId", None).map(str::to_owned),
        display_name_key: resource.text("displayName", None).map(fold),
        active: person.get("active").and_then(Value::as_bool),
        // Created in the opposite order of their ids, two at a time.
        created_at: Instant(1000 - i64::from(number) / 2),
        doc: person.to_string(),
    };
    users::insert(db, tenant, &user)?;
    counters::add(db, tenant, "users", id.0, 1)?;
    let custom = custom_values::rows(&resource_type(Kind::User), &resource);
    resource_values::insert(db, tenant, id.0, &custom)?;
    values::insert_all(db, tenant, id, &placement::user_values(&resource))
}

trait Shown: Listed {
    const KIND: Kind;
    fn resource(&self) -> Resource;
    fn derived(&self) -> Map<String, Value>;
}

impl Shown for UserRow {
    const KIND: Kind = Kind::User;
    fn resource(&self) -> Resource {
        Resource::from_valid(serde_json::from_str(&self.doc).expect("a document"))
    }
    fn derived(&self) -> Map<String, Value> {
        let groups: &[u8] = match self.id.0.as_bytes()[0] {
            1 => &[1, 2],
            2 => &[1],
            _ => &[],
        };
        shown_ids(
            "groups",
            groups.iter().map(|number| group_id(*number).to_string()),
        )
    }
}

impl Shown for GroupRow {
    const KIND: Kind = Kind::Group;
    fn resource(&self) -> Resource {
        let mut document = json!({"displayName": self.name});
        if let Some(external_id) = &self.external_id {
            document["externalId"] = json!(external_id);
        }
        Resource::from_valid(document.as_object().cloned().unwrap_or_default())
    }
    fn derived(&self) -> Map<String, Value> {
        let members: &[u8] = match self.id.0.as_bytes()[0] {
            0x81 => &[1, 2],
            0x82 => &[1],
            _ => &[],
        };
        shown_ids(
            "members",
            members.iter().map(|number| user_id(*number).to_string()),
        )
    }
}

fn shown_ids(name: &str, ids: impl Iterator<Item = String>) -> Map<String, Value> {
    let kind = if name == "groups" { "direct" } else { "User" };
    let elements: Vec<Value> = ids.map(|id| json!({"value": id, "type": kind})).collect();
    let mut derived = Map::new();
    if !elements.is_empty() {
        derived.insert(name.to_owned(), Value::Array(elements));
    }
    derived
}

fn verdict<R: Shown, T>(row: &R, ask: impl FnOnce(&Subject<'_>) -> T) -> T {
    let (resource, derived, id, of) = (
        row.resource(),
        row.derived(),
        row.id().to_string(),
        resource_type(R::KIND),
    );
    ask(&Subject {
        resource: &resource,
        id: &id,
        resource_type: &of,
        created: row.created_at(),
        modified: row.modified_at(),
        derived: &derived,
    })
}

fn run<R: Shown>(store: &Store, search_for: Search<'_>, judged: &mut usize) -> Page<R> {
    let found = store
        .read_blocking(|db| {
            search::<R, (), StoreError>(db, TENANT, &search_for, &mut |_, rows| {
                *judged += rows.len();
                Ok(rows
                    .iter()
                    .map(|row| {
                        search_for
                            .filter
                            .is_none_or(|filter| verdict(row, |it| eval::matches(filter, it)))
                            .then_some(())
                    })
                    .collect())
            })
        })
        .unwrap_or_else(|error| panic!("{search_for:?}: {error}"));
    match found {
        Found::Page(page) => page,
        Found::TooMany => panic!("too many"),
    }
}

const ALL: usize = 50;

fn everything<R: Shown>(store: &Store) -> Vec<R> {
    run::<R>(
        store,
        Search {
            kind: R::KIND,
            filter: None,
            order: Order::Natural,
            offset: 0,
            limit: ALL,
            resource_type: None,
        },
        &mut 0,
    )
    .rows
}

fn order_of(sort_by: &str, descending: bool) -> Order {
    let attr = resource_type(Kind::User)
        .attr(sort_by)
        .expect("an attribute");
    match sort_column(Kind::User, &attr) {
        Some(column) => Order::Column { column, descending },
        None => Order::Judge { descending },
    }
}
