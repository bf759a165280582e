//! Searches among very many users, one client: each beside the limit that the storage study set for it (its §2.2).
//!
//! `--users 1000000` fills one tenant and measures nothing else.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use rollcall::ids::RequestId;
use rollcall::store::{Db, StoreError};
use serde_json::{Value, json};

use crate::client::{Client, request};
use crate::fill::{FIRST, Ground};
use crate::load::percentile;
use crate::report::{Report, milliseconds};
use crate::server::Bench;

/// How often each query is asked at most, behind as many times that do not count: PostgreSQL plans a statement anew for the
/// first five, and the study measured prepared ones.
const TIMES: usize = 50;
/// After this long a query is not asked again.
const ENOUGH: Duration = Duration::from_secs(2);

/// One question, and the study's limits for it on SQLite and PostgreSQL, in milliseconds.
struct Question {
    what: &'static str,
    path: String,
    limits: (&'static str, &'static str),
}

fn question(what: &'static str, query: &str, limits: (&'static str, &'static str)) -> Question {
    let query = query
        .replace(' ', "%20")
        .replace('"', "%22")
        .replace('@', "%40");
    Question {
        what,
        path: format!("/scim/v2/{query}"),
        limits,
    }
}

/// What is asked, with the study's limits; where it has none for the very question, those of the nearest one.
fn questions(users: usize) -> Vec<Question> {
    let some = users / 3;
    let recent = |last: usize| {
        let at = FIRST + 1000 * i64::try_from(users - last).unwrap_or(0);
        rollcall::clock::Instant(at).to_string()
    };
    let mut questions = Vec::new();
    for (what, filter, limits) in [
        (
            "userName eq",
            format!("userName eq \"bulk{some}@example.com\""),
            ("0.07", "0.28"),
        ),
        (
            "externalId eq",
            format!("externalId eq \"bulk{some}@example.com\""),
            ("0.02", "0.30"),
        ),
        (
            "displayName eq",
            format!("displayName eq \"Bulk User {some}\""),
            ("-", "-"),
        ),
        (
            "emails.value eq",
            format!("emails.value eq \"bulk{some}@example.com\""),
            ("0.05", "0.69"),
        ),
        (
            "userName sw, 1 %",
            "userName sw \"bulk77\"".to_owned(),
            ("-", "-"),
        ),
        (
            "displayName sw, 11 %",
            "displayName sw \"bulk user 9\"".to_owned(),
            ("24", "25"),
        ),
        (
            "active eq false, 1 %",
            "active eq false".to_owned(),
            ("-", "-"),
        ),
        (
            "active eq true, 99 %",
            "active eq true".to_owned(),
            ("144", "151"),
        ),
        (
            "active eq false and lastModified gt, 541",
            format!(
                "active eq false and meta.lastModified gt \"{}\"",
                recent(54_100)
            ),
            ("1.4", "6.0"),
        ),
        (
            "lastModified gt, 541",
            format!("meta.lastModified gt \"{}\"", recent(541)),
            ("1.4", "6.0"),
        ),
        (
            "lastModified gt, 50 %",
            format!("meta.lastModified gt \"{}\"", recent(users / 2)),
            ("144", "151"),
        ),
        (
            "lastModified gt, none",
            "meta.lastModified gt \"2099-01-01T00:00:00Z\"".to_owned(),
            ("1.8", "6.0"),
        ),
        (
            "emails[work and co, 1 match]",
            format!("emails[type eq \"work\" and value co \"bulk{some}@\"]"),
            ("1104", "5275"),
        ),
        (
            "emails[work and co, 1 %]",
            "emails[type eq \"work\" and value co \"77@\"]".to_owned(),
            ("1104", "5275"),
        ),
        (
            "emails[work and co, all]",
            "emails[type eq \"work\" and value co \"@example\"]".to_owned(),
            ("1104", "5275"),
        ),
        (
            "title eq, no index, all",
            "title eq \"Engineer\"".to_owned(),
            ("7700", "1250"),
        ),
        (
            "title eq, no index, none",
            "title eq \"Director\"".to_owned(),
            ("7700", "1250"),
        ),
    ] {
        questions.push(question(what, &format!("Users?filter={filter}"), limits));
    }
    questions.push(question(
        "emails[work and co, 1 %] by userName",
        "Users?filter=emails[type eq \"work\" and value co \"77@\"]&sortBy=userName",
        ("84 + 1104", "384 + 5275"),
    ));
    questions.push(question(
        "displayName sw by userName, page 500",
        "Users?filter=displayName sw \"bulk user 9\"&sortBy=userName&startIndex=50001&count=100",
        ("60", "213"),
    ));
    questions.push(question("first page", "Users?count=100", ("-", "-")));
    questions.push(question(
        "page 500, by creation",
        "Users?startIndex=50001&count=100",
        ("23", "431"),
    ));
    for by in ["userName", "externalId", "displayName", "meta.lastModified"] {
        questions.push(Question {
            what: by,
            path: format!("/scim/v2/Users?sortBy={by}&startIndex=50001&count=100"),
            limits: ("60", "213"),
        });
    }
    questions
}

/// Asks everything.
pub async fn queries(bench: &Bench, ground: &Ground, report: &mut Report) -> anyhow::Result<()> {
    let token = bench.token.as_str();
    let mut client = Client::connect(bench.address).await?;
    settle(bench).await?;
    report.line(&format!(
        "\n{} users, one client: medians, beside the study's limits on SQLite and PostgreSQL (ms)",
        ground.accounts
    ));
    for one in questions(ground.accounts) {
        let ask = request("GET", &one.path, token, "");
        let (median, total) = median(&mut client, &ask).await?;
        report.line(&format!(
            "{:42} {median:>9.2}   limits {} / {}   ({total} match)",
            one.what, one.limits.0, one.limits.1
        ));
    }
    for by in [
        "",
        "userName",
        "externalId",
        "displayName",
        "meta.lastModified",
    ] {
        let sort = if by.is_empty() {
            String::new()
        } else {
            format!("&sortBy={by}")
        };
        let mut cursor = String::new();
        let mut samples = Vec::new();
        for _ in 0..500 {
            let path =
                format!("/scim/v2/Users?count=100&attributes=userName{sort}&cursor={cursor}");
            let started = Instant::now();
            let body: Value = serde_json::from_slice(
                client
                    .expect(200, &request("GET", &path, token, ""))
                    .await?,
            )?;
            samples.push(started.elapsed());
            match body["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let mut last = samples.split_off(samples.len().saturating_sub(50));
        let median = milliseconds(percentile(&mut last, 50));
        report.line(&format!(
            "{:42} {median:>9.2}   limits 0.07 / 1.0 (of the statement)",
            format!("page 500 by cursor {by}")
        ));
    }
    if let Some((size, group)) = ground.groups.last() {
        let ask = request("GET", &format!("/scim/v2/Groups/{group}"), token, "");
        let (median, _) = median(&mut client, &ask).await?;
        report.line(&format!(
            "{:42} {median:>9.2}   limits 206 / 257",
            format!("GET of a group of {size}")
        ));
    }
    let run = RequestId::new();
    let operations: Vec<Value> = (0..1000)
        .map(|number| {
            let data = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("bulkop{number}.{run}@x.test")});
            json!({"method": "POST", "path": "/Users", "bulkId": number.to_string(), "data": data})
        })
        .collect();
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let started = Instant::now();
    client
        .expect(
            200,
            &request("POST", "/scim/v2/Bulk", token, &body.to_string()),
        )
        .await
        .context("a bulk request")?;
    report.line(&format!(
        "{:42} {:>9.2}",
        "Bulk of 1,000 creates",
        milliseconds(started.elapsed())
    ));
    Ok(())
}

/// Does what autovacuum would do within a minute of the fill, so that it does not do so while something is measured.
async fn settle(bench: &Bench) -> anyhow::Result<()> {
    let settled = bench.store.read_short(|db| match db {
        Db::Sqlite(..) => Ok::<_, StoreError>(()),
        Db::Postgres(..) => {
            db.batch("SET statement_timeout = 0")?;
            db.batch("VACUUM ANALYZE")?;
            db.batch("SET statement_timeout = '10s'")
        }
    });
    Ok(settled.await?)
}

/// The median, and how many resources matched where the answer is a list.
async fn median(client: &mut Client, ask: &[u8]) -> anyhow::Result<(f64, Value)> {
    let mut samples = Vec::new();
    let begun = Instant::now();
    // a streamed answer keeps its chunks, and is no list
    let body: Value = serde_json::from_slice(client.expect(200, ask).await?).unwrap_or_default();
    for times in 0..2 * TIMES {
        let started = Instant::now();
        client.expect(200, ask).await?;
        samples.push(started.elapsed());
        if begun.elapsed() > ENOUGH && times > 1 {
            break;
        }
    }
    samples.drain(..samples.len() / 2);
    let median = milliseconds(percentile(&mut samples, 50));
    Ok((median, body["totalResults"].clone()))
}
