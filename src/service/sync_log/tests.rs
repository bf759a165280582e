//! The log against a real store: what is recorded is what is read, page by page, and nothing that was taken is lost.

use serde_json::json;

use super::*;
use crate::store::Store;
use crate::store::listing::{Paging, Place};
use crate::store::testing::on_both;

fn scope(tenant: i64) -> Scope {
    Scope::system(TenantId(tenant), "test", Instant(1_800_000_000_000))
}

fn entry(scope: &Scope, operation: Operation, outcome: Outcome) -> SyncEntry {
    let body = r#"{"userName":"ann","password":"hunter2"}"#;
    let mut entry = SyncEntry::start(
        scope,
        operation,
        "POST",
        "/scim/v2/Users",
        Some(body),
        Sender {
            user_agent: Some("okta/1".to_owned()),
            ip: Some("203.0.113.0/24".to_owned()),
            trace: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
        },
    );
    entry.resource(
        "User",
        "0199a2c4-0000-7000-8000-000000000001",
        Some("ann"),
        Some("00u1"),
    );
    entry.notes = vec![Note::new("password_discarded", "password")];
    entry.changes = json!({"title": ["a", "b"]});
    entry.members_added = 1;
    entry.enrollments = 2;
    entry.finish(outcome, 201, Some("{\"id\":\"x\0\"}"))
}

/// The whole log, page by page.
fn walk(store: &Store, scope: &Scope, limit: i64) -> Vec<SyncRequest> {
    let mut all: Vec<SyncRequest> = Vec::new();
    loop {
        let paging = Paging {
            after: all.last().map(|one| Place::id(one.id.0)),
            ..Paging::first(limit)
        };
        let found = store
            .read_blocking(|db| page(db, scope, &Query::default(), &paging))
            .expect("a page");
        if found.rows.is_empty() {
            return all;
        }
        all.extend(found.rows);
    }
}

#[test]
fn what_is_recorded_is_what_is_read() {
    on_both(|store| {
        let (scope, id) = (scope(1), RequestId::new());
        let scope = Scope {
            request: id,
            ..scope
        };
        let wanted = entry(&scope, Operation::Create, Outcome::Success);
        let writer = scope.clone();
        store
            .write_blocking("log", move |db| record(db, &writer, wanted.clone()))
            .expect("recorded");
        let found = store
            .read_blocking(|db| find(db, &scope, id))
            .expect("found");
        assert_eq!(
            (
                found.operation.as_str(),
                found.outcome.as_str(),
                found.http_status
            ),
            ("create", "success", 201)
        );
        assert_eq!(found.resource_label.as_deref(), Some("ann"));
        assert_eq!(
            found.warnings.get(),
            r#"[{"code":"password_discarded","path":"password"}]"#
        );
        assert_eq!(found.diff.get(), r#"{"title":["a","b"]}"#);
        assert_eq!(
            found.request_body.as_deref(),
            Some(r#"{"userName":"ann","password":"[redacted]"}"#)
        );
        assert_eq!(
            found.response_body.as_deref(),
            Some("{\"id\":\"x\u{fffd}\"}"),
            "no NUL reaches PostgreSQL"
        );
        assert_eq!(
            (found.effects.members_added, found.effects.enrollments),
            (1, 2)
        );
        assert!(
            store
                .read_blocking(|db| find(db, &self::scope(2), id))
                .is_err(),
            "another tenant's row does not exist"
        );
        let page = store
            .read_blocking(|db| page(db, &scope, &Query::default(), &Paging::first(10)))
            .expect("a page");
        assert!(
            page.rows
                .iter()
                .all(|request| request.request_body.is_none()),
            "lists carry no bodies"
        );
    });
}

#[test]
fn pages_run_from_the_newest_to_the_oldest_without_gap_or_repeat() {
    on_both(|store| {
        let scope = scope(1);
        let entries: Vec<SyncEntry> = (0..75)
            .map(|n| {
                let scope = Scope {
                    request: RequestId::new(),
                    ..scope.clone()
                };
                let outcome = if n % 3 == 0 {
                    Outcome::NoOp
                } else {
                    Outcome::Success
                };
                entry(&scope, Operation::Patch, outcome)
            })
            .collect();
        let (rows, count) = (entries.clone(), entries.len());
        let insert = move |db: &mut Db| {
            let rows: Vec<_> = rows
                .iter()
                .cloned()
                .map(|entry| entry.row(TenantId(1)))
                .collect();
            Ok::<_, ServiceError>((sync_log::insert(db, &rows)?, sync_log::insert(db, &rows)?))
        };
        assert_eq!(
            store.write_blocking("log", insert).expect("inserted"),
            (count, 0),
            "each id once"
        );
        let seen: Vec<RequestId> = walk(store, &scope, 20).iter().map(|one| one.id).collect();
        let mut expected: Vec<RequestId> = entries.iter().map(|entry| entry.id).collect();
        expected.sort_by(|one, two| two.cmp(one));
        assert_eq!(seen, expected);
        let no_ops = Query {
            outcomes: vec![Outcome::NoOp],
            operations: vec![Operation::Patch],
            ..Query::default()
        };
        assert_eq!(
            store
                .read_blocking(|db| page(db, &scope, &no_ops, &Paging::first(200)))
                .expect("a page")
                .rows
                .len(),
            25
        );
    });
}

#[test]
fn a_flush_finds_everything_logged_before_it() {
    on_both(|store| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let logger = SyncLogger::start(store.clone());
            for _ in 0..1000 {
                let scope = Scope {
                    request: RequestId::new(),
                    ..scope(1)
                };
                logger.log(
                    TenantId(1),
                    entry(&scope, Operation::Read, Outcome::Success),
                );
            }
            logger.flush().await;
            assert_eq!(logger.dropped(), 0);
        });
        let total = walk(store, &scope(1), 200).len();
        assert_eq!(total, 1000);
    });
}

#[test]
fn a_full_queue_drops_and_counts_and_never_waits() {
    let store = crate::store::testing::sqlite();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let logger = SyncLogger::start(store);
        // The writer shares this thread, so it cannot empty the queue meanwhile.
        for _ in 0..20_000 {
            let scope = Scope {
                request: RequestId::new(),
                ..scope(1)
            };
            logger.log(
                TenantId(1),
                entry(&scope, Operation::Read, Outcome::Success),
            );
        }
        assert_eq!(logger.dropped(), 20_000 - 16_384);
        logger.flush().await;
    });
}
