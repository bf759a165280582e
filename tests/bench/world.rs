//! The world under load: a seeded database, the server on it, and the operations over HTTP.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use rollcall::auth::permission::TokenKind;
use rollcall::clock::{Clock, Instant};
use rollcall::ids::{CourseId, GroupId, TenantId, UserId};
use rollcall::learning::assignment::Options;
use rollcall::learning::plan::SubscriptionPlan;
use rollcall::scim::schema::Registry;
use rollcall::service::courses::CourseFields;
use rollcall::service::directory::{self, Call, Kind, Parts};
use rollcall::service::tokens::NewToken;
use rollcall::service::{Scope, ServiceError, assignments, courses, tenants, tokens};
use rollcall::store::{Store, StoreOptions};
use serde_json::{Value, json};

use crate::load::{self, Load, Sample};
use crate::statics::Static;
use crate::wire::{self, Connection};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A seeded group with two courses.
pub struct Group {
    pub id: GroupId,
    pub size: usize,
    /// The next user who is not in it.
    next: AtomicUsize,
}

/// Everything.
pub struct World {
    pub store: Store,
    pub tenant: TenantId,
    pub users: Vec<UserId>,
    pub groups: Vec<Group>,
    scim: String,
    api: String,
    address: String,
    server: Child,
    number: AtomicU64,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    /// Seeds a database with groups of these sizes and so many users more, and starts the server on it.
    pub fn open(database: Option<&str>, sizes: &[usize], spare: usize) -> Self {
        let folder = database
            .is_none()
            .then(|| tempfile::tempdir().expect("a temporary folder"));
        let url = match (&folder, database) {
            (Some(folder), _) => format!("sqlite://{}", folder.path().join("bench.db").display()),
            (None, url) => url.unwrap_or_default().to_owned(),
        };
        let started = Stopwatch::now();
        let store = Store::open(
            &url,
            StoreOptions {
                allow_unsafe: true,
                ..StoreOptions::default()
            },
        )
        .expect("the database opens");
        let now = Clock::system().now();
        let name = format!("bench-{}", now.0);
        let (tenant, scim, api) = write(&store, move |db| {
            let tenant = tenants::create(db, &name, SubscriptionPlan::Business, "UTC", now)?.id;
            let scim = tokens::create(db, &NewToken::of(tenant, TokenKind::Scim), now)?.token;
            let api = tokens::create(db, &NewToken::of(tenant, TokenKind::Api), now)?.token;
            Ok((tenant, scim, api))
        });
        let users = seed_users(
            &store,
            tenant,
            sizes.iter().max().copied().unwrap_or(0) + spare,
        );
        let groups = sizes
            .iter()
            .map(|&size| seed_group(&store, tenant, &users, size))
            .collect();
        eprintln!(
            "seeded {} users in {:.1} s",
            users.len(),
            started.elapsed().as_secs_f64()
        );
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .to_string();
        let server = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(["serve", "--listen", &address, "--database", &url])
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        let world = Self {
            store,
            tenant,
            users,
            groups,
            scim,
            api,
            address,
            server,
            number: AtomicU64::new(0),
            _folder: folder,
        };
        let mut probe = Connection::new(&world.address);
        let ready = wire::request("GET", "/readyz", &[], None);
        for _ in 0..500 {
            if probe.send(&ready).is_ok_and(|answer| answer.status == 200) {
                return world;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not answer");
    }

    /// `SQLite` or `PostgreSQL`.
    pub fn kind(&self) -> &'static str {
        if self.store.sqlite_path().is_some() {
            "SQLite"
        } else {
            "PostgreSQL"
        }
    }

    /// A number nobody has had.
    pub fn next(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    /// One of the seeded users, spread evenly.
    pub fn some_user(&self) -> UserId {
        let at = (self.next().wrapping_mul(7_919)) as usize % self.users.len();
        self.users[at]
    }

    /// A user who is not in a group yet; `None` when all are.
    pub fn outsider(&self, group: &Group) -> Option<UserId> {
        self.users
            .get(group.next.fetch_add(1, Ordering::Relaxed))
            .copied()
    }

    pub fn create_users(&self, load: Load) -> Sample {
        self.scim(load, 201, || {
            Some((
                "POST",
                "/Users".to_owned(),
                Some(user(&format!("http{}@acme.test", self.next()))),
            ))
        })
    }

    pub fn get_users(&self, load: Load) -> Sample {
        self.scim(load, 200, || {
            Some(("GET", format!("/Users/{}", self.some_user()), None))
        })
    }

    pub fn find_users(&self, load: Load) -> Sample {
        let count = self.users.len() as u64;
        self.scim(load, 200, || {
            let number = self.next().wrapping_mul(7_919) % count;
            Some((
                "GET",
                format!(
                    "/Users?filter=userName%20eq%20%22{}%22",
                    seeded_name(number as usize)
                ),
                None,
            ))
        })
    }

    pub fn list_users(&self, load: Load) -> Sample {
        self.scim(load, 200, || {
            Some(("GET", "/Users?startIndex=1&count=100".to_owned(), None))
        })
    }

    pub fn patch_users(&self, load: Load) -> Sample {
        self.scim(load, 200, || {
            let title = format!("Title {}", self.next());
            let body = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "title", "value": title }] });
            Some(("PATCH", format!("/Users/{}", self.some_user()), Some(body)))
        })
    }

    /// Adds members to one group from many clients.
    pub fn add_members(&self, load: Load, group: usize) -> Sample {
        let group = &self.groups[group];
        self.scim(load, 204, || {
            Some((
                "PATCH",
                format!("/Groups/{}", group.id),
                Some(add(self.outsider(group)?)),
            ))
        })
    }

    /// Adds one member to each group in turn, so many rounds.
    pub fn add_members_in_turn(&self, rounds: usize) -> Vec<Sample> {
        let mut connection = Connection::new(&self.address);
        in_turn(&self.groups, rounds, |group| {
            let request = self.bytes(
                &self.scim,
                "PATCH",
                &format!("/scim/v2/Groups/{}", group.id),
                Some(&add(self.outsider(group)?)),
            );
            let started = Stopwatch::now();
            let good = connection
                .send(&request)
                .is_ok_and(|answer| answer.status == 204);
            Some((started.elapsed(), good))
        })
    }

    /// Assigns new courses to the largest group, one after the other.
    pub fn assign_courses(&self, times: usize) -> Sample {
        let Some(group) = self.groups.last() else {
            return Sample::default();
        };
        let mut connection = Connection::new(&self.address);
        let courses: Vec<CourseId> = (0..times)
            .map(|n| seed_course(&self.store, self.tenant, &format!("Assigned over HTTP {n}")))
            .collect();
        let mut left = courses.iter();
        let mut samples = in_turn(std::slice::from_ref(group), times, |group| {
            let body = json!({ "course_id": left.next()? });
            let request = self.bytes(
                &self.api,
                "POST",
                &format!("/api/v1/groups/{}/assignments", group.id),
                Some(&body),
            );
            let started = Stopwatch::now();
            let good = connection
                .send(&request)
                .is_ok_and(|answer| answer.status == 201);
            Some((started.elapsed(), good))
        });
        samples.pop().unwrap_or_default()
    }

    /// So many requests of every kind.
    pub fn soak(&self, requests: u64, clients: usize) -> Sample {
        let left = AtomicU64::new(requests);
        let load = Load {
            clients,
            time: Duration::from_secs(24 * 3600),
        };
        load::run(
            load,
            || Connection::new(&self.address),
            |connection| {
                if left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                        left.checked_sub(1)
                    })
                    .is_err()
                {
                    return None;
                }
                let number = self.next();
                let (method, path, body) = match number % 10 {
                    0 => (
                        "POST",
                        "/Users".to_owned(),
                        Some(user(&format!("soak{number}@acme.test"))),
                    ),
                    1 => {
                        let body = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "title", "value": number.to_string() }] });
                        ("PATCH", format!("/Users/{}", self.some_user()), Some(body))
                    }
                    2 => (
                        "PATCH",
                        format!("/Groups/{}", self.groups[0].id),
                        Some(add(self.some_user())),
                    ),
                    3 => ("GET", "/Users?startIndex=1&count=20".to_owned(), None),
                    4 | 5 => (
                        "GET",
                        format!(
                            "/Users?filter=userName%20eq%20%22{}%22",
                            seeded_name(number as usize % self.users.len())
                        ),
                        None,
                    ),
                    _ => ("GET", format!("/Users/{}", self.some_user()), None),
                };
                let request = self.bytes(
                    &self.scim,
                    method,
                    &format!("/scim/v2{path}"),
                    body.as_ref(),
                );
                Some(
                    connection
                        .send(&request)
                        .is_ok_and(|answer| answer.status < 300),
                )
            },
        )
    }

    /// A static server whose answer has this many bytes.
    pub fn static_server(&self, size: usize) -> Static {
        Static::start(size)
    }

    /// The bytes of one user's answer.
    pub fn user_size(&self) -> usize {
        self.size(&format!("/Users/{}", self.users[0]))
    }

    /// The bytes of a page of 100.
    pub fn page_size(&self) -> usize {
        self.size("/Users?startIndex=1&count=100")
    }

    fn size(&self, path: &str) -> usize {
        let request = self.bytes(&self.scim, "GET", &format!("/scim/v2{path}"), None);
        Connection::new(&self.address)
            .send(&request)
            .map_or(1_000, |answer| answer.body.len())
    }

    /// What the server holds in memory.
    pub fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).ok()?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    }

    /// The processor time the server has used; hundredths of a second on every Linux there is.
    fn cpu(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.server.id())).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let ticks: u64 =
            fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 10))
    }

    fn scim(
        &self,
        load: Load,
        expected: u16,
        next: impl Fn() -> Option<(&'static str, String, Option<Value>)> + Sync,
    ) -> Sample {
        let before = self.cpu();
        let mut sample = load::http(load, &self.address, expected, || {
            let (method, path, body) = next()?;
            Some(self.bytes(
                &self.scim,
                method,
                &format!("/scim/v2{path}"),
                body.as_ref(),
            ))
        });
        sample.cpu = before
            .zip(self.cpu())
            .map(|(before, after)| after.saturating_sub(before));
        sample
    }

    fn bytes(&self, token: &str, method: &str, target: &str, body: Option<&Value>) -> Vec<u8> {
        let authorization = format!("Bearer {token}");
        let text = body.map(Value::to_string);
        wire::request(
            method,
            target,
            &[
                ("Authorization", &authorization),
                ("Accept", "application/scim+json"),
                (
                    "Content-Type",
                    if target.starts_with("/api") {
                        "application/json"
                    } else {
                        "application/scim+json"
                    },
                ),
            ],
            text.as_deref().map(str::as_bytes),
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// Does something with each group in turn, so many rounds; one sample per group.
pub fn in_turn(
    groups: &[Group],
    rounds: usize,
    mut one: impl FnMut(&Group) -> Option<(Duration, bool)>,
) -> Vec<Sample> {
    let mut samples = vec![Sample::default(); groups.len()];
    for _ in 0..rounds {
        for (group, sample) in groups.iter().zip(&mut samples) {
            match one(group) {
                Some((latency, true)) => {
                    sample.elapsed += latency;
                    sample.latencies.push(latency);
                }
                Some((_, false)) => sample.errors += 1,
                None => {}
            }
        }
    }
    for sample in &mut samples {
        sample.latencies.sort_unstable();
    }
    samples
}

/// A write of the benchmark's own.
pub fn write<T: Send + 'static>(
    store: &Store,
    job: impl FnMut(&mut rollcall::store::Db) -> Result<T, ServiceError> + Send + 'static,
) -> T {
    store
        .write_blocking("bench", job)
        .expect("the benchmark's own write")
}

/// The name of a seeded user.
pub fn seeded_name(number: usize) -> String {
    format!("learner{number}@acme.test")
}

/// A user as a directory pushes one.
pub fn user(name: &str) -> Value {
    json!({
        "schemas": [USER], "userName": name, "externalId": format!("x-{name}"),
        "name": { "givenName": "Ines", "familyName": "Valdarno", "formatted": "Ines Valdarno" },
        "displayName": "Ines Valdarno", "title": "Engineer", "locale": "en-US", "active": true,
        "emails": [{ "value": name, "type": "work", "primary": true }],
        "phoneNumbers": [{ "value": "+49 30 5550123", "type": "mobile" }],
    })
}

fn add(user: UserId) -> Value {
    json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user }] }] })
}

const NOTHING: Parts = Parts {
    members: false,
    groups: false,
    learner: false,
};

fn seed_users(store: &Store, tenant: TenantId, count: usize) -> Vec<UserId> {
    let mut users = Vec::with_capacity(count);
    while users.len() < count {
        let (from, to) = (users.len(), (users.len() + 500).min(count));
        users.extend(write(store, move |db| {
            let registry = Registry::builtin()
                .map_err(|error| ServiceError::Bug(anyhow::anyhow!("{error}")))?;
            let call = Call {
                registry: &registry,
                base: "http://bench/scim/v2",
                parts: NOTHING,
            };
            let scope = scope(tenant);
            (from..to)
                .map(|number| {
                    let written = directory::create(
                        db,
                        &scope,
                        call,
                        Kind::User,
                        &user(&seeded_name(number)),
                    )?;
                    written
                        .id
                        .parse()
                        .map_err(|_| ServiceError::Bug(anyhow::anyhow!("an id")))
                })
                .collect::<Result<Vec<UserId>, ServiceError>>()
        }));
    }
    users
}

fn seed_group(store: &Store, tenant: TenantId, users: &[UserId], size: usize) -> Group {
    let members: Vec<Value> = users[..size]
        .iter()
        .map(|id| json!({ "value": id }))
        .collect();
    let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("Group of {size}"), "members": members });
    let id: GroupId = write(store, move |db| {
        let registry =
            Registry::builtin().map_err(|error| ServiceError::Bug(anyhow::anyhow!("{error}")))?;
        let call = Call {
            registry: &registry,
            base: "http://bench/scim/v2",
            parts: NOTHING,
        };
        let written = directory::create(db, &scope(tenant), call, Kind::Group, &body)?;
        written
            .id
            .parse()
            .map_err(|_| ServiceError::Bug(anyhow::anyhow!("an id")))
    });
    for number in 1..=2 {
        let course = seed_course(store, tenant, &format!("Course {number} of {size}"));
        write(store, move |db| {
            assignments::assign(db, &scope(tenant), id, course, Options::default())
        });
    }
    Group {
        id,
        size,
        next: AtomicUsize::new(size),
    }
}

/// Makes a published course.
pub fn seed_course(store: &Store, tenant: TenantId, title: &str) -> CourseId {
    let fields = CourseFields {
        title: Some(title.to_owned()),
        ..CourseFields::default()
    };
    write(store, move |db| {
        Ok(courses::create(db, &scope(tenant), &fields)?.id)
    })
}

/// The scope of the benchmark's own writes.
pub fn scope(tenant: TenantId) -> Scope {
    Scope::system(tenant, "bench", now())
}

/// The time.
pub fn now() -> Instant {
    Clock::system().now()
}
