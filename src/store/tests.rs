//! What a store promises of its transactions, on both databases.

use super::statement::Stmt;
use super::testing::{on_both, postgres, sqlite, write};
use super::{Db, StoreError};

fn set(db: &mut Db, name: &str, value: i64) -> Result<usize, StoreError> {
    db.execute(
        Stmt::new("INSERT INTO counters (tenant_id, name, shard, value) VALUES (1, ?, 0, ?)")
            .bind(name)
            .bind(value),
    )
}

fn count(db: &mut Db) -> Result<i64, StoreError> {
    db.number(Stmt::new(
        "SELECT CAST(count(*) AS BIGINT) AS n FROM counters",
    ))
}

#[test]
fn a_write_is_seen_by_the_next_read() {
    on_both(|store| {
        write(store, |db| set(db, "a", 1));
        assert_eq!(
            store
                .read_blocking::<_, StoreError, _>(count)
                .expect("it reads"),
            1
        );
    });
}

#[test]
fn a_failed_or_panicking_job_is_taken_back_alone() {
    let store = sqlite();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // The first job holds the writer until the others wait, so that they share one commit.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let mut jobs: Vec<tokio::task::JoinHandle<Result<usize, StoreError>>> = Vec::new();
        let first = store.clone();
        jobs.push(spawn(async move {
            first
                .write("hold", move |db| {
                    let _ = held.recv();
                    set(db, "first", 0)
                })
                .await
        }));
        for number in 0..30_i64 {
            let store = store.clone();
            jobs.push(spawn(async move {
                store
                    .write("job", move |db| {
                        set(db, &format!("job {number}"), number)?;
                        match number % 3 {
                            0 => Err(StoreError::Retry),
                            1 => panic!("a job that panics"),
                            _ => set(db, &format!("again {number}"), number),
                        }
                    })
                    .await
            }));
        }
        tokio::task::yield_now().await;
        drop(release);
        let mut good = 0;
        for job in jobs {
            match job.await.expect("no task panics") {
                Ok(_) => good += 1,
                Err(StoreError::Retry | StoreError::Panicked("job")) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(good, 11);
        assert_eq!(
            store
                .read::<_, StoreError, _>(count)
                .await
                .expect("it reads"),
            1 + 2 * 10
        );
        assert_eq!(
            store
                .read_short::<_, StoreError, _>(count)
                .await
                .expect("it reads"),
            1 + 2 * 10
        );
    });
}

fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::task::spawn(future)
}

#[test]
fn a_full_queue_refuses_as_busy() {
    let store = super::Store::open(
        "sqlite://:memory:",
        super::StoreOptions {
            queue: 1,
            ..Default::default()
        },
    )
    .expect("it opens");
    let (release, held) = std::sync::mpsc::channel::<()>();
    let super::Engine::Sqlite { writer, .. } = &store.inner.engine else {
        panic!("not SQLite")
    };
    writer
        .submit(
            "hold",
            move |_| {
                let _ = held.recv();
                Ok::<(), StoreError>(())
            },
            |_| (),
        )
        .expect("the first is taken");
    let mut refused = false;
    for _ in 0..3 {
        refused |= matches!(
            writer.submit("more", |_| Ok::<(), StoreError>(()), |_| ()),
            Err(StoreError::Busy(_))
        );
    }
    drop(release);
    assert!(refused);
}

#[test]
fn a_taken_key_is_a_conflict_and_a_savepoint_survives_it() {
    on_both(|store| {
        write(store, |db| set(db, "a", 1));
        let taken = store.write_blocking("test", |db| set(db, "a", 2));
        assert!(matches!(taken, Err(StoreError::Conflict)), "{taken:?}");
        write(store, |db| {
            assert!(matches!(
                db.savepoint(|db| set(db, "a", 2)),
                Err(StoreError::Conflict)
            ));
            set(db, "b", 2)
        });
        assert_eq!(
            store
                .read_blocking::<_, StoreError, _>(count)
                .expect("it reads"),
            2
        );
    });
}

#[test]
fn an_error_swallowed_by_a_job_does_not_pass_as_success_on_postgres() {
    let Some(store) = postgres() else { return };
    write(&store, |db| set(db, "a", 1));
    let result = store.write_blocking("test", |db| {
        drop(set(db, "a", 2));
        Ok::<(), StoreError>(())
    });
    assert!(result.is_err());
}

#[test]
fn a_transaction_that_met_another_runs_again_on_postgres() {
    let Some(store) = postgres() else { return };
    let mut runs = 0;
    let done = store.write_blocking("test", move |db| {
        runs += 1;
        set(db, "a", runs)?;
        if runs < 3 {
            Err(StoreError::Retry)
        } else {
            Ok(runs)
        }
    });
    assert_eq!(done.expect("the third run lasts"), 3);
}

#[test]
fn readers_cannot_write() {
    on_both(|store| {
        assert!(store.read_blocking(|db| set(db, "a", 1)).is_err());
    });
}

#[test]
fn ids_made_by_the_database_are_version_7() {
    #[derive(diesel::QueryableByName)]
    struct Made {
        #[diesel(sql_type = super::SqlId)]
        id: crate::ids::UserId,
    }
    on_both(|store| {
        let made = store
            .read_blocking(|db| {
                let sql = format!("SELECT {} AS id", db.dialect().new_id);
                db.optional::<Made>(Stmt::new(sql))
            })
            .expect("it reads")
            .expect("a row");
        assert_eq!(made.id.0.get_version_num(), 7);
    });
}

#[test]
fn only_the_two_databases_are_opened() {
    for url in ["mysql://x", "rollcall.db", "file://x"] {
        assert!(super::Store::open(url, super::StoreOptions::default()).is_err());
    }
}

/// C28: with every thread taken, a request is refused after a while instead of waiting for ever; then all goes on.
#[test]
fn who_would_wait_too_long_for_a_connection_is_refused_as_busy() {
    let wait = std::time::Duration::from_millis(20);
    let options = super::StoreOptions {
        readers: 2,
        postgres_pool: 2,
        allow_unsafe: true,
        wait,
        ..Default::default()
    };
    let mut urls = vec!["sqlite://:memory:".to_owned()];
    urls.extend(super::testing::fresh_postgres().map(|(url, _)| url));
    for url in urls {
        let store = super::Store::open(&url, options.clone()).expect("it opens");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (started, mut begun) = tokio::sync::mpsc::unbounded_channel();
            let mut releases = Vec::new();
            let mut held = Vec::new();
            for _ in 0..2 {
                let (release, end) = std::sync::mpsc::channel::<()>();
                let (store, started) = (store.clone(), started.clone());
                releases.push(release);
                held.push(spawn(async move {
                    store
                        .read(move |_| {
                            let _ = started.send(());
                            let _ = end.recv();
                            Ok::<(), StoreError>(())
                        })
                        .await
                }));
            }
            for _ in 0..2 {
                begun.recv().await.expect("both have begun");
            }
            let refused = store.read(|_| Ok::<(), StoreError>(())).await;
            assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
            drop(releases);
            for one in held {
                one.await.expect("no panic").expect("it ends well");
            }
            store
                .read(|_| Ok::<(), StoreError>(()))
                .await
                .expect("there is room again");
        });
    }
}

/// A plan for an empty table is no good for a full one, and nobody waits for autovacuum.
#[test]
fn the_planner_hears_of_a_table_that_has_grown() {
    let Some(store) = postgres() else { return };
    write(&store, |db| {
        db.batch(
            "ALTER TABLE counters SET (autovacuum_enabled = off); \
             INSERT INTO counters (tenant_id, name, shard, value) SELECT 1, 'c' || i, 0, 0 FROM generate_series(1, 9000) i",
        )
    });
    assert_eq!(write(&store, Db::grown_tables), ["counters"]);
    write(&store, |db| db.look_at_grown("counters"));
    assert_eq!(write(&store, Db::grown_tables), [""; 0]);
    let known = write(&store, |db| {
        db.number(Stmt::new(
            "SELECT reltuples::bigint AS n FROM pg_class WHERE relname = 'counters'",
        ))
    });
    assert_eq!(known, 9000);
}
