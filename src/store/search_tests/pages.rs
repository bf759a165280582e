//! Pages and their order.

use super::*;

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
                            kind: Kind::User,
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
