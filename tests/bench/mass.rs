//! What everybody else notices of a change of a hundred thousand: creates beside an assignment, a deletion, an approval and
//! an import.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::{try_join, try_join_all};
use rollcall::ids::RequestId;
use serde_json::{Value, json};

use crate::client::{Client, request};
use crate::fill::{self, Ground};
use crate::load::percentile;
use crate::report::{self, Report, milliseconds};
use crate::server::Bench;

/// How many clients create users meanwhile.
const CREATORS: usize = 4;

/// How many learners are approved at once.
const PENDING: usize = 10_000;
/// How many rows are imported.
const ROWS: usize = 100_000;

/// Assigns a course to the largest group, deletes the group, approves learners and imports some, beside clients that create
/// users.
pub async fn mass(bench: &Bench, ground: &Ground, report: &mut Report) -> anyhow::Result<()> {
    let Some((size, group)) = ground.groups.last().copied() else {
        return Ok(());
    };
    report.line("");
    let mut client = Client::connect(bench.address).await?;
    let token = &bench.api_token;
    let body = json!({"title": "For everybody", "status": "published"}).to_string();
    let made = client
        .expect(201, &request("POST", "/api/v1/courses", token, &body))
        .await?;
    let course: Value = serde_json::from_slice(made)?;
    let body = json!({"course_id": course["id"]}).to_string();
    let assign = |group| {
        let path = format!("/api/v1/groups/{group}/assignments");
        request("POST", &path, token, &body)
    };
    let ask = assign(group);
    let title = format!("assign a course to {size}");
    beside(bench, report, &title, (201, &ask)).await?;
    let ask = request("DELETE", &format!("/api/v1/groups/{group}"), token, "");
    let title = format!("delete a group of {size}");
    beside(bench, report, &title, (204, &ask)).await?;

    let waiting = fill::waiting(bench, PENDING)?;
    client.expect(201, &assign(waiting)).await?;
    let ask = json!({"all_pending": true}).to_string();
    let ask = request("POST", "/api/v1/learners:approve", token, &ask);
    let title = format!("approve {PENDING} learners who are owed a course");
    beside(bench, report, &title, (202, &ask)).await?;

    let run = RequestId::new();
    let rows = (0..ROWS).map(|row| format!("import{row}.{run}@example.com\n"));
    let file = format!("email\n{}", rows.collect::<String>());
    let ask = request("POST", "/api/v1/imports?kind=learners", token, &file);
    let title = format!("plan an import of {ROWS} learners");
    let plan = beside(bench, report, &title, (202, &ask)).await?;
    let id = plan["id"].as_str().context("an import has an id")?;
    let ask = request("POST", &format!("/api/v1/imports/{id}/commit"), token, "{}");
    let title = format!("import {ROWS} learners");
    beside(bench, report, &title, (202, &ask)).await?;
    let largest = report::resident_megabytes("self");
    report.line(&format!(
        "resident memory then, clients included: {largest} MB"
    ));
    Ok(())
}

async fn beside(
    bench: &Bench,
    report: &mut Report,
    title: &str,
    (status, change): (u16, &[u8]),
) -> anyhow::Result<Value> {
    let over = Cell::new(false);
    let begun = Instant::now();
    let work = async {
        let mut client = Client::connect(bench.address).await?;
        let body = client.expect(status, change).await?;
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let answered = begun.elapsed();
        while waits(bench, &mut client).await? {
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
        over.set(true);
        Ok::<_, anyhow::Error>((body, answered, begun.elapsed()))
    };
    let creators = try_join_all((0..CREATORS).map(|_| async {
        let mut client = Client::connect(bench.address).await?;
        let mut samples = Vec::new();
        while !over.get() {
            let name = format!("mass{}@example.com", RequestId::new());
            let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
            let ask = request("POST", "/scim/v2/Users", &bench.token, &body.to_string());
            let started = Instant::now();
            client.expect(201, &ask).await?;
            samples.push(started.elapsed());
        }
        Ok::<_, anyhow::Error>(samples)
    }));
    let ((body, answered, done), samples) = try_join(work, creators).await?;
    let mut samples = samples.concat();
    let count = samples.len();
    report.line(&format!(
        "{title}: answered after {:.0} ms, done after {:.1} s; beside it {count} creates by {CREATORS} clients, p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        milliseconds(answered),
        done.as_secs_f64(),
        milliseconds(percentile(&mut samples, 50)),
        milliseconds(percentile(&mut samples, 99)),
        milliseconds(percentile(&mut samples, 100)),
    ));
    Ok(body)
}

/// Whether a job of the tenant is not done.
pub async fn waits(bench: &Bench, client: &mut Client) -> anyhow::Result<bool> {
    let ask = request("GET", "/api/v1/jobs?limit=50", &bench.api_token, "");
    let page: Value = serde_json::from_slice(client.expect(200, &ask).await?)?;
    let jobs = page["data"].as_array().context("a page of jobs")?;
    Ok(jobs
        .iter()
        .any(|job| job["state"] == "waiting" || job["state"] == "running"))
}
