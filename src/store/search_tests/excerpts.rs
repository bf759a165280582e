//! What excerpts of the documents decide is what reading all of them decides.

use super::*;
use crate::store::queries::search::{Gap, Seek, Sought, position, seek};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Users 1 to 4 and what their documents say, as the service stores them.
fn documents() -> Vec<Value> {
    vec![
        json!({"schemas": [CORE, ENTERPRISE], "userName": "ada@x.test", "active": true, "title": "Director",
            "name": {"familyName": "Lovelace"}, ENTERPRISE: {"department": "Engines", "manager": {"value": "m"}}}),
        json!({"schemas": [CORE], "userName": "bob", "active": false, "title": "C++ \"guru\" \\ ]", "nickName": "\"title\":\"Director\""}),
        json!({"schemas": [CORE, ENTERPRISE], "userName": "straße", "name": {"familyName": "title"}, ENTERPRISE: {"department": "sales"}}),
        json!({"schemas": [CORE], "userName": "dora", "active": true, "title": "director", "preferredLanguage": "Straße"}),
    ]
}

fn fill_documents(store: &Store, more: Option<Value>) {
    fill(store, false);
    write(store, move |db| {
        let mut all = documents();
        if let (Some(more), Some(last)) = (more.clone(), all.last_mut()) {
            *last = more;
        }
        for (number, document) in (1_u8..).zip(all) {
            db.execute(
                Stmt::new("UPDATE users SET doc = ?, active = ? WHERE tenant_id = ? AND id = ?")
                    .bind(document.to_string())
                    .bind(document.get("active").and_then(Value::as_bool))
                    .bind(TENANT)
                    .bind(user_id(number)),
            )?;
        }
        Ok(())
    });
}

/// How many rows the judge saw for a filter whose pages are as the judge's own.
fn judged(store: &Store, text: &str) -> usize {
    let filter = checked(Kind::User, text);
    let of = resource_type(Kind::User);
    let expected: Vec<uuid::Uuid> = everything::<UserRow>(store)
        .iter()
        .filter(|row| verdict(*row, |it| eval::matches(&filter, it)))
        .map(Listed::id)
        .collect();
    let mut seen = 0;
    for (offset, limit) in [(0, ALL), (1, 2), (0, 0), (9, 2)] {
        let wanted = Search {
            kind: Kind::User,
            filter: Some(&filter),
            order: Order::Natural,
            offset,
            limit,
            resource_type: Some(&of),
        };
        let page = run::<UserRow>(store, wanted, &mut seen);
        let found: Vec<uuid::Uuid> = page.rows.iter().map(Listed::id).collect();
        let part: Vec<uuid::Uuid> = expected.iter().copied().skip(offset).take(limit).collect();
        assert_eq!(found, part, "{text}");
        assert_eq!(
            page.total,
            i64::try_from(expected.len()).expect("few"),
            "{text}"
        );
    }
    assert_eq!(walk(store, &filter, &mut seen), expected, "{text}");
    seen
}

/// All matches from place to place, two at a time.
fn walk(store: &Store, filter: &CheckedFilter, seen: &mut usize) -> Vec<uuid::Uuid> {
    let of = resource_type(Kind::User);
    let (mut all, mut from, mut total) = (Vec::new(), Gap::Start, None);
    loop {
        let next = store.read_blocking(|db| {
            let step = Seek {
                kind: Kind::User,
                filter: Some(filter),
                order: Order::Natural,
                from: &from,
                back: false,
                limit: 2,
                counts: total.is_none(),
                total,
                resource_type: Some(&of),
            };
            let found = seek::<UserRow, StoreError>(db, TENANT, &step, &mut |_, rows| {
                *seen += rows.len();
                let passes = |row| verdict(row, |it| eval::matches(filter, it));
                Ok(rows
                    .iter()
                    .map(|row| passes(row).then_some(SortKey::Missing))
                    .collect())
            })?;
            let Sought::Rows { rows, total: told } = found else {
                panic!("too many")
            };
            total = total.or(told);
            all.extend(rows.iter().map(|(row, _)| row.id()));
            match rows.last() {
                Some((row, _)) if rows.len() == 2 => {
                    position(db, TENANT, Order::Natural, row, None).map(Some)
                }
                _ => Ok(None),
            }
        });
        match next.expect("it seeks") {
            Some(place) => from = Gap::After(place),
            None => {
                assert_eq!(total, i64::try_from(all.len()).ok());
                return all;
            }
        }
    }
}

const FILTERS: [&str; 14] = [
    r#"title eq "DIRECTOR""#,
    r#"title co "guru""#,
    r#"title eq "c++ \"GURU\" \\ ]""#,
    "title pr",
    "not (title pr)",
    r#"title ne "director""#,
    r#"preferredLanguage sw "STRASS""#,
    r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "Sales""#,
    r#"name.familyName eq "title""#,
    r#"title eq "director" and active eq true"#,
    r#"title eq "director" or urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department co "s""#,
    r#"title gt "d""#,
    r#"nickName co "\"title\"""#,
    r#"title eq "nobody""#,
];

#[test]
fn an_attribute_without_an_index_is_decided_by_its_excerpt() {
    on_both(|store| {
        fill_documents(store, None);
        for text in FILTERS {
            assert_eq!(judged(store, text), 0, "{text}");
        }
        // what stands in many places, or is an element, is read
        for text in [r#"name.formatted eq "x""#, r#"addresses[locality eq "x"]"#] {
            assert!(judged(store, text) > 0, "{text}");
        }
    });
}

/// What an operator's schema once allowed may have any name in it.
#[test]
fn documents_with_other_schemas_are_read() {
    for urn in [CUSTOM, "urn:example:gone:1.0:User"] {
        on_both(|store| {
            let more = json!({"schemas": [CORE, urn], "userName": "dora", "active": true, urn: {"old": {"title": "Director"}}});
            fill_documents(store, Some(more));
            let excerpted = judged(store, r#"title eq "director""#) == 0;
            // SQLite looks at the path, not only for the name
            assert_eq!(excerpted, store.sqlite_path().is_some());
        });
    }
}
