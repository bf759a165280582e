//! What the demo prints: chapters, steps, and three tables at the end.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use serde_json::Value;

use super::client::Client;

static CHAPTER: AtomicU64 = AtomicU64::new(0);

/// Prints a line; a reader that went away is no failure.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "  {text}");
    let _ = out.flush();
}

/// Begins the next part of the story.
pub fn chapter(title: &str) {
    let number = CHAPTER.fetch_add(1, Ordering::Relaxed) + 1;
    let _ = writeln!(std::io::stdout().lock(), "\n{number}. {title}");
}

/// Every row of a REST list, page by page.
fn rows(api: &Client, path: &str) -> anyhow::Result<Vec<Value>> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?limit=200{cursor}"), 200)?;
        rows.extend(
            page["data"]
                .as_array()
                .context("a page without data")?
                .iter()
                .cloned(),
        );
        match page["page"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", super::client::encoded(next)),
            None => return Ok(rows),
        }
    }
}

/// How many enrollments there are, for the end of a step.
pub fn enrolled(api: &Client) -> anyhow::Result<String> {
    let count = rows(api, "/enrollments")?.len();
    Ok(format!(
        "→ {count} enrollment{} in all",
        if count == 1 { "" } else { "s" }
    ))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("–")
}

/// Groups with their members.
pub fn people(api: &Client) -> anyhow::Result<()> {
    chapter("Who is where");
    for group in rows(api, "/groups")? {
        let manager = text(&group["managed_by"]["name"]);
        line(&format!("{}, managed by {manager}", text(&group["name"])));
        let members = rows(api, &format!("/groups/{}/members", text(&group["id"])))?;
        for member in members {
            line(&format!(
                "    {:<28} {:<8} since {}",
                text(&member["name"]),
                text(&member["state"]),
                text(&member["added_at"])
            ));
        }
    }
    Ok(())
}

/// Every enrollment with its reason.
pub fn enrollments(api: &Client) -> anyhow::Result<()> {
    chapter("Who is enrolled in what, and why");
    for enrollment in rows(api, "/enrollments")? {
        let mut reasons: Vec<String> = enrollment["reasons"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|reason| {
                format!(
                    "{} `{}`",
                    text(&reason["kind"]),
                    text(&reason["group"]["name"])
                )
            })
            .collect();
        reasons.dedup();
        line(&format!(
            "{:<20} {:<22} {:<12} because of {}",
            text(&enrollment["learner_name"]),
            text(&enrollment["course_title"]),
            text(&enrollment["status"]),
            reasons.join(", "),
        ));
    }
    Ok(())
}

/// The sync log in the order in which it happened.
pub fn log(api: &Client) -> anyhow::Result<()> {
    chapter("What the sync log says");
    // Reads come in batches; the last ones may still be on their way.
    std::thread::sleep(std::time::Duration::from_millis(400));
    let mut requests = rows(api, "/sync/requests")?;
    requests.reverse();
    for request in &requests {
        let mut effects = Vec::new();
        for (name, word) in [
            ("members_added", "in"),
            ("members_ended", "out"),
            ("enrollments", "enrolled"),
        ] {
            if let Some(count) = request["effects"][name].as_i64().filter(|count| *count > 0) {
                effects.push(format!("{count} {word}"));
            }
        }
        let warnings: Vec<&str> = request["warnings"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|warning| text(&warning["code"]))
            .collect();
        if !warnings.is_empty() {
            effects.push(format!("({})", warnings.join(", ")));
        }
        line(&format!(
            "{} {:<8} {:<8} {:<28} {:>6.1} ms  {}",
            request["http_status"],
            text(&request["operation"]),
            text(&request["outcome"]),
            text(&request["resource_label"]),
            request["duration_ms"].as_f64().unwrap_or_default(),
            effects.join(", "),
        ));
    }
    line(&format!("{} requests logged", requests.len()));
    Ok(())
}
