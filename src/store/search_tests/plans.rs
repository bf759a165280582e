//! Which index a search follows.

use super::*;
use crate::store::queries::search::{Gap, Position};

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
        Db::Sqlite(conn, _) => {
            let rows: Vec<Detail> = explained.load(conn).expect("it explains");
            rows.into_iter().map(|row| row.detail + "\n").collect()
        }
        Db::Postgres(conn, _) => {
            let rows: Vec<Plan> = explained.load(conn).expect("it explains");
            rows.into_iter().map(|row| row.plan + "\n").collect()
        }
    }
}

/// Enough rows for PostgreSQL to care, and its statistics.
pub(super) fn fill_many(store: &Store) {
    fill(store, false);
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
                if let Db::Postgres(..) = db {
                    db.batch("ANALYZE")?;
                }
            }
        Ok(())
    });
}

#[test]
fn frequent_searches_follow_their_index() {
    on_both(|store| {
        fill_many(store);
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
                    let stmt = page_statements::<UserRow>(
                        db,
                        (TENANT, Kind::User),
                        Some(&filter),
                        Order::Natural,
                        Ok(0),
                    )
                    .swap_remove(0);
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
                    let stmt = page_statements::<GroupRow>(
                        db,
                        (TENANT, Kind::Group),
                        Some(&filter),
                        Order::Natural,
                        Ok(0),
                    )
                    .swap_remove(0);
                    check(db, &text, stmt, index);
                }
                assert!(wrong.is_empty(), "{}", wrong.join("\n"));
                Ok::<_, StoreError>(())
            })
            .expect("it reads");
    });
}

/// What walks all of an order is that order's index: the first page, a deep one by index and one by cursor, in both directions,
/// for those with a value and those without one (P-11, K-12).
#[test]
fn pages_of_hot_attributes_follow_the_index_of_their_order() {
    on_both(|store| {
        fill_many(store);
        store
            .read_blocking(|db| {
                let mut wrong = Vec::new();
                for descending in [false, true] {
                    for (by, index) in [
                        ("", "users_created"),
                        ("userName", "users_user_name"),
                        ("externalId", "users_external_id"),
                        ("displayName", "users_display_name"),
                        ("meta.created", "users_created"),
                        ("meta.lastModified", "users_modified"),
                    ] {
                        wrong.extend(strays::<UserRow>(db, Kind::User, (by, index), descending));
                    }
                    for (by, index) in [
                        ("", "learner_groups_created"),
                        ("displayName", "learner_groups_name"),
                        ("externalId", "learner_groups_external_id"),
                        ("meta.created", "learner_groups_created"),
                        ("meta.lastModified", "learner_groups_modified"),
                    ] {
                        wrong.extend(strays::<GroupRow>(db, Kind::Group, (by, index), descending));
                    }
                }
                assert!(wrong.is_empty(), "{}", wrong.join("\n"));
                Ok::<_, StoreError>(())
            })
            .expect("it reads");
    });
}

/// The plans of an order's pages that do not follow its index, or sort what it already gives.
fn strays<R: Listed>(
    db: &mut Db,
    kind: Kind,
    (by, index): (&str, &str),
    descending: bool,
) -> Vec<String> {
    let order = match by {
        "" => Order::Natural,
        by => {
            let attr = resource_type(kind).attr(by).expect("an attribute");
            let column = sort_column(kind, &attr).expect("a column");
            Order::Column { column, descending }
        }
    };
    let position = |key| {
        Gap::After(Position {
            key,
            id: uuid::Uuid::nil(),
        })
    };
    let key = match by {
        "" | "meta.created" | "meta.lastModified" => SortKey::Instant(Instant(101_000)),
        _ => SortKey::Text("m".to_owned()),
    };
    let (middle, unassigned) = (position(key), position(SortKey::Missing));
    let mut froms = vec![Ok(0), Ok(4000), Err(&middle)];
    if by == "externalId" || (by == "displayName" && kind == Kind::User) {
        froms.push(Err(&unassigned));
    }
    let mut wrong = Vec::new();
    for from in froms {
        for stmt in page_statements::<R>(db, (TENANT, kind), None, order, from) {
            let text = plan(db, &stmt);
            // a deep page sorts what it shows, and fetches it as the size of the table suggests; the keys it skips come in order
            let skipping = match text.split_once("Limit") {
                Some((_, inner)) if from == Ok(4000) => inner,
                _ => text.as_str(),
            };
            let sorts = if matches!(db, Db::Sqlite(..)) {
                from != Ok(4000) && text.contains("TEMP B-TREE")
            } else {
                skipping.contains("Sort  (")
            };
            let scans = skipping.contains("Seq Scan")
                || text.lines().any(|line| line.starts_with("SCAN r"));
            if sorts || scans || !text.contains(index) {
                wrong.push(format!(
                    "{by} {descending} {from:?} does not follow {index}:\n{text}"
                ));
            }
        }
    }
    wrong
}
