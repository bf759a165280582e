//! The sweep of an erasure: whatever else names the person, in the log, in answers kept for repeats, in imported files. A step is
//! one transaction; it says where the next begins.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Instant;
use crate::ids::LearnerId;
use crate::store::Db;
use crate::store::queries::erasures::{self as rows, LoggedRow};
use crate::store::queries::jobs::JobRow;

use super::super::ServiceError;
use super::super::jobs::book;
use super::Markers;

/// Rows a step looks at: each may hold two bodies.
const ROWS: i64 = 200;

/// Where the next step begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Log(Uuid),
    Answers(String, String),
    Lines(Uuid, i64),
}

/// What stands in place of the bodies of an answer.
const EMPTY: &str = "{}";

/// One step; `true` when nothing is left to look at.
pub fn step(
    db: &mut Db,
    job: &mut JobRow,
    learner: LearnerId,
    now: Instant,
    size: i64,
) -> Result<bool, ServiceError> {
    let tenant = job.tenant();
    let markers = match rows::find(db, tenant, learner)? {
        Some(row) => Markers::from_json(row.markers.as_deref().unwrap_or("[]")),
        None => return Ok(true),
    };
    let place = if job.place == "{}" {
        Place::Log(Uuid::nil())
    } else {
        book::read(&job.place)?
    };
    let size = size.clamp(1, ROWS);
    let full = |count: usize| i64::try_from(count).is_ok_and(|count| count >= size);
    let mut found = 0;
    let next = match place {
        Place::Log(after) => {
            let page = rows::logged(db, tenant, after, size)?;
            for row in &page {
                if let Some(kept) = without(&markers, row) {
                    rows::keep_of_logged(db, tenant, &kept)?;
                    found += 1;
                }
            }
            job.done += i64::try_from(page.len()).unwrap_or(i64::MAX);
            Some(match page.last() {
                Some(last) if full(page.len()) => Place::Log(last.id.0),
                _ => Place::Answers(String::new(), String::new()),
            })
        }
        Place::Answers(jti, key) => {
            let mut page = rows::answers(db, tenant, (&jti, &key), size)?;
            for row in page.iter_mut().filter(|row| markers.hit(&row.body)) {
                EMPTY.clone_into(&mut row.body);
                rows::keep_of_answer(db, tenant, row)?;
                found += 1;
            }
            Some(match page.last() {
                Some(last) if full(page.len()) => {
                    Place::Answers(last.jti.clone(), last.idempotency_key.clone())
                }
                _ => Place::Lines(Uuid::nil(), 0),
            })
        }
        Place::Lines(import, line) => {
            let mut page = rows::lines(db, tenant, (import, line), size)?;
            for row in &mut page {
                let texts = [Some(&row.cells), Some(&row.fields), row.detail.as_ref()];
                if texts.into_iter().flatten().any(|text| markers.hit(text)) {
                    "[]".clone_into(&mut row.cells);
                    EMPTY.clone_into(&mut row.fields);
                    row.detail = row.detail.take().map(|text| clean(&markers, text));
                    rows::keep_of_line(db, tenant, row)?;
                    found += 1;
                }
            }
            job.done += i64::try_from(page.len()).unwrap_or(i64::MAX);
            match page.last() {
                Some(last) if full(page.len()) => Some(Place::Lines(last.import_id.0, last.line)),
                _ => None,
            }
        }
    };
    let mut result: serde_json::Value = book::read(&job.result)?;
    result["emptied"] = (result["emptied"].as_i64().unwrap_or(0) + found).into();
    job.result = result.to_string();
    if let Some(next) = next {
        job.place = serde_json::to_string(&next).unwrap_or_default();
        return Ok(false);
    }
    rows::swept(db, tenant, learner, now)?;
    Ok(true)
}

fn clean(markers: &Markers, text: String) -> String {
    markers.redacted(&text).unwrap_or(text)
}

/// What is left of a row of the log that names the person; `None` when it does not.
fn without(markers: &Markers, row: &LoggedRow) -> Option<LoggedRow> {
    let texts = [
        Some(&row.path),
        row.resource_label.as_ref(),
        row.external_id.as_ref(),
        row.detail.as_ref(),
        Some(&row.notes),
        Some(&row.changes),
        row.request_body.as_ref(),
        row.response_body.as_ref(),
    ];
    if !texts.into_iter().flatten().any(|text| markers.hit(text)) {
        return None;
    }
    let cleaned = |text: &Option<String>| text.clone().map(|text| clean(markers, text));
    Some(LoggedRow {
        id: row.id,
        path: clean(markers, row.path.clone()),
        resource_label: cleaned(&row.resource_label),
        external_id: cleaned(&row.external_id),
        detail: cleaned(&row.detail),
        notes: clean(markers, row.notes.clone()),
        changes: clean(markers, row.changes.clone()),
        request_body: None,
        response_body: None,
    })
}
