//! What is measured: one function per family of operations, each side after the other with every number of clients.

use std::cell::Cell;
use std::time::Duration;

use anyhow::Context as _;
use rollcall::ids::{CourseId, UserId};
use rollcall::store::StoreError;
use serde_json::{Value, json};

use crate::client::{Client, request};
use crate::fill::Ground;
use crate::load::{Measured, measure, percentile};
use crate::report::{Report, milliseconds};
use crate::server::Bench;
use crate::{Plan, bare};

/// How many users the reads and patches choose from.
const PEOPLE: usize = 1000;
/// How many members each group gets one by one for the comparison of sizes.
const ROUNDS: usize = 200;
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The user a typical identity provider sends.
pub fn user(name: &str) -> String {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "userName": name,
        "externalId": name,
        "name": {"givenName": "Bench", "familyName": "User"},
        "displayName": "Bench User",
        "title": "Engineer",
        "preferredLanguage": "en-US",
        "emails": [{"value": name, "type": "work", "primary": true}],
        "phoneNumbers": [{"value": "+49 30 1234567", "type": "work"}],
        "active": true,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Research", "employeeNumber": "701984"},
    })
    .to_string()
}

/// A PATCH of one operation.
pub fn patch(operation: &Value) -> String {
    json!({"schemas": [PATCH_OP], "Operations": [operation]}).to_string()
}

fn id<T: std::str::FromStr>(body: &[u8]) -> anyhow::Result<T> {
    id_text(body)?
        .parse()
        .ok()
        .context("the id has not our form")
}

/// The `id` of an answer.
pub fn id_text(body: &[u8]) -> anyhow::Result<String> {
    let body: Value = serde_json::from_slice(body)?;
    body["id"]
        .as_str()
        .map(str::to_owned)
        .context("the answer has no id")
}

/// One number after the other, for everybody.
#[derive(Default)]
struct Counter(Cell<usize>);

impl Counter {
    fn next(&self) -> usize {
        self.0.replace(self.0.get() + 1)
    }
}

/// Clients that ask what `next` says and expect one status.
async fn over_http(
    bench: &Bench,
    clients: usize,
    time: Duration,
    status: u16,
    next: impl Fn() -> Vec<u8>,
) -> anyhow::Result<Measured> {
    let operation = async |client: &mut Client| client.expect(status, &next()).await.map(drop);
    measure(
        clients,
        time,
        async || Client::connect(bench.address).await,
        operation,
    )
    .await
}

/// Callers of `Store::write` with the job that `next` makes.
async fn on_store<J>(
    bench: &Bench,
    callers: usize,
    time: Duration,
    next: impl Fn() -> J,
) -> anyhow::Result<Measured>
where
    J: FnMut(&mut rollcall::store::Db) -> Result<(), StoreError> + Send + 'static,
{
    measure(
        callers,
        time,
        async || Ok(()),
        async |(): &mut ()| Ok(bench.store.write("bench", next()).await?),
    )
    .await
}

/// Clients that read `length` bytes from the byte server.
async fn of_bytes(
    bench: &Bench,
    clients: usize,
    time: Duration,
    length: usize,
) -> anyhow::Result<Measured> {
    let asked = request("GET", &format!("/{length}"), &bench.token, "");
    let operation = async |client: &mut Client| client.expect(200, &asked).await.map(drop);
    measure(
        clients,
        time,
        async || Client::connect(bench.bytes).await,
        operation,
    )
    .await
}

/// Create, get, find by name, list and patch users.
pub async fn people(
    bench: &Bench,
    ground: &Ground,
    plan: &Plan,
    report: &mut Report,
) -> anyhow::Result<()> {
    let token = bench.token.as_str();
    let number = Counter::default();
    // a database that was filled before has the accounts of other runs
    let run = rollcall::ids::RequestId::new();
    let new_user = |kind: &str| format!("{kind}{}.{run}@bench.example.com", number.next());
    let create = || request("POST", "/scim/v2/Users", token, &user(&new_user("http")));
    let mut client = Client::connect(bench.address).await?;
    let mut people: Vec<UserId> = Vec::with_capacity(PEOPLE);
    for _ in 0..PEOPLE {
        people.push(id(client.expect(201, &create()).await?)?);
    }
    let first = *people.first().context("no user")?;
    let person = bare::Person::of(bench, first, bare::last_log(bench)?)?;

    let time = plan.time;
    if plan.wants("create") {
        report.title("create user", "its statements through Store::write");
        for clients in plan.clients.iter().copied() {
            let http = over_http(bench, clients, time, 201, create).await?;
            let bare = on_store(bench, clients, time, || {
                let (person, name) = (person.clone(), new_user("bare"));
                move |db| person.create(db, &name)
            });
            report.row(clients, http, bare.await?);
        }
    }

    let any = || people.get(number.next() % PEOPLE).copied().unwrap_or(first);
    let page = ground.accounts / 2;
    let filter = |number: usize| {
        format!(
            "/scim/v2/Users?filter=userName%20eq%20%22http{}.{run}%40bench.example.com%22",
            number % PEOPLE
        )
    };
    let reads: [(&str, &str, &dyn Fn() -> String); 4] = [
        ("get", "get user by id", &|| {
            format!("/scim/v2/Users/{}", any())
        }),
        ("find", "find user: userName eq", &|| filter(number.next())),
        ("list", "list page of 100, the first", &|| {
            "/scim/v2/Users?startIndex=1&count=100".to_owned()
        }),
        ("middle", "list page of 100, in the middle", &|| {
            format!("/scim/v2/Users?startIndex={page}&count=100")
        }),
    ];
    for (_, what, path) in reads.into_iter().filter(|(row, ..)| plan.wants(row)) {
        let ask = || request("GET", &path(), token, "");
        let length = client.expect(200, &ask()).await?.len();
        report.title(what, &format!("{length} bytes from memory"));
        for clients in plan.clients.iter().copied() {
            let http = over_http(bench, clients, time, 200, ask).await?;
            report.row(clients, http, of_bytes(bench, clients, time, length).await?);
        }
    }

    let promote = || {
        let title = format!("Engineer {}", number.next());
        let body = patch(&json!({"op": "replace", "path": "title", "value": title}));
        request("PATCH", &format!("/scim/v2/Users/{}", any()), token, &body)
    };
    if !plan.wants("patch") {
        return Ok(());
    }
    client.expect(200, &promote()).await?;
    let person = bare::Person::of(bench, first, bare::last_log(bench)?)?;
    report.title("patch user", "its statements through Store::write");
    for clients in plan.clients.iter().copied() {
        let http = over_http(bench, clients, time, 200, promote).await?;
        let bare = on_store(bench, clients, time, || {
            let (person, id) = (person.clone(), any());
            move |db| person.patch(db, id)
        });
        report.row(clients, http, bare.await?);
    }
    Ok(())
}

/// Assign courses to each group, twice on each side; the better of two counts.
pub async fn assignments(
    bench: &Bench,
    ground: &Ground,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut client = Client::connect(bench.address).await?;
    let (tenant, log) = (bench.scope().tenant, bare::last_log(bench)?);
    let mut course = 0;
    for (size, group) in ground.groups.iter().copied() {
        let (mut http, mut bare) = (Duration::MAX, Duration::MAX);
        for _ in 0..2 {
            let mut courses: Vec<CourseId> = Vec::new();
            for _ in 0..2 {
                course += 1;
                let body = json!({"title": format!("Course {course}")}).to_string();
                courses.push(id(client
                    .expect(
                        201,
                        &request("POST", "/api/v1/courses", &bench.api_token, &body),
                    )
                    .await?)?);
            }
            let [one, other] = courses.as_slice() else {
                continue;
            };
            let body = json!({"course_id": one}).to_string();
            let ask = request(
                "POST",
                &format!("/api/v1/groups/{group}/assignments"),
                &bench.api_token,
                &body,
            );
            let started = std::time::Instant::now();
            client.expect(201, &ask).await?;
            // A large group is enrolled behind the answer.
            while crate::mass::waits(bench, &mut client).await? {
                actix_web::rt::time::sleep(Duration::from_millis(2)).await;
            }
            http = http.min(started.elapsed());
            let (other, row) = (*other, log.clone());
            let started = std::time::Instant::now();
            bench
                .store
                .write("bench", move |db| {
                    bare::assign(db, (tenant, &row), group, other)
                })
                .await?;
            bare = bare.min(started.elapsed());
        }
        let (http, bare) = (milliseconds(http), milliseconds(bare));
        report.line(&format!("assign a course to a group of {size}: {http:.1} ms over HTTP, {bare:.1} ms bare, ratio {:.2}", bare / http));
    }
    Ok(())
}

/// Add one member to groups of each size.
pub async fn members(
    bench: &Bench,
    ground: &Ground,
    plan: &Plan,
    report: &mut Report,
) -> anyhow::Result<()> {
    let token = bench.token.as_str();
    let spare = |number: usize| {
        ground
            .spare
            .get(number % ground.spare.len())
            .copied()
            .context("no account is left")
    };
    let add = |group, number: usize| -> anyhow::Result<Vec<u8>> {
        let member = json!({"op": "add", "path": "members", "value": [{"value": spare(number)?}]});
        Ok(request(
            "PATCH",
            &format!("/scim/v2/Groups/{group}"),
            token,
            &patch(&member),
        ))
    };
    let mut client = Client::connect(bench.address).await?;
    let mut samples = vec![Vec::with_capacity(ROUNDS); ground.groups.len()];
    let rounds = if plan.wants("sizes") { ROUNDS } else { 0 };
    for number in 0..rounds {
        for ((_, group), samples) in ground.groups.iter().zip(&mut samples) {
            let ask = add(*group, number)?;
            let started = std::time::Instant::now();
            client.expect(204, &ask).await?;
            samples.push(started.elapsed());
        }
    }
    let medians: Vec<Duration> = samples
        .iter_mut()
        .map(|samples| percentile(samples, 50))
        .collect();
    let smallest = medians.first().copied().unwrap_or_default();
    report.line("");
    for ((size, _), median) in ground.groups.iter().zip(&medians).filter(|_| rounds > 0) {
        let ratio = median.as_secs_f64() / smallest.as_secs_f64().max(f64::MIN_POSITIVE);
        report.line(&format!(
            "add one member to a group of {size}: median {:.3} ms, {ratio:.2} of the smallest",
            milliseconds(*median)
        ));
    }
    if !plan.wants("member") {
        return Ok(());
    }
    let ask = add(ground.groups.first().context("no group")?.1, ROUNDS)?;
    client.expect(204, &ask).await?;
    let (tenant, log) = (bench.scope().tenant, bare::last_log(bench)?);
    for (size, group) in ground.groups.iter().copied() {
        let number = Counter(Cell::new(ROUNDS));
        report.title(
            &format!("add one member to a group of {size}"),
            "its statements through Store::write",
        );
        for clients in plan.clients.iter().copied() {
            let http = over_http(bench, clients, plan.time, 204, || {
                add(group, number.next()).unwrap_or_default()
            })
            .await?;
            let bare = on_store(bench, clients, plan.time, || {
                let (row, user) = (log.clone(), spare(number.next()));
                move |db| {
                    user.as_ref().map_or(Ok(()), |user| {
                        bare::add_member(db, (tenant, &row), group, *user)
                    })
                }
            });
            report.row(clients, http, bare.await?);
        }
    }
    Ok(())
}
