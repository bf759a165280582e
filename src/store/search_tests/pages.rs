//! Pages and their order.

use super::plans::fill_many;
use super::*;
use crate::store::queries::search::{Gap, Seek, Sought, position, seek};

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
                            resource_type: None,
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

/// Many match, but far away in the order: no row is lost or shown twice where the search changes its way (P-11, K-12).
#[test]
fn matches_that_lie_far_away_in_the_order_come_like_any_others() {
    on_both(|store| {
        fill_many(store);
        let at = |millis: i64| Instant(millis).to_string();
        for filter in [
            format!("meta.lastModified gt \"{}\"", at(102_500)),
            format!("meta.lastModified le \"{}\"", at(102_500)),
            format!(
                "meta.lastModified gt \"{}\" and displayName sw \"d\"",
                at(102_500)
            ),
            "displayName ge \"d3\"".to_owned(),
        ] {
            let filter = checked(Kind::User, &filter);
            for (sort_by, descending) in [
                ("meta.created", false),
                ("meta.created", true),
                ("userName", false),
                ("displayName", true),
                ("externalId", false),
            ] {
                let order = order_of(sort_by, descending);
                let all = pages(store, &filter, order, 2000);
                assert!(all.len() > 2000, "{filter:?} {sort_by}");
                assert_eq!(
                    pages(store, &filter, order, 1500),
                    all,
                    "{filter:?} {sort_by}"
                );
                let mut walked = walk(store, &filter, order, false);
                assert_eq!(walked, all, "{filter:?} {sort_by}");
                walked = walk(store, &filter, order, true);
                assert_eq!(walked, all, "{filter:?} {sort_by}");
            }
        }
    });
}

/// The names of all matches, by offsets.
fn pages(store: &Store, filter: &CheckedFilter, order: Order, limit: usize) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let wanted = Search {
            kind: Kind::User,
            filter: Some(filter),
            order,
            offset: all.len(),
            limit,
            resource_type: None,
        };
        let page = run::<UserRow>(store, wanted, &mut 0);
        let shown = page.rows.len();
        all.extend(page.rows.into_iter().map(|row| row.user_name));
        if shown < limit {
            assert_eq!(page.total, i64::try_from(all.len()).expect("few"));
            return all;
        }
    }
}

/// The same from place to place, from the start to the end or `back`.
fn walk(store: &Store, filter: &CheckedFilter, order: Order, back: bool) -> Vec<String> {
    const STEP: usize = 900;
    let mut all: Vec<String> = Vec::new();
    let mut from = if back { Gap::End } else { Gap::Start };
    let mut total = None;
    loop {
        let (rows, next) = store
            .read_blocking(|db| {
                let step = Seek {
                    kind: Kind::User,
                    filter: Some(filter),
                    order,
                    from: &from,
                    back,
                    limit: STEP,
                    counts: total.is_none(),
                    total,
                    resource_type: None,
                };
                let found = seek::<UserRow, StoreError>(db, TENANT, &step, &mut |_, _| {
                    panic!("the database tells")
                })?;
                let Sought::Rows { rows, total: told } = found else {
                    panic!("too many")
                };
                total = total.or(told);
                let rows: Vec<UserRow> = rows.into_iter().map(|(row, _)| row).collect();
                let edge = if back { rows.first() } else { rows.last() };
                let place = match edge {
                    Some(row) => Some(position(db, TENANT, order, row, None)?),
                    None => None,
                };
                Ok::<_, StoreError>((rows, place))
            })
            .expect("it seeks");
        let shown = rows.len();
        let names: Vec<String> = rows.into_iter().map(|row| row.user_name).collect();
        all = if back {
            [names, all].concat()
        } else {
            [all, names].concat()
        };
        match next {
            Some(place) if shown == STEP => {
                from = if back {
                    Gap::Before(place)
                } else {
                    Gap::After(place)
                };
            }
            _ => return all,
        }
    }
}
