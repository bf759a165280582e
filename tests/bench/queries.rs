//! Searches among very many users, one client: each beside the limit that the storage study set for it (its §2.2).
//!
//! `--users 1000000` fills one tenant and measures nothing else.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use rollcall::store::statement::Stmt;
use serde_json::{Value, json};

use crate::client::{Client, request};
use crate::fill::Ground;
use crate::load::percentile;
use crate::report::{Report, milliseconds};
use crate::server::Bench;

/// How often each query is asked, unless it takes long.
const TIMES: usize = 9;
/// After this long a query is not asked again.
const ENOUGH: Duration = Duration::from_secs(4);

/// The rows of `user_values` for the accounts that were made in sets: each has one work address and one telephone number.
pub fn fill_values(bench: &Bench) -> anyhow::Result<()> {
    let tenant = bench.scope().tenant;
    bench.store.write_blocking("bench values", move |db| {
        for (attr, key) in [(1, "r.user_name_key"), (2, "'+49 30 1234567'")] {
            let sql = format!(
                "INSERT INTO user_values (tenant_id, attr, value_key, user_id, ord, type_key, is_primary) \
                 SELECT r.tenant_id, CAST({attr} AS INTEGER), {key}, r.id, 0, 'work', (1 = 1) FROM users r WHERE r.tenant_id = ?"
            );
            db.execute(Stmt::new(sql).bind(tenant))?;
        }
        if let rollcall::store::Db::Postgres(..) = db {
            db.batch("ANALYZE")?;
        }
        Ok::<_, rollcall::store::StoreError>(())
    })?;
    Ok(())
}

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

/// Asks everything.
pub async fn queries(bench: &Bench, ground: &Ground, report: &mut Report) -> anyhow::Result<()> {
    let some = ground.accounts / 3;
    let token = bench.token.as_str();
    let mut client = Client::connect(bench.address).await?;
    report.line(&format!(
        "\n{} users, one client: median of {TIMES}, beside the study's limits on SQLite and PostgreSQL (ms)",
        ground.accounts
    ));
    let mut questions = vec![
        question(
            "userName eq",
            &format!("Users?filter=userName eq \"bulk{some}@example.com\""),
            ("0.07", "0.28"),
        ),
        question(
            "externalId eq",
            &format!("Users?filter=externalId eq \"bulk{some}@example.com\""),
            ("0.02", "0.30"),
        ),
        question(
            "displayName eq",
            &format!("Users?filter=displayName eq \"Bulk User {some}\""),
            ("-", "-"),
        ),
        question(
            "emails.value eq",
            &format!("Users?filter=emails.value eq \"bulk{some}@example.com\""),
            ("0.05", "0.69"),
        ),
        question(
            "lastModified gt, none",
            "Users?filter=meta.lastModified gt \"2099-01-01T00:00:00Z\"",
            ("1.8", "6.0"),
        ),
        question(
            "emails[work and co, 1 match]",
            &format!("Users?filter=emails[type eq \"work\" and value co \"bulk{some}@\"]"),
            ("1104", "5275, 11.6 with trigrams"),
        ),
        question(
            "emails[work and co, 1 %] by userName",
            "Users?filter=emails[type eq \"work\" and value co \"77@\"]&sortBy=userName",
            ("84", "384"),
        ),
        question(
            "page 500, by creation",
            "Users?startIndex=50001&count=100",
            ("23", "431"),
        ),
    ];
    for by in ["userName", "externalId", "displayName", "meta.lastModified"] {
        questions.push(Question {
            what: by,
            path: format!("/scim/v2/Users?sortBy={by}&startIndex=50001&count=100"),
            limits: ("60", "213"),
        });
    }
    for one in questions {
        let ask = request("GET", &one.path, token, "");
        let median = median(&mut client, &ask).await?;
        report.line(&format!(
            "{:40} {median:>9.2}   limits {} / {}",
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
            "{:40} {median:>9.2}   limits 0.07 / 1.0 (of the statement)",
            format!("page 500 by cursor {by}")
        ));
    }
    if let Some((size, group)) = ground.groups.last() {
        let ask = request("GET", &format!("/scim/v2/Groups/{group}"), token, "");
        let median = median(&mut client, &ask).await?;
        report.line(&format!(
            "{:40} {median:>9.2}   limits 206 / 257",
            format!("GET of a group of {size}")
        ));
    }
    let operations: Vec<Value> = (0..1000)
        .map(|number| {
            let data = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("bulkop{number}@x.test")});
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
        "{:40} {:>9.2}",
        "Bulk of 1,000 creates",
        milliseconds(started.elapsed())
    ));
    Ok(())
}

async fn median(client: &mut Client, ask: &[u8]) -> anyhow::Result<f64> {
    let mut samples = Vec::new();
    let begun = Instant::now();
    for _ in 0..TIMES {
        let started = Instant::now();
        client.expect(200, ask).await?;
        samples.push(started.elapsed());
        if begun.elapsed() > ENOUGH {
            break;
        }
    }
    Ok(milliseconds(percentile(&mut samples, 50)))
}
