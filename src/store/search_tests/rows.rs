//! Rows that are replaced and ended.

use super::*;

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
                kind: Kind::User,
                filter: Some(&filter),
                order: Order::Natural,
                offset: 0,
                limit: 10,
                resource_type: None,
            },
            &mut 0,
        );
        assert_eq!(page.total, 0);
    });
}
