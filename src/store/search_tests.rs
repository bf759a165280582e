//! What the database selects is what `eval` selects (F-62), in the right order, by the right index; on both databases.

use serde_json::{Map, Value, json};

use super::placement::{self, Kind, SortColumn, sort_column};
use super::queries::groups_directory::{self, GroupRow, NewGroup};
use super::queries::search::{Found, Listed, Order, Page, Search, first_page_statement, search};
use super::queries::users::{self, NewUser, UserRow};
use super::queries::{counters, values};
use super::statement::Stmt;
use super::testing::{on_both, write};
use super::{Db, Store, StoreError};
use crate::clock::Instant;
use crate::ids::{GroupId, LearnerId, MembershipId, RequestId, TenantId, UserId};
use crate::scim::filter::sort::{Sort, SortKey, SortOrder};
use crate::scim::filter::{CheckedFilter, Filter, Subject, eval};
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::scim::schema::{Registry, ResourceType};
use crate::scim::switches::Switches;

const TENANT: TenantId = TenantId(1);
const OTHER: TenantId = TenantId(2);

fn resource_type(kind: Kind) -> ResourceType {
    let registry = Registry::builtin().expect("the schemas load");
    let name = if kind == Kind::User { "User" } else { "Group" };
    ResourceType::clone(registry.resource_type(name).expect("a built-in type"))
}

fn checked(kind: Kind, text: &str) -> CheckedFilter {
    let filter = Filter::parse(text).expect("it parses");
    filter
        .check(&resource_type(kind), &Switches::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

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
            ent: {"employeeNumber": "N-1", "manager": {"value": "Boss"}, "department": "Engines"}}),
        json!({"userName": "bob", "active": false, "displayName": "Bob%_", "emails": [{"value": "bob@x.test", "display": "B"}],
            "phoneNumbers": [{"type": "fax"}, {"value": "+49 1", "type": "work"}], ent: {"department": "Sales"}}),
        json!({"userName": "Straße", "externalId": "e1", "displayName": "Zoë \u{D7FF}x", "roles": [{"value": "Admin", "primary": true}]}),
        json!({"userName": "dora", "active": true, "externalId": "E9", "name": {"familyName": "Long"}}),
        json!({"userName": "eve", "active": true, "displayName": format!("{}needle", "y".repeat(600)), "title": "needle",
            "emails": [{"value": format!("{}NEEDLE", "z".repeat(600)), "type": "work"}],
            "x509Certificates": [{"value": "QUJD"}]}),
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
    values::insert_all(db, tenant, id, &placement::user_values(&resource))
}

trait Shown: Listed {
    fn resource(&self) -> Resource;
    fn derived(&self) -> Map<String, Value>;
}

impl Shown for UserRow {
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
    let elements: Vec<Value> = ids.map(|id| json!({"value": id, "type": "User"})).collect();
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
            filter: None,
            order: Order::Natural,
            offset: 0,
            limit: ALL,
        },
        &mut 0,
    )
    .rows
}

fn agree<R: Shown>(store: &Store, filters: &[String]) -> usize {
    let all: Vec<R> = everything(store);
    let mut judged_filters = 0;
    for text in filters {
        for text in [
            text.clone(),
            format!("not ({text})"),
            format!("({text}) and meta.created pr"),
        ] {
            let filter = checked(R::KIND, &text);
            let expected: Vec<uuid::Uuid> = all
                .iter()
                .filter(|row| verdict(*row, |it| eval::matches(&filter, it)))
                .map(Listed::id)
                .collect();
            let mut judged = 0;
            let page = run::<R>(
                store,
                Search {
                    filter: Some(&filter),
                    order: Order::Natural,
                    offset: 0,
                    limit: ALL,
                },
                &mut judged,
            );
            let found: Vec<uuid::Uuid> = page.rows.iter().map(Listed::id).collect();
            assert_eq!(found, expected, "{text}");
            assert_eq!(
                usize::try_from(page.total).ok(),
                Some(expected.len()),
                "{text}"
            );
            let counted = run::<R>(
                store,
                Search {
                    filter: Some(&filter),
                    order: Order::Natural,
                    offset: 0,
                    limit: 0,
                },
                &mut 0,
            );
            assert_eq!(counted.total, page.total, "{text}");
            judged_filters += usize::from(judged > 0);
        }
    }
    judged_filters
}

fn texts(filters: &[&str]) -> Vec<String> {
    filters.iter().map(|text| (*text).to_owned()).collect()
}

/// Decided by the database alone.
fn placed_user_filters() -> Vec<String> {
    let mut all = texts(&[
        r#"userName eq "ADA@X.TEST""#,
        r#"userName ne "bob""#,
        r#"userName eq "STRASSE""#,
        r#"displayName co "%_""#,
        r#"displayName sw "zoë \uD7FF""#,
        r#"displayName ew "lace""#,
        r#"displayName ew "a much longer text than any of the names here""#,
        r#"displayName co """#,
        "displayName pr",
        "displayName eq null",
        r#"displayName gt "bob""#,
        r#"displayName le "bob%_""#,
        r#"externalId eq "E1""#,
        r#"externalId ne "E1""#,
        r#"externalId sw "E""#,
        "externalId pr",
        "active eq true",
        "active ne true",
        "active eq null",
        r#"emails eq "ada@X.test""#,
        r#"emails.value ne "ada@x.test""#,
        r#"emails.type eq "WORK""#,
        r#"emails.type ne "work""#,
        "emails.primary eq true",
        "emails.primary eq false",
        "emails pr",
        "emails.value pr",
        "phoneNumbers.value pr",
        r#"phoneNumbers.value lt "5""#,
        r#"phoneNumbers.value eq """#,
        r#"phoneNumbers.value co """#,
        r#"phoneNumbers[type eq "fax"]"#,
        r#"phoneNumbers[type eq "fax" and value pr]"#,
        r#"emails[type eq "work" and value co "@x"]"#,
        r#"emails[type eq "home" and value co "@x"]"#,
        r#"emails[not (type eq "work")]"#,
        r#"emails[type ne "work" or primary eq true]"#,
        r#"emails[type eq "work"].value eq "ada@x.test""#,
        r#"photos.value eq "https://x.test/A.png""#,
        r#"photos.value eq "https://x.test/a.png""#,
        r#"x509Certificates.value eq "QUJD""#,
        r#"roles eq "admin""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "n-1""#,
        "employeeNumber pr",
        r#"manager eq "Boss""#,
        r#"manager.value ne "boss""#,
        r#"userName eq "bob" or emails.value sw "ADA@""#,
        r#"id eq "nonsense""#,
        "id pr",
        r#"meta.created gt "1970-01-01T00:00:00.999Z""#,
        r#"meta.lastModified le "1970-01-01T00:00:00.999Z""#,
        r#"meta.resourceType eq "User""#,
        r#"meta.resourceType eq "Group""#,
        "groups pr",
    ]);
    all.push(format!("id eq \"{}\"", user_id(2)));
    all.push(format!("id ne \"{}\"", user_id(2)));
    all.push(format!("groups eq \"{}\"", group_id(2)));
    all.push(format!("groups.value ne \"{}\"", group_id(1)));
    all.push(format!("groups[value eq \"{}\"]", group_id(1)));
    all.push(format!("groups[not (value eq \"{}\")]", group_id(1)));
    all
}

#[test]
fn what_columns_hold_is_decided_by_the_database_alone() {
    on_both(|store| {
        fill(store, false);
        assert_eq!(agree::<UserRow>(store, &placed_user_filters()), 0);
        let mut groups = texts(&[
            r#"displayName eq "WELDERS""#,
            r#"displayName co "l""#,
            r#"externalId eq "G1""#,
            r#"externalId eq "g1""#,
            "members pr",
            "members eq null",
        ]);
        groups.push(format!("members eq \"{}\"", user_id(2)));
        groups.push(format!("members.value eq \"{}\"", user_id(1)));
        groups.push(format!("members[value eq \"{}\"]", user_id(1)));
        assert_eq!(agree::<GroupRow>(store, &groups), 0);
    });
}

#[test]
fn what_only_the_document_holds_is_decided_by_the_judge() {
    on_both(|store| {
        fill(store, true);
        let mut users = texts(&[
            r#"title eq "director""#,
            r#"name.familyName pr"#,
            r#"userName sw "e" or title pr"#,
            r#"not (title pr) and active eq true"#,
            r#"not (emails[display eq "b"])"#,
            r#"emails[display eq "b" and value sw "bob"]"#,
            "emails.primary pr",
            "manager pr",
            r#"photos.value co "PNG""#,
            r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
            r#"department eq "sales""#,
            r#"groups[type eq "User"]"#,
            r#"displayName co "needle""#,
            r#"displayName ew "needle""#,
            r#"emails.value co "needle""#,
            r#"emails[value ew "needle" and type eq "work"]"#,
            r#"x509Certificates.value co "QU""#,
        ]);
        let long = format!("{}NEEDLE", "z".repeat(600));
        for operator in ["eq", "ne", "sw", "gt", "ge", "lt", "le"] {
            users.push(format!("emails.value {operator} \"{long}\""));
            users.push(format!("emails.value {operator} \"{}\"", "z".repeat(512)));
            users.push(format!("displayName {operator} \"{}\"", "Y".repeat(512)));
        }
        users.extend(placed_user_filters());
        assert!(agree::<UserRow>(store, &users) > 0);
        assert!(
            agree::<GroupRow>(
                store,
                &texts(&[r#"members.type eq "User""#, r#"members[type eq "User"]"#])
            ) > 0
        );
    });
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

#[test]
fn pages_of_every_order_join_to_the_whole_list_in_the_judges_order() {
    on_both(|store| {
        fill(store, true);
        let all: Vec<UserRow> = everything(store);
        let title = checked(Kind::User, "not (title eq \"nobody\")");
        let name = checked(Kind::User, "not (userName eq \"nobody\")");
        for sort_by in [
            "userName",
            "displayName",
            "externalId",
            "id",
            "meta.created",
            "meta.lastModified",
            "title",
            "emails",
        ] {
            for (descending, word) in [(false, "ascending"), (true, "descending")] {
                let sort =
                    Sort::parse(&resource_type(Kind::User), sort_by, Some(word)).expect("a sort");
                let mut expected: Vec<(SortKey, uuid::Uuid)> = all
                    .iter()
                    .map(|row| (verdict(row, |it| sort.key(it)), row.id()))
                    .collect();
                expected.sort();
                if sort.order == SortOrder::Descending {
                    expected.reverse();
                }
                let expected: Vec<uuid::Uuid> = expected.into_iter().map(|(_, id)| id).collect();
                for filter in [None, Some(&title), Some(&name)] {
                    let mut found = Vec::new();
                    for offset in [0, 2, 4, 6] {
                        let wanted = Search {
                            filter,
                            order: order_of(sort_by, descending),
                            offset,
                            limit: 2,
                        };
                        let page = store
                            .read_blocking(|db| {
                                search::<UserRow, SortKey, StoreError>(
                                    db,
                                    TENANT,
                                    &wanted,
                                    &mut |_, rows| {
                                        Ok(rows
                                            .iter()
                                            .map(|row| {
                                                let matches = filter.is_none_or(|filter| {
                                                    verdict(row, |it| eval::matches(filter, it))
                                                });
                                                matches.then(|| verdict(row, |it| sort.key(it)))
                                            })
                                            .collect())
                                    },
                                )
                            })
                            .expect("it finds");
                        let Found::Page(page) = page else {
                            panic!("too many")
                        };
                        assert_eq!(page.total, 5, "{sort_by} {word} {offset}");
                        found.extend(page.rows.iter().map(|row| row.id.0));
                    }
                    assert_eq!(found, expected, "{sort_by} {word} {filter:?}");
                }
            }
        }
    });
}

#[test]
fn rows_are_replaced_at_their_version_and_ended_once() {
    on_both(|store| {
        fill(store, false);
        write(store, |db| {
            let mut row = users::find_for_update(db, TENANT, user_id(2))?.expect("user 2");
            assert_eq!(
                (row.active, row.external_id.as_deref(), row.version),
                (Some(false), None, 1)
            );
            row.version = 2;
            row.user_name = "Bert".to_owned();
            assert!(users::replace(db, TENANT, &row, "bert", None)?);
            assert!(!users::replace(db, TENANT, &row, "bert", None)?);
            assert!(users::find_by_user_name(db, TENANT, "bert")?.is_some());
            assert!(users::end(db, TENANT, user_id(2), Instant(9))?);
            assert!(!users::end(db, TENANT, user_id(2), Instant(9))?);
            assert!(users::find(db, TENANT, user_id(2))?.is_none());
            assert_eq!(
                users::find_all(db, TENANT, &[user_id(1), user_id(2), user_id(3)])?.len(),
                2
            );
            assert!(groups_directory::touch(
                db,
                TENANT,
                group_id(1),
                2,
                Instant(9)
            )?);
            assert_eq!(
                groups_directory::find(db, TENANT, group_id(1))?.map(|row| row.version),
                Some(2)
            );
            assert_eq!(counters::sum(db, TENANT, "users")?, 4);
            // The name of an ended account is free, a living one's is not, and the transaction goes on.
            let person = json!({"userName": "bert"});
            make_user(db, TENANT, 77, &person)?;
            let taken = make_user(db, TENANT, 78, &person);
            assert!(matches!(taken, Err(StoreError::Conflict)));
            values::replace_all(db, TENANT, user_id(1), &[])
        });
        let filter = checked(Kind::User, "emails pr");
        let page = run::<UserRow>(
            store,
            Search {
                filter: Some(&filter),
                order: Order::Natural,
                offset: 0,
                limit: 10,
            },
            &mut 0,
        );
        assert_eq!(page.total, 0);
    });
}

#[derive(diesel::QueryableByName)]
struct Detail {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

#[derive(diesel::QueryableByName)]
struct Plan {
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[diesel(column_name = "QUERY PLAN")]
    plan: String,
}

/// The plan of a statement, as text.
fn plan(db: &mut Db, stmt: &Stmt) -> String {
    use diesel::RunQueryDsl;
    let explained = stmt.explained(db.dialect().explain);
    match db {
        Db::Sqlite(conn) => {
            let rows: Vec<Detail> = explained.load(conn).expect("it explains");
            rows.into_iter().map(|row| row.detail + "\n").collect()
        }
        Db::Postgres(conn) => {
            let rows: Vec<Plan> = explained.load(conn).expect("it explains");
            rows.into_iter().map(|row| row.plan + "\n").collect()
        }
    }
}

#[test]
fn frequent_searches_follow_their_index() {
    on_both(|store| {
        fill(store, false);
        // Enough rows for PostgreSQL to care, and its statistics.
        write(store, |db| {
            let id = db.dialect().new_id;
            let numbers =
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)";
            for sql in [
                format!(
                    "INSERT INTO users (tenant_id, id, learner_id, user_name, user_name_key, external_id, display_name_key, version, \
                     created_at, modified_at, doc) {numbers} \
                     SELECT 1, {id}, {id}, 'u' || i, 'u' || i, 'x' || i, 'd' || i, 1, 100000 + i, 100000 + i, '{{}}' FROM n"
                ),
                "INSERT INTO user_values (tenant_id, attr, value_key, user_id, ord, is_primary) \
                 SELECT 1, 1, user_name_key || '@x', id, 0, 1 = 1 FROM users WHERE tenant_id = 1 AND version = 1 AND doc = '{}'"
                    .replace("1 = 1", if db.dialect().for_update.is_empty() { "1" } else { "TRUE" }),
                format!(
                    "INSERT INTO learner_groups (tenant_id, id, name, name_key, origin, version, created_at, modified_at, doc) {numbers} \
                     SELECT 1, {id}, 'g' || i, 'g' || i, 'rest', 1, 100000 + i, 100000 + i, '{{}}' FROM n"
                ),
                "INSERT INTO learners (tenant_id, id, registration, approval, active, suspended, display_name, registered_via, version, \
                 created_at, modified_at) SELECT 1, learner_id, 'registered', 'approved', T, F, 'x', 'scim', 1, 1, 1 FROM users \
                 WHERE tenant_id = 1 AND doc = '{}'"
                    .replace("T, F", if db.dialect().for_update.is_empty() { "1, 0" } else { "TRUE, FALSE" }),
                format!(
                    "INSERT INTO memberships (tenant_id, id, group_id, learner_id, user_id, source, added_by, added_at, request_id) \
                     SELECT 1, {id}, g.id, u.learner_id, u.id, 'scim', 'x', 1, u.id FROM users u CROSS JOIN learner_groups g \
                     WHERE g.tenant_id = 1 AND g.name_key = 'g' || substr(u.user_name_key, 2) AND g.deleted_at IS NULL \
                     AND u.tenant_id = 1 AND u.doc = '{{}}'"
                ),
            ] {
                db.execute(Stmt::new(sql))?;
                // SQLite plans by the shapes its migration tells.
                if let Db::Postgres(_) = db {
                    db.batch("ANALYZE")?;
                }
            }
            Ok(())
        });
        let some_user = user_id(1).to_string();
        let some_group = group_id(1).to_string();
        store
            .read_blocking(|db| {
                let mut wrong = Vec::new();
                let mut check = |db: &mut Db, what: &str, stmt: Stmt, index: &str| {
                    let keyed = index.replace(
                        "user_values",
                        "SEARCH v USING PRIMARY KEY (tenant_id=? AND attr=? AND value_key=?)",
                    );
                    let plan = plan(db, &stmt);
                    let scans = plan.contains("Seq Scan")
                        || plan.lines().any(|line| line.starts_with("SCAN "));
                    if !(plan.contains(index) || plan.contains(&keyed)) || scans {
                        wrong.push(format!("{what} does not follow {index}:\n{plan}"));
                    }
                };
                for (text, index) in [
                    (r#"userName eq "u77""#.to_owned(), "users_user_name"),
                    (r#"externalId eq "x77""#.to_owned(), "users_external_id"),
                    (r#"emails.value eq "u77@x""#.to_owned(), "user_values"),
                    (
                        r#"emails[type eq "work" and value eq "u77@x"]"#.to_owned(),
                        "user_values",
                    ),
                    (format!("groups.value eq \"{some_group}\""), "memberships"),
                    (format!("id eq \"{some_user}\""), "users"),
                ] {
                    let filter = checked(Kind::User, &text);
                    let stmt =
                        first_page_statement::<UserRow>(db, TENANT, Some(&filter), Order::Natural)
                            .expect("a statement");
                    check(db, &text, stmt, index);
                }
                for (text, index) in [
                    (r#"displayName eq "g77""#.to_owned(), "learner_groups_name"),
                    (
                        format!("members.value eq \"{some_user}\""),
                        "memberships_user",
                    ),
                    (
                        format!("members[value eq \"{some_user}\"]"),
                        "memberships_user",
                    ),
                ] {
                    let filter = checked(Kind::Group, &text);
                    let stmt =
                        first_page_statement::<GroupRow>(db, TENANT, Some(&filter), Order::Natural)
                            .expect("a statement");
                    check(db, &text, stmt, index);
                }
                let by_name = order_of("displayName", false);
                let modified = Order::Column {
                    column: SortColumn::Modified,
                    descending: true,
                };
                for (order, index) in [
                    (Order::Natural, "users_created"),
                    (order_of("userName", true), "users_user_name"),
                    (by_name, "users_display_name"),
                    (modified, "users_modified"),
                ] {
                    let stmt = first_page_statement::<UserRow>(db, TENANT, None, order)
                        .expect("a statement");
                    let text = plan(db, &stmt);
                    assert!(
                        !text.contains("TEMP B-TREE FOR ORDER BY") && !text.contains("Sort  ("),
                        "{order:?} is sorted:\n{text}"
                    );
                    check(db, &format!("{order:?}"), stmt, index);
                }
                assert!(wrong.is_empty(), "{}", wrong.join("\n"));
                Ok::<_, StoreError>(())
            })
            .expect("it reads");
    });
}
