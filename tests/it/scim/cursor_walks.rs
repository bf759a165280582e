//! Long walks by cursor: over every kind of resource, and among writers. RFC 9865; row K-20.

use std::sync::atomic::{AtomicBool, Ordering};

use super::cursor::{cursor, ids, sizes, walk};
use crate::harness::{Reply, TestApp, group, json, patch};

// K-20, Q-08, Q-11: one kind after the other without a sort, merged with one
#[test]
fn a_walk_at_the_root_shows_every_kind_once() {
    let app = TestApp::new();
    let mut everything = app.users(5);
    for name in ["A", "user-2", "Z"] {
        everything.push(
            app.scim()
                .post("/Groups", &group(name, &[]))
                .expect(201)
                .id(),
        );
    }
    let scim = app.scim();
    let types = |pages: &[Reply]| -> Vec<String> {
        let all = pages.iter().flat_map(|page| {
            page.json["Resources"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        });
        all.map(|one| {
            one["meta"]["resourceType"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
    };
    let plain = walk(&scim, "/", "count=2");
    assert_eq!(ids(&plain), everything);
    assert_eq!(sizes(&plain), [2, 2, 2, 2]);
    assert_eq!(
        types(&plain),
        [
            "User", "User", "User", "User", "User", "Group", "Group", "Group"
        ]
    );
    everything.sort();
    for query in [
        "sortBy=displayName",
        "sortBy=displayName&sortOrder=descending",
        "sortBy=userName",
        "sortBy=meta.created&sortOrder=descending",
        "filter=id pr",
    ] {
        let whole = scim.get(&format!("/?{query}")).expect(200).names("id");
        let there = walk(&scim, "/", &format!("{query}&count=3"));
        assert_eq!(ids(&there), whole, "{query}");
        assert!(there.iter().all(|page| page.json["totalResults"] == 8));
        let previous = cursor(&there[2], "previousCursor").expect("a previous page");
        let back = scim.get(&format!("/?{query}&count=3&cursor={previous}"));
        assert_eq!(back.names("id"), there[1].names("id"), "{query}");
        let mut seen = ids(&there);
        seen.sort();
        assert_eq!(seen, everything, "{query}");
    }
}

// K-20: those who stay are seen once, while others come, change and go
#[test]
fn a_walk_among_writers_sees_everybody_who_stays_once() {
    let app = TestApp::new();
    let mut stable = app.users(40);
    stable.sort();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let (scim, stop, clock) = (app.scim(), &stop, app.clock.clone());
            scope.spawn(move || {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    clock.advance_millis(1);
                    let name = format!("{number}-{writer}@passing.test");
                    let body = json!({ "schemas": [crate::harness::USER], "userName": name, "externalId": name });
                    let id = scim.post("/Users", &body).expect(201).id();
                    let renamed = patch(json!([{ "op": "replace", "path": "userName", "value": format!("z{name}") }]));
                    scim.patch(&format!("/Users/{id}"), &renamed).expect(200);
                    if number % 3 != 0 {
                        scim.delete(&format!("/Users/{id}")).expect(204);
                    }
                }
            });
        }
        let scim = app.scim();
        for query in [
            "count=7",
            "count=7&sortBy=userName",
            "count=7&sortBy=externalId&sortOrder=descending",
            "count=7&sortBy=meta.lastModified&sortOrder=descending",
            "count=7&sortBy=title",
            "count=7&filter=not (nickName pr)",
        ] {
            let mut seen = ids(&walk(&scim, "/Users", query));
            seen.retain(|id| stable.contains(id));
            seen.sort();
            assert_eq!(seen, stable, "{query}");
        }
        stop.store(true, Ordering::Relaxed);
    });
}
