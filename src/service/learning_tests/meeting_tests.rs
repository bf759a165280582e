//! Transactions that meet: one waits for another, and what it then writes must fit what it finds.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Timer};

use super::*;

/// A request arrives, waits for a group's lock, and goes on when a later one has written: its instant is the earlier.
#[test]
fn nobody_is_enrolled_before_they_were_a_member_when_requests_overtake_each_other() {
    story(|db, scope| {
        let (_, ann) = account(db, scope, "ann", true)?;
        let (bob_user, bob) = account(db, scope, "bob", true)?;
        learners::revoke(db, scope, ann)?;
        learners::revoke(db, scope, bob)?;
        let sales = group(db, scope, "Sales")?.id;
        let (first, second) = (course(db, scope, "First")?, course(db, scope, "Second")?);
        assign(db, scope, sales, first)?;
        let late = Scope {
            now: Instant(START + 50),
            ..scope.clone()
        };
        push(db, &late, sales, &[bob_user])?;
        // Arrived before the push, got the lock after it.
        learners::approve(db, scope, bob)?;
        assign(db, scope, sales, second)?;
        let since = "SELECT min(required_since) AS n FROM enrollment_reasons";
        assert_eq!(number(db, since)?, START + 50, "S-07, S-10");
        assert_eq!(enrolled(db, scope, bob)?.len(), 2);
        Ok(())
    });
}

#[test]
fn a_period_never_ends_before_it_began_when_requests_overtake_each_other() {
    story(|db, scope| {
        let (user, ann) = account(db, scope, "ann", true)?;
        let sales = group(db, scope, "Sales")?.id;
        let security = course(db, scope, "Security")?;
        let late = Scope {
            now: Instant(START + 50),
            ..scope.clone()
        };
        let assigned = assign(db, &late, sales, security)?;
        push(db, &late, sales, &[user])?;
        learners::revoke(db, &late, ann)?;
        learners::approve(db, scope, ann)?;
        pull(db, scope, sales, user)?;
        assignments::remove(db, scope, assigned.row.id)?;
        for backward in [
            "SELECT count(*) AS n FROM memberships WHERE ended_at < added_at",
            "SELECT count(*) AS n FROM enrollment_reasons WHERE ended_at < recorded_at",
            "SELECT count(*) AS n FROM assignments WHERE ended_at < created_at",
            "SELECT count(*) AS n FROM learner_periods WHERE ended_at < began_at",
            "SELECT count(*) AS n FROM enrollment_reasons r JOIN learner_periods p ON p.learner_id = r.learner_id \
             WHERE p.approval = 'approved' AND p.ended_at < r.recorded_at",
        ] {
            assert_eq!(number(db, backward)?, 0, "{backward}");
        }
        Ok(())
    });
}

/// A transaction on a thread of its own that stops where it is told to, holding what it has locked.
struct Held {
    thread: JoinHandle<()>,
    reached: Receiver<()>,
    go_on: Sender<()>,
}

/// Runs `job` in a transaction and keeps that open until [`Held::commit`].
fn held(store: &Store, job: impl Fn(&mut Db) -> Result<(), ServiceError> + Send + 'static) -> Held {
    let (reach, reached) = channel();
    let (go_on, wait) = channel::<()>();
    let store = store.clone();
    let thread = std::thread::spawn(move || {
        let done: Result<(), ServiceError> = store.write_blocking("held", move |db| {
            job(db)?;
            reach.send(()).ok();
            wait.recv().ok();
            Ok(())
        });
        if let Err(error) = done {
            panic!("the held transaction: {error}");
        }
    });
    Held {
        thread,
        reached,
        go_on,
    }
}

impl Held {
    /// Waits until everything of it is written, but for the commit.
    fn reached(self) -> Self {
        self.reached
            .recv()
            .expect("the held transaction gets there");
        self
    }

    /// Lets it go on, and waits for its end.
    fn commit(self) {
        self.go_on.send(()).ok();
        self.thread.join().expect("the held transaction commits");
    }
}

/// Waits until a transaction of this database waits for another one.
fn until_one_waits(store: &Store) {
    let sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let started = Timer::now();
    while store
        .read_blocking(|db| db.number(Stmt::new(sql)))
        .expect("the catalog")
        == 0
    {
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "nobody waits for anybody"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn write<T: Send + 'static>(
    store: &Store,
    job: impl Fn(&mut Db) -> Result<T, ServiceError> + Send + 'static,
) -> T {
    match store.write_blocking("write", job) {
        Ok(value) => value,
        Err(error) => panic!("the write: {error}"),
    }
}

#[test]
fn an_approval_that_waited_for_a_push_meets_the_assignment_that_follows() {
    let Some(store) = testing::postgres() else {
        return;
    };
    for many in [false, true] {
        let (scope, ann, user, sales, security) = write(&store, move |db| {
            run(db, "DELETE FROM tenants", Vec::new())?;
            let scope = begin(db)?;
            let (user, ann) = account(db, &scope, &format!("ann{many}"), true)?;
            learners::revoke(db, &scope, ann)?;
            let sales = group(db, &scope, &format!("Sales{many}"))?.id;
            let security = course(db, &scope, "Security")?;
            Ok((scope, ann, user, sales, security))
        });
        // Holds the learner as a push does, so that the approval stands still behind its look at the groups.
        let reader = held(&store, move |db| {
            let sql = "SELECT version AS n FROM learners WHERE id = ? FOR KEY SHARE";
            db.number(Stmt::new(sql).bind(ann))?;
            Ok(())
        })
        .reached();
        let approval = std::thread::spawn({
            let (store, scope) = (store.clone(), scope.clone());
            move || {
                let ids = vec![ann];
                write(&store, move |db| {
                    if many {
                        let these = approvals::Approvals::These(ids.clone());
                        approvals::approve_many(db, &scope, &these)?;
                    } else {
                        learners::approve(db, &scope, ann)?;
                    }
                    Ok(())
                });
            }
        });
        until_one_waits(&store);
        let pushing = scope.clone();
        write(&store, move |db| {
            groups::find(db, &pushing, sales)?;
            push(db, &pushing, sales, &[user])?;
            Ok(())
        });
        let assigning = scope.clone();
        let assignment = held(&store, move |db| {
            assign(db, &assigning, sales, security)?;
            Ok(())
        })
        .reached();
        reader.commit();
        until_one_waits(&store);
        assignment.commit();
        approval.join().expect("the approval commits");
        let findings = store
            .read_blocking(|db| check::check(db, TENANT, Instant(START + DAY)))
            .expect("the check runs");
        assert_eq!(findings, [], "S-07, S-10, 4.4: many = {many}");
    }
}

#[test]
fn a_push_that_waited_for_the_end_of_an_account_adds_nobody() {
    let Some(store) = testing::postgres() else {
        return;
    };
    let (scope, ann, user, sales) = write(&store, |db| {
        let scope = begin(db)?;
        let (user, ann) = account(db, &scope, "ann", true)?;
        let sales = group(db, &scope, "Sales")?.id;
        Ok((scope, ann, user, sales))
    });
    let ending = scope.clone();
    let end = held(&store, move |db| {
        end_account(db, &ending, user, ann)?;
        Ok(())
    })
    .reached();
    let pushing = std::thread::spawn({
        let (store, scope) = (store.clone(), scope);
        move || {
            write(
                &store,
                move |db| Ok(push(db, &scope, sales, &[user])?.added),
            )
        }
    });
    until_one_waits(&store);
    end.commit();
    assert_eq!(pushing.join().expect("the push commits"), 0);
    let findings = store
        .read_blocking(|db| check::check(db, TENANT, Instant(START + DAY)))
        .expect("the check runs");
    assert_eq!(findings, [], "§8");
}

/// A push that has looked and not committed, and somebody who then changes what the whole tenant owes: whoever of the two is
/// later sees the other. `begin_so` says who pushes, `change` makes the tenant owe again.
fn nobody_is_missed(
    begin_so: impl Fn(&mut Db, &Scope) -> Result<Scope, ServiceError> + Copy + Send + Sync + 'static,
    change: impl Fn(&mut Db, &Scope, &Scope) -> Result<(), ServiceError> + Copy + Send + Sync + 'static,
) {
    let Some(store) = testing::postgres() else {
        return;
    };
    let (scope, pushing, user, sales) = write(&store, move |db| {
        let scope = begin(db)?;
        let pushing = begin_so(db, &scope)?;
        let (user, _) = account(db, &pushing, "ann", true)?;
        let sales = group(db, &scope, "Sales")?.id;
        let security = course(db, &scope, "Security")?;
        assign(db, &scope, sales, security)?;
        Ok((scope, pushing, user, sales))
    });
    let observes = pushing.connection.is_some();
    write(&store, move |db| {
        let sql = if observes {
            "UPDATE connections SET mode = 'observe'"
        } else {
            "UPDATE tenants SET plan = 'starter'"
        };
        run(db, sql, Vec::new())
    });
    let push_scope = pushing.clone();
    let pushed = held(&store, move |db| {
        groups::find(db, &push_scope, sales)?;
        crate::store::queries::groups_learning::lock(db, TENANT, &[sales])?;
        push(db, &push_scope, sales, &[user])?;
        Ok(())
    })
    .reached();
    let changing = std::thread::spawn({
        let (store, scope, pushing) = (store.clone(), scope.clone(), pushing.clone());
        move || write(&store, move |db| change(db, &scope, &pushing))
    });
    until_one_waits(&store);
    pushed.commit();
    changing.join().expect("the change commits");
    let findings = store
        .read_blocking(|db| check::check(db, TENANT, Instant(START + DAY)))
        .expect("the check runs");
    assert_eq!(findings, [], "I-2");
}

#[test]
fn a_plan_that_comes_back_misses_nobody_who_is_being_pushed() {
    use crate::learning::plan::SubscriptionPlan;
    nobody_is_missed(
        |_, scope| Ok(scope.clone()),
        |db, scope, _| {
            super::super::tenants::set_plan(db, scope, SubscriptionPlan::Business).map(drop)
        },
    );
}

#[test]
fn a_connection_that_goes_live_misses_nobody_whom_it_is_pushing() {
    use super::super::connections::{ConnectionFields, edit};
    nobody_is_missed(
        |db, scope| directory(db, scope, "okta", true, true),
        |db, scope, pushing| {
            let fields = ConnectionFields {
                mode: Some("live".to_owned()),
                ..ConnectionFields::default()
            };
            match &pushing.connection {
                Some(connection) => edit(db, scope, connection.id, &fields).map(drop),
                None => Ok(()),
            }
        },
    );
}

/// A group that is being made, with a member, while the plan comes back: nobody can lock what is not there yet.
#[test]
fn a_plan_that_comes_back_waits_for_groups_that_are_being_made() {
    use crate::learning::plan::SubscriptionPlan;
    let Some(store) = testing::postgres() else {
        return;
    };
    let (scope, user, security) = write(&store, |db| {
        let scope = begin(db)?;
        let (user, _) = account(db, &scope, "ann", true)?;
        let security = course(db, &scope, "Security")?;
        Ok((scope, user, security))
    });
    let making = scope.clone();
    let made = held(&store, move |db| {
        let sales = group(db, &making, "Sales")?.id;
        assign(db, &making, sales, security)?;
        // As if the plan ended just after the group was allowed: what is written now owes nothing.
        run(
            db,
            "UPDATE learners SET approval = 'pending' WHERE tenant_id = ?",
            vec![TENANT.into()],
        )?;
        push(db, &making, sales, &[user])?;
        run(
            db,
            "UPDATE learners SET approval = 'approved' WHERE tenant_id = ?",
            vec![TENANT.into()],
        )?;
        Ok(())
    })
    .reached();
    let upgrading = std::thread::spawn({
        let (store, scope) = (store.clone(), scope);
        move || {
            write(&store, move |db| {
                super::super::tenants::set_plan(db, &scope, SubscriptionPlan::Business).map(drop)
            });
        }
    });
    until_one_waits(&store);
    made.commit();
    upgrading.join().expect("the upgrade commits");
    let findings = store
        .read_blocking(|db| check::check(db, TENANT, Instant(START + DAY)))
        .expect("the check runs");
    assert_eq!(findings, [], "I-2");
}
