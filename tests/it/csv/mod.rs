//! CSV through the front door: upload, plan, commit, exports (`rest-and-console.md` A4, A5), and what is too large for one
//! transaction. Seed rules S-04 to S-11 and S-16, S-17; domain §4.2, §5, §7.3; invariants I-5, I-12, I-14.

mod cli;
mod commit;
mod completions;
mod exports;
mod files;
mod kinds;
mod large;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Client, Reply};

/// Uploads a file.
pub fn upload(api: &Client, query: &str, text: &str) -> Reply {
    upload_bytes(api, query, text.as_bytes())
}

/// Uploads bytes.
pub fn upload_bytes(api: &Client, query: &str, bytes: &[u8]) -> Reply {
    api.with_header("Content-Type", "text/csv").send(
        "POST",
        &format!("/imports?{query}"),
        Some(bytes),
    )
}

/// Commits a plan.
pub fn commit(api: &Client, id: &str) -> Reply {
    api.post(&format!("/imports/{id}/commit"), &serde_json::json!({}))
}

/// Uploads and commits a small file; returns the import as it stands then.
#[track_caller]
pub fn import(api: &Client, query: &str, text: &str) -> Value {
    let plan = upload(api, query, text);
    plan.expect(201);
    let done = commit(api, &plan.id());
    done.expect(200);
    done.json
}

/// `line code`, or `line outcome` where there is no code, of each row.
pub fn outcomes(api: &Client, id: &str) -> Vec<String> {
    crate::harness::build::rows(api, &format!("/imports/{id}/rows"))
        .iter()
        .map(|row| {
            let code = row["code"].as_str().unwrap_or("-");
            let outcome = row["outcome"].as_str().unwrap_or_default();
            format!("{} {outcome} {code}", row["line"])
        })
        .collect()
}

/// Waits until an import is in a state.
#[track_caller]
pub fn wait(api: &Client, id: &str, state: &str) -> Value {
    let started = Instant::now();
    loop {
        let reply = api.get(&format!("/imports/{id}"));
        reply.expect(200);
        if reply.json["state"] == state {
            return reply.json;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the import does not become {state}\n{reply:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
