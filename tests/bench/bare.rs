//! The bare limits of storage: the statements of each operation through `Store`, with rows made beforehand, and nothing
//! else: no HTTP, no JSON, no rules.

use std::time::Instant as Stopwatch;

use rollcall::ids::{GroupId, LearnerId, RequestId, UserId};
use rollcall::learning::learner::{Approval, RegisteredVia, Registration};
use rollcall::learning::membership::Source;
use rollcall::service::{ServiceError, assignments};
use rollcall::store::queries::enroll::EnrollScope;
use rollcall::store::queries::events::By;
use rollcall::store::queries::learners::NewLearner;
use rollcall::store::queries::memberships::Origin;
use rollcall::store::queries::sync_log::SyncRow;
use rollcall::store::queries::users::{COLUMNS, NewUser, UserRow};
use rollcall::store::queries::values::ValueRow;
use rollcall::store::queries::{
    counters, enroll, groups_directory, learners, membership_views, memberships, sync_log, users,
    values,
};
use rollcall::store::statement::Stmt;
use rollcall::store::{Db, StoreError};

use crate::load::{self, Load, Sample};
use crate::world::{World, in_turn, now, scope, seed_course, seeded_name, user, write};

fn by() -> By {
    By {
        actor: "bench".to_owned(),
        request: RequestId::new(),
        at: now(),
    }
}

/// The row of the sync log that each write carries.
fn log_row(world: &World, operation: &str, body: &str) -> SyncRow {
    SyncRow {
        tenant_id: world.tenant.0,
        id: RequestId::new(),
        at: now().0,
        connection_id: None,
        token_hint: "…beef".to_owned(),
        method: "POST".to_owned(),
        path: "/scim/v2/Users".to_owned(),
        operation: operation.to_owned(),
        resource_type: Some("User".to_owned()),
        resource_id: Some(UserId::new().to_string()),
        resource_label: Some("ines".to_owned()),
        external_id: None,
        outcome: "success".to_owned(),
        http_status: 200,
        scim_type: None,
        detail: None,
        duration_us: 100,
        members_added: 0,
        members_ended: 0,
        enrollments: 0,
        notes: "[]".to_owned(),
        changes: "{}".to_owned(),
        request_body: Some(body.to_owned()),
        response_body: Some(body.to_owned()),
        user_agent: None,
    }
}

fn store_write(world: &World, load: Load, job: impl Fn() -> Option<Job> + Sync) -> Sample {
    load::run(
        load,
        || (),
        |()| {
            let mut job = job()?;
            Some(
                world
                    .store
                    .write_blocking("bench", move |db| job(db))
                    .is_ok(),
            )
        },
    )
}

type Job = Box<dyn FnMut(&mut Db) -> Result<(), StoreError> + Send>;

/// Short reads where the server does them: on the calling thread with SQLite, on the pool with PostgreSQL.
fn store_read(world: &World, load: Load, job: impl Fn() -> Job + Sync) -> Sample {
    load::run(
        load,
        || {
            tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime")
        },
        |runtime| {
            let mut job = job();
            Some(
                runtime
                    .block_on(world.store.read_short(move |db| job(db)))
                    .is_ok(),
            )
        },
    )
}

pub fn create_users(world: &World, load: Load) -> Sample {
    let tenant = world.tenant;
    store_write(world, load, || {
        let name = format!("bare{}@acme.test", world.next());
        let (id, learner, doc) = (UserId::new(), LearnerId::new(), user(&name).to_string());
        let log = log_row(world, "create", &doc);
        let account = NewUser {
            id,
            learner_id: learner,
            connection_id: None,
            user_name: name.clone(),
            user_name_key: name.clone(),
            external_id: Some(format!("x-{name}")),
            display_name_key: Some("ines valdarno".to_owned()),
            active: Some(true),
            created_at: now(),
            doc,
        };
        let person = NewLearner {
            registration: Registration::Registered,
            approval: Approval::Approved,
            active: true,
            display_name: "Ines Valdarno".to_owned(),
            email: Some(name.clone()),
            registered_via: RegisteredVia::Scim,
        };
        let value = |attr: i64, key: &str| ValueRow {
            attr,
            value_key: key.to_owned(),
            ord: 0,
            type_key: Some("work".to_owned()),
            is_primary: true,
        };
        let rows = [value(1, &name), value(2, "+49 30 5550123")];
        let by = by();
        Some(Box::new(move |db| {
            learners::insert(db, tenant, learner, &person, &by)?;
            users::insert(db, tenant, &account)?;
            values::replace_all(db, tenant, id, &rows)?;
            counters::add(db, tenant, "users", id.0, 1)?;
            sync_log::insert(db, std::slice::from_ref(&log)).map(drop)
        }))
    })
}

pub fn get_users(world: &World, load: Load) -> Sample {
    let tenant = world.tenant;
    store_read(world, load, || {
        let id = world.some_user();
        Box::new(move |db| {
            users::find(db, tenant, id)?;
            membership_views::groups_of(db, tenant, &[id]).map(drop)
        })
    })
}

pub fn find_users(world: &World, load: Load) -> Sample {
    let tenant = world.tenant;
    store_read(world, load, || {
        let key = seeded_name(world.next().wrapping_mul(7_919) as usize % world.users.len());
        Box::new(move |db| {
            if let Some(row) = users::find_by_user_name(db, tenant, &key)? {
                membership_views::groups_of(db, tenant, &[row.id])?;
            }
            Ok(())
        })
    })
}

pub fn list_users(world: &World, load: Load) -> Sample {
    let tenant = world.tenant;
    store_read(world, load, || {
        Box::new(move |db| {
            counters::sum(db, tenant, "users")?;
            let page: Vec<UserRow> = db.load(
                Stmt::new(format!("SELECT {COLUMNS} FROM users r WHERE r.tenant_id = ? AND r.deleted_at IS NULL ORDER BY r.created_at, r.id LIMIT 100"))
                    .bind(tenant),
            )?;
            let ids: Vec<UserId> = page.iter().map(|row| row.id).collect();
            membership_views::groups_of(db, tenant, &ids).map(drop)
        })
    })
}

pub fn patch_users(world: &World, load: Load) -> Sample {
    let tenant = world.tenant;
    store_write(world, load, || {
        let id = world.some_user();
        let log = log_row(
            world,
            "patch",
            "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"]}",
        );
        let title = format!("Title {}", world.next());
        Some(Box::new(move |db| {
            if let Some(mut row) = users::find_for_update(db, tenant, id)? {
                row.version += 1;
                row.modified_at = now();
                row.doc = row.doc.replace("Engineer", &title);
                let key = row.user_name.clone();
                users::replace(db, tenant, &row, &key, Some("ines valdarno"))?;
                membership_views::groups_of(db, tenant, &[id])?;
            }
            sync_log::insert(db, std::slice::from_ref(&log)).map(drop)
        }))
    })
}

/// The statements that add one member.
fn add_one(world: &World, group: GroupId, user: UserId) -> Job {
    let tenant = world.tenant;
    let log = log_row(
        world,
        "patch",
        "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"]}",
    );
    let by = by();
    Box::new(move |db| {
        let Some(row) = groups_directory::find_for_update(db, tenant, group)? else {
            return Ok(());
        };
        memberships::known_users(db, tenant, &[user])?;
        let origin = Origin {
            source: Source::Scim,
            connection: None,
        };
        let added = memberships::add(db, tenant, group, &[user], origin, &by)?;
        let periods = added.iter().map(|one| one.id).collect();
        enroll::enroll(db, tenant, &EnrollScope::Memberships(periods), &by)?;
        groups_directory::touch(db, tenant, group, row.version + 1, by.at)?;
        sync_log::insert(db, std::slice::from_ref(&log)).map(drop)
    })
}

pub fn add_members(world: &World, load: Load, group: usize) -> Sample {
    let group = &world.groups[group];
    store_write(world, load, || {
        Some(add_one(world, group.id, world.outsider(group)?))
    })
}

pub fn add_members_in_turn(world: &World, rounds: usize) -> Vec<Sample> {
    in_turn(&world.groups, rounds, |group| {
        let mut job = add_one(world, group.id, world.outsider(group)?);
        let started = Stopwatch::now();
        let good = world
            .store
            .write_blocking("bench", move |db| job(db))
            .is_ok();
        Some((started.elapsed(), good))
    })
}

pub fn assign_courses(world: &World, times: usize) -> Sample {
    let Some(group) = world.groups.last() else {
        return Sample::default();
    };
    let (tenant, id) = (world.tenant, group.id);
    let mut number = 0;
    let mut samples = in_turn(std::slice::from_ref(group), times, |_| {
        number += 1;
        let course = seed_course(&world.store, tenant, &format!("Assigned bare {number}"));
        let started = Stopwatch::now();
        write(&world.store, move |db| {
            assignments::assign(
                db,
                &scope(tenant),
                id,
                course,
                rollcall::learning::assignment::Options::default(),
            )?;
            Ok::<(), ServiceError>(())
        });
        Some((started.elapsed(), true))
    });
    samples.pop().unwrap_or_default()
}
