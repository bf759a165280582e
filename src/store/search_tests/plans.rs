//! Which index a search follows.

use super::*;

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
                    let stmt =
                        page_statements::<UserRow>(db, (TENANT, Kind::User), None, order, Ok(0))
                            .swap_remove(0);
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
